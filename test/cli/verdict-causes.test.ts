import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseXml } from "../../src/cib/index.ts";
import { fileStatusInput, type StatusInput, type StatusWarning } from "../../src/cli/render/input.ts";
import { statusModel } from "../../src/cli/render/status-facts.ts";
import type { Cause } from "../../src/cli/render/status-model.ts";
import { statusScreen } from "../../src/cli/render/status-screen.ts";
import { type CauseCode, causesPage, verdictCauses } from "../../src/cli/render/verdict-causes.ts";
import { nodeName } from "../../src/terms/index.ts";
import {
  type ClusterFixture,
  cib,
  cibText,
  type Done,
  healthy,
  meta,
  type NodeFixture,
} from "./render-fixture.ts";

/**
 * Everything that the verdict knows, by the table of src/cli/render/verdict-causes.ts: for each kind a cluster that was in
 * order and has this one thing wrong.
 */

const now = 1_700_003_600;
const alpha = nodeName("alpha");
const beta = nodeName("beta");

interface Wrong {
  readonly fixture?: ClusterFixture;
  readonly more?: Partial<StatusInput>;
  /** What the fixture cannot say. */
  readonly edit?: (text: string) => string;
  /** Of what is told the node or the resource, or a part of the text. */
  readonly about: Partial<Pick<Cause, "node" | "rsc" | "cure">> & { readonly text?: string };
}

const onNode = (name: string, change: (node: NodeFixture) => NodeFixture): ClusterFixture => ({
  ...healthy,
  nodes: healthy.nodes.map((node) => (node.name === name ? change(node) : node)),
});
const withDone = (name: string, ...done: Done[]): ClusterFixture =>
  onNode(name, (node) => ({ ...node, done: [...(node.done ?? []), ...done] }));
const property = (name: string, value: string): ClusterFixture => ({
  ...healthy,
  properties: { ...healthy.properties, [name]: value },
});
/** A node that was told to leave, after this. */
const leaving = (name: string, last: Done): ClusterFixture =>
  onNode(name, (node) => ({
    ...node,
    transient: { ...node.transient, shutdown: "1700003500" },
    done: [...(node.done ?? []).filter(({ rsc }) => rsc !== last.rsc), last],
  }));
const withResources = (change: (text: string) => string): ClusterFixture => ({
  ...healthy,
  resources: change(healthy.resources ?? ""),
});
const deviceFor = (hosts: string) =>
  withResources((text) =>
    text.replace(
      /(<primitive id="fence1"[^>]*>)/,
      `$1<instance_attributes id="f1"><nvpair id="f1h" name="pcmk_host_list" value="${hosts}"/></instance_attributes>`,
    ),
  );
const membership: NonNullable<StatusInput["membership"]> = {
  ringId: "1.8",
  members: [
    { id: 1, name: alpha, participates: true },
    { id: 2, name: beta, participates: true },
  ],
  absent: [],
  quorate: true,
  quorumReason: "two_node",
  votes: 2,
  expectedVotes: 2,
  quorumVotes: 1,
  leader: alpha,
  links: [],
};
const fencing = (ok: boolean) => ({
  id: "1",
  target: beta,
  action: "reboot" as const,
  ok,
  executor: alpha,
  devices: ["fence1"],
  reason: ok ? "it was lost" : "timed out",
  client: "controller",
  origin: alpha,
  completedAt: now - 600,
  deed: ok ? ("reset" as const) : ("none" as const),
  failures: ok ? 0 : 1,
  exhausted: false,
});
const fenced = (ok: boolean) => ({ fencing: { pending: [], history: [fencing(ok)] } });
const told = (code: StatusWarning["code"], text: string): Wrong => ({
  more: { warnings: [{ code, text }] },
  about: { text },
});
const failed = (rsc: string, rc: number, task = "monitor", intervalMs = 10_000): Done => ({
  rsc,
  task,
  intervalMs,
  rc,
  failure: true,
  at: now - 600,
});

/** Says of a stop of ip that has failed why nothing was fenced for it. */
const spared = (why: string) => (text: string) =>
  text.replace(
    /(<lrm_rsc_op id="[^"]*" operation_key="ip_stop_0"[^>]*rc-code="1"[^>]*?)(\/?>)/g,
    `$1 not-fenced="${why}"$2`,
  );

const wrong: Readonly<Record<CauseCode, readonly Wrong[]>> = {
  "NO-QUORUM": [
    { fixture: { ...healthy, quorum: false }, about: { text: "no-quorum-policy=stop" } },
    { more: { membership: { ...membership, quorate: false } }, about: {} },
    {
      more: {
        membership: { ...membership, quorate: false },
        warnings: [
          {
            code: "STRANGER",
            node: beta,
            text: "beta at 192.0.2.2 (link 0) uses another key or cluster_name: it is ignored",
            cure: "Copy the key file",
          },
        ],
      },
      about: { text: "beta at 192.0.2.2 (link 0) uses another key" },
    },
  ],
  "NO-DC": [{ more: { membership: (({ leader: _, ...others }) => others)(membership) }, about: {} }],
  "NO-DECISION": [told("NO-DECISION", "nothing can be decided: it is broken")],
  REPEATING: [told("REPEATING", "the same was done 9 times in 20 s and is slowed down: start a")],
  "STOP-ALL": [{ fixture: property("stop-all-resources", "true"), about: {} }],
  MAINTENANCE: [{ fixture: property("maintenance-mode", "true"), about: {} }],
  "FENCING-UNTRUE": [
    told(
      "FENCING-UNTRUE",
      "beta was not reset when ipmi said so: it is back, and its daemon has run all the time",
    ),
  ],
  "CONFIG-FALLBACK": [told("CONFIG-FALLBACK", "the configuration was lost and is built on an older copy")],
  "NAME-TAKEN": [
    {
      fixture: withResources(
        (text) => `${text}<primitive id="beta" class="ocf" provider="pacemaker" type="remote"/>`,
      ),
      about: { node: "beta", text: "connects a remote node of its name" },
    },
  ],
  "NODE-UNCLEAN": [
    { fixture: onNode("beta", (node) => ({ ...node, state: "lost" })), about: { node: "beta" } },
  ],
  "NODE-OFFLINE": [
    { fixture: onNode("beta", ({ name }) => ({ name, state: "offline" })), about: { node: "beta" } },
    {
      // A remote node whose host was switched off, and with it its service.
      fixture: withResources(
        (text) => `${text}<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>`,
      ),
      edit: (text) =>
        text.replace(
          "</status>",
          '<node_state id="far" uname="far" remote_node="true" in_ccm="false" crmd="offline" node_fenced="1700003000"/></status>',
        ),
      about: { node: "far" },
    },
    {
      // The same while its connection is tried, which decisions count as made.
      fixture: {
        ...onNode("alpha", (node) => ({
          ...node,
          done: [...(node.done ?? []), { rsc: "far", task: "start", status: -1, rc: 193 }],
        })),
        resources: `${healthy.resources}<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>`,
      },
      edit: (text) =>
        text.replace(
          "</status>",
          '<node_state id="far" uname="far" remote_node="true" in_ccm="false"/></status>',
        ),
      about: { node: "far", text: "alpha tries to connect to it" },
    },
    {
      fixture: withResources(
        (text) =>
          `${text}<primitive id="far" class="ocf" provider="pacemaker" type="remote"><meta_attributes id="far-m"><nvpair id="far-m-t" name="target-role" value="Stopped"/></meta_attributes></primitive>`,
      ),
      edit: (text) =>
        text.replace(
          "</status>",
          '<node_state id="far" uname="far" remote_node="true" in_ccm="false" crmd="offline"/></status>',
        ),
      about: {
        node: "far",
        text: "configured as stopped",
        cure: "To have it back: hactl resource start far",
      },
    },
  ],
  "NODE-LEAVING": [
    {
      fixture: onNode("beta", (node) => ({
        ...node,
        transient: { ...node.transient, shutdown: "1700003500" },
      })),
      about: { node: "beta", text: "is being stopped" },
    },
    {
      fixture: leaving("alpha", { rsc: "ip", task: "stop", status: -1, rc: 193, expected: 0 }),
      about: { node: "alpha", text: "alpha is being stopped: it waits until ip has stopped" },
    },
    {
      fixture: {
        ...leaving("alpha", failed("ip", 1, "stop", 0)),
        properties: { ...healthy.properties, "stonith-enabled": "false" },
      },
      about: {
        node: "alpha",
        text: "alpha is being stopped and cannot leave: ip could not be stopped there",
      },
    },
  ],
  "NODE-STATE": [
    {
      fixture: onNode("beta", ({ name }) => ({ name, attributes: { standby: "on" } })),
      about: { node: "beta", text: "standby" },
    },
    {
      fixture: onNode("beta", (node) => ({ ...node, attributes: { maintenance: "on" } })),
      about: { node: "beta", text: "maintenance" },
    },
    {
      edit: (text) =>
        text.replace(
          'uname="beta" in_ccm="true" crmd="online" join="member" expected="member"',
          'uname="beta" in_ccm="true" crmd="online" join="pending" expected="member"',
        ),
      about: { node: "beta" },
    },
  ],
  "MANAGER-AWAY": [
    {
      more: {
        membership: {
          ...membership,
          members: [
            { id: 1, name: alpha, participates: true },
            { id: 2, name: beta, participates: false },
          ],
        },
      },
      about: { node: "beta" },
    },
  ],
  CONNECTIVITY: [
    {
      fixture: onNode("beta", (node) => ({
        ...node,
        transient: { ...node.transient, default_ping_set: "0" },
      })),
      about: { node: "beta" },
    },
  ],
  BLOCKED: [
    {
      fixture: {
        ...withDone("alpha", failed("ip", 1, "stop", 0)),
        properties: { ...healthy.properties, "stonith-enabled": "false" },
      },
      about: { rsc: "ip" },
    },
    {
      fixture: withDone("alpha", failed("ip", 1, "stop", 0)),
      edit: spared("never-seen"),
      about: { rsc: "ip", text: "never seen to run as it is configured" },
    },
    {
      fixture: withDone("alpha", failed("ip", 1, "stop", 0)),
      edit: spared("reset-in-vain"),
      about: { rsc: "ip", text: "no node is reset for it again" },
    },
  ],
  "LEFT-OUT": [
    {
      fixture: withDone("beta", failed("ip", 1, "stop", 0)),
      edit: spared("reset-before"),
      about: { rsc: "ip", text: "its stop fails on beta" },
    },
  ],
  FAILED: [{ fixture: withDone("alpha", failed("web", 7)), about: { rsc: "web" } }],
  "MULTIPLE-ACTIVE": [
    {
      fixture: onNode("beta", (node) => ({
        ...node,
        done: node.done?.map((entry) => (entry.rsc === "ip" ? { rsc: "ip", task: "start" } : entry)) ?? [],
      })),
      about: { rsc: "ip" },
    },
  ],
  "EXCESS-INSTANCES": [
    {
      fixture: withResources((text) =>
        text.replace(
          '<clone id="ping-clone">',
          `<clone id="ping-clone">${meta("ping-clone", { "clone-max": "1" })}`,
        ),
      ),
      about: { rsc: "ping-clone", text: "runs 2 instances, and may have 1" },
    },
  ],
  "EXCESS-PROMOTED": [
    {
      fixture: onNode("beta", (node) => ({
        ...node,
        done: node.done?.map((entry) => (entry.rsc === "db" ? { ...entry, task: "promote" } : entry)) ?? [],
      })),
      about: { rsc: "db-clone", text: "is promoted on alpha, beta, and may be on 1" },
    },
  ],
  STOPPED: [
    {
      fixture: {
        ...onNode("alpha", (node) => ({
          ...node,
          done: node.done?.filter(({ rsc }) => rsc !== "web") ?? [],
        })),
        resources: (healthy.resources ?? "").replace(
          '<primitive id="web" class="ocf" provider="heartbeat" type="apache">',
          (found) => found + meta("web", { "is-managed": "false" }),
        ),
      },
      about: { rsc: "web", text: "not managed, so that nobody starts it" },
    },
    {
      fixture: onNode("alpha", (node) => ({
        ...node,
        done: node.done?.filter(({ rsc }) => rsc !== "web") ?? [],
      })),
      about: { rsc: "web" },
    },
    {
      fixture: onNode("alpha", (node) => ({
        ...node,
        done: [
          ...(node.done ?? []).filter(({ rsc }) => rsc !== "web"),
          { rsc: "web", task: "stop", status: -1, rc: 193, expected: 0 },
        ],
      })),
      about: { rsc: "web", text: "web is being stopped on alpha" },
    },
  ],
  "CLONE-INCOMPLETE": [
    {
      fixture: onNode("beta", (node) => ({
        ...node,
        done: node.done?.filter(({ rsc }) => rsc !== "ping") ?? [],
      })),
      about: { rsc: "ping-clone" },
    },
  ],
  "NOT-PROMOTED": [
    {
      fixture: onNode("alpha", (node) => ({
        ...node,
        done: node.done?.map((entry) => (entry.rsc === "db" ? { ...entry, task: "start" } : entry)) ?? [],
      })),
      about: { rsc: "db-clone" },
    },
  ],
  FAILURE: [
    // A node without the agent.
    {
      fixture: withDone("beta", failed("web", 5, "monitor", 0)),
      about: { rsc: "web", node: "beta", text: "Not installed" },
    },
    // A failure that on-fail=ignore hides.
    {
      fixture: withDone("alpha", failed("web", 1)),
      edit: (text) => text.replace('id="web-m" name="monitor"', 'id="web-m" on-fail="ignore" name="monitor"'),
      about: { rsc: "web", node: "alpha" },
    },
    {
      // A guest that nobody reaches: what it runs in can be restarted, not a connection that nobody has configured.
      fixture: {
        ...withDone(
          "alpha",
          { rsc: "vm", task: "start", rc: 0 },
          { rsc: "guest", task: "start", rc: 1, failure: true, at: now - 600 },
        ),
        resources: `${healthy.resources}<primitive id="vm" class="ocf" provider="test" type="Vm"><meta_attributes id="vm-m"><nvpair id="vm-m-r" name="remote-node" value="guest"/></meta_attributes></primitive>`,
      },
      about: {
        rsc: "guest",
        node: "alpha",
        text: "guest guest in vm cannot be reached from alpha",
        cure: "See that hactl remote runs in guest, or restart what it runs in: hactl resource restart vm",
      },
    },
  ],
  UNMANAGED: [
    {
      fixture: withResources((text) =>
        text
          .replace('<primitive id="ip"', `<primitive id="ip"`)
          .replace(/(<primitive id="ip"[^>]*>)/, `$1${meta("ip", { "is-managed": "false" })}`),
      ),
      about: { rsc: "ip" },
    },
    {
      fixture: withResources((text) =>
        text.replace('<group id="grp">', `<group id="grp">${meta("grp", { maintenance: "true" })}`),
      ),
      about: { text: "ip, web are not managed" },
    },
  ],
  RESTARTING: [
    {
      fixture: withResources((text) =>
        text.replace(
          '<group id="grp">',
          '<group id="grp"><meta_attributes id="m"><nvpair id="grp-restart-0123abcd" name="target-role" value="stopped"/></meta_attributes>',
        ),
      ),
      about: {
        rsc: "grp",
        text: "stopped by a restart",
        cure: expect.stringContaining("hactl resource start grp"),
      },
    },
  ],
  "REMOVED-ACTIVE": [
    { fixture: withDone("alpha", { rsc: "old", task: "start" }), about: { rsc: "old", text: "on alpha" } },
  ],
  TICKET: [
    {
      fixture: { ...healthy, constraints: '<rsc_ticket id="t" rsc="grp" ticket="site" loss-policy="stop"/>' },
      about: { text: "ticket site is not granted" },
    },
    {
      fixture: {
        ...healthy,
        constraints: '<rsc_ticket id="t" rsc="grp" ticket="site"/>',
        tickets: '<tickets><ticket_state id="site" granted="true" standby="true"/></tickets>',
      },
      about: { text: "ticket site is in standby" },
    },
    {
      // It was granted until it expired.
      fixture: {
        ...healthy,
        constraints: '<rsc_ticket id="t" rsc="grp" ticket="site"/>',
        tickets:
          '<tickets><ticket_state id="site" granted="false" last-granted="1700000000" expires="1700000600"/></tickets>',
      },
      about: { text: "ticket site is not granted" },
    },
  ],
  "FENCING-DISABLED": [{ fixture: property("stonith-enabled", "false"), about: {} }],
  "NO-FENCE-DEVICE": [
    {
      fixture: withResources((text) => text.replace(/<primitive id="fence1".*?<\/primitive>/, "")),
      about: {},
    },
  ],
  UNFENCEABLE: [
    { fixture: deviceFor("alpha"), about: { node: "beta" } },
    { fixture: deviceFor("alpha gone"), about: { node: "beta" } },
    {
      // A device that may run nowhere.
      fixture: {
        ...healthy,
        nodes: healthy.nodes.map((node) => ({
          ...node,
          done: node.done?.filter(({ rsc }) => rsc !== "fence1") ?? [],
        })),
        constraints: ["alpha", "beta"]
          .map((node) => `<rsc_location id="l-${node}" rsc="fence1" node="${node}" score="-INFINITY"/>`)
          .join(""),
      },
      about: { node: "alpha" },
    },
  ],
  "FENCE-DEVICE-IDLE": [{ fixture: deviceFor("gone left"), about: { rsc: "fence1" } }],
  "FENCE-DEVICE-OFF": [
    {
      fixture: withResources((text) =>
        text.replace(/(<primitive id="fence1"[^>]*>)/, `$1${meta("fence1", { "target-role": "Stopped" })}`),
      ),
      about: { rsc: "fence1" },
    },
  ],
  "FENCE-DEVICE-FAILED": [{ more: fenced(false), about: { node: "beta", text: "timed out" } }],
  "FENCING-FAILED": [
    {
      fixture: onNode("beta", ({ name }) => ({ name, state: "lost" })),
      more: fenced(false),
      about: { node: "beta", text: "timed out" },
    },
  ],
  "FENCING-TOPOLOGY": [
    {
      edit: (text) =>
        text.replace(
          "</constraints>",
          '</constraints><fencing-topology><fencing-level id="l1" target="alpha" index="1" devices="fence1"/></fencing-topology>',
        ),
      about: { text: "no level for beta" },
    },
  ],
  "NODE-FENCED": [{ more: fenced(true), about: { node: "beta", text: "it was lost" } }],
  "LINK-DOWN": [
    {
      more: { membership: { ...membership, links: [{ link: 1, peer: beta, up: false }] } },
      about: { node: "beta" },
    },
  ],
  "STATE-DISK": [
    {
      more: { disks: [{ node: beta, problem: "no space left on the disk of /run/hactl" }] },
      about: { node: "beta" },
    },
  ],
  "ALERT-FAILING": [told("ALERT-FAILING", "alert mail (/usr/bin/x) ended with status 1")],
  STRANGER: [told("STRANGER", "node beta (192.0.2.2) has another key")],
  "OPTIONS-DIFFER": [told("OPTIONS-DIFFER", "beta has another token: 5000 there, 1000 here")],
  "QUORUM-DIFFERS": [told("QUORUM-DIFFERS", "beta has another two_node: true there, false here")],
  "EXPECTED-VOTES": [told("EXPECTED-VOTES", "5 votes are expected, and 3 are configured")],
  "CHANGE-WAITS": [told("CHANGE-WAITS", "a changed hactl.toml was read on beta and is not in force")],
  CLOCK: [
    {
      more: { warnings: [{ code: "CLOCK", node: beta, text: "alpha is 9 s ahead" }] },
      about: { node: "beta" },
    },
  ],
  HIDDEN: [{ more: { hidden: ["acls", "resources"] }, about: { text: "(in resources)" } }],
  "LOCAL-WARNING": [told("LOCAL-WARNING", "no real-time priority")],
};

function modelOf({ fixture = healthy, more = {}, edit }: Omit<Wrong, "about">) {
  const root = edit ? parseXml(edit(cibText(fixture))) : cib(fixture);
  return statusModel({ ...fileStatusInput(root, now, "0.1.0", "3.20.5"), ...more });
}

test("nodes that are not listened to are no missing ones: the cure is that of what keeps them apart", () => {
  const text = "beta at 192.0.2.2 (link 0) uses another key or cluster_name: it is ignored";
  const [cause] = modelOf({
    more: {
      membership: { ...membership, quorate: false },
      warnings: [
        { code: "STRANGER", node: beta, text, cure: "Copy the key file" },
        { code: "STRANGER", text: "another" },
      ],
    },
  }).verdict.causes;
  expect(cause).toMatchObject({
    code: "NO-QUORUM",
    text: expect.stringContaining(text),
    cure: "Copy the key file; the same for 1 more, see below",
  });
  const away = modelOf({ more: { membership: { ...membership, quorate: false } } }).verdict.causes[0];
  expect(away?.cure).toStartWith("Bring the missing nodes back");
});

describe("a node of the node list that the cluster knows nothing of", () => {
  const withGamma = (...links: NonNullable<StatusInput["membership"]>["links"][number][]) =>
    modelOf({
      more: { membership: { ...membership, absent: [{ id: 3, name: nodeName("gamma") }], links } },
    });

  test("is listed, and told as not there", () => {
    const { nodes, verdict } = withGamma();
    expect(nodes.at(-1)).toMatchObject({ id: "3", name: "gamma", state: "never seen", online: false });
    expect(verdict).toMatchObject({
      state: "DEGRADED",
      causes: [
        {
          code: "NODE-OFFLINE",
          node: "gamma",
          text: "node gamma has never joined: it is in the node list, and nothing is heard of it",
          cure: expect.stringContaining("hactl status on gamma"),
        },
      ],
    });
  });

  test("is told to be apart where it answers", () => {
    const { verdict } = withGamma({ link: 0, peer: nodeName("gamma"), up: true });
    expect(verdict.causes[0]?.text).toBe(
      "node gamma has never joined: it answers on link 0, and forms no ring with this node",
    );
  });

  test("is nothing to be told of by a node that is in no ring yet", () => {
    const absent = [{ id: 3, name: nodeName("gamma") }];
    const { nodes } = modelOf({ more: { membership: { ...membership, members: [], absent } } });
    expect(nodes.map(({ name }) => name)).not.toContain("gamma");
  });
});

test("nothing is told of a cluster in order", () => {
  expect(modelOf({}).verdict).toMatchObject({ state: "NORMAL", causes: [] });
});

describe("the verdict knows", () => {
  const cases = Object.entries(wrong).flatMap(([code, list]) =>
    list.map((one, at) => [`${code}${at === 0 ? "" : ` ${at + 1}`}`, code as CauseCode, one] as const),
  );
  test.each(cases)("%s", (_, code, one) => {
    const model = modelOf(one);
    const { state, causes, text } = model.verdict;
    const { level } = verdictCauses[code];
    const { text: part, ...about } = one.about;
    const matching = causes.filter((cause) => cause.code === code);
    expect(matching.length).toBeGreaterThan(0);
    expect(matching).toContainEqual(
      expect.objectContaining({ code, level, ...about, text: expect.stringContaining(part ?? "") }),
    );
    // An error is never NORMAL; what is no error does not make it anything else, but where nobody can know.
    const well = causes.some((cause) => cause.code === "HIDDEN") ? "UNKNOWN" : "NORMAL";
    expect(state === well).toBe(!causes.some((cause) => cause.level === "error"));
    // The first line says the most important, or that there is more; the screen shows what is told.
    expect(text).toContain((causes.find((cause) => cause.level === "error") ?? causes[0])?.text ?? "");
    expect(statusScreen(model).split("\n")[0]).toContain(text);
  });
});

test("the newest fencing is told first, of whichever node", () => {
  const ofAlpha = (seconds: number) => ({ ...fencing(true), target: alpha, completedAt: now - seconds });
  const history = [ofAlpha(60), fencing(true), ofAlpha(900)];
  const { verdict } = modelOf({ more: { fencing: { pending: [], history } } });
  expect(verdict.causes.map(({ node }) => node)).toEqual(["alpha", "beta"]);
  expect(verdict.text).toContain("; alpha was fenced at");
});

test("a device that finds out for itself whom it fences is not doubted", () => {
  for (const check of ["none", "dynamic-list", "status"]) {
    const fixture = deviceFor(`alpha"/><nvpair id="f1c" name="pcmk_host_check" value="${check}`);
    expect(modelOf({ fixture }).verdict.causes).toEqual([]);
  }
});

test("docs/status-json.md has the table", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/status-json.md"), "utf8");
  expect(page).toContain("<!-- causes -->");
  expect(page).toBe(causesPage(page));
});

test("what is blocked by its failure is not said to be unmanaged as well", () => {
  const [blocked] = [
    {
      ...withDone("alpha", failed("ip", 1, "stop", 0)),
      properties: { ...healthy.properties, "stonith-enabled": "false" },
    },
  ];
  const { verdict } = statusModel(fileStatusInput(cib(blocked), now, "0", "3.20.1"));
  const codes = verdict.causes.filter(({ text }) => text.includes("ip")).map(({ code }) => code);
  expect(codes).toContain("BLOCKED");
  expect(codes).not.toContain("UNMANAGED");
});
