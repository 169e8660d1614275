import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { type GraphAction, schedule } from "../../src/scheduler/index.ts";
import { generatedAt } from "./random-cluster.ts";

/** A decision in a form that two schedulers can be compared by. */
export interface Decision {
  /** Lines of the transition summary, sorted, blanks squeezed. */
  readonly summary: readonly string[];
  /** `TASK KEY NODE` of every action, sorted. */
  readonly actions: readonly string[];
  /** `BEFORE -> AFTER` for every pair of actions that is ordered, directly or through others, sorted. */
  readonly order: readonly string[];
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

/** What this scheduler decides. */
export function ownDecision(cib: XmlElement): Decision {
  const { summary, actions } = schedule({ cib, now: generatedAt });
  return decision(
    summary.map(squeeze),
    actions.map((action) => ({ id: action.id, label: labelOf(action), inputs: action.inputs })),
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
  return decision(summary.map(squeeze), graphActions(parsed));
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

function decision(summary: readonly string[], actions: readonly PlainAction[]): Decision {
  const byId = new Map(actions.map((action) => [action.id, action]));
  const order = new Set<string>();
  for (const action of actions) {
    const seen = new Set<number>();
    const open = [...action.inputs];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const before = byId.get(id);
      if (!before || seen.has(id)) continue;
      seen.add(id);
      order.add(`${before.label} -> ${action.label}`);
      open.push(...before.inputs);
    }
  }
  return {
    summary: summary.filter((line) => line !== "").sort(),
    actions: actions.map(({ label }) => label).sort(),
    order: [...order].sort(),
  };
}

function isCircle(line: string): boolean {
  const [before, after] = line.split(" -> ");
  return before === after;
}

/** Where two decisions differ: `-` the peer has it alone, `+` this scheduler does. Empty when they agree. */
export function disagreement(own: Decision, peer: Decision): string[] {
  const lines: string[] = [];
  for (const part of ["summary", "actions", "order"] as const) {
    const mine = new Set(own[part]);
    const theirs = new Set(peer[part]);
    for (const line of theirs) if (!mine.has(line)) lines.push(`- ${part}: ${line}`);
    for (const line of mine) if (!theirs.has(line)) lines.push(`+ ${part}: ${line}`);
    // Contradicting orderings: Pacemaker's actions wait for each other for ever, here one ordering is given up.
    if (part === "order" && peer.order.some(isCircle)) return [];
    if (lines.length > 0) return lines;
    if (own[part].length !== peer[part].length)
      return [`${part}: ${own[part].length} beside ${peer[part].length}`];
  }
  return lines;
}
