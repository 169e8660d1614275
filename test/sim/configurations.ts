import type { RingEffect } from "../../src/daemon/ring-core.ts";
import type { RingId } from "../../src/totem/index.ts";
import type { SimNode } from "./node.ts";
import { Violation } from "./violation.ts";

type Configuration = Extract<RingEffect, { type: "configuration" }>;

/** Names a ring. Whoever has lost his disk may come to a name again. */
export const nameOf = ({ representative, sequence }: RingId): string => `${representative}.${sequence}`;

/** Marks that a name was used before, by another ring. */
export const again = (times: number): string => "'".repeat(times);

/** Checks that rings are the same for all their members and never go back. */
export class Configurations {
  /** Rings that were formed. */
  count = 0;
  private readonly formed = new Map<string, { readonly members: string; readonly disk: number }[]>();
  private readonly lastSequence = new Map<number, number>();
  /** Disks of a node: with a new one its numbers may begin again, and the rings that it forms with them. */
  private readonly disks = new Map<number, number>();

  /** A node installs a ring. Returns the ring's name. */
  install(node: SimNode, { ringId, members }: Configuration): string {
    const { representative, sequence } = ringId;
    const key = nameOf(ringId);
    const text = members.join();
    const known = this.formed.get(key) ?? [];
    this.formed.set(key, known);
    let which = known.findIndex((ring) => ring.members === text);
    if (which < 0) {
      const last = known.at(-1);
      const disk = this.diskOf(representative);
      if (last && last.disk === disk) {
        const what = `ring ${key}: node ${node.id} has ${text}, another ${last.members}`;
        throw new Violation("same configurations", what);
      }
      which = known.push({ members: text, disk }) - 1;
      this.count += 1;
    }
    if (!members.includes(node.id) || members[0] !== representative) {
      throw new Violation("same configurations", `node ${node.id} installs ring ${key} of ${text}`);
    }
    const last = this.lastSequence.get(node.id) ?? -1;
    if (sequence <= last) {
      throw new Violation("ring sequence", `node ${node.id} goes from ${last} to ${sequence}`);
    }
    this.lastSequence.set(node.id, sequence);
    return `${key}${again(which)}`;
  }

  /** How often a node has got a new disk. */
  diskOf(node: number): number {
    return this.disks.get(node) ?? 0;
  }

  newDisk(node: SimNode): void {
    this.disks.set(node.id, (this.disks.get(node.id) ?? 0) + 1);
    this.lastSequence.delete(node.id);
  }
}
