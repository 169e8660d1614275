import { parseXml, type XmlElement } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";

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
  if (file === "-")
    return { cib: checkRoot(parseXml(await Bun.stdin.text(), "standard input"), "standard input") };
  if (file !== undefined) return { cib: await readCibFile(file), file };
  const { runningCib } = await import("./live.ts");
  return { cib: await runningCib() };
}

/** Reads a CIB from a file; gzip is unpacked. */
export async function readCibFile(file: string): Promise<XmlElement> {
  const bytes = await Bun.file(file).bytes();
  if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) {
    throw new HactlError({
      code: "COMPRESSED_INPUT",
      what: "the file is compressed with bzip2",
      where: { file },
      cure: `Unpack it first: bunzip2 -k ${file}`,
      exit: CrmExit.DATAERR,
    });
  }
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? Bun.gunzipSync(bytes) : bytes;
  return checkRoot(parseXml(new TextDecoder().decode(plain), file), file);
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
