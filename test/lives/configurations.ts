import { child, formatXml, loadCrm } from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { nodeId, nodeName } from "../../src/terms/index.ts";
import type { Random } from "../sim/random.ts";
import type { Expectations, Ordered, WorldPlan } from "./world.ts";

interface Configuration {
  readonly crm: string;
  readonly expectations: Expectations;
  readonly nodes: readonly [number, number];
  readonly remotes?: readonly string[];
  readonly guests?: readonly string[];
  /** Runs on all nodes and remote hosts. */
  readonly everywhere?: readonly string[];
  /** Statements of its clones, by id. */
  readonly clones?: ReadonlyMap<string, string>;
}

const monitor = "op monitor interval=10s timeout=20s";
const dummy = (id: string, more = "") => `primitive ${id} ocf:test:Dummy ${more} ${monitor}`;
const stateful = `ocf:test:Stateful op monitor interval=10s timeout=20s op monitor interval=9s role=Promoted timeout=20s`;

const dbs = "clone dbs db meta promotable=true clone-max=20";
const dbsNotified = `${dbs} notify=true`;
const dbsTwo = `${dbs} promoted-max=2`;
const bases = "clone bases base meta interleave=true clone-max=20";

/** The second waits for the first: each an action and a resource. */
function after(first: string, next: string): Ordered {
  const part = (text: string) => {
    const [action, rsc] = text.split(" ");
    if ((action !== "start" && action !== "promote") || rsc === undefined) throw new Error(text);
    return { action, rsc } as const;
  };
  return { first: part(first), next: part(next) };
}

/** What the cluster may be configured to run, by name. */
export const configurations: Readonly<Record<string, Configuration>> = {
  /** A database with one promoted instance, a group beside it and an application on top. */
  promotable: {
    nodes: [1, 4],
    everywhere: ["db"],
    clones: new Map([["dbs", dbsNotified]]),
    crm: `
      primitive db ${stateful}
      ${dbsNotified}
      ${dummy("ip")}
      ${dummy("web")}
      group g ip web
      ${dummy("app")}
      colocation g-with-db inf: g dbs:Promoted
      order g-after-db Mandatory: dbs:promote g:start
      colocation app-with-g inf: app g
      order app-after-g Mandatory: g app`,
    expectations: {
      single: ["ip", "web", "app"],
      promoted: { db: 1 },
      together: [["ip", "web", "app"]],
      withPromoted: [["ip", "db"]],
      orders: [
        after("promote db", "start ip"),
        after("start ip", "start web"),
        after("start web", "start app"),
      ],
    },
  },
  /** Two promoted instances, and an application that follows one of them. */
  twoPromoted: {
    nodes: [2, 5],
    everywhere: ["db"],
    clones: new Map([["dbs", dbsTwo]]),
    crm: `
      primitive db ${stateful}
      ${dbsTwo}
      ${dummy("app")}
      ${dummy("lone")}
      colocation app-with-db inf: app dbs:Promoted
      order app-after-db Mandatory: dbs:promote app:start`,
    expectations: {
      single: ["app", "lone"],
      promoted: { db: 2 },
      together: [],
      withPromoted: [["app", "db"]],
      orders: [after("promote db", "start app")],
    },
  },
  /** A group on every node, and what needs it. */
  clonedGroup: {
    nodes: [2, 5],
    everywhere: ["lock", "files"],
    clones: new Map([["bases", bases]]),
    crm: `
      ${dummy("lock")}
      ${dummy("files")}
      group base lock files
      ${bases}
      ${dummy("one")}
      ${dummy("two")}
      group g one two
      order g-after-base Mandatory: bases g
      colocation g-with-base inf: g bases`,
    expectations: {
      single: ["one", "two"],
      promoted: {},
      together: [["one", "two"]],
      withPromoted: [],
      orders: [after("start one", "start two")],
    },
  },
  /** Remote hosts that run services, too. */
  remote: {
    nodes: [2, 3],
    everywhere: ["db"],
    clones: new Map([["dbs", dbs]]),
    remotes: ["r1", "r2"],
    crm: `
      primitive r1 ocf:pacemaker:remote op monitor interval=10s timeout=20s op start timeout=20s
      primitive r2 ocf:pacemaker:remote op monitor interval=10s timeout=20s op start timeout=20s
      ${dummy("a")}
      ${dummy("b")}
      ${dummy("c")}
      primitive db ${stateful}
      ${dbs}
      location a-likes a 100: r1
      location b-likes b 100: r2`,
    expectations: {
      single: ["a", "b", "c"],
      promoted: { db: 1 },
      together: [],
      withPromoted: [],
      orders: [],
    },
  },
  /** A guest that moves with all that it runs. */
  guest: {
    nodes: [2, 3],
    guests: ["g1"],
    crm: `
      primitive vm ocf:test:Vm params guest=g1 meta remote-node=g1 allow-migrate=true ${monitor}
      ${dummy("inside")}
      ${dummy("beside")}
      location inside-likes inside 100: g1`,
    expectations: {
      single: ["vm", "inside", "beside"],
      carriers: ["vm"],
      promoted: {},
      together: [],
      withPromoted: [],
      orders: [],
    },
  },
  /** Containers, in one of which a database is promoted. */
  bundle: {
    nodes: [2, 3],
    guests: ["boxes-0", "boxes-1"],
    crm: `
      primitive db ${stateful}
      bundle boxes podman image=db promoted-max=1 replicas=2 network=host network control-port=3122 primitive db
      ${dummy("app")}
      order app-after-db Mandatory: boxes:promote app:start`,
    expectations: {
      single: ["boxes-podman-0", "boxes-podman-1", "app"],
      promoted: { db: 1 },
      together: [],
      withPromoted: [],
      inside: { db: ["boxes-0", "boxes-1"] },
      orders: [after("promote db", "start app")],
    },
  },
  /** Services that move without a stop. */
  migration: {
    nodes: [2, 4],
    crm: `
      primitive m1 ocf:test:Dummy meta allow-migrate=true ${monitor}
      primitive m2 ocf:test:Dummy meta allow-migrate=true ${monitor}
      ${dummy("below")}
      ${dummy("above")}
      group g below above
      order g-after-m1 Mandatory: m1 g`,
    expectations: {
      single: ["m1", "m2", "below", "above"],
      promoted: {},
      together: [["below", "above"]],
      withPromoted: [],
      orders: [after("start m1", "start below"), after("start below", "start above")],
    },
  },
  /** A guest inside a group; a database may be promoted in it. */
  guestInGroup: {
    nodes: [2, 3],
    guests: ["g1"],
    crm: `
      ${dummy("disk")}
      primitive vm ocf:test:Vm params guest=g1 meta remote-node=g1 ${monitor}
      ${dummy("addr")}
      group box disk vm addr
      ${dummy("inside")}
      ${dummy("beside")}
      primitive db ${stateful}
      ${dbs}
      location inside-likes inside 100: g1
      location db-likes dbs role=Promoted 50: g1
      colocation beside-with-db inf: beside dbs:Promoted
      order beside-after-db Mandatory: dbs:promote beside:start`,
    expectations: {
      single: ["disk", "vm", "addr", "inside", "beside"],
      carriers: ["vm"],
      promoted: { db: 1 },
      together: [["disk", "vm", "addr"]],
      withPromoted: [["beside", "db"]],
      orders: [
        after("start disk", "start vm"),
        after("start vm", "start addr"),
        after("promote db", "start beside"),
      ],
    },
  },
  /** Two guests that migrate, a promoted instance and a group in them. */
  twoGuests: {
    nodes: [2, 3],
    guests: ["g1", "g2"],
    crm: `
      primitive vm1 ocf:test:Vm params guest=g1 meta remote-node=g1 allow-migrate=true ${monitor}
      primitive vm2 ocf:test:Vm params guest=g2 meta remote-node=g2 allow-migrate=true ${monitor}
      colocation apart -500: vm2 vm1
      primitive db ${stateful}
      ${dbsTwo}
      ${dummy("one")}
      ${dummy("two")}
      group pair one two
      location pair-likes pair 200: g2
      location db-likes dbs role=Promoted 50: g1
      location db-likes2 dbs role=Promoted 50: g2`,
    expectations: {
      single: ["vm1", "vm2", "one", "two"],
      carriers: ["vm1", "vm2"],
      promoted: { db: 2 },
      together: [["one", "two"]],
      withPromoted: [],
      orders: [after("start one", "start two")],
    },
  },
  /** A promotable clone of a group. */
  promotedGroup: {
    nodes: [2, 4],
    crm: `
      primitive p1 ${stateful}
      primitive p2 ${stateful}
      group pp p1 p2
      clone pps pp meta promotable=true notify=true interleave=true clone-max=20
      ${dummy("top")}
      colocation top-with inf: top pps:Promoted
      order top-after Mandatory: pps:promote top:start`,
    expectations: {
      single: ["top"],
      promoted: { p1: 1, p2: 1 },
      together: [],
      withPromoted: [["top", "p1"]],
      orders: [after("promote p1", "promote p2"), after("promote p2", "start top")],
    },
  },
  /** Instances that are told apart by their numbers, two to a node. */
  numbered: {
    nodes: [2, 4],
    crm: `
      ${dummy("u")}
      clone us u meta globally-unique=true clone-max=3 clone-node-max=2
      ${dummy("lone")}
      order lone-after Mandatory: us lone`,
    expectations: {
      single: ["u:0", "u:1", "u:2", "lone"],
      promoted: {},
      together: [],
      withPromoted: [],
      orders: [],
    },
  },
  /** What is demoted, stopped or left alone when a ticket is lost. */
  tickets: {
    nodes: [2, 4],
    everywhere: ["db"],
    clones: new Map([["dbs", dbs]]),
    crm: `
      primitive db ${stateful}
      ${dbs}
      ${dummy("a")}
      ${dummy("b")}
      ${dummy("c")}
      group ab a b
      colocation ab-with inf: ab dbs:Promoted
      order ab-after Mandatory: dbs:promote ab:start
      rsc_ticket t1 site: dbs:Promoted loss-policy=demote
      rsc_ticket t2 site: ab loss-policy=stop
      rsc_ticket t3 site: c loss-policy=freeze`,
    expectations: {
      single: ["a", "b", "c"],
      promoted: { db: 1 },
      together: [["a", "b"]],
      withPromoted: [["a", "db"]],
      orders: [after("promote db", "start a"), after("start a", "start b")],
    },
  },
  /** Whoever runs something is fenced when a ticket is lost. */
  fencingTickets: {
    nodes: [3, 4],
    everywhere: ["db"],
    clones: new Map([["dbs", dbs]]),
    crm: `
      primitive db ${stateful}
      ${dbs}
      ${dummy("a")}
      ${dummy("lone")}
      rsc_ticket t1 site: dbs:Promoted loss-policy=fence
      rsc_ticket t2 site: a loss-policy=fence`,
    expectations: {
      single: ["a", "lone"],
      promoted: { db: 1 },
      together: [],
      withPromoted: [],
      orders: [],
    },
  },
  /** Remote hosts on which instances are promoted, and to which services migrate. */
  remotePromoted: {
    nodes: [2, 3],
    everywhere: ["db"],
    clones: new Map([["dbs", `${dbsTwo} notify=true`]]),
    remotes: ["r1", "r2"],
    crm: `
      primitive r1 ocf:pacemaker:remote op monitor interval=10s timeout=20s op start timeout=20s meta reconnect_interval=20s allow-migrate=true
      primitive r2 ocf:pacemaker:remote op monitor interval=10s timeout=20s op start timeout=20s meta allow-migrate=true
      primitive db ${stateful}
      ${dbsTwo} notify=true
      primitive m1 ocf:test:Dummy meta allow-migrate=true ${monitor}
      primitive m2 ocf:test:Dummy meta allow-migrate=true ${monitor}
      ${dummy("top")}
      ${dummy("tip")}
      group tt top tip
      location m1-likes m1 100: r1
      location db-likes dbs role=Promoted 50: r1
      location db-likes2 dbs role=Promoted 50: r2
      colocation tt-with inf: tt dbs:Promoted
      order tt-after Mandatory: dbs:promote tt:start`,
    expectations: {
      single: ["m1", "m2", "top", "tip"],
      promoted: { db: 2 },
      together: [["top", "tip"]],
      withPromoted: [["top", "db"]],
      orders: [after("promote db", "start top"), after("start top", "start tip")],
    },
  },
  /** Failures after which nodes are fenced or on standby, or services blocked or demoted. */
  onFail: {
    nodes: [2, 4],
    crm: `
      primitive a ocf:test:Dummy op monitor interval=10s timeout=20s on-fail=standby op stop interval=0 timeout=10s on-fail=fence
      primitive b ocf:test:Dummy op monitor interval=10s timeout=20s op stop interval=0 timeout=10s on-fail=block meta migration-threshold=2 failure-timeout=20s
      primitive c ocf:test:Dummy op monitor interval=10s timeout=20s on-fail=fence meta failure-timeout=15s
      primitive db ocf:test:Stateful op monitor interval=10s timeout=20s op monitor interval=9s role=Promoted timeout=20s on-fail=demote op promote interval=0 timeout=10s on-fail=fence meta failure-timeout=25s
      ${dbsNotified}
      primitive m1 ocf:test:Dummy op monitor interval=10s timeout=20s op migrate_to interval=0 timeout=2s op migrate_from interval=0 timeout=2s meta allow-migrate=true failure-timeout=20s
      colocation a-with-db inf: a dbs:Promoted`,
    expectations: {
      single: ["a", "b", "c", "m1"],
      promoted: { db: 1 },
      together: [],
      withPromoted: [["a", "db"]],
      orders: [],
    },
  },
  /** Services that move without a stop, with orders before and behind them. */
  migrationChain: {
    nodes: [2, 4],
    crm: `
      ${dummy("lock")}
      clone locks lock meta interleave=true clone-max=20
      primitive m1 ocf:test:Dummy meta allow-migrate=true ${monitor}
      primitive m2 ocf:test:Dummy meta allow-migrate=true ${monitor}
      primitive db ${stateful}
      ${dbsNotified}
      ${dummy("top")}
      order m1-after Mandatory: locks m1
      order m2-after Optional: m1 m2
      colocation m2-with 100: m2 m1
      colocation m1-with inf: m1 dbs:Promoted
      order m1-after-db Mandatory: dbs:promote m1:start
      colocation top-with inf: top m1
      order top-after Mandatory: m1 top`,
    expectations: {
      single: ["m1", "m2", "top"],
      promoted: { db: 1 },
      together: [["m1", "top"]],
      withPromoted: [["m1", "db"]],
      orders: [after("start m1", "start top")],
    },
  },
  /** A second device, for when the first cannot fence. */
  fencingLevels: {
    nodes: [2, 4],
    everywhere: ["db"],
    clones: new Map([["dbs", dbs]]),
    crm: `
      primitive fence-too stonith:fence_world params pcmk_host_list="n1 n2 n3 n4" op monitor interval=60s timeout=20s
      fencing_topology fence fence-too
      primitive db ${stateful}
      ${dbs}
      ${dummy("a")}
      ${dummy("lone")}
      colocation a-with inf: a dbs:Promoted`,
    expectations: {
      single: ["a", "lone"],
      promoted: { db: 1 },
      together: [],
      withPromoted: [["a", "db"]],
      orders: [],
    },
  },
};

export const configurationNames = Object.keys(configurations);

/** The plan of a world with that configuration. */
export function worldPlan(
  name: string,
  seed: number,
  random: Random,
  trace?: (text: string) => void,
): WorldPlan {
  const configuration = configurations[name];
  if (!configuration) throw new Error(`there is no configuration ${name}`);
  const [fewest, most] = configuration.nodes;
  const count = random.between(fewest, most);
  const nodes = Array.from({ length: count }, (_, at) => ({
    id: nodeId(at + 1),
    name: nodeName(`n${at + 1}`),
  }));
  const remotes = configuration.remotes ?? [];
  const guests = configuration.guests ?? [];
  const fenced = [...nodes.map(({ name: node }) => node), ...remotes];
  const crm = `
    property stonith-enabled=true stonith-timeout=60s
    rsc_defaults resource-stickiness=1
    primitive fence stonith:fence_world params pcmk_host_list="${fenced.join(" ")}" op monitor interval=60s timeout=20s
    ${configuration.crm}`;
  return {
    seed,
    nodes,
    remotes,
    guests,
    cib: cibOf(crm, nodes),
    expectations: configuration.expectations,
    silent: ["fence", "fence-too", ...remotes, ...guests],
    ...(trace ? { trace } : {}),
  };
}

const texts = new Map<string, string>();

function cibOf(crm: string, nodes: readonly { readonly id: number; readonly name: string }[]): string {
  const known = texts.get(crm);
  if (known !== undefined) return known;
  const cib = emptyCib();
  const named = nodes.map(({ id, name }) => `node ${id}: ${name}\n`).join("");
  const lines = crm.split("\n").map((line) => line.trim());
  const configuration = loadCrm(`${named}${lines.join("\n")}`, child(cib, "configuration"), "update");
  cib.children = cib.children.map((part) => (part.name === "configuration" ? configuration : part));
  cib.attributes.set("epoch", "1");
  const text = formatXml(cib, -1);
  texts.set(crm, text);
  return text;
}
