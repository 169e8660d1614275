import type { Millis, NodeName } from "../terms/index.ts";
import { agentAction, agentRun, agentWords, complaint, type Wanted } from "./agent-run.ts";
import type { FenceDevice } from "./device.ts";
import {
  type FenceConfiguration,
  hostCheck,
  listedHosts,
  listedStatically,
  parseHostOutput,
  portOf,
} from "./devices.ts";
import type { AgentOutcome, DeviceAnswer, DeviceQuestion, FencerEffect } from "./face.ts";
import { type AgentMetadata, pluginMetadata } from "./metadata.ts";
import { actionTimeout, actionTries } from "./parameters.ts";

/** One device that is asked for somebody. */
interface Asked {
  readonly id: string;
  readonly question: DeviceQuestion;
  readonly device: FenceDevice;
  readonly deadline: Millis;
  triesLeft: number;
}

interface Answers {
  waiting: number;
  readonly rows: DeviceAnswer[];
}

/**
 * What somebody on this node asks of its devices: whether one answers, which hosts it lists, which devices can fence a
 * host. Only this node asks them, and no host is touched.
 */
export class Questions {
  private readonly runs = new Map<string, Asked>();
  private readonly answers = new Map<string, Answers>();
  /** Devices that wait for the metadata of their agent. */
  private blocked: Asked[] = [];
  private counter = 0;

  constructor(
    private readonly self: NodeName,
    private readonly metadataOf: (agent: string) => AgentMetadata | null | undefined,
    private readonly emit: (effect: FencerEffect) => void,
  ) {}

  /** Asks; devices that are not used are asked nothing. The answers come as one effect. */
  ask(id: string, question: DeviceQuestion, configuration: FenceConfiguration, now: Millis): void {
    const devices = [...configuration.devices.values()].filter(
      (device) =>
        device.disabled === undefined && (question.device === undefined || question.device === device.id),
    );
    this.answers.set(id, { waiting: devices.length, rows: [] });
    for (const device of devices) {
      const triesLeft = question.ask === "monitor" ? actionTries(device.params, "monitor") : 1;
      this.begin({ id, question, device, deadline: now + question.timeoutMs, triesLeft }, now);
    }
    if (devices.length === 0) this.end(id);
  }

  /** Takes the outcome of a run; false when it is not one of these. */
  result(run: string, outcome: AgentOutcome, now: Millis): boolean {
    const asked = this.runs.get(run);
    if (!asked) return false;
    this.runs.delete(run);
    const { question, device } = asked;
    const wrong = complaint(outcome, question.timeoutMs);
    if (question.ask === "monitor" && wrong !== "" && !outcome.timedOut && --asked.triesLeft > 0)
      this.begin(asked, now);
    else if (question.ask === "able" && this.way(asked) === "status") {
      const known = outcome.exit === 0 || outcome.exit === 2;
      this.tell(asked, known && !outcome.timedOut && outcome.error === undefined, wrong);
    } else if (question.ask === "able") {
      const names = parseHostOutput(outcome.stdout);
      const { target } = question;
      const known = [target, portOf(device, target)].some((name) => names.has(name.toLowerCase()));
      this.tell(asked, wrong === "" && known, wrong);
    } else this.tell(asked, wrong === "", wrong, wrong === "" ? [...parseHostOutput(outcome.stdout)] : []);
    return true;
  }

  /** Metadata came: go on with what waited for it. */
  metadata(agent: string, now: Millis): void {
    const waiting = this.blocked.filter(({ device }) => device.agent === agent);
    this.blocked = this.blocked.filter(({ device }) => device.agent !== agent);
    for (const asked of waiting) this.begin(asked, now);
  }

  private begin(asked: Asked, now: Millis): void {
    const { question, device } = asked;
    const { registeredOn } = device;
    if (registeredOn && !registeredOn.includes(this.self))
      return this.tell(asked, false, `it is registered on ${registeredOn.join(", ")}: ask there`);
    if (device.kind === "kdump" && question.ask === "monitor") return this.tell(asked, true, "");
    const metadata = this.usable(device);
    if (metadata === undefined) {
      this.blocked.push(asked);
      this.emit({ type: "fetch-metadata", agent: device.agent });
      return;
    }
    if (metadata === null)
      return this.tell(asked, false, `${device.agent} is not installed or has no metadata`);
    const way = this.way(asked);
    if (question.ask !== "monitor" && way === "static-list") {
      const able = question.ask !== "able" || listedStatically(device, question.target);
      return this.tell(asked, able, "", listedHosts(device));
    }
    if (question.ask === "able" && way === "none") return this.tell(asked, true, "");
    this.run(asked, wantedFor(question, way), metadata, now);
  }

  private run(asked: Asked, wanted: Wanted, metadata: AgentMetadata, now: Millis): void {
    const { question, device } = asked;
    const chosen = agentAction(device, wanted, metadata);
    const left = asked.deadline - now;
    if ("refused" in chosen || left <= 0)
      return this.tell(asked, false, "refused" in chosen ? chosen.refused : "no time left");
    const aimed = question.ask === "able" && wanted === "status" ? question.target : undefined;
    const timeoutMs = Math.min(left, actionTimeout(device.params, wanted, left));
    const name = `${this.self}/ask/${++this.counter}`;
    this.runs.set(name, asked);
    this.emit({ type: "run-agent", run: agentRun(name, device, chosen.action, aimed, metadata, timeoutMs) });
  }

  private usable = (device: FenceDevice): AgentMetadata | null | undefined =>
    device.kind === "external" ? pluginMetadata : this.metadataOf(device.agent);

  private way = ({ device }: Asked) => hostCheck(device, this.usable(device)?.actions);

  private tell({ id, device }: Asked, ok: boolean, text: string, hosts: readonly string[] = []): void {
    const answers = this.answers.get(id);
    if (!answers) return;
    answers.rows.push({ device: device.id, ok, text: agentWords(text), hosts });
    if (--answers.waiting === 0) this.end(id);
  }

  private end(id: string): void {
    const rows = this.answers.get(id)?.rows ?? [];
    this.answers.delete(id);
    this.emit({ type: "told", id, answers: rows });
  }
}

function wantedFor({ ask }: DeviceQuestion, way: ReturnType<typeof hostCheck>): Wanted {
  if (ask === "monitor") return "monitor";
  return ask === "able" && way === "status" ? "status" : "list";
}
