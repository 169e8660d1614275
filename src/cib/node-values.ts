import { CrmExit, HactlError, nearest, type OptionSpec } from "../terms/index.ts";
import { byName } from "./options/lookup.ts";
import { nodeOptions } from "./options/resource.ts";
import type { CibProblem } from "./references.ts";
import { isExact, parseBoolean, parseInteger, parseScore } from "./values.ts";

const known = byName(nodeOptions);
const colours: ReadonlySet<string> = new Set(["red", "yellow", "green"]);
/** A number that counts as a score, or what is added to the one that is there (`value++`, `value+=2`). */
const isCount = (value: string) =>
  (isExact(value) && parseScore(value) !== undefined) || /^value(?:\+\+|\+=-?\d+)$/.test(value);

/**
 * What to write instead of a value of a node's attribute that the cluster itself goes by and does not understand; undefined
 * for one that it does, and for attributes that are the agents' own.
 */
export function cureOfNodeValue(name: string, value: string): string | undefined {
  // Of every node there may be several of these, one for each thing that is watched.
  if (name.startsWith("#health"))
    return colours.has(value.toLowerCase()) || isCount(value)
      ? undefined
      : "write red, yellow or green, or a whole number or INFINITY";
  if (name.startsWith("fail-count-")) return isCount(value) ? undefined : "write a whole number or INFINITY";
  const spec: OptionSpec | undefined = known.get(name);
  if (spec?.type === "boolean") return parseBoolean(value) === undefined ? "write true or false" : undefined;
  if (name === "shutdown")
    return /^\d+$/.test(value) ? undefined : "write the time of the request in seconds, or 0";
  // When it was asked for is a yes, too.
  if (name === "terminate")
    return parseBoolean(value) === undefined && !/^\d+$/.test(value) && value !== ""
      ? "write true or false, or the time of the request in seconds"
      : undefined;
  return undefined;
}

/**
 * Refuses a value of a node's attribute that the cluster goes by and does not understand: it would be shown, and nothing
 * would follow from it.
 * @throws HactlError BAD_VALUE
 */
export function refuseBadNodeValue(name: string, value: string | undefined): void {
  const cure = value === undefined ? undefined : cureOfNodeValue(name, value);
  if (cure === undefined) return;
  throw new HactlError({
    code: "BAD_VALUE",
    what: `node attribute ${name}="${value}" is not valid`,
    cure,
    exit: CrmExit.CONFIG,
  });
}

/** Of what is used up there are whole numbers only: what another value counts as, and whose it is. */
export const badUtilization = (name: string, value: string, owner: string): string | undefined =>
  /^\s*[+-]?\d+\s*$/.test(value)
    ? undefined
    : `utilization ${name}="${value}" of ${owner} is no whole number: it counts ${parseInteger(value) ?? 0}`;

/** An attribute of a node that somebody sets by a tool, which does not look at the whole configuration for it. */
export interface SetNodeValue {
  readonly node: string;
  readonly name: string;
  readonly value: string;
  readonly utilization: boolean;
  /** Whether it stays over a restart of the node: what does not is mostly set by agents, and its name is theirs. */
  readonly lasting: boolean;
}

/** What is remarkable in it: a value that counts as another one, a name that is near one of the cluster's own. */
export function remarksOnNodeValue(set: SetNodeValue): CibProblem[] {
  const { node, name, value, utilization, lasting } = set;
  const warning = (code: string, text: string, cure: string): CibProblem[] => [
    { level: "warning", code, text, cure },
  ];
  const adds = /(?:\+\+|\+=-?\d+)$/.test(value);
  if (utilization) {
    const text = adds ? undefined : badUtilization(name, value, `node "${node}"`);
    return text === undefined ? [] : warning("BAD_VALUE", text, "write a whole number");
  }
  if (name.startsWith("master-") && !adds && !isCount(value)) {
    const text = `promotion score ${name}="${value}" of node "${node}" is no whole number: it counts ${parseScore(value) ?? 0}`;
    return warning("BAD_VALUE", text, "write a whole number or INFINITY");
  }
  const near = lasting && !known.has(name) ? nearest(name, known.keys()) : undefined;
  return near === undefined
    ? []
    : warning("UNKNOWN_OPTION", `unknown node attribute "${name}"`, `did you mean "${near}"?`);
}
