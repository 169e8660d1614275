/*
 * A cluster of three daemons whose disks lose their power at once, right after one of them has answered that a change is made. `cluster.ts [--runs N]
 * [--restarts N] [--seed S]`, as root. Every time the disk of the node that answered has what it said; `restarts` times, evenly spread, all
 * processes are killed and the cluster starts again from what its disks hold. Prints `seed S: …` and ends with 1 when something is lost.
 */
import { join } from "node:path";
import type { CibOperation } from "../../src/cib/index.ts";
import { formatXml } from "../../src/cib/index.ts";
import { CibStore } from "../../src/daemon/cib-store.ts";
import { type AdminClient, connectAdmin } from "../../src/daemon/index.ts";
import { openLog } from "../../src/platform/index.ts";
import { LocalCluster } from "../harness/local-cluster.ts";
import { option } from "../harness/mutate.ts";
import { run } from "../harness/network.ts";
import { Random } from "../sim/random.ts";
import { CuttableDisk, ensureOwnMounts, freeze } from "./disk.ts";

const args = process.argv.slice(2);
const runs = Number(option(args, "--runs", "1000"));
const restarts = Number(option(args, "--restarts", String(Math.ceil(runs / 50))));
const seed = Number(option(args, "--seed", "1"));
ensureOwnMounts();

/** Values that are changed again and again. */
const slots = 12;
const random = new Random(seed);
const log = openLog({ tag: "power", thresholds: { stderr: "error" } });
const cluster = await LocalCluster.make({ nodes: 3, addresses: (node) => [`127.9.7.${node}`] });
const memory = join(cluster.directory, "platters");
run("mkdir", memory);
run("mount", "-t", "tmpfs", "tmpfs", memory);
const disks = new Map(
  cluster.names.map((name) => [
    name,
    new CuttableDisk(join(memory, name), join(cluster.directory, name, "state"), 64),
  ]),
);
const diskOf = (name: string): CuttableDisk => {
  const disk = disks.get(name);
  if (!disk) throw new Error(`no disk of ${name}`);
  return disk;
};
const clients = new Map<string, AdminClient>();
/** What was acknowledged, by slot. */
const told = new Map<number, string>();

async function start(): Promise<void> {
  cluster.startAll();
  await cluster.joined();
  for (const name of cluster.names) clients.set(name, await connectAdmin({ config: cluster.configOf(name) }));
}

/** A change of a slot by a person or a tool: new, another value, or gone and made anew. */
function change(slot: number, value: string): CibOperation[] {
  const pair = `<nvpair id="lab-${slot}" name="lab-${slot}" value="${value}"/>`;
  const set = `<crm_config><cluster_property_set id="lab">${pair}</cluster_property_set></crm_config>`;
  const made: CibOperation = { op: "modify", create: true, xml: set };
  if (told.has(slot) && random.chance(0.3))
    return [{ op: "delete", xml: `<nvpair id="lab-${slot}"/>` }, made];
  return [made];
}

/** Which slots do not hold what was acknowledged. */
const missing = (text: string): string[] =>
  [...told].flatMap(([slot, value]) =>
    text.includes(`name="lab-${slot}" value="${value}"`) ? [] : [`lab-${slot}=${value}`],
  );

function storedIn(path: string): string {
  const found = new CibStore(path, log).load();
  if (found?.lost) return "";
  return found?.cib ? formatXml(found.cib) : "";
}

async function hunt(): Promise<string | undefined> {
  await start();
  for (let cut = 1; cut <= runs; cut++) {
    const name = random.pick(cluster.names);
    const slot = random.between(1, slots);
    const value = `v${cut}`;
    const pids = cluster.names.flatMap((node) => cluster.processesOf(node));
    await clients.get(name)?.request({ type: "cib-apply", operations: change(slot, value), client: "power" });
    for (const pid of pids) freeze(pid);
    told.set(slot, value);
    const again = Math.floor((cut * restarts) / runs) > Math.floor(((cut - 1) * restarts) / runs);
    const copies = new Map(cluster.names.map((node) => [node, diskOf(node).cut()]));
    if (!again) {
      const lost = diskOf(name).look(copies.get(name) ?? "", (path) => missing(storedIn(path)));
      for (const [node, copy] of copies) if (node !== name) diskOf(node).forget(copy);
      for (const pid of pids) thaw(pid);
      if (lost.length > 0) return `cut ${cut}: the disk of ${name} lacks ${lost}`;
      continue;
    }
    for (const client of clients.values()) client.close();
    for (const node of cluster.names) cluster.kill(node);
    for (const [node, copy] of copies) diskOf(node).restart(copy);
    await start();
    for (const node of cluster.names) {
      const lost = missing((await clients.get(node)?.request<string>({ type: "cib" })) ?? "");
      if (lost.length > 0) return `cut ${cut}: after the restart ${node} lacks ${lost}`;
    }
  }
  return undefined;
}

function thaw(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // A process that had ended by itself.
  }
}

const fault = await hunt().finally(() => {
  for (const client of clients.values()) client.close();
  for (const name of cluster.names) cluster.kill(name);
  for (const disk of disks.values()) disk.close();
  run("umount", "--lazy", memory);
  cluster.destroy();
});
if (fault !== undefined) console.log(`seed ${seed}: ${fault}`);
console.log(
  `${runs} changes of three nodes whose disks failed at the answer, ${restarts} starts from them; ${fault ? 1 : 0} lost`,
);
process.exit(fault === undefined ? 0 : 1);
