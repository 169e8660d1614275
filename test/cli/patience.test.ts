/**
 * Agents run on while a process of the daemon is started again: what their tools ask waits for it. So do administrators,
 * for seconds, where a daemon runs.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon } from "../../src/cli/daemon.ts";
import { AdminServer } from "../../src/daemon/admin-server.ts";
import { Accounts, type FrameServer, lockFile, openLog, serveFrames } from "../../src/platform/index.ts";

const names = ["HACTL_SOCKET", "HACTL_JOB"] as const;

describe("a tool that asks while the manager is away", () => {
  const before = names.map((name) => process.env[name]);
  let directory: string;
  let socket: string;
  const servers: { close(): void }[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "hactl-patience-"));
    socket = join(directory, "admin.sock");
    process.env.HACTL_SOCKET = socket;
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    names.forEach((name, i) => {
      const value = before[i];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    });
    rmSync(directory, { recursive: true, force: true });
  });

  const serve = (): void => {
    const server = new AdminServer(
      socket,
      "root",
      async () => ({ name: "n1" }),
      openLog({ tag: "test", thresholds: {} }),
      new Accounts(),
    );
    server.open();
    servers.push(server);
  };

  test("waits for it when an agent has called it", async () => {
    process.env.HACTL_JOB = "1";
    const daemon = Daemon.connect();
    await Bun.sleep(50);
    serve();
    const connected = await daemon;
    expect(await connected.request<{ name: string }>({ type: "node" })).toEqual({ name: "n1" });
    connected.close();
  });

  test("asks again when it dies before it has answered", async () => {
    process.env.HACTL_JOB = "1";
    let asked: () => void = () => {};
    const heard = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const dying: FrameServer = serveFrames(
      socket,
      {
        frame: (connection) => {
          connection.destroy();
          asked();
        },
      },
      { mode: 0o600 },
    );
    const daemon = await Daemon.connect();
    const answer = daemon.request<{ name: string }>({ type: "node" });
    await heard;
    dying.close();
    serve();
    expect(await answer).toEqual({ name: "n1" });
    daemon.close();
  });

  test("says so at once when an administrator has called it", async () => {
    delete process.env.HACTL_JOB;
    await expect(Daemon.connect()).rejects.toMatchObject({ code: "NOT_RUNNING" });
  });

  test("waits some seconds for a daemon that is being started, and not for one that is not", async () => {
    delete process.env.HACTL_SOCKET;
    const config = join(directory, "hactl.toml");
    const key = join(directory, "authkey");
    writeFileSync(key, "k".repeat(256), { mode: 0o400 });
    writeFileSync(
      config,
      `[totem]
cluster_name = "one"
keyfile = "${key}"
[[nodelist.node]]
nodeid = 1
name = "n1"
ring0_addr = "127.0.0.1"
[system]
state_dir = "${directory}"
run_dir = "${directory}"
`,
    );
    await expect(Daemon.connect({ config })).rejects.toMatchObject({ code: "NOT_RUNNING" });
    const started = lockFile(join(directory, "lock"));
    const daemon = Daemon.connect({ config });
    await Bun.sleep(50);
    serve();
    const connected = await daemon;
    expect(await connected.request<{ name: string }>({ type: "node" })).toEqual({ name: "n1" });
    connected.close();
    started.release();
  });
});
