/**
 * Who is let in and means harm: a member's manager in other hands, configurations and values that anybody in haclient can
 * load, agents that misbehave. One cluster goes through all of it: no process ends, whoever asks is answered, and at the
 * end everything starts anew from what is on the disks. Needs: root.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MESSAGE_VERSION } from "../../src/controller/messages.ts";
import type { AdminRequest } from "../../src/daemon/index.ts";
import { wentWell } from "../harness/results.ts";
import { RingClient } from "../harness/ring-cluster.ts";
import { Story } from "../harness/story.ts";

const agents = join(tmpdir(), `hostile-agents-${process.pid}`);
const names = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];
let story: Story;

beforeAll(async () => {
  writeAgents();
  story = await Story.running({ nodes: 3, ocfPath: [agents] });
  await story.load(`property stonith-enabled=false
primitive good ocf:pacemaker:Dummy op monitor interval=1s timeout=10s
location good-there good inf: node1`);
  await story.on("good", ["node1"]);
  await story.idle();
}, 120_000);

afterAll(() => story?.close());

const processes = (of: readonly string[] = story.names) =>
  of.map((name) => [
    name,
    story.nodes.pidOf(name),
    story.process(name, "manager"),
    story.process(name, "executor"),
  ]);

/** Does something hostile: afterwards the same processes serve as before, and all nodes answer. */
async function outlived<T>(attack: () => Promise<T>, of: readonly string[] = story.names): Promise<T> {
  const before = processes(of);
  const value = await attack();
  for (const name of of) expect((await story.hactl(name, "status", "--json")).code).toBeLessThan(3);
  expect(processes(of)).toEqual(before);
  return value;
}

/** Asks node 2; the code of the error, or nothing. */
const ask = (request: unknown): Promise<string | undefined> =>
  story.ask("node2", request as AdminRequest).then(
    () => undefined,
    (error: { code?: string }) => error.code ?? String(error),
  );
const apply = (xml: string, op = "modify", more: object = {}) => ({
  type: "cib-apply",
  operations: [{ op, create: true, xml, ...more }],
  client: "attack",
});
const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;

describe("configurations that anybody in haclient can load", () => {
  const pairs = names.map((name, i) => `<nvpair id="nv${i}" name="${name}" value="true"/>`).join("");
  const diff = (path: string) =>
    `<diff format="2"><change operation="modify" path="${path}"><change-list><change-attr name="a b&quot;&gt;&lt;x" operation="set" value="v"/></change-list></change></diff>`;
  const change = (path: string) => ({
    type: "cib-apply",
    operations: [{ op: "patch", xml: diff(path) }],
    client: "attack",
  });
  const empty = (version: string) =>
    `<cib ${version}><configuration><crm_config/><nodes/><resources/><constraints/></configuration></cib>`;
  const resources = (inner: string) => apply(`<resources>${inner}</resources>`);

  /** What every JavaScript object has, as a name of everything that has one. */
  test.each<[string, unknown]>([
    [
      "options",
      apply(`<crm_config><cluster_property_set id="cps">${pairs}</cluster_property_set></crm_config>`),
    ],
    ["ids", resources(names.map((name) => dummy(name)).join(""))],
    ["meta attributes", resources(dummy("q1", `<meta_attributes id="m1">${pairs}</meta_attributes>`))],
    [
      "parameters",
      resources(
        dummy(
          "q2",
          `<instance_attributes id="m2">${pairs.replaceAll('id="nv', 'id="pa')}</instance_attributes>`,
        ),
      ),
    ],
    [
      "operations",
      resources(
        dummy(
          "q3",
          `<operations><op id="o" name="constructor" interval="10s"/><op id="o2" name="monitor" interval="10s" on-fail="constructor" timeout="constructor"/></operations>`,
        ),
      ),
    ],
    [
      "agents",
      resources(
        `<primitive id="q4" class="ocf" provider="constructor" type="__proto__"/><primitive id="q5" class="stonith" type="constructor"/>`,
      ),
    ],
    [
      "utilization",
      resources(dummy("q6", `<utilization id="u">${pairs.replaceAll('id="nv', 'id="ut')}</utilization>`)),
    ],
    [
      "nodes",
      apply(
        `<nodes>${names.map((name, i) => `<node id="${100 + i}" uname="${name}"><instance_attributes id="ni${i}"><nvpair id="nn${i}" name="${name}" value="1"/></instance_attributes></node>`).join("")}</nodes>`,
      ),
    ],
    [
      "defaults",
      apply(
        `<configuration><rsc_defaults><meta_attributes id="rd">${pairs.replaceAll('id="nv', 'id="rd')}</meta_attributes></rsc_defaults><op_defaults><meta_attributes id="od">${pairs.replaceAll('id="nv', 'id="od')}</meta_attributes></op_defaults></configuration>`,
      ),
    ],
    [
      "tickets and tags",
      apply(
        `<constraints>${names.map((name, i) => `<rsc_ticket id="t${i}" rsc="good" ticket="${name}" loss-policy="freeze"/>`).join("")}</constraints>`,
      ),
    ],
    [
      "attributes",
      { type: "attributes-update", updates: names.map((name) => ({ node: "node1", name, value: "x" })) },
    ],
    [
      "nodes of attributes",
      { type: "attributes-update", updates: [{ node: "__proto__", name: "__proto__", value: "x" }] },
    ],
  ])(
    "names of every object: %s",
    (_what, request) =>
      outlived(async () => {
        await ask(request);
        await story.idle();
        for (const words of [
          ["status"],
          ["crm_mon", "-1", "-rfAot"],
          ["verify"],
          ["configure", "show"],
          ["crm_verify", "-L"],
          ["simulate"],
          ["explain", "good"],
        ])
          expect([words, (await story.hactl("node1", ...words)).stderr]).toEqual([
            words,
            expect.not.stringMatching(/TypeError|RangeError|INTERNAL|is not a function|undefined/),
          ]);
        // What was taken must not be in the way of what comes.
        await ask({
          type: "cib-apply",
          operations: [{ op: "delete", xml: '<constraints><rsc_ticket id="t0"/></constraints>' }],
          client: "x",
        });
      }),
    120_000,
  );

  test.each<[string, unknown]>([
    ["a name that is none, in a patch", change("/cib/configuration/crm_config")],
    ["the same in the status", change("/cib/status")],
    ["the same in the root", change("/cib")],
    [
      "an epoch past all numbers",
      apply(
        empty('admin_epoch="9007199254740993" epoch="9007199254740993" num_updates="9007199254740993"'),
        "replace",
      ),
    ],
    [
      "an epoch that is no number",
      apply(empty('admin_epoch="1e308" epoch="Infinity" num_updates="NaN"'), "replace"),
    ],
    [
      "a million clones",
      resources(
        `<clone id="c"><meta_attributes id="cm"><nvpair id="c1" name="clone-max" value="1000000"/><nvpair id="c2" name="clone-node-max" value="1000000"/></meta_attributes>${dummy("cp")}</clone>`,
      ),
    ],
    [
      "a rule of 250 levels",
      apply(
        `<constraints><rsc_location id="deep" rsc="good">${"<rule id='r' score='1'>".repeat(250)}${"</rule>".repeat(250)}</rsc_location></constraints>`,
      ),
    ],
  ])(
    "refused, and nothing changes: %s",
    (_what, request) =>
      outlived(async () => {
        const before = (await story.cib()).replace(/ num_updates="\d+"| cib-last-written="[^"]*"/g, "");
        expect(await ask(request)).toMatch(/^[A-Z_]+$/);
        expect((await story.cib()).replace(/ num_updates="\d+"| cib-last-written="[^"]*"/g, "")).toBe(before);
      }),
    60_000,
  );

  test.each<[string, unknown]>([
    ["a name of 41 letters that a pattern is slow with", resources(dummy(`${"a".repeat(40)}b`))],
    [
      "the pattern",
      apply(
        `<constraints><rsc_location id="slow" rsc-pattern="^(a+)+$" node="node1" score="10"/></constraints>`,
      ),
    ],
    [
      "durations of ages",
      apply(
        `<constraints><rsc_location id="ages" rsc="good"><rule id="ar" score="10"><date_expression id="ad" operation="in_range" start="0001-01-01"><duration id="adu" years="999999999" months="999999999999" seconds="99999999999999999999"/></date_expression></rule></rsc_location></constraints>`,
      ),
    ],
    [
      "hours without end",
      apply(
        `<constraints><rsc_location id="hours" rsc="good"><rule id="hr" score="10"><date_expression id="hd" operation="date_spec"><date_spec id="hs" hours="0-99999999999" yearsdays="1" years="0-1e308" weekdays="-1-1e9"/></date_expression></rule></rsc_location></constraints>`,
      ),
    ],
    [
      "a monitor each millisecond, and one of ages",
      resources(
        dummy(
          "often",
          `<meta_attributes id="om"><nvpair id="om1" name="target-role" value="Stopped"/></meta_attributes><operations><op id="oo" name="monitor" interval="1ms" timeout="99999999999999999999s"/><op id="oo2" name="monitor" interval="P999999999Y" role="Stopped"/></operations>`,
        ),
      ),
    ],
    [
      "a host list of 200 letters, with patterns that repeat repetitions",
      apply(
        `<fencing-topology><fencing-level id="fl" target-pattern="^(n|no|nod|node|o|d|e|1|2|3|(n+o+d+e+)+)+x$" index="1" devices="good"/></fencing-topology>`,
      ),
    ],
  ])(
    "taken or refused, and decided about: %s",
    (_what, request) =>
      outlived(async () => {
        await ask(request);
        await story.idle();
      }),
    90_000,
  );

  test.each([
    ["an object", {}],
    ["a number", 5],
    ["a control character", "a\u0001b"],
    ["NUL", "a\u0000b"],
    ["U+FFFE", "a\ufffeb"],
    ["half a character", "a\ud800b"],
    ["30 MB", "y".repeat(30_000_000)],
  ])(
    "an attribute whose value is %s is refused",
    (_what, value) =>
      outlived(async () => {
        expect(
          await ask({ type: "attributes-update", updates: [{ node: "node1", name: "bomb", value }] }),
        ).toBe("PROTOCOL");
        expect(await story.cib()).not.toContain('name="bomb"');
      }),
    60_000,
  );

  test(
    "three thousand resources, and out again",
    () =>
      outlived(async () => {
        const many = Array.from({ length: 3_000 }, (_, i) => dummy(`d${i}`)).join("");
        const more =
          '<rsc_defaults><meta_attributes id="big"><nvpair id="big1" name="target-role" value="Stopped"/></meta_attributes></rsc_defaults>';
        await ask(apply(`<configuration><resources>${many}</resources>${more}</configuration>`));
        try {
          // Whoever looks is answered, at last, while it is decided about.
          await story.until("the status is answered", 120_000, async () =>
            (await story.hactl("node3", "status", "--json")).code < 3 ? true : undefined,
          );
        } finally {
          // What ends it is taken, and what comes after this begins as this did.
          await story.load(
            "property stonith-enabled=false\nprimitive good ocf:pacemaker:Dummy op monitor interval=1s timeout=10s\nlocation good-there good inf: node1",
            "replace",
          );
        }
        await story.on("good", ["node1"], 60_000);
      }),
    280_000,
  );
});

describe("agents that misbehave", () => {
  test.each([
    "Gig",
    "Binary",
    "Lines",
    "OneLine",
    "Keeper",
    "Stubborn",
    "Code255",
    "Code200",
    "Zombies",
    "Flood",
  ])(
    "%s",
    (name) =>
      outlived(async () => {
        const since = Date.now();
        await ask(
          apply(
            `<resources><primitive id="${name}" class="ocf" provider="evil" type="${name}"><operations><op id="${name}-m" name="monitor" interval="3s" timeout="5s" on-fail="ignore"/></operations></primitive></resources>`,
          ),
        );
        const marker = join(agents, `${name}.ran`);
        await story.until("it was monitored", 60_000, async () =>
          (await Bun.file(marker).exists()) ? true : undefined,
        );
        await Bun.sleep(2500);
        for (const node of story.names) {
          const status = readFileSync(`/proc/${story.process(node, "executor")}/status`, "utf8");
          expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024).toBeLessThan(250);
        }
        // The monitors of others went on: nothing of theirs was late or failed.
        expect((await story.events(since)).filter((event) => /\bgood\b/.test(event))).toEqual([]);
        await ask({
          type: "cib-apply",
          operations: [{ op: "delete", xml: `<primitive id="${name}"/>` }],
          client: "x",
        });
        await story.idle();
      }),
    120_000,
  );
});

describe("a member's manager in other hands", () => {
  const raw = (text: string) => Buffer.concat([Buffer.from([MESSAGE_VERSION]), Buffer.from(text)]);
  const m = (value: unknown) => raw(JSON.stringify(value));
  const rsc = { id: "good", class: "ocf", provider: "pacemaker", type: "Dummy" };
  const op = {
    callId: 5,
    rsc,
    action: "monitor",
    intervalMs: 0,
    timeoutMs: 1000,
    startDelayMs: 0,
    params: {},
    transitionKey: "1:1:0:x",
  };
  const { timeoutMs: _, startDelayMs: __, ...ran } = op;
  const result = {
    ...ran,
    ...wentWell,
  };
  const update = { node: "node1", name: "x", value: "1" };
  const request = { type: "cib", request: "r", user: "u", client: "c", askers: [], at: 1_767_225_600 };
  const refused: readonly Uint8Array[] = [
    raw("{"),
    raw(`{"type":"fencer","body":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
    raw('{"__proto__":{"type":"remote"},"type":"__proto__"}'),
    m({ type: "constructor" }),
    m({ type: "summary", membership: "x", summary: {} }),
    m({ type: "results", node: "node2", results: [null] }),
    m({ type: "results", node: "node2", results: [{}] }),
    m({ type: "results", node: "node2", results: [{ ...result, params: null }] }),
    m({ type: "results", node: "node1", results: [{ ...result, callId: "x", lastRun: 1e300, rc: "x" }] }),
    m({ type: "history", node: "node1", history: { results: null, running: [] }, seen: 0, at: 1 }),
    m({ type: "actions", transition: "x", membership: "m", dispatches: [null], at: 1 }),
    m({
      type: "actions",
      transition: "x",
      membership: "m",
      dispatches: [{ node: "node1", executor: "node1" }],
      at: 1,
    }),
    m({
      type: "actions",
      transition: "x",
      membership: "m",
      dispatches: [{ node: "node3", executor: "node3", operation: { ...op, timeoutMs: "x" } }],
      at: 1,
    }),
    m({ type: "attributes", updates: [null] }),
    m({ type: "attributes", updates: [{ ...update, name: 5 }] }),
    m({ type: "attributes", updates: [{ ...update, value: {} }] }),
    m({ type: "maintenance", changes: [null], completes: "x" }),
    m({ type: "fencer", body: [] }),
    m({ ...request, operations: [null] }),
    m({ ...request, operations: [], client: {} }),
    m({ ...request, operations: [], at: -1 }),
    m({ type: "idle", requests: [null] }),
    m({ type: "forget", rsc: { a: 1 }, failuresOnly: true }),
  ];

  test("says what no member says: the others refuse it, and go on", async () => {
    const others = ["node1", "node3"];
    const count = () =>
      others.map((name) => (story.nodes.logOf(name).match(/MESSAGE-REFUSED/g) ?? []).length);
    const before = count();
    await outlived(async () => {
      const stopped = story.process("node2", "manager") ?? 0;
      process.kill(stopped, "SIGSTOP");
      const client = await RingClient.connect(join(story.directory, "node2", "run", "ring.sock"));
      await story.until("it takes part", 20_000, () => (client.memberships.length > 0 ? true : undefined));
      for (const payload of refused) {
        client.send(payload);
        await Bun.sleep(20);
      }
      await story.until("all was refused", 30_000, () =>
        count().every((now, i) => now > (before[i] ?? 0)) ? true : undefined,
      );
      // What is right in its form, and much.
      const send = async (payload: Uint8Array) => {
        if (!client.send(payload)) await Promise.race([client.room(), Bun.sleep(1000)]);
      };
      for (let i = 0; i < 20_000; i++) await send(m({ type: "when-idle", request: "x" }));
      await send(m({ ...request, operations: [{ op: "bump" }], client: "x".repeat(5_000_000) }));
      await send(
        m({
          type: "attributes",
          updates: Array.from({ length: 100_000 }, (_, i) => ({
            ...update,
            name: `a${i}`,
            value: "v".repeat(50),
          })),
        }),
      );
      await Bun.sleep(3000);
      client.close();
      process.kill(stopped, "SIGKILL");
    }, others);
    await story.membersAre(3, "node1");
    await story.membersAre(3, "node2");
  }, 280_000);
});

test("what is on the disks after all that can be read: all nodes start anew with what they had", async () => {
  const content = async (name: string) =>
    (await story.cib(name)).replace(/<status>[\s\S]*/, "").replace(/^<cib[^>]*>/, "");
  const before = await content("node1");
  expect(before).toContain('id="good"');
  for (const name of story.names) story.nodes.kill(name);
  story.nodes.startAll();
  await story.membersAre(3, "node1");
  for (const name of story.names) expect(await content(name)).toBe(before);
  const log = story.names.map((name) => story.nodes.logOf(name)).join("\n");
  expect(log).not.toMatch(/CIB-DAMAGED|was set aside/);
  await story.on("good", ["node1"], 60_000);
}, 180_000);

function writeAgents(): void {
  mkdirSync(join(agents, "evil"), { recursive: true });
  const monitors: Readonly<Record<string, string>> = {
    Gig: "head -c 1000000000 /dev/zero; exit 0",
    Binary: "head -c 100000000 /dev/urandom >&2; echo ocf-exit-reason:binary >&2; exit 1",
    Lines: "seq 1000000; seq 1000000 >&2; exit 0",
    OneLine: "printf 'ocf-exit-reason:' >&2; head -c 50000000 /dev/zero | tr '\\000' r >&2; exit 1",
    Keeper: "setsid sleep 60 & exit 0",
    Stubborn: "trap '' TERM INT HUP; sleep 60",
    Code255: "exit 255",
    Code200: "exit 200",
    Zombies: "for i in 1 2 3 4 5 6 7 8 9; do (exit 0) & done; exec sleep 1",
    Flood:
      "i=0; while [ $i -lt 200 ]; do ha_logger -t x 'info: line' >/dev/null 2>&1; i=$((i+1)); done; exit 0",
  };
  for (const [name, monitor] of Object.entries(monitors))
    writeFileSync(
      join(agents, "evil", name),
      `#!/bin/sh
case $1 in
meta-data) echo '<resource-agent name="${name}"><version>1.1</version><actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s"/></actions></resource-agent>';;
monitor) [ "$OCF_RESKEY_CRM_meta_interval" != 0 ] || exit 7
: >${agents}/${name}.ran
${monitor};;
esac
exit 0
`,
      { mode: 0o755 },
    );
}
