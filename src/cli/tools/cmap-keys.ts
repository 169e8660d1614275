import type { RingProcessStatus } from "../../daemon/index.ts";
import { ask } from "../daemon.ts";

/** A key of corosync's object database with what it is here. */
export interface Entry {
  readonly key: string;
  readonly type: string;
  readonly value: string;
}

/** The maps that there are: configuration and members, and counters. */
export type CmapName = "icmap" | "stats";

/** The keys of a map, in their order. */
export async function cmapEntries(map: CmapName): Promise<Entry[]> {
  const status = await ask<RingProcessStatus>({ type: "ring-status" });
  const entries = map === "stats" ? statistics(status) : [...(await configuration()), ...members(status)];
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
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
  const own = entry("runtime.votequorum.this_node_id", core.self);
  const ofNodes = Object.keys(names)
    .map(Number)
    .flatMap((node) => {
      const address = core.links.links.find((link) => link.node === node)?.address;
      const prefix = `runtime.members.${node}`;
      return [
        entry(`${prefix}.status`, there.has(node) ? "joined" : "left"),
        ...(address === undefined ? [] : [entry(`${prefix}.ip`, `r(0) ip(${address}) `)]),
      ];
    });
  return [own, ...ofNodes];
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
