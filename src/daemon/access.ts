import { child, childrenOf, type Rights, type XmlElement } from "../cib/index.ts";
import {
  type StatusReply,
  type StatusTransition,
  withAttributeKnown,
  withAttributesChanged,
  withHistoryForgotten,
  withNodeFenced,
} from "../controller/index.ts";
import type { FenceDeviceInfo } from "../fencer/index.ts";
import { CrmExit, HactlError, type NodeName } from "../terms/index.ts";
import { accessRules } from "./access-rules.ts";
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
  // What nobody knows is answered by whoever finds that out.
  if (!Object.hasOwn(accessRules, String(request?.type))) return;
  const { rule } = accessRules[request.type];
  if (rule === "privileged" && !caller.privileged) throw onlyPrivileged(request.type, caller);
  if (rights === undefined) return;
  // What shows the CIB itself finds out when it does.
  if (rule === "see" && request.type !== "cib" && request.type !== "status") rights.see(cib);
  if (rule === "see-all" && !rights.seesAll(cib)) throw onlyWhole(request.type, caller);
  const after = rule === "change" ? changed(request, cib) : undefined;
  if (after) rights.check(cib, after);
}

/** The CIB as it would be after a request that changes the cluster without changing the CIB. */
function changed(request: AdminRequest, cib: XmlElement): XmlElement | undefined {
  switch (request.type) {
    case "attributes-update":
      return withAttributesChanged(cib, request.updates);
    case "forget":
      return withHistoryForgotten(cib, request);
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

/** Names of the nodes that may be seen. */
export function visibleNodes(seen: XmlElement | undefined): Set<string> {
  return new Set(nodeIds(seen).keys());
}

/** Fencing of nodes that may be seen. */
export function visibleFencing(history: FenceHistoryReply, nodes: ReadonlySet<string>): FenceHistoryReply {
  return {
    pending: history.pending.filter(({ request }) => nodes.has(request.target)),
    entries: history.entries.filter(({ target }) => nodes.has(target)),
  };
}

/** A status display of what may be seen. `whole`: nothing is hidden. The CIB in it has been filtered before. */
export function visibleStatus(reply: StatusReply, nodes: ReadonlySet<string>, whole: boolean): StatusReply {
  if (whole) return reply;
  const { transition: whatGoesOn, fencing, throttle, ...others } = reply;
  return {
    ...others,
    ...(whatGoesOn ? { transition: withoutNames(whatGoesOn) } : {}),
    fencing: {
      history: fencing.history.filter(({ target }) => nodes.has(target)),
      pending: fencing.pending.filter(({ target }) => nodes.has(target)),
    },
    throttle: throttle.filter(({ node }) => nodes.has(node)),
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
  return devices
    .filter(({ id }) => found.has(id))
    .map((device) => (found.get(device.id) === true ? device : { ...device, params: {} }));
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
