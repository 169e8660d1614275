import { describe, expect, test } from "bun:test";
import { actionsNamed, explainAction } from "../../src/cli/render/action-explanation.ts";
import { explainResource, explanationText, resourcesNamed } from "../../src/cli/render/explanation.ts";
import { schedule, unpackCluster } from "../../src/scheduler/index.ts";
import { type ClusterFixture, cib, meta, type NodeFixture, primitive } from "./render-fixture.ts";

const now = 1_700_003_600;
const noFencing = { "stonith-enabled": "false" };
const [alpha, beta]: readonly [NodeFixture, NodeFixture] = [{ name: "alpha" }, { name: "beta" }];
const webOnAlpha: NodeFixture = { name: "alpha", done: [{ rsc: "web", task: "start" }] };

const decide = (fixture: ClusterFixture) =>
  schedule({ cib: cib({ properties: noFencing, ...fixture }), now, explain: true });

/** Lines of the explanation of a resource, squeezed. */
function lines(fixture: ClusterFixture, id: string): string[] {
  const cluster = unpackCluster(cib({ properties: noFencing, ...fixture }), now);
  const transition = decide(fixture);
  return resourcesNamed(cluster, id)
    .flatMap((rsc) => explanationText(explainResource(cluster, transition, rsc)).split("\n"))
    .map((line) => line.trim().replace(/ +/g, " "));
}

describe("what is said is true, and what would have to change is named", () => {
  test.each<[string, ClusterFixture, string[], string[]]>([
    [
      "no quorum: it stops, and does not stay",
      { nodes: [webOnAlpha, { name: "beta", state: "offline" }], resources: primitive("web"), quorum: false },
      [
        "web is Started on alpha and will be stopped.",
        "alpha: would be chosen, score 0",
        "there is no quorum (no-quorum-policy=stop)",
        "→ bring nodes back until there is quorum",
      ],
      [],
    ],
    [
      "no fence device: nothing starts anywhere",
      { nodes: [alpha], resources: primitive("web"), properties: {} },
      [
        "web is stopped and stays so.",
        "fencing is enabled, but there is no fence device: the cluster starts nothing",
        "→ configure a fence device, or set fencing-enabled=false where no data is shared",
      ],
      ["no node may run it"],
    ],
    [
      "an order that cannot be kept",
      {
        nodes: [alpha],
        resources: primitive("db", meta("db", { "target-role": "Stopped" })) + primitive("web"),
        constraints: '<rsc_order id="db-first" first="db" then="web"/>',
      },
      [
        "web is stopped; the cluster wants it Started on alpha, but cannot do that now.",
        "it waits for the start of db, which cannot be done (order db-first)",
        "→ see why: hactl explain db",
      ],
      [],
    ],
    [
      "a stop that failed blocks it: it is not unmanaged",
      {
        nodes: [
          {
            name: "alpha",
            transient: { "fail-count-web#stop_0": "INFINITY" },
            done: [
              { rsc: "web", task: "start" },
              { rsc: "web", task: "stop", rc: 1, status: 4, failure: true, reason: "it hangs" },
            ],
          },
          beta,
        ],
        resources: primitive("web"),
      },
      [
        "web is Started on alpha and has failed there; it is blocked and left as it is.",
        "→ repair it, then: hactl resource cleanup web",
        "what failed there last: stop: Error occurred – it hangs (2023-11-14 22:13:20Z)",
      ],
      ["hactl resource manage"],
    ],
    [
      "a node in maintenance: it is not unmanaged either",
      { nodes: [{ ...webOnAlpha, attributes: { maintenance: "true" } }, beta], resources: primitive("web") },
      [
        "alpha is in maintenance: the cluster leaves it as it is",
        "→ end the maintenance: hactl node ready alpha",
        "-INFINITY the node is in maintenance",
      ],
      ["hactl resource manage"],
    ],
    [
      "unmanaged by itself",
      { nodes: [webOnAlpha], resources: primitive("web", meta("web", { "is-managed": "false" })) },
      ["it is unmanaged: the cluster leaves it as it is", "→ manage it again: hactl resource manage web"],
      [],
    ],
    [
      "active twice",
      { nodes: [webOnAlpha, { ...webOnAlpha, name: "beta" }], resources: primitive("web") },
      [
        "it is active on 2 nodes: it is stopped on all of them and started on one (multiple-active=stop_start)",
      ],
      [],
    ],
    [
      "not configured any more",
      { nodes: [webOnAlpha], resources: primitive("ip") },
      [
        "web is Started on alpha and will be stopped.",
        "it is not configured any more: what is left of it is stopped",
      ],
      ["→ repair it, then: hactl resource cleanup web alpha"],
    ],
    [
      "software that is missing on a node",
      {
        nodes: [
          { name: "alpha", done: [{ rsc: "web", task: "monitor", rc: 5, expected: 7, status: 4 }] },
          beta,
        ],
        resources: primitive("web"),
      },
      [
        "-INFINITY what its history says of it there keeps it away",
        "what failed there last: probe: Not installed (2023-11-14 22:13:20Z)",
        "→ repair it, then: hactl resource cleanup web alpha",
      ],
      [],
    ],
    [
      "a rule, with what its attributes are there",
      {
        nodes: [{ name: "alpha", transient: { pingd: "0" } }, beta],
        resources: primitive("web"),
        constraints:
          '<rsc_location id="net" rsc="web"><rule id="r" score="-INFINITY" boolean-op="or"><expression id="e1" attribute="pingd" operation="not_defined"/><expression id="e2" attribute="pingd" operation="lte" value="0"/></rule></rsc_location>',
      },
      [
        "-INFINITY location constraint net, rule r: pingd not_defined or pingd lte 0 (here pingd is 0)",
        "-INFINITY location constraint net, rule r: pingd not_defined or pingd lte 0 (here pingd is not defined)",
        "→ change the constraint: hactl configure show net",
      ],
      [],
    ],
    [
      "a ticket",
      {
        nodes: [alpha],
        resources: primitive("web"),
        constraints: '<rsc_ticket id="t" rsc="web" ticket="siteA" loss-policy="stop"/>',
      },
      [
        "→ make sure that no other site has the ticket, then let this site have it: crm_ticket --ticket siteA --grant --force",
      ],
      [],
    ],
    [
      "nodes that discovery is kept to",
      {
        nodes: [alpha, beta],
        resources: primitive("web"),
        constraints:
          '<rsc_location id="only" rsc="web" node="beta" score="0" resource-discovery="exclusive"/>',
      },
      ["→ change the constraint: hactl configure show only"],
      [],
    ],
    [
      "who is promoted",
      {
        nodes: [{ name: "alpha", transient: { "master-db": "5" } }, beta],
        resources: `<clone id="c">${meta("c", { promotable: "true" })}${primitive("db")}</clone>`,
      },
      ["promotion scores: alpha 5, beta -1; the best 1 of at least 0 is promoted"],
      [],
    ],
    [
      "a member of a group that cannot follow",
      {
        nodes: [
          {
            name: "alpha",
            transient: { "fail-count-web#start_0": "INFINITY" },
            done: [{ rsc: "ip", task: "start" }],
          },
          beta,
        ],
        resources: `<group id="g">${primitive("ip")}${primitive("web")}</group>`,
      },
      [
        "-INFINITY its group: where web, which follows it, would like to be",
        "→ see the whole group: hactl explain g",
        "-INFINITY a failure of web there keeps it away for good; not forgotten by itself (no failure-timeout)",
      ],
      [],
    ],
  ])("%s", (_, fixture, expected, absent) => {
    const found = ["web", "db", "g"].flatMap((id) => lines(fixture, id));
    for (const line of expected) expect(found).toContain(line);
    for (const line of absent) expect(found.join("\n")).not.toContain(line);
  });
});

test("a replica's container and its connection have places of their own", () => {
  const fixture: ClusterFixture = {
    nodes: [alpha],
    resources: `<bundle id="b"><podman image="i" replicas="1"/><network control-port="3121"/>${primitive("web")}</bundle>`,
  };
  for (const id of ["b-podman-0", "b-0"])
    expect(lines(fixture, id)[0]).toBe(`${id} is stopped; the cluster wants it Started on alpha.`);
  const inside = lines(fixture, "web");
  expect(inside).toContain("b-0: chosen, score INFINITY");
  expect(inside).toContain("the node is OFFLINE, and is to come up");
});

test("a guest node goes with what it runs in", () => {
  const guest = { "remote-node": "guest" };
  const fixture: ClusterFixture = {
    nodes: [
      {
        name: "alpha",
        done: [
          { rsc: "vm", task: "start" },
          { rsc: "guest", task: "start" },
        ],
      },
    ],
    resources: primitive("vm", meta("vm", { ...guest, "target-role": "Stopped" })) + primitive("web"),
  };
  expect(lines(fixture, "web").join("\n")).toContain(
    "guest: not chosen, score -INFINITY\n-INFINITY the node goes down, as vm will not run",
  );
});

test("an action names what drives it away, and one that is only assumed says why", () => {
  const banned = decide({
    nodes: [webOnAlpha, beta],
    resources: primitive("web"),
    constraints: '<rsc_location id="cli-ban-web" rsc="web" node="alpha" score="-INFINITY"/>',
  });
  const [stop] = actionsNamed(banned, "web_stop_0").map((action) => explainAction(banned, action));
  expect(stop?.reasons).toEqual(["-INFINITY location constraint cli-ban-web"]);
  const fenced = decide({
    nodes: [{ ...webOnAlpha, state: "lost" }, beta],
    resources: primitive("web") + primitive("fence"),
    properties: {},
  });
  const [assumed] = actionsNamed(fenced, "web_stop").map((action) => explainAction(fenced, action));
  expect(assumed?.what).toBe("nothing is run: alpha is fenced, so it counts as done");
  expect(actionsNamed(fenced, "stonith").map(({ key }) => key)).toEqual(["stonith-alpha-reboot"]);
});
