import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostEnds, managerEnds, parseRemoteKey } from "../../src/remote/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { temporaryDirectory } from "../platform/temporary.ts";
import { hactl } from "./run.ts";

const root = temporaryDirectory();
const key = join(root, "authkey");
const config = join(root, "hactl.toml");
const text = `[totem]
cluster_name = "c"
keyfile = "${key}"
[quorum]
two_node = true
[system]
state_dir = "${root}/state"
run_dir = "${root}/run"
[[nodelist.node]]
name = "a"
nodeid = 1
ring0_addr = "127.0.0.1"
[[nodelist.node]]
name = "b"
nodeid = 2
ring0_addr = "127.0.0.2"
`;
writeFileSync(config, text);

describe("hactl keygen", () => {
  test("makes a key of its own for the owner alone, never twice", async () => {
    const made = await hactl(["keygen", "-k", key]);
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(statSync(key).mode & 0o777).toBe(0o400);
    expect(statSync(key).size).toBe(256);
    const before = readFileSync(key);
    expect(await hactl(["keygen", "-k", key])).toMatchObject({ code: 108, out: "" });
    expect(readFileSync(key)).toEqual(before);
    expect(await hactl(["keygen", "--keyfile", `${key}2`, "--size=4096"])).toMatchObject({ code: 0 });
    expect(statSync(`${key}2`).size).toBe(4096);
    expect(readFileSync(`${key}2`).subarray(0, 256)).not.toEqual(before);
  });

  test.each(["127", "4097", "many", "1e3", ""])("refuses the size %j", async (size) => {
    expect(await hactl(["keygen", "-k", `${key}3`, `--size=${size}`])).toMatchObject({
      code: 64,
    });
  });
});

test("keys are made where hactl.toml says", async () => {
  const toml = join(root, "elsewhere.toml");
  const at = (name: string) => join(root, "elsewhere", name);
  const keys = `[totem]\nkeyfile = "${at("ours")}"\n[remote]\nkeyfile = "${at("far")}"\n`;
  writeFileSync(toml, `${keys}[[nodelist.node]]\nnodeid = 1\nname = "a"\nring0_addr = "127.0.0.1"\n`);
  for (const words of [["keygen"], ["keygen", "--remote"], ["keygen", "--remote", "--node", "vm1"]])
    expect(await hactl(words, { HACTL_CONFIG: toml })).toMatchObject({ code: 0, err: "" });
  expect(readdirSync(join(root, "elsewhere")).sort()).toEqual(["far", "far.vm1", "ours"]);
  expect(await hactl(["corosync-keygen"], { HACTL_CONFIG: toml })).toMatchObject({ code: 108 });
});

describe("hactl keygen --remote", () => {
  const whole = `${key}.remote`;
  const own = `${key}.far`;

  test("makes of the whole key one that is good for a single remote node", async () => {
    expect(await hactl(["keygen", "--remote", "-k", whole])).toMatchObject({ code: 0, err: "" });
    const made = await hactl(["keygen", "--remote", "--node", "far", "--from", whole, "-k", own]);
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(made.out).toContain("Copy it to that host alone");
    expect(statSync(own).mode & 0o777).toBe(0o400);
    const found = parseRemoteKey(readFileSync(own));
    expect(found).toMatchObject({ kind: "node", node: "far" });
    // It is the key that the cluster expects of that node.
    const { peer } = managerEnds(parseRemoteKey(readFileSync(whole)), nodeName("far"));
    const { publicKey } = hostEnds(found, nodeName("far")).identity;
    expect(peer.accepts({ publicKey, claimed: undefined })).toBe(true);
    // None is made of it again, and none is overwritten.
    const again = await hactl(["keygen", "--remote", "--node", "b", "--from", own, "-k", `${key}.b`]);
    expect(again).toMatchObject({ code: 78 });
    expect(again.err).toContain("that of far alone");
    expect(await hactl(["keygen", "--remote", "--node", "far", "--from", whole, "-k", own])).toMatchObject({
      code: 108,
    });
  });

  test.each([
    [["--remote", "--node", "a/b"]],
    [["--remote", "--node", ""]],
    [["--remote", "--node", "*"]],
    [["--node", "a"]],
    [["--remote", "--node", "a", "--size", "300"]],
  ])("refuses %j", async (words) => {
    expect(await hactl(["keygen", ...words, "--from", whole, "-k", `${key}.none`])).toMatchObject({
      code: 64,
    });
    expect(existsSync(`${key}.none`)).toBe(false);
  });

  test("says where there is no whole key", async () => {
    const run = await hactl([
      "keygen",
      "--remote",
      "--node",
      "a",
      "--from",
      `${key}.gone`,
      "-k",
      `${key}.none`,
    ]);
    expect(run.code).toBe(66);
    expect(run.err).toContain("on a node of the cluster");
  });
});

describe("hactl config check", () => {
  test("says that it is correct, and which node this is", async () => {
    const run = await hactl(["config", "check", config, "--node", "a"]);
    expect(run).toEqual({ code: 0, out: `${config}: correct (2 nodes, 1 link; this is a)\n`, err: "" });
    expect(await hactl(["--config", config, "config", "check", "--node=b"])).toMatchObject({ code: 0 });
    expect(await hactl(["config", "check", "--node=b"], { HACTL_CONFIG: config })).toMatchObject({ code: 0 });
  });

  test("on a remote host looks at what a remote host has: it needs no node list", async () => {
    const far = join(root, "far.toml");
    const owned = join(root, "far-key");
    expect(await hactl(["keygen", "--remote", "-k", owned])).toMatchObject({ code: 0 });
    writeFileSync(far, `[remote]\nname = "far"\nkeyfile = "${owned}"\n`);
    for (const words of [[], ["--text"], ["--remote"]])
      expect(await hactl(["config", "check", far, ...words])).toEqual({
        code: 0,
        out: `${far}: correct (of a remote host)\n`,
        err: "",
      });
    writeFileSync(far, `[remote]\nkeyfile = "${owned}.gone"\n`);
    expect(await hactl(["config", "check", far])).toMatchObject({ code: 78 });
    // What says nothing of that lacks its nodes.
    writeFileSync(far, `[totem]\ncluster_name = "c"\n`);
    const run = await hactl(["config", "check", far]);
    expect([run.code, run.out]).toEqual([78, expect.stringContaining("There is no node in the node list")]);
  });

  test("tells every mistake with its line and the cure; JSON has the same", async () => {
    const wrong = join(root, "wrong.toml");
    writeFileSync(wrong, text.replace("cluster_name", "clustername").replace("nodeid = 2", "nodeid = 1"));
    const plain = await hactl(["config", "check", wrong, "--node", "a"]);
    expect(plain.code).toBe(78);
    expect(plain.out).toBe(
      `${wrong}:2: error: [totem] has no option clustername\n    Did you mean cluster_name?\n` +
        `${wrong}:15: error: nodeid 1 is also that of the node in line 9\n    Give each node a nodeid of its own\n` +
        `\n${wrong}: 2 mistakes, 0 warnings\n`,
    );
    const json = await hactl(["config", "check", wrong, "--json", "--node", "a"]);
    expect(json.code).toBe(78);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      problems: [
        { line: 2, code: "UNKNOWN_OPTION" },
        { line: 15, code: "DUPLICATE" },
      ],
    });
  });

  test("sees a key that others can read", async () => {
    chmodSync(key, 0o444);
    const run = await hactl(["config", "check", config, "--node", "a"]);
    chmodSync(key, 0o400);
    expect(run.code).toBe(78);
    expect(run.out).toContain(`${config}:3: error: The key ${key} has mode 0444`);
  });

  test("a file that is not there, or is a directory", async () => {
    expect(await hactl(["config", "check", "/nonexistent"])).toMatchObject({ code: 6, out: "" });
    expect((await hactl(["config", "check", root])).err).toContain("not a regular file");
  });
});

describe("hactl config show, explain and import", () => {
  test("show gives a configuration that is correct and the same", async () => {
    const shown = await hactl(["config", "show", config]);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('cluster_name = "c"');
    writeFileSync(join(root, "shown.toml"), shown.out);
    expect(await hactl(["config", "check", join(root, "shown.toml"), "--node", "a"])).toMatchObject({
      code: 0,
    });
    const json = JSON.parse((await hactl(["config", "show", config, "--json"])).out) as {
      effective: { tokenMs: number };
    };
    expect(json.effective.tokenMs).toBe(1000);
  });

  test("explain totem gives the talk's 2.2 seconds for two nodes", async () => {
    const run = await hactl(["config", "explain", "totem", "--config", config]);
    expect(run.out).toMatch(/failure detection +2200 ms +computed +token 1000 \+ consensus 1200/);
    const json = JSON.parse((await hactl(["config", "explain", "totem", "--nodes", "4", "--json"])).out);
    expect(json).toMatchObject({
      file: null,
      nodes: 4,
      timeouts: [{ name: "token", value: 2300 }, {}, {}, {}, {}, {}, {}],
    });
    expect(await hactl(["config", "explain", "--nodes", "x"])).toMatchObject({ code: 64 });
  });

  test("explain option knows every table and near misses", async () => {
    const run = await hactl(["explain", "option", "keyfile"]);
    expect(run.out).toContain("keyfile in [totem]");
    expect(run.out).toContain("keyfile in [remote]");
    expect((await hactl(["explain", "option", "remote.keyfile"])).out).not.toContain("[totem]");
    const near = await hactl(["explain", "option", "consenus"]);
    expect(near.code).toBe(105);
    expect(near.err).toContain("Did you mean consensus?");
  });

  test("import prints or writes, and overwrites only when told", async () => {
    const conf = join(root, "corosync.conf");
    writeFileSync(
      conf,
      "totem {\n cluster_name: x\n}\nnodelist {\n node {\n ring0_addr: 127.0.0.1\n name: a\n nodeid: 1\n }\n}\n",
    );
    const printed = await hactl(["config", "import", "--corosync", conf]);
    expect(printed.code).toBe(0);
    expect(printed.out).toContain('cluster_name = "x"');
    const out = join(root, "imported.toml");
    expect(await hactl(["config", "import", "--corosync", conf, "-o", out])).toMatchObject({ code: 0 });
    expect(readFileSync(out, "utf8")).toBe(printed.out);
    expect(await hactl(["config", "import", "--corosync", conf, "-o", out])).toMatchObject({ code: 108 });
    expect(await hactl(["config", "import", "--corosync", conf, "-f", "-o", out])).toMatchObject({ code: 0 });
    expect(await hactl(["config", "import"])).toMatchObject({ code: 64 });
    expect(await hactl(["config", "import", "--corosync", "/nonexistent"])).toMatchObject({ code: 6 });
  });
});
