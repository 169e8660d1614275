import { INFINITY, type Millis, type NodeName } from "../terms/index.ts";
import type { FenceDevice } from "./device.ts";
import type { FenceConfiguration } from "./devices.ts";
import { hostCheck, listedStatically } from "./devices.ts";
import type { Attempt, FenceAction, FenceDeed, FenceRequest, FenceResult } from "./face.ts";
import type { AgentMetadata } from "./metadata.ts";
import { actionTimeout, deviceDelay } from "./parameters.ts";

/** A request under way, as every node knows it from the ordered messages. */
export interface Operation {
  readonly request: FenceRequest;
  /** Equal requests that share the outcome. */
  readonly merged: FenceRequest[];
  readonly attempts: Attempt[];
  /** The target has come back since it was asked for: its end says nothing of the target's life after that. */
  outlived: boolean;
  /** It has come back in the boot in which it was before, each time: that life is still the one that is to end. */
  sameLife?: boolean;
  /** The target was fenced while the request was on its way. */
  readonly answered?: FenceResult;
}

/** Whether a device is to end the target's life by this, not to switch it on after that. */
export const endsLife = ({ action, phase }: Pick<Attempt, "action" | "phase">): boolean =>
  action !== "on" && phase === "main";

/** Why nothing more is done to a target that is a member again. */
export const targetIsBack = "the target has come back before it was fenced";

/** Whether a fencing ended without success because its target came back: then nobody has to see to it any more. */
export const isGivenUp = ({ ok, reason }: Pick<FenceResult, "ok" | "reason">): boolean =>
  !ok && reason.endsWith(targetIsBack);

/** Whether the end of a request says nothing of what the target is now: it has come back, and that is another life. */
export const endsOther = ({ outlived, sameLife }: Pick<Operation, "outlived" | "sameLife">): boolean =>
  outlived && sameLife !== true;

/**
 * Whether no more is to be begun: the target has come back (`isBack`: it is there now), and tells what it runs. What is
 * half done is brought to its end, so that no power supply stays off, and what is to switch it on concerns the life that
 * has begun.
 */
export const isOver = (operation: Operation, step: NextStep, isBack: boolean): boolean =>
  operation.outlived &&
  (isBack || endsOther(operation)) &&
  step.type === "execute" &&
  endsLife(step) &&
  !operation.attempts.some(({ state }) => state === "ok");

/** A level to try; without a topology every device that may do is a level of its own, numbered 0. */
export interface PlanLevel {
  readonly index: number;
  readonly devices: readonly string[];
}

/** What the planner must know of the cluster. */
export interface PlanView {
  readonly configuration: FenceConfiguration;
  readonly members: readonly NodeName[];
  readonly coordinator: NodeName;
  /** Agent metadata that a node told; null: not installed there; undefined: not told. */
  readonly agentOn: (node: NodeName, agent: string) => AgentMetadata | null | undefined;
  readonly runningOn: (device: string) => NodeName | undefined;
  /** The target said that it is dumping, and that counts. */
  readonly dumping: boolean;
}

export type NextStep =
  | { readonly type: "wait" }
  | {
      readonly type: "execute";
      readonly level: number;
      readonly device: FenceDevice;
      readonly phase: "main" | "on";
      readonly executor: NodeName;
      /** What the device shall do: `reboot` is `off` when a level has several devices. */
      readonly action: FenceAction;
    }
  | {
      readonly type: "success";
      readonly level: PlanLevel;
      readonly deed: FenceDeed;
      readonly executor: NodeName;
    }
  | { readonly type: "failure"; readonly reason: string };

/**
 * Levels for a request. A target with a topology uses nothing else. `on` uses all devices that provide unfencing,
 * together, when there are any (Pacemaker Explained, "Unfencing" and "Fencing Topologies").
 */
export function planLevels(request: FenceRequest, view: PlanView): PlanLevel[] {
  const { configuration } = view;
  const usable = [...configuration.devices.values()].filter(
    (device) => device.disabled === undefined && mayFence(device, request.target, view),
  );
  if (request.action === "on") {
    const unfencing = usable.filter((device) => device.unfencing || flagged(device, view, "automatic"));
    if (unfencing.length > 0) return [{ index: 0, devices: unfencing.map(({ id }) => id) }];
  }
  const levels = configuration.levelsFor(request.target);
  if (levels.length > 0) return [...levels];
  return usable
    .filter((device) => request.action !== "on" || device.kind !== "kdump")
    .map(({ id }) => ({ index: 0, devices: [id] }));
}

/** False when a static list says that the device does not fence the node; the executing node finds out the rest. */
function mayFence(device: FenceDevice, target: NodeName, view: PlanView): boolean {
  const actions = view.members
    .map((node) => view.agentOn(node, device.agent)?.actions)
    .find((one) => one !== undefined);
  return hostCheck(device, actions) !== "static-list" || listedStatically(device, target);
}

function flagged(device: FenceDevice, view: PlanView, flag: "automatic" | "onTarget"): boolean {
  return view.members.some((node) => view.agentOn(node, device.agent)?.[flag] === true);
}

/**
 * Decides the next step from what was tried: pure, so that whoever coordinates, and whoever takes over, decides
 * the same. A level succeeds when all its devices did, the first that succeeds ends the request, and the first failure
 * of a device goes on to the next level. When all levels have failed, they are tried again from the other nodes that
 * may run their devices, until each has. With several devices a reboot is off on all, then on on
 * all, and only off decides (Pacemaker Explained, "Remapping Reboots").
 */
export function nextStep(operation: Operation, view: PlanView): NextStep {
  const levels = planLevels(operation.request, view);
  const dumped = view.dumping ? levels.find((level) => completed(level, operation, view)) : undefined;
  if (dumped) return success(dumped, operation, view);
  if (operation.attempts.some(({ state }) => state === "running")) return { type: "wait" };
  for (let round = 1; round <= Math.max(1, view.members.length); round++)
    for (const level of levels) {
      const step = levelStep(level, round, operation, view);
      if (step !== "failed") return step;
    }
  return { type: "failure", reason: failureReason(levels, operation, view) };
}

function levelStep(
  level: PlanLevel,
  round: number,
  operation: Operation,
  view: PlanView,
): NextStep | "failed" {
  const { action } = operation.request;
  const several = level.devices.length > 1 && action === "reboot";
  for (const id of level.devices) {
    if (deviceDone(level, id, operation, view)) continue;
    const step = deviceStep(level, id, round, several ? "off" : action, operation, view);
    if (step === undefined) return "failed";
    return step;
  }
  if (several) {
    for (const id of level.devices) {
      if (operation.attempts.some((one) => matches(one, level, id, "on")) || staysOff(id, view)) continue;
      const step = deviceStep(level, id, "on", "on", operation, view);
      if (step) return step;
    }
  }
  return success(level, operation, view);
}

/** An order for the next node that may run the device, or undefined when none is left in this round. */
function deviceStep(
  level: PlanLevel,
  id: string,
  round: number | "on",
  action: FenceAction,
  operation: Operation,
  view: PlanView,
): NextStep | undefined {
  const device = view.configuration.devices.get(id);
  if (!device || device.disabled !== undefined) return undefined;
  if (device.kind === "kdump" && action === "on") return undefined;
  const phase = round === "on" ? "on" : "main";
  const tried = operation.attempts.filter((one) => matches(one, level, id, phase));
  if (round !== "on" && tried.filter(({ ran }) => ran).length >= round) return undefined;
  const executor = executors(device, operation.request, phase, view).find(
    (node) => !tried.some((one) => one.executor === node),
  );
  return executor && { type: "execute", level: level.index, device, phase, executor, action };
}

/**
 * Nodes that may run a device, best first: where its resource is started, the coordinator, then by location score
 * and name; the target itself only as the last resort, and alone for an `on` that must run on it.
 */
export function executors(
  device: FenceDevice,
  request: FenceRequest,
  phase: "main" | "on",
  view: PlanView,
): NodeName[] {
  if (device.kind === "kdump") return [view.coordinator];
  const able = view.members.filter(
    (node) => device.scoreOn(node) > -INFINITY && view.agentOn(node, device.agent) !== null,
  );
  if ((request.action === "on" || phase === "on") && flagged(device, view, "onTarget"))
    return able.filter((node) => node === request.target);
  const started = view.runningOn(device.id);
  const rank = (node: NodeName) => (node === started ? 0 : node === view.coordinator ? 1 : 2);
  const others = able
    .filter((node) => node !== request.target)
    .sort(
      (a, b) => rank(a) - rank(b) || device.scoreOn(b) - device.scoreOn(a) || (a < b ? -1 : a > b ? 1 : 0),
    );
  return phase === "on" || !able.includes(request.target) ? others : [...others, request.target];
}

const matches = (one: Attempt, level: PlanLevel, device: string, phase: "main" | "on") =>
  one.level === level.index && one.device === device && one.phase === phase;

const isKdump = (id: string, view: PlanView) => view.configuration.devices.get(id)?.kind === "kdump";

/**
 * Whether a device does not switch a node on again that it has switched off for a reboot: the administrator has said that
 * its reboot is an off, its agent has no `on`, or that is for a node that joins (it would get its storage back before).
 */
function staysOff(id: string, view: PlanView): boolean {
  const device = view.configuration.devices.get(id);
  if (device === undefined || device.kind === "kdump") return true;
  if (device.params.get("pcmk_reboot_action") === "off") return true;
  if (flagged(device, view, "automatic")) return true;
  const known = view.members.flatMap((node) => view.agentOn(node, device.agent) ?? []);
  return known.length > 0 && known.every(({ actions }) => !actions.includes("on"));
}

function deviceDone(level: PlanLevel, id: string, operation: Operation, view: PlanView): boolean {
  if (view.dumping && isKdump(id, view) && usableKdump(id, view) && operation.request.action !== "on")
    return true;
  return operation.attempts.some((one) => matches(one, level, id, "main") && one.state === "ok");
}

const usableKdump = (id: string, view: PlanView) =>
  view.configuration.devices.get(id)?.disabled === undefined;

/** Every device is done, one of them by the target's own notice: nothing more is needed, whatever else runs. */
function completed(level: PlanLevel, operation: Operation, view: PlanView): boolean {
  return (
    level.devices.some((id) => isKdump(id, view)) &&
    level.devices.every((id) => deviceDone(level, id, operation, view))
  );
}

function success(level: PlanLevel, operation: Operation, view: PlanView): NextStep {
  const done = operation.attempts.filter((one) => one.level === level.index && one.state === "ok");
  const last = done.filter((one) => level.devices.includes(one.device) && one.phase === "main").at(-1);
  const several = level.devices.length > 1 && operation.request.action === "reboot";
  const kdump = view.dumping && level.devices.every((id) => isKdump(id, view));
  const on = done.some((one) => one.phase === "on");
  return {
    type: "success",
    level,
    deed: kdump ? "kdump" : several ? (on ? "off-on" : "off") : (last?.deed ?? "none"),
    executor: last?.executor ?? view.coordinator,
  };
}

function failureReason(levels: readonly PlanLevel[], operation: Operation, view: PlanView): string {
  if (levels.length === 0) return `no fence device for ${operation.request.target}`;
  const missing = levels.flatMap(({ index, devices }) =>
    devices
      .filter((id) => !view.configuration.devices.has(id))
      .map((id) => `level ${index} names ${id}, which is no fence device`),
  );
  return (
    [failuresOf(operation), ...missing].filter((text) => text !== "").join("; ") ||
    "no node can run a fence device for it"
  );
}

const failuresOf = ({ attempts }: Operation): string =>
  attempts
    .filter(({ state }) => state === "failed")
    .map((one) => `${one.device} on ${one.executor}: ${one.reason}`)
    .join("; ");

/**
 * Whether a success shows by the target's leaving the ring: whoever was switched off or reset cannot speak any more. Of a
 * member that a fabric agent has cut off from its storage, and that lives on, it does not: such an agent is for a node
 * that joins, and has no reboot (FenceAgentAPI).
 */
export function endsMembership(
  { level, deed }: Extract<NextStep, { type: "success" }>,
  view: PlanView,
): boolean {
  if (deed !== "reset" && deed !== "off" && deed !== "off-on") return false;
  return level.devices.every((id) => {
    const device = view.configuration.devices.get(id);
    if (!device || device.unfencing || flagged(device, view, "automatic")) return false;
    const known = view.members.flatMap((node) => view.agentOn(node, device.agent) ?? []);
    return known.every(({ actions }) => actions.includes("reboot"));
  });
}

/** Attempts by which a level has succeeded. */
export const successesOf = ({ attempts }: Operation, { index, devices }: PlanLevel): Attempt[] =>
  attempts.filter(
    (one) => one.level === index && one.state === "ok" && devices.includes(one.device) && endsLife(one),
  );

/** Why it is over: that the target has come back, after the failures of devices if there were any. */
export function overReason(operation: Operation): string {
  const ran = operation.attempts.some((one) => one.ran);
  return ran ? `${failuresOf(operation)}; ${targetIsBack}` : targetIsBack;
}

/**
 * Delay before a device: its own before each that asks for one, that of the request (priority-fencing-delay, an
 * administrator's) before the `first` only (pacemaker-fenced(7)). What is switched on is not waited for.
 */
export function delayBefore(
  request: FenceRequest,
  device: FenceDevice,
  first: boolean,
  random: () => number,
): Millis {
  if (request.action === "on" || request.delayMs < 0 || device.kind === "kdump") return 0;
  return (first ? request.delayMs : 0) + deviceDelay(device.params, request.target, random);
}

/** Time for one device. */
export function deviceTimeout(
  request: FenceRequest,
  device: FenceDevice,
  action: FenceAction,
  view: PlanView,
): Millis {
  const otherwise = request.timeoutMs > 0 ? request.timeoutMs : view.configuration.timeoutMs;
  // A remapped reboot keeps the time that was set for the reboot, unless off has its own.
  const set =
    request.action === "reboot" && action === "off"
      ? actionTimeout(device.params, "reboot", otherwise)
      : otherwise;
  return actionTimeout(device.params, action, set);
}

/** The most that a request may take: every device of every level, and a fifth more for what lies between. */
export function wholeTime(request: FenceRequest, view: PlanView): Millis {
  let sum = request.action === "on" ? 0 : Math.max(0, request.delayMs);
  for (const level of planLevels(request, view))
    for (const id of level.devices) {
      const device = view.configuration.devices.get(id);
      if (!device) continue;
      const nodes = Math.max(1, executors(device, request, "main", view).length);
      sum += deviceTimeout(request, device, request.action, view) * nodes;
      sum += delayBefore(request, device, false, () => 1) * nodes;
      if (level.devices.length > 1 && request.action === "reboot")
        sum += deviceTimeout(request, device, "on", view);
    }
  return Math.max(request.timeoutMs, Math.round(sum * 1.2), 1000);
}
