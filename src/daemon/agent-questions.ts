import { type AgentFacts, parseAgentDescription } from "../cib/index.ts";
import { type AgentKind, parameterTraits } from "../controller/index.ts";
import type { ExecutorRequest, ParameterTraits } from "../executor/index.ts";
import { CrmExit, HactlError, type Millis, type NodeName } from "../terms/index.ts";
import { PendingReplies } from "./pending-replies.ts";

/** Longer than an executor gives an agent to print its meta-data; one that is busy asks it late. */
const patienceMs: Millis = 60_000;
/** An agent that could not be asked is asked again after this time, then after twice as long, and so on. */
const againMs: Millis = 60_000;
const mostTries = 5;
/** An agent that a person wants to know of is given no longer. */
const lookMs: Millis = 5_000;

export interface AgentQuestionsOptions {
  /** Sends a request to the executor of a node; false when it is not there. */
  readonly send: (node: NodeName, request: ExecutorRequest) => boolean;
  /** What came of it; without traits the agent does not tell. */
  readonly told: (node: NodeName, agent: AgentKind, traits: ParameterTraits | undefined) => void;
}

/** Asks agents for their meta-data where they run. */
export class AgentQuestions {
  readonly #waiting = new PendingReplies<number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** Far from the numbers of others who ask the same executor. */
  #requests = 2 ** 40;
  #closed = false;

  constructor(private readonly options: AgentQuestionsOptions) {}

  /** The meta-data of an agent. Rejects with HactlError `AGENT` when it has none, `NO_ANSWER` when nobody answers in time. */
  metadata(node: NodeName, agent: AgentKind, patience: Millis = patienceMs, looks = false): Promise<string> {
    const requestId = ++this.#requests;
    const answer = this.#waiting.wait(requestId, `meta-data of ${agent.type} on ${node}`, patience);
    if (!this.options.send(node, { type: "metadata", requestId, rsc: agent, ...(looks ? { looks } : {}) }))
      this.answered(requestId, "", "the executor is not there", false);
    return answer as Promise<string>;
  }

  /** An executor's answer to any question of here. */
  answered(requestId: number, xml: string, error: string | undefined, absent: boolean | undefined): void {
    if (error === undefined) this.#waiting.resolve(requestId, xml);
    else
      this.#waiting.reject(
        requestId,
        new HactlError({
          code: "AGENT",
          what: error,
          exit: absent === false ? CrmExit.ERROR : CrmExit.NOT_INSTALLED,
        }),
      );
  }

  /** What an agent is where it runs: whether it is there, what it says. Settles in a few seconds. */
  async facts(node: NodeName, agent: AgentKind): Promise<AgentFacts> {
    try {
      return described(await this.metadata(node, agent, lookMs, true));
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      if (error.exit === CrmExit.NOT_INSTALLED) return { kind: "absent", reason: error.what };
      const late = error.code === "NO_ANSWER";
      return { kind: "unknown", reason: late ? `no answer for ${lookMs / 1000} s` : error.what };
    }
  }

  /** Asks an agent for what it says of its parameters, until it has said it or a few times in vain. */
  ask(node: NodeName, agent: AgentKind, tries = mostTries): void {
    this.metadata(node, agent).then(
      (xml) => this.options.told(node, agent, parameterTraits(xml)),
      (error: unknown) => {
        if (!(error instanceof HactlError)) throw error;
        if (this.#closed) return;
        if (tries <= 1) return this.options.told(node, agent, undefined);
        this.#later(againMs * 2 ** (mostTries - tries), () => this.ask(node, agent, tries - 1));
      },
    );
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #later(ms: Millis, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

/** What an agent's meta-data say. @throws HactlError where they are none */
export function described(xml: string): AgentFacts {
  return { kind: "described", description: parseAgentDescription(xml) };
}
