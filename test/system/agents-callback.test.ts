/**
 * Agents of Debian as they are, run by a real cluster, calling back: the tools that they find must answer as
 * Pacemaker's do. Needs: apt-get install --no-install-recommends resource-agents pacemaker-resource-agents; no root.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster } from "../harness/local-cluster.ts";

const agents = "/usr/lib/ocf/resource.d";
const directory = mkdtempSync(join(tmpdir(), "hactl-callback-"));
let cluster: LocalCluster;

/** An agent that only calls the shell functions of resource-agents and the tools, and keeps what they said. */
const caller = `#!/bin/sh
: \${OCF_FUNCTIONS_DIR:=/usr/lib/ocf/lib/heartbeat}
. \${OCF_FUNCTIONS_DIR}/ocf-shellfuncs
out="$OCF_RESKEY_out.$OCF_RESKEY_CRM_meta_on_node"
say() { echo "$1: $("$@" 2>&1); $?" >> "$out.new"; }
note() { name="$1"; shift; echo "$name: $("$@" 2>&1)" >> "$out.new"; }
case "$1" in
meta-data) cat <<END
<?xml version="1.0"?>
<resource-agent name="Caller"><version>1.1</version><longdesc lang="en">C</longdesc><shortdesc lang="en">C</shortdesc>
<parameters><parameter name="out"><longdesc lang="en">F</longdesc><shortdesc lang="en">F</shortdesc><content type="string"/></parameter></parameters>
<actions><action name="start" timeout="60s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s" interval="10s"/><action name="meta-data" timeout="5s"/></actions></resource-agent>
END
;;
start)
  note nodename ocf_local_nodename
  note target ocf_attribute_target
  ocf_promotion_score -v 42 && note score ocf_promotion_score -G -q
  ocf_promotion_score -D; note gone ocf_promotion_score -G -q
  attrd_updater -n called -v yes && note updater attrd_updater -n called -Q
  crm_attribute -N "$(crm_node -n)" -l forever --name lasting -v here
  note awk sh -c 'crm_attribute -N "$(crm_node -n)" -l forever -n lasting -G | awk -F= "{print \\$NF}"'
  note partition crm_node -p
  note list crm_node -l
  note quorate crm_node -q
  note where crm_resource -Q -r "$OCF_RESOURCE_INSTANCE" -g out
  note mon sh -c 'crm_mon -1 -X | grep -c "<node name=.* online=.true"'
  note xpath sh -c 'cibadmin -Q --xpath "//primitive[@id=\\"$OCF_RESOURCE_INSTANCE\\"]" | grep -c Caller'
  note error crm_error -X 105
  note quorumtool sh -c 'corosync-quorumtool | grep Quorate:'
  note path sh -c 'command -v crm_attribute'
  mv "$out.new" "$out" ;;
stop) rm -f "$out" ;;
monitor) [ -e "$out" ] && exit 0 || exit 7 ;;
*) exit 3 ;;
esac
exit 0
`;

beforeAll(async () => {
  mkdirSync(join(directory, "ocf", "test"), { recursive: true });
  const file = join(directory, "ocf", "test", "Caller");
  writeFileSync(file, caller);
  chmodSync(file, 0o755);
  cluster = await LocalCluster.make({
    nodes: 2,
    addresses: (node) => [`127.9.1.${node}`],
    ocfPath: [join(directory, "ocf"), agents],
  });
  cluster.startAll();
  await cluster.joined();
  await run("property", "stonith-enabled=false");
}, 60_000);

afterAll(() => {
  cluster.destroy();
  rmSync(directory, { recursive: true });
});

async function run(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.hactl("node1", ...words);
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Configures crm text, and waits until nothing is left to do. */
async function configure(text: string): Promise<void> {
  const file = join(directory, "text.crm");
  writeFileSync(file, text);
  await run("configure", "load", "update", file);
  await run("wait", "--timeout", "60");
}

const value = async (words: string) => (await run(...words.split(" "))).trim();

describe("agents that call back", () => {
  test("the shell functions of resource-agents", async () => {
    const out = join(directory, "said");
    await configure(`primitive caller ocf:test:Caller params out=${out} op start timeout=60s`);
    const node = await value("crm_resource -Q -W -r caller");
    expect(existsSync(`${out}.${node}`)).toBe(true);
    const said = readFileSync(`${out}.${node}`, "utf8").trim().split("\n");
    const rows = said.join("\n");
    expect(rows).toContain(`nodename: ${node}\ntarget: ${node}\nscore: 42\n`);
    expect(rows).toContain("gone: crm_attribute: Error performing operation: No such device or address\n");
    expect(rows).toContain(`updater: name="called" host="${node}" value="yes"\nawk: here\n`);
    expect(rows).toContain("partition: node1 node2 \nlist: 1 node1 member\n2 node2 member\nquorate: 1\n");
    expect(rows).toContain(`where: ${out}\nmon: 2\nxpath: 1\nerror: No such object\n`);
    expect(rows).toContain("quorumtool: Quorate:          Yes\n");
    // Before any other cluster stack's tools of the same names.
    expect(rows).toContain(`path: ${join(cluster.directory, node)}`);
  }, 90_000);

  test("ocf:pacemaker:Stateful sets its promotion score and is promoted", async () => {
    await configure("primitive st ocf:pacemaker:Stateful\nclone stateful st meta promotable=true");
    await run("wait", "--timeout", "60");
    const { stdout } = await cluster.hactl("node1", "crm_resource", "-W", "-r", "stateful");
    expect(stdout).toMatch(/resource stateful is running on: node[12] Promoted\n/);
    expect(Number(await value("crm_attribute -N node1 -l reboot -n master-st -G -q"))).toBeGreaterThan(0);
  }, 90_000);

  test("ocf:heartbeat:NodeUtilization tells the node's processors and memory", async () => {
    await configure(
      "primitive util ocf:heartbeat:NodeUtilization op start timeout=90s op monitor interval=10s\nclone utils util",
    );
    for (const node of cluster.names) {
      const cpu = await cluster.until(`the processors of ${node} are known`, 30_000, async () => {
        const query = ["--quiet", "-t", "nodes", "--node", node, "-z", "-n", "cpu"];
        const { code, stdout } = await cluster.hactl(node, "crm_attribute", ...query);
        return code === 0 ? stdout.trim() : undefined;
      });
      expect(Number(cpu)).toBeGreaterThan(0);
    }
    expect(await run("cibadmin", "-Q", "--xpath", "//node[@uname='node2']/utilization")).toContain(
      'name="cpu"',
    );
  }, 120_000);

  test("ocf:pacemaker:attribute sets an attribute while it is active", async () => {
    await configure(
      "primitive flag ocf:pacemaker:attribute params name=flagged active_value=on inactive_value=off",
    );
    const node = await value("crm_resource -Q -W -r flag");
    expect(await value(`crm_attribute -N ${node} -l reboot -n flagged -G -q`)).toBe("on");
    await run("resource", "stop", "flag", "--wait");
    expect(await value(`crm_attribute -N ${node} -l reboot -n flagged -G -q`)).toBe("off");
  }, 90_000);

  test("ocf:pacemaker:HealthCPU reports the node's health", async () => {
    await configure("primitive health ocf:pacemaker:HealthCPU op monitor interval=10s\nclone healths health");
    await cluster.until("health is known", 40_000, async () => {
      const { stdout } = await cluster.hactl("node1", "attrd_updater", "-n", "#health-cpu", "-Q", "-A");
      return /host="node1" value="(green|yellow|red)"/.test(stdout) ? true : undefined;
    });
    expect(await run("crm_attribute", "-N", "node1", "-l", "reboot", "-n", "#health-cpu", "-G")).toMatch(
      /^scope=status {2}name=#health-cpu value=(green|yellow|red)\n$/,
    );
  }, 90_000);
});
