import { afterEach, expect, test } from "bun:test";
import { RingCluster, type RingClusterOptions } from "../harness/ring-cluster.ts";

/** Real ring processes in network namespaces, on cables that lose, delay and cut as the test says. Needs root. */
let cluster: RingCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

async function ringOf(nodes: number, options: Partial<RingClusterOptions> = {}): Promise<RingCluster> {
  // What is measured is the protocol, not how two cores share themselves among all that runs beside the tests.
  const made = await RingCluster.make({ nodes, wire: true, system: ["sched_rr = true"], ...options });
  cluster = made;
  await made.startAll();
  await made.ring(made.names, 20_000);
  return made;
}

const memberships = (ring: RingCluster) => ring.names.map((name) => ring.client(name).memberships.length);

/** No node has heard of another membership since; else what they heard and wrote down is shown. */
function expectUnchanged(ring: RingCluster, before: readonly number[]): void {
  const news = ring.names.flatMap((name, i) =>
    ring
      .client(name)
      .memberships.slice(before[i])
      .map(({ membership: { ringId, serial, members, participants } }) => {
        const taking = participants.map(({ nodeId }) => nodeId).join(" ");
        return `${name}: ring ${ringId.representative}.${ringId.sequence}, ${serial}: ${members.join(" ")}; taking part: ${taking}`;
      }),
  );
  if (news.length > 0) for (const name of ring.names) console.error(`${name}:\n${ring.nodes.logOf(name)}`);
  expect(news).toEqual([]);
}

/** Texts that every node delivered, by node. */
function listen(ring: RingCluster): string[][] {
  return ring.names.map((name) => {
    const heard: string[] = [];
    ring.client(name).onDeliver = (from, payload) => {
      heard.push(`${from} ${Buffer.from(payload).toString("latin1").trimEnd()}`);
    };
    return heard;
  });
}

/** All nodes send `bytes` at a time for a while, so many a second together. Answers how many messages went out. */
async function talk(ring: RingCluster, ms: number, perSecond: number, bytes = 100): Promise<number> {
  const begun = performance.now();
  let sent = 0;
  while (performance.now() - begun < ms) {
    while (sent < ((performance.now() - begun) / 1000) * perSecond) {
      const name = ring.names[sent % ring.names.length] ?? "";
      ring.client(name).send(Buffer.from(String(sent).padEnd(bytes), "latin1"));
      sent++;
    }
    await Bun.sleep(5);
  }
  return sent;
}

async function allHeard(ring: RingCluster, heard: readonly string[][], count: number): Promise<void> {
  await ring.nodes.until(`${count} messages everywhere`, 20_000, () =>
    heard.every(({ length }) => length >= count) ? true : undefined,
  );
  const numbers = heard[0]?.map((line) => Number(line.split(" ")[1])).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
  for (const other of heard) expect(other).toEqual(heard[0] ?? []);
}

test("a dead node is missed after token and consensus", async () => {
  const ring = await ringOf(3, { tokenMs: 500, totem: ["token_coefficient = 0", "consensus = 700"] });
  const others = ["node1", "node2"];
  const timeouts = async () => {
    const states = await Promise.all(others.map((name) => ring.client(name).status()));
    const sum = (counter: string) =>
      states.reduce((all, { core }) => all + (core.totem.counters[counter] ?? 0), 0);
    return { token: sum("tokenLosses"), consensus: sum("consensusTimeouts") };
  };
  const before = await timeouts();
  const begun = performance.now();
  await ring.kill("node3");
  const took = (await ring.ring(others, 10_000)) - begun;
  expect(took).toBeGreaterThan(700);
  const after = await timeouts();
  // Who is first tells the other.
  expect(after.token).toBeGreaterThan(before.token);
  expect(after.consensus).toBeGreaterThan(before.consensus);
}, 30_000);

test("messages keep one order through loss, delay, doubles and overtaking", async () => {
  const ring = await ringOf(3);
  const heard = listen(ring);
  const before = memberships(ring);
  await ring.wire.set({ rule: { loss: 0.05, delayMs: 1, jitterMs: 3, duplicate: 0.05, reorder: 0.05 } });
  const sent = await talk(ring, 3_000, 500);
  const counts = await ring.wire.heal();
  await allHeard(ring, heard, sent);
  expect(counts.lost).toBeGreaterThan(50);
  expect(counts.doubled).toBeGreaterThan(50);
  expectUnchanged(ring, before);
}, 60_000);

test("one datagram in five may be lost at the default token", async () => {
  const seconds = Number(process.env.LOSS_SECONDS ?? 10);
  const ring = await ringOf(3);
  const heard = listen(ring);
  const before = memberships(ring);
  await ring.wire.set({ rule: { loss: 0.2 } });
  const sent = await talk(ring, seconds * 1000, 1000);
  const arrived = heard[0]?.length ?? 0;
  const counts = await ring.wire.heal();
  console.log(
    `20 % loss for ${seconds} s: ${(arrived / seconds).toFixed(0)} messages/s of ${sent / seconds}/s`,
  );
  await allHeard(ring, heard, sent);
  expect(counts.lost / (counts.lost + counts.forwarded)).toBeGreaterThan(0.15);
  expectUnchanged(ring, before);
}, 120_000);

test("a pause of half a token changes nothing; after three tokens the node comes back", async () => {
  const tokenMs = 600;
  const ring = await ringOf(3, { tokenMs, totem: ["token_coefficient = 0", "consensus = 720"] });
  const before = memberships(ring);
  ring.signal("node2", "SIGSTOP");
  await Bun.sleep(tokenMs / 2);
  ring.signal("node2", "SIGCONT");
  await Bun.sleep(tokenMs * 3);
  expectUnchanged(ring, before);
  ring.signal("node2", "SIGSTOP");
  await ring.ring(["node1", "node3"], 10_000);
  await Bun.sleep(tokenMs);
  ring.signal("node2", "SIGCONT");
  await ring.ring(ring.names, 10_000);
  const seen = ring.client("node1").memberships.map(({ membership }) => membership.members.join(" "));
  expect(seen.slice(-2)).toEqual(["1 3", "1 2 3"]);
}, 40_000);

test("one cable of two is cut under load and nothing is lost", async () => {
  const ring = await ringOf(3, { links: 2 });
  const heard = listen(ring);
  const before = memberships(ring);
  const talking = talk(ring, 6_000, 500);
  await Bun.sleep(1_000);
  await ring.wire.set({ link: 0, rule: { cut: true } });
  await Bun.sleep(2_500);
  await ring.wire.heal();
  await Bun.sleep(1_000);
  await ring.wire.set({ link: 1, rule: { cut: true } });
  const sent = await talking;
  await allHeard(ring, heard, sent);
  expectUnchanged(ring, before);
  const { downs } = (await ring.client("node1").status()).core.links.links.find(
    ({ node, link }) => Number(node) === 2 && link === 0,
  ) ?? { downs: 0 };
  expect(downs).toBe(1);
}, 60_000);

test("a link over IPv6 carries the ring, and one over IPv4 takes over when it is cut", async () => {
  const ring = await ringOf(3, { links: 2, ipv6Links: 1 });
  const heard = listen(ring);
  const before = memberships(ring);
  const linkStates = async () => {
    const { links } = (await ring.client("node1").status()).core.links;
    return links.map(({ address, up }) => `${address} ${up ? "up" : "down"}`);
  };
  const states = (first: string) =>
    [2, 3].flatMap((host) => [`fd4e::${host} ${first}`, `10.79.0.${host} up`]);
  await ring.nodes.until(
    "both links up",
    5_000,
    async () => (await linkStates()).every((text) => text.endsWith("up")) || undefined,
  );
  expect(await linkStates()).toEqual(states("up"));
  const talking = talk(ring, 3_000, 300);
  await Bun.sleep(1_000);
  await ring.wire.set({ link: 0, rule: { cut: true } });
  const sent = await talking;
  await allHeard(ring, heard, sent);
  expect(await linkStates()).toEqual(states("down"));
  expectUnchanged(ring, before);
}, 60_000);

test("when one node does not hear another, a ring of nodes that hear each other stands still", async () => {
  const ring = await ringOf(3, { tokenMs: 500, totem: ["token_coefficient = 0", "consensus = 600"] });
  await ring.wire.set({ from: [1], to: [2], rule: { cut: true } });
  const last = (name: string) => ring.client(name).members;
  const pair = await ring.nodes.until("node 3 is with one of them", 10_000, () =>
    ["1 3", "2 3"].find((wanted) => last("node3") === wanted && last(`node${wanted[0]}`) === wanted),
  );
  const alone = pair === "1 3" ? "node2" : "node1";
  await ring.nodes.until("the other is alone", 10_000, () => (last(alone).length === 1 ? true : undefined));
  const settled = memberships(ring);
  await Bun.sleep(4_000);
  expectUnchanged(ring, settled);
  const quorate = ring.names.filter((name) => ring.client(name).memberships.at(-1)?.membership.quorate);
  expect(quorate).toEqual(ring.names.filter((name) => name !== alone));
  await ring.wire.heal();
  await ring.ring(ring.names, 10_000);
}, 60_000);
