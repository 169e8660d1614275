import { describe, expect, test } from "bun:test";
import { parseXml } from "../../src/cib/index.ts";
import { type AgentRun, type DeviceAnswer, type DeviceQuestion, Fencer } from "../../src/fencer/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { FenceCluster } from "./cluster.ts";

/** Devices that are asked whether they answer and whom they can fence, from one node and without touching a host. */

const devices: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  listed: { pcmk_host_list: "n1;n2", pcmk_host_map: "n3:7" },
  asked: { pcmk_host_map: "n9:p9", pcmk_host_check: "dynamic-list" },
  looked: { pcmk_host_check: "status" },
  every: { pcmk_host_check: "none" },
  unused: { pcmk_host_list: "n1" },
};

const configuration = parseXml(
  `<configuration><crm_config/><nodes/><resources>${Object.entries(devices)
    .map(
      ([id, params]) =>
        `<primitive id="${id}" class="stonith" type="fence_x"><instance_attributes id="${id}-i">${Object.entries(
          params,
        )
          .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
          .join("")}</instance_attributes>${
          id === "unused"
            ? '<meta_attributes id="m"><nvpair id="m-t" name="target-role" value="Stopped"/></meta_attributes>'
            : ""
        }</primitive>`,
    )
    .join("")}</resources><constraints/></configuration>`,
);

type Behaviour = Readonly<Record<string, { readonly exit: number; readonly stdout?: string }>>;

/** Asks a fencer whose agent ends at once as `behaviour` says by action. */
function ask(question: DeviceQuestion, behaviour: Behaviour) {
  const fencer = new Fencer({
    self: nodeName("n1"),
    random: () => 0,
    wallClock: () => 0,
    detectionMs: 1000,
    left: [],
  });
  const runs: AgentRun[] = [];
  let answers: readonly DeviceAnswer[] | undefined;
  const actions = ["on", "off", "reboot", "list", "status", "monitor"];
  const metadata = { actions, hostArgument: "port", onTarget: false, automatic: false } as const;
  const queue: Parameters<Fencer["step"]>[0][] = [
    { type: "configuration", configuration },
    { type: "ask", id: "q", question },
  ];
  for (let event = queue.shift(); event; event = queue.shift())
    for (const effect of fencer.step(event, 0)) {
      if (effect.type === "fetch-metadata") queue.push({ type: "metadata", agent: effect.agent, metadata });
      if (effect.type === "told" && effect.id === "q") answers = effect.answers;
      if (effect.type !== "run-agent") continue;
      runs.push(effect.run);
      const { exit = 1, stdout = "" } = behaviour[effect.run.action] ?? {};
      const outcome = { exit, stdout, stderr: "", timedOut: false };
      queue.push({ type: "agent-result", run: effect.run.run, outcome });
    }
  const told = answers?.map(({ device, ok }) => `${device} ${ok}`).sort();
  return {
    told,
    answers,
    runs: runs.map(({ device, action, port }) => [device, action, port ?? ""].join(" ")),
  };
}

describe("which devices can fence a host", () => {
  const able = (target: string, behaviour: Behaviour) =>
    ask({ ask: "able", target: nodeName(target), timeoutMs: 10_000 }, behaviour);

  test("is told by their lists of hosts, their agents' lists and states, or of those for every host", () => {
    const { told, runs } = able("N2", { list: { exit: 0, stdout: "n2\n" }, status: { exit: 2 } });
    expect(told).toEqual(["asked true", "every true", "listed true", "looked true"]);
    expect(runs.sort()).toEqual(["asked list ", "looked status N2"]);
  });

  test("not those whose list does not name it, whose agent does not know it or fails", () => {
    const { told } = able("n8", { list: { exit: 0, stdout: "n2\n" }, status: { exit: 1 } });
    expect(told).toEqual(["asked false", "every true", "listed false", "looked false"]);
    expect(able("n2", { list: { exit: 1, stdout: "n2\n" } }).told).toContain("asked false");
  });

  test("a host counts also by the name that the device has for it", () => {
    expect(able("n9", { list: { exit: 0, stdout: "p9,alias,on\n" } }).told).toContain("asked true");
  });
});

describe("one device", () => {
  const of = (question: "monitor" | "list", device: string, behaviour: Behaviour) =>
    ask({ ask: question, device, timeoutMs: 10_000 }, behaviour);

  test("answers, or does not although it is tried again", () => {
    expect(of("monitor", "every", { monitor: { exit: 0 } })).toMatchObject({
      told: ["every true"],
      runs: ["every monitor "],
    });
    const failing = of("monitor", "every", { monitor: { exit: 1 } });
    expect(failing.runs).toEqual(["every monitor ", "every monitor "]);
    expect(failing.answers).toEqual([{ device: "every", ok: false, text: "exit 1", hosts: [] }]);
  });

  test("tells its hosts by its parameters, or its agent does", () => {
    expect(of("list", "listed", {}).answers?.[0]?.hosts).toEqual(["n1", "n2", "n3"]);
    const asked = of("list", "looked", { list: { exit: 0, stdout: "a\nb\n" } });
    expect(asked.answers?.[0]?.hosts).toEqual(["a", "b"]);
    expect(of("list", "looked", { list: { exit: 1 } }).told).toEqual(["looked false"]);
  });

  test("that is not used, or that there is not, is asked nothing", () => {
    for (const device of ["unused", "nothing"])
      expect(of("monitor", device, { monitor: { exit: 0 } })).toMatchObject({ told: [], runs: [] });
  });
});

test("a failure tells whether any device was used", () => {
  const untried = (list: string, exit: number) => {
    const made = new FenceCluster(["a", "b", "c"]);
    made.configure(
      `<primitive id="power" class="stonith" type="fence_power"><instance_attributes id="i">
        <nvpair id="h" name="pcmk_host_list" value="${list}"/></instance_attributes></primitive>`,
      "",
      "",
      `<nvpair id="t" name="stonith-timeout" value="20s"/>`,
    );
    made.behaviours.set("power", { outcome: { exit }, afterMs: 100 });
    made.kill("c");
    made.request("a", "c", "off");
    made.pass(120_000);
    const result = made.hosts.get(nodeName("a"))?.results.find(({ id }) => id === "r1");
    return { ok: result?.ok, untried: result?.untried };
  };
  expect(untried("c", 0)).toEqual({ ok: true, untried: undefined });
  expect(untried("c", 1)).toEqual({ ok: false, untried: undefined });
  expect(untried("b", 0)).toEqual({ ok: false, untried: true });
});
