import { BlockList, isIP } from "node:net";
import { canonicalAddress, type Findings } from "./check.ts";
import type { NodeConfig } from "./face.ts";
import type { ConfigContext, MachineFacts } from "./machine.ts";
import type { LoadedTable } from "./parse.ts";

/**
 * Which node this machine is (corosync.conf(5), nodelist): by the name it was told, by host name, by host name without
 * the domain, by a node name whose first part is the host's, by an address of an interface.
 */
export function findLocalNode(nodes: readonly NodeConfig[], context: ConfigContext): NodeConfig | undefined {
  if (context.node !== undefined) return nodes.find((node) => node.name === context.node);
  const full = context.machine.hostname.toLowerCase();
  const short = full.split(".")[0] ?? full;
  const local = new Set(context.machine.addresses.map((found) => canonicalAddress(found.address)));
  const rules: readonly ((node: NodeConfig) => boolean)[] = [
    (node) => node.name.toLowerCase() === full,
    (node) => node.name.toLowerCase() === short,
    (node) => node.name.toLowerCase().split(".")[0] === short,
    (node) => [...node.addresses.values()].some((address) => local.has(address)),
  ];
  for (const rule of rules) {
    const found = nodes.find(rule);
    if (found) return found;
  }
  return undefined;
}

/**
 * This node is in the list and its addresses are on this machine. When it starts, an address that no interface has yet may
 * still come, with a cable or a lease: the ring waits for it. On the machine of another node of the list it never comes.
 */
export function checkLocal(
  nodes: readonly NodeConfig[],
  tables: readonly LoadedTable[],
  context: ConfigContext,
  out: Findings,
): NodeConfig | undefined {
  const node = findLocalNode(nodes, context);
  const { machine } = context;
  if (!node) {
    const names = nodes.map((known) => known.name).join(", ");
    const asked =
      context.node === undefined ? `This machine (${machine.hostname})` : `The node ${context.node}`;
    out.error(
      "NOT_A_NODE",
      undefined,
      `${asked} is not in the node list: ${names}`,
      "Give a node the name that uname -n prints, or an address of this machine; or start with --node NAME",
    );
    return undefined;
  }
  const table = tables.find((candidate) => candidate.values.nodeid === node.id);
  const other = nodes.find(
    (known) => known !== node && [...known.addresses.values()].some((address) => isLocal(address, machine)),
  );
  const mayCome = context.purpose === "start" && !other;
  for (const [link, address] of node.addresses) {
    if (isLocal(address, machine)) continue;
    const own = machine.addresses
      .filter((found) => found.family === isIP(address))
      .map((found) => found.address);
    const what = `ring${link}_addr ${address} of this node (${node.name}) is not an address of this machine`;
    const line = table?.lines.get(`ring${link}_addr`);
    const have = `Its addresses are ${own.join(", ") || "none of that family"}`;
    const whose = other ? ` (that of ${other.name} is)` : "";
    const cure = `${have}${whose}; correct the node list, or bring the interface up`;
    if (mayCome) out.warning("ADDRESS_NOT_LOCAL", line, `${what} yet`, cure);
    else out.error("ADDRESS_NOT_LOCAL", line, what, cure);
  }
  return node;
}

/** [[totem.interface]] bindnetaddr is the network of this node's address, where the interface's prefix is known. */
export function checkBindNetworks(
  interfaces: readonly LoadedTable[],
  local: NodeConfig,
  machine: MachineFacts,
  out: Findings,
): void {
  for (const table of interfaces) {
    const wanted = table.values.bindnetaddr;
    const address = local.addresses.get(Number(table.values.linknumber ?? 0));
    if (typeof wanted !== "string" || address === undefined || isIP(wanted) === 0) continue;
    const found = machine.addresses.find((candidate) => canonicalAddress(candidate.address) === address);
    if (!found || sameNetwork(wanted, address, found.prefix)) continue;
    out.warning(
      "LINK",
      table.lines.get("bindnetaddr"),
      `bindnetaddr ${wanted} is not the network of this node's address ${address}/${found.prefix}, which is used`,
      "Correct or remove bindnetaddr",
    );
  }
}

function sameNetwork(a: string, b: string, prefix: number): boolean {
  if (isIP(a) !== isIP(b)) return false;
  const list = new BlockList();
  list.addSubnet(b, prefix, isIP(b) === 6 ? "ipv6" : "ipv4");
  return list.check(a, isIP(a) === 6 ? "ipv6" : "ipv4");
}

/** Whether a machine has an address; on Linux the whole of a loopback network is local. */
function isLocal(address: string, machine: MachineFacts): boolean {
  if (/^127\./.test(address)) return machine.addresses.some((found) => /^127\./.test(found.address));
  return machine.addresses.some((found) => canonicalAddress(found.address) === address);
}

/** Least and most bytes of a key (corosync-keygen(8): 128 to 4096; the remote key is 4096 by custom). */
export const keyBytes = { min: 128, max: 4096 } as const;

/** A key file: there, ours alone, and long enough. */
export function checkKeyFile(
  path: string,
  option: string,
  line: number | undefined,
  machine: MachineFacts,
  out: Findings,
): void {
  const facts = machine.path(path);
  const remake = `Make one with hactl keygen${option.startsWith("[remote]") ? " --remote" : ""} -k ${path} and copy it to every node`;
  if (!facts) {
    out.error("KEY_MISSING", line, `There is no key ${path} (${option})`, remake);
    return;
  }
  if (facts.kind !== "file") {
    out.error("KEY_KIND", line, `The key ${path} is not a file`, remake);
    return;
  }
  const mode = facts.mode.toString(8).padStart(4, "0");
  if ((facts.mode & 0o077) !== 0) {
    out.error(
      "KEY_EXPOSED",
      line,
      `The key ${path} has mode ${mode}: others can read or change it`,
      `chmod 0400 ${path}; and make a new key if somebody may have read it`,
    );
  } else if (facts.mode !== 0o400 && facts.mode !== 0o600) {
    out.error("KEY_MODE", line, `The key ${path} has mode ${mode}, not 0400`, `chmod 0400 ${path}`);
  }
  if (facts.uid !== machine.uid && facts.uid !== 0) {
    out.error("KEY_OWNER", line, `The key ${path} belongs to user ${facts.uid}`, `chown root: ${path}`);
  }
  if (facts.size < keyBytes.min || facts.size > keyBytes.max) {
    out.error(
      "KEY_SIZE",
      line,
      `The key ${path} has ${facts.size} bytes; it must have ${keyBytes.min} to ${keyBytes.max}`,
      remake,
    );
  }
}
