import { CrmExit, HactlError, lookup } from "../../terms/index.ts";
import { sameTree } from "../edit-tree.ts";
import { compareVersions } from "../values.ts";
import { child, cloneElement, element, type XmlElement } from "../xml.ts";
import { upgradeAcls } from "./acls.ts";
import { upgradeConstraints } from "./constraints.ts";
import type { Note, UpgradeNote } from "./notes.ts";
import { upgradeProperties } from "./properties.ts";
import { upgradeResources } from "./resources.ts";

export interface Upgraded {
  readonly root: XmlElement;
  readonly notes: readonly UpgradeNote[];
}

/** Schema that what we write conforms to: the newest that both Pacemaker 2.1 and the crm shell 4.4 know. */
export const canonicalSchema = "pacemaker-3.9";

/** Attributes of `<cib>` of schemas before 1.0: their name now, or nothing. */
const rootAttributes: Readonly<Record<string, string>> = lookup({
  have_quorum: "have-quorum",
  dc_uuid: "dc-uuid",
  cib_feature_revision: "",
  ccm_transition: "",
  generated: "",
  num_peers: "",
});

/** Sections that every configuration has. */
const sections = ["crm_config", "nodes", "resources", "constraints"] as const;

/**
 * Brings a CIB of any schema (those before 1.0, `pacemaker-1.0` to 4.0, `none`) to one form: promotable clones in
 * place of `<master>`, the roles Promoted and Unpromoted, properties under their present names, permissions as
 * `<acl_permission>`, operation attributes where they belong. What is old is recognised by what is written, not by the
 * schema's name, since a file with `none` may hold anything. Names that are mere aliases today (`stonith-enabled`,
 * `fencing-enabled`) stay as written; `canonicalProperties` resolves them. `<lifetime>` stays too: a constraint with one is
 * in effect while `evaluateRules` of that element passes.
 *
 * The input is not changed; the status is shared with it. Throws HactlError `NOT_A_CIB` when the root is another element.
 */
export function upgradeCib(source: XmlElement): Upgraded {
  if (source.name !== "cib" && source.name !== "configuration") throw notACib(source);
  const notes: UpgradeNote[] = [];
  const note: Note = (level, { attributes, line }, text) => {
    const id = attributes.get("id");
    notes.push({ level, text, ...(id === undefined ? {} : { id }), ...(line === undefined ? {} : { line }) });
  };
  const given = source.name === "cib" ? child(source, "configuration") : source;
  const configuration = given ? cloneElement(given) : element("configuration");
  for (const name of sections) if (!child(configuration, name)) configuration.children.push(element(name));
  upgradeProperties(configuration, note);
  upgradeResources(configuration, note);
  upgradeConstraints(configuration, note);
  upgradeAcls(configuration, note);
  const status = source.name === "cib" ? child(source, "status") : undefined;
  const children = [configuration, status ?? element("status")];
  const root: XmlElement = { name: "cib", attributes: upgradeRoot(source), children };
  if (source.line !== undefined) root.line = source.line;
  return { root, notes };
}

function notACib(source: XmlElement): HactlError {
  return new HactlError({
    code: "NOT_A_CIB",
    what: `<${source.name}> is not a cluster configuration`,
    where: source.line === undefined ? {} : { line: source.line },
    cure: "the document's outer element must be <cib> or <configuration>",
    exit: CrmExit.DATAERR,
  });
}

function upgradeRoot(source: XmlElement): Map<string, string> {
  const result = new Map<string, string>();
  if (source.name === "cib") {
    for (const [name, value] of source.attributes) {
      const now = rootAttributes[name] ?? name;
      if (now !== "" && (now === name || !source.attributes.has(now))) result.set(now, value);
    }
  }
  for (const name of ["admin_epoch", "epoch", "num_updates"]) if (!result.has(name)) result.set(name, "0");
  result.set("validate-with", schemaFor(result.get("validate-with")));
  return result;
}

/** A schema newer than ours keeps its name, since the content may need it. */
export function schemaFor(schema: string | undefined): string {
  const newer = schema?.startsWith("pacemaker-") && compareVersions(schema, canonicalSchema) > 0;
  return newer && schema !== undefined ? schema : canonicalSchema;
}

/** The same CIB when its configuration has the present form already, whatever schema it names; else brought to it. */
export function inPresentForm(source: XmlElement): {
  readonly root: XmlElement;
  readonly asWritten: boolean;
} {
  const { root } = upgradeCib(source);
  const sectionsOf = (cib: XmlElement) => child(cib, "configuration")?.children ?? [];
  const before = sectionsOf(source);
  const same =
    before.length > 0 &&
    sectionsOf(root).every((section, at) =>
      at < before.length ? sameTree(before[at], section) : section.children.length === 0,
    );
  if (!same) return { root, asWritten: false };
  const schema = source.attributes.get("validate-with");
  if (schema === undefined) root.attributes.delete("validate-with");
  else root.attributes.set("validate-with", schema);
  return { root, asWritten: true };
}
