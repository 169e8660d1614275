import { element, type XmlElement } from "../../cib/index.ts";
import { type Cluster, type Resource, roleName } from "../../scheduler/index.ts";
import type { ApiVersion } from "../answer/api-version.ts";
import { flag } from "../answer/elements.ts";
import {
  displayedRole,
  innerTargetRole,
  isActive,
  isDisabled,
  pendingMonitor,
  pendingState,
  printableId,
  sortedResources,
  targetRole,
} from "./cluster-view.ts";
import {
  descriptionOf,
  isListed,
  type ResourceListOptions,
  shownInstances,
  shownMembers,
  shownReplicas,
} from "./resource-list.ts";
import { everything, selects } from "./selection.ts";

/** All resources as elements, the same ones that a list has. */
export const resourceElements = (
  cluster: Cluster,
  options: ResourceListOptions,
  api: ApiVersion,
): XmlElement[] =>
  sortedResources(cluster)
    .filter((rsc) => isListed(rsc, options))
    .flatMap((rsc) => resourceElement(rsc, options, api));

/** A resource with what is in it; nothing where it is not selected. */
export function resourceElement(rsc: Resource, options: ResourceListOptions, api: ApiVersion): XmlElement[] {
  if (!selects(options.selection ?? everything, rsc, true)) return [];
  if (rsc.bundle) return bundleElement(rsc, options, api);
  if (rsc.isGroup) return groupElement(rsc, options, api);
  if (rsc.isClone) return cloneElement(rsc, options, api);
  return [primitiveElement(rsc, options, api)];
}

/** Versions tell more and more of a resource. */
const since = (api: ApiVersion, version: string, value: string | undefined): string | undefined =>
  api.atLeast(version) ? value : undefined;
const maintenance = (rsc: Resource, api: ApiVersion) => since(api, "2.28", flag(rsc.maintenance));
const description = (rsc: Resource, options: ResourceListOptions, api: ApiVersion) =>
  since(api, "2.29", descriptionOf(rsc, options));

function groupElement(group: Resource, options: ResourceListOptions, api: ApiVersion): XmlElement[] {
  const shown = shownMembers(group, options);
  const [first] = shown;
  if (!first) return [];
  const attributes = {
    id: group.id,
    // Those before the first that is shown have never counted.
    number_resources: group.children.length - group.children.indexOf(first),
    maintenance: maintenance(group, api),
    managed: flag(group.managed),
    disabled: flag(isDisabled(group)),
    description: description(group, options, api),
  };
  return [
    element(
      "group",
      attributes,
      shown.flatMap((member) => resourceElement(member, options, api)),
    ),
  ];
}

function cloneElement(clone: Resource, options: ResourceListOptions, api: ApiVersion): XmlElement[] {
  const shown = shownInstances(clone, options);
  if (shown.length === 0) return [];
  const attributes = {
    id: clone.id,
    multi_state: flag(clone.promotable),
    unique: flag(clone.unique),
    maintenance: maintenance(clone, api),
    managed: flag(clone.managed),
    disabled: flag(isDisabled(clone)),
    failed: flag(clone.failed),
    failure_ignored: flag(clone.failureIgnored),
    target_role: innerTargetRole(clone),
    description: description(clone, options, api),
  };
  const { nodes } = options.selection ?? everything;
  const whole = { ...options, selection: nodes ? { nodes } : {} };
  return [
    element(
      "clone",
      attributes,
      shown.flatMap((instance) => resourceElement(instance, whole, api)),
    ),
  ];
}

function bundleElement(bundle: Resource, options: ResourceListOptions, api: ApiVersion): XmlElement[] {
  const shown = shownReplicas(bundle, options);
  if (shown.length === 0) return [];
  const attributes = {
    id: bundle.id,
    type: bundle.bundle?.agent,
    image: bundle.bundle?.image,
    unique: flag(bundle.unique),
    maintenance: maintenance(bundle, api),
    managed: flag(bundle.managed),
    failed: flag(bundle.failed),
    description: description(bundle, options, api),
  };
  const replicas = shown.map(({ replica, parts }) =>
    element(
      "replica",
      { id: replica.offset },
      parts.flatMap((part) => resourceElement(part, options, api)),
    ),
  );
  return [element("bundle", attributes, replicas)];
}

/** A primitive and the nodes that it is active on. */
function primitiveElement(rsc: Resource, options: ResourceListOptions, api: ApiVersion): XmlElement {
  const { pending = false } = options;
  const attributes = {
    id: printableId(rsc),
    resource_agent: [rsc.class, rsc.provider, rsc.type].filter((part) => part !== undefined).join(":"),
    role: (pending ? pendingState(rsc) : undefined) ?? roleName(displayedRole(rsc)),
    target_role: targetRole(rsc),
    active: flag(isActive(rsc, true)),
    orphaned: flag(rsc.removed),
    removed: since(api, "2.41", flag(rsc.removed)),
    blocked: flag(rsc.blocked),
    maintenance: maintenance(rsc, api),
    managed: flag(rsc.managed),
    failed: flag(rsc.failed),
    failure_ignored: flag(rsc.failureIgnored),
    nodes_running_on: rsc.runningOn.length,
    pending: pending ? pendingMonitor(rsc) : undefined,
    locked_to: rsc.lockNode?.name,
    description: description(rsc, options, api),
  };
  const places = rsc.runningOn.map(({ name, id, online }) =>
    element("node", { name, id, cached: flag(online) }),
  );
  return element("resource", attributes, places);
}
