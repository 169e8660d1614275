import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutorEvent, Operation } from "../../src/executor/index.ts";
import { ExecutorClient, localExecutor } from "../../src/remote/index.ts";
import { resourceId } from "../../src/terms/index.ts";

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

  test("leaves nothing for the executor of another daemon", async () => {
    agent("Web", `echo x >>${dir}/web`);
    writeFileSync(
      path("executor.json"),
      JSON.stringify({
        instance: "1.1",
        bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
        snapshot: {
          unfinished: [operation(1, "Web", "start")],
          recurring: [],
          results: [],
          nodeActionLimit: 0,
          loadThreshold: 80,
        },
      }),
    );
    serve();
    const events: ExecutorEvent[] = [];
    const client = manage(events);
    await until(() => client.up);
    expect(events[0]).toMatchObject({ type: "registered", running: [], results: [] });
    expect(await client.ping(5000)).toBe(true);
    expect(text("web")).toBe("");
  });
});
