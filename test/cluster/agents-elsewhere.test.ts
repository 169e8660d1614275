import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { executable, freePort } from "../harness/local-cluster.ts";
import { Story } from "../harness/story.ts";

/** Agents are asked on the nodes that may run a resource: three nodes and a remote host, each with agents of its own. */

const address = "127.0.0.8";
const port = freePort();
let story: Story;
let remote: Bun.Subprocess | undefined;
const directoryOf = (node: string) => join(story.directory, node, "agents");

/** An agent with these parameters; `before` is run first. */
function agent(node: string, name: string, parameters: readonly string[], before = ""): string {
  const file = join(directoryOf(node), "test", name);
  const rows = parameters
    .map((one) => `<parameter name="${one}"><content type="string"/></parameter>`)
    .join("");
  writeFileSync(
    file,
    `#!/bin/sh
${before}
case "$1" in
  meta-data) cat <<X
<resource-agent name="${name}"><version>1.1</version><parameters>${rows}</parameters>
<actions><action name="start"/><action name="stop"/><action name="monitor"/></actions></resource-agent>
X
  ;;
  monitor) exit 7 ;;
esac
`,
    { mode: 0o755 },
  );
  return file;
}

beforeAll(async () => {
  story = await Story.make({ nodes: 3, ocfPath: ["/agents-of-this-node"] });
  const own = (node: string, from = node) => {
    mkdirSync(join(directoryOf(node), "test"), { recursive: true });
    const text = readFileSync(story.nodes.configOf(from), "utf8")
      .replaceAll(`${story.directory}/${from}/`, `${story.directory}/${node}/`)
      .replace("/agents-of-this-node", directoryOf(node));
    const file = join(story.directory, node, "hactl.toml");
    writeFileSync(file, text);
    return file;
  };
  for (const part of ["state", "run"]) mkdirSync(join(story.directory, "far", part), { recursive: true });
  const config = own("far", "node1");
  for (const node of story.names) own(node);
  for (const node of ["node1", "node2", "node3", "far"]) agent(node, "Everywhere", ["level"]);
  for (const node of ["node1", "node2", "node3", "far"]) {
    const file = agent(node, "Slow", ["level"]);
    const asks = node === "node3" ? "90s" : "20s";
    const text = readFileSync(file, "utf8").replace('"stop"/>', `"stop" timeout="${asks}"/>`);
    writeFileSync(file, text.replace('content type="string"', 'content type="integer"'));
  }
  for (const node of ["node1", "node2"]) agent(node, "Here", ["level"]);
  agent("node3", "There", ["level"]);
  for (const node of ["node1", "node2", "far"]) agent(node, "Differs", ["level", "name"]);
  agent("node3", "Differs", ["level"]);
  for (const node of ["node1", "node3", "far"]) agent(node, "Closed", ["level"]);
  chmodSync(agent("node2", "Closed", ["level"]), 0o644);
  for (const node of ["node1", "node2", "far"]) agent(node, "Hangs", ["level"]);
  agent("node3", "Hangs", ["level"], "sleep 100");
  story.nodes.startAll();
  await story.membersAre(3);
  const key = join(story.directory, "far", "authkey");
  await story.must(
    "node1",
    "keygen",
    "--remote",
    "--node",
    "far",
    "--from",
    story.nodes.remoteKey,
    "-k",
    key,
  );
  writeFileSync(join(story.directory, "pids", "far.pid"), `environ HACTL_CONFIG=${config}\n`);
  const words = ["remote", "--listen", address, "--port", String(port), "--keyfile", key];
  remote = Bun.spawn([executable, ...words], {
    env: { ...process.env, HACTL_CONFIG: config },
    stdio: ["ignore", "ignore", Bun.file(join(story.directory, "far", "stderr"))],
  });
  await story.load(`property stonith-enabled=false
primitive far ocf:pacemaker:remote params server=${address} port=${port} op monitor interval=10s`);
  await story.idle();
}, 90_000);

afterAll(() => {
  remote?.kill("SIGKILL");
  story?.close();
});

/** Loads a primitive that is not started, and takes it away again. @returns what was said, and the exit code */
async function configured(name: string, params = "", more = ""): Promise<{ code: number; said: string }> {
  const file = join(story.directory, "new.crm");
  writeFileSync(
    file,
    `primitive x ocf:test:${name} params level=1 ${params} meta target-role=Stopped\n${more}`,
  );
  const { code, stdout, stderr } = await story.hactl("node1", "configure", "load", "update", file);
  if (code === 0) await story.must("node1", "configure", "delete", "--force", "x");
  return { code, said: stdout + stderr };
}

describe("an agent", () => {
  test("that is on all nodes is taken without a word", async () => {
    expect(await configured("Everywhere")).toEqual({ code: 0, said: expect.not.stringContaining("agent") });
  }, 30_000);

  test("that is not on some nodes is told with their names, the remote host's among them", async () => {
    const { code, said } = await configured("Here");
    expect(code).toBe(0);
    expect(said).toMatch(/agent ocf:test:Here of resource "x" is not there: .*\(on node3\)/);
    expect(said).toMatch(/agent ocf:test:Here of resource "x" is not there: .*\(on far\)/);
    expect(said).not.toMatch(/on node[12]/);
  }, 30_000);

  test("is not asked for where the resource may not run", async () => {
    const { code, said } = await configured(
      "Here",
      "",
      "location l x rule -inf: #uname eq node3 or #kind eq remote",
    );
    expect({ code, said }).toEqual({ code: 0, said: expect.not.stringContaining("agent") });
    await story.hactl("node1", "configure", "delete", "--force", "l");
  }, 30_000);

  test("is looked for where the resource may run, not where the command does", async () => {
    const { said } = await configured("There", "", "location l x rule -inf: #uname ne node3");
    expect(said).not.toContain("agent");
    await story.hactl("node1", "configure", "delete", "--force", "l");
  }, 30_000);

  test("that has other parameters on a node is told with its name", async () => {
    const { code, said } = await configured("Differs", "name=a");
    expect(code).toBe(0);
    expect(said).toMatch(/agent ocf:test:Differs of resource "x" has no parameter "name" \(on node3\)/);
  }, 30_000);

  test("that asks for more time on a node is told with its name, and values that it has not", async () => {
    const { code, said } = await configured("Slow");
    expect(code).toBe(0);
    expect(said).toMatch(
      /Slow asks for more time .*: stop 90s \(has 20s by default\).* \(on node3\) \(write op stop interval=0 timeout=90s\)/,
    );
    expect((await configured("Slow", "op stop timeout=90s")).said).not.toContain("agent");
    const file = join(story.directory, "bad.crm");
    writeFileSync(
      file,
      "primitive y ocf:test:Slow params level=high meta target-role=Stopped op stop timeout=2min\n",
    );
    const { stdout } = await story.hactl("node1", "verify", file);
    expect(stdout).toMatch(/level="high" of resource "y" is no whole number for agent ocf:test:Slow/);
  }, 30_000);

  test("asks for more time than what may be a mistaken unit gives it, whoever writes that", async () => {
    const stop = (id: string) => `op stop timeout=20ms\nlocation ${id}-at ${id} 100: node1\n`;
    const xml = (id: string) =>
      `<primitive id="${id}" class="ocf" provider="test" type="Slow"><operations><op id="${id}-stop" name="stop" interval="0" timeout="20ms"/></operations></primitive>`;
    const file = join(story.directory, "units.crm");
    writeFileSync(file, `primitive u1 ocf:test:Slow ${stop("u1")}`);
    const resources = await story.must("node1", "cibadmin", "-Q", "-o", "resources");
    for (const [id, words] of [
      ["u1", ["configure", "load", "update", file]],
      ["u2", ["cibadmin", "--create", "-o", "resources", "--xml-text", xml("u2")]],
      // As pcs does it.
      [
        "u3",
        [
          "cibadmin",
          "--replace",
          "-o",
          "resources",
          "--xml-text",
          resources.replace(
            /<resources\/>|<\/resources>/,
            (end) => `${end === "<resources/>" ? "<resources>" : ""}${xml("u3")}</resources>`,
          ),
        ],
      ],
    ] as const) {
      const { code, stderr } = await story.hactl("node1", ...words);
      expect([id, code, stderr]).toEqual([
        id,
        0,
        expect.stringMatching(
          new RegExp(`Slow asks for more time than resource "${id}" .*stop [29]0s \\(has 20ms\\)`),
        ),
      ]);
      if (id !== "u3") await story.must("node1", "configure", "delete", "--force", id);
    }
    await story.must("node1", "configure", "delete", "--force", "u3");
  }, 60_000);

  test("is told to ask for more time than another default gives, by whatever the default is changed", async () => {
    const file = join(story.directory, "defaults.crm");
    writeFileSync(file, "op_defaults timeout=100s\nprimitive z ocf:test:Slow meta target-role=Stopped\n");
    await story.must("node1", "configure", "load", "update", file);
    const shown = await story.must("node1", "cibadmin", "-Q", "-o", "op_defaults");
    const id = /<nvpair [^>]*\bid="([^"]*)"/.exec(shown)?.[1];
    const pair = (value: string) => `<nvpair id="${id}" name="timeout" value="${value}"/>`;
    const replaced = shown.replace('value="100s"', 'value="9s"');
    for (const [to, words] of [
      ["5s", ["configure", "op_defaults", "timeout=5s"]],
      ["6s", ["crm_attribute", "-t", "op_defaults", "-n", "timeout", "-v", "6s"]],
      ["7s", ["cibadmin", "--modify", "--xml-text", pair("7s")]],
      ["8s", ["cibadmin", "--force", "--modify", "--xml-text", pair("8s")]],
      // As pcs does it.
      ["9s", ["cibadmin", "--replace", "-o", "op_defaults", "--xml-text", replaced]],
      ["20s", ["crm_attribute", "-t", "op_defaults", "-n", "timeout", "-D"]],
    ] as const) {
      const { code, stderr } = await story.hactl("node1", ...words);
      expect([words.join(" "), code, stderr]).toEqual([
        words.join(" "),
        0,
        expect.stringMatching(
          new RegExp(`Slow asks for more time than resource "z" .*stop 90s \\(has ${to} by default\\)`),
        ),
      ]);
    }
    await story.must("node1", "configure", "delete", "--force", "z");
  }, 60_000);

  test("that is not executable on a node is told with its name and what to do", async () => {
    expect((await configured("Closed")).said).toMatch(/Closed is not executable: chmod 755 it \(on node2\)/);
  }, 30_000);

  test("that does not answer on a node is told; the others' answers count", async () => {
    const { code, said } = await configured("Hangs");
    expect(code).toBe(0);
    expect(said).toMatch(
      /what agent ocf:test:Hangs of resource "x" needs is not known: no answer .*on node3/,
    );
  }, 60_000);

  test("that is nowhere is refused, and taken by force", async () => {
    const { code, said } = await configured("Nowhere");
    expect(code).toBe(78);
    expect(said).toMatch(/agent ocf:test:Nowhere of resource "x" is not there/);
    const forced = await story.hactl(
      "node1",
      ...["configure", "load", "--force", "update", join(story.directory, "new.crm")],
    );
    expect(forced.code).toBe(0);
    const verified = await story.hactl("node2", "verify");
    expect(verified.stdout).toMatch(/error: agent ocf:test:Nowhere of resource "x" is not there/);
    await story.must("node1", "configure", "delete", "--force", "x");
  }, 30_000);

  test("of a class that tells nothing is looked for as well", async () => {
    const { code, stdout, stderr } = await story.hactl(
      "node1",
      ...["configure", "primitive", "x", "lsb:no-such-script", "meta", "target-role=Stopped"],
    );
    expect({ code, said: stdout + stderr }).toEqual({
      code: 78,
      said: expect.stringContaining("no init script no-such-script"),
    });
  }, 30_000);
});

test("a node that is away is named, not waited for", async () => {
  story.crash("node3");
  await story.membersAre(2);
  const { code, said } = await configured("Here");
  expect(code).toBe(0);
  expect(said).toContain("note: node node3 could not be asked for its agents: it is offline");
  expect(said.match(/could not be asked/g)).toHaveLength(1);
  // Nor is it told where nothing may run there.
  const { said: elsewhere } = await configured("Here", "", "location not-there x -inf: node3\n");
  expect(elsewhere).not.toContain("could not be asked");
  // It may have what the others lack.
  const { code: lacking, said: words } = await configured("Nowhere");
  expect({ lacking, words }).toEqual({ lacking: 0, words: expect.stringMatching(/Nowhere .* is not there/) });
  const draft = await story.hactl("node1", "verify", "--json");
  const { findings } = JSON.parse(draft.stdout);
  expect(findings.map(({ code: kind }: { code: string }) => kind)).toContain("NOT_ASKED");
}, 60_000);
