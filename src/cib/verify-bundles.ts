import { replicaAddresses } from "./bundle-addresses.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseInteger } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

const agents = ["docker", "podman", "rkt"] as const;

/** Bundles whose numbers and addresses do not go together: the cluster makes something else of them, or nothing that works. */
export function findBundleProblems(configuration: XmlElement): CibProblem[] {
  return childrenOf(child(configuration, "resources"), "bundle").flatMap((bundle) => {
    const container = bundle.children.find(({ name }) => agents.some((agent) => agent === name));
    return container ? [...checkCounts(bundle, container), ...checkNetwork(bundle, container)] : [];
  });
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";
const countOf = ({ attributes }: XmlElement, name: string): number | undefined =>
  parseInteger(attributes.get(name));

const warn = (source: XmlElement, code: string, text: string, cure: string): CibProblem[] => [
  problemAt(source, "warning", code, text, cure),
];

/** How many replicas there are: as many as can be promoted, where nothing is said. */
function replicasOf(container: XmlElement): number {
  const promoted = countOf(container, "promoted-max") ?? countOf(container, "masters") ?? 0;
  return Math.max(1, countOf(container, "replicas") ?? promoted);
}

function checkCounts(bundle: XmlElement, container: XmlElement): CibProblem[] {
  const what = `bundle "${idOf(bundle)}"`;
  const least = [
    ["replicas", 1],
    ["replicas-per-host", 1],
    ["promoted-max", 0],
    ["masters", 0],
  ] as const;
  const problems = least.flatMap(([name, low]) => {
    const count = countOf(container, name);
    if (count === undefined || count >= low) return [];
    const text = `${name}="${count}" of ${what} counts as ${low}, the least that is possible`;
    const cure = `write ${low} or more${name === "replicas" ? ", or remove the bundle or stop it with target-role=Stopped" : ""}`;
    return warn(bundle, "BAD_VALUE", text, cure);
  });
  const replicas = replicasOf(container);
  const promoted = countOf(container, "promoted-max") ?? countOf(container, "masters") ?? 0;
  if (promoted > replicas) {
    const text = `${promoted} replicas of ${what} shall be promoted, but it has ${replicas}`;
    problems.push(...warn(bundle, "BAD_VALUE", text, "raise replicas, or lower promoted-max"));
  }
  return problems;
}

function checkNetwork(bundle: XmlElement, container: XmlElement): CibProblem[] {
  const network = child(bundle, "network");
  if (!network) return [];
  return [...checkControlPort(bundle, network), ...checkAddresses(bundle, container, network)];
}

function checkControlPort(bundle: XmlElement, network: XmlElement): CibProblem[] {
  if (!network.attributes.has("control-port") || child(bundle, "primitive")) return [];
  const text = `control-port of bundle "${idOf(bundle)}" has no effect: without a resource in it nobody connects to it`;
  return warn(bundle, "UNUSED_OPTION", text, "remove control-port, or put a primitive into the bundle");
}

function checkAddresses(bundle: XmlElement, container: XmlElement, network: XmlElement): CibProblem[] {
  const what = `bundle "${idOf(bundle)}"`;
  const first = network.attributes.get("ip-range-start");
  if (first === undefined) {
    const perHost = countOf(container, "replicas-per-host") ?? 1;
    if (perHost <= 1 || !network.attributes.has("control-port") || !child(bundle, "primitive")) return [];
    const text = `${what} has control-port but no ip-range-start: of ${perHost} replicas on a host only one could use the port`;
    const cure = "write replicas-per-host=1, or give each replica an address by ip-range-start";
    return [problemAt(bundle, "error", "ONE_PER_HOST", text, cure)];
  }
  const number = addressNumber(first);
  if (number === undefined) {
    if (isIp6(first)) return [];
    const text = `ip-range-start="${first}" of ${what} is no address`;
    return warn(bundle, "BAD_VALUE", text, "write an address of IPv4, such as 192.168.122.131");
  }
  const count = Math.min(4096, replicasOf(container));
  const all = replicaAddresses(first, count);
  const bits = countOf(network, "host-netmask");
  // Without a netmask, or with the whole address as one, each address stands for itself.
  const size = bits === undefined || bits < 1 || bits >= 32 ? 2 ** 32 : 2 ** (32 - bits);
  const net = Math.floor(number / size);
  const outside = all.find((address) => {
    const other = address === undefined ? undefined : addressNumber(address);
    return other === undefined || Math.floor(other / size) !== net;
  });
  if (outside === undefined && !all.includes(undefined)) return [];
  const which = outside === undefined ? "there is none left" : `${outside} is not in its network`;
  const text = `${what} needs ${count} addresses from ${first}${bits === undefined ? "" : `/${bits}`} on, and ${which}`;
  return warn(bundle, "ADDRESS_RANGE", text, "begin at a lower address, or write a shorter host-netmask");
}

/** An address of IPv4 as a number. */
function addressNumber(text: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** Whether it could be an address of IPv6; the agent of the address looks closer. */
const isIp6 = (text: string): boolean => /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text);
