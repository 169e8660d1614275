import type { ControllerEvent, StatusThrottle } from "../controller/index.ts";
import type { ExecutorEvent, ExecutorRequest } from "../executor/index.ts";
import { type NodeName, read } from "../terms/index.ts";

type LoadEvent = Extract<ExecutorEvent, { type: "load" }>;
/** The request that tells an executor the properties that concern it. */
export type ExecutorSettings = Extract<ExecutorRequest, { type: "configure" }>;

/** Private attribute in which each host tells the cluster how its load limits it: JSON of mode, jobs and reason. */
export const THROTTLE_ATTRIBUTE = "#throttle";

const DEFAULT_LOAD_THRESHOLD = 80;
/** No host runs more jobs, none has a higher load: beyond it the executor would not take it. */
const MOST = 1_000_000;

const readThrottle = read.shape<Omit<StatusThrottle, "node">>({
  mode: read.oneOf("none", "low", "medium", "high", "extreme"),
  jobs: read.number(0, Number.MAX_SAFE_INTEGER),
  reason: read.text(64 * 1024),
});

/**
 * What the cluster's properties say to its executors (`node-action-limit`, `load-threshold`). A value that is no
 * number counts as absent.
 */
export function executorSettings(property: (name: string) => string | undefined): ExecutorSettings {
  const number = (name: string, otherwise: number) => {
    const value = Number.parseFloat(property(name) ?? "");
    return value >= 0 ? Math.min(value, MOST) : otherwise;
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
    .flatMap(([node, value]): StatusThrottle[] => {
      try {
        return [{ node, ...readThrottle(JSON.parse(value), "throttle") }];
      } catch {
        // Anybody may set an attribute of that name.
        return [];
      }
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}
