import { formatXml } from "../../src/cib/index.ts";
import type { ControllerEvent } from "../../src/controller/index.ts";
import { decodeMessage } from "../../src/controller/message-parse.ts";
import { MESSAGE_VERSION, membershipKey } from "../../src/controller/messages.ts";
import { readAdminRequest } from "../../src/daemon/admin-parse.ts";
import type { AdminRequest } from "../../src/daemon/index.ts";
import { decodeEvent } from "../../src/remote/index.ts";
import { nodeName, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";
import type { Random } from "../sim/random.ts";
import { adminSamples, eventSamples, MEMBERSHIP, messageSamples } from "./edge-samples.ts";
import { broken, type Outcome, orRefused, type Target } from "./targets.ts";
import { type Json, mutateJson } from "./values.ts";

/** Messages that a cluster is given before it is made anew, so that what is accepted does not grow without end. */
const life = 1_000;
const configuration = `
property stonith-enabled=false
primitive a ocf:test:A op monitor interval=10s
primitive b ocf:test:B op monitor interval=10s
primitive c ocf:test:C
clone cl c
colocation near 10: a b
order o a b
`;

/** Three members that have something to do. */
class FuzzedCluster {
  bus = new ControllerBus(3);
  #fed = life;
  #requests = 0;

  /** The cluster, as good as new from time to time. */
  next(): ControllerBus {
    const gone = this.bus.nodes.filter(({ managerUp }) => !managerUp);
    if (this.#fed++ < life && gone.length < this.bus.nodes.length) {
      // Members that were told to go have gone, and come back as after a boot.
      if (gone.length > 0) {
        this.bus.run(2);
        this.bus.boot(...gone.map(({ name }) => name));
        this.bus.run(100);
      }
      return this.bus;
    }
    this.#fed = 1;
    this.bus = new ControllerBus(3);
    this.bus.boot("n1", "n2", "n3");
    this.bus.run(100);
    this.bus.configure(configuration);
    this.bus.run(200);
    return this.bus;
  }

  request(): string {
    return `fuzz${++this.#requests}`;
  }

  /** Time passes, and what has to be alike is looked at. */
  after(data: Uint8Array, random: Random): void {
    const { bus } = this;
    if (random.chance(0.05)) bus.run(random.between(1, 3000));
    if (random.chance(0.002)) {
      bus.killManager("n3");
      bus.restartManager("n3");
    }
    const wrong = bus.log.find((line) => / (?:NOT-APPLIED|NO-DECISION|DEFECT) /.test(line));
    if (wrong !== undefined) broken(wrong, data);
    if (bus.restarts.length > 0) broken(`a manager gave up: ${bus.restarts[0]}`, data);
    bus.log.length = 0;
    if (random.chance(0.1) && bus.cibs().length > 1) broken("the members hold different states", data);
  }
}

/** A message of which the membership has a name by now. */
const inMembership = (message: Uint8Array, key: string): Uint8Array =>
  Buffer.from(Buffer.from(message).toString("latin1").replaceAll(MEMBERSHIP, key), "latin1");

/** The membership that the cluster is in. */
function membershipOf(bus: ControllerBus): string {
  const { membership } = bus.node("n1").controller.view();
  return membership ? membershipKey(membership) : "";
}

function members(): Target {
  const cluster = new FuzzedCluster();
  const samples = messageSamples();
  return {
    name: "members: messages to three controllers",
    samples: [],
    make: (random) =>
      Buffer.concat([
        Buffer.from([random.chance(0.99) ? MESSAGE_VERSION : random.between(0, 255)]),
        mutateJson(random, samples),
      ]),
    feed: (data, random) => {
      const bus = cluster.next();
      const { nodes } = bus;
      const sender = random.pick(nodes);
      const outcome: Outcome = "message" in decodeMessage(data) ? "accepted" : "refused";
      // Now and then it is the first thing that is said in a membership, before its members know each other.
      if (random.chance(0.02)) {
        bus.sayEarly(sender.name, (membership) => inMembership(data, membership));
        bus.killManager("n3");
        bus.restartManager("n3");
      } else bus.say(sender.name, inMembership(data, membershipOf(bus)));
      cluster.after(data, random);
      return outcome;
    },
    end: () => cluster.bus.run(60_000),
  };
}

/** The event that the manager makes of a request, where it makes one. */
function eventOf(request: AdminRequest, id: string): ControllerEvent | undefined {
  switch (request.type) {
    case "cib-apply":
      return {
        type: "cib-request",
        request: id,
        operations: request.operations,
        client: request.client || "fuzz",
        user: "carol",
        askers: [{ user: "carol", groups: ["web"] }],
      };
    case "attributes-update":
      return { type: "attribute-request", request: id, updates: request.updates };
    case "forget":
      return {
        type: "forget-request",
        request: id,
        failuresOnly: request.failuresOnly,
        ...(request.failed && { failed: request.failed }),
        ...(request.rsc === undefined ? {} : { rsc: resourceId(request.rsc) }),
        ...(request.node === undefined ? {} : { node: nodeName(request.node) }),
      };
    case "fail":
      return {
        type: "fail-request",
        request: id,
        rsc: resourceId(request.rsc),
        node: nodeName(request.node),
      };
    default:
      return undefined;
  }
}

function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}

/** What administrators and agents' tools ask, on a node or on a remote host. Whatever it is, it is answered. */
function requests(name: string, samples: readonly Json[], unpack: (value: unknown) => unknown): Target {
  const cluster = new FuzzedCluster();
  return {
    name,
    samples: [],
    make: (random) => mutateJson(random, samples),
    feed: (data, random) => {
      const bus = cluster.next();
      const value = parsed(data);
      let event: ControllerEvent | undefined;
      const id = cluster.request();
      const outcome = orRefused(() => {
        event = eventOf(readAdminRequest(unpack(value), "request"), id);
      });
      if (event) {
        bus.step(random.pick(bus.nodes).name, event);
        if (!bus.replies.delete(id)) broken("a request was not answered", data);
      }
      cluster.after(data, random);
      return outcome;
    },
    end: () => cluster.bus.run(60_000),
  };
}

/** What executors of this node and of remote hosts tell. */
function events(): Target {
  const cluster = new FuzzedCluster();
  const samples = eventSamples();
  return {
    name: "executors: events to managers",
    samples: [],
    make: (random) => mutateJson(random, samples),
    feed: (data, random) => {
      const bus = cluster.next();
      const outcome = orRefused(() => {
        const event = decodeEvent(parsed(data));
        const remote = random.chance(0.5) ? nodeName("far") : undefined;
        const name = random.pick(bus.nodes).name;
        if (event.type === "result")
          bus.step(name, { type: "result", node: remote ?? name, result: event.result });
        if (event.type === "registered") {
          const { results, running, interrupted, remembered, bootId, complete } = event;
          const history = { results, running, interrupted, remembered, bootId, complete };
          if (remote) bus.step(name, { type: "remote-up", node: remote, history });
          else bus.step(name, { type: "executor-up", history, again: random.chance(0.5) });
        }
      });
      cluster.after(data, random);
      return outcome;
    },
    end: () => {
      cluster.bus.run(60_000);
      formatXml(cluster.bus.node("n1").controller.view().cib);
    },
  };
}

/** What is said to controllers, with the controllers. */
export function clusterTargets(): Target[] {
  const admin = adminSamples();
  const asTool = admin.map((request): Json => ({ type: "tool", requestId: 7, request }));
  return [
    members(),
    requests("admin: requests", admin, (value) => value),
    requests("remote hosts: tools' requests", asTool, (value) => {
      const event = decodeEvent(value);
      return event.type === "tool" ? event.request : undefined;
    }),
    events(),
  ];
}
