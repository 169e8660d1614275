import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { type FenceRequest, Fencer, type FencerEffect, type FencerEvent } from "../../src/fencer/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { deviceXml } from "./cluster.ts";

const [a, b, c] = [nodeName("a"), nodeName("b"), nodeName("c")];

/** The leader's fencer alone; its messages come round when the test says so. */
class Leader {
  readonly #fencer = new Fencer({
    self: a,
    random: () => 0.5,
    wallClock: () => 1_000_000,
    detectionMs: 2200,
  });
  readonly sent: unknown[] = [];
  readonly seen: FencerEffect[] = [];
  #now = 0;

  constructor() {
    this.members(a, c);
    const device = deviceXml("ipmi", "fence_ipmilan", { pcmk_host_list: "b" });
    const configuration = parseXml(`<configuration><resources>${device}</resources></configuration>`);
    this.step({ type: "configuration", configuration });
    this.comeRound();
  }

  members(...members: readonly ReturnType<typeof nodeName>[]): void {
    this.step({ type: "membership", members, leader: a });
  }

  /** A ring by name, in which there are nodes without managers. */
  ring(ring: string, ...inRing: readonly ReturnType<typeof nodeName>[]): void {
    this.step({ type: "membership", members: [a, c], leader: a, ring, inRing });
  }

  step(event: FencerEvent): void {
    for (const effect of this.#fencer.step(event, ++this.#now)) {
      this.seen.push(effect);
      if (effect.type === "broadcast") this.sent.push(JSON.parse(JSON.stringify(effect.message)));
      if (effect.type === "fetch-metadata") {
        const metadata = {
          actions: ["off", "reboot", "on", "status"],
          hostArgument: "port" as const,
          onTarget: false,
          automatic: false,
        };
        this.step({ type: "metadata", agent: effect.agent, metadata });
      }
    }
  }

  /** All that was sent by now comes round, and what follows from it. */
  comeRound(): void {
    for (let message = this.sent.shift(); message !== undefined; message = this.sent.shift())
      this.step({ type: "message", from: a, message });
  }

  /** Only what was sent first comes round. */
  next(): void {
    const message = this.sent.shift();
    if (message !== undefined) this.step({ type: "message", from: a, message });
  }

  ask(id: string, client = "controller"): void {
    const request: FenceRequest = {
      id,
      target: b,
      action: "reboot",
      timeoutMs: 0,
      delayMs: 0,
      origin: a,
      client,
      reason: "it was lost",
    };
    this.step({ type: "request", request });
  }

  /** The agent of the first request succeeds; its end has been said, and has not come round. */
  fencedOnce(): void {
    this.ask("r1");
    this.comeRound();
    const run = this.seen.flatMap((effect) => (effect.type === "run-agent" ? [effect.run.run] : []))[0] ?? "";
    this.step({ type: "agent-result", run, outcome: { exit: 0, timedOut: false, stdout: "", stderr: "" } });
    this.next();
  }

  get runs(): number {
    return this.seen.filter(({ type }) => type === "run-agent").length;
  }

  get results(): string[] {
    return this.seen.flatMap((effect) =>
      effect.type === "result" ? [`${effect.result.id} ${effect.result.ok} ${effect.result.deed}`] : [],
    );
  }
}

describe("a decision that was taken before its node heard that the target is fenced", () => {
  test("is answered with that result, and no device is used again", () => {
    const leader = new Leader();
    leader.fencedOnce();
    leader.ask("r2");
    leader.comeRound();
    expect(leader.results).toEqual(["r1 true reset", "r2 true reset"]);
    expect(leader.runs).toBe(1);
  });

  test("is carried out when the target has come back in between", () => {
    const leader = new Leader();
    leader.fencedOnce();
    leader.members(a, b, c);
    leader.members(a, c);
    leader.ask("r2");
    leader.comeRound();
    expect(leader.runs).toBe(2);
  });

  test("is carried out when the target has come back between that result and the request", () => {
    const leader = new Leader();
    leader.fencedOnce();
    leader.ask("r2");
    leader.next();
    expect(leader.results).toEqual(["r1 true reset"]);
    leader.members(a, b, c);
    leader.members(a, c);
    leader.comeRound();
    expect(leader.runs).toBe(2);
  });

  test("is carried out when it is a person's, who may want it twice", () => {
    const leader = new Leader();
    leader.fencedOnce();
    leader.ask("r2", "admin");
    leader.comeRound();
    expect(leader.runs).toBe(2);
  });

  test("is carried out when it was taken afterwards", () => {
    const leader = new Leader();
    leader.fencedOnce();
    leader.comeRound();
    leader.ask("r2");
    leader.comeRound();
    expect(leader.results).toEqual(["r1 true reset"]);
    expect(leader.runs).toBe(2);
  });
});

describe("a decision that was taken before the target's ring came back", () => {
  test("is not carried out: its manager is on its way, and will tell what runs there", () => {
    const leader = new Leader();
    leader.ring("1.4", a, c);
    leader.ask("r1");
    leader.ring("1.8", a, b, c);
    leader.comeRound();
    expect(leader.runs).toBe(0);
    expect(leader.results).toEqual(["r1 false none"]);
  });

  test("is when it is taken afterwards, since the manager does not come, or is a person's", () => {
    for (const [before, client] of [
      ["1.8", "controller"],
      ["1.4", "admin"],
    ] as const) {
      const leader = new Leader();
      leader.ring(before, a, c);
      leader.ask("r1", client);
      leader.ring("1.8", a, b, c);
      leader.comeRound();
      expect(leader.runs, client).toBe(1);
    }
  });
});
