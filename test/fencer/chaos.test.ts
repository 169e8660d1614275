import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { FenceAction } from "../../src/fencer/index.ts";
import { nodeName } from "../../src/terms/index.ts";
import { deviceXml, FenceCluster } from "./cluster.ts";

setDefaultTimeout(60_000);

/** A small generator with a seed (Marsaglia, Xorshift RNGs, 2003), so that a failure can be played again. */
function generator(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

const names = ["a", "b", "c", "d", "e"];
const level = (target: string, index: number, devices: string) =>
  `<fencing-level id="l-${target}-${index}" target="${target}" index="${index}" devices="${devices}"/>`;
const resources = [
  deviceXml("kdump", "fence_kdump", { pcmk_off_timeout: "7s", pcmk_reboot_timeout: "7s" }),
  deviceXml("ipmi", "fence_ipmilan", {
    pcmk_host_list: "a b c d e",
    pcmk_reboot_timeout: "9s",
    pcmk_delay_max: "3s",
  }),
  deviceXml("pdu1", "fence_apc", { pcmk_host_list: "a b c d e" }),
  deviceXml("pdu2", "fence_apc", { pcmk_host_list: "a b c d e", pcmk_action_limit: "-1" }),
].join("");
const topology =
  level("a", 1, "kdump") +
  level("a", 2, "ipmi") +
  level("a", 3, "pdu1,pdu2") +
  level("b", 1, "pdu1,pdu2") +
  level("c", 1, "ipmi");

function play(seed: number): void {
  const random = generator(seed);
  const cluster = new FenceCluster(names);
  cluster.configure(resources, topology);
  /** Requests by the incarnation that asked and its number. */
  const asked: { readonly host: object; readonly id: string }[] = [];
  const host = (name: string) => cluster.hosts.get(nodeName(name));
  const up = () => names.filter((name) => host(name)?.up);
  for (let count = 0; count < 40; count++) {
    const members = up();
    const some = members[random(members.length)] ?? "a";
    const target = names[random(names.length)] ?? "b";
    const kind = random(11);
    if (kind < 4) {
      const action = (["reboot", "off", "on"] as const)[random(3)] as FenceAction;
      const from = host(some);
      if (from && some !== target) {
        asked.push({ host: from, id: `r${asked.length + 1}` });
        cluster.request(some, target, action, { delayMs: random(3) * 1000 });
      }
    } else if (kind < 5 && members.length > 2) cluster.kill(some);
    else if (kind < 6) {
      const down = names.filter((name) => !members.includes(name));
      const back = down[random(Math.max(1, down.length))];
      if (back) {
        cluster.join(back);
        cluster.configure(resources, topology);
      }
    } else if (kind < 7) cluster.event(some, { type: "kdump-notice", node: nodeName(target), signed: false });
    else if (kind < 8)
      cluster.event(some, { type: "confirm", id: `c${count}`, target: nodeName(target), client: "x" });
    else if (kind > 9) {
      cluster.managerDies(some);
      cluster.pass(random(12) * 1000);
      if (random(4) === 0) cluster.managerGivenUp(some);
      cluster.managerBack(some);
    } else {
      const device = ["ipmi", "pdu1", "pdu2"][random(3)] ?? "ipmi";
      const exit = random(2);
      cluster.behaviours.set(device, { outcome: { exit }, afterMs: random(4) === 0 ? 1e9 : random(5000) });
    }
    cluster.pass(random(6) * 1000);
  }
  cluster.pass(4 * 3_600_000);

  const living = up()
    .map((name) => host(name))
    .filter((one) => one !== undefined);
  for (const { host: from, id } of asked) {
    const asker = living.find((one) => one === from);
    const answers = asker?.results.filter((one) => one.id === id).length ?? 1;
    if (answers !== 1) throw new Error(`seed ${seed}: ${answers} results of ${id} for ${asker?.name}`);
  }
  const histories = living.map((one) =>
    one.fencer
      .entries()
      .map((entry) => `${entry.id} ${entry.ok} ${entry.deed}`)
      .toSorted(),
  );
  for (const history of histories) expect({ seed, history }).toEqual({ seed, history: histories[0] ?? [] });
  for (const one of living)
    expect({ seed, pending: one.fencer.pending(), timers: [...one.timers.keys()] }).toEqual({
      seed,
      pending: [],
      timers: [],
    });
}

describe("fencing under faults", () => {
  test("who asked and lives gets exactly one result, all nodes have the same history, nothing is left over", () => {
    for (let seed = 1; seed <= 120; seed++) play(seed);
  });
});
