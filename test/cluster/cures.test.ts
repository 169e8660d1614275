import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StatusReply } from "../../src/controller/index.ts";
import { Story } from "../harness/story.ts";

/** A node that is configured otherwise than the others is named with a cure on both sides, and the cure cures. */

let story: Story;
let right: string;
const toml = () => story.nodes.configOf("node3");

beforeAll(async () => {
  story = await Story.running({ nodes: 3 });
  await story.load("property stonith-enabled=false dc-deadtime=2s\nprimitive fine ocf:pacemaker:Dummy");
  await story.idle();
  right = readFileSync(toml(), "utf8");
}, 60_000);

afterAll(() => story?.close());

/** What a node's status warns of, with its cure. */
async function told(name: string): Promise<string> {
  const { warnings } = await story.ask<StatusReply>(name, { type: "status" });
  return warnings.map(({ text, cure }) => `${text}. ${cure}`).join("\n");
}

async function tells(name: string, what: RegExp): Promise<void> {
  await story.until(`${name} says ${what}`, 20_000, async () =>
    what.test(await told(name)) ? true : undefined,
  );
}

async function restart(change: () => void): Promise<void> {
  await story.must("node3", "stop", "--timeout", "30");
  change();
  story.nodes.start("node3");
}

/** All three are one cluster again, and nobody complains. */
async function whole(): Promise<void> {
  await story.membersAre(3, "node1");
  for (const name of story.names)
    await story.until(`${name} complains no more`, 30_000, async () =>
      /ignored|cannot form/.test(await told(name)) ? undefined : true,
    );
}

test("another key: the file that is named is copied, the node is started again", async () => {
  const other = join(story.directory, "other-key");
  writeFileSync(other, randomBytes(256), { mode: 0o400 });
  await restart(() =>
    writeFileSync(toml(), right.replace(/keyfile = ".*"/, `keyfile = ${JSON.stringify(other)}`)),
  );
  const key = join(story.directory, "authkey");
  for (const [name, path] of [
    ["node1", key],
    ["node3", other],
  ] as const) {
    await tells(name, /uses another key or cluster_name: it is ignored\. Copy the key file/);
    expect(await told(name)).toContain(`(${path} on this node)`);
  }
  await restart(() => {
    chmodSync(other, 0o600);
    copyFileSync(key, other);
    chmodSync(other, 0o400);
  });
  await whole();
  await restart(() => writeFileSync(toml(), right));
  rmSync(other);
  await whole();
}, 120_000);

test("another name of the cluster: it is made the same, the node is started again", async () => {
  await restart(() =>
    writeFileSync(toml(), right.replace('cluster_name = "local"', 'cluster_name = "other"')),
  );
  for (const name of ["node1", "node3"])
    await tells(name, /and cluster_name of one node to the other, and restart/);
  await restart(() => writeFileSync(toml(), right));
  await whole();
}, 120_000);

test("the number of another node: the node list is made the same", async () => {
  const swapped = right
    .replace("nodeid = 2", "nodeid = @")
    .replace("nodeid = 3", "nodeid = 2")
    .replace("nodeid = @", "nodeid = 3");
  const before = await story.configuration();
  expect(swapped).not.toBe(right);
  await restart(() => writeFileSync(toml(), swapped));
  await tells(
    "node1",
    /a host at 127\.0\.0\.3 .* claims to be node2.*: it is ignored\. Write the same node list/,
  );
  await tells("node3", /claims to be|is not in the node list/);
  // It has decided once, alone and without quorum.
  await story.until("node3 decides", 20_000, () =>
    story.nodes.logOf("node3").split("no membership yet").at(-1)?.includes("TRANSITION-OVER")
      ? true
      : undefined,
  );
  writeFileSync(toml(), right);
  const { code, stderr } = await story.hactl("node3", "reload");
  expect(code).not.toBe(0);
  expect(stderr).toContain("this node runs as nodeid 2, and is nodeid 3 by what stands there now");
  expect(stderr).toContain("start it again (hactl stop, hactl start)");
  await restart(() => {});
  await whole();
  for (const name of story.names) expect(await story.configuration(name)).toBe(before);
  expect(await story.must("node1", "crm_node", "-l")).toBe(
    "1 node1 member\n2 node2 member\n3 node3 member\n",
  );
}, 120_000);
