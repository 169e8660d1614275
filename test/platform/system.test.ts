import { describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import {
  enterRealtime,
  HelperWatch,
  hostsAddresses,
  isRealtime,
  leaveRealtime,
  localAddresses,
  lockedMemoryLimit,
  openWatchdog,
  releaseStartupCode,
  serviceManager,
  syslogMessage,
  unixDatagram,
  watchdogFacts,
} from "../../src/platform/index.ts";
import { datagramReceiver } from "./datagram-receiver.ts";
import { temporaryDirectory } from "./temporary.ts";

const root = temporaryDirectory();

describe("datagrams to a path", () => {
  test("arrive; nobody there or a full queue is an error number at once", () => {
    const path = join(root, "d");
    const socket = unixDatagram(path);
    expect(socket.send(new Uint8Array([1]))).toBe(2);
    const receiver = datagramReceiver(path);
    expect(socket.send(new TextEncoder().encode("héllo"))).toBe(0);
    expect(receiver.take()).toEqual(["héllo"]);
    let answer = 0;
    for (let count = 0; count < 10_000 && answer === 0; count++) answer = socket.send(new Uint8Array(100));
    expect(answer).toBe(11);
    receiver.close();
    expect(socket.send(new Uint8Array([1]))).toBe(111);
    socket.close();
    expect(socket.send(new Uint8Array([1]))).toBe(0);
  });

  test("a path that is too long is refused", () => {
    expect(() => unixDatagram(`/${"x".repeat(107)}`)).toThrow("107 bytes");
  });
});

describe("the service manager", () => {
  test("gets what sd_notify(3) says, and children do not inherit the way to it", () => {
    const path = join(root, "notify");
    const receiver = datagramReceiver(path);
    const environment: NodeJS.ProcessEnv = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "3000000", HOME: "/" };
    const manager = serviceManager(environment);
    expect(environment).toEqual({ HOME: "/" });
    expect(manager.aliveEveryMs).toBe(1500);
    manager.ready("running\nwell");
    manager.alive();
    manager.status("2 nodes");
    manager.stopping();
    manager.reloading();
    const got = receiver.take();
    expect(got.slice(0, 4)).toEqual([
      `READY=1\nMAINPID=${process.pid}\nSTATUS=running well`,
      "WATCHDOG=1",
      "STATUS=2 nodes",
      "STOPPING=1",
    ]);
    expect(got[4]).toMatch(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    manager.close();
    receiver.close();
  });

  test("without one nothing happens", () => {
    const manager = serviceManager({});
    expect(() => manager.ready()).not.toThrow();
    expect(manager.aliveEveryMs).toBeUndefined();
  });
});

describe("syslog", () => {
  test("messages are those of RFC 3164", () => {
    const at = new Date(2026, 10, 2, 3, 4, 5);
    expect(syslogMessage("local1", "warning", "hactl", "a\nb\tc", at, 7)).toBe(
      "<140>Nov  2 03:04:05 hactl[7]: a b c",
    );
    expect(syslogMessage("daemon", "emerg", "x".repeat(40), "", at, 7)).toStartWith(
      `<24>Nov  2 03:04:05 ${"x".repeat(32)}[7]: `,
    );
  });
});

describe("the watchdog", () => {
  test("is fed with a byte and stopped with the magic one; abandoned without", () => {
    const path = join(root, "watchdog");
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const read = () => {
      const buffer = Buffer.alloc(100);
      return [...buffer.subarray(0, readSync(reader, buffer))];
    };
    const watchdog = openWatchdog(path, 5);
    watchdog.pet();
    watchdog.pet();
    expect(read()).toEqual([0, 0]);
    watchdog.disarm();
    expect(read()).toEqual(["V".charCodeAt(0)]);
    const left = openWatchdog(path, 5);
    left.pet();
    left.abandon();
    expect(read()).toEqual([0]);
    closeSync(reader);
  });

  test("that is not there is told with a cure", () => {
    expect(() => openWatchdog(join(root, "none"), 5)).toThrow("There is no such watchdog device");
  });

  test("facts come from sysfs without opening the device", () => {
    const sysfs = join(root, "sysfs");
    Bun.spawnSync(["mkdir", "-p", join(sysfs, "watchdog1")]);
    for (const [name, value] of [
      ["identity", "Software Watchdog"],
      ["timeout", "60"],
      ["nowayout", "1"],
      ["state", "inactive"],
    ] as const) {
      writeFileSync(join(sysfs, "watchdog1", name), `${value}\n`);
    }
    expect(watchdogFacts("/dev/watchdog1", sysfs)).toEqual({
      identity: "Software Watchdog",
      timeoutSeconds: 60,
      nowayout: true,
      active: false,
    });
    expect(watchdogFacts("/dev/watchdog", sysfs).identity).toBeUndefined();
  });
});

describe("real-time priority", () => {
  /** Policies of all threads as the kernel reports them: field 41 of stat, 2 is SCHED_RR. */
  const policies = () => {
    const listed = Bun.spawnSync(["sh", "-c", `cat /proc/${process.pid}/task/*/stat`])
      .stdout.toString()
      .trim()
      .split("\n");
    return new Set(listed.map((line) => line.slice(line.lastIndexOf(")") + 2).split(" ")[38]));
  };

  test("is on every thread or on none, and can be given back", () => {
    const oomScore = () => readFileSync("/proc/self/oom_score_adj", "utf8").trim();
    const before = oomScore();
    const answer = enterRealtime(10);
    expect(isRealtime()).toBe(answer.ok);
    // Without the right to it the reason is told and everything is as before.
    if (answer.ok) expect(policies()).toEqual(new Set(["2"]));
    else expect(answer.reason).toStartWith("sched_setscheduler: E");
    expect(["-1000", before]).toContain(oomScore());
    expect(leaveRealtime()).toEqual({ ok: true });
    expect(isRealtime()).toBe(false);
    expect(policies()).toEqual(new Set(["0"]));
    expect(oomScore()).not.toBe("-1000");
  });

  test("is taken from a helper thread that runs without pause", async () => {
    const answer = enterRealtime(10);
    const busy = new Worker("data:text/javascript,for(;;);");
    const watch = new HelperWatch();
    let calmed: readonly string[] = [];
    for (let tries = 0; tries < 20 && calmed.length === 0; tries++) {
      await Bun.sleep(200);
      calmed = watch.check();
    }
    expect(calmed.length > 0).toBe(answer.ok);
    expect(policies().has("0")).toBe(true);
    busy.terminate();
    leaveRealtime();
  });

  test("the limit on locked memory is that of the process", () => {
    const line = readFileSync("/proc/self/limits", "utf8").match(/^Max locked memory\s+(\S+)/m)?.[1] ?? "";
    expect(String(lockedMemoryLimit())).toBe(line);
  });
});

test("code that only the start needed is given back, and comes back where it is needed", () => {
  const mapped = () => Number(/RssFile:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  const before = mapped();
  releaseStartupCode();
  expect(mapped()).toBeLessThan(before - 4096);
  expect(JSON.parse('{"still": ["here"]}')).toEqual({ still: ["here"] });
});

describe("addresses", () => {
  test("of this machine include loopback with its prefix", () => {
    const found = localAddresses();
    expect(found).toContainEqual({ interface: "lo", family: 4, address: "127.0.0.1", prefix: 8 });
    // Those of interfaces that are up, and more.
    for (const [name, addresses] of Object.entries(networkInterfaces()))
      for (const { address, family, cidr } of addresses ?? [])
        expect(found).toContainEqual({
          interface: name,
          family: family === "IPv6" ? 6 : 4,
          address,
          prefix: Number(cidr?.split("/")[1]),
        });
  });

  test("of names come from the hosts file", () => {
    const file = join(root, "hosts");
    writeFileSync(file, "# 10.0.0.9 vm01\n10.0.0.1\tvm01.example VM01 # vm02\n\nfd00::1 vm01\n");
    expect(hostsAddresses("vm01", file)).toEqual(["10.0.0.1", "fd00::1"]);
    expect(hostsAddresses("vm02", file)).toEqual([]);
    expect(hostsAddresses("vm01", join(root, "nothing"))).toEqual([]);
  });
});
