import { child, childrenOf, compilePattern, element, type XmlElement } from "../cib/index.ts";
import { CrmExit, HactlError, INFINITY, type NodeName } from "../terms/index.ts";
import type { FenceDevice } from "./device.ts";
import type { Registered, RegisteredDevice, RegisteredLevel, Registration } from "./face.ts";
import { Rewind } from "./rewind.ts";

/** What one node may register, in characters: it travels as one message. */
const longestRegistered = 256 * 1024;

const nothing: Registered = { devices: [], levels: [] };

/**
 * Devices and levels that somebody has registered with the fencer of a node, beside the configuration. All fencers know
 * them; each is there as long as the fencer with which it was registered takes part, and no longer.
 */
export class Registry {
  /** What is registered here, with what has not come round yet. */
  private own = nothing;
  private readonly told = new Map<NodeName, Registered>();
  private readonly rewind = new Rewind(() => {
    const told = [...this.told];
    return () => {
      this.told.clear();
      for (const [node, registered] of told) this.told.set(node, registered);
    };
  });

  /** What is registered, by node, in the order of their names. */
  all(): ReadonlyMap<NodeName, Registered> {
    return new Map([...this.told].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Registers here, or takes back. @returns all that is registered here then, for the others */
  change(registration: Registration): Registered {
    this.own = changed(this.own, registration);
    return this.own;
  }

  /** What this node has to tell those who have just come; undefined: nothing. */
  toTell(): Registered | undefined {
    return this.own.devices.length + this.own.levels.length === 0 ? undefined : this.own;
  }

  /** A node tells all that is registered there. */
  take(from: NodeName, registered: Registered): void {
    this.rewind.touch();
    if (registered.devices.length + registered.levels.length === 0) this.told.delete(from);
    else this.told.set(from, registered);
  }

  /** With a fencer all ends that was registered with it. @returns nodes whose fencers are gone */
  keep(members: readonly NodeName[]): NodeName[] {
    const gone = [...this.told.keys()].filter((node) => !members.includes(node));
    if (gone.length > 0) this.rewind.touch();
    for (const node of gone) this.told.delete(node);
    return gone;
  }

  /** Where a level that names this device is registered, and for whom it was. */
  levelOf(
    target: NodeName,
    index: number,
    device: string,
  ): { readonly node: NodeName; readonly target: string } | undefined {
    for (const [node, { levels }] of this.all()) {
      const named = levels.filter((one) => one.index === index && one.devices.includes(device));
      const level =
        named.find((one) => one.target.toLowerCase() === target.toLowerCase()) ??
        named.find((one) => /^@|=/.test(one.target));
      if (level) return { node, target: level.target };
    }
    return undefined;
  }

  /** What of the levels that are registered keeps them from succeeding, for people. */
  remarks(devices: ReadonlyMap<string, FenceDevice>): string[] {
    return [...this.all()].flatMap(([node, { levels }]) =>
      levels.flatMap(({ target, index, devices: ids }) =>
        ids
          .filter((id) => !devices.has(id))
          .map(
            (id) =>
              `level ${index} of ${target}, which is registered on ${node}, names ${id}, which is no fence device: it fails; there, 'stonith_admin -d ${target} -i ${index}' takes it back`,
          ),
      ),
    );
  }

  /** Takes back what is told from now on. */
  savepoint(): () => void {
    return this.rewind.savepoint();
  }

  /**
   * Why something cannot be registered on this node, or taken back there; undefined when it can.
   * @param devices those in force, with those that are registered
   * @param hasLevel whether the configuration has a level
   */
  refusal(
    registration: Registration,
    self: NodeName,
    devices: ReadonlyMap<string, FenceDevice>,
    hasLevel: (target: string, index: number) => boolean,
  ): HactlError | undefined {
    switch (registration.what) {
      case "device":
        return this.deviceRefusal(registration.device, self, devices) ?? this.sizeRefusal(registration);
      case "no-device": {
        const { id } = registration;
        if (this.own.devices.some((one) => one.id === id)) return undefined;
        const device = devices.get(id);
        if (device && !device.registeredOn) return inConfiguration(`fence device ${id}`, "remove it there");
        return device && elsewhere(`fence device ${id}`, device.registeredOn ?? []);
      }
      case "level":
        return targetRefusal(registration.level.target) ?? this.sizeRefusal(registration);
      case "no-level": {
        const { target, index } = registration;
        const isMeant = (one: RegisteredLevel) =>
          one.target === target && (index === 0 || one.index === index);
        if (this.own.levels.some(isMeant)) return undefined;
        const what = index === 0 ? `a level for ${target}` : `level ${index} for ${target}`;
        if (hasLevel(target, index)) return inConfiguration(what, "remove it there");
        const others = [...this.all()].filter(
          ([node, { levels }]) => node !== self && levels.some((level) => isMeant(level)),
        );
        return others.length === 0
          ? undefined
          : elsewhere(
              what,
              others.map(([node]) => node),
            );
      }
    }
  }

  private deviceRefusal(
    device: RegisteredDevice,
    self: NodeName,
    devices: ReadonlyMap<string, FenceDevice>,
  ): HactlError | undefined {
    const known = devices.get(device.id);
    if (!known || isSame(device, known)) return undefined;
    if (!known.registeredOn)
      return inConfiguration(
        `fence device ${device.id}`,
        "change it there, or take another name",
        CrmExit.EXISTS,
      );
    const others = known.registeredOn.filter((node) => node !== self);
    if (others.length === 0) return undefined;
    return new HactlError({
      code: "REGISTERED",
      what: `another fence device ${device.id} is registered on ${others.join(", ")}`,
      cure: "take another name, or deregister it there",
      exit: CrmExit.EXISTS,
    });
  }

  private sizeRefusal(registration: Registration): HactlError | undefined {
    if (JSON.stringify(changed(this.own, registration)).length <= longestRegistered) return undefined;
    return new HactlError({
      code: "TOO_MUCH",
      what: "more is registered on this node than it can tell the others",
      cure: "put devices and levels in the configuration",
      exit: CrmExit.UNAVAILABLE,
    });
  }
}

function changed({ devices, levels }: Registered, registration: Registration): Registered {
  switch (registration.what) {
    case "device": {
      const { device } = registration;
      return { devices: [...devices.filter(({ id }) => id !== device.id), device], levels };
    }
    case "no-device":
      return { devices: devices.filter(({ id }) => id !== registration.id), levels };
    case "level": {
      const { level } = registration;
      const isSame = (one: RegisteredLevel) => one.target === level.target && one.index === level.index;
      const before = levels.find(isSame)?.devices ?? [];
      const whole = { ...level, devices: [...new Set([...before, ...level.devices])] };
      return { devices, levels: [...levels.filter((one) => !isSame(one)), whole] };
    }
    case "no-level": {
      const { target, index } = registration;
      const isMeant = (one: RegisteredLevel) => one.target === target && (index === 0 || one.index === index);
      return { devices, levels: levels.filter((one) => !isMeant(one)) };
    }
  }
}

/** A pattern has to be one, since whatever it is to match would have no level. */
function targetRefusal(target: string): HactlError | undefined {
  if (!target.startsWith("@")) return undefined;
  try {
    compilePattern(target.slice(1));
    return target === "@" ? badTarget(target) : undefined;
  } catch (error) {
    if (error instanceof HactlError) return badTarget(target);
    throw error;
  }
}

const badTarget = (target: string) =>
  new HactlError({
    code: "PATTERN",
    what: `"${target.slice(1)}" is no regular expression for names of nodes`,
    cure: "write for example @web[0-9]+, or a name without @",
    exit: CrmExit.USAGE,
  });

const inConfiguration = (what: string, cure: string, exit: CrmExit = CrmExit.ERROR): HactlError =>
  new HactlError({ code: "CONFIGURED", what: `the configuration has ${what}`, cure, exit });

const elsewhere = (what: string, nodes: readonly NodeName[]): HactlError =>
  new HactlError({
    code: "REGISTERED",
    what: `${what} is registered on ${nodes.join(", ")}, not here`,
    cure: "deregister it there",
    exit: CrmExit.NOSUCH,
  });

const isSame = (
  { agent, params }: RegisteredDevice,
  known: Pick<FenceDevice, "agent" | "params">,
): boolean => {
  const entries = Object.entries(params);
  return (
    agent === known.agent &&
    entries.length === known.params.size &&
    entries.every(([name, value]) => known.params.get(name) === value)
  );
};

/** A level as the configuration would have it: for a node, nodes that match a `@PATTERN`, or that have `ATTRIBUTE=VALUE`. */
export function levelElement({ target, index, devices }: RegisteredLevel): XmlElement {
  return element("fencing-level", { ...targetAttributes(target), index, devices: devices.join(",") });
}

/** Attributes by which a level in the configuration names its target. */
export function targetAttributes(target: string): Readonly<Record<string, string>> {
  if (target.startsWith("@")) return { "target-pattern": target.slice(1) };
  const equals = target.indexOf("=");
  if (equals < 1) return { target };
  return { "target-attribute": target.slice(0, equals), "target-value": target.slice(equals + 1) };
}

/** Whether a configuration has a level for a target, written so. @param index 0: any level */
export function hasLevel(configuration: XmlElement, target: string, index: number): boolean {
  const wanted = Object.entries(targetAttributes(target));
  return childrenOf(child(configuration, "fencing-topology"), "fencing-level").some(
    ({ attributes }) =>
      (index === 0 || Number(attributes.get("index")) === index) &&
      wanted.every(([name, value]) => attributes.get(name) === value),
  );
}

/** What somebody does, for the log: values of parameters may be secret. */
export function registrationText(registration: Registration): string {
  switch (registration.what) {
    case "device": {
      const { id, agent } = registration.device;
      return `registers fence device ${id} (${agent}) until the manager of this node ends`;
    }
    case "no-device":
      return `deregisters fence device ${registration.id}`;
    case "level": {
      const { target, index, devices } = registration.level;
      return `registers fencing level ${index} for ${target} (${devices.join(", ")}) until the manager of this node ends`;
    }
    case "no-level":
      return `deregisters fencing level ${registration.index || "1 to 9"} for ${registration.target}`;
  }
}

/** What is registered as devices beside those of the configuration, which count where a name is there twice. */
export function withRegistered(
  devices: ReadonlyMap<string, FenceDevice>,
  registered: ReadonlyMap<NodeName, Registered>,
  problems: string[],
): Map<string, FenceDevice> {
  const whole = new Map(devices);
  const nodes = new Map<string, NodeName[]>();
  for (const [node, { devices: own }] of registered)
    for (const device of own) {
      const { id } = device;
      const before = nodes.get(id);
      if (devices.has(id))
        problems.push(`fence device ${id}, registered on ${node}, is not used: the configuration has one`);
      else if (!before) {
        const on = [node];
        nodes.set(id, on);
        whole.set(id, registeredDevice(device, on));
      } else if (isSame(device, whole.get(id) ?? { agent: "", params: new Map() })) before.push(node);
      else
        problems.push(`fence device ${id}, registered on ${node}, is not used: ${before[0]} has another one`);
    }
  return whole;
}

const registeredDevice = (
  { id, agent, params }: RegisteredDevice,
  registeredOn: readonly NodeName[],
): FenceDevice => ({
  id,
  kind: agent.startsWith("external/") ? "external" : "fence-agent",
  agent,
  params: new Map(Object.entries(params)),
  disabled: undefined,
  unfencing: false,
  scoreOn: (node) => (registeredOn.includes(node) ? 0 : -INFINITY),
  registeredOn,
});
