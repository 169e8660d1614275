import { child, parseIntervalMs } from "../../cib/index.ts";
import { CrmExit, type Millis, withoutInstance } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { idOf, primitivesIn, resourceNamed } from "../resources.ts";
import { variableOf } from "../target.ts";
import { attributeMessage } from "./attribute-message.ts";
import { usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "query", short: "G", aliases: ["get-value"], description: "print how often it has failed" },
  { name: "delete", short: "D", aliases: ["delete-attr"], description: "forget its failures" },
  { name: "resource", short: "r", aliases: ["resource-id"], value: "ID", description: "the resource" },
  {
    name: "node",
    short: "N",
    aliases: ["uname"],
    value: "NODE",
    description: "the node [default: this one]",
  },
  { name: "uname-old", short: "U", value: "NODE", description: "the same" },
  { name: "operation", short: "n", value: "NAME", description: "only of this operation" },
  { name: "interval", short: "I", value: "TIME", description: "only of this interval" },
  {
    name: "attr-value",
    short: "v",
    value: "0",
    description: "older: 0 forgets its failures; others have no effect",
  },
  { name: "attr-id", short: "i", value: "ID", description: "older: without effect" },
  { name: "lifetime", short: "l", value: "LIFETIME", description: "older: without effect" },
  { name: "quiet", short: "q", description: "print only the number" },
  { name: "quiet-old", short: "Q", description: "the same" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_failcount(8): failures of a resource on a node. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    const rsc = given.value("resource");
    if (rsc === undefined) throw usage("crm_failcount", "resource name required: -r");
    for (const name of ["attr-id", "lifetime", "attr-value"] as const)
      if (given.values(name).some((value) => name !== "attr-value" || value !== "0"))
        answer.error(`crm_failcount: --${name} has no effect`);
    return CibSession.with((session) => work(given, rsc, session, answer));
  });

const tool: AnsweringTool = {
  name: "crm_failcount",
  purpose: "See and forget the failures of a resource on a node.",
  options,
};

async function work(given: ParsedWords, rsc: string, session: CibSession, answer: Answer): Promise<number> {
  const node = given.value("node") ?? given.value("uname-old") ?? (await session.localNode());
  if (given.has("delete") || given.values("attr-value").includes("0")) {
    const { xml } = resourceNamed(await session.configuration(), rsc);
    for (const primitive of primitivesIn(xml)) {
      const id = idOf(primitive);
      if (session.isLive) {
        await (await session.daemon()).request({ type: "forget", rsc: id, node, failuresOnly: true });
        answer.info(`Cleaned up ${id} on ${node}`);
      } else
        answer.info(`Dry run: skipping clean-up of ${id} on ${node} due to ${variableOf(session.target)}`);
    }
    return CrmExit.OK;
  }
  const intervalText = given.value("interval");
  const intervalMs = intervalText === undefined ? undefined : parseIntervalMs(intervalText);
  if (intervalText !== undefined && intervalMs === undefined)
    throw usage("crm_failcount", `"${intervalText}" is not a time such as 10s`);
  const count = await failures(session, rsc, node, given.value("operation"), intervalMs);
  const quiet = given.has("quiet") || given.has("quiet-old");
  answer.say(attributeMessage({ name: `fail-count-${rsc}`, value: count, scope: "status" }, quiet));
  return CrmExit.OK;
}

/** Sum over the operations; a fatal failure (INFINITY) is more than any number. */
async function failures(
  session: CibSession,
  rsc: string,
  node: string,
  operation: string | undefined,
  intervalMs: Millis | undefined,
): Promise<string> {
  const states = child(await session.cib(), "status")?.children ?? [];
  const state = states.find(({ attributes }) => attributes.get("uname") === node);
  const pairs = child(child(state, "transient_attributes"), "instance_attributes")?.children ?? [];
  const wanted = withoutInstance(rsc);
  const counts = pairs.flatMap(({ attributes }) => {
    const match = /^fail-count-([^#]+)(?:#(.+)_(\d+))?$/.exec(attributes.get("name") ?? "");
    if (!match || withoutInstance(match[1] ?? "") !== wanted) return [];
    if (operation !== undefined && match[2] !== operation) return [];
    if (intervalMs !== undefined && Number(match[3]) !== intervalMs) return [];
    return [attributes.get("value") ?? "0"];
  });
  if (counts.includes("INFINITY")) return "INFINITY";
  return String(counts.reduce((sum, count) => sum + (Number.parseInt(count, 10) || 0), 0));
}
