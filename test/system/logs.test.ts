import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkConfig, thisMachine } from "../../src/config/index.ts";
import { openLog } from "../../src/platform/index.ts";

/** Needs rsyslog and logrotate. */
const root = mkdtempSync(join(tmpdir(), "hactl-logs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const conf = (name: string) => readFileSync(join(import.meta.dir, "../../conf", name), "utf8");
const at = (name: string) => join(root, name);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(10);
}
const content = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), "utf8") : "");

describe("one log for the whole cluster stack", () => {
  test("rsyslog with the sample puts everything of hactl into ha-log and nothing into messages", async () => {
    writeFileSync(
      at("rsyslog.conf"),
      [
        `module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="${at("log")}")`,
        "$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat",
        conf("rsyslog-hactl.conf").replaceAll("/var/log/ha-log", at("ha-log")),
        `*.info ${at("messages")}`,
      ].join("\n"),
    );
    const daemon = Bun.spawn(["rsyslogd", "-n", "-f", at("rsyslog.conf"), "-i", at("pid")], {
      stdout: "ignore",
      stderr: "ignore",
    });
    await until(() => existsSync(at("log")));
    const text =
      '[logging]\nsyslog_facility = "local1"\n[[nodelist.node]]\nname = "a"\nnodeid = 1\nring0_addr = "10.0.0.1"\n';
    const { config } = checkConfig(text, "f", { purpose: "text", machine: thisMachine() });
    const log = openLog({
      tag: "hactl",
      syslogPath: at("log"),
      facility: config?.logging.facility ?? "daemon",
      thresholds: config?.logging.thresholds ?? {},
    });
    log.notice("NODE-LOST", "Node vm02 is lost", { node: "vm02" });
    log.debug("DETAIL", "not wanted");
    const other = openLog({
      tag: "other",
      facility: "daemon",
      syslogPath: at("log"),
      thresholds: { syslog: "info" },
    });
    other.info("X", "somebody else");
    await until(() => content("messages").includes("somebody else"));
    await until(() => content("ha-log") !== "");
    daemon.kill();
    await daemon.exited;
    expect(content("ha-log")).toMatch(
      /^\w{3} [ \d]\d [\d:]{8} \S+ hactl\[\d+\]: notice: Node vm02 is lost \[NODE-LOST\] node=vm02\n$/,
    );
    expect(content("messages")).not.toContain("vm02");
  }, 30_000);

  test("logrotate takes the sample, and the log goes on in a new file", async () => {
    mkdirSync(at("logs"));
    const file = at("logs/hactl.log");
    writeFileSync(at("rotate.conf"), conf("hactl.logrotate").replace("/var/log/hactl", at("logs")));
    const log = openLog({ tag: "hactl", file, thresholds: { file: "info" } });
    log.info("A", "before");
    await until(() => content("logs/hactl.log").includes("before"));
    const rotate = Bun.spawnSync(["logrotate", "-f", "-s", at("state"), at("rotate.conf")], {
      stderr: "pipe",
    });
    expect(rotate.stderr.toString()).toBe("");
    log.info("B", "after");
    await log.close();
    expect(content("logs/hactl.log")).toContain("after");
    expect(content("logs/hactl.log.1")).toContain("before");
  }, 30_000);
});
