import { isGivenUp } from "../../fencer/index.ts";
import { withoutInstance } from "../../terms/index.ts";
import { hiddenText, missingBasis } from "../hidden.ts";
import { formatAge, formatInterval, formatMoment } from "./dates.ts";
import type {
  Cause,
  FailureFacts,
  NodeFacts,
  ResourceFacts,
  StatusModel,
  VerdictState,
} from "./status-model.ts";
import { isDegraded } from "./verdict-resources.ts";

/** Colours; the identity where none are wanted. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

const same = (text: string) => text;
/** No colours. */
export const plainPalette: Palette = {
  bold: same,
  dim: same,
  red: same,
  green: same,
  yellow: same,
  cyan: same,
};

/** One screen: the verdict and its cause in the first line, then the parts in their fixed order. */
export function statusScreen(model: StatusModel, palette: Palette = plainPalette): string {
  const sections = [
    verdictLines(model, palette),
    clusterLines(model, palette),
    nodeSection(model, palette),
    resourceSection(model, palette),
    failureSection(model, palette),
    fencingSection(model, palette),
    remarkSection(model, palette),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function verdictColour(
  state: VerdictState,
  causes: readonly Cause[],
  palette: Palette,
): (text: string) => string {
  if (state !== "NORMAL") return state === "DEGRADED" || state === "UNKNOWN" ? palette.yellow : palette.red;
  return causes.length > 0 ? palette.yellow : palette.green;
}

function verdictLines({ verdict }: StatusModel, palette: Palette): string[] {
  const colour = verdictColour(verdict.state, verdict.causes, palette);
  const [, ...more] = verdict.causes.filter(({ level }) => level === "error");
  const [first] = verdict.causes;
  const told = new Set<string>();
  const cureOf = (cause: Cause | undefined, indent: string): string[] => {
    if (cause?.cure === undefined || told.has(cause.cure)) return [];
    told.add(cause.cure);
    return [palette.dim(`${indent}what to do: ${cause.cure}`)];
  };
  return [
    `${palette.bold(colour(verdict.state))} – ${colour(verdict.text)}`,
    ...cureOf(first, "  "),
    ...more.slice(0, 4).flatMap((cause) => [`  also: ${cause.text}`, ...cureOf(cause, "    ")]),
  ];
}

function clusterLines({ cluster, transition, throttle }: StatusModel, palette: Palette): string[] {
  const shown =
    cluster.source === undefined
      ? []
      : [palette.bold(palette.yellow(`This is ${cluster.source}, not the running cluster`))];
  const facts = [
    ...(cluster.name === undefined ? [] : [`cluster ${cluster.name}`]),
    ...(cluster.localNode === undefined ? [] : [`seen from ${cluster.localNode}`]),
    `DC ${cluster.leader ?? palette.red("none")}`,
    quorumText(cluster),
    `configuration ${cluster.configVersion}`,
  ];
  const partly = cluster.hidden ? [palette.yellow(`Not all is shown: ${hiddenText(cluster.hidden)}`)] : [];
  const lines = [...shown, ...partly, facts.join(palette.dim(" · "))];
  if (cluster.maintenance)
    lines.push(palette.yellow("Maintenance mode: the cluster does not start, stop or recover anything"));
  if (transition && transition.state !== "idle") {
    const progress = transition.total > 0 ? `: ${transition.done} of ${transition.total} actions done` : "";
    const now = transition.actions.length > 0 ? `, now ${transition.actions.join(", ")}` : "";
    const why = transition.reason === undefined ? "" : ` (${transition.reason})`;
    lines.push(palette.cyan(`Transition ${transition.id} ${transition.state}${progress}${now}${why}`));
  }
  for (const { node, mode, jobs, reason } of throttle) {
    if (mode !== "none")
      lines.push(palette.yellow(`Throttled: ${node} runs at most ${jobs} jobs (${reason})`));
  }
  return lines;
}

function quorumText({ quorate, quorumReason = "", votes, expectedVotes }: StatusModel["cluster"]): string {
  const counted =
    votes === undefined || /votes/.test(quorumReason) ? [] : [`${votes} of ${expectedVotes} votes`];
  const why = [...counted, ...(quorumReason === "" ? [] : [quorumReason])].join(", ");
  return `${quorate ? "quorum" : "NO QUORUM"}${why === "" ? "" : ` (${why})`}`;
}

/** Columns padded to the widest cell; the last is not padded. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

const heading = (text: string, palette: Palette) => palette.bold(text);

/** Of a section in which something is hidden nobody can say that there is nothing. */
const nothing = ({ cluster }: StatusModel, section: string) =>
  cluster.hidden?.includes(section) ? "  none that this user may see" : "  none configured";

function nodeSection(model: StatusModel, palette: Palette): string[] {
  const { nodes, cluster } = model;
  const withoutState = missingBasis(cluster.hidden ?? []).length > 0;
  const rows = nodes.map((node) => [
    `  ${node.name}`,
    `${node.state}${node.leader ? " (DC)" : ""}`,
    withoutState ? "" : `${node.resources} resource${node.resources === 1 ? "" : "s"}`,
    nodeRemarks(node),
  ]);
  const lines = columns(rows).map((text, at) => colourOfNode(nodes[at], palette)(text));
  return [heading("Nodes", palette), ...(lines.length > 0 ? lines : [nothing(model, "nodes")])];
}

function colourOfNode(node: NodeFacts | undefined, palette: Palette): (text: string) => string {
  if (!node) return same;
  if (node.unclean) return palette.red;
  if (!node.online) return palette.red;
  return node.state === "online" ? same : palette.yellow;
}

function nodeRemarks({ kind, links = [], reason }: NodeFacts): string {
  const numbers = (wanted: boolean) => links.filter(({ up }) => up === wanted).map(({ link }) => link);
  const up = numbers(true);
  const down = numbers(false);
  return [
    ...(kind === "member" ? [] : [`${kind} node`]),
    ...(up.length > 0 ? [`link ${up.join(" ")} up`] : []),
    ...(down.length > 0 ? [`link ${down.join(" ")} DOWN`] : []),
    ...(reason === undefined ? [] : [reason]),
  ].join(", ");
}

function resourceSection(model: StatusModel, palette: Palette): string[] {
  const { resources, cluster } = model;
  const rows: { cells: string[]; colour: (text: string) => string }[] = [];
  for (const rsc of resources) resourceRows(rsc, 1, cluster.now, palette, rows);
  const lines = columns(rows.map(({ cells }) => cells)).map((text, at) => rows[at]?.colour(text) ?? text);
  return [heading("Resources", palette), ...(lines.length > 0 ? lines : [nothing(model, "resources")])];
}

function resourceRows(
  rsc: ResourceFacts,
  depth: number,
  now: number,
  palette: Palette,
  rows: { cells: string[]; colour: (text: string) => string }[],
): void {
  const indent = "  ".repeat(depth);
  const remarks = [...rsc.flags, ...(rsc.failure === undefined ? [] : [rsc.failure])].join(", ");
  if (rsc.kind === "primitive") {
    const places = rsc.nodes.map(({ node }) => node).join(" ");
    const since = rsc.nodes[0]?.since;
    const when = since === undefined ? "" : `since ${formatMoment(since, now)} (${formatAge(now - since)})`;
    rows.push({
      cells: [`${indent}${rsc.id}`, rsc.failed ? "FAILED" : (rsc.role ?? ""), places, when, remarks],
      colour: colourOfResource(rsc, palette),
    });
    return;
  }
  rows.push({
    cells: [`${indent}${rsc.id}`, rsc.promotable ? "promotable" : rsc.kind, "", "", remarks],
    colour: rsc.failed ? palette.red : same,
  });
  const inner = rsc.kind === "clone" && !rsc.children.some(isRemarkable) ? undefined : rsc.children;
  for (const child of inner ?? []) resourceRows(child, depth + 1, now, palette, rows);
  if (!inner) rows.push(...cloneRows(rsc, indent, now));
  if (rsc.idle && rsc.idle.length > 0) {
    rows.push({ cells: [`${indent}  `, "not on", rsc.idle.join(" "), "", ""], colour: palette.dim });
  }
}

/** A clone in order is shown by role, each with its nodes. */
function cloneRows(rsc: ResourceFacts, indent: string, now: number) {
  const byRole = Map.groupBy(rsc.nodes, ({ role }) => role);
  return [...byRole]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([role, places]) => {
      const nodes = [...new Set(places.map(({ node }) => node))].sort();
      const latest = Math.max(0, ...places.map(({ since }) => since ?? 0));
      const when = latest === 0 ? "" : `since ${formatMoment(latest, now)} (${formatAge(now - latest)})`;
      return { cells: [`${indent}  `, role, nodes.join(" "), when, ""], colour: same };
    });
}

const isRemarkable = (rsc: ResourceFacts): boolean =>
  rsc.failed ||
  rsc.flags.some((flag) => flag !== "disabled") ||
  /ing$/.test(rsc.role ?? "") ||
  rsc.children.some(isRemarkable);

function colourOfResource(rsc: ResourceFacts, palette: Palette): (text: string) => string {
  if (rsc.failed || rsc.flags.includes("blocked")) return palette.red;
  if (rsc.flags.includes("disabled")) return palette.dim;
  if (rsc.role === "Stopped") return palette.red;
  return rsc.flags.length > 0 || /ing$/.test(rsc.role ?? "") ? palette.yellow : same;
}

function failureSection({ failures, cluster }: StatusModel, palette: Palette): string[] {
  if (failures.length === 0) return [];
  const lines = failures.flatMap((failure, at) => [
    palette.red(`  ${at + 1}. ${failureLine(failure, cluster.now)}`),
    palette.dim(`     ${countText(failure)}; when repaired${afterRepair(failure)}`),
  ]);
  return [heading("Failures", palette), ...lines];
}

/** What is to be done then: what is only degraded is looked at again, by its monitor if it has one. */
function afterRepair(failure: FailureFacts): string {
  if (isDegraded(failure) && failure.intervalMs > 0) return ", the next monitor finds out";
  const command = isDegraded(failure) ? "refresh" : "cleanup";
  return `: hactl resource ${command} ${withoutInstance(failure.rsc)}`;
}

function failureLine(failure: FailureFacts, now: number): string {
  const { rsc, task, intervalMs, node, outcome, exitReason, at, execMs } = failure;
  const name =
    intervalMs > 0 ? `${task} (every ${formatInterval(intervalMs)})` : task === "monitor" ? "probe" : task;
  const reason = exitReason === "" ? "" : ` – ${exitReason}`;
  const when = at === undefined ? "" : `, ${formatMoment(at, now)} (${formatAge(now - at)} ago)`;
  return `${rsc}: ${name} on ${node}: ${outcome}${reason}${when}${execMs > 0 ? `, took ${execMs} ms` : ""}`;
}

function countText({ failCount, threshold }: FailureFacts): string {
  const limit = threshold >= 1_000_000 ? "no threshold" : `of ${threshold} before it moves away`;
  return `failures counted: ${failCount} (${limit})`;
}

function fencingSection({ fencing, cluster }: StatusModel, palette: Palette): string[] {
  const lines = [heading("Fencing", palette)];
  if (!fencing.enabled) {
    lines.push(
      palette.red(
        "  DISABLED – a node that is lost cannot be stopped from writing; do not run like this in production",
      ),
    );
  }
  if (fencing.devices.length === 0 && fencing.enabled) lines.push(palette.red("  no device configured"));
  const devices = columns(
    fencing.devices.map(({ id, agent, node, disabled }) => [
      `  ${id}`,
      agent,
      disabled === undefined
        ? node === undefined
          ? "not started"
          : `started on ${node}`
        : `off: ${disabled}`,
    ]),
  );
  lines.push(...devices);
  for (const { node, levels } of fencing.topology) {
    lines.push(`  ${node}: ${levels.map((level, at) => `${at + 1}. ${level.join(" + ")}`).join("  then ")}`);
  }
  for (const text of fencing.warnings) lines.push(palette.yellow(`  warning: ${text}`));
  for (const { target, action, origin, reason } of fencing.pending) {
    lines.push(
      palette.cyan(`  now: ${action} of ${target}, asked by ${origin}${reason === "" ? "" : ` (${reason})`}`),
    );
  }
  for (const result of fencing.history.slice(0, 5)) {
    const how = result.devices.length > 0 ? ` by ${result.devices.join(" + ")}` : "";
    const from = result.executor === "" ? "" : ` from ${result.executor}`;
    const why = result.reason === "" ? "" : `: ${result.reason}`;
    const when = formatMoment(result.completedAt, cluster.now);
    const outcome = result.ok ? "done" : isGivenUp(result) ? "given up" : "FAILED";
    const text = `  ${when}  ${result.action} of ${result.target} ${outcome}${how}${from}${why}`;
    lines.push(result.ok ? text : palette.red(text));
  }
  if (fencing.history.length > 5)
    lines.push(palette.dim(`  … ${fencing.history.length - 5} more: hactl fence history`));
  return lines;
}

function remarkSection({ verdict, bans, tickets }: StatusModel, palette: Palette): string[] {
  const lines = verdict.causes
    .filter(({ level, code }) => level === "warning" && !code.startsWith("FENCING"))
    .flatMap((cause) => {
      const { text, cure } = cause;
      // What to do about the first cause of all stands with the verdict.
      const help = cure === undefined || cause === verdict.causes[0] ? [] : [`    what to do: ${cure}`];
      return [palette.yellow(`  warning: ${text}`), ...help.map((line) => palette.dim(line))];
    });
  for (const { id, rsc, node } of bans) {
    lines.push(
      palette.yellow(`  ${rsc} may not run on ${node} (${id}); lift it with: hactl resource clear ${rsc}`),
    );
  }
  for (const { id, granted, standby } of tickets) {
    lines.push(`  ticket ${id}: ${granted ? "granted" : "revoked"}${standby ? ", standby" : ""}`);
  }
  return lines.length > 0 ? [heading("Remarks", palette), ...lines] : [];
}
