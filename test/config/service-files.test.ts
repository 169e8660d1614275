import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { configTables } from "../../src/config/index.ts";

/** What conf/ says to other programs must agree with the defaults of hactl.toml. */
const conf = (name: string) => readFileSync(join(import.meta.dir, "../../conf", name), "utf8");
const fallback = (path: string, name: string) =>
  configTables.find((table) => table.path === path)?.options.find((option) => option.name === name)?.default;

describe("files for other programs", () => {
  test("the firewall opens the ports that hactl uses by default: eight links, remote nodes, crash dumps", () => {
    const ports = (parseXml(conf("hactl.firewalld.xml")).root?.children ?? []).flatMap((child) =>
      child instanceof XmlElement && child.name === "port" ? [child.attributes] : [],
    );
    expect(ports).toEqual([
      { protocol: "udp", port: "5405-5412" },
      { protocol: "tcp", port: fallback("remote", "port") ?? "" },
      { protocol: "udp", port: fallback("kdump", "port") ?? "" },
    ]);
  });

  test("the group and the directories are those of the defaults", () => {
    expect(conf("hactl.sysusers")).toContain(`g ${fallback("system", "group")} `);
    const directories = conf("hactl.tmpfiles")
      .split("\n")
      .flatMap((line) => line.match(/^d (\S+)/)?.[1] ?? []);
    expect(directories).toContain(fallback("system", "run_dir") ?? "");
    expect(directories).toContain(fallback("system", "state_dir") ?? "");
  });

  test("end a daemon that hangs with the one signal that a stopped process cannot keep waiting", () => {
    for (const unit of ["hactl.service", "hactl-remote.service"])
      expect(conf(unit)).toMatch(/\nWatchdogSec=30s\nWatchdogSignal=SIGKILL\n/);
  });

  test("the units start and stop what exists and take dangerous variables away", () => {
    for (const [name, command] of [
      ["hactl.service", "start"],
      ["hactl-remote.service", "remote"],
    ] as const) {
      const unit = conf(name);
      expect(unit).toContain(`\nExecStart=/usr/sbin/hactl ${command}\n`);
      expect(unit).toContain("\nType=notify\n");
      // Services that agents started share the unit's control group.
      expect(unit).toContain("\nKillMode=process\n");
      expect(unit).toMatch(/\nUnsetEnvironment=.*\bBUN_OPTIONS BUN_BE_BUN\b/);
    }
    // What a unit sets and takes away again is not set (systemd.exec(5)).
    expect(conf("hactl.service")).toMatch(/\nEnvironment=BUN_JSC_forceRAMSize=\d+\n/);
    expect(conf("hactl.service")).toMatch(/\nEnvironment=BUN_JSC_useFTLJIT=0\n/);
    expect(conf("hactl.service")).not.toMatch(/\nUnsetEnvironment=.*\bBUN_JSC_(forceRAMSize|useFTLJIT)\b/);
  });

  test("rsyslog collects a facility that [logging] offers", () => {
    const facility = conf("rsyslog-hactl.conf").match(/^(\w+)\.info\s/m)?.[1];
    const offered = configTables
      .find((table) => table.path === "logging")
      ?.options.find((option) => option.name === "syslog_facility")?.values;
    expect(offered).toContain(facility ?? "none");
  });
});
