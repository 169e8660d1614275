import { describe, expect, test } from "bun:test";
import {
  type AlertEffect,
  type AlertEvent,
  type AlertRun,
  Alerts,
  readAlerts,
} from "../../src/alerts/index.ts";
import { formatTimestamp } from "../../src/alerts/time-format.ts";
import { parseXml } from "../../src/cib/index.ts";

const configuration = (alerts: string) =>
  parseXml(`<configuration><alerts>${alerts}</alerts></configuration>`);
const nv = (name: string, value: string) =>
  `<nvpair id="${name}-${value.length}" name="${name}" value="${value}"/>`;
const meta = (...pairs: string[]) => `<meta_attributes id="m">${pairs.join("")}</meta_attributes>`;
const params = (...pairs: string[]) => `<instance_attributes id="i">${pairs.join("")}</instance_attributes>`;

const time = { epoch: 1_700_000_000.654321, offsetMinutes: 540, zone: "JST" };
const node: AlertEvent = { kind: "node", node: "n1", nodeId: 1, state: "lost" };
const fencing: AlertEvent = {
  kind: "fencing",
  node: "n2",
  action: "reboot",
  ok: true,
  executor: "n1",
  origin: "n1",
  client: "controller",
  reason: "lost",
  id: "f-1",
};
const resource = (more: Partial<Extract<AlertEvent, { kind: "resource" }>> = {}): AlertEvent => ({
  kind: "resource",
  node: "n1",
  rsc: "vip",
  action: "start",
  intervalMs: 0,
  rc: 0,
  expectedRc: 0,
  status: 0,
  execMs: 120,
  ...more,
});
const attribute = (name: string, value: string | undefined = "5"): AlertEvent => ({
  kind: "attribute",
  node: "n1",
  nodeId: 1,
  name,
  value,
});

function runsFor(alerts: string, event: AlertEvent): AlertRun[] {
  const core = new Alerts();
  core.configure(configuration(alerts), time.epoch);
  return runsOf(core.event(event, time));
}
const runsOf = (effects: readonly AlertEffect[]) =>
  effects.flatMap((effect) => (effect.type === "run" ? [effect.run] : []));
const logsOf = (effects: readonly AlertEffect[]) =>
  effects.flatMap((effect) => (effect.type === "log" ? [`${effect.id} ${effect.text}`] : []));

describe("which alerts are called", () => {
  const called = (alerts: string, event: AlertEvent) =>
    runsFor(alerts, event)
      .map(({ alert, recipient }) => `${alert}>${recipient ?? ""}`)
      .join(" ");
  const all = [node, fencing, resource(), attribute("a")];
  const kinds = (alerts: string) =>
    all
      .filter((event) => called(alerts, event) !== "")
      .map(({ kind }) => kind)
      .join(" ");
  const select = (inner: string) => `<alert id="x" path="/x"><select>${inner}</select></alert>`;

  test.each([
    ['<alert id="x" path="/x"/>', "node fencing resource"],
    [select(""), "node fencing resource"],
    [select("<select_nodes/>"), "node"],
    [select("<select_fencing/><select_resources/>"), "fencing resource"],
    [select("<select_attributes/>"), "attribute"],
    [select('<select_attributes><attribute id="s" name="a"/></select_attributes>'), "attribute"],
    [select('<select_attributes><attribute id="s" name="b"/></select_attributes>'), ""],
    [select('<select_nodes/><select_attributes><attribute id="s" name="b"/></select_attributes>'), "node"],
    [`<alert id="x" path="/x">${meta(nv("enabled", "false"))}</alert>`, ""],
    [`<alert id="x" path="/x">${meta(nv("enabled", "perhaps"))}</alert>`, ""],
    [`<alert id="x" path="/x">${meta(nv("enabled", "yes"))}</alert>`, "node fencing resource"],
    ['<alert id="x"/>', ""],
  ])("%s is for %p", (alerts, wanted) => {
    expect(kinds(alerts)).toBe(wanted);
  });

  test("each of them, once for each recipient that is enabled, without recipients once", () => {
    const off = meta(nv("enabled", "false"));
    const two = '<recipient id="r1" value="a"/><recipient id="r2" value="b c"/>';
    expect(called(`<alert id="x" path="/x">${two}</alert><alert id="y" path="/y"/>`, node)).toBe(
      "x>a x>b c y>",
    );
    expect(
      called(
        `<alert id="x" path="/x"><recipient id="r1" value="a">${off}</recipient><recipient id="r2" value="b"/></alert>`,
        node,
      ),
    ).toBe("x>b");
    // All recipients are off: that is not the same as none.
    expect(
      called(`<alert id="x" path="/x"><recipient id="r1" value="a">${off}</recipient></alert>`, node),
    ).toBe("");
    // An alert that is off cannot be switched on by a recipient.
    const on = meta(nv("enabled", "true"));
    expect(
      called(`<alert id="x" path="/x">${off}<recipient id="r1" value="a">${on}</recipient></alert>`, node),
    ).toBe("");
  });

  test("probes that found what was expected are told to nobody, what was not expected is", () => {
    const alert = '<alert id="x" path="/x"/>';
    const probe = { action: "monitor", rc: 7, expectedRc: 7 };
    expect(called(alert, resource(probe))).toBe("");
    expect(called(alert, resource({ ...probe, rc: 0 }))).toBe("x>");
    expect(called(alert, resource({ ...probe, rc: 0, expectedRc: 0, intervalMs: 10_000 }))).toBe("x>");
    expect(called(alert, resource({ action: "notify" }))).toBe("x>");
    expect(called(alert, resource({ action: "meta-data" }))).toBe("");
  });

  test("a rule decides when an alert is in force", () => {
    const rule =
      '<rule id="u" score="INFINITY"><date_expression id="d" operation="gt" start="2024-01-01"/></rule>';
    const alert = configuration(
      `<alert id="x" path="/x"><meta_attributes id="m">${rule}${nv("enabled", "false")}</meta_attributes></alert>`,
    );
    expect(readAlerts(alert, 1_700_000_000)).toHaveLength(1);
    expect(readAlerts(alert, 1_710_000_000)).toHaveLength(0);
  });
});

describe("what an agent is told", () => {
  const env = (
    event: AlertEvent,
    alert = '<alert id="x" path="/x"><select><select_nodes/><select_fencing/><select_resources/><select_attributes/></select></alert>',
  ) => runsFor(alert, event)[0]?.env;
  const common = {
    CRM_alert_version: "3.0.0",
    CRM_alert_node_sequence: "1",
    CRM_alert_recipient: "",
    CRM_alert_timestamp: "07:13:20.654321",
    CRM_alert_timestamp_epoch: "1700000000",
    CRM_alert_timestamp_usec: "654321",
  };

  test("of nodes", () => {
    expect(env(node)).toEqual({
      ...common,
      CRM_alert_kind: "node",
      CRM_alert_node: "n1",
      CRM_alert_nodeid: "1",
      CRM_alert_desc: "lost",
    });
  });

  test("of fencing", () => {
    expect(env(fencing)).toEqual({
      ...common,
      CRM_alert_kind: "fencing",
      CRM_alert_node: "n2",
      CRM_alert_task: "reboot",
      CRM_alert_rc: "0",
      CRM_alert_desc: "Operation reboot of n2 by n1 for controller@n1: OK (ref=f-1)",
    });
    expect(env({ ...fencing, ok: false, executor: "", reason: "no device" })).toMatchObject({
      CRM_alert_rc: "1",
      CRM_alert_desc:
        "Operation reboot of n2 by the cluster for controller@n1: Error occurred (no device) (ref=f-1)",
    });
  });

  test("of resources", () => {
    expect(env(resource())).toEqual({
      ...common,
      CRM_alert_kind: "resource",
      CRM_alert_node: "n1",
      CRM_alert_rsc: "vip",
      CRM_alert_task: "start",
      CRM_alert_interval: "0",
      CRM_alert_target_rc: "0",
      CRM_alert_status: "0",
      CRM_alert_rc: "0",
      CRM_alert_exec_time: "120",
      CRM_alert_desc: "OK",
    });
    expect(env(resource({ action: "monitor", intervalMs: 10_000, rc: 7 }))).toMatchObject({
      CRM_alert_interval: "10000",
      CRM_alert_rc: "7",
      CRM_alert_desc: "Not running",
    });
    expect(env(resource({ status: 2, rc: 1 }))).toMatchObject({
      CRM_alert_status: "2",
      CRM_alert_desc: "Timed out",
    });
  });

  test("of attributes", () => {
    expect(env(attribute("load", "7"))).toEqual({
      ...common,
      CRM_alert_kind: "attribute",
      CRM_alert_node: "n1",
      CRM_alert_nodeid: "1",
      CRM_alert_attribute_name: "load",
      CRM_alert_attribute_value: "7",
    });
    expect(env(attribute("load", undefined))).toMatchObject({ CRM_alert_attribute_value: "5" });
    expect(env({ kind: "attribute", node: "n1", nodeId: 1, name: "load", value: undefined })).toMatchObject({
      CRM_alert_attribute_value: "",
    });
  });

  test("by its configuration: parameters, format and time; a recipient counts before its alert", () => {
    const own = `<recipient id="r" value="ops">${meta(nv("timestamp-format", "%F"))}${params(nv("debug", "yes"))}</recipient>`;
    const alert = `<alert id="x" path="/x">${meta(nv("timeout", "5s"), nv("timestamp-format", "%s"))}${params(nv("debug", "no"), nv("other", "1"), nv("not a name", "2"), nv("2nd", "3"))}${own}</alert>`;
    const [run] = runsFor(alert, node);
    expect(run).toMatchObject({ alert: "x", path: "/x", recipient: "ops", timeoutMs: 5000 });
    expect(run?.env).toMatchObject({
      CRM_alert_recipient: "ops",
      CRM_alert_timestamp: "2023-11-15",
      debug: "yes",
      other: "1",
    });
    expect(Object.keys(run?.env ?? {}).filter((name) => !name.startsWith("CRM_"))).toEqual([
      "debug",
      "other",
    ]);
  });

  test.each([
    ["", 30_000],
    [nv("timeout", "0"), 30_000],
    [nv("timeout", "soon"), 30_000],
    [nv("timeout", "2min"), 120_000],
  ])("with the time limit %p: %p ms", (pair, wanted) => {
    expect(runsFor(`<alert id="x" path="/x">${meta(pair)}</alert>`, node)[0]?.timeoutMs).toBe(wanted);
  });

  test("a NUL ends nothing", () => {
    expect(env(attribute("a", "x\0y"))).toMatchObject({ CRM_alert_attribute_value: "xy" });
  });
});

describe("formats of time", () => {
  test.each([
    ["%H:%M:%S.%06N", "07:13:20.654321"],
    ["%Y-%m-%d,%H:%M:%S.%01N", "2023-11-15,07:13:20.6"],
    ["%3N %N %9N", "654 654321 654321"],
    ["%c", "Wed Nov 15 07:13:20 2023"],
    ["%D %R", "11/15/23 07:13"],
    ["%a %A %b %B %e %j", "Wed Wednesday Nov November 15 319"],
    ["%I:%M %p %P %l %k", "07:13 AM am  7  7"],
    ["%z %Z %s", "+0900 JST 1700000000"],
    ["%G-W%V-%u %U %W %w %y %C", "2023-W46-3 46 46 3 23 20"],
    ["%-m/%-d %_H %^a %5d", "11/15  7 WED 00015"],
    ["100%% %Q %", "100% %Q %"],
    ["%T%n%t%F%x%X%r%h%g", "07:13:20\n\t2023-11-1511/15/2307:13:2007:13:20 AMNov23"],
  ])("%p is %p", (format, wanted) => {
    expect(formatTimestamp(format, time)).toBe(wanted);
  });

  test.each([
    ["widest", "%99d", "15".padStart(99, "0")],
    ["too wide", "%100d %999999999d %99999999999N", "%100d %999999999d %99999999999N"],
    ["wide and many", "%99d".repeat(100_000), "15".padStart(99, "0").repeat(11).slice(0, 1000)],
    ["flags without end", `%${"0".repeat(1_000_000)}`, `%${"0".repeat(999)}`],
  ])("%s: costs next to nothing", (_, format, wanted) => {
    const begin = performance.now();
    expect(formatTimestamp(format, time)).toBe(wanted);
    expect(performance.now() - begin).toBeLessThan(500);
  });

  test("agree with date(1)", () => {
    const formats =
      "%a|%A|%b|%B|%C|%d|%D|%e|%F|%g|%G|%H|%I|%j|%k|%l|%m|%M|%p|%P|%r|%R|%S|%T|%u|%U|%V|%w|%W|%y|%Y|%-d|%_d|%^a";
    for (const epoch of [
      0, 951_782_400, 1_104_537_599, 1_230_768_000, 1_483_228_799, 1_709_251_199, 4_102_444_799,
    ]) {
      const { stdout } = Bun.spawnSync(["date", "-u", "-d", `@${epoch}`, `+${formats}`], {
        env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      });
      expect(formatTimestamp(formats, { epoch, offsetMinutes: 0, zone: "UTC" })).toBe(
        stdout.toString().trimEnd(),
      );
    }
  });
});

describe("calls", () => {
  const alert = '<alert id="x" path="/x"><recipient id="r" value="ops"/></alert>';
  const core = () => {
    const alerts = new Alerts();
    alerts.configure(configuration(alert), time.epoch);
    return alerts;
  };
  const ok = { kind: "exited", code: 0, said: "" } as const;

  test("are numbered in the order of what happened", () => {
    const alerts = core();
    const numbers = [node, fencing, resource()].flatMap((event) =>
      runsOf(alerts.event(event, time)).map(({ number, env }) => [number, env.CRM_alert_node_sequence]),
    );
    expect(numbers).toEqual([
      [1, "1"],
      [2, "2"],
      [3, "3"],
    ]);
  });

  test("run only some at a time; the others wait in their order, and beyond a limit they are dropped and that is said", () => {
    const alerts = core();
    const effects = Array.from({ length: 2100 }, () => alerts.event(node, time)).flat();
    const started = runsOf(effects);
    expect(started).toHaveLength(16);
    expect(logsOf(effects)).toEqual([
      "ALERTS-DROPPED 2000 calls of alert agents wait; further alerts are dropped until these are done",
    ]);
    expect(alerts.warnings()).toEqual(["84 alerts were dropped: their agents are too slow"]);
    const rest: AlertRun[] = [...started];
    for (const run of rest) rest.push(...runsOf(alerts.ended(run, ok)));
    expect(rest.map(({ number }) => number)).toEqual(Array.from({ length: 2016 }, (_, index) => index + 1));
    expect([alerts.open, alerts.warnings()]).toEqual([0, []]);
  });

  test("that fail are said once, are seen in the status, and that they work again is said", () => {
    const alerts = core();
    const after = (outcome: Parameters<Alerts["ended"]>[1]) => {
      const [run] = runsOf(alerts.event(node, time));
      if (!run) throw new Error("no call");
      return logsOf(alerts.ended(run, outcome));
    };
    expect(after(ok)).toEqual([]);
    const failed = "alert x (/x, for ops) ended with status 5: no mailer";
    expect(after({ kind: "exited", code: 5, said: "no mailer" })).toEqual([`ALERT-FAILED ${failed}`]);
    expect(after({ kind: "exited", code: 5, said: "no mailer" })).toEqual([]);
    expect(alerts.warnings()).toEqual([failed]);
    expect(after({ kind: "late" })).toEqual([
      "ALERT-FAILED alert x (/x, for ops) did not end within 30 s and was killed",
    ]);
    expect(after({ kind: "signalled", signal: "SIGSEGV" })).toEqual([
      "ALERT-FAILED alert x (/x, for ops) was ended by signal SIGSEGV",
    ]);
    expect(after({ kind: "failed", why: "there is no /x" })).toEqual([
      "ALERT-FAILED alert x (/x, for ops) cannot be run: there is no /x",
    ]);
    expect(after(ok)).toEqual(["ALERT-WORKS alert x (/x, for ops) works again"]);
    expect(alerts.warnings()).toEqual([]);
  });

  test("a failure is forgotten with the alert", () => {
    const alerts = core();
    const [run] = runsOf(alerts.event(node, time));
    if (run) alerts.ended(run, { kind: "late" });
    expect(alerts.warnings()).toHaveLength(1);
    alerts.configure(configuration(""), time.epoch);
    expect(alerts.warnings()).toEqual([]);
  });
});
