import { child, childrenOf, type XmlElement } from "../cib/index.ts";
import { type EpochSeconds, isSecretParameter, MASKED, type NodeName, nodeName } from "../terms/index.ts";
import type { FenceDevice } from "./device.ts";
import { devicesFromCib, listedHosts, listedStatically } from "./devices.ts";
import type { DeviceAnswer, DeviceQuestion, FenceRequest } from "./face.ts";
import { executors, type PlanView, planLevels } from "./plan.ts";

/** A device as people see it: secrets are left out. */
export interface FenceDeviceInfo {
  readonly id: string;
  readonly agent: string;
  /** Why it is not used; empty when it is. */
  readonly disabled: string;
  readonly params: Readonly<Record<string, string>>;
  /** Levels that it is in, by member. */
  readonly levels: Readonly<Record<string, number>>;
  /** Members that may run it, best first. */
  readonly nodes: readonly NodeName[];
  /** Nodes on which it was registered: it is not in the configuration. */
  readonly registeredOn?: readonly NodeName[];
}

/** A request that nobody makes, to ask what would be done. */
export const supposed = (target: NodeName, origin: NodeName): FenceRequest => ({
  id: "",
  target,
  action: "off",
  timeoutMs: 0,
  delayMs: -1,
  origin,
  client: "",
  reason: "",
});

/** Devices with their levels, for people. */
export function describeDevices(view: PlanView): FenceDeviceInfo[] {
  const nobody = supposed("" as NodeName, view.coordinator);
  return [...view.configuration.devices.values()].map((device) => ({
    id: device.id,
    agent: device.agent,
    disabled: device.disabled ?? "",
    params: Object.fromEntries(
      [...device.params].map(([name, value]) => [name, isSecretParameter(name) ? MASKED : value]),
    ),
    levels: Object.fromEntries(
      view.members.flatMap((node) =>
        view.configuration
          .levelsFor(node)
          .filter((level) => level.devices.includes(device.id))
          .map((level) => [node, level.index]),
      ),
    ),
    nodes: executors(device, nobody, "main", view),
    ...(device.registeredOn ? { registeredOn: device.registeredOn } : {}),
  }));
}

/**
 * Devices of a configuration that nobody runs, for people: as if all its members were there and had the agents.
 * @param configuration `<configuration>`
 */
export function devicesIn(configuration: XmlElement, now: EpochSeconds): FenceDeviceInfo[] {
  return describeDevices(viewOf(configuration, now));
}

function viewOf(configuration: XmlElement, now: EpochSeconds): PlanView {
  const members = childrenOf(child(configuration, "nodes"), "node")
    .filter(({ attributes }) => attributes.get("type") !== "remote")
    .flatMap(({ attributes }) => attributes.get("uname") ?? [])
    .map((name) => nodeName(name));
  return {
    configuration: devicesFromCib(configuration, now),
    members,
    coordinator: members[0] ?? ("" as NodeName),
    agentOn: () => undefined,
    runningOn: () => undefined,
    dumping: false,
  };
}

/** What a configuration that nobody runs tells of whom its devices fence; nothing is asked of them. */
export function answersIn(
  configuration: XmlElement,
  question: DeviceQuestion,
  now: EpochSeconds,
): DeviceAnswer[] {
  const { devices } = devicesFromCib(configuration, now);
  return [...devices.values()]
    .filter(({ id, disabled }) => disabled === undefined && (question.device ?? id) === id)
    .map((device) => ({
      device: device.id,
      ok: question.ask !== "able" || !isLimited(device) || listedStatically(device, question.target),
      text: "",
      hosts: listedHosts(device),
    }));
}

/** Those of the nodes that no device can fence, as far as a configuration tells. @param unusable devices that cannot be used */
export function unfenceableIn(
  configuration: XmlElement,
  nodes: readonly NodeName[],
  now: EpochSeconds,
  unusable: ReadonlySet<string> = new Set(),
): NodeName[] {
  const view = viewOf(configuration, now);
  return nodes.filter((node) => !fenceable(node, view, unusable));
}

/** Devices whose lists of hosts name none of the nodes: what they were for has gone. */
export function idleDevicesIn(
  configuration: XmlElement,
  nodes: readonly NodeName[],
  now: EpochSeconds,
): string[] {
  return [...devicesFromCib(configuration, now).devices.values()]
    .filter(isLimited)
    .filter((device) => !nodes.some((node) => listedStatically(device, node)))
    .map(({ id }) => id);
}

/** Whether the configuration alone says whom a device fences: not where it, or its agent, is to be asked. */
const isLimited = ({ params }: Pick<FenceDevice, "params">): boolean =>
  (params.get("pcmk_host_check") ?? "static-list") === "static-list" &&
  (params.has("pcmk_host_list") || params.has("pcmk_host_map"));

/** Whether some level for a node has only devices that can fence it, as far as the configuration tells. */
export function fenceable(
  target: NodeName,
  view: PlanView,
  unusable: ReadonlySet<string> = new Set(),
): boolean {
  const usable = (id: string) => {
    const device = view.configuration.devices.get(id);
    if (!device || unusable.has(id) || device.disabled !== undefined) return false;
    return !isLimited(device) || listedStatically(device, target);
  };
  return planLevels(supposed(target, view.coordinator), view).some((level) => level.devices.every(usable));
}
