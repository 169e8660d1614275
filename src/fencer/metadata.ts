import { child, childrenOf, parseBoolean, parseXml } from "../cib/index.ts";

/** What the fencer must know of an agent (FenceAgentAPI, "metadata"). */
export interface AgentMetadata {
  readonly actions: readonly string[];
  /** Parameter names, as far as they decide something: `port`, `plug`. */
  readonly hostArgument: "port" | "plug" | "none";
  /** `on` must run on the target itself (fence_scsi). */
  readonly onTarget: boolean;
  /** `on` must run whenever a node joins. */
  readonly automatic: boolean;
}

/** Actions of a cluster-glue plugin in fence agents' words (cluster-glue, README.external). */
export const pluginMetadata: AgentMetadata = {
  actions: ["reboot", "off", "on", "status", "monitor", "list", "metadata"],
  hostArgument: "none",
  onTarget: false,
  automatic: false,
};

/**
 * Reads the metadata of a fence agent. Throws HactlError `XML_SYNTAX` for what is not XML; a document without
 * actions says that nothing is supported. `port` is preferred to `plug` (Pacemaker Explained, pcmk_host_argument).
 */
export function parseAgentMetadata(xml: string): AgentMetadata {
  const root = parseXml(xml);
  const names = childrenOf(child(root, "parameters"), "parameter").map((one) => one.attributes.get("name"));
  const actions = childrenOf(child(root, "actions"), "action");
  const on = actions.filter((one) => one.attributes.get("name") === "on");
  const flag = (name: string) => on.some((one) => parseBoolean(one.attributes.get(name)) === true);
  return {
    actions: actions.map((one) => one.attributes.get("name") ?? "").filter((name) => name !== ""),
    hostArgument: names.includes("port") ? "port" : names.includes("plug") ? "plug" : "none",
    onTarget: flag("on_target"),
    automatic: flag("automatic"),
  };
}
