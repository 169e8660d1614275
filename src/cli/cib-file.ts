import type { ChangeFor, CibOperation, XmlElement } from "../cib/index.ts";
import { holdFile, leftCopies, wallSeconds } from "../platform/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { bytesOf, isPacked, textOf } from "./read-text.ts";
import { type FileTarget, targetText } from "./target.ts";

/**
 * The user in whose name a tool works on a file (`CIB_user`, as Pacemaker's tools know it): the access rules in the file
 * count for that user. Whoever may write the file can do without; it keeps programs that act for others, as pcsd does,
 * within their rights. The daemon takes it from root and hacluster alone.
 */
async function changeFor(): Promise<ChangeFor> {
  const now = wallSeconds();
  const user = process.env.CIB_user ?? "";
  if (user === "" || user === "root" || user === "hacluster") return { askers: [], now };
  const { Accounts } = await import("../platform/index.ts");
  return { askers: [{ user, groups: await new Accounts().groupsOf(user, []) }], now };
}

/** What of a document may be seen. @throws HactlError PERMISSION when nothing may be */
async function visibleTo({ askers, now }: ChangeFor, cib: XmlElement): Promise<XmlElement> {
  const { Rights } = await import("../cib/index.ts");
  return Rights.of(cib, askers, now)?.see(cib) ?? cib;
}

/** What somebody may see of the CIB of a file. */
export interface FileCib {
  readonly root: XmlElement;
  /** Sections in which its access rules hide something. */
  readonly hidden: readonly string[];
}

/**
 * The CIB of a file as it is written, as far as who asks may see it. Refused is what the schema that it names does not
 * allow, as by Pacemaker's tools when they open it.
 * @throws HactlError with exit code NOSUCH when there is none, CONFIG when it is no valid CIB
 */
export async function readCibFile(target: FileTarget): Promise<FileCib> {
  const root = await parsed(readBytes(target), target);
  const whom = await changeFor();
  if (whom.askers.length === 0) return { root, hidden: [] };
  // Access rules of an older schema are understood in the form of the present one.
  const { Rights, upgradeCib } = await import("../cib/index.ts");
  const cib = upgradeCib(root).root;
  const hidden = Rights.of(cib, whom.askers, whom.now)?.hiddenSections(cib) ?? [];
  return { root: await visibleTo(whom, cib), hidden };
}

/**
 * Applies operations to the CIB of a file, all or none, and gives what of the new one may be seen. The file is written in place: whoever has it
 * open (pcs reads its temporary file that way) sees the change, and its owner and permissions stay. Nothing is
 * written where nothing changes. Two at a time wait for each other.
 * @param asWritten whether the operations are about the document as it is written (of any schema), not about its
 *   present form. What access rules limit is always about the latter
 */
export async function changeCibFile(
  target: FileTarget,
  operations: readonly CibOperation[],
  asWritten = false,
): Promise<XmlElement> {
  const { applyOperations, formatXml } = await import("../cib/index.ts");
  const whom = await changeFor();
  const file = await opened(target);
  try {
    const bytes = file.read();
    const written = await parsed(bytes, target);
    const { root: before, keepSchema } = await startOf(written, asWritten && whom.askers.length === 0);
    const kind = { ...whom, keepSchema };
    const { cib, configurationChanged, statusChanged } = applyOperations(before, operations, kind);
    if (!configurationChanged && !statusChanged && sameAttributes(before, cib))
      return visibleTo(whom, before);
    if (isPacked(bytes)) throw packed(target);
    file.overwrite(formatXml(keepSchema ? cib : await inOlderForm(written, operations, cib)));
    return visibleTo(whom, cib);
  } finally {
    file.release();
  }
}

/** The document that operations are applied to, and whether it keeps the schema that it names. */
async function startOf(written: XmlElement, asWritten: boolean) {
  if (asWritten) return { root: written, keepSchema: true };
  const { inPresentForm } = await import("../cib/index.ts");
  const present = inPresentForm(written);
  return { root: present.root, keepSchema: present.asWritten };
}

/** Where an operation puts all in place of what is there. */
const wholes: ReadonlySet<string | undefined> = new Set([undefined, "cib", "configuration"]);

/**
 * What to write in place of a document of an older form, given what the operations made of its present form: the same in
 * the older form, so that programs which read it back find what they wrote, where the operations do just that to it; else
 * the present form, which all of them were meant for.
 */
async function inOlderForm(
  written: XmlElement,
  operations: readonly CibOperation[],
  wanted: XmlElement,
): Promise<XmlElement> {
  const { applyOperations, child, meansTheSame, upgradeCib } = await import("../cib/index.ts");
  // Whoever puts a whole configuration in place has made it of the present form.
  if (operations.some((one) => one.op === "replace" && wholes.has(one.scope))) return wanted;
  try {
    const { cib } = applyOperations(written, operations, { keepSchema: true });
    // Whoever names another schema, as `cibadmin --upgrade` does, wants its form.
    const schemaOf = ({ attributes }: XmlElement) => attributes.get("validate-with");
    if (schemaOf(cib) !== schemaOf(written)) return wanted;
    const raised = upgradeCib(cib).root;
    const same = ["configuration", "status"].every((name) =>
      meansTheSame(child(raised, name), child(wanted, name)),
    );
    return same ? cib : wanted;
  } catch (error) {
    if (error instanceof HactlError) return wanted;
    throw error;
  }
}

const sameAttributes = (a: XmlElement, b: XmlElement): boolean =>
  a.attributes.size === b.attributes.size &&
  [...a.attributes].every(([name, value]) => b.attributes.get(name) === value);

const packed = ({ path }: FileTarget) =>
  new HactlError({
    code: "COMPRESSED_INPUT",
    what: "a packed file can be read, but not changed",
    where: { file: path },
    cure: "unpack it first",
    exit: CrmExit.DATAERR,
  });

async function opened(target: FileTarget) {
  try {
    return await holdFile(target.path);
  } catch (error) {
    throw accessError(target, error);
  }
}

function readBytes(target: FileTarget): Uint8Array {
  try {
    return bytesOf(target.path === "-" ? "/dev/stdin" : target.path, target.path);
  } catch (error) {
    throw accessError(target, error);
  }
}

function accessError(target: FileTarget, cause: unknown): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return cause;
  const { path } = target;
  const absent = code === "ENOENT" || code === "ENOTDIR";
  return new HactlError({
    code: absent ? "NO_FILE" : code,
    what: absent ? `${targetText(target)} does not exist` : `${targetText(target)} cannot be opened: ${code}`,
    where: { file: path },
    cure: absent
      ? target.kind === "file"
        ? "correct CIB_file, or unset it to work on the cluster"
        : `make it with crm_shadow --create ${target.name}, or unset CIB_shadow to work on the cluster`
      : "look at its permissions",
    exit: absent ? CrmExit.NOSUCH : CrmExit.INSUFFICIENT_PRIV,
    cause,
  });
}

async function parsed(bytes: Uint8Array, target: FileTarget): Promise<XmlElement> {
  const { parseXml, refuseInvalid, refuseTooMany } = await import("../cib/index.ts");
  const { path } = target;
  let root: XmlElement;
  try {
    root = parseXml(textOf(bytes, path), path);
  } catch (error) {
    throw error instanceof HactlError ? unreadable(error, path) : error;
  }
  if (root.name !== "cib")
    throw new HactlError({
      code: "NOT_A_CIB",
      what: `the document is a <${root.name}>, not a <cib>`,
      where: { file: path },
      cure: "name a whole CIB, as cibadmin --query prints it",
      exit: CrmExit.CONFIG,
    });
  refuseTooMany(root, { file: path });
  refuseInvalid(root, path);
  return root;
}

/** What is no XML may have been cut off while it was written: then there is a copy. */
function unreadable({ code, what, where, cure }: HactlError, path: string): HactlError {
  const copy = leftCopies(path).at(-1);
  const remedy = copy === undefined ? cure : `its content from before the last change is in ${copy}`;
  return new HactlError({
    code,
    what,
    where: where ?? { file: path },
    ...(remedy === undefined ? {} : { cure: remedy }),
    exit: CrmExit.CONFIG,
  });
}
