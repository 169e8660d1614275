import { describe, expect, test } from "bun:test";
import { formatXml, parseXml } from "../../src/cib/index.ts";
import { transitionDot, transitionGraph } from "../../src/cli/render/graph-xml.ts";
import { originalDateLine, scoreLines } from "../../src/cli/render/simulate-report.ts";
import { summaryLines } from "../../src/cli/render/transition-summary.ts";
import { optionHelp, parseWords } from "../../src/cli/tools/getopt.ts";
import { type GraphAction, schedule } from "../../src/scheduler/index.ts";
import { HactlError, nodeName } from "../../src/terms/index.ts";
import { transitionWith } from "../harness/transition.ts";

const plain = {
  intervalMs: 0,
  timeoutMs: 20_000,
  startDelayMs: 0,
  expectedRc: 0,
  canFail: false,
  priority: 0,
  inputs: [],
} as const;
const actions: readonly GraphAction[] = [
  {
    ...plain,
    id: 1,
    kind: "crm",
    task: "stonith",
    key: "stonith-beta-reboot",
    node: nodeName("beta"),
    nodeId: "2",
    params: { CRM_meta_stonith_action: "reboot" },
  },
  { ...plain, id: 2, kind: "pseudo", task: "start", key: "c_start_0", params: {}, inputs: [1] },
  {
    ...plain,
    id: 3,
    kind: "rsc",
    task: "start",
    key: "a_start_0",
    node: nodeName("alpha"),
    nodeId: "1",
    priority: 1_000_000,
    rsc: { id: "a", longId: "a:1", class: "ocf", provider: "pacemaker", type: "Dummy" },
    params: { state: "/run/a", CRM_meta_timeout: "20000" },
    inputs: [2, 99],
  },
];
const transition = transitionWith({ actions, stonithTimeoutMs: 60_500, failedStartOffset: "1" });

describe("the transition graph", () => {
  test("as XML that Pacemaker's tools read", () => {
    expect(
      formatXml(transitionGraph(transition)),
    ).toBe(`<transition_graph cluster-delay="60s" fencing-timeout="60500ms" failed-stop-offset="INFINITY" failed-start-offset="1" transition_id="1">
  <synapse id="0">
    <action_set>
      <crm_event id="1" operation="stonith" operation_key="stonith-beta-reboot" on_node="beta" on_node_uuid="2">
        <attributes CRM_meta_stonith_action="reboot"/>
        <downed>
          <node id="2"/>
        </downed>
      </crm_event>
    </action_set>
    <inputs/>
  </synapse>
  <synapse id="1">
    <action_set>
      <pseudo_event id="2" operation="start" operation_key="c_start_0">
        <attributes/>
      </pseudo_event>
    </action_set>
    <inputs>
      <trigger>
        <crm_event id="1" operation="stonith" operation_key="stonith-beta-reboot" on_node="beta" on_node_uuid="2"/>
      </trigger>
    </inputs>
  </synapse>
  <synapse id="2" priority="1000000">
    <action_set>
      <rsc_op id="3" operation="start" operation_key="a_start_0" internal_operation_key="a:1_start_0" on_node="alpha" on_node_uuid="1">
        <primitive id="a" long-id="a:1" class="ocf" provider="pacemaker" type="Dummy"/>
        <attributes CRM_meta_timeout="20000" state="/run/a"/>
      </rsc_op>
    </action_set>
    <inputs>
      <trigger>
        <pseudo_event id="2" operation="start" operation_key="c_start_0"/>
      </trigger>
    </inputs>
  </synapse>
</transition_graph>
`);
  });

  test("for Graphviz", () => {
    expect(transitionDot(transition)).toBe(` digraph "g" {
"a_start_0 alpha" [ style=bold color="green" fontcolor="black"]
"c_start_0" [ style=bold color="green" fontcolor="orange"]
"stonith 'reboot' beta" [ style=bold color="green" fontcolor="black"]
"c_start_0" -> "a_start_0 alpha" [ style = bold]
"stonith 'reboot' beta" -> "c_start_0" [ style = bold]
}
`);
  });

  test("for Graphviz: what is fenced away has its node, a shutdown only one name, and no action no line", () => {
    const gone: GraphAction = {
      ...plain,
      id: 1,
      kind: "pseudo",
      task: "stop",
      key: "a_stop_0",
      place: nodeName("beta"),
      params: {},
    };
    const down: GraphAction = {
      ...plain,
      id: 2,
      kind: "crm",
      task: "do_shutdown",
      key: "do_shutdown-beta",
      node: nodeName("beta"),
      params: {},
      inputs: [1],
    };
    expect(transitionDot({ ...transition, actions: [gone, down] })).toBe(` digraph "g" {
"do_shutdown beta" [ style=bold color="green" fontcolor="black"]
"a_stop_0 beta" [ style=bold color="green" fontcolor="orange"]
"a_stop_0 beta" -> "do_shutdown beta" [ style = bold]
}
`);
    expect(transitionDot({ ...transition, actions: [] })).toBe(' digraph "g" {\n}\n');
  });
});

/** Two members, on neither of which `a` may run; `b` waits for it. */
const barred = `<cib have-quorum="1"><configuration>
  <crm_config><cluster_property_set id="p"><nvpair id="p1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
  <resources>
    <primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/>
    <primitive id="b" class="ocf" provider="pacemaker" type="Dummy"/>
  </resources>
  <constraints>
    <rsc_order id="o" first="a" then="b"/>
    <rsc_location id="l1" rsc="a" node="n1" score="-INFINITY"/>
    <rsc_location id="l2" rsc="a" node="n2" score="-INFINITY"/>
  </constraints>
</configuration><status>${["1", "2"]
  .map(
    (id) =>
      `<node_state id="${id}" uname="n${id}" in_ccm="true" crmd="online" join="member" expected="member"/>`,
  )
  .join("")}</status></cib>`;

test("the graph for Graphviz has what is needed and cannot run, when it is asked for", () => {
  const cib = parseXml(barred);
  const all = transitionDot(schedule({ cib, now: 1_700_000_000, unrunnable: true }));
  const bold = transitionDot(schedule({ cib, now: 1_700_000_000 }));
  expect(all.split("\n").filter((line) => !bold.includes(line))).toEqual([
    `"b_start_0 n1" [ style=dashed color="red" fontcolor="black"]`,
    `"b_monitor_0 n1" -> "b_start_0 n1" [ style = dashed]`,
    `"b_monitor_0 n2" -> "b_start_0 n1" [ style = dashed]`,
  ]);
  expect(bold).toContain(`"b_monitor_0 n1" [ style=bold color="green" fontcolor="black"]`);
});

test("the summary stands in columns", () => {
  expect(
    summaryLines([
      "Fence (reboot) beta 'peer is no longer part of the cluster'",
      "Start a ( alpha )",
      "Move long-name ( alpha -> beta ) due to node availability",
      "Re-promote db:0 ( Promoted alpha )",
    ]),
  ).toEqual([
    "Fence (reboot) beta 'peer is no longer part of the cluster'",
    "Start      a             (          alpha )",
    "Move       long-name     (  alpha -> beta )  due to node availability",
    "Re-promote   db:0          ( Promoted alpha )",
  ]);
});

test("scores and utilization are asked for apart", () => {
  const lines = [
    "pcmk__primitive_assign: a allocation score on alpha: 0",
    "Original: alpha capacity: cpu=4",
    "pcmk__finalize_assignment: a utilization on alpha: cpu=1",
  ];
  expect(scoreLines(lines, true, false)).toEqual(lines.slice(0, 1));
  expect(scoreLines(lines, false, true)).toEqual(lines.slice(1));
});

test("times are those of UTC", () => {
  expect(originalDateLine(1_493_818_404)).toBe("Using the original execution date of: 2017-05-03 13:33:24Z");
});

describe("options in the GNU style", () => {
  const table = [
    { name: "node-up", short: "u", value: "NODE", description: "" },
    { name: "simulate", short: "S", description: "" },
    { name: "quiet", short: "Q", description: "" },
    { name: "neg", short: "L", value: "PREFIX", optional: true, description: "" },
  ] as const;
  const parse = (...words: string[]) => parseWords("tool", table, words);

  test("every way to ask for help", () => {
    const table = [{ name: "help", short: "h", description: "print this help" }];
    for (const word of ["-h", "-?", "--help", "--help-all", "--help-output"])
      expect(parseWords("tool", table, [word]).has("help")).toBe(true);
  });

  test("letters together, values attached, apart, and by the long name's beginning", () => {
    const parsed = parse("-SQ", "-ua", "-u", "b", "--node-up=c", "--node", "d", "file", "--", "-S");
    expect(parsed.values("node-up")).toEqual(["a", "b", "c", "d"]);
    expect([parsed.has("simulate"), parsed.has("quiet"), parsed.count("simulate")]).toEqual([true, true, 1]);
    expect(parsed.words).toEqual(["file", "-S"]);
  });

  test("an optional value is the next word unless that is an option", () => {
    expect(parse("-L", "x").value("neg")).toBe("x");
    expect(parse("--neg", "x").value("neg")).toBe("x");
    expect(parse("-L", "-Q").value("neg")).toBe("");
    expect(parse("-L").value("neg")).toBe("");
    expect(parse("-Lcli-").value("neg")).toBe("cli-");
    expect(parse("--neg=cli-").value("neg")).toBe("cli-");
  });

  test.each([
    [["--simulat2"], "tool has no option --simulat2", "Did you mean --simulate?"],
    [["-z"], "tool has no option -z", "See tool --help"],
    [["-u"], "-u needs a value", "See tool --help"],
    [["--quiet=1"], "--quiet takes no value", "See tool --help"],
  ])("%j is refused", (words, what, cure) => {
    const attempt = () => parse(...words);
    expect(attempt).toThrow(HactlError);
    expect(attempt).toThrow(expect.objectContaining({ what, cure, exit: 64 }));
  });

  test("the help names all of them", () => {
    expect(optionHelp(table).split("\n")).toHaveLength(4);
  });
});
