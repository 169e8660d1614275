/**
 * A rehearsal never touches the cluster: with CIB_file or CIB_shadow set and a daemon at hand, no command sends it
 * anything that changes the cluster, or that shows it in place of the file.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toolNames } from "../../src/terms/index.ts";
import { everyCommand, RehearsalStage } from "./rehearsal.ts";

setDefaultTimeout(30_000);

/**
 * What comes of a command where a file is meant: it `changes` the file; it `shows` it; it is `refused`, with the file as it
 * was; or it has nothing to do with a CIB (`apart`), and asks a daemon for what no file has at most.
 */
type Outcome = "changes" | "shows" | "refused" | "apart";
type Case = readonly [words: string, outcome: Outcome];

/** By command, every one that there is. */
const ofHactl: Readonly<Record<string, readonly Case[]>> = {
  status: [["status", "shows"]],
  "ring status": [["ring status", "apart"]],
  "ring rekey": [["ring rekey", "refused"]],
  "quorum status": [["quorum status", "apart"]],
  "quorum expected": [["quorum expected 1", "refused"]],
  "quorum votes": [["quorum votes n1 1", "refused"]],
  "resource list": [["resource list", "shows"]],
  "resource status": [["resource status d1", "shows"]],
  "resource locate": [["resource locate d1", "shows"]],
  "resource start": [
    ["resource start d1", "changes"],
    ["resource start d1 --wait", "refused"],
  ],
  "resource stop": [["resource stop d1", "changes"]],
  "resource restart": [["resource restart d1", "refused"]],
  "resource promote": [["resource promote cl", "changes"]],
  "resource demote": [["resource demote cl", "changes"]],
  "resource manage": [["resource manage d1", "changes"]],
  "resource unmanage": [["resource unmanage d2", "changes"]],
  "resource maintenance": [["resource maintenance d1 on", "changes"]],
  "resource move": [
    ["resource move d1 n2", "changes"],
    ["resource move d1 n2 --wait", "refused"],
  ],
  "resource ban": [["resource ban d1 n1", "changes"]],
  "resource clear": [["resource clear d2", "changes"]],
  "resource cleanup": [["resource cleanup d1", "refused"]],
  "resource refresh": [["resource refresh", "refused"]],
  "config check": [["config check", "apart"]],
  "config show": [["config show", "apart"]],
  "config explain": [["config explain token", "apart"]],
  "config import": [["config import --corosync DIR/nowhere", "apart"]],
  "configure show": [["configure show", "shows"]],
  "configure save": [["configure save DIR/saved.crm", "shows"]],
  "configure load": [["configure load update DIR/nowhere", "apart"]],
  "configure delete": [["configure delete d2", "changes"]],
  "configure erase": [["configure erase --force", "changes"]],
  "configure node": [["configure node n3", "changes"]],
  "configure primitive": [["configure primitive new ocf:pacemaker:Dummy", "changes"]],
  "configure rsc_template": [["configure rsc_template tpl ocf:pacemaker:Dummy", "changes"]],
  "configure group": [["configure group g d2", "changes"]],
  "configure clone": [["configure clone cl2 d2", "changes"]],
  "configure ms": [["configure ms ms2 d2", "changes"]],
  "configure bundle": [["configure bundle b docker image=x", "changes"]],
  "configure location": [["configure location l d1 100: n2", "changes"]],
  "configure colocation": [["configure colocation c inf: d2 d1", "changes"]],
  "configure order": [["configure order o d1 d2", "changes"]],
  "configure rsc_ticket": [["configure rsc_ticket rt T: d1", "changes"]],
  "configure property": [["configure property no-quorum-policy=stop", "changes"]],
  "configure rsc_defaults": [["configure rsc_defaults resource-stickiness=1", "changes"]],
  "configure op_defaults": [["configure op_defaults timeout=30s", "changes"]],
  "configure fencing_topology": [["configure fencing_topology F", "changes"]],
  "configure tag": [["configure tag t d1", "changes"]],
  "configure alert": [["configure alert a /bin/true", "changes"]],
  "configure monitor": [["configure monitor d2 10s:20s", "changes"]],
  "configure master": [["configure master ms3 d2", "changes"]],
  "configure role": [["configure role writer write xpath:/cib", "changes"]],
  "configure acl_target": [["configure acl_target joe reader", "changes"]],
  "configure acl_group": [["configure acl_group us reader", "changes"]],
  "configure user": [["configure user ann read xpath:/cib", "changes"]],
  "configure xml": [['configure xml <tag\u00a0id="t"><obj_ref\u00a0id="d1"/></tag>', "changes"]],
  "configure rename": [["configure rename d2 d9", "changes"]],
  "configure set": [["configure set d1.fake y", "changes"]],
  "configure modgroup": [
    ["configure modgroup gr add d2", "changes"],
    ["crm configure modgroup gr add d2 before d3", "changes"],
  ],
  "configure edit": [["configure edit nothing", "apart"]],
  property: [
    ["property", "shows"],
    ["property no-quorum-policy=stop stonith-enabled=", "changes"],
  ],
  "configure accept": [["configure accept", "changes"]],
  "node remove": [["node remove n2", "changes"]],
  "node show": [["node show", "shows"]],
  "node standby": [
    ["node standby n2", "changes"],
    ["node standby n2 --wait", "refused"],
  ],
  "node online": [["node online n1", "changes"]],
  "node maintenance": [["node maintenance n2", "changes"]],
  "node ready": [["node ready n1", "changes"]],
  maintenance: [["maintenance on", "changes"]],
  wait: [["wait", "refused"]],
  history: [["history", "apart"]],
  reload: [["reload", "refused"]],
  start: [["start --node n1", "refused"]],
  stop: [["stop", "refused"]],
  remote: [["remote", "refused"]],
  fence: [
    ["fence n2 --yes", "refused"],
    ["fence n2 on", "refused"],
  ],
  "fence list": [["fence list", "shows"]],
  "fence history": [["fence history", "apart"]],
  "fence confirm": [["fence confirm n2 --yes", "refused"]],
  "fence test": [["fence test n2", "refused"]],
  "kdump setup": [["kdump setup --root DIR", "apart"]],
  "kdump check": [["kdump check --root DIR", "apart"]],
  "kdump-send": [["kdump-send --count nonsense", "apart"]],
  keygen: [["keygen DIR/nowhere/key", "apart"]],
  verify: [["verify", "shows"]],
  simulate: [["simulate --run", "shows"]],
  explain: [["explain d1", "shows"]],
  "explain option": [["explain option token", "apart"]],
  "explain action": [["explain action d2_start_0", "apart"]],
  version: [["version", "apart"]],
};

const ofTools: Readonly<Record<(typeof toolNames)[number], readonly Case[]>> = {
  attrd_updater: [
    ["attrd_updater -n load -U 5 -N n1", "changes"],
    ["attrd_updater -n load -D -N n1", "changes"],
    ["attrd_updater -n load -B 5 -d 10 -N n1", "changes"],
    ["attrd_updater -n load -p -U 5 -N n1", "refused"],
    ["attrd_updater -n load -Q -A", "shows"],
  ],
  cibadmin: [
    ["cibadmin -Q", "shows"],
    [
      'cibadmin -C -o resources -X <primitive\u00a0id="n"\u00a0class="ocf"\u00a0provider="pacemaker"\u00a0type="Dummy"/>',
      "changes",
    ],
    ['cibadmin -M -X <nvpair\u00a0id="o1"\u00a0value="true"/>', "changes"],
    ['cibadmin -R -X <nvpair\u00a0id="o1"\u00a0name="x"\u00a0value="true"/>', "changes"],
    ['cibadmin -D -X <rsc_location\u00a0id="cli-prefer-d2"/>', "changes"],
    ["cibadmin --delete-all -A //rsc_location --force", "changes"],
    ["cibadmin -E --force", "changes"],
    ["cibadmin -B", "changes"],
  ],
  "corosync-blackbox": [["corosync-blackbox", "apart"]],
  "corosync-cpgtool": [["corosync-cpgtool", "apart"]],
  "corosync-keygen": [["corosync-keygen -k DIR/key --size 1", "apart"]],
  "corosync-cfgtool": [
    ["corosync-cfgtool -R", "refused"],
    ["corosync-cfgtool -H", "refused"],
    ["corosync-cfgtool -s", "apart"],
  ],
  "corosync-cmapctl": [
    ["corosync-cmapctl", "apart"],
    ["corosync-cmapctl -s quorum.expected_votes u32 1", "refused"],
  ],
  "corosync-quorumtool": [
    ["corosync-quorumtool -e 1", "refused"],
    ["corosync-quorumtool -v 1", "refused"],
    ["corosync-quorumtool -s", "apart"],
  ],
  crm: [
    ["crm status", "shows"],
    ["crm configure show", "shows"],
    ["crm configure primitive new ocf:pacemaker:Dummy", "changes"],
    ["crm configure delete d2", "changes"],
    ["crm -F configure rename d2 d9", "changes"],
    ["crm report -S -f 00:00 DIR/report", "refused"],
    ["crm configure commit", "apart"],
    ["crm configure verify", "apart"],
    ["crm -w resource stop d1", "changes"],
    ["crm resource stop d1", "changes"],
    ["crm resource cleanup d1", "refused"],
    ["crm node standby n2", "changes"],
    ["crm node attribute n2 set a 1", "changes"],
    ["crm node delete n2", "changes"],
    ["crm -F node fence n2", "refused"],
    ["crm -F node clearstate n2", "refused"],
    ["crm maintenance on", "changes"],
    ["crm cluster start", "refused"],
    ["crm cluster stop", "refused"],
    ["crm corosync reload", "refused"],
    ["crm cib list", "apart"],
  ],
  crm_attribute: [
    ["crm_attribute -n no-quorum-policy -v stop", "changes"],
    ["crm_attribute -N n1 -n a -v 1", "changes"],
    ["crm_attribute -N n1 -l reboot -n load -v 7", "changes"],
    ["crm_attribute -N n1 -l reboot -n load -D", "changes"],
    ["crm_attribute -N n1 -l reboot -n load -G", "shows"],
    ["crm_attribute -N n1 -p st -v 5", "changes"],
    ["crm_attribute -t rsc_defaults -n resource-stickiness -v 1", "changes"],
  ],
  crm_diff: [["crm_diff", "apart"]],
  cibsecret: [["cibsecret check d1 fake", "apart"]],
  crm_rule: [["crm_rule -c -r nothing", "apart"]],
  iso8601: [["iso8601 -n", "apart"]],
  crm_error: [["crm_error 1", "apart"]],
  crm_failcount: [
    ["crm_failcount -r d1 -N n1 -D", "shows"],
    ["crm_failcount -r d1 -N n1 -G", "shows"],
  ],
  crm_master: [["crm_master -r st -N n1 -v 5", "changes"]],
  crm_mon: [["crm_mon -1", "shows"]],
  crm_node: [
    ["crm_node -R n2 --force", "changes"],
    ["crm_node -l", "apart"],
  ],
  crm_report: [["crm_report -S -f 00:00 DIR/report", "refused"]],
  crm_resource: [
    ["crm_resource -L", "shows"],
    ["crm_resource -r d1 -p fake -v y", "changes"],
    ["crm_resource -r d1 -d fake", "changes"],
    ["crm_resource -r d1 -M -N n2", "changes"],
    ["crm_resource -r d1 -B -N n1", "changes"],
    ["crm_resource -r d2 -U", "changes"],
    ["crm_resource -r F -t primitive -D", "changes"],
    ["crm_resource -r d1 --restart", "refused"],
    ["crm_resource -r d1 --force-start --force", "refused"],
    ["crm_resource -r d1 --force-stop", "refused"],
    ["crm_resource -r d1 --force-promote", "refused"],
    ["crm_resource -r d1 --force-demote", "refused"],
    ["crm_resource -F -r d1 -N n1", "refused"],
    ["crm_resource -C", "shows"],
    ["crm_resource -R -r d1", "shows"],
  ],
  crm_shadow: [
    ["crm_shadow -b -c other", "apart"],
    ["crm_shadow -b -e other2", "apart"],
  ],
  crm_simulate: [
    ["crm_simulate -L -S", "shows"],
    ["crm_simulate -L", "shows"],
  ],
  crm_standby: [
    ["crm_standby -N n2 -v on", "changes"],
    ["crm_standby -N n1 -D", "changes"],
    ["crm_standby -N n1 -G", "shows"],
  ],
  crm_ticket: [
    ["crm_ticket -t T -r --force", "changes"],
    ["crm_ticket -t T -C --force", "changes"],
    ["crm_ticket -l", "shows"],
  ],
  crm_verify: [["crm_verify -L", "apart"]],
  crmadmin: [
    ["crmadmin -N", "shows"],
    ["crmadmin -D", "apart"],
  ],
  fence_kdump_send: [["fence_kdump_send --count nonsense", "apart"]],
  ha_logger: [["ha_logger --help", "apart"]],
  "kdump-send": [["kdump-send --count nonsense", "apart"]],
  pacemakerd: [
    ["pacemakerd --shutdown", "refused"],
    ["pacemakerd -F", "apart"],
  ],
  stonith_admin: [
    ["stonith_admin -L", "shows"],
    ["stonith_admin -s F", "shows"],
    ["stonith_admin -l n1", "shows"],
    ["stonith_admin -F n2", "refused"],
    ["stonith_admin -B n2", "refused"],
    ["stonith_admin -U n2", "refused"],
    ["stonith_admin -C n2", "refused"],
    ["stonith_admin -R F -a fence_x", "refused"],
    ["stonith_admin -D F", "refused"],
    ["stonith_admin -r n2 -i 1 -v F", "refused"],
    ["stonith_admin -d n2 -i 1", "refused"],
    ["stonith_admin -H n2", "apart"],
  ],
};

const stage = new RehearsalStage();
afterAll(() => stage.stop());

/** What a daemon may be asked whatever is meant: who is there, what happened, what an agent says of itself. */
const harmless = ["node", "ring-status", "history", "fence.history", "metadata", "agents"];
/** Blanks in XML would part it into words. Files are in a directory of the test's own. */
const wordsOf = (text: string) =>
  text.split(" ").map((word) => word.replaceAll("\u00a0", " ").replace("DIR", stage.directory));

test("every command and every tool has its cases", async () => {
  expect(Object.keys(ofHactl).sort()).toEqual((await everyCommand()).sort());
  expect(Object.keys(ofTools).sort()).toEqual([...toolNames].sort());
});

const cases = [...Object.values(ofHactl), ...Object.values(ofTools)].flat();

describe.each(["file", "shadow"] as const)("where CIB_%s is set", (target) => {
  test.each(cases)("%s (%s)", async (text, outcome) => {
    const { code, out, err, requests, changed } = await stage.run(wordsOf(text), target);
    expect(requests.filter((type) => !harmless.includes(type))).toEqual([]);
    expect(changed).toBe(outcome === "changes");
    if (outcome === "refused") {
      expect(code).toBe(64);
      expect(err).toContain(`unset CIB_${target}`);
    } else if (outcome !== "apart") expect([code, err.includes("rror")]).toEqual([0, false]);
    if (outcome === "shows") expect(`${out}${err}`).not.toBe("");
  });
});

/** What starts other programs, daemons or many commands: not in the process of a test. */
const starters = new Set([
  "start --node n1",
  "remote",
  "crm cluster start",
  "crm_report -S -f 00:00 DIR/report",
  "crm report -S -f 00:00 DIR/report",
]);
const reaching = cases.filter(([text, outcome]) => outcome !== "apart" && !starters.has(text));

describe("where neither is set, the same commands are about the cluster", () => {
  test.each(reaching)("%s (%s)", async (text, outcome) => {
    const { requests, changed } = await stage.run(wordsOf(text), "live");
    expect(changed).toBe(false);
    const acted = requests.filter((type) => !harmless.includes(type));
    // Who is there the cluster knows of itself; for a file it is read from there.
    expect((text === "node show" ? requests : acted).length).toBeGreaterThan(0);
    if (outcome === "changes")
      expect(acted.some((type) => type === "cib-apply" || type === "attributes-update")).toBe(true);
  });
});

describe.each([
  ["CIB_file", ""],
  ["CIB_shadow", ""],
  ["CIB_port", "9999"],
  ["CIB_server", "192.0.2.1"],
])("where %s is '%s', nobody can mean the cluster of this node", (name, value) => {
  test.each(reaching)("%s (%s)", async (text) => {
    const { code, out, err, requests } = await stage.run(wordsOf(text), "live", { [name]: value });
    expect(requests.filter((type) => !harmless.includes(type))).toEqual([]);
    expect(code).not.toBe(0);
    expect(out + err).toContain(`unset ${name} `);
  });
});

test("there is one way to the daemon, where what a file may not ask is refused", () => {
  const source = join(import.meta.dir, "../../src/cli");
  const files = (readdirSync(source, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
  const direct = files.filter((name) =>
    /\b(?:connectAdmin|AdminClient)\b(?! *[,}] *from)/.test(readFileSync(join(source, name), "utf8")),
  );
  expect(direct).toEqual(["daemon.ts"]);
});

describe("both are set", () => {
  test("the draft counts, and the file stays as it is", async () => {
    process.env.CIB_file = "/nonexistent/cib.xml";
    try {
      const { code, changed } = await stage.run(["property", "no-quorum-policy=stop"], "shadow");
      expect([code, changed]).toEqual([0, true]);
    } finally {
      delete process.env.CIB_file;
    }
  });
});
