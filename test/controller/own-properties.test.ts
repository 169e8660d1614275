import { describe, expect, test } from "bun:test";
import { formatXml, parseXml, versionOf, type XmlElement } from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { type ClusterTraits, missingProperties } from "../../src/controller/own-properties.ts";
import { ControllerBus } from "../harness/controller-bus.ts";

const traits: ClusterTraits = { version: "3.0.0-test", clusterName: "shop" };
const four = {
  "have-watchdog": "false",
  "dc-version": "3.0.0-test",
  "cluster-infrastructure": "corosync",
  "cluster-name": "shop",
};

/** A cluster of three whose members tell this of it. */
const cluster = (of: (name: string) => ClusterTraits = () => traits, cib?: () => XmlElement) =>
  new ControllerBus(3, cib, undefined, undefined, undefined, of);

/** Every property of the only CIB, by name. */
function properties(bus: ControllerBus): Record<string, string> {
  const [text = "", ...others] = bus.cibs();
  expect(others).toEqual([]);
  const pairs = [...text.matchAll(/<nvpair id="[^"]*" name="([^"]*)" value="([^"]*)"/g)];
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, value]));
}

const epoch = (bus: ControllerBus): number => versionOf(parseXml(bus.cibs()[0] ?? "<cib/>"))[1];
const decisions = (bus: ControllerBus) => bus.log.filter((line) => line.includes(" CONFIG-CHANGED ")).length;

/** A `<configuration>` with these cluster properties. */
const withPairs = (pairs: string, set = "cib-bootstrap-options"): XmlElement =>
  parseXml(
    `<configuration><crm_config><cluster_property_set id="${set}">${pairs}</cluster_property_set></crm_config></configuration>`,
  );

describe("the cluster's own properties", () => {
  test("are written once, by the leader, when a cluster begins", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    const before = epoch(bus);
    bus.run(100);
    expect(properties(bus)).toEqual(four);
    expect(bus.cibs()[0]).toContain('<cluster_property_set id="cib-bootstrap-options">');
    expect(bus.cibs()[0]).toContain('id="cib-bootstrap-options-cluster-name"');
    expect(epoch(bus)).toBe(before + 1);
    expect(bus.log.filter((line) => line.includes("CONFIG-CHANGED"))).toEqual(
      ["n1", "n2", "n3"].map(
        (name) => `${name} CONFIG-CHANGED configuration changed by hacluster (crmd) on n1`,
      ),
    );
  });

  test("cost nothing where they stand already: another leader, another start, an hour", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    const [before, decided] = [epoch(bus), decisions(bus)];
    bus.crash("n1");
    bus.run(60_000);
    bus.boot("n1");
    bus.killManager("n2");
    bus.restartManager("n2");
    bus.run(3_600_000);
    // A crash and a start are no change of theirs; the node's coming is counted by itself.
    expect([epoch(bus), decisions(bus)]).toEqual([before, decided]);
  });

  test("follow the leader: one of another version says its own", () => {
    const bus = cluster((name) => ({ ...traits, version: name === "n1" ? "old" : "new" }));
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    expect(properties(bus)["dc-version"]).toBe("old");
    bus.crash("n1");
    bus.run(60_000);
    expect(properties(bus)["dc-version"]).toBe("new");
  });

  test("leave a name that somebody gave, also when the ring has another one", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    bus.configure("property cluster-name=ours");
    bus.run(1000);
    bus.killManager("n1");
    bus.restartManager("n1");
    bus.run(60_000);
    expect(properties(bus)["cluster-name"]).toBe("ours");
  });

  test("say no name where the ring has none", () => {
    const bus = cluster(() => ({ version: "v" }));
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    expect(Object.keys(properties(bus))).not.toContain("cluster-name");
  });

  test("are put back at once where somebody takes them away or says others, each time with one change", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    const others =
      '<nvpair id="v" name="dc-version" value="1"/><nvpair id="i" name="cluster-infrastructure" value="x"/>';
    for (const pairs of ["", others]) {
      const set = `<cluster_property_set id="cib-bootstrap-options">${pairs}</cluster_property_set>`;
      bus.apply([{ op: "replace", scope: "configuration", xml: `<crm_config>${set}</crm_config>` }]);
      const before = epoch(bus);
      bus.run(1000);
      expect([properties(bus), epoch(bus)]).toEqual([four, before + 1]);
    }
    const settled = epoch(bus);
    bus.run(3_600_000);
    expect(epoch(bus)).toBe(settled);
  });

  test("are there again after everything was erased", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    bus.apply([{ op: "erase" }]);
    expect(properties(bus)).toEqual({});
    bus.run(1000);
    expect(properties(bus)).toEqual(four);
  });

  test("let a rule on #cluster-name hold in the first decision", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    bus.configure(
      "property stonith-enabled=false\nprimitive a ocf:test:A\nlocation l a rule -inf: #cluster-name ne shop\nlocation m a rule 10: #cluster-name eq shop and #uname eq n3",
    );
    bus.run(2000);
    expect(bus.where("a").join()).toBe("n3");
    expect(bus.executed.filter(({ operation }) => operation.action === "start")).toHaveLength(1);
  });

  test("are not written without quorum", () => {
    const bus = cluster();
    bus.quorate = false;
    bus.boot("n1", "n2", "n3");
    bus.run(60_000);
    expect(properties(bus)).toEqual({});
    bus.quorate = true;
    bus.boot();
    bus.run(100);
    expect(properties(bus)).toEqual(four);
  });

  test("are not written into a copy that may be older than what was lost", () => {
    const lost = () => [0, 3, 0] as const;
    const bus = new ControllerBus(3, undefined, lost, undefined, undefined, () => traits);
    bus.boot("n1", "n2", "n3");
    bus.run(60_000);
    expect(properties(bus)).toEqual({});
    bus.apply([{ op: "accept" }]);
    bus.killManager("n3");
    bus.restartManager("n3");
    bus.run(100);
    expect(properties(bus)).toEqual(four);
  });

  test("tell nobody that a watchdog fences, whoever says so", () => {
    const bus = cluster();
    bus.boot("n1", "n2", "n3");
    bus.run(1000);
    bus.configure("property have-watchdog=true\nprimitive a ocf:test:A");
    const before = epoch(bus);
    bus.run(5000);
    expect(properties(bus)["have-watchdog"]).toBe("false");
    expect(epoch(bus)).toBe(before + 1);
    // Fencing is enabled, and there is no device.
    expect(bus.where("a")).toEqual([]);
  });

  test("are asked for once where the members refuse them", () => {
    const taken = emptyCib();
    const configuration = taken.children.find(({ name }) => name === "configuration");
    configuration?.children
      .find(({ name }) => name === "resources")
      ?.children.push(
        parseXml('<primitive id="cib-bootstrap-options-dc-version" class="ocf" provider="test" type="A"/>'),
      );
    const bus = cluster(undefined, () => parseXml(formatXml(taken)));
    bus.boot("n1", "n2", "n3");
    bus.run(60_000);
    expect(properties(bus)).toEqual({});
    const refused = bus.log.filter((line) => line.includes("PROPERTIES-REFUSED"));
    expect(refused).toHaveLength(1);
    expect(refused[0]).toContain("cib-bootstrap-options-dc-version");
  });
});

describe("which properties are missing", () => {
  test("none where all stand, in whatever set and spelling", () => {
    const pairs =
      '<nvpair id="a" name="have-watchdog" value="0"/><nvpair id="b" name="dc-version" value="3.0.0-test"/>' +
      '<nvpair id="c" name="cluster-infrastructure" value="corosync"/><nvpair id="d" name="cluster-name" value="other"/>';
    expect(missingProperties(withPairs(pairs, "mine"), traits)).toBeUndefined();
  });

  test("those that differ are set where they stand", () => {
    const found = missingProperties(
      withPairs('<nvpair id="b" name="dc-version" value="1"/>', "mine"),
      traits,
    );
    expect(found).toMatchObject({ op: "modify", create: true });
    const xml = found?.op === "modify" ? found.xml : "";
    expect(xml).toContain(
      '<cluster_property_set id="mine"><nvpair id="b" name="dc-version" value="3.0.0-test"/></cluster_property_set>',
    );
    expect(xml).toContain(
      '<nvpair id="cib-bootstrap-options-cluster-name" name="cluster-name" value="shop"/>',
    );
  });
});
