import { lookup } from "../terms/index.ts";
import type { ConfigOption, ConfigTable } from "./option.ts";
import { interfaceOptions, nodeOptions } from "./table-links.ts";
import { loggingOptions, quorumOptions, subsystemOptions } from "./table-quorum.ts";
import { sysconfigOptions } from "./table-sysconfig.ts";
import { kdumpOptions, remoteOptions, systemOptions } from "./table-system.ts";
import { totemOptions } from "./table-totem.ts";

/**
 * Everything that hactl.toml may hold. Parser, checks, defaults, `hactl explain option` and the reference in
 * docs/ and conf/ come from here and nowhere else.
 */
export const configTables: readonly ConfigTable[] = [
  {
    path: "totem",
    title: "The ring",
    description:
      "How the nodes hear each other and how soon a silent one counts as failed. The same on all nodes.",
    options: totemOptions,
  },
  {
    path: "totem.interface",
    repeated: true,
    title: "Links",
    description:
      "One table for each network between the nodes. May be left out: every ringN_addr makes a link.",
    options: interfaceOptions,
  },
  {
    path: "nodelist.node",
    repeated: true,
    title: "Nodes",
    description:
      "One table for each node of the cluster, the same on all nodes. Remote nodes are not listed.",
    options: nodeOptions,
  },
  {
    path: "quorum",
    title: "Quorum",
    description: "When the nodes that are left may go on. The same on all nodes.",
    options: quorumOptions,
  },
  {
    path: "logging",
    title: "Log",
    description: "Where messages go.",
    options: loggingOptions,
  },
  {
    path: "logging.logger_subsys",
    repeated: true,
    title: "Log of a part",
    description: "Other levels for one part of the program.",
    options: subsystemOptions,
  },
  {
    path: "system",
    title: "This machine",
    description: "Directories, priorities and the watchdog of this node.",
    options: systemOptions,
  },
  {
    path: "remote",
    title: "Remote nodes",
    description: "Hosts that run resources without being members: hactl remote there, and its key here.",
    options: remoteOptions,
  },
  {
    path: "kdump",
    title: "Crash dumps",
    description: "Notices of crashed nodes that are writing a dump.",
    options: kdumpOptions,
  },
  {
    path: "sysconfig",
    title: "Names of /etc/sysconfig/pacemaker",
    description: "For those who bring them along; they reach the agents' environment as well.",
    options: sysconfigOptions,
  },
];

/** Tables that other programs' configurations have and hactl does not: why, and what to do instead. */
export const unsupportedTables: Readonly<Record<string, { readonly what: string; readonly cure: string }>> =
  lookup({
    "quorum.device": {
      what: "A quorum device is not supported",
      cure: "Remove [quorum.device]; use three nodes, or two_node with fencing",
    },
    nozzle: { what: "A nozzle device is not supported", cure: "Remove [nozzle]" },
    resources: {
      what: "[resources] is not a table of hactl",
      cure: "Set watchdog_device in [system]; the load of the machine is watched without being asked",
    },
    uidgid: { what: "[uidgid] is not a table of hactl", cure: "Set group in [system]" },
  });

/** The table of that name. */
export const tableNamed = (path: string): ConfigTable | undefined =>
  configTables.find((table) => table.path === path);

/** The row of that name or alias in a table. */
export const optionNamed = (table: ConfigTable, name: string): ConfigOption | undefined =>
  table.options.find((option) => option.name === name || option.aliases?.includes(name));
