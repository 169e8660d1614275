/**
 * Agents of Debian's resource-agents as they are, run by the executor in a network namespace of its own.
 * Needs root and: apt-get install --no-install-recommends resource-agents nginx-light curl iproute2
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml } from "@rgrove/parse-xml";
import type { ExecutorEvent, Operation, OperationResult } from "../../src/executor/index.ts";
import { ExecutorClient, localExecutor } from "../../src/remote/index.ts";
import { OpStatus, resourceId } from "../../src/terms/index.ts";

const heartbeat = "/usr/lib/ocf/resource.d";
const own = join(import.meta.dir, "../../agents/ocf");
const namespace = `hactl-x${process.pid}`;
const dir = mkdtempSync(join(tmpdir(), "hactl-system-"));
const events: ExecutorEvent[] = [];
let executor: Bun.Subprocess | undefined;
let client: ExecutorClient | undefined;
let calls = 0;

function sh(script: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["/bin/sh", "-c", script]);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout.toString();
}

const inside = (command: string) => sh(`ip netns exec ${namespace} ${command}`);
const until = async (condition: () => boolean) => {
  while (!condition()) await Bun.sleep(10);
};

beforeAll(async () => {
  sh(
    `ip netns add ${namespace}; ip -n ${namespace} link set lo up;
     ip -n ${namespace} link add net0 type bridge; ip -n ${namespace} link set net0 up;
     ip -n ${namespace} addr add 192.0.2.1/24 dev net0`,
  );
  const serve = join(import.meta.dir, "../executor/serve.ts");
  executor = Bun.spawn(
    ["ip", "netns", "exec", namespace, process.execPath, serve, dir, `${heartbeat}:${own}`],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  client = new ExecutorClient({
    connect: localExecutor(join(dir, "executor")),
    client: "test",
    onEvent: (event) => events.push(event),
  });
  client.start();
  await until(() => client?.up === true);
});

afterAll(async () => {
  client?.close();
  executor?.kill("SIGTERM");
  await executor?.exited;
  sh(`ip netns del ${namespace}`);
  rmSync(dir, { recursive: true });
});

async function run(
  id: string,
  agent: string,
  action: string,
  params: Readonly<Record<string, string>> = {},
  intervalMs = 0,
): Promise<OperationResult> {
  const [standard = "", provider, type] = agent.split(":");
  const callId = ++calls;
  const operation: Operation = {
    callId,
    rsc: {
      id: resourceId(id),
      class: standard as "ocf" | "lsb",
      ...(type === undefined ? {} : { provider: provider ?? "" }),
      type: type ?? provider ?? "",
    },
    action,
    intervalMs,
    timeoutMs: 60_000,
    startDelayMs: 0,
    params: { ...params, CRM_meta_timeout: "60000", CRM_meta_interval: String(intervalMs) },
    transitionKey: `${callId}`,
  };
  client?.send({ type: "execute", operation });
  const answer = () => events.find((event) => event.type === "result" && event.result.callId === callId);
  await until(() => answer() !== undefined);
  const event = answer();
  if (event?.type !== "result") throw new Error("no result");
  return event.result;
}

/** Exit codes of several actions in turn. */
async function codes(
  id: string,
  agent: string,
  actions: readonly string[],
  params: Record<string, string> = {},
) {
  const found: number[] = [];
  for (const action of actions) {
    const { rc, exitReason } = await run(id, agent, action, params);
    found.push(rc);
    if (rc !== 0 && rc !== 7) console.log(`${agent} ${action}: ${rc} ${exitReason}`);
  }
  return found;
}

const cycle = ["monitor", "start", "start", "monitor", "stop", "stop", "monitor"];
const cycleCodes = [7, 0, 0, 0, 0, 0, 7];

describe("resource-agents", () => {
  test("ocf:heartbeat:Dummy", async () => {
    expect(await codes("d", "ocf:heartbeat:Dummy", cycle)).toEqual(cycleCodes);
  });

  test("ocf:heartbeat:IPaddr2 brings an address up and takes it down", async () => {
    const params = { ip: "192.0.2.100", cidr_netmask: "24", nic: "net0" };
    expect(await codes("ip", "ocf:heartbeat:IPaddr2", ["monitor", "start", "monitor"], params)).toEqual([
      7, 0, 0,
    ]);
    expect(inside("ip -o addr show dev net0")).toContain("192.0.2.100/24");
    expect(await codes("ip", "ocf:heartbeat:IPaddr2", ["stop", "stop", "monitor"], params)).toEqual([
      0, 0, 7,
    ]);
    expect(inside("ip -o addr show dev net0")).not.toContain("192.0.2.100");
    const refused = await run("ip", "ocf:heartbeat:IPaddr2", "start", { ip: "not an address" });
    expect(refused.rc).toBe(6);
    expect(refused.exitReason).not.toBe("");
  });

  test("ocf:heartbeat:nginx serves, is seen to die, and stops", async () => {
    const conf = join(dir, "nginx.conf");
    writeFileSync(
      conf,
      `pid ${dir}/nginx.pid; error_log ${dir}/error.log; events {}
       http { access_log off; server { listen 192.0.2.1:80; location / { return 200 "served\\n"; } } }`,
    );
    const params = { configfile: conf, status10url: "http://192.0.2.1/", test10url: "http://192.0.2.1/" };
    expect(await codes("web", "ocf:heartbeat:nginx", ["monitor", "start"], params)).toEqual([7, 0]);
    expect(inside("curl -s http://192.0.2.1/")).toBe("served\n");
    const first = await run("web", "ocf:heartbeat:nginx", "monitor", params, 500);
    expect(first).toMatchObject({ rc: 0, status: OpStatus.DONE });
    process.kill(Number(readFileSync(join(dir, "nginx.pid"), "utf8")), "SIGKILL");
    sh(`for p in $(ip netns pids ${namespace}); do grep -q nginx /proc/$p/comm && kill -9 $p; done; true`);
    await until(() =>
      events.some(
        (event) => event.type === "result" && event.result.callId === first.callId && event.result.rc !== 0,
      ),
    );
    expect(await codes("web", "ocf:heartbeat:nginx", ["stop", "monitor"], params)).toEqual([0, 7]);
  });

  test("every agent describes itself", async () => {
    client?.send({ type: "list", requestId: 1, class: "ocf", provider: "heartbeat" });
    await until(() => events.some((event) => event.type === "list" && event.requestId === 1));
    const listed = events.find((event) => event.type === "list" && event.requestId === 1);
    const names = listed?.type === "list" ? listed.names : [];
    expect(names.length).toBeGreaterThan(100);
    const asked = events.length;
    names.forEach((type, index) => {
      client?.send({
        type: "metadata",
        requestId: 1000 + index,
        rsc: { class: "ocf", provider: "heartbeat", type },
      });
    });
    const answers = () => events.slice(asked).filter((event) => event.type === "metadata");
    await until(() => answers().length === names.length);
    const silent = answers().flatMap((event) => {
      if (event.type !== "metadata") return [];
      const name = names[event.requestId - 1000] ?? "";
      if (event.error !== undefined) return [name];
      return parseXml(event.xml).root?.name === "resource-agent" ? [] : [name];
    });
    // A few need the program that they manage even to describe themselves.
    expect(silent.length).toBeLessThan(5);
  });
});

describe("own agents beside them", () => {
  test("ocf:hactl:Service serves", async () => {
    const params = { file: join(dir, "beat"), node: "n1" };
    expect(await codes("s", "ocf:hactl:Service", ["monitor", "start", "monitor"], params)).toEqual([7, 0, 0]);
    await until(() => existsSync(params.file) && readFileSync(params.file, "utf8").startsWith("n1 "));
    expect(await codes("s", "ocf:hactl:Service", ["stop", "monitor"], params)).toEqual([0, 7]);
  });

  test.each(["Dummy", "Stateful"])("ocf:pacemaker:%s passes ocf-tester", (type) => {
    const tools = join(dir, "fake");
    mkdirSync(tools, { recursive: true });
    for (const name of ["crm_master", "ha_logger"]) {
      writeFileSync(join(tools, name), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    }
    const output = sh(`PATH=${tools}:$PATH ocf-tester -n t ${own}/pacemaker/${type} 2>&1 || true`);
    // Its DTD is that of version 1.0, which knows neither unique-group nor reload-agent.
    const failures = output.split("\n").filter((line) => line.startsWith("* rc="));
    expect(failures.filter((line) => !line.includes("does not conform to ra-api-1.dtd"))).toEqual([]);
    expect(output).toContain("Beginning tests");
  });
});

test("agents run as ordinary processes though the daemon has real-time priority and is spared when memory ends", async () => {
  const rt = mkdtempSync(join(tmpdir(), "hactl-rt-"));
  mkdirSync(join(rt, "ra/test"), { recursive: true });
  const script = "#!/bin/sh\nchrt -p $$\nsh -c 'cat /proc/self/oom_score_adj'\nulimit -c\n";
  writeFileSync(join(rt, "ra/test/Look"), script, { mode: 0o755 });
  const serve = join(import.meta.dir, "../executor/serve.ts");
  const daemon = Bun.spawn(
    [
      "/bin/sh",
      "-c",
      `echo -500 >/proc/self/oom_score_adj 2>/dev/null || echo 300 >/proc/self/oom_score_adj; exec chrt -r 20 ${process.execPath} ${serve} ${rt}`,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  try {
    const seen: ExecutorEvent[] = [];
    const manager = new ExecutorClient({
      connect: localExecutor(join(rt, "executor")),
      client: "test",
      onEvent: (event) => {
        seen.push(event);
        if (event.type !== "registered") return;
        const rsc = { id: resourceId("look"), class: "ocf", provider: "test", type: "Look" } as const;
        const operation = {
          callId: 1,
          rsc,
          action: "start",
          intervalMs: 0,
          timeoutMs: 20_000,
          startDelayMs: 0,
        };
        manager.send({ type: "execute", operation: { ...operation, params: {}, transitionKey: "" } });
      },
    });
    manager.start();
    await until(() => seen.some(({ type }) => type === "result"));
    manager.close();
    const result = seen.find((event) => event.type === "result");
    const stdout = result?.type === "result" ? result.result.stdout : "";
    expect(stdout).toContain("policy: SCHED_OTHER");
    expect(stdout.split("\n")[2]).toBe("0");
    const threads = sh(`for t in /proc/${daemon.pid}/task/*; do chrt -p \${t##*/}; done`);
    expect(threads).not.toContain("SCHED_RR");
  } finally {
    daemon.kill("SIGTERM");
    await daemon.exited;
    rmSync(rt, { recursive: true });
  }
});

test("a unit is guarded by a drop-in while the cluster runs it", async () => {
  const box = mkdtempSync(join(tmpdir(), "hactl-unit-"));
  mkdirSync(join(box, "tools"));
  // In the place of systemd, which does not run where tests do: it knows one unit and whether that runs.
  writeFileSync(
    join(box, "tools/systemctl"),
    `#!/bin/sh
echo "$*" >>${box}/calls
case "$1" in
  show) echo LoadState=loaded; [ -e ${box}/up ] && echo ActiveState=active || echo ActiveState=inactive;;
  start) : >${box}/up; cp /run/systemd/system/web.service.d/50-hactl.conf ${box}/seen;;
  stop) rm ${box}/up;;
esac
`,
    { mode: 0o755 },
  );
  const serve = join(import.meta.dir, "../executor/serve.ts");
  const daemon = Bun.spawn(
    [
      "unshare",
      "-m",
      "/bin/sh",
      "-c",
      `mount -t tmpfs none /run && exec ${process.execPath} ${serve} ${box}`,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const seen: ExecutorEvent[] = [];
  const manager = new ExecutorClient({
    connect: localExecutor(join(box, "executor")),
    client: "test",
    onEvent: (event) => seen.push(event),
  });
  const act = async (callId: number, action: string) => {
    const rsc = { id: resourceId("u"), class: "systemd", type: "web" } as const;
    const times = { intervalMs: 0, timeoutMs: 20_000, startDelayMs: 0 };
    manager.send({
      type: "execute",
      operation: { callId, rsc, action, ...times, params: {}, transitionKey: "" },
    });
    const answer = () => seen.find((event) => event.type === "result" && event.result.callId === callId);
    await until(() => answer() !== undefined);
    const event = answer();
    return event?.type === "result" ? event.result.rc : undefined;
  };
  try {
    manager.start();
    await until(() => manager.up);
    expect([await act(1, "monitor"), await act(2, "start"), await act(3, "monitor")]).toEqual([7, 0, 0]);
    expect(readFileSync(join(box, "seen"), "utf8")).toContain("[Service]\nRestart=no\n");
    expect([await act(4, "stop"), await act(5, "monitor")]).toEqual([0, 7]);
    const left = sh(`ls -A /proc/${daemon.pid}/root/run/systemd/system`);
    expect(left).toBe("");
    expect(readFileSync(join(box, "calls"), "utf8").match(/daemon-reload/g)).toHaveLength(2);
  } finally {
    manager.close();
    daemon.kill("SIGTERM");
    await daemon.exited;
    rmSync(box, { recursive: true });
  }
});

test("an init script of the machine is asked by LSB's rules", async () => {
  const script = "/etc/init.d/hactl-test";
  writeFileSync(
    script,
    `#!/bin/sh
case "$1" in
  start) : >${dir}/lsb;;
  stop) rm -f ${dir}/lsb;;
  status) [ -e ${dir}/lsb ] && exit 0; exit 3;;
esac
`,
    { mode: 0o755 },
  );
  try {
    expect(await codes("l", "lsb:hactl-test", cycle)).toEqual(cycleCodes);
    expect(await codes("v", "service:hactl-test", ["start", "monitor", "stop", "monitor"])).toEqual([
      0, 0, 0, 7,
    ]);
  } finally {
    rmSync(script);
  }
});
