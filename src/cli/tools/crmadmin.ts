import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, lookup } from "../../terms/index.ts";
import { CibSession } from "../cib-session.ts";
import { ask } from "../daemon.ts";
import { asTool, line, noSuch, usage } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "dc_lookup", short: "D", description: "name of the DC" },
  { name: "status", short: "S", value: "NODE", description: "state of a node's controller" },
  { name: "pacemakerd", short: "P", description: "state of the local daemon" },
  { name: "nodes", short: "N", value: "TYPE", optional: true, description: "nodes of the configuration" },
  { name: "bash-export", short: "B", description: "with -N: as shell commands" },
  { name: "timeout", short: "t", value: "TIME", description: "accepted" },
  { name: "ipc-name", short: "i", value: "NAME", description: "accepted" },
  { name: "output-as", value: "FORMAT", description: "text" },
  { name: "quiet", short: "q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crmadmin(8): the controllers. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("crmadmin", "Ask the controllers.", table, words, () => work(parseWords("crmadmin", table, words)));

async function work(given: ParsedWords): Promise<number> {
  if (given.has("nodes")) return nodes(given);
  if (given.has("pacemakerd")) return pacemakerd(given.has("quiet"));
  const reply = await ask<NodeReply>({ type: "node" });
  if (given.has("dc_lookup")) {
    if (reply.leader === undefined)
      throw new HactlError({ code: "NO_DC", what: "DC is not yet elected", exit: CrmExit.NO_DC });
    line(given.has("quiet") ? reply.leader : `Designated Controller is: ${reply.leader}`);
    return CrmExit.OK;
  }
  const node = given.value("status");
  if (node === undefined) throw usage("crmadmin", "what shall be printed?");
  const member = reply.members.find(({ name }) => name === node);
  if (!member) throw noSuch(`there is no node ${node}`);
  const states = lookup({
    pending: "S_PENDING",
    lost: "S_STOPPING",
    member: node === reply.leader ? "S_IDLE" : "S_NOT_DC",
  });
  const state = states[member.state];
  line(
    given.has("quiet")
      ? state
      : `Controller on ${node} in state ${state}: ${member.state === "lost" ? "gone" : "ok"}`,
  );
  return member.state === "lost" ? CrmExit.DISCONNECT : CrmExit.OK;
}

async function pacemakerd(quiet: boolean): Promise<number> {
  let state = "shutdown";
  try {
    state = (await ask<NodeReply>({ type: "node" })).joined ? "running" : "starting_daemons";
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
  }
  line(quiet ? state : `Status: '${state}'`);
  return state === "shutdown" ? CrmExit.DISCONNECT : CrmExit.OK;
}

/** Members and remote nodes as the configuration has them. */
function nodes(given: ParsedWords): Promise<number> {
  return CibSession.with(async (session) => {
    const { remoteNames } = await import("./attributes.ts");
    const configuration = await session.configuration();
    const section = (wanted: string) => configuration.children.find(({ name }) => name === wanted);
    const types = (given.value("nodes") || "all").split(",");
    const wants = (...names: readonly string[]) =>
      types.some((type) => type === "all" || names.includes(type));
    const print = (kind: string, name: string, id: string) =>
      line(
        given.has("bash-export")
          ? `export ${name.replace(/\W/g, "_")}=${id}`
          : `${kind} node: ${name} (${id})`,
      );
    if (wants("cluster", "member"))
      for (const { attributes } of section("nodes")?.children ?? [])
        if (attributes.get("type") !== "remote")
          print("cluster", attributes.get("uname") ?? "", attributes.get("id") ?? "");
    if (wants("remote", "guest"))
      for (const name of remoteNames(section("resources"))) print("remote", name, name);
    return CrmExit.OK;
  });
}
