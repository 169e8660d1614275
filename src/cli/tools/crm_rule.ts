import {
  element,
  evaluateDateExpression,
  localOffset,
  parseWrittenTime,
  parseXml,
  placeInDateSpec,
  selectXpath,
  type WrittenTime,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type AnsweringTool, type Message, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { readText } from "../read-text.ts";
import { usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "check", short: "c", description: "say whether the rules of --rule are in effect" },
  { name: "rule", short: "r", value: "ID", description: "a rule; may be given several times" },
  { name: "date", short: "d", value: "TIME", description: "at that time instead of now" },
  {
    name: "xml-text",
    short: "X",
    value: "XML",
    description: "look in this text instead of the CIB ('-': standard input)",
  },
  { name: "verbose", short: "V", description: "say more" },
  { name: "help", short: "h", description: "print this help" },
];

const tool: AnsweringTool = {
  name: "crm_rule",
  purpose: "Say whether rules of the configuration are in effect.",
  options,
};

/** crm_rule(8): whether rules with one condition on the date are in effect. The exit code is that of the last rule. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    if (!given.has("check")) throw usage("crm_rule", "what shall be done? --check is all that there is");
    const ids = given.values("rule");
    if (ids.length === 0) throw usage("crm_rule", "--check needs --rule");
    const at = timeOf(given);
    const cib = await source(given);
    const checks = ids.map((id) => checkRule(cib, id, at));
    for (const check of checks) {
      answer.say(checkMessage(check));
      if (check.problem !== undefined)
        answer.error(`crm_rule: whether rule ${check.id} is in effect is not known: ${check.problem}`);
    }
    return checks.at(-1)?.exit ?? CrmExit.OK;
  });

/** What is to be said of one rule. */
interface RuleCheck {
  readonly id: string;
  readonly exit: CrmExit;
  /** Whether its condition names fields of a date instead of a beginning or an end. */
  readonly bySpec: boolean;
  /** Why nothing can be said of it. */
  readonly problem?: string;
}

const checkMessage = (check: RuleCheck): Message => ({
  text: () => (check.problem === undefined ? checkLine(check) : undefined),
  xml: () => [element("rule-check", { "rule-id": check.id, rc: check.exit })],
});

function checkLine({ id, exit, bySpec }: RuleCheck): string {
  switch (exit) {
    case CrmExit.EXPIRED:
      return `Rule ${id} is expired`;
    case CrmExit.NOT_YET_IN_EFFECT:
      return `Rule ${id} has not yet taken effect`;
    default:
      return bySpec ? `Rule ${id} satisfies conditions` : `Rule ${id} is still in effect`;
  }
}

function timeOf(given: ParsedWords): WrittenTime {
  const text = given.value("date");
  const time = Math.floor(Date.now() / 1000);
  const at = text === undefined ? { time, offset: localOffset(time) } : parseWrittenTime(text);
  if (at) return at;
  throw new HactlError({
    code: "BAD_DATE",
    what: `"${text}" is not a date`,
    cure: "Write it as '2026-02-28 13:05:00 +09:00'",
    exit: CrmExit.DATAERR,
  });
}

async function source(given: ParsedWords): Promise<XmlElement> {
  const text = given.value("xml-text");
  return text === undefined
    ? CibSession.with((session) => session.cib())
    : parseXml(text === "-" ? readText("-") : text);
}

function checkRule(cib: XmlElement, id: string, at: WrittenTime): RuleCheck {
  const bySpec = false;
  const rule = selectXpath(cib, "//rule").find(({ element }) => element.attributes.get("id") === id)?.element;
  if (!rule) return { id, exit: CrmExit.NOSUCH, bySpec, problem: "there is no such rule" };
  const refused = (problem: string) => ({ id, exit: CrmExit.UNIMPLEMENT_FEATURE, bySpec, problem });
  const [expression, ...others] = dateExpressions(rule);
  if (!expression) return refused("it has no condition on the date");
  if (others.length > 0) return refused("it has more than one condition on the date");
  if (expression.attributes.get("operation") !== "date_spec")
    return outcome(id, evaluateDateExpression(expression, at.time).state, bySpec);
  const spec = expression.children.find(({ name }) => name === "date_spec");
  if (!spec?.attributes.has("years") || spec.attributes.has("moon"))
    return refused("its date_spec comes back again and again: only one with years, and without moon, ends");
  return outcome(id, placeInDateSpec(spec, at), true);
}

const dateExpressions = ({ children }: XmlElement): XmlElement[] =>
  children.flatMap((child) => (child.name === "date_expression" ? [child] : dateExpressions(child)));

function outcome(
  id: string,
  state: ReturnType<typeof evaluateDateExpression>["state"],
  bySpec: boolean,
): RuleCheck {
  switch (state) {
    case "passed":
      return { id, exit: CrmExit.OK, bySpec };
    case "before":
      return { id, exit: CrmExit.NOT_YET_IN_EFFECT, bySpec };
    case "after":
      return { id, exit: CrmExit.EXPIRED, bySpec };
    default:
      return {
        id,
        exit: CrmExit.INDETERMINATE,
        bySpec,
        problem: "its condition on the date is not understood",
      };
  }
}
