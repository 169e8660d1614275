import { describe, expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { Fragments, fragment } from "../../src/totem/srp/fragments.ts";
import { SendQueue } from "../../src/totem/srp/send-queue.ts";
import { decode, type Fragment } from "../../src/totem/srp/wire.ts";

const [one, two] = [nodeId(1), nodeId(2)];
const unit = (bytes: number, seed = 0) => new Uint8Array(bytes).map((_, at) => (at * 7 + seed) & 255);

function pieces(data: Uint8Array, limit = 300): Fragment[] {
  return fragment(data, limit).map((datagram) => {
    expect(datagram.length).toBeLessThanOrEqual(limit);
    const pdu = decode(datagram);
    if (pdu?.kind !== "fragment") throw new Error("no fragment");
    return pdu;
  });
}

describe("a unit that is too long for a datagram", () => {
  test("goes in pieces, and one that is not goes as it is", () => {
    const short = unit(300);
    expect(fragment(short, 300)).toEqual([short]);
    const fragments = new Fragments();
    const long = unit(1000);
    const whole = pieces(long).map((piece) => fragments.add(one, piece));
    expect(whole).toEqual([undefined, undefined, undefined, long]);
  });

  test("is whole in any order, and when a later copy brings what the first had lost", () => {
    const fragments = new Fragments();
    const long = unit(1000);
    const [a, b, c, d] = pieces(long);
    if (!a || !b || !c || !d) throw new Error("four pieces");
    expect([d, b, a, b].map((piece) => fragments.add(one, piece))).toEqual(new Array(4).fill(undefined));
    expect(fragments.add(one, c)).toEqual(long);
  });

  test("is whole though pieces of others come between, but not of very many others", () => {
    const fragments = new Fragments();
    const units = [0, 1, 2, 3].map((seed) => unit(600, seed));
    const [first = [], ...rest] = units.map((data) => pieces(data));
    const others = rest.flat();
    const lastOf = (list: readonly Fragment[]) => list.slice(0, -1);
    for (const piece of [...lastOf(first), ...others.filter(({ index }) => index < 2)])
      fragments.add(one, piece);
    const last = first.at(-1);
    if (!last) throw new Error("three pieces");
    expect(fragments.add(two, last)).toBeUndefined();
    expect(fragments.add(one, last)).toEqual(units[0]);
    for (const piece of lastOf(first)) fragments.add(one, piece);
    for (const seed of [5, 6, 7, 8])
      for (const piece of lastOf(pieces(unit(600, seed)))) fragments.add(one, piece);
    expect(fragments.add(one, last)).toBeUndefined();
  });

  test("is an ordered message only where netmtu was made smaller, and then goes as it is", () => {
    const queue = new SendQueue();
    queue.push(unit(1000), "agreed");
    const message = queue.pack(one, { representative: one, sequence: 4, memberDigest: 0 }, 1, 1300);
    expect(fragment(message?.raw ?? unit(0), 300)).toEqual([message?.raw ?? unit(0)]);
  });

  test("is refused when its pieces are not those that were sent", () => {
    const fragments = new Fragments();
    const [a, b] = pieces(unit(500));
    if (!a || !b) throw new Error("two pieces");
    fragments.add(one, a);
    expect(fragments.add(one, { ...b, data: b.data.map((byte) => byte ^ 1) })).toBeUndefined();
    expect(fragments.add(one, b)).toBeUndefined();
  });
});
