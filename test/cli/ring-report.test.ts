import { describe, expect, test } from "bun:test";
import { colours } from "../../src/cli/output.ts";
import { ringReport } from "../../src/cli/render/ring-report.ts";
import type { RingProcessStatus } from "../../src/daemon/index.ts";
import { nodeId } from "../../src/terms/index.ts";

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)];
const link = { address: "10.0.0.2", up: true, since: 1000, latencyMs: 0.25, downs: 0 };

function statusWith(links: Readonly<Record<string, number>> = {}): RingProcessStatus {
  return {
    names: { 1: "alpha", 2: "beta", 3: "gamma" },
    votes: { 1: 1, 2: 1, 3: 1 },
    addresses: { 0: "10.0.0.1" },
    monotonicNow: 64_000,
    realtime: "SCHED_RR 50",
    memory: "locked",
    warnings: [],
    startedAt: 1_800_000_000_000,
    lateness: { timers: 5000, p99: 0.1, p999: 0.4, worst: 2.5 },
    children: [{ name: "manager", pid: 77, restarts: 1 }],
    core: {
      self: one,
      totem: {
        state: "operational",
        ringId: { representative: one, sequence: 24, memberDigest: 0 },
        members: [one, two],
        counters: { retransmitted: 3, messagesSent: 200, tokenRetransmits: 2, tokens: 900, tokenLosses: 1 },
        rotationMs: { now: 0.8, average: 1.25, worst: 14.2 },
        refused: [
          { node: three, reason: "their configurations list different nodes; give both the same one" },
        ],
      },
      links: {
        links: [
          { node: two, link: 0, ...link },
          { node: two, link: 1, ...link, address: "fd00::2", up: false, latencyMs: undefined, downs: 2 },
        ],
        strangers: [{ node: three, link: 0, address: "10.0.0.9", cause: "claims-node" }],
        // Over the socket a map becomes an object.
        hears: { 1: [2], 2: [1] } as unknown as RingProcessStatus["core"]["links"]["hears"],
        counters: { sent: 4000, "drop:replay": 0, ...links },
      },
      votes: { 1: 1, 2: 1 },
      quorum: {
        quorate: true,
        reason: "2 of 3 votes",
        votes: 2,
        needed: 2,
        expectedVotes: 3,
      } as RingProcessStatus["core"]["quorum"],
      settled: true,
      participants: [{ nodeId: one, incarnation: 5 }],
      backlogBytes: 0,
      disagreements: [{ node: nodeId(2), text: "has another token: 5000 there, 1000 here" }],
      changeWaitsFor: [three],
      changeReadBy: [],
      keyChange: undefined,
    },
  };
}

const report = (status: RingProcessStatus, counters = false) =>
  Bun.stripANSI(ringReport(status, 1_800_000_060_000, counters, colours));

describe("hactl ring status", () => {
  test("tells members, ring, token, what was sent again, links, whom each node hears, the process", () => {
    expect(report(statusWith()).split("\n")).toEqual([
      "alpha – operational, ring 1.24, quorate (2 of 3 votes)",
      "Members:   alpha, beta",
      "Managers:  alpha",
      "Token:     0.80 ms a round, 1.25 ms on average, 14 ms at worst",
      "Again:     3 messages and 2 tokens sent again, of 200 and 900; 1 tokens lost",
      "Links:",
      "  beta link 0 10.0.0.2: up for 1 min 3 s, 0.25 ms",
      "  beta link 1 fd00::2: down for 1 min 3 s, lost 2 times",
      "Ignored:   a host at 10.0.0.9 (link 0) has the cluster's key and claims to be gamma, which the node list has at another address: it is ignored",
      "Refused:   gamma and this node cannot form a ring: their configurations list different nodes; give both the same one",
      "Hears both ways:",
      "  alpha: beta",
      "  beta: alpha",
      "Processes: ring up 1 min 0 s, manager 77 (restarted 1 times)",
      "Priority:  SCHED_RR 50, memory locked",
      "Timers:    99.9 % at most 0.40 ms late, 2.50 ms at worst",
      "Differs: node 2 has another token: 5000 there, 1000 here",
      "A changed configuration waits for gamma",
    ]);
  });

  test("tells why datagrams were dropped, and with --counters all that was counted", () => {
    const status = statusWith({ "drop:bad-tag": 7, "drop:unlisted-address": 2 });
    expect(report(status)).toContain("Dropped:   7 bad-tag, 2 unlisted-address\n");
    const all = report(status, true);
    for (const line of ["totem.tokens: 900", "links.sent: 4000", "links.drop:bad-tag: 7"])
      expect(all).toContain(`  ${line}`);
  });
});
