import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  applyOperations,
  child,
  childrenOf,
  formatCrm,
  formatXml,
  loadCrm,
  parseXml,
  upgradeCib,
  verifyCib,
  type XmlElement,
} from "../src/cib/index.ts";
import { emptyCib } from "../src/controller/index.ts";
import { devicesFromCib } from "../src/fencer/index.ts";
import { schedule } from "../src/scheduler/index.ts";
import { HactlError, nodeName } from "../src/terms/index.ts";
import { hactl } from "./cli/run.ts";
import { ControllerBus } from "./harness/controller-bus.ts";

/** Names that every object has. */
const names = Object.getOwnPropertyNames(Object.prototype);

describe("tables that are asked by names from outside", () => {
  const source = join(import.meta.dir, "..", "src");
  const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
  const texts = new Map(files.map((name) => [name, readFileSync(join(source, name), "utf8")]));
  /** Constants that are plain objects, by the file that has them. */
  const plain = new Map(
    [...texts].map(([name, text]) => {
      const found = text.matchAll(
        /^ *(?:export )?const (\w+)(?:: [^=]*?(?:=>[^=]*?)*)? =\s+(?:\{|Object\.fromEntries\()/gm,
      );
      return [name, new Set([...found].map((match) => match[1] ?? ""))] as const;
    }),
  );
  const exported = new Set([...plain.values()].flatMap((found) => [...found]));

  test("are made by lookup(), are Maps, or are asked by Object.hasOwn", () => {
    const offences = [...texts].flatMap(([name, text]) =>
      text.split("\n").flatMap((line, index) => {
        if (line.includes("Object.hasOwn")) return [];
        return [...line.matchAll(/(?<![\w.])(\w+)\[(?!["'`\d\]])[^\]]*\]/g)].flatMap(([use, table = ""]) => {
          const own = plain.get(name)?.has(table);
          const others = exported.has(table) && new RegExp(`import[^;]*\\b${table}\\b[^;]*from`).test(text);
          return own || others ? [`${name}:${index + 1}: ${use}`] : [];
        });
      }),
    );
    // The members of a shape are those that its reader names.
    expect(offences.filter((line) => !line.startsWith("terms/reading.ts"))).toEqual([]);
  });

  test("the scan sees such tables at all", () => {
    expect([...texts.values()].join("\n").match(/= lookup\(/g)?.length).toBeGreaterThan(40);
    expect(exported.size).toBeGreaterThan(20);
  });
});

const pairs = (id: string) =>
  names.map((name, index) => `<nvpair id="${id}-${index}" name="${name}" value="true"/>`).join("");
const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="test" type="A">${inner}</primitive>`;
const each = (make: (name: string, index: number) => string) => names.map(make).join("");

/** Places of a configuration where somebody chooses a name. */
const places: Readonly<Record<string, string>> = {
  properties: `<crm_config><cluster_property_set id="ps">${pairs("p")}</cluster_property_set></crm_config>`,
  "ids of resources": `<resources>${each((name) => dummy(name))}</resources>`,
  "meta attributes": `<resources>${dummy("p", `<meta_attributes id="m">${pairs("m")}</meta_attributes>`)}</resources>`,
  parameters: `<resources>${dummy("p", `<instance_attributes id="i">${pairs("i")}</instance_attributes>`)}</resources>`,
  utilization: `<resources>${dummy("p", `<utilization id="u">${pairs("u")}</utilization>`)}</resources>`,
  operations: `<resources>${dummy("p", `<operations>${each((name, i) => `<op id="o${i}" name="${name}" interval="${i + 1}s" role="${name}" on-fail="${name}" timeout="${name}"><meta_attributes id="om${i}">${pairs(`om${i}`)}</meta_attributes></op>`)}</operations>`)}</resources>`,
  agents: `<resources>${each((name, i) => `<primitive id="a${i}" class="ocf" provider="${name}" type="${name}"/><primitive id="f${i}" class="stonith" type="${name}"><instance_attributes id="fi${i}"><nvpair id="fh${i}" name="pcmk_host_argument" value="${name}"/><nvpair id="fm${i}" name="pcmk_host_map" value="${name}:1"/></instance_attributes></primitive><primitive id="c${i}" class="${name}" type="x"/>`)}</resources>`,
  "classes of clones": `<resources><clone id="c"><meta_attributes id="m">${pairs("m")}</meta_attributes>${dummy("p")}</clone></resources>`,
  nodes: `<nodes>${each((name, i) => `<node id="${100 + i}" uname="${name}" type="${name}"><instance_attributes id="n${i}">${pairs(`n${i}`)}</instance_attributes><utilization id="nu${i}">${pairs(`nu${i}`)}</utilization></node>`)}</nodes>`,
  defaults: `<rsc_defaults><meta_attributes id="rd">${pairs("rd")}</meta_attributes></rsc_defaults>`,
  "defaults of operations": `<op_defaults><meta_attributes id="od">${pairs("od")}</meta_attributes></op_defaults>`,
  constraints: `<constraints>${each((name, i) => `<rsc_location id="l${i}" rsc="p" node="${name}" score="${name}" role="${name}" resource-discovery="${name}"/><rsc_colocation id="k${i}" rsc="p" with-rsc="q" score="1" node-attribute="${name}" rsc-role="${name}"/><rsc_order id="r${i}" first="p" then="q" kind="${name}" first-action="${name}" then-action="${name}" symmetrical="${name}"/><rsc_ticket id="t${i}" rsc="p" ticket="${name}" loss-policy="${name}"/>`)}</constraints>`,
  rules: `<constraints><rsc_location id="l" rsc="p"><rule id="r" score="1" boolean-op="or">${each((name, i) => `<expression id="e${i}" attribute="${name}" operation="${name}" type="${name}" value="${name}" value-source="${name}"/><date_expression id="d${i}" operation="${name}" start="${name}"/>`)}</rule></rsc_location></constraints>`,
  levels: `<fencing-topology>${each((name, i) => `<fencing-level id="fl${i}" index="1" target="${name}" devices="${name}"/>`)}</fencing-topology>`,
  tags: `<tags>${each((name, i) => `<tag id="tag${i}"><obj_ref id="${name}"/></tag>`)}</tags>`,
  "access rules": `<acls>${each((name, i) => `<acl_role id="role${i}"><acl_permission id="ap${i}" kind="${name}" object-type="${name}" attribute="${name}"/></acl_role>`)}</acls>`,
};

/** Runs it; only errors of ours may come out. */
function survives(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
  }
}

/** A configuration with two resources and this. */
function configured(xml: string): XmlElement {
  const cib = emptyCib();
  const part = parseXml(xml);
  const configuration = child(cib, "configuration");
  const section = configuration && child(configuration, part.name);
  if (section) section.children.push(...part.children);
  else configuration?.children.push(part);
  child(configuration, "resources")?.children.push(
    ...childrenOf(parseXml(`<x>${dummy("p").replace('id="p"', 'id="first"')}${dummy("q")}</x>`), "primitive"),
  );
  return cib;
}

describe("names that every object has", () => {
  for (const [place, xml] of Object.entries(places)) {
    test(`as ${place}: every core takes them for names`, () => {
      const cib = configured(xml);
      survives(() => verifyCib(cib));
      const { root } = upgradeCib(cib);
      survives(() => devicesFromCib(child(root, "configuration") ?? root, 0));
      schedule({ cib: root, now: 1_767_225_600, explain: true, unrunnable: true });
      survives(() => loadCrm(formatCrm(child(root, "configuration") ?? root), undefined, "update"));
      survives(() => applyOperations(emptyCib(), [{ op: "modify", xml, create: true }]));
      // What one does not set stays as it is.
      if (place === "properties")
        expect(schedule({ cib: root, now: 1 }).stonithTimeoutMs).toBe(
          schedule({ cib: emptyCib(), now: 1 }).stonithTimeoutMs,
        );
    });

    test(`as ${place}: a cluster that is configured so goes on`, () => {
      const bus = new ControllerBus(2);
      bus.boot("n1", "n2");
      bus.run(100);
      survives(() => bus.apply([{ op: "modify", xml, create: true }], "n2"));
      bus.run(2000);
      expect(bus.log.filter((line) => /NOT-APPLIED|NO-DECISION|DEFECT/.test(line))).toEqual([]);
      expect(bus.cibs()).toHaveLength(1);
    });
  }

  test("as transient attributes: they are attributes", () => {
    const bus = new ControllerBus(2);
    bus.boot("n1", "n2");
    bus.run(100);
    const updates = names.map((name) => ({ node: nodeName("n1"), name, value: "x" }));
    bus.step("n2", { type: "attribute-request", request: "r", updates });
    bus.run(1000);
    for (const name of names)
      expect(bus.node("n1").controller.attributeValues(name).get(nodeName("n1"))).toBe("x");
    const cib = formatXml(bus.node("n2").controller.view().cib);
    for (const name of names) expect(cib).toContain(`name="${name}" value="x"`);
    expect(bus.cibs()).toHaveLength(1);
  });

  test.each(["constructor", "__proto__", "toString"])("as the command %s: there is none", async (name) => {
    for (const run of [await hactl([name]), await hactl(["internal", name]), await hactl([], {}, name)]) {
      expect(run.err).not.toMatch(/TypeError|defect/);
      expect(run.code).toBeGreaterThan(0);
    }
  });
});
