/**
 * An address of Debian's IPaddr2 is configured otherwise while it is there: what it was goes, what it shall be comes.
 * Needs root and: apt-get install --no-install-recommends resource-agents iproute2
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NetnsCluster } from "../harness/netns-cluster.ts";

const address = (last: number) => `10.77.0.${last}`;

describe("the parameters of an address are changed", () => {
  let cluster: NetnsCluster;
  let host: ReturnType<typeof Bun.spawn>;
  const changed = (text: string) =>
    `primitive address ocf:heartbeat:IPaddr2 params ${text} nic=eth0 op monitor interval=5s\n`;

  beforeAll(async () => {
    cluster = await NetnsCluster.make({ nodes: 2, more: "" });
    cluster.nodes.startAll();
    await cluster.nodes.joined();
    // The machine stays on while its daemon dies.
    const env = { ...process.env, HACTL_CONFIG: cluster.nodes.configOf("node1") };
    host = Bun.spawn(["sleep", "3600"], { env, stdio: ["ignore", "ignore", "ignore"] });
    await load(
      `property stonith-enabled=false no-quorum-policy=ignore\n${changed(`ip=${address(101)} cidr_netmask=24`)}location only address -inf: node2\n`,
    );
    await settled();
  }, 300_000);

  afterAll(() => {
    host?.kill();
    cluster?.destroy();
  });

  async function load(text: string, through = "node2"): Promise<void> {
    const file = join(cluster.nodes.directory, "change.crm");
    writeFileSync(file, text);
    const { code, stderr } = await cluster.nodes.hactl(through, "configure", "load", "update", file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining("rror") });
  }

  const settled = async () => {
    const { code } = await cluster.nodes.hactl("node2", "wait", "--timeout", "120");
    expect(code).toBe(0);
  };

  /** The virtual addresses of the machine, as `address` or `address label`. */
  function present(): string[] {
    const { stdout } = Bun.spawnSync([
      ...cluster.network.enter("node1"),
      "ip",
      "-o",
      "addr",
      "show",
      "dev",
      "eth0",
    ]);
    return stdout
      .toString()
      .split("\n")
      .flatMap((line) => {
        const [, ip, label] = /inet (10\.77\.0\.1\d\d)\/\d+.* (eth0\S*)\\/.exec(line) ?? [];
        return ip === undefined ? [] : [label === "eth0" ? ip : `${ip} ${label}`];
      })
      .sort();
  }

  /** How often the leaders have decided to start the address anew. */
  const restarts = () =>
    cluster.nodes.names
      .flatMap((name) => cluster.nodes.logOf(name).split("\n"))
      .filter((line) => / Restart\s+address\s/.test(line)).length;

  async function becomes(expected: readonly string[], change: () => Promise<void>): Promise<void> {
    const before = restarts();
    await change();
    await cluster.nodes.until(`${expected} is there, and nothing else`, 120_000, async () =>
      present().join() === expected.join() ? true : undefined,
    );
    await settled();
    expect(present()).toEqual([...expected]);
    expect(restarts() - before).toBe(1);
  }

  /** The daemon of the node dies, its machine stays on. */
  function killDaemon(): void {
    process.kill(cluster.nodes.pidOf("node1"), "SIGKILL");
  }

  const takesPart = () =>
    cluster.nodes.until("node1 takes part", 120_000, async () => {
      const { stdout } = await cluster.nodes.hactl("node2", "crm_node", "-p");
      return stdout.includes("node1") ? true : undefined;
    });

  test("another address", async () => {
    expect(present()).toEqual([address(101)]);
    await becomes([address(102)], () => load(changed(`ip=${address(102)} cidr_netmask=24`)));
  }, 300_000);

  test("another address, after the daemon was started anew", async () => {
    killDaemon();
    cluster.nodes.start("node1");
    await takesPart();
    await settled();
    expect(present()).toEqual([address(102)]);
    await becomes([`${address(103)} eth0:x`], () =>
      load(changed(`ip=${address(103)} cidr_netmask=24 iflabel=x`)),
    );
  }, 300_000);

  test("a parameter that is there no more", async () => {
    await becomes([address(103)], async () => {
      const words = ["--resource", "address", "--delete-parameter", "iflabel"];
      const { code } = await cluster.nodes.hactl("node2", "crm_resource", ...words);
      expect(code).toBe(0);
    });
  }, 300_000);

  test("another address while the daemon is dead", async () => {
    await becomes([address(104)], async () => {
      killDaemon();
      await load(changed(`ip=${address(104)} cidr_netmask=24`));
      cluster.nodes.start("node1");
      await takesPart();
    });
  }, 300_000);
});
