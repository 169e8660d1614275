import type { CibOperation, PathNode, XmlElement } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, cdataElement, type Message, runTool } from "../answer/index.ts";
import { CibSession, warn } from "../cib-session.ts";
import { setOutputStyle, writeError } from "../output.ts";
import { readText } from "../read-text.ts";
import { usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "query", short: "Q", description: "print the CIB, a section or what an XPath finds" },
  { name: "create", short: "C", description: "add an element; an error if it is there" },
  { name: "modify", short: "M", description: "change an element; an error if it is not there (but see -c)" },
  { name: "replace", short: "R", description: "put an element in place of another" },
  { name: "delete", short: "D", description: "remove the first element that matches" },
  { name: "delete-all", short: "d", description: "with --xpath: remove all that match (with --force)" },
  { name: "patch", short: "P", description: "apply a <diff> (see crm_diff)" },
  { name: "upgrade", short: "u", description: "bring it to the newest syntax (with --force)" },
  { name: "erase", short: "E", description: "empty the configuration (with --force)" },
  { name: "bump", short: "B", description: "count the epoch up by one" },
  {
    name: "empty",
    short: "a",
    value: "SCHEMA",
    optional: true,
    description: "print an empty CIB [of this schema]",
  },
  { name: "md5-sum", short: "5", description: "print a digest of a CIB" },
  { name: "md5-sum-versioned", short: "6", description: "the same, without what changes with each writing" },
  {
    name: "show-access",
    short: "S",
    value: "HOW",
    optional: true,
    description: "with -Q: what --user may do: color, namespace or text",
  },
  { name: "xml-text", short: "X", value: "XML", description: "the XML to use" },
  { name: "xml-file", short: "x", value: "FILE", description: "the file to use" },
  { name: "xml-pipe", short: "p", description: "use standard input" },
  { name: "scope", short: "o", aliases: ["obj_type"], value: "SECTION", description: "only this section" },
  { name: "xpath", short: "A", value: "XPATH", description: "only what this finds" },
  { name: "node-path", short: "e", description: "print the paths of what an XPath finds" },
  { name: "no-children", short: "n", description: "print the elements without what is in them" },
  { name: "allow-create", short: "c", description: "with -M: add what is not there" },
  { name: "force", short: "f", description: "yes, I mean it" },
  { name: "score", description: "accepted: NAME++ and NAME+=N always count on what is there" },
  {
    name: "sync-call",
    short: "s",
    description: "accepted: every change is everywhere when the tool returns",
  },
  { name: "local", short: "l", description: "accepted: what is read is always of this node" },
  { name: "node", short: "N", value: "NODE", description: "accepted: every node has the same" },
  {
    name: "timeout",
    short: "t",
    value: "SECONDS",
    description: "accepted: a change ends in the time of the cluster",
  },
  { name: "user", short: "U", value: "USER", description: "whose rights --show-access shows" },
  { name: "verbose", short: "V", description: "say more" },
];

const commands = [
  "query",
  "create",
  "modify",
  "replace",
  "delete",
  "delete-all",
  "patch",
  "upgrade",
  "erase",
  "bump",
  "empty",
  "md5-sum",
  "md5-sum-versioned",
] as const;
type Command = (typeof commands)[number];

const tool: AnsweringTool = { name: "cibadmin", purpose: "See and change the CIB.", options };

/** What the CIB answers: as it is, or within the answer. */
const output = (text: string): Message => ({
  text: () => text,
  xml: () => [cdataElement("output", text)],
  since: "2.41",
});

/** cibadmin(8): the CIB itself. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    const command = given.last(commands) ?? (given.has("show-access") ? "query" : undefined);
    if (command === undefined) throw usage("cibadmin", "what shall be done?");
    const schema = command === "empty" ? given.value("empty") || given.words[0] : undefined;
    if (given.words.length > (schema === given.words[0] ? 1 : 0))
      throw usage("cibadmin", `"${given.words.join(" ")}" does not belong to any option`);
    return CibSession.quietly((session) => work(command, given, session, answer, schema));
  });

async function work(
  command: Command,
  given: ParsedWords,
  session: CibSession,
  answer: Answer,
  schema?: string,
): Promise<number> {
  const scope = given.value("scope");
  const xpath = command === "query" ? given.value("xpath") : await simplePath(given, session);
  const place = { ...(scope === undefined ? {} : { scope }), ...(xpath === undefined ? {} : { xpath }) };
  const apply = async (operation: CibOperation) => {
    await changed(session, [operation], given.has("force"));
    return CrmExit.OK;
  };
  switch (command) {
    case "query":
      return query(given, session, answer);
    case "empty":
      return printEmpty(answer, schema);
    case "md5-sum":
    case "md5-sum-versioned":
      return digest(command === "md5-sum-versioned", given, answer);
    case "create":
      return apply({ op: "create", xml: source(given), ...place });
    case "modify":
      return apply({ op: "modify", xml: source(given), ...place, create: given.has("allow-create") });
    case "replace": {
      const xml = source(given);
      await refuseTornSource(xml, session);
      return apply({ op: "replace", xml, ...place, create: false });
    }
    case "patch":
      return apply({ op: "patch", xml: source(given) });
    case "delete-all":
      dangerous(given);
      return apply({
        op: "delete",
        ...(xpath === undefined ? { xml: source(given) } : {}),
        ...place,
        all: true,
      });
    case "delete":
      return apply({
        op: "delete",
        ...(xpath === undefined ? { xml: source(given) } : {}),
        ...place,
      });
    case "bump":
      return apply({ op: "bump" });
    case "erase":
      dangerous(given);
      return apply({ op: "erase" });
    case "upgrade":
      dangerous(given);
      return upgrade(session);
  }
}

function dangerous(given: ParsedWords): void {
  if (given.has("force")) return;
  throw new HactlError({
    code: "UNSAFE",
    what: "The supplied command is considered dangerous",
    cure: "say it with --force",
    exit: CrmExit.UNSAFE,
  });
}

/**
 * What puts a whole in place, or a difference, was made by a program, which has asked whether what it checks as well is
 * meant (pcs does, and has a --force of its own that does not reach here): that is told, not refused.
 */
const askedBefore = (): boolean => true;

async function changed(
  session: CibSession,
  operations: readonly CibOperation[],
  force: boolean,
  asWritten = true,
): Promise<void> {
  const byProgram = operations.every(({ op }) => op === "replace" || op === "patch");
  const { isAgents, isOfWhatIsWritten } = await import("../acceptance.ts");
  const asks = session.isLive && !force;
  const agents = asks && (byProgram ? "times" : true);
  try {
    const remarks = await session.apply(
      operations,
      "cibadmin",
      { force, agents, told: byProgram ? askedBefore : isAgents },
      asWritten,
    );
    await warn(agents === true ? remarks : remarks.filter(isOfWhatIsWritten));
    for (const { text } of byProgram && !force ? remarks.filter(({ level }) => level === "error") : [])
      writeError(`cibadmin: ${text}\n`);
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    throw new HactlError({
      code: error.code,
      what: `Call failed: ${error.what}`,
      exit: error.exit,
      ...(error.cure === undefined ? {} : { cure: error.cure }),
      ...(error.where === undefined ? {} : { where: error.where }),
    });
  }
}

/** What takes the place of the whole has all that a whole has. What is no XML at all is told by whoever applies it. */
async function refuseTornSource(xml: string, session: CibSession): Promise<void> {
  const { parseXml } = await import("../../cib/index.ts");
  const { refuseTorn } = await import("../acceptance.ts");
  try {
    refuseTorn(await session.configuration(), parseXml(xml));
  } catch (error) {
    if (!(error instanceof HactlError) || error.code !== "MISSING_ELEMENT") return;
    throw new HactlError({
      code: error.code,
      what: `Call failed: ${error.what}`,
      exit: error.exit,
      ...(error.cure === undefined ? {} : { cure: error.cure }),
    });
  }
}

function source(given: ParsedWords): string {
  const text = given.value("xml-text");
  if (text !== undefined) return text;
  const file = given.value("xml-file");
  if (file !== undefined) return readText(file);
  if (given.has("xml-pipe")) return readText("-");
  throw usage("cibadmin", "Please supply XML to process with -X, -x or -p");
}

/** What a user may do with each element of the CIB. */
async function showAccess(given: ParsedWords, session: CibSession, answer: Answer): Promise<number> {
  const user = given.value("user") ?? "";
  if (user === "") throw usage("cibadmin", "-U/--user is required with -S/--show-access");
  const asked = given.value("show-access") || (process.stdout.isTTY ? "color" : "text");
  const { accessStyles, accessText } = await import("../render/access.ts");
  const style = accessStyles.find((one) => asked === one || (asked !== "" && one.startsWith(asked)));
  if (style === undefined)
    throw usage("cibadmin", `"${asked}" is not a way to show access; ${accessStyles.join(", ")} are`);
  const { accessMap } = await import("../../cib/index.ts");
  const { Accounts } = await import("../../platform/index.ts");
  const cib = await session.cib();
  const all = user === "root" || user === "hacluster";
  const groups = all ? [] : await new Accounts().groupsOf(user, []);
  const access = accessMap(cib, { user, groups });
  const text = accessText(cib, (item) => (all ? "write" : (access.get(item) ?? "none")), style, user);
  // Colours were asked for: they are the answer, wherever it goes. XML can hold no other codes.
  if (style === "color") setOutputStyle({ json: false, colour: true });
  answer.say(output(text));
  return CrmExit.OK;
}

async function query(given: ParsedWords, session: CibSession, answer: Answer): Promise<number> {
  if (given.has("show-access")) return showAccess(given, session, answer);
  const { child, element, formatXml, queryCib } = await import("../../cib/index.ts");
  const cib = withoutBareVersion(await session.raw());
  const xpath = given.value("xpath");
  const scope = given.value("scope");
  if (given.has("node-path") && xpath !== undefined) {
    const paths = await select(cib, xpath);
    if (paths.length === 0) throw nothing();
    answer.say(output(paths.map(pathText).join("\n")));
    return CrmExit.OK;
  }
  const sections = ["configuration", "status", "cib", "all"];
  const known =
    scope === undefined ||
    sections.includes(scope) ||
    child(cib, "configuration")?.children.some(({ name }) => name === scope) === true;
  let found: XmlElement[];
  try {
    const noChildren = given.has("no-children");
    found =
      xpath === undefined
        ? queryCib(cib, { ...(known && scope !== undefined ? { scope } : {}), noChildren })
        : (await select(cib, xpath)).map(({ element: one }) => (noChildren ? { ...one, children: [] } : one));
  } catch (error) {
    throw error instanceof HactlError && error.exit === CrmExit.NOSUCH ? nothing() : error;
  }
  if (!known && !knownSections.has(scope ?? "")) throw usage("cibadmin", `there is no section "${scope}"`);
  if (!known) throw nothing();
  const [first, ...more] = found;
  if (!first) throw nothing();
  answer.say(output(formatXml(more.length === 0 ? first : element("xpath-query", {}, found))));
  return CrmExit.OK;
}

/** Of a `<cib>` that is hidden its version is known to the tools, but not shown. */
function withoutBareVersion(cib: XmlElement): XmlElement {
  const limited = process.env.CIB_user !== undefined || process.getuid?.() !== 0;
  return limited && !cib.attributes.has("validate-with") ? { ...cib, attributes: new Map() } : cib;
}

/**
 * What an XPath finds. Most are simple, and need no engine that knows all forms. A path that ends at an attribute means the
 * elements that have it.
 */
async function select(cib: XmlElement, xpath: string): Promise<readonly PathNode[]> {
  const { selectXpath } = await import("../../cib/index.ts");
  const simple = !/@[\w-]+\s*$/.test(xpath);
  try {
    if (simple) return selectXpath(cib, xpath);
  } catch (error) {
    if (!(error instanceof HactlError) || error.code !== "XPATH_SYNTAX") throw error;
  }
  const { selectFully } = await import("../full-xpath.ts");
  return selectFully(cib, xpath);
}

/**
 * The path that a change is for, as the daemon takes it: one of another form is followed here to the element that it finds,
 * which its id then names. @throws HactlError XPATH_SYNTAX where that element has no id or there are several
 */
async function simplePath(given: ParsedWords, session: CibSession): Promise<string | undefined> {
  const xpath = given.value("xpath");
  if (xpath === undefined) return undefined;
  const { selectXpath } = await import("../../cib/index.ts");
  const cib = await session.cib();
  try {
    selectXpath(cib, xpath);
    return xpath;
  } catch (error) {
    if (!(error instanceof HactlError) || error.code !== "XPATH_SYNTAX") throw error;
  }
  const { selectFully } = await import("../full-xpath.ts");
  const found = selectFully(cib, xpath);
  // Where it finds nothing, so does a simple one.
  if (found.length === 0) return "//*[@id='']";
  const ids = found.map(({ element }) => element.attributes.get("id"));
  const names = ids.flatMap((id) => (id === undefined || id.includes("'") ? [] : `//*[@id='${id}']`));
  const wanted = given.has("delete-all") ? names : names.slice(0, 1);
  if (wanted.length > 0 && names.length === ids.length) return wanted.join(" | ");
  throw new HactlError({
    code: "XPATH_SYNTAX",
    what: `XPath "${xpath}" finds what has no id`,
    cure: "write it like //primitive[@id='vip']/meta_attributes",
    exit: CrmExit.USAGE,
  });
}

const knownSections = new Set([
  "crm_config",
  "nodes",
  "resources",
  "constraints",
  "rsc_defaults",
  "op_defaults",
  "fencing-topology",
  "tags",
  "alerts",
  "acls",
]);

const nothing = () =>
  new HactlError({
    code: "NO_SUCH",
    what: "Call failed: No such device or address",
    exit: CrmExit.NOSUCH,
  });

interface Path {
  readonly element: XmlElement;
  readonly parent: Path | undefined;
}

/** A path that finds an element again: by its id where it has one. */
function pathText({ element, parent }: Path): string {
  if (element.name === "") return "";
  const id = element.attributes.get("id");
  return `${parent ? pathText(parent) : ""}/${element.name}${id === undefined || element.name === "cib" ? "" : `[@id='${id}']`}`;
}

async function printEmpty(answer: Answer, schema?: string): Promise<number> {
  const { canonicalSchema, checkSchemaName, element, formatXml } = await import("../../cib/index.ts");
  const sections = ["crm_config", "nodes", "resources", "constraints"].map((name) => element(name));
  if (schema !== undefined) checkSchemaName(schema);
  const cib = element(
    "cib",
    { "validate-with": schema ?? canonicalSchema, epoch: 1, num_updates: 0, admin_epoch: 0 },
    [element("configuration", {}, sections), element("status")],
  );
  answer.say(output(formatXml(cib)));
  return CrmExit.OK;
}

/** MD5 as Pacemaker has it on disk; versioned as in differences, without who wrote it and when. */
async function digest(versioned: boolean, given: ParsedWords, answer: Answer): Promise<number> {
  const { element, formatXml, parseXml } = await import("../../cib/index.ts");
  const root = parseXml(source(given), undefined, { comments: true });
  const { documentDigest } = await import("./xml-patch.ts");
  const sum = versioned
    ? documentDigest(root)
    : new Bun.CryptoHasher("md5").update(` ${formatXml(root, -1)}\n`).digest("hex");
  answer.say({ text: () => sum, xml: () => [element("md5-sum", { digest: sum })], since: "2.41" });
  return CrmExit.OK;
}

/**
 * Brings the CIB to the newest schema that is written. A file then wins over every copy with the older one, as by
 * Pacemaker's tool: its admin_epoch rises, and epoch begins anew.
 */
async function upgrade(session: CibSession): Promise<number> {
  const { canonicalSchema, compareVersions, formatXml, upgradeCib, versionOf } = await import(
    "../../cib/index.ts"
  );
  // It turns what is written into the present form.
  const raw = await session.raw();
  const schema = raw.attributes.get("validate-with") ?? "";
  const rises = schema.startsWith("pacemaker-") && compareVersions(schema, canonicalSchema) < 0;
  if (session.isLive || !rises) {
    const configuration = upgradeCib(await session.cib()).root.children.find(
      ({ name }) => name === "configuration",
    );
    if (configuration)
      await changed(
        session,
        [{ op: "replace", scope: "configuration", xml: formatXml(configuration, -1) }],
        true,
        false,
      );
    return CrmExit.OK;
  }
  const [adminEpoch] = versionOf(raw);
  const head = `<cib admin_epoch="${adminEpoch + 1}" epoch="1" validate-with="${canonicalSchema}"/>`;
  await changed(session, [{ op: "modify", xml: head }, { op: "bump" }], true, false);
  return CrmExit.OK;
}
