import { describe, expect, test } from "bun:test";
import type { AgentFacts } from "../../src/cib/index.ts";
import type { AskedAgents } from "../../src/controller/index.ts";
import { AgentSurvey } from "../../src/daemon/agent-survey.ts";
import { agentName, type NodeName, nodeName } from "../../src/terms/index.ts";

/** Who asks the others for their agents waits for nobody who does not answer, and who is asked takes on so much only. */

const described: AgentFacts = { kind: "described", description: { parameters: [], actions: [] } };
const agents = (...types: string[]) => types.map((type) => ({ class: "ocf" as const, provider: "t", type }));
const [n1, n2, n3] = [nodeName("n1"), nodeName("n2"), nodeName("n3")];

/** Managers joined by a bus that loses nothing; `hang` never settle. */
class Bus {
  now = 0;
  looked: string[] = [];
  readonly silentNodes = new Set<NodeName>();
  readonly survey: ReadonlyMap<NodeName, AgentSurvey>;
  hang: (agent: string) => boolean = () => false;

  constructor(
    presence: (node: NodeName) => "there" | "stranger" | { readonly away: string } = () => "there",
  ) {
    const make = (self: NodeName) =>
      new AgentSurvey({
        ask: (request, asked) =>
          queueMicrotask(() => {
            for (const one of asked)
              if (!this.silentNodes.has(one.node)) this.survey.get(one.node)?.asked(request, one);
          }),
        answer: (request, node, told) => {
          for (const other of this.survey.values()) other.told(request, node, told);
        },
        look: async (node, agent) => {
          this.looked.push(`${node} ${agent.type}`);
          if (this.hang(agent.type)) await new Promise(() => {});
          return agent.type === "Gone" ? { kind: "absent", reason: "no" } : described;
        },
        presence,
        now: () => this.now,
        prefix: self,
      });
    this.survey = new Map([n1, n2, n3].map((node) => [node, make(node)] as const));
  }

  ask(asked: readonly AskedAgents[]) {
    const survey = this.survey.get(n1);
    if (!survey) throw new Error("no n1");
    return survey.ask(asked);
  }
}

describe("a survey", () => {
  test("tells what each node says of each agent", async () => {
    const bus = new Bus();
    const kinds = agents("A", "Gone");
    const { answers, silent, strangers } = await bus.ask([n1, n2].map((node) => ({ node, agents: kinds })));
    expect(answers.map(({ node, agent, facts }) => `${node} ${agent} ${facts.kind}`)).toEqual([
      "n1 ocf:t:A described",
      "n1 ocf:t:Gone absent",
      "n2 ocf:t:A described",
      "n2 ocf:t:Gone absent",
    ]);
    expect([silent, strangers]).toEqual([[], []]);
  });

  test("names who is away and who is not there, and asks them nothing", async () => {
    const bus = new Bus((node) =>
      node === n2 ? { away: "it is offline" } : node === n3 ? "stranger" : "there",
    );
    const kinds = agents("A");
    const { answers, silent, strangers } = await bus.ask(
      [n1, n2, n3].map((node) => ({ node, agents: kinds })),
    );
    expect(answers).toHaveLength(1);
    expect(silent).toEqual([{ node: n2, reason: "it is offline" }]);
    expect(strangers).toEqual([n3]);
    expect(bus.looked).toEqual(["n1 A"]);
  });

  test("does not wait for a node that is silent, and takes what one has told that hangs", async () => {
    const bus = new Bus();
    bus.silentNodes.add(n2);
    bus.hang = (agent) => agent === "Hangs";
    const kinds = agents("A", "Hangs", "B");
    const asked = bus.ask([n1, n2].map((node) => ({ node, agents: kinds })));
    await Bun.sleep(10);
    bus.now += 60_000;
    const { answers, silent } = await asked;
    expect(answers.map(({ node, agent }) => `${node} ${agent}`)).toEqual(["n1 ocf:t:A", "n1 ocf:t:B"]);
    expect(silent.map(({ node }) => node)).toEqual([n1, n2]);
    expect(silent[0]?.reason).toContain("has not answered for");
  });

  test("believes no answer that was not asked for", async () => {
    const bus = new Bus();
    bus.silentNodes.add(n2);
    const asked = bus.ask([{ node: n2, agents: agents("A") }]);
    const told = (request: string, node: NodeName, index: number) =>
      bus.survey.get(n1)?.told(request, node, [{ index, facts: described }]);
    told("n1/agents/1", n3, 0);
    told("n1/agents/2", n2, 0);
    told("n1/agents/1", n2, 1);
    await Bun.sleep(10);
    bus.now += 60_000;
    expect((await asked).answers).toEqual([]);
    told("n1/agents/1", n2, 0);
  });
});

describe("a node that is asked", () => {
  test("asks an agent once for all who want to know of it at a time", async () => {
    const bus = new Bus();
    const question = [{ node: n2, agents: agents("A", "A", "B") }];
    await Promise.all([bus.ask(question), bus.ask(question), bus.ask(question)]);
    expect(bus.looked.sort()).toEqual(["n2 A", "n2 B"]);
  });

  test("asks a few agents at a time, and tells at once what is more than it takes on", async () => {
    const bus = new Bus();
    bus.hang = () => true;
    const many = agents(...Array.from({ length: 200 }, (_, i) => `A${i}`));
    const questions = Array.from({ length: 8 }, () => bus.ask([{ node: n2, agents: many }]));
    await Bun.sleep(10);
    expect(bus.looked).toHaveLength(4);
    bus.now += 60_000;
    const replies = await Promise.all(questions);
    const refused = replies.flatMap(({ answers }) => answers.filter(({ facts }) => facts.kind === "unknown"));
    expect(refused.length).toBeGreaterThan(500);
    expect(new Set(refused.map(({ agent }) => agent)).size).toBe(200);
    expect(
      replies.every(({ answers }) =>
        answers.every(({ agent }) => agent.startsWith(agentName({ class: "ocf", provider: "t", type: "A" }))),
      ),
    ).toBe(true);
  });

  test("has only so many questions of its own open", async () => {
    const bus = new Bus();
    bus.silentNodes.add(n2);
    const questions = Array.from({ length: 20 }, () => bus.ask([{ node: n2, agents: agents("A") }]));
    const early = await Promise.all(questions.slice(16));
    expect(early.map(({ silent }) => silent[0]?.reason)).toEqual(
      Array(4).fill("too many questions at a time"),
    );
    bus.now += 60_000;
    await Promise.all(questions);
  });
});
