import { describe, expect, test } from "bun:test";
import { actionsNamed, actionText, explainAction } from "../../src/cli/render/action-explanation.ts";
import { explainResource, explanationText, resourcesNamed } from "../../src/cli/render/explanation.ts";
import {
  type GraphAction,
  type Reason,
  schedule,
  type Transition,
  unpackCluster,
} from "../../src/scheduler/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { transitionWith } from "../harness/transition.ts";
import { type ClusterFixture, cib, healthy, meta, primitive } from "./render-fixture.ts";

const now = 1_700_003_600;
const clusterOf = (fixture: ClusterFixture) => unpackCluster(cib(fixture), now);
const reason = (
  rsc: string,
  node: string,
  score: number,
  source: string,
  id: string,
  text: string,
): Reason => ({
  rsc,
  node: nodeName(node),
  score,
  source,
  id,
  text,
});

function explained(fixture: ClusterFixture, transition: Transition, id: string, node?: string): string {
  const cluster = clusterOf(fixture);
  return resourcesNamed(cluster, id)
    .map((rsc) => explanationText(explainResource(cluster, transition, rsc, node)))
    .join("\n");
}

describe("why a resource is where it is", () => {
  const ip = transitionWith({
    placement: [{ rsc: "ip", role: "Started", node: nodeName("alpha") }],
    scores: [
      "group: ip allocation score on alpha: 5",
      "primitive: ip allocation score on alpha: 100",
      "primitive: ip allocation score on beta: -INFINITY",
    ],
    ledger: [
      reason("ip", "alpha", 100, "location", "loc-ip", "location constraint loc-ip prefers alpha"),
      reason(
        "ip",
        "beta",
        -1_000_000,
        "location",
        "cli-ban-ip-on-beta",
        "location constraint cli-ban-ip-on-beta speaks against beta",
      ),
      reason("web", "beta", -1_000_000, "location", "other", "about another resource"),
    ],
  });

  test("every score with what gave it, and what would have to change", () => {
    expect(explained(healthy, ip, "ip")).toBe(`ip is Started on alpha and stays there.
alpha: chosen, score 100
        +100  location constraint loc-ip prefers alpha
beta: not chosen, score -INFINITY
   -INFINITY  location constraint cli-ban-ip-on-beta speaks against beta
  → lift the ban: hactl resource clear ip`);
  });

  test("only one node", () => {
    expect(explained(healthy, ip, "ip", "beta")).not.toContain("alpha: chosen");
  });

  test("a group and a clone are explained part by part", () => {
    expect(resourcesNamed(clusterOf(healthy), "grp").map(({ id }) => id)).toEqual(["ip", "web"]);
    expect(resourcesNamed(clusterOf(healthy), "ping")).toHaveLength(2);
    expect(resourcesNamed(clusterOf(healthy), "nosuch")).toEqual([]);
  });

  test("stopped on purpose, in standby, failed too often", () => {
    const fixture: ClusterFixture = {
      nodes: [
        { name: "alpha", attributes: { standby: "on" } },
        { name: "beta", transient: { "fail-count-web#start_0": "INFINITY" } },
        { name: "gamma", state: "offline" },
      ],
      resources: primitive("web", meta("web", { "target-role": "Stopped" })) + primitive("fence1"),
    };
    const decided = schedule({ cib: cib(fixture), now, explain: true });
    expect(explained(fixture, decided, "web")).toBe(`web is stopped and stays so.
              its target-role is Stopped
  → start it: hactl resource start web
alpha: not chosen, score -INFINITY
   -INFINITY  it shall be stopped
   -INFINITY  the node is standby
  → take alpha out of standby: hactl node online alpha
beta: not chosen, score -INFINITY
   -INFINITY  a failure of web there keeps it away for good; not forgotten by itself (no failure-timeout)
   -INFINITY  it shall be stopped
  → repair it, then: hactl resource cleanup web beta
gamma: not chosen, score -INFINITY
   -INFINITY  it shall be stopped
   -INFINITY  the node is OFFLINE
  → start hactl on gamma`);
  });

  test("a remote host is not started by what starts a member", () => {
    const said = (settings: string, transient: Record<string, string>) => {
      const far = `<primitive id="far" class="ocf" provider="pacemaker" type="remote">${settings}</primitive>`;
      const fixture: ClusterFixture = {
        nodes: [{ name: "alpha", transient }],
        properties: { "stonith-enabled": "false" },
        resources: far + primitive("web") + primitive("fence1"),
      };
      return explained(fixture, schedule({ cib: cib(fixture), now, explain: true }), "web");
    };
    expect(said("", { "fail-count-far#start_0": "INFINITY" })).toContain(
      "→ start hactl-remote.service on far",
    );
    const stopped = said(meta("far", { "target-role": "Stopped" }), {});
    expect(stopped).toContain("→ let it run: hactl resource start far");
    expect(stopped).not.toContain("hactl on far");
  });

  test("what must be with another may not be elsewhere", () => {
    const bound = transitionWith({
      placement: [{ rsc: "web", role: "Started", node: nodeName("alpha") }],
      scores: ["primitive: web allocation score on beta: -INFINITY"],
      ledger: [
        reason("web", "beta", -1_000_000, "colocation", "col-web", "col-web: with ip, which goes to alpha"),
      ],
    });
    const text = explained(healthy, bound, "web", "beta");
    expect(text).toContain(
      "beta: not chosen, score -INFINITY\n   -INFINITY  col-web: with ip, which goes to alpha\n",
    );
    expect(text).toContain("  → change the colocation col-web, or what it depends on");
  });

  test("an instance that gets no place is not taken for another that does", () => {
    const fixture: ClusterFixture = {
      nodes: [{ name: "alpha" }, { name: "beta", attributes: { standby: "on" } }],
      resources: `<clone id="c">${primitive("a")}</clone>${primitive("fence1")}`,
    };
    const text = explained(fixture, schedule({ cib: cib(fixture), now, explain: true }), "c");
    expect(text.match(/wants it Started on alpha/g)).toHaveLength(1);
    expect(text).toContain("a:1 is stopped and stays so: no node may run it.");
  });

  test("what is planned is told with the lines of the summary", () => {
    const moved = transitionWith({
      placement: [{ rsc: "web", role: "Started", node: nodeName("beta") }],
      summary: ["Move web ( alpha -> beta )", "Move website ( alpha -> beta )"],
    });
    const text = explained(healthy, moved, "web");
    expect(text).toStartWith(
      "web is Started on alpha; the cluster wants it Started on beta.\nPlanned: Move web ( alpha -> beta )\n",
    );
    expect(text).not.toContain("website");
  });
});

describe("why an action is needed", () => {
  const base = {
    kind: "rsc",
    intervalMs: 0,
    timeoutMs: 0,
    startDelayMs: 0,
    expectedRc: 0,
    canFail: false,
    priority: 0,
    params: {},
  } as const;
  const rsc = { id: "web", class: "ocf", provider: "heartbeat", type: "apache" };
  const actions: GraphAction[] = [
    {
      ...base,
      id: 1,
      kind: "crm",
      task: "stonith",
      key: "stonith-beta-reboot",
      node: nodeName("beta"),
      inputs: [],
    },
    { ...base, id: 2, task: "start", key: "web_start_0", node: nodeName("alpha"), rsc, inputs: [1] },
    { ...base, id: 3, task: "monitor", key: "web_monitor_10000", node: nodeName("alpha"), rsc, inputs: [2] },
  ];
  const transition = transitionWith({
    actions,
    summary: ["Fence (reboot) beta 'peer is no longer part of the cluster'", "Move web ( beta -> alpha )"],
    fencing: [{ node: nodeName("beta"), action: "reboot", reason: "peer is no longer part of the cluster" }],
  });
  const text = (key: string) =>
    actionsNamed(transition, key)
      .map((action) => actionText(explainAction(transition, action)))
      .join("\n");

  test("what it waits for and what waits for it", () => {
    expect(text("web_start_0")).toBe(`web_start_0 on alpha: an agent is run
Needed because:
  Move web ( beta -> alpha )
Waits for:
  stonith-beta-reboot on beta
Must be done before:
  web_monitor_10000 on alpha`);
  });

  test("fencing names the cause", () => {
    expect(text("stonith-beta-reboot")).toBe(`stonith-beta-reboot on beta: done by the controller
Needed because:
  Fence (reboot) beta 'peer is no longer part of the cluster'
  peer is no longer part of the cluster
Waits for nothing: it can run at once.
Must be done before:
  web_start_0 on alpha`);
  });

  test("the beginning of a key means all that begin so", () => {
    expect(actionsNamed(transition, "web").map(({ key }) => key)).toEqual([
      "web_start_0",
      "web_monitor_10000",
    ]);
    expect(actionsNamed(transition, "nosuch")).toEqual([]);
  });
});
