import type { RingEffect } from "../../src/daemon/ring-core.ts";
import type { RingId } from "../../src/totem/index.ts";
import type { SimNode } from "./node.ts";
import { Violation } from "./violation.ts";

type Configuration = Extract<RingEffect, { type: "configuration" }>;

/** Checks that rings are the same for all their members and never go back. */
export class Configurations {
  /** Rings that were formed. */
  count = 0;
  private readonly members = new Map<string, string>();
  private readonly lastSequence = new Map<number, number>();
  /** Disks of a node: with a new one its numbers may begin again, and the rings that it forms with them. */
  private readonly disks = new Map<number, number>();

  /** A node installs a ring. Returns the ring's name. */
  install(node: SimNode, { ringId, members }: Configuration): string {
    const { representative, sequence } = ringId;
    const key = this.nameOf(ringId);
    const text = members.join();
    const known = this.members.get(key);
    if (known === undefined) {
      this.members.set(key, text);
      this.count += 1;
    } else if (known !== text) {
      throw new Violation(
        "same configurations",
        `ring ${key}: node ${node.id} has ${text}, another ${known}`,
      );
    }
    if (!members.includes(node.id) || members[0] !== representative) {
      throw new Violation("same configurations", `node ${node.id} installs ring ${key} of ${text}`);
    }
    const last = this.lastSequence.get(node.id) ?? -1;
    if (sequence <= last) {
      throw new Violation("ring sequence", `node ${node.id} goes from ${last} to ${sequence}`);
    }
    this.lastSequence.set(node.id, sequence);
    return key;
  }

  nameOf({ representative, sequence }: RingId): string {
    const disk = this.disks.get(representative) ?? 0;
    return `${representative}.${sequence}${disk === 0 ? "" : ` of disk ${disk}`}`;
  }

  newDisk(node: SimNode): void {
    this.disks.set(node.id, (this.disks.get(node.id) ?? 0) + 1);
    this.lastSequence.delete(node.id);
  }
}
