import { lookup } from "../../terms/index.ts";
import { usage } from "./connection.ts";

/** What a command of the level `resource` comes to: words for one of the tools, or for `hactl resource`. */
export interface ResourceStep {
  readonly tool?: "crm_attribute" | "crm_failcount" | "crm_resource" | "crm_simulate" | "cibsecret";
  readonly words: readonly string[];
}

interface ResourceFlags {
  readonly wait: readonly string[];
  readonly force: readonly string[];
}

/** Names of the crm shell for commands that hactl has under others. */
const otherNames: Readonly<Record<string, string>> = lookup({
  migrate: "move",
  unmigrate: "clear",
  unmove: "clear",
  unban: "clear",
  reprobe: "refresh",
});
/** Commands that wait themselves when they are asked to. */
const waiting: ReadonlySet<string> = new Set([
  "start",
  "stop",
  "move",
  "ban",
  "clear",
  "cleanup",
  "refresh",
  "manage",
  "unmanage",
  "promote",
  "demote",
]);
/** Commands that take one resource after the other. */
const forEach: ReadonlySet<string> = new Set(["status", "start", "stop", "restart", "locate"]);
const kinds: Readonly<Record<string, readonly string[]>> = lookup({
  param: [],
  meta: ["--meta"],
  utilization: ["--utilization"],
});
const secretCommands = lookup({
  set: "set",
  delete: "delete",
  show: "get",
  stash: "stash",
  unstash: "unstash",
  check: "check",
} as const);

/**
 * The crm shell's `resource` level (crm(8)): what hactl has itself, and attributes, fail counts, secrets, constraints and
 * scores, which the tools see and set. Step by step, until one fails.
 * @throws HactlError USAGE
 */
export function resourceLevel(words: readonly string[], { wait, force }: ResourceFlags): ResourceStep[] {
  const [written = "list", ...rest] = words;
  const command = otherNames[written] ?? written;
  const own = (name: string, ...more: readonly string[]): ResourceStep => ({
    words: ["resource", name, ...more, ...(waiting.has(name) ? wait : [])],
  });
  switch (command) {
    case "param":
    case "meta":
    case "utilization":
      return [{ tool: "crm_resource", words: attribute(command, rest, force) }];
    case "secret":
      return [{ tool: "cibsecret", words: secret(rest) }];
    case "failcount":
      return [failCount(rest)];
    case "operations": {
      const [rsc, node] = atMost("operations [RESOURCE [NODE]]", rest, 0, 2);
      return [{ tool: "crm_resource", words: ["-O", ...option("-r", rsc), ...option("-N", node)] }];
    }
    case "constraints": {
      const [rsc] = atMost("constraints RESOURCE", rest, 1, 1);
      return [{ tool: "crm_resource", words: ["-a", ...option("-r", rsc)] }];
    }
    case "scores":
      atMost("scores", rest, 0, 0);
      return [{ tool: "crm_simulate", words: ["-sUL"] }];
    case "move":
    case "ban":
      return [steering(command, rest, force) ?? own(command, ...withoutForce(rest))];
    case "maintenance": {
      const [rsc, state = "on"] = atMost("maintenance RESOURCE [on|off|true|false]", rest, 1, 2);
      const meant = state.toLowerCase();
      return [own(command, rsc ?? "", meant === "true" ? "on" : meant === "false" ? "off" : meant)];
    }
    case "list":
    case "show":
    case "status":
      return rest.length === 0 ? [own("list")] : rest.map((rsc) => own("status", rsc));
    default:
      return forEach.has(command) && rest.length > 1
        ? rest.map((rsc) => own(command, rsc))
        : [own(command, ...withoutForce(rest))];
  }
}

const withoutForce = (words: readonly string[]) => words.filter((word) => word !== "force");
const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);

/** The words, if there are neither too few nor too many. */
function atMost(form: string, words: readonly string[], least: number, most: number): readonly string[] {
  if (words.length >= least && words.length <= most) return words;
  throw usage("crm", `resource ${form}: ${words.length} words are given`);
}

/** RESOURCE set|show|delete NAME [VALUE] */
function attribute(command: string, words: readonly string[], force: readonly string[]): string[] {
  const form = `${command} RESOURCE set|show|delete NAME [VALUE]`;
  const [rsc = "", what = "", name = "", value = ""] = atMost(form, words, 3, words[1] === "set" ? 4 : 3);
  const base = [...(kinds[command] ?? []), "--resource", rsc];
  switch (what) {
    case "set":
      if (words.length < 4) throw usage("crm", `resource ${form}: the value to set is missing`);
      return [...base, "--set-parameter", name, "--parameter-value", value, ...force];
    case "delete":
      return [...base, "--delete-parameter", name];
    case "show":
      return [...base, "--get-parameter", name];
    default:
      throw usage("crm", `resource ${form}: "${what}" is none of set, show and delete`);
  }
}

/** RESOURCE set|show|delete|stash|unstash|check NAME [VALUE] */
function secret(words: readonly string[]): string[] {
  const form = "secret RESOURCE set|show|delete|stash|unstash|check NAME [VALUE]";
  const isSet = words[1] === "set";
  const [rsc = "", what = "", name = "", ...value] = atMost(form, words, isSet ? 4 : 3, isSet ? 4 : 3);
  const meant = secretCommands[what as keyof typeof secretCommands];
  if (meant === undefined) throw usage("crm", `resource ${form}: it has no "${what}"`);
  return [meant, rsc, name, ...value];
}

/** RESOURCE show|delete NODE, and RESOURCE set NODE VALUE [OPERATION [SECONDS]] */
function failCount(words: readonly string[]): ResourceStep {
  const [rsc = "", what = "", node = "", value = "", operation, seconds] = words;
  const form = "failcount RESOURCE show|delete NODE, or RESOURCE set NODE VALUE [OPERATION [SECONDS]]";
  if (what === "show" || what === "delete") {
    atMost(form, words, 3, 3);
    return { tool: "crm_failcount", words: [what === "show" ? "-G" : "-D", "-r", rsc, "-N", node] };
  }
  if (what !== "set") throw usage("crm", `resource ${form}: "${what}" is none of set, show and delete`);
  atMost(form, words, 4, 6);
  if (seconds !== undefined && !/^\d+$/.test(seconds))
    throw usage("crm", `resource ${form}: "${seconds}" is no number of seconds`);
  const base = ["-t", "status", "-N", node];
  if (operation !== undefined && seconds !== undefined)
    return {
      tool: "crm_attribute",
      words: [...base, "-n", `fail-count-${rsc}#${operation}_${Number(seconds) * 1000}`, "-v", value],
    };
  // Those that there are: of which operation a count is, only it knows.
  const plain = rsc.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = `^fail-count-${plain}${operation === undefined ? "(#|$)" : `#${operation}_`}`;
  return { tool: "crm_attribute", words: [...base, "-P", pattern, "-v", value] };
}

/** RESOURCE [NODE] LIFETIME: a constraint that ends, which only crm_resource makes. */
function steering(
  command: string,
  words: readonly string[],
  force: readonly string[],
): ResourceStep | undefined {
  const said = withoutForce(words);
  const last = said.at(-1) ?? "";
  if (said.length < 2 || (said.length < 3 && !/^P[-\dT]/.test(last))) return undefined;
  const [rsc = "", node] = atMost(`${command} RESOURCE [NODE] [LIFETIME] [force]`, said, 2, 3);
  const forced = said.length < words.length ? ["--force"] : force;
  return {
    tool: "crm_resource",
    words: [
      `--${command}`,
      "--resource",
      rsc,
      ...(said.length === 3 ? option("--node", node) : []),
      "--lifetime",
      last,
      ...forced,
    ],
  };
}
