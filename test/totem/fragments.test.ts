import { describe, expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { Fragments, fragment } from "../../src/totem/srp/fragments.ts";
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

  test("is not mixed with another of the same sender, nor with one of another sender", () => {
    const fragments = new Fragments();
    const [first, second] = [unit(600), unit(600, 1)];
    const [a, b, c] = pieces(first);
    const [x, y, z] = pieces(second);
    if (!a || !b || !c || !x || !y || !z) throw new Error("three pieces");
    for (const piece of [a, b]) fragments.add(one, piece);
    expect(fragments.add(two, c)).toBeUndefined();
    for (const piece of [x, y]) expect(fragments.add(one, piece)).toBeUndefined();
    expect(fragments.add(one, c)).toBeUndefined();
    for (const piece of [x, y]) expect(fragments.add(one, piece)).toBeUndefined();
    expect(fragments.add(one, z)).toEqual(second);
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
