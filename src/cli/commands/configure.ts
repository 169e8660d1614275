import { writeFileSync } from "node:fs";
import { defineCommand } from "citty";
import {
  type CibProblem,
  child,
  childrenOf,
  cibOf,
  definedCounts,
  definedIds,
  element,
  examineCrm,
  formatCrm,
  formatXml,
  isJoined,
  type LoadMode,
  loadCrm,
  parseXml,
  refuseExisting,
  removeObjects,
  resourceElements,
  upgradeCib,
  type XmlElement,
} from "../../cib/index.ts";
import { pathFacts, writeDurably } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { newErrors, RefusedChange, refuseTorn } from "../acceptance.ts";
import { applyToCib, changeConfiguration, readCib } from "../cib-session.ts";
import { note, print, printJson, wantsJson } from "../output.ts";
import { readText } from "../read-text.ts";
import { idOf, primitivesIn, resourcesOf } from "../resources.ts";
import { placesText, primitivesGone, refuseWhileRunning, runningOf } from "../running.ts";
import { cibTarget } from "../target.ts";
import { editCommands, force } from "./configure-edit.ts";

/** A command that reads all its words itself. */
const anyWords = <T extends { readonly name: string }>(meta: T): T => ({ ...meta, extraWords: true });

const show = defineCommand({
  meta: anyWords({
    name: "show",
    description: "Print the configuration as crm shell text, or as XML with 'show xml'.",
  }),
  args: {
    ids: { type: "positional", required: false, description: "'xml', and ids of objects [default: all]" },
  },
  run: async ({ rawArgs }) => {
    print(await configurationText(rawArgs.filter((word) => !word.startsWith("-"))));
    return CrmExit.OK;
  },
});

const save = defineCommand({
  meta: anyWords({
    name: "save",
    description:
      "Write the configuration to a file, as crm shell text that 'load' reads, or as XML with 'save xml FILE'.",
  }),
  args: {
    file: {
      type: "positional",
      description: "['xml'] the file, which is replaced whole, and ids of objects",
    },
  },
  run: async ({ rawArgs }) => {
    const words = rawArgs.filter((word) => !word.startsWith("-"));
    const xml = words[0] === "xml" ? ["xml"] : [];
    const [file, ...ids] = words.slice(xml.length);
    if (file === undefined) {
      throw new HactlError({
        code: "USAGE",
        what: "no file is named",
        cure: "hactl configure save FILE",
        exit: CrmExit.USAGE,
      });
    }
    const text = await configurationText([...xml, ...ids]);
    const whole = text.endsWith("\n") ? text : `${text}\n`;
    // Parameters may be secrets: a new file is for its owner alone. A device or pipe takes the text as it comes.
    if (pathFacts(file)?.kind === "other") writeFileSync(file, whole);
    else await writeDurably(file, whole);
    note(`Saved to ${file}.`);
    return CrmExit.OK;
  },
});

/** The configuration as `show` prints it. @param words 'xml', and ids of objects; all without ids */
async function configurationText(words: readonly string[]): Promise<string> {
  const xml = words[0] === "xml";
  const { cib, configuration } = await readCib();
  if (!xml) return crmText(configuration, words);
  const ids = words.slice(1);
  if (ids.length > 0) return ids.map((id) => formatXml(found(configuration, id))).join("\n");
  return formatXml({ ...cib, children: cib.children.filter(({ name }) => name !== "status") });
}

/** All of a configuration, or the objects with these ids, as crm shell text. */
function crmText(configuration: XmlElement, ids: readonly string[]): string {
  for (const id of ids) found(configuration, id);
  return formatCrm(configuration, ids.length === 0 ? undefined : ids);
}

const load = defineCommand({
  meta: anyWords({
    name: "load",
    description:
      "Load a file: 'update' adds and changes what it defines, 'replace' puts it in place of everything, 'push' also " +
      "removes what it does not define. crm shell text, or XML. All of it or, when anything is wrong, nothing.",
  }),
  args: {
    mode: { type: "positional", description: "['xml'] update, replace or push" },
    file: { type: "positional", description: "the file; - is standard input" },
    force: {
      type: "boolean",
      description: "although there are mistakes in it, a push takes away what runs, or no resource is left",
    },
  },
  run: async ({ args: { _: words, force } }) => {
    const { mode, file, text } = loadWords(words);
    let remarks: readonly string[] = [];
    let stopped: readonly string[] = [];
    const { after } = await changeConfiguration(
      ({ cib, configuration }) => {
        // What others have set at a node (standby, …) stays, though the text tells of the node.
        const joined = mode === "update" ? "add" : mode;
        const made = loaded(text, file, configuration, joined, (found) => (remarks = found));
        if (!force && mode !== "update") refuseErasing(configuration, made, text);
        // What a file says is running runs nowhere.
        if (cibTarget().kind !== "live") return made;
        const gone = primitivesGone(configuration, made);
        if (!force && mode === "replace") refuseStoppingAll(made, placesText(runningOf(cib, gone)));
        // Who replaces everything says so; of an edit, or what others have added meanwhile, it is easily forgotten.
        if (mode === "replace" || force) stopped = placesText(runningOf(cib, gone));
        else refuseWhileRunning(cib, gone);
        return made;
      },
      "configure load",
      { force: force === true, file, whole: mode !== "update" },
    );
    remarks = [...remarks, ...stopped.map((text) => `${text}: it is stopped, as it is configured no more`)];
    if (wantsJson()) printJson({ file, mode, remarks });
    else
      for (const line of [
        `Loaded ${file}: ${describe(text, file, after)}.`,
        ...remarks.map((remark) => `  ${remark}`),
      ])
        note(line);
    return CrmExit.OK;
  },
});

/** ['xml'] MODE FILE, and what is in the file. @throws HactlError USAGE, CIB_INVALID */
function loadWords(words: readonly string[]) {
  const asXml = words[0] === "xml";
  const [word = "", file, ...more] = asXml ? words.slice(1) : words;
  const mode = modeNamed(word);
  if (file === undefined || more.length > 0)
    throw new HactlError({
      code: "USAGE",
      what: file === undefined ? "no file is named" : `load takes one file: ${[file, ...more].join(" ")}`,
      cure: `hactl configure load ${asXml ? "xml " : ""}${mode} FILE`,
      exit: CrmExit.USAGE,
    });
  const text = readText(file);
  if (asXml && !isXml(text))
    throw new HactlError({
      code: "CIB_INVALID",
      what: "the file is no XML",
      where: { file },
      cure: `hactl configure load ${mode} ${file}, where it is crm shell text`,
      exit: CrmExit.DATAERR,
    });
  return { mode, file, text };
}

const remove = defineCommand({
  meta: anyWords({ name: "delete", description: "Remove objects, and the constraints that name them." }),
  args: {
    ids: { type: "positional", description: "ids of the objects" },
    force: { type: "boolean", description: "also while a resource runs" },
  },
  run: async ({ rawArgs }) => {
    const ids = rawArgs.filter((word) => !word.startsWith("-"));
    const force = rawArgs.includes("--force");
    let remarks: readonly string[] = [];
    await changeConfiguration(
      ({ cib, configuration }) => {
        const removal = removeObjects(configuration, ids);
        // What a file says is running runs nowhere, and its nodes are only written there.
        if (!force && cibTarget().kind === "live") {
          refuseNodes(configuration, ids);
          refuseWhileRunning(cib, primitivesNamed(configuration, ids));
        }
        remarks = removal.remarks;
        return removal.configuration;
      },
      "configure delete",
      { force },
    );
    if (wantsJson()) printJson({ removed: ids, remarks });
    else
      for (const text of [`Removed ${ids.join(" ")}.`, ...remarks.map((remark) => `  ${remark}`)]) note(text);
    return CrmExit.OK;
  },
});

/** A node does not go by being taken out of the configuration: its entry comes back without what was set for it. */
function refuseNodes(configuration: XmlElement, ids: readonly string[]): void {
  const nodes = childrenOf(child(configuration, "nodes"), "node").flatMap(({ attributes }) => {
    const [id = "", name = id] = [attributes.get("id"), attributes.get("uname")];
    return ids.some((one) => (one === id || one === name) && !isResource(configuration, one)) ? [name] : [];
  });
  const [name] = nodes;
  if (name === undefined) return;
  throw new HactlError({
    code: "IS_NODE",
    what: `${nodes.join(", ")} ${nodes.length === 1 ? "is a node" : "are nodes"} of the cluster, which deleting an object does not remove`,
    cure: `stop the cluster there ('hactl stop'), then say 'hactl node remove ${name}'; --force takes away what is set for it, standby too`,
    exit: CrmExit.UNSAFE,
  });
}

/** Ids of the primitives that are named, and of those in what is named. */
const primitivesNamed = (configuration: XmlElement, ids: readonly string[]): ReadonlySet<string> =>
  new Set(
    resourcesOf(configuration)
      .filter(({ xml }) => ids.includes(idOf(xml)))
      .flatMap(({ xml }) => primitivesIn(xml))
      .map(idOf),
  );

const erase = defineCommand({
  meta: {
    name: "erase",
    description: "Remove the whole configuration except the nodes and the cluster's own properties.",
  },
  args: { force: { type: "boolean", description: "yes, I mean it" } },
  run: async ({ args }) => {
    if (!args.force) throw erasing("this removes every resource and constraint of the cluster");
    await changeConfiguration(
      ({ configuration }) => loadCrm("", configuration, "replace"),
      "configure erase",
      { force: true },
    );
    note("The configuration is empty.");
    return CrmExit.OK;
  },
});

const erasing = (what: string) =>
  new HactlError({ code: "UNSAFE", what, cure: "say it with --force", exit: CrmExit.UNSAFE });

/**
 * Refuses a text in the place of everything that leaves no resource and sets nothing: it is an empty or truncated file
 * more often than it is meant. What is saved has its settings behind its resources: where they are, nothing is cut off.
 */
function refuseErasing(before: XmlElement, after: XmlElement, text: string): void {
  const hasResources = (configuration: XmlElement) => resourcesOf(configuration).length > 0;
  if (/^\s*$/.test(text.replaceAll(/^\s*#.*$/gm, "")))
    throw erasing("it defines nothing: every resource and constraint of the cluster would be removed");
  if (!hasResources(after) && hasResources(before) && !setsSomething(text))
    throw erasing("it has no resource: every resource of the cluster would be removed");
}

/** A text with settings alone is a part of a configuration more often than it is meant to end every service. */
function refuseStoppingAll(after: XmlElement, running: readonly string[]): void {
  if (running.length === 0 || resourcesOf(after).length > 0) return;
  throw erasing(`it has no resource, and what runs would be stopped: ${running.join("; ")}`);
}

/** A document cannot be cut off: it says itself that there are none. */
const setsSomething = (text: string): boolean =>
  text.trimStart().startsWith("<")
    ? /<resources\s*\/?>/.test(text)
    : /^\s*(property|rsc_defaults|op_defaults)\s/m.test(text);

const accept = defineCommand({
  meta: {
    name: "accept",
    description:
      "Go on with the present configuration although a newer one was lost, which 'hactl status' warns of. No copy " +
      "that another node may have kept takes its place any more.",
  },
  run: async () => {
    await applyToCib([{ op: "accept" }], "configure accept");
    note("The present configuration counts from now on.");
    return CrmExit.OK;
  },
});

/** Statements of the crm shell that may stand behind `hactl configure` directly. */
const statements = [
  "node",
  "primitive",
  "rsc_template",
  "group",
  "clone",
  "ms",
  "bundle",
  "location",
  "colocation",
  "order",
  "rsc_ticket",
  "property",
  "rsc_defaults",
  "op_defaults",
  "fencing_topology",
  "tag",
  "alert",
  "monitor",
  "master",
  "role",
  "acl_target",
  "acl_group",
  "user",
  "xml",
] as const;

const statement = (name: string) =>
  defineCommand({
    meta: anyWords({ name, description: `Add or change a ${name}, as in crm shell text.`, hidden: true }),
    args: { force },
    run: async ({ rawArgs }) => {
      // XML has its own quotes.
      const words = rawArgs.filter((word) => word !== "--force");
      const text = [name, ...(name === "xml" ? words : words.map(quoted))].join(" ");
      let remarks: readonly string[] = [];
      await changeConfiguration(
        ({ configuration }) => {
          refuseExisting(text, configuration);
          return loaded(text, "command line", configuration, "add", (found) => (remarks = found));
        },
        "configure",
        { force: words.length < rawArgs.length, file: "command line" },
      );
      for (const remark of remarks) note(remark);
      return CrmExit.OK;
    },
  });

export default defineCommand({
  meta: {
    name: "configure",
    description:
      "Show and change the cluster's configuration. A statement of the crm shell may follow directly: " +
      "hactl configure primitive ip ocf:heartbeat:IPaddr2 params ip=192.0.2.10 op monitor interval=10s",
  },
  subCommands: {
    show,
    save,
    load,
    delete: remove,
    erase,
    accept,
    ...editCommands({
      read: readCib,
      change: changeConfiguration,
      text: (configuration, words) =>
        words[0] === "xml" ? formatXml(configuration) : crmText(configuration, words),
      replaced: (text, configuration, words, tell, force) => {
        const after = replaced(text, configuration, words, tell);
        if (!force && (words.length === 0 || words[0] === "xml")) refuseErasing(configuration, after, text);
        return after;
      },
    }),
    ...Object.fromEntries(statements.map((name) => [name, statement(name)])),
  },
});

/** A word of the command line as text has it: what would part it or mean something there stands in quotes again. */
function quoted(word: string): string {
  if (/^".*"$/s.test(word) || (word !== "" && !/[\s"'\\]/.test(word))) return word;
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}

function modeNamed(word: string): LoadMode {
  if (word === "update" || word === "replace" || word === "push") return word;
  throw new HactlError({
    code: "USAGE",
    what: `"${word}" is not a way to load`,
    cure: "write update, replace or push",
    exit: CrmExit.USAGE,
  });
}

const isXml = (text: string) => /^\s*</.test(text);

/** The configuration with a text loaded into it; all mistakes of the text at once. `tell` hears what else it changes. */
export function loaded(
  text: string,
  file: string,
  base: XmlElement,
  mode: LoadMode,
  tell: (remarks: readonly string[]) => void = () => {},
): XmlElement {
  if (isXml(text) && !isJoined(mode)) return loadedXml(text, file, base);
  const { configuration, errors, readable, remarks } = examineCrm(
    // What is added to the rest may be a part: what it defines counts, as in a text.
    isXml(text) ? formatCrm(loadedXml(text, file)) : text,
    base,
    mode,
  );
  if (errors.length === 0) {
    tell(remarks);
    return configuration;
  }
  const problems = errors.map(
    ({ code, what, where, cure }): CibProblem => ({
      level: "error",
      code,
      text: what,
      ...(where?.line === undefined ? {} : { line: where.line }),
      ...(where?.id === undefined ? {} : { id: where.id }),
      ...(cure === undefined ? {} : { cure }),
    }),
  );
  const all = [...problems, ...alsoWrong(configuration, base, problems, readable)];
  const place = ({ line }: CibProblem) => line ?? Number.MAX_SAFE_INTEGER;
  throw new RefusedChange(
    all.sort((a, b) => place(a) - place(b)),
    file,
    undefined,
    configuration,
  );
}

/** What else would be refused when those mistakes of the text were mended. */
function alsoWrong(
  configuration: XmlElement,
  base: XmlElement,
  problems: readonly CibProblem[],
  readable: boolean,
): CibProblem[] {
  const told = new Set(problems.map(({ text }) => text));
  return newErrors(cibOf(base), cibOf(configuration)).filter(
    ({ code, text }) => !told.has(text) && (readable || code !== "DANGLING_REFERENCE"),
  );
}

/** An edited text in the place of what was edited: objects that it does not have any more are removed. */
function replaced(
  text: string,
  configuration: XmlElement,
  words: readonly string[],
  tell: (remarks: readonly string[]) => void,
): XmlElement {
  const name = "the edited text";
  if (words.length === 0 || words[0] === "xml") return loaded(text, name, configuration, "push", tell);
  let remarks: readonly string[] = [];
  const after = loaded(text, name, configuration, "update", (found) => (remarks = found));
  const defined = new Set(definedIds(text));
  const gone = words.filter((id) => !defined.has(id));
  if (gone.length === 0) {
    tell(remarks);
    return after;
  }
  const removal = removeObjects(after, gone);
  tell([...remarks, ...removal.remarks]);
  return removal.configuration;
}

function loadedXml(text: string, file: string, base?: XmlElement): XmlElement {
  const root = parseXml(text, file);
  if (base !== undefined) refuseTorn(base, root);
  if (root.name === "configuration") return root;
  const configuration =
    root.name === "cib"
      ? upgradeCib(root).root.children.find(({ name }) => name === "configuration")
      : undefined;
  if (configuration) return configuration;
  throw new HactlError({
    code: "CIB_INVALID",
    what: `the file holds <${root.name}>, not <cib> or <configuration>`,
    where: { file },
    exit: CrmExit.DATAERR,
  });
}

/** Whether a resource is called so: that is what is meant where a node is, too. */
const isResource = (configuration: XmlElement, id: string): boolean =>
  searched(child(configuration, "resources"), id) !== undefined;

function searched(at: XmlElement | undefined, id: string): XmlElement | undefined {
  for (const item of at?.children ?? []) {
    if (item.attributes.get("id") === id || (item.name === "node" && item.attributes.get("uname") === id))
      return item;
    const inner = searched(item, id);
    if (inner) return inner;
  }
  return undefined;
}

function found(configuration: XmlElement, id: string): XmlElement {
  const object = searched(child(configuration, "resources"), id) ?? searched(configuration, id);
  if (object) return object;
  throw new HactlError({
    code: "NO_SUCH_OBJECT",
    what: `there is no object "${id}" in the configuration`,
    cure: "'hactl configure show' lists all",
    exit: CrmExit.NOSUCH,
  });
}

/** What a text defines, and what the configuration holds with it. */
function describe(text: string, file: string, configuration: XmlElement): string {
  const inTree = (tree: XmlElement) => (section: string) => {
    const top = child(tree, section) ?? element(section);
    // Of members, too, a text has a statement each.
    return (section === "resources" ? resourceElements(top) : top.children).length;
  };
  const counts = isXml(text) ? undefined : definedCounts(text);
  const inText =
    counts === undefined
      ? inTree(loadedXml(text, file))
      : (section: "resources" | "constraints") => counts.get(section) ?? 0;
  const said = (count: (section: "resources" | "constraints") => number) =>
    `${counted(count("resources"), "resource")} and ${counted(count("constraints"), "constraint")}`;
  return `${said(inText)}; the configuration now holds ${said(inTree(configuration))}`;
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
