import { type AnsweringTool, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { usage } from "./connection.ts";
import {
  commandOf,
  isChange,
  isForced,
  type ResourceCall,
  type ResourceCommand,
  withoutCib,
} from "./crm_resource-call.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";
import { asksForOptions, listOptionRows } from "./list-options.ts";

const options: readonly OptionRow[] = [
  { name: "list", short: "L", description: "all resources with their state" },
  { name: "list-raw", short: "l", description: "ids of all primitives and instances" },
  { name: "list-cts", short: "c", description: "accepted as --list-raw" },
  { name: "list-operations", short: "O", description: "operations that are active (of --resource, --node)" },
  { name: "list-all-operations", short: "o", description: "all recorded operations" },
  { name: "list-standards", description: "classes of agents" },
  { name: "list-ocf-providers", description: "providers of OCF agents" },
  { name: "list-agents", value: "STD:PROV", description: "agents of a class and provider" },
  { name: "list-ocf-alternatives", value: "AGENT", description: "providers of an OCF agent" },
  { name: "show-metadata", value: "SPEC", description: "meta-data of CLASS:PROVIDER:AGENT" },
  { name: "query-xml", short: "q", description: "state and XML of a resource, with what its template gives" },
  { name: "query-xml-raw", short: "w", description: "the same as it is written" },
  {
    name: "get-parameter",
    short: "g",
    value: "NAME",
    description: "print a parameter (-m: meta, -z: utilization)",
  },
  { name: "get-property", short: "G", value: "NAME", description: "print class, provider or type" },
  { name: "locate", short: "W", description: "the nodes that it runs on" },
  { name: "constraints", short: "a", description: "the constraints that name it" },
  { name: "stack", short: "A", description: "the same" },
  { name: "why", short: "Y", description: "whether it runs, and if not why" },
  { name: "cleanup", short: "C", description: "forget failures, so that it is tried again" },
  { name: "refresh", short: "R", description: "forget its history, so that it is looked at anew" },
  { name: "set-parameter", short: "p", value: "NAME", description: "set a parameter to the value of -v" },
  { name: "delete-parameter", short: "d", value: "NAME", description: "remove a parameter" },
  { name: "move", short: "M", description: "make a constraint that moves it (to --node)" },
  { name: "ban", short: "B", description: "make a constraint that keeps it off a node" },
  { name: "clear", short: "U", aliases: ["un-move", "un-migrate"], description: "remove such constraints" },
  { name: "expired", short: "e", description: "with --clear: only those whose time is over" },
  { name: "lifetime", short: "u", value: "ISO8601", description: "duration of such a constraint, as PT1H" },
  {
    name: "promoted",
    aliases: ["master"],
    description: "with -B, -M, -U: for the promoted role only",
  },
  { name: "delete", short: "D", description: "remove a resource (with -t)" },
  { name: "fail", short: "F", description: "tell the cluster that it has failed" },
  { name: "restart", description: "stop it, then start it" },
  { name: "wait", description: "return when the cluster has nothing left to do" },
  {
    name: "digests",
    description: "hashes of its parameters on a node (NAME=VALUE counts before what is configured)",
  },
  { name: "force-start", description: "start it on this node, past the cluster" },
  { name: "force-stop", description: "stop it on this node, past the cluster" },
  {
    name: "force-check",
    value: "LEVEL",
    optional: true,
    description: "ask the agent on this node how it is (=LEVEL: how thoroughly)",
  },
  { name: "force-promote", description: "promote it on this node, past the cluster" },
  { name: "force-demote", description: "demote it on this node, past the cluster" },
  {
    name: "validate",
    value: "LEVEL",
    optional: true,
    description: "let the agent check its parameters on this node (=LEVEL: how thoroughly)",
  },
  {
    name: "class",
    value: "STANDARD",
    description: "with --validate, --force-…: an agent without a resource",
  },
  { name: "provider", value: "NAME", description: "with --class: provider of an OCF agent" },
  {
    name: "agent",
    value: "NAME",
    description: "with --class: name of the agent; words NAME=VALUE are its parameters",
  },
  { name: "option", value: "NAME=VALUE", description: "with --agent: one of its parameters" },
  { name: "resource", short: "r", value: "ID", description: "the resource" },
  { name: "node", short: "N", aliases: ["host-uname"], value: "NODE", description: "the node" },
  { name: "host-old", short: "H", value: "NODE", description: "the same" },
  {
    name: "resource-type",
    short: "t",
    value: "ELEMENT",
    description: "primitive, group, clone, … (with -D)",
  },
  { name: "parameter-value", short: "v", value: "VALUE", description: "value for -p" },
  { name: "meta", short: "m", description: "a meta attribute instead of a parameter" },
  { name: "element", description: "an attribute of the resource's own element, as its description" },
  { name: "utilization", short: "z", description: "a utilization attribute instead of a parameter" },
  {
    name: "operation",
    short: "n",
    value: "NAME",
    description: "with -C: only failures of this operation",
  },
  { name: "interval", short: "I", value: "TIME", description: "with -C -n: of this interval [default: 0]" },
  { name: "set-name", short: "s", value: "ID", description: "id of the block (with -p, -d)" },
  { name: "nvpair", short: "i", value: "ID", description: "id of the pair (with -p, -d)" },
  { name: "recursive", description: "with -p -m: also for what has to be where it is" },
  {
    name: "timeout",
    short: "T",
    value: "TIME",
    description: "give up after so long (--wait, --restart, --force-…)",
  },
  { name: "force", short: "f", description: "do it although it may hurt" },
  ...listOptionRows,
  { name: "text-fancy", description: "accepted" },
  { name: "quiet", short: "Q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

const tool: AnsweringTool = { name: "crm_resource", purpose: "See and change resources.", options };

/** crm_resource(8): what resources do, and changes of them. */
export async function run(words: readonly string[]): Promise<number> {
  if (asksForOptions(words))
    return (await import("./option-lists.ts")).runListOptions(
      "crm_resource",
      ["primitive", "fencing"],
      words,
    );
  return runTool(tool, words, (given, answer) =>
    CibSession.with((session) =>
      dispatch({
        given,
        session,
        answer,
        quiet: given.has("quiet"),
        rsc: given.value("resource"),
        node: given.value("node") ?? given.value("host-old"),
      }),
    ),
  );
}

const agentWords = ["class", "provider", "agent"] as const;

/** An agent that is named itself, and words beside the options, are for some commands only. */
function refuseAgentWords(given: ParsedWords, command: ResourceCommand): void {
  const byHand = isForced(command);
  if (agentWords.some((name) => given.has(name))) {
    if (given.has("resource"))
      throw usage("crm_resource", "--class, --agent, and --provider cannot be used with -r/--resource");
    if (!byHand)
      throw usage(
        "crm_resource",
        "--class, --agent, and --provider can only be used with --validate and --force-*",
      );
  }
  if (given.words.length > 0 && !byHand && command !== "digests")
    throw usage("crm_resource", `"${given.words[0]}" does not belong to any option`);
}

async function dispatch(call: ResourceCall): Promise<number> {
  const command = commandOf(call);
  refuseAgentWords(call.given, command);
  if (call.node !== undefined && !withoutCib.has(command))
    await (await import("./crm_resource-cluster.ts")).refuseUnknownNode(call, call.node);
  if (command === "digests") return (await import("./crm_resource-digests.ts")).showDigests(call);
  if (isForced(command)) return (await import("./crm_resource-force.ts")).runByHand(command, call);
  if (isChange(command)) return (await import("./crm_resource-change.ts")).changeResource(command, call);
  if (command === "get-parameter" || command === "get-property")
    return (await import("./crm_resource-parameter.ts")).getParameter(command, call);
  return (await import("./crm_resource-query.ts")).queryResource(command, call);
}
