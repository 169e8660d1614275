import { describe, expect, test } from "bun:test";
import { Handshakes, handshakeLimits } from "../../src/platform/handshakes.ts";

const limits = {
  ...handshakeLimits,
  most: 4,
  mostOfNetwork: 3,
  mostOfSource: 2,
  patienceMs: 100,
  crowdedMs: 10,
  crowd: 3,
};
/** Whose names begin with an s have sent something; of those that are drawn among it is the first. */
const first = { spoke: (name: string) => name.startsWith("s"), random: () => 0 };
/** Numbers that are the same at each run. */
const lots = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};

describe("connections in their handshake", () => {
  test("one of an address that has too many goes, and nobody else's", () => {
    const handshakes = new Handshakes<string>(first, limits);
    expect(handshakes.enter("ours", "10.0.0.1", 0)).toEqual([]);
    expect(handshakes.enter("a", "10.0.0.66", 1)).toEqual([]);
    expect(handshakes.enter("b", "10.0.0.66", 2)).toEqual([]);
    expect(handshakes.enter("c", "10.0.0.66", 3)).toEqual(["a"]);
    for (let i = 4; i < 50; i++) {
      const [gone, ...others] = handshakes.enter(`d${i}`, "10.0.0.66", i);
      expect(gone).toMatch(/^[bcd]/);
      expect(others).toEqual([]);
    }
    expect(handshakes.size).toBe(3);
  });

  test.each([
    ["IPv4", "10.0.0.1", (i: number) => `10.9.0.${i}`],
    ["IPv4 in IPv6", "::ffff:10.0.0.1", (i: number) => `::ffff:10.9.0.${i}`],
    ["IPv6", "fd00::1", (i: number) => `2001:db8::${i.toString(16)}:1`],
    ["IPv6 without zeros", "fd00::1", (i: number) => `2001:db8:0:0:1:2:3:${i.toString(16)}`],
    ["IPv6 of a link", "fd00::1", (i: number) => `fe80::${i.toString(16)}%eth0`],
  ])("who has all addresses of a network has no more places for it: %s", (_, ours, theirs) => {
    const handshakes = new Handshakes<string>(first, limits);
    handshakes.enter("ours", ours, 0);
    for (let i = 1; i <= 50; i++) expect(handshakes.enter(`n${i}`, theirs(i), i)).not.toContain("ours");
    expect(handshakes.size).toBe(4);
  });

  test("of many addresses one drawn by lot goes; a proven one stays", () => {
    const handshakes = new Handshakes<string>(first, limits, ["10.0.0.1"]);
    handshakes.enter("ours", "10.0.0.1", 0);
    for (let i = 0; i < 100; i++) {
      const gone = handshakes.enter(`a${i}`, `10.1.${i}.1`, i);
      expect(gone).toHaveLength(i < 4 ? 0 : 1);
      expect(gone).not.toContain("ours");
    }
  });

  test("whoever has said something does not compete with the silent, however many come", () => {
    const handshakes = new Handshakes<string>({ ...first, random: lots(1) }, limits);
    handshakes.enter("speaks", "10.0.0.1", 0);
    for (let i = 0; i < 10_000; i++)
      expect(handshakes.enter(`a${i}`, `10.${i % 250}.${i}.1`, i)).not.toContain("speaks");
    expect(handshakes.leave("speaks")).toBe(true);
  });

  test("where all say something, and more come than there are places, some stay long", () => {
    const handshakes = new Handshakes<string>({ ...first, random: lots(2) }, handshakeLimits);
    const since = new Map<string, number>();
    const ages: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      since.set(`s${i}`, i);
      for (const one of handshakes.enter(`s${i}`, `10.${i % 250}.${i % 241}.1`, 0))
        ages.push(i - (since.get(one) ?? 0));
    }
    expect(handshakes.size).toBe(2 * handshakeLimits.most);
    // Twice the places on the way: once silent, once not. With the oldest going nobody would be older than that.
    expect(ages.filter((age) => age > 4 * handshakeLimits.most).length).toBeGreaterThan(1000);
  });

  test("there is less time where many wait, but not for a proven address", () => {
    const handshakes = new Handshakes<string>(first, limits);
    handshakes.proven("10.0.0.1");
    handshakes.enter("ours", "10.0.0.1", 0);
    handshakes.enter("a", "10.0.0.2", 0);
    expect(handshakes.expired(50)).toEqual([]);
    handshakes.enter("b", "10.0.0.3", 50);
    expect(handshakes.expired(51)).toEqual(["a"]);
    expect(handshakes.expired(99)).toEqual([]);
    expect(handshakes.expired(150)).toEqual(["ours", "b"]);
    expect(handshakes.size).toBe(0);
  });

  test("whose handshake is over counts no more", () => {
    const handshakes = new Handshakes<string>(first, limits);
    handshakes.enter("a", "10.0.0.2", 0);
    handshakes.leave("a");
    expect(handshakes.size).toBe(0);
    expect(handshakes.expired(1000)).toEqual([]);
  });

  test("says which addresses are new, and forgets the oldest of many", () => {
    const handshakes = new Handshakes<string>(first, limits);
    expect(handshakes.proven("10.0.0.1")).toBe(true);
    expect(handshakes.proven("10.0.0.1")).toBe(false);
    for (let i = 0; i < 256; i++) handshakes.proven(`10.1.0.${i}`);
    expect(handshakes.provenSources).toHaveLength(256);
    expect(handshakes.provenSources).not.toContain("10.0.0.1");
  });
});
