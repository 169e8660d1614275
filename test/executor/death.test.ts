import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutorEvent, Operation } from "../../src/executor/index.ts";
import { ExecutorClient, localExecutor } from "../../src/remote/index.ts";
import { resourceId } from "../../src/terms/index.ts";
import { wentWell } from "../harness/results.ts";

// Machines that run tests may be busy with others.
setDefaultTimeout(30_000);

let dir = "";
const ends: (() => void)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hactl-death-"));
  mkdirSync(join(dir, "ra/test"), { recursive: true });
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(dir, { recursive: true, force: true });
});

const path = (name: string) => join(dir, name);
const text = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), "utf8") : "");
const until = async (condition: () => boolean) => {
  while (!condition()) await Bun.sleep(5);
};
const agent = (name: string, script: string) =>
  writeFileSync(path(`ra/test/${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const alive = (pid: number) => {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ") Z";
  return !/\) Z/.test(stat);
};

function serve(): Bun.Subprocess {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "serve.ts"), dir], {
    stdio: ["ignore", "ignore", Bun.file(path("log"))],
  });
  ends.push(() => child.kill("SIGKILL"));
  return child;
}

function manage(events: ExecutorEvent[]): ExecutorClient {
  const client = new ExecutorClient({
    connect: localExecutor(path("executor")),
    client: "test",
    onEvent: (event) => events.push(event),
  });
  ends.push(() => client.close());
  client.start();
  return client;
}

const operation = (callId: number, type: string, action: string, intervalMs = 0): Operation => ({
  callId,
  rsc: { id: resourceId(type), class: "ocf", provider: "test", type },
  action,
  intervalMs,
  timeoutMs: 20_000,
  startDelayMs: 0,
  params: {},
  transitionKey: `${callId}`,
});

describe("kill -9", () => {
  test("of the executor interrupts no service: monitors go on, a start under way is finished, not doubled", async () => {
    agent("Web", `echo "$1" >>${dir}/web; exit 0`);
    agent(
      "Db",
      `echo begin >>${dir}/db; until [ -e ${dir}/gate ]; do sleep 0.02; done; echo end >>${dir}/db`,
    );
    const first = serve();
    const events: ExecutorEvent[] = [];
    const client = manage(events);
    await until(() => client.up);
    client.send({ type: "execute", operation: operation(1, "Web", "monitor", 100) });
    client.send({ type: "execute", operation: operation(2, "Db", "start") });
    await until(
      () => text("db") === "begin\n" && text("web").length > 0 && text("executor.json").includes('"Db"'),
    );
    first.kill("SIGKILL");
    await first.exited;
    await until(() => !client.up);
    events.length = 0;
    const before = text("web").length;

    serve();
    await until(() => client.up);
    expect(events[0]).toMatchObject({
      type: "registered",
      running: [{ callId: 2 }],
      recurring: [{ callId: 1 }],
    });
    await until(() => text("web").length > before);
    expect(text("db")).toBe("begin\n");
    writeFileSync(path("gate"), "");
    await until(() => events.some((event) => event.type === "result" && event.result.callId === 2));
    expect(events.find((event) => event.type === "result" && event.result.callId === 2)).toMatchObject({
      result: { rc: 0 },
    });
    expect(text("db")).toBe("begin\nend\nbegin\nend\n");
  });

  test("of its parent ends the executor, not the services", async () => {
    agent("Serve", `setsid sleep 60 >/dev/null 2>&1 & echo $! >${dir}/service`);
    const script = `'${process.execPath}' '${join(import.meta.dir, "serve.ts")}' '${dir}' 2>/dev/null & echo $! >'${dir}/pid'; wait`;
    const parent = Bun.spawn(["/bin/sh", "-c", script], { stdio: ["ignore", "ignore", "ignore"] });
    ends.push(() => parent.kill("SIGKILL"));
    const events: ExecutorEvent[] = [];
    const client = manage(events);
    await until(() => client.up);
    client.send({ type: "execute", operation: operation(1, "Serve", "start") });
    await until(() => events.some(({ type }) => type === "result"));
    const executor = Number(text("pid"));
    const service = Number(text("service"));
    ends.push(() => process.kill(service, "SIGKILL"));
    expect(alive(executor)).toBe(true);
    parent.kill("SIGKILL");
    await until(() => !alive(executor));
    expect(alive(service)).toBe(true);
  });

  const saved = (uptime: number, snapshot: Record<string, unknown>) => {
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const limits = { interrupted: [], nodeActionLimit: 0, loadThreshold: 80 };
    writeFileSync(
      path("executor.json"),
      JSON.stringify({ instance: "1.1", bootId, snapshot: { ...snapshot, ...limits } }),
    );
    writeFileSync(path("executor.alive"), String(uptime));
  };
  const result = (callId: number, type: string, action: string, intervalMs = 0) => ({
    ...operation(callId, type, action, intervalMs),
    ...wentWell,
  });
  const uptime = () => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
  const told = async () => {
    serve();
    const events: ExecutorEvent[] = [];
    const client = manage(events);
    await until(() => client.up);
    expect(await client.ping(5000)).toBe(true);
    return events[0];
  };

  test("of the whole daemon: the next one knows what runs, and does nothing again that was under way", async () => {
    agent("Web", `echo "web $1" >>${dir}/calls`);
    agent("Db", `echo "db $1" >>${dir}/calls`);
    saved(uptime() - 2000, {
      unfinished: [operation(4, "Db", "stop")],
      recurring: [operation(2, "Web", "monitor", 100), operation(6, "Db", "monitor", 100)],
      results: [result(1, "Web", "start"), result(2, "Web", "monitor", 100), result(3, "Db", "start")],
      complete: true,
    });
    expect(await told()).toMatchObject({
      type: "registered",
      running: [],
      results: [{ rsc: { id: "Web" } }, { rsc: { id: "Web" } }],
      recurring: [{ callId: 2 }],
      complete: false,
    });
    await until(() => text("calls").includes("web monitor"));
    expect(text("calls")).not.toContain("db");
  });

  test("of a daemon that was away for long: what ran is looked up again", async () => {
    saved(uptime() - 200_000, {
      unfinished: [],
      recurring: [operation(2, "Web", "monitor", 100)],
      results: [result(1, "Web", "start")],
      complete: true,
    });
    expect(await told()).toMatchObject({ results: [], recurring: [], complete: false });
  });

  test("in the moment after a request or a result: the journal has it", async () => {
    saved(uptime(), { unfinished: [], recurring: [], results: [], complete: true });
    const records = [
      { type: "execute", operation: operation(1, "Web", "start") },
      { type: "result", result: result(1, "Web", "start") },
      { type: "execute", operation: operation(2, "Db", "start") },
      { type: "result", result: result(2, "Db", "start") },
      { type: "execute", operation: operation(3, "Db", "stop") },
    ];
    writeFileSync(
      path("executor.journal"),
      `${records.map((record) => JSON.stringify(record)).join("\n")}\n{"type":"exec`,
    );
    expect(await told()).toMatchObject({ results: [{ rsc: { id: "Web" } }], running: [], complete: false });
  });

  test("nothing is known without a trace, and nothing runs after a reboot", async () => {
    expect(await told()).toMatchObject({ results: [], complete: false });
    for (const end of ends.splice(0)) end();
    for (const name of ["executor.json", "executor.journal", "executor.alive"]) rmSync(path(name));
    writeFileSync(path("boot-id"), "an earlier boot\n");
    expect(await told()).toMatchObject({ results: [], complete: true });
  });
});
