import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  type Dirent,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openExecutor, type RunningExecutor } from "../../src/daemon/executor.ts";
import type { ExecutorEvent, Operation, OperationResult } from "../../src/executor/index.ts";
import { openLog, SecretStore } from "../../src/platform/index.ts";
import { ExecutorClient, localExecutor } from "../../src/remote/index.ts";
import { OpStatus, resourceId } from "../../src/terms/index.ts";

// Machines that run tests may be busy with others.
setDefaultTimeout(30_000);

/** An executor with agents of the test's own making, and a manager that remembers what it was told. */
class Bench {
  readonly dir = mkdtempSync(join(tmpdir(), "hactl-executor-"));
  readonly log = openLog({
    tag: "test",
    thresholds: { stderr: "warning" },
    writeStderr: (line) => this.lines.push(line),
  });
  readonly lines: string[] = [];
  readonly events: ExecutorEvent[] = [];
  readonly secrets = new SecretStore(join(this.dir, "secrets"));
  readonly #waiting = new Set<() => void>();
  #calls = 0;
  executor: RunningExecutor | undefined;
  client: ExecutorClient | undefined;

  constructor() {
    mkdirSync(join(this.dir, "ra/test"), { recursive: true });
    mkdirSync(join(this.dir, "init.d"));
  }

  get socket(): string {
    return join(this.dir, "executor");
  }

  agent(name: string, text: string, mode = 0o755): void {
    const path = join(this.dir, "ra/test", name);
    writeFileSync(path, text);
    chmodSync(path, mode);
  }

  async open(): Promise<void> {
    this.executor = await openExecutor({
      runDir: this.dir,
      socketPath: this.socket,
      log: this.log,
      ocfPath: [join(this.dir, "ra")],
      lsbPath: [join(this.dir, "init.d")],
      rscTmp: join(this.dir, "tmp"),
      secretsDir: this.secrets.directory,
      configPath: "/etc/hactl/hactl.toml",
      sysconfig: { PCMK_debug: "yes", LD_PRELOAD: "/evil.so" },
      killGraceMs: 150,
    });
  }

  async connect(): Promise<ExecutorEvent & { readonly type: "registered" }> {
    this.client = new ExecutorClient({
      connect: localExecutor(this.socket),
      client: "test",
      onEvent: (event) => {
        this.events.push(event);
        for (const wake of this.#waiting) wake();
      },
    });
    this.client.start();
    return this.until((event) => (event.type === "registered" ? event : undefined));
  }

  /** Waits for an event; takes it and those before it out. */
  async until<T>(wanted: (event: ExecutorEvent) => T | undefined): Promise<T> {
    for (;;) {
      while (this.events.length > 0) {
        const event = this.events.shift();
        const found = event && wanted(event);
        if (found !== undefined) return found;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  send(type: string, action: string, more: Partial<Operation> = {}): Operation {
    const operation: Operation = {
      callId: ++this.#calls,
      rsc: { id: resourceId(`r-${type}`), class: "ocf", provider: "test", type },
      action,
      intervalMs: 0,
      timeoutMs: 20_000,
      startDelayMs: 0,
      params: {},
      transitionKey: `t${this.#calls}`,
      ...more,
    };
    this.client?.send({ type: "execute", operation });
    return operation;
  }

  run(type: string, action: string, more: Partial<Operation> = {}): Promise<OperationResult> {
    const { callId } = this.send(type, action, more);
    return this.until((event) =>
      event.type === "result" && event.result.callId === callId ? event.result : undefined,
    );
  }

  close(): void {
    this.client?.close();
    this.executor?.close(true);
    rmSync(this.dir, { recursive: true });
  }
}

const bench = new Bench();
beforeAll(async () => {
  await bench.open();
  await bench.connect();
});
afterAll(() => bench.close());

const sleeping = async (path: string) => {
  const pid = Number(readFileSync(path, "utf8"));
  // A killed process stays visible until its parent or init has taken note of it.
  for (let tries = 0; tries < 100; tries++) {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ") Z";
    if (/\) Z/.test(stat)) return false;
    await Bun.sleep(5);
  }
  return true;
};

describe("a real agent", () => {
  test("gets the documented environment and nothing of the daemon's", async () => {
    process.env.BUN_TEST_LEAK = "1";
    bench.agent("Env", "#!/bin/sh\nenv; echo; pwd; cat\n");
    const { stdout, rc } = await bench.run("Env", "monitor", {
      params: { ip: "192.0.2.1", CRM_meta_timeout: "20000" },
    });
    delete process.env.BUN_TEST_LEAK;
    expect(rc).toBe(0);
    const names = stdout
      .split("\n\n")[0]
      ?.split("\n")
      .map((line) => line.split("=")[0])
      .filter((name) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(name ?? ""))
      .sort();
    expect(names).toEqual(
      [
        "HACTL_CONFIG",
        "HACTL_JOB",
        "HACTL_SOCKET",
        "HA_LOGFACILITY",
        "HA_RSCTMP",
        "HA_SBIN_DIR",
        "HA_cluster_type",
        ...(process.env.LANG === undefined ? [] : ["LANG"]),
        "LC_ALL",
        "OCF_EXIT_REASON_PREFIX",
        "OCF_RA_VERSION_MAJOR",
        "OCF_RA_VERSION_MINOR",
        "OCF_RESKEY_CRM_meta_timeout",
        "OCF_RESKEY_crm_feature_set",
        "OCF_RESKEY_ip",
        "OCF_RESOURCE_INSTANCE",
        "OCF_RESOURCE_PROVIDER",
        "OCF_RESOURCE_TYPE",
        "OCF_ROOT",
        "PATH",
        "PCMK_debug",
      ].sort(),
    );
    expect(stdout).toContain(`PATH=${bench.dir}/tools:`);
    expect(stdout.trimEnd().endsWith("\n/")).toBe(true);
    expect(existsSync(join(bench.dir, "tools/crm_attribute"))).toBe(true);
  });

  test("gets the secret that lrm:// stands for; nobody else is told", async () => {
    await bench.secrets.write("r-tells", "passwd", "S3cret word");
    bench.agent("tells", '#!/bin/sh\necho "<$OCF_RESKEY_passwd|$OCF_RESKEY_plain>" | sed s/S3cret/found/\n');
    const params = { passwd: "lrm://", plain: "text" };
    const result = await bench.run("tells", "start", { params });
    expect(result).toMatchObject({ rc: 0, stdout: "<found word|text>\n", params });
    // An instance of a clone has the secrets of its clone's resource.
    const rsc = { id: resourceId("r-tells:1"), class: "ocf", provider: "test", type: "tells" } as const;
    expect((await bench.run("tells", "start", { params, rsc })).stdout).toBe("<found word|text>\n");
    await Bun.sleep(300);
    const kept = (readdirSync(bench.dir, { recursive: true, withFileTypes: true }) as Dirent[])
      .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(bench.secrets.directory))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.filter((text) => text.includes("S3cret word"))).toEqual([]);
  });

  test("whose secret is lost or damaged is not run, but for a stop", async () => {
    const params = { passwd: "lrm://" };
    await bench.secrets.write("r-tells", "passwd", "one");
    writeFileSync(join(bench.secrets.directory, "r-tells", "passwd"), "another\n");
    bench.agent("tells", '#!/bin/sh\necho "<$OCF_RESKEY_passwd>"\n');
    expect(await bench.run("tells", "monitor", { params })).toMatchObject({ rc: 2, stdout: "" });
    bench.secrets.remove("r-tells", "passwd");
    const { rc, exitReason, stdout } = await bench.run("tells", "start", { params });
    expect([rc, stdout]).toEqual([2, ""]);
    expect(exitReason).toContain("r-tells/passwd is not on this node");
    expect(await bench.run("tells", "stop", { params })).toMatchObject({ rc: 0, stdout: "<lrm://>\n" });
  });

  test("may write to /dev/stdout and /dev/stderr", async () => {
    bench.agent("Dev", "#!/bin/sh\necho said >/dev/stdout\necho ocf-exit-reason:why >/dev/stderr\nexit 6\n");
    expect(await bench.run("Dev", "start")).toMatchObject({ rc: 6, stdout: "said\n", exitReason: "why" });
  });

  test("without a first line for its interpreter is the shell's", async () => {
    bench.agent("Bare", "exit 9\n");
    expect(await bench.run("Bare", "monitor")).toMatchObject({ rc: 9, status: OpStatus.DONE });
  });

  test("that is missing, not executable or without its interpreter is told so", async () => {
    const path = join(bench.dir, "ra/test");
    expect(await bench.run("Missing", "start")).toMatchObject({
      rc: 5,
      status: OpStatus.NOT_INSTALLED,
      exitReason: `agent ocf:test:Missing is not installed: looked for ${path}/Missing`,
    });
    bench.agent("Plain", "#!/bin/sh\nexit 0\n", 0o644);
    expect(await bench.run("Plain", "start")).toMatchObject({
      rc: 5,
      status: OpStatus.NOT_INSTALLED,
      exitReason: `${path}/Plain is not executable: chmod 755 it`,
    });
    bench.agent("Lost", "#!/no/such/interpreter\n");
    expect(await bench.run("Lost", "start")).toMatchObject({ rc: 5, status: OpStatus.NOT_INSTALLED });
  });

  test("that prints without end is cut, its last exit reason kept", async () => {
    bench.agent(
      "Loud",
      "#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' '\\377'\nhead -c 3000000 /dev/zero | tr '\\0' '\\001' >&2\necho >&2\necho ocf-exit-reason:enough >&2\nexit 1\n",
    );
    const result = await bench.run("Loud", "start");
    expect(result).toMatchObject({ rc: 1, exitReason: "enough" });
    expect(result.stdout).toHaveLength(64 * 1024);
  });

  test("that dies of a signal is an error", async () => {
    bench.agent("Dies", "#!/bin/sh\nkill -9 $$\n");
    expect(await bench.run("Dies", "start")).toMatchObject({
      rc: 1,
      status: OpStatus.ERROR,
      exitReason: "agent ocf:test:Dies was ended by signal SIGKILL",
    });
  });

  test("that leaves a child with its output open does not hold up its result", async () => {
    bench.agent("Leaves", `#!/bin/sh\nsetsid sleep 60 & echo $! >${bench.dir}/left\nexit 0\n`);
    const result = await bench.run("Leaves", "start");
    expect(result).toMatchObject({ rc: 0, status: OpStatus.DONE });
    expect(result.execMs).toBeLessThan(30_000);
    // What a start leaves is the service.
    const pid = Number(readFileSync(join(bench.dir, "left"), "utf8"));
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  test("that hangs and ignores SIGTERM is killed with all its children, those of other sessions too", async () => {
    bench.agent(
      "Hangs",
      `#!/bin/sh
trap '' TERM
sh -c "trap '' TERM; echo \\$\\$ >${bench.dir}/child; sleep 60" &
setsid sh -c "trap '' TERM; echo \\$\\$ >${bench.dir}/escaped; sleep 60" &
while :; do sleep 60; done
`,
    );
    const result = await bench.run("Hangs", "stop", { timeoutMs: 300 });
    expect(result).toMatchObject({
      rc: 1,
      status: OpStatus.TIMEOUT,
      exitReason: "did not finish within 300 ms",
    });
    expect([await sleeping(join(bench.dir, "child")), await sleeping(join(bench.dir, "escaped"))]).toEqual([
      false,
      false,
    ]);
    expect(bench.lines.join("")).toContain("r-Hangs stop_0 left");
  });

  test("that hangs in start loses its own processes, not the service that it began", async () => {
    bench.agent(
      "Slow",
      `#!/bin/sh\nsetsid sh -c 'echo $$ >${bench.dir}/service; exec sleep 60' >/dev/null 2>&1 &\nsleep 60\n`,
    );
    expect(await bench.run("Slow", "start", { timeoutMs: 300 })).toMatchObject({ status: OpStatus.TIMEOUT });
    const pid = Number(readFileSync(join(bench.dir, "service"), "utf8"));
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  test("of LSB is asked for its status", async () => {
    const path = join(bench.dir, "init.d/web");
    writeFileSync(path, '#!/bin/sh\n[ "$1" = status ] && exit 3\nexit 0\n', { mode: 0o755 });
    const rsc = { id: resourceId("web"), class: "lsb", type: "web" } as const;
    expect(await bench.run("web", "monitor", { rsc })).toMatchObject({ rc: 7 });
    expect(await bench.run("web", "start", { rsc })).toMatchObject({ rc: 0 });
  });

  test("is listed and described", async () => {
    bench.agent("Meta", '#!/bin/sh\n[ "$1" = meta-data ] && echo "<resource-agent name=\\"Meta\\"/>"\n');
    bench.client?.send({ type: "list", requestId: 1, class: "ocf", provider: "test" });
    const names = await bench.until((event) => (event.type === "list" ? event.names : undefined));
    expect(names).toContain("Meta");
    expect(names).not.toContain("Plain");
    bench.client?.send({ type: "list", requestId: 2, class: "ocf", provider: "" });
    expect(await bench.until((event) => (event.type === "list" ? event.names : undefined))).toEqual(["test"]);
    const rsc = { class: "ocf", provider: "test", type: "Meta" } as const;
    bench.client?.send({ type: "metadata", requestId: 3, rsc });
    expect(await bench.until((event) => (event.type === "metadata" ? event.xml : undefined))).toBe(
      '<resource-agent name="Meta"/>\n',
    );
  });
});

describe("the executor", () => {
  test("goes on without a manager and tells the next one", async () => {
    bench.agent(
      "Counts",
      `#!/bin/sh\n[ -e ${bench.dir}/broken ] && exit 7\necho x >>${bench.dir}/runs\nexit 0\n`,
    );
    const result = await bench.run("Counts", "monitor", { intervalMs: 20 });
    expect(result.rc).toBe(0);
    bench.client?.close();
    writeFileSync(join(bench.dir, "broken"), "");
    const runs = () => readFileSync(join(bench.dir, "runs"), "utf8").length;
    const before = runs();
    let registered = await bench.connect();
    // The manager may be back before the next run.
    const rc = () => registered.results.find(({ rsc }) => rsc.id === "r-Counts")?.rc;
    while (rc() === 0) {
      bench.client?.close();
      registered = await bench.connect();
    }
    expect(rc()).toBe(7);
    expect(runs() - before).toBeLessThanOrEqual(4);
    expect(registered.recurring).toMatchObject([{ action: "monitor", intervalMs: 20 }]);
    bench.client?.send({ type: "forget", rsc: resourceId("r-Counts") });
    await bench.until((event) => (event.type === "cancelled" ? true : undefined));
  });

  test("closes a connection that sends garbage and serves on", async () => {
    const stray = await localExecutor(bench.socket)();
    const closed = new Promise<void>((resolve) => stray.once("close", () => resolve()));
    stray.write("GET / HTTP/1.0\r\n\r\n");
    await closed;
    expect(bench.lines.at(-1)).toContain("[GARBAGE]");
    expect(await bench.client?.ping(5000)).toBe(true);
  });

  test("has one manager at a time", async () => {
    const first = bench.client;
    await bench.connect();
    expect(await bench.client?.ping(5000)).toBe(true);
    first?.close();
    expect(await bench.client?.ping(5000)).toBe(true);
  });

  test("takes up the work of one that died, once its agents have ended", async () => {
    const gate = join(bench.dir, "gate");
    bench.agent(
      "Long",
      `#!/bin/sh\necho begin >>${bench.dir}/trace\nuntil [ -e ${gate} ]; do sleep 0.02; done\necho end >>${bench.dir}/trace\n`,
    );
    const trace = () => readFileSync(join(bench.dir, "trace"), "utf8").trim().split("\n");
    bench.agent("Quick", `#!/bin/sh\necho q >>${bench.dir}/quick\nexit 0\n`);
    const monitor = await bench.run("Quick", "monitor", { intervalMs: 50 });
    const start = bench.send("Long", "start");
    while (!existsSync(join(bench.dir, "trace"))) await Bun.sleep(5);
    bench.client?.close();
    bench.executor?.close(false);
    const runs = () => readFileSync(join(bench.dir, "quick"), "utf8").length;
    const runsBefore = runs();

    await bench.open();
    const registered = await bench.connect();
    expect(registered.running).toMatchObject([{ callId: start.callId, action: "start" }]);
    expect(registered.recurring).toMatchObject([{ callId: monitor.callId }]);
    while (runs() <= runsBefore) await Bun.sleep(5);
    expect(trace()).toEqual(["begin"]);
    writeFileSync(gate, "");
    const result = await bench.until((event) =>
      event.type === "result" && event.result.callId === start.callId ? event.result : undefined,
    );
    expect(result).toMatchObject({ rc: 0, status: OpStatus.DONE });
    // Never two at a time.
    expect(trace()).toEqual(["begin", "end", "begin", "end"]);
  });
});
