import {
  childrenOf,
  parseBoolean,
  parseInteger,
  parseIntervalMs,
  parseScore,
  type RuleContext,
  type XmlElement,
} from "../cib/index.ts";
import { INFINITY, lookup } from "../terms/index.ts";
import { unpackBundle } from "./bundle-unpack.ts";
import { connectionXml, isRemoteConnection, linkContainers, linkRemoteNode } from "./connections.ts";
import { parseRole, Role } from "./flags.ts";
import { refuseTooMany } from "./instance-limit.ts";
import type { CloneSettings, Cluster } from "./model.ts";
import { Resource, topLevel } from "./model.ts";
import { parameters } from "./parameters.ts";
import { addPlaceScore } from "./places.ts";
import type { Unpacker } from "./unpacker.ts";

const variants: Readonly<Record<string, Resource["variant"]>> = lookup({
  primitive: "primitive",
  group: "group",
  clone: "clone",
  master: "clone",
  bundle: "bundle",
});

/** The connection that meta attribute `remote-node` of a guest implies, as a primitive. */
export function unpackGuestConnections(unpacker: Unpacker, xml: XmlElement): XmlElement | undefined {
  const meta = new Map<string, string>();
  for (const block of childrenOf(xml, "meta_attributes"))
    for (const pair of childrenOf(block, "nvpair")) {
      const name = pair.attributes.get("name");
      const value = pair.attributes.get("value");
      if (unpacker.toMembers.has(pair)) continue;
      if (name !== undefined && value !== undefined) meta.set(name, value);
    }
  const name = meta.get("remote-node");
  const containerId = xml.attributes.get("id");
  if (name === undefined || containerId === undefined) return undefined;
  if (unpacker.find(name) && unpacker.find(name)?.name === "primitive") return undefined;
  return connectionXml(name, containerId, {
    migratable: meta.get("remote-allow-migrate"),
    managed: meta.get("is-managed"),
    startTimeout: meta.get("remote-connect-timeout") ?? "60s",
    server: meta.get("remote-addr"),
    port: meta.get("remote-port"),
  });
}

/** Reads `<resources>`: templates aside, everything in the order of the configuration, higher priority first. */
export function unpackResources(unpacker: Unpacker, resources: XmlElement | undefined): void {
  const { cluster } = unpacker;
  if (!resources) return;
  unpacker.unfencing = mentionsUnfencing([resources, ...unpacker.rscDefaults]);
  cluster.haveUnfencing = unpacker.unfencing;
  for (const xml of resources.children) {
    if (xml.name === "template") {
      const id = xml.attributes.get("id");
      if (id !== undefined && !cluster.templates.has(id)) cluster.templates.set(id, []);
      continue;
    }
    if (!(xml.name in variants)) continue;
    const rsc = unpackResource(unpacker, xml, undefined, undefined);
    if (rsc) cluster.resources.push(rsc);
  }
  for (const rsc of cluster.resources) linkContainers(cluster, rsc);
  for (const rsc of [...cluster.resourceById.values()])
    if (rsc.isRemoteConnection) linkRemoteNode(cluster, rsc);
  sortByPriority(cluster);
  // A watchdog takes a node down when nobody else can.
  if (cluster.options.haveWatchdog) cluster.haveFenceDevice = true;
  if (cluster.options.fencingEnabled && !cluster.haveFenceDevice)
    cluster.error(
      "Resource start-up disabled since no fencing resources have been defined",
      "fencing-enabled",
    );
}

export function sortByPriority(cluster: Cluster): void {
  cluster.resources.sort((a, b) => b.priority - a.priority);
}

/**
 * Whether something is said to provide or to require unfencing, be it in a template or under a rule that does not hold:
 * that alone makes the cluster one in which nodes are unfenced.
 */
function mentionsUnfencing(sections: readonly XmlElement[]): boolean {
  const pending = [...sections];
  for (let xml = pending.pop(); xml; xml = pending.pop()) {
    if (xml.name === "meta_attributes" && xml.children.some(isUnfencing)) return true;
    pending.push(...xml.children);
  }
  return false;
}

function isUnfencing({ name, attributes }: XmlElement): boolean {
  const about = attributes.get("name");
  const known = about === "provides" || about === "requires";
  return name === "nvpair" && known && attributes.get("value") === "unfencing";
}

/** A primitive with what its template gives: own blocks first, own operations instead of those of the same name. */
export function expandTemplate(unpacker: Unpacker, xml: XmlElement): XmlElement | undefined {
  const name = xml.attributes.get("template");
  if (name === undefined) return xml;
  const { cluster } = unpacker;
  const id = xml.attributes.get("id") ?? "";
  const template = unpacker.find(name);
  if (template?.name !== "template" || name === id) {
    cluster.error(`No template named "${name}" for resource "${id}"`, id);
    return undefined;
  }
  const attributes = new Map(template.attributes);
  for (const [key, value] of xml.attributes) if (key !== "template") attributes.set(key, value);
  const ownOps = childrenOf(xml, "operations");
  const opKey = (op: XmlElement) =>
    `${op.attributes.get("name")}/${parseRole(op.attributes.get("role") ?? "Started")}`;
  const taken = new Set(ownOps.flatMap((ops) => childrenOf(ops, "op")).map(opKey));
  const inherited = childrenOf(template, "operations").flatMap((ops) =>
    childrenOf(ops, "op").filter((op) => ownOps.length === 0 || !taken.has(opKey(op))),
  );
  const first = ownOps[0] ?? childrenOf(template, "operations")[0];
  // Of blocks with the same score the last one counts: the resource's own.
  const children = [...template.children, ...xml.children].flatMap((item): XmlElement[] => {
    if (item.name !== "operations") return [item];
    if (item !== first) return [];
    return [{ ...item, children: [...ownOps.flatMap((ops) => ops.children), ...inherited] }];
  });
  const expanded: XmlElement = { name: "primitive", attributes, children };
  if (xml.line !== undefined) expanded.line = xml.line;
  const users = cluster.templates.get(name) ?? [];
  if (!users.includes(id)) users.push(id);
  cluster.templates.set(name, users);
  return expanded;
}

/**
 * Makes a resource and everything in it. `instance` is the number when it belongs to an instance of a clone.
 * Returns undefined, with a message, when it cannot be understood.
 */
export function unpackResource(
  unpacker: Unpacker,
  source: XmlElement,
  parent: Resource | undefined,
  instance: number | undefined,
): Resource | undefined {
  const { cluster } = unpacker;
  const { options } = cluster;
  const variant = variants[source.name];
  const configId = source.attributes.get("id");
  if (!variant || configId === undefined) {
    cluster.error(`Ignoring <${source.name}> configuration without id`);
    return undefined;
  }
  const xml = variant === "primitive" ? expandTemplate(unpacker, source) : source;
  if (!xml) return undefined;
  const id = instance === undefined ? configId : `${configId}:${instance}`;
  const rsc = new Resource(id, variant, xml, configId);
  rsc.parent = parent;
  rsc.instance = instance;
  rsc.sortIndex = cluster.instanceCount++;
  if (parent) rsc.unique = false;
  rsc.class = xml.attributes.get("class") ?? "";
  rsc.provider = xml.attributes.get("provider");
  rsc.type = xml.attributes.get("type") ?? "";
  unpackMeta(unpacker, rsc);
  applyMeta(unpacker, rsc);
  if (unpacker.toMembers.has(source)) {
    rsc.managed = false;
    rsc.maintenance = true;
  }
  const context: RuleContext = { now: cluster.now, utcOffset: cluster.utcOffset };
  if (rsc.isPrimitive)
    for (const [name, { value }] of unpacker.values([xml], "utilization", context))
      rsc.utilization.set(name, parseInteger(value) ?? 0);
  cluster.resourceById.set(id, rsc);
  const ok = unpackVariant(unpacker, rsc);
  if (!ok) {
    cluster.resourceById.delete(id);
    return undefined;
  }
  const guest = rsc.isRemoteConnection && rsc.meta.has("container");
  if (options.symmetric) addPlaceScore(cluster, rsc, undefined, 0, true);
  // Unlike the default of opt-out clusters it lists the nodes of bundles, too.
  else if (guest) addPlaceScore(cluster, rsc, undefined, 0);
  return rsc;
}

/** Meta attributes: own, then the parent's, then the defaults. */
function unpackMeta(unpacker: Unpacker, rsc: Resource): void {
  const { cluster } = unpacker;
  const context: RuleContext = {
    now: cluster.now,
    utcOffset: cluster.utcOffset,
    ...(rsc.isPrimitive
      ? {
          agent: {
            class: rsc.class,
            type: rsc.type,
            ...(rsc.provider === undefined ? {} : { provider: rsc.provider }),
          },
        }
      : {}),
  };
  for (const [name, { value }] of unpacker.values([rsc.xml], "meta_attributes", context))
    rsc.meta.set(name, value);
  if (rsc.parent)
    for (const [name, value] of rsc.parent.meta) if (!rsc.meta.has(name)) rsc.meta.set(name, value);
  for (const [name, { value }] of unpacker.values(unpacker.rscDefaults, "meta_attributes", context))
    if (!rsc.meta.has(name)) rsc.meta.set(name, value);
  const stickiness = cluster.properties.get("resource-stickiness");
  if (stickiness !== undefined && !rsc.meta.has("resource-stickiness"))
    rsc.meta.set("resource-stickiness", stickiness);
  const managed = cluster.properties.get("is-managed-default");
  if (managed !== undefined && !rsc.meta.has("is-managed")) rsc.meta.set("is-managed", managed);
}

/** Turns meta attributes into the typed fields. */
function applyMeta(unpacker: Unpacker, rsc: Resource): void {
  const { cluster } = unpacker;
  const { options } = cluster;
  const meta = (name: string) => rsc.meta.get(name);
  const yes = (name: string) => parseBoolean(meta(name)) === true;
  rsc.priority = parseScore(meta("priority")) ?? 0;
  rsc.critical = meta("critical") === undefined || yes("critical");
  rsc.notify = yes("notify");
  rsc.isRemoteConnection = rsc.isPrimitive && isRemoteConnection(rsc.xml);
  const remote = rsc.isRemoteConnection && meta("container") === undefined;
  if (rsc.isRemoteConnection) cluster.haveRemoteNodes = true;
  rsc.migratable = yes("allow-migrate") || (meta("allow-migrate") === undefined && remote);
  const managed = meta("is-managed");
  if (managed !== undefined && managed !== "default") rsc.managed = parseBoolean(managed) ?? true;
  if (yes("maintenance") || options.maintenance) {
    rsc.managed = false;
    rsc.maintenance = true;
  }
  const top = topLevel(rsc, false);
  if (top.isClone) {
    const nodeMax = parseInteger(meta("clone-node-max")) ?? 1;
    rsc.unique =
      meta("globally-unique") === undefined
        ? nodeMax > 1 && cluster.rules.nodeMaxMakesUnique
        : yes("globally-unique");
    rsc.promotable = yes("promotable");
  } else rsc.unique = true;
  rsc.allowUnhealthy = yes("allow-unhealthy-nodes");
  if (meta("restart-type")?.toLowerCase() === "restart") rsc.restartType = "restart";
  rsc.multipleActive = multipleActive(meta("multiple-active"));
  rsc.stickiness = parseScore(meta("resource-stickiness")) ?? 0;
  const threshold = parseScore(meta("migration-threshold"));
  rsc.migrationThreshold = threshold === undefined || threshold < 0 ? INFINITY : threshold;
  if (rsc.isPrimitive && rsc.class === "stonith") {
    cluster.haveFenceDevice = true;
    rsc.isFenceDevice = true;
  }
  applyRequires(unpacker, rsc);
  rsc.failureTimeoutMs = parseIntervalMs(meta("failure-timeout")) ?? 0;
  if (remote) {
    const reconnect = parseIntervalMs(parameters(unpacker, rsc, undefined).get("reconnect_interval"));
    if (reconnect !== undefined && reconnect > 0) {
      rsc.remoteReconnectMs = reconnect;
      rsc.failureTimeoutMs = reconnect;
    }
  }
  const target = targetRole(rsc);
  if (target !== undefined) rsc.nextRole = target;
}

function multipleActive(value: string | undefined): Resource["multipleActive"] {
  switch (value?.toLowerCase()) {
    case "stop_only":
    case "block":
    case "stop_unexpected":
      return value.toLowerCase() as Resource["multipleActive"];
    default:
      return "stop_start";
  }
}

/** `requires`, with the default that depends on the cluster (Pacemaker Explained, "requires"). */
function applyRequires({ cluster, unfencing }: Unpacker, rsc: Resource): void {
  const { options } = cluster;
  const set = (value: string) => {
    rsc.needsQuorum = value === "quorum";
    rsc.needsFencing = value === "fencing" || value === "unfencing";
    rsc.needsUnfencing = value === "unfencing";
  };
  const byDefault = () => {
    if (rsc.isFenceDevice || rsc.isRemoteConnection) return "quorum";
    if (unfencing) return options.fencingEnabled ? "unfencing" : "quorum";
    if (options.fencingEnabled) return "fencing";
    return options.noQuorumPolicy === "ignore" ? "nothing" : "quorum";
  };
  let value = rsc.meta.get("requires")?.toLowerCase();
  if (value === "unfencing" && rsc.isFenceDevice) value = "quorum";
  else if (value === "unfencing" && !options.fencingEnabled) value = "quorum";
  if (value === "nothing" || value === "quorum" || value === "fencing" || value === "unfencing") set(value);
  else {
    if (value !== undefined)
      cluster.error(`Resource "${rsc.id}": invalid value "${value}" of requires`, rsc.id);
    set(byDefault());
  }
}

/** The role that `target-role` limits a resource to, when it limits it. */
export function targetRole(rsc: Resource): Role | undefined {
  const value = rsc.meta.get("target-role");
  if (value === undefined || value.toLowerCase() === "started" || value.toLowerCase() === "default")
    return undefined;
  const role = parseRole(value);
  if (role === Role.Unknown) return undefined;
  if (role > Role.Started) {
    if (!topLevel(rsc, false).promotable) return undefined;
    if (role > Role.Unpromoted) return undefined;
  }
  return role;
}

function unpackVariant(unpacker: Unpacker, rsc: Resource): boolean {
  switch (rsc.variant) {
    case "primitive":
      if (rsc.type === "" || rsc.class === "") {
        unpacker.cluster.error(`Resource "${rsc.id}" has no class or type`, rsc.id);
        return rsc.class !== "";
      }
      return true;
    case "group":
      return unpackGroup(unpacker, rsc);
    case "clone":
      return unpackClone(unpacker, rsc);
    case "bundle":
      return unpackBundle(unpacker, rsc, unpackResource);
  }
}

function unpackGroup(unpacker: Unpacker, group: Resource): boolean {
  for (const xml of childrenOf(group.xml, "primitive")) {
    const member = unpackResource(unpacker, xml, group, group.instance);
    if (member) group.children.push(member);
  }
  return true;
}

function unpackClone(unpacker: Unpacker, clone: Resource): boolean {
  const { cluster } = unpacker;
  const childXml = clone.xml.children.find(({ name }) => name === "primitive" || name === "group");
  if (!childXml) {
    cluster.error(`Clone "${clone.id}" has nothing to clone`, clone.id);
    return false;
  }
  const number = (name: string, older: string | undefined, fallback: number) => {
    const text = clone.meta.get(name) ?? (older === undefined ? undefined : clone.meta.get(older));
    return text === undefined ? fallback : Math.max(0, parseInteger(text) ?? 0);
  };
  const settings: CloneSettings = {
    cloneMax: number("clone-max", undefined, Math.max(1, cluster.nodes.length)),
    cloneNodeMax: number("clone-node-max", undefined, 1),
    cloneMin: number("clone-min", undefined, 0),
    promotedMax: clone.promotable ? number("promoted-max", "master-max", 1) : 0,
    promotedNodeMax: clone.promotable ? number("promoted-node-max", "master-node-max", 1) : 0,
    interleave: parseBoolean(clone.meta.get("interleave")) === true,
    ordered: parseBoolean(clone.meta.get("ordered")) === true,
    childXml,
    assignedInstances: 0,
    promotedCount: 0,
    stopNotify: undefined,
    startNotify: undefined,
    promoteNotify: undefined,
    demoteNotify: undefined,
    promotionAdded: false,
    promotionConstrained: false,
    forcedAnonymous: false,
  };
  const plain = clone.unique
    ? membersOf(unpacker, childXml).find(({ standard }) => !canBeUnique.has(standard))
    : undefined;
  if (plain) {
    cluster.warn(
      `Ignoring globally-unique for ${clone.id} because ${plain.standard} resources such as ${plain.id} can be used only as anonymous clones`,
      clone.id,
    );
    clone.unique = false;
    settings.forcedAnonymous = true;
    settings.cloneNodeMax = 1;
    settings.cloneMax = Math.min(settings.cloneMax, cluster.nodes.length);
  }
  if (!clone.unique && settings.cloneNodeMax > 1) {
    cluster.error(
      `Ignoring clone-node-max of ${clone.id} because anonymous clones support only one a node`,
      clone.id,
    );
    settings.cloneNodeMax = 1;
  }
  clone.clone = settings;
  if (!clone.meta.has("resource-stickiness")) clone.meta.set("resource-stickiness", "1");
  clone.meta.set("globally-unique", String(clone.unique));
  const wanted = Math.max(1, settings.cloneMax);
  refuseTooMany(cluster, clone.id, wanted, membersOf(unpacker, childXml).length);
  for (let number = 0; number < wanted; number++) if (!addInstance(unpacker, clone)) return false;
  return true;
}

/** Standards whose agents are told which instance they are for (Pacemaker Explained, "Clones"). */
const canBeUnique: ReadonlySet<string> = new Set(["ocf", "stonith"]);

/** Primitives that a clone multiplies, with the standards of their agents. */
function membersOf(unpacker: Unpacker, xml: XmlElement): { id: string; standard: string }[] {
  if (xml.name === "group")
    return childrenOf(xml, "primitive").flatMap((member) => membersOf(unpacker, member));
  const template = unpacker.find(xml.attributes.get("template") ?? "");
  const standard = xml.attributes.get("class") ?? template?.attributes.get("class") ?? "ocf";
  return [{ id: xml.attributes.get("id") ?? "", standard }];
}

/** Adds an instance to a clone. Beyond clone-max it is a removed one, there to be stopped. */
export function addInstance(unpacker: Unpacker, clone: Resource): Resource | undefined {
  const settings = clone.clone;
  if (!settings) return undefined;
  const number = clone.children.length;
  const instance = unpackResource(unpacker, settings.childXml, clone, number);
  if (!instance) return undefined;
  if (settings.forcedAnonymous) {
    // Each instance makes those before it anonymous: of the newest only the parts are whose agents demand it.
    for (const older of clone.children) setUnique(older, false);
    setUnique(instance, true);
  }
  clone.children.push(instance);
  instance.meta.set("clone-max", String(settings.cloneMax));
  if (number >= settings.cloneMax) markRemoved(instance);
  return instance;
}

function setUnique(rsc: Resource, unique: boolean): void {
  rsc.unique = unique && (!rsc.isPrimitive || canBeUnique.has(rsc.class));
  for (const part of rsc.children) setUnique(part, unique);
}

function markRemoved(rsc: Resource): void {
  rsc.removed = true;
  rsc.removedInstance = true;
  for (const part of rsc.children) markRemoved(part);
}
