import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster } from "../harness/local-cluster.ts";

/** Real agents whose services take over changed parameters while they run. */

/** An agent of OCF 1.0, which writes down what it is asked. */
const older = `#!/bin/sh
: \${OCF_FUNCTIONS_DIR=\${OCF_ROOT}/lib/heartbeat}
[ "$1" = meta-data ] || echo "$1 $OCF_RESKEY_level" >>"$OCF_RESKEY_journal"
case "$1" in
  meta-data) cat <<END
<?xml version="1.0"?>
<resource-agent name="Older">
  <version>1.0</version>
  <longdesc lang="en">Writes down what it is asked.</longdesc>
  <shortdesc lang="en">Journal</shortdesc>
  <parameters>
    <parameter name="journal" unique="1"><content type="string"/></parameter>
    <parameter name="level" unique="0"><content type="string"/></parameter>
    <parameter name="word" unique="1" private="1"><content type="string"/></parameter>
  </parameters>
  <actions><action name="start" timeout="20"/><action name="stop" timeout="20"/><action name="monitor" timeout="20"/>
    <action name="reload" timeout="20"/><action name="meta-data" timeout="5"/></actions>
</resource-agent>
END
    ;;
  start) : >"$OCF_RESKEY_journal.runs" ;;
  stop) rm -f "$OCF_RESKEY_journal.runs" ;;
  monitor) [ -e "$OCF_RESKEY_journal.runs" ] || exit 7 ;;
  reload) ;;
  *) exit 3 ;;
esac
`;

let cluster: LocalCluster;
let agents: string;
const file = (name: string) => join(cluster.directory, name);

beforeAll(async () => {
  agents = mkdtempSync(join(tmpdir(), "hactl-agents-"));
  mkdirSync(join(agents, "test"));
  writeFileSync(join(agents, "test", "Older"), older, { mode: 0o755 });
  cluster = await LocalCluster.make({ nodes: 2, tokenMs: 600, ocfPath: [agents] });
  cluster.startAll();
  await cluster.joined();
}, 60_000);

afterAll(() => {
  cluster?.destroy();
  rmSync(agents, { recursive: true });
});

async function load(params: { readonly newer: string; readonly older: string }): Promise<void> {
  const text = `
property stonith-enabled=false
primitive newer ocf:pacemaker:Dummy params envfile="${file("newer")}" ${params.newer} op monitor interval=10s
primitive older ocf:test:Older params journal="${file("older")}" ${params.older} op monitor interval=10s
location one newer inf: node1
location two older inf: node2
`;
  writeFileSync(file("load.crm"), text);
  const { code, stderr } = await cluster.hactl("node1", "configure", "load", "update", file("load.crm"));
  if (code !== 0) throw new Error(stderr);
  const waited = await cluster.hactl("node1", "wait", "--timeout", "60");
  expect(waited.code).toBe(0);
}

const linesOf = (name: string) =>
  existsSync(file(name)) ? readFileSync(file(name), "utf8").trimEnd().split("\n") : [];

/** What the agents were asked to do, but for looking. */
const asked = () => ({
  newer: linesOf("newer").flatMap((line) => {
    const action = /^### (\S+)/.exec(line)?.[1];
    return action === undefined || ["monitor", "meta-data"].includes(action) ? [] : [action];
  }),
  older: linesOf("older").filter((line) => !line.startsWith("monitor ")),
});

test("what they can take over is reloaded once, all else restarts, and then nothing is done any more", async () => {
  await load({ newer: "fake=1", older: "level=1 word=a" });
  const told = await cluster.until("both agents have said what they can", 20_000, async () => {
    const { stdout } = await cluster.hactl("node2", "cibadmin", "--query");
    const known = stdout.match(/op-restart-digest="[0-9a-f]{32}"/g) ?? [];
    return known.length >= 2 ? stdout : undefined;
  });
  expect(told).toContain('op-force-restart=" state "');
  expect(told).toContain('op-secure-params=" word "');
  expect(asked()).toEqual({ newer: ["start"], older: ["start 1"] });

  await load({ newer: "fake=2", older: "level=2 word=a" });
  expect(asked()).toEqual({ newer: ["start", "reload-agent"], older: ["start 1", "reload 2"] });

  await load({ newer: `fake=2 state="${file("elsewhere")}"`, older: "level=2 word=b" });
  expect(asked()).toEqual({
    newer: ["start", "reload-agent", "stop", "start"],
    older: ["start 1", "reload 2"],
  });
  expect(existsSync(file("elsewhere"))).toBe(true);

  await load({ newer: `fake=3 state="${file("elsewhere")}"`, older: "level=2 word=b" });
  const done = {
    newer: ["start", "reload-agent", "stop", "start", "reload-agent"],
    older: ["start 1", "reload 2"],
  };
  expect(asked()).toEqual(done);

  // Decided once more from what is recorded: there is nothing to do.
  await cluster.hactl("node1", "configure", "property", "cluster-recheck-interval=1min");
  expect((await cluster.hactl("node1", "wait", "--timeout", "60")).code).toBe(0);
  expect(asked()).toEqual(done);
}, 120_000);
