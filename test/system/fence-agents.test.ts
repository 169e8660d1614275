import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  fenceDirectories,
  fenceMetadataXml,
  fetchFenceMetadata,
  runFenceAgent,
} from "../../src/daemon/fence-agents.ts";
import { KdumpWatch } from "../../src/daemon/kdump-watch.ts";
import type { AgentRun } from "../../src/fencer/index.ts";
import { NoticeSender, noticeKey, type SendOptions, smallSender } from "../../src/kdump/index.ts";
import { nodeName } from "../../src/terms/index.ts";

/**
 * Debian's fence-agents and cluster-glue as they are: packages fence-agents and cluster-glue must be installed.
 * Everything stays on the loopback interface.
 */
const sendOriginal = ["/usr/libexec/fence-agents/fence_kdump_send", "/usr/libexec/fence_kdump_send"].find(
  (one) => existsSync(one),
);

const run = (
  agent: string,
  action: string,
  params: Record<string, string>,
  extra: Partial<AgentRun> = {},
): AgentRun => ({
  run: "1",
  device: "d",
  kind: "fence-agent",
  agent,
  action,
  params: { ...params, action },
  timeoutMs: 20_000,
  ...extra,
});

describe("agents of the fence-agents package", () => {
  test("metadata of the agents is understood", async () => {
    const names = [
      "fence_kdump",
      "fence_dummy",
      "fence_ipmilan",
      "fence_apc",
      "fence_scsi",
      "fence_vmware_rest",
      "fence_sbd",
    ];
    const found = await Promise.all(
      names.map(async (name) => [name, await fetchFenceMetadata(name)] as const),
    );
    const metadata = Object.fromEntries(found);
    expect(metadata.fence_kdump).toEqual({
      actions: ["off", "monitor", "metadata", "validate-all"],
      hostArgument: "none",
      onTarget: false,
      automatic: false,
    });
    expect(metadata.fence_scsi).toMatchObject({ onTarget: true, automatic: true });
    expect(metadata.fence_apc?.actions).toContain("list");
    for (const name of ["fence_ipmilan", "fence_apc", "fence_vmware_rest", "fence_sbd"])
      expect(metadata[name]?.hostArgument).toBe("port");
  }, 60_000);

  test("fence_dummy goes off and on again, and its status says so", async () => {
    const directory = mkdtempSync(join(tmpdir(), "hactl-dummy-"));
    const params = { type: "file", status_file: join(directory, "status"), power_wait: "0" };
    const call = async (action: string) => (await runFenceAgent(run("fence_dummy", action, params))).exit;
    expect(await call("off")).toBe(0);
    expect(await call("status")).toBe(2);
    expect(await call("on")).toBe(0);
    expect(await call("status")).toBe(0);
    expect(await call("reboot")).toBe(0);
    rmSync(directory, { recursive: true });
  }, 60_000);

  test("an agent that cannot reach its device fails, in words", async () => {
    const outcome = await runFenceAgent(
      run("fence_apc", "off", {
        ip: "127.0.0.1",
        ipport: "9",
        username: "u",
        password: "p",
        port: "1",
        login_timeout: "2",
      }),
    );
    expect(outcome.exit).toBe(1);
    expect(outcome.stderr).not.toBe("");
  }, 60_000);
});

describe("plugins of cluster-glue", () => {
  const directory = fenceDirectories.plugins.find((one) => existsSync(one)) ?? "";
  const plugins = readdirSync(directory);

  test("they are found and print their parameters", async () => {
    expect(plugins.length).toBeGreaterThan(10);
    const texts = await Promise.all(
      ["ipmi", "ssh", "riloe", "rackpdu"].map((name) => fenceMetadataXml(`external/${name}`)),
    );
    for (const text of texts) expect(text).toContain("<parameter name=");
  }, 30_000);

  test("external/ssh lists its hosts from the environment", async () => {
    const outcome = await runFenceAgent(
      run("ssh", "list", { hostlist: "vm01 vm02" }, { kind: "external", params: { hostlist: "vm01 vm02" } }),
    );
    expect(outcome.exit).toBe(0);
    expect(outcome.stdout.trim().split(/\s+/)).toEqual(["vm01", "vm02"]);
  }, 30_000);
});

const send: SendOptions = {
  port: 7410,
  family: "ipv4",
  count: 20,
  intervalMs: 200,
  eager: false,
  verbose: false,
  keyFile: undefined,
  nodes: ["127.0.0.1"],
};
const world = {
  resolve: async (name: string) => [name],
  sleep: (ms: number) => Bun.sleep(ms),
  now: () => Date.now(),
  log: () => {},
};

/** fence_kdump as Pacemaker calls it: waits for a notice of a node. */
const receiver = (node: string, timeout: number) =>
  runFenceAgent(run("fence_kdump", "off", { nodename: node, timeout: String(timeout), family: "ipv4" }));

describe("crash notices, both ways", () => {
  test("the original sender is heard by our listener", async () => {
    expect(sendOriginal).toBeDefined();
    const heard: string[] = [];
    const watch = new KdumpWatch({
      nodes: [{ name: nodeName("vm01"), addresses: ["127.0.0.1"] }],
      port: 7410,
      onNotice: (node, signed) => void heard.push(`${node} ${signed}`),
      log: () => {},
    });
    await watch.start();
    const sender = Bun.spawn([sendOriginal ?? "", "-c", "2", "-i", "1", "-f", "ipv4", "127.0.0.1"], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    expect(await sender.exited).toBe(0);
    while (heard.length < 2) await Bun.sleep(10);
    expect(heard).toEqual(["vm01 false", "vm01 false"]);
    await watch.close();
  }, 20_000);

  test("our plain notice is taken by the original receiver", async () => {
    const sender = new NoticeSender(send, undefined, world);
    const sending = sender.run();
    expect((await receiver("127.0.0.1", 10)).exit).toBe(0);
    sender.stop();
    await sending;
  }, 30_000);

  test("our signed notice is taken by the original receiver, which reads its first 8 bytes", async () => {
    const identity = { node: "vm01", key: noticeKey(Buffer.alloc(256, 7), "vm01") };
    const sender = new NoticeSender(send, identity, world);
    const sending = sender.run();
    expect((await receiver("127.0.0.1", 10)).exit).toBe(0);
    sender.stop();
    await sending;
  }, 30_000);

  test("the small sender in bash is taken by the original receiver, and goes on past names that nobody knows", async () => {
    const sender = Bun.spawn(
      ["bash", "-c", smallSender, "send", "-c", "5", "-i", "1", "no.such.name.invalid", "127.0.0.1"],
      {
        stdio: ["ignore", "ignore", "ignore"],
      },
    );
    expect((await receiver("127.0.0.1", 10)).exit).toBe(0);
    expect(await sender.exited).toBe(0);
  }, 30_000);

  test("the original receiver does not take it for another node", async () => {
    const sender = new NoticeSender(send, undefined, world);
    const sending = sender.run();
    expect((await receiver("127.0.0.9", 2)).exit).toBe(1);
    sender.stop();
    await sending;
  }, 30_000);
});
