import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, thisMachine } from "../../src/config/index.ts";
import { executorConfig, prepareAgent } from "../../src/daemon/executor.ts";
import { agentEnvironment } from "../../src/daemon/executor-environment.ts";
import { agentHostOptions } from "../../src/daemon/executor-mode.ts";
import { openLog } from "../../src/platform/index.ts";

const base = mkdtempSync(join(tmpdir(), "hactl-agent-directories-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

test("an agent that is about to run finds its directories, whichever of them was removed", () => {
  const runDir = join(base, "run");
  const log = openLog({ tag: "test", thresholds: {}, writeStderr: () => {} });
  const options = { runDir, nodeName: "n1", log, command: ["/bin/true"], rscTmp: join(base, "notes") };
  executorConfig(options);
  for (const lost of [join(base, "notes"), join(runDir, "tools"), runDir]) {
    rmSync(lost, { recursive: true });
    prepareAgent(options);
    for (const made of [join(base, "notes"), join(runDir, "tools")])
      expect(statSync(made).isDirectory()).toBe(true);
  }
});

describe("an agent's environment", () => {
  const of = (logging: string) =>
    agentHostOptions(
      loadConfig(
        `[totem]\ncluster_name = "t"\n[[nodelist.node]]\nname = "n1"\nnodeid = 1\nring0_addr = "127.0.0.1"\n[logging]\n${logging}\n`,
        "hactl.toml",
        { purpose: "text", machine: thisMachine() },
      ),
      "hactl.toml",
    ).sysconfig;

  test("names the log file where there is one: agents add their own lines to it", () => {
    const file = join(base, "log");
    expect(of(`to_logfile = true\nlogfile = "${file}"`)).toMatchObject({
      HA_logfile: file,
      HA_LOGFILE: file,
    });
    for (const logging of [`to_logfile = false\nlogfile = "${file}"`, "to_syslog = true"])
      expect(Object.keys(of(logging) ?? {}).filter((name) => /logfile/i.test(name))).toEqual([]);
  });

  test("has the host's language, which is left when an agent takes LC_ALL away", () => {
    const places = { toolsDir: "/tools", rscTmp: "/notes" };
    expect(agentEnvironment({ ...places, lang: "de_DE.UTF-8" })).toMatchObject({
      LANG: "de_DE.UTF-8",
      LC_ALL: "C",
    });
    expect(agentEnvironment(places)).not.toHaveProperty("LANG");
  });
});
