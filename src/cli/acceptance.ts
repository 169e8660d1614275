import { type Stats, statSync } from "node:fs";
import {
  type AgentUse,
  agentUses,
  bundleUses,
  type CibProblem,
  child,
  childrenOf,
  cibOf,
  findAgentProblems,
  findLiftedDenies,
  formatXml,
  parseIntervalMs,
  type Renaming,
  upgradeCib,
  verifyCib,
  type XmlElement,
} from "../cib/index.ts";
import { checkDeviceParameters, deviceOptions, devicesFromCib } from "../fencer/index.ts";
import { agentName, CrmExit, HactlError } from "../terms/index.ts";
import { askAgents } from "./agent-facts.ts";
import { missingBasis, unlessShown, withoutHiddenResources } from "./hidden.ts";

/** What of a change is looked at before it is made. */
export interface Checked {
  /** Whoever makes it knows better: only what cannot be stored is refused. */
  readonly force?: boolean;
  /** Whether a mistake of this code is told, not refused. */
  readonly told?: (code: string) => boolean;
  /** Whether the agents of what is new or changed are asked, too; `times`: only of times that may be a slip of the pen. */
  readonly agents?: boolean | "times";
  /** The text that what is new stands in, line by line. */
  readonly file?: string;
  /** Whether what the status says to run does run. */
  readonly live?: boolean;
  /** Sections in which access rules hide something from who makes it: what seems to be missing there may not be. */
  readonly hidden?: readonly string[];
  /** Whether it is a whole that takes the place of the whole: the leader puts right in it what only it writes. */
  readonly whole?: boolean;
  /** An object that gets another id: what is said of the one is said of the other. */
  readonly renamed?: Renaming;
}

/** Mistakes that a change would bring into a configuration, all of them. Nothing was changed. */
export class RefusedChange extends HactlError {
  readonly problems: readonly CibProblem[];

  /**
   * @param file the text that they are in; else their ids alone are named. @param cure what helps against all of them
   * @param readable the configuration as far as the text can be read, where that is not all of it
   */
  constructor(
    problems: readonly CibProblem[],
    readonly file?: string,
    cure?: string,
    readonly readable?: XmlElement,
  ) {
    const [first] = problems;
    const lines = problems.map((problem) => `  ${lineOf(problem, file)}${problemText(problem)}`);
    const single = problems.length === 1 ? first : undefined;
    const line = file === undefined ? undefined : single?.line;
    const where = {
      ...(single === undefined || file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(single?.id === undefined || single.text.includes(single.id) ? {} : { id: single.id }),
    };
    const cures = [single?.cure, cure].filter((text) => text !== undefined);
    super({
      code: first?.code ?? "BAD_VALUE",
      what: single?.text ?? `${problems.length} mistakes; nothing was changed\n${lines.join("\n")}`,
      where,
      ...(cures.length === 0 ? {} : { cure: cures.join("; ") }),
      exit: CrmExit.CONFIG,
    });
    this.problems = problems;
  }
}

/** The same with what agents say against the resources that can be read: all mistakes are told at once. */
export async function withAgentProblems(refusal: RefusedChange, before: XmlElement): Promise<RefusedChange> {
  const { problems, readable, file } = refusal;
  if (!readable) return refusal;
  const mistaken = new Set(problems.flatMap(({ id }) => id ?? []));
  const sound = ({ resource, template }: AgentUse) =>
    ![resource, ...(template ? [template] : [])].some((item) => mistaken.has(idOf(item)));
  const found = (await agentProblems(before, cibOf(readable), sound)).filter(isRefused);
  if (found.length === 0) return refusal;
  const place = ({ line }: CibProblem) => line ?? Number.MAX_SAFE_INTEGER;
  return new RefusedChange(
    [...problems, ...found].sort((a, b) => place(a) - place(b)),
    file,
  );
}

const lineOf = ({ line }: CibProblem, file: string | undefined): string =>
  file === undefined || line === undefined ? "" : `${file}:${line}: `;

/** A problem in one line: its text, its id unless the text names it, and the cure. */
export const problemText = ({ text, id, cure }: CibProblem): string =>
  `${text}${id !== undefined && !text.includes(id) ? ` ("${id}")` : ""}${cure === undefined ? "" : ` (${cure})`}`;

/** Of the cluster as a whole, and often mended by the next command: told, not refused. */
const tolerated: ReadonlySet<string> = new Set(["NO_FENCING"]);

/** Parameters of fence devices that are for the cluster, and that it does not understand. */
export function deviceProblems(cib: XmlElement, now: number): CibProblem[] {
  const configuration = child(upgradeCib(cib).root, "configuration");
  if (!configuration) return [];
  const lines = linesById(configuration);
  return [...devicesFromCib(configuration, now).devices.values()].flatMap(({ id, params }) =>
    checkDeviceParameters(params).map((what): CibProblem => {
      const line = lines.get(id);
      return {
        level: "warning",
        code: "DEVICE_PARAMETER",
        text: `fence device "${id}": ${what}`,
        id,
        ...(line === undefined ? {} : { line }),
        cure: "correct it, or remove it: hactl explain option NAME tells what it can be",
      };
    }),
  );
}

/** Programs of alerts that cannot be called on this host; on others they may be. */
export function alertProblems(cib: XmlElement): CibProblem[] {
  const alerts = childrenOf(child(child(cib, "configuration"), "alerts"), "alert");
  return alerts.flatMap((alert): CibProblem[] => {
    const { id = "", path = "" } = Object.fromEntries(alert.attributes);
    const why = path.startsWith("/") ? notCallable(path) : undefined;
    if (why === undefined) return [];
    return [
      {
        level: "warning",
        code: "NO_PROGRAM",
        text: `alert "${id}" calls nobody on this node: ${path} ${why}`,
        id,
        ...(alert.line === undefined ? {} : { line: alert.line }),
        cure: "put an executable program there on every node, or correct the path",
      },
    ];
  });
}

/** Why a file is no program; undefined for one, and for what this user may not look at. */
function notCallable(path: string): string | undefined {
  const found = lookAt(path);
  if (found === undefined) return undefined;
  if (found === "absent") return "is not there";
  if (!found.isFile()) return "is no file";
  return (found.mode & 0o111) === 0 ? "is not executable" : undefined;
}

function lookAt(path: string): Stats | "absent" | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? "absent";
  } catch {
    return undefined;
  }
}

/**
 * Looks at a CIB as it would be after a change. What is wrong in it and was not before is refused; what is remarkable and
 * new is answered. Mistakes that are there already keep nobody from mending something else.
 * @throws RefusedChange
 */
export async function checkChange(
  before: XmlElement,
  after: XmlElement,
  { force = false, told = () => false, agents = false, live = false, hidden = [], file, renamed }: Checked,
): Promise<CibProblem[]> {
  const now = Math.floor(Date.now() / 1000);
  const found = [
    ...verifyCib(after, now),
    ...deviceProblems(after, now),
    ...findLiftedDenies(before, after, renamed),
    ...(live ? [...(await otherAgents(before, after)), ...alertProblems(after)] : []),
    ...(agents === true ? await agentProblems(before, after) : []),
    ...(agents === "times" ? (await agentProblems(before, after, hasShortTime)).filter(isShortTime) : []),
    ...(agents || live ? await shortenedByDefaults(before, after) : []),
  ];
  const fresh = without(found, [
    ...verifyCib(before, now),
    ...deviceProblems(before, now),
    ...(live ? alertProblems(before) : []),
  ]).flatMap((problem) => unlessShown(problem, hidden));
  if (live && !fresh.some(isRefused) && missingBasis(hidden).length === 0) {
    const { consequencesOf } = await import("./consequences.ts");
    const [was, will] = [before, after].map((cib) => withoutHiddenResources(cib, hidden));
    if (was && will) fresh.push(...consequencesOf(was, will, now));
  }
  const errors = fresh.filter((problem) => isRefused(problem) && !told(problem.code));
  if (errors.length > 0 && !force) throw new RefusedChange(errors, file, "--force takes it all the same");
  return fresh.filter(({ level, code }) => level !== "info" || code === "NOT_ASKED");
}

/**
 * Refuses a whole configuration that lacks a section which every CIB has: it is torn, and what is in the section would be lost.
 * Where no schema is named, the sections of old documents are made.
 * @param before the configuration that it takes the place of @param source a `<cib>` or `<configuration>`, as it is given
 * @throws HactlError MISSING_ELEMENT
 */
export function refuseTorn(before: XmlElement, source: XmlElement): void {
  if (source.name === "cib" && !/^pacemaker-[1-9]/.test(source.attributes.get("validate-with") ?? "")) return;
  const after = source.name === "cib" ? child(source, "configuration") : source;
  if (after?.name !== "configuration") return;
  for (const name of ["crm_config", "nodes", "resources", "constraints"]) {
    if (child(before, name) === undefined || child(after, name) !== undefined) continue;
    throw new HactlError({
      code: "MISSING_ELEMENT",
      what: `<configuration> lacks <${name}>`,
      cure: `write <${name}/> where nothing is in it`,
      exit: CrmExit.CONFIG,
    });
  }
}

/** What of it would be refused, as far as the configuration alone tells. */
export const newErrors = (before: XmlElement, after: XmlElement): CibProblem[] =>
  without(verifyCib(after), verifyCib(before)).filter(isRefused);

/** Where in the file each id stands first. */
export function linesById(root: XmlElement, lines = new Map<string, number>()): Map<string, number> {
  const id = root.attributes.get("id");
  if (id !== undefined && root.line !== undefined && !lines.has(id)) lines.set(id, root.line);
  for (const inner of root.children) linesById(inner, lines);
  return lines;
}

const isRefused = ({ level, code }: CibProblem): boolean => level === "error" && !tolerated.has(code);

/**
 * Those that are not among others, each counted as often as it is there. The same mistake is the same under another id, too:
 * whoever loads what was saved gives new ones to what had none of its own.
 */
function without(found: readonly CibProblem[], others: readonly CibProblem[]): CibProblem[] {
  const same = rest(found, others, ({ code, id, text }) => `${code} ${id ?? ""} ${text}`);
  return rest(same.found, same.others, ({ code, text }) => `${code} ${text}`).found;
}

/** What is left of both when each is paired with one of the same key. */
function rest(
  found: readonly CibProblem[],
  others: readonly CibProblem[],
  key: (problem: CibProblem) => string,
): { readonly found: CibProblem[]; readonly others: readonly CibProblem[] } {
  const unpaired = Map.groupBy(others, key);
  const left = found.filter((problem) => unpaired.get(key(problem))?.shift() === undefined);
  return { found: left, others: [...unpaired.values()].flat() };
}

const deviceParameters: ReadonlySet<string> = new Set(deviceOptions.map(({ name }) => name));

/** What agents say against a configuration: whether that is a mistake is theirs to say, and they may be wrong. */
const agentCodes: ReadonlySet<string> = new Set([
  "NO_SUCH_AGENT",
  "AGENT_UNKNOWN",
  "UNKNOWN_PARAMETER",
  "MISSING_PARAMETER",
  "PARAMETER_VALUE",
  "SHORT_TIMEOUT",
  "UNSUPPORTED_OPERATION",
]);

/** Whether it is remarked that an operation has less time than its agent asks for. */
export const isShortTime = ({ code }: CibProblem): boolean => code === "SHORT_TIMEOUT";

/** That what is written is not known, counts for nothing, as something else than it looks like, or cannot work. */
const slipCodes: ReadonlySet<string> = new Set([
  "UNKNOWN_OPTION",
  "UNKNOWN_OPERATION",
  "UNKNOWN_ATTRIBUTE",
  "BAD_VALUE",
  "UNUSED_OPTION",
  "MISPLACED_OPTION",
  "DEVICE_PARAMETER",
  "NOT_RECURRING",
  "NO_EFFECT",
  "NEEDS_OPTION",
  "NEEDS_FENCING",
  "NO_TIME",
  "LONG_TIME",
  "ODD_UNIT",
]);

/** Whether a remark is about what was written itself, or about the time that it leaves an operation. */
export const isOfWhatIsWritten = (problem: CibProblem): boolean => isShortTime(problem) || isSlip(problem);

/** Whether a remark is about what was written itself, not about what else there is in the cluster. */
export const isSlip = ({ level, code }: CibProblem): boolean => level === "warning" && slipCodes.has(code);

/** What an operation has where nothing is said: who writes less has thought about it, or has mistaken the unit. */
const usualMs = 20_000;

/** Whether an operation of a resource is given less time than usual. */
const hasShortTime = ({ resource, template }: AgentUse): boolean =>
  [resource, ...(template ? [template] : [])].some((item) =>
    childrenOf(child(item, "operations"), "op").some(
      ({ attributes }) => (parseIntervalMs(attributes.get("timeout")) ?? usualMs) < usualMs,
    ),
  );

/** Whether a mistake is one by what an agent says. */
export const isAgents = (code: string): boolean => agentCodes.has(code);

/** What agents say against resources that are new or changed. */
async function agentProblems(
  before: XmlElement,
  after: XmlElement,
  counts: (use: AgentUse) => boolean = () => true,
): Promise<CibProblem[]> {
  const configuration = child(after, "configuration");
  if (!configuration) return [];
  const uses = [...usesIn(before), ...bundleUses(child(before, "configuration") ?? before)];
  const old = new Set(uses.map(shape));
  const found = await problemsOfAgents(
    [...agentUses(configuration), ...bundleUses(configuration)].filter(
      (use) => !old.has(shape(use)) && counts(use),
    ),
    after,
  );
  const wrong = found.filter(({ level }) => level === "error");
  if (wrong.length === 0) return found;
  // The same resource with the same mistake, written otherwise: whoever loads what was saved changes nothing about it.
  const known = await problemsOfAgents(
    uses.filter((use) => !usesSame(use, agentUses(configuration))),
    before,
  );
  const key = ({ code, text }: CibProblem) => `${code} ${text}`;
  const told = new Set(known.map(key));
  return found.filter((problem) => !told.has(key(problem)));
}

/**
 * Operations that are given less time by other defaults than their agents ask for, of resources that stand as they were: who
 * changes a default names none of them.
 */
async function shortenedByDefaults(before: XmlElement, after: XmlElement): Promise<CibProblem[]> {
  const [was, is] = [before, after].map((cib) => {
    const defaults = child(child(cib, "configuration"), "op_defaults");
    return defaults ? formatXml(defaults, -1) : "";
  });
  if (was === is) return [];
  const uses = usesIn(after);
  const kept = usesIn(before).filter((use) => usesSame(use, uses));
  const old = new Set(kept.map(shape));
  const short = async (of: readonly AgentUse[], cib: XmlElement) =>
    (await problemsOfAgents(of, cib)).filter(isShortTime);
  const found = await short(
    uses.filter((use) => old.has(shape(use))),
    after,
  );
  if (found.length === 0) return [];
  const known = new Set((await short(kept, before)).map(({ text }) => text));
  return found.filter(({ text }) => !known.has(text));
}

/** Whether a resource stands as it is among others. */
const usesSame = (use: AgentUse, others: readonly AgentUse[]): boolean => {
  const same = shape(use);
  return others.some((other) => shape(other) === same);
};

/**
 * Services that run and shall be of another agent: they are ended by the one that has started them, and begun by the other.
 * A fence device leaves nothing behind that could go on.
 */
async function otherAgents(before: XmlElement, after: XmlElement): Promise<CibProblem[]> {
  const old = new Map(usesIn(before).map(({ resource, agent }) => [idOf(resource), agentName(agent)]));
  const changed = usesIn(after).flatMap((use) => {
    const was = old.get(idOf(use.resource));
    const same = was === undefined || was === agentName(use.agent) || use.agent.class === "stonith";
    return same ? [] : [{ ...use, was }];
  });
  if (changed.length === 0) return [];
  const { placesOf } = await import("./places.ts");
  return changed.flatMap(({ resource, agent, was }): CibProblem[] => {
    const id = idOf(resource);
    const nodes = placesOf(before, id, Math.floor(Date.now() / 1000)).map(({ node }) => node);
    if (nodes.length === 0) return [];
    const text = `${id} runs on ${nodes.join(", ")} as ${was}, which will stop it: then it starts as ${agentName(agent)}`;
    return [{ level: "warning", code: "RUNNING", text, id }];
  });
}

const idOf = ({ attributes }: XmlElement): string => attributes.get("id") ?? "";

const usesIn = (cib: XmlElement): AgentUse[] => {
  const configuration = child(cib, "configuration");
  return configuration ? agentUses(configuration) : [];
};

/** By which a resource is the same as before. */
const shape = ({ resource, template }: AgentUse): string =>
  formatXml(resource, -1) + (template ? formatXml(template, -1) : "");

/** What agents say against all that a configuration makes of them, on the nodes that may run it. */
export async function problemsOfAgents(uses: readonly AgentUse[], cib: XmlElement): Promise<CibProblem[]> {
  const configuration = child(cib, "configuration");
  if (uses.length === 0 || !configuration) return [];
  const { of, silent } = await askAgents(uses, cib);
  const found = findAgentProblems(uses, configuration, of, deviceParameters);
  return silent.size === 0 ? found : [...found, notAsked(silent)];
}

/** That nodes are away which may run the resources: nothing about the change is wrong. */
function notAsked(silent: ReadonlyMap<string, string>): CibProblem {
  const byReason = Map.groupBy(silent.keys(), (node) => silent.get(node) ?? "");
  const texts = [...byReason].map(
    ([reason, nodes]) =>
      `${nodes.length === 1 ? "node" : "nodes"} ${nodes.join(", ")} could not be asked for ${nodes.length === 1 ? "its" : "their"} agents: ${reason}`,
  );
  return {
    level: "info",
    code: "NOT_ASKED",
    text: texts.join("; "),
    cure: `when ${silent.size === 1 ? "it is there, hactl verify asks it" : "they are there, hactl verify asks them"}, too`,
  };
}
