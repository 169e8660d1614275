import { parseTime, type XmlElement } from "../../cib/index.ts";
import {
  copyElement,
  copyForSimulation,
  type FindAgent,
  hasInjections,
  type InjectedChange,
  type InjectedFailure,
  type Injections,
  inject,
  parseOperationSpec,
  type SimulationResult,
  simulateTransition,
} from "../../controller/index.ts";
import {
  type Cluster,
  type Placement,
  type Resource,
  schedule,
  type Transition,
  unpackCluster,
} from "../../scheduler/index.ts";
import { CrmExit, type EpochSeconds, HactlError, nearest } from "../../terms/index.ts";
import type { ApiVersion, Message } from "../answer/index.ts";
import { placementOf } from "../render/placement.ts";
import {
  executionReport,
  modificationReport,
  originalDateLine,
  preambleSections,
  type StatusReportOptions,
  scoreLines,
  scoreRemarks,
  scoreReport,
  statusReport,
  summaryReport,
} from "../render/simulate-report.ts";
import {
  actionsElement,
  modificationsElement,
  scoresElement,
  statusElement,
  transitionElement,
} from "../render/simulate-xml.ts";

/** What to rehearse and what to show of it. */
export interface SimulationRequest {
  readonly cib: XmlElement;
  /** Time that counts, when one is asked for; else `execution-date` of the CIB, else the clock. */
  readonly now?: EpochSeconds;
  /** Of the clock that shows parts of a date, where the time was written for one. */
  readonly utcOffset?: number | undefined;
  readonly clock: EpochSeconds;
  /** How the time was written, for the report. */
  readonly nowText?: string;
  /** Only show the status; decide; decide and execute on paper. */
  readonly depth: "status" | "decide" | "execute";
  readonly injections: Injections;
  readonly failures: readonly InjectedFailure[];
  readonly showScores?: boolean;
  readonly showUtilization?: boolean;
  readonly showAttributes?: boolean;
  readonly showFailCounts?: boolean;
  /** Tell what is needed and cannot run. */
  readonly showUnrunnable?: boolean;
  /** Leave out status and summary. */
  readonly quiet?: boolean;
  /** Titles and bullets although scores are shown. */
  readonly fancy?: boolean;
}

/** What a rehearsal found. */
export interface SimulationRun {
  readonly text: string;
  /** The same for a document. */
  readonly messages: readonly Message[];
  readonly input: XmlElement;
  readonly transition?: Transition;
  readonly execution?: SimulationResult;
  /** Changes that could not be made. */
  readonly problems: readonly string[];
  /** The cluster afterwards. */
  readonly output?: XmlElement;
  readonly placement: readonly Placement[];
}

/** Time that a CIB was kept at, if it says so. */
export function executionDate(cib: XmlElement): EpochSeconds | undefined {
  const text = cib.attributes.get("execution-date");
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : parseTime(text);
}

/** Schedules a cluster, executes the transition on paper and reports as crm_simulate does. `cib` stays as it is. */
export function runSimulation(request: SimulationRequest): SimulationRun {
  const kept = executionDate(request.cib);
  const now = request.now ?? kept ?? request.clock;
  const report = new Report(request, request.now === undefined ? kept : undefined);
  let cluster = unpackCluster(request.cib, now, undefined, request.utcOffset);
  report.begin(cluster);
  let input = request.cib;
  let problems: readonly string[] = [];
  if (hasInjections(request.injections)) {
    checkNodes(request.injections, cluster);
    input = copyElement(request.cib);
    const { changes, problems: found } = inject(input, request.injections, agentsOf(cluster), now);
    problems = found;
    report.modifications(changes);
    cluster = unpackCluster(input, now, undefined, request.utcOffset);
  }
  if (request.depth === "status")
    return { ...report.result, input, problems, placement: placementOf(cluster) };
  const transition = schedule({
    cib: input,
    now,
    utcOffset: request.utcOffset,
    sanitized: true,
    unrunnable: request.showUnrunnable ?? false,
  });
  report.decision(transition);
  if (request.depth === "decide") {
    return { ...report.result, input, problems, transition, placement: transition.placement };
  }
  const output = copyForSimulation(input);
  const execution = simulateTransition(transition.actions, output, now, request.failures);
  const revised = unpackCluster(output, now, undefined, request.utcOffset);
  report.execution(execution, revised);
  return {
    ...report.result,
    input,
    problems,
    transition,
    execution,
    output,
    placement: placementOf(revised),
  };
}

/** What happens to a node, or on one, needs one that exists, or comes with the same call. */
function checkNodes({ nodesUp, nodesDown, nodesFailed, results }: Injections, cluster: Cluster): void {
  const known = new Set([...cluster.nodeByName.keys(), ...nodesUp]);
  const named = [...nodesDown, ...nodesFailed, ...results.map((spec) => parseOperationSpec(spec)?.node)];
  for (const node of named) {
    if (node === undefined || known.has(node)) continue;
    const guess = nearest(node, [...known]);
    throw new HactlError({
      code: "NO_SUCH_OBJECT",
      what: `there is no node ${node}`,
      cure: guess === undefined ? `Let it come first: -u ${node}` : `Did you mean ${guess}?`,
      exit: CrmExit.NOSUCH,
    });
  }
}

/** Agents by resource id, for injected results. */
function agentsOf(cluster: Cluster): FindAgent {
  return (id) => {
    const found = cluster.resourceById.get(id) ?? findByHistoryName(cluster.resources, id);
    if (!found?.isPrimitive) return undefined;
    const { class: standard, provider, type } = found;
    return { class: standard as "ocf", ...(provider === undefined ? {} : { provider }), type };
  };
}

function findByHistoryName(resources: readonly Resource[], id: string): Resource | undefined {
  for (const rsc of resources) {
    if (rsc.isPrimitive && rsc.historyId === id) return rsc;
    const found = findByHistoryName(rsc.children, id);
    if (found) return found;
  }
  return undefined;
}

/** The report as it grows: a text of sections with an empty line between them, and the parts of a document. */
class Report {
  text = "";
  readonly messages: Message[] = [];
  /** Whether something stands above, or would but for --quiet: an empty line keeps it apart. */
  #apart = false;
  readonly #request: SimulationRequest;
  readonly #kept: EpochSeconds | undefined;

  get result(): { text: string; messages: readonly Message[] } {
    return { text: this.text, messages: this.messages };
  }

  constructor(request: SimulationRequest, kept: EpochSeconds | undefined) {
    this.#request = request;
    this.#kept = kept;
  }

  begin(cluster: Cluster): void {
    this.#say((api) => statusElement("cluster_status", cluster, this.#shown(true), api));
    if (this.#request.cib.attributes.get("validate-with") === "none") {
      this.text +=
        'Schema validation of configuration is disabled (support for validate-with set to "none" is deprecated' +
        " and will be removed in a future release)\n";
    }
    this.#date();
    if (this.#request.quiet) return;
    for (const section of preambleSections(cluster)) this.text += `${section}\n`;
    this.text += this.#status("Current cluster status", cluster, true);
  }

  modifications(changes: readonly InjectedChange[]): void {
    this.#say(() => modificationsElement(changes));
    if (this.#request.quiet) this.#apart = true;
    else this.#section(modificationReport(changes, this.#plain));
    this.#date();
  }

  decision(transition: Transition): void {
    const { showScores = false, showUtilization = false, quiet } = this.#request;
    const scores = scoreLines(transition.scores, showScores, showUtilization);
    if (showScores || showUtilization) this.#say(() => scoresElement(scores, showScores, showUtilization));
    this.#say(() => actionsElement(transition.changes));
    if (scores.length > 0) {
      const remarks = scoreRemarks(transition.messages);
      this.#section(scoreReport(scores, showScores, showUtilization, this.#plain, remarks));
      this.#apart = true;
    }
    if (!quiet) this.#section(summaryReport(transition.summary, this.#plain));
  }

  execution(execution: SimulationResult, revised: Cluster): void {
    this.#say(() => transitionElement(execution.steps));
    this.#say((api) => statusElement("revised_cluster_status", revised, this.#shown(false), api));
    if (this.#request.quiet) {
      if (this.#apart) this.text += "\n";
      return;
    }
    this.#section(executionReport(execution.steps, this.#plain));
    this.#date();
    this.#section(this.#status("Revised Cluster Status", revised, false));
  }

  #status(title: string, cluster: Cluster, pending: boolean): string {
    return statusReport(title, cluster, { ...this.#shown(pending), plain: this.#plain });
  }

  #shown(pending: boolean): StatusReportOptions {
    const { showAttributes = false, showFailCounts = false } = this.#request;
    return { pending, attributes: showAttributes, failures: showFailCounts };
  }

  #say(xml: (api: ApiVersion) => XmlElement): void {
    this.messages.push({ xml: (api) => [xml(api)] });
  }

  /** Scores without the rest are for programs: nothing is decorated then. */
  get #plain(): boolean {
    const { showScores, quiet, fancy } = this.#request;
    return !fancy && showScores === true && quiet === true;
  }

  #section(text: string): void {
    this.text += this.text === "" && !this.#apart ? text : `\n${text}`;
  }

  #date(): void {
    if (this.#request.quiet) return;
    if (this.#request.nowText !== undefined)
      this.text += `Setting effective cluster time: ${this.#request.nowText}\n`;
    if (this.#kept !== undefined) this.text += `${originalDateLine(this.#kept)}\n`;
  }
}
