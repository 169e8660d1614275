import { element, parseIntervalMs } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, lookup, type Millis } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, type Message, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { ask } from "../daemon.ts";
import { formatLocal } from "../render/dates.ts";
import { hidden, noSuch, usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "dc_lookup", short: "D", description: "name of the DC" },
  { name: "status", short: "S", value: "NODE", description: "state of a node's controller" },
  { name: "pacemakerd", short: "P", description: "state of the local daemon" },
  {
    name: "nodes",
    short: "N",
    value: "TYPE",
    optional: true,
    description: "nodes of the configuration: cluster, guest, remote",
  },
  { name: "bash-export", short: "B", description: "with -N: as shell commands" },
  {
    name: "timeout",
    short: "t",
    value: "TIME",
    description: "how long to wait for the answer [default: 30s]",
  },
  { name: "ipc-name", short: "i", value: "NAME", description: "accepted: the daemon knows who asks" },
  { name: "health", short: "H", description: "refused: there is no health of a cluster; see hactl status" },
  { name: "quiet", short: "q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crmadmin(8): the controllers. */
export const run = (words: readonly string[]): Promise<number> => runTool(tool, words, work);

const tool: AnsweringTool = { name: "crmadmin", purpose: "Ask the controllers.", options };

async function work(given: ParsedWords, answer: Answer): Promise<number> {
  const quiet = given.has("quiet");
  if (given.has("health"))
    throw new HactlError({
      code: "USAGE",
      what: "Cluster-wide health option not supported",
      cure: "see hactl status, whose exit code is a verdict on the cluster",
      exit: CrmExit.USAGE,
    });
  // The last of several counts.
  const command = given.last(["status", "dc_lookup", "pacemakerd", "nodes"]);
  if (command === "nodes") {
    answer.say(nodeList(await nodes(given.value("nodes") ?? ""), quiet, given.has("bash-export")));
    return CrmExit.OK;
  }
  const patience = patienceOf(given);
  if (command === "pacemakerd") return pacemakerd(quiet, patience, answer);
  const reply = await ask<NodeReply>({ type: "node" }, patience);
  if (command === "dc_lookup") {
    const { leader } = reply;
    if (leader === undefined && reply.hidden) throw hidden("the DC");
    if (leader === undefined)
      throw new HactlError({ code: "NO_DC", what: "DC is not yet elected", exit: CrmExit.NO_DC });
    answer.say({
      text: () => (quiet ? leader : `Designated Controller is: ${leader}`),
      xml: () => [element("dc", { node_name: leader })],
    });
    return CrmExit.OK;
  }
  const node = given.value("status");
  if (node === undefined) throw usage("crmadmin", "what shall be printed?");
  const member = reply.members.find(({ name }) => name === node);
  if (!member && reply.hidden) throw hidden(`node ${node}`);
  if (!member) throw noSuch(`there is no node ${node}`);
  const states = lookup({
    pending: "S_PENDING",
    lost: "S_STOPPING",
    member: node === reply.leader ? "S_IDLE" : "S_NOT_DC",
  });
  const state = states[member.state];
  const result = member.state === "lost" ? "gone" : "ok";
  answer.say({
    text: () => (quiet ? state : `Controller on ${node} in state ${state}: ${result}`),
    xml: () => [element("crmd", { node_name: node, state, result })],
  });
  return member.state === "lost" ? CrmExit.DISCONNECT : CrmExit.OK;
}

function patienceOf(given: ParsedWords): Millis {
  const time = given.value("timeout") ?? "30s";
  const patience = parseIntervalMs(time);
  if (patience !== undefined && patience > 0) return patience;
  throw usage("crmadmin", `"${time}" is not a time such as 10s`);
}

async function pacemakerd(quiet: boolean, patience: Millis, answer: Answer): Promise<number> {
  let state = "shutdown";
  try {
    state = (await ask<NodeReply>({ type: "node" }, patience)).joined ? "running" : "starting_daemons";
  } catch (error) {
    // Who may not ask does not know whether it runs.
    if (!(error instanceof HactlError) || error.exit === CrmExit.INSUFFICIENT_PRIV) throw error;
  }
  answer.say({
    text: () => (quiet ? state : `Status: '${state}'`),
    xml: () => [element("pacemakerd", { state, last_updated: formatLocal(Date.now() / 1000, true) })],
  });
  return state === "shutdown" ? CrmExit.DISCONNECT : CrmExit.OK;
}

/** What kind of node the configuration tells of. */
type Kind = "cluster" | "guest" | "remote";

interface ListedNode {
  readonly kind: Kind;
  readonly name: string;
  readonly id: string;
}

/** Names of the kinds in `--nodes`, which may be several; what is none of them means all. */
const kindsOf = (types: string): readonly Kind[] => {
  const kinds = types.split(",").flatMap((type): Kind[] => {
    if (type === "member") return ["cluster"];
    return type === "cluster" || type === "guest" || type === "remote" ? [type] : [];
  });
  return kinds.length === 0 ? ["cluster", "guest", "remote"] : kinds;
};

/** Members, guests and remote nodes as the configuration has them. */
function nodes(types: string): Promise<ListedNode[]> {
  return CibSession.with(async (session) => {
    const { guestNames, remoteNames } = await import("./attributes.ts");
    const configuration = await session.configuration();
    const section = (wanted: string) => configuration.children.find(({ name }) => name === wanted);
    const guests = guestNames(section("resources"));
    const named = (kind: Kind, names: readonly string[]) => names.map((name) => ({ kind, name, id: name }));
    const all: ListedNode[] = [
      ...(section("nodes")?.children ?? [])
        .filter(({ attributes }) => attributes.get("type") !== "remote")
        .map(
          ({ attributes }): ListedNode => ({
            kind: "cluster",
            name: attributes.get("uname") ?? "",
            id: attributes.get("id") ?? "",
          }),
        ),
      ...named("guest", guests),
      ...named(
        "remote",
        remoteNames(section("resources")).filter((name) => !guests.includes(name)),
      ),
    ];
    const kinds = kindsOf(types);
    return all.filter(({ kind }) => kinds.includes(kind));
  });
}

/** What kinds were called at first. */
const olderWords = lookup({ cluster: "member", guest: "remote", remote: "remote" });

function nodeList(list: readonly ListedNode[], quiet: boolean, asExports: boolean): Message {
  const shown = ({ kind, name, id }: ListedNode) =>
    asExports ? `export ${name}=${id}` : quiet ? name : `${kind} node: ${name} (${id})`;
  return {
    text: () => (list.length === 0 ? undefined : list.map(shown).join("\n")),
    xml: (api) => [
      element(
        "nodes",
        {},
        list.map(({ kind, name, id }) => {
          const type = api.atLeast("2.26") ? kind : olderWords[kind];
          return element("node", { type, name, id });
        }),
      ),
    ],
  };
}
