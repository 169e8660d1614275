import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NetnsCluster, nodeDirectory } from "../harness/netns-cluster.ts";

/** Three machines, a web server behind a virtual address, a client on a fourth that asks all the time. */

const virtual = "10.77.0.100";
const bun = join(import.meta.dir, "..", "..", "node_modules", ".bun", "bun");

interface Answer {
  readonly at: number;
  readonly node: string | undefined;
}

describe("a web server behind a virtual address", () => {
  let cluster: NetnsCluster;
  let client: ReturnType<typeof Bun.spawn>;
  const answers: Answer[] = [];

  beforeAll(async () => {
    cluster = await NetnsCluster.make({ nodes: 3, more: "" });
    for (const name of cluster.nodes.names) {
      const own = (file: string) => join(nodeDirectory, file);
      writeFileSync(
        join(cluster.nodes.directory, name, "own", "nginx.conf"),
        // The agent reads these lines: it wants one directive on each.
        `user root;\npid ${own("nginx.pid")};\nerror_log ${own("error.log")}; events {}
http { access_log off; client_body_temp_path ${own("body")}; proxy_temp_path ${own("proxy")};
fastcgi_temp_path ${own("fastcgi")}; uwsgi_temp_path ${own("uwsgi")}; scgi_temp_path ${own("scgi")};
server {\nlisten 80;\nlocation / { return 200 "${name}\\n"; } } }\n`,
      );
    }
    cluster.nodes.startAll();
    await membersAre(3);
    const file = join(cluster.nodes.directory, "web.crm");
    writeFileSync(
      file,
      `property stonith-enabled=true
rsc_defaults resource-stickiness=100 migration-threshold=2
primitive power stonith:fence_hactl_demo params ${cluster.fenceParameters} op monitor interval=60s
primitive address ocf:heartbeat:IPaddr2 params ip=${virtual} cidr_netmask=24 nic=eth0 op monitor interval=5s
primitive web ocf:heartbeat:nginx params configfile=${nodeDirectory}/nginx.conf op monitor interval=5s
group site address web
location prefer site 50: node1
`,
    );
    const loaded = await cluster.nodes.hactl("node1", "configure", "load", "update", file);
    expect(loaded).toMatchObject({ code: 0 });
    client = cluster.spawnOn("client", 50, [
      bun,
      join(import.meta.dir, "..", "harness", "http-client.ts"),
      `http://${virtual}/`,
    ]);
    void read(client);
    await served("node1", 30_000);
  }, 90_000);

  afterAll(() => {
    client?.kill();
    cluster?.destroy();
  });

  async function read(from: ReturnType<typeof Bun.spawn>): Promise<void> {
    let rest = "";
    for await (const piece of from.stdout as ReadableStream<Uint8Array>) {
      const lines = (rest + new TextDecoder().decode(piece)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [at, ok, node] = line.split(" ");
        answers.push({ at: Number(at), node: ok === "ok" ? node : undefined });
      }
    }
  }

  /** Node that served last, if it did so just now. */
  function server(): string | undefined {
    const last = answers.at(-1);
    return last && Date.now() - last.at < 500 ? last.node : undefined;
  }

  const served = (node: string | RegExp, ms: number) =>
    cluster.nodes.until(`${node} serves`, ms, () => {
      const now = server();
      return now !== undefined && (typeof node === "string" ? now === node : node.test(now))
        ? now
        : undefined;
    });

  async function membersAre(count: number, through = "node2"): Promise<void> {
    await cluster.nodes.until(`${count} nodes take part`, 30_000, async () => {
      const { code, stdout } = await cluster.nodes.hactl(through, "node", "show", "--json");
      if (code !== 0) return undefined;
      const { members } = JSON.parse(stdout) as { members: { state: string }[] };
      return members.filter(({ state }) => state === "member").length === count ? true : undefined;
    });
  }

  /** Time without an answer around a moment, in ms. */
  function outage(since: number): number {
    const before = answers.findLast(({ at, node }) => at <= since && node !== undefined);
    const after = answers.find(({ at, node }) => at > since && node !== undefined && node !== before?.node);
    return (after?.at ?? Number.POSITIVE_INFINITY) - (before?.at ?? since);
  }

  const idle = (through: string) => cluster.nodes.hactl(through, "wait", "--timeout", "60");

  test("the client is served again after the active machine died", async () => {
    const begun = Date.now();
    cluster.crash("node1");
    const heir = await served(/^node[23]$/, 30_000);
    console.log(`outage after the death of the active node: ${outage(begun)} ms (served by ${heir})`);
    const history = await cluster.nodes.hactl(heir, "history", "--json", "--limit", "200");
    const events = (JSON.parse(history.stdout) as { event: string; text: string }[]).map(
      ({ event, text }) => `${event} ${text}`,
    );
    const lost = events.findIndex((event) => event.startsWith("NODE-LOST node node1"));
    const fenced = events.findIndex((event) => event.startsWith("NODE-FENCED node node1"));
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(fenced).toBeGreaterThan(lost);
  }, 60_000);

  test("a node that comes back is brought up to date and leaves the service where it is", async () => {
    const now = await served(/./, 10_000);
    cluster.boot("node1");
    await membersAre(3);
    await idle("node2");
    const shown = await cluster.nodes.hactl("node1", "configure", "show");
    expect(shown.stdout).toContain("primitive web");
    expect(server()).toBe(now);
  }, 60_000);

  test("standby moves the service, online lets it come back only if stickiness allows", async () => {
    const now = await served(/./, 10_000);
    await cluster.nodes.hactl("node2", "node", "standby", now);
    const next = await served(new RegExp(`^(?!${now}$)`), 20_000);
    await cluster.nodes.hactl("node2", "node", "online", now);
    await idle("node2");
    expect(server()).toBe(next);
  }, 60_000);

  test("a service that dies is found by its monitor and started again", async () => {
    await idle("node2");
    const now = await served(/./, 10_000);
    const killed: number[] = [];
    for (const process of cluster.nodes.processesOf(now)) {
      const command = await Bun.file(`/proc/${process}/cmdline`).text();
      if (!command.includes("nginx: master") && !command.includes("nginx: worker")) continue;
      globalThis.process.kill(process, "SIGKILL");
      killed.push(process);
    }
    expect(killed.length).toBeGreaterThan(1);
    await cluster.nodes.until("the client notices", 10_000, () =>
      server() === undefined ? true : undefined,
    );
    await served(/./, 30_000);
    const told = await Promise.all(
      cluster.nodes.names.map((name) => cluster.nodes.hactl(name, "history", "--json", "--limit", "100")),
    );
    expect(told.map(({ stdout }) => stdout).join("\n")).toContain("web_monitor_5000");
  }, 60_000);
});
