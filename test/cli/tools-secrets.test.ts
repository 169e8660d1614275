/** cibsecret against a cluster of two real nodes on this machine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hactl } from "./run.ts";
import { ToolCluster } from "./tools-cluster.ts";

let tools: ToolCluster;
let rsh = "";
const file = (node: string, name: string) => join(tools.cluster.directory, node, "secrets", name);
const inCib = async () => /name="passwd" value="([^"]*)"/.exec(await tools.output("cibadmin", "-Q"))?.[1];
const secret = (...words: string[]) => tools.run("cibsecret", "-e", rsh, ...words);

beforeAll(async () => {
  tools = await ToolCluster.start(2, (node) => `127.9.2.${node}`);
  await tools.output("property", "stonith-enabled=false");
  await tools.output("configure", ...tools.primitive("db"), "meta", "target-role=Stopped");
  // In the place of ssh: the other node is on this machine.
  const bin = join(tools.cluster.directory, "bin");
  mkdirSync(bin);
  symlinkSync(join(import.meta.dir, "../../dist/hactl"), join(bin, "cibsecret"));
  rsh = join(bin, "rsh");
  writeFileSync(
    rsh,
    `#!/bin/sh\nHACTL_CONFIG=${tools.cluster.directory}/$1/hactl.toml PATH=${bin}:$PATH exec sh -c "$2"\n`,
  );
  chmodSync(rsh, 0o755);
}, 180_000);
afterAll(() => tools.stop());

describe("cibsecret", () => {
  test("set stores the value on all nodes and refers to it in the configuration", async () => {
    expect(await secret("set", "db", "passwd", "S3cret")).toMatchObject({ code: 0, stdout: "" });
    expect(await inCib()).toBe("lrm://");
    for (const node of ["node1", "node2"]) {
      expect(readFileSync(file(node, "db/passwd"), "utf8")).toBe("S3cret\n");
      expect(statSync(file(node, "db/passwd")).mode & 0o777).toBe(0o600);
      expect(statSync(file(node, "db")).mode & 0o777).toBe(0o700);
    }
    expect(await secret("get", "db", "passwd")).toMatchObject({ code: 0, stdout: "S3cret\n" });
    expect((await secret("check", "db", "passwd")).code).toBe(0);
    expect(await tools.output("crm_resource", "-r", "db", "-g", "passwd")).toBe("lrm://\n");
  });

  test("check tells a file that was changed by hand", async () => {
    writeFileSync(file("node1", "db/passwd"), "changed\n");
    expect((await secret("check", "db", "passwd")).code).toBe(104);
    expect((await secret("get", "db", "passwd")).stdout).toBe("");
    expect((await secret("set", "db", "passwd", "S3cret")).code).toBe(0);
    expect((await secret("check", "db", "passwd")).code).toBe(0);
  });

  test("unstash moves the value into the configuration, stash back into files", async () => {
    expect((await secret("unstash", "db", "passwd")).code).toBe(0);
    expect(await inCib()).toBe("S3cret");
    for (const node of ["node1", "node2"]) expect(existsSync(file(node, "db"))).toBe(false);
    expect((await secret("get", "db", "passwd")).code).toBe(78);
    expect((await secret("set", "db", "passwd", "other")).stderr).toContain("another value");
    expect(await inCib()).toBe("S3cret");
    expect((await secret("stash", "db", "passwd")).code).toBe(0);
    expect(await inCib()).toBe("lrm://");
    expect((await secret("stash", "db", "passwd")).code).toBe(108);
    expect(readFileSync(file("node2", "db/passwd"), "utf8")).toBe("S3cret\n");
  });

  test("what does not reach a node leaves the configuration alone, and sync makes up for it", async () => {
    expect((await secret("delete", "db", "passwd")).code).toBe(0);
    expect(await inCib()).toBeUndefined();
    const failed = await tools.run("cibsecret", "-e", "false", "set", "db", "passwd", "later");
    expect([failed.code, failed.stderr.includes("node node2 was not reached")]).toEqual([1, true]);
    expect(await inCib()).toBeUndefined();
    expect(existsSync(file("node2", "db/passwd"))).toBe(false);
    expect((await secret("sync")).code).toBe(0);
    expect(readFileSync(file("node2", "db/passwd"), "utf8")).toBe("later\n");
    expect((await secret("set", "db", "passwd", "later")).code).toBe(0);
    expect(await inCib()).toBe("lrm://");
  });

  test("-C leaves the configuration alone, --local the other nodes", async () => {
    expect((await secret("-C", "--local", "set", "nowhere", "key", "k")).code).toBe(0);
    expect((await secret("-C", "get", "nowhere", "key")).stdout).toBe("k\n");
    expect(existsSync(file("node2", "nowhere"))).toBe(false);
    expect((await secret("get", "nowhere", "key")).code).toBe(105);
    expect((await secret("-C", "--local", "delete", "nowhere", "key")).code).toBe(0);
    expect(existsSync(file("node1", "nowhere"))).toBe(false);
  });

  test("refuses what cannot be", async () => {
    for (const words of [
      [],
      ["set", "db", "passwd"],
      ["get", "db"],
      ["-C", "stash", "db", "x"],
      ["get", "..", "x"],
    ])
      expect([words, (await secret(...words)).code]).toEqual([words, 64]);
    expect((await secret("set", "none", "passwd", "x")).code).toBe(105);
    expect(existsSync(file("node1", "none"))).toBe(false);
  });
});

test("a rehearsal touches no node's secrets", async () => {
  for (const words of [
    ["set", "db", "passwd", "other"],
    ["stash", "db", "passwd"],
    ["delete", "db", "passwd"],
    ["sync"],
  ]) {
    const { code, err } = await hactl(["cibsecret", ...words], { CIB_file: "/nonexistent/cib.xml" });
    expect({ words, code }).toEqual({ words, code: 64 });
    expect(err).toContain("a file of secrets on the nodes is for the running cluster");
  }
});
