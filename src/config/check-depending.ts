import { isIP } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { canonicalAddress, type Findings } from "./check.ts";
import type { HactlConfig } from "./face.ts";
import type { ConfigContext, MachineFacts } from "./machine.ts";
import type { LoadedTable } from "./parse.ts";
import { readValue } from "./value.ts";

/** An option that is written and counts only while another one says so. */
interface Depending {
  readonly table: string;
  readonly name: string;
  /** Whether it counts, by all that is in force. */
  readonly counts: (config: Checked) => boolean;
  readonly without: string;
  readonly cure: string;
}

/** What is in force of a configuration that is checked. */
export type Checked = Pick<HactlConfig, "quorum" | "logging" | "system" | "kdump" | "remote">;

const quorum = (name: string, other: string, counts: (config: Checked) => boolean): Depending => ({
  table: "quorum",
  name,
  counts,
  without: `${other} is not set`,
  cure: `Set ${other} = true, or remove the line`,
});

const depending: readonly Depending[] = [
  quorum("last_man_standing_window", "last_man_standing", (config) => config.quorum.lastManStanding),
  quorum("auto_tie_breaker_node", "auto_tie_breaker", (config) => config.quorum.autoTieBreaker),
  {
    table: "logging",
    name: "logfile",
    counts: ({ logging }) => logging.thresholds.file !== undefined,
    without: "to_logfile is false",
    cure: "Set to_logfile = true, or remove the line",
  },
  {
    table: "logging",
    name: "logfile_priority",
    counts: ({ logging: { thresholds } }) => thresholds.file !== undefined || thresholds.stderr !== undefined,
    without: "nothing is logged to a file",
    cure: "Set to_logfile = true and a logfile, or remove the line",
  },
  ...["syslog_priority", "syslog_facility"].map((name) => ({
    table: "logging",
    name,
    counts: ({ logging }: Checked) => logging.thresholds.syslog !== undefined,
    without: "nothing is logged to syslog",
    cure: "Set to_syslog = true, or remove the line",
  })),
  {
    table: "system",
    name: "priority",
    counts: ({ system }) => system.realtime,
    without: "sched_rr is false",
    cure: "Set sched_rr = true, or remove the line",
  },
  {
    table: "system",
    name: "watchdog_timeout",
    counts: ({ system }) => system.watchdogDevice !== undefined,
    without: "there is no watchdog_device",
    cure: 'Set watchdog_device = "/dev/watchdog", or remove the line',
  },
  {
    table: "kdump",
    name: "plain",
    counts: ({ kdump }) => kdump.listen,
    without: "listen is false",
    cure: "Set listen = true, or remove the line",
  },
];

/** Options that are written and do nothing, since another one is not set that they go with. */
export function checkDepending(config: Checked, one: (path: string) => LoadedTable, out: Findings): void {
  for (const { table, name, counts, without, cure } of depending) {
    const loaded = one(table);
    const line = loaded.lines.get(name);
    if (line !== undefined && !isDefault(loaded, name) && !counts(config))
      out.warning("UNUSED", line, `${name} has no effect: ${without}`, cure);
  }
}

/** What would hold anyway nobody misses. */
function isDefault({ table, values }: LoadedTable, name: string): boolean {
  const option = table.options.find((row) => row.name === name);
  const usual = option?.default === undefined ? undefined : readValue(option, option.default);
  return usual?.ok === true && isDeepStrictEqual(usual.value, values[name]);
}

const directories = [
  "ocf_path",
  "fence_path",
  "stonith_plugin_path",
  "lsb_path",
  "secrets_dir",
  "tools_dir",
] as const;

/** Directories that are written and are not there: agents are looked for in vain. They may come with a package later. */
export function checkDirectories(system: LoadedTable, machine: MachineFacts, out: Findings): void {
  for (const name of directories) {
    const value = system.values[name];
    const line = system.lines.get(name);
    if (value === undefined || line === undefined) continue;
    for (const path of Array.isArray(value) ? value : [String(value)]) {
      const kind = machine.path(path)?.kind;
      if (kind === "directory") continue;
      const what = kind === undefined ? "does not exist" : "is no directory";
      out.warning("DIRECTORY", line, `${name} ${path} ${what}`, "Correct the path, or remove it");
    }
  }
}

/** Where `hactl remote` listens: an address that is none keeps it from starting. */
export function checkListen(
  { listen }: Checked["remote"],
  remote: LoadedTable,
  sysconfig: LoadedTable,
  { purpose, machine }: ConfigContext,
  out: Findings,
): void {
  const line = remote.lines.get("listen") ?? sysconfig.lines.get("PCMK_remote_address");
  if (line === undefined) return;
  const option = remote.lines.has("listen") ? "listen" : "PCMK_remote_address";
  const numeric = listen.replace(/%.*$/, "");
  const cure = "Write a numeric address of the remote host, or :: for all";
  if (isIP(numeric) === 0 && machine.resolve(listen).length === 0) {
    out.error(
      "VALUE",
      line,
      `${option} ${JSON.stringify(listen)} is not an address, and /etc/hosts does not know it`,
      cure,
    );
    return;
  }
  // On a cluster node nothing listens there.
  if (purpose !== "remote" || isIP(numeric) === 0 || /^(?:::|0\.0\.0\.0|127\..*|::1)$/.test(numeric)) return;
  const wanted = canonicalAddress(numeric);
  if (machine.addresses.some(({ address }) => canonicalAddress(address.replace(/%.*$/, "")) === wanted))
    return;
  out.warning("ADDRESS_NOT_LOCAL", line, `${option} ${listen} is not an address of this machine`, cure);
}
