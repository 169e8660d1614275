import { parseInteger, type XmlElement } from "../cib/index.ts";

/** Call number of a history entry; −1 while it is pending. */
export const callId = (xml: XmlElement): number => parseInteger(xml.attributes.get("call-id")) ?? -1;

/** Transition key taken apart: `ACTION:TRANSITION:EXPECTED:UUID`. */
function transition(xml: XmlElement): { transition: number; uuid: string } {
  const key =
    xml.attributes.get("transition-key") ?? xml.attributes.get("transition-magic")?.split(";")[1] ?? "";
  const parts = key.split(":");
  return { transition: parseInteger(parts[1]) ?? -1, uuid: parts[3] ?? "" };
}

/** Time at which the result became what it is. */
export const changeTime = (xml: XmlElement): number =>
  parseInteger(xml.attributes.get("last-rc-change")) ?? -1;

/**
 * Whether this program wrote the entry: then it stands before all that were written earlier on its node, and of two
 * transitions of one leader the first was over before the second began.
 */
const isOurs = (xml: XmlElement): boolean => xml.attributes.get("crm-debug-origin") === "hactl";

const isRecurring = (xml: XmlElement): boolean => (xml.attributes.get("interval") ?? "0") !== "0";

/** Age by the transitions of one leader; 0 when they do not tell. Of a recurring operation its own says nothing. */
function compareTransitions(a: XmlElement, b: XmlElement): number {
  if (isRecurring(a) || isRecurring(b)) return 0;
  const keyA = transition(a);
  const keyB = transition(b);
  if (keyA.uuid !== keyB.uuid || keyA.transition < 0 || keyB.transition < 0) return 0;
  return Math.sign(keyA.transition - keyB.transition);
}

/**
 * Age of two history entries, negative when `a` is the older. On one node call numbers tell; a pending operation
 * has none and is placed by its transition. On different nodes, and for two results of one call, such as a monitor's
 * success and its failure, the times of the results have to do, unless something tells that no clock can make wrong.
 */
export function compareOperations(a: XmlElement, b: XmlElement, sameNodeDefault: boolean): number {
  const idA = a.attributes.get("id");
  if (a === b) return 0;
  const nodeA = a.attributes.get("on_node");
  const nodeB = b.attributes.get("on_node");
  const sameNode = nodeA !== undefined && nodeB !== undefined ? nodeA === nodeB : sameNodeDefault;
  if (sameNode && idA !== undefined && idA === b.attributes.get("id")) return 0;
  const callA = callId(a);
  const callB = callId(b);
  if (callA === -1 && callB === -1) return 0;
  if (sameNode && callA >= 0 && callA < callB) return -1;
  if (sameNode && callB >= 0 && callA > callB) return 1;
  if (callA >= 0 && callB >= 0 && isOurs(a) && isOurs(b)) {
    const order = sameNode ? 0 : compareTransitions(a, b);
    if (sameNode || order !== 0) return order;
  }
  if (callA >= 0 && callB >= 0 && (!sameNode || callA === callB)) {
    const timeA = changeTime(a);
    const timeB = changeTime(b);
    // A time that was not recorded says nothing.
    return timeA >= 0 && timeA < timeB ? -1 : timeB >= 0 && timeA > timeB ? 1 : 0;
  }
  const keyA = transition(a);
  const keyB = transition(b);
  if (keyA.uuid !== keyB.uuid || keyA.transition === keyB.transition)
    return callB === -1 ? -1 : callA === -1 ? 1 : 0;
  // A shutdown has no transition and comes last.
  if ((keyA.transition >= 0 && keyA.transition < keyB.transition) || keyB.transition === -1) return -1;
  if ((keyB.transition >= 0 && keyA.transition > keyB.transition) || keyA.transition === -1) return 1;
  return 0;
}

/**
 * What a node has done, the oldest first. Of entries that nothing tells apart, such as a probe that is also the last
 * failure, the one that is written first counts as the newer.
 */
export const oldestFirst = (entries: readonly XmlElement[]): XmlElement[] =>
  entries.toReversed().sort((a, b) => compareOperations(a, b, true));
