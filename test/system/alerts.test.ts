/**
 * Alert agents called by a real cluster: every kind of event, filters, recipients, time limit, and that a failure is seen.
 * Needs: root, user hacluster (Debian: pacemaker-common), util-linux; Debian's sample agents (pacemaker-common).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Story } from "../harness/story.ts";

const samples = "/usr/share/pacemaker/alerts";
let story: Story;
const at = (...parts: string[]) => join(story.directory, ...parts);

/** Writes its environment into a file of its own, in a directory of the node that calls it. */
const writer = `#!/bin/sh
dir="$out/$(crm_node -n)"
mkdir -p "$dir" 2>/dev/null
{ env; echo "WHO=$(id -un):$(id -gn)"; } > "$dir/.$$" && mv "$dir/.$$" "$dir/$CRM_alert_node_sequence.$$"
`;

interface Called extends Readonly<Record<string, string>> {}

/** The calls on a node, in their order. */
function calls(node: string, which = "all"): Called[] {
  const directory = at(which, node);
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith("."))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) =>
      Object.fromEntries(
        readFileSync(join(directory, name), "utf8")
          .split("\n")
          .map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1)]),
      ),
    );
}

/** What was told, in short. */
const told = (node: string, which?: string) =>
  calls(node, which).map((call) => {
    const more =
      call.CRM_alert_kind === "attribute"
        ? `${call.CRM_alert_attribute_name}=${call.CRM_alert_attribute_value}`
        : (call.CRM_alert_rsc ?? "");
    return [
      call.CRM_alert_kind,
      call.CRM_alert_node,
      call.CRM_alert_task,
      more,
      call.CRM_alert_desc?.replace(/ for .*/, ""),
    ]
      .filter(Boolean)
      .join(" ");
  });

const heard = (node: string, what: string, which?: string) =>
  story.until(`${node} is told: ${what} (${told(node, which).join("; ")})`, 30_000, () =>
    told(node, which).includes(what) ? true : undefined,
  );

beforeAll(async () => {
  story = await Story.running({ nodes: 3 });
  chmodSync(story.directory, 0o755);
  for (const which of ["all", "some", "two", "never"]) {
    mkdirSync(at(which));
    chmodSync(at(which), 0o777);
  }
  writeFileSync(at("writer"), writer, { mode: 0o755 });
  writeFileSync(at("slow"), `#!/bin/sh\necho $$ >> ${at("all", "slow")}\nsleep 600 & wait\n`, {
    mode: 0o755,
  });
  writeFileSync(at("broken"), "#!/bin/sh\necho the siren is broken >&2\nexit 3\n", { mode: 0o755 });
  await story.load(`property stonith-enabled=true
${story.power} pcmk_host_list="node1 node2 node3" pcmk_host_check=static-list
primitive vip ocf:pacemaker:Dummy op monitor interval=500ms
location l vip 100: node1
alert all ${at("writer")} attributes out="${at("all")}" select nodes fencing resources attributes { }`);
  await story.idle();
}, 90_000);

afterAll(() => story?.close());

describe("alerts", () => {
  test("of resources are told by the node that ran the operation, as user hacluster", async () => {
    await heard("node1", "resource node1 start vip OK");
    await heard("node1", "resource node1 monitor vip OK");
    const start = calls("node1").find(
      ({ CRM_alert_task, CRM_alert_rsc }) => CRM_alert_task === "start" && CRM_alert_rsc === "vip",
    );
    expect(start).toMatchObject({
      CRM_alert_kind: "resource",
      CRM_alert_interval: "0",
      CRM_alert_rc: "0",
      CRM_alert_target_rc: "0",
      CRM_alert_status: "0",
      CRM_alert_recipient: "",
      CRM_alert_timestamp: expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{6}$/),
      WHO: "hacluster:haclient",
      LC_ALL: "C",
    });
    for (const other of ["node2", "node3"])
      expect(told(other).filter((text) => text.includes(" start vip "))).toEqual([]);
    // Several agents run at a time: one that was called first need not be the first to write.
    const numbers = () =>
      calls("node1").map(({ CRM_alert_node_sequence }) => Number(CRM_alert_node_sequence));
    await story.until(`node1 numbers its calls from 1 on (${numbers()})`, 20_000, () =>
      numbers().every((number, index) => number === index + 1) ? true : undefined,
    );
  }, 60_000);

  test("of attributes are told once, by one node", async () => {
    const { stdout } = await story.hactl("node2", "attrd_updater", "-n", "load", "-U", "7", "-N", "node2");
    expect(stdout).toBe("");
    const everywhere = () =>
      story.names.flatMap((name) => told(name)).filter((text) => text === "attribute node2 load=7");
    await story.until("somebody is told", 20_000, () => (everywhere().length > 0 ? true : undefined));
    await story.must("node2", "attrd_updater", "-n", "load", "-U", "7", "-N", "node2");
    await story.must("node2", "attrd_updater", "-D", "-n", "load", "-N", "node2");
    await story.until("its end is told", 20_000, () =>
      story.names.some((name) => told(name).includes("attribute node2 load=")) ? true : undefined,
    );
    expect(everywhere()).toHaveLength(1);
  }, 60_000);

  test("reach each recipient, filtered, and not who is disabled", async () => {
    await story.load(`alert some ${at("writer")} attributes out="${at("some")}" select attributes { load }
alert two ${at("writer")} attributes out="${at("two")}" meta timestamp-format="%s" select resources to { east meta timestamp-format="%Y" } to { west attributes extra=more } to { nowhere meta enabled=false }
alert never ${at("writer")} attributes out="${at("never")}" meta enabled=false to { east }`);
    await story.must("node1", "attrd_updater", "-n", "other", "-U", "1", "-N", "node1");
    await story.must("node1", "attrd_updater", "-n", "load", "-U", "1", "-N", "node1");
    await story.must("node1", "resource", "stop", "vip");
    await story.idle();
    await heard("node1", "resource node1 stop vip OK", "two");
    const stops = calls("node1", "two").filter(({ CRM_alert_task }) => CRM_alert_task === "stop");
    await story.until("both recipients are told", 20_000, () =>
      calls("node1", "two").filter(({ CRM_alert_task }) => CRM_alert_task === "stop").length === 2
        ? true
        : undefined,
    );
    expect(stops.length).toBeLessThanOrEqual(2);
    const by = new Map(
      calls("node1", "two")
        .filter(({ CRM_alert_task }) => CRM_alert_task === "stop")
        .map((call) => [call.CRM_alert_recipient, call]),
    );
    expect([...by.keys()].sort()).toEqual(["east", "west"]);
    expect(by.get("east")?.CRM_alert_timestamp).toMatch(/^20\d\d$/);
    expect(by.get("west")).toMatchObject({
      CRM_alert_timestamp: expect.stringMatching(/^\d{10}$/),
      extra: "more",
    });
    expect(by.get("east")?.extra).toBeUndefined();
    const some = story.names.flatMap((name) => told(name, "some"));
    expect(some).toEqual(["attribute node1 load=1"]);
    expect(readdirSync(at("never"))).toEqual([]);
    await story.must("node1", "resource", "start", "vip");
    await story.idle();
  }, 60_000);

  test("of a failure say what was expected", async () => {
    const state = join(story.directory, "node1", "run", "rsctmp", "Dummy-vip.state");
    expect(statSync(state).isFile()).toBe(true);
    await story.must("node1", "attrd_updater", "-n", "settled", "-U", "1", "-N", "node1");
    writeFileSync(at("rm"), "");
    Bun.spawnSync(["rm", state]);
    await heard("node1", "resource node1 monitor vip Not running");
    expect(calls("node1").find(({ CRM_alert_desc }) => CRM_alert_desc === "Not running")).toMatchObject({
      CRM_alert_rc: "7",
      CRM_alert_target_rc: "0",
    });
    await story.idle();
  }, 60_000);

  test("that take too long are killed, those that fail are seen, and the cluster does not wait for either", async () => {
    await story.load(`alert slow ${at("slow")} meta timeout=2s select resources
alert broken ${at("broken")} select resources
alert missing ${at("no-such-agent")} select resources`);
    await story.must("node1", "resource", "stop", "vip");
    await story.on("vip", [], 20_000);
    await story.until("the slow agent was started", 20_000, () =>
      existsSync(at("all", "slow")) ? true : undefined,
    );
    const pids = () => readFileSync(at("all", "slow"), "utf8").trim().split("\n").map(Number);
    await story.until("no slow agent is left", 20_000, () =>
      pids().every((pid) => !existsSync(`/proc/${pid}`)) ? true : undefined,
    );
    const status = await story.until("the status tells", 20_000, async () => {
      const { stdout } = await story.hactl("node1", "status", "--json");
      return /slow/.test(stdout) && /broken/.test(stdout) && /missing/.test(stdout) ? stdout : undefined;
    });
    expect(status).toContain("did not end within 2 s and was killed");
    expect(status).toContain("ended with status 3: the siren is broken");
    expect(status).toMatch(/alert missing \(.*no-such-agent\)/);
    await story.must("node1", "resource", "start", "vip");
    await story.idle();
    await story.must("node1", "resource", "stop", "vip");
    await story.idle();
    const log = story.nodes.logOf("node1");
    expect(log.match(/alert broken .*\[ALERT-FAILED\]/g)).toHaveLength(1);
    await story.load("property stonith-enabled=true");
    for (const id of ["slow", "broken", "missing"]) await story.must("node1", "configure", "delete", id);
    await story.must("node1", "resource", "start", "vip");
    await story.idle();
  }, 90_000);

  test("of Debian's sample agents work", async () => {
    expect(existsSync(join(samples, "alert_file.sh.sample"))).toBe(true);
    for (const name of ["alert_file.sh", "alert_smtp.sh", "alert_snmp.sh"]) {
      writeFileSync(at(name), readFileSync(join(samples, `${name}.sample`)), { mode: 0o755 });
    }
    // The sample for mail calls its program by the one name that it knows.
    mkdirSync(at("bin"));
    const path = `${at("bin")}:${at("node1", "run", "tools")}:/usr/bin:/bin`;
    writeFileSync(at("bin", "sendmail"), `#!/bin/sh\n{ echo "WORDS $*"; cat; } >> ${at("all", "mails")}\n`, {
      mode: 0o755,
    });
    writeFileSync(at("trap"), `#!/bin/sh\necho "$@" >> ${at("all", "traps")}\n`, { mode: 0o755 });
    await story.load(`alert file ${at("alert_file.sh")} to ${at("all", "lines")}
alert mail ${at("alert_smtp.sh")} attributes email_client=sendmail PATH="${path}" to ops@example.com
alert trap ${at("alert_snmp.sh")} attributes trap_binary=${at("trap")} to 192.0.2.9`);
    await story.must("node1", "resource", "stop", "vip");
    const text = (name: string) => (existsSync(at("all", name)) ? readFileSync(at("all", name), "utf8") : "");
    await story.until("all three have spoken", 30_000, () =>
      /stop.* for 'vip' on 'node1'/.test(text("lines")) &&
      text("mails").includes("vip") &&
      /vip/.test(text("traps"))
        ? true
        : undefined,
    );
    await story.must("node1", "resource", "start", "vip");
    await story.idle();
    for (const id of ["file", "mail", "trap"]) await story.must("node1", "configure", "delete", id);
  }, 60_000);

  test("of nodes and of fencing are told by every node", async () => {
    for (const name of ["node1", "node2"])
      expect(told(name).filter((text) => text.startsWith("node "))).toEqual([]);
    story.crash("node3");
    for (const name of ["node1", "node2"]) {
      await heard(name, "node node3 lost");
      await story.until(`${name} is told of the fencing`, 30_000, () =>
        told(name).some((text) => /^fencing node3 reboot Operation reboot of node3 by node[12]$/.test(text))
          ? true
          : undefined,
      );
    }
    await story.nodes.boot(["node3"], () => story.membersAre(3));
    for (const name of ["node1", "node2"]) {
      await heard(name, "node node3 member");
      for (const text of ["node node3 lost", "node node3 member"])
        expect([name, text, told(name).filter((one) => one === text).length]).toEqual([name, text, 1]);
    }
    // A node that starts tells of all that are there.
    for (const name of story.names) await heard("node3", `node ${name} member`);
  }, 120_000);
});
