import type { Millis, NodeName } from "../terms/index.ts";
import { agentAction, agentRun, agentWords, complaint } from "./agent-run.ts";
import type { FenceDevice } from "./device.ts";
import { hostCheck, parseHostOutput, portOf } from "./devices.ts";
import type { AgentOutcome, FencerEffect, FenceTestRow } from "./face.ts";
import { type AgentMetadata, pluginMetadata } from "./metadata.ts";
import { actionTimeout } from "./parameters.ts";

/** One device to try. */
export interface RehearsalPart {
  readonly level: number;
  readonly device: FenceDevice;
}

interface Rehearsal {
  readonly id: string;
  readonly target: NodeName;
  readonly timeoutMs: Millis;
  waiting: number;
  readonly rows: FenceTestRow[];
}

interface Probe {
  readonly rehearsal: Rehearsal;
  readonly part: RehearsalPart;
  readonly check: "status" | "monitor" | "list";
}

/** Tries devices without touching the target: list where that decides, then status, else monitor. */
export class Rehearsals {
  private readonly runs = new Map<string, Probe>();
  /** Parts that wait for the metadata of their agent. */
  private blocked: { readonly rehearsal: Rehearsal; readonly part: RehearsalPart }[] = [];
  private counter = 0;

  constructor(
    private readonly self: NodeName,
    private readonly metadataOf: (agent: string) => AgentMetadata | null | undefined,
    private readonly emit: (effect: FencerEffect) => void,
    private readonly answer: (id: string, rows: readonly FenceTestRow[]) => void,
  ) {}

  start(id: string, target: NodeName, parts: readonly RehearsalPart[], timeoutMs: Millis): void {
    const rehearsal: Rehearsal = { id, target, timeoutMs, waiting: parts.length, rows: [] };
    for (const part of parts) this.begin(rehearsal, part);
    if (parts.length === 0) this.answer(id, []);
  }

  /** Takes the outcome of a run; false when it is not one of these. */
  result(run: string, outcome: AgentOutcome): boolean {
    const probe = this.runs.get(run);
    if (!probe) return false;
    this.runs.delete(run);
    const { rehearsal, part, check } = probe;
    const wrong = complaint(outcome, rehearsal.timeoutMs);
    const name = rehearsal.target.toLowerCase();
    if (check === "list") {
      const names = parseHostOutput(outcome.stdout);
      const known = names.has(name) || names.has(portOf(part.device, rehearsal.target).toLowerCase());
      if (wrong !== "" || !known)
        this.row(probe, false, wrong || `its list does not name ${rehearsal.target}`);
      else this.probe(rehearsal, part, false);
      return true;
    }
    const off = outcome.exit === 2 && !outcome.timedOut && outcome.error === undefined;
    if (off) this.row(probe, true, "it answers; the node is off");
    else if (wrong !== "") this.row(probe, false, wrong);
    else this.row(probe, true, `it answers${check === "status" ? "; the node is on" : ""}`);
    return true;
  }

  /** Metadata came: go on with what waited for it. */
  metadata(agent: string): void {
    const waiting = this.blocked.filter(({ part }) => part.device.agent === agent);
    this.blocked = this.blocked.filter(({ part }) => part.device.agent !== agent);
    for (const { rehearsal, part } of waiting) this.probe(rehearsal, part, true);
  }

  private begin(rehearsal: Rehearsal, part: RehearsalPart): void {
    if (part.device.kind === "kdump") {
      this.push(rehearsal, part, true, "built-in", "hactl listens for notices of its crash kernel");
      return;
    }
    this.probe(rehearsal, part, true);
  }

  private probe(rehearsal: Rehearsal, part: RehearsalPart, listFirst: boolean): void {
    const { device } = part;
    const metadata = device.kind === "external" ? pluginMetadata : this.metadataOf(device.agent);
    if (metadata === undefined) {
      this.blocked.push({ rehearsal, part });
      this.emit({ type: "fetch-metadata", agent: device.agent });
      return;
    }
    if (metadata === null) {
      this.push(rehearsal, part, false, "metadata", `${device.agent} is not installed or has no metadata`);
      return;
    }
    const list = listFirst && hostCheck(device, metadata.actions) === "dynamic-list";
    const status = device.kind !== "external" && metadata.actions.includes("status");
    const check = list ? "list" : status ? "status" : "monitor";
    const chosen = agentAction(device, check, metadata);
    if ("refused" in chosen) {
      this.push(rehearsal, part, false, check, chosen.refused);
      return;
    }
    const timeoutMs = actionTimeout(device.params, check, rehearsal.timeoutMs);
    const aimed = check === "status" ? rehearsal.target : undefined;
    const name = `${this.self}/test/${++this.counter}`;
    const run = agentRun(name, device, chosen.action, aimed, metadata, timeoutMs);
    this.runs.set(name, { rehearsal, part, check });
    this.emit({ type: "run-agent", run });
  }

  private row(probe: Probe, ok: boolean, text: string): void {
    this.push(probe.rehearsal, probe.part, ok, probe.check, text);
  }

  private push(rehearsal: Rehearsal, part: RehearsalPart, ok: boolean, check: string, text: string): void {
    rehearsal.rows.push({
      level: part.level,
      device: part.device.id,
      node: this.self,
      ok,
      check,
      text: agentWords(text),
    });
    if (--rehearsal.waiting === 0) this.answer(rehearsal.id, rehearsal.rows);
  }
}
