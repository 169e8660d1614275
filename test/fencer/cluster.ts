import { parseXml } from "../../src/cib/index.ts";
import {
  type AgentMetadata,
  type AgentOutcome,
  type AgentRun,
  type FenceAction,
  type FenceResult,
  Fencer,
  type FencerEffect,
  type FencerEvent,
  type FencerMessage,
  type FencingNews,
  fencingNews,
  type LeftRun,
} from "../../src/fencer/index.ts";
import { type NodeName, nodeName } from "../../src/terms/index.ts";

/** What a scripted agent does when it is run. */
export interface Behaviour {
  readonly outcome: Partial<AgentOutcome>;
  readonly afterMs: number;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** What of a run outlives the manager that began it. */
interface Kept {
  readonly run: LeftRun;
  outcome: AgentOutcome | undefined;
  /** Who is told of the outcome. */
  tell: (outcome: AgentOutcome) => void;
}

interface Host {
  readonly name: NodeName;
  readonly fencer: Fencer;
  readonly timers: Map<string, Due>;
  up: boolean;
  readonly results: FenceResult[];
}

const power: AgentMetadata = {
  actions: ["on", "off", "reboot", "status", "monitor", "metadata"],
  hostArgument: "port",
  onTarget: false,
  automatic: false,
};

/** Fencers of several nodes on virtual time, joined by a bus that keeps one order, with scripted agents. */
export class FenceCluster {
  readonly trace: string[] = [];
  readonly hosts = new Map<NodeName, Host>();
  readonly agents = new Map<string, AgentMetadata | undefined>();
  /** By `device@node action`, `device action`, `device`. */
  readonly behaviours = new Map<string, Behaviour>();
  readonly logs: string[] = [];
  /** How what was to be registered, or taken back, has ended. */
  readonly registrations: { readonly id: string; readonly refused: string | undefined }[] = [];
  /** What the messages told to whoever received them. */
  readonly news: FencingNews[] = [];
  random = 0.5;
  now = 0;
  leader: NodeName | undefined;
  private members: NodeName[] = [];
  /** Nodes whose managers are away while their rings are there. */
  private coming: NodeName[] = [];
  private configuration: FencerEvent | undefined;
  /** Those of them whose managers are not waited for any more. */
  private givenUp: NodeName[] = [];
  /** Grows when a node comes or goes. */
  private ring = 1;
  private readonly kept = new Map<NodeName, Kept[]>();
  /** Number of the boot in which each node runs. */
  private readonly boots = new Map<NodeName, number>();
  private readonly due: Due[] = [];
  private order = 0;
  private requests = 0;

  constructor(names: readonly string[]) {
    for (const name of names) this.boot(nodeName(name));
    for (const name of names) this.boots.set(nodeName(name), 1);
    this.regroup(names.map(nodeName));
  }

  configure(resources: string, topology = "", constraints = "", properties = ""): void {
    const xml = `<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">${properties}</cluster_property_set></crm_config>
      <nodes>${[...this.hosts.keys()].map((name, index) => `<node id="${index + 1}" uname="${name}"/>`).join("")}</nodes>
      <resources>${resources}</resources><constraints>${constraints}</constraints>
      <fencing-topology>${topology}</fencing-topology></configuration>`;
    this.configuration = { type: "configuration", configuration: parseXml(xml) };
    this.everyone(this.configuration);
    this.settle();
  }

  request(
    origin: string,
    target: string,
    action: FenceAction,
    extra: { delayMs?: number; timeoutMs?: number } = {},
  ): void {
    const id = `r${++this.requests}`;
    this.step(nodeName(origin), {
      type: "request",
      request: {
        id,
        target: nodeName(target),
        action,
        timeoutMs: extra.timeoutMs ?? 0,
        delayMs: extra.delayMs ?? 0,
        origin: nodeName(origin),
        client: "controller",
        reason: "it was lost",
      },
    });
    this.settle();
  }

  event(node: string, event: FencerEvent): void {
    this.step(nodeName(node), event);
    this.settle();
  }

  confirm(on: string, target: string): void {
    this.event(on, { type: "confirm", id: `c${++this.requests}`, target: nodeName(target), client: "admin" });
  }

  /** What the fencer of a node has said of the ends of requests. */
  resultsOn(name: string): readonly FenceResult[] {
    return this.hosts.get(nodeName(name))?.results ?? [];
  }

  /** Nodes vanish: their processes and their agents. */
  kill(...names: readonly string[]): void {
    for (const name of names) {
      const host = this.hosts.get(nodeName(name));
      if (host) host.up = false;
      this.kept.delete(nodeName(name));
    }
    this.ring++;
    this.coming = this.coming.filter((one) => !names.includes(one));
    this.givenUp = this.givenUp.filter((one) => !names.includes(one));
    this.regroup(this.members.filter((one) => !names.includes(one)));
  }

  /** The manager of a node dies; its ring, its agents and what it has written down of them stay. */
  managerDies(name: string): void {
    const host = this.hosts.get(nodeName(name));
    if (host) host.up = false;
    this.coming = [...this.coming, nodeName(name)];
    this.regroup(this.members.filter((one) => one !== name));
  }

  /** It is started again. */
  managerBack(name: string): void {
    this.coming = this.coming.filter((one) => one !== name);
    this.givenUp = this.givenUp.filter((one) => one !== name);
    this.boot(nodeName(name));
    if (this.configuration) this.step(nodeName(name), this.configuration);
    this.regroup([...this.members, nodeName(name)]);
  }

  /** It is not started again in time. */
  managerGivenUp(name: string): void {
    this.coming = this.coming.filter((one) => one !== name);
    this.givenUp.push(nodeName(name));
    this.regroup(this.members);
  }

  /** A node comes back with an empty memory, after a reboot. */
  join(name: string): void {
    this.boots.set(nodeName(name), (this.boots.get(nodeName(name)) ?? 0) + 1);
    this.back(name);
  }

  /** The same, when only its daemon was started again. */
  back(name: string): void {
    this.kept.delete(nodeName(name));
    this.ring++;
    this.boot(nodeName(name));
    this.regroup([...this.members, nodeName(name)]);
  }

  /** From here on the story is that of these nodes; the others go on for themselves, out of sight. */
  split(names: readonly string[]): void {
    this.leader = nodeName(names[0] ?? "");
    this.regroup(names.map(nodeName));
  }

  /** The parts meet; the first of these leads. */
  meet(names: readonly string[]): void {
    this.leader = nodeName(names[0] ?? "");
    this.regroup(names.map(nodeName));
  }

  regroup(members: readonly NodeName[]): void {
    this.members = [...members];
    if (this.leader === undefined || !members.includes(this.leader)) this.leader = members[0];
    const { leader, coming } = this;
    const inRing = [...members, ...coming, ...this.givenUp];
    const boots = new Map(members.map((member) => [member, `boot ${this.boots.get(member)}`]));
    const ring = String(this.ring);
    for (const member of members)
      this.step(member, { type: "membership", members, leader, coming, ring, inRing, boots });
    this.settle();
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.due.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.due[0];
      if (!next || next.at > end) break;
      this.due.shift();
      this.now = next.at;
      next.act();
    }
    this.now = end;
  }

  private settle(): void {
    this.pass(0);
  }

  private boot(name: NodeName): void {
    const fencer = new Fencer({
      self: name,
      random: () => this.random,
      wallClock: () => 1_000_000 + Math.floor(this.now / 1000),
      detectionMs: 2200,
      left: (this.kept.get(name) ?? []).map(({ run }) => run),
    });
    this.hosts.set(name, { name, fencer, timers: new Map(), up: true, results: [] });
  }

  private everyone(event: FencerEvent): void {
    for (const host of this.hosts.values()) if (host.up) this.step(host.name, event);
  }

  private step(name: NodeName, event: FencerEvent): void {
    const host = this.hosts.get(name);
    if (!host?.up) return;
    for (const effect of host.fencer.step(event, this.now)) this.carryOut(host, effect);
  }

  private later(ms: number, act: () => void): Due {
    const due = { at: this.now + ms, order: this.order++, act };
    this.due.push(due);
    return due;
  }

  private carryOut(host: Host, effect: FencerEffect): void {
    switch (effect.type) {
      case "broadcast":
        this.later(0, () => this.deliver(host, effect.message));
        return;
      case "run-agent":
        this.runAgent(host, effect.run);
        return;
      case "resume-run":
        this.resume(host, effect.run);
        return;
      case "forget-runs": {
        const rest = this.kept.get(host.name)?.filter(({ run }) => run.order.op !== effect.op);
        if (rest) this.kept.set(host.name, rest);
        return;
      }
      case "fetch-metadata": {
        const metadata = this.agents.has(effect.agent) ? this.agents.get(effect.agent) : power;
        this.later(0, () => this.step(host.name, { type: "metadata", agent: effect.agent, metadata }));
        return;
      }
      case "set-timer": {
        this.cancel(host, effect.timer);
        const due = this.later(effect.afterMs, () => {
          host.timers.delete(effect.timer);
          this.step(host.name, { type: "timer", timer: effect.timer });
        });
        host.timers.set(effect.timer, due);
        return;
      }
      case "cancel-timer":
        this.cancel(host, effect.timer);
        return;
      case "result":
        host.results.push(effect.result);
        if (host.name === this.members[0]) this.say(describeResult(effect.result));
        return;
      case "history":
        return;
      case "registered":
        this.registrations.push({ id: effect.id, refused: effect.refused?.what });
        return;
      case "test-result":
        for (const row of effect.rows)
          this.say(
            `test: level ${row.level} ${row.device} from ${row.node}: ${row.ok ? "ok" : "FAILED"}, ${row.check}: ${row.text}`,
          );
        return;
      case "log":
        this.logs.push(`${host.name} ${effect.level}: ${effect.text}`);
    }
  }

  /** A member says something of its own in the ring's order, whatever it is. */
  inject(from: string, message: unknown): void {
    for (const member of this.members) this.step(member, { type: "message", from: nodeName(from), message });
    this.settle();
  }

  private deliver(from: Host, message: FencerMessage): void {
    // A message of a node that has left the ring is not delivered any more.
    if (!this.members.includes(from.name)) return;
    const copy: unknown = JSON.parse(JSON.stringify(message));
    const news = fencingNews(from.name, copy);
    if (news) this.news.push(news);
    for (const member of this.members) this.step(member, { type: "message", from: from.name, message: copy });
  }

  private runAgent(host: Host, run: AgentRun): void {
    const input = Object.entries(run.params)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ");
    const aimed = run.target === undefined ? "" : ` ${run.target}`;
    this.say(`${host.name}: ${run.device} ${run.action}${aimed}, ${run.timeoutMs / 1000} s [${input}]`);
    const behaviour = this.behaviours.get(`${run.device}@${host.name} ${run.action}`) ??
      this.behaviours.get(`${run.device}@${host.name}`) ??
      this.behaviours.get(`${run.device} ${run.action}`) ??
      this.behaviours.get(run.device) ?? { outcome: { exit: 0 }, afterMs: 1000 };
    const late = behaviour.afterMs > run.timeoutMs;
    const outcome: AgentOutcome = late
      ? { exit: null, timedOut: true, stdout: "", stderr: "" }
      : { exit: 0, timedOut: false, stdout: "", stderr: "", ...behaviour.outcome };
    const { fencer } = host;
    const kept: Kept | undefined = run.kept && {
      run: { ...run.kept, run: `left/${++this.runs}` },
      outcome: undefined,
      tell: () => {},
    };
    if (kept) this.kept.set(host.name, [...(this.kept.get(host.name) ?? []), kept]);
    this.later(late ? run.timeoutMs : behaviour.afterMs, () => {
      if (kept) kept.outcome = outcome;
      kept?.tell(outcome);
      // Another manager knows nothing of runs by the names that this one gave them.
      if (this.hosts.get(host.name)?.fencer === fencer)
        this.step(host.name, { type: "agent-result", run: run.run, outcome });
    });
  }
  private runs = 0;

  private resume(host: Host, run: string): void {
    const kept = this.kept.get(host.name)?.find((one) => one.run.run === run);
    this.say(
      `${host.name}: waits for the ${kept?.run.order.action} by ${kept?.run.order.device} that was begun`,
    );
    if (!kept) return;
    kept.tell = (outcome) => this.step(host.name, { type: "agent-result", run, outcome });
    const { outcome } = kept;
    if (outcome) this.later(0, () => kept.tell(outcome));
  }

  private cancel(host: Host, timer: string): void {
    const due = host.timers.get(timer);
    host.timers.delete(timer);
    const index = due ? this.due.indexOf(due) : -1;
    if (index >= 0) this.due.splice(index, 1);
  }

  private say(text: string): void {
    this.trace.push(`${(this.now / 1000).toFixed(1).padStart(6)} ${text}`);
  }
}

function describeResult(result: FenceResult): string {
  const who = result.devices.length > 0 ? ` by ${result.devices.join("+")} on ${result.executor}` : "";
  const count = result.ok ? "" : ` (${result.failures} in a row${result.exhausted ? ", exhausted" : ""})`;
  return `${result.id}: ${result.action} ${result.target} ${result.ok ? `OK, ${result.deed}` : "FAILED"}${who}${count}: ${result.reason}`;
}

/** XML of a fence device. */
export function deviceXml(
  id: string,
  agent: string,
  params: Readonly<Record<string, string>>,
  meta = "",
): string {
  const pairs = Object.entries(params)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");
  return `<primitive id="${id}" class="stonith" type="${agent}"><instance_attributes id="${id}-ia">${pairs}</instance_attributes>${meta}</primitive>`;
}
