import { describe, expect, test } from "bun:test";
import { Fencings } from "../../src/controller/fencings.ts";
import { nodeName } from "../../src/terms/index.ts";

const n3 = nodeName("n3");

describe("what the end of a fencing says of its target", () => {
  test("nothing, when the target has come back since the device was told", () => {
    const fencings = new Fencings();
    fencings.asked("r1", n3);
    fencings.ordered("r1", n3, 1);
    fencings.outlived(n3);
    expect(fencings.ended("r1", n3)).toBe(true);
  });

  test("all, when it has come back before that, and is fenced all the same", () => {
    const fencings = new Fencings();
    fencings.asked("r1", n3);
    fencings.outlived(n3);
    fencings.ordered("r1", n3, 1);
    expect(fencings.ended("r1", n3)).toBe(false);
  });

  test("an order that is given once more to whoever carries it out is as old as it was", () => {
    const fencings = new Fencings();
    fencings.ordered("r1", n3, 1);
    fencings.outlived(n3);
    fencings.ordered("r1", n3, 1);
    expect(new Fencings(fencings.all()).ended("r1", n3)).toBe(true);
    const next = new Fencings(fencings.all());
    next.ordered("r1", n3, 2);
    expect(next.ended("r1", n3)).toBe(false);
  });

  test("a fencing that began in a life before does not answer for the one that came after it", () => {
    const fencings = new Fencings();
    fencings.ordered("r1", n3, 1);
    fencings.outlived(n3);
    fencings.asked("r2", n3);
    fencings.ordered("r2", n3, 1);
    expect(fencings.ended("r1", n3)).toBe(true);
    expect(fencings.ended("r2", n3)).toBe(false);
    expect(fencings.all()).toEqual([]);
  });

  test("a request that was answered without any device does not concern who has come since", () => {
    const fencings = new Fencings();
    fencings.asked("r2", n3);
    fencings.outlived(n3);
    expect(fencings.ended("r2", n3)).toBe(true);
  });
});
