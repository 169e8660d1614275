import { lookup } from "../terms/index.ts";
import type { AdminRequest } from "./admin-protocol.ts";

/** What somebody needs who asks the daemon for something. */
export type AccessRule =
  /** Nothing but the way to the socket. */
  | "nothing"
  /** Read permission for something; hidden parts are left out of the answer. */
  | "see"
  /** Read permission for everything: the answer cannot be taken apart. */
  | "see-all"
  /** Write permission for what it changes, or for what in the status section stands for that. */
  | "change"
  /** With access rules in force, and always on a remote host: to be root or hacluster on a cluster node. */
  | "privileged"
  /** To be root or hacluster on a cluster node, with access rules or without. */
  | "administrators";

/**
 * What nobody on a remote host may ask, whatever is permitted to it: who says that a node is off makes its resources start
 * elsewhere, and a host that is held by somebody else would say so.
 */
export const onMembersOnly: ReadonlySet<AdminRequest["type"]> = new Set(["fence.confirm"]);

/**
 * Every request, and what it needs. While `enable-acl` is false, all are open to all who may use a cluster node's socket
 * (root and the group haclient) but those for administrators; a remote host sees everything then and changes its own attributes. `about` says what is
 * seen or changed, for docs/access.md.
 */
export const accessRules: Readonly<
  Record<AdminRequest["type"], { readonly rule: AccessRule; readonly about: string }>
> = lookup({
  status: {
    rule: "see",
    about:
      "the CIB; nodes of the fencing history and of load limits; names of actions under way only for who may read everything",
  },
  cib: { rule: "see", about: "the CIB" },
  "cib-apply": { rule: "change", about: "what differs in the CIB afterwards" },
  "attributes-update": {
    rule: "change",
    about: "the attribute in `transient_attributes` of the node, private ones too",
  },
  "attributes-query": { rule: "see", about: "values of nodes whose attribute may be read there" },
  "attributes-names": { rule: "see", about: "names of attributes that may be read on some node" },
  forget: {
    rule: "change",
    about: "the history (`lrm_resource`) and fail counts of the node, which are removed",
  },
  fail: { rule: "change", about: "the history (`lrm_resource`) of the resource on the node" },
  node: { rule: "nothing", about: "its own node; of the others names and ids of those that may be seen" },
  "ring-status": { rule: "see", about: "links and votes" },
  "expected-votes": { rule: "privileged", about: "votes that the ring expects" },
  "node-votes": { rule: "privileged", about: "votes of a node" },
  reload: { rule: "privileged", about: "hactl.toml is read again" },
  rekey: { rule: "privileged", about: "the cluster gets a new key" },
  shutdown: { rule: "privileged", about: "the node leaves the cluster" },
  "wait-idle": { rule: "see", about: "whether the cluster has nothing to do" },
  watch: { rule: "see", about: "that something has changed, not what" },
  history: { rule: "see-all", about: "the event history" },
  metadata: { rule: "see", about: "meta-data of an agent" },
  agents: { rule: "see", about: "meta-data of agents on the nodes" },
  "fence.request": { rule: "change", about: "`node_state` of the target" },
  "fence.confirm": { rule: "change", about: "`node_state` of the target; never from a remote host" },
  "fence.register": {
    rule: "administrators",
    about: "a fence device is used that is in no configuration, with an agent that runs as root",
  },
  "fence.deregister": { rule: "administrators", about: "it is not used any more" },
  "fence.register-level": {
    rule: "administrators",
    about: "fence devices are used in an order that is in no configuration",
  },
  "fence.deregister-level": { rule: "administrators", about: "they are not any more" },
  "fence.test": { rule: "change", about: "`node_state` of the target, although nothing happens to it" },
  "fence.ask": {
    rule: "privileged",
    about: "fence devices are asked whether they answer and whom they fence",
  },
  "fence.history": { rule: "see", about: "fencing of nodes that may be seen" },
  "fence.forget": { rule: "privileged", about: "the history of fencing is shown to nobody any more" },
  "fence.devices": {
    rule: "see",
    about: "devices whose resource may be seen, parameters where these may be",
  },
});

const words: Readonly<Record<AccessRule, string>> = lookup({
  nothing: "everybody on the socket",
  see: "read",
  "see-all": "read, all of it",
  change: "write",
  privileged: "root or hacluster",
  administrators: "root or hacluster, always",
});

/** docs/access.md with the rules as they are. */
export function accessPage(page: string): string {
  const rows = Object.entries(accessRules).map(
    ([request, { rule, about }]) => `| \`${request}\` | ${words[rule]} | ${about} |`,
  );
  const table = ["| request | needs | for |", "|---|---|---|", ...rows].join("\n");
  return page.replace(
    /(<!-- requests -->\n)[\s\S]*(<!-- \/requests -->)/,
    (_, start, end) => `${start}${table}\n${end}`,
  );
}
