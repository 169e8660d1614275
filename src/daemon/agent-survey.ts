import { type AgentFacts, child, childrenOf, type XmlElement } from "../cib/index.ts";
import type {
  AgentKind,
  AskedAgents,
  ConfiguredNode,
  ControllerView,
  RequestId,
  ToldAgent,
} from "../controller/index.ts";
import { agentName, type Millis, type NodeName } from "../terms/index.ts";

/** A node that says nothing for so long is not waited for. */
const silenceMs: Millis = 6_000;
/** Nobody is waited for longer, whatever comes meanwhile. */
const wholeMs: Millis = 45_000;
/** Agents that are asked on a node at a time. */
const atOnce = 4;
/** Most agents of a node that wait to be asked: what is more is answered as not known. */
const mostWaiting = 1_000;
/** An agent that has just told is not asked again: somebody else, or the same again, wants to know. */
const freshMs: Millis = 2_000;
/** Questions of this node that are open at a time. */
const mostOpen = 16;

/** What came of asking nodes for their agents. */
export interface SurveyReply {
  readonly answers: readonly {
    readonly node: NodeName;
    readonly agent: string;
    readonly facts: AgentFacts;
  }[];
  /** Nodes that have not told everything, each with the reason. */
  readonly silent: readonly { readonly node: NodeName; readonly reason: string }[];
  /** Nodes that this cluster does not have. */
  readonly strangers: readonly NodeName[];
}

export interface AgentSurveyOptions {
  /** Asks those who speak for the nodes: an event for the controller. */
  readonly ask: (request: RequestId, asked: readonly AskedAgents[]) => void;
  readonly answer: (request: RequestId, node: NodeName, told: readonly ToldAgent[]) => void;
  /** Finds out about an agent on a node for which this manager speaks. Settles in a few seconds. */
  readonly look: (node: NodeName, agent: AgentKind) => Promise<AgentFacts>;
  /** Whether a node can answer, or why not; `stranger`: there is no such node. */
  readonly presence: (node: NodeName) => "there" | "stranger" | { readonly away: string };
  /** Clock of the monotonic kind. */
  readonly now: () => Millis;
  /** Starts of a request's name, unlike those of all other managers. */
  readonly prefix: string;
}

interface OpenQuestion {
  readonly asked: ReadonlyMap<NodeName, readonly AgentKind[]>;
  readonly answers: Map<NodeName, Map<number, AgentFacts>>;
  /** When each node that has not told everything was heard last. */
  readonly heard: Map<NodeName, Millis>;
  readonly begun: Millis;
  readonly done: (silent: readonly NodeName[]) => void;
}

/**
 * What agents are on the nodes of the cluster: asks the managers there, and answers theirs. An answer comes agent by agent,
 * so that one that hangs hides no other; who asks waits as long as something comes, and not for who is away.
 */
export class AgentSurvey {
  readonly #open = new Map<RequestId, OpenQuestion>();
  /** What is to be asked on each node, and how much is. */
  readonly #queues = new Map<NodeName, { readonly waiting: (() => Promise<void>)[]; running: number }>();
  readonly #fresh = new Map<string, { readonly facts: Promise<AgentFacts>; readonly at: Millis }>();
  #questions = 0;
  #clock: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly options: AgentSurveyOptions) {}

  /** Asks all nodes at once. Settles when all have told, or when nothing comes any more. */
  async ask(asked: readonly AskedAgents[]): Promise<SurveyReply> {
    const { presence, now, prefix } = this.options;
    const wanted = new Map(asked.map(({ node, agents }) => [node, agents] as const));
    const silent: { node: NodeName; reason: string }[] = [];
    const strangers: NodeName[] = [];
    for (const node of [...wanted.keys()]) {
      const state = presence(node);
      if (state === "there") continue;
      wanted.delete(node);
      if (state === "stranger") strangers.push(node);
      else silent.push({ node, reason: state.away });
    }
    if (this.#open.size >= mostOpen) {
      for (const node of wanted.keys()) silent.push({ node, reason: "too many questions at a time" });
      return { answers: [], silent, strangers };
    }
    const answers = new Map<NodeName, Map<number, AgentFacts>>();
    const request = `${prefix}/agents/${++this.#questions}`;
    const begun = now();
    const late = await new Promise<readonly NodeName[]>((done) => {
      const heard = new Map([...wanted.keys()].map((node) => [node, begun] as const));
      if (heard.size === 0) return done([]);
      this.#open.set(request, { asked: wanted, answers, heard, begun, done });
      this.#clock ??= setInterval(() => this.#lookAtClock(), 250);
      this.options.ask(
        request,
        [...wanted].map(([node, agents]) => ({ node, agents })),
      );
    });
    this.#open.delete(request);
    if (this.#open.size === 0) this.#stopClock();
    for (const node of late) silent.push({ node, reason: `it has not answered for ${silenceMs / 1000} s` });
    return {
      answers: [...wanted].flatMap(([node, agents]) =>
        agents.flatMap((agent, index) => {
          const facts = answers.get(node)?.get(index);
          return facts ? [{ node, agent: agentName(agent), facts }] : [];
        }),
      ),
      silent,
      strangers,
    };
  }

  /** A member's answer to a question of this node, or of another. */
  told(request: RequestId, node: NodeName, told: readonly ToldAgent[]): void {
    const question = this.#open.get(request);
    const agents = question?.asked.get(node);
    if (!question || !agents) return;
    const known = question.answers.get(node) ?? new Map<number, AgentFacts>();
    question.answers.set(node, known);
    for (const { index, facts } of told) if (index < agents.length) known.set(index, facts);
    if (known.size < agents.length) question.heard.set(node, this.options.now());
    else question.heard.delete(node);
    if (question.heard.size === 0) question.done([]);
  }

  /** A member asks. */
  asked(request: RequestId, { node, agents }: AskedAgents): void {
    const queue = this.#queues.get(node) ?? { waiting: [], running: 0 };
    this.#queues.set(node, queue);
    for (const [index, agent] of agents.entries()) {
      if (queue.waiting.length >= mostWaiting) {
        const facts = { kind: "unknown", reason: `${node} is asked too much at a time` } as const;
        const rest = agents.slice(index).map((_, more) => ({ index: index + more, facts }));
        return this.options.answer(request, node, rest);
      }
      queue.waiting.push(async () =>
        this.options.answer(request, node, [{ index, facts: await this.#look(node, agent) }]),
      );
    }
    this.#pump(node);
  }

  close(): void {
    this.#stopClock();
    this.#queues.clear();
  }

  #pump(node: NodeName): void {
    const queue = this.#queues.get(node);
    if (!queue) return;
    while (queue.running < atOnce) {
      const next = queue.waiting.shift();
      if (!next) break;
      queue.running++;
      void next().finally(() => {
        queue.running--;
        this.#pump(node);
      });
    }
    if (queue.running === 0) this.#queues.delete(node);
  }

  #look(node: NodeName, agent: AgentKind): Promise<AgentFacts> {
    const now = this.options.now();
    for (const [key, { at }] of this.#fresh) if (now - at > freshMs) this.#fresh.delete(key);
    const key = `${node} ${agentName(agent)}`;
    const known = this.#fresh.get(key);
    if (known) return known.facts;
    const facts = this.options.look(node, agent);
    this.#fresh.set(key, { facts, at: now });
    return facts;
  }

  #lookAtClock(): void {
    const now = this.options.now();
    for (const { heard, begun, done } of this.#open.values()) {
      const late = [...heard].filter(([, at]) => now - at >= silenceMs || now - begun >= wholeMs);
      if (late.length === heard.size) done(late.map(([node]) => node));
    }
  }

  #stopClock(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }
}

/** Whether a node can tell of its agents: a cluster node whose manager takes part, a remote or guest node that is connected. */
export function presenceOf(
  node: NodeName,
  { cib, membership }: Pick<ControllerView, "cib" | "membership">,
  nodes: readonly ConfiguredNode[],
): "there" | "stranger" | { readonly away: string } {
  const member = nodes.find(({ name }) => name === node);
  if (member) {
    const takesPart = membership?.participants.some(({ nodeId }) => nodeId === member.id);
    return takesPart ? "there" : { away: "it is offline" };
  }
  const connected = isConnected(cib, node);
  if (connected === undefined) return "stranger";
  return connected ? "there" : { away: "it is not connected" };
}

/** Whether somebody is connected to a remote or guest node; undefined for one of which the cluster has no state. */
export function isConnected(cib: XmlElement, node: NodeName): boolean | undefined {
  const state = childrenOf(child(cib, "status"), "node_state").find(
    ({ attributes }) => attributes.get("uname") === node && attributes.get("remote_node") === "true",
  );
  return state && state.attributes.get("in_ccm") === "true";
}
