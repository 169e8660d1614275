import { describe, expect, test } from "bun:test";
import { child, childrenOf, parseXml } from "../../src/cib/index.ts";
import { documentText, reportText } from "../../src/cli/answer/index.ts";
import { fileStatusInput, type StatusInput } from "../../src/cli/render/input.ts";
import { monMessages } from "../../src/cli/render/mon/report.ts";
import { monHtml } from "../../src/cli/render/mon-html.ts";
import { legacyMonText } from "../../src/cli/render/mon-legacy.ts";
import { defaultMonOptions, type MonOptions, type MonSection } from "../../src/cli/render/mon-options.ts";
import { simpleStatus } from "../../src/cli/render/mon-simple.ts";
import { unpackCluster } from "../../src/scheduler/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { type ClusterFixture, cib, healthy, primitive } from "./render-fixture.ts";

/** 2023-11-14 23:13:20 UTC; histories of the fixture are an hour older. */
const now = 1_700_003_600;
const options = (
  more: Partial<Omit<MonOptions, "sections">> & { sections?: readonly MonSection[] } = {},
): MonOptions => ({
  ...defaultMonOptions,
  ...more,
  sections: new Set([...defaultMonOptions.sections, ...(more.sections ?? [])]),
});
const inputOf = (fixture: ClusterFixture): StatusInput =>
  fileStatusInput(cib(fixture), now, "0.1.0", "3.20.5");
const messages = (input: StatusInput, shown: MonOptions) =>
  monMessages({ input, cluster: unpackCluster(input.cib, now), options: shown });
const reportOf = (input: StatusInput, shown = options()) =>
  reportText(messages(input, shown), { quiet: false, fancy: true });
const text = (fixture: ClusterFixture, shown = options()) => reportOf(inputOf(fixture), shown);

const troubled: ClusterFixture = {
  ...healthy,
  nodes: healthy.nodes.map((node) =>
    node.name === "alpha"
      ? {
          ...node,
          transient: {
            ...node.transient,
            default_ping_set: "0",
            "fail-count-web#monitor_10000": "2",
            "last-failure-web#monitor_10000": "1700000600",
          },
          done: [
            ...(node.done ?? []),
            {
              rsc: "web",
              task: "monitor",
              intervalMs: 10_000,
              rc: 7,
              at: 1_700_000_600,
              reason: "it died",
              failure: true,
            },
          ],
        }
      : node,
  ),
  constraints: '<rsc_location id="cli-ban-web-on-beta" rsc="web" node="beta" score="-INFINITY"/>',
  tickets: '<tickets><ticket_state id="siteA" granted="true" last-granted="1700000000"/></tickets>',
};

describe("crm_mon, layout of today", () => {
  test("a cluster in order", () => {
    expect(text(healthy)).toBe(`Cluster Summary:
  * Stack: corosync
  * Current DC: alpha (version 0.1.0) - partition with quorum
  * Last updated: Tue Nov 14 23:13:20 2023
  * Last change:  Sat Nov 21 10:00:00 2026 by root via cibadmin on alpha
  * 2 nodes configured
  * 7 resource instances configured

Node List:
  * Online: [ alpha beta ]

Active Resources:
  * fence1\t(stonith:fence_ipmilan):\t Started alpha
  * Resource Group: grp:
    * ip\t(ocf:heartbeat:IPaddr2):\t Started alpha
    * web\t(ocf:heartbeat:apache):\t Started alpha
  * Clone Set: ping-clone [ping]:
    * Started: [ alpha beta ]
  * Clone Set: db-clone [db] (promotable):
    * Promoted: [ alpha ]
    * Unpromoted: [ beta ]
`);
  });

  test("attributes, fail counts, failures, tickets and bans", () => {
    const shown = options({ sections: ["attributes", "failcounts", "tickets", "bans"] });
    const lines = text(troubled, shown);
    expect(lines.slice(lines.indexOf("Node Attributes:"))).toBe(`Node Attributes:
  * Node: alpha:
    * default_ping_set                \t: 0         \t: Connectivity is lost
    * master-db                       \t: 100${" ".repeat(7)}
  * Node: beta:
    * default_ping_set                \t: 100${" ".repeat(7)}
    * master-db                       \t: 10${" ".repeat(8)}

Migration Summary:
  * Node: alpha:
    * web: migration-threshold=1000000 fail-count=2 last-failure='Tue Nov 14 22:23:20 2023'

Failed Resource Actions:
  * web 10s-interval monitor on alpha returned 'Not running' (it died) at Tue Nov 14 22:23:20 2023 after 20ms

Tickets:
  * siteA\tgranted last-granted="Tue Nov 14 22:13:20 2023"

Negative Location Constraints:
  * cli-ban-web-on-beta\tprevents web from running on beta
`);
  });

  test("resources under their nodes, counted by agent", () => {
    const lines = text(healthy, options({ byNode: true, brief: true })).split("\n");
    expect(lines.slice(lines.indexOf("Node List:") + 1)).toEqual([
      "  * Node alpha: online:",
      "    * Resources:",
      "      * 1\t(ocf:heartbeat:IPaddr2):\tActive ",
      "      * 1\t(ocf:heartbeat:apache):\tActive ",
      "      * 1\t(ocf:heartbeat:pgsql):\tActive ",
      "      * 1\t(ocf:pacemaker:ping):\tActive ",
      "      * 1\t(stonith:fence_ipmilan):\tActive ",
      "  * Node beta: online:",
      "    * Resources:",
      "      * 1\t(ocf:heartbeat:pgsql):\tActive ",
      "      * 1\t(ocf:pacemaker:ping):\tActive ",
      "",
    ]);
  });

  test("nothing configured, no DC", () => {
    const input: StatusInput = {
      ...inputOf({ nodes: [{ name: "alpha" }], quorum: false }),
      cib: cib({ nodes: [{ name: "alpha" }], quorum: false }),
    };
    input.cib.attributes.delete("dc-uuid");
    const report = reportOf(input);
    expect(report).toContain("  * Current DC: NONE\n");
    expect(report).toContain("  * No active resources\n");
  });

  test("the running cluster's own head, and its fencing", () => {
    const input: StatusInput = {
      ...inputOf(healthy),
      localNode: nodeName("beta"),
      membership: {
        ringId: "1.8",
        members: [
          { id: 1, name: nodeName("alpha"), participates: true },
          { id: 2, name: nodeName("beta"), participates: true },
        ],
        absent: [],
        quorate: false,
        quorumReason: "",
        votes: 1,
        expectedVotes: 3,
        quorumVotes: 2,
        leader: nodeName("beta"),
        links: [],
      },
      fencing: {
        history: [fenceResult("gamma", true, 1_700_003_000), fenceResult("gamma", false, 1_700_002_000)],
        pending: [],
      },
    };
    const shown = ["fencing-failed", "fencing-pending", "fencing-succeeded"] as const;
    const report = reportOf(input, options({ sections: shown }));
    expect(report).toContain("  * Current DC: beta (version 0.1.0) - partition WITHOUT quorum\n");
    expect(report).toContain("  * Last updated: Tue Nov 14 23:13:20 2023 on beta\n");
    expect(report).toContain(
      "Failed Fencing Actions:\n" +
        "  * reboot of gamma by alpha for controller@beta failed (no power) at 2023-11-14 22:46:40.000000Z (a later attempt from alpha succeeded)\n\n" +
        "Fencing History:\n" +
        "  * reboot of gamma by alpha for controller@beta successful at 2023-11-14 23:03:20.000000Z\n",
    );
    const detailed = reportOf(input, options({ sections: ["fencing-failed"], detail: true }));
    expect(detailed).toContain(
      "  * reboot of gamma failed (no power): delegate=alpha, client=controller, origin=beta, last-failed='2023-11-14 22:46:40.000000Z'",
    );
  });
});

function fenceResult(target: string, ok: boolean, completedAt: number) {
  return {
    id: `${target}-${completedAt}`,
    target: nodeName(target),
    action: "reboot",
    ok,
    executor: nodeName("alpha"),
    devices: ["fence1"],
    reason: ok ? "" : "no power",
    client: "controller",
    origin: nodeName("beta"),
    completedAt,
    deed: ok ? "reset" : "none",
    failures: 0,
    exhausted: false,
  } as const;
}

test("crm_mon, layout of 1.1.12", () => {
  const input = inputOf(troubled);
  const shown = options({ inactive: true, sections: ["attributes", "failcounts"] });
  expect(
    legacyMonText(input, unpackCluster(input.cib, now), shown),
  ).toBe(`Last updated: Tue Nov 14 23:13:20 2023
Last change: Sat Nov 21 10:00:00 2026 by root via cibadmin on alpha
Stack: corosync
Current DC: alpha (1) - partition with quorum
Version: 0.1.0
2 Nodes configured
7 Resources configured


Online: [ alpha beta ]

Full list of resources:

 fence1\t(stonith:fence_ipmilan):\t Started alpha
 Resource Group: grp
     ip\t(ocf::heartbeat:IPaddr2):\t Started alpha
     web\t(ocf::heartbeat:apache):\t FAILED alpha
 Clone Set: ping-clone [ping]
     Started: [ alpha beta ]
 Master/Slave Set: db-clone [db]
     Masters: [ alpha ]
     Slaves: [ beta ]

Node Attributes:
* Node alpha:
    + default_ping_set                \t: 0         \t: Connectivity is lost
    + master-db                       \t: 100${" ".repeat(7)}
* Node beta:
    + default_ping_set                \t: 100${" ".repeat(7)}
    + master-db                       \t: 10${" ".repeat(8)}

Migration summary:
* Node alpha:${" "}
   web: migration-threshold=1000000 fail-count=2 last-failure='Tue Nov 14 22:23:20 2023'
* Node beta:${" "}

Failed actions:
    web_monitor_10000 on alpha 'not running' (7): call=5, status=complete, last-rc-change='Tue Nov 14 22:23:20 2023', queued=0ms, exec=20ms
`);
});

test("the talk's cluster: a remote node as 1.1.12 shows it", () => {
  const fixture: ClusterFixture = {
    nodes: [{ name: "vm01", done: [{ rsc: "vm02-remote", task: "start" }] }],
    properties: { "stonith-enabled": "false" },
    resources:
      '<primitive id="vm02-remote" class="ocf" provider="pacemaker" type="remote"><instance_attributes id="r"><nvpair id="r-s" name="server" value="vm02"/></instance_attributes></primitive>' +
      primitive("Remote-rsc1"),
  };
  const input = inputOf(fixture);
  const report = legacyMonText(input, unpackCluster(input.cib, now), options({ inactive: true }));
  expect(report).toContain(
    "\nOnline: [ vm01 ]\nRemoteOnline: [ vm02-remote ]\n\nFull list of resources:\n\n",
  );
  expect(report).toContain(" vm02-remote\t(ocf::pacemaker:remote):\t Started vm01\n");
});

describe("crm_mon for programs", () => {
  test("XML has the facts of the text", () => {
    const input = inputOf(troubled);
    const shown = options({ sections: ["attributes", "operations", "failcounts", "bans"] });
    const request = "crm_mon --output-as=xml";
    const root = parseXml(documentText({ request, messages: messages(input, shown), exit: 0 }));
    expect(root.name).toBe("pacemaker-result");
    const dc = child(child(root, "summary"), "current_dc");
    expect(Object.fromEntries(dc?.attributes ?? [])).toMatchObject({
      present: "true",
      name: "alpha",
      with_quorum: "true",
    });
    expect(childrenOf(child(root, "nodes"), "node").map(({ attributes }) => attributes.get("name"))).toEqual([
      "alpha",
      "beta",
    ]);
    const group = childrenOf(child(root, "resources"), "group")[0];
    const web = group?.children[1];
    expect(Object.fromEntries(web?.attributes ?? [])).toMatchObject({
      id: "web",
      role: "Started",
      failed: "true",
      active: "true",
    });
    const [failure] = childrenOf(child(root, "failures"), "failure");
    expect(Object.fromEntries(failure?.attributes ?? [])).toMatchObject({
      op_key: "web_monitor_10000",
      node: "alpha",
      exitcode: "7",
      exitreason: "it died",
      "last-rc-change": "2023-11-14 22:23:20Z",
    });
    expect(child(root, "status")?.attributes.get("code")).toBe("0");
  });

  test("HTML escapes what the cluster says", () => {
    const page = monHtml([{ text: "Node List:", children: [{ text: "Online: [ <a> ]" }] }], {
      title: "A & B",
      refresh: 5,
    });
    expect(page).toContain("<title>A &amp; B</title>");
    expect(page).toContain('<span class="online">Online: [ &lt;a&gt; ]</span>');
    expect(page).toContain('content="5"');
  });

  test("every section becomes a heading", () => {
    const input = inputOf(healthy);
    const sections = messages(input, options()).flatMap(({ outline }) => outline?.() ?? []);
    const page = monHtml(sections);
    expect([...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)).toEqual([
      "Cluster Summary",
      "Node List",
      "Active Resources",
    ]);
  });

  test("one line for monitoring programs", () => {
    const of = (fixture: ClusterFixture) => {
      const input = inputOf(fixture);
      return simpleStatus(input, unpackCluster(input.cib, now));
    };
    expect(of(healthy)).toEqual({
      text: "CLUSTER OK: 2 nodes online, 7 resource instances configured",
      ok: true,
    });
    const [alpha] = healthy.nodes;
    const down = {
      ...healthy,
      nodes: [
        { ...alpha, name: "alpha" },
        { name: "beta", state: "offline" as const },
      ],
    };
    expect(of(down)).toEqual({ text: "CLUSTER WARN: offline node: beta", ok: false });
  });
});
