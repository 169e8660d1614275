import { element } from "../../../cib/index.ts";
import type { Resource } from "../../../scheduler/index.ts";
import type { Message } from "../../answer/index.ts";
import { isActive, sortedResources } from "../cluster-view.ts";
import { line, type Outline } from "../outline.ts";
import { briefLines, isListed, ownPrimitives, resourceOutline } from "../resource-list.ts";
import { resourceElement } from "../resource-xml.ts";
import { type ClusterView, listOptions } from "./view.ts";

/**
 * "Active Resources", "Full List of Resources" or, when the nodes have the active ones, "Inactive Resources". `whole`: no
 * resources are hidden from who asks.
 */
export const resourceSection = (view: ClusterView, whole = true): Message => ({
  outline: () => {
    const { byNode, inactive, brief } = view.options;
    if (byNode && !inactive) return [];
    const options = listOptions(view);
    const counted = brief && !byNode;
    const counts = counted ? briefLines(ownPrimitives(sortedResources(view.cluster), options), options) : [];
    const shown = shownResources(view).filter((rsc) => !(counted && rsc.isPrimitive));
    const rows = shown.flatMap((rsc) => resourceOutline(view.cluster, rsc, { ...options, brief }));
    const children = [...counts, ...rows];
    return [
      {
        text: title(view),
        children:
          children.length > 0 ? children : [whole ? none(view) : line("No resources that this user may see")],
      },
    ];
  },
  xml: (api) => {
    const { byNode, inactive } = view.options;
    if (byNode && !inactive) return [];
    const shown = shownResources(view);
    if (shown.length === 0) return [];
    return [
      element(
        "resources",
        {},
        shown.flatMap((rsc) => resourceElement(rsc, listOptions(view), api)),
      ),
    ];
  },
});

/** What is active was listed with its node already, when nodes have their resources. */
function shownResources(view: ClusterView): Resource[] {
  const resources = sortedResources(view.cluster);
  if (!view.options.byNode) return resources.filter((rsc) => isListed(rsc, listOptions(view)));
  return resources.filter((rsc) => !rsc.removed && !isActive(rsc, true));
}

const title = ({ options: { byNode, inactive } }: ClusterView): string =>
  byNode ? "Inactive Resources:" : inactive ? "Full List of Resources:" : "Active Resources:";

const none = ({ options: { byNode, inactive } }: ClusterView): Outline =>
  line(byNode ? "No inactive resources" : inactive ? "No resources" : "No active resources");
