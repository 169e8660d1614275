import { isIP } from "node:net";
import { MAX_NODES } from "../terms/index.ts";
import { buildNode } from "./build.ts";
import type { LinkConfig, NodeConfig } from "./face.ts";
import type { ConfigContext, MachineFacts } from "./machine.ts";
import type { LoadedTable } from "./parse.ts";
import type { ConfigProblem } from "./problem.ts";

/** Collects what is wrong, with the line where it is known. */
export class Findings {
  readonly problems: ConfigProblem[] = [];

  error(code: string, line: number | undefined, what: string, cure: string): void {
    this.problems.push({ severity: "error", code, ...(line !== undefined && { line }), what, cure });
  }

  warning(code: string, line: number | undefined, what: string, cure: string): void {
    this.problems.push({ severity: "warning", code, ...(line !== undefined && { line }), what, cure });
  }
}

const linkNumbers: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Addresses of no host: the unspecified one, groups, and what is for all hosts of a network. */
const isForNoHost = (address: string): boolean =>
  /^(?:0\.|22[4-9]\.|2[345]\d\.|::$|ff[0-9a-f]{2}:)/i.test(address);

/** Numeric form in which equal addresses are equal: IPv6 shortened, no mapped IPv4. */
export function canonicalAddress(text: string): string {
  if (isIP(text) !== 6) return text;
  const host = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  return host;
}

/** The node list: names, ids, addresses, each by itself and all together. */
export function checkNodes(
  tables: readonly LoadedTable[],
  totem: LoadedTable,
  context: ConfigContext,
  out: Findings,
): NodeConfig[] {
  const order = String(totem.values.ip_version ?? "ipv4-6");
  const nodes = tables.map((table) => ({ table, node: checkNode(table, order, context.machine, out) }));
  checkUnique(nodes, out);
  const first = tables[MAX_NODES];
  if (first) {
    out.error(
      "TOO_MANY",
      first.line,
      `${tables.length} nodes are listed; a cluster may have ${MAX_NODES}`,
      "Make two clusters, or run what need not be a member as a remote node (hactl remote)",
    );
  }
  return nodes.flatMap(({ node }) => node ?? []);
}

function checkNode(
  table: LoadedTable,
  order: string,
  machine: MachineFacts,
  out: Findings,
): NodeConfig | undefined {
  const { values, lines, line } = table;
  const written = new Map<number, string>();
  const addresses = new Map<number, string>();
  const which = values.name ?? values.nodeid ?? `number ${table.index + 1}`;
  for (const link of linkNumbers) {
    const text = values[`ring${link}_addr`];
    if (typeof text !== "string") continue;
    written.set(link, text);
    const address = resolveAddress(text, order, machine);
    if (address === undefined) {
      const what = `ring${link}_addr ${JSON.stringify(text)} is not an address, and /etc/hosts does not know it`;
      out.error(
        "ADDRESS_UNKNOWN",
        lines.get(`ring${link}_addr`),
        what,
        "Write the numeric address, or add the name to /etc/hosts on every node",
      );
    } else if (isForNoHost(address)) {
      const what = `ring${link}_addr ${address} is not the address of a host`;
      out.error(
        "ADDRESS_UNKNOWN",
        lines.get(`ring${link}_addr`),
        what,
        "Write the address that the node has on this network",
      );
    } else addresses.set(link, address);
  }
  const id = values.nodeid;
  if (!lines.has("ring0_addr")) {
    out.error(
      "MISSING",
      line,
      `The node ${which} has no ring0_addr`,
      'Add ring0_addr = "ADDRESS", its address on the first network',
    );
  }
  if (id === undefined && !lines.has("nodeid")) {
    out.error(
      "MISSING",
      line,
      `The node ${which} has no nodeid`,
      "Add nodeid = NUMBER, another for each node",
    );
  }
  const ring0 = values.ring0_addr;
  const name = values.name ?? (typeof ring0 === "string" && isIP(ring0) === 0 ? ring0 : undefined);
  if (name === undefined && !lines.has("name")) {
    out.error(
      "MISSING",
      line,
      `The node ${which} has no name`,
      'Add name = "NAME", best as uname -n prints there',
    );
  }
  if (typeof id !== "number" || typeof name !== "string") return undefined;
  if (/[\s"'<>&/]/.test(name) || name === "") {
    out.error(
      "VALUE",
      lines.get("name"),
      `The node name ${JSON.stringify(name)} has a character that names cannot have`,
      "Use letters, digits, dots, hyphens and underscores",
    );
  }
  return buildNode(table, name, id, addresses, written);
}

function resolveAddress(text: string, order: string, machine: MachineFacts): string | undefined {
  const plain = text.replace(/%.*$/, "");
  if (isIP(plain) !== 0) return canonicalAddress(plain);
  const found = machine
    .resolve(text)
    .map((address) => address.replace(/%.*$/, ""))
    .filter((address) => isIP(address) !== 0);
  const families = order === "ipv6-4" ? [6, 4] : order === "ipv4" ? [4] : order === "ipv6" ? [6] : [4, 6];
  for (const family of families) {
    const address = found.find((candidate) => isIP(candidate) === family);
    if (address !== undefined) return canonicalAddress(address);
  }
  return undefined;
}

function checkUnique(
  nodes: readonly { table: LoadedTable; node: NodeConfig | undefined }[],
  out: Findings,
): void {
  const ids = new Map<string, LoadedTable>();
  const names = new Map<string, LoadedTable>();
  const addresses = new Map<string, LoadedTable>();
  const title = (table: LoadedTable) => `the node in line ${table.line ?? "?"}`;
  for (const { table, node } of nodes) {
    const claim = (
      known: Map<string, LoadedTable>,
      key: string,
      option: string,
      what: string,
      cure: string,
    ) => {
      const other = known.get(key);
      if (other)
        out.error(
          "DUPLICATE",
          table.lines.get(option) ?? table.line,
          `${what} is also that of ${title(other)}`,
          cure,
        );
      else known.set(key, table);
    };
    const id = table.values.nodeid;
    if (typeof id === "number")
      claim(ids, String(id), "nodeid", `nodeid ${id}`, "Give each node a nodeid of its own");
    if (!node) continue;
    claim(
      names,
      node.name.toLowerCase(),
      "name",
      `The name ${node.name}`,
      "Give each node a name of its own",
    );
    for (const [link, address] of node.addresses) {
      claim(
        addresses,
        address,
        `ring${link}_addr`,
        `The address ${address}`,
        "Give each node addresses of its own, on each link another",
      );
    }
  }
}

/** Links: the same on every node, of one family each, with a port; and what [[totem.interface]] says of them. */
export function checkLinks(
  interfaces: readonly LoadedTable[],
  nodes: readonly NodeConfig[],
  nodeTables: readonly LoadedTable[],
  tokenMs: number,
  out: Findings,
): LinkConfig[] {
  const used = linkNumbers.filter((link) => nodes.some((node) => node.written.has(link)));
  checkEveryNodeHasLink(used, nodes, nodeTables, out);
  const byNumber = new Map<number, LoadedTable>();
  for (const table of interfaces) {
    const link = Number(table.values.linknumber ?? 0);
    const line = table.lines.get("linknumber") ?? table.line;
    if (byNumber.has(link))
      out.error(
        "DUPLICATE",
        line,
        `Link ${link} has two [[totem.interface]] tables`,
        "Give each a linknumber of its own",
      );
    else if (nodes.length > 0 && !used.includes(link)) {
      out.error(
        "LINK",
        line,
        `Link ${link} has a [[totem.interface]] but no node has a ring${link}_addr`,
        `Add ring${link}_addr to every node, or remove the table`,
      );
    }
    byNumber.set(link, table);
  }
  return used.flatMap((link) => {
    const family = checkFamily(link, nodes, nodeTables, out);
    return family === undefined ? [] : [buildLink(link, family, byNumber.get(link), tokenMs)];
  });
}

function checkEveryNodeHasLink(
  used: readonly number[],
  nodes: readonly NodeConfig[],
  tables: readonly LoadedTable[],
  out: Findings,
): void {
  for (const node of nodes) {
    // A node without any address has its own message.
    if (!node.written.has(0)) continue;
    for (const link of used.filter((number) => !node.written.has(number))) {
      const table = tables.find((candidate) => candidate.values.nodeid === node.id);
      const others = nodes.filter((other) => other.written.has(link)).map((other) => other.name);
      out.error(
        "LINK",
        table?.line,
        `The node ${node.name} has no ring${link}_addr, but ${others.join(", ")} ${others.length === 1 ? "has" : "have"} one`,
        `Every node needs an address on every link: add ring${link}_addr, or remove it from the others`,
      );
    }
  }
}

function checkFamily(
  link: number,
  nodes: readonly NodeConfig[],
  tables: readonly LoadedTable[],
  out: Findings,
): 4 | 6 | undefined {
  let family: 4 | 6 | undefined;
  for (const node of nodes) {
    const address = node.addresses.get(link);
    if (address === undefined) continue;
    const own = isIP(address) === 6 ? 6 : 4;
    family ??= own;
    if (own === family) continue;
    const line = tables.find((table) => table.values.nodeid === node.id)?.lines.get(`ring${link}_addr`);
    out.error(
      "FAMILY",
      line,
      `Link ${link} has IPv${family} addresses, but ${node.name} has ${address} there`,
      "Use one address family on a link",
    );
  }
  return family;
}

function buildLink(link: number, family: 4 | 6, table: LoadedTable | undefined, tokenMs: number): LinkConfig {
  const value = (name: string, fallback: number) => Number(table?.values[name] ?? fallback);
  const pongCount = value("knet_pong_count", 2);
  return {
    number: link,
    family,
    port: value("mcastport", 5405 + link),
    priority: value("knet_link_priority", 1),
    // Link supervision as knet computes it: fast enough to change links before the token is lost.
    pingIntervalMs: value("knet_ping_interval", Math.max(10, Math.floor(tokenMs / (pongCount * 2)))),
    pingTimeoutMs: value("knet_ping_timeout", Math.max(10, Math.floor(tokenMs / pongCount))),
    pongCount,
  };
}
