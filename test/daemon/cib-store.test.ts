import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { formatXml, parseXml, versionOf, type XmlElement } from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { CibKeeper } from "../../src/daemon/cib-keeper.ts";
import { CibStore } from "../../src/daemon/cib-store.ts";
import { type Log, openLog } from "../../src/platform/index.ts";
import { HactlError, nodeName } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import { FakeDisk } from "../harness/fake-disk.ts";
import { Random } from "../sim/random.ts";

setDefaultTimeout(600_000);

/** Lives of a whole cluster that end in a power failure; ROUNDS=1000 for more of them. */
const rounds = Number(process.env.ROUNDS ?? 250);

const directory = "/state";

function logInto(lines: string[]): Log {
  return openLog({
    tag: "test",
    thresholds: { stderr: "debug" },
    writeStderr: (line) => void lines.push(line),
  });
}

const silent = logInto([]);
const nothingLost = { fallback: undefined, lost: undefined, losses: [] };

/** A configuration of an epoch. */
const document = (epoch: number): string => {
  const cib = emptyCib();
  cib.attributes.set("epoch", String(epoch));
  return formatXml({ ...cib, children: cib.children.filter(({ name }) => name !== "status") });
};

const epochOf = (cib: XmlElement | undefined): number => (cib ? versionOf(cib)[1] : 0);

/** Lets all that is under way happen. */
const settled = async () => {
  for (let turn = 0; turn < 40; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
};

describe("the configuration on disk", () => {
  test("is read as it was written, and by every reader of XML", async () => {
    const disk = new FakeDisk(new Random(1));
    const store = new CibStore(directory, silent, disk);
    await store.save(document(7));
    const text = new TextDecoder().decode(disk.read(`${directory}/cib.xml`));
    expect(epochOf(parseXml(text))).toBe(7);
    const found = new CibStore(directory, silent, disk).load();
    expect({ ...found, cib: epochOf(found?.cib) }).toEqual({ cib: 7, ...nothingLost });
    expect(new CibStore("/other", silent, disk).load()).toBeUndefined();
  });

  test("keeps the last twenty versions, and nothing of what was begun", async () => {
    const disk = new FakeDisk(new Random(1));
    const store = new CibStore(directory, silent, disk);
    for (let epoch = 1; epoch <= 30; epoch++) await store.save(document(epoch));
    const names = disk.list(directory).sort();
    expect(names).toHaveLength(21);
    expect(names).toContain("cib-30.xml");
    expect(names).not.toContain("cib-10.xml");
  });

  test("a file that somebody put there is taken as it is", async () => {
    const disk = new FakeDisk(new Random(1));
    await disk.write(`${directory}/cib.xml`, document(3));
    expect(new CibStore(directory, silent, disk).load()).toMatchObject({ lost: undefined });
  });

  test("one damaged copy costs nothing: the other is as new", async () => {
    const disk = new FakeDisk(new Random(1));
    const store = new CibStore(directory, silent, disk);
    for (const epoch of [1, 2, 3]) await store.save(document(epoch));
    disk.damage(`${directory}/cib.xml`);
    const lines: string[] = [];
    const found = new CibStore(directory, logInto(lines), disk).load();
    expect({ ...found, cib: epochOf(found?.cib) }).toEqual({ cib: 3, ...nothingLost });
    expect(lines.join("")).toContain("CIB-CORRUPT");
    expect(disk.list(directory).filter((name) => name.includes(".corrupt-"))).toHaveLength(1);
  });

  test("where both are damaged an older version is used, said, and remembered until it is accepted", async () => {
    const disk = new FakeDisk(new Random(1));
    const store = new CibStore(directory, silent, disk);
    for (const epoch of [1, 2, 3]) await store.save(document(epoch));
    disk.damage(`${directory}/cib.xml`);
    disk.damage(`${directory}/cib-3.xml`, 200);
    const lines: string[] = [];
    const after = new CibStore(directory, logInto(lines), disk);
    const found = after.load();
    const files = ["cib.xml", "cib-3.xml"].map((name) =>
      expect.stringContaining(`${directory}/${name}.corrupt-`),
    );
    const lost = { version: [0, 3, 0] as const, instead: [0, 2, 0] as const, files };
    expect({ ...found, cib: epochOf(found?.cib) }).toEqual({ cib: 2, fallback: [0, 2, 0], lost, losses: [] });
    expect(lines.join("")).toContain("CIB-OLDER");
    expect(disk.list(directory).filter((name) => name.includes(".corrupt-"))).toHaveLength(2);
    // Also when the machine fails again at once.
    expect(new CibStore(directory, silent, disk).load()).toMatchObject({ fallback: [0, 2, 0], lost: {} });
    const losses = [{ node: nodeName("web--1"), ...lost, files: ["/state/cib.xml.corrupt-1"] }];
    await after.save(document(9), { fallback: [0, 2, 0], losses });
    const later = new CibStore(directory, silent, disk).load();
    expect({ ...later, cib: epochOf(later?.cib) }).toEqual({
      cib: 9,
      fallback: [0, 2, 0],
      lost: undefined,
      losses,
    });
    await after.save(document(10));
    expect(new CibStore(directory, silent, disk).load()?.fallback).toBeUndefined();
  });

  test("where nothing is left it says so", async () => {
    const disk = new FakeDisk(new Random(1));
    await new CibStore(directory, silent, disk).save(document(1));
    for (const name of disk.list(directory)) disk.damage(`${directory}/${name}`);
    const lines: string[] = [];
    expect(new CibStore(directory, logInto(lines), disk).load()).toEqual({
      cib: undefined,
      fallback: [0, 0, 0],
      lost: { instead: [0, 0, 0], files: [expect.any(String), expect.any(String)] },
      losses: [],
    });
    expect(lines.join("")).toContain("CIB-LOST");
  });

  test.each(["<cib", "<other/>", "", "\u0000", "<cib/>\n<!-- hactl configuration 9 sha256=00 -->x"])(
    "%p in its place is set aside, not believed",
    async (text) => {
      const disk = new FakeDisk(new Random(1));
      await new CibStore(directory, silent, disk).save(document(5));
      disk.remove(`${directory}/cib.xml`);
      await disk.write(`${directory}/cib.xml`, text);
      expect(epochOf(new CibStore(directory, silent, disk).load()?.cib)).toBe(5);
    },
  );
});

describe("who is told of a change", () => {
  test("hears of it when it is on the disk, and many changes are one write", async () => {
    const disk = new FakeDisk(new Random(1));
    const store = new CibStore(directory, silent, disk);
    let epoch = 0;
    let writes = 0;
    const keeper = new CibKeeper(
      (text) => {
        writes++;
        return store.save(text);
      },
      () => ({ text: document(epoch), origin: { fallback: undefined, losses: [] } }),
      silent,
    );
    const told: number[] = [];
    for (epoch = 1; epoch <= 100; epoch++) {
      const mine = epoch;
      keeper.changed();
      void keeper.stored().then(() => {
        told.push(mine);
        expect(epochOf(new CibStore(directory, silent, disk).load()?.cib)).toBeGreaterThanOrEqual(mine);
      });
    }
    epoch = 100;
    await keeper.stored();
    await settled();
    expect(told).toHaveLength(100);
    expect(writes).toBe(1);
  });

  test("hears that the disk does not take it; it is written when the disk can", async () => {
    const disk = new FakeDisk(new Random(1));
    const store = new CibStore(directory, silent, disk);
    const keeper = new CibKeeper(
      (text) => store.save(text),
      () => ({ text: document(4), origin: { fallback: undefined, losses: [] } }),
      silent,
    );
    disk.full = true;
    keeper.changed();
    const refused = await keeper.stored().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HactlError);
    expect(refused).toMatchObject({ code: "NOT_STORED" });
    expect(keeper.problem).toContain("no space left");
    // What was asked for before is not refused for that.
    await keeper.stored();
    disk.full = false;
    keeper.changed();
    await keeper.stored();
    expect(keeper.problem).toBeUndefined();
    expect(epochOf(new CibStore(directory, silent, disk).load()?.cib)).toBe(4);
    keeper.close();
  });
});

test("a thousand power failures at any moment lose nothing that was acknowledged", async () => {
  const random = new Random(7);
  const disk = new FakeDisk(random);
  let acknowledged = 0;
  let epoch = 0;
  let moments = 0;
  for (let round = 0; round < 1000; round++) {
    const store = new CibStore(directory, silent, disk);
    const found = store.load();
    epoch = epochOf(found?.cib);
    expect(epoch).toBeGreaterThanOrEqual(acknowledged);
    expect(found?.lost).toBeUndefined();
    let running = true;
    const keeper = new CibKeeper(
      (text) => store.save(text),
      () => ({ text: document(epoch), origin: { fallback: undefined, losses: [] } }),
      silent,
    );
    const failed = new Promise<void>((resolve) => {
      disk.onFailure = () => {
        running = false;
        moments++;
        resolve();
      };
    });
    disk.failsAt = disk.operations + random.between(1, 60);
    while (running) {
      epoch++;
      const mine = epoch;
      keeper.changed();
      // A process that is dead tells nobody anything.
      const told = keeper.stored().then(
        () => {
          if (running) acknowledged = Math.max(acknowledged, mine);
        },
        () => {},
      );
      const pause = random.between(0, 3);
      if (pause < 2) await Promise.race([told, failed]);
      else if (pause === 2) await Promise.resolve();
      else await new Promise<void>((resolve) => setImmediate(resolve));
    }
    keeper.close();
    await settled();
    disk.restart();
  }
  expect(moments).toBe(1000);
  expect(acknowledged).toBeGreaterThan(1000);
});

test("all nodes of a cluster die right after an acknowledgement, again and again: what was acknowledged is there", async () => {
  const random = new Random(11);
  const names = ["n1", "n2", "n3"];
  const disks = new Map(names.map((name) => [name, new FakeDisk(random)]));
  const acknowledged = new Set<string>();
  let changes = 0;
  for (let round = 0; round < rounds; round++) {
    let alive = true;
    const stores = new Map(
      names.map((name) => [name, new CibStore(directory, silent, disks.get(name) ?? new FakeDisk(random))]),
    );
    const bus = new ControllerBus(3, (name) => stores.get(name)?.load()?.cib ?? emptyCib());
    const keepers = new Map(
      names.map((name) => [
        name,
        new CibKeeper(
          (text, origin) => stores.get(name)?.save(text, origin) ?? Promise.resolve(),
          () => {
            const { cib, fallback, losses } = bus.node(name).controller.view();
            const stored = { ...cib, children: cib.children.filter((part) => part.name !== "status") };
            return { text: formatXml(stored), origin: { fallback, losses } };
          },
          silent,
        ),
      ]),
    );
    bus.onPersist = (name) => keepers.get(name)?.changed();
    bus.boot(...names);
    const present = new Set(
      [...(bus.cibs()[0] ?? "").matchAll(/<nvpair[^>]* name="k(\d+)"/g)].map((match) => match[1] ?? ""),
    );
    for (const change of acknowledged)
      if (!present.has(change)) throw new Error(`round ${round}: k${change} is lost`);
    expect(bus.cibs()).toHaveLength(1);
    const failures = random.between(1, 4);
    for (let change = 0; change < failures; change++) {
      const id = String(++changes);
      const name = nodeName(random.pick(names));
      // Only the last twenty stay in the configuration, so that the test does not grow.
      const old = Number(id) - 20;
      acknowledged.delete(String(old));
      bus.apply(
        [
          {
            op: "modify",
            create: true,
            xml: `<crm_config><cluster_property_set id="s"><nvpair id="k${id}" name="k${id}" value="1"/></cluster_property_set></crm_config>`,
          },
          { op: "delete", xml: `<nvpair id="k${old}"/>` },
        ],
        name,
      );
      // The reply has come from the state; whoever asked is told when it is stored.
      const told = keepers
        .get(name)
        ?.stored()
        .then(
          () => {
            if (alive) acknowledged.add(id);
          },
          () => {},
        );
      if (random.chance(0.7)) await told;
    }
    // All die at this moment, or a few operations of the disk later.
    if (random.chance(0.5)) for (let turn = random.between(0, 12); turn > 0; turn--) await Promise.resolve();
    alive = false;
    for (const disk of disks.values()) disk.failsAt = 0;
    for (const keeper of keepers.values()) keeper.close();
    await settled();
    for (const disk of disks.values()) disk.restart();
  }
  expect(acknowledged.size).toBeGreaterThan(10);
});
