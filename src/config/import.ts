import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { CrmExit, HactlError, lookup } from "../terms/index.ts";
import { type Entry, parseCorosync, type Section } from "./corosync-file.ts";
import type { ConfigOption } from "./option.ts";
import { heading } from "./parse.ts";
import { configTables, optionNamed, tableNamed } from "./tables.ts";
import { tomlText, tomlValue } from "./toml-writer.ts";
import { readValue } from "./value.ts";

/** Something that did not go over as it was. */
export interface ImportNote {
  /** Name of the file it stands in, as told to the importer. */
  readonly file: string;
  readonly line?: number;
  readonly text: string;
}

/** Files to import, each with its name for the notes; at least one. */
export interface ImportSources {
  readonly corosync?: { readonly file: string; readonly text: string };
  readonly sysconfig?: { readonly file: string; readonly text: string };
  readonly clusterConf?: { readonly file: string; readonly text: string };
}

/** A hactl.toml made of other programs' files. What was not taken stands in it as comments. */
export interface Imported {
  readonly toml: string;
  readonly notes: readonly ImportNote[];
}

/** A line of a table under construction; of an option its name, and how old the name was that it was given by. */
interface DraftLine {
  readonly text: string;
  readonly name?: string;
  readonly age?: number;
  readonly line?: number;
}

/** A table under construction. */
interface Draft {
  readonly path: string;
  lines: DraftLine[];
}

const has = (draft: Draft, name: string): boolean => draft.lines.some((line) => line.name === name);
const lineOf = (draft: Draft, name: string): DraftLine | undefined =>
  draft.lines.find((line) => line.name === name);

/** By these a repeated table is known; one whose key says nothing here cannot be written. */
const keyOf: Readonly<Record<string, string>> = lookup({
  "logging.logger_subsys": "subsys",
  "totem.interface": "linknumber",
});

/** What corosync knows by a name that means nothing, or something else, here. */
const elsewhere: Readonly<Record<string, string>> = lookup({
  "totem.vsftype":
    "there is no such filter here: votes alone decide which part of a cluster goes on ([quorum])",
  "totem.cluster_uuid": "clusters are told apart here by cluster_name and by their key",
  "system.state_dir":
    "that directory is corosync's; hactl keeps its state in one of its own, [system] state_dir",
});

/** Makes a hactl.toml of corosync.conf, /etc/sysconfig/pacemaker (or sbd) and cluster.conf. */
export function importConfig(sources: ImportSources): Imported {
  const importer = new Importer();
  if (sources.corosync) importer.corosync(sources.corosync.file, sources.corosync.text);
  if (sources.clusterConf) importer.clusterConf(sources.clusterConf.file, sources.clusterConf.text);
  if (sources.sysconfig) importer.sysconfig(sources.sysconfig.file, sources.sysconfig.text);
  const names = [sources.corosync, sources.clusterConf, sources.sysconfig].flatMap(
    (source) => source?.file ?? [],
  );
  return importer.finish(names);
}

/** `importConfig` of a corosync.conf alone. */
export const importCorosync = (text: string, file = "corosync.conf"): Imported =>
  importConfig({ corosync: { file, text } });

/** `importConfig` of /etc/sysconfig/pacemaker or sbd alone. */
export const importSysconfig = (text: string, file = "sysconfig"): Imported =>
  importConfig({ sysconfig: { file, text } });

/** `importConfig` of a cluster.conf alone. */
export const importClusterConf = (text: string, file = "cluster.conf"): Imported =>
  importConfig({ clusterConf: { file, text } });

class Importer {
  private readonly drafts: Draft[] = [];
  private readonly notes: ImportNote[] = [];
  private file = "";

  corosync(file: string, text: string): void {
    this.file = file;
    const { root, problems } = parseCorosync(text);
    for (const problem of problems) this.note(problem.line, `${problem.what}. ${problem.cure}`);
    for (const entry of root.entries)
      this.note(entry.line, `${entry.key} stands outside of any section; left out`);
    for (const section of root.sections) this.section(section, section.name);
    this.completeNodes(root);
    this.noteProvider(root);
  }

  /** Without a provider corosync counts no votes, and every part of a cluster goes on. Here they are counted always. */
  private noteProvider(root: Section): void {
    const quorum = root.sections.filter(({ name }) => name === "quorum").flatMap(({ entries }) => entries);
    if (quorum.some(({ key, value }) => key === "provider" && value !== "")) return;
    const nodes = this.drafts.filter((draft) => draft.path === "nodelist.node");
    if (nodes.length === 0) return;
    const votes = nodes.reduce((sum, node) => sum + Number(valueIn(node, "quorum_votes") ?? 1), 0);
    const needed = Math.floor(votes / 2) + 1;
    const both =
      nodes.length === 2 ? "; with two nodes, two_node = true in [quorum] lets one go on alone" : "";
    this.note(
      undefined,
      `there is no quorum provider: quorum was off, and every part of the cluster went on; hactl decides by votes: ` +
        `${needed} of ${votes} needed${both}`,
    );
  }

  private section(section: Section, path: string): void {
    const name = path === "logging.logger" ? "logging.logger_subsys" : path;
    const table = tableNamed(name);
    const container = configTables.some((other) => other.path.startsWith(`${name}.`));
    if (!table && !container) {
      // A list of members inside an interface becomes the node list.
      if (name !== "totem.interface.member")
        this.note(section.line, `${section.name} {} has no counterpart; left out`);
      return;
    }
    if (table) {
      const draft = this.draft(name);
      const key = section.entries.findLast((entry) => entry.key === keyOf[name]);
      const why = key && this.refusal(draft, key);
      if (key && why !== undefined) {
        this.note(
          key.line,
          `${key.key}: ${key.value} was not taken, nor what else is in ${heading(name)}: ${why}`,
        );
        this.drafts.splice(this.drafts.indexOf(draft), 1);
        return;
      }
      for (const entry of section.entries) this.option(draft, entry);
    } else
      for (const entry of section.entries) this.note(entry.line, `${entry.key} has no counterpart; left out`);
    for (const inner of section.sections) this.section(inner, `${name}.${inner.name}`);
  }

  private draft(path: string): Draft {
    const existing = tableNamed(path)?.repeated
      ? undefined
      : this.drafts.find((draft) => draft.path === path);
    if (existing) return existing;
    const draft: Draft = { path, lines: [] };
    this.drafts.push(draft);
    return draft;
  }

  /** Why an entry cannot be taken; undefined when it can. */
  private refusal(draft: Draft, entry: Entry): string | undefined {
    const other = elsewhere[`${draft.path}.${entry.key}`];
    if (other !== undefined) return other;
    const table = tableNamed(draft.path);
    const option = table && optionNamed(table, entry.key);
    if (!option) return "hactl has no such option";
    if (option.unused !== undefined) return `no effect: ${option.unused}`;
    const read = readValue(option, entry.value);
    return read.ok ? undefined : `${read.what}. ${read.cure}`;
  }

  private option(draft: Draft, entry: Entry): void {
    // rrp_mode none is the absence of a second ring, not a way to use it.
    if (entry.key === "rrp_mode" && entry.value === "none") return;
    const why = this.refusal(draft, entry);
    const table = tableNamed(draft.path);
    const option = table && optionNamed(table, entry.key);
    if (why !== undefined) {
      this.leave(draft, entry.line, `${entry.key}: ${entry.value}`, why);
      if (option) this.withdraw(draft, option.name, entry.line);
      return;
    }
    const read = option && readValue(option, entry.value);
    if (option && read?.ok) this.set(draft, option.name, tomlValue(option, read.value), entry.line);
  }

  /** Of two the last one counts, also where it cannot be taken: what was before it was not in force. */
  private withdraw(draft: Draft, name: string, line: number | undefined, age = 0): void {
    const old = lineOf(draft, name);
    if (!old || age > (old.age ?? 0)) return;
    const place = old.line === undefined ? "" : ` of line ${old.line}`;
    this.note(
      line,
      `${name} is given twice in ${heading(draft.path)}: the last counts, which was not taken, and not ${old.text}${place}`,
    );
    draft.lines = draft.lines.filter((one) => one !== old);
  }

  /** Of two the last one counts, as for corosync and for a shell; but the newer name before an older one (`age`). */
  private set(draft: Draft, name: string, value: string, line?: number, age = 0): void {
    const next = { text: `${name} = ${value}`, name, age, ...(line === undefined ? {} : { line }) };
    const old = lineOf(draft, name);
    if (!old) {
      draft.lines.push(next);
      return;
    }
    const wins = age <= (old.age ?? 0);
    const [kept, other] = wins ? [next, old] : [old, next];
    const places = [kept, other].map((one) => (one.line === undefined ? "" : ` of line ${one.line}`));
    const why = kept.age === other.age ? "the last" : "the newer name";
    const words = `${name} is given twice in ${heading(draft.path)}: ${why} counts`;
    this.note(line, `${words}, ${kept.text}${places[0]}, not ${other.text}${places[1]}`);
    if (wins) draft.lines = draft.lines.map((one) => (one === old ? next : one));
  }

  private leave(draft: Draft, line: number | undefined, original: string, why: string): void {
    draft.lines.push({ text: plain(`# not taken: ${original} (${why})`) });
    this.note(line, `${original} was not taken: ${why}`);
  }

  private note(line: number | undefined, text: string): void {
    this.notes.push({ file: this.file, ...(line !== undefined && { line }), text });
  }

  /** Every node needs an id; corosync makes one of the address where there is none. And old files have no node list. */
  private completeNodes(root: Section): void {
    if (!this.drafts.some((draft) => draft.path === "nodelist.node")) this.membersToNodes(root);
    const nodes = this.drafts.filter((draft) => draft.path === "nodelist.node");
    const used = new Set(nodes.flatMap((node) => valueIn(node, "nodeid") ?? []));
    let next = 1;
    for (const node of nodes) {
      if (has(node, "nodeid")) continue;
      while (used.has(String(next))) next++;
      used.add(String(next));
      this.set(node, "nodeid", String(next));
      this.note(undefined, `a node has no nodeid; it got ${next}`);
    }
  }

  private membersToNodes(root: Section): void {
    const interfaces = root.sections
      .filter((section) => section.name === "totem")
      .flatMap((totem) => totem.sections.filter((section) => section.name === "interface"));
    const links = interfaces.map((section) =>
      section.sections
        .filter((inner) => inner.name === "member")
        .flatMap((member) =>
          member.entries.filter((entry) => entry.key === "memberaddr").map((entry) => entry.value),
        ),
    );
    for (const index of (links[0] ?? []).keys()) {
      const draft = this.draft("nodelist.node");
      for (const [link, members] of links.entries()) {
        const address = members[index];
        if (address !== undefined) this.set(draft, `ring${link}_addr`, tomlText(address));
      }
      draft.lines.push({ text: '# name = "…"   the name that uname -n prints on this node' });
      this.note(undefined, `the node ${links[0]?.[index]} comes from a member list and has no name; add it`);
    }
  }

  sysconfig(file: string, text: string): void {
    this.file = file;
    const table = tableNamed("sysconfig");
    const draft = this.draft("sysconfig");
    for (const [index, raw] of text.split("\n").entries()) {
      const line = index + 1;
      const content = raw.trim();
      if (content === "" || content.startsWith("#")) continue;
      const match = content.match(/^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/);
      if (!match?.[1]) {
        if (!/^export(\s+[A-Za-z_]\w*)+$/.test(content))
          this.note(line, `not an assignment; left out: ${content}`);
        continue;
      }
      const [, name, rawValue = ""] = match;
      const value = shellWord(rawValue);
      const option = table && optionNamed(table, name);
      if (value === undefined) {
        this.leave(draft, line, content, "only plain values can be taken, no shell expansion");
        if (option) this.withdraw(draft, option.name, line, age(option, name));
      } else if (!option) this.leave(draft, line, content, "hactl does not know this variable");
      else if (option.unused !== undefined) this.leave(draft, line, content, `no effect: ${option.unused}`);
      else if (value === "") this.unset(draft, option.name, line);
      else {
        const read = readValue(option, value);
        if (read.ok) this.set(draft, option.name, tomlValue(option, read.value), line, age(option, name));
        else {
          this.leave(draft, line, content, `${read.what}. ${read.cure}`);
          this.withdraw(draft, option.name, line, age(option, name));
        }
      }
    }
  }

  /** An empty value takes an earlier one back. */
  private unset(draft: Draft, name: string, line: number): void {
    const old = lineOf(draft, name);
    if (!old) return;
    this.note(line, `${name} is given twice in ${heading(draft.path)}: the last counts, which is empty`);
    draft.lines = draft.lines.filter((one) => one !== old);
  }

  /** cluster.conf(5) of the cman stack, which RHEL 6's kdump reads too. */
  clusterConf(file: string, text: string): void {
    this.file = file;
    const cluster = clusterElement(file, text);
    const totem = this.draft("totem");
    this.attribute(totem, "cluster_name", cluster.attributes.name);
    this.attribute(totem, "config_version", cluster.attributes.config_version);
    if (!this.drafts.some((draft) => draft.path === "nodelist.node")) this.clusterNodes(cluster);
    // With a corosync.conf beside it, that one counts.
    const hasQuorum = this.drafts.some((draft) => draft.path === "quorum");
    for (const cman of hasQuorum ? [] : childrenOf(cluster, "cman")) {
      const quorum = this.draft("quorum");
      this.attribute(quorum, "two_node", cman.attributes.two_node);
      if (cman.attributes.two_node !== "1")
        this.attribute(quorum, "expected_votes", cman.attributes.expected_votes);
    }
    for (const element of childrenOf(cluster, "totem")) {
      for (const name of ["token", "consensus", "join", "token_retransmits_before_loss_const"]) {
        this.attribute(totem, name, element.attributes[name]);
      }
    }
    const devices = childrenOf(cluster, "fencedevices").flatMap((list) => childrenOf(list, "fencedevice"));
    for (const device of devices) {
      const { name = "?", agent = "?" } = device.attributes;
      if (agent === "fence_kdump") this.attribute(this.draft("kdump"), "listen", "true");
      this.note(
        undefined,
        `the fence device ${name} belongs into the cluster's configuration: primitive ${name} stonith:${agent}`,
      );
    }
    for (const section of cluster.children) {
      if (!(section instanceof XmlElement) || knownElements.has(section.name)) continue;
      this.note(undefined, `<${section.name}> has no counterpart; left out`);
    }
  }

  private clusterNodes(cluster: XmlElement): void {
    for (const node of childrenOf(cluster, "clusternodes").flatMap((list) =>
      childrenOf(list, "clusternode"),
    )) {
      const draft = this.draft("nodelist.node");
      const { name } = node.attributes;
      this.attribute(draft, "name", name);
      this.attribute(draft, "nodeid", node.attributes.nodeid);
      this.attribute(draft, "ring0_addr", name);
      this.attribute(draft, "ring1_addr", childrenOf(node, "altname")[0]?.attributes.name);
      this.attribute(draft, "quorum_votes", node.attributes.votes);
    }
  }

  private attribute(draft: Draft, name: string, value: string | undefined): void {
    if (value === undefined || has(draft, name)) return;
    this.option(draft, { key: name, value, line: 0 });
  }

  finish(files: readonly string[]): Imported {
    const head = [plain(`# hactl.toml, imported from ${files.join(", ")}.`)];
    if (this.notes.length > 0) {
      head.push("#", "# To look at:");
      for (const note of this.notes) {
        head.push(plain(`# - ${note.file}${note.line ? ` line ${note.line}` : ""}: ${note.text}`));
      }
    }
    const order = new Map(configTables.map((table, index) => [table.path, index]));
    const rank = (draft: Draft) => order.get(draft.path) ?? order.size;
    const tables = this.drafts
      .filter((draft) => draft.lines.length > 0)
      .toSorted((a, b) => rank(a) - rank(b))
      .map((draft) => [heading(draft.path), ...draft.lines.map(({ text }) => text)].join("\n"));
    return { toml: `${[head.join("\n"), ...tables].join("\n\n")}\n`, notes: this.notes };
  }
}

/** The value of an option in a table under construction. */
const valueIn = (draft: Draft, name: string): string | undefined =>
  lineOf(draft, name)?.text.slice(`${name} = `.length);

/** How many newer names an option has than this one. */
const age = ({ name, aliases }: ConfigOption, word: string): number =>
  word === name ? 0 : 1 + (aliases ?? []).indexOf(word);

/** A text that may stand in a comment: TOML allows no control characters there. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const plain = (text: string) => text.replace(/[\s\x00-\x1f\x7f]+/g, " ");

const knownElements = new Set(["clusternodes", "cman", "totem", "fencedevices"]);

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);

function clusterElement(file: string, text: string): XmlElement {
  let root: XmlElement | null;
  try {
    root = parseXml(text).root;
  } catch (error) {
    const line = (error as { line?: number }).line;
    throw notClusterConf(file, `This is not XML: ${(error as Error).message.split("\n")[0]}`, line);
  }
  if (root?.name !== "cluster")
    throw notClusterConf(file, `The first element is <${root?.name}>, not <cluster>`, undefined);
  return root;
}

const notClusterConf = (file: string, what: string, line: number | undefined) =>
  new HactlError({
    code: "SYNTAX",
    what,
    where: { file, ...(line !== undefined && { line }) },
    cure: "Name a cluster.conf",
    exit: CrmExit.DATAERR,
  });

/** Value of a shell assignment without expansions; `undefined` when it has some. */
function shellWord(text: string): string | undefined {
  const match = text.match(/^(?:"((?:[^"\\$`]|\\.)*)"|'([^']*)'|([^\s"'`$\\;&|<>()#]*))\s*(?:#.*|;\s*)?$/);
  if (!match) return undefined;
  return match[1] === undefined ? (match[2] ?? match[3] ?? "") : match[1].replace(/\\(.)/g, "$1");
}
