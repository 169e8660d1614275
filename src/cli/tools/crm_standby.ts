import { CrmExit } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { attributeMessage } from "./attribute-message.ts";
import { attributeStep } from "./crm_attribute.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "query", short: "G", aliases: ["get-value"], description: "print whether the node is in standby" },
  {
    name: "update",
    short: "v",
    aliases: ["attr-value"],
    value: "on|off",
    description: "take it out or back",
  },
  { name: "delete", short: "D", aliases: ["delete-attr"], description: "back to the default: off" },
  {
    name: "node",
    short: "N",
    aliases: ["uname"],
    value: "NODE",
    description: "the node [default: this one]",
  },
  { name: "uname-old", short: "U", value: "NODE", description: "the same" },
  {
    name: "lifetime",
    short: "l",
    value: "LIFETIME",
    description: "forever, or reboot: until the node starts anew",
  },
  { name: "id", short: "i", aliases: ["attr-id"], value: "ID", description: "id of the pair" },
  { name: "quiet", short: "q", description: "print only the value" },
  { name: "quiet-old", short: "Q", description: "the same" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_standby(8): nodes that shall run nothing for a while. */
export const run = (words: readonly string[]): Promise<number> => runTool(tool, words, work);

const tool: AnsweringTool = {
  name: "crm_standby",
  purpose: "Keep a node empty, and let it run services again.",
  options,
};

async function work(given: ParsedWords, answer: Answer): Promise<number> {
  const node =
    given.value("node") ??
    given.value("uname-old") ??
    (await CibSession.with((session) => session.localNode()));
  const lifetime = given.value("lifetime");
  const id = given.value("id");
  const attribute = (span: string, ...more: readonly string[]) =>
    attributeStep(
      "crm_standby",
      [
        `--node=${node}`,
        "--name=standby",
        `--lifetime=${span}`,
        ...(id === undefined ? [] : [`--id=${id}`]),
        ...more,
      ],
      answer,
    );
  const value = given.value("update");
  const command = given.last(["query", "update", "delete"]) ?? "query";
  if (command === "update") return attribute(lifetime ?? "forever", `--update=${value}`);
  if (command === "delete") {
    for (const span of lifetime === undefined ? ["forever", "reboot"] : [lifetime]) {
      const code = await attribute(span, "--delete");
      if (code !== CrmExit.OK) return code;
    }
    return CrmExit.OK;
  }
  return query(given, node, lifetime, answer);
}

/** What the node's own attribute says, else the one until its restart, else off. Where it stands twice, both are told. */
async function query(
  given: ParsedWords,
  node: string,
  lifetime: string | undefined,
  answer: Answer,
): Promise<number> {
  const quiet = given.has("quiet") || given.has("quiet-old");
  const found = await CibSession.with(async (session) => {
    const { findPairs } = await import("./attributes.ts");
    for (const scope of ["nodes", "status"] as const) {
      if (lifetime !== undefined && (lifetime === "reboot") !== (scope === "status")) continue;
      const pairs = await findPairs(session, { scope, node }, (name) => name === "standby");
      if (pairs.length > 0) return pairs.map(({ value }) => ({ scope, value }));
    }
    return [{ scope: lifetime === "forever" ? "nodes" : "status", value: "off" }];
  });
  for (const one of found) answer.say(attributeMessage({ name: "standby", ...one }, quiet));
  return CrmExit.OK;
}
