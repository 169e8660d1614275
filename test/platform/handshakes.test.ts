import { describe, expect, test } from "bun:test";
import { Handshakes, handshakeLimits } from "../../src/platform/handshakes.ts";

const limits = { ...handshakeLimits, most: 4, mostOfSource: 2, patienceMs: 100, crowdedMs: 10, crowd: 3 };

describe("connections in their handshake", () => {
  test("the oldest of an address that has too many goes, and nobody else's", () => {
    const handshakes = new Handshakes<string>(limits);
    expect(handshakes.enter("ours", "10.0.0.1", 0)).toEqual([]);
    expect(handshakes.enter("a", "10.0.0.66", 1)).toEqual([]);
    expect(handshakes.enter("b", "10.0.0.66", 2)).toEqual([]);
    expect(handshakes.enter("c", "10.0.0.66", 3)).toEqual(["a"]);
    expect(handshakes.enter("d", "10.0.0.66", 4)).toEqual(["b"]);
    expect(handshakes.size).toBe(3);
  });

  test("of many addresses the oldest goes; a proven one stays", () => {
    const handshakes = new Handshakes<string>(limits);
    handshakes.proven("10.0.0.1");
    handshakes.enter("ours", "10.0.0.1", 0);
    for (let i = 0; i < 100; i++) {
      const gone = handshakes.enter(`s${i}`, `10.1.0.${i}`, i);
      expect(gone).toEqual(i < 3 ? [] : [`s${i - 3}`]);
    }
  });

  test("there is less time where many wait, but not for a proven address", () => {
    const handshakes = new Handshakes<string>(limits);
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
    const handshakes = new Handshakes<string>(limits);
    handshakes.enter("a", "10.0.0.2", 0);
    handshakes.leave("a");
    expect(handshakes.size).toBe(0);
    expect(handshakes.expired(1000)).toEqual([]);
  });
});
