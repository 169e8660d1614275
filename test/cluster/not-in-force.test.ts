/** What would be shown and not be in force is refused, by whatever tool it comes, and nothing is changed by it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Story } from "../harness/story.ts";

let story: Story;

beforeAll(async () => {
  story = await Story.running({ nodes: 2, quorum: ["two_node = true"] });
  await story.load(`${story.power}
property stonith-enabled=true
primitive a ocf:pacemaker:Dummy op monitor interval=10s`);
  await story.idle();
}, 60_000);

afterAll(() => story?.close());

const configuration = () => story.must("node1", "cibadmin", "--query", "--scope", "configuration");

/** Expects a refusal with this exit code and these words, and that everything is as before. */
async function refuses(code: number, said: RegExp, ...words: readonly string[]): Promise<void> {
  const before = await configuration();
  const ran = await story.hactl("node1", ...words);
  expect([words, ran.code]).toEqual([words, code]);
  expect(ran.stderr).toMatch(said);
  expect(await configuration()).toBe(before);
}

describe("switches of nodes", () => {
  test.each([
    [["crm_standby", "-N", "node1", "-v", "maybe"]],
    [["crm_standby", "-N", "node1", "-v", "onn", "-l", "reboot"]],
    [["crm_attribute", "-N", "node1", "-n", "maintenance", "-v", "perhaps"]],
    [["crm_attribute", "-N", "node1", "-n", "standby", "-v", "perhaps", "-l", "reboot"]],
    [["attrd_updater", "-n", "standby", "-U", "maybe", "-N", "node2"]],
  ])("%p", async (words) => {
    await refuses(78, /="\w+" is not valid.*write true or false/, ...words);
    const asked = await story.hactl("node1", "attrd_updater", "-n", "standby", "-Q", "-A");
    expect(asked.stdout).not.toMatch(/maybe|perhaps|onn/);
  });

  test("end by the command that ends them, also those that hold until the next reboot", async () => {
    for (const [attribute, end] of [
      ["standby", "online"],
      ["maintenance", "ready"],
    ] as const) {
      const asked = () => story.must("node1", "attrd_updater", "-n", attribute, "-Q", "-A");
      await story.must("node1", "crm_attribute", "-N", "node2", "-n", attribute, "-v", "on", "-l", "reboot");
      expect(await asked()).toContain('value="on"');
      expect(await story.must("node1", "status")).toMatch(
        new RegExp(`node node2 is [^]*hactl node ${end} node2`),
      );
      await story.must("node1", "node", end, "node2", "--wait");
      expect(await asked().catch(() => "")).not.toContain('value="on"');
      expect(await story.must("node1", "status")).not.toMatch(/DEGRADED/);
    }
  }, 30_000);

  test("what is asked of a resource that is left alone has no effect yet, and that is told with its end", async () => {
    await story.must("node1", "maintenance", "on");
    const { code, stderr } = await story.hactl("node1", "resource", "stop", "a");
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("does nothing of it before 'hactl maintenance off'"),
    ]);
    const restart = await story.hactl("node1", "resource", "stop", "a", "--wait");
    expect([restart.code, restart.stderr]).toEqual([113, expect.stringContaining("hactl maintenance off")]);
    await story.must("node1", "resource", "start", "a");
    await story.must("node1", "maintenance", "off");
  }, 30_000);

  test("other attributes are the agents' own", async () => {
    await story.must("node1", "crm_attribute", "-N", "node1", "-n", "mine", "-v", "maybe");
    await story.must("node1", "attrd_updater", "-n", "mine", "-U", "maybe");
    await story.must("node1", "crm_attribute", "-N", "node1", "-n", "mine", "-D");
  });
});

describe("options", () => {
  test("a meta attribute, by crm_resource", async () => {
    const sets = ["crm_resource", "-r", "a", "--meta", "-p", "target-role", "-v"];
    await refuses(78, /target-role="Sideways" is not valid/, ...sets, "Sideways");
    await story.must("node1", ...sets, "Sideways", "--force");
    await story.must("node1", ...sets, "Started");
  });

  test("what helps against a refusal is there", async () => {
    const sets = ["crm_attribute", "-n", "batch-limit", "-v", "abc"];
    await refuses(78, /--force takes it all the same/, ...sets);
    await story.must("node1", ...sets, "--force");
    await story.must("node1", "crm_attribute", "-n", "batch-limit", "-D");
  });

  test("a score below zero is no option of the command", async () => {
    for (const [id, score] of [
      ["l1", "-inf:"],
      ["l2", "-INFINITY:"],
      ["l3", "-100:"],
    ] as const) {
      await story.must("node1", "crm", "configure", "location", id, "a", score, "node2");
      await story.must("node1", "configure", "delete", id);
    }
    await refuses(64, /no option -infinite/, "configure", "location", "l4", "a", "-infinite", "node2");
  });
});

describe("what agents say", () => {
  test("crm_resource refuses a parameter that is a slip, and takes it by force", async () => {
    const sets = ["crm_resource", "-r", "a", "-p", "fakee", "-v", "1"];
    await refuses(78, /has no parameter "fakee".*did you mean "fake"/, ...sets);
    await story.must("node1", ...sets, "--force");
    await story.must("node1", "crm_resource", "-r", "a", "-d", "fakee");
  });

  test("crm_resource tells of a meta attribute that nobody knows", async () => {
    const ran = await story.hactl(
      "node1",
      "crm_resource",
      "-r",
      "a",
      "-m",
      "-p",
      "migration-treshold",
      "-v",
      "3",
    );
    expect(ran).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/did you mean "migration-threshold"/),
    });
    await story.must("node1", "crm_resource", "-r", "a", "-m", "-d", "migration-treshold");
  });

  test("cibadmin tells of an agent that is not there, and takes it as crm_verify would", async () => {
    const xml = '<primitive id="xx" class="ocf" provider="pacemaker" type="Dummyy"/>';
    const ran = await story.hactl("node1", "cibadmin", "-C", "--scope", "resources", "-X", xml);
    expect(ran).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/Dummyy of resource "xx" is not there/),
    });
    await story.must("node1", "configure", "delete", "xx");
  });
});

test("the connection of a remote node with a port that is none", async () => {
  const words = ["configure", "primitive", "far", "ocf:pacemaker:remote", "params", "server=127.0.0.9"];
  await refuses(78, /port="abc" of connection "far"(?:.|\n)*from 1 to 65535/, ...words, "port=abc");
  await refuses(78, /reconnect_interval="xx" of connection "far"/, ...words, "reconnect_interval=xx");
});

describe("what would be done at once and nobody means", () => {
  test("a ticket that nobody has, whose loss fences", async () => {
    const words = ["configure", "rsc_ticket", "tf", "TF:", "a", "loss-policy=fence"];
    await refuses(78, /node node\d, with which nothing is wrong, would be fenced at once/, ...words);
  });

  test("nor when a draft is put in force with it", async () => {
    const drafts = mkdtempSync(join(tmpdir(), "drafts-"));
    process.env.CIB_shadow_dir = drafts;
    try {
      await story.must("node1", "crm", "cib", "new", "trial");
      const words = ["configure", "rsc_ticket", "tf", "TF:", "a", "loss-policy=fence"];
      await story.must("node1", "crm", "-c", "trial", ...words);
      const commit = ["crm", "cib", "commit", "trial"];
      await refuses(78, /would be fenced at once(?:.|\n)*--force takes it all the same/, ...commit);
    } finally {
      delete process.env.CIB_shadow_dir;
      rmSync(drafts, { recursive: true });
    }
  });

  test("a device that would have to unfence, and is not there", async () => {
    const words = ["configure", "primitive", "q", "ocf:pacemaker:Dummy", "meta", "requires=unfencing"];
    await refuses(78, /can be unfenced/, ...words);
  });
});

test("who is there is not for the status to say", async () => {
  const xml = '<node_state id="2" in_ccm="false" crmd="offline"/>';
  await refuses(107, /in_ccm of node node2 is told by the ring/, "cibadmin", "-M", "-o", "status", "-X", xml);
});

test("a node does not go by being deleted as an object", async () => {
  await story.must("node1", "node", "standby", "node2");
  await refuses(
    107,
    /node2 is a node of the cluster(?:.|\n)*hactl node remove node2/,
    "configure",
    "delete",
    "node2",
  );
  await story.must("node1", "node", "online", "node2");
});

test("an alert whose program is not there is told", async () => {
  const program = join(story.directory, "program");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o644 });
  const says = async (...words: readonly string[]) => (await story.hactl("node1", ...words)).stderr;
  expect(await says("configure", "alert", "none", `${program}.sh`)).toMatch(
    /"none" calls nobody.* is not there/,
  );
  expect(await says("configure", "alert", "text", program)).toMatch(
    /"text" calls nobody.* is not executable/,
  );
  // Once; verify goes on telling.
  expect(await says("property", "batch-limit=5")).not.toContain("calls nobody");
  expect(await story.must("node1", "verify")).toMatch(/"none" calls nobody(.|\n)*"text" calls nobody/);
  chmodSync(program, 0o755);
  await story.must("node1", "configure", "delete", "none");
  expect(await story.must("node1", "verify")).not.toContain("calls nobody");
  await story.must("node1", "configure", "delete", "text");
}, 30_000);

test("a ticket that is granted is neither revoked nor forgotten without --force", async () => {
  const ticket = (...words: readonly string[]) => story.must("node1", "crm_ticket", "-t", "T", ...words);
  await ticket("-S", "granted", "-v", "true", "--force");
  expect(await ticket("-l")).toMatch(/^T\tgranted +last-granted='/);
  for (const words of [["-C"], ["-r"], ["-S", "granted", "-v", "false"], ["-D", "granted"]])
    await refuses(4, /not allowed.*crm_ticket -t T --standby/, "crm_ticket", "-t", "T", ...words);
  expect(await ticket("-G", "granted")).toBe("true\n");
  await ticket("-s", "-S", "owner", "-v", "me");
  await ticket("-D", "owner");
  expect(await ticket("-q")).toMatch(
    /<ticket_state id="T" granted="true" last-granted="\d+" standby="true"\/>/,
  );
  await ticket("-r", "-f");
  expect(await ticket("-C")).toBe("Cleaned up T\n");
  await refuses(105, /No such ticket 'T'/, "crm_ticket", "-t", "T", "-C");
});

describe("a person answers for it that a node is down", () => {
  test("not for one that is heard, nor for one that is not there", async () => {
    const members = async () => (await story.must("node1", "crm_node", "-p")).trim();
    await refuses(107, /node2 takes part in the cluster/, "fence", "confirm", "node2", "--yes");
    await refuses(107, /node2 takes part in the cluster/, "stonith_admin", "-C", "node2");
    await refuses(105, /there is no node "node02"/, "fence", "confirm", "node02", "--yes");
    await refuses(105, /there is no node "NODE2"/, "stonith_admin", "-C", "NODE2");
    expect((await members()).split(" ").sort()).toEqual(["node1", "node2"]);
    expect(await story.must("node1", "stonith_admin", "--history", "*")).not.toMatch(/node2|node02/i);
  });

  test("but for one that is gone", async () => {
    story.crash("node2");
    await story.membersAre(1, "node1");
    expect(await story.must("node1", "fence", "confirm", "node2", "--yes")).toContain("node2 counts as off");
  }, 60_000);
});
