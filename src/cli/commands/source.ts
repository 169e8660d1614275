import { parseXml, refuseTooMany, type XmlElement } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { CibSession } from "../cib-session.ts";
import { cannotJudge, missingBasis, withoutHiddenResources } from "../hidden.ts";
import { readText } from "../read-text.ts";
import { cibTarget, targetText } from "../target.ts";

/** A `<cib>` to work on, and the file that it came from. */
export interface ClusterSource {
  readonly cib: XmlElement;
  readonly file?: string;
  /** What it is, in a few words, unless it is the running cluster. */
  readonly name?: string;
  /** Sections in which access rules hide something from this user. */
  readonly hidden?: readonly string[];
}

/** What is decided of a cluster of which not even the basis is known would be made up. @throws HactlError PERMISSION */
export function refuseWithoutBasis({ hidden = [] }: ClusterSource): void {
  const missing = missingBasis(hidden);
  if (missing.length > 0) throw cannotJudge("what the cluster does cannot be told", missing);
}

async function sourceOf(session: CibSession): Promise<ClusterSource> {
  const cib = withoutHiddenResources(await session.raw(), session.hidden);
  return { cib, hidden: session.hidden };
}

/**
 * Takes the cluster from the file that is named (`-`: standard input), else from what the environment names, else
 * from the running cluster. Throws HactlError `NO_INPUT` or `XML_SYNTAX`.
 */
export async function loadCluster(file?: string): Promise<ClusterSource> {
  if (file === "-") return { cib: readCibText("-"), name: "standard input" };
  if (file !== undefined) return { cib: readCibText(file), file, name: `the file ${file}` };
  const target = cibTarget();
  if (target.kind === "live") return CibSession.with(sourceOf, target);
  return { ...(await CibSession.with(sourceOf, target)), file: target.path, name: targetText(target) };
}

/** Reads a CIB from a file, packed or not; `-` is standard input. */
export function readCibText(file: string): XmlElement {
  const name = file === "-" ? "standard input" : file;
  return checkRoot(parseXml(readText(file), name), name);
}

function checkRoot(root: XmlElement, file: string): XmlElement {
  refuseTooMany(root, { file });
  if (root.name === "cib") return root;
  throw new HactlError({
    code: "NOT_A_CIB",
    what: `the document is a <${root.name}>, not a <cib>`,
    where: { file, ...(root.line === undefined ? {} : { line: root.line }) },
    cure: "Give a whole CIB, as cibadmin --query or hactl configure show xml prints it",
    exit: CrmExit.DATAERR,
  });
}
