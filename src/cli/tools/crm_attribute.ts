import type { AttributeUpdate } from "../../attributes/index.ts";
import type { CibProblem } from "../../cib/index.ts";
import { CrmExit, HactlError, nodeName, withoutInstance } from "../../terms/index.ts";
import { type Answer, runTool } from "../answer/index.ts";
import { CibSession, warn } from "../cib-session.ts";
import { warnOfNodeValues } from "../node-value-remarks.ts";
import { attributeMessage } from "./attribute-message.ts";
import type { AttributePlace, AttributeScope } from "./attributes.ts";
import { usage } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";
import { asksForOptions, shortListOptionRows } from "./list-options.ts";

const options: readonly OptionRow[] = [
  {
    name: "name",
    short: "n",
    aliases: ["attr-name"],
    value: "NAME",
    description: "the attribute; all of them where a query names none",
  },
  { name: "pattern", short: "P", value: "REGEX", description: "every attribute whose name matches" },
  { name: "update", short: "v", aliases: ["attr-value"], value: "VALUE", description: "set it" },
  { name: "query", short: "G", aliases: ["get-value"], description: "print it" },
  { name: "delete", short: "D", aliases: ["delete-attr"], description: "remove it" },
  { name: "node", short: "N", aliases: ["uname", "node-uname"], value: "NODE", description: "for that node" },
  { name: "uname-old", short: "U", value: "NODE", description: "the same" },
  {
    name: "type",
    short: "t",
    value: "SECTION",
    description: "crm_config, nodes, status, rsc_defaults, op_defaults",
  },
  { name: "lifetime", short: "l", value: "LIFETIME", description: "reboot (transient) or forever" },
  {
    name: "promotion",
    short: "p",
    value: "RESOURCE",
    optional: true,
    description: "the promotion score of a resource",
  },
  { name: "utilization", short: "z", description: "a utilization attribute of the node" },
  { name: "set-name", short: "s", value: "SET", description: "id of the block that holds it" },
  { name: "id", short: "i", aliases: ["attr-id"], value: "ID", description: "id of the pair" },
  { name: "score", description: "accepted: value++ and value+=N always count on what is there" },
  { name: "default", short: "d", value: "VALUE", description: "print this when a query finds nothing" },
  { name: "quiet", short: "q", description: "print only the value" },
  { name: "quiet-old", short: "Q", description: "the same" },
  { name: "force", description: "set an option of the cluster although its value is no good one" },
  { name: "inhibit-policy-engine", short: "!", description: "accepted for older agents" },
  {
    name: "wait",
    short: "W",
    value: "UNTIL",
    description: "accepted: the change is everywhere when the tool returns",
  },
  ...shortListOptionRows,
  { name: "verbose", short: "V", description: "say more" },
];

interface Subject {
  readonly place: AttributePlace;
  /** What people and scripts read; empty with a pattern. */
  readonly name: string;
  readonly matches: (name: string) => boolean;
  readonly pattern: boolean;
}

/** crm_attribute(8): attributes of nodes and of the cluster. */
export async function run(words: readonly string[]): Promise<number> {
  if (asksForOptions(words, shortListOptionRows)) {
    const { runListOptions } = await import("./option-lists.ts");
    return runListOptions("crm_attribute", ["cluster"], words, shortListOptionRows);
  }
  return runAs("crm_attribute", words);
}

/** The same under the name by which it was called (crm_master is crm_attribute for promotion scores). */
export const runAs = (name: string, words: readonly string[]): Promise<number> =>
  runTool(
    { name, purpose: "Set, query and remove attributes of nodes and of the cluster.", options },
    words,
    (given, answer) => CibSession.quietly((session) => work(name, given, session, answer)),
  );

/** The same as a part of another tool, which answers. */
export const attributeStep = (tool: string, words: readonly string[], answer: Answer): Promise<number> =>
  CibSession.quietly((session) => work(tool, parseWords(tool, options, words), session, answer));

async function work(tool: string, given: ParsedWords, session: CibSession, answer: Answer): Promise<number> {
  const command = commandOf(given);
  if (command === "delete" && !given.has("name") && !given.has("pattern") && !given.has("promotion"))
    throw usage(tool, "Error: must specify attribute name or pattern to delete");
  const subject = await subjectOf(tool, given, session);
  const value = given.value("update");
  if (command === "delete") await remove(session, tool, subject, given.has("force"), answer);
  else if (command === "update" && value !== undefined)
    await set(session, tool, subject, value, given.has("force"));
  else print(given, subject, await query(session, subject), answer);
  return CrmExit.OK;
}

/** Of several commands the last one counts, and without any it is a query (crm_attribute(8)). */
const commandOf = (given: ParsedWords) => given.last(["update", "query", "delete"]) ?? "query";

async function subjectOf(tool: string, given: ParsedWords, session: CibSession): Promise<Subject> {
  const promotion = given.has("promotion");
  const scope = scopeOf(tool, given, promotion);
  const rsc = given.value("promotion") || given.words[0] || process.env.OCF_RESOURCE_INSTANCE;
  if (promotion && !rsc) throw usage(tool, "--promotion needs a resource when it is not called by an agent");
  const pattern = given.value("pattern");
  const name = promotion ? `master-${withoutInstance(rsc ?? "")}` : given.value("name");
  const isQuery = commandOf(given) === "query";
  if (name === undefined && pattern === undefined && !given.has("id") && !isQuery)
    throw usage(tool, "--name is missing");
  if (name === undefined && pattern !== undefined && !isQuery && scope !== "status")
    throw usage(tool, "Error: pattern can only be used with query, or with till-reboot update or delete");
  const expression =
    name === undefined && pattern !== undefined
      ? (await import("../../cib/index.ts")).compilePattern(pattern)
      : undefined;
  const ofNode = scope === "nodes" || scope === "status";
  let node = ofNode ? (given.value("node") ?? given.value("uname-old")) : undefined;
  if (ofNode && (node === undefined || node === "auto" || node === "localhost"))
    node = await session.localNode();
  return {
    place: {
      scope,
      node,
      set: given.value("set-name"),
      id: given.value("id"),
      utilization: given.has("utilization"),
    },
    name: name ?? "",
    pattern: name === undefined,
    matches: (candidate) =>
      name === undefined
        ? expression === undefined || expression.match(candidate) !== null
        : candidate === name,
  };
}

/** Promotion scores are of the service, not of an instance of its clone. */

const scopes = ["crm_config", "nodes", "status", "rsc_defaults", "op_defaults", "tickets"] as const;

/** A lifetime decides between permanent and transient; a node without one means permanent; nothing means the cluster. */
function scopeOf(tool: string, given: ParsedWords, promotion: boolean): AttributeScope {
  const type = given.value("type");
  const lifetime = given.value("lifetime");
  if (lifetime === "reboot" || type === "status") return "status";
  if (lifetime === "forever") return "nodes";
  if (lifetime !== undefined) throw usage(tool, `"${lifetime}" is not a lifetime; reboot and forever are`);
  if (promotion) return "status";
  if (type === undefined) {
    const ofNode = given.has("node") || given.has("uname-old") || given.has("utilization");
    return ofNode ? "nodes" : "crm_config";
  }
  const scope = scopes.find((candidate) => candidate === type);
  if (scope === undefined || scope === "tickets")
    throw usage(tool, `"${type}" is not a section that holds attributes`);
  return scope;
}

interface Value {
  readonly name: string;
  readonly value: string;
}

async function query(session: CibSession, subject: Subject): Promise<Value[]> {
  const { place, name, matches } = subject;
  if (place.scope === "status" && session.isLive && !subject.pattern) {
    const client = await session.daemon();
    const values = await client.request<Record<string, string>>({
      type: "attributes-query",
      name,
      ...(place.node === undefined ? {} : { node: place.node }),
    });
    const value = new Map(Object.entries(values)).get(place.node ?? "");
    return value === undefined ? [] : [{ name, value }];
  }
  const { findPairs } = await import("./attributes.ts");
  return findPairs(session, place, matches);
}

async function set(
  session: CibSession,
  tool: string,
  subject: Subject,
  value: string,
  force: boolean,
): Promise<void> {
  const { place } = subject;
  const names = subject.pattern
    ? [...new Set((await query(session, subject)).map(({ name }) => name))]
    : [subject.name];
  const ofNode = place.scope === "nodes" || place.scope === "status";
  if (ofNode) {
    const { node = "", scope, utilization = false } = place;
    await warnOfNodeValues(
      names.map((name) => ({ node, name, value, utilization, lasting: scope === "nodes" })),
    );
  }
  if (place.scope === "status" && session.isLive) return transient(session, subject, names, value);
  const { refuseBadNodeValue } = await import("../../cib/index.ts");
  if (ofNode && !place.utilization) for (const name of names) refuseBadNodeValue(name, value);
  const { countedValue, setPair } = await import("./attributes.ts");
  const operations = await Promise.all(
    names.map((name) => setPair(session, place, name, (old) => countedValue(name, value, old))),
  );
  // Attributes of nodes are the agents' own, and theirs to set quickly; options are the cluster's.
  const checked = ofNode ? undefined : { force };
  await warnOfSlips(await session.apply(operations.flat(), tool, checked));
}

/** What is remarkable about the option itself. What else there is in the cluster is not new to who sets it. */
async function warnOfSlips(remarks: readonly CibProblem[]): Promise<void> {
  if (remarks.length === 0) return;
  const { isOfWhatIsWritten } = await import("../acceptance.ts");
  await warn(remarks.filter(isOfWhatIsWritten));
}

async function transient(
  session: CibSession,
  { place }: Subject,
  names: readonly string[],
  value: string | undefined,
): Promise<void> {
  const updates = names.map(
    (name): AttributeUpdate => ({
      node: nodeName(place.node ?? ""),
      name,
      value: value?.replace(`${name}++`, "value++").replace(`${name}+=`, "value+="),
      ...(place.utilization ? { set: "utilization" as const } : {}),
    }),
  );
  if (updates.length > 0) await (await session.daemon()).request({ type: "attributes-update", updates });
}

async function remove(
  session: CibSession,
  tool: string,
  subject: Subject,
  force: boolean,
  answer: Answer,
): Promise<void> {
  const { place, name, matches } = subject;
  if (place.scope === "status" && session.isLive) {
    const names = subject.pattern ? (await query(session, subject)).map((found) => found.name) : [name];
    return transient(session, subject, names, undefined);
  }
  const { onlyPair, removePairs } = await import("../../cib/index.ts");
  const { findPairs } = await import("./attributes.ts");
  const pairs = await findPairs(session, place, matches);
  if (pairs.length === 0) return;
  for (const one of pairs)
    onlyPair(
      one.name,
      pairs.filter((other) => other.name === one.name),
    );
  const ofNode = place.scope === "nodes" || place.scope === "status";
  const remarks = await session.apply(removePairs(pairs), tool, ofNode ? undefined : { force });
  await warnOfSlips(remarks);
  const kind = ofNode ? "attribute" : "option";
  for (const pair of pairs) answer.info(`Deleted ${place.scope} ${kind}: id=${pair.id} name=${pair.name}`);
}

function print(given: ParsedWords, { place, name }: Subject, found: readonly Value[], answer: Answer): void {
  const fallback = given.value("default");
  const values = found.length === 0 && fallback !== undefined ? [{ name, value: fallback }] : found;
  if (values.length === 0) {
    throw new HactlError({
      code: "NO_SUCH_ATTRIBUTE",
      what: "Error performing operation: No such device or address",
      exit: CrmExit.NOSUCH,
    });
  }
  const quiet = given.has("quiet") || given.has("quiet-old");
  for (const one of values)
    answer.say(
      attributeMessage({ name: one.name, value: one.value, scope: place.scope, id: place.id }, quiet),
    );
}
