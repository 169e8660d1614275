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
    // A cleanup has it looked for again: where that fails as before the service goes on all the same.
    cluster.cleanup("q");
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.started("q")).toEqual(["n1", "n2"]);
    expect(cluster.reasons).toEqual(["reset-before"]);
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

  test("is not what was only begun: one wrong parameter costs no node its power, and nothing is started elsewhere", () => {
    const cluster = new Cluster().configure(other).breaks("n1");
    cluster.fails = ["start", "stop"];
    cluster.configure(service);
    expect(cluster.fenced).toEqual([]);
    expect(cluster.started("q")).toEqual(["n1"]);
    expect(cluster.reasons).toEqual(["never-seen"]);
    cluster.breaks().cleanup("q");
    expect(cluster.reasons).toEqual([]);
    expect(cluster.bus.where("q")).toHaveLength(1);
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

describe("a node that was reset for a service, and that cannot tell of it when it is back", () => {
  /** `text` runs on n2, or n3, after n1 was reset for q, and n1 is back. `done`: what was done with it elsewhere meanwhile. */
  const resetFor = (text: string) => {
    const cluster = new Cluster().configure(text);
    expect(cluster.bus.where("q")).toContain(n1);
    cluster.breaks("n1");
    cluster.bus.fail("n1", "q", OcfExit.GENERIC);
    cluster.bus.run(3000);
    expect(cluster.fenced).toEqual(["n1"]);
    const from = cluster.bus.executed.length;
    cluster.run(120);
    const done = cluster.bus.executed
      .slice(from)
      .filter(({ node, operation }) => node !== n1 && operation.rsc.type !== "fence_dummy")
      .map(({ operation }) => `${operation.action} ${operation.rsc.id}`);
    expect(done.filter((what) => /^(?:start|stop) /.test(what))).toEqual([]);
    expect(cluster.fenced).toEqual(["n1"]);
    return cluster;
  };

  test("is left out: the service is recovered where it runs, and on another node when that one is lost", () => {
    const cluster = resetFor(service);
    cluster.bus.fail("n2", "q", OcfExit.NOT_RUNNING);
    cluster.run();
    expect(cluster.started("q")).toEqual(["n1", "n2", "n2"]);
    cluster.bus.crash("n2");
    cluster.bus.run(3000);
    expect(cluster.bus.where("q")).toEqual([n3]);
    cluster.run(120);
    expect(cluster.fenced).toEqual(["n1", "n2"]);
    expect(cluster.bus.where("q")).toHaveLength(1);
  });

  test("may have it again as soon as its stop answers: one look that failed keeps nothing from it", () => {
    const cluster = new Cluster().configure(service).breaks("n1");
    cluster.bus.fail("n1", "q", OcfExit.GENERIC);
    cluster.bus.run(3000);
    expect(cluster.bus.where("q")).toEqual([n2]);
    cluster.fails = ["monitor"];
    cluster.bus.boot("n1");
    cluster.bus.run(200);
    cluster.breaks().run(120);
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.bus.where("q")).toEqual([n1]);
  });

  test.each([
    ["its group", "group g q z"],
    ["what is ordered after it", "order o q z"],
    ["what is ordered and placed with it", "order o q z\ncolocation c inf: z q"],
  ])("is no reason to stop %s", (_, how) => {
    const text = `${other}primitive q ocf:test:Q op monitor interval=10s
primitive z ocf:test:A meta resource-stickiness=1 op monitor interval=10s\n${how}\nlocation here q 100: n1\n`;
    const cluster = resetFor(text);
    expect(["q", "z"].map((rsc) => cluster.bus.where(rsc).length)).toEqual([1, 1]);
  });

  test("has its stop tried before the service is started elsewhere", () => {
    const cluster = resetFor(service);
    cluster.breaks(...all);
    cluster.fails = ["start"];
    cluster.bus.fail("n2", "q", OcfExit.NOT_RUNNING);
    cluster.run(120);
    expect(cluster.bus.where("q")).toEqual([]);
    cluster.fails = ["monitor", "stop"];
    const from = cluster.breaks("n1").bus.executed.length;
    cluster.cleanup("q").run(120);
    const done = cluster.bus.executed
      .slice(from)
      .filter(({ operation }) => operation.rsc.id === "q" && ["start", "stop"].includes(operation.action));
    expect(done.map(({ node, operation }) => `${operation.action} ${node}`)).toEqual(["stop n1", "start n2"]);
    const [stopped, started] = done;
    expect(started?.at).toBeGreaterThan(stopped?.at ?? Number.NaN);
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.bus.where("q")).toEqual([n2]);
  });

  test("does not keep the service from being moved, stopped and started by who asks for it", () => {
    const cluster = resetFor(service);
    const set = (role: string) =>
      cluster.configure(service.replace("ocf:test:Q", `ocf:test:Q meta target-role=${role}`));
    cluster.configure(service.replace("50: n2", "-inf: n2"));
    expect(cluster.bus.where("q")).toEqual([n3]);
    set("Stopped");
    expect(cluster.bus.where("q")).toEqual([]);
    set("Started");
    expect(cluster.bus.where("q")).toEqual([n2]);
    expect(cluster.fenced).toEqual(["n1"]);
  });

  test("keeps the instances of a clone on the others from nothing", () => {
    const cluster = resetFor(`${other}primitive q ocf:test:Q op monitor interval=10s\nclone c q\n`);
    expect(cluster.bus.where("q").toSorted()).toEqual([n2, n3]);
  });

  test("is free again when it is deleted, and made anew after a repair", () => {
    const cluster = resetFor(service);
    cluster.deletes();
    cluster.run();
    expect(cluster.bus.where("q")).toEqual([]);
    cluster.breaks().cleanup("q").configure(service);
    expect(cluster.bus.where("q")).toEqual([n1]);
    expect(cluster.fenced).toEqual(["n1"]);
  });
});

describe("a service with which nothing can be done by other parameters", () => {
  const with_ = (value: string) => service.replace("ocf:test:Q", `ocf:test:Q params p=${value}`);

  test("costs no node its power, and starts nowhere else", () => {
    const cluster = new Cluster().configure(with_("good"));
    // What was started with other parameters is stopped with those.
    let started = "good";
    cluster.bus.agent = (_, { rsc, action, params }) => {
      if (rsc.id === "q" && action === "start") started = params.p ?? "";
      return started === "bad" && rsc.id === "q" && ["start", "stop"].includes(action)
        ? OcfExit.GENERIC
        : OcfExit.OK;
    };
    cluster.configure(with_("bad")).run(120);
    expect(cluster.fenced).toEqual([]);
    expect(cluster.started("q")).toEqual(["n1", "n1"]);
    expect(cluster.reasons).toEqual(["never-seen"]);
    cluster.configure(with_("good")).cleanup("q");
    expect(cluster.bus.where("q")).toHaveLength(1);
    expect(cluster.reasons).toEqual([]);
  });

  test("costs one node its power when it cannot be ended by the old ones", () => {
    const cluster = new Cluster().configure(with_("good")).breaks("n1");
    cluster.configure(with_("bad"));
    expect(cluster.fenced).toEqual(["n1"]);
    expect(cluster.bus.where("q")).toEqual([n2]);
  });

  test("costs a node its power again once it has come up with them", () => {
    const cluster = new Cluster().configure(with_("good")).configure(with_("better"));
    expect(cluster.started("q")).toEqual(["n1", "n1"]);
    cluster.breaks("n1");
    cluster.bus.fail("n1", "q", OcfExit.GENERIC);
    cluster.run();
    expect(cluster.fenced).toEqual(["n1"]);
  });
});

describe("a service that fails wherever it is begun, and whose stop fails", () => {
  const running = () => {
    const cluster = new Cluster().configure(service);
    expect(cluster.bus.where("q")).toEqual([n1]);
    return cluster;
  };

  test.each([
    ["its start", ["start", "stop"], ["n1", "n2"]],
    // It comes up each time, so that each node is given the benefit of the doubt twice.
    ["its first monitor", ["monitor", "stop"], ["n1", "n2", "n3", "n1", "n2", "n3", "n1"]],
  ])("costs nodes their power, but not without end (%s fails)", (_, fails, fenced) => {
    // It ran for long before, so that its first failure is worth a node.
    const cluster = running();
    cluster.run(900);
    // A node that is alone has no quorum.
    const lost: string[] = [];
    cluster.bus.fencing = ({ target }) => {
      const isDone = cluster.bus.nodes.filter(({ up }) => up).length > 1;
      if (isDone) lost.push(target);
      return isDone;
    };
    cluster.fails = fails;
    cluster.breaks(...all);
    cluster.bus.agent = (_node, { rsc, action, intervalMs }) =>
      rsc.id === "q" &&
      (action === "monitor" ? fails.includes("monitor") && intervalMs > 0 : fails.includes(action))
        ? OcfExit.GENERIC
        : OcfExit.OK;
    cluster.bus.fail("n1", "q", OcfExit.GENERIC);
    cluster.run(900);
    expect(lost.toSorted()).toEqual(fenced.toSorted());
    expect(cluster.reasons).toEqual(["reset-in-vain"]);
    // It is as before when it was repaired.
    cluster.bus.agent = () => OcfExit.OK;
    cluster.cleanup("q");
    expect(cluster.bus.where("q")).toHaveLength(1);
    const [on] = cluster.bus.where("q");
    cluster.bus.agent = (_node, { rsc, action }) =>
      rsc.id === "q" && action === "stop" ? OcfExit.GENERIC : OcfExit.OK;
    cluster.bus.fail(String(on), "q", OcfExit.GENERIC);
    cluster.bus.run(3000);
    expect(lost).toHaveLength(fenced.length + 1);
  });
});

test("a service that ran well for long on another node is worth one that it has just come to again", () => {
  const cluster = new Cluster().configure(service);
  const fail = () => {
    const [on] = cluster.bus.where("q");
    cluster.breaks(String(on));
    cluster.bus.fail(String(on), "q", OcfExit.GENERIC);
    cluster.bus.run(3000);
    cluster.breaks();
    return on;
  };
  expect(fail()).toBe(n1);
  // n1 is free again, and it goes back there.
  cluster.run(900);
  expect(cluster.bus.where("q")).toEqual([n1]);
  expect(fail()).toBe(n1);
  expect(cluster.bus.where("q")).toEqual([n2]);
  expect(fail()).toBe(n2);
  expect(cluster.fenced).toEqual(["n1", "n1", "n2"]);
});

test.each([
  ["a service that runs on another one", service, [n1]],
  ["an instance of what runs on the others", `${service}clone c q`, [n1, n2]],
])("a node that cannot tell of %s is fenced once", (_, text, where) => {
  const cluster = new Cluster().configure(text);
  cluster.bus.crash("n3");
  cluster.breaks("n3").run(200);
  expect(cluster.fenced).toEqual(["n3", "n3"]);
  expect(cluster.reasons).toEqual(["reset-before"]);
  expect(cluster.bus.where("q").toSorted()).toEqual(where);
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
