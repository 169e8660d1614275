import type { ControllerEvent, StatusThrottle } from "../controller/index.ts";
import type { ExecutorEvent, ExecutorRequest } from "../executor/index.ts";
import type { NodeName } from "../terms/index.ts";

type LoadEvent = Extract<ExecutorEvent, { type: "load" }>;
/** The request that tells an executor the properties that concern it. */
export type ExecutorSettings = Extract<ExecutorRequest, { type: "configure" }>;

/** Private attribute in which each host tells the cluster how its load limits it: JSON of mode, jobs and reason. */
export const THROTTLE_ATTRIBUTE = "#throttle";

const DEFAULT_LOAD_THRESHOLD = 80;

/**
 * What the cluster's properties say to its executors (`node-action-limit`, `load-threshold`). A value that is no
 * number counts as absent.
 */
export function executorSettings(property: (name: string) => string | undefined): ExecutorSettings {
  const number = (name: string, otherwise: number) => {
    const value = Number.parseFloat(property(name) ?? "");
    return value >= 0 ? value : otherwise;
  };
  return {
    type: "configure",
    nodeActionLimit: Math.floor(number("node-action-limit", 0)),
    loadThreshold: number("load-threshold", DEFAULT_LOAD_THRESHOLD),
  };
}

/** Tells the cluster of a host whose load has changed; nothing is kept of a host without limits. */
export function throttleRequest(node: NodeName, { mode, jobs, reason }: LoadEvent): ControllerEvent {
  const value = mode === "none" ? undefined : JSON.stringify({ mode, jobs, reason });
  const update = { node, name: THROTTLE_ATTRIBUTE, value, private: true };
  return { type: "attribute-request", request: "", updates: [update] };
}

/** The limited hosts, by the values of the attribute, sorted by name. */
export function throttledNodes(values: ReadonlyMap<NodeName, string>): StatusThrottle[] {
  return [...values]
    .map(([node, value]) => ({ node, ...(JSON.parse(value) as Omit<StatusThrottle, "node">) }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}
