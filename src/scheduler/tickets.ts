import type { XmlElement } from "../cib/index.ts";
import { INFINITY, nodeName } from "../terms/index.ts";
import { fenceNode } from "./actions.ts";
import { constraintResource, ignoredFor, membersOf, setsOf } from "./constraint-sets.ts";
import { parseRole, Role } from "./flags.ts";
import { noteScores } from "./ledger.ts";
import type { Cluster, Resource, Ticket, TicketDependency } from "./model.ts";
import { addPlaceScore } from "./places.ts";
import type { Unpacker } from "./unpacker.ts";

/** Reads `rsc_ticket`: resources that need a ticket of the site, and what happens when it is lost. */
export function unpackTicketConstraint(unpacker: Unpacker, xml: XmlElement): void {
  const { cluster } = unpacker;
  const id = xml.attributes.get("id") ?? "";
  const name = xml.attributes.get("ticket");
  if (name === undefined) {
    cluster.error(`Ignoring constraint "${id}" because it names no ticket`, id);
    return;
  }
  const ticket = ticketOf(cluster, name);
  const policy = xml.attributes.get("loss-policy");
  const sets = setsOf(unpacker, xml);
  for (const set of sets) {
    const { known, complete } = membersOf(unpacker, set);
    for (const rsc of known) depend(cluster, id, rsc, ticket, set.attributes.get("role"), policy);
    if (!complete) return;
  }
  if (sets.length > 0) return;
  const rsc = constraintResource(cluster, xml.attributes.get("rsc"));
  if (rsc) depend(cluster, id, rsc, ticket, xml.attributes.get("rsc-role"), policy);
  else cluster.error(ignoredFor(cluster, id, xml.attributes.get("rsc")), id);
}

function ticketOf(cluster: Cluster, id: string): Ticket {
  let ticket = cluster.tickets.get(id);
  if (!ticket) {
    ticket = { id, granted: false, standby: false, lastGranted: undefined, state: new Map() };
    cluster.tickets.set(id, ticket);
  }
  return ticket;
}

function depend(
  cluster: Cluster,
  id: string,
  rsc: Resource,
  ticket: Ticket,
  roleText: string | undefined,
  policyText: string | undefined,
): void {
  const parsed = parseRole(roleText);
  const role = parsed === Role.Started ? Role.Unknown : parsed;
  const dependency: TicketDependency = {
    id,
    ticket,
    role,
    lossPolicy: lossPolicy(cluster, id, role, policyText),
  };
  rsc.tickets.push(dependency);
  if (!ticket.granted || ticket.standby) enforce(cluster, rsc, dependency);
}

function lossPolicy(
  cluster: Cluster,
  id: string,
  role: Role,
  text: string | undefined,
): TicketDependency["lossPolicy"] {
  switch (text?.toLowerCase()) {
    case "fence":
      if (cluster.options.fencingEnabled) return "fence";
      cluster.error(
        `Resetting loss-policy of ticket constraint "${id}" to stop because fencing is disabled`,
        id,
      );
      return "stop";
    case "freeze":
      return "freeze";
    case "demote":
      return "demote";
    case "stop":
      return "stop";
    default:
      return role === Role.Promoted ? "demote" : "stop";
  }
}

function enforce(cluster: Cluster, rsc: Resource, dependency: TicketDependency): void {
  if (rsc.children.length > 0) {
    for (const part of rsc.children) enforce(cluster, part, dependency);
    return;
  }
  const { ticket, role, lossPolicy: policy } = dependency;
  const ban = () => {
    addPlaceScore(cluster, rsc, undefined, -INFINITY);
    const text = `ticket ${ticket.id} is ${ticket.granted ? "in standby" : "not granted"}`;
    noteScores(cluster, rsc, { source: "ticket", id: dependency.id, text }, () => -INFINITY);
    cluster.reason({ rsc: rsc.id, source: "ticket", id: dependency.id, text });
  };
  const matches = role === Role.Unknown || role === rsc.role;
  if (ticket.granted || rsc.runningOn.length === 0) {
    if (role !== Role.Promoted || policy === "stop") ban();
    return;
  }
  switch (policy) {
    case "stop":
      ban();
      return;
    case "demote":
      // For the promoted role the promotion score says no; the instance itself may stay.
      if (role !== Role.Promoted) ban();
      return;
    case "fence":
      if (!matches) return;
      ban();
      for (const node of rsc.runningOn) {
        fenceNode(cluster, node, "deadman ticket was lost", false);
        cluster.reason({
          rsc: rsc.id,
          node: nodeName(node.name),
          source: "ticket",
          id: dependency.id,
          text: `${node.name} is fenced because ticket ${ticket.id} was lost`,
        });
      }
      return;
    case "freeze":
      if (!matches) return;
      rsc.managed = false;
      rsc.blocked = true;
      return;
  }
}
