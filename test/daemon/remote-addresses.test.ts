import { describe, expect, test } from "bun:test";
import { AddressTurns } from "../../src/daemon/remote-addresses.ts";

const right = { host: "192.0.2.1", port: 3121 };
const wrong = { host: "192.0.2.9", port: 3121 };

describe("the connection to a remote host is tried", () => {
  test("at the configured address alone where nothing else is known", () => {
    const turns = new AddressTurns(wrong, undefined, 1000);
    expect(turns.hasOther).toBe(false);
    expect([1000, 9000, 60_000].map((now) => turns.next(now))).toEqual([wrong, wrong, wrong]);
  });

  test("where the host was a moment ago, by turns, when it has not answered at a changed one", () => {
    const turns = new AddressTurns(wrong, { address: right, at: 900 }, 1000);
    expect(turns.hasOther).toBe(true);
    expect([1000, 5900, 6000, 8000, 10_000].map((now) => turns.next(now))).toEqual([
      wrong,
      wrong,
      right,
      wrong,
      right,
    ]);
  });

  test("where another node is connected to it, however long ago that was told", () => {
    const turns = new AddressTurns(wrong, { address: right }, 10_000_000);
    expect(turns.hasOther).toBe(true);
    expect([10_000_000, 10_006_000].map((now) => turns.next(now))).toEqual([wrong, right]);
  });

  test("not where it was long ago, nor twice at the same address", () => {
    expect(new AddressTurns(wrong, { address: right, at: 0 }, 200_000).next(300_000)).toEqual(wrong);
    expect(new AddressTurns(right, { address: right, at: 900 }, 1000).hasOther).toBe(false);
    expect(new AddressTurns({ ...right, port: 1 }, { address: right, at: 900 }, 1000).hasOther).toBe(true);
  });
});
