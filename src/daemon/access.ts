import { child, childrenOf, maskXml, type Rights, type XmlElement } from "../cib/index.ts";
import {
  type StatusReply,
  type StatusTransition,
  withAttributeKnown,
  withAttributesChanged,
  withHistoryForgotten,
  withNodeFenced,
} from "../controller/index.ts";
import type { FenceDeviceInfo, FenceResult, FenceTestRow } from "../fencer/index.ts";
import { CrmExit, HactlError, type NodeName, nodeName } from "../terms/index.ts";
import { accessRules, onMembersOnly } from "./access-rules.ts";
import type { AdminRequest } from "./admin-protocol.ts";
import type { Caller } from "./caller.ts";
import type { FenceHistoryReply } from "./fencing.ts";

/**
 * Refuses what is not permitted. `rights`: what limits the caller, if anything does. A change of the CIB itself is decided
 * where it is applied, by all members at the same point of the message order.
 * @throws HactlError PERMISSION
 */
export function permit(
  request: AdminRequest,
  caller: Caller,
  cib: XmlElement,
  rights: Rights | undefined,
): void {
  const { rule } = accessRules[request.type];
  const limited = rights !== undefined || caller.remote;
  if (rule === "privileged" && limited && !caller.privileged) throw onlyPrivileged(request.type, caller);
  if (rule === "administrators" && !caller.privileged) throw onlyPrivileged(request.type, caller);
  if (caller.remote && onMembersOnly.has(request.type)) throw onlyPrivileged(request.type, caller);
  if (rights === undefined) return;
  // What shows the CIB itself finds out when it does.
  if (rule === "see" && request.type !== "cib" && request.type !== "status") rights.see(cib);
  if (rule === "see-all" && !rights.seesAll(cib)) throw onlyWhole(request.type, caller);
  const after = rule === "change" ? changed(request, cib) : undefined;
  if (after) rights.check(cib, after);
}

/** A copy of the CIB for a caller: secrets are for the privileged. */
export const shownTo = ({ privileged }: Caller, cib: XmlElement): XmlElement =>
  privileged ? cib : maskXml(cib);

/** The CIB as it would be after a request that changes the cluster without changing the CIB. */
function changed(request: AdminRequest, cib: XmlElement): XmlElement | undefined {
  switch (request.type) {
    case "attributes-update":
      return withAttributesChanged(cib, request.updates);
    case "forget":
      return withHistoryForgotten(cib, request);
    case "fail":
      return withHistoryForgotten(cib, { ...request, failuresOnly: false });
    case "fence.request":
    case "fence.confirm":
    case "fence.test":
      return withNodeFenced(cib, request.target);
    default:
      return undefined;
  }
}

/** Values of a transient attribute on nodes where it may be read. */
export function visibleValues(
  values: ReadonlyMap<NodeName, string>,
  name: string,
  cib: XmlElement,
  rights: Rights,
): Map<NodeName, string> {
  // As if all were written: private values are kept to the same rules.
  const seen = rights.look(withAttributeKnown(cib, name, [...values.keys()])).visible;
  const readable = new Set(
    childrenOf(child(seen, "status"), "node_state").flatMap((state) =>
      (child(state, "transient_attributes")?.children ?? []).some((set) =>
        childrenOf(set, "nvpair").some(({ attributes }) => attributes.get("name") === name),
      )
        ? [state.attributes.get("id")]
        : [],
    ),
  );
  const ids = nodeIds(cib);
  return new Map([...values].filter(([node]) => readable.has(ids.get(node) ?? node)));
}

/**
 * Refuses a question for an attribute that could not be seen whether it is there or not, on that node or on any.
 * @throws HactlError PERMISSION
 */
export function checkReadable(
  { name, node }: { readonly name: string; readonly node?: string },
  cib: XmlElement,
  rights: Rights,
): void {
  const nodes = node === undefined ? [...nodeIds(cib).keys()] : [node];
  const known = new Map(nodes.map((one) => [nodeName(one), ""] as const));
  if (visibleValues(known, name, cib, rights).size > 0) return;
  throw refusal(
    `attribute "${name}"${node === undefined ? "" : ` of node ${node}`} may not be read by user ${rights.user}`,
    "an administrator can permit it with a role for this user in <acls>",
  );
}

/** Names that somebody may see. */
export interface VisibleNames {
  readonly nodes: ReadonlySet<string>;
  /** Ids of everything in the CIB. */
  readonly ids: ReadonlySet<string>;
  /** Nothing is hidden. */
  readonly whole: boolean;
}

/** @param seen what of the CIB may be seen */
export function visibleNames(seen: XmlElement | undefined, whole: boolean): VisibleNames {
  const ids = new Set<string>();
  const visit = ({ attributes, children }: XmlElement) => {
    const id = attributes.get("id");
    if (id !== undefined) ids.add(id);
    children.forEach(visit);
  };
  if (seen) visit(seen);
  return { nodes: new Set(nodeIds(seen).keys()), ids, whole };
}

/** Stands for the name of a node that is hidden. */
const HIDDEN = nodeName("(hidden)");
/** Reasons and texts of agents are written by others, and may name anything. */
const unlessHidden = (text: string, { whole }: VisibleNames) => (whole ? text : "");
const nodeOr = (name: NodeName, { nodes }: VisibleNames) => (nodes.has(name) ? name : HIDDEN);

/** Fencing of nodes that may be seen, with the devices and nodes in it that may be. */
export function visibleFencing(history: FenceHistoryReply, names: VisibleNames): FenceHistoryReply {
  const { nodes, ids } = names;
  return {
    pending: history.pending
      .filter(({ request }) => nodes.has(request.target))
      .map(({ request, merged, attempts }) => ({
        request: {
          ...request,
          origin: nodeOr(request.origin, names),
          reason: unlessHidden(request.reason, names),
        },
        merged,
        attempts: attempts
          .filter(({ device }) => ids.has(device))
          .map((attempt) => ({
            ...attempt,
            executor: nodeOr(attempt.executor, names),
            reason: unlessHidden(attempt.reason, names),
          })),
      })),
    entries: visibleResults(history.entries, names),
    remarks: names.whole ? history.remarks : [],
  };
}

function visibleResults(results: readonly FenceResult[], names: VisibleNames): FenceResult[] {
  return results.filter(({ target }) => names.nodes.has(target)).map((one) => visibleResult(one, names));
}

/** A result of fencing, for who may know of it, without the names in it that are hidden. */
export function visibleResult(result: FenceResult, names: VisibleNames): FenceResult {
  return {
    ...result,
    executor: nodeOr(result.executor, names),
    origin: nodeOr(result.origin, names),
    devices: result.devices.filter((device) => names.ids.has(device)),
    reason: unlessHidden(result.reason, names),
  };
}

/** What a test of fence devices says of those that may be seen. */
export function visibleTest(rows: readonly FenceTestRow[], names: VisibleNames): FenceTestRow[] {
  return rows
    .filter(({ device }) => names.ids.has(device))
    .map((row) => ({ ...row, node: nodeOr(row.node, names), text: unlessHidden(row.text, names) }));
}

/**
 * A status display of what may be seen. The CIB in it has been filtered before.
 * @param hidden sections of the CIB in which something was left out
 */
export function visibleStatus(
  reply: StatusReply,
  names: VisibleNames,
  hidden: readonly string[],
): StatusReply {
  if (names.whole) return reply;
  const { nodes } = names;
  const { transition: whatGoesOn, membership, fencing, throttle, disks, warnings, ...others } = reply;
  return {
    ...others,
    ...(hidden.length === 0 ? {} : { hidden }),
    ...(membership ? { membership: withVisibleNodes(membership, nodes) } : {}),
    ...(whatGoesOn ? { transition: withoutNames(whatGoesOn) } : {}),
    fencing: {
      history: visibleResults(fencing.history, names),
      pending: fencing.pending
        .filter(({ target }) => nodes.has(target))
        .map((one) => ({ ...one, origin: nodeOr(one.origin, names), reason: "" })),
    },
    throttle: throttle.filter(({ node }) => nodes.has(node)),
    disks: disks.filter(({ node }) => nodes.has(node)),
    // They name resources, nodes, agents.
    warnings:
      warnings.length === 0
        ? []
        : [{ code: "LOCAL-WARNING", text: "there are warnings, for who may read everything" }],
  };
}

type Membership = NonNullable<StatusReply["membership"]>;

function withVisibleNodes(membership: Membership, nodes: ReadonlySet<string>): Membership {
  const { members, absent, links, leader, ...others } = membership;
  return {
    ...others,
    members: members.filter(({ name }) => nodes.has(name)),
    absent: absent.filter(({ name }) => nodes.has(name)),
    links: links.filter(({ peer }) => nodes.has(peer)),
    ...(leader === undefined ? {} : { leader: nodes.has(leader) ? leader : HIDDEN }),
  };
}

/** Devices whose resource may be seen; parameters only where all of it may be. */
export function visibleDevices(
  devices: readonly FenceDeviceInfo[],
  cib: XmlElement,
  rights: Rights,
): FenceDeviceInfo[] {
  const { visible, original } = rights.look(cib);
  const found = new Map<string, boolean>();
  const visit = (copy: XmlElement) => {
    if (copy.name === "primitive" && copy.attributes.has("type"))
      found.set(copy.attributes.get("id") ?? "", sameSize(copy, original.get(copy)));
    copy.children.forEach(visit);
  };
  const resources = child(child(visible, "configuration"), "resources");
  if (resources) visit(resources);
  const nodes = new Set(nodeIds(visible).keys());
  return (
    devices
      // What is in no configuration no rule is about.
      .filter(({ id, registeredOn }) => found.has(id) && registeredOn === undefined)
      .map((device) => ({
        ...device,
        params: found.get(device.id) === true ? device.params : {},
        levels: Object.fromEntries(Object.entries(device.levels).filter(([node]) => nodes.has(node))),
        nodes: device.nodes.filter((node) => nodes.has(node)),
      }))
  );
}

/** Names of actions, and of what they wait for, are names of resources. */
function withoutNames({ reason: _, ...rest }: StatusTransition): StatusTransition {
  return { ...rest, actions: [] };
}

/** Whether nothing was left out of a copy. */
function sameSize(copy: XmlElement, source: XmlElement | undefined): boolean {
  return (
    source !== undefined &&
    copy.attributes.size === source.attributes.size &&
    copy.children.length === source.children.length &&
    copy.children.every((item, index) => sameSize(item, source.children[index]))
  );
}

function nodeIds(cib: XmlElement | undefined): Map<string, string> {
  const all = [
    ...childrenOf(child(child(cib, "configuration"), "nodes"), "node"),
    ...childrenOf(child(cib, "status"), "node_state"),
  ];
  return new Map(
    all.flatMap(({ attributes }) => {
      const name = attributes.get("uname");
      return name === undefined ? [] : [[name, attributes.get("id") ?? name] as const];
    }),
  );
}

const refusal = (what: string, cure: string) =>
  new HactlError({ code: "PERMISSION", what, cure, exit: CrmExit.INSUFFICIENT_PRIV });

const onlyPrivileged = (type: string, { name }: Caller) =>
  refusal(`"${type}" is not for user ${name}`, "ask as root, or as hacluster, on a cluster node");

const onlyWhole = (type: string, { name }: Caller) =>
  refusal(
    `"${type}" shows what the access rules hide from user ${name}`,
    "ask as somebody who may read everything",
  );
