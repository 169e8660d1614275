import { describe, expect, test } from "bun:test";
import { clusterProperties, parseXml, selectXpath, type XmlElement } from "../../src/cib/index.ts";
import { deviceOptions } from "../../src/fencer/index.ts";
import { daemonNames } from "../../src/terms/index.ts";
import { hactl } from "./run.ts";

const parameters = (text: string) =>
  new Map(
    selectXpath(parseXml(text), "//parameter").map(({ element }) => [
      element.attributes.get("name"),
      element,
    ]),
  );
const content = (parameter: XmlElement | undefined) =>
  Object.fromEntries(parameter?.children.find(({ name }) => name === "content")?.attributes ?? []);

describe("the meta-data of the daemons", () => {
  test("has every option of the cluster and of fence devices once, with its default", async () => {
    const found = new Map<string | undefined, XmlElement>();
    for (const name of daemonNames) {
      const { code, out } = await hactl([name, "metadata"], { HACTL_API_VERSION: "2.42" });
      expect([name, code]).toEqual([name, 0]);
      const root = parseXml(out);
      expect([root.name, root.attributes.get("name")]).toEqual(["resource-agent", name]);
      for (const [option, parameter] of parameters(out)) {
        expect([option, found.has(option)]).toEqual([option, false]);
        found.set(option, parameter);
      }
    }
    for (const spec of [...clusterProperties, ...deviceOptions]) {
      // Nobody sets these any more.
      if (spec.name === "last-lrm-refresh" || spec.name === "remove-after-stop") continue;
      // That of the whole cluster counts where a device has none.
      const ofCluster = /^pcmk_(?:reboot|off|on|list|monitor|status)_timeout$/.test(spec.name);
      const fallback = ofCluster ? "60s" : spec.default;
      expect([spec.name, content(found.get(spec.name)).default]).toEqual([spec.name, fallback]);
    }
    // The names that configurations and other programs still use.
    for (const name of [
      "stonith-enabled",
      "stonith-watchdog-timeout",
      "fence-reaction",
      "stop-orphan-actions",
    ])
      expect([name, found.has(name)]).toEqual([name, true]);
  });

  test("has what a program of an older release expects, by the names and values of then", async () => {
    const of = async (name: string, api: string) =>
      parameters((await hactl([name, "metadata"], { HACTL_API_VERSION: api })).out);
    const values = (parameter: XmlElement | undefined) =>
      parameter === undefined
        ? []
        : selectXpath(parameter, "//option").map(({ element: one }) => one.attributes.get("value"));
    const [then, now] = [await of("pacemaker-schedulerd", "2.25"), await of("pacemaker-schedulerd", "2.42")];
    for (const name of ["fencing-enabled", "cancel-removed-actions", "node-pending-timeout"])
      expect([name, then.has(name), now.has(name)]).toEqual([name, false, true]);
    expect([then.has("remove-after-stop"), now.has("remove-after-stop")]).toEqual([true, false]);
    expect(values(then.get("no-quorum-policy"))).toEqual(["stop", "freeze", "ignore", "demote", "suicide"]);
    expect(values(now.get("no-quorum-policy"))).toContain("fence");
    // What it would be replaced with is not known there.
    expect(selectXpath(then.get("stonith-enabled") ?? parseXml("<x/>"), "//deprecated")).toEqual([]);
    expect((await of("pacemaker-schedulerd", "2.32")).has("node-pending-timeout")).toBe(true);
  });

  test("and a version, which crmsh asks for", async () => {
    expect(await hactl(["pacemaker-controld", "version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^CRM Version: \d+\.\d+\.\d+ \(hactl /),
    });
  });

  test("starts nothing", async () => {
    expect((await hactl(["pacemaker-based"])).code).toBe(64);
    expect((await hactl(["pacemaker-fenced", "metadata", "now"])).code).toBe(64);
  });
});

describe("--list-options", () => {
  test("shows what most need; --all the rest", async () => {
    const few = (await hactl(["crm_attribute", "--list-options=cluster"])).out;
    expect(few).toContain("  * no-quorum-policy: ");
    expect(few).toContain('    * Possible values: "stop" (default), "freeze"');
    expect(few).not.toContain("stonith-enabled");
    const all = (await hactl(["crm_attribute", "--list-options", "cluster", "--all"])).out;
    expect(all.indexOf("ADVANCED OPTIONS")).toBeGreaterThan(few.length - 1);
    expect(all).toContain(
      "    * stonith-enabled: Older name of fencing-enabled\n      * Possible values: boolean (default: true)",
    );
  });

  test("in XML says of each whether few need it and what has taken its place", async () => {
    const all = parameters((await hactl(["crm_attribute", "--list-options=cluster", "--output-as=xml"])).out);
    expect(all.get("startup-fencing")?.attributes.get("advanced")).toBe("1");
    expect(all.get("dc-version")?.attributes.get("generated")).toBe("1");
    const [replacement] = all.get("stonith-action")?.children[0]?.children ?? [];
    expect(replacement?.attributes.get("name")).toBe("fencing-action");
  });

  test("has the cluster's options in the order and of the kinds that other programs know", async () => {
    const { out } = await hactl(["crm_attribute", "--list-options=cluster", "--output-as=xml"]);
    const all = parameters(out);
    expect([...all.keys()].slice(0, 3)).toEqual(["dc-version", "cluster-infrastructure", "cluster-name"]);
    expect(content(all.get("dc-version"))).toEqual({ type: "version" });
    expect(content(all.get("fencing-watchdog-timeout")).type).toBe("timeout");
    expect(content(all.get("fencing-max-attempts")).type).toBe("score");
    expect(all.has("remove-after-stop")).toBe(false);
    const values = selectXpath(parseXml(out), "//parameter[@name='fencing-action']//option");
    expect(values.map(({ element }) => element.attributes.get("value"))).toEqual(["reboot", "off"]);
  });

  test("crm_resource knows meta attributes and fence parameters, stonith_admin the latter", async () => {
    const primitive = parameters(
      (await hactl(["crm_resource", "--list-options=primitive", "--output-as=xml"])).out,
    );
    expect(content(primitive.get("migration-threshold"))).toEqual({ type: "score", default: "INFINITY" });
    for (const tool of ["crm_resource", "stonith_admin"]) {
      const { out } = await hactl([tool, "--list-options=fencing", "--output-as=xml"]);
      expect(content(parameters(out).get("pcmk_action_limit"))).toEqual({ type: "integer", default: "1" });
    }
    for (const words of [
      ["crm_resource", "--list-options=cluster"],
      ["stonith_admin", "--list-options=primitive"],
    ])
      expect((await hactl(words)).code).toBe(64);
  });
});
