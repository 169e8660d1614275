import { clusterProperties, formatXml } from "../../cib/index.ts";
import { deviceOptions } from "../../fencer/index.ts";
import { CrmExit, type DaemonName } from "../../terms/index.ts";
import { type ApiVersion, wantedApi } from "../answer/index.ts";
import { daemonMetadata, type ListedOption, type OptionList } from "../render/option-list.ts";
import { inUsualOrder } from "../render/usual-options.ts";
import { version } from "../version.ts";
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

/** Versions of the answers (`ApiVersion`) with which names of properties came. All take them; older ones do not list them. */
const cameWith = (name: string): string | undefined => {
  if (/^fencing-|^(?:cancel-removed-actions|stop-removed-resources|fence-remote-without-quorum)$/.test(name))
    return "2.42";
  return name === "node-pending-timeout" ? "2.32" : undefined;
};
/** The same of values: what came later is no value to a program that was made for an older version. */
const newerValues: ReadonlyMap<string, readonly string[]> = new Map([["no-quorum-policy", ["fence"]]]);
const valuesCameWith = "2.42";
/** The version with which a property was no longer listed. */
const wentWith = new Map([["remove-after-stop", "2.38"]]);

/**
 * The properties that a program expects which was made for this version: pcs takes what is listed here, and says what
 * there is. An older name is not called outdated there by a newer one that it does not know.
 */
const properties = (belongs: (name: string) => boolean, api: ApiVersion): readonly ListedOption[] => {
  const isListed = (name: string) => {
    const [since, until] = [cameWith(name), wentWith.get(name)];
    if (until !== undefined) return !api.atLeast(until);
    return !unlisted.has(name) && (since === undefined || api.atLeast(since));
  };
  const ours = clusterProperties.filter(
    ({ name }) => belongs(name) && (!unlisted.has(name) || wentWith.has(name)),
  );
  const withValues = (option: ListedOption): ListedOption => {
    const newer = newerValues.get(option.name);
    if (newer === undefined || api.atLeast(valuesCameWith) || option.spec.values === undefined) return option;
    const values = option.spec.values.filter((value) => !newer.includes(value));
    return { ...option, spec: { ...option.spec, values } };
  };
  return listed(inUsualOrder(ours))
    .filter(({ name }) => isListed(name))
    .map(withValues)
    .map(({ replacedBy, ...option }) =>
      replacedBy === undefined || !isListed(replacedBy) ? option : { ...option, replacedBy },
    );
};

/** What Pacemaker's daemons answer for; hactl's three processes know the same options. */
const daemons: Readonly<Record<DaemonName, (api: ApiVersion) => Omit<OptionList, "id">>> = {
  "pacemaker-attrd": () => ({
    title: "Options of the node attributes",
    description: "Node attributes have no options of the whole cluster",
    options: [],
  }),
  "pacemaker-based": (api) => ({
    title: "Options of the configuration",
    description: "Cluster options that are about the configuration",
    options: properties((name) => ofBase.has(name), api),
  }),
  "pacemaker-controld": (api) => ({
    title: "Options of the controller",
    description: "Cluster options that are about members, leader and transitions",
    options: properties((name) => ofController.has(name), api),
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
  "pacemaker-schedulerd": (api) => ({
    title: "Options of the scheduler",
    description: "Cluster options that are about decisions: where resources run, and what is fenced",
    options: properties((name) => !ofBase.has(name) && !ofController.has(name), api),
  }),
};

/**
 * `pacemaker-NAME metadata`, as programs run it that want to know which options there are, and `pacemaker-NAME version`,
 * as crmsh asks which Pacemaker it has to do with.
 */
export const runAs = (name: DaemonName, words: readonly string[]): Promise<number> =>
  asTool(
    name,
    "Tell the options of this part of the cluster (metadata), or its version. Nothing is started by this name.",
    [],
    words,
    async () => {
      if (words.length === 1 && words[0] === "version") {
        write(`CRM Version: ${pacemakerVersion} (hactl ${version})\n`);
        return CrmExit.OK;
      }
      if (words.length !== 1 || words[0] !== "metadata")
        throw usage(name, "only 'metadata' and 'version' can be asked of it: hactl start runs the cluster");
      write(
        `<?xml version="1.0"?>\n${formatXml(daemonMetadata({ id: name, ...daemons[name](wantedApi()) }, pacemakerVersion))}`,
      );
      return CrmExit.OK;
    },
  );
