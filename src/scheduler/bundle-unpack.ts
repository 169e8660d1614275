import {
  child,
  childrenOf,
  cloneElement,
  element,
  parseBoolean,
  parseInteger,
  replicaAddresses,
  type XmlElement,
} from "../cib/index.ts";
import { INFINITY } from "../terms/index.ts";
import { connectionXml } from "./connections.ts";
import { refuseTooMany } from "./instance-limit.ts";
import type { BundleReplica, BundleSettings, Resource } from "./model.ts";
import { addNode } from "./nodes.ts";
import type { Unpacker } from "./unpacker.ts";

const agents = ["docker", "rkt", "podman"] as const;
const remotePort = "3121";
/** Paths that the container's definition contains; existing containers restart if they change. */
const paths = {
  key: "/etc/pacemaker/authkey",
  logs: "/var/log/pacemaker/bundles",
  remoteDaemon: "/usr/sbin/pacemaker-remoted",
  ping: "/bin/true",
} as const;

/** Makes a resource from its XML; resources.ts passes its own so that the two need not know each other. */
export type MakeResource = (
  unpacker: Unpacker,
  xml: XmlElement,
  parent: Resource | undefined,
  instance: number | undefined,
) => Resource | undefined;

/**
 * Reads a bundle: a container for each replica, perhaps with an address and, when something runs inside, a
 * connection and a node for it (Pacemaker Explained, "Bundles").
 */
export function unpackBundle(unpacker: Unpacker, bundle: Resource, unpackResource: MakeResource): boolean {
  const { cluster } = unpacker;
  const agent = agents.find((name) => child(bundle.xml, name));
  const containerXml = agent && child(bundle.xml, agent);
  if (!agent || !containerXml) {
    cluster.error(`Bundle "${bundle.id}" has no container definition`, bundle.id);
    return false;
  }
  // Told where that is found.
  if (unpacker.toMembers.has(bundle.xml)) return false;
  const settings = readSettings(bundle, agent, containerXml, cluster.rules.bundlesColocateByRole);
  bundle.bundle = settings;
  const primitive = child(bundle.xml, "primitive");
  const count = replicaCount(containerXml, settings);
  refuseTooMany(cluster, bundle.id, count, 1);
  if (settings.replicasPerHost === 1) bundle.unique = false;
  if (primitive && settings.ipRangeStart === undefined && settings.controlPort === undefined) {
    cluster.error(
      `Cannot control ${primitive.attributes.get("id")} inside ${bundle.id} without either ip-range-start or control-port`,
      bundle.id,
    );
    return false;
  }
  const addresses = replicaAddresses(settings.ipRangeStart, count);
  const hosts = addresses.map((address, offset) => hostOption(settings, bundle.id, offset, address)).join("");
  if (primitive) {
    const inner = unpackInner(unpacker, unpackResource, bundle, settings, primitive, count);
    if (!inner) return false;
    settings.clone = inner;
    settings.mounts.push({ source: paths.key, target: paths.key, options: undefined, perReplica: false });
    if (!settings.mounts.some(({ target }) => target === "/var/log"))
      settings.mounts.push({ source: paths.logs, target: "/var/log", options: undefined, perReplica: true });
    const port = settings.controlPort ?? remotePort;
    settings.ports.push({ source: port, target: port });
    const target = inner.children[0]?.meta.get("container-attribute-target");
    settings.attributeTarget = target;
    if (target !== undefined)
      for (const rsc of [bundle, inner]) rsc.meta.set("container-attribute-target", target);
  }
  for (let offset = 0; offset < count; offset++) {
    const instance = settings.clone?.children[offset];
    if (settings.clone && !instance) break;
    if (instance) {
      instance.exclusiveDiscovery = true;
      if (instance.notify && settings.clone) settings.clone.notify = true;
    }
    const made = makeReplica(
      unpacker,
      unpackResource,
      bundle,
      settings,
      offset,
      instance,
      addresses[offset],
      hosts,
    );
    if (!made) return false;
    settings.replicas.push(made);
  }
  if (settings.clone) bundle.children.push(settings.clone);
  return true;
}

function readSettings(
  bundle: Resource,
  agent: string,
  xml: XmlElement,
  colocatesByRole: boolean,
): BundleSettings {
  const value = (name: string) => xml.attributes.get(name);
  const network = child(bundle.xml, "network");
  const storage = child(bundle.xml, "storage");
  const promotedMax = parseInteger(value("promoted-max") ?? value("masters")) ?? 0;
  return {
    agent,
    image: value("image") ?? "",
    replicas: [],
    replicasPerHost: Math.max(1, parseInteger(value("replicas-per-host")) ?? 1),
    promotedMax: Math.max(0, promotedMax),
    network: value("network"),
    hostNetwork: network?.attributes.get("host-interface"),
    controlPort: network?.attributes.get("control-port"),
    ipRangeStart: network?.attributes.get("ip-range-start"),
    hostNetmask: network?.attributes.get("host-netmask"),
    addHost:
      network === undefined ? true : (parseBoolean(network.attributes.get("add-host") ?? "true") ?? false),
    runCommand: value("run-command"),
    options: value("options"),
    clone: undefined,
    mounts: childrenOf(storage, "storage-mapping").flatMap((mapping) => {
      const root = mapping.attributes.get("source-dir-root");
      const source = mapping.attributes.get("source-dir") ?? root;
      const target = mapping.attributes.get("target-dir");
      if (source === undefined || target === undefined) return [];
      const perReplica = mapping.attributes.get("source-dir") === undefined;
      return [{ source, target, options: mapping.attributes.get("options"), perReplica }];
    }),
    ports: childrenOf(network, "port-mapping").flatMap((mapping) => {
      const source = mapping.attributes.get("port") ?? mapping.attributes.get("range");
      if (source === undefined) return [];
      return [{ source, target: mapping.attributes.get("internal-port") ?? source }];
    }),
    attributeTarget: undefined,
    colocatesByRole,
  };
}

function replicaCount(xml: XmlElement, settings: BundleSettings): number {
  const text = xml.attributes.get("replicas");
  if (text === undefined) return settings.promotedMax > 0 ? settings.promotedMax : 1;
  return Math.max(1, parseInteger(text) ?? 1);
}

/** The inner primitive as a clone with an instance for each replica. */
function unpackInner(
  unpacker: Unpacker,
  unpackResource: MakeResource,
  bundle: Resource,
  settings: BundleSettings,
  primitive: XmlElement,
  count: number,
): Resource | undefined {
  const id = `${bundle.id}-${settings.promotedMax > 0 ? "master" : "clone"}`;
  const values: [string, string][] = [
    ["ordered", "true"],
    ["clone-max", String(count)],
    ["clone-node-max", String(settings.replicasPerHost)],
    ["globally-unique", String(settings.replicasPerHost > 1)],
  ];
  if (settings.promotedMax > 0)
    values.push(["promotable", "true"], ["promoted-max", String(settings.promotedMax)]);
  const pairs = values.map(([name, value]) => element("nvpair", { id: `${id}-meta-${name}`, name, value }));
  const xml = element("clone", { id }, [
    element("meta_attributes", { id: `${id}-meta` }, pairs),
    cloneElement(primitive),
  ]);
  return unpackResource(unpacker, xml, bundle, undefined);
}

function hostOption(
  settings: BundleSettings,
  prefix: string,
  offset: number,
  address: string | undefined,
): string {
  if (!settings.addHost || address === undefined) return "";
  return settings.agent === "rkt"
    ? ` --hosts-entry=${address}=${prefix}-${offset}`
    : ` --add-host=${prefix}-${offset}:${address}`;
}

function makeReplica(
  unpacker: Unpacker,
  unpackResource: MakeResource,
  bundle: Resource,
  settings: BundleSettings,
  offset: number,
  inner: Resource | undefined,
  address: string | undefined,
  hosts: string,
): BundleReplica | undefined {
  const container = unpackResource(
    unpacker,
    containerDefinition(bundle, settings, offset, inner, address, hosts),
    bundle,
    undefined,
  );
  if (!container) return undefined;
  const replica: BundleReplica = {
    offset,
    container,
    ip: undefined,
    remote: undefined,
    child: inner,
    node: undefined,
    ipAddress: address,
  };
  container.replica = replica;
  bundle.children.push(container);
  if (address !== undefined && settings.ipRangeStart !== undefined) {
    replica.ip = unpackResource(
      unpacker,
      addressDefinition(bundle, settings, offset, address),
      bundle,
      undefined,
    );
    if (replica.ip) {
      replica.ip.replica = replica;
      bundle.children.push(replica.ip);
    }
  }
  if (inner) {
    addConnection(unpacker, unpackResource, bundle, settings, replica, inner);
    inner.replica = replica;
    moveUtilization(inner, container);
    if (address !== undefined) inner.meta.set("external-ip", address);
  }
  return replica;
}

/** The host has to have room for what is inside, and the node inside has no capacity of its own. */
function moveUtilization(inner: Resource, container: Resource): void {
  container.utilization = inner.utilization;
  inner.utilization = new Map();
}

const pairOf = (prefix: string) => (name: string, value: string) =>
  element("nvpair", { id: `${prefix}-${name}`, name, value });

function addressDefinition(
  bundle: Resource,
  settings: BundleSettings,
  offset: number,
  address: string,
): XmlElement {
  const id = `${bundle.id}-ip-${address}`;
  const pair = pairOf(`${bundle.id}-attributes-${offset}`);
  const params = [pair("ip", address)];
  if (settings.hostNetwork !== undefined) params.push(pair("nic", settings.hostNetwork));
  params.push(pair("cidr_netmask", settings.hostNetmask ?? "32"));
  return element("primitive", { id, class: "ocf", provider: "heartbeat", type: "IPaddr2" }, [
    element("instance_attributes", { id: `${bundle.id}-attributes-${offset}` }, params),
    element("operations", {}, [element("op", { id: `${id}-monitor-60s`, name: "monitor", interval: "60s" })]),
  ]);
}

function containerDefinition(
  bundle: Resource,
  settings: BundleSettings,
  offset: number,
  inner: Resource | undefined,
  address: string | undefined,
  hosts: string,
): XmlElement {
  const id = `${bundle.id}-${settings.agent}-${offset}`;
  const pair = pairOf(`${bundle.id}-attributes-${offset}`);
  const { runOptions, mountPoints } = commandLine(bundle, settings, offset, address, hosts);
  const params = [
    pair("image", settings.image),
    pair("allow_pull", "true"),
    pair("force_kill", "false"),
    pair("reuse", "false"),
    pair("run_opts", runOptions),
    pair("mount_points", mountPoints),
  ];
  const command = settings.runCommand ?? (inner ? paths.remoteDaemon : undefined);
  if (command !== undefined) params.push(pair("run_cmd", command));
  params.push(pair("monitor_cmd", paths.ping));
  return element("primitive", { id, class: "ocf", provider: "heartbeat", type: settings.agent }, [
    element("instance_attributes", { id: `${bundle.id}-attributes-${offset}` }, params),
    element("operations", {}, [element("op", { id: `${id}-monitor-60s`, name: "monitor", interval: "60s" })]),
  ]);
}

/** Options of the container engine, in the order that containers have been started with. */
function commandLine(
  bundle: Resource,
  settings: BundleSettings,
  offset: number,
  address: string | undefined,
  hosts: string,
): { runOptions: string; mountPoints: string } {
  const docker = settings.agent !== "rkt";
  let runOptions = settings.agent === "docker" ? " --restart=no" : "";
  if (settings.ipRangeStart !== undefined)
    runOptions += docker ? ` -h ${bundle.id}-${offset}` : ` --hostname=${bundle.id}-${offset}`;
  runOptions += docker ? " -e PCMK_stderr=1" : " --environment=PCMK_stderr=1";
  if (settings.network !== undefined) runOptions += ` --net=${settings.network}`;
  const port = settings.controlPort ?? remotePort;
  runOptions += docker ? ` -e PCMK_remote_port=${port}` : ` --environment=PCMK_remote_port=${port}`;
  const points: string[] = [];
  for (const { source, target, options, perReplica } of settings.mounts) {
    const from = perReplica ? `${source}/${bundle.id}-${offset}` : source;
    if (perReplica) points.push(from);
    runOptions += ` -v ${from}:${target}`;
    if (options !== undefined) runOptions += `:${options}`;
  }
  for (const { source, target } of settings.ports) {
    if (address !== undefined) runOptions += ` -p ${address}:${source}:${target}`;
    else if (settings.network !== "host") runOptions += ` -p ${source}:${target}`;
  }
  if (settings.options !== undefined) runOptions += ` ${settings.options}`;
  // The separating space is there without hosts, too: it is part of what running containers were started with.
  runOptions += ` ${hosts}`;
  return { runOptions, mountPoints: points.join(",") };
}

/** The connection to the daemon inside, its node, and the rule that only the inner instance goes there. */
function addConnection(
  unpacker: Unpacker,
  unpackResource: MakeResource,
  bundle: Resource,
  settings: BundleSettings,
  replica: BundleReplica,
  inner: Resource,
): void {
  const { cluster } = unpacker;
  let id = `${bundle.id}-${replica.offset}`;
  if (cluster.resourceById.has(id)) id = `pcmk-internal-${inner.id}-remote-${replica.offset}`;
  const xml = connectionXml(id, replica.container.id, {
    server: replica.ipAddress ?? "#uname",
    port: settings.controlPort ?? remotePort,
  });
  const node = cluster.nodeByName.get(id) ?? addNode(cluster, id, id, "remote");
  node.baseScore = -INFINITY;
  node.closed = true;
  for (const rsc of cluster.resourceById.values()) {
    const entry = rsc.allowed.get(node);
    if (!entry) continue;
    entry.score = -INFINITY;
    entry.discovery = "never";
  }
  replica.node = node;
  inner.allowed = new Map([[node, { node, score: 500, discovery: "exclusive", count: 0 }]]);
  inner.parent?.allowed.set(node, { node, score: -INFINITY, discovery: "exclusive", count: 0 });
  const remote = unpackResource(unpacker, xml, bundle, undefined);
  if (!remote) return;
  for (const entry of remote.allowed.values()) if (entry.node.isRemoteOrGuest) entry.score = -INFINITY;
  replica.remote = remote;
  remote.replica = replica;
  remote.remoteNode = node;
  remote.container = replica.container;
  remote.allowRemoteRemotes = true;
  node.remoteRsc = remote;
  node.attributes.set("#kind", "container");
  bundle.children.push(remote);
}
