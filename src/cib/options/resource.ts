import type { OptionSpec } from "../../terms/index.ts";

/** Roles that an option can name; the old words for the last two mean the same. */
export const roleNames = ["Stopped", "Started", "Unpromoted", "Promoted", "Slave", "Master"] as const;

/** Meta attributes of every resource (Pacemaker Explained, "Resource Meta-Attributes"). */
export const resourceMeta: readonly OptionSpec[] = [
  {
    name: "priority",
    type: "score",
    default: "0",
    description: "When not all can run, resources of lower priority are stopped to keep those of higher",
  },
  {
    name: "critical",
    type: "boolean",
    default: "true",
    description: "Whether the resource takes those along that it is placed with when it has to leave a node",
  },
  {
    name: "target-role",
    aliases: ["target_role"],
    type: "enum",
    default: "Started",
    values: roleNames,
    description: "State that the cluster tries to keep the resource in",
  },
  {
    name: "is-managed",
    aliases: ["is_managed"],
    type: "boolean",
    default: "true",
    description: "Whether the cluster may start and stop the resource",
  },
  {
    name: "maintenance",
    type: "boolean",
    default: "false",
    description: "Leave the resource alone: neither managed nor monitored",
  },
  {
    name: "resource-stickiness",
    aliases: ["resource_stickiness"],
    type: "score",
    default: "0",
    description: "How much the resource prefers to stay where it is; 1 for instances of a clone",
  },
  {
    name: "requires",
    type: "enum",
    values: ["nothing", "quorum", "fencing", "unfencing"],
    description:
      "What must be before the resource may start; by default quorum for fence devices, else fencing where it is enabled",
  },
  {
    name: "migration-threshold",
    aliases: ["migration_threshold"],
    type: "score",
    default: "INFINITY",
    min: 0,
    description: "Failures after which the resource may not run on the node any more; 0 is never",
  },
  {
    name: "failure-timeout",
    type: "duration",
    unit: "s",
    default: "0",
    description: "Time after which a failure is forgotten; 0 is never",
  },
  {
    name: "multiple-active",
    aliases: ["multiple_active"],
    type: "enum",
    default: "stop_start",
    values: ["block", "stop_only", "stop_start", "stop_unexpected"],
    description: "What happens when the resource is found running on more than one node",
  },
  {
    name: "allow-migrate",
    type: "boolean",
    default: "false",
    description: "Whether the resource moves by live migration; true for connections to remote nodes",
  },
  {
    name: "allow-unhealthy-nodes",
    type: "boolean",
    default: "false",
    description: "Whether the resource may run on a node that its health forbids",
  },
  {
    name: "container-attribute-target",
    type: "enum",
    values: ["host"],
    description: "Whether attributes are set for the host of the container that the resource runs in",
  },
  {
    name: "restart-type",
    aliases: ["restart_type"],
    type: "enum",
    default: "ignore",
    values: ["ignore", "restart"],
    deprecated: true,
    description: "Whether optional orderings restart the resource; an old option",
  },
  { name: "remote-node", type: "string", description: "Name of the guest node that the resource brings up" },
  {
    name: "remote-addr",
    type: "string",
    description: "Address of the guest node; by default its name",
  },
  {
    name: "remote-port",
    type: "integer",
    min: 1,
    max: 65535,
    default: "3121",
    description: "Port of the guest node",
  },
  {
    name: "remote-connect-timeout",
    type: "duration",
    unit: "s",
    default: "60s",
    description: "How long a connection to the guest node may take to be made",
  },
  {
    name: "remote-allow-migrate",
    type: "boolean",
    default: "true",
    description: "Whether the connection to the guest node may move by live migration",
  },
  {
    name: "external-ip",
    type: "string",
    generated: true,
    description: "Address of a bundle's replica; the cluster sets it",
  },
  {
    name: "provides",
    type: "enum",
    values: ["unfencing"],
    description: "What a fence device provides; follows from its agent",
  },
];

/** Meta attributes that clones have besides (Pacemaker Explained, "Clone Options"). */
export const cloneMeta: readonly OptionSpec[] = [
  {
    name: "clone-max",
    aliases: ["clone_max"],
    type: "integer",
    min: 0,
    description: "How many instances there are; by default the number of nodes",
  },
  {
    name: "clone-node-max",
    aliases: ["clone_node_max"],
    type: "integer",
    min: 0,
    default: "1",
    description: "How many instances may run on one node",
  },
  {
    name: "clone-min",
    type: "integer",
    min: 0,
    default: "0",
    description: "How many instances must run before what is ordered after the clone may start",
  },
  {
    name: "notify",
    type: "boolean",
    default: "false",
    description: "Whether instances are told before and after others start, stop or are promoted",
  },
  {
    name: "globally-unique",
    aliases: ["globally_unique"],
    type: "boolean",
    description: "Whether each instance has a task of its own; by default when several may run on a node",
  },
  {
    name: "ordered",
    type: "boolean",
    default: "false",
    description: "Whether instances start one after the other",
  },
  {
    name: "interleave",
    type: "boolean",
    default: "false",
    description: "Whether orderings between clones hold for the instances on the same node only",
  },
  {
    name: "promotable",
    type: "boolean",
    default: "false",
    description: "Whether instances can be promoted",
  },
  {
    name: "promoted-max",
    aliases: ["master-max", "master_max"],
    type: "integer",
    min: 0,
    default: "1",
    description: "How many instances may be promoted",
  },
  {
    name: "promoted-node-max",
    aliases: ["master-node-max", "master_node_max"],
    type: "integer",
    min: 0,
    default: "1",
    description: "How many promoted instances may run on one node",
  },
];

/** Meta attributes that groups have besides. */
export const groupMeta: readonly OptionSpec[] = [
  {
    name: "ordered",
    type: "boolean",
    default: "true",
    description: "Whether members start one after the other",
  },
  {
    name: "colocated",
    aliases: ["collocated"],
    type: "boolean",
    default: "true",
    description: "Whether members run on the same node",
  },
];

/** Properties of an operation (Pacemaker Explained, "Operation Properties"), as attributes or meta attributes of it. */
export const operationOptions: readonly OptionSpec[] = [
  { name: "name", type: "string", description: "Action of the agent" },
  {
    name: "interval",
    type: "duration",
    unit: "s",
    default: "0",
    description: "Time between the end of one run and the begin of the next; 0 is not recurring",
  },
  {
    name: "timeout",
    type: "duration",
    unit: "s",
    default: "20s",
    description: "How long the agent may take",
  },
  {
    name: "on-fail",
    type: "enum",
    values: ["ignore", "block", "stop", "restart", "fence", "standby", "demote", "restart-container"],
    description: "What happens when it fails; by default restart, for a stop fence, or block without fencing",
  },
  {
    name: "enabled",
    type: "boolean",
    default: "true",
    description: "Whether the operation is carried out",
  },
  {
    name: "role",
    type: "enum",
    values: roleNames,
    description: "Run a recurring operation only where the resource has this role",
  },
  {
    name: "start-delay",
    type: "duration",
    unit: "s",
    default: "0",
    description: "Time to wait before the first run",
  },
  {
    name: "interval-origin",
    type: "string",
    description: "Point in time that the runs are counted from in whole intervals (ISO 8601); from 1s on",
  },
  {
    name: "record-pending",
    type: "boolean",
    default: "true",
    description: "Whether an operation that has begun is shown before it ends",
    unused: "an operation that has begun is always shown",
  },
  { name: "description", type: "string", description: "What the operation is for" },
];

/** Meta attributes of alerts and their recipients (Pacemaker Explained, "Alert Meta-Attributes"). */
export const alertMeta: readonly OptionSpec[] = [
  {
    name: "timeout",
    type: "duration",
    unit: "s",
    default: "30s",
    description: "How long the program of the alert may take",
  },
  {
    name: "timestamp-format",
    type: "string",
    default: "%H:%M:%S.%06N",
    description: "Format of the time that the program is told, as for date(1)",
  },
  { name: "enabled", type: "boolean", default: "true", description: "Whether the alert is in force" },
];

/** Attributes of nodes that the cluster understands (Pacemaker Explained, "Node Attributes"). */
export const nodeOptions: readonly OptionSpec[] = [
  { name: "standby", type: "boolean", default: "false", description: "Whether the node runs no resources" },
  {
    name: "maintenance",
    type: "boolean",
    default: "false",
    description: "Whether the resources on the node are left alone",
  },
  { name: "terminate", type: "string", description: "Fence the node when true" },
  {
    name: "resource-discovery-enabled",
    type: "boolean",
    default: "true",
    description:
      "Whether it is looked for what runs already; for remote nodes only, instead of resource-discovery at a location",
  },
  { name: "site-name", type: "string", description: "Site of the node, for #site-name in rules" },
];
