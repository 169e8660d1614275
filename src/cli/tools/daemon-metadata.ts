import { clusterProperties, formatXml } from "../../cib/index.ts";
import { deviceOptions } from "../../fencer/index.ts";
import { CrmExit, type DaemonName } from "../../terms/index.ts";
import { daemonMetadata, type OptionList } from "../render/option-list.ts";
import { inUsualOrder } from "../render/usual-options.ts";
import { asTool, pacemakerVersion, usage, write } from "./connection.ts";
import { listed, unlisted } from "./option-lists.ts";

const ofBase = new Set(["enable-acl", "cluster-ipc-limit"]);
const ofController = new Set([
  "dc-version",
  "cluster-infrastructure",
  "cluster-name",
  "dc-deadtime",
  "cluster-recheck-interval",
  "election-timeout",
  "shutdown-escalation",
  "join-integration-timeout",
  "join-finalization-timeout",
  "transition-delay",
  "fencing-reaction",
  "fencing-watchdog-timeout",
  "fencing-max-attempts",
  "load-threshold",
  "node-action-limit",
]);

const properties = (belongs: (name: string) => boolean) =>
  listed(inUsualOrder(clusterProperties.filter(({ name }) => !unlisted.has(name) && belongs(name))));

/** What Pacemaker's daemons answer for; hactl's three processes know the same options. */
const daemons: Readonly<Record<DaemonName, () => Omit<OptionList, "id">>> = {
  "pacemaker-attrd": () => ({
    title: "Options of the node attributes",
    description: "Node attributes have no options of the whole cluster",
    options: [],
  }),
  "pacemaker-based": () => ({
    title: "Options of the configuration",
    description: "Cluster options that are about the configuration",
    options: properties((name) => ofBase.has(name)),
  }),
  "pacemaker-controld": () => ({
    title: "Options of the controller",
    description: "Cluster options that are about members, leader and transitions",
    options: properties((name) => ofController.has(name)),
  }),
  "pacemaker-execd": () => ({
    title: "Options of the executor",
    description: "The executor has no options of the whole cluster",
    options: [],
  }),
  "pacemaker-fenced": () => ({
    title: "Common parameters of fence devices",
    description: "Parameters that every fence device may have whatever its agent",
    // pcs takes only parameters that are listed here: those that hactl alone has, too.
    options: listed(deviceOptions),
  }),
  "pacemaker-schedulerd": () => ({
    title: "Options of the scheduler",
    description: "Cluster options that are about decisions: where resources run, and what is fenced",
    options: properties((name) => !ofBase.has(name) && !ofController.has(name)),
  }),
};

/** `pacemaker-NAME metadata`, as programs run it that want to know which options there are. */
export const runAs = (name: DaemonName, words: readonly string[]): Promise<number> =>
  asTool(
    name,
    "Tell the options of this part of the cluster: metadata. Nothing is started by this name.",
    [],
    words,
    async () => {
      if (words.length !== 1 || words[0] !== "metadata")
        throw usage(name, "only 'metadata' can be asked of it: hactl start runs the cluster");
      write(
        `<?xml version="1.0"?>\n${formatXml(daemonMetadata({ id: name, ...daemons[name]() }, pacemakerVersion))}`,
      );
      return CrmExit.OK;
    },
  );
