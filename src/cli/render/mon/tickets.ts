import { element } from "../../../cib/index.ts";
import type { Ticket } from "../../../scheduler/index.ts";
import { type ApiVersion, flag, type Message } from "../../answer/index.ts";
import { formatCtime } from "../dates.ts";
import { line } from "../outline.ts";
import type { ClusterView } from "./view.ts";

/** "Tickets", those too that only a constraint names. */
export function ticketSection({ cluster }: ClusterView): Message {
  const tickets = [...cluster.tickets.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    outline: () =>
      tickets.length === 0
        ? []
        : [{ text: "Tickets:", children: tickets.map((ticket) => line(ticketText(ticket))) }],
    xml: (api) =>
      tickets.length === 0
        ? []
        : [
            element(
              "tickets",
              {},
              tickets.map((ticket) => ticketElement(ticket, api)),
            ),
          ],
  };
}

const stateOf = ({ granted }: Ticket): string => (granted ? "granted" : "revoked");

function ticketText(ticket: Ticket): string {
  const { id, standby, lastGranted } = ticket;
  const last = lastGranted === undefined ? "" : ` last-granted="${formatCtime(lastGranted)}"`;
  return `${id}\t${stateOf(ticket)}${standby ? " [standby]" : ""}${last}`;
}

/** A ticket; versions from 2.35 on tell all that is recorded of it. */
export function ticketElement(ticket: Ticket, api: ApiVersion) {
  const { id, standby, lastGranted, state } = ticket;
  const known = new Set(["id", "granted", "standby", "last-granted", "expires"]);
  const more = api.atLeast("2.35") ? [...state].filter(([name]) => !known.has(name)) : [];
  return element("ticket", {
    id,
    status: stateOf(ticket),
    standby: flag(standby),
    "last-granted": lastGranted === undefined ? undefined : formatCtime(lastGranted),
    ...Object.fromEntries(more),
  });
}
