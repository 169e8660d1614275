import type { Stage } from "../stage.ts";

/** Where something happens to a process: with or without the leader, with or without the promoted instance and its group. */
export interface Place {
  readonly name: string;
  readonly leader: boolean;
  readonly promoted: boolean;
}
export const places: readonly Place[] = [
  { name: "leader-promoted", leader: true, promoted: true },
  { name: "promoted", leader: false, promoted: true },
  { name: "leader", leader: true, promoted: false },
  { name: "other", leader: false, promoted: false },
];

export const placeWords = ({ leader, promoted }: Place): string =>
  `${leader ? "the leader" : "not the leader"}, ${promoted ? "with" : "without"} the promoted instance`;

/** A node with the wanted part in the cluster; an instance is promoted, or not, on the leader to make one when there is none. */
export async function nodeAt(stage: Stage, { leader, promoted }: Place): Promise<string> {
  const { cluster } = stage;
  const dc = await stage.leader();
  const fits = (name: string) => (name === dc) === leader && cluster.promoted().includes(name) === promoted;
  if (!cluster.members.some(fits)) {
    const onLeader = leader === promoted;
    await cluster.load(`location here dbs role=Promoted ${onLeader ? "" : "-"}inf: ${dc}`);
    await cluster.until(`something is promoted ${onLeader ? "on" : "only off"} ${dc}`, 60_000, () => {
      const places = cluster.promoted();
      const all = places.length === cluster.mix.promotable.max && places.includes(dc) === onLeader;
      return all ? undefined : `it is on ${places.join() || "no node"}`;
    });
    await cluster.must(dc, "hactl configure delete --force here");
    await stage.atRest();
  }
  const node = cluster.members.find(fits);
  if (node === undefined) throw new Error("three nodes have a place of each kind");
  return node;
}
