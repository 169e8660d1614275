/**
 * Programs that people and machines use with a cluster, as Debian has them, on a live cluster of two hosts with our names in the place of
 * Pacemaker's and corosync's: pcs, the crm shell, and the exporter that Prometheus scrapes. Not of the crm shell: what looks for a process
 * called pacemaker-controld (a report of the live cluster), and what it finds in Pacemaker's own log lines (transitions and events).
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type Host, Hosts } from "./hosts.ts";

setDefaultTimeout(900_000);

/** pcs reads the names of nodes from the file that the cluster was imported from, and has no other way. */
const imported = `totem {
    version: 2
    cluster_name: hosts
    transport: knet
}
nodelist {
${["h1", "h2"].map((name, i) => `    node {\n        ring0_addr: 10.77.0.${i + 1}\n        name: ${name}\n        nodeid: ${i + 1}\n    }\n`).join("")}}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
`;

let hosts: Hosts;
let h1: Host;
beforeAll(async () => {
  // The only one of our names that is not used here: the crm shell is the system's.
  hosts = await Hosts.make(["h1", "h2"], {
    "usr/sbin/crm": readFileSync("/usr/sbin/crm", "utf8"),
    "etc/corosync/corosync.conf": imported,
  });
  const [first] = hosts.all;
  if (!first) throw new Error("no host");
  h1 = first;
  // The crm shell asks systemd for corosync; a unit that is active must not get another name.
  await hosts.startCluster("[quorum]\ntwo_node = true\n", async () => {
    await h1.done(
      "ln",
      "-s",
      "/usr/lib/systemd/system/hactl.service",
      "/etc/systemd/system/corosync.service",
    );
    await h1.done("systemctl", "daemon-reload");
  });
  await h1.done("hactl", "property", "stonith-enabled=false");
});
afterAll(() => hosts?.destroy());

/** Both outputs of a command that has to end well. */
async function said(line: string, host = h1): Promise<string> {
  const { code, stdout, stderr } = await host.run(["sh", "-c", `${line} 2>&1`]);
  if (code !== 0) throw new Error(`${line} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}
const where = async (rsc: string) => (await said(`crm_resource --locate -r ${rsc}`)).trim();
const cib = (xpath: string) => h1.done("cibadmin", "--query", "--xpath", xpath);

describe("pcs", () => {
  test("creates, disables, enables, moves and deletes, and waits for each", async () => {
    await said("pcs resource create d ocf:pacemaker:Dummy op monitor interval=10s --wait");
    expect(await where("d")).toMatch(/^resource d is running on: h[12]$/);
    await said("pcs resource disable d --wait");
    expect(await where("d")).toContain("NOT running");
    await said("pcs resource enable d --wait");
    const before = (await where("d")).split(": ")[1] ?? "";
    const other = before === "h1" ? "h2" : "h1";
    await said(`pcs resource move d ${other} --wait`);
    expect(await where("d")).toBe(`resource d is running on: ${other}`);
    // It takes the constraint away again that it has moved it with.
    expect(await said("pcs constraint")).not.toContain("cli-");
    await said("pcs resource update d fake=1 --wait");
    expect(await cib("//primitive[@id='d']")).toContain('name="fake" value="1"');
    await said("pcs resource meta d resource-stickiness=5");
    await said("pcs resource cleanup d");
    await said("pcs resource refresh d");
    await said(
      "pcs resource debug-monitor d",
      hosts.all.find(({ name }) => name === other),
    );
    await said("pcs resource delete d");
    expect(await said("cibadmin --query")).not.toContain('id="d"');
  });

  test("makes groups, clones, constraints, defaults and properties", async () => {
    await said("pcs resource create a ocf:pacemaker:Dummy --group g --wait");
    await said("pcs resource create b ocf:pacemaker:Dummy --group g --wait");
    await said("pcs resource create s ocf:pacemaker:Stateful promotable --wait");
    await said("pcs constraint location g prefers h2=50");
    await said("pcs constraint order start g then start s-clone");
    await said("pcs constraint colocation add g with promoted s-clone 10");
    await said("pcs resource defaults update resource-stickiness=7");
    await said("pcs property set maintenance-mode=false");
    expect(await said("pcs constraint --full")).toContain("h2");
    expect(await said("pcs resource config")).toContain("s-clone");
    expect(await said("pcs resource status")).toContain("Started");
    expect(await said("pcs property config")).toContain("stonith-enabled");
    await said("pcs cluster cib /root/draft.xml");
    await said("pcs -f /root/draft.xml resource create c ocf:pacemaker:Dummy");
    await said("pcs cluster cib-push /root/draft.xml --wait");
    expect(await where("c")).toContain("is running");
    await said("pcs resource ungroup g b");
    await said("pcs resource delete c");
  });

  test("puts nodes into standby and back, and knows them", async () => {
    await said("pcs node standby h2 --wait");
    expect(await said("crm_mon -1")).toContain("Node h2: standby");
    await said("pcs node unstandby h2 --wait");
    await said("pcs node maintenance h2");
    await said("pcs node unmaintenance h2");
    await said("pcs node attribute h2 rack=7");
    expect(await said("pcs node attribute")).toContain("rack=7");
    expect(await said("pcs status nodes")).toContain("h2");
  });

  test("shows, verifies and reports", async () => {
    for (const command of [
      "config",
      "status",
      "status --full",
      "status xml",
      "cluster verify --full",
      "cluster status",
    ])
      expect(await said(`pcs ${command}`)).not.toMatch(/rror|Traceback/);
    expect(await said("pcs stonith list fence_dummy")).toContain("fence_");
    expect(await said("pcs stonith history show")).not.toContain("rror");
    expect(await said("pcs resource list ocf:pacemaker")).toContain("ocf:pacemaker:Dummy");
    expect(await said("pcs resource describe ocf:pacemaker:Dummy")).toContain("fake");
    expect(await said("pcs resource failcount show")).not.toContain("rror");
    // There is no ssh between the hosts, which it complains about; what it has is in the report.
    await said("pcs cluster report /root/report || true");
    expect(await said("tar -tf /root/report.tar.bz2")).toContain("cib");
  });

  test("makes a fence device, a level and asks for its history", async () => {
    await said("pcs stonith create f fence_dummy --force");
    await said("pcs stonith level add 1 h2 f");
    expect(await said("pcs stonith config")).toContain("f (class=stonith type=fence_dummy)");
    await said("pcs stonith history cleanup");
    await said("pcs stonith level remove 1");
    await said("pcs stonith delete f");
  });
});

describe("the crm shell", () => {
  test("configures, and its resources do as they are told", async () => {
    await said("crm configure primitive p ocf:pacemaker:Dummy op monitor interval=10s");
    await said("crm configure clone pc p meta clone-max=2");
    await said("crm configure location l pc 10: h1");
    expect(await said("crm configure show")).toContain("clone pc p");
    await said("crm configure verify");
    await said("crm -w resource stop pc");
    expect(await where("pc")).toContain("NOT running");
    await said("crm -w resource start pc");
    expect(await where("pc")).toContain("h2");
    await said("crm resource param p set fake x");
    expect(await said("crm resource param p show fake")).toContain("x");
    await said("crm resource meta pc set resource-stickiness 3");
    await said("crm resource cleanup p");
    await said("crm resource refresh p");
    await said("crm resource failcount p show h1");
    expect(await said("crm resource status")).toContain("pc");
    await said("crm resource constraints p");
    await said("crm -w resource move a h1 force");
    await said("crm resource clear a");
    await said("crm -w resource stop pc");
    await said("crm configure delete l pc p");
    expect(await said("crm configure show")).not.toContain("primitive p ");
  });

  test("knows nodes, and takes them out and in", async () => {
    await said("crm -w node standby h2");
    expect(await said("crm node show")).toContain("standby");
    await said("crm -w node online h2");
    await said("crm node attribute h2 set floor 3");
    expect(await said("crm node attribute h2 show floor")).toContain("3");
    await said("crm node utilization h2 set cpu 4");
    await said("crm node maintenance h2");
    await said("crm node ready h2");
    await said("crm node status-attr h2 set seen 1");
  });

  test("works on drafts, and on what has happened", async () => {
    await said("crm cib new trial");
    await said("crm -c trial configure primitive q ocf:pacemaker:Dummy");
    expect(await said("cibadmin --query")).not.toContain('id="q"');
    await said("crm cib commit trial");
    expect(await said("cibadmin --query")).toContain('id="q"');
    await said("crm cib delete trial");
    expect(await said("crm status")).toContain("Online: [ h1 h2 ]");
    expect(await said("crm status full")).toContain("h1");
    await said("crm configure property no-quorum-policy=stop");
    expect(await said("crm configure show type:property")).toContain("no-quorum-policy=stop");
    expect(await said("crm ra providers Dummy")).toContain("pacemaker");
    expect(await said("crm ra info ocf:pacemaker:Dummy")).toContain("fake");
  });
});

describe("the crm shell's view of corosync", () => {
  test("shows its file, and what the ring is like, since hactl's unit has corosync's name too", async () => {
    expect(await said("crm corosync show")).toBe(`${imported}\n`);
    expect(await said("crm corosync get nodelist.node.name")).toBe("h1\nh2\n");
    expect(await said("crm corosync status")).toMatch(/addr\t= 10\.77\.0\.1\n[\s\S]*nodeid: +2:\tconnected/);
    expect(await said("crm corosync status quorum")).toMatch(/Quorate: +Yes/);
    expect(await said("crm cluster status")).toMatch(/corosync +active\/running/);
    expect(await said("crm cluster wait_for_startup")).toContain("Online: [ h1 h2 ]");
    await said("crm corosync reload");
  });

  test("its history reads a report of ours", async () => {
    await said("crm configure primitive told ocf:pacemaker:Dummy");
    await said("crm configure group tale told");
    // There is no ssh between the hosts, so that the other's part is missing.
    await said("crm_report -S -f \"$(date -d '1 hour ago' '+%F %T')\" /root/ours");
    const told = await said("printf 'source /root/ours.tar.bz2\\ninfo\\n' | crm history");
    expect(told).toMatch(/^Nodes: h1$/m);
    expect(told).toMatch(/^Groups: .*\btale\b/m);
    expect(told).toMatch(/^Resources: .*\btold\b/m);
  });
});

describe("the exporter for Prometheus", () => {
  test("scrapes what the cluster and its ring say", async () => {
    await said("crm_attribute -N h2 -n rack -v 7");
    await said("crm configure primitive e ocf:pacemaker:Dummy");
    await said("crm configure location el e 10: h1");
    h1.launch(["ha_cluster_exporter", "--web.listen-address=127.0.0.1:9664"]);
    await h1.until(
      "the exporter answers",
      60_000,
      async () => (await h1.run(["curl", "-sf", "http://127.0.0.1:9664/metrics"])).code === 0,
    );
    let metrics = "";
    // On a machine that is held up the ring may just be forming.
    await h1.until("both are scraped and there is quorum", 300_000, async () => {
      metrics = (await h1.run(["curl", "-s", "http://127.0.0.1:9664/metrics"])).stdout;
      return /success\{collector="pacemaker"\} 1\n/.test(metrics) && metrics.includes("corosync_quorate 1");
    });
    const has = (metric: string) =>
      expect(metrics.split("\n").filter((line) => line.startsWith(metric))).not.toEqual([]);
    for (const collector of ["pacemaker", "corosync"])
      expect(metrics).toContain(`ha_cluster_scrape_success{collector="${collector}"} 1`);
    has('ha_cluster_pacemaker_nodes{node="h1",status="online",type="member"} 1');
    has('ha_cluster_pacemaker_resources{agent="ocf');
    has("ha_cluster_pacemaker_stonith_enabled 0");
    has('ha_cluster_pacemaker_node_attributes{name="rack",node="h2",value="7"} 1');
    has("ha_cluster_pacemaker_location_constraints");
    has("ha_cluster_pacemaker_config_last_change");
    has("ha_cluster_corosync_quorate 1");
    has("ha_cluster_corosync_ring_errors 0");
    has('ha_cluster_corosync_quorum_votes{type="expected_votes"} 2');
    has("ha_cluster_corosync_member_votes{");
  });
});
