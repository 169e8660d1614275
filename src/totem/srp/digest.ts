import type { NodeId } from "../../terms/index.ts";

/** FNV-1a over the ascending ids, 32 bits: a check against mistakes, not against an adversary. */
export function digestOf(nodes: Iterable<NodeId>): number {
  let digest = 0x811c9dc5;
  for (const id of [...nodes].sort((a, b) => a - b)) {
    for (let shift = 0; shift < 32; shift += 8)
      digest = Math.imul(digest ^ ((id >>> shift) & 255), 0x01000193);
  }
  return digest >>> 0;
}
