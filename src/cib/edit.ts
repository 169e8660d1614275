import { CrmExit, type EpochSeconds, HactlError, lookup } from "../terms/index.ts";
import { HiddenParts } from "./acl/hidden.ts";
import type { Asker } from "./acl/permissions.ts";
import { Rights } from "./acl/rights.ts";
import { Secrecy } from "./acl/secrecy.ts";
import { lookAtAll, type Sight, selectVisible, visibleAttributes, withoutSecrets } from "./acl/sight.ts";
import { assignIds } from "./crm/ids.ts";
import { mergeElement, removeMatching, sameTree } from "./edit-tree.ts";
import { newSteps, nextVersion, older, type Steps } from "./edit-version.ts";
import { checkForm, checkSchemaName, refuseMemberConnections, refuseOldForms } from "./form.ts";
import { keepSecrets, maskXml } from "./masking.ts";
import { keepMembers, type Untrue } from "./members.ts";
import type { CibOperation } from "./operations.ts";
import { applyPatch, type Select } from "./patch.ts";
import { sectionOfElement } from "./schema.ts";
import { newerThanSchema } from "./schema-since.ts";
import {
  countElements,
  refuseOtherForm,
  refuseTooLarge,
  refuseUnreadable,
  refuseWrongVersions,
} from "./storable.ts";
import { schemaFor, upgradeCib } from "./upgrade/upgrade.ts";
import { unknownHead } from "./verify-head.ts";
import { type CibVersion, compareCibVersions, formatVersion, versionOf, withoutOwnMarks } from "./version.ts";
import { child, cloneElement, element, parseXml, type XmlElement } from "./xml.ts";
import { type Effort, newEffort, selectXpath, spendOf } from "./xpath.ts";

/** What a list of operations led to. */
export interface CibOutcome {
  /** The new document; the old one is as it was. Parts without a change are shared. */
  readonly cib: XmlElement;
  readonly configurationChanged: boolean;
  readonly statusChanged: boolean;
  /** Version afterwards (`admin_epoch.epoch.num_updates`), the answer to whoever asked for the change. */
  readonly value: string;
}

/** What the CIB is that is changed. */
export interface CibKind {
  /**
   * That of a running cluster: its members stay in it (`keepMembers`), and a whole document in its place brings no status
   * of its own, since what runs is what is known here.
   */
  readonly live?: boolean;
  /** Its schema stays as it is named (see `inPresentForm`): what is new in it has to fit there. */
  readonly keepSchema?: boolean;
}

/** For whom a change is made. */
export interface ChangeFor {
  /** Whose rights count; none when nothing is limited. */
  readonly askers: readonly Asker[];
  readonly now: EpochSeconds;
}

/**
 * Applies operations in their order, all or none, and gives the same result on every node. A changed configuration
 * is brought into canonical form, gets the ids that it lacks and is checked; it counts `epoch` up and sets `num_updates`
 * to 0. A changed status only counts `num_updates` up. In a file each operation counts by itself.
 * Throws HactlError and changes nothing: `NO_SUCH`, `EXISTS`,
 * `OLD`, `XML_SYNTAX`, `XPATH_SYNTAX`, `DUPLICATE_ID`, `DANGLING_REFERENCE`, `UNKNOWN_ELEMENT`, … and `PERMISSION` when
 * the access rules do not permit the change.
 */
export function applyOperations(
  cib: XmlElement,
  operations: readonly CibOperation[],
  { live = false, keepSchema = false, askers = [], now = 0 }: CibKind & Partial<ChangeFor> = {},
): CibOutcome {
  const rights = Rights.of(cib, askers, now);
  // Who may see nothing is told so, and not that nothing was found.
  rights?.see(cib);
  if (rights && operations.length > mostLooks) throw tooMuch();
  const draft = cloneElement(cib);
  const hidden = rights && new HiddenParts(cib, draft, rights.look(cib));
  const isPrivileged = askers.length === 0;
  const effort = newEffort(isPrivileged ? requestEffort : limitedEffort);
  const secrecy = isPrivileged ? undefined : new Secrecy(cib, draft);
  const finding = secrecy ? findingFor(rights, hidden, secrecy, effort) : findingAll(effort);
  const steps = newSteps(draft, operations, live);
  applyEach(draft, operations, finding, effort, live, (operation) => steps.take(operation));
  const asWrong = rights && secrecy?.wrong();
  keepSecrets(cib, draft);
  if (rights && hidden?.untouched(draft) === false) throw rights.refusal();
  // Whoever may not set a secret is not told that he knows it.
  asWrong?.(() => rights?.check(cib, { ...draft, attributes: withoutOwnMarks(cib, draft) }));
  secrecy?.check();
  if (rights === undefined) return outcomeOf(cib, draft, operations, { live, keepSchema }, steps);
  try {
    return outcomeOf(cib, draft, operations, { live, keepSchema }, steps, rights);
  } catch (error) {
    throw tellable(error, cib, draft, rights);
  }
}

/**
 * Refuses operations of which every member would find that they take too long, each by beginning with them. Whatever else
 * is wrong with them is not told: those that come before them may put it right.
 * @throws HactlError XPATH_LIMIT
 */
export function refuseTooLong(cib: XmlElement, operations: readonly CibOperation[]): void {
  if (operations.length === 1 && operations.every((operation) => !("xpath" in operation))) return;
  const draft = cloneElement(cib);
  const effort = newEffort(requestEffort);
  try {
    applyEach(draft, operations, findingAll(effort), effort, true);
  } catch (error) {
    if (!(error instanceof HactlError) || error.code === "XPATH_LIMIT") throw error;
  }
}

/** What has become of the document, if it can be. */
function outcomeOf(
  cib: XmlElement,
  draft: XmlElement,
  operations: readonly CibOperation[],
  { live = false, keepSchema = false }: CibKind,
  steps: Steps,
  rights?: Rights,
): CibOutcome {
  const schema = draft.attributes.get("validate-with");
  // A name that is there already, as of a cluster that was newer, hinders no change.
  if (schema !== cib.attributes.get("validate-with")) checkSchemaName(schema);
  if (keepSchema && schema === undefined) throw noSchema();
  refuseOtherForm(draft);
  refuseWrongVersions(draft, cib);
  if (live) {
    const untrue = keepMembers(cib, draft);
    const first = untrue.find(({ by }) => !operations.some((one) => replacesAll(one, by)));
    if (first !== undefined) throw untold(first);
  }
  const same = (name: string) => sameTree(child(cib, name), child(draft, name));
  const configurationChanged =
    operations.some(({ op }) => op === "bump" || op === "accept") || !same("configuration");
  const statusChanged = !same("status");
  const result = !configurationChanged
    ? draft
    : keepSchema
      ? checkAsWritten(draft, operations)
      : checkConfiguration(draft);
  if (configurationChanged)
    refuseMemberConnections(child(result, "configuration"), child(cib, "configuration"));
  if (rights !== undefined) {
    draft.attributes = withoutOwnMarks(cib, draft);
    const bumped = operations.some(({ op }) => op === "bump") ? [["bump", ""] as const] : [];
    rights.check(cib, { ...result, attributes: new Map([...draft.attributes, ...bumped]) });
  }
  const counts = {
    configuration: configurationChanged ? Math.max(1, steps.configuration) : 0,
    status: configurationChanged ? steps.status : statusChanged ? Math.max(1, steps.status) : 0,
  };
  result.attributes = nextVersion(cib, draft, counts, keepSchema);
  // What is accepted can be written, read at the next start, and sent to whoever joins.
  refuseUnreadable({ ...result, children: [] });
  refuseUnknownHead(result, cib);
  for (const section of result.children)
    if (section.name === "configuration" ? configurationChanged : statusChanged) refuseUnreadable(section);
  const kept = (name: string) =>
    name === "configuration" ? !configurationChanged : name === "status" && !statusChanged;
  result.children = result.children.map((item) => (kept(item.name) ? (child(cib, item.name) ?? item) : item));
  const [before, after] = [versionOf(cib), versionOf(result)];
  return {
    cib: result,
    // A version that somebody raised has to be kept like a change of what it counts.
    configurationChanged: configurationChanged || after[0] !== before[0] || after[1] !== before[1],
    statusChanged,
    value: formatVersion(after),
  };
}

/** Who is to say what somebody wrote into the status, and how to reach what he may have meant. */
const told: Record<Untrue["by"], readonly [string, string]> = lookup({
  ring: [
    "is told by the ring and the managers, not by who writes it into the status",
    "for a node that is off say 'hactl fence confirm NODE'; to let one leave, 'hactl stop' there; to forget one, 'hactl node remove NODE'",
  ],
  managers: [
    "are the managers' to write, who are asked for it",
    "say 'crm_attribute -N NODE -l reboot -n NAME -v VALUE' (or -D)",
  ],
  nodelist: [
    "is told by the node itself, as the node list has it, and not by who writes it into <nodes>",
    "stop the node, and give it its new name in hactl.toml ([[nodelist.node]]) of all nodes",
  ],
  executors: [
    "is told by the node's executor, not by who writes it into the status",
    "to let it count as failed say 'crm_resource --fail -r RESOURCE -N NODE'; to have it looked at anew, 'hactl resource refresh RESOURCE'; to try out what follows, crm_simulate",
  ],
});

function untold({ what, by }: Untrue): HactlError {
  const [says, cure] = told[by];
  return new HactlError({ code: "PRESENCE", what: `${what} ${says}`, cure, exit: CrmExit.UNSAFE });
}

/** Whether an operation puts all in place that this is said in, such as a copy that was saved: that part of it is not meant. */
function replacesAll(operation: CibOperation, by: Untrue["by"]): boolean {
  if (operation.op !== "replace") return false;
  const wholes = by === "nodelist" ? ["cib", "configuration", "nodes"] : ["cib", "status"];
  return wholes.includes(read(operation.xml).name);
}

/** Canonical form with ids; throws for all that is wrong, but for what is wrong in `before` already. */
function checkConfiguration(draft: XmlElement, before?: XmlElement): XmlElement {
  refuseOldForms(draft);
  const { root } = upgradeCib(draft);
  const configuration = child(root, "configuration");
  if (configuration === undefined) return root;
  assignIds(configuration);
  checkForm(configuration, undefined, before && child(upgradeCib(before).root, "configuration"));
  return root;
}

/**
 * A document with ids that is valid by the schema that it names, and otherwise as it was written. `none` is no schema. What
 * the whole configuration was put in place of, as `hactl configure` does, has the present form: its schema is raised where
 * it would not fit.
 */
function checkAsWritten(draft: XmlElement, operations: readonly CibOperation[]): XmlElement {
  const configuration = child(draft, "configuration");
  if (configuration) assignIds(configuration);
  const schema = draft.attributes.get("validate-with") ?? "";
  if (schema === "none" || configuration === undefined) return draft;
  refuseOldForms(draft);
  checkForm(child(upgradeCib(draft).root, "configuration") ?? configuration);
  const newer = newerThanSchema(configuration, schema);
  if (newer === undefined) return draft;
  if (!operations.some((one) => one.op === "replace" && one.scope === "configuration"))
    throw new HactlError({
      code: "SCHEMA",
      what: `Update does not conform to the configured schema: ${newer}, validate-with is ${schema}`,
      cure: "bring the CIB to a newer schema first: cibadmin --upgrade --force",
      exit: CrmExit.CONFIG,
    });
  draft.attributes.set("validate-with", schemaFor(schema));
  return draft;
}

/** Pacemaker's schemas have no other attributes at the outermost element; what is there already hinders no change. */
function refuseUnknownHead(draft: XmlElement, before: XmlElement): void {
  const name = unknownHead(draft).find((one) => !before.attributes.has(one));
  if (name === undefined) return;
  throw new HactlError({
    code: "UNKNOWN_ATTRIBUTE",
    what: `Update does not conform to the configured schema: <cib> has no attribute "${name}"`,
    cure: "remove it, or correct its name",
    exit: CrmExit.CONFIG,
  });
}

const noSchema = () =>
  new HactlError({
    code: "SCHEMA",
    what: "Update does not conform to the configured schema: it names none (validate-with)",
    cure: "keep the attribute validate-with of <cib>",
    exit: CrmExit.CONFIG,
  });

function read(xml: string): XmlElement {
  refuseTooLarge(xml);
  return parseXml(xml);
}

/** How operations find the elements that they are for. */
interface Finding {
  readonly select: Select;
  /** The attributes by which an element is found; undefined for one that cannot be found. */
  readonly attributesIn: (draft: XmlElement) => (item: XmlElement) => ReadonlyMap<string, string> | undefined;
  /** Told of elements whose attributes or text are set. */
  readonly touch: (element: XmlElement) => void;
}

const findingAll = (effort: Effort): Finding => ({
  select: (draft, xpath) => selectXpath(draft, xpath, effort),
  attributesIn: () => (item) => item.attributes,
  touch: () => {},
});

/** Elements that all operations of a request may look at: some seconds' work, which every member does. */
const requestEffort = 10_000_000;
/** The same of somebody who is not privileged: about a second's work. */
const limitedEffort = 3_000_000;
/** How often somebody who is not privileged may look for elements in one request: what he may see is found out anew each time. */
const mostLooks = 200;

/** What is hidden from those who ask cannot be found by them, nor guessed by what they find; secrets are hidden from all of them. */
function findingFor(
  rights: Rights | undefined,
  hidden: HiddenParts | undefined,
  secrecy: Secrecy,
  effort: Effort,
): Finding {
  let looks = 0;
  const look = (draft: XmlElement): Sight => {
    if (++looks > mostLooks) throw tooMuch();
    return rights ? withoutSecrets(rights.look(draft)) : lookAtAll(draft);
  };
  return {
    select: (draft, xpath) => selectVisible(look(draft), xpath, effort),
    attributesIn: (draft) => {
      const visible = visibleAttributes(look(draft));
      return (item) => visible.get(item);
    },
    touch: (item) => {
      secrecy.touch(item);
      hidden?.touch(item);
    },
  };
}

const tooMuch = () =>
  new HactlError({
    code: "TOO_MUCH",
    what: `more than ${mostLooks} changes are asked for at once`,
    cure: "change less at a time",
    exit: CrmExit.USAGE,
  });

/**
 * What somebody may be told of what is wrong with a change. A mistake in what he sees is told as it is; what is wrong
 * with the rest would tell of that.
 */
function tellable(error: unknown, cib: XmlElement, draft: XmlElement, rights: Rights): unknown {
  if (!(error instanceof HactlError) || error.code === "PERMISSION" || rights.seesAll(cib)) return error;
  rights.check(cib, { ...draft, attributes: withoutOwnMarks(cib, draft) });
  const [before, after] = [cib, draft].map((one) => rights.look(one).visible);
  // What is hidden is missing there, and not by the change.
  if (after) checkConfiguration(cloneElement(after), before);
  return new HactlError({
    code: error.code,
    what: "the change does not fit together with what the access rules hide",
    cure: "ask somebody who may read everything",
    exit: error.exit,
  });
}

function applyEach(
  draft: XmlElement,
  operations: readonly CibOperation[],
  finding: Finding,
  effort: Effort,
  live: boolean,
  applied: (operation: CibOperation) => void = () => {},
): void {
  let size = operations.length > 1 ? countElements(draft) : 0;
  for (const operation of operations) {
    // Each has its place looked for. A single one may be for a CIB of any size.
    if (operations.length > 1 && "xml" in operation) spendOf(effort, size++);
    applyOne(draft, operation, finding, live);
    applied(operation);
  }
}

function applyOne(draft: XmlElement, operation: CibOperation, finding: Finding, live: boolean): void {
  switch (operation.op) {
    case "create":
      create(draft, operation, finding.select);
      break;
    case "modify":
    case "replace":
      change(draft, operation, finding, live);
      break;
    case "delete":
      remove(draft, operation, finding);
      break;
    case "patch":
      applyPatch(draft, read(operation.xml), finding);
      break;
    case "erase": {
      const sections = ["crm_config", "nodes", "resources", "constraints"].map((name) => element(name));
      const status = live ? child(draft, "status") : undefined;
      draft.children = [element("configuration", {}, sections), status ?? element("status")];
      // It has to win over every other copy, as in Pacemaker.
      draft.attributes.set("admin_epoch", String(versionOf(draft)[0] + 1));
      break;
    }
    case "accept":
      draft.attributes.set("admin_epoch", String(versionOf(draft)[0] + 1));
      break;
    case "bump":
      break;
    case "require":
      requireVersion(draft, operation.adminEpoch, operation.epoch);
      break;
    default:
      operation satisfies never;
  }
}

function requireVersion(draft: XmlElement, adminEpoch: number, epoch: number): void {
  const version = versionOf(draft);
  if (version[0] === adminEpoch && version[1] === epoch) return;
  throw new HactlError({
    code: "OLD",
    what: `the configuration has changed meanwhile: it is at ${formatVersion(version)}, not at ${adminEpoch}.${epoch}`,
    cure: "look at the present configuration and try again",
    exit: CrmExit.OLD,
  });
}

type Targeted = Extract<CibOperation, { op: "create" | "modify" | "replace" }>;

/** The element of an operation. Of a whole document that is given for a section it is that section (cibadmin(8)). */
function sourceOf({ xml, scope }: { readonly xml: string; readonly scope?: string }): XmlElement {
  const source = read(xml);
  if (source.name !== "cib" || scope === undefined || scope === "cib" || scope === "all") return source;
  const found = presentScope(source, scope);
  if (found !== undefined) return found;
  throw noSuch(element(scope));
}

function create(draft: XmlElement, operation: Targeted, select: Select): void {
  const source = sourceOf(operation);
  const parent =
    operation.xpath === undefined
      ? containerFor(draft, source, operation.scope)
      : firstOf(draft, operation.xpath, select);
  // In a section of this name, what is in it is what shall be added.
  const whole = parent.name === source.name && (source.name === "cib" || sectionNames.has(source.name));
  const items = whole ? source.children : [source];
  // Of many each one is looked up; for one it is not worth the while.
  const known = items.length > 1 ? namesIn(draft) : undefined;
  for (const item of items) {
    const id = item.attributes.get("id");
    if (id !== undefined && (known?.has(nameOf(item)) ?? findNamed(draft, item) !== undefined)) {
      throw new HactlError({
        code: "EXISTS",
        what: `<${item.name}> "${id}" exists already`,
        where: { id },
        cure: "modify or replace it, or choose another id",
        exit: CrmExit.EXISTS,
      });
    }
    parent.children.push(item);
    if (known) namesIn(item, known);
  }
}

const nameOf = ({ name, attributes }: XmlElement) => `${asClone(name)} ${attributes.get("id") ?? ""}`;

/** What elements with an id are called, of an element and all below it. */
function namesIn(top: XmlElement, names = new Set<string>()): Set<string> {
  if (top.attributes.has("id")) names.add(nameOf(top));
  for (const item of top.children) namesIn(item, names);
  return names;
}

function change(
  draft: XmlElement,
  operation: Extract<Targeted, { op: "modify" | "replace" }>,
  finding: Finding,
  live: boolean,
): void {
  const source = sourceOf(operation);
  const { select, touch } = finding;
  const found = operation.xpath === undefined ? undefined : firstOf(draft, operation.xpath, select);
  if (source.name === "cib" && operation.op === "replace" && (found ?? draft) === draft) {
    replaceAll(draft, source, live);
    return;
  }
  if (found && operation.op === "replace" && source.name !== "cib") refuseNameless(found, source);
  const target =
    found === undefined
      ? locate(draft, source, operation.scope)
      : operation.op === "modify"
        ? meantIn(draft, found, source, finding)
        : found;
  if (target !== undefined) {
    if (operation.op === "modify") mergeElement(target, source, touch);
    else {
      if (source.text !== undefined || source.attributes.size > 0) touch(target);
      delete target.text;
      Object.assign(target, source);
    }
    return;
  }
  if (!operation.create) throw noSuch(source);
  containerFor(draft, source, operation.scope).children.push(source);
}

/** What has an id is not replaced by what has none: a path to several would have the first of them go. */
function refuseNameless(found: XmlElement, source: XmlElement): void {
  if (!found.attributes.has("id") || source.attributes.has("id") || source.attributes.has("id-ref")) return;
  throw new HactlError({
    code: "MISSING_ATTRIBUTE",
    what: `the path finds <${found.name}>${named(found)}, and <${source.name}> in its place has no id`,
    cure: "write the id of the element that is meant into the XML",
    exit: CrmExit.CONFIG,
  });
}

/**
 * What an update is for, in what a path has found first: that itself or the first one below of the same name and id. One
 * without an id is for one without, so that a path to several never has the first of them changed.
 */
function meantIn(
  draft: XmlElement,
  found: XmlElement,
  source: XmlElement,
  { attributesIn }: Finding,
): XmlElement {
  const id = source.attributes.get("id");
  const isMeant = ({ name, attributes }: Pick<XmlElement, "name" | "attributes">) =>
    asClone(name) === asClone(source.name) && attributes.get("id") === id;
  if (isMeant(found)) return found;
  const attributesOf = attributesIn(draft);
  const below = ({ children }: XmlElement): XmlElement | undefined => {
    for (const item of children) {
      const meant = attributesOf(item) !== undefined && isMeant(item) ? item : below(item);
      if (meant !== undefined) return meant;
    }
    return undefined;
  };
  const meant = below(found);
  if (meant !== undefined) return meant;
  const what = `what the path finds first, <${found.name}>${named(found)}, is not <${source.name}>${named(source)}, and has none in it`;
  throw new HactlError({
    code: "NO_SUCH",
    what,
    where: id === undefined ? {} : { id },
    cure: "write the id of the element that is meant into the XML, or a path that finds it",
    exit: CrmExit.NOSUCH,
  });
}

const named = ({ attributes }: XmlElement) => {
  const id = attributes.get("id");
  return id === undefined ? " without an id" : ` "${id}"`;
};

function noSuch(source: XmlElement): HactlError {
  const id = source.attributes.get("id");
  return new HactlError({
    code: "NO_SUCH",
    what: `there is no <${source.name}>${id === undefined ? "" : ` "${id}"`}`,
    where: id === undefined ? {} : { id },
    cure: "create it, or correct the id",
    exit: CrmExit.NOSUCH,
  });
}

/** Whether two configurations say the same, secrets aside: who sends back what he was shown has them masked. */
const sameConfiguration = (a: XmlElement | undefined, b: XmlElement | undefined): boolean =>
  sameTree(a && maskXml(a), b && maskXml(b));

/** A whole document in place of the present one. Where the cluster runs, its status stays. */
function replaceAll(draft: XmlElement, source: XmlElement, live: boolean): void {
  const given = versionOf(source);
  const present = versionOf(draft);
  // What was made of an older one and has the present epoch may lack what others have changed meanwhile.
  const counts =
    source.attributes.has("num_updates") &&
    !(live && sameConfiguration(child(source, "configuration"), child(draft, "configuration")));
  const compared: CibVersion = [given[0], given[1], counts ? given[2] : present[2]];
  if (source.attributes.has("epoch") && compareCibVersions(compared, present) < 0)
    throw older(given, present);
  if (!live) draft.attributes.delete("validate-with");
  for (const [name, value] of source.attributes) draft.attributes.set(name, value);
  draft.attributes.set("num_updates", String(compared[2]));
  const status = live ? child(draft, "status") : child(source, "status");
  // A cluster without a configuration is nobody's wish: what was to be put in place is torn, or never was made.
  if (live && child(source, "configuration") === undefined)
    throw new HactlError({
      code: "MISSING_ELEMENT",
      what: "<cib> lacks <configuration>",
      cure: "give the whole CIB; 'cibadmin --erase --force' empties it",
      exit: CrmExit.CONFIG,
    });
  draft.children = [child(source, "configuration") ?? element("configuration"), status ?? element("status")];
}

function remove(
  draft: XmlElement,
  operation: Extract<CibOperation, { op: "delete" }>,
  { select, attributesIn }: Finding,
): void {
  if (operation.xpath !== undefined) {
    const found = select(draft, operation.xpath);
    for (const { element: gone, parent } of operation.all ? found : found.slice(0, 1)) {
      if (gone === draft) throw wholeCib();
      if (parent) parent.element.children = parent.element.children.filter((item) => item !== gone);
    }
    return;
  }
  if (operation.xml === undefined) return;
  const { scope } = operation;
  const pattern = sourceOf({ xml: operation.xml, ...(scope === undefined ? {} : { scope }) });
  const section = presentScope(draft, scope);
  if (section === undefined) {
    // Nothing can be in a section that is not there; one that there cannot be is a mistake.
    if (scope !== undefined && !sectionNames.has(scope)) throw noSection(scope);
    return;
  }
  // A section of this name in itself: what is in it is what shall go.
  const patterns = pattern.name === scope ? pattern.children : [pattern];
  for (const item of patterns) removeMatching(section, item, attributesIn(draft));
  for (const name of ["configuration", "crm_config", "nodes", "resources", "constraints"])
    if (findSection(draft, name) === undefined) throw neededSection(name);
}

const wholeCib = () =>
  new HactlError({
    code: "MISSING_ELEMENT",
    what: "the path finds <cib> itself, which cannot go",
    cure: "remove what is in it; 'cibadmin --erase --force' empties it",
    exit: CrmExit.SOFTWARE,
  });

const findSection = (draft: XmlElement, name: string): XmlElement | undefined =>
  name === "configuration" ? child(draft, name) : child(child(draft, "configuration"), name);

const neededSection = (name: string) =>
  new HactlError({
    code: "MISSING_ELEMENT",
    what: `<${name}> cannot go: every CIB has one`,
    cure: "remove what is in it",
    exit: CrmExit.CONFIG,
  });

const noSection = (scope: string) =>
  new HactlError({
    code: "NO_SUCH",
    what: `there is no section "${scope}"`,
    cure: `sections are ${[...sectionNames].join(", ")}`,
    exit: CrmExit.USAGE,
  });

const sectionNames = new Set([
  "configuration",
  "status",
  ...Object.values(sectionOfElement),
  "rsc_defaults",
  "op_defaults",
]);

/** Where to look for an element; nothing where the section is not there. */
function presentScope(draft: XmlElement, scope: string | undefined): XmlElement | undefined {
  if (scope === undefined || scope === "cib" || scope === "all") return draft;
  return scope === "status" ? child(draft, "status") : findSection(draft, scope);
}

/** The same, made where it is not there. */
function scopeOf(draft: XmlElement, scope: string | undefined): XmlElement {
  const found = presentScope(draft, scope);
  if (found !== undefined) return found;
  const configuration = child(draft, "configuration");
  if (scope === undefined || !sectionNames.has(scope) || configuration === undefined)
    throw noSection(scope ?? "configuration");
  const section = element(scope);
  configuration.children.push(section);
  return section;
}

/** Sections that hold no other section. */
const innerSections = new Set([...sectionNames].filter((name) => name !== "configuration" && name !== "cib"));

/** The element that an element of the same name and id is meant for. */
function locate(draft: XmlElement, source: XmlElement, scope: string | undefined): XmlElement | undefined {
  if (source.name === "cib") return draft;
  if (sectionNames.has(source.name)) {
    // Another section was named: what is given is not in it.
    const isInside = scope === undefined || scope === source.name || !innerSections.has(scope);
    if (!isInside) throw noSuch(source);
    return scopeOf(draft, source.name);
  }
  return findNamed(scopeOf(draft, scope), source);
}

/** An element that a new one can be added to. */
function containerFor(draft: XmlElement, source: XmlElement, scope: string | undefined): XmlElement {
  if (sectionNames.has(source.name)) return scopeOf(draft, source.name);
  const usual = source.name === "node_state" ? "status" : sectionOfElement[source.name];
  const named = scope === undefined || scope === "configuration" || scope === "cib" ? usual : scope;
  if (named === undefined) {
    throw new HactlError({
      code: "NO_PLACE",
      what: `<${source.name}> does not say where it belongs`,
      cure: "name a section, or the parent by an XPath",
      exit: CrmExit.USAGE,
    });
  }
  return scopeOf(draft, named);
}

const asClone = (name: string) => (name === "master" ? "clone" : name);

/** First element below with the same name and id. `<master>` is another name for a clone. */
function findNamed(scope: XmlElement, source: XmlElement): XmlElement | undefined {
  const id = source.attributes.get("id");
  if (id === undefined) return undefined;
  for (const item of scope.children) {
    if (asClone(item.name) === asClone(source.name) && item.attributes.get("id") === id) return item;
    const inner = findNamed(item, source);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function firstOf(draft: XmlElement, xpath: string, select: Select): XmlElement {
  const [found] = select(draft, xpath);
  if (found !== undefined) return found.element;
  throw new HactlError({
    code: "NO_SUCH",
    what: `nothing matches "${xpath}"`,
    cure: "look for it with a shorter path",
    exit: CrmExit.NOSUCH,
  });
}

/** What to look for in a document. */
export interface CibQuery {
  readonly scope?: string;
  readonly xpath?: string;
  /** Only the elements themselves, without what is in them. */
  readonly noChildren?: boolean;
}

/** Elements that a query finds; they belong to the document. Throws HactlError `NO_SUCH` when there are none. */
export function queryCib(cib: XmlElement, { scope, xpath, noChildren }: CibQuery): XmlElement[] {
  const configuration = child(cib, "configuration");
  const section =
    scope === undefined || scope === "cib" || scope === "all"
      ? cib
      : scope === "status" || scope === "configuration"
        ? child(cib, scope)
        : child(configuration, scope);
  const found =
    xpath === undefined
      ? section === undefined
        ? []
        : [section]
      : selectXpath(cib, xpath).map(({ element: hit }) => hit);
  if (found.length === 0) {
    throw new HactlError({
      code: "NO_SUCH",
      what: xpath === undefined ? `there is no section "${scope}"` : `nothing matches "${xpath}"`,
      cure: "look for it with a shorter path",
      exit: CrmExit.NOSUCH,
    });
  }
  return noChildren ? found.map((item) => ({ ...item, children: [] })) : found;
}
