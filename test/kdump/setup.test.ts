import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkKdump, type KdumpSetup, noticeKey, setUpKdump, smallSender } from "../../src/kdump/index.ts";

const base = mkdtempSync(join(tmpdir(), "hactl-kdump-"));
let count = 0;
let root = "";
beforeEach(() => {
  root = join(base, String(++count));
  mkdirSync(join(root, "etc"), { recursive: true });
});
afterAll(() => rmSync(base, { recursive: true }));

const nodes = [
  { name: "vm01", id: 1, addresses: ["192.0.2.1", "198.51.100.1"] },
  { name: "vm02", id: 2, addresses: ["192.0.2.2", "198.51.100.2"] },
  { name: "vm03", id: 3, addresses: [] },
];
const setup = (extra: Partial<KdumpSetup> = {}): KdumpSetup => ({
  root,
  clusterName: "a & b",
  self: "vm01",
  nodes,
  port: 7410,
  intervalSeconds: 10,
  sender: "system",
  executable: "/usr/sbin/hactl",
  signWith: undefined,
  clusterConf: false,
  ...extra,
});
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("hactl kdump setup", () => {
  test("sets the two options, keeps the rest, and does nothing the second time", () => {
    writeFileSync(
      join(root, "etc/kdump.conf"),
      "# dump here\npath /var/crash\nfence_kdump_nodes old1 old2\nfence_kdump_args -i 3\ncore_collector makedumpfile -l\n\n",
    );
    expect(setUpKdump(setup()).map(({ changed }) => changed)).toEqual([true, true]);
    expect(read("etc/kdump.conf")).toBe(
      "# dump here\npath /var/crash\ncore_collector makedumpfile -l\nfence_kdump_nodes 192.0.2.2 198.51.100.2 vm03\n",
    );
    expect(read("usr/libexec/fence_kdump_send")).toBe(smallSender);
    expect(statSync(join(root, "usr/libexec/fence_kdump_send")).mode & 0o777).toBe(0o755);
    expect(setUpKdump(setup()).map(({ changed }) => changed)).toEqual([false, false]);
  });

  test("a port and an interval of one's own go into the arguments", () => {
    setUpKdump(setup({ port: 7411, intervalSeconds: 2 }));
    expect(read("etc/kdump.conf")).toContain("\nfence_kdump_args -p 7411 -i 2\n");
  });

  test("the system's sender stays", () => {
    mkdirSync(join(root, "usr/libexec"), { recursive: true });
    writeFileSync(join(root, "usr/libexec/fence_kdump_send"), "the original");
    setUpKdump(setup());
    expect(read("usr/libexec/fence_kdump_send")).toBe("the original");
    setUpKdump(setup({ sender: "hactl" }));
    expect(read("usr/libexec/fence_kdump_send")).toBe('#!/bin/sh\nexec /usr/sbin/hactl kdump-send "$@"\n');
    expect(read("etc/kdump.conf")).toContain("\nextra_bins /usr/sbin/hactl\n");
  });

  test("a signing key is this node's own, for root alone, and goes into the image", () => {
    const signWith = Buffer.from("0123456789abcdef");
    setUpKdump(setup({ sender: "hactl", signWith }));
    expect(read("etc/hactl/kdump.key")).toBe(`vm01 ${noticeKey(signWith, "vm01").toString("hex")}\n`);
    expect(statSync(join(root, "etc/hactl/kdump.key")).mode & 0o777).toBe(0o400);
    expect(read("etc/kdump.conf")).toContain(
      "dracut_args --include /etc/hactl/kdump.key /etc/hactl/kdump.key\n",
    );
  });

  test("cluster.conf for old kexec-tools names nodes and agent, escaped", () => {
    setUpKdump(setup({ clusterConf: true }));
    const text = read("etc/cluster/cluster.conf");
    expect(text).toContain('<cluster name="a &#38; b" config_version="1">');
    expect(text).toContain('<clusternode name="vm02" nodeid="2"/>');
    expect(text).toContain('agent="fence_kdump"');
  });

  test("a node that the list does not have is refused and nothing is written", () => {
    expect(() => setUpKdump(setup({ self: "vm09" }))).toThrow('does not name "vm09"');
    expect(() => statSync(join(root, "etc/kdump.conf"))).toThrow();
  });
});

describe("hactl kdump check", () => {
  const check = async (list: string | undefined) => {
    const findings = await checkKdump({
      root,
      self: "vm01",
      nodes: nodes.map((node) => ({ ...node, addresses: [] })),
      port: 7410,
      timeoutMs: 10,
      listInitrd: list === undefined ? undefined : async () => list,
    });
    return findings.map(({ ok, what }) => `${ok ? "ok" : "FAIL"} ${what.replaceAll(root, "")}`);
  };

  test("an empty machine fails each point", async () => {
    expect(await check("")).toEqual([
      "FAIL no memory is reserved for a crash kernel",
      "FAIL no crash kernel is loaded",
      "FAIL /etc/kdump.conf does not name vm02, vm03",
      "ok it does not name this node itself",
      "FAIL /usr/libexec/fence_kdump_send is missing",
      "FAIL there is no kdump image",
    ]);
  });

  test("a machine that is set up passes; an old image or one without the sender does not", async () => {
    for (const directory of ["proc", "sys/kernel", "boot"])
      mkdirSync(join(root, directory), { recursive: true });
    writeFileSync(join(root, "proc/cmdline"), "root=/dev/sda1 crashkernel=256M quiet\n");
    writeFileSync(join(root, "sys/kernel/kexec_crash_loaded"), "1\n");
    setUpKdump(setup({ nodes: nodes.map((node) => ({ ...node, addresses: [] })) }));
    const image = join(root, "boot/initramfs-5.14.0-1.el9.x86_64kdump.img");
    writeFileSync(image, "");
    utimesSync(image, 2_000_000_000, 2_000_000_000);
    const good = await check("usr/libexec/fence_kdump_send\n");
    expect(good.filter((one) => one.startsWith("FAIL"))).toEqual([]);
    expect(good.length).toBe(7);
    expect((await check("usr/bin/bash\n")).at(-1)).toBe("FAIL the sender is not in the image");
    utimesSync(image, 1000, 1000);
    expect((await check("usr/libexec/fence_kdump_send\n")).at(-2)).toContain("is older than /etc/kdump.conf");
  });
});
