import { expect, setDefaultTimeout, test } from "bun:test";
import { runSeed } from "./scenario.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(60_000);

/** Seeds that once found a mistake, and which. What a seed stands for may change when the scenario does. */
const found: readonly (readonly [seed: number, mistake: string])[] = [
  [400084, "pieces of ordered messages, cut after netmtu was made smaller, pushed each other out"],
  [177, "nodes that started again knew of no earlier quorum and broke a tie beside those who had"],
  [569, "members that had not heard a goodbye counted other expected votes"],
  [1030809, "a node that had lost its disk formed a ring of a name that was in use"],
  [9008041, "a node took the message of a ring with the number of its own for a message of its own"],
  [1036828, "a ring was not whole again in time"],
  [2506006, "a ring was not whole again in time"],
  [20040780, "who had gone on without a vote could not be joined again"],
  [20058573, "a node that had read a newer file expected other votes than the others"],
  [22081396, "a part of a ring counted votes that the rest had not heard of"],
  [24000677, "fifteen nodes with a short token began anew again and again"],
  [34007983, "a part broke a tie by a node that was not the one that broke it on the other side"],
  [32033737, "a change of the key waited for a member that still waited for the end of the one before"],
  [207791127, "an administrator could not answer for those who may have had a quorum"],
];

for (const [seed, mistake] of found) {
  test(`seed ${seed}: ${mistake}`, () => {
    expect(runSeed({ seed }).memberships).toBeGreaterThan(0);
  });
}
