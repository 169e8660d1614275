import type { RingProcessStatus } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { ask } from "../daemon.ts";
import { asTool, line, noSuch, usage } from "./connection.ts";
import { type OptionRow, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "get", short: "g", description: "print these keys" },
  {
    name: "map",
    short: "m",
    value: "MAP",
    description: "icmap (configuration, members) or stats (counters)",
  },
  { name: "binary", short: "b", description: "accepted" },
  { name: "quiet", short: "q", description: "only the values" },
  { name: "set", short: "s", description: "not supported: change hactl.toml and run 'hactl reload'" },
  { name: "delete", short: "d", description: "not supported" },
  { name: "delete-prefix", short: "D", description: "not supported" },
];

/** corosync-cmapctl(8), for reading: the configuration and the members under corosync's keys. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("corosync-cmapctl", "Configuration and members of the ring as keys.", table, words, async () => {
    const given = parseWords("corosync-cmapctl", table, words);
    const refused = ["set", "delete", "delete-prefix"].find((name) => given.has(name));
    if (refused)
      throw new HactlError({
        code: "NOT_SUPPORTED",
        what: `keys cannot be changed here (--${refused})`,
        cure: "change hactl.toml and run 'hactl reload'",
        exit: CrmExit.UNIMPLEMENT_FEATURE,
      });
    const map = given.value("map") ?? "icmap";
    if (map !== "icmap" && map !== "stats") throw usage("corosync-cmapctl", `there is no map "${map}"`);
    const status = await ask<RingProcessStatus>({ type: "ring-status" });
    const entries = map === "stats" ? statistics(status) : [...(await configuration()), ...members(status)];
    entries.sort((a, b) => (a.key < b.key ? -1 : 1));
    const wanted = given.has("get")
      ? entries.filter(({ key }) => given.words.includes(key))
      : entries.filter(
          ({ key }) => given.words.length === 0 || given.words.some((word) => key.startsWith(word)),
        );
    if (given.has("get") && wanted.length < given.words.length) {
      const missing = given.words.find((word) => !wanted.some(({ key }) => key === word));
      throw noSuch(`Can't get key ${missing}. Error CS_ERR_NOT_EXIST`);
    }
    for (const { key, type, value } of wanted)
      line(given.has("quiet") ? value : `${key} (${type}) = ${value}`);
    return CrmExit.OK;
  });

interface Entry {
  readonly key: string;
  readonly type: string;
  readonly value: string;
}

const entry = (key: string, value: string | number, type?: string): Entry => ({
  key,
  type: type ?? (typeof value === "number" ? "u32" : "str"),
  value: String(value),
});

/** The tables of hactl.toml that corosync.conf has too. */
async function configuration(): Promise<Entry[]> {
  const { configFile, loadConfigFile } = await import("../../config/index.ts");
  const { tables, nodes, localNode } = loadConfigFile(configFile(), "text");
  const counts = new Map<string, number>();
  const own = tables.flatMap((table) => {
    const { path, repeated } = table.table;
    if (!/^(?:totem|nodelist|quorum|logging)/.test(path)) return [];
    const number = counts.get(path) ?? 0;
    counts.set(path, number + 1);
    const prefix = repeated ? `${path}.${table.values.linknumber ?? number}` : path;
    return Object.entries(table.values)
      .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value))
      .map(([name, value]) =>
        typeof value === "boolean"
          ? entry(`${prefix}.${name}`, value ? "yes" : "no")
          : entry(`${prefix}.${name}`, value as string | number),
      );
  });
  const local = localNode ? nodes.indexOf(localNode) : -1;
  return local < 0 ? own : [...own, entry("nodelist.local_node_pos", local)];
}

function members({ core, names }: RingProcessStatus): Entry[] {
  const there = new Set<number>(core.totem.members);
  return Object.keys(names)
    .map(Number)
    .flatMap((node) => {
      const address = core.links.links.find((link) => link.node === node)?.address;
      const prefix = `runtime.members.${node}`;
      return [
        entry(`${prefix}.status`, there.has(node) ? "joined" : "left"),
        ...(address === undefined ? [] : [entry(`${prefix}.ip`, `r(0) ip(${address}) `)]),
      ];
    });
}

function statistics({ core }: RingProcessStatus): Entry[] {
  return [
    ...Object.entries(core.totem.counters).map(([name, value]) => entry(`stats.srp.${name}`, value, "u64")),
    ...Object.entries(core.links.counters).map(([name, value]) => entry(`stats.knet.${name}`, value, "u64")),
    ...core.links.links.flatMap(({ node, link, up, latencyMs, downs }) => [
      entry(`stats.knet.node${node}.link${link}.connected`, up ? 1 : 0, "u8"),
      entry(`stats.knet.node${node}.link${link}.down_count`, downs),
      ...(latencyMs === undefined
        ? []
        : [entry(`stats.knet.node${node}.link${link}.latency_ave`, Math.round(latencyMs * 1000))]),
    ]),
  ];
}
