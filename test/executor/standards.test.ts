import { describe, expect, test } from "bun:test";
import { type Operation, ocfEnvironment } from "../../src/executor/index.ts";
import { OcfExit, OpStatus, resourceId } from "../../src/terms/index.ts";
import { exited, operation, World } from "./world.ts";

const of = (standard: "lsb" | "systemd" | "service", action: string, type = "web"): Operation =>
  operation("w", action, { rsc: { id: resourceId("w"), class: standard, type } });

/** Runs an operation whose processes end with the given outcomes, one after the other. */
function answer(one: Operation, ...outcomes: readonly Parameters<World["end"]>[1][]) {
  const world = new World();
  world.execute(one);
  const commands: string[] = [];
  for (const outcome of outcomes) {
    const run = world.runs[0];
    if (!run) break;
    const { candidates, args } = run.command;
    // The script that makes or removes the drop-in is told apart by what it ends with.
    commands.push([...candidates, ...args.map((arg) => arg.split("\n").at(-1))].join(" "));
    world.end(run.label, outcome);
    if (!world.runs[0]) world.advance(2000);
  }
  return { commands, result: world.results()[0], left: world.labels() };
}

describe("OCF", () => {
  test("the environment is the documented one", () => {
    const env = ocfEnvironment(
      operation("ip:1", "monitor", {
        params: {
          ip: "192.0.2.1",
          CRM_meta_timeout: "20000",
          "CRM_meta_notify-type": "pre",
          OCF_CHECK_LEVEL: "10",
          "bad=name": "x",
        },
      }),
      { PATH: "/bin", LC_ALL: "C" },
      "/usr/lib/ocf",
      "3.19.0",
    );
    expect(env).toEqual({
      PATH: "/bin",
      LC_ALL: "C",
      OCF_RA_VERSION_MAJOR: "1",
      OCF_RA_VERSION_MINOR: "1",
      OCF_ROOT: "/usr/lib/ocf",
      OCF_RESOURCE_INSTANCE: "ip:1",
      OCF_RESOURCE_TYPE: "Dummy",
      OCF_RESOURCE_PROVIDER: "heartbeat",
      OCF_EXIT_REASON_PREFIX: "ocf-exit-reason:",
      OCF_RESKEY_crm_feature_set: "3.19.0",
      OCF_RESKEY_ip: "192.0.2.1",
      OCF_RESKEY_CRM_meta_timeout: "20000",
      OCF_RESKEY_CRM_meta_notify_type: "pre",
      OCF_CHECK_LEVEL: "10",
    });
  });

  test("only instances of a unique clone have a number", () => {
    const instance = (unique?: string) =>
      ocfEnvironment(
        operation("ip:1", "start", { params: unique ? { CRM_meta_globally_unique: unique } : {} }),
        {},
        "",
        "",
      ).OCF_RESOURCE_INSTANCE;
    expect([instance("false"), instance("true"), instance()]).toEqual(["ip", "ip:1", "ip:1"]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 190, 191, 255])("exit code %d is passed on", (code) => {
    expect(answer(operation("a", "start"), exited(code)).result).toMatchObject({
      rc: code,
      status: OpStatus.DONE,
    });
  });

  test("the last exit reason wins and is made fit for one line", () => {
    const stderr = "noise\nocf-exit-reason:first\nocf-exit-reason: se\u0007cond \n more noise\n";
    expect(answer(operation("a", "start"), exited(1, stderr)).result?.exitReason).toBe("second");
  });

  test("a missing agent is told with the places that were searched", () => {
    const searched = ["/opt/ocf/heartbeat/Dummy", "/usr/lib/ocf/resource.d/heartbeat/Dummy"];
    const { commands, result } = answer(operation("a", "start"), { kind: "missing", searched });
    expect(commands).toEqual([`${searched.join(" ")} start`]);
    expect(result).toMatchObject({
      rc: OcfExit.INSTALLED,
      status: OpStatus.NOT_INSTALLED,
      exitReason: `agent ocf:heartbeat:Dummy is not installed: looked for ${searched.join(", ")}`,
    });
  });

  test("an agent that cannot be run is told apart", () => {
    const path = "/usr/lib/ocf/resource.d/heartbeat/Dummy";
    expect(
      answer(operation("a", "start"), { kind: "refused", path, why: "not-executable" }).result,
    ).toMatchObject({
      rc: OcfExit.INSTALLED,
      status: OpStatus.NOT_INSTALLED,
      exitReason: `${path} is not executable: chmod 755 it`,
    });
    expect(
      answer(operation("a", "start"), { kind: "refused", path, why: "no-interpreter" }).result,
    ).toMatchObject({ rc: OcfExit.INSTALLED, status: OpStatus.NOT_INSTALLED });
  });

  test("a name cannot lead out of the agents' directories", () => {
    const rsc = { id: resourceId("a"), class: "ocf", provider: "..", type: "../../bin/reboot" } as const;
    const { commands, result } = answer(operation("a", "start", { rsc }));
    expect(commands).toEqual([]);
    expect(result).toMatchObject({ rc: OcfExit.INSTALLED, status: OpStatus.NOT_INSTALLED });
  });

  test("a failed agent that gives no reason has said it in its last lines; of an answer nothing is taken", () => {
    const said = (code: number, stderr: string) =>
      answer(operation("a", "stop"), { kind: "exited", code, stdout: "", stderr }).result?.exitReason;
    expect(said(1, "trying\nthe volume is busy\n\n")).toBe("trying / the volume is busy");
    expect(said(1, "ocf-exit-reason:no volume\nand more\n")).toBe("no volume");
    expect(said(7, "not there\n")).toBe("");
    expect(said(0, "deprecated option\n")).toBe("");
  });

  // Else a stop would follow that can be carried out as little, and after it the fencing of one node after the other.
  test.each([
    ["missing", { kind: "missing", searched: ["/x"] }],
    ["not executable", { kind: "refused", path: "/x", why: "not-executable" }],
    ["without its interpreter", { kind: "refused", path: "/x", why: "no-interpreter" }],
    ["an empty file", { kind: "refused", path: "/x", why: "no-program" }],
  ] as const)("a probe whose agent is %s does not say that the service may run", (_, outcome) => {
    for (const standard of ["ocf", "lsb"] as const) {
      const rsc = {
        id: resourceId("a"),
        class: standard,
        type: "x",
        ...(standard === "ocf" ? { provider: "test" } : {}),
      };
      expect(answer(operation("a", "monitor", { rsc }), outcome).result).toMatchObject({
        rc: OcfExit.INSTALLED,
        status: OpStatus.NOT_INSTALLED,
      });
    }
  });

  test("an agent killed by somebody else is an error, not an answer", () => {
    expect(
      answer(operation("a", "start"), { kind: "signalled", signal: "SIGKILL", stdout: "", stderr: "" })
        .result,
    ).toMatchObject({
      rc: 1,
      status: OpStatus.ERROR,
      exitReason: "agent ocf:heartbeat:Dummy was ended by signal SIGKILL",
    });
  });
});

describe("LSB", () => {
  test("status codes become OCF's", () => {
    const codes = [0, 1, 2, 3, 4, 5, 42, 150].map(
      (code) => answer(of("lsb", "monitor"), exited(code)).result?.rc,
    );
    expect(codes).toEqual([0, 7, 7, 7, 4, 5, 1, 5]);
  });

  test("monitor is status, other actions are themselves", () => {
    expect(answer(of("lsb", "monitor"), exited(0)).commands).toEqual(["/etc/init.d/web status"]);
    expect(answer(of("lsb", "stop"), exited(0)).commands).toEqual(["/etc/init.d/web stop"]);
    expect(answer(of("lsb", "promote")).result).toMatchObject({ rc: 3, status: OpStatus.NOT_SUPPORTED });
  });
});

describe("systemd", () => {
  const state = (active: string, load = "loaded") =>
    exited(0, "", `LoadState=${load}\nActiveState=${active}\nSubState=x\n`);
  const show = "systemctl show -p LoadState,ActiveState,SubState -- web.service";

  test("start waits for its job and then until the unit has settled", () => {
    const { commands, result } = answer(
      of("systemd", "start"),
      state("inactive"),
      exited(0),
      exited(0),
      state("activating"),
      state("active"),
    );
    expect(commands).toEqual([
      show,
      expect.stringMatching(/^\/bin\/sh -c .* daemon-reload hactl web\.service$/),
      "systemctl start --no-ask-password -- web.service",
      show,
      show,
    ]);
    expect(result).toMatchObject({ rc: 0, status: OpStatus.DONE, execMs: 2000 });
  });

  test("a start whose unit fails says where to look", () => {
    const { result } = answer(
      of("systemd", "start"),
      state("inactive"),
      exited(0),
      exited(0),
      state("failed"),
    );
    expect(result).toMatchObject({
      rc: 1,
      exitReason: "web.service is failed (x) after start: see journalctl -u web.service",
    });
    const refused = answer(
      of("systemd", "start"),
      state("inactive"),
      exited(1, "no drop-in"),
      exited(1, "Job for web failed\n"),
    );
    expect(refused.result).toMatchObject({
      rc: 1,
      exitReason: "systemctl start web.service failed: Job for web failed",
    });
  });

  test("stop gives the unit back to systemd first, so that its job does not wait for ours", () => {
    const { commands, result } = answer(
      of("systemd", "stop"),
      state("active"),
      exited(0),
      state("inactive"),
      exited(0),
    );
    expect(commands.slice(1)).toEqual([
      expect.stringMatching(/^\/bin\/sh -c .* daemon-reload hactl web\.service$/),
      "systemctl stop --no-ask-password -- web.service",
      show,
    ]);
    expect(result).toMatchObject({ rc: 0, status: OpStatus.DONE });
  });

  test("monitor answers by the active state", () => {
    const codes = ["active", "reloading", "inactive", "failed"].map(
      (active) => answer(of("systemd", "monitor"), state(active)).result?.rc,
    );
    expect(codes).toEqual([0, 0, 7, 7]);
  });

  test("what is not installed cannot start and need not stop", () => {
    expect(answer(of("systemd", "start"), state("inactive", "not-found")).result).toMatchObject({
      rc: 5,
      status: OpStatus.NOT_INSTALLED,
      exitReason: "systemd knows no unit web.service",
    });
    expect(answer(of("systemd", "stop"), state("inactive", "not-found")).result).toMatchObject({ rc: 0 });
    expect(
      answer(of("systemd", "monitor"), { kind: "missing", searched: ["systemctl"] }).result?.exitReason,
    ).toBe("systemd:web needs systemd, which does not run this machine");
  });

  test("what runs goes on without its file, and is stopped", () => {
    const gone = state("active", "not-found");
    expect(answer(of("systemd", "monitor"), gone).result?.rc).toBe(0);
    const { commands, result } = answer(
      of("systemd", "stop"),
      gone,
      exited(0),
      exited(0),
      state("inactive", "not-found"),
    );
    expect(commands[2]).toBe("systemctl stop --no-ask-password -- web.service");
    expect(result).toMatchObject({ rc: 0, status: OpStatus.DONE });
    const failing = answer(of("systemd", "stop"), gone, exited(0), exited(1, "Access denied\n"));
    expect(failing.result?.rc).toBe(1);
  });

  test.each(["bad-setting", "error", "masked", "not-found"])(
    "what is %s and does not run is stopped",
    (load) => {
      const { commands, result } = answer(of("systemd", "stop"), state("inactive", load));
      expect(commands).toHaveLength(1);
      expect(result).toMatchObject({ rc: 0, status: OpStatus.DONE });
      expect(answer(of("systemd", "stop"), state("failed", load)).result?.rc).toBe(0);
      expect(answer(of("systemd", "stop"), state("active", load)).result).toBeUndefined();
    },
  );

  test.each([
    ["hactl", /is the cluster itself/],
    ["hactl-remote.service", /is the cluster itself/],
    ["web@", /is a template: name an instance, such as web@1\.service/],
    ["web@.timer", /is a template/],
    ["dev-sda.device", /cannot be started/],
  ])("%s is no resource", (type, reason) => {
    const asked = (action: string) => ({
      ...of("systemd", action),
      rsc: { ...of("systemd", action).rsc, type },
    });
    for (const action of ["start", "monitor"]) {
      const { commands, result } = answer(asked(action));
      expect([action, commands, result?.rc, result?.status]).toEqual([action, [], 5, OpStatus.NOT_INSTALLED]);
      expect(result?.exitReason).toMatch(reason);
    }
    expect(answer(asked("stop")).result).toMatchObject({ rc: 0 });
  });

  test("a unit that never settles ends with the time limit", () => {
    const world = new World();
    world.execute({ ...of("systemd", "monitor"), timeoutMs: 5000 });
    for (let n = 0; n < 3; n++) {
      world.end("w monitor_0", state("activating"));
      world.advance(2000);
    }
    expect(world.results()).toMatchObject([{ status: OpStatus.TIMEOUT }]);
    expect(world.labels()).toEqual([]);
  });
});

describe("service", () => {
  test("is the unit where there is one", () => {
    const state = exited(0, "", "LoadState=loaded\nActiveState=inactive\nSubState=dead\n");
    const { commands } = answer(of("service", "stop"), state, state, exited(0), exited(0), state);
    expect(commands[3]).toBe("systemctl stop --no-ask-password -- web.service");
  });

  test("is the init script where there is no unit, or no systemd", () => {
    const absent = exited(0, "", "LoadState=not-found\nActiveState=inactive\nSubState=dead\n");
    expect(answer(of("service", "stop"), absent, exited(0)).commands[1]).toBe("/etc/init.d/web stop");
    const none = { kind: "missing", searched: ["systemctl"] } as const;
    expect(answer(of("service", "monitor"), none, exited(3)).result?.rc).toBe(7);
    const idle = exited(
      1,
      "System has not been booted with systemd as init system (PID 1). Can't operate.\n",
    );
    expect(answer(of("service", "monitor"), idle, exited(3)).result?.rc).toBe(7);
  });
});

describe("meta-data", () => {
  const ask = (rsc: Omit<Operation["rsc"], "id">, looks = false) => {
    const world = new World();
    world.step({ type: "request", request: { type: "metadata", requestId: 9, rsc, looks } });
    return world;
  };

  test("of an OCF agent is its own", () => {
    const world = ask({ class: "ocf", provider: "heartbeat", type: "Dummy" });
    expect(world.labels()).toEqual(["ocf:heartbeat:Dummy meta-data"]);
    world.end("ocf:heartbeat:Dummy meta-data", exited(0, "", "<resource-agent/>"));
    expect(world.events()).toEqual([{ type: "metadata", requestId: 9, xml: "<resource-agent/>" }]);
  });

  test("of a missing agent is an error", () => {
    const world = ask({ class: "ocf", provider: "heartbeat", type: "None" });
    world.end("ocf:heartbeat:None meta-data", { kind: "missing", searched: ["/x/None"] });
    expect(world.events()).toEqual([
      {
        type: "metadata",
        requestId: 9,
        xml: "",
        error: "agent ocf:heartbeat:None is not installed: looked for /x/None",
        absent: true,
      },
    ]);
  });

  test.each([
    ["systemd", exited(0, "", "LoadState=loaded\n"), undefined],
    ["systemd", exited(0, "", "LoadState=not-found\n"), "no unit web.service"],
    [
      "systemd",
      exited(0, "", "LoadState=bad-setting\n"),
      "systemd cannot load web.service (bad-setting): see 'systemctl status web.service' and 'systemd-analyze verify web.service'",
    ],
    ["systemd", exited(1, "System has not been booted with systemd\n"), undefined],
    ["lsb", exited(0), undefined],
    ["lsb", exited(4, "", "/etc/init.d/web\n"), "/etc/init.d/web is not executable: chmod 755 it"],
    ["lsb", exited(5), "no init script web"],
  ] as const)("of %s is made up, where it is there when that is asked", (standard, outcome, problem) => {
    const plain = ask({ class: standard, type: "web" });
    expect(plain.events()).toMatchObject([{ requestId: 9, xml: expect.stringContaining("<parameters/>") }]);
    const world = ask({ class: standard, type: "web" }, true);
    const [label = ""] = world.labels();
    world.end(label, outcome);
    expect(world.events()).toMatchObject([
      problem === undefined
        ? { xml: expect.stringContaining("<parameters/>") }
        : { xml: "", error: problem, absent: true },
    ]);
  });

  test.each([
    ["LoadState=loaded\n", undefined, undefined],
    ["LoadState=not-found\n", exited(0), undefined],
    ["LoadState=not-found\n", exited(5), "no unit web.service, and no init script web"],
    ["none", exited(0), undefined],
    ["none", exited(5), "no unit web.service, and no init script web"],
    ["LoadState=error\n", undefined, expect.stringContaining("systemd cannot load web.service (error)")],
  ] as const)("of a service is made up where there is a unit or an init script", (unit, script, problem) => {
    const world = ask({ class: "service", type: "web" }, true);
    const none = { kind: "missing", searched: ["systemctl"] } as const;
    world.end(world.labels()[0] ?? "", unit === "none" ? none : exited(0, "", unit));
    if (script) world.end(world.labels()[0] ?? "", script);
    expect(world.events()).toMatchObject([
      problem === undefined
        ? { xml: expect.stringContaining("<parameters/>") }
        : { xml: "", error: problem, absent: true },
    ]);
  });

  test("of many agents is asked a few at a time", () => {
    const world = new World();
    for (let requestId = 1; requestId <= 6; requestId++) {
      const rsc = { class: "ocf", provider: "heartbeat", type: `A${requestId}` } as const;
      world.step({ type: "request", request: { type: "metadata", requestId, rsc } });
    }
    expect(world.labels()).toHaveLength(4);
    for (let n = 1; n <= 6; n++) world.end(`ocf:heartbeat:A${n} meta-data`, exited(0, "", "<x/>"));
    expect(world.events()).toHaveLength(6);
  });

  test("of a unit is made", () => {
    const [event] = ask({ class: "systemd", type: "a<b" }).events();
    expect(event).toMatchObject({ type: "metadata", xml: expect.stringContaining('name="a&#60;b"') });
  });
});

test("a fence device never reaches an agent here", () => {
  const rsc = { id: resourceId("f"), class: "stonith", type: "fence_ipmilan" } as const;
  expect(answer(operation("f", "start", { rsc })).result).toMatchObject({ status: OpStatus.NOT_SUPPORTED });
});
