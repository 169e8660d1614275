import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../harness/local-cluster.ts";
import { Story, testAgents } from "../harness/story.ts";

/** What a running cluster of three does about failures of agents, and how services move. */

const shipped = join(import.meta.dir, "../../agents/ocf/pacemaker");
let story: Story;
let control: string;
/** Agents that are damaged on the way. */
const spoilt = mkdtempSync(join(tmpdir(), "hactl-spoilt-"));

beforeAll(async () => {
  story = await Story.running({ nodes: 3, ocfPath: [spoilt] });
  control = join(story.directory, "control");
  mkdirSync(control);
}, 60_000);

afterAll(async () => {
  await story?.close();
  rmSync(spoilt, { recursive: true, force: true });
});

const tell = (rsc: string, action: string, what: string) =>
  writeFileSync(join(control, `${rsc}.${action}`), `${what}\n`);
const untell = (rsc: string, action: string) => rmSync(join(control, `${rsc}.${action}`), { force: true });

/** Takes the place of all that was configured. */
async function configure(text: string): Promise<void> {
  await story.loadAllTheSame(whole(text), "replace");
  await story.idle();
}

const whole = (text: string) =>
  `property stonith-enabled=true cluster-delay=5s\nrsc_defaults resource-stickiness=100\n${story.power}\n${text}`;

const wild = (id: string, ops: string) => `primitive ${id} ocf:test:Wild params control="${control}" ${ops}`;

describe("a resource", () => {
  test("whose start fails is started on another node", async () => {
    await configure(`primitive picky ocf:pacemaker:Dummy params fail_start_on=node1 op monitor interval=5s
location there picky 500: node1`);
    const node = await story.somewhere("picky");
    expect(["node2", "node3"]).toContain(node);
    expect(await story.cib()).toContain('name="fail-count-picky#start_0" value="INFINITY"');
    const { stdout } = await story.hactl("node1", "status");
    expect(stdout).toContain("start fails here because");
  }, 30_000);

  test("that fails is recovered where it is, and elsewhere once it has failed too often", async () => {
    await configure(`${wild("sick", "op monitor interval=500ms timeout=5s meta migration-threshold=2")}
location there sick 50: node1`);
    expect(await story.somewhere("sick")).toBe("node1");
    const since = Date.now();
    tell("sick", "monitor.node1", "fail");
    await story.until("a first recovery", 10_000, async () =>
      (await story.plans(since)).some((plan) => /Recover sick/.test(plan)) ? true : undefined,
    );
    await story.until("it leaves node1", 10_000, () =>
      story.where("sick").some((node) => node !== "node1") ? true : undefined,
    );
    untell("sick", "monitor.node1");
    await story.idle();
    expect(story.where("sick")).toHaveLength(1);
    expect(story.where("sick")).not.toEqual(["node1"]);
    expect(await story.cib()).toMatch(/name="fail-count-sick#monitor_500" value="2"/);
    await story.must("node2", "crm_resource", "--cleanup", "--resource", "sick");
    await story.idle();
    expect(await story.cib()).not.toContain("fail-count-sick");
  }, 40_000);

  test("whose monitor hangs is recovered after the timeout, and nothing of the agent is left", async () => {
    await configure(wild("stuck", "op monitor interval=500ms timeout=1s"));
    await story.somewhere("stuck");
    const since = Date.now();
    tell("stuck", "monitor", "hang");
    await story.until("its recovery", 15_000, async () =>
      (await story.plans(since)).some((plan) => /Recover stuck/.test(plan)) ? true : undefined,
    );
    await story.idle();
    expect(story.where("stuck")).toHaveLength(1);
    expect(await story.cib()).toContain('op-status="2"');
  }, 40_000);

  test("whose agent prints garbage runs all the same", async () => {
    for (const action of ["start", "monitor"]) tell("noisy", action, "garbage");
    await configure(wild("noisy", "op monitor interval=300ms"));
    await story.somewhere("noisy");
    const since = Date.now();
    await Bun.sleep(1000);
    await story.idle();
    expect(await story.plans(since)).toEqual([]);
    await story.membersAre(3);
  }, 30_000);

  test("whose agent leaves children behind starts, and is monitored", async () => {
    tell("parent", "start", "children");
    await configure(wild("parent", "op start timeout=5s op monitor interval=300ms"));
    await story.somewhere("parent");
    expect(await story.cib()).toContain("parent_monitor_300");
    expect(await story.cib()).not.toContain("fail-count-parent");
  }, 30_000);

  test("whose agent is missing is reported and does not hinder others", async () => {
    const text = `primitive nothing ocf:test:Absent op monitor interval=5s\nprimitive fine ocf:pacemaker:Dummy op monitor interval=5s`;
    await story.loadAllTheSame(whole(text), "replace");
    await story.idle();
    await story.somewhere("fine");
    const { stdout } = await story.hactl("node2", "status");
    expect(stdout).toContain("nothing");
    expect(stdout).toMatch(/not installed/i);
    expect(stdout).toContain("Absent");
  }, 30_000);

  test("whose exit codes mean nothing counts as failed and is tried elsewhere", async () => {
    tell("odd", "start", "213");
    await configure(wild("odd", "op monitor interval=5s"));
    expect(story.where("odd")).toEqual([]);
    expect(await story.cib()).toMatch(/fail-count-odd#start_0" value="INFINITY"/);
    untell("odd", "start");
    await story.must("node3", "crm_resource", "--cleanup", "--resource", "odd");
    await story.somewhere("odd");
  }, 30_000);

  test("whose agent loses its permission runs on, is not begun elsewhere in vain, and fences nobody", async () => {
    const agent = join(spoilt, "spoilt", "Wild");
    mkdirSync(join(spoilt, "spoilt"));
    copyFileSync(join(testAgents, "test", "Wild"), agent);
    chmodSync(agent, 0o755);
    await configure(
      `primitive worn ocf:spoilt:Wild params control="${control}" op monitor interval=500ms timeout=5s`,
    );
    const node = await story.somewhere("worn");
    const since = Date.now();
    chmodSync(agent, 0o644);
    const said = await story.until("it is told", 10_000, async () => {
      const { stdout } = await story.hactl("node1", "status");
      return stdout.includes("cannot be watched") ? stdout : undefined;
    });
    expect(said).toMatch(/^DEGRADED(?:.|\n)*chmod 755 it/);
    expect(story.where("worn")).toEqual([node]);
    // Nor is it begun elsewhere when that is forgotten, and nobody stops it in vain.
    await story.must("node1", "resource", "cleanup", "worn");
    await story.idle();
    expect(story.where("worn")).toEqual([node]);
    await story.must("node1", "resource", "stop", "worn");
    await story.until("the stop is withheld", 10_000, async () =>
      (await story.events()).some((event) => /ACTION-WITHHELD worn_stop_0/.test(event)) ? true : undefined,
    );
    await story.must("node1", "resource", "start", "worn");
    // Nobody can begin what is added now, either.
    await story.loadAllTheSame(`primitive vain ocf:spoilt:Wild params control="${control}"`, "update");
    await story.idle();
    expect(await story.must("node1", "status")).toMatch(/vain .*(?:Stopped|stopped)/);
    expect((await story.plans(since)).filter((plan) => /Fence|Recover worn/.test(plan))).toEqual([]);
    chmodSync(agent, 0o755);
    await story.until("it is watched again", 10_000, async () =>
      (await story.must("node1", "status")).includes("cannot be watched") ? undefined : true,
    );
    expect(story.where("worn")).toEqual([node]);
  }, 60_000);

  test("that is new and can be neither looked at nor stopped fences nobody, and says so; repaired, it runs", async () => {
    const since = Date.now();
    tell("new", "probe", "fail");
    tell("new", "stop", "fail");
    await configure(`${wild("new", "op monitor interval=5s")}\n${wild("sound", "op monitor interval=5s")}`);
    const why =
      "its stop fails on node1, node2, node3: its agent is broken, or what it needs is missing or wrong " +
      "(told to fail at stop); nothing is fenced for what was never seen to run as it is configured";
    const read = async (...words: readonly string[]) =>
      (await story.hactl("node1", ...words)).stdout.replaceAll(/\s+/g, " ");
    await story.until("status says why", 15_000, async () =>
      (await read("status")).includes(`new is blocked, and started nowhere else: ${why}`) ? true : undefined,
    );
    expect(await read("explain", "new")).toContain(why);
    await story.idle();
    expect(await story.somewhere("sound")).toMatch(/^node/);
    expect((await story.plans(since)).filter((plan) => /Fence/.test(plan))).toEqual([]);
    expect(story.where("new")).toEqual([]);
    // What is deleted is gone when it is cleaned up, and may be made anew.
    await story.must("node1", "configure", "delete", "--force", "new");
    await story.until("it is told as what is left", 10_000, async () =>
      (await read("status")).includes(`new is not configured any more, and cannot be stopped: ${why}`)
        ? true
        : undefined,
    );
    await story.must("node1", "resource", "cleanup", "new");
    await story.until("nothing is left", 10_000, async () =>
      (await read("status")).includes("new") ? undefined : true,
    );
    await configure(`${wild("new", "op monitor interval=5s")}\n${wild("sound", "op monitor interval=5s")}`);
    await story.until("it is blocked as before", 10_000, async () =>
      (await read("status")).includes(why) ? true : undefined,
    );
    untell("new", "probe");
    untell("new", "stop");
    await story.must("node2", "resource", "cleanup", "new");
    await story.somewhere("new");
    expect((await story.plans(since)).filter((plan) => /Fence/.test(plan))).toEqual([]);
  }, 60_000);

  test("that is a bundle whose runtime does not answer fences nobody, and says so; it is cleaned up by its name", async () => {
    const since = Date.now();
    const agent = join(spoilt, "heartbeat", "podman");
    mkdirSync(join(spoilt, "heartbeat"));
    writeFileSync(
      agent,
      `#!/bin/sh
[ "$1" = meta-data ] && exec sed s/Wild/podman/ "${join(testAgents, "test", "Wild")}"
echo "ocf-exit-reason:no podman service answers" >&2
exit 1
`,
      { mode: 0o755 },
    );
    await configure(
      `${wild("inner", "")}\nbundle box podman image=i replicas=2 network control-port=3121 primitive inner`,
    );
    const why =
      "fails on node1, node2, node3: its agent is broken, or what it needs is missing or wrong (no podman";
    for (const part of ["box-podman-0", "box-podman-1"])
      await story.until(`it is told of ${part}`, 15_000, async () =>
        (await story.hactl("node1", "status")).stdout
          .replaceAll(/\s+/g, " ")
          .includes(`${part} is blocked, and`)
          ? true
          : undefined,
      );
    await story.idle();
    expect((await story.must("node1", "explain", "box")).replaceAll(/\s+/g, " ")).toContain(why);
    const nodes = (await story.plans(since)).filter((plan) => /Fence \(\w+\) node/.test(plan));
    expect(nodes).toEqual([]);
    expect((await story.hactl("node1", "resource", "cleanup", "box")).stderr).toContain(
      "box-podman-0, box-podman-1, inner",
    );
    await story.must("node1", "configure", "delete", "--force", "box");
    await story.must("node1", "resource", "cleanup");
    await story.idle();
  }, 60_000);

  test("whose agent loses its permission is not reloaded, demoted or moved in vain, nor begun elsewhere for it", async () => {
    mkdirSync(join(spoilt, "spoilt"), { recursive: true });
    const agents = ["Dummy", "Stateful"].map((type) => {
      const agent = join(spoilt, "spoilt", type);
      copyFileSync(join(shipped, type), agent);
      chmodSync(agent, 0o755);
      return agent;
    });
    const text = (fake: string) => `
primitive soft ocf:spoilt:Dummy params fake=${fake} op monitor interval=500ms timeout=5s
primitive both ocf:spoilt:Stateful op monitor interval=500ms role=Unpromoted op monitor interval=600ms role=Promoted
clone boths both meta promotable=true`;
    await configure(text("1"));
    const node = await story.somewhere("soft");
    const promoted = await story.until("one is promoted", 20_000, () => story.promoted("both")[0]);
    const since = Date.now();
    for (const agent of agents) chmodSync(agent, 0o644);
    // At once, so that no monitor has told of it.
    await story.must(promoted, "resource", "demote", "boths");
    await story.must("node1", "crm_resource", "-r", "soft", "-p", "fake", "-v", "2");
    await story.until("it is told", 10_000, async () => {
      const { stdout } = await story.hactl("node1", "status");
      return /soft .*(?:.|\n)*cannot be watched/.test(stdout) ? true : undefined;
    });
    await story.must("node1", "crm_resource", "-r", "soft", "-p", "fake", "-v", "3");
    await story.must("node1", "node", "standby", promoted);
    await Bun.sleep(3000);
    expect(story.where("soft")).toEqual([node]);
    expect(story.where("both")).toHaveLength(3);
    expect(story.promoted("both")).toEqual([promoted]);
    const plans = await story.plans(since);
    expect(plans.filter((plan) => /Fence|Start|Recover/.test(plan))).toEqual([]);
    expect(await story.must("node1", "crm_mon", "-1")).toMatch(new RegExp(`soft.*Started ${node}`));
    for (const agent of agents) chmodSync(agent, 0o755);
    await story.must("node1", "node", "online", promoted);
    await story.until("it is demoted", 45_000, () =>
      story.promoted("both").length === 0 ? true : undefined,
    );
    await story.until("it is watched again", 10_000, async () =>
      (await story.must("node1", "status")).includes("cannot be watched") ? undefined : true,
    );
    expect(story.where("soft")).toHaveLength(1);
  }, 120_000);

  test("that was moved by hand in maintenance stays where it is; one that was started twice is stopped", async () => {
    await configure("primitive handy ocf:pacemaker:Dummy op monitor interval=1s\nlocation l handy 50: node3");
    expect(await story.somewhere("handy")).toBe("node3");
    await story.must("node1", "maintenance", "on");
    await story.idle();
    story.moveByHand("handy", "node3", "node1");
    await story.must("node1", "maintenance", "off");
    await story.idle();
    expect(await story.somewhere("handy")).toBe("node1");
    await story.must("node1", "resource", "unmanage", "handy");
    story.moveByHand("handy", "node1", "node2");
    await story.until("its monitor tells", 10_000, async () =>
      (await story.events()).some((event) => /handy_monitor_1000 on node1 ended with rc=7/.test(event))
        ? true
        : undefined,
    );
    await story.must("node1", "resource", "manage", "handy");
    await story.idle();
    expect(await story.somewhere("handy")).toBe("node2");
    await story.must("node1", "maintenance", "on");
    await story.idle();
    story.moveByHand("handy", undefined, "node1");
    await story.must("node1", "maintenance", "off");
    await story.until("one is left", 20_000, () => (story.where("handy").length === 1 ? true : undefined));
  }, 120_000);

  test("forgets the failures of the operation that is named, and no others", async () => {
    await configure(`${wild("twice", "op monitor interval=10s op monitor interval=20s")}
location there twice 50: node1`);
    expect(await story.somewhere("twice")).toBe("node1");
    const counted = ["monitor_10000", "monitor_20000", "start_0"];
    for (const of of counted)
      await story.must(
        "node1",
        "crm_attribute",
        "-t",
        "status",
        "-N",
        "node1",
        "-n",
        `fail-count-twice#${of}`,
        "-v",
        "3",
      );
    const left = async () => {
      const cib = await story.cib();
      return counted.filter((of) => cib.includes(`fail-count-twice#${of}`));
    };
    expect(await left()).toEqual(counted);
    // No interval is an operation that does not recur.
    await story.must("node2", "crm_failcount", "-D", "-r", "twice", "-N", "node1", "-n", "monitor");
    expect(await left()).toEqual(counted);
    await story.must(
      "node2",
      "crm_failcount",
      "-D",
      "-r",
      "twice",
      "-N",
      "node1",
      "-n",
      "monitor",
      "-I",
      "10s",
    );
    expect(await left()).toEqual(["monitor_20000", "start_0"]);
    await story.must("node2", "crm_resource", "-C", "-r", "twice", "-n", "start");
    expect(await left()).toEqual(["monitor_20000"]);
    await story.must("node2", "crm_resource", "-C", "-r", "twice");
    expect(await left()).toEqual([]);
    expect(story.where("twice")).toEqual(["node1"]);
  }, 60_000);

  test("is restarted while another one fails without end", async () => {
    tell("restless", "monitor", "fail");
    const text = [
      wild("restless", "op monitor interval=300ms timeout=5s"),
      wild("calm", "op monitor interval=5s"),
      wild("above", "op monitor interval=5s"),
      "order above-after-calm Mandatory: calm above",
    ];
    await story.loadAllTheSame(whole(text.join("\n")), "replace");
    await story.somewhere("above");
    for (const command of [
      ["resource", "restart", "calm", "--timeout", "40"],
      ["crm_resource", "--restart", "-r", "calm", "-T", "40s"],
    ]) {
      const since = Date.now();
      expect(await story.hactl("node1", ...command)).toMatchObject({ code: 0 });
      expect(Date.now() - since).toBeLessThan(35_000);
      expect((await story.plans(since)).filter((plan) => /Start above/.test(plan)).length).toBeGreaterThan(0);
    }
    untell("restless", "monitor");
  }, 120_000);

  test("that nobody watches and whose agent is emptied is not stopped in vain, and its node goes on", async () => {
    const agent = join(spoilt, "spoilt", "Bare");
    mkdirSync(join(spoilt, "spoilt"), { recursive: true });
    copyFileSync(join(testAgents, "test", "Wild"), agent);
    chmodSync(agent, 0o755);
    await configure(`primitive bare ocf:spoilt:Bare params control="${control}"
location there bare 500: node3`);
    expect(await story.somewhere("bare")).toBe("node3");
    const since = Date.now();
    writeFileSync(agent, "");
    await story.must("node1", "node", "standby", "node3");
    await story.until("the stop is withheld", 10_000, async () =>
      (await story.events(since)).some((event) => /ACTION-WITHHELD bare_stop_0/.test(event))
        ? true
        : undefined,
    );
    expect(story.where("bare")).toEqual(["node3"]);
    const { stdout } = await story.hactl("node1", "status");
    expect(stdout).toMatch(/^DEGRADED(?:.|\n)*is no program of this machine, or empty: install it again/);
    expect(stdout).toContain("hactl resource refresh bare");
    expect((await story.plans(since)).filter((plan) => /Fence|Start bare/.test(plan))).toEqual([]);
    copyFileSync(join(testAgents, "test", "Wild"), agent);
    await story.must("node1", "resource", "refresh", "bare");
    await story.until("it moves", 20_000, () =>
      /^node[12]$/.test(story.where("bare").join(" ")) ? true : undefined,
    );
    await story.must("node1", "node", "online", "node3", "--wait");
    expect(await story.events(since)).not.toContainEqual(expect.stringMatching(/FENC|NODE-LOST/));
  }, 60_000);

  test("that cannot be stopped has its node fenced, and runs elsewhere", async () => {
    await configure(`${wild("clinging", "op monitor interval=5s op stop timeout=30s")}
location there clinging 500: node3`);
    expect(await story.somewhere("clinging")).toBe("node3");
    tell("clinging", "stop", "fail");
    const since = Date.now();
    await story.must("node2", "node", "standby", "node3");
    await story.event(/^NODE-FENCED node node3/, since);
    await story.until("it runs elsewhere", 10_000, () =>
      /^node[12]$/.test(story.where("clinging").join(" ")) ? true : undefined,
    );
    untell("clinging", "stop");
    story.nodes.start("node3");
    await story.membersAre(3, "node1");
    await story.must("node2", "node", "online", "node3", "--wait");
    await story.idle();
    expect(story.where("clinging")).toHaveLength(1);
  }, 60_000);
});

describe("services move", () => {
  test("when their node is stopped, without anybody being fenced", async () => {
    await configure(`primitive mine ocf:pacemaker:Dummy op monitor interval=5s
location there mine 500: node3`);
    expect(await story.somewhere("mine")).toBe("node3");
    const since = Date.now();
    await story.must("node3", "stop", "--timeout", "30");
    expect(story.nodes.processesOf("node3")).toEqual([]);
    await story.idle("node1");
    expect(["node1", "node2"]).toContain(await story.somewhere("mine"));
    expect(await story.events(since)).not.toContainEqual(expect.stringMatching(/FENC|NODE-LOST/));
    story.nodes.start("node3");
    await story.membersAre(3, "node1");
    await story.idle();
    expect(await story.somewhere("mine")).toBe("node3");
  }, 60_000);

  test("by migration where their agent can", async () => {
    await configure(`primitive live ocf:pacemaker:Dummy op monitor interval=5s meta allow-migrate=true
location there live 50: node1`);
    expect(await story.somewhere("live")).toBe("node1");
    const since = Date.now();
    await story.must("node2", "node", "standby", "node1", "--wait");
    expect(["node2", "node3"]).toContain(await story.somewhere("live"));
    expect((await story.plans(since)).join("\n")).toMatch(/Migrate live/);
    expect(await story.cib()).toMatch(
      /operation="migrate_from"[^>]*rc-code="0"|rc-code="0"[^>]*operation="migrate_from"/,
    );
    await story.must("node2", "node", "online", "node1", "--wait");
    expect(story.where("live")).toHaveLength(1);
  }, 30_000);

  test("promoted instances too, when the promoted node dies; the best score is next", async () => {
    await configure(`primitive db ocf:pacemaker:Stateful op monitor interval=5s role=Slave op monitor interval=4s role=Master
ms dbs db meta notify=true
location there dbs rule $role=Master 50: #uname eq node1
location next dbs rule $role=Master 20: #uname eq node3`);
    await story.on("db", ["node1", "node2", "node3"]);
    await story.until("node1 is promoted", 10_000, () =>
      story.promoted("db").join(" ") === "node1" ? true : undefined,
    );
    await story.idle("node2");
    // What the agent's crm_master has said.
    expect((await story.cib()).match(/name="master-db" value="\d+"/g)?.sort()).toEqual([
      'name="master-db" value="10"',
      'name="master-db" value="5"',
      'name="master-db" value="5"',
    ]);
    const since = Date.now();
    story.crash("node1");
    await story.until("node3 is promoted", 20_000, () =>
      story.promoted("db").join(" ") === "node3" ? true : undefined,
    );
    const events = await story.events(since);
    expect(events).toContainEqual(expect.stringMatching(/^NODE-FENCED node node1/));
    story.nodes.start("node1");
    await story.membersAre(3, "node2");
    await story.idle("node2");
    await story.on("db", ["node1", "node2", "node3"]);
    expect(story.promoted("db")).toHaveLength(1);
  }, 60_000);

  test("by rules on attributes that agents set", async () => {
    await configure(`primitive reach ocf:pacemaker:ping params host_list=127.0.0.1 multiplier=100 dampen=100ms op monitor interval=1s
clone reaches reach
primitive web ocf:pacemaker:Dummy op monitor interval=5s
location prefer web 50: node1
location connected web rule -inf: not_defined pingd or pingd lte 0`);
    await story.until("pingd is known", 10_000, async () =>
      ((await story.cib()).match(/name="pingd" value="100"/g) ?? []).length === 3 ? true : undefined,
    );
    await story.idle();
    const here = await story.somewhere("web");
    await story.must(here, "attrd_updater", "-n", "other", "-U", "7");
    expect(await story.must("node2", "attrd_updater", "-n", "other", "-Q", "-N", here)).toContain(
      'value="7"',
    );
    await story.load("location by-hand web rule -inf: other eq 7");
    await story.until("it moved", 10_000, () => {
      const nodes = story.where("web");
      return nodes.length === 1 && nodes[0] !== here ? true : undefined;
    });
    await story.must(here, "attrd_updater", "-n", "other", "-D");
    await story.idle();
    expect(await story.cib()).not.toContain('name="other"');
  }, 60_000);
});

describe("whoever waits", () => {
  const said = async (...words: string[]) => {
    const { code, stdout, stderr } = await story.hactl("node2", ...words);
    return { code, text: stdout + stderr };
  };
  const unlike = (what: RegExp, code = 113) => ({ code, text: expect.stringMatching(what) });

  test("for what cannot be stopped is told so, and why", async () => {
    await configure(`${wild("blk", "op monitor interval=5s op stop interval=0 timeout=10s on-fail=block")}
location there blk 50: node1`);
    expect(await story.somewhere("blk")).toBe("node1");
    expect(await said("wait")).toEqual({ code: 0, text: "" });
    tell("blk", "stop", "fail");
    const blocked = /blk .*on node1, blocked \(stop on node1: .+\)/;
    for (const words of [
      "resource restart blk",
      "resource stop blk --wait",
      "node standby node1 --wait",
      "wait",
    ]) {
      expect({ words, ...(await said(...words.split(" "))) }).toEqual({
        words,
        ...unlike(/^(?!.*was restarted)/s),
      });
      if (words !== "wait") expect(await said("wait")).toEqual(unlike(blocked));
    }
    // A restart leaves the resource as it was: that it shall be stopped is asked for afterwards.
    expect(await said("resource", "stop", "blk", "--wait")).toEqual(unlike(/^error: blk was not stopped: /));
    expect(await said("node", "standby", "node1", "--wait")).toEqual(
      unlike(/^error: blk did not leave node1: /),
    );
    await story.must("node2", "resource", "start", "blk");
    expect(await said("crm_resource", "--restart", "-r", "blk")).toEqual(
      unlike(/Could not complete the restart: blk was not stopped: .*stop on node1/, 124),
    );
    expect(await story.cib()).not.toMatch(/name="target-role" value="Stopped"/);
    await story.must("node2", "node", "online", "node1", "--wait");
    untell("blk", "stop");
    await story.must("node2", "resource", "cleanup", "blk", "--wait");
    expect((await said("resource", "restart", "blk")).text).toContain("blk was restarted");
    expect((await said("node", "standby", "node1", "--wait")).code).toBe(0);
    expect(await story.somewhere("blk")).not.toBe("node1");
    await story.must("node2", "node", "online", "node1", "--wait");
  }, 60_000);

  test("for a restart does not undo what somebody else asks for meanwhile, nor end what is not its own", async () => {
    await configure(`${wild("svc", "op monitor interval=5s op stop interval=0 timeout=20s")}
primitive m1 ocf:pacemaker:Dummy meta target-role=Started
primitive m2 ocf:pacemaker:Dummy meta target-role=Stopped
group grp svc m1 m2 meta target-role=Started`);
    const ownStop = /-restart-[0-9a-f]{8}"/;
    const begun = (rsc: string) =>
      story.until(`the restart of ${rsc}`, 10_000, async () =>
        (await story.cib()).includes(`id="${rsc}-restart-`) ? true : undefined,
      );
    tell("svc", "stop", "slow");
    await story.somewhere("svc");
    await story.idle();
    // One that nobody meddles with leaves everything as it was, the roles of members, too.
    const configured = async () => /<configuration>.*<\/configuration>/s.exec(await story.cib())?.[0];
    const before = await configured();
    // Both read before either writes: one of them is refused.
    const both = await Promise.all([1, 2].map(() => said("resource", "restart", "grp")));
    expect(both.map(({ code }) => code).sort()).toEqual([0, 113]);
    expect(both.find(({ code }) => code === 113)?.text).toContain("grp is being restarted already");
    expect(await configured()).toBe(before);

    for (const words of ["resource restart svc", "crm_resource --restart -r svc"]) {
      await story.must("node2", "resource", "start", "svc", "--wait");
      await story.idle();
      const restarting = said(...words.split(" "));
      await begun("svc-1");
      await story.must("node1", "resource", "stop", "svc");
      expect(await restarting).toEqual(
        unlike(/svc was stopped and is not started again: somebody else has asked/, 113),
      );
      await story.idle();
      expect(story.where("svc")).toEqual([]);
      const left = await story.cib("node2");
      expect(left).toContain('name="target-role" value="Stopped"');
      expect(left).not.toMatch(ownStop);
    }

    // Who gives up does not leave it stopped; who is killed cannot help it, and it is told.
    for (const [signal, code] of [
      ["SIGTERM", 113],
      ["SIGKILL", 137],
    ] as const) {
      await story.must("node2", "resource", "start", "svc", "--wait");
      await story.idle();
      const restarting = Bun.spawn([executable, "resource", "restart", "svc"], {
        env: { ...process.env, HACTL_CONFIG: story.nodes.configOf("node2"), NO_COLOR: "1" },
        stdio: ["ignore", "ignore", "pipe"],
      });
      await begun("svc-1");
      restarting.kill(signal);
      expect(await restarting.exited).toBe(code);
      const marked = ownStop.test(await story.cib("node2"));
      expect(marked).toBe(signal === "SIGKILL");
      if (!marked) {
        expect(await new Response(restarting.stderr).text()).toContain("svc is not left stopped");
        continue;
      }
      await story.idle();
      expect(story.where("svc")).toEqual([]);
      const end = "hactl resource start svc";
      expect((await said("status")).text).toMatch(
        new RegExp(`svc is stopped by a restart that.*\\s.*${end}`),
      );
      expect((await said("explain", "svc")).text).toContain("by a restart that has not ended");
      expect(await said("resource", "restart", "svc")).toEqual(unlike(new RegExp(end)));
      await story.must("node2", "resource", "start", "svc", "--wait");
      expect((await said("status")).text).not.toContain("restart");
    }
    untell("svc", "stop");
  }, 120_000);

  test("for what cannot be started or moved is told so, and why", async () => {
    await configure(`${wild("bad", "op monitor interval=5s")}
location there bad 50: node1`);
    expect(await story.somewhere("bad")).toBe("node1");
    tell("bad", "start.node3", "fail");
    expect(await said("resource", "move", "bad", "node3", "--wait")).toEqual(
      unlike(/^error: bad was not moved to node3: it runs on node\d.* \(start on node3: /),
    );
    await story.must("node2", "resource", "cleanup", "bad", "--wait");
    await story.must("node2", "resource", "stop", "bad", "--wait");
    tell("bad", "start", "fail");
    expect(await said("resource", "start", "bad", "--wait")).toEqual(
      unlike(/^error: bad was not started: it is stopped \(start on node\d: .*resource cleanup bad/s),
    );
    expect(await said("resource", "restart", "bad")).toMatchObject({ code: expect.any(Number) });
    untell("bad", "start");
    untell("bad", "start.node3");
    expect(await said("resource", "cleanup", "bad", "--wait")).toMatchObject({ code: 0 });
    expect(await said("wait")).toEqual({ code: 0, text: "" });
    tell("late", "start", "fail");
    expect(
      await said("crm", "-w", "configure", ...wild("late", "").trim().replaceAll('"', "").split(" ")),
    ).toEqual(unlike(/^error: late has failed: it is stopped \(start on node\d: /));
    untell("late", "start");
  }, 60_000);
});
