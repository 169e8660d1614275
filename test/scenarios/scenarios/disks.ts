import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { propertiesOf } from "../cib-look.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";
import { Violation } from "../violation.ts";

/** Where a node keeps its state; during these scenarios a small disk of its own. */
const state = "/run/disk/state";
const image = "/run/disk/state.img";

/** Words for a disk that cannot be written. */
const diskWords = [
  /ENOSPC|EROFS|EIO|[Nn]o space|[Rr]ead-only|I\/O error|cannot be (?:written|kept|saved|stored)|DISK/,
];

/** A node of interest: the leader or another one. */
const nodeOf = async (stage: Stage): Promise<string> => {
  const leader = await stage.leader();
  return stage.oneOf([leader, stage.cluster.anyone([leader])]);
};

/** The state of a node that is stopped moves to a small disk, which is mounted until the machine loses its power. */
async function smallDisk(stage: Stage, name: string): Promise<void> {
  const make = `set -e
    dd if=/dev/zero of=${image} bs=1M count=16 status=none
    mkfs.ext4 -q -m 0 ${image}
    mkdir -p /run/small
    mount -o loop ${image} /run/small
    cp -a ${state}/. /run/small/
    umount /run/small
    mount -o loop ${image} ${state}`;
  await stage.cluster.must(name, make);
}

/** What is on the small disk becomes the state of the node for good. */
async function largeDisk(stage: Stage, name: string): Promise<void> {
  const unmake = `set -e
    mkdir -p /run/saved
    cp -a ${state}/. /run/saved/
    umount ${state}
    rm -rf ${state}/* ${image}
    rm -rf /run/saved/lost+found
    cp -a /run/saved/. ${state}/
    rm -rf /run/saved`;
  await stage.cluster.must(name, unmake);
}

async function change(stage: Stage, through: string, name: string, value: number): Promise<boolean> {
  const { code } = await stage.cluster.run(through, `crm_attribute -t crm_config -n ${name} -v ${value}`);
  return code === 0;
}

/** Acknowledged changes are in the CIB of all members. */
async function checkKept(stage: Stage, names: readonly string[], value: number): Promise<void> {
  for (const member of stage.cluster.members) {
    const values = propertiesOf(await stage.cib(member));
    const lost = names.filter((name) => values.get(name) !== String(value));
    stage.check(lost.length === 0, `${member} lacks acknowledged changes: ${lost}`);
  }
}

async function forget(stage: Stage, names: readonly string[]): Promise<void> {
  const lines = names.map((name) => `crm_attribute -t crm_config -n ${name} -D`);
  await stage.cluster.must(stage.cluster.anyone(), lines.join("; "));
}

/** Five changes through all nodes; those that were acknowledged. */
async function changes(stage: Stage, prefix: string, value: number): Promise<string[]> {
  const done: string[] = [];
  for (let i = 0; i < 5; i++) {
    const through = stage.cluster.members[i % stage.cluster.members.length] ?? "";
    if (await change(stage, through, `${prefix}-${i}`, value)) done.push(`${prefix}-${i}`);
  }
  return done;
}

/** That a node's disk cannot be written is told to people who look, on every node, and the cluster is not in order. */
async function checkTold(stage: Stage, name: string): Promise<void> {
  for (const member of stage.cluster.members)
    await stage.until(`hactl status on ${member} tells of the disk of ${name}`, async () => {
      const { stdout } = await stage.cluster.run(member, "hactl status");
      return stdout.includes(`the state of ${name} cannot be written`) && !/\bNORMAL\b/.test(stdout);
    });
}

/** No byte is left. Blocks are small there: a few that are left hold the ring's number, or a whole configuration. */
async function fill({ cluster }: Stage, name: string): Promise<void> {
  await cluster.run(
    name,
    `dd if=/dev/zero of=${state}/filler bs=4k status=none; sync
    dd if=/dev/zero of=${state}/filler-2 bs=512 status=none; sync`,
  );
}

/** The disk of a node fills up under it, and is emptied again. */
async function full(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = await nodeOf(stage);
  const tag = random.below(1_000_000);
  stage.note(`${name}, leader ${await stage.leader()}`);
  await cluster.stop(name);
  await smallDisk(stage, name);
  await cluster.start(name);
  await stage.atRest();
  stage.allowed.errors.push(...diskWords);
  await fill(stage, name);
  const done = await changes(stage, "scene-full", tag);
  stage.note(`${done.length} of 5 changes acknowledged`);
  await cluster.until("the others serve and agree", 120_000, () =>
    cluster.mix.singles.every((rsc) => cluster.nodesOf(rsc).length === 1) ? undefined : "not all runs",
  );
  await checkTold(stage, name);
  await cluster.must(name, `rm -f ${state}/filler ${state}/filler-2`);
  await stage.until("changes are acknowledged again", () => change(stage, name, "scene-full-9", tag));
  await stage.atRest();
  await checkKept(stage, [...done, "scene-full-9"], tag);
  const kept = await cluster.must(name, `cat ${state}/cib.xml`);
  stage.check(
    kept.includes("scene-full-9"),
    `the CIB on the disk of ${name} lacks a change after there was room again`,
  );
  await cluster.stop(name);
  await cluster.start(name);
  await stage.atRest();
  await checkKept(stage, [...done, "scene-full-9"], tag);
  await forget(stage, [...done, "scene-full-9"]);
  await cluster.stop(name);
  await largeDisk(stage, name);
  await cluster.start(name);
}

/** The disk of a node becomes read-only under it, as after an error of the disk. */
async function readOnlyRunning(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = await nodeOf(stage);
  const tag = random.below(1_000_000);
  stage.note(`${name}, leader ${await stage.leader()}`);
  await cluster.stop(name);
  await smallDisk(stage, name);
  await cluster.start(name);
  await stage.atRest();
  stage.allowed.errors.push(...diskWords, /NODE-LOST/);
  // It may stay, or be given up by itself or the others; its disk is the old one when it boots.
  stage.allowed.fencing.add(name);
  await cluster.must(name, `mount -o remount,abort ${state}`);
  const done = await changes(stage, "scene-ro", tag);
  stage.note(`${done.length} of 5 changes acknowledged`);
  await cluster.until("the others serve", 120_000, () =>
    cluster.mix.singles.every((rsc) => cluster.nodesOf(rsc).length === 1) ? undefined : "not all runs",
  );
  if (stage.offs(name) === 0) await checkTold(stage, name);
  // The disk is replaced, and with it all that was on it.
  if (stage.offs(name) === 0) {
    await cluster.crash(name);
    await stage.until(`${name} is fenced`, () => stage.offs(name) > 0);
  }
  rmSync(join(cluster.machine(name).disk, "state.img"), { force: true });
  await stage.atRest();
  await checkKept(stage, done, tag);
  await forget(stage, done);
}

/** A node is started with a full disk: it joins nobody, says first why, and joins as soon as there is room. */
async function fullStart(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const name = await nodeOf(stage);
  stage.note(name);
  await cluster.stop(name);
  await smallDisk(stage, name);
  await fill(stage, name);
  await stage.atRest();
  const place = stage.here();
  stage.allowed.errors.push(...diskWords);
  await cluster.start(name);
  cluster.expected.delete(name);
  await stage.until(`hactl status on ${name} names its disk first`, async () => {
    const { stdout } = await cluster.run(name, "hactl status");
    return /^NO QUORUM – .* cannot join the others: its state cannot be written/.test(stdout);
  });
  stage.noActionsSince(place, "because of a node that cannot join");
  cluster.expected.add(name);
  await cluster.must(name, `rm -f ${state}/filler ${state}/filler-2`);
  await stage.atRest();
  await cluster.stop(name);
  await largeDisk(stage, name);
  await cluster.start(name);
}

/** A node is started with a read-only state directory: it does not run, says why, and hurts nobody. */
async function readOnlyStart(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const name = await nodeOf(stage);
  stage.note(name);
  await cluster.stop(name);
  await stage.atRest();
  await cluster.must(name, `mount --bind ${state} ${state} && mount -o remount,ro,bind ${state}`);
  stage.allowed.errors.push(...diskWords);
  const from = cluster.outputOf(name).length;
  await cluster.start(name);
  await cluster.until("the supervisor gives up", 120_000, () =>
    /it stays down|ended with (?:0|78|100)\n/.test(cluster.outputOf(name).slice(from))
      ? undefined
      : "it goes on",
  );
  cluster.expected.delete(name);
  const said = cluster.outputOf(name).slice(from);
  stage.check(
    said.includes(state),
    `hactl does not name the directory that it cannot write: ${said.slice(0, 300)}`,
  );
  await stage.atRest();
  await cluster.must(name, `umount ${state}`);
  await cluster.start(name);
}

/** A node comes back with an empty disk: what the others have counts. */
async function replaced(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = await nodeOf(stage);
  const first = stage.turn % 4 >= 2;
  const tag = random.below(1_000_000);
  stage.note(`${name}, ${first ? "the first to start" : "the others run"}`);
  await cluster.must(random.pick(cluster.members), `crm_attribute -t crm_config -n scene-disk -v ${tag}`);
  for (const member of first ? cluster.members : [name]) stage.allowed.fencing.add(member);
  const wipe = () => {
    const directory = join(cluster.machine(name).disk, "state");
    for (const entry of readdirSync(directory)) rmSync(join(directory, entry), { recursive: true });
  };
  if (first) {
    await cluster.stop(...cluster.members);
    wipe();
    await cluster.start(name);
    for (const member of random.shuffled(cluster.members.filter((other) => other !== name))) {
      await Bun.sleep(random.between(0, 3_000));
      await cluster.start(member);
    }
  } else {
    cluster.enabled.delete(name);
    await cluster.crash(name);
    await stage.until(`${name} is fenced`, () => stage.offs(name) > 0);
    wipe();
    await cluster.start(name);
  }
  await stage.atRest();
  for (const member of cluster.members) {
    const value = propertiesOf(await stage.cib(member)).get("scene-disk");
    if (value !== String(tag))
      throw new Violation(`${member} has ${value}, not the newest configuration ${tag}`);
  }
  await cluster.must(cluster.anyone(), "crm_attribute -t crm_config -n scene-disk -D");
}

/** What happens to files of a node under it: how, and how it is set right if it has to be. */
const damages: readonly { readonly name: string; readonly damage: string; readonly repair?: string }[] = [
  {
    name: "the directory of the log is away",
    damage: "mv /run/disk/log /run/disk/away",
    repair:
      "mkdir -p /run/disk/log; cat /run/disk/log/* >>/run/disk/away/hactl.log; rm -rf /run/disk/log; mv /run/disk/away /run/disk/log",
  },
  { name: "the event history is garbage", damage: `head -c 20000 /dev/urandom >${state}/history.sqlite` },
  { name: "the configuration is damaged", damage: `for f in ${state}/cib*.xml; do echo '<cib' >$f; done` },
  {
    name: "a file is in the place of the decisions' inputs",
    damage: `rm -rf ${state}/transitions; echo >${state}/transitions`,
    repair: `rm -f ${state}/transitions`,
  },
  { name: "what the executor remembers is damaged", damage: "echo '{' >/run/hactl/executor.json" },
  { name: "what the manager remembers is damaged", damage: "echo '{' >/run/hactl/manager.json" },
  { name: "the boot is not known any more", damage: `head -c 300 /dev/urandom >${state}/boot-id` },
  {
    name: "the state is read-only",
    damage: `rm -rf ${state}/transitions; mount --bind ${state} ${state} && mount -o remount,ro,bind ${state}`,
    repair: `umount ${state}`,
  },
];

/** Longer than a node is waited for whose manager has gone. */
const managerMissedMs = 20_000;

/** Files of a node are damaged, and manager and executor die over it: they come back, and no service notices. */
async function damaged(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = random.pick([stage.promoted(), await stage.leader()]);
  const { name: what, damage, repair } = stage.oneOf(damages);
  const parts = random.pick([["manager"], ["executor"], ["manager", "executor"]] as const);
  stage.allowed.errors.push(...diskWords, /PROCESS-DIED/, /MANAGER-LOST/, /damaged|not readable/);
  stage.note(`${what}; ${parts.join(", ")} of ${name}; leader ${await stage.leader()}`);
  const place = stage.here();
  await cluster.must(name, damage);
  for (const part of parts) cluster.kill(name, part);
  await Bun.sleep(managerMissedMs);
  if (repair !== undefined) await cluster.must(name, repair);
  await stage.atRest();
  stage.noActionsSince(place, "although only files of the daemon were damaged");
}

export const disks: readonly Scenario[] = [
  {
    name: "DiskFull",
    title: "the disk with the state of a node is full, and has room again",
    cases: 2,
    play: full,
  },
  {
    name: "DiskFull-start",
    title: "a node is started whose disk with the state is full",
    cases: 2,
    play: fullStart,
  },
  {
    name: "ReadOnly",
    title: "the disk of a node becomes read-only while it runs",
    cases: 2,
    play: readOnlyRunning,
  },
  {
    name: "ReadOnly-start",
    title: "a node is started with a read-only state directory",
    play: readOnlyStart,
  },
  {
    name: "DamagedFiles",
    title: "files of a node's daemon are damaged, and its manager and executor die: they come back",
    cases: damages.length,
    play: damaged,
  },
  { name: "DiskReplaced", title: "a node comes back with an empty disk", cases: 4, play: replaced },
];
