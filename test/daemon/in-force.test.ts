import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  describeInForce,
  inForceEnvironment,
  loadInForce,
  setupInForce,
  sinceStart,
} from "../../src/daemon/in-force.ts";
import { loadNode } from "../../src/daemon/setup.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-in-force-"));
const configPath = join(directory, "hactl.toml");
const keyFile = join(directory, "authkey");
afterAll(() => rmSync(directory, { recursive: true }));

/** A configuration for this machine, under any name. */
const config = (more: { readonly state?: string; readonly token?: number; readonly name?: string } = {}) => `
[totem]
cluster_name = "test"
token = ${more.token ?? 3000}
keyfile = "${keyFile}"

[[nodelist.node]]
name = "${more.name ?? "one"}"
nodeid = 1
ring0_addr = "127.0.0.1"

[system]
state_dir = "${more.state ?? directory}"
run_dir = "${directory}"
`;

const write = (text: string) => writeFileSync(configPath, text);
const args = { configPath, node: "one" };

/** The setup of a ring that was just started with a text. */
function started(text: string) {
  rmSync(keyFile, { force: true });
  writeFileSync(keyFile, new Uint8Array(128), { mode: 0o400 });
  write(text);
  return loadNode(args);
}

describe("a process that the ring starts", () => {
  test("goes by what the ring goes by, whatever has become of the files and of the name of the machine", () => {
    const ring = started(config());
    const environment: NodeJS.ProcessEnv = inForceEnvironment(describeInForce(ring, ring));
    rmSync(keyFile);
    write("[totem\n=");
    const setup = loadInForce({ configPath }, environment);
    expect(setup.self).toEqual(ring.self);
    expect(setup.config.localNode).toEqual(ring.self);
    expect(setup.config.totem).toEqual(ring.config.totem);
    expect(setup.config.system).toEqual(ring.config.system);
    expect(setup.text).toBe(ring.text);
    // What it starts itself shall not take it over.
    expect(environment).toEqual({});
    expect(() => loadInForce(args, environment)).toThrow("mistake");
  });

  test("has after a reload what that put in force, and what needs a restart as it was at the start", () => {
    const first = started(config());
    write(config({ state: join(directory, "elsewhere"), token: 5000 }));
    const next = sinceStart(loadNode(args), first);
    expect(next.config.totem.effective.tokenMs).toBe(5000);
    expect(next.config.system.stateDir).toBe(directory);
    const setup = setupInForce({ configPath }, describeInForce(next, first));
    expect(setup.config.totem.effective.tokenMs).toBe(5000);
    expect(setup.config.system).toEqual(first.config.system);
    // Once more, and with another text.
    write(config({ state: join(directory, "third"), token: 6000 }));
    const third = sinceStart(loadNode(args), first);
    expect(setupInForce(args, describeInForce(third, first)).config.system.stateDir).toBe(directory);
  });

  test("reads the file where nothing was given, or where that would be too long", () => {
    const ring = started(config());
    const long = { ...ring, text: `${ring.text}${"#".repeat(130_000)}\n` };
    expect(inForceEnvironment(describeInForce(long, ring))).toEqual({});
    write(config({ token: 7000 }));
    expect(loadInForce(args, {}).config.totem.effective.tokenMs).toBe(7000);
  });
});
