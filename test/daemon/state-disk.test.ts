import { describe, expect, test } from "bun:test";
import { StateDisk, unwritable } from "../../src/daemon/state-disk.ts";
import { nodeName } from "../../src/terms/index.ts";

/** A node with a disk of the test; what it tells the cluster is known there at once. */
class DiskStage {
  free = 1_000_000_000;
  refuses: string | undefined;
  failed: string | undefined;
  waited = 0;
  joined = true;
  known: string | undefined;
  told: (string | undefined)[] = [];
  readonly disk = new StateDisk(
    "/state",
    {
      failed: () => this.failed,
      waitedMs: () => this.waited,
      joined: () => this.joined,
      known: () => this.known,
      tell: (problem) => {
        this.told.push(problem);
        this.known = problem;
      },
    },
    {
      writable: async () => {
        if (this.refuses !== undefined) throw new Error(this.refuses);
      },
      freeBytes: async () => this.free,
    },
  );
}

describe("a node that cannot write its state", () => {
  test("tells it once when its disk is full, before anything has to be written, and when it has room again", async () => {
    const stage = new DiskStage();
    await stage.disk.look();
    expect(stage.told).toEqual([]);
    stage.free = 1000;
    await stage.disk.look();
    await stage.disk.look();
    expect(stage.told).toEqual(["no space left on the disk of /state"]);
    stage.free = 1_000_000_000;
    await stage.disk.look();
    expect(stage.told.slice(1)).toEqual([undefined]);
    expect(stage.disk.problem).toBeUndefined();
  });

  test("tells of a read-only disk, and of what could not be written", async () => {
    const stage = new DiskStage();
    stage.refuses = "EROFS: read-only file system";
    await stage.disk.look();
    stage.failed = "EIO: i/o error, write";
    await stage.disk.look();
    expect(stage.told).toEqual(["EROFS: read-only file system", "EIO: i/o error, write"]);
  });

  test("tells it when it has joined; until then it knows it itself", async () => {
    const stage = new DiskStage();
    stage.joined = false;
    stage.free = 0;
    await stage.disk.look();
    expect(stage.told).toEqual([]);
    expect(stage.disk.problem).toContain("no space left");
    stage.joined = true;
    await stage.disk.look();
    expect(stage.told).toHaveLength(1);
  });

  test("takes back what a manager before this one has told", async () => {
    const stage = new DiskStage();
    stage.known = "no space left";
    await stage.disk.look();
    expect(stage.told).toEqual([undefined]);
  });

  test("is shown on every node; of itself a node knows better", () => {
    const [a, b] = [nodeName("a"), nodeName("b")];
    const told = new Map([
      [b, "full"],
      [a, "read-only"],
    ]);
    expect(unwritable(told, nodeName("c"), undefined)).toEqual([
      { node: a, problem: "read-only" },
      { node: b, problem: "full" },
    ]);
    expect(unwritable(told, a, undefined)).toEqual([{ node: b, problem: "full" }]);
    expect(unwritable(new Map(), b, "full")).toEqual([{ node: b, problem: "full" }]);
  });
});
