import { describe, expect, test } from "bun:test";
import { checkConfig, explainTotem, parseConfig, showConfig, thisMachine } from "../../src/config/index.ts";
import type { TotemOptions } from "../../src/totem/index.ts";

const list = (count: number) =>
  Array.from(
    { length: count },
    (_, index) =>
      `[[nodelist.node]]\nname = "n${index + 1}"\nnodeid = ${index + 1}\nring0_addr = "10.0.0.${index + 1}"\n`,
  ).join("");
const load = (text: string, nodes = 2) => {
  const result = checkConfig(`${text}\n${list(nodes)}`, "f", { purpose: "text", machine: thisMachine() });
  return { ...result, timing: result.config?.totem.effective };
};

describe("effective timeouts", () => {
  // The values that corosync.conf(5) and `corosync-cmapctl runtime.config.totem` give for the same input.
  test.each([
    ["the talk's two nodes", "", 2, [1000, 238, 180, 1200]],
    ["three nodes", "", 3, [1650, 392, 303, 1980]],
    ["sixteen nodes", "", 16, [10100, 2404, 1913, 12120]],
    ["corosync 3's default", "[totem]\ntoken = 3000", 2, [3000, 714, 561, 3600]],
    ["no coefficient", "[totem]\ntoken_coefficient = 0", 5, [1000, 238, 180, 1200]],
    ["other retransmits", "[totem]\ntoken_retransmits_before_loss_const = 10", 2, [1000, 98, 68, 1200]],
    [
      "given ones stay",
      "[totem]\ntoken_retransmit = 100\nhold = 50\nconsensus = 2000",
      3,
      [1650, 100, 50, 2000],
    ],
  ])("%s", (_, text, nodes, [token, retransmit, hold, consensus]) => {
    const { timing } = load(text, nodes);
    expect(timing).toMatchObject({
      tokenMs: token as number,
      tokenRetransmitMs: retransmit as number,
      holdMs: hold as number,
      consensusMs: consensus as number,
    });
  });

  test("fit what totem takes", () => {
    const { timing } = load("");
    const options: TotemOptions | undefined = timing;
    expect(options).toEqual({
      tokenMs: 1000,
      tokenWarning: 75,
      tokenRetransmitMs: 238,
      holdMs: 180,
      joinMs: 50,
      sendJoinMs: 0,
      consensusMs: 1200,
      mergeMs: 200,
      failRecvConst: 2500,
      seqnoUnchangedConst: 30,
      missCountConst: 5,
      windowSize: 50,
      maxMessages: 17,
      netmtu: 1500,
      cancelTokenHoldOnRetransmit: false,
    });
  });

  test.each([
    [
      "token = 120",
      "error",
      "token_retransmit comes out as 28 ms; 30 is the least",
      "Set token to 126 or more, or lower token_retransmits_before_loss_const",
    ],
    [
      "consensus = 1000",
      "warning",
      "consensus 1000 ms is below 1.2 × token 1000 ms: memberships may form and break in turns",
      "Set consensus to 1200 or remove it",
    ],
    [
      "consensus = 40",
      "error",
      "consensus 40 ms is below join 50 ms",
      "Remove consensus; it is computed as 1.2 × token",
    ],
    [
      "join = 5000",
      "error",
      "consensus 1200 ms is below join 5000 ms",
      "Set join to 1200 or less; it is best left out",
    ],
    [
      "hold = 2000",
      "error",
      "hold 2000 ms is not below token_retransmit 238 ms: an idle ring would send its token again all the time",
      "Remove hold; it is computed",
    ],
    [
      "token_retransmit = 1000",
      "error",
      "token_retransmit 1000 ms is not below token 1000 ms: a lost token would never be sent again",
      "Remove token_retransmit; it is computed",
    ],
  ])("%s", (line, severity, what, cure) => {
    const { problems } = load(`[quorum]\ntwo_node = 1\n[totem]\n${line}`);
    expect(problems).toEqual([
      { severity: severity as "error" | "warning", code: "TIMING", line: 4, what, cure },
    ]);
  });

  test("token 126 is enough", () => {
    expect(load("[quorum]\ntwo_node = 1\n[totem]\ntoken = 126").problems).toEqual([]);
  });

  test("say where they come from", () => {
    const [totem] = parseConfig("[totem]\ntoken = 2000\nhold = 300\n").tables;
    const rows = new Map((totem ? explainTotem(totem, 4) : []).map((row) => [row.name, row]));
    expect(rows.get("token")).toMatchObject({
      value: 3300,
      source: "computed",
      line: 2,
      how: "token 2000 + 2 nodes beyond two × token_coefficient 650",
    });
    expect(rows.get("hold")).toMatchObject({ value: 300, source: "given", line: 3 });
    expect(rows.get("join")).toMatchObject({ value: 50, source: "default" });
    expect(rows.get("failure detection")).toMatchObject({
      value: 3300 + 3960,
      how: expect.stringContaining("token 3300 + consensus 3960") as unknown,
    });
  });
});

describe("the log", () => {
  const logging = (text: string) => load(text).config?.logging;
  test("by default syslog, daemon, info", () => {
    expect(logging("")).toMatchObject({
      facility: "daemon",
      file: undefined,
      agentFacility: "daemon",
      thresholds: { syslog: "info", file: undefined, stderr: undefined },
    });
  });

  test("the names of Pacemaker count where [logging] is silent", () => {
    const names =
      '[sysconfig]\nPCMK_logfacility = "local1"\nPCMK_logpriority = "notice"\nPCMK_logfile = "none"\nHA_LOGFACILITY = "local2"\n';
    expect(logging(names)).toMatchObject({
      facility: "local1",
      agentFacility: "local2",
      thresholds: { syslog: "notice", file: undefined },
    });
    expect(logging(`${names}[logging]\nsyslog_facility = "local7"\nsyslog_priority = "debug"`)).toMatchObject(
      { facility: "local7", thresholds: { syslog: "debug" } },
    );
    expect(logging('[sysconfig]\nPCMK_logfacility = "none"')?.thresholds.syslog).toBeUndefined();
    expect(logging('[sysconfig]\nPCMK_logfile = "/var/log/x"')).toMatchObject({
      file: "/var/log/x",
      thresholds: { file: "info" },
    });
  });

  test("debug and the parts of the program", () => {
    const text =
      '[logging]\nto_stderr = true\nsyslog_priority = "err"\n[[logging.logger_subsys]]\nsubsys = "KNET"\ndebug = "trace"\n[[logging.logger_subsys]]\nsubsys = "FENCER"\nsyslog_priority = "debug"';
    const config = logging(text);
    expect(config?.thresholds).toEqual({ syslog: "error", file: undefined, stderr: "info" });
    expect(config?.parts.get("LINK")).toEqual({ syslog: "trace", file: undefined, stderr: "trace" });
    expect(config?.parts.get("FENCER")).toEqual({ syslog: "debug", file: undefined, stderr: "info" });
    expect(logging('[logging]\ndebug = "on"')?.thresholds.syslog).toBe("debug");
  });
});

describe("names of sysconfig", () => {
  test("reach the environment of agents as a shell would write them", () => {
    const { config } = load(
      '[sysconfig]\nPCMK_fail_fast = true\nPCMK_node_action_limit = 8\nHA_LOGFACILITY = "local1"\nSBD_WATCHDOG_TIMEOUT = 7',
    );
    expect(config?.sysconfig.environment).toEqual({
      PCMK_fail_fast: "yes",
      PCMK_node_action_limit: "8",
      HA_LOGFACILITY: "local1",
      SBD_WATCHDOG_TIMEOUT: "7",
    });
    expect(config?.sysconfig).toMatchObject({
      failFast: true,
      nodeActionLimit: 8,
      panicAction: "reboot",
      nodeStartState: "default",
    });
  });

  test("set the watchdog and the remote port unless hactl's own names do", () => {
    const names =
      '[sysconfig]\nSBD_WATCHDOG_DEV = "/dev/watchdog"\nSBD_WATCHDOG_TIMEOUT = 7\nPCMK_remote_port = 4000\nPCMK_authkey_location = "/k"';
    expect(load(names).config).toMatchObject({
      system: { watchdogDevice: "/dev/watchdog", watchdogTimeoutMs: 7000 },
      remote: { port: 4000, keyFile: "/k" },
    });
    const own = `${names}\n[system]\nwatchdog_device = "off"\n[remote]\nport = 3121`;
    expect(load(own).config).toMatchObject({
      system: { watchdogDevice: undefined, watchdogTimeoutMs: 7000 },
      remote: { port: 3121 },
    });
  });
});

test("the shown configuration is itself a configuration with the same meaning", () => {
  const text =
    '[totem]\ntoken = "1.5s"\n[system]\nocf_path = "/a:/b"\nwatchdog_timeout = 7\nwatchdog_device = "/dev/w"\n[quorum]\nauto_tie_breaker = true\nauto_tie_breaker_node = [2, 1]';
  const before = load(text, 3).config;
  const shown = showConfig(before?.tables ?? []);
  const after = checkConfig(shown, "g", { purpose: "text", machine: thisMachine() });
  expect(after.problems).toEqual([]);
  const meaning = (config: typeof before) =>
    config && { ...config, tables: [], file: "", sysconfig: { ...config.sysconfig, environment: {} } };
  expect(before).toBeDefined();
  expect(meaning(after.config)).toEqual(meaning(before));
  expect(shown).toContain("# line 2");
});
