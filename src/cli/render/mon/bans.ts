import { element } from "../../../cib/index.ts";
import { compareNames, type Location, type Node, Role, topLevel } from "../../../scheduler/index.ts";
import { flag, type Message } from "../../answer/index.ts";
import { line } from "../outline.ts";
import { selectsName } from "../selection.ts";
import { type ClusterView, selectionIn, shownName } from "./view.ts";

/** A location that keeps a resource off a node. */
interface Ban {
  readonly location: Location;
  readonly node: Node;
  readonly score: number;
}

/** "Negative Location Constraints". */
export function banSection(view: ClusterView): Message {
  const bans = bansOf(view);
  return {
    outline: () =>
      bans.length === 0
        ? []
        : [{ text: "Negative Location Constraints:", children: bans.map((ban) => line(banText(view, ban))) }],
    xml: () => (bans.length === 0 ? [] : [element("bans", {}, bans.map(banElement))]),
  };
}

/** Each constraint as its rules are now; as crm_mon lists them, the last one first, and likewise the nodes. */
function bansOf(view: ClusterView): Ban[] {
  const selection = selectionIn(view);
  return view.cluster.locations.toReversed().flatMap((location) => {
    const { id, rsc, nodes } = location;
    if (!id.startsWith(view.options.banPrefix)) return [];
    if (!selectsName(selection, rsc) && !selectsName(selection, topLevel(rsc, false))) return [];
    return nodes
      .filter(({ score }) => score < 0)
      .sort((a, b) => compareNames(b.node.name, a.node.name))
      .map(({ node, score }) => ({ location, node, score }));
  });
}

const isForPromotion = ({ role }: Location): boolean => role === Role.Promoted;

function banText(view: ClusterView, { location, node }: Ban): string {
  const role = isForPromotion(location) ? "in Promoted role " : "";
  return `${location.id}\tprevents ${location.rsc.id} from running ${role}on ${shownName(view, node)}`;
}

const banElement = ({ location, node, score }: Ban) =>
  element("ban", {
    id: location.id,
    resource: location.rsc.id,
    node: node.name,
    weight: score,
    "promoted-only": flag(isForPromotion(location)),
    master_only: flag(isForPromotion(location)),
  });
