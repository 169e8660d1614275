import { describe, expect, test } from "bun:test";
import { fileStatusInput, type StatusInput } from "../../src/cli/render/input.ts";
import { statusModel } from "../../src/cli/render/status-facts.ts";
import { statusScreen } from "../../src/cli/render/status-screen.ts";
import { nodeName } from "../../src/terms/index.ts";
import { type ClusterFixture, cib, healthy, type NodeFixture } from "./render-fixture.ts";

const now = 1_700_003_600;
const inputOf = (fixture: ClusterFixture, more: Partial<StatusInput> = {}): StatusInput => ({
  ...fileStatusInput(cib(fixture), now, "0.1.0", "3.20.5"),
  ...more,
});
const screen = (fixture: ClusterFixture, more: Partial<StatusInput> = {}) =>
  statusScreen(statusModel(inputOf(fixture, more)));
const verdict = (fixture: ClusterFixture, more: Partial<StatusInput> = {}) =>
  statusModel(inputOf(fixture, more)).verdict;
const codes = (fixture: ClusterFixture, more: Partial<StatusInput> = {}) =>
  verdict(fixture, more).causes.map(({ code }) => code);

/** The healthy cluster with one node changed. */
const changed = (name: string, change: (node: NodeFixture) => NodeFixture): ClusterFixture => ({
  ...healthy,
  nodes: healthy.nodes.map((node) => (node.name === name ? change(node) : node)),
});
const withProperties = (properties: Readonly<Record<string, string>>): ClusterFixture => ({
  ...healthy,
  properties: { ...healthy.properties, ...properties },
});
const failedMonitor = {
  rsc: "web",
  task: "monitor",
  intervalMs: 10_000,
  rc: 7,
  at: 1_700_003_000,
  reason: "it died",
  failure: true,
};

const membership: NonNullable<StatusInput["membership"]> = {
  ringId: "1.8",
  members: [
    { id: 1, name: nodeName("alpha"), participates: true },
    { id: 2, name: nodeName("beta"), participates: true },
  ],
  absent: [],
  quorate: true,
  quorumReason: "two_node",
  votes: 2,
  expectedVotes: 2,
  quorumVotes: 1,
  leader: nodeName("alpha"),
  links: [
    { link: 0, peer: nodeName("beta"), up: true, address: "192.0.2.2" },
    { link: 1, peer: nodeName("beta"), up: false, address: "198.51.100.2" },
  ],
};

test("a cluster in order fits one screen, the verdict first", () => {
  expect(screen(healthy)).toBe(`NORMAL – 2 nodes online, 7 of 7 resource instances running

cluster demo · DC alpha · quorum · configuration 0.7.3

Nodes
  alpha  online (DC)  5 resources
  beta   online       2 resources

Resources
  fence1      Started     alpha       since 22:13:20 (1 h)
  grp         group
    ip        Started     alpha       since 22:13:20 (1 h)
    web       Started     alpha       since 22:13:20 (1 h)
  ping-clone  clone
              Started     alpha beta  since 22:13:20 (1 h)
  db-clone    promotable
              Promoted    alpha       since 22:13:20 (1 h)
              Unpromoted  beta        since 22:13:20 (1 h)

Fencing
  fence1  fence_ipmilan  started on alpha
`);
});

describe("the verdict", () => {
  test("names the nodes that cannot write their state", () => {
    const disks = [{ node: nodeName("beta"), problem: "no space left" }];
    const { state, text, causes } = verdict(healthy, { disks });
    expect(state).toBe("DEGRADED");
    expect(text).toContain("the state of beta cannot be written: no space left");
    expect(causes.map(({ code, node }) => `${code} ${node}`)).toContain("STATE-DISK beta");
  });

  test("names the disk that keeps this node from joining before what follows from that", () => {
    const disks = ["alpha", "beta"].map((node) => ({ node: nodeName(node), problem: "no space left" }));
    const alone = {
      ...membership,
      members: [],
      links: [],
      votes: 0,
      quorate: false,
      quorumReason: "no quorum",
    };
    const { leader: _, ...apart } = alone;
    const { state, text, causes } = verdict(healthy, {
      localNode: nodeName("alpha"),
      membership: apart,
      disks,
    });
    expect(state).toBe("NO QUORUM");
    expect(text).toStartWith("alpha cannot join the others: its state cannot be written: no space left (and");
    expect(causes.map(({ code }) => code)).toEqual(["STATE-DISK", "NO-QUORUM", "NO-DC", "STATE-DISK"]);
  });

  test("a failed resource: which, why, and what to do", () => {
    const fixture = changed("alpha", (node) => ({ ...node, done: [...(node.done ?? []), failedMonitor] }));
    const { state, text, causes } = verdict(fixture);
    expect(state).toBe("DEGRADED");
    expect(text).toBe("web has failed (monitor: Not running – it died)");
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({ code: "FAILED", rsc: "web", cure: "hactl resource cleanup web" });
    expect(screen(fixture)).toContain(
      "  1. web: monitor (every 10s) on alpha: Not running – it died, 23:03:20 (10 min ago), took 20 ms\n",
    );
  });

  test("a lost node is unclean, and says that its resources wait", () => {
    const { state, text, causes } = verdict(changed("beta", (node) => ({ ...node, state: "lost" })));
    expect(state).toBe("DEGRADED");
    expect(text).toStartWith("node beta is UNCLEAN (offline)");
    expect(causes[0]).toMatchObject({
      code: "NODE-UNCLEAN",
      node: "beta",
      cure: expect.stringContaining("hactl fence confirm beta"),
    });
  });

  test("what to do about each of several causes, the first at once", () => {
    const failing = changed("alpha", (node) => ({ ...node, done: [...(node.done ?? []), failedMonitor] }));
    const nodes = failing.nodes.map((node) =>
      node.name === "beta" ? ({ ...node, state: "lost" } as const) : node,
    );
    const model = statusModel(inputOf({ ...failing, nodes }));
    const errors = model.verdict.causes.filter(({ level }) => level === "error");
    const lines = statusScreen(model).split("\n\n")[0]?.split("\n") ?? [];
    expect(errors.length).toBeGreaterThan(1);
    for (const { text, cure } of errors) {
      const said = lines.findIndex((line) => line.includes(text));
      if (cure !== undefined) expect(lines.slice(0, said + 2).join("\n")).toContain(`what to do: ${cure}`);
    }
    expect(new Set(lines).size).toBe(lines.length);
  });

  test("a node that left in order is only missing", () => {
    const stopped = changed("beta", ({ name }) => ({ name, state: "offline" }));
    expect(verdict(stopped).causes[0]?.text).toBe("node beta is offline: it has left in order");
    expect(codes(changed("beta", ({ name }) => ({ name, state: "offline" })))).toEqual(["NODE-OFFLINE"]);
  });

  test("what is being stopped is there still, and a node that is leaving says that it waits for it", () => {
    const fixture = changed("alpha", (node) => ({
      ...node,
      transient: { shutdown: "1700003500" },
      done: [
        ...(node.done ?? []).filter(({ rsc }) => rsc !== "ip"),
        { rsc: "ip", task: "stop", status: -1, rc: 193, expected: 0, at: 1_700_003_588 },
      ],
    }));
    const text = screen(fixture);
    expect(text).toContain("node alpha is being stopped: it waits until ip has stopped");
    expect(text).toMatch(/ip +Stopping +alpha +since \S+ \(12 s\)/);
  });

  test("a standby node names the way back", () => {
    const { causes } = verdict(changed("beta", ({ name }) => ({ name, attributes: { standby: "on" } })));
    expect(causes[0]).toMatchObject({
      code: "NODE-STATE",
      text: "node beta is standby",
      cure: "hactl node online beta",
    });
  });

  test("without quorum it says who counted what and what that means", () => {
    const { state, text } = verdict(healthy, {
      membership: {
        ...membership,
        quorate: false,
        votes: 1,
        expectedVotes: 3,
        quorumVotes: 2,
        quorumReason: "two nodes are missing",
      },
    });
    expect(state).toBe("NO QUORUM");
    expect(text).toBe(
      "1 of 3 votes, 2 needed; two nodes are missing; resources are stopped (no-quorum-policy=stop) (and 1 more)",
    );
  });

  test("no-quorum-policy=ignore is no loss", () => {
    expect(verdict({ ...withProperties({ "no-quorum-policy": "ignore" }), quorum: false }).state).toBe(
      "NORMAL",
    );
  });

  test("without a DC nothing is decided", () => {
    const { leader: _, ...leaderless } = membership;
    expect(verdict(healthy, { membership: { ...leaderless, links: [] } })).toMatchObject({
      state: "STOPPED",
      text: "no node leads the cluster (no DC); nothing is decided",
    });
  });

  test("stopped on purpose and maintenance are named", () => {
    expect(verdict(withProperties({ "stop-all-resources": "true" })).state).toBe("STOPPED");
    expect(codes(withProperties({ "maintenance-mode": "true" }))).toContain("MAINTENANCE");
  });

  test("fencing switched off is a loud warning even when all runs", () => {
    const fixture = withProperties({ "stonith-enabled": "false" });
    const { state, text } = verdict(fixture);
    expect(state).toBe("NORMAL");
    expect(text).toContain("fencing is DISABLED");
    expect(screen(fixture)).toContain("  DISABLED – a node that is lost cannot be stopped from writing");
  });

  test("fencing without a device is an error", () => {
    const fixture = {
      ...healthy,
      resources: (healthy.resources ?? "").replace(/<primitive id="fence1".*?<\/primitive>/, ""),
    };
    expect(codes(fixture)).toContain("NO-FENCE-DEVICE");
  });

  test("a link that is down degrades, with its address", () => {
    const { state, causes } = verdict(healthy, { membership });
    expect(state).toBe("DEGRADED");
    expect(causes[0]).toMatchObject({ code: "LINK-DOWN", text: "link 1 to beta (198.51.100.2) is down" });
    expect(screen(healthy, { membership })).toContain(
      "  beta   online       2 resources  link 0 up, link 1 DOWN\n",
    );
  });

  test("a node that does not reach the network", () => {
    const lost = changed("beta", (node) => ({
      ...node,
      transient: { ...node.transient, default_ping_set: "0" },
    }));
    expect(verdict(lost).causes[0]).toMatchObject({
      code: "CONNECTIVITY",
      node: "beta",
      text: "beta: default_ping_set is 0 of 100: it reaches none of the hosts that are pinged",
    });
  });

  test("a clone that lacks an instance, and one without a promoted one", () => {
    const without = changed("beta", (node) => ({
      ...node,
      done: node.done?.filter(({ rsc }) => rsc !== "ping") ?? [],
    }));
    expect(verdict(without).causes[0]?.text).toBe("ping-clone runs 1 of 2 instances");
    const demoted = changed("alpha", (node) => ({
      ...node,
      done: node.done?.map((entry) => (entry.rsc === "db" ? { ...entry, task: "start" } : entry)) ?? [],
    }));
    expect(codes(demoted)).toEqual(["NOT-PROMOTED"]);
  });

  test("the last fencing of a node counts, not those before", () => {
    const entry = (ok: boolean, completedAt: number) => ({
      id: String(completedAt),
      target: nodeName("beta"),
      action: "reboot" as const,
      ok,
      executor: nodeName("alpha"),
      devices: ["fence1"],
      reason: ok ? "" : "timed out",
      client: "controller",
      origin: nodeName("alpha"),
      completedAt,
      deed: ok ? ("reset" as const) : ("none" as const),
      failures: ok ? 0 : 1,
      exhausted: false,
    });
    const repaired = { fencing: { history: [entry(true, now - 60), entry(false, now - 120)], pending: [] } };
    expect(codes(healthy, repaired)).toEqual(["NODE-FENCED"]);
    const broken = { fencing: { history: [entry(false, now - 60), entry(true, now - 120)], pending: [] } };
    const lost = changed("beta", ({ name }) => ({ name, state: "lost" }));
    expect(verdict(lost, broken).causes).toContainEqual(
      expect.objectContaining({
        code: "FENCING-FAILED",
        text: "the last fencing of beta failed: timed out",
        cure: expect.stringContaining("hactl fence confirm beta"),
      }),
    );
    // Of one that is well that must not be confirmed; the device is looked at.
    expect(verdict(healthy, broken).causes[0]).toMatchObject({
      code: "FENCE-DEVICE-FAILED",
      cure: expect.stringContaining("hactl fence test beta"),
    });
    expect(screen(healthy, broken)).toContain(
      "  23:12:20  reboot of beta FAILED by fence1 from alpha: timed out\n",
    );
    // Of a node that is not there any more nothing can be done; and the cure is of what gives the verdict.
    const gone = [{ ...entry(false, now - 60), target: nodeName("gone") }];
    expect(codes(healthy, { fencing: { history: gone, pending: [] } })).toEqual([]);
    const idle = healthy.resources?.replace(
      /(<primitive id="fence1"[^>]*>)/,
      '$1<instance_attributes id="f1"><nvpair id="f1h" name="pcmk_host_list" value="gone"/></instance_attributes>',
    );
    const both = verdict({ ...healthy, resources: idle ?? "" }, broken).causes;
    const levels = both.map(({ level }) => level);
    expect(levels).toEqual([...levels].sort());
    expect(both.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["FENCE-DEVICE-FAILED", "FENCE-DEVICE-IDLE", "UNFENCEABLE"]),
    );
    // Whoever is back needs nobody to see to its fencing any more, whatever has failed before that.
    const back = "the target has come back before it was fenced";
    for (const reason of [back, `fence1 on alpha: timed out; ${back}`]) {
      const over = { fencing: { history: [{ ...entry(false, now - 60), reason }], pending: [] } };
      expect(codes(healthy, over)).toEqual([]);
      expect(screen(healthy, over)).toContain(`reboot of beta given up by fence1 from alpha: ${reason}`);
    }
  });

  test("warnings of the local node are shown", () => {
    const report = screen(healthy, {
      warnings: [{ code: "LOCAL-WARNING", text: "no real-time priority: permission denied" }],
    });
    expect(report.split("\n")[0]).toContain("no real-time priority");
    expect(report).toContain("Remarks\n  warning: no real-time priority: permission denied\n");
  });
});

describe("the screen", () => {
  test("topology with a device that is not there is a warning", () => {
    const input = inputOf(healthy);
    const configuration = input.cib.children[0];
    configuration?.children.push({
      name: "fencing-topology",
      attributes: new Map(),
      children: [
        {
          name: "fencing-level",
          attributes: new Map([
            ["id", "l1"],
            ["target", "alpha"],
            ["index", "1"],
            ["devices", "fence1,nosuch"],
          ]),
          children: [],
        },
      ],
    });
    const report = statusScreen(statusModel(input));
    expect(report).toContain("  alpha: 1. fence1 + nosuch\n");
    expect(report).toContain("the fencing topology of alpha names nosuch, which is no fence device");
    expect(report).toContain("the fencing topology has no level for beta");
  });

  test("a transition under way shows how far it is", () => {
    const transition = {
      id: 5,
      state: "running",
      total: 8,
      done: 3,
      flying: 1,
      failed: 0,
      actions: ["web_start_0 on beta"],
    } as const;
    expect(screen(healthy, { transition })).toContain(
      "\nTransition 5 running: 3 of 8 actions done, now web_start_0 on beta\n",
    );
  });

  test("throttled nodes say why", () => {
    const throttle = [
      { node: nodeName("beta"), mode: "high", jobs: 1, reason: "load 12.0 on 2 cores" },
    ] as const;
    expect(screen(healthy, { throttle })).toContain(
      "Throttled: beta runs at most 1 jobs (load 12.0 on 2 cores)",
    );
  });

  test("a ban names the command that lifts it", () => {
    const constraints = '<rsc_location id="cli-ban-web-on-beta" rsc="web" node="beta" score="-INFINITY"/>';
    expect(screen({ ...healthy, constraints })).toContain(
      "  web may not run on beta (cli-ban-web-on-beta); lift it with: hactl resource clear web\n",
    );
  });

  test("JSON holds what the screen shows", () => {
    const model = JSON.parse(
      JSON.stringify(statusModel(inputOf(healthy, { membership: { ...membership, links: [] } }))),
    );
    expect(model.format).toBe("hactl-status/1");
    expect(model.cluster).toMatchObject({
      name: "demo",
      leader: "alpha",
      quorate: true,
      votes: 2,
      expectedVotes: 2,
      configVersion: "0.7.3",
    });
    expect(model.resources.map(({ id, kind }: { id: string; kind: string }) => [id, kind])).toEqual([
      ["fence1", "primitive"],
      ["grp", "group"],
      ["ping-clone", "clone"],
      ["db-clone", "clone"],
    ]);
    expect(model.resources[3].nodes).toEqual([
      { node: "alpha", role: "Promoted", since: 1_700_000_000 },
      { node: "beta", role: "Unpromoted", since: 1_700_000_000 },
    ]);
  });
});
