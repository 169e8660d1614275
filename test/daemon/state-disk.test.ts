import { describe, expect, test } from "bun:test";
import { StateDisk, unwritable } from "../../src/daemon/state-disk.ts";
import { nodeName } from "../../src/terms/index.ts";

/** A node with a disk of the test; what it tells the cluster is known there at once. */
class DiskStage {
  free = 1_000_000_000;
  files: number | undefined = 1_000_000;
  refuses: string | undefined;
  failed: string | undefined;
  waited = 0;
  hangs = false;
  asked = 0;
  readonly fullPlaces = new Set<string>();
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
        this.asked++;
        if (this.hangs) await new Promise(() => {});
        if (this.refuses !== undefined) throw new Error(this.refuses);
      },
      free: async (directory) => ({
        bytes: this.fullPlaces.has(directory) ? 0 : this.free,
        files: this.files,
      }),
    },
    ["/run/hactl"],
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

  test("tells it, too, when there is room but for no more files; a file system without a limit has room for them", async () => {
    const stage = new DiskStage();
    stage.files = 2;
    await stage.disk.look();
    stage.files = undefined;
    await stage.disk.look();
    expect(stage.told).toEqual(["no more files fit on the disk of /state (no free inodes)", undefined]);
  });

  test("tells of a read-only disk, and of what could not be written", async () => {
    const stage = new DiskStage();
    stage.refuses = "EROFS: read-only file system";
    await stage.disk.look();
    stage.failed = "EIO: i/o error, write";
    await stage.disk.look();
    expect(stage.told).toEqual(["EROFS: read-only file system", "EIO: i/o error, write"]);
  });

  test("tells of a disk that says nothing to what is being written, and of a run directory that is full", async () => {
    const stage = new DiskStage();
    stage.waited = 4_000;
    await stage.disk.look();
    stage.waited = 6_000;
    stage.failed = "an older reason";
    await stage.disk.look();
    stage.waited = 0;
    stage.failed = undefined;
    stage.fullPlaces.add("/run/hactl");
    await stage.disk.look();
    expect(stage.told).toEqual([
      "the disk of /state does not answer",
      "no space left on the disk of /run/hactl",
    ]);
  });

  test("tells of a directory that does not answer when it is looked at, and does not ask it again", async () => {
    const stage = new DiskStage();
    stage.hangs = true;
    await stage.disk.look();
    await stage.disk.look();
    expect([stage.told, stage.asked]).toEqual([["the disk of /state does not answer"], 1]);
  }, 20_000);

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
