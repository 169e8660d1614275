import { spyOn } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandDef } from "citty";
import { resolved } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/registry.ts";
import { tools } from "../../src/cli/tools.ts";
import type { AdminRequest } from "../../src/daemon/admin-protocol.ts";
import { AdminServer } from "../../src/daemon/admin-server.ts";
import { Accounts } from "../../src/platform/index.ts";
import type { Run } from "./run.ts";

/** What one run of a command did. */
export interface Rehearsal extends Run {
  /** Types of the requests that reached the daemon. */
  readonly requests: readonly string[];
  /** Whether the file is not as it was. */
  readonly changed: boolean;
}

const started = (rsc: string, type: string) =>
  `<lrm_resource id="${rsc}" class="ocf" provider="pacemaker" type="${type}"><lrm_rsc_op id="${rsc}_last_0" operation_key="${rsc}_start_0"
   operation="start" crm_feature_set="3.16.1" transition-key="1:1:0:a" transition-magic="0:0;1:1:0:a" on_node="n1" call-id="5"
   rc-code="0" op-status="0" interval="0" last-rc-change="1700000000" exec-time="1" queue-time="0" op-digest="x"/></lrm_resource>`;
const state = (id: string, history: string) =>
  `<node_state id="${id}" uname="n${id}" in_ccm="true" crmd="online" join="member" expected="member">
   <transient_attributes id="${id}"><instance_attributes id="status-${id}"><nvpair id="status-${id}-load" name="load" value="1"/></instance_attributes></transient_attributes>
   <lrm id="${id}"><lrm_resources>${history}</lrm_resources></lrm></node_state>`;

/** A configuration that every command has something to do with. */
export const cib = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
    <nodes><node id="1" uname="n1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-standby" name="standby" value="on"/><nvpair id="nodes-1-maintenance" name="maintenance" value="true"/></instance_attributes></node><node id="2" uname="n2"/></nodes>
    <resources>
      <primitive id="d1" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="d1-ia"><nvpair id="d1-fake" name="fake" value="x"/></instance_attributes><meta_attributes id="d1-meta"><nvpair id="d1-managed" name="is-managed" value="false"/></meta_attributes></primitive>
      <primitive id="d2" class="ocf" provider="pacemaker" type="Dummy"/>
      <clone id="cl"><meta_attributes id="clm"><nvpair id="clm1" name="promotable" value="true"/></meta_attributes><primitive id="st" class="ocf" provider="pacemaker" type="Stateful"/></clone>
      <group id="gr"><primitive id="d3" class="ocf" provider="pacemaker" type="Dummy"/></group>
      <primitive id="F" class="stonith" type="fence_dummy"><instance_attributes id="F-ia"><nvpair id="F-hl" name="pcmk_host_list" value="n1 n2"/></instance_attributes></primitive>
    </resources>
    <constraints><rsc_location id="cli-prefer-d2" rsc="d2" role="Started" node="n1" score="INFINITY"/></constraints>
    <acls><acl_role id="reader"><acl_permission id="reader-1" kind="read" xpath="/cib"/></acl_role></acls>
  </configuration>
  <status>${state("1", started("d1", "Dummy"))}${state("2", "")}<tickets><ticket_state id="T" granted="true"/></tickets></status>
</cib>
`;

/** Number of a process that there cannot be. */
const nobody = 1 << 30;
const answers: Readonly<Record<string, unknown>> = {
  cib,
  status: {
    cib,
    now: 1_700_000_000,
    version: "0",
    featureSet: "3.19.0",
    warnings: [],
    throttle: [],
    disks: [],
    fencing: { history: [], pending: [] },
  },
  node: {
    id: 1,
    name: "n1",
    quorate: true,
    leader: "n1",
    joined: true,
    pid: nobody,
    members: [
      { id: 1, name: "n1", state: "member" },
      { id: 2, name: "n2", state: "lost" },
    ],
  },
  "attributes-query": { n1: "1" },
  "attributes-names": ["load"],
  "fence.devices": [
    { id: "F", agent: "fence_dummy", disabled: "", params: {}, levels: { n1: 1 }, nodes: [] },
  ],
  "fence.history": {
    entries: [
      {
        ok: true,
        deed: "reset",
        target: "n2",
        action: "reboot",
        devices: ["F"],
        reason: "",
        failures: 0,
        client: "stonith_admin",
        origin: "n1",
        executor: "n1",
        completedAt: 1_700_000_000,
      },
    ],
    pending: [],
  },
  "fence.request": {
    ok: true,
    deed: "reset",
    target: "n2",
    action: "reboot",
    devices: [],
    reason: "",
    failures: 0,
  },
  "fence.confirm": {
    ok: true,
    deed: "confirmed",
    target: "n2",
    action: "off",
    devices: [],
    reason: "",
    failures: 0,
  },
  "fence.test": [],
  "fence.register": [],
  "fence.register-level": [],
  "fence.ask": [{ device: "F", ok: true, text: "", hosts: ["n1"] }],
  history: [],
  metadata: "<resource-agent/>",
  agents: { answers: [], silent: [], strangers: [] },
  reload: { applied: [], restart: [], waitsFor: [] },
  rekey: { nodes: ["n1"], absent: [], keyFile: "/nowhere", brought: false },
  "ring-status": {
    core: {
      self: 1,
      quorum: { quorate: true, votes: 1, expectedVotes: 1, reason: "", flags: [] },
      totem: { ringId: { representative: 1, sequence: 1 }, members: [1] },
      links: { links: [] },
      participants: [{ nodeId: 1 }],
    },
    names: { 1: "n1" },
    votes: { 1: 1 },
    addresses: [["127.0.0.1"]],
    children: [],
  },
};

/**
 * Runs commands of this program in this process, on a file or as if on a cluster: a daemon's socket is there that writes
 * down what it is asked and answers something.
 */
export class RehearsalStage {
  readonly directory = mkdtempSync(join(tmpdir(), "hactl-rehearsal-"));
  readonly file = join(this.directory, "cib.xml");
  readonly #draft = join(this.directory, "shadow.trial");
  readonly #requests: string[] = [];
  readonly #server = new AdminServer(
    join(this.directory, "admin.sock"),
    "",
    async (request: AdminRequest) => {
      this.#requests.push(request.type);
      return answers[request.type] ?? null;
    },
    { error: () => {} } as never,
    new Accounts(),
  );

  constructor() {
    this.#server.open();
  }

  stop(): void {
    this.#server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** @param target what the environment names */
  async run(
    words: readonly string[],
    target: "live" | "file" | "shadow",
    more: Readonly<Record<string, string>> = {},
  ): Promise<Rehearsal> {
    for (const path of [this.file, this.#draft]) writeFileSync(path, cib);
    this.#requests.length = 0;
    const variables = {
      HACTL_SOCKET: join(this.directory, "admin.sock"),
      HACTL_CONFIG: "/nonexistent/hactl.toml",
      CIB_shadow_dir: this.directory,
      CIB_file: target === "file" ? this.file : undefined,
      CIB_shadow: target === "shadow" ? "trial" : undefined,
      ...more,
    };
    const ran = await runHere(words, variables);
    const subject = target === "shadow" ? this.#draft : this.file;
    return {
      ...ran,
      requests: [...this.#requests],
      changed: readFileSync(subject, "utf8") !== cib,
    };
  }
}

/**
 * Runs hactl or a tool in this process, which takes far less time than in one of its own. Nothing may read standard
 * input, start a program that writes, or run beside it.
 * @param variables the environment; those that are undefined are unset
 */
export async function runHere(
  words: readonly string[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Run> {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(variables)) setVariable(name, value);
  const written = { out: "", err: "" };
  const take = (part: "out" | "err") => (text: string | Uint8Array) => {
    written[part] += typeof text === "string" ? text : new TextDecoder().decode(text);
    return true;
  };
  const spies = [
    spyOn(process.stdout, "write").mockImplementation(take("out") as never),
    spyOn(process.stderr, "write").mockImplementation(take("err") as never),
  ];
  try {
    return { code: await dispatch(words), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
    for (const name of Object.keys(variables)) setVariable(name, before[name]);
    process.exitCode = 0;
  }
}

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [first = "", ...rest] = words;
  const tool = tools[first];
  if (tool) return (await tool()).run(rest);
  return (await import("../../src/cli/index.ts")).runCli(words);
}

/** Every command of hactl that does something, by its words. */
export async function everyCommand(): Promise<string[]> {
  const found: string[] = [];
  const visit = async (name: string, command: CommandDef): Promise<void> => {
    if (command.run) found.push(name);
    const children = command.subCommands ? await resolved(command.subCommands) : {};
    for (const [word, child] of Object.entries(children))
      await visit(`${name} ${word}`, (await resolved(child)) as CommandDef);
  };
  for (const entry of commands) await visit(entry.name, await entry.load());
  return found;
}
