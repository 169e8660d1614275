import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml, parseXml, type XmlElement } from "../../src/cib/index.ts";
import {
  type GraphAction,
  type ReleaseRules,
  rulesOf,
  scheduleCluster,
  unpackCluster,
} from "../../src/scheduler/index.ts";
import { generatedAt } from "./random-cluster.ts";
import { applyRulesOf215, orderedBy215, wordsOf215 } from "./release-2.1.5.ts";

/** A decision in a form that two schedulers can be compared by. */
export interface Decision {
  /** Lines of the transition summary, sorted, blanks squeezed. */
  readonly summary: readonly string[];
  /** `TASK KEY NODE` of every action, sorted. */
  readonly actions: readonly string[];
  /** `BEFORE -> AFTER` for every pair of actions that is ordered, directly or through others, sorted. */
  readonly order: readonly string[];
  /** Those of `order` that every release has, and that hold whichever ordering of each circle is given up. */
  readonly certain: readonly string[];
}

interface PlainAction {
  readonly id: number;
  readonly label: string;
  readonly inputs: readonly number[];
}

const directory = mkdtempSync(join(tmpdir(), "hactl-fuzz-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const squeeze = (line: string) =>
  line
    .replace(/^\s*\* /, "")
    .replace(/\s+/g, " ")
    .trim();

/** What this scheduler decides by its own rules or, where releases of Pacemaker differ, by older ones. */
export function ownDecision(cib: XmlElement, rules: ReleaseRules = rulesOf["3.0"]): Decision {
  const now = Number(cib.attributes.get("execution-date") ?? generatedAt);
  const cluster = unpackCluster(cib, now, rules);
  const older = rules !== rulesOf["3.0"];
  // crm_simulate takes every file for one of a report, in which private parameters may have been blanked.
  cluster.sanitized = true;
  if (older) applyRulesOf215(cluster);
  const { summary, actions } = scheduleCluster(cluster);
  return decision(
    summary.map((line) => squeeze(older ? wordsOf215(line) : line)),
    actions.map((action) => ({ id: action.id, label: labelOf(action), inputs: action.inputs })),
    orderedBy215(cluster),
  );
}

const labelOf = ({ task, key, node }: GraphAction) => squeeze(`${task} ${key} ${node ?? ""}`);

/** What the installed crm_simulate decides, or the error that it prints for input it rejects. */
export function peerDecision(cib: XmlElement): Decision | string {
  const input = join(directory, "cib.xml");
  const graph = join(directory, "graph.xml");
  writeFileSync(input, formatXml(cib));
  rmSync(graph, { force: true });
  const run = Bun.spawnSync(["crm_simulate", "-x", input, "-G", graph, "-S"], {
    env: { ...process.env, LC_ALL: "C", TZ: "UTC", CIB_shadow_dir: directory },
    timeout: 60_000,
  });
  const text = run.stdout.toString();
  const begin = text.indexOf("Transition Summary:");
  let parsed: XmlElement;
  try {
    parsed = parseXml(readFileSync(graph, "utf8"));
  } catch {
    return run.stderr.toString().trim().split("\n").at(-1) ?? "no graph";
  }
  const summary = begin < 0 ? [] : (text.slice(begin).split(/\n\s*\n/)[0] ?? "").split("\n").slice(1);
  return decision(summary.map(squeeze), graphActions(parsed), () => true);
}

/** Actions of a transition graph as Pacemaker writes it: one `<synapse>` an action. */
function graphActions(graph: XmlElement): PlainAction[] {
  const find = (parent: XmlElement | undefined, name: string) =>
    parent?.children.find((each) => each.name === name);
  return graph.children.flatMap((synapse) => {
    const action = find(synapse, "action_set")?.children[0];
    if (!action) return [];
    const key = action.attributes.get("operation_key") ?? "";
    const inputs = (find(synapse, "inputs")?.children ?? []).map(({ children }) =>
      Number(children[0]?.attributes.get("id")),
    );
    const label = squeeze(
      `${action.attributes.get("operation")} ${key} ${action.attributes.get("on_node") ?? ""}`,
    );
    return [{ id: Number(action.attributes.get("id")), label, inputs }];
  });
}

/** Makes a decision of actions; `isCertain` tells the edges that every scheduler must have. */
function decision(
  summary: readonly string[],
  actions: readonly PlainAction[],
  isCertain: (before: number, then: number) => boolean,
): Decision {
  const all = predecessors(actions, () => true);
  const inCircle = (a: number, b: number) => all.get(a)?.has(b) === true && all.get(b)?.has(a) === true;
  return {
    summary: summary.filter((line) => line !== "").sort(),
    actions: actions.map(({ label }) => label).sort(),
    order: pairs(actions, all),
    certain: pairs(
      actions,
      predecessors(actions, (before, then) => isCertain(before, then) && !inCircle(before, then)),
    ),
  };
}

/** What each action waits for, directly or through others, along the orderings that count. */
function predecessors(
  actions: readonly PlainAction[],
  counts: (before: number, then: number) => boolean,
): ReadonlyMap<number, ReadonlySet<number>> {
  const inputs = new Map(
    actions.map(({ id, inputs }) => [id, inputs.filter((before) => counts(before, id))]),
  );
  const result = new Map<number, ReadonlySet<number>>();
  for (const { id } of actions) {
    const seen = new Set<number>();
    const open = [...(inputs.get(id) ?? [])];
    for (let before = open.pop(); before !== undefined; before = open.pop()) {
      if (!inputs.has(before) || seen.has(before)) continue;
      seen.add(before);
      open.push(...(inputs.get(before) ?? []));
    }
    result.set(id, seen);
  }
  return result;
}

function pairs(actions: readonly PlainAction[], before: ReadonlyMap<number, ReadonlySet<number>>): string[] {
  const labels = new Map(actions.map(({ id, label }) => [id, label]));
  const lines = new Set<string>();
  for (const { id, label } of actions)
    for (const earlier of before.get(id) ?? []) lines.add(`${labels.get(earlier)} -> ${label}`);
  return [...lines].sort();
}

/**
 * Where two decisions differ: `-` the peer has it alone, `+` this scheduler does. Empty when they agree. Order is
 * compared of the same actions only. Where orderings contradict each other Pacemaker's actions wait for each other
 * for ever; here one is given up, so what is ordered by that circle alone may be missing.
 */
export function disagreement(own: Decision, peer: Decision): string[] {
  const lines = [
    ...difference("summary", own.summary, peer.summary, own, peer),
    ...difference("actions", own.actions, peer.actions, own, peer),
  ];
  if (lines.some((line) => line.includes("actions:"))) return lines;
  return [...lines, ...difference("order", own.certain, peer.certain, own, peer)];
}

/** What each must have and the other has not. */
function difference(
  part: "summary" | "actions" | "order",
  ownCertain: readonly string[],
  peerCertain: readonly string[],
  own: Decision,
  peer: Decision,
): string[] {
  const mine = new Set(own[part]);
  const theirs = new Set(peer[part]);
  const lines = [
    ...peerCertain.filter((line) => !mine.has(line)).map((line) => `- ${part}: ${line}`),
    ...ownCertain.filter((line) => !theirs.has(line)).map((line) => `+ ${part}: ${line}`),
  ];
  if (lines.length > 0 || ownCertain.length === peerCertain.length || part === "order") return lines;
  return [`${part}: ${ownCertain.length} beside ${peerCertain.length}`];
}
