import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The alert agents that come with hactl, called as the cluster calls them. */

const agents = resolve(import.meta.dir, "../../agents/alerts");
let directory = "";
/** A program that notes its words and what it is told, as mailers and snmptrap are called. */
const note = () => join(directory, "noted");

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-agents-"));
  writeFileSync(
    join(directory, "program"),
    `#!/bin/sh\nfor word; do printf '<%s>' "$word"; done > ${note()}\ncat >> ${note()}\n`,
    { mode: 0o755 },
  );
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function call(agent: string, env: Readonly<Record<string, string>>) {
  rmSync(note(), { force: true });
  const { exitCode, stderr } = Bun.spawnSync([join(agents, agent)], {
    env: { PATH: "/usr/bin:/bin", CRM_alert_version: "3.0.0", CRM_alert_timestamp: "12:00:00", ...env },
    stdin: null,
  });
  return {
    code: exitCode,
    stderr: stderr.toString(),
    noted: existsSync(note()) ? readFileSync(note(), "utf8") : undefined,
  };
}

const events: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  node: { CRM_alert_kind: "node", CRM_alert_node: "n1", CRM_alert_desc: "lost" },
  fencing: {
    CRM_alert_kind: "fencing",
    CRM_alert_node: "n2",
    CRM_alert_task: "reboot",
    CRM_alert_desc: "Operation reboot of n2",
    CRM_alert_rc: "0",
  },
  start: {
    CRM_alert_kind: "resource",
    CRM_alert_node: "n1",
    CRM_alert_rsc: "vip",
    CRM_alert_task: "start",
    CRM_alert_interval: "0",
    CRM_alert_desc: "OK",
    CRM_alert_rc: "0",
    CRM_alert_target_rc: "0",
    CRM_alert_status: "0",
  },
  monitor: {
    CRM_alert_kind: "resource",
    CRM_alert_node: "n1",
    CRM_alert_rsc: "vip",
    CRM_alert_task: "monitor",
    CRM_alert_interval: "10000",
    CRM_alert_desc: "Not running",
    CRM_alert_rc: "7",
    CRM_alert_target_rc: "0",
    CRM_alert_status: "0",
  },
  attribute: {
    CRM_alert_kind: "attribute",
    CRM_alert_node: "n1",
    CRM_alert_attribute_name: "load",
    CRM_alert_attribute_value: "5",
  },
};

describe("alert_file.sh", () => {
  const lines = (env: Readonly<Record<string, string>>) => {
    const file = join(directory, "lines");
    rmSync(file, { force: true });
    expect(call("alert_file.sh", { CRM_alert_recipient: file, ...env })).toMatchObject({
      code: 0,
      stderr: "",
    });
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  test.each([
    ["node", "12:00:00 node n1 is lost\n"],
    ["fencing", "12:00:00 fencing: Operation reboot of n2\n"],
    ["start", "12:00:00 start of vip on n1: OK\n"],
    ["monitor", "12:00:00 monitor of vip every 10000 ms on n1: Not running (rc 7, expected 0)\n"],
    ["attribute", '12:00:00 attribute load of n1 is now "5"\n'],
  ])("writes a line for %s", (event, wanted) => {
    expect(lines(events[event] ?? {})).toBe(wanted);
    expect(lines({ ...events[event], prefix: "east" })).toBe(`east ${wanted}`);
  });

  test("says when the file cannot be written, and nothing without a recipient", () => {
    const { code, stderr } = call("alert_file.sh", { ...events.node, CRM_alert_recipient: "/nowhere/file" });
    expect(code).not.toBe(0);
    expect(stderr).toContain("/nowhere/file");
    expect(call("alert_file.sh", events.node ?? {})).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("alert_smtp.sh", () => {
  const mail = (env: Readonly<Record<string, string>>) =>
    call("alert_smtp.sh", {
      email_client: join(directory, "program"),
      CRM_alert_recipient: "a@example.com,b@example.com",
      ...env,
    });

  test("mails what happened to all recipients", () => {
    const { code, noted } = mail({ ...events.monitor, email_sender: "c@example.com" });
    expect(code).toBe(0);
    expect(noted).toStartWith(
      "<-i><-f><c@example.com><a@example.com><b@example.com>From: c@example.com\nTo: a@example.com,b@example.com\nSubject: [hactl] monitor of vip on n1: Not running\n",
    );
    expect(noted).toContain("\n\nmonitor of vip on n1: Not running\n\nCRM_alert_desc=Not running\n");
  });

  test("lets no event write headers of its own", () => {
    const { noted } = mail({ ...events.attribute, CRM_alert_attribute_value: "5\nBcc: spy@example.com" });
    expect(noted?.split("\n\n")[0]).not.toMatch(/^Bcc:/m);
  });

  test("fails when the mailer does", () => {
    writeFileSync(join(directory, "broken"), "#!/bin/sh\ncat > /dev/null\necho no route >&2\nexit 75\n", {
      mode: 0o755,
    });
    expect(mail({ ...events.node, email_client: join(directory, "broken") })).toMatchObject({
      code: 75,
      stderr: "no route\n",
    });
  });
});

describe("alert_snmp.sh", () => {
  const trap = (env: Readonly<Record<string, string>>) =>
    call("alert_snmp.sh", {
      trap_binary: join(directory, "program"),
      CRM_alert_recipient: "192.0.2.9",
      ...env,
    }).noted;

  test("sends the objects of the MIB", () => {
    expect(trap(events.monitor ?? {})).toBe(
      "<-v><2c><-c><public><192.0.2.9><><1.3.6.1.4.1.32723.2.1>" +
        ["s><n1", "s><vip", "s><monitor", "s><Not running", "i><0", "i><7", "i><0", "s><n/a", "s><n/a"]
          .map((value, index) => `<1.3.6.1.4.1.32723.1.${index + 1}><${value}>`)
          .join(""),
    );
    expect(trap(events.attribute ?? {})).toContain("<1.3.6.1.4.1.32723.1.5><i><2147483647>");
  });

  test.each([
    ["node", { trap_node_states: "member" }, false],
    ["node", { trap_node_states: "member, lost" }, true],
    ["fencing", { trap_fencing_tasks: "off" }, false],
    ["start", { trap_resource_tasks: "start,stop" }, true],
    ["start", { trap_resource_tasks: "stop" }, false],
    ["monitor", { CRM_alert_rc: "0" }, false],
    ["monitor", { CRM_alert_rc: "0", trap_monitor_success: "true" }, true],
    ["monitor", { CRM_alert_desc: "Cancelled" }, false],
  ])("%s with %j: sent %p", (event, env, sent) => {
    expect(trap({ ...events[event], ...env }) !== undefined).toBe(sent);
  });
});
