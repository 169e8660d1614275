import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatXml, parseXml, Rights } from "../../src/cib/index.ts";
import {
  checkReadable,
  permit,
  visibleDevices,
  visibleFencing,
  visibleNames,
  visibleStatus,
  visibleTest,
  visibleValues,
} from "../../src/daemon/access.ts";
import { accessPage, accessRules } from "../../src/daemon/access-rules.ts";
import type { AdminRequest } from "../../src/daemon/admin-protocol.ts";
import { type Caller, localCaller, remoteCaller, saidBy, toolUser } from "../../src/daemon/caller.ts";
import type { FenceDeviceInfo } from "../../src/fencer/index.ts";
import { Accounts } from "../../src/platform/index.ts";
import { HactlError, nodeName } from "../../src/terms/index.ts";

const cib = (enabled = true) =>
  parseXml(`<cib epoch="1"><configuration>
  <crm_config><cluster_property_set id="o"><nvpair id="o1" name="enable-acl" value="${enabled}"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
  <resources><primitive id="power" class="stonith" type="fence_x"><instance_attributes id="pi"><nvpair id="pp" name="passwd" value="s"/></instance_attributes></primitive><primitive id="spare" class="stonith" type="fence_x"/></resources>
  <acls>
    <acl_role id="look"><acl_permission id="l1" kind="read" xpath="/cib"/></acl_role>
    <acl_role id="look-partly"><acl_permission id="p1" kind="read" xpath="/cib"/><acl_permission id="p2" kind="deny" xpath="//instance_attributes"/><acl_permission id="p3" kind="deny" xpath="//*[@uname='n2']"/></acl_role>
    <acl_role id="load"><acl_permission id="a1" kind="write" xpath="/cib/status/node_state[@uname='n1']//nvpair[@name='load']"/></acl_role>
    <acl_role id="history"><acl_permission id="h1" kind="write" xpath="//lrm_resource[@id='vip']"/><acl_permission id="h2" kind="write" xpath="//nvpair[starts-with(@name,'fail-count-vip#')]"/></acl_role>
    <acl_role id="n1"><acl_permission id="n1w" kind="write" xpath="//node_state[@uname='n1']"/></acl_role>
    <acl_role id="all"><acl_permission id="w1" kind="write" xpath="/cib"/></acl_role>
    <acl_target id="bob"><role id="look"/></acl_target><acl_target id="alice"><role id="look-partly"/></acl_target>
    <acl_target id="lars"><role id="load"/></acl_target><acl_target id="hugo"><role id="history"/></acl_target>
    <acl_target id="norma"><role id="n1"/></acl_target><acl_target id="dave"><role id="all"/></acl_target>
  </acls></configuration>
  <status>
    <node_state id="1" uname="n1" crmd="online"><lrm id="1"><lrm_resources>
      <lrm_resource id="vip" class="ocf" type="Dummy"><lrm_rsc_op id="vip_last_failure_0"/></lrm_resource>
      <lrm_resource id="web" class="ocf" type="Dummy"><lrm_rsc_op id="web_last_0"/></lrm_resource></lrm_resources></lrm>
      <transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="f" name="fail-count-vip#monitor_10000" value="1"/><nvpair id="m" name="load" value="3"/></instance_attributes></transient_attributes></node_state>
    <node_state id="2" uname="n2" crmd="online"><transient_attributes id="2"><instance_attributes id="status-2"><nvpair id="m2" name="load" value="4"/></instance_attributes></transient_attributes></node_state>
  </status></cib>`);

const at = 1_700_000_000;
const root: Caller = { name: "root", privileged: true, remote: false, askers: [] };
const local = (user: string): Caller => localCaller({ name: user, groups: [], privileged: false });

/** Whether a caller may ask for something. */
function may(request: AdminRequest, caller: Caller, enabled = true): boolean {
  const document = cib(enabled);
  const before = formatXml(document);
  try {
    permit(request, caller, document, Rights.of(document, caller.askers, at));
    return true;
  } catch (error) {
    if (!(error instanceof HactlError) || error.code !== "PERMISSION") throw error;
    return false;
  } finally {
    expect(formatXml(document)).toBe(before);
  }
}

const set = (node: string, name: string, more = {}): AdminRequest => ({
  type: "attributes-update",
  updates: [{ node: nodeName(node), name, value: "5", ...more }],
});
const fence = (target: string): AdminRequest => ({
  type: "fence.request",
  target,
  action: "off",
  client: "",
  reason: "",
});
const requests: Readonly<Record<string, AdminRequest>> = {
  status: { type: "status" },
  "ring-status": { type: "ring-status" },
  node: { type: "node" },
  watch: { type: "watch" },
  "wait-idle": { type: "wait-idle", timeoutMs: 1 },
  history: { type: "history" },
  metadata: { type: "metadata", class: "ocf", agent: "Dummy" },
  "fence.history": { type: "fence.history" },
  "fence.devices": { type: "fence.devices" },
  "load of n1": set("n1", "load"),
  "load of n1, for the other set": set("n1", "load", { set: "utilization" }),
  "load of n1, private": set("n1", "load", { private: true }),
  "load of n1, only its delay": set("n1", "load", { delayOnly: true, dampenMs: 5 }),
  "load of n1 is gone": set("n1", "load", { value: undefined }),
  "load of n2": set("n2", "load"),
  "load of a node that is not known": set("n9", "load"),
  "another attribute of n1": set("n1", "site"),
  "failures of vip": { type: "forget", rsc: "vip", failuresOnly: true },
  "the history of vip": { type: "forget", rsc: "vip", failuresOnly: false },
  "the history of web": { type: "forget", rsc: "web", failuresOnly: false },
  "all failures": { type: "forget", failuresOnly: true },
  "all history": { type: "forget", failuresOnly: false },
  "the history on n2, which has none": { type: "forget", node: "n2", failuresOnly: false },
  "fence n1": fence("n1"),
  "fence n2": fence("n2"),
  "fence a node that is not known": fence("n9"),
  "confirm n1": { type: "fence.confirm", target: "n1", client: "" },
  "vip on n1 failed": { type: "fail", rsc: "vip", node: nodeName("n1") },
  "web on n1 failed": { type: "fail", rsc: "web", node: nodeName("n1") },
  "test n1": { type: "fence.test", target: "n1" },
  "forget what was fenced": { type: "fence.forget", client: "" },
  "register a fence device": { type: "fence.register", device: "d", agent: "a", params: {}, client: "" },
  "deregister a fence device": { type: "fence.deregister", device: "d", client: "" },
  "register a fencing level": {
    type: "fence.register-level",
    target: "n1",
    index: 1,
    devices: ["d"],
    client: "",
  },
  "deregister a fencing level": { type: "fence.deregister-level", target: "n1", index: 1, client: "" },
  "expected-votes": { type: "expected-votes", votes: 1 },
  "node-votes": { type: "node-votes", node: 1, votes: 2 },
  reload: { type: "reload" },
  rekey: { type: "rekey" },
  shutdown: { type: "shutdown" },
};
/** Not for others even where no access rules are in force. */
const administrators = [
  "register a fence device",
  "deregister a fence device",
  "register a fencing level",
  "deregister a fencing level",
];
const privileged = [
  "forget what was fenced",
  "expected-votes",
  "node-votes",
  "reload",
  "rekey",
  "shutdown",
  ...administrators,
];
const sees = ["ring-status", "watch", "wait-idle", "metadata", "fence.history", "fence.devices"];
/** `status` and `cib` show what may be seen, or refuse when that is nothing, themselves; nothing to forget is no change. */
const always = ["status", "node", "the history on n2, which has none"];
const load = [
  "load of n1",
  "load of n1, private",
  "load of n1, only its delay",
  "load of n1 is gone",
  "load of n1, for the other set",
];
const all = Object.keys(requests);

describe("who may ask for what", () => {
  const table: readonly (readonly [string, Caller, readonly string[]])[] = [
    ["root", root, all],
    ["bob, who sees everything", local("bob"), [...always, ...sees, "history"]],
    ["alice, who sees a part", local("alice"), [...always, ...sees]],
    ["lars: the load of n1", local("lars"), [...always, ...sees, ...load]],
    [
      "hugo: the history of vip",
      local("hugo"),
      [...always, ...sees, "failures of vip", "the history of vip", "all failures", "vip on n1 failed"],
    ],
    [
      "norma: all of n1",
      local("norma"),
      [
        ...always,
        ...sees,
        ...load,
        "another attribute of n1",
        "failures of vip",
        "the history of vip",
        "the history of web",
        "vip on n1 failed",
        "web on n1 failed",
        "all failures",
        "all history",
        "fence n1",
        "confirm n1",
        "test n1",
      ],
    ],
    ["dave: everything", local("dave"), all.filter((name) => !privileged.includes(name))],
    ["somebody of whom the rules say nothing", local("eve"), always],
    [
      "root of a remote node without a target",
      remoteCaller(nodeName("far"), { name: "root", groups: [], privileged: true }),
      always,
    ],
    [
      "root of a remote node that may look",
      remoteCaller(nodeName("bob"), { name: "root", groups: [], privileged: true }),
      [...always, ...sees, "history"],
    ],
    [
      "dave on a remote node that may look",
      remoteCaller(nodeName("bob"), { name: "dave", groups: [], privileged: false }),
      [...always, ...sees, "history"],
    ],
    [
      "bob on a remote node that may everything",
      remoteCaller(nodeName("dave"), { name: "bob", groups: [], privileged: false }),
      [...always, ...sees, "history"],
    ],
    ["somebody on a remote node that does not say who", remoteCaller(nodeName("dave"), undefined), always],
  ];
  test.each(
    table.flatMap(([who, caller, allowed]) =>
      all.map((name) => [who, name, allowed.includes(name), caller] as const),
    ),
  )("%s: %s: %p", (_who, name, allowed, caller) => {
    const request = requests[name];
    if (!request) throw new Error(name);
    expect(may(request, caller)).toBe(allowed);
  });

  test("without access rules everybody may all but register devices; a remote host looks, and changes its own attributes", () => {
    const far = (user?: string) =>
      remoteCaller(
        nodeName("far"),
        user === undefined ? undefined : { name: user, groups: [], privileged: user === "root" },
      );
    for (const [name, request] of Object.entries(requests)) {
      expect([name, may(request, local("eve"), false)]).toEqual([name, !administrators.includes(name)]);
      expect([name, may(request, root, false)]).toEqual([name, true]);
      const mayLook = [...always, ...sees, "history"].includes(name) || name === "cib-apply";
      for (const user of [undefined, "root", "eve"])
        expect([name, user, may(request, far(user), false)]).toEqual([name, user, mayLook]);
    }
    const own = remoteCaller(nodeName("n1"), undefined);
    const mayChange = Object.keys(requests).filter(
      (name) => requests[name] && may(requests[name], own, false),
    );
    expect(mayChange).toEqual(
      all.filter((name) =>
        [...always, ...sees, "history", ...load, "another attribute of n1", "cib-apply"].includes(name),
      ),
    );
    // Who may everything there may still not say that a node is off.
    const dave = remoteCaller(nodeName("dave"), { name: "root", groups: [], privileged: true });
    expect(may({ type: "fence.request", target: "n2", action: "off", client: "", reason: "" }, dave)).toBe(
      true,
    );
    expect(may({ type: "fence.confirm", target: "n2", client: "" }, dave)).toBe(false);
  });

  test("every request has a rule, and the page shows them", () => {
    const page = readFileSync(join(import.meta.dir, "../../docs/access.md"), "utf8");
    expect(page).toBe(accessPage(page));
    for (const name of Object.keys(accessRules)) expect(page).toContain(`| \`${name}\` |`);
  });
});

describe("what is left out of answers", () => {
  const document = cib();
  const rights = (user: string) => {
    const found = Rights.of(document, [{ user, groups: [] }], at);
    if (!found) throw new Error("no rules");
    return found;
  };
  const names = (user: string) =>
    visibleNames(rights(user).look(document).visible, rights(user).seesAll(document));

  test("values of attributes, private ones too", () => {
    const values = new Map([
      [nodeName("n1"), "3"],
      [nodeName("n2"), "4"],
    ]);
    const visible = (user: string, name = "load") =>
      [...visibleValues(values, name, document, rights(user)).keys()].join(" ");
    expect(visible("bob")).toBe("n1 n2");
    expect(visible("bob", "private")).toBe("n1 n2");
    expect(visible("lars")).toBe("n1");
    expect(visible("norma", "private")).toBe("n1");
    expect(visible("alice")).toBe("");
    expect(visible("eve")).toBe("");
  });

  test("an attribute that could not be seen is refused, whether it is there or not", () => {
    const answer = (user: string, name: string, node?: string) => {
      try {
        checkReadable({ name, ...(node === undefined ? {} : { node }) }, document, rights(user));
        return 0;
      } catch (error) {
        return error instanceof HactlError ? error.exit : error;
      }
    };
    for (const name of ["load", "site"]) {
      expect([answer("bob", name), answer("bob", name, "n2")]).toEqual([0, 0]);
      expect([answer("alice", name), answer("alice", name, "n1")]).toEqual([4, 4]);
      expect([answer("norma", name), answer("norma", name, "n1"), answer("norma", name, "n2")]).toEqual([
        0, 0, 4,
      ]);
    }
    expect([answer("lars", "load", "n1"), answer("lars", "load", "n2"), answer("lars", "site")]).toEqual([
      0, 4, 4,
    ]);
  });

  test("nodes and their fencing", () => {
    expect([...names("alice").nodes]).toEqual(["n1"]);
    expect([...names("bob").nodes]).toEqual(["n1", "n2"]);
    const entry = (target: string) => ({
      id: "f",
      target: nodeName(target),
      action: "off" as const,
      ok: false,
      executor: nodeName("n2"),
      origin: nodeName("n1"),
      devices: ["power", "secret"],
      reason: "secret on n2 failed",
      client: "test",
      completedAt: 1,
      deed: { kind: "done" } as never,
      failures: 1,
      exhausted: false,
    });
    const attempt = (device: string) => ({
      level: 0,
      device,
      executor: nodeName("n2"),
      state: "failed" as const,
      reason: "n2 failed",
    });
    const progress = (target: string) => ({
      request: {
        id: "f",
        target: nodeName(target),
        action: "off" as const,
        timeoutMs: 1,
        delayMs: 0,
        origin: nodeName("n2"),
        client: "test",
        reason: "n2 is lost",
      },
      merged: 0,
      attempts: [attempt("power"), attempt("secret")],
    });
    const history = {
      pending: [progress("n1"), progress("n2")],
      entries: [entry("n1"), entry("n2")],
      remarks: ["level 1 of n2 names power2"],
    };
    expect(visibleFencing(history, { ...names("bob"), whole: true }).entries).toHaveLength(2);
    const shown = visibleFencing(history, names("alice"));
    expect(shown.remarks).toEqual([]);
    expect(shown.entries.map(({ target, devices }) => [target, devices])).toEqual([
      ["n1", ["power"]],
    ] as never);
    expect(shown.pending.map(({ request }) => request.target)).toEqual([nodeName("n1")]);
    expect(JSON.stringify(shown)).not.toMatch(/n2|secret/);
    const rows = ["power", "secret"].map((device) => ({
      level: 1,
      device,
      node: nodeName("n2"),
      ok: true,
      check: "status",
      text: "n2 is on",
    }));
    expect(visibleTest(rows, names("alice"))).toHaveLength(1);
    expect(JSON.stringify(visibleTest(rows, names("alice")))).not.toMatch(/n2|secret/);
    const status = visibleStatus(
      {
        cib: "",
        now: 1,
        version: "",
        featureSet: "",
        localNode: nodeName("n1"),
        membership: {
          ringId: "1.4",
          members: [
            { id: 1, name: nodeName("n1"), participates: true },
            { id: 2, name: nodeName("n2"), participates: true },
          ],
          absent: [{ id: 2, name: nodeName("n2") }],
          quorate: true,
          quorumReason: "",
          votes: 2,
          expectedVotes: 2,
          quorumVotes: 2,
          leader: nodeName("n2"),
          links: [{ link: 0, peer: nodeName("n2"), up: true }],
        },
        transition: {
          id: 1,
          state: "aborted",
          total: 1,
          done: 0,
          flying: 1,
          failed: 0,
          actions: ["secret_start_0 on n2"],
          reason: "secret failed",
        },
        fencing: {
          history: history.entries,
          pending: [
            {
              target: nodeName("n1"),
              action: "off",
              origin: nodeName("n2"),
              client: "test",
              startedAt: 1,
              reason: "secret failed",
            },
          ],
        },
        disks: [{ node: nodeName("n2"), problem: "full" }],
        throttle: [{ node: nodeName("n2"), mode: "high", jobs: 1, reason: "" }],
        warnings: [{ code: "REPEATING", text: "secret fails again and again" }],
      },
      names("alice"),
      ["resources"],
    );
    expect(JSON.stringify(status)).not.toMatch(/n2|secret/);
    expect(status.hidden).toEqual(["resources"]);
    expect(status.membership?.members.map(({ name }) => name)).toEqual([nodeName("n1")]);
  });

  test("devices, and their parameters", () => {
    const device = (id: string) =>
      ({
        id,
        agent: "fence_x",
        disabled: "",
        params: { ip: "h" },
        levels: {},
        nodes: [],
      }) satisfies FenceDeviceInfo;
    const devices = [device("power"), device("spare"), device("unknown")];
    const shown = (user: string) =>
      visibleDevices(devices, document, rights(user)).map(({ id, params }) => `${id} ${Object.keys(params)}`);
    expect(shown("bob")).toEqual(["power ip", "spare ip"]);
    expect(shown("alice")).toEqual(["power ", "spare ip"]);
    expect(shown("hugo")).toEqual([]);
  });
});

describe("who asks", () => {
  const known = new Map([
    ["passwd 1001", "carol:x:1001:100"],
    ["passwd 77", "hacluster:x:77:77"],
    ["passwd hacluster", "hacluster:x:77:77"],
    ["passwd 78", "hacluster:x:78:77"],
    ["passwd 79", "root:x:79:77"],
    ["group 30", "operators:x:30:"],
  ]);
  const accounts = new Accounts({
    passwd: "/dev/null",
    group: "/dev/null",
    ask: (database, key) => Promise.resolve(known.get(`${database} ${key}`)),
  });
  const peer = (uid: number, groups: readonly number[] = []) => ({ pid: 1, uid, gid: 30, groups });

  test("is whom the kernel names", async () => {
    expect(await toolUser(accounts, peer(0))).toEqual({ name: "root", groups: [], privileged: true });
    expect(await toolUser(accounts, peer(77))).toMatchObject({ name: "hacluster", privileged: true });
    for (const uid of [78, 79])
      expect(await toolUser(accounts, peer(uid))).toMatchObject({ privileged: false });
    expect(await toolUser(accounts, peer(1001))).toEqual({
      name: "carol",
      groups: ["operators"],
      privileged: false,
    });
    expect(await toolUser(accounts, peer(4242))).toMatchObject({ name: "#unprivileged", privileged: false });
    expect(await toolUser(accounts, undefined)).toMatchObject({ name: "#unprivileged", privileged: false });
  });

  test("may be another one only when asked by the privileged", async () => {
    expect(await toolUser(accounts, peer(0), "carol")).toMatchObject({ name: "carol", privileged: false });
    expect(await toolUser(accounts, peer(77), "root")).toMatchObject({ name: "hacluster", privileged: true });
    expect(await toolUser(accounts, peer(1001), "root")).toMatchObject({ name: "carol", privileged: false });
    expect(await toolUser(accounts, peer(1001), "dave")).toMatchObject({ name: "carol", privileged: false });
  });

  test("is named in the history, whatever he calls himself", () => {
    expect(saidBy(root, "alice")).toBe("alice");
    expect(saidBy(root, "")).toBe("root");
    expect(saidBy(local("eve"), "root")).toBe("eve (root)");
    expect(saidBy(remoteCaller(nodeName("far"), undefined), "root")).toBe("#unprivileged on far (root)");
  });
});
