import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectFrames } from "../../src/platform/index.ts";
import { LocalCluster } from "../harness/local-cluster.ts";

setDefaultTimeout(120_000);

/** Real daemons that are asked what makes no sense, and that lose their power. */

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.make({ nodes: 2, tokenMs: 600 });
  cluster.startAll();
  await joined();
}, 60_000);

afterAll(() => cluster?.destroy());

const joined = () =>
  cluster.until("both nodes take part", 40_000, async () => {
    const { code, stdout } = await cluster.hactl("node1", "node", "show", "--json");
    if (code !== 0) return undefined;
    const { joined, members } = JSON.parse(stdout) as { joined: boolean; members: { state: string }[] };
    // Who is a member already may still be receiving the other's configuration.
    return joined && members.filter(({ state }) => state === "member").length === 2 ? true : undefined;
  });

const state = (name: string) => join(cluster.directory, name, "state");
const died = () => cluster.names.map((name) => cluster.logOf(name).match(/PROCESS-DIED/g)?.length ?? 0);

/** The answer to a request, sent as it is. */
async function ask(
  name: string,
  body: string,
): Promise<{ readonly value?: unknown; readonly error?: { readonly code: string } }> {
  const answer = Promise.withResolvers<string>();
  const connection = await connectFrames(join(cluster.directory, name, "run", "admin.sock"), {
    frame: (_connection, _type, bytes) => answer.resolve(new TextDecoder().decode(bytes)),
    close: () => answer.reject(new Error("closed without an answer")),
  });
  connection.send(1, new TextEncoder().encode(body));
  try {
    return JSON.parse(await answer.promise);
  } finally {
    connection.destroy();
  }
}

const request = (value: unknown) => JSON.stringify({ id: 1, request: value });
const apply = (name: string, xml: string) =>
  ask(
    name,
    request({ type: "cib-apply", operations: [{ op: "modify", create: true, xml }], client: "test" }),
  );
const property = (name: string, value: string) =>
  `<crm_config><cluster_property_set id="s"><nvpair id="s-${name}" name="${name}" value="${value}"/></cluster_property_set></crm_config>`;

test("every request is answered, whatever it is, and no process ends", async () => {
  for (const body of [
    "{",
    "null",
    "5",
    request(null),
    request("status"),
    request({ type: "constructor" }),
    request({ type: "attributes-update", updates: [null] }),
    request({ type: "attributes-update", updates: "x" }),
    request({ type: "attributes-update", updates: [{ node: "node1", name: null, value: "1" }] }),
    request({ type: "attributes-update", updates: [{ node: "node1", name: "a", value: "\u001b" }] }),
    request({ type: "forget", rsc: 5, failuresOnly: true }),
    request({ type: "forget" }),
    request({ type: "cib-apply", operations: [{ op: "create" }], client: "x" }),
    request({ type: "cib-apply", operations: [{ op: "nonsense" }], client: "x" }),
    request({ type: "cib-apply", operations: [{ op: "create", xml: 5 }], client: "x" }),
    request({ type: "expected-votes", votes: 1e15 }),
    request({ type: "node-votes", node: 1, votes: 1e15 }),
    request({ type: "node-votes", node: 0, votes: 1 }),
    request({ type: "fence.request" }),
    request({ type: "fence.test", target: null }),
    request({ type: "metadata" }),
  ])
    expect([body, (await ask("node2", body)).error?.code]).toEqual([body, "PROTOCOL"]);
  const patch =
    `<diff format="2"><change operation="modify" path="/cib/status"><change-list>` +
    `<change-attr name="a b&quot;&gt;&lt;x" operation="set" value="v"/></change-list></change></diff>`;
  const refused = await ask(
    "node2",
    request({ type: "cib-apply", operations: [{ op: "patch", xml: patch }], client: "x" }),
  );
  expect(refused.error?.code).toBe("XML_NAME");
  for (const [name, value] of [
    ["standby", "maybe"],
    ["maintenance", "perhaps"],
    ["#health-disk", "redd"],
  ]) {
    const bad = request({
      type: "attributes-update",
      updates: [{ node: "node1", name, value, dampenMs: 0 }],
    });
    expect([name, (await ask("node2", bad)).error?.code]).toEqual([name, "BAD_VALUE"]);
  }
  expect((await apply("node2", property("constructor", "true"))).error).toBeUndefined();
  expect((await apply("node2", property("toString", "true"))).error).toBeUndefined();
  expect((await cluster.hactl("node1", "wait", "--timeout", "30")).code).toBe(0);
  expect(died()).toEqual([0, 0]);
});

test("what is acknowledged is on the disk of the node that answers, and there after all lose their power", async () => {
  for (let change = 1; change <= 20; change++) {
    const name = change % 2 === 0 ? "node1" : "node2";
    expect((await apply(name, property("change", String(change)))).error).toBeUndefined();
    expect(readFileSync(join(state(name), "cib.xml"), "utf8")).toContain(`name="change" value="${change}"`);
  }
  await apply("node2", property("change", "last"));
  for (const name of cluster.names) cluster.kill(name);
  cluster.startAll();
  await joined();
  const { stdout } = await cluster.hactl("node1", "configure", "show", "xml");
  expect(stdout).toContain('name="change" value="last"');
});

test("a configuration that was lost on all nodes is said to be, until somebody accepts it", async () => {
  await apply("node1", property("change", "lost"));
  // The other one writes it a moment later than the one that has answered.
  await cluster.until("node2 has it on its disk", 10_000, () =>
    readFileSync(join(state("node2"), "cib.xml"), "utf8").includes('value="lost"') ? true : undefined,
  );
  for (const name of cluster.names) cluster.kill(name);
  for (const name of cluster.names)
    for (const file of readdirSync(state(name))) {
      if (!/^cib.*\.xml$/.test(file)) continue;
      const path = join(state(name), file);
      const text = readFileSync(path, "utf8");
      if (text.includes('value="lost"')) writeFileSync(path, text.replace("lost", "list"));
    }
  cluster.startAll();
  await joined();
  const status = async () => (await cluster.hactl("node2", "status")).stdout;
  await cluster.until("both losses are told", 20_000, async () => {
    const told = await status();
    return cluster.names.every((name) => told.includes(`node ${name} has lost version `)) || undefined;
  });
  expect(readdirSync(state("node1")).filter((name) => name.includes(".corrupt-")).length).toBeGreaterThan(0);
  const { stdout } = await cluster.hactl("node1", "configure", "show", "xml");
  expect(stdout).toContain('name="change" value="last"');
  expect((await cluster.hactl("node2", "configure", "accept")).code).toBe(0);
  expect(await status()).not.toContain("has lost");
});
