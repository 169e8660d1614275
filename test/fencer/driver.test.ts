import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml } from "../../src/cib/index.ts";
import { fetchFenceMetadata, runFenceAgent } from "../../src/daemon/fence-agents.ts";
import { FenceDeviceOperations } from "../../src/daemon/fence-device-operations.ts";
import { Fencing } from "../../src/daemon/fencing.ts";
import type { AgentRun, FenceRequest, FenceResult } from "../../src/fencer/index.ts";
import { SecretStore } from "../../src/platform/index.ts";
import { nodeName, OpStatus, resourceId } from "../../src/terms/index.ts";
import { deviceXml } from "./cluster.ts";

const root = mkdtempSync(join(tmpdir(), "hactl-fence-"));
const directories = {
  agents: [join(root, "agents"), join(import.meta.dir, "../../agents/fence")],
  plugins: [join(root, "plugins")],
  glue: [],
  secrets: join(root, "secrets"),
};

function program(path: string, text: string, mode = 0o755): void {
  writeFileSync(join(root, path), text);
  chmodSync(join(root, path), mode);
}

beforeAll(() => {
  for (const name of ["agents", "plugins", "pids"]) mkdirSync(join(root, name));
  program("agents/fence_says", `#!/bin/sh\necho "args: $*"; cat; echo "LC_ALL=$LC_ALL" >&2; exit 3\n`);
  program(
    "agents/fence_hangs",
    `#!/bin/sh
read -r action
case $action in *metadata) echo "<a><actions><action name='off'/></actions></a>"; exit;; esac
trap "" TERM
echo $$ >${root}/hanging
sleep 30 & sleep 30
`,
  );
  program(
    "agents/fence_complains",
    `#!/bin/sh\nwhile IFS= read -r line; do case $line in password=*) echo "login with $line failed" >&2;; esac; done\necho "tool not found" >&2\necho >&2\necho "2026-11-30 17:06:53,150 ERROR: Please use '-h' for usage" >&2\nexit 1\n`,
  );
  program("agents/fence_slow", "#!/bin/sh\necho 'no route to the device' >&2\nexec sleep 30\n");
  program("agents/fence_leaves", "#!/bin/sh\nsetsid sleep 3 &\necho done\n");
  program("agents/fence_garbage", "#!/bin/sh\nhead -c 300000 /dev/urandom\n");
  program("agents/fence_plain", "no program at all", 0o644);
  program(
    "plugins/lamp",
    `#!/bin/sh\necho "$1 $2 hostlist=$hostlist pass=$passwd" >>"$log"\ncase $1 in gethosts) echo $hostlist;; reset|off|on|status) exit 0;; *) exit 1;; esac\n`,
  );
  mkdirSync(join(root, "stonith2"));
  for (const name of ["lamp2", "external"]) program(`stonith2/${name}.so`, "", 0o644);
  program(
    "agents/stonith",
    `#!/bin/sh\necho "$* hostlist=$hostlist pass=$passwd" >>"$log"\ncase "$*" in *-m) echo "<a/>";; *-l*) echo $hostlist;; *-S|*" -T "*) exit 0;; *) exit 1;; esac\n`,
  );
  program("plugins/open", "#!/bin/sh\nexit 0\n", 0o777);
});
afterAll(() => rmSync(root, { recursive: true }));

describe("a compiled plugin of cluster-glue", () => {
  const log = join(root, "stonith.log");
  const run = (action: string, more: Partial<AgentRun> = {}): AgentRun => ({
    run: "1",
    device: "d",
    kind: "fence-agent",
    agent: "lamp2",
    action,
    params: { action, nodename: "n1", hostlist: "n1", passwd: "p", log },
    timeoutMs: 5000,
    ...more,
  });

  test("is run by stonith(8), which is told the parameters where nobody else reads them", async () => {
    for (const action of ["reboot", "off", "on"])
      expect(
        (await runFenceAgent(run(action, { target: nodeName("n1"), port: "p1" }), directories)).exit,
      ).toBe(0);
    expect((await runFenceAgent(run("monitor"), directories)).exit).toBe(0);
    expect((await runFenceAgent(run("list"), directories)).stdout).toBe("n1\n");
    expect(readFileSync(log, "utf8").trim().split("\n")).toEqual(
      ["-T reset p1", "-T off p1", "-T on p1", "-S", "-l -S"].map(
        (words) => `-t lamp2 -E ${words} hostlist=n1 pass=p`,
      ),
    );
  });

  test("is known as such; what only runs other plugins is none", async () => {
    expect((await fetchFenceMetadata("lamp2", directories))?.actions).toContain("reboot");
    expect(await fetchFenceMetadata("external", directories)).toBeUndefined();
    expect((await runFenceAgent(run("off", { agent: "absent" }), directories)).error).toMatch(
      /not installed/,
    );
  });
});

/** Waits until no process of a group is left. */
async function allGone(group: number): Promise<void> {
  for (;;) {
    try {
      process.kill(-group, 0);
    } catch {
      return;
    }
    await Bun.sleep(20);
  }
}

const run = (agent: string, extra: Partial<AgentRun> = {}): AgentRun => ({
  run: "1",
  device: "d",
  kind: "fence-agent",
  agent,
  action: "off",
  params: { action: "off", nodename: "n1", passwd: "a b=c" },
  timeoutMs: 5000,
  ...extra,
});

describe("running a fence agent", () => {
  test("parameters arrive on stdin, nothing in the arguments, exit status and streams come back", async () => {
    const outcome = await runFenceAgent(run("fence_says"), directories);
    expect(outcome).toEqual({
      exit: 3,
      timedOut: false,
      stdout: "args: \naction=off\nnodename=n1\npasswd=a b=c\n",
      stderr: "LC_ALL=C\n",
    });
  });

  test("gets the secret that lrm:// stands for, and is not run without it", async () => {
    const { secrets } = directories;
    await new SecretStore(secrets).write("d", "passwd", "S3cret word");
    const params = { action: "off", passwd: "lrm://" };
    const outcome = await runFenceAgent(run("fence_says", { params }), directories);
    expect(outcome.stdout).toBe("args: \naction=off\npasswd=S3cret word\n");
    const without = await runFenceAgent(run("fence_says", { params, device: "other" }), directories);
    expect(without).toMatchObject({ exit: null, stdout: "", lacksSecret: true });
    expect(without.error).toContain(`${secrets}/other/passwd is not on this node`);
  });

  test("one that does not end is ended with all that it started, and counts as timed out", async () => {
    const outcome = await runFenceAgent(run("fence_hangs", { timeoutMs: 150 }), directories);
    expect(outcome).toMatchObject({ exit: null, timedOut: true });
    await allGone(Number(readFileSync(join(root, "hanging"), "utf8")));
  });

  test("one that did not end in time has said why, too", async () => {
    const outcome = await runFenceAgent(run("fence_slow", { timeoutMs: 300 }), directories);
    expect(outcome).toMatchObject({ timedOut: true, stderr: "no route to the device\n" });
  });

  test("a device that cannot be started tells why, and all that its agent said is logged, without its secret", async () => {
    const logged: string[] = [];
    const reason = await new Promise<string>((resolve) => {
      const operations = new FenceDeviceOperations(
        directories,
        (result) => resolve(`${result.status} ${result.exitReason}`),
        (text) => logged.push(text),
      );
      operations.run({
        callId: 1,
        rsc: { id: resourceId("f"), class: "stonith", type: "fence_complains" },
        action: "start",
        intervalMs: 0,
        timeoutMs: 10_000,
        startDelayMs: 0,
        transitionKey: "1:1:0:x",
        params: { password: "geheim", ip: "192.0.2.1" },
      });
    });
    expect(reason).toBe(`${OpStatus.ERROR} login with password=******** failed / tool not found`);
    expect(logged).toEqual([
      "f monitor: fence_complains said: login with password=******** failed",
      "f monitor: fence_complains said: tool not found",
      expect.stringMatching(/^f monitor: fence_complains said: .*Please use '-h' for usage$/),
    ]);
  });

  test("one that leaves a process behind with its output open does not delay the result", async () => {
    const outcome = await runFenceAgent(run("fence_leaves", { timeoutMs: 2500 }), directories);
    expect(outcome).toMatchObject({ exit: 0, timedOut: false, stdout: "done\n" });
  });

  test("output is bounded", async () => {
    const outcome = await runFenceAgent(run("fence_garbage"), directories);
    expect(outcome.exit).toBe(0);
    expect(outcome.stdout.length).toBeLessThanOrEqual(64 * 1024);
  });

  test("what is missing, not executable or not a name is said, not thrown", async () => {
    expect((await runFenceAgent(run("fence_absent"), directories)).error).toContain("not installed");
    expect((await runFenceAgent(run("fence_plain"), directories)).error).toContain("not executable");
    expect((await runFenceAgent(run("../agents/fence_says"), directories)).error).toContain("not a name");
  });

  test("metadata is read; what is missing or garbage has none", async () => {
    const demo = await fetchFenceMetadata("fence_hactl_demo", directories);
    expect(demo).toEqual({
      actions: ["on", "off", "reboot", "status", "list", "monitor", "metadata", "validate-all"],
      hostArgument: "port",
      onTarget: false,
      automatic: false,
    });
    expect(await fetchFenceMetadata("fence_garbage", directories)).toBeUndefined();
    expect(await fetchFenceMetadata("fence_absent", directories)).toBeUndefined();
  });

  test("a plugin gets its parameters in the environment and its action as argument", async () => {
    const log = join(root, "lamp.log");
    const params = { hostlist: "n1,n2", passwd: "geheim", log };
    const call = (action: string) =>
      runFenceAgent(run("lamp", { kind: "external", action, port: "n1", params }), directories);
    expect((await call("reboot")).exit).toBe(0);
    expect((await call("list")).stdout).toBe("n1,n2\n");
    expect((await call("monitor")).exit).toBe(0);
    expect(readFileSync(log, "utf8")).toBe(
      ["reset n1", "gethosts ", "status "].map((line) => `${line} hostlist=n1,n2 pass=geheim\n`).join(""),
    );
  });

  test("a plugin that others could have changed is not run", async () => {
    const outcome = await runFenceAgent(run("open", { kind: "external", params: {} }), directories);
    expect(outcome.exit).toBeNull();
    expect(outcome.error).toContain("can be written by others");
  });
});

/** Two managers on one machine with a bus between them. */
function pair(configuration: string) {
  const names = [nodeName("n1"), nodeName("n2")];
  const results: FenceResult[] = [];
  const logs: string[] = [];
  const members: Fencing[] = names.map(
    (self) =>
      new Fencing({
        self,
        detectionMs: 2200,
        directories,
        broadcast: (message) =>
          queueMicrotask(() => {
            for (const one of members) one.message(self, JSON.parse(JSON.stringify(message)));
          }),
        onResult: (result) => void results.push(result),
        log: (level, text) => void logs.push(`${self} ${level} ${text}`),
      }),
  );
  const xml = parseXml(configuration);
  for (const member of members) {
    member.membership({ members: names, leader: names[0] });
    member.configure(xml);
  }
  const [first, second] = members;
  if (!first || !second) throw new Error("no members");
  return { first, second, results, logs, close: () => members.forEach((one) => void one.close()) };
}

const request = (target: string, action: FenceRequest["action"] = "off"): FenceRequest => ({
  id: `r-${target}-${action}`,
  target: nodeName(target),
  action,
  timeoutMs: 0,
  delayMs: 0,
  origin: nodeName("n2"),
  client: "test",
  reason: "why not",
});

describe("fencing with real processes", () => {
  test("the demonstration's agent kills a node's processes and proves it; both members know the result", async () => {
    const node = Bun.spawn(["sh", "-c", "sleep 30 & exec sleep 30"], {
      detached: true,
      stdio: ["ignore", "ignore", "ignore"],
    });
    writeFileSync(join(root, "pids/n3.pid"), `session ${node.pid}\n`);
    const device = deviceXml("demo", "fence_hactl_demo", { pid_dir: join(root, "pids") });
    const cluster = pair(`<configuration><resources>${device}</resources></configuration>`);
    const rows = await cluster.second.test(nodeName("n3"));
    expect(rows.map(({ node: from, ok, check, text }) => [String(from), ok, check, text])).toEqual([
      ["n1", true, "status", "it answers; the node is on"],
      ["n2", true, "status", "it answers; the node is on"],
    ]);
    const result = await cluster.second.perform(request("n3"));
    expect(result).toMatchObject({ ok: true, deed: "off", devices: ["demo"], executor: "n1", failures: 0 });
    await node.exited;
    expect(node.signalCode).toBe("SIGKILL");
    const off = await cluster.first.test(nodeName("n3"));
    expect(off.map(({ text }) => text)).toEqual([
      "it answers; the node is off",
      "it answers; the node is off",
    ]);
    expect(cluster.results.length).toBe(2);
    expect(cluster.first.history().entries).toEqual(cluster.second.history().entries);
    cluster.close();
  });

  test("a device that hangs fails, the next level succeeds, and no secret is logged", async () => {
    const log = join(root, "levels.log");
    const devices =
      deviceXml("bad", "fence_hangs", { pcmk_off_timeout: "3s", pcmk_host_list: "n3", passwd: "geheim" }) +
      deviceXml("good", "external/lamp", { hostlist: "n3", pcmk_host_list: "n3", passwd: "geheim", log });
    const cluster = pair(
      `<configuration><resources>${devices}</resources><fencing-topology>
        <fencing-level id="l1" target="n3" index="1" devices="bad"/>
        <fencing-level id="l2" target="n3" index="2" devices="good"/></fencing-topology></configuration>`,
    );
    const result = await cluster.first.perform(request("n3", "off"));
    expect(result).toMatchObject({ ok: true, deed: "off", devices: ["good"] });
    expect(readFileSync(log, "utf8")).toContain("off n3");
    // What the meta-data took is not left for the run.
    expect(cluster.logs.join("\n")).toContain("bad on n1 did not fence n3: no end within ");
    await allGone(Number(readFileSync(join(root, "hanging"), "utf8")));
    expect(cluster.logs.length).toBeGreaterThan(3);
    expect(cluster.logs.join("\n")).not.toContain("geheim");
    expect(JSON.stringify(cluster.first.devices())).not.toContain("geheim");
    cluster.close();
  });

  test("a person's confirmation is a result of its own", async () => {
    const cluster = pair("<configuration/>");
    const answer = await cluster.first.handle({ type: "fence.confirm", target: "n3", client: "alice" });
    expect(answer).toMatchObject({ ok: true, deed: "confirmed", reason: "confirmed by alice on n1" });
    expect(cluster.second.history().entries).toMatchObject([{ target: "n3", client: "alice" }]);
    expect(cluster.first.handle({ type: "fence.confirm", target: "", client: "alice" })).rejects.toThrow(
      "no node",
    );
    cluster.close();
  });
});
