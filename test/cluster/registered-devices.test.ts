/** Fence devices and levels that are registered with the fencer of a node: known to all, used from there, gone with it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Story } from "../harness/story.ts";

let story: Story;
let params: readonly string[];

beforeAll(async () => {
  story = await Story.running({ nodes: 3 });
  params = ["-o", `pid_dir=${join(story.directory, "pids")}`];
  await story.load("property stonith-enabled=true");
  await story.idle();
}, 60_000);

afterAll(() => story?.close());

const admin = (node: string, ...words: readonly string[]) => story.hactl(node, "stonith_admin", ...words);
const must = (node: string, ...words: readonly string[]) => story.must(node, "stonith_admin", ...words);
const refused = async (code: number, said: RegExp, node: string, ...words: readonly string[]) => {
  const ran = await admin(node, ...words);
  expect([words, ran.code]).toEqual([words, code]);
  expect(ran.stderr).toMatch(said);
};

/** Also of a cluster that is degraded. */
const status = async () => (await story.hactl("node2", "status")).stdout.replaceAll(/\s+/g, " ");

test("nothing is registered that cannot work", async () => {
  await refused(64, /name the agent/, "node2", "-R", "extra");
  await refused(
    5,
    /fence_nowhere is not installed on this node/,
    "node2",
    "-R",
    "extra",
    "-a",
    "fence_nowhere",
  );
  await refused(3, /put the device in the configuration/, "node2", "-R", "extra", "-a", "fence_kdump");
  await refused(64, /is no NAME=VALUE/, "node2", "-R", "extra", "-a", "fence_hactl_demo", "-o", "x");
  await refused(
    64,
    /OCF_RESKEY_x is not in the env/,
    "node2",
    "-R",
    "extra",
    "-a",
    "fence_hactl_demo",
    "-e",
    "x",
  );
  await refused(
    64,
    /"a b" is no name of a param/,
    "node2",
    "-R",
    "x",
    "-a",
    "fence_hactl_demo",
    "-o",
    "a b=1",
  );
  await refused(
    64,
    /more than one line/,
    "node2",
    "-R",
    "x",
    "-a",
    "fence_hactl_demo",
    "-o",
    "a=1\naction=off",
  );
  await refused(64, /"a,b" is no name of a fence/, "node2", "-R", "a,b", "-a", "fence_hactl_demo");
  await refused(64, /is no regular expression/, "node2", "-r", "@node[", "-i", "1", "-v", "x");
  await refused(64, /name the devices/, "node2", "-r", "node3", "-i", "1");
  for (const index of [[], ["-i", "0"], ["-i", "10"], ["-i", "x"]])
    await refused(64, /from 1 to 9/, "node2", "-r", "node3", "-v", "extra", ...index);
  expect(await must("node2", "-L")).toBe("No fence devices found\n");
});

test("a device is listed everywhere, is asked where it was registered, and fences", async () => {
  await must("node2", "--register", "extra", "--agent=fence_hactl_demo", ...params);
  expect(await must("node1", "-L")).toBe("extra\n1 fence device found\n");
  expect(await story.must("node1", "fence", "list")).toMatch(/registered on node2[\s\S]*run by +node2\n/);
  await must("node2", "-Q", "extra");
  await refused(1, /registered on node2: ask there/, "node1", "-Q", "extra");
  expect(await must("node2", "-l", "node3")).toContain("extra");
  await must("node1", "-F", "node3");
  expect(await must("node1", "-H", "node3")).toMatch(
    /node2 was able to off node node3 on behalf of stonith_admin/,
  );
  // As the peer: by its name, or by its number where that is said.
  expect(await must("node1", "-h", "3", "-n")).toStartWith("Node node3 last fenced at: ");
  expect(await must("node1", "-h", "3")).toBe("Node 3 has never been fenced\n");
  await refused(105, /no node with the number 9/, "node1", "-h", "9", "--as-node-id");
  story.nodes.start("node3");
  await story.membersAre(3, "node1");
  // Who has come anew knows it, too.
  expect(await must("node3", "-L")).toContain("extra");
});

test("a level is kept to, and both can be taken back", async () => {
  await must("node2", "-r", "@node[34]", "-i", "2", "-v", "extra");
  const { code, stderr } = await admin("node1", "-r", "node3", "-i", "1", "-v", "missing");
  expect([code, stderr]).toEqual([0, expect.stringContaining("there is no fence device missing")]);
  await story.must("node1", "fence", "list", "--json").then((text) => {
    const [device] = JSON.parse(text) as { levels: unknown; registeredOn: unknown }[];
    expect(device?.registeredOn).toEqual(["node2"]);
    // A level for the node itself counts before one for a pattern.
    expect(device?.levels).toEqual({});
  });
  // Who looks at fencing in whatever way is told, and how to get rid of it.
  const back = /stonith_admin -d node3 -i 1'? takes/;
  const tried = await story.hactl("node2", "fence", "test", "node3");
  expect(tried.code).toBe(1);
  expect(tried.stdout).toMatch(/FAIL level 1 missing.*there is no such device: level 1 fails; on node1/);
  for (const shown of [tried.stdout, await story.must("node3", "fence", "list"), await status()])
    expect(shown).toMatch(back);
  await refused(105, /registered on node1/, "node2", "-d", "node3", "-i", "1");
  await must("node1", "-d", "node3", "-i", "1");
  expect(await status()).not.toMatch(back);
  const [device] = JSON.parse(await story.must("node1", "fence", "list", "--json")) as { levels: unknown }[];
  expect(device?.levels).toEqual({ node3: 2 });
  await must("node2", "--deregister-level=@node[34]");
  await refused(105, /registered on node2, not here/, "node1", "-D", "extra");
  await must("node2", "-D", "extra");
  expect(await must("node1", "-L")).toBe("No fence devices found\n");
  await refused(105, /no fence device for node3/, "node1", "-F", "node3", "-t", "5");
});

test("what is registered ends with the manager of its node", async () => {
  await must("node2", "-R", "extra", "-a", "fence_hactl_demo", ...params);
  await must("node1", "-R", "mine", "-a", "fence_hactl_demo", ...params);
  const manager = story.process("node2", "manager");
  if (manager === undefined) throw new Error("node2 has no manager");
  process.kill(manager, "SIGKILL");
  await story.nodes.until("its devices are gone", 20_000, async () => {
    const { stdout } = await admin("node1", "-L");
    return stdout === "mine\n1 fence device found\n" ? true : undefined;
  });
  await story.membersAre(3, "node1");
  await story.nodes.until("its new manager knows those of others", 20_000, async () => {
    const { stdout } = await admin("node2", "-L");
    return stdout === "mine\n1 fence device found\n" ? true : undefined;
  });
  await must("node1", "-D", "mine");
});
