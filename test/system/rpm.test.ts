import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { daemons, tools } from "../../src/cli/tools.ts";

/** Needs root, rpm, rpmbuild, cpio and a static busybox. */
const project = join(import.meta.dir, "../..");
const scratch = mkdtempSync(join(tmpdir(), "hactl-rpm-"));
const root = join(scratch, "root");
const packages = join(scratch, "packages");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(...command: string[]): string {
  const done = Bun.spawnSync(command, {
    cwd: project,
    env: { ...process.env, RPM_PAYLOAD: "w1.zstdio", RPM_OUT: packages, SOURCE_DATE_EPOCH: "1000000000" },
    stderr: "pipe",
  });
  if (done.exitCode !== 0) throw new Error(`${command.join(" ")}: ${done.stderr}${done.stdout}`);
  return done.stdout.toString();
}

const rpm = (...words: string[]) => run("rpm", "--root", root, "--dbpath", "/var/lib/rpm", ...words);
const files = () => readdirSync(packages).toSorted();
const digests = () =>
  files().map((name) =>
    createHash("sha256")
      .update(readFileSync(join(packages, name)))
      .digest("hex"),
  );
const inRoot = (path: string) => join(root, path);
const config = inRoot("etc/hactl/hactl.toml");

/** Everything below the root that an erased package could have left. */
const traces = () =>
  (readdirSync(root, { recursive: true }) as string[])
    .filter((path) => /hactl|crm_|fence_kdump|ocf\//.test(path) && !path.startsWith("var/lib/rpm"))
    .toSorted();

beforeAll(() => {
  run("make", "rpm");
  // The scriptlets need a shell and some commands; the packages' other requirements are not tried here.
  for (const path of ["bin", "var/lib/rpm", "tmp"]) mkdirSync(inRoot(path), { recursive: true });
  copyFileSync("/bin/busybox", inRoot("bin/busybox"));
  symlinkSync("busybox", inRoot("bin/sh"));
  rpm("--initdb");
}, 600_000);

describe("the packages", () => {
  test("are four, and the same input makes the same bytes", () => {
    expect(files().map((name) => name.replace(/-\d.*/, ""))).toEqual([
      "hactl",
      "hactl-cli",
      "hactl-kdump",
      "hactl-remote",
    ]);
    const first = digests();
    run("make", "rpm");
    expect(digests()).toEqual(first);
  }, 600_000);

  test("install; every name of the executable is there and it runs", () => {
    rpm("--nodeps", "-i", ...files().map((name) => join(packages, name)));
    expect(rpm("-qa").trim().split("\n")).toHaveLength(4);
    expect(run(inRoot("usr/sbin/hactl"), "--version")).toMatch(/^hactl \d+\.\d+\.\d+\n$/);
    for (const name of Object.keys(tools))
      expect(lstatSync(inRoot(`usr/sbin/${name}`)).isSymbolicLink()).toBe(true);
    for (const name of Object.keys(daemons))
      for (const place of ["lib", "libexec"])
        expect(run(inRoot(`usr/${place}/pacemaker/${name}`), "metadata")).toContain(`name="${name}"`);
    for (const path of [
      "usr/lib/systemd/system/hactl.service",
      "usr/lib/systemd/system/hactl-remote.service",
      "usr/lib/ocf/resource.d/pacemaker/Dummy",
      "usr/lib/sysusers.d/hactl.conf",
      "usr/lib/firewalld/services/hactl.xml",
      "usr/libexec/fence_kdump_send",
      "var/lib/hactl",
    ]) {
      expect(existsSync(inRoot(path))).toBe(true);
    }
    expect(lstatSync(inRoot("var/lib/hactl")).mode & 0o7777).toBe(0o750);
  });

  test("carry a configuration that is correct, and the executable is not stripped", () => {
    expect(run(inRoot("usr/sbin/hactl"), "config", "check", "--text", config)).toContain(
      "correct (2 nodes, 2 links)",
    );
    expect(rpm("--nodeps", "-V", "hactl", "hactl-cli", "hactl-remote", "hactl-kdump").trim()).toBe("");
  });

  test("an upgrade keeps a configuration that was changed", () => {
    appendFileSync(config, "# mine\n");
    rpm("--nodeps", "-U", "--replacepkgs", ...files().map((name) => join(packages, name)));
    expect(readFileSync(config, "utf8")).toEndWith("# mine\n");
    expect(rpm("-qa").trim().split("\n")).toHaveLength(4);
  });

  test("when erased leave nothing but the changed configuration and what the cluster wrote", () => {
    writeFileSync(inRoot("var/lib/hactl/cib.xml"), "<cib/>");
    rpm("-e", "hactl", "hactl-cli", "hactl-remote", "hactl-kdump");
    expect(traces()).toEqual([
      "etc/hactl",
      "etc/hactl/hactl.toml.rpmsave",
      "var/lib/hactl",
      "var/lib/hactl/cib.xml",
    ]);
    expect(readFileSync(`${config}.rpmsave`, "utf8")).toEndWith("# mine\n");
  });

  test("when erased with the configuration as it came leave nothing", () => {
    rmSync(inRoot("etc/hactl"), { recursive: true });
    rmSync(inRoot("var/lib/hactl"), { recursive: true });
    rpm("--nodeps", "-i", ...files().map((name) => join(packages, name)));
    rpm("-e", "hactl", "hactl-cli", "hactl-remote", "hactl-kdump");
    expect(traces()).toEqual([]);
  });
});
