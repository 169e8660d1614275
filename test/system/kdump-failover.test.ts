import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FenceHistoryReply } from "../../src/daemon/index.ts";
import type { FenceTestRow } from "../../src/fencer/index.ts";
import { NetnsCluster } from "../harness/netns-cluster.ts";

/**
 * A node that writes a crash dump counts as fenced at once: three machines with two networks, fencing levels
 * fence_kdump and a power switch. The notice comes from Debian's own fence_kdump_send (package fence-agents).
 */
const sender = ["/usr/libexec/fence-agents/fence_kdump_send", "/usr/libexec/fence_kdump_send"].find((one) =>
  existsSync(one),
);

describe("a machine that crashes and dumps", () => {
  let cluster: NetnsCluster;

  beforeAll(async () => {
    cluster = await NetnsCluster.make({ nodes: 3, links: 2 });
    for (const name of cluster.nodes.names) {
      const config = cluster.nodes.configOf(name);
      writeFileSync(config, readFileSync(config, "utf8").replace("listen = false", "listen = true"));
    }
    cluster.nodes.startAll();
    await membersAre(3);
    const file = join(cluster.nodes.directory, "kdump.crm");
    writeFileSync(
      file,
      `property stonith-enabled=true
rsc_defaults resource-stickiness=100
primitive kdump stonith:fence_kdump params pcmk_reboot_action=off pcmk_monitor_action=metadata pcmk_reboot_timeout=6s pcmk_host_list="node1 node2 node3"
primitive power stonith:fence_hactl_demo params ${cluster.fenceParameters}
primitive app ocf:pacemaker:Dummy op monitor interval=5s
location prefer app 50: node1
fencing_topology node1: kdump power node2: kdump power node3: kdump power
`,
    );
    const loaded = await cluster.nodes.hactl("node1", "configure", "load", "update", file);
    expect(loaded.code).toBe(0);
    await runsOn("app", /^node1$/);
  }, 90_000);

  afterAll(() => cluster?.destroy());

  async function membersAre(count: number): Promise<void> {
    await cluster.nodes.until(`${count} nodes take part`, 30_000, async () => {
      const { code, stdout } = await cluster.nodes.hactl("node3", "node", "show", "--json");
      if (code !== 0) return undefined;
      const { members } = JSON.parse(stdout) as { members: { state: string }[] };
      return members.filter(({ state }) => state === "member").length === count ? true : undefined;
    });
  }

  const runsOn = (rsc: string, node: RegExp) =>
    cluster.nodes.until(`${rsc} runs on ${node}`, 60_000, async () => {
      const { stdout } = await cluster.nodes.hactl("node3", "crm_mon", "-1", "-X");
      const found = new RegExp(`<resource id="${rsc}"[^>]*role="Started"[^>]*>\\s*<node name="([^"]+)"`).exec(
        stdout,
      );
      return found?.[1] !== undefined && node.test(found[1]) ? found[1] : undefined;
    });

  async function fenced(): Promise<FenceHistoryReply> {
    const { stdout } = await cluster.nodes.hactl("node3", "fence", "history", "--json");
    return JSON.parse(stdout) as FenceHistoryReply;
  }

  test("every level for it can be tried from every node", async () => {
    const { stdout, code } = await cluster.nodes.hactl("node3", "fence", "test", "node1", "--json");
    const { rows } = JSON.parse(stdout) as { rows: FenceTestRow[] };
    expect(code).toBe(0);
    expect(rows.map(({ level, device, node, check }) => `${level} ${device} ${node} ${check}`)).toEqual([
      "1 kdump node2 built-in",
      "1 kdump node3 built-in",
      "2 power node2 status",
      "2 power node3 status",
    ]);
  }, 30_000);

  test("its notice on either network fences it, and the power switch is not used", async () => {
    expect(sender).toBeDefined();
    const begun = performance.now();
    cluster.crash("node1");
    // The crash kernel: the same machine with its addresses, and nothing but the sender.
    cluster.network.plug("node1", 1);
    const peers = [2, 3].map((n) => cluster.network.address(n, 1));
    const dumping = Bun.spawn([...cluster.network.enter("node1"), sender ?? "", "-i", "1", ...peers], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const heir = await runsOn("app", /^node[23]$/);
    console.log(`from the crash to the service on ${heir}: ${Math.round(performance.now() - begun)} ms`);
    const { entries } = await fenced();
    expect(entries).toMatchObject([{ target: "node1", ok: true, deed: "kdump", devices: ["kdump"] }]);
    // Nothing cut it off: it still dumps.
    expect(dumping.exitCode).toBeNull();
    dumping.kill();
    await dumping.exited;
  }, 90_000);

  test("a machine that dies without a dump is switched off when the wait for a notice is over", async () => {
    cluster.boot("node1");
    await membersAre(3);
    await cluster.nodes.hactl("node3", "wait", "--timeout", "60");
    const active = await runsOn("app", /./);
    const victim = active === "node3" ? "node1" : active;
    cluster.crash(victim);
    await cluster.nodes.until(`${victim} is fenced`, 60_000, async () => {
      const { entries } = await fenced();
      return entries.length > 1 ? true : undefined;
    });
    const { entries } = await fenced();
    expect(entries.at(-1)).toMatchObject({ target: victim, ok: true, deed: "reset", devices: ["power"] });
  }, 120_000);
});
