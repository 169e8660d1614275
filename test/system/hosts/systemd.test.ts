/**
 * hactl as a unit of a real systemd, with units among its resources: stop, restart, isolate, reboot and poweroff end when the agents
 * have done their work, in the cluster's order; what dies or hangs comes back and no service notices.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Host, Hosts } from "./hosts.ts";

setDefaultTimeout(400_000);

/** A unit that notes when it starts and when it has ended. */
const unit = (name: string, more = "") => `[Unit]
Description=${name}
${more}
[Service]
ExecStartPre=/bin/sh -c "echo +${name} >>/var/log/order"
ExecStart=/bin/sleep infinity
ExecStopPost=/bin/sh -c "echo -${name} >>/var/log/order"
Restart=always
`;

const agent = `#!/bin/sh
# Notes when it starts and stops, with the resource's name.
state=/run/resource-agents/noted-$OCF_RESOURCE_INSTANCE
case $1 in
start) [ -e $state ] || echo "+$OCF_RESOURCE_INSTANCE" >>/var/log/order; : >$state ;;
stop) [ ! -e $state ] || { sleep 1; echo "-$OCF_RESOURCE_INSTANCE" >>/var/log/order; }; rm -f $state ;;
monitor) [ -e $state ] || exit 7 ;;
meta-data) cat <<XML
<?xml version="1.0"?>
<resource-agent name="noted" version="1"><version>1.0</version><longdesc lang="en">notes</longdesc>
<shortdesc lang="en">notes</shortdesc><parameters/><actions><action name="start" timeout="20s"/>
<action name="stop" timeout="20s"/><action name="monitor" timeout="20s" interval="5s"/>
<action name="meta-data" timeout="5s"/></actions></resource-agent>
XML
;;
*) exit 3 ;;
esac
`;

/**
 * A group of units with an agent between them. What is bound to another is stopped by systemd together with that one: once in the
 * cluster's order (bound), once against it (against).
 */
const configuration = `property stonith-enabled=false
op_defaults timeout=120s
primitive first systemd:lab-first op monitor interval=5s
primitive noted ocf:lab:noted op monitor interval=5s
primitive bound systemd:lab-bound op monitor interval=5s
primitive last systemd:lab-last op monitor interval=5s
group g first noted bound last
primitive against systemd:lab-against op monitor interval=5s
primitive base systemd:lab-base op monitor interval=5s
group h against base
`;

const inOrder = {
  started: ["+lab-first", "+noted", "+lab-bound", "+lab-last"],
  stopped: ["-lab-last", "-lab-bound", "-noted", "-lab-first"],
};

let hosts: Hosts;
let host: Host;
beforeAll(async () => {
  hosts = await Hosts.make(["h1"], {
    "etc/systemd/system/lab-first.service": unit("lab-first"),
    "etc/systemd/system/lab-bound.service": unit(
      "lab-bound",
      "BindsTo=lab-first.service\nAfter=lab-first.service",
    ),
    "etc/systemd/system/lab-last.service": unit("lab-last"),
    "etc/systemd/system/lab-base.service": unit("lab-base"),
    "etc/systemd/system/lab-against.service": unit(
      "lab-against",
      "PartOf=lab-base.service\nAfter=lab-base.service",
    ),
    // Not a resource, only bound to one.
    "etc/systemd/system/lab-guest.service": unit(
      "lab-guest",
      "BindsTo=lab-last.service\nAfter=lab-last.service",
    ),
    "etc/systemd/system/lab-other.target": "[Unit]\nRequires=basic.target\nAllowIsolate=yes\n",
    // The watchdog as it is, but sooner.
    "etc/systemd/system/hactl.service.d/sooner.conf": "[Service]\nWatchdogSec=6s\n",
    "usr/lib/ocf/resource.d/lab/noted": agent,
    "etc/services.crm": configuration,
  });
  const [only] = hosts.all;
  if (!only) throw new Error("no host");
  host = only;
  await hosts.startCluster();
  await host.done("hactl", "configure", "load", "replace", "/etc/services.crm");
  await served();
});
afterAll(() => hosts?.destroy());

const resources = ["first", "noted", "bound", "last", "against", "base"];
const units = ["lab-first", "lab-bound", "lab-last", "lab-against", "lab-base"];

/** Everything runs, and nothing has failed. */
async function served(): Promise<void> {
  await host.until("all is started", 120_000, async () => {
    const { stdout } = await host.run(["crm_mon", "-1", "-r"]);
    return resources.every((rsc) => new RegExp(`\\* ${rsc}\\s.*Started h1`).test(stdout));
  });
  expect(await host.done("crm_mon", "-1")).not.toContain("Failed");
}
/** What was noted since the last time. */
async function noted(): Promise<string[]> {
  const lines = await host.done("sh", "-c", "cat /var/log/order; : >/var/log/order");
  return lines.split("\n").slice(0, -1);
}
const of = (words: readonly string[], lines: readonly string[]) =>
  lines.filter((line) => words.includes(line));
const mainPid = () => host.property("hactl", "MainPID");
const pids = () => Promise.all(units.map((name) => host.property(name, "MainPID")));
/** Whether nothing of hactl is left in the way of the units. */
const dropIns = () => host.done("sh", "-c", "find /run/systemd/system -name '*hactl*'");

/** All has ended in order, and nothing of it was a failure to systemd. */
async function endedWell(lines: readonly string[]): Promise<void> {
  expect(of(inOrder.stopped, lines)).toEqual(inOrder.stopped);
  expect(of(["-lab-base", "-lab-against"], lines).toSorted()).toEqual(["-lab-against", "-lab-base"]);
}

describe("under a real systemd", () => {
  test("starts as a unit that is watched, and its services as units of their own", async () => {
    expect(await host.property("hactl", "ActiveState")).toBe("active");
    expect(await host.property("hactl", "WatchdogUSec")).toBe("6s");
    expect(await host.property("hactl", "StatusText")).not.toBe("");
    expect(await host.property("hactl", "NRestarts")).toBe("0");
    const lines = await noted();
    expect(of(inOrder.started, lines)).toEqual(inOrder.started);
    expect(await host.property("lab-first", "Restart")).toBe("no");
  });

  test("a main process that is killed is started again, and no service notices", async () => {
    const before = await pids();
    const main = await mainPid();
    await host.done("kill", "-KILL", main);
    await host.until("another main process", 120_000, async () => !["0", main].includes(await mainPid()));
    await served();
    expect(await pids()).toEqual(before);
    expect(await noted()).toEqual([]);
    expect(await host.property("hactl", "NRestarts")).toBe("1");
  });

  test("a main process that hangs is ended by the watchdog and started again", async () => {
    const before = await pids();
    const main = await mainPid();
    await host.done("kill", "-STOP", main);
    await host.until("another main process", 120_000, async () => !["0", main].includes(await mainPid()));
    await served();
    expect(await pids()).toEqual(before);
    expect(await noted()).toEqual([]);
    expect(await host.done("journalctl", "-b", "-u", "hactl", "--no-pager")).toContain("Watchdog timeout");
  });

  test("restart stops all in order and starts it again", async () => {
    await host.done("systemctl", "start", "lab-guest");
    await noted();
    await host.done("systemctl", "restart", "hactl");
    await served();
    const lines = await noted();
    await endedWell(lines);
    expect(of(inOrder.started, lines)).toEqual(inOrder.started);
    // It went with what it is bound to, which is not a failure of that.
    expect(lines).toContain("-lab-guest");
  });

  test("to isolate the target that runs already touches no service", async () => {
    const before = await pids();
    await host.done("systemctl", "isolate", "multi-user.target");
    await served();
    expect(await pids()).toEqual(before);
    expect(await noted()).toEqual([]);
  });

  test("stop ends all in order and leaves nothing behind", async () => {
    await host.done("systemctl", "stop", "hactl");
    await endedWell(await noted());
    expect(await host.property("hactl", "Result")).toBe("success");
    expect(await host.property("hactl", "ActiveState")).toBe("inactive");
    expect(await Promise.all(units.map((name) => host.property(name, "ActiveState")))).toEqual(
      units.map(() => "inactive"),
    );
    expect(await dropIns()).toBe("");
    expect(await host.property("lab-first", "Restart")).toBe("always");
    await host.done("systemctl", "start", "hactl");
    await served();
  });

  test("to isolate a target without hactl stops it with all of its services, in order", async () => {
    await noted();
    await host.done("systemctl", "isolate", "lab-other.target");
    await host.until(
      "hactl has ended",
      150_000,
      async () => (await host.property("hactl", "ActiveState")) === "inactive",
    );
    await endedWell(await noted());
    expect(await host.property("hactl", "Result")).toBe("success");
    await host.done("systemctl", "isolate", "multi-user.target");
    await served();
  });

  test("a reboot stops all in order first, and all comes back", async () => {
    await noted();
    const before = host.init;
    await host.run(["systemctl", "reboot"]);
    await host.until("it boots again", 200_000, async () => host.init !== before && host.init !== 0);
    await host.up();
    await served();
    const lines = await noted();
    await endedWell(lines);
    expect(of(inOrder.started, lines)).toEqual(inOrder.started);
  });

  test("so it does when it is switched off", async () => {
    await host.run(["systemctl", "poweroff"]);
    await host.ended();
    await host.powerOn();
    await served();
    await endedWell(await noted());
    const journal = await host.done("journalctl", "-u", "hactl", "--no-pager");
    expect(journal).not.toContain("timed out");
  });

  test("after a loss of power all is started anew", async () => {
    await noted();
    await host.powerOff();
    await host.powerOn();
    await served();
    expect(of(inOrder.started, await noted())).toEqual(inOrder.started);
  });
});
