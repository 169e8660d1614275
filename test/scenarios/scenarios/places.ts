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

/** A node with the wanted part in the cluster; the promoted instance is moved to make one when there is none. */
export async function nodeAt(stage: Stage, { leader, promoted }: Place): Promise<string> {
  const { cluster } = stage;
  const dc = await stage.leader();
  if ((stage.promoted() === dc) !== (leader === promoted)) {
    const home = leader === promoted ? dc : cluster.anyone([dc]);
    await cluster.load(`location here dbs role=Promoted inf: ${home}`);
    await cluster.until(`the promoted instance is on ${home}`, 60_000, () =>
      cluster.promoted().join() === home ? undefined : `it is on ${cluster.promoted().join() || "no node"}`,
    );
    await cluster.must(home, "hactl configure delete --force here");
    await stage.atRest();
  }
  const holder = stage.promoted();
  const node = cluster.members.find((name) => (name === dc) === leader && (name === holder) === promoted);
  if (node === undefined) throw new Error("three nodes have a place of each kind");
  return node;
}
