import { describe, expect, test } from "bun:test";
import { child, formatXml, loadCrm, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { nodeName, OcfExit, resourceId } from "../../src/terms/index.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

/*
 * A look that fails says that a service may run there, a stop that fails after it that nobody can end it. An agent that is
 * broken everywhere must not cost one node after the other its power.
 */

const [n1, n2, n3] = [nodeName("n1"), nodeName("n2"), nodeName("n3")];
const all = ["n1", "n2", "n3"];

const base = "property stonith-enabled=true\nprimitive fence stonith:fence_dummy\n";
const other = `${base}primitive other ocf:test:A op monitor interval=10s\nlocation there other 100: n3\n`;
const service = `${other}primitive q ocf:test:Q op monitor interval=10s\nlocation here q 100: n1\nlocation then q 50: n2\n`;

/** Three nodes; `on` are those where the agents of type Q, and containers, answer neither looks nor stops. */
class Cluster {
  readonly bus: ControllerBus;
  fails = ["monitor", "stop"];

  constructor(
    cib?: XmlElement,
    public on: readonly string[] = [],
  ) {
    this.bus = new ControllerBus(3, cib && (() => parseXml(formatXml(cib, -1))));
    this.bus.agent = (node, { rsc, action }) => {
      const isBroken = ["Q", "docker"].includes(rsc.type) && this.on.includes(node);
      return isBroken && this.fails.includes(action) ? OcfExit.GENERIC : OcfExit.OK;
    };
    this.bus.boot(...all);
    this.bus.run(100);
  }

  /** Time passes, and what was switched off boots. */
  run(seconds = 60): this {
    for (let second = 0; second < seconds; second += 4) {
      this.bus.run(4000);
      for (const name of all) if (!this.bus.node(name).up) this.bus.boot(name);
    }
    expect(this.bus.cibs()).toHaveLength(1);
    return this;
  }

  configure(text: string): this {
    this.bus.configure(text);
    return this.run();
  }

  /** Takes the service out of the configuration. */
  deletes(): void {
    const of = ["//rsc_location[@rsc='q']", "//rsc_location[@rsc='q']", "//primitive[@id='q']"];
    this.bus.apply(of.map((xpath) => ({ op: "delete", xpath })));
  }

  breaks(...nodes: readonly string[]): this {
    this.on = nodes;
    return this;
  }

  cleanup(rsc: string, failuresOnly = false): this {
    this.bus.step("n2", { type: "forget-request", request: "clean", rsc: resourceId(rsc), failuresOnly });
    return this.run();
  }

  get fenced(): readonly string[] {
    return this.bus.fenced.map(({ target }) => target);
  }

  /** Who has begun to run a service. */
  started(rsc: string): readonly string[] {
    return this.bus.executed
      .filter(({ operation }) => operation.rsc.id === rsc && operation.action === "start")
      .map(({ node }) => node);
  }

  /** Why nothing was fenced, as the history has it. */
  get reasons(): readonly string[] {
    const found = this.bus.cibs()[0]?.matchAll(/not-fenced="([^"]*)"/g) ?? [];
    return [...new Set([...found].map(([, why]) => why ?? ""))];
  }
}

describe("what was added, and whose looks and stops fail", () => {
  test.each([[all], [["n1", "n2"]], [["n1"]]])(
    "costs no node its power, nor runs anywhere (on %p)",
    (nodes) => {
      const cluster = new Cluster()
        .configure(other)
        .breaks(...nodes)
        .configure(service);
      expect(cluster.fenced).toEqual([]);
      expect(cluster.started("q")).toEqual([]);
      expect(cluster.reasons).toEqual(["never-seen"]);
      expect(cluster.bus.where("other")).toEqual([n3]);
    },
  );

  test.each([
    ["a group", "primitive q ocf:test:Q\nprimitive z ocf:test:A\ngroup g q z"],
    [
      "what depends on it",
      "primitive q ocf:test:Q\nprimitive z ocf:test:A\norder o q z\ncolocation c inf: z q",
    ],
    ["a clone", "primitive q ocf:test:Q\nclone c q"],
    ["a unique clone", "primitive q ocf:test:Q\nclone c q meta globally-unique=true clone-max=3"],
    ["a promotable clone", "primitive q ocf:test:Q\nms c q"],
    [
      "a bundle whose runtime does not answer",
      "primitive z ocf:test:A\nbundle b docker image=i replicas=2 network ip-range-start=10.0.0.1 control-port=3121 primitive z",
    ],
  ])("does not when it is %s", (_, text) => {
    const cluster = new Cluster()
      .configure(other)
      .breaks(...all)
      .configure(`${other}${text}`);
    expect(cluster.fenced).toEqual([]);
    expect(["q", "q:0", "z", "b-docker-0"].flatMap((rsc) => cluster.started(rsc))).toEqual([]);
    expect(cluster.reasons).toEqual(["never-seen"]);
  });

  test("stays a bundle that was never seen to run, though addresses of its replicas came up", () => {
    const cluster = new Cluster()
      .configure(other)
      .breaks("n1")
      .configure(`${other}primitive z ocf:test:A
bundle b docker image=i replicas=2 network ip-range-start=10.0.0.1 control-port=3121 primitive z`);
    expect(cluster.started("b-ip-10.0.0.1")).not.toEqual([]);
    cluster.bus.step("n2", { type: "forget-request", request: "all", failuresOnly: false });
    cluster.run();
    expect(cluster.fenced).toEqual([]);
    expect(cluster.reasons).toEqual(["never-seen"]);
    cluster.breaks();
    cluster.bus.step("n2", { type: "forget-request", request: "again", failuresOnly: false });
    cluster.run();
    expect(["b-docker-0", "b-docker-1"].map((rsc) => cluster.bus.where(rsc).length)).toEqual([1, 1]);
  });

  test("keeps the other instances of a clone from nothing", () => {
    const cluster = new Cluster().breaks("n1").configure(`${other}primitive q ocf:test:Q\nclone c q`);
    expect(cluster.fenced).toEqual([]);
    expect(cluster.bus.where("q").toSorted()).toEqual([n2, n3]);
  });

  test("is as it was for managers and daemons that start anew, and where a node is reset for another reason", () => {
    const cluster = new Cluster().breaks(...all).configure(service);
    for (const name of all) {
      cluster.bus.killManager(name);
      cluster.bus.restartManager(name);
      cluster.run();
    }
    cluster.bus.restartAllDaemons(() => {});
    cluster.run();
    cluster.bus.restartAllManagers();
    cluster.run();
    expect(cluster.fenced).toEqual([]);
    cluster.bus.crash("n2");
    cluster.run(120);
    expect(cluster.fenced).toEqual(["n2"]);
    expect(cluster.started("q")).toEqual([]);
  });

  test("runs once, in one place, when it was repaired and cleaned up", () => {
    const cluster = new Cluster().breaks(...all).configure(service);
    cluster.breaks().cleanup("q");
    expect(cluster.started("q")).toEqual(["n1"]);
    expect(cluster.bus.where("q")).toEqual([n1]);
    expect(cluster.reasons).toEqual([]);
  });

  test("is where it runs when it does, whatever was said of it before", () => {
    const cluster = new Cluster().breaks(...all).configure(service);
    cluster.bus.node("n1").running.set("q", "started");
    cluster.breaks().cleanup("q");
    expect(cluster.started("q")).toEqual([]);
    expect(cluster.bus.where("q")).toEqual([n1]);
  });

  test("is gone when it is deleted and cleaned up, and stops nothing", () => {
    const cluster = new Cluster().breaks(...all).configure(service);
    cluster.deletes();
    cluster.run().cleanup("q").run();
    expect(cluster.fenced).toEqual([]);
    expect(cluster.bus.cibs()[0]).not.toContain('id="q"');
    // And may be made anew.
    cluster.configure(service);
    expect(cluster.fenced).toEqual([]);
    cluster.breaks().cleanup("q");
    expect(cluster.bus.where("q")).toEqual([n1]);
  });
});

describe("what was seen to run", () => {
  const running = () => {
    const cluster = new Cluster().configure(service);
    expect(cluster.bus.where("q")).toEqual([n1]);
    return cluster;
  };

  test("costs its node the power when its stop fails, and runs elsewhere", () => {
    const cluster = running().breaks("n1");
    cluster.bus.fail("n1", "q", OcfExit.GENERIC);
    cluster.bus.run(3000);
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.bus.where("q")).toEqual([n2]);
  });

  test("costs it no second time, when the node is back and its look fails, without anybody having done anything", () => {
    const cluster = running().breaks("n1");
    cluster.bus.fail("n1", "q", OcfExit.GENERIC);
    cluster.run(300);
    expect(cluster.fenced).toEqual(["n1"]);
    // It was not ended where it runs.
    expect(cluster.started("q")).toEqual(["n1", "n2"]);
    expect(cluster.bus.where("q")).toEqual([n2]);
    expect(cluster.reasons).toEqual(["reset-before"]);
    // Managers that start anew have heard of it.
    for (const name of all) {
      cluster.bus.killManager(name);
      cluster.bus.restartManager(name);
      cluster.run();
    }
    expect(cluster.fenced).toEqual(["n1"]);
    // That is over when somebody cleans up: he may have changed something.
    cluster.cleanup("q");
    expect(cluster.fenced).toEqual(["n1", "n1"]);
    cluster.breaks().cleanup("q");
    expect(cluster.reasons).toEqual([]);
    expect(cluster.bus.where("q")).toHaveLength(1);
  });

  test("is told by what was found, too: somebody has started it", () => {
    const cluster = new Cluster().configure(other);
    cluster.bus.node("n2").running.set("q", "started");
    cluster.configure(service.replaceAll("100: n1", "-inf: n1"));
    expect(cluster.started("q")).toEqual([]);
    cluster.breaks("n2");
    cluster.bus.fail("n2", "q", OcfExit.GENERIC);
    cluster.run();
    expect(cluster.fenced).toEqual(["n2"]);
  });

  test("counts as that when its history was cleaned up", () => {
    const cluster = running().breaks("n1").cleanup("q");
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.bus.where("q")).toEqual([n2]);
  });

  test("counts as that for a manager that has started anew since", () => {
    const cluster = running();
    for (const name of all) {
      cluster.bus.killManager(name);
      cluster.bus.restartManager(name);
      cluster.run();
    }
    cluster.breaks("n1").cleanup("q");
    expect(cluster.fenced).toEqual(["n1"]);
  });

  test("counts as that when its configuration was deleted: it may still be there", () => {
    const cluster = running();
    cluster.on = ["n1"];
    cluster.deletes();
    cluster.bus.run(3000);
    expect(cluster.fenced).toEqual(["n1"]);
  });

  test("counts as that when it is made anew before it has ended", () => {
    const cluster = running();
    cluster.deletes();
    cluster.bus.configure(service);
    cluster.run();
    cluster.breaks("n1").cleanup("q");
    expect(cluster.fenced).toEqual(["n1"]);
  });

  test("does not when it has ended, and another one is made by its name", () => {
    const cluster = running();
    cluster.deletes();
    cluster
      .run()
      .breaks(...all)
      .configure(service);
    expect(cluster.fenced).toEqual([]);
    expect(cluster.reasons).toEqual(["never-seen"]);
  });

  test("counts as that as soon as its start was begun", () => {
    const cluster = new Cluster().breaks("n1");
    cluster.fails = ["start", "stop"];
    cluster.bus.configure(service);
    cluster.bus.run(3000);
    expect(cluster.fenced).toEqual(["n1"]);
  });

  test("and does not answer on a node costs that node its power", () => {
    const cluster = new Cluster().breaks("n1");
    const { agent } = cluster.bus;
    cluster.bus.agent = (node, operation) =>
      node === n1 && operation.rsc.id === "q" && operation.action === "stop"
        ? "silent"
        : agent(node, operation);
    cluster.bus.configure(service);
    cluster.run(200);
    expect(cluster.fenced[0]).toBe("n1");
  });
});

describe("what was configured before anybody remembers, as after all nodes were off", () => {
  const stored = () => {
    const cib = emptyCib();
    const configuration = loadCrm(service, child(cib, "configuration"), "update");
    const children = cib.children.map((part) => (part.name === "configuration" ? configuration : part));
    return { ...cib, children };
  };

  test("may have run on the one node that cannot tell, which is fenced once: the others take over", () => {
    const cluster = new Cluster(stored(), ["n1"]).run(300);
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.started("q")).toEqual(["n2"]);
    expect(cluster.reasons).toEqual(["reset-before"]);
  });

  test.each([[all], [["n1", "n2"]]])("costs no node its power where several cannot tell (%p)", (nodes) => {
    const cluster = new Cluster(stored(), nodes).run(300);
    expect(cluster.fenced).toEqual([]);
    expect(cluster.started("q")).toEqual([]);
    expect(cluster.reasons).toEqual(["never-seen"]);
  });
});
