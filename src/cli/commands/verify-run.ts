import {
  child,
  childrenOf,
  cibOf,
  examineCrm,
  findHeadProblems,
  parseXml,
  refuseTooMany,
  verifyCib,
  type XmlElement,
} from "../../cib/index.ts";
import { type SchedulerMessage, schedule } from "../../scheduler/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { deviceProblems, linesById } from "../acceptance.ts";
import type { CibSession } from "../cib-session.ts";
import { cannotJudge } from "../hidden.ts";

/** Something wrong or remarkable, with its place. */
export interface Finding {
  readonly level: "error" | "warning" | "info";
  readonly code: string;
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly id?: string;
  readonly cure?: string;
}

/** What a check found, and the CIB if it could be read at all. */
export interface Verification {
  readonly findings: readonly Finding[];
  readonly cib?: XmlElement;
  /** Sections in which access rules hide something: what rests on that is not among the findings. */
  readonly hidden?: readonly string[];
}

/** XML begins with a tag; anything else is taken for crm shell text. */
const isXml = (text: string): boolean => /^\s*(?:\uFEFF)?\s*</.test(text);

/** No text has these, be it XML or crm shell text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const unprintable = /[\0-\x08\x0e-\x1f]/;

/** Checks a configuration, XML or crm shell text: form, references, values, and what the scheduler says of it. */
export function verifyText(text: string, file: string, now: number): Verification {
  if (text.trim() === "") {
    const cure = "Give a whole CIB, a <configuration>, or crm shell text";
    return { findings: [{ level: "error", code: "EMPTY", text: "there is nothing in it", file, cure }] };
  }
  if (!isXml(text) && unprintable.test(text)) {
    const cure = "Give a whole CIB, a <configuration>, or crm shell text";
    const findings = [{ level: "error", code: "NO_TEXT", text: "this is no text", file, cure }] as const;
    return { findings };
  }
  return isXml(text) ? verifyXml(text, file, now) : verifyCrm(text, file, now);
}

function verifyXml(text: string, file: string, now: number): Verification {
  try {
    const given = parseXml(text, file);
    refuseTooMany(given, { file });
    const head = given.name === "cib" ? findHeadProblems(given) : [];
    const nothing = head.some(({ code }) => code === "NO_CONFIGURATION");
    const { findings, cib } = nothing ? { findings: [] } : verifyTree(rootOf(given), file, now);
    return {
      findings: [...head.map((problem) => ({ ...problem, file })), ...findings],
      ...(cib ? { cib } : {}),
    };
  } catch (error) {
    if (error instanceof HactlError) return { findings: [findingOf(error, file)] };
    throw error;
  }
}

/** A bare `<configuration>` is checked as part of an otherwise empty CIB. */
function rootOf(root: XmlElement): XmlElement {
  if (root.name === "cib") return root;
  if (root.name === "configuration") return cibOf(root);
  throw new HactlError({
    code: "NOT_A_CIB",
    what: `the document is a <${root.name}>, not a <cib>`,
    where: root.line === undefined ? {} : { line: root.line },
    cure: "Give a whole CIB, a <configuration>, or crm shell text",
    exit: CrmExit.DATAERR,
  });
}

function verifyCrm(text: string, file: string, now: number): Verification {
  const { configuration, errors, readable, dropped } = examineCrm(text, undefined, "replace");
  const cib = cibOf(configuration);
  const told = new Set(errors.map(({ what }) => what));
  // Of what the text should have defined, much is missing: what follows from that would only mislead.
  const follows = (code: string) =>
    !readable && ["DANGLING_REFERENCE", "UNUSED_TEMPLATE", "SCHEDULER", "NO_FENCING"].includes(code);
  const { findings } = verifyTree(cib, file, now);
  const all = [
    ...errors.map((error) => findingOf(error, file)),
    ...dropped.map((note): Finding => ({ ...note, code: "UPGRADED", file })),
    ...findings.filter(({ code, text: what }) => !told.has(what) && !follows(code)),
  ];
  const place = ({ line }: Finding) => line ?? Number.MAX_SAFE_INTEGER;
  return { findings: all.sort((a, b) => place(a) - place(b)), cib };
}

function findingOf(error: HactlError, file: string): Finding {
  const { line, id } = error.where ?? {};
  return {
    level: "error",
    code: error.code,
    text: error.what,
    file,
    ...(line === undefined ? {} : { line }),
    ...(id === undefined ? {} : { id }),
    ...(error.cure === undefined ? {} : { cure: error.cure }),
  };
}

/**
 * The CIB of a session, for who sees all of it: what names something hidden would look wrong.
 * @throws HactlError PERMISSION
 */
export async function wholeCib(session: CibSession): Promise<XmlElement> {
  const raw = await session.raw();
  if (session.hidden.length > 0)
    throw cannotJudge("whether the configuration is valid cannot be told", session.hidden);
  return raw;
}

/** Checks a CIB that has been read. */
export function verifyTree(cib: XmlElement, file: string, now: number): Verification {
  const problems = [...verifyCib(cib, now), ...deviceProblems(cib, now)].map(
    (problem): Finding => ({ ...problem, file }),
  );
  // What the check has found the scheduler need not say again.
  const told = new Set(
    problems.flatMap(({ id, code }) => (code === "NO_FENCING" ? "fencing-enabled" : (id ?? []))),
  );
  const lines = linesById(cib);
  const unknown = nodesWithoutStatus(cib);
  const decided = schedulerMessages(cib, now)
    .filter(
      ({ level, id, code }) =>
        (level !== "info" || code === "FENCING") && !(id !== undefined && (told.has(id) || unknown.has(id))),
    )
    .map((message): Finding => {
      const line = message.line ?? (message.id === undefined ? undefined : lines.get(message.id));
      return { code: "SCHEDULER", file, ...message, ...(line === undefined ? {} : { line }) };
    });
  return { findings: [...problems, ...withoutRepeats(decided)], cib };
}

/**
 * Nodes of a CIB that has no status section at all, as shells hand one over to be checked: of their state nothing is said,
 * so that nothing follows from it (Pacemaker's crm_verify makes no decisions then).
 */
function nodesWithoutStatus(cib: XmlElement): ReadonlySet<string> {
  if (child(cib, "status") !== undefined) return new Set();
  const nodes = child(child(cib, "configuration"), "nodes");
  return new Set(childrenOf(nodes, "node").map(({ attributes }) => attributes.get("uname") ?? ""));
}

/** What the scheduler says; `FENCING` where it is what it would do. */
type Decided = SchedulerMessage & { readonly code?: string };

/**
 * What the scheduler says of a CIB, and which nodes it would fence: that is a complaint for Pacemaker's crm_verify, also where
 * the status is empty, and every node therefore unknown. Then nothing is wrong with the configuration.
 */
function schedulerMessages(cib: XmlElement, now: number): readonly Decided[] {
  try {
    const { messages, fencing } = schedule({ cib, now });
    const known = childrenOf(child(cib, "status"), "node_state").length > 0;
    return [
      ...messages,
      ...fencing.map(({ node, reason }) => ({
        level: known ? ("warning" as const) : ("info" as const),
        code: "FENCING",
        text: `node ${node} would be fenced: ${known ? reason : "its state is not known"}`,
        id: node,
      })),
    ];
  } catch (error) {
    if (error instanceof HactlError) return [{ level: "error", text: error.what }];
    throw error;
  }
}

function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ text, id }) => {
    const key = `${id ?? ""} ${text}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** `FILE:LINE: error: TEXT`, and the cure below. */
export function findingText({ level, text, file, line, id, cure }: Finding): string {
  const place = [file, line].filter((part) => part !== undefined && part !== "").join(":");
  const named = id !== undefined && !text.includes(id) ? ` ("${id}")` : "";
  return `${place === "" ? "" : `${place}: `}${level}: ${text}${named}${cure === undefined ? "" : `\n    cure: ${cure}`}`;
}
