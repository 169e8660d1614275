import { Network, random } from "./network.ts";

/**
 * Cuts some directions between nodes for good and runs until the rings should have settled. Answers what is wrong:
 * a ring that still changes, or one with members that do not hear each other both ways.
 */
export function partial(seed: number): string[] {
  const chance = random(seed * 104_729 + 5);
  const count = 2 + Math.floor(chance() * 6);
  const network = new Network(count, seed);
  const dead = new Set<string>();
  const density = chance() * 0.5;
  const cutSome = () => {
    for (let from = 1; from <= count; from++) {
      for (let to = 1; to <= count; to++) {
        if (from === to || chance() >= density) continue;
        network.cut(from, to);
        dead.add(`${from}>${to}`);
      }
    }
  };
  const before = chance() < 0.5;
  if (before) cutSome();
  if (chance() < 0.3) network.faults.loss = 0.05;
  network.startAll();
  network.run(20_000);
  if (!before) cutSome();
  network.run(80_000);
  const changes = () =>
    [...network.machines.values()].map(({ ring }) => ring.status().counters.gathers).join(" ");
  const settled = changes();
  network.run(60_000);
  const wrong: string[] = [];
  if (changes() !== settled) wrong.push(`still changing: ${network.rings().join("; ")}`);
  const ringOf = new Map<number, readonly number[]>();
  for (const { id, ring } of network.machines.values()) {
    const { members, state } = ring.status();
    ringOf.set(id, members);
    if (state !== "operational") wrong.push(`${id} is in ${state}`);
    for (const other of members)
      if (dead.has(`${id}>${other}`)) wrong.push(`${id} with ${other} in ${members}`);
  }
  for (const [id, members] of ringOf) {
    for (const other of members) {
      if (String(ringOf.get(other)) !== String(members))
        wrong.push(`${id} has ${members}, ${other} ${ringOf.get(other)}`);
    }
    const fits = [...ringOf.keys()].filter(
      (other) =>
        !members.includes(other) &&
        members.every((m) => !dead.has(`${m}>${other}`) && !dead.has(`${other}>${m}`)),
    );
    const missed = fits.find((other) => (ringOf.get(other)?.length ?? 0) <= members.length);
    if (missed !== undefined) wrong.push(`${missed} could be in ${members}`);
  }
  return wrong;
}
