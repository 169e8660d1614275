import { parseXml, type XmlElement } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { readText } from "../read-text.ts";

/** A `<cib>` to work on, and the file that it came from. */
export interface ClusterSource {
  readonly cib: XmlElement;
  readonly file?: string;
}

/**
 * Takes the cluster from a file (`-`: standard input), from the file that CIB_file names, or from the running
 * cluster. Throws HactlError `NO_INPUT` or `XML_SYNTAX`.
 */
export async function loadCluster(source: { file?: string; live?: boolean }): Promise<ClusterSource> {
  const file = source.live ? undefined : (source.file ?? process.env.CIB_file);
  if (file === "-") return { cib: readCibFile("-") };
  if (file !== undefined) return { cib: readCibFile(file), file };
  const { runningCib } = await import("./live.ts");
  return { cib: await runningCib() };
}

/** Reads a CIB from a file, packed or not; `-` is standard input. */
export function readCibFile(file: string): XmlElement {
  const name = file === "-" ? "standard input" : file;
  return checkRoot(parseXml(readText(file), name), name);
}

function checkRoot(root: XmlElement, file: string): XmlElement {
  if (root.name === "cib") return root;
  throw new HactlError({
    code: "NOT_A_CIB",
    what: `the document is a <${root.name}>, not a <cib>`,
    where: { file, ...(root.line === undefined ? {} : { line: root.line }) },
    cure: "Give a whole CIB, as cibadmin --query or hactl configure show xml prints it",
    exit: CrmExit.DATAERR,
  });
}
