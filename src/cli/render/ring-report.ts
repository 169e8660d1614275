import type { RingProcessStatus } from "../../daemon/index.ts";
import { refusedText, strangerText } from "../../totem/index.ts";
import type { colours } from "../output.ts";

/** A duration for people: two units at most. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

const inMs = (value: number) => `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;

/** What was a map in the daemon arrives as an object. */
const asRecord = (hears: unknown) => hears as Readonly<Record<string, readonly number[]>>;

/** What was lost on the way and had to be sent once more. */
function retransmits(counters: Readonly<Record<string, number>>): string {
  const { retransmitted = 0, messagesSent = 0, tokenRetransmits = 0, tokens = 0, tokenLosses = 0 } = counters;
  const lost = tokenLosses > 0 ? `; ${tokenLosses} tokens lost` : "";
  return `${retransmitted} messages and ${tokenRetransmits} tokens sent again, of ${messagesSent} and ${tokens}${lost}`;
}

/** Datagrams that were not taken, by reason. */
function drops(counters: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(counters).filter(([name, count]) => name.startsWith("drop:") && count > 0);
  return reasons.map(([name, count]) => `${count} ${name.slice("drop:".length)}`).join(", ");
}

/** The ring as its process sees it, for people. `wallNow` in milliseconds. */
export function ringReport(
  status: RingProcessStatus,
  wallNow: number,
  counters: boolean,
  paint: typeof colours,
): string {
  const { core, names } = status;
  const { totem, quorum } = core;
  const name = (id: number) => names[id] ?? `node${id}`;
  const word = quorum.quorate ? paint.green("quorate") : paint.red("not quorate");
  const { now, average, worst } = totem.rotationMs;
  const rows: string[] = [
    `${paint.bold(name(core.self))} – ${totem.state}, ring ${totem.ringId.representative}.${totem.ringId.sequence}, ${word} (${quorum.reason})`,
    `Members:   ${totem.members.map(name).join(", ")}`,
    `Managers:  ${core.participants.map(({ nodeId }) => name(nodeId)).join(", ") || "none"}${core.settled ? "" : paint.yellow(" (settling)")}`,
    `Token:     ${inMs(now)} a round, ${inMs(average)} on average, ${inMs(worst)} at worst`,
    `Again:     ${retransmits(totem.counters)}`,
  ];
  const dropped = drops(core.links.counters);
  if (dropped !== "") rows.push(`Dropped:   ${dropped}`);
  rows.push("Links:");
  for (const { node, link, address, up, since, latencyMs, downs } of core.links.links) {
    const state = up ? paint.green("up") : paint.red("down");
    const latency = latencyMs === undefined ? "" : `, ${inMs(latencyMs)}`;
    const lost = downs > 0 ? `, lost ${downs} times` : "";
    rows.push(
      `  ${name(node)} link ${link} ${address}: ${state} for ${span(status.monotonicNow - since)}${latency}${lost}`,
    );
  }
  if (core.links.links.length === 0) rows.push("  none: this is the only node of the list");
  for (const stranger of core.links.strangers)
    rows.push(paint.yellow(`Ignored:   ${strangerText(stranger, name)}`));
  for (const { node, reason } of core.totem.refused)
    rows.push(paint.yellow(`Refused:   ${refusedText(name(node), reason)}`));
  rows.push("Hears both ways:");
  for (const [id, heard] of Object.entries(asRecord(core.links.hears)))
    rows.push(
      `  ${name(Number(id))}: ${
        heard
          .filter((other) => other !== Number(id))
          .map(name)
          .join(", ") || "nobody"
      }`,
    );
  rows.push(...processRows(status, wallNow));
  for (const { node, text } of core.disagreements) rows.push(paint.yellow(`Differs: node ${node} ${text}`));
  if (core.changeWaitsFor.length > 0)
    rows.push(paint.yellow(`A changed configuration waits for ${core.changeWaitsFor.map(name).join(", ")}`));
  if (counters) {
    rows.push("Counters:");
    for (const [part, values] of [
      ["totem", totem.counters],
      ["links", core.links.counters],
    ] as const)
      for (const [counter, value] of Object.entries(values))
        if (value !== 0) rows.push(`  ${part}.${counter}: ${value}`);
  }
  return rows.join("\n");
}

function processRows(status: RingProcessStatus, wallNow: number): string[] {
  const children = status.children.map(
    ({ name, pid, restarts }) =>
      `${name} ${pid ?? "not running"}${restarts > 0 ? ` (restarted ${restarts} times)` : ""}`,
  );
  return [
    `Processes: ring up ${span(wallNow - status.startedAt)}, ${children.join(", ")}`,
    `Priority:  ${status.realtime}, memory ${status.memory}`,
    `Timers:    99.9 % at most ${inMs(status.lateness.p999)} late, ${inMs(status.lateness.worst)} at worst`,
    ...status.warnings.map((text) => `Warning:   ${text}`),
  ];
}
