import { nearest } from "../terms/index.ts";
import { hostMapEntries, parseHostList } from "./host-names.ts";
import { indexById, unpackNvpairs } from "./nvpairs.ts";
import { type CibProblem, problemAt, remoteNames } from "./references.ts";
import { type Settled, settledPrimitives } from "./settled.ts";
import { parseIntervalMs } from "./time.ts";
import { lengthProblems } from "./verify-values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What is set up at fence devices and does nothing when a node has to be fenced, which is when it is found out otherwise. */
export function findFencingProblems(configuration: XmlElement): CibProblem[] {
  const devices = settledPrimitives(configuration).filter((one) => one.class === "stonith");
  return [
    ...devices.flatMap(vainOperations),
    ...devices.flatMap((device) => vainParameters(device, configuration)),
    ...unknownHosts(devices, configuration),
    ...joinedHosts(devices, configuration),
    ...stoppedDevices(devices, configuration),
    ...shortTimes(devices, configuration),
    ...oddTimes(devices, configuration),
  ];
}

const idOf = ({ attributes }: XmlElement) => attributes.get("id") ?? "";

/** What the cluster does with the resource of a device; everything else the fencer asks of the device itself. */
const ofResource: ReadonlySet<string> = new Set(["start", "stop", "monitor"]);
/** What the fencer asks by its own times. */
const ofFencer: ReadonlySet<string> = new Set(["on", "off", "reboot", "list", "status"]);

/** Fencing goes by the device's own times: an operation of that name is not looked at. */
function vainOperations({ xml, operations }: Settled): CibProblem[] {
  return operations.flatMap((op) => {
    const name = op.attributes.get("name") ?? "";
    if (ofResource.has(name) || !ofFencer.has(name)) return [];
    const timeout = op.attributes.get("timeout");
    const text = `operation ${name} of fence device "${idOf(xml)}" has no effect${timeout === undefined ? "" : `, and its timeout="${timeout}" neither`}: fencing goes by pcmk_${name}_timeout and stonith-timeout`;
    const cure =
      timeout === undefined
        ? "remove it"
        : `write pcmk_${name}_timeout=${timeout} among the device's parameters, and remove the operation`;
    return [problemAt(op, "warning", "NO_EFFECT", text, cure)];
  });
}

/** The cluster says itself what a device has to do, each time. */
function vainParameters({ xml, parameters }: Settled, configuration: XmlElement): CibProblem[] {
  const index = indexById(configuration);
  return ["action", "option"].flatMap((name) => {
    const found = parameters.get(name);
    if (found === undefined) return [];
    const text = `${name}="${found.value}" of fence device "${idOf(xml)}" has no effect: the cluster tells the agent what to do`;
    const cure = /^(?:off|reboot)$/.test(found.value)
      ? "remove it; write pcmk_reboot_action=off, or fencing-action=off for all devices, where nodes shall stay off"
      : "remove it";
    return [problemAt(index.get(found.id ?? "") ?? xml, "warning", "NO_EFFECT", text, cure)];
  });
}

/** Parameters of devices that name nodes. */
const hostParameters = ["pcmk_host_list", "pcmk_host_map", "pcmk_delay_base"] as const;

const nodeNames = (configuration: XmlElement): string[] =>
  childrenOf(child(configuration, "nodes"), "node").flatMap(
    ({ attributes }) => attributes.get("uname") ?? [],
  );

/** A device is never asked to fence a node that is not there; and the one that was meant is perhaps fenced by none. */
function unknownHosts(devices: readonly Settled[], configuration: XmlElement): CibProblem[] {
  const members = nodeNames(configuration);
  if (members.length === 0) return [];
  const known = [...members, ...remoteNames(child(configuration, "resources"))];
  const folded = new Set(known.map((node) => node.toLowerCase()));
  const index = indexById(configuration);
  const told = new Set<string>();
  return devices.flatMap(({ xml, parameters }) =>
    hostParameters.flatMap((parameter) => {
      const found = parameters.get(parameter);
      if (found === undefined) return [];
      const names =
        parameter === "pcmk_host_list"
          ? parseHostList(found.value)
          : hostMapEntries(found.value).map(([name]) => name);
      // What stands in a template or a set of several devices is told once.
      const at = index.get(found.id ?? "") ?? xml;
      return names
        .filter((name) => !folded.has(name.toLowerCase()) && !told.has(`${found.id} ${name}`))
        .map((name) => {
          told.add(`${found.id} ${name}`);
          // One that is named already was not meant.
          const near = nearest(
            name,
            known.filter((node) => !names.includes(node)),
          );
          const text = `${parameter} of fence device "${idOf(xml)}" names node "${name}", which is not configured`;
          const cure =
            near === undefined ? "correct the name, or let the node join" : `did you mean "${near}"?`;
          return problemAt(at, "warning", "UNKNOWN_NODE", text, cure);
        });
    }),
  );
}

/** In a map a comma stands between ports of one node: a node after it is taken for a port of the one before. */
function joinedHosts(devices: readonly Settled[], configuration: XmlElement): CibProblem[] {
  const nodes = nodeNames(configuration);
  const index = indexById(configuration);
  return devices.flatMap(({ xml, parameters }) => {
    const map = parameters.get("pcmk_host_map");
    return hostMapEntries(map?.value).flatMap(([name, value]) => {
      const [, ...more] = value.split(",").map((word) => word.split(/[:=]/)[0] ?? "");
      const node = more.find((word) => nodes.includes(word));
      if (node === undefined) return [];
      const text = `pcmk_host_map of fence device "${idOf(xml)}" has "${name}:${value}": node "${node}" is taken for a port of ${name}`;
      const cure = `separate nodes by semicolons: ${name}:PORT;${node}:PORT`;
      return [problemAt(index.get(map?.id ?? "") ?? xml, "warning", "UNKNOWN_NODE", text, cure)];
    });
  });
}

/** Within less no device has done anything: its agent has hardly begun. */
const shortestMs = 2000;

/** Times that leave no fencing the chance to succeed, such as those whose unit was mistaken. */
function shortTimes(devices: readonly Settled[], configuration: XmlElement): CibProblem[] {
  const index = indexById(configuration);
  const told = new Set<string>();
  const short = (at: XmlElement, name: string, value: string, whose: string): CibProblem[] => {
    const ms = parseIntervalMs(value);
    if (ms === undefined || ms >= shortestMs || told.has(`${at.line} ${whose}`)) return [];
    told.add(`${at.line} ${whose}`);
    const instead = whose === "" ? "the default of 60s" : "the cluster's fencing-timeout";
    const effect =
      ms === 0
        ? `is no time to wait: ${instead} counts`
        : "is less than any device takes: every fencing fails";
    const text = `${name}="${value}"${whose} ${effect}`;
    return [problemAt(at, "warning", "NO_TIME", text, "write what a device needs at most, such as 60s")];
  };
  const pairs = childrenOf(child(configuration, "crm_config"), "cluster_property_set").flatMap((set) =>
    childrenOf(set, "nvpair"),
  );
  return [
    ...pairs
      .filter(({ attributes }) => timeNames.has(attributes.get("name") ?? ""))
      .flatMap((pair) =>
        short(pair, pair.attributes.get("name") ?? "", pair.attributes.get("value") ?? "", ""),
      ),
    ...devices.flatMap(({ xml, parameters }) =>
      [...parameters]
        .filter(([name]) => /^pcmk_(?:off|reboot|on)_timeout$/.test(name))
        .flatMap(([name, { id, value }]) =>
          short(index.get(id ?? "") ?? xml, name, value, ` of fence device "${idOf(xml)}"`),
        ),
    ),
  ];
}

/** Times of devices that are not read as they look. */
function oddTimes(devices: readonly Settled[], configuration: XmlElement): CibProblem[] {
  const index = indexById(configuration);
  return devices.flatMap(({ xml, parameters }) =>
    [...parameters]
      .filter(([name]) => /^pcmk_(?:\w+_timeout|delay_\w+)$/.test(name))
      .flatMap(([name, { id, value }]) =>
        lengthProblems(index.get(id ?? "") ?? xml, name, value, `fence device "${idOf(xml)}"`),
      ),
  );
}

/** `stonith-timeout` under all its names. */
const timeNames: ReadonlySet<string> = new Set(["fencing-timeout", "stonith-timeout", "stonith_timeout"]);

/** A device that shall be stopped is none for the fencer: a level that needs it always fails. */
function stoppedDevices(devices: readonly Settled[], configuration: XmlElement): CibProblem[] {
  const stopped = new Map(
    devices
      .filter(({ meta, containers }) =>
        [meta, ...containers.map((one) => unpackNvpairs([one], "meta_attributes", { now: 0 }).values)].some(
          (values) => values.get("target-role")?.value.toLowerCase() === "stopped",
        ),
      )
      .map(({ xml }) => [idOf(xml), xml] as const),
  );
  return childrenOf(child(configuration, "fencing-topology"), "fencing-level").flatMap((level) =>
    (level.attributes.get("devices") ?? "")
      .split(",")
      .map((id) => id.trim())
      .filter((id) => stopped.has(id))
      .map((id) => {
        const [target] = ["target", "target-pattern", "target-attribute"].flatMap(
          (name) => level.attributes.get(name) ?? [],
        );
        const text = `the fencing topology (${target ?? "?"}, level ${level.attributes.get("index") ?? "?"}) names device "${id}", which is stopped (target-role): the level always fails`;
        const cure = `start it ('hactl resource start ${id}'), or take it out of the level`;
        return problemAt(level, "warning", "DEVICE_STOPPED", text, cure);
      }),
  );
}
