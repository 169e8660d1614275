import type { Command } from "../../src/executor/index.ts";
import { nodeName, OcfExit, type ResourceId, resourceId, withoutInstance } from "../../src/terms/index.ts";
import type { Host } from "./host.ts";

/** How an agent was called. */
export interface AgentCall {
  /** The resource as the executor knows it. */
  readonly rsc: ResourceId;
  readonly instance: string;
  readonly type: string;
  readonly action: string;
  readonly recurring: boolean;
  readonly params: ReadonlyMap<string, string>;
}

/** What an agent will do. */
export interface AgentPlan {
  readonly actsAfterMs: number;
  readonly takesMs: number;
  /** Exit code unless acting says otherwise. */
  readonly code: number;
  readonly act: () => number | undefined;
}

const prefix = "OCF_RESKEY_";

/** The service that an instance is, whatever it was edited to. */
export const serviceOf = (instance: string): string => instance.replace(/@.*$/, "");

/** Reads what the executor's command says; its label begins with the resource. */
export function callOf(command: Command, label: string): AgentCall {
  const { env, args } = command;
  const params = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
  );
  const rsc = label.split(" ")[0] ?? "";
  const type = env.OCF_RESOURCE_TYPE ?? "";
  // With another agent, or other parameters, it does not see what runs as it was before.
  const edited = [...(type.startsWith("Other") ? ["other"] : []), env.OCF_RESKEY_conf ?? []].flat();
  return {
    rsc: resourceId(rsc),
    instance: [env.OCF_RESOURCE_INSTANCE ?? rsc, ...edited].join("@"),
    type,
    action: args.at(-1) ?? "",
    recurring: !label.endsWith("_0"),
    params: new Map(params),
  };
}

/** Time that actions take, milliseconds: mostly little. */
const takes: Readonly<Record<string, readonly [number, number]>> = {
  monitor: [5, 60],
  notify: [5, 40],
  start: [20, 1500],
  stop: [20, 1000],
  promote: [50, 2000],
  demote: [30, 1000],
  migrate_to: [200, 3000],
  migrate_from: [10, 200],
};

/** Plans a run of an agent by OCF's rules; `unreliable`: how often actions fail. */
export function planOf(host: Host, call: AgentCall, unreliable: number): AgentPlan {
  const { random } = host.world;
  const [low, high] = takes[call.action] ?? [5, 50];
  const takesMs = random.chance(0.1) ? random.between(low, high * 3) : random.between(low, (low + high) / 2);
  const actsAfterMs = call.action === "monitor" ? takesMs : Math.floor(takesMs * random.unit());
  const act = actions[call.action];
  const plan = { takesMs, actsAfterMs, code: OcfExit.OK };
  // What it needs is missing, on every host: it cannot tell, nor end, anything.
  if (call.type === "Broken" && (call.action === "monitor" || call.action === "stop"))
    return { ...plan, act: () => OcfExit.GENERIC };
  if (!act) return { ...plan, act: () => undefined };
  if (call.action === "notify" || !random.chance(unreliable)) return { ...plan, act: () => act(host, call) };
  // A failed action may have done its work, or not; or it hangs, and its executor ends it.
  const done = random.chance(0.4);
  const hangs = random.chance(0.2);
  return {
    actsAfterMs,
    takesMs: hangs ? 10 * 60_000 : takesMs,
    code: OcfExit.GENERIC,
    act: () => {
      if (done && call.action !== "stop") act(host, call);
      return OcfExit.GENERIC;
    },
  };
}

type Act = (host: Host, call: AgentCall) => number;

const actions: Readonly<Record<string, Act>> = {
  monitor: (host, call) => {
    const role = host.services.get(call.instance);
    if (role === undefined) {
      // Where its container runs nowhere, a guest is not, either.
      const guest = guestOf(host, call);
      if (guest && host.world.hosts.every(({ services }) => !services.has(call.instance)))
        host.world.watch.certain(guest);
      return OcfExit.NOT_RUNNING;
    }
    if (!call.recurring) tellScore(host, call);
    return role === "promoted" ? OcfExit.RUNNING_PROMOTED : OcfExit.OK;
  },
  start: (host, call) => {
    if (!host.services.has(call.instance)) host.become(call.instance, "started");
    const guest = guestOf(host, call);
    if (guest && !guest.powered) host.world.guestOn(guest, host, call.instance);
    tellScore(host, call);
    return OcfExit.OK;
  },
  stop: (host, call) => {
    host.become(call.instance, undefined);
    const guest = guestOf(host, call);
    if (guest?.carrier === host) host.world.hostOff(guest);
    if (guest) host.world.watch.certain(guest);
    tellScore(host, call);
    return OcfExit.OK;
  },
  promote: (host, call) => {
    if (!host.services.has(call.instance)) return OcfExit.NOT_RUNNING;
    host.become(call.instance, "promoted");
    tellScore(host, call);
    return OcfExit.OK;
  },
  demote: (host, call) => {
    if (!host.services.has(call.instance)) return OcfExit.NOT_RUNNING;
    host.become(call.instance, "started");
    tellScore(host, call);
    return OcfExit.OK;
  },
  notify: () => OcfExit.OK,
  /** The service goes over to the other host at one moment, with all that it carries. */
  migrate_to: (host, call) => {
    const target = host.world.host(call.params.get("CRM_meta_migrate_target") ?? "");
    const role = host.services.get(call.instance);
    if (role === undefined) return OcfExit.NOT_RUNNING;
    if (!host.reaches(target) || target.services.has(call.instance)) return OcfExit.GENERIC;
    const guest = guestOf(host, call);
    if (guest) guest.carrier = target;
    host.become(call.instance, undefined);
    target.become(call.instance, role);
    return OcfExit.OK;
  },
  migrate_from: (host, call) => (host.services.has(call.instance) ? OcfExit.OK : OcfExit.NOT_RUNNING),
};

/** The guest that a resource is the container of: its parameter names it, or a bundle's replica is called like it. */
function guestOf(host: Host, { params, instance }: AgentCall): Host | undefined {
  const name =
    params.get("guest") ??
    instance
      .match(/^(.+)-podman(-\d+)$/)
      ?.slice(1)
      .join("");
  return name === undefined ? undefined : host.world.host(name);
}

/** Promotable agents say how well they like to be promoted, as ocf:pacemaker:Stateful does. */
function tellScore(host: Host, { type, instance }: AgentCall): void {
  if (!type.endsWith("Stateful")) return;
  const role = host.services.get(instance);
  const value = role === undefined ? undefined : String(role === "promoted" ? host.score + 20 : host.score);
  const name = `master-${withoutInstance(serviceOf(instance))}`;
  host.world.tool(host, [{ node: nodeName(host.name), name, value }]);
}
