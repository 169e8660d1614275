import { child, knownNodes, type XmlElement } from "../../cib/index.ts";
import type { FailedOperation } from "../../controller/index.ts";
import { CrmExit, nearest, withoutInstance } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { idOf, primitivesIn, resourceNamed } from "../resources.ts";
import { variableOf } from "../target.ts";
import { attributeMessage } from "./attribute-message.ts";
import { noSuch, usage } from "./connection.ts";
import { failedOperation } from "./failed-operation.ts";
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
  { name: "interval", short: "I", value: "TIME", description: "with -n: of this interval [default: 0]" },
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
    if (commandOf(given) === undefined) throw usage("crm_failcount", "what shall be done: -G or -D?");
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

/** The last of several counts; an older way to delete is to set 0. */
function commandOf({ options: given }: ParsedWords): "query" | "delete" | undefined {
  const last = given.findLast(
    ([name, value]) => name === "query" || name === "delete" || (name === "attr-value" && value === "0"),
  );
  return last && (last[0] === "query" ? "query" : "delete");
}

async function work(given: ParsedWords, rsc: string, session: CibSession, answer: Answer): Promise<number> {
  const node = given.value("node") ?? given.value("uname-old") ?? (await session.localNode());
  const failed = failedOperation("crm_failcount", given, answer);
  if (commandOf(given) === "delete") {
    const { xml } = resourceNamed(await session.configuration(), rsc);
    for (const primitive of primitivesIn(xml)) {
      const id = idOf(primitive);
      if (session.isLive) {
        await (await session.daemon()).request({
          type: "forget",
          rsc: id,
          node,
          failuresOnly: true,
          ...(failed && { failed }),
        });
        answer.info(`Cleaned up ${id} on ${node}`);
      } else
        answer.info(`Dry run: skipping clean-up of ${id} on ${node} due to ${variableOf(session.target)}`);
    }
    return CrmExit.OK;
  }
  const { name, value } = await failures(session, rsc, node, failed);
  const quiet = given.has("quiet") || given.has("quiet-old");
  answer.say(attributeMessage({ name, value, scope: "status" }, quiet));
  return CrmExit.OK;
}

/**
 * How often one operation has failed, or all of them together; where nothing is kept for an operation, what an old cluster
 * has kept for the resource. A fatal failure (INFINITY) is more than any number.
 * @throws HactlError NO_SUCH_OBJECT for a node that there is not
 */
async function failures(
  session: CibSession,
  rsc: string,
  node: string,
  of: FailedOperation | undefined,
): Promise<{ readonly name: string; readonly value: string }> {
  const cib = await session.cib();
  const states = child(cib, "status")?.children ?? [];
  const state = states.find(({ attributes }) => attributes.get("uname") === node);
  if (!state) refuseUnknown(cib, node);
  const pairs = child(child(state, "transient_attributes"), "instance_attributes")?.children ?? [];
  const wanted = withoutInstance(rsc);
  const kept = pairs.flatMap(({ attributes }) => {
    const match = /^fail-count-([^#]+)(?:#(.+)_(\d+))?$/.exec(attributes.get("name") ?? "");
    if (!match || withoutInstance(match[1] ?? "") !== wanted) return [];
    return [{ operation: match[2], intervalMs: Number(match[3]), count: attributes.get("value") ?? "0" }];
  });
  const ofResource = `fail-count-${rsc}`;
  const single = of && kept.filter((one) => one.operation === of.action && one.intervalMs === of.intervalMs);
  const name = of === undefined ? ofResource : `${ofResource}#${of.action}_${of.intervalMs}`;
  const value = sumOf(
    (single ?? kept.filter(({ operation }) => operation !== undefined)).map(({ count }) => count),
  );
  if (value !== "0") return { name, value };
  const old = sumOf(kept.filter(({ operation }) => operation === undefined).map(({ count }) => count));
  return old === "0" ? { name, value } : { name: ofResource, value: old };
}

function sumOf(counts: readonly string[]): string {
  const sum = counts.reduce((total, count) => total + (Number.parseInt(count, 10) || 0), 0);
  return counts.includes("INFINITY") || sum >= infinity ? "INFINITY" : String(sum);
}

const infinity = 1_000_000;

function refuseUnknown(cib: XmlElement, node: string): void {
  const known = knownNodes(cib);
  if (!known.has(node)) throw noSuch(`Could not map name=${node} to a UUID`, nearest(node, known));
}
