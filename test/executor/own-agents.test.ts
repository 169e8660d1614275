import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, type XmlElement } from "@rgrove/parse-xml";
import { exitReason } from "../../src/executor/index.ts";
import { startProcess } from "../../src/platform/index.ts";

// Machines that run tests may be busy with others.
setDefaultTimeout(30_000);

const agents = join(import.meta.dir, "../../agents/ocf");
const dir = mkdtempSync(join(tmpdir(), "hactl-agents-"));
const tools = join(dir, "tools");
afterAll(() => rmSync(dir, { recursive: true }));

/** Commands that the agents call: they write down how, and `ping` knows which hosts answer. */
function tool(name: string, text: string): void {
  writeFileSync(join(tools, name), `#!/bin/sh\necho "${name} $*" >>${dir}/calls\n${text}\n`, { mode: 0o755 });
}
beforeEach(() => {
  mkdirSync(tools, { recursive: true });
  rmSync(join(dir, "calls"), { force: true });
  for (const name of ["attrd_updater", "crm_master", "ha_logger"]) tool(name, "exit 0");
  tool("crm_node", "echo n1");
  tool("ping", 'for host; do :; done; case "$host" in up*) exit 0;; *) exit 1;; esac');
});

const calls = (name: string) =>
  (existsSync(join(dir, "calls")) ? readFileSync(join(dir, "calls"), "utf8") : "")
    .split("\n")
    .filter((line) => line.startsWith(`${name} `));

/** Runs an agent as the executor does. */
async function run(agent: string, action: string, params: Readonly<Record<string, string>> = {}) {
  const started = startProcess({
    candidates: [join(agents, agent)],
    args: [action],
    env: {
      PATH: `${tools}:/usr/bin:/bin`,
      OCF_RESOURCE_INSTANCE: "r",
      HA_RSCTMP: join(dir, "tmp"),
      ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value])),
    },
    keepBytes: 1024 * 1024,
  });
  if (!("pid" in started)) throw new Error(JSON.stringify(started));
  const ended = await started.ended;
  if (ended.kind !== "exited") throw new Error(JSON.stringify(ended));
  return { rc: ended.code, reason: exitReason(ended.stderr), stdout: ended.stdout };
}

/** Exit codes of several actions in turn. */
async function codes(
  agent: string,
  actions: readonly string[],
  params: Readonly<Record<string, string>> = {},
) {
  const found: number[] = [];
  for (const action of actions) found.push((await run(agent, action, params)).rc);
  return found;
}

const elements = (parent: XmlElement, name: string) =>
  parent.children.filter(
    (child): child is XmlElement => child.type === "element" && (child as XmlElement).name === name,
  );

const all = ["pacemaker/Dummy", "pacemaker/Stateful", "pacemaker/ping", "pacemaker/remote", "hactl/Service"];

describe.each(all)("%s", (agent) => {
  test("describes itself in full", async () => {
    const { rc, stdout } = await run(agent, "meta-data");
    expect(rc).toBe(0);
    const root = parseXml(stdout).root;
    if (!root) throw new Error("no root");
    expect(root.attributes.name).toBe(agent.split("/")[1] ?? "");
    expect(elements(root, "shortdesc")).toHaveLength(1);
    const actions = elements(root, "actions").flatMap((one) => elements(one, "action"));
    const names = actions.map(({ attributes }) => attributes.name);
    for (const needed of ["start", "stop", "monitor", "meta-data", "validate-all"])
      expect(names).toContain(needed);
    for (const parameter of elements(root, "parameters").flatMap((one) => elements(one, "parameter"))) {
      expect(elements(parameter, "longdesc")[0]?.text.length).toBeGreaterThan(10);
      expect(elements(parameter, "content")[0]?.attributes.type).toMatch(/^(?:string|integer|boolean|time)$/);
    }
  });

  test("knows no other actions", async () => {
    expect((await run(agent, "dance")).rc).toBe(3);
  });
});

describe("Dummy", () => {
  test("starts and stops again and again", async () => {
    const actions = ["monitor", "stop", "start", "start", "monitor", "stop", "stop", "monitor"];
    expect(await codes("pacemaker/Dummy", actions)).toEqual([7, 0, 0, 0, 0, 0, 0, 7]);
  });

  test("moves live", async () => {
    expect(
      await codes("pacemaker/Dummy", ["start", "migrate_to", "monitor", "migrate_from", "monitor", "stop"]),
    ).toEqual([0, 0, 7, 0, 0, 0]);
  });

  test("says what is missing and what it was told to do", async () => {
    const gone = await run("pacemaker/Dummy", "monitor", { CRM_meta_interval: "10000" });
    expect(gone).toMatchObject({ rc: 7, reason: `the state file ${dir}/tmp/Dummy-r.state is gone` });
    const told = await run("pacemaker/Dummy", "start", { fail_start_on: "n1" });
    expect(told).toMatchObject({ rc: 1, reason: 'start fails here because fail_start_on is "n1"' });
    expect((await run("pacemaker/Dummy", "start", { fail_start_on: "n2" })).rc).toBe(0);
    expect((await run("pacemaker/Dummy", "stop")).rc).toBe(0);
    expect((await run("pacemaker/Dummy", "validate-all", { op_sleep: "soon" })).rc).toBe(6);
  });

  test("writes its environment down", async () => {
    await run("pacemaker/Dummy", "monitor", { envfile: join(dir, "env"), fake: "changed" });
    expect(readFileSync(join(dir, "env"), "utf8")).toContain("OCF_RESKEY_fake=changed\n");
  });
});

describe("Stateful", () => {
  test("has two roles and scores itself", async () => {
    const actions = [
      "monitor",
      "promote",
      "start",
      "monitor",
      "promote",
      "monitor",
      "demote",
      "monitor",
      "stop",
      "monitor",
    ];
    expect(await codes("pacemaker/Stateful", actions)).toEqual([7, 7, 0, 0, 0, 8, 0, 0, 0, 7]);
    expect(calls("crm_master")).toEqual([
      "crm_master -l reboot -v 5",
      "crm_master -l reboot -v 10",
      "crm_master -l reboot -v 5",
      "crm_master -l reboot -D",
    ]);
  });

  test("with a torn state file has failed", async () => {
    const state = join(dir, "torn");
    writeFileSync(state, "");
    expect((await run("pacemaker/Stateful", "monitor", { state })).rc).toBe(1);
  });
});

describe("ping", () => {
  const hosts = { host_list: "up1, down up2", multiplier: "100", dampen: "3s", use_fping: "0" };

  test("sets the attribute to the number of hosts that answer", async () => {
    expect(await codes("pacemaker/ping", ["monitor", "start", "monitor", "stop", "monitor"], hosts)).toEqual([
      7, 0, 0, 0, 7,
    ]);
    expect(calls("attrd_updater")).toEqual([
      "attrd_updater -n pingd -B 200 -d 3s",
      "attrd_updater -n pingd -B 200 -d 3s",
      "attrd_updater -D -n pingd -d 3s",
    ]);
    // One attempt for a host that answers, three for one that does not, each twice.
    const attempts = (host: string) => calls("ping").filter((line) => line.endsWith(` ${host}`)).length;
    expect([attempts("up1"), attempts("up2"), attempts("down")]).toEqual([2, 2, 6]);
  });

  test("fails only below failure_score", async () => {
    expect((await run("pacemaker/ping", "start", { ...hosts, failure_score: "200" })).rc).toBe(0);
    expect(await run("pacemaker/ping", "monitor", { ...hosts, failure_score: "201" })).toMatchObject({
      rc: 1,
      reason: "pingd is 200, less than failure_score 201",
    });
    await run("pacemaker/ping", "stop", hosts);
  });

  test("tells when the attribute cannot be set", async () => {
    tool("attrd_updater", "exit 1");
    expect(await run("pacemaker/ping", "start", { ...hosts, name: "net" })).toMatchObject({
      rc: 1,
      reason: "the attribute net could not be set",
    });
    expect((await run("pacemaker/ping", "stop", hosts)).rc).toBe(0);
  });

  test("refuses what is no list and no number", async () => {
    expect((await run("pacemaker/ping", "validate-all", {})).rc).toBe(6);
    expect((await run("pacemaker/ping", "validate-all", { ...hosts, attempts: "many" })).rc).toBe(6);
    expect((await run("pacemaker/ping", "validate-all", { ...hosts, timeout: "2s" })).rc).toBe(0);
  });
});

describe("Service", () => {
  test("serves from the node where it runs, and notices another one", async () => {
    const file = join(dir, "beat");
    const on = (node: string) => ({ file, node, period: "0.02", pidfile: join(dir, `${node}.pid`) });
    const beat = () => (existsSync(file) ? readFileSync(file, "utf8") : "");
    expect(await codes("hactl/Service", ["monitor", "start", "start", "monitor"], on("a"))).toEqual([
      7, 0, 0, 0,
    ]);
    while (!beat().startsWith("a ")) await Bun.sleep(5);
    expect(await codes("hactl/Service", ["stop", "stop", "monitor"], on("a"))).toEqual([0, 0, 7]);
    expect(await codes("hactl/Service", ["start"], on("b"))).toEqual([0]);
    while (!beat().startsWith("b ")) await Bun.sleep(5);
    expect(existsSync(`${file}.conflict`)).toBe(false);
    await run("hactl/Service", "start", on("a"));
    while (!existsSync(`${file}.conflict`)) await Bun.sleep(5);
    expect(readFileSync(`${file}.conflict`, "utf8")).toMatch(/^\d+ [ab] sees: [ab] \d+/);
    for (const node of ["a", "b"]) expect((await run("hactl/Service", "stop", on(node))).rc).toBe(0);
  });
});

test("an agent that is empty, or no program of this machine, is not run; one without a first line is the shell's", async () => {
  const start = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(dir, name), text, { mode: 0o755 });
    const env = { PATH: "/usr/bin:/bin" };
    return startProcess({ candidates: [join(dir, name)], args: ["stop"], env, keepBytes: 1024 });
  };
  for (const text of ["", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 9, 9, 9, 0, 0, 0, 0, 0)])
    expect(start("Broken", text)).toEqual({ kind: "refused", path: join(dir, "Broken"), why: "no-program" });
  const bare = start("Bare", "exit 3\n");
  expect("ended" in bare && (await bare.ended)).toMatchObject({ kind: "exited", code: 3 });
});
