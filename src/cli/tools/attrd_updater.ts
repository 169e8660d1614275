import type { AttributeUpdate } from "../../attributes/index.ts";
import type { CibOperation } from "../../cib/index.ts";
import { CrmExit, HactlError, lookup, type Millis, nodeName } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { warnOfNodeValues } from "../node-value-remarks.ts";
import { note } from "../output.ts";
import { onlyLive } from "../target.ts";
import { hostAttributeMessage } from "./attribute-message.ts";
import type { AttributePlace } from "./attributes.ts";
import { usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "name", short: "n", value: "NAME", description: "the attribute" },
  { name: "update", short: "U", aliases: ["v"], value: "VALUE", description: "set it" },
  { name: "value", short: "v", value: "VALUE", description: "the same" },
  { name: "update-both", short: "B", value: "VALUE", description: "set it, and its delay" },
  { name: "update-delay", short: "Y", description: "set its delay only" },
  { name: "delay", short: "d", value: "TIME", description: "wait so long for further changes (dampening)" },
  { name: "query", short: "Q", description: "print it" },
  { name: "delete", short: "D", description: "remove it" },
  { name: "refresh", short: "R", description: "write all attributes to the CIB again" },
  { name: "node", short: "N", value: "NODE", description: "for that node instead of this one" },
  { name: "all", short: "A", description: "query all nodes" },
  { name: "private", short: "p", description: "never write it to the CIB" },
  { name: "utilization", short: "z", description: "a utilization attribute" },
  { name: "pattern", short: "P", value: "REGEX", description: "every attribute that matches" },
  { name: "set", short: "s", value: "SET", description: "accepted for older agents" },
  { name: "section", short: "S", value: "SECTION", optional: true, description: "accepted for older agents" },
  { name: "lifetime", short: "l", value: "LIFETIME", description: "reboot, the only one there is" },
  {
    name: "wait",
    short: "W",
    value: "UNTIL",
    description: "accepted: the change is everywhere when the tool returns",
  },
  { name: "quiet", short: "q", description: "say nothing" },
  { name: "verbose", short: "V", description: "say more" },
];

/** attrd_updater(8): transient attributes of nodes, with dampening. */
export const run = (words: readonly string[]): Promise<number> => runTool(tool, words, work);

const tool: AnsweringTool = {
  name: "attrd_updater",
  purpose: "Set, query and remove transient node attributes.",
  options,
};

async function work(given: ParsedWords, answer: Answer): Promise<number> {
  const command = given.last(commands) ?? "query";
  if (command === "refresh") return CrmExit.OK;
  const name = given.value("name");
  const pattern = given.value("pattern");
  if (name !== undefined && pattern !== undefined)
    throw usage("attrd_updater", "--name and --pattern exclude each other");
  if (name === undefined && pattern === undefined) throw usage("attrd_updater", "--name is missing");
  const asks = command === "query";
  if (asks && name === undefined) throw usage("attrd_updater", "--pattern is for what changes something");
  return CibSession.with(async (session) => {
    const node = given.value("node") ?? (await session.localNode());
    if (asks && name !== undefined) {
      const values = session.isLive
        ? await (await session.daemon()).request<Record<string, string>>({
            type: "attributes-query",
            name,
            ...(given.has("all") ? {} : { node }),
          })
        : await valuesInFile(session, name);
      tell(answer, name, values, given.has("all") ? undefined : node);
      return CrmExit.OK;
    }
    const names = name === undefined ? await matching(session, pattern ?? "") : [name];
    const updates = names.map((one) => updateOf(command, given, one, node));
    if (updates.length === 0) return CrmExit.OK;
    await warnOfNodeValues(
      updates.flatMap(({ name: set, value, set: kind }) =>
        value === undefined
          ? []
          : [{ node, name: set, value, utilization: kind === "utilization", lasting: false }],
      ),
    );
    if (session.isLive) await updateCluster(session, updates);
    else await updateFile(session, updates);
    return CrmExit.OK;
  });
}

/** As Pacemaker's table of attributes, the cluster's keeps values for nodes that it does not know yet. */
async function updateCluster(session: CibSession, updates: readonly AttributeUpdate[]): Promise<void> {
  const daemon = await session.daemon();
  const reply = await daemon.request<{ readonly kept?: readonly string[] } | null>({
    type: "attributes-update",
    updates,
    keepsUnknown: true,
  });
  for (const node of new Set(reply?.kept))
    note(`note: there is no node "${node}": its value is kept, and comes into the status when there is one`);
}

/** The last of them counts; without any it is asked. */
const commands = ["update", "value", "update-both", "update-delay", "delete", "query", "refresh"] as const;

/**
 * Names of attributes that match, of whatever node, as Pacemaker's table of attributes has them: also those that are never
 * written to the CIB, or not yet.
 * @throws HactlError BAD_PATTERN, PATTERN_LIMIT for what is no regular expression
 */
async function matching(session: CibSession, pattern: string): Promise<string[]> {
  const { compilePattern } = await import("../../cib/index.ts");
  const { match } = compilePattern(pattern);
  const names = session.isLive
    ? await (await session.daemon()).request<readonly string[]>({ type: "attributes-names" })
    : await namesInFile(session);
  return names.filter((one) => match(one) !== null);
}

async function namesInFile(session: CibSession): Promise<readonly string[]> {
  const { findPairs, nodesWithState } = await import("./attributes.ts");
  const names = new Set<string>();
  for (const node of nodesWithState(await session.cib()))
    for (const { name } of await findPairs(session, { scope: "status", node }, () => true)) names.add(name);
  return [...names];
}

/** A file has no table of attributes beside it: its status is all there is. */
async function valuesInFile(session: CibSession, name: string): Promise<Record<string, string>> {
  const { findPairs, nodesWithState } = await import("./attributes.ts");
  const values = new Map<string, string>();
  for (const node of nodesWithState(await session.cib())) {
    const [pair] = await findPairs(session, { scope: "status", node }, (one) => one === name);
    if (pair) values.set(node, pair.value);
  }
  return Object.fromEntries(values);
}

/** At once, since nothing would write it later; what is never written to a CIB has no place in a file. */
async function updateFile(session: CibSession, updates: readonly AttributeUpdate[]): Promise<void> {
  const { refuseBadNodeValue, removePairs } = await import("../../cib/index.ts");
  const { countedValue, findPairs, setPair } = await import("./attributes.ts");
  const operations: CibOperation[] = [];
  for (const { node, name, value, private: hidden, delayOnly, set } of updates) {
    if (hidden) throw onlyLive(session.target, "an attribute that is never written to the CIB");
    const place: AttributePlace = { scope: "status", node, utilization: set === "utilization" };
    if (delayOnly) continue;
    if (set !== "utilization") refuseBadNodeValue(name, value);
    if (value === undefined)
      operations.push(...removePairs(await findPairs(session, place, (one) => one === name)));
    else operations.push(...(await setPair(session, place, name, (old) => countedValue(name, value, old))));
  }
  if (operations.length > 0) await session.apply(operations, "attrd_updater");
}

function updateOf(
  command: (typeof commands)[number],
  given: ParsedWords,
  name: string,
  node: string,
): AttributeUpdate {
  const delay = given.value("delay");
  const dampenMs = delay === undefined ? undefined : intervalOf(delay);
  const value = given.value(command);
  const both = command === "update-both" || command === "update-delay";
  return {
    node: nodeName(node),
    name,
    value: command === "delete" || command === "update-delay" ? undefined : counted(name, value),
    ...(dampenMs === undefined ? {} : { dampenMs }),
    ...(command === "update-delay" ? { delayOnly: true } : {}),
    ...(both ? {} : { dampenIfNew: true }),
    ...(given.has("private") ? { private: true } : {}),
    ...(given.has("utilization") ? { set: "utilization" as const } : {}),
  };
}

/** `NAME++` and `NAME+=N` count, as `value++` and `value+=N` do. */
const counted = (name: string, value: string | undefined) =>
  value === `${name}++` || value?.startsWith(`${name}+=`) ? `value${value.slice(name.length)}` : value;

const factors: Readonly<Record<string, number>> = lookup({
  "": 1000,
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
});

/** Milliseconds of a time such as 5s; without a unit seconds. Needs no more than agents write. */
function intervalOf(text: string): Millis {
  const [, number = "", unit = ""] = /^(\d+)\s*([a-z]*)$/.exec(text) ?? [];
  const factor = factors[unit];
  if (number === "" || factor === undefined)
    throw usage("attrd_updater", `"${text}" is not a time such as 5s`);
  return Number(number) * factor;
}

function tell(
  answer: Answer,
  name: string,
  values: Readonly<Record<string, string>>,
  node: string | undefined,
): void {
  const rows = Object.entries(values).filter(([host]) => node === undefined || host === node);
  if (rows.length === 0)
    throw new HactlError({
      code: "NO_SUCH_ATTRIBUTE",
      what: `Could not query value of ${name}: attribute does not exist`,
      exit: CrmExit.CONFIG,
    });
  for (const [host, value] of rows) answer.say(hostAttributeMessage({ name, value, host }));
}
