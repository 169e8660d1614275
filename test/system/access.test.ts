/**
 * Real users of this machine against a real cluster: by the tools, and by speaking to the socket themselves.
 * Needs: root, util-linux (setpriv), python3. The users are nobody, once in the group of the socket and once not (a
 * stranger), and hacluster.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { executable, freePort, type Ran } from "../harness/local-cluster.ts";
import { Story } from "../harness/story.ts";

const address = "127.0.0.9";
const port = freePort();
let story: Story;
let remote: Bun.Subprocess | undefined;
let remoteConfig = "";

/** Speaks to an admin socket by hand: one request, the answer on standard output. */
const speaker = `import json, socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(8); s.connect(sys.argv[1])
body = sys.argv[2].encode()
s.sendall(struct.pack(">IB", len(body) + 1, 1) + body)
data = b""
while len(data) < 5 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
    piece = s.recv(65536)
    if not piece: break
    data += piece
print(data[5:].decode())
`;

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"], addresses: (n) => [`127.0.0.${n}`] });
  chmodSync(story.directory, 0o755);
  writeFileSync(join(story.directory, "speaker.py"), speaker, { mode: 0o644 });
  mkdirSync(join(story.directory, "tools"));
  for (const name of tools) symlinkSync(executable, join(story.directory, "tools", name));
  for (const part of ["state", "run"]) mkdirSync(join(story.directory, "far", part), { recursive: true });
  remoteConfig = join(story.directory, "far", "hactl.toml");
  const toml = readFileSync(story.nodes.configOf("node1"), "utf8");
  writeFileSync(remoteConfig, toml.replaceAll(`${story.directory}/node1/`, `${story.directory}/far/`));
  const key = story.nodes.remoteKey;
  const words = ["remote", "--node", "far", "--listen", address, "--port", String(port), "--keyfile", key];
  remote = Bun.spawn([executable, ...words], {
    env: { ...process.env, HACTL_CONFIG: remoteConfig },
    stdio: ["ignore", "ignore", "ignore"],
  });
  await story.load(`property stonith-enabled=false
primitive far ocf:pacemaker:remote params server=${address} port=${port} op monitor interval=1s
primitive vip ocf:pacemaker:Dummy params fake=secret-of-vip meta target-role=Started
primitive web ocf:pacemaker:Dummy
location vip-there vip 5: node1`);
  await story.idle();
}, 90_000);

afterAll(() => {
  remote?.kill("SIGKILL");
  story?.close();
});

const tools = [
  "cibadmin",
  "crm_attribute",
  "attrd_updater",
  "crm_resource",
  "crm_standby",
  "crm_failcount",
  "crm_ticket",
  "crm_mon",
  "crm_node",
  "stonith_admin",
  "pacemakerd",
  "corosync-quorumtool",
  "corosync-cfgtool",
  "hactl",
];

type Who = "stranger" | "nobody" | "hacluster" | "root";
const become: Readonly<Record<Who, readonly string[]>> = {
  stranger: ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"],
  nobody: ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--groups", "haclient"],
  hacluster: ["setpriv", "--reuid", "hacluster", "--regid", "haclient", "--clear-groups"],
  root: [],
};

/** Runs a program as a user, on a node or on the remote host. */
async function as(who: Who, words: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
  const env = {
    PATH: `${join(story.directory, "tools")}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HACTL_CONFIG: story.nodes.configOf("node1"),
    NO_COLOR: "1",
    ...more,
  };
  const ran = Bun.spawn([...become[who], ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([
    new Response(ran.stdout).text(),
    new Response(ran.stderr).text(),
    ran.exited,
  ]);
  return { code, stdout, stderr };
}

/** Sends a request over the socket by hand. */
async function say(who: Who, frame: object, on: "node1" | "far" = "node1") {
  const socket = join(story.directory, on, "run", "admin.sock");
  const { stdout } = await as(who, [
    "python3",
    join(story.directory, "speaker.py"),
    socket,
    JSON.stringify(frame),
  ]);
  return JSON.parse(stdout) as { value?: unknown; error?: { code: string } };
}

/** The sockets in a node's run directory, each with what a user gets who connects to it. */
async function doors(who: Who, on: "node1" | "far"): Promise<Record<string, string>> {
  const directory = join(story.directory, on, "run");
  const sockets = readdirSync(directory).filter((name) => statSync(join(directory, name)).isSocket());
  const knock = `import socket, sys
for path in sys.argv[1:]:
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("open")
    except OSError as error:
        print(error.strerror)
`;
  const { stdout } = await as(who, ["python3", "-c", knock, ...sockets.map((name) => join(directory, name))]);
  return Object.fromEntries(sockets.map((name, n) => [name, stdout.split("\n")[n] ?? ""]));
}

/** Everything that could have been changed, and who runs. */
async function state(): Promise<string> {
  const cib = (await story.cib()).replace(/ num_updates="\d+"/, "");
  const manager = story.names.map((name) => [story.nodes.pidOf(name), story.process(name, "manager")]);
  const key = readFileSync(join(story.directory, "authkey")).toString("hex");
  return JSON.stringify({ cib, manager, key });
}

/** Changes by every tool. */
const changes: readonly (readonly string[])[] = [
  ["cibadmin", "-M", "-X", '<nvpair id="x" name="stonith-enabled" value="true"/>'],
  ["cibadmin", "-C", "-o", "resources", "-X", '<primitive id="own" class="lsb" type="own"/>'],
  ["cibadmin", "-C", "-o", "acls", "-X", '<acl_target id="mine"/>'],
  [
    "cibadmin",
    "-R",
    "-X",
    "<cib><configuration><crm_config/><nodes/><resources/><constraints/></configuration></cib>",
  ],
  ["cibadmin", "-D", "-X", '<primitive id="web"/>'],
  ["cibadmin", "-E", "--force"],
  ["cibadmin", "-B"],
  ["crm_attribute", "-n", "maintenance-mode", "-v", "true"],
  ["crm_attribute", "-N", "node1", "-n", "site", "-v", "hall"],
  ["crm_attribute", "-N", "node1", "-l", "reboot", "-n", "mine", "-v", "1"],
  ["attrd_updater", "-n", "mine", "-U", "1", "-N", "node1"],
  ["attrd_updater", "-p", "-n", "mine", "-U", "1", "-N", "node1"],
  ["attrd_updater", "-D", "-n", "known", "-N", "node1"],
  ["attrd_updater", "-Y", "-n", "known", "-d", "60"],
  ["crm_resource", "-r", "vip", "--meta", "-p", "target-role", "-v", "Stopped"],
  ["crm_resource", "-r", "vip", "-p", "fake", "-v", "mine"],
  ["crm_resource", "--move", "-r", "vip"],
  ["crm_resource", "--refresh", "-r", "vip"],
  ["crm_resource", "--refresh"],
  ["crm_resource", "--fail", "-r", "vip", "-N", "node1"],
  ["crm_standby", "-N", "node1", "-v", "on"],
  ["crm_failcount", "-D", "-r", "vip", "-N", "node1"],
  ["crm_ticket", "-t", "T", "-g", "--force"],
  ["stonith_admin", "--reboot", "node2"],
  ["stonith_admin", "--confirm", "node2"],
  ["stonith_admin", "--register", "mine", "--agent", "fence_dummy"],
  ["stonith_admin", "--register-level", "node2", "--index", "1", "--device", "mine"],
  ["pacemakerd", "--shutdown"],
  ["corosync-quorumtool", "-e", "1"],
  ["corosync-cfgtool", "-R"],
  ["hactl", "property", "maintenance-mode=true"],
  ["hactl", "node", "standby", "node1"],
  ["hactl", "resource", "stop", "vip"],
  ["hactl", "maintenance", "on"],
  ["hactl", "fence", "node2", "--yes"],
  ["hactl", "fence", "confirm", "node2", "--yes"],
  ["hactl", "fence", "test", "node2"],
  ["hactl", "ring", "rekey", "--yes"],
  ["hactl", "reload"],
  ["hactl", "stop"],
];

/** Right guesses of what is hidden: a wrong one has to be answered the same. */
const guesses: readonly (readonly string[])[] = [
  ["cibadmin", "-Q", "--xpath", "//nvpair[@value='secret-of-vip']"],
  ["cibadmin", "-D", "--xpath", "//nvpair[@value='secret-of-vip']"],
  ["cibadmin", "-D", "-X", '<nvpair value="secret-of-vip"/>'],
  ["cibadmin", "-M", "-X", '<nvpair id="vip-instance_attributes-fake" value="secret-of-vip"/>'],
  ["crm_resource", "-r", "vip", "-p", "fake", "-v", "secret-of-vip"],
];
const looking: readonly (readonly string[])[] = [
  ["crm_resource", "-r", "vip", "-g", "fake"],
  ["crm_resource", "-r", "vip", "-q"],
  ["hactl", "configure", "show"],
  ["hactl", "status", "--json"],
  ["crm_mon", "-1", "-f", "-A", "-n"],
];

/** The same, and what is only to be looked at, as frames; with claims to be somebody else. */
const claims = { user: "root", askers: [], caller: { privileged: true }, privileged: true };
const requests: readonly (readonly [string, object])[] = [
  ["cib-apply", { operations: [{ op: "erase" }], client: "root", ...claims }],
  ["cib-apply", { operations: [{ op: "bump" }], client: "root", ...claims }],
  ["attributes-update", { updates: [{ node: "node1", name: "mine", value: "1" }], ...claims }],
  ["forget", { failuresOnly: false, ...claims }],
  ["fail", { rsc: "vip", node: "node1", ...claims }],
  ["forget", { rsc: "vip", node: "node1", failuresOnly: false, ...claims }],
  ["fence.request", { target: "node2", action: "off", client: "root", reason: "", ...claims }],
  ["fence.confirm", { target: "node2", client: "root", ...claims }],
  ["fence.test", { target: "node2", ...claims }],
  ["shutdown", claims],
  ["rekey", claims],
  ["reload", claims],
  ["expected-votes", { votes: 1, ...claims }],
  ["node-votes", { node: 1, votes: 3, ...claims }],
];
const looks: readonly (readonly [string, object])[] = [
  ["status", claims],
  ["cib", claims],
  ["ring-status", claims],
  ["history", claims],
  ["watch", claims],
  ["wait-idle", { timeoutMs: 1000, ...claims }],
  ["metadata", { class: "ocf", provider: "pacemaker", agent: "Dummy" }],
  ["fence.history", claims],
  ["fence.devices", claims],
];
const frame = (type: string, fields: object, user?: string) => ({
  id: 1,
  request: { type, ...fields },
  ...(user === undefined ? {} : { user }),
});

describe("without access rules", () => {
  test("a member of the group may do everything; on a remote host nobody ends or rekeys the cluster", async () => {
    expect((await as("nobody", ["attrd_updater", "-n", "known", "-U", "1", "-N", "node1"])).code).toBe(0);
    const before = await state();
    for (const [type, fields] of [
      ["shutdown", {}],
      ["rekey", {}],
      ["reload", {}],
      ["expected-votes", { votes: 1 }],
    ] as const) {
      // Not even its root.
      for (const who of ["nobody", "root"] as const) {
        const { error } = await say(who, frame(type, fields, "root"), "far");
        expect([who, type, error?.code]).toEqual([who, type, "PERMISSION"]);
      }
    }
    expect((await say("nobody", frame("reload", {}))).error).toBeUndefined();
    expect((await say("nobody", frame("expected-votes", { votes: 2 }))).error).toBeUndefined();
    expect(await state()).toBe(before);
  }, 60_000);

  test("what was changed says by whom", async () => {
    const since = Date.now();
    expect((await as("nobody", ["crm_attribute", "-n", "batch-limit", "-v", "7"])).code).toBe(0);
    await story.event(/^CONFIG-CHANGED configuration changed by nobody \(/, since);
    expect(await story.cib()).toContain('update-user="nobody"');
  }, 60_000);
});

describe("somebody who is not in the group", () => {
  test.each(["node1", "far"] as const)("finds every socket of %s shut", async (on) => {
    const found = await doors("stranger", on);
    expect(found).toHaveProperty(["admin.sock"]);
    expect(new Set(Object.values(found))).toEqual(new Set(["Permission denied"]));
  });

  test("changes and learns nothing by any tool", async () => {
    const before = await state();
    for (const words of [...changes, ...looking]) {
      const { code, stdout, stderr } = await as("stranger", words);
      expect([words, code]).not.toEqual([words, 0]);
      expect([words, (stdout + stderr).includes("secret-of-vip")]).toEqual([words, false]);
    }
    expect(await state()).toBe(before);
  }, 150_000);
});

describe("somebody in the group", () => {
  test.each(["node1", "far"] as const)(
    "finds one socket of %s open, by which nobody tells results",
    async (on) => {
      const found = await doors("nobody", on);
      expect(Object.entries(found).filter(([, what]) => what !== "Permission denied")).toEqual([
        ["admin.sock", "open"],
      ]);
      const before = await state();
      const result = { rsc: "vip", action: "monitor", intervalMs: 0, rc: 7, status: 0, exitReason: "" };
      for (const type of ["result", "operation-result", "executed", "registered", "remote-result", "tool"])
        expect([
          type,
          (await say("nobody", frame(type, { node: "node1", ...result, result }), on)).error?.code,
        ]).toEqual([type, "PROTOCOL"]);
      expect(await state()).toBe(before);
    },
    30_000,
  );
});

describe("somebody in the group without a right", () => {
  beforeAll(async () => {
    const failures = ["attrd_updater", "-n", "fail-count-vip#monitor_10000", "-U", "1", "-N", "node1"];
    expect((await as("root", failures)).code).toBe(0);
    await story.must("node1", "property", "enable-acl=true");
    await story.idle();
  }, 60_000);

  test.each(changes)(
    "changes nothing by %s %s %s",
    async (...words) => {
      const before = await state();
      const { code } = await as("nobody", words, { CIB_user: "root" });
      expect(code).not.toBe(0);
      expect(await state()).toBe(before);
    },
    30_000,
  );

  test.each([...requests, ...looks])(
    "is refused %s",
    async (type, fields) => {
      const before = await state();
      expect((await say("nobody", frame(type, fields, "root"))).error?.code).toBe("PERMISSION");
      expect((await say("nobody", frame(type, fields, "root"), "far")).error?.code).toBe("PERMISSION");
      expect(await state()).toBe(before);
    },
    30_000,
  );

  test("learns the nodes' names, and the log who tried what", async () => {
    expect((await as("nobody", ["crm_node", "-n"])).stdout.trim()).toBe("node1");
    expect((await as("nobody", ["attrd_updater", "-n", "known", "-Q", "-N", "node1"])).stdout).not.toContain(
      'value="1"',
    );
    expect(story.nodes.logOf("node1")).toMatch(/user nobody was refused "shutdown"/);
  }, 60_000);
});

describe("rights", () => {
  test("to see show what they are for, and nothing else", async () => {
    await story.load(`role lookers read xpath:/cib deny params:vip
acl_target nobody lookers`);
    await story.idle();
    const { code, stdout } = await as("nobody", ["cibadmin", "-Q"]);
    expect(code).toBe(0);
    expect(stdout).toContain('id="vip-there"');
    expect(stdout).not.toContain("secret-of-vip");
    expect((await as("nobody", ["crm_mon", "-1"])).stdout).toMatch(/vip\s+\(ocf::?pacemaker:Dummy\)/);
    expect((await as("nobody", ["hactl", "status"])).stdout).toContain("node1");
    expect((await as("nobody", ["attrd_updater", "-n", "known", "-Q", "-N", "node1"])).stdout).toContain(
      'value="1"',
    );
    expect((await say("nobody", frame("history", {}))).error?.code).toBe("PERMISSION");
    expect(JSON.stringify(await say("nobody", frame("status", {})))).not.toContain("secret-of-vip");
    const before = await state();
    for (const words of looking) {
      const { stdout, stderr } = await as("nobody", words);
      expect([words, (stdout + stderr).includes("secret-of-vip")]).toEqual([words, false]);
    }
    for (const guess of guesses) {
      const wrong = guess.map((word) => word.replace("secret-of-vip", "secret-of-fip"));
      expect([guess, (await as("nobody", guess)).code]).toEqual([guess, (await as("nobody", wrong)).code]);
    }
    for (const words of changes) expect([words, (await as("nobody", words)).code]).not.toEqual([words, 0]);
    expect(await state()).toBe(before);
  }, 150_000);

  test("to change permit that, and nothing else", async () => {
    await story.load(`role stoppers write meta:vip:target-role write xpath:"//nvpair[@name='mine']"
acl_target nobody lookers stoppers`);
    const stop = ["crm_resource", "-r", "vip", "--meta", "-p", "target-role", "-v"];
    expect((await as("nobody", [...stop, "Stopped"])).code).toBe(0);
    await story.on("vip", []);
    expect((await as("nobody", [...stop, "Started"])).code).toBe(0);
    for (const words of ["stop", "start"])
      expect([words, await as("nobody", ["hactl", "resource", words, "vip"])]).toMatchObject([
        words,
        { code: 0 },
      ]);
    await story.idle();
    expect((await as("nobody", ["attrd_updater", "-n", "mine", "-U", "5", "-N", "node1"])).code).toBe(0);
    const before = await state();
    const permitted = /-n mine\b|target-role|resource stop/;
    const others = changes.filter((words) => !permitted.test(words.join(" ")));
    for (const words of others) expect([words, (await as("nobody", words)).code]).not.toEqual([words, 0]);
    expect(await state()).toBe(before);
  }, 150_000);

  test("do not limit hacluster, and root only in the name of another", async () => {
    const set = (value: string) => ["crm_attribute", "-n", "batch-limit", "-v", value];
    expect((await as("hacluster", set("8"))).code).toBe(0);
    expect((await as("root", set("9"))).code).toBe(0);
    expect((await as("root", set("10"), { CIB_user: "nobody" })).code).toBe(4);
    expect((await as("root", ["cibadmin", "-Q"], { CIB_user: "nobody" })).stdout).not.toContain(
      "secret-of-vip",
    );
    expect((await as("hacluster", ["cibadmin", "-Q"], { CIB_user: "stranger" })).code).toBe(4);
    expect((await as("nobody", set("10"), { CIB_user: "root" })).code).toBe(4);
  }, 60_000);
});

describe("a remote host", () => {
  const far = () => ({ HACTL_CONFIG: remoteConfig });

  test("is a user of its own name: its root has no other rights", async () => {
    const query = ["cibadmin", "-Q"];
    expect((await as("root", query, far())).code).toBe(4);
    await story.load("acl_target far lookers");
    expect((await as("root", query, far())).stdout).not.toContain("secret-of-vip");
    const before = await state();
    for (const words of changes)
      expect([words, (await as("root", words, far())).code]).not.toEqual([words, 0]);
    expect(await state()).toBe(before);
  }, 150_000);

  test("has users who may no more than it may, and than they may", async () => {
    const mine = ["attrd_updater", "-n", "mine", "-U", "6", "-N", "far"];
    expect((await as("nobody", mine, far())).code).not.toBe(0);
    await story.load("acl_target far lookers stoppers");
    expect((await as("nobody", mine, far())).code).toBe(0);
    expect((await as("root", mine, far())).code).toBe(0);
    await story.load("acl_target nobody lookers");
    expect((await as("nobody", mine, far())).code).not.toBe(0);
  }, 60_000);
});
