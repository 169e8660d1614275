import type { Membership } from "../../src/controller/index.ts";
import { decodeMessage } from "../../src/controller/message-parse.ts";
import type { ExecutorSnapshot } from "../../src/executor/index.ts";
import type { FenceRequest } from "../../src/fencer/index.ts";
import type { Transition } from "../../src/scheduler/index.ts";
import { Violation } from "../sim/violation.ts";
import { type AgentCall, serviceOf } from "./agents.ts";
import type { Host } from "./host.ts";
import type { ManagerProcess } from "./manager-process.ts";
import type { World } from "./world.ts";

/** An executor that cannot tell all has told so to the leader after this time. */
const TOLD_MS = 2000;

const ACTIONS = '{"type":"actions"';

/** What an agent was made to do. */
export interface Deed {
  readonly at: number;
  readonly host: Host;
  readonly call: AgentCall;
}

/** Looks from outside, after every step, whether a resource has two owners, or might have. */
export class Watch {
  /** Everything that agents were made to do but to look. */
  readonly deeds: Deed[] = [];
  readonly fencings: FenceRequest[] = [];
  transitions = 0;
  memberships = 0;
  /** When somebody heard of a membership last. */
  membershipAt = 0;
  /** When something happened last that was not a mere look. */
  lastActivity = 0;
  /** Until then something may have happened that nobody has seen yet. */
  seenAt = 0;
  /** What ran on a host whose power failed; until it is fenced, or tells that it was rebooted. */
  private readonly lostWith = new Map<Host, Set<string>>();
  /** Hosts whose executor could not tell all, since when, and what has been looked for there since. */
  private readonly gaps = new Map<Host, { readonly since: number; readonly probed: Set<string> }>();

  constructor(private readonly world: World) {}

  /** At most one owner, at any moment, on all hosts that have power. */
  serviceChanged(_host: Host, instance: string): void {
    const { promoted } = this.world.plan.expectations;
    const service = serviceOf(instance);
    const active = this.world.active(service);
    if (this.isSingle(service) && active.length > 1)
      this.broken("one-owner", `${instance} is active on ${names(active.map(({ host }) => host))}`);
    const most = promoted[service];
    if (most === undefined) return;
    const owners = active.filter(({ role }) => role === "promoted").map(({ host }) => host);
    if (owners.length > most) this.broken("one-owner", `${instance} is promoted on ${names(owners)}`);
  }

  executorStarted(host: Host, complete: boolean, snapshot: ExecutorSnapshot | undefined): void {
    if (complete) {
      this.gaps.delete(host);
      return;
    }
    const known = new Set(snapshot?.results.map(({ rsc }) => String(rsc.id)));
    this.gaps.set(host, { since: this.world.clock.now, probed: known });
  }

  agentStarted(host: Host, call: AgentCall): void {
    const { action, recurring, instance, params } = call;
    if (action === "monitor") {
      if (!recurring) this.gaps.get(host)?.probed.add(serviceOf(instance));
      return;
    }
    // What was ended there does not run there.
    if (action === "stop") this.gaps.get(host)?.probed.add(serviceOf(instance));
    const { clock } = this.world;
    this.checkOrders(host, call);
    this.lastActivity = clock.now;
    const of = [...params]
      .filter(([name]) => name === "CRM_meta_migrate_target")
      .map(([, to]) => ` to ${to}`);
    this.world.trace(`${host.name}: ${action} ${instance}${of.join("")}`);
    this.deeds.push({ at: clock.now, host, call });
  }

  /** What an action waits for is over, and has been done. */
  private checkOrders(host: Host, { action, instance }: AgentCall): void {
    for (const { first, next } of this.world.plan.expectations.orders) {
      if (next.action !== action || next.rsc !== serviceOf(instance)) continue;
      const what = `${action} of ${instance} on ${host.name} has begun`;
      const at = this.world.hosts.find(({ agents }) =>
        [...agents].some(({ call }) => call.action === first.action && call.instance === first.rsc),
      );
      if (at)
        this.broken("order", `${what} while ${first.action} of ${first.rsc} is under way on ${at.name}`);
      if (this.world.clock.now < this.seenAt) continue;
      const active = this.world.active(first.rsc);
      const done = active.some(({ role }) => first.action === "start" || role === "promoted");
      if (!done) this.broken("order", `${what} without ${first.action} of ${first.rsc} anywhere`);
    }
  }

  /** A manager gives out actions: nobody else may still own what they make active. */
  said(manager: ManagerProcess, payload: Uint8Array): void {
    if (new TextDecoder().decode(payload.subarray(1, 1 + ACTIONS.length)) !== ACTIONS) return;
    const decoded = decodeMessage(payload);
    if (!("message" in decoded) || decoded.message.type !== "actions") return;
    const { message } = decoded;
    for (const { node, executor, operation } of message.dispatches) {
      const { action, rsc } = operation;
      // A cancel that nobody hears is given again when what goes on is told.
      if (action !== "cancel" && !manager.takesPart(executor))
        this.broken("given", `${action} of ${rsc.id} is given to ${executor}, whose manager is not there`);
      if (this.isExclusive(rsc.id, action)) this.checkOwners(manager, rsc.id, action, node);
    }
  }

  membership(host: Host, membership: Membership): void {
    this.memberships++;
    this.membershipAt = this.world.clock.now;
    this.lastActivity = this.world.clock.now;
    const { members, participants, quorate } = membership;
    // Who takes part with somebody tells what runs there, and leaves in order if at all.
    for (const { nodeId, incarnation } of participants)
      for (const [other, daemon] of this.world.daemons)
        if (other !== host && daemon.alive && daemon.id === nodeId && daemon.incarnation === incarnation)
          this.lostWith.delete(other);
    this.world.trace(
      `${host.name}: members ${members.join(" ")}, managers of ${participants.map(({ nodeId }) => nodeId).join(" ")}${quorate ? "" : ", no quorum"}`,
    );
  }

  decided(host: Host, { actions, fencing }: Transition): void {
    this.transitions++;
    if (actions.length === 0) return;
    this.lastActivity = this.world.clock.now;
    this.world.trace(
      `${host.name} decides: ${actions
        .filter(({ kind }) => kind !== "pseudo")
        .map(({ key, node }) => `${key}@${node}`)
        .join(" ")}${fencing.map(({ node, reason }) => ` fence ${node}: ${reason}`).join(";")}`,
    );
  }

  /** Something has happened that the cluster sees only after that time. */
  unseenFor(ms: number): void {
    this.seenAt = Math.max(this.seenAt, this.world.clock.now + ms);
  }

  fencingAsked(request: FenceRequest): void {
    this.lastActivity = this.world.clock.now;
    this.fencings.push(request);
  }

  managerDied(_manager: ManagerProcess): void {
    this.lastActivity = this.world.clock.now;
  }

  /** A host's power is about to fail without anybody being told. */
  crashes(host: Host, withAll: readonly Host[]): void {
    const lost = this.lostWith.get(host) ?? new Set();
    for (const { services, agents } of withAll) {
      for (const [instance, role] of services) {
        lost.add(serviceOf(instance));
        if (role === "promoted") lost.add(`${serviceOf(instance)} promoted`);
      }
      for (const { call } of agents) {
        if (call.action === "start") lost.add(serviceOf(call.instance));
        if (call.action === "promote") lost.add(`${serviceOf(call.instance)} promoted`);
      }
    }
    this.lostWith.set(host, lost);
  }

  /** The switch has cut a host's power, or it has told what runs there. */
  certain(host: Host): void {
    this.lostWith.delete(host);
  }

  hostOff(host: Host): void {
    this.gaps.delete(host);
    this.lastActivity = this.world.clock.now;
  }

  broken(invariant: string, text: string): never {
    throw new Violation(invariant, `${text} (at ${(this.world.clock.now / 1000).toFixed(3)} s)`);
  }

  /** Whether an action makes somebody the only owner of a resource. */
  private isExclusive(rsc: string, action: string): boolean {
    const { promoted } = this.world.plan.expectations;
    if (action === "promote") return promoted[rsc] === 1;
    return ["start", "migrate_to", "migrate_from"].includes(action) && this.isSingle(rsc);
  }

  private isSingle(rsc: string): boolean {
    return this.world.plan.expectations.single.includes(rsc) || this.world.extras.has(rsc);
  }

  private mayRun(rsc: string, { name, kind }: Host): boolean {
    if (kind !== "node" && this.world.plan.expectations.carriers?.includes(rsc)) return false;
    const inside = Object.entries(this.world.plan.expectations.inside ?? {});
    const within = inside.find(([, hosts]) => hosts.includes(name));
    const only = inside.find(([id]) => id === rsc);
    return within === only;
  }

  private checkOwners(manager: ManagerProcess, rsc: string, action: string, on: string): void {
    const { clock } = this.world;
    for (const host of this.world.hosts) {
      if (host.name === on) continue;
      const present = this.world.hears(manager, host);
      if (present && host.kind === "node") this.lostWith.delete(host);
      if (this.lostWith.get(host)?.has(action === "promote" ? `${rsc} promoted` : rsc))
        this.broken(
          "evidence",
          `${action} ${rsc} on ${on}, but ${host.name}, where it was, is not known to be off`,
        );
      const gap = this.gaps.get(host);
      if (!this.mayRun(rsc, host)) continue;
      const told = gap !== undefined && clock.now - gap.since > TOLD_MS && present;
      if (told && !gap.probed.has(rsc))
        this.broken("evidence", `${action} ${rsc} on ${on}, but nobody has looked for it on ${host.name}`);
    }
  }
}

const names = (hosts: readonly Host[]): string => hosts.map(({ name }) => name).join(" and ");
