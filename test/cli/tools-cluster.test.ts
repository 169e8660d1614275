/** The tools that agents and people call, against a cluster of two real nodes on this machine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolCluster } from "./tools-cluster.ts";

let tools: ToolCluster;
const firstPlace: string[] = [];
beforeAll(async () => {
  tools = await ToolCluster.start(2, (node) => `127.9.0.${node}`);
  await tools.output("property", "stonith-enabled=false");
}, 180_000);
afterAll(() => tools.stop());

const settle = () => tools.output("wait", "--timeout", "30");

/** Exit code and errors of a command. */
async function refused(words: readonly string[]): Promise<[code: number, text: string]> {
  const { code, stderr } = await tools.run(...words);
  return [code, stderr];
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds() && tries < 200; tries++) await Bun.sleep(50);
  expect(holds()).toBe(true);
}

describe("what the cluster writes and tells of itself", () => {
  test("its own properties, once", async () => {
    const property = (name: string) =>
      tools.output("crm_attribute", "-t", "crm_config", "-n", name, "-q", "-G");
    expect(await property("cluster-name")).toBe("local\n");
    expect(await property("dc-version")).toMatch(/^3\.\d+\.\d+-hactl-\d+\.\d+\.\d+\n$/);
    expect(await property("cluster-infrastructure")).toBe("corosync\n");
    expect(await property("have-watchdog")).toBe("false\n");
    const text = await tools.output("configure", "show");
    expect(text).toContain("cluster-name=local");
    // What is loaded without them leaves them there.
    const file = join(tools.cluster.directory, "without.crm");
    writeFileSync(file, "property stonith-enabled=false\n");
    const epoch = async () => / epoch="(\d+)"/.exec(await tools.output("cibadmin", "-Q"))?.[1];
    const before = await epoch();
    await tools.output("configure", "load", "replace", file, "--force");
    expect([await property("cluster-name"), await epoch()]).toEqual(["local\n", before]);
  });

  test("what only the cluster writes is refused by name at every door; a whole passes and is put right", async () => {
    const { directory } = tools.cluster;
    const text = () => tools.output("cibadmin", "-Q");
    const before = await text();
    const file = (name: string, content: string) => {
      const path = join(directory, name);
      writeFileSync(path, content);
      return path;
    };
    const pair = (value: string) =>
      `<cluster_property_set id="cib-bootstrap-options"><nvpair id="cib-bootstrap-options-have-watchdog" name="have-watchdog" value="${value}"/></cluster_property_set>`;
    const limit =
      '<cluster_property_set id="more"><nvpair id="more-b" name="batch-limit" value="7"/></cluster_property_set>';
    const changed = file("changed.xml", before.replace(/(name="dc-version" value=")[^"]*/, "$11.1.1"));
    const difference = await tools.run("crm_diff", "-o", file("now.xml", before), "-n", changed);
    const doors: readonly (readonly string[])[] = [
      ["configure", "property", "cluster-infrastructure=heartbeat"],
      ["configure", "property", "cluster-infrastructure=x"],
      ["property", "have-watchdog=true"],
      ["property", "dc-version="],
      ["crm", "configure", "property", "dc-version=1"],
      ["crm_attribute", "-t", "crm_config", "-n", "have-watchdog", "-v", "true"],
      ["crm_attribute", "-t", "crm_config", "-n", "cluster-infrastructure", "-D"],
      ["cibadmin", "-M", "-X", pair("true"), "-o", "crm_config"],
      ["cibadmin", "-D", "-X", '<nvpair id="cib-bootstrap-options-dc-version"/>'],
      ["cibadmin", "--patch", "-x", file("patch.xml", difference.stdout)],
      ["configure", "load", "update", file("update.crm", "property have-watchdog=true\n")],
    ];
    for (const words of doors) {
      const [code, said] = await refused(words);
      expect([words.join(" "), code]).toEqual([words.join(" "), 78]);
      expect(said).toMatch(
        /(dc-version|cluster-infrastructure|have-watchdog) is the cluster's own to write, and is /,
      );
    }
    expect(await text()).toBe(before);
    // As the crm shell sends a whole that was saved: it means the rest of it.
    const older = before.replace(/(name="dc-version" value=")[^"]*/, "$11.1.1");
    const more = older.replace("</crm_config>", `${limit}</crm_config>`);
    const loaded = await tools.run("crm_diff", "-o", file("now.xml", before), "-n", file("more.xml", more));
    const patched = await tools.run("cibadmin", "-p", "-P", "-x", file("more-patch.xml", loaded.stdout));
    expect([patched.code, patched.stderr]).toEqual([
      0,
      expect.stringContaining("writes its own value again"),
    ]);
    expect(await text()).toContain('name="batch-limit" value="7"');
    // The same value in another spelling is no change.
    await tools.output("cibadmin", "-M", "-X", pair("no"), "-o", "crm_config");
    const whole = (await text()).replace(/(name="dc-version" value=")[^"]*/, "$11.1.1");
    await tools.output("cibadmin", "-R", "-x", file("whole.xml", whole));
    const version = () => tools.output("crm_attribute", "-t", "crm_config", "-n", "dc-version", "-q", "-G");
    for (let tries = 0; !(await version()).includes("hactl") && tries < 50; tries++) await Bun.sleep(50);
    expect(await version()).toContain("hactl");
    expect((await tools.run("property", "dc-version=1", "--force")).stderr).toContain(
      "writes its own value again",
    );
  });

  test("that a node is being fenced is not said where it is refused", async () => {
    const { code, stdout, stderr } = await tools.run("fence", "nobody", "--yes");
    expect([code, stderr, stdout]).toEqual([1, "", expect.stringContaining("nobody")]);
    expect(await tools.run("stonith_admin", "--history", "nobody", "--cleanup")).toMatchObject({ code: 0 });
  });

  test("what a member is called, and what no schema has, is refused by name", async () => {
    const [code, text] = await refused(["cibadmin", "-M", "-X", '<node id="1" uname="other"/>']);
    expect([code, text]).toEqual([107, expect.stringContaining("the name of node node1")]);
    const [odd, why] = await refused(["cibadmin", "-M", "-X", '<cib zork="1"/>']);
    expect([odd, why]).toEqual([78, expect.stringContaining("zork")]);
    expect(await tools.output("cibadmin", "-Q")).not.toMatch(/zork|"other"/);
  });
});

test("a script of the crm shell is in force with its commits, waits, and ends where a line fails", async () => {
  const script = async (...lines: string[]) => {
    const file = join(tools.cluster.directory, "script.crm");
    writeFileSync(file, `${lines.join("\n")}\n`);
    return tools.run("crm", "-w", "-f", file);
  };
  const primitive = tools.primitive("scripted").join(" ");
  const made = await script("# begin", "configure", primitive, "commit", "up", "resource status scripted");
  expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/Started node[12]/)]);
  const running = await script("configure", "delete scripted", "commit");
  expect([running.code, running.stderr]).toEqual([107, expect.stringContaining("script.crm:3")]);
  const wrong = await script("configure", "delete scripted", "bogus");
  expect(wrong.code).toBe(64);
  expect(await tools.output("configure", "show")).toContain("scripted");
  const gone = await script("resource stop scripted", "configure", "delete scripted");
  expect([gone.code, gone.stderr]).toEqual([0, expect.anything()]);
  expect(await tools.output("configure", "show")).not.toContain("scripted");
});

describe("who and where", () => {
  test("crm_node", async () => {
    expect(await tools.output("crm_node", "-n")).toBe("node1\n");
    expect(await tools.output("crm_node", "--list")).toBe("1 node1 member\n2 node2 member\n");
    expect(await tools.output("crm_node", "-l", "-p")).toBe("node1 node2 \n");
    expect(await tools.output("crm_node", "-q")).toBe("1\n");
    expect(await tools.output("crm_node", "-i")).toBe("1\n");
    expect(await tools.output("crm_node", "-N", "2")).toBe("node2\n");
    expect((await tools.run("crm_node", "-N", "9")).code).toBe(105);
  });

  test("crmadmin names the DC", async () => {
    expect(await tools.output("crmadmin", "-D")).toMatch(/^Designated Controller is: node[12]\n$/);
    expect(await tools.output("crmadmin", "-D", "-q")).toMatch(/^node[12]\n$/);
  });

  test("corosync-quorumtool tells votes and ends with 0 when quorate", async () => {
    const { code, stdout } = await tools.run("corosync-quorumtool", "-s");
    expect(code).toBe(0);
    expect(stdout).toContain("Quorate:          Yes\n");
    expect(stdout).toContain("Expected votes:   2\n");
    expect(stdout).toEndWith("         1          1 node1 (local)\n         2          1 node2\n");
  });

  test("corosync-cfgtool and corosync-cmapctl tell the links and the members", async () => {
    expect(await tools.output("corosync-cfgtool", "-s")).toContain("\t\tnodeid:          2:\tconnected\n");
    expect(await tools.output("corosync-cmapctl", "runtime.members.2.status")).toBe(
      "runtime.members.2.status (str) = joined\n",
    );
    expect(await tools.output("corosync-cmapctl", "-g", "totem.cluster_name")).toBe(
      "totem.cluster_name (str) = local\n",
    );
    expect((await tools.run("corosync-cmapctl", "-s", "a", "str", "b")).code).toBe(3);
  });

  test("hactl quorum status and expected: what is there, what is refused, what all nodes then expect", async () => {
    const { code, stdout } = await tools.run("quorum", "status");
    expect(code).toBe(0);
    expect(stdout).toContain("Expected votes:   2\n");
    expect(stdout).toContain("Quorate:          Yes\n");
    for (const wrong of ["1", "0", "many", "2.5"])
      expect((await tools.run("quorum", "expected", wrong)).stderr).toContain(
        `cannot expect "${wrong}" votes`,
      );
    const expectedVotes = async () =>
      (JSON.parse(await tools.output("quorum", "status", "--json")) as { expectedVotes: number })
        .expectedVotes;
    for (const votes of [3, 2]) {
      expect((await tools.run("quorum", "expected", String(votes))).code).toBe(0);
      for (let tries = 0; (await expectedVotes()) !== votes && tries < 50; tries++) await Bun.sleep(20);
      expect(await expectedVotes()).toBe(votes);
      expect(await tools.output("corosync-quorumtool", "-s")).toContain(`Expected votes:   ${votes}\n`);
    }
  });

  test("votes of a node can be set, by any name for that", async () => {
    for (const [words, row, expected] of [
      [["corosync-quorumtool", "-v", "3", "-n", "2"], "2          3 node2", 4],
      [["corosync-quorumtool", "-v", "2"], "1          2 node1 (local)", 5],
      [["corosync-cmapctl", "-s", "nodelist.node.1.quorum_votes", "u32", "1"], "2          1 node2", 5],
      [["quorum", "expected", "3"], "1          2 node1 (local)", 3],
      [["quorum", "votes", "node1", "1"], "1          1 node1 (local)", 3],
      [["corosync-cmapctl", "-s", "quorum.expected_votes", "u32", "3"], "2          1 node2", 3],
      [["corosync-quorumtool", "-e", "2"], "2          1 node2", 2],
    ] as const) {
      await tools.output(...words);
      // In force when it is answered, on the other node as well as here.
      const { stdout } = await tools.cluster.hactl("node2", "quorum", "status");
      expect(stdout.replace("node2 (local)", "node2")).toContain(row.replace(" (local)", ""));
      expect(await tools.output("corosync-quorumtool", "-s")).toContain(`Expected votes:   ${expected}\n`);
      expect(await tools.output("corosync-quorumtool", "-l")).toContain(`         ${row}\n`);
    }
    for (const [words, code, text] of [
      [["corosync-quorumtool", "-v", "256"], 64, 'a node cannot have "256" votes'],
      [["corosync-quorumtool", "-v", "1", "-n", "7"], 64, '"7" is no member of the ring'],
      [["corosync-quorumtool", "-n", "2"], 64, "-n says whose votes -v sets"],
      [["corosync-quorumtool", "-e", "1"], 64, 'the cluster cannot expect "1" votes'],
      [["corosync-quorumtool", "-f"], 1, "no quorum device is registered"],
      [["corosync-quorumtool", "-o", "x"], 64, "nodes are ordered by"],
      [["corosync-quorumtool", "-v", "0"], 1, "node1 does not have 0 votes"],
    ] as const)
      expect([words, await refused(words)]).toEqual([words, [code, expect.stringContaining(text)]]);
  });

  test("every other option of corosync's tools does what it says, or says what does it here", async () => {
    expect(await tools.output("corosync-quorumtool", "-l", "-i", "-a", "-o", "a")).toEndWith(
      "         1          1 127.9.0.1 (local)\n         2          1 127.9.0.2\n",
    );
    expect(await tools.output("corosync-quorumtool", "-V")).toStartWith("corosync-quorumtool version: ");
    expect(await tools.output("corosync-quorumtool", "-s", "-h")).toContain("--monitor");
    const links = await tools.output("corosync-cfgtool", "-s");
    for (const link of ["0", "127.9.0.1"])
      expect(await tools.output("corosync-cfgtool", "-i", link, "-s")).toBe(links);
    for (const [words, code, text] of [
      [["corosync-cfgtool", "-i", "7", "-s"], 64, 'this node has no link "7"'],
      [["corosync-cfgtool", "-i", "0"], 64, "-i says which link -s shows"],
      [["corosync-cfgtool", "-k", "2"], 3, "hactl fence"],
      [["corosync-cfgtool", "-r"], 3, "used again by itself"],
      [["corosync-cmapctl", "-C", "knet"], 3, "counters are not set back"],
      [["corosync-cmapctl", "-s", "totem.token", "u32", "2000"], 3, "token in [totem] of hactl.toml"],
      [["corosync-cmapctl", "-d", "totem.token"], 3, "take token in [totem] of hactl.toml on all nodes out"],
      [["corosync-cmapctl", "-D", "runtime."], 3, "it cannot be deleted"],
      [["corosync-cmapctl", "-s", "a.b", "u32", "1"], 3, "hactl has no such option"],
      [["corosync-cmapctl", "-s", "a.b", "u33", "1"], 64, 'there is no type "u33"'],
      [["corosync-cmapctl", "-s", "quorum.expected_votes", "str", "2"], 64, "its type is u32"],
      [["corosync-cmapctl", "-s", "a.b"], 64, "with its name, type and value"],
      [["corosync-cmapctl", "-g"], 64, "which key?"],
    ] as const)
      expect([words, await refused(words)]).toEqual([words, [code, expect.stringContaining(text)]]);
  });

  test("corosync-cmapctl -p takes all that a file asks for, or nothing", async () => {
    const file = join(tools.cluster.directory, "keys");
    writeFileSync(file, "# votes\nquorum.expected_votes u32 3\n\n^totem.token\n");
    expect(await refused(["corosync-cmapctl", "-p", file])).toEqual([
      3,
      expect.stringContaining("totem.token"),
    ]);
    expect(await tools.output("corosync-quorumtool", "-s")).toContain("Expected votes:   2\n");
    for (const votes of [3, 2]) {
      writeFileSync(file, `quorum.expected_votes u32 ${votes}\n`);
      await tools.output("corosync-cmapctl", "-p", file);
      expect(await tools.output("corosync-quorumtool", "-s")).toContain(`Expected votes:   ${votes}\n`);
    }
  });

  test("changes are followed until q, or until the end", async () => {
    const lines = (text: string) => text.split("\n");
    const monitor = tools.cluster.spawn("node1", "corosync-quorumtool", "-m");
    const counters = tools.cluster.spawn("node1", "corosync-cmapctl", "-m", "stats", "-T", "stats.srp.");
    await until(() => monitor.output().includes("Expected votes:   2\n"));
    await until(() => counters.output().includes('Type "q" to finish\n'));
    await tools.output("corosync-quorumtool", "-e", "3");
    await until(() => monitor.output().includes("Expected votes:   3\n"));
    await tools.output("corosync-quorumtool", "-e", "2");
    await until(() => lines(monitor.output()).filter((row) => row === "Expected votes:   2").length === 2);
    await until(() => /^modify> stats\.srp\.tokens \(u64\) = \d+$/m.test(counters.output()));
    counters.type("q\n");
    expect(await counters.ended).toBe(0);
    monitor.stop();
    expect(await monitor.ended).toBe(0);
  });

  test("hactl ring status tells links and processes as JSON", async () => {
    const status = JSON.parse(await tools.output("ring", "status", "--json")) as {
      core: { links: { links: { node: number; up: boolean }[] } };
      children: { name: string }[];
    };
    expect(status.core.links.links).toMatchObject([{ node: 2, up: true }]);
    expect(status.children.map(({ name }) => name)).toEqual(["executor", "manager"]);
  });
});

describe("transient attributes", () => {
  test("crm_attribute sets, prints and removes until the next start", async () => {
    const on = (...words: string[]) =>
      tools.run("crm_attribute", "-N", "node2", "-l", "reboot", "--name", "t", ...words);
    expect(await on("-v", "5")).toMatchObject({ code: 0, stdout: "" });
    expect(await on("--query")).toMatchObject({ stdout: "scope=status  name=t value=5\n" });
    expect(await on("-v", "t++")).toMatchObject({ code: 0 });
    expect(await on("-G", "-q")).toMatchObject({ stdout: "6\n" });
    expect(
      await tools.output("cibadmin", "-Q", "--xpath", "//node_state[@uname='node2']//nvpair[@name='t']"),
    ).toContain('value="6"');
    expect(await on("-D")).toMatchObject({ code: 0 });
    expect(await on("-G", "-q")).toMatchObject({ code: 105, stdout: "" });
  });

  test("attrd_updater: its own node, another one, all of them", async () => {
    await tools.output("attrd_updater", "-n", "u", "-v", "1");
    await tools.output("attrd_updater", "--name", "u", "-N", "node2", "-U", "2");
    expect(await tools.output("attrd_updater", "-n", "u", "-Q")).toBe('name="u" host="node1" value="1"\n');
    expect(await tools.output("attrd_updater", "--query", "-n", "u", "-N", "node2")).toBe(
      'name="u" host="node2" value="2"\n',
    );
    expect((await tools.output("attrd_updater", "-n", "u", "-Q", "-A")).trim().split("\n").sort()).toEqual([
      'name="u" host="node1" value="1"',
      'name="u" host="node2" value="2"',
    ]);
    await tools.output("attrd_updater", "-D", "-n", "u");
    // Without a command it is a question, and what is not there is no configuration (Pacemaker's exit code).
    expect((await tools.run("attrd_updater", "-n", "u", "-Q")).code).toBe(78);
    expect((await tools.run("attrd_updater", "-n", "u")).code).toBe(78);
  });

  test("a node that nobody knows gets no attribute, and no state", async () => {
    for (const words of [
      ["crm_attribute", "-n", "u", "-v", "7", "-l", "reboot", "-N", "node7"],
      ["crm_attribute", "-n", "u", "-v", "7", "-N", "node7"],
    ]) {
      const { code, stderr } = await tools.run(...words);
      expect([words, code, stderr]).toEqual([words, 105, expect.stringContaining("node7")]);
    }
    expect(await tools.output("cibadmin", "-Q")).not.toContain("node7");
    expect((await tools.run("attrd_updater", "-n", "u", "-Q", "-A")).stdout).not.toContain("node7");
  });

  test("attrd_updater keeps values for nodes that nobody knows yet; the status has them when the node is known", async () => {
    const ask = (...words: readonly string[]) => tools.run("attrd_updater", "-n", "early", ...words);
    const set = await ask("-U", "7", "-N", "node7");
    expect(set).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining('no node "node7"') });
    expect((await ask("-Q", "-N", "node7")).stdout).toContain('host="node7" value="7"');
    expect((await ask("-Q", "-A")).stdout).toContain('host="node7" value="7"');
    expect(await ask("-U", "1", "-N", "node1")).toMatchObject({ code: 0, stderr: "" });
    expect(await tools.output("cibadmin", "-Q")).not.toContain("node7");
    await tools.output(
      "configure",
      "primitive",
      "node7",
      "ocf:pacemaker:remote",
      "meta",
      "target-role=Stopped",
    );
    expect(await tools.output("cibadmin", "-Q", "-o", "status")).toMatch(
      /node7[\s\S]*name="early" value="7"/,
    );
    await ask("-D", "-N", "node7");
    expect((await ask("-Q", "-N", "node7")).code).toBe(78);
    await tools.output("configure", "delete", "--force", "node7");
  });

  test("attrd_updater -P finds what is private or not written yet, and refuses what is no pattern", async () => {
    await tools.output("attrd_updater", "-p", "-n", "hid-1", "-U", "x");
    await tools.output("attrd_updater", "-n", "hid-2", "-B", "y", "-d", "300s");
    await tools.output("attrd_updater", "-n", "other-1", "-U", "z");
    await tools.output("attrd_updater", "-p", "-P", "^hid-[12]$", "-U", "new");
    for (const [name, value] of [
      ["hid-1", "new"],
      ["hid-2", "new"],
      ["other-1", "z"],
    ] as const)
      expect(await tools.output("attrd_updater", "-n", name, "-Q")).toContain(`value="${value}"`);
    await tools.output("attrd_updater", "-P", "^hid", "-D");
    expect((await tools.run("attrd_updater", "-n", "hid-1", "-Q")).code).toBe(78);
    const refused = await tools.run("attrd_updater", "-P", "[", "-D");
    expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining("regular expression")]);
    for (const words of [
      ["-P", "a", "-Q"],
      ["-P", "a", "-n", "b", "-D"],
    ])
      expect((await tools.run("attrd_updater", ...words)).code).toBe(64);
  });

  test("attrd_updater keeps private attributes out of the CIB", async () => {
    await tools.output(
      "attrd_updater",
      "--private",
      "--lifetime",
      "reboot",
      "--name",
      "secret",
      "--update",
      "x",
    );
    expect(await tools.output("attrd_updater", "-p", "-N", "node1", "-n", "secret", "-Q")).toBe(
      'name="secret" host="node1" value="x"\n',
    );
    expect((await tools.run("cibadmin", "-Q", "--xpath", "//nvpair[@name='secret']")).code).toBe(105);
  });

  test("attrd_updater -B with a delay: the value is known before the CIB has it", async () => {
    await tools.output("attrd_updater", "-n", "slow", "-B", "9", "-d", "300s");
    expect(await tools.output("attrd_updater", "-n", "slow", "-Q")).toBe(
      'name="slow" host="node1" value="9"\n',
    );
    expect((await tools.run("cibadmin", "-Q", "--xpath", "//nvpair[@name='slow']")).code).toBe(105);
  });

  test("promotion scores", async () => {
    await tools.output("crm_attribute", "-p", "db:0", "-l", "reboot", "-v", "10");
    expect(
      await tools.output("crm_attribute", "-N", "node1", "-l", "reboot", "-n", "master-db", "-G", "-q"),
    ).toBe("10\n");
    await tools.output("crm_attribute", "-p", "db", "-D");
    expect((await tools.run("crm_attribute", "-p", "db", "-G", "-q")).code).toBe(105);
  });
});

describe("resources", () => {
  test("configured by a statement of the crm shell, it runs; every tool sees it", async () => {
    await tools.output("configure", ...tools.primitive("web"));
    await settle();
    const node = (await tools.output("crm_resource", "-Q", "-W", "-r", "web")).trim();
    expect(["node1", "node2"]).toContain(node);
    expect(await tools.output("crm", "resource", "status", "web")).toContain(`Started ${node}`);
    expect(await tools.output("crm_mon", "-1")).toContain(`(ocf:test:Quick):\t Started ${node}`);
    firstPlace.push(node);
  });

  test("hactl resource move --wait moves it and leaves no constraint behind", async () => {
    const to = firstPlace[0] === "node1" ? "node2" : "node1";
    const { code, stderr } = await tools.run("resource", "move", "web", to, "--wait");
    expect(stderr).toBe(`web runs on ${to}.\n`);
    expect(code).toBe(0);
    expect(await tools.output("resource", "locate", "web")).toBe(`${to}\n`);
    expect(await tools.output("cibadmin", "-Q", "-o", "constraints")).toBe("<constraints/>\n");
    expect((await tools.run("resource", "move", "web", to)).stderr).toBe(`web is on ${to} already.\n`);
  });

  test("stop, start and restart by target-role", async () => {
    await tools.output("resource", "stop", "web", "--wait");
    expect((await tools.run("resource", "locate", "web")).code).toBe(7);
    expect((await tools.run("resource", "restart", "web")).code).toBe(7);
    await tools.output("crm", "-w", "resource", "start", "web");
    expect((await tools.run("resource", "locate", "web")).code).toBe(0);
    await tools.output("crm", "-w", "resource", "meta", "web", "set", "priority", "5");
    expect(await tools.output("crm", "resource", "meta", "web", "show", "priority")).toBe("5\n");
    expect(await tools.output("crm", "resource", "failcount", "web", "show", "node1")).toContain("value=0");
    await tools.output("resource", "restart", "web");
    expect(await tools.output("crm_resource", "-r", "web", "-m", "-g", "target-role")).toBe("Started\n");
    expect((await tools.run("resource", "locate", "web")).code).toBe(0);
  });

  test("a restart takes back no stop of somebody else, and is not made twice at a time", async () => {
    await tools.output(
      ...["configure", "primitive", "slow", "ocf:pacemaker:Dummy", "params", "op_sleep=2"],
      ...[
        "op",
        "start",
        "timeout=60s",
        "op",
        "stop",
        "timeout=60s",
        "op",
        "monitor",
        "interval=60s",
        "timeout=60s",
      ],
    );
    const role = () => tools.output("crm_resource", "-r", "slow", "-m", "-g", "target-role");
    const stopping = async () => {
      for (let tries = 0; tries < 100; tries++) {
        if ((await tools.output("cibadmin", "-Q", "-o", "resources")).includes('value="stopped"')) return;
        await Bun.sleep(50);
      }
      throw new Error("it is not being stopped");
    };
    for (const words of [
      ["resource", "restart", "slow"],
      ["crm_resource", "--restart", "-r", "slow"],
    ]) {
      await tools.output("resource", "start", "slow", "--wait");
      const restart = tools.run(...words);
      await stopping();
      const second = await tools.run(...words);
      expect([second.code, second.stderr]).toEqual([
        113,
        expect.stringContaining("is being restarted already"),
      ]);
      await tools.output("resource", "stop", "slow");
      const first = await restart;
      expect(first.stderr).toContain("slow was stopped and is not started again: somebody else has asked");
      expect([first.code, await role()]).toEqual([113, "Stopped\n"]);
    }
    await tools.output("resource", "start", "slow", "--wait");
    await tools.output("resource", "restart", "slow");
    expect(await role()).toBe("Started\n");
    await tools.output("configure", "delete", "--force", "slow");
  }, 120_000);

  test("standby of its node moves it; refresh finds it again", async () => {
    const node = (await tools.output("crm_resource", "-Q", "-W", "-r", "web")).trim();
    await tools.output("crm_standby", "-N", node, "-v", "on");
    await settle();
    expect((await tools.output("crm_resource", "-Q", "-W", "-r", "web")).trim()).not.toBe(node);
    await tools.output("crm_standby", "-N", node, "-D");
    expect(await tools.output("crm_resource", "--refresh", "-r", "web")).toBe(
      "Cleaned up web on node1\nCleaned up web on node2\n",
    );
    await tools.output("crm_resource", "--wait");
    expect((await tools.output("crm_resource", "-Q", "-W", "-r", "web")).trim()).not.toBe("");
  });

  test("crm_resource --fail: recovered in place and counted; refused where nothing runs", async () => {
    const fail = (...words: string[]) => tools.run("crm_resource", "--fail", ...words);
    const node = (await tools.output("crm_resource", "-Q", "-W", "-r", "web")).trim();
    const other = node === "node1" ? "node2" : "node1";
    const since = Date.now();
    expect(await fail("-r", "web", "-N", node)).toMatchObject({ code: 0 });
    await tools.output("crm_resource", "--wait");
    expect((await tools.output("crm_resource", "-Q", "-W", "-r", "web")).trim()).toBe(node);
    expect(await tools.output("crm_failcount", "-G", "-q", "-r", "web", "-N", node)).toBe("1\n");
    // Each node has its own; what was planned is in the leader's.
    const histories = await Promise.all(
      tools.cluster.names.map(async (name) => (await tools.cluster.hactl(name, "history", "--json")).stdout),
    );
    const history = histories.flatMap((text) => JSON.parse(text) as { at: number; text: string }[]);
    const plans = history.filter(({ at }) => at >= since).map(({ text }) => text);
    expect(plans).toContainEqual(expect.stringMatching(new RegExp(`^Recover web \\( ${node} \\)`)));
    await tools.output("configure", ...tools.primitive("many"));
    await tools.output("configure", "clone", "many-clone", "many");
    await settle();
    for (const [words, code] of [
      [["-r", "web"], 64],
      [["-N", node], 64],
      [["-r", "web", "-N", other], 105],
      [["-r", "web", "-N", "nowhere"], 105],
      [["-r", "nothing", "-N", node], 105],
      [["-r", "many-clone", "-N", node], 70],
      [["-r", "many", "-N", other], 0],
    ] as const)
      expect({ words, code: (await fail(...words)).code }).toEqual({ words, code });
    await tools.output("crm_resource", "--wait");
    expect(await tools.output("crm_failcount", "-G", "-q", "-r", "many", "-N", other)).toBe("1\n");
    await tools.output("configure", "delete", "--force", "many-clone", "many");
    await tools.output("crm_resource", "--cleanup", "-r", "web");
    await settle();
  });

  test("names that do not exist change nothing and name what is near", async () => {
    const before = await tools.output("cibadmin", "-Q", "-o", "configuration");
    expect((await tools.run("resource", "stop", "wbe")).stderr).toContain("Did you mean web?");
    expect((await tools.run("resource", "move", "web", "nod2")).stderr).toContain("Did you mean node2?");
    expect((await tools.run("property", "stonith-enabeld=true")).stderr).toContain(
      "Did you mean stonith-enabled?",
    );
    expect((await tools.run("resource", "promote", "web")).code).toBe(64);
    expect(await tools.output("cibadmin", "-Q", "-o", "configuration")).toBe(before);
  });

  test("agents can be run by hand, but not started where that could make two of them", async () => {
    const byHand = (...words: string[]) => tools.run("crm_resource", "-r", "web", ...words);
    await tools.output("resource", "stop", "web", "--wait");
    expect(await byHand("--force-check")).toMatchObject({ code: 7 });
    expect(await byHand("--force-start")).toMatchObject({
      code: 0,
      stdout: "Operation force-start for web (ocf:test:Quick) returned 0 (OK)\n",
    });
    expect(await byHand("--force-check")).toMatchObject({ code: 0 });
    expect(await byHand("--force-stop")).toMatchObject({ code: 0 });
    expect(await byHand("--force-promote")).toMatchObject({ code: 3 });
    await tools.output("resource", "start", "web", "--wait");
    await tools.output("resource", "move", "web", "node2", "--wait");
    const { code, stderr } = await byHand("--force-start");
    expect(code).toBe(107);
    expect(stderr).toContain("web is active on node2");
    expect(await byHand("--force-check")).toMatchObject({ code: 7 });
  });

  test("metadata comes from the agent", async () => {
    expect(await tools.output("crm_resource", "--show-metadata", "ocf:test:Quick")).toContain(
      '<resource-agent name="Quick">',
    );
    expect((await tools.run("crm_resource", "--show-metadata", "ocf:test:Nix")).code).toBe(105);
    expect((await tools.run("crm_resource", "--show-metadata", "lsb:nix")).code).toBe(105);
    expect((await tools.run("crm_resource", "--list-ocf-alternatives", "Nix")).code).toBe(105);
    expect((await tools.run("stonith_admin", "-M", "-a", "fence_nix")).code).toBe(105);
    for (const spec of [":test:Quick", "ocf:Quick", "Quick", "ocf:test:", "stonith:"])
      expect((await tools.run("crm_resource", "--show-metadata", spec)).code).toBe(105);
    expect(await tools.output("crm_resource", "--list-agents", "ocf:test")).toBe("Quick\n");
  });
});

describe("what runs is not lost by a change of the configuration", () => {
  test("a resource or group that runs is deleted only with --force, which leaves the members of a group", async () => {
    for (const id of ["keep1", "keep2"]) await tools.output("configure", ...tools.primitive(id));
    await tools.output("configure", "group", "kept", "keep2");
    await settle();
    const before = await tools.output("cibadmin", "-Q", "-o", "configuration");
    for (const id of ["keep1", "kept", "keep2"]) {
      const { code, stderr } = await tools.run("configure", "delete", id);
      expect([id, code]).toEqual([id, 107]);
      expect(stderr).toMatch(/keep[12] is running on node[12]/);
    }
    expect(await tools.output("cibadmin", "-Q", "-o", "configuration")).toBe(before);
    await tools.output("configure", "delete", "kept", "--force");
    await settle();
    expect((await tools.run("resource", "locate", "keep2")).code).toBe(0);
    await tools.output("resource", "stop", "keep1", "--wait");
    await tools.output("configure", "delete", "keep1");
    expect((await tools.run("resource", "locate", "keep1")).code).toBe(105);
  });

  test("nor by a push without it: all that runs is named, and nothing is changed; a replacement says what it stops", async () => {
    const names = ["lost1", "lost2"];
    for (const id of names) await tools.output("configure", ...tools.primitive(id));
    await settle();
    const before = await tools.output("cibadmin", "-Q", "-o", "configuration");
    const text = `${tools.cluster.directory}/other.crm`;
    writeFileSync(text, "primitive other ocf:test:Quick\n");
    const xml = `${tools.cluster.directory}/other.xml`;
    writeFileSync(
      xml,
      before.replace(/<primitive id="lost[12]"[\s\S]*?<\/primitive>|<primitive id="lost[12]"[^>]*\/>/g, ""),
    );
    const { code, stderr } = await tools.run("configure", "load", "push", text);
    expect(code).toBe(107);
    for (const id of names) expect(stderr).toMatch(new RegExp(`${id} is running on node[12]`));
    expect(await tools.output("cibadmin", "-Q", "-o", "configuration")).toBe(before);
    // Settings alone are no configuration to go on with, while something runs.
    for (const settings of [
      "property batch-limit=7\n",
      before
        .replace(/<resources>[\s\S]*<\/resources>/, "<resources/>")
        .replace(/<constraints>[\s\S]*<\/constraints>/, "<constraints/>"),
    ]) {
      writeFileSync(text, settings);
      const all = await tools.run("configure", "load", "replace", text);
      expect(all.code).toBe(107);
      for (const id of names) expect(all.stderr).toMatch(new RegExp(`${id} is running on node[12]`));
      expect(await tools.output("cibadmin", "-Q", "-o", "configuration")).toBe(before);
    }
    const replaced = await tools.run("configure", "load", "replace", xml);
    expect(replaced.code).toBe(0);
    for (const id of names)
      expect(replaced.stdout + replaced.stderr).toMatch(
        new RegExp(`${id} is running on node[12]: it is stopped`),
      );
    await settle();
  });

  test.each(["the section of nodes", "the configuration", "the whole CIB", "a load of XML"])(
    "members stay where %s is replaced by one without them, and services run on",
    async (what) => {
      const place = (await tools.output("resource", "locate", "keep2")).trim();
      const whole = await tools.output("cibadmin", "-Q");
      const emptied = whole.replace(/<nodes>[\s\S]*<\/nodes>/, "<nodes/>");
      const configuration = /<configuration>[\s\S]*<\/configuration>/.exec(emptied)?.[0] ?? "";
      const file = `${tools.cluster.directory}/replacement.xml`;
      writeFileSync(file, what === "the whole CIB" ? emptied : configuration);
      const words = {
        "the section of nodes": ["cibadmin", "-R", "-o", "nodes", "-X", "<nodes/>"],
        "the configuration": ["cibadmin", "-R", "-o", "configuration", "-x", file],
        "the whole CIB": ["cibadmin", "-R", "-x", file],
        "a load of XML": ["configure", "load", "replace", file],
      }[what];
      await tools.output(...(words ?? []));
      expect(await tools.output("crm_mon", "-1")).toContain("2 nodes configured");
      await settle();
      expect((await tools.output("resource", "locate", "keep2")).trim()).toBe(place);
      expect(await tools.output("cibadmin", "-Q", "-o", "nodes")).toContain('uname="node2"');
    },
  );

  test("a status that somebody has kept takes the place of nothing that is known", async () => {
    const kept = await tools.output("cibadmin", "-Q");
    await tools.output("resource", "stop", "keep2", "--wait");
    const now = /epoch="(\d+)"/.exec(
      (await tools.output("cibadmin", "-Q")).replace(/admin_epoch="\d+"/, ""),
    )?.[1];
    const file = `${tools.cluster.directory}/kept.xml`;
    writeFileSync(
      file,
      kept
        .replace(/ epoch="\d+"/, ` epoch="${Number(now) + 5}"`)
        .replace(
          "</resources>",
          `<primitive id="later" class="ocf" provider="test" type="Quick"><meta_attributes id="lm"><nvpair id="lm1" name="target-role" value="Stopped"/></meta_attributes></primitive></resources>`,
        ),
    );
    await tools.output("cibadmin", "-R", "-x", file);
    await settle();
    // By its kept status it would run already; it was stopped, and has to be started again.
    expect((await tools.run("resource", "locate", "keep2")).code).toBe(0);
    expect(await tools.output("crm_resource", "-O", "-r", "keep2")).toContain("keep2_start_0");
    await tools.output("resource", "stop", "keep2", "--wait");
    await tools.output("configure", "delete", "keep2", "later");
  });
});

describe("the cluster as a whole", () => {
  test("maintenance on and off", async () => {
    await tools.output("maintenance", "on");
    expect(await tools.output("crm_attribute", "-n", "maintenance-mode", "-G", "-q")).toBe("true\n");
    await tools.output("maintenance", "off");
    expect((await tools.run("crm_attribute", "-n", "maintenance-mode", "-G", "-q")).code).toBe(105);
  });

  test("reload says what needs a restart", async () => {
    const { code, stdout } = await tools.run("reload", "--json");
    expect({ code, reply: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      reply: { applied: [], restart: [] },
    });
  });

  test("stonith_admin knows of no devices and no fencing", async () => {
    expect(await tools.output("stonith_admin", "-L")).toBe("No fence devices found\n");
    expect(await tools.output("stonith_admin", "--history", "*")).toBe("0 events found\n");
    expect(await tools.output("stonith_admin", "--history", "node1", "--output-as", "xml")).toContain(
      '<list name="fencing history" count="0"/>',
    );
  });
});

describe("who may read nothing", () => {
  const asNobody = async (...words: readonly string[]) => {
    process.env.CIB_user = "nobody";
    try {
      return await tools.run(...words);
    } finally {
      delete process.env.CIB_user;
    }
  };
  beforeAll(async () => {
    await tools.output("attrd_updater", "-n", "told", "-U", "1");
    await tools.output("property", "enable-acl=true");
  });
  afterAll(() => tools.output("property", "enable-acl=false"));

  test.each([
    "crmadmin -D",
    "crmadmin -S node2",
    "crm_node -N 2",
    "attrd_updater -n told -Q",
    "attrd_updater -n told -Q -A",
    "crm_attribute -n told -l reboot -G",
    "crm_attribute -n told -N node1 -G",
    "crm_mon -1",
    "crm_resource -l",
    "crm_resource -W -r web",
    "stonith_admin -L",
    "stonith_admin -H node2",
    "cibadmin -Q",
    "crm_ticket -L",
    "status",
    "node show node2",
    "resource status web",
    "configure show",
    "history",
  ])("%s says that it may not", async (words) => {
    const { code, stdout, stderr } = await asNobody(...words.split(" "));
    expect([code, stdout, stderr]).toEqual([4, "", expect.stringMatching(/nobody|user/)]);
  });
});
