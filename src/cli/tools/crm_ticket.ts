import {
  type CibOperation,
  child,
  childrenOf,
  element,
  formatXml,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { CibSession } from "../cib-session.ts";
import { writeError } from "../output.ts";
import { asTool, line, noSuch, usage, write } from "./connection.ts";
import { dateText } from "./dates.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "info", short: "l", description: "the tickets and whether they are granted" },
  { name: "details", short: "L", description: "the same with all attributes" },
  { name: "raw", short: "w", description: "ids of the tickets" },
  { name: "query-xml", short: "q", description: "the state as XML" },
  { name: "constraints", short: "c", description: "the rsc_ticket constraints" },
  { name: "grant", short: "g", description: "grant it to this cluster (with --force)" },
  { name: "revoke", short: "r", description: "revoke it from this cluster (with --force)" },
  { name: "standby", short: "s", description: "stop or demote what depends on it, without loss-policy" },
  { name: "activate", short: "a", description: "end that" },
  { name: "get-attr", short: "G", value: "NAME", description: "print an attribute" },
  { name: "set-attr", short: "S", value: "NAME", description: "set an attribute to the value of -v" },
  { name: "delete-attr", short: "D", value: "NAME", description: "remove an attribute" },
  { name: "cleanup", short: "C", description: "forget everything about it" },
  { name: "attr-value", short: "v", value: "VALUE", description: "value for -S" },
  { name: "default", short: "d", value: "VALUE", description: "print this when -G finds nothing" },
  { name: "force", short: "f", description: "yes, I mean it" },
  { name: "ticket", short: "t", value: "ID", description: "the ticket" },
  { name: "quiet", short: "Q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_ticket(8): tickets of a multi-site cluster. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("crm_ticket", "See, grant and revoke tickets.", table, words, () =>
    CibSession.with((session) => work(parseWords("crm_ticket", table, words), session)),
  );

async function work(given: ParsedWords, session: CibSession): Promise<number> {
  const id = given.value("ticket");
  const states = await ticketStates(session);
  const state = states.find(({ attributes }) => attributes.get("id") === id);
  const changes = changesOf(given, state);
  if (changes !== undefined || given.has("cleanup")) {
    if (id === undefined) throw usage("crm_ticket", "Must supply a ticket ID with -t");
    await change(given, session, id, state, changes);
    return CrmExit.OK;
  }
  const shown = id === undefined ? states : states.filter((one) => one === state);
  return show(given, session, id, shown);
}

async function ticketStates(session: CibSession): Promise<XmlElement[]> {
  return childrenOf(child(child(await session.cib(), "status"), "tickets"), "ticket_state");
}

/** Attributes to set, with `undefined` to remove; nothing when only looking was asked for. */
function changesOf(
  given: ParsedWords,
  state: XmlElement | undefined,
): ReadonlyMap<string, string | undefined> | undefined {
  const changes = new Map<string, string | undefined>();
  if (given.has("grant")) {
    changes.set("granted", "true");
    if (state?.attributes.get("granted") !== "true")
      changes.set("last-granted", String(Math.floor(Date.now() / 1000)));
  }
  if (given.has("revoke")) changes.set("granted", "false");
  if (given.has("standby")) changes.set("standby", "true");
  if (given.has("activate")) changes.set("standby", "false");
  const name = given.value("set-attr");
  if (name !== undefined) {
    const value = given.value("attr-value");
    if (value === undefined) throw usage("crm_ticket", "Must supply attribute value with -v");
    changes.set(name, value);
  }
  for (const gone of given.values("delete-attr")) changes.set(gone, undefined);
  return changes.size > 0 ? changes : undefined;
}

async function change(
  given: ParsedWords,
  session: CibSession,
  id: string,
  state: XmlElement | undefined,
  changes: ReadonlyMap<string, string | undefined> | undefined,
): Promise<void> {
  const risky = given.has("grant") || given.has("revoke") || changes?.has("granted");
  if (risky && !given.has("force")) {
    throw new HactlError({
      code: "UNSAFE",
      what: `Ticket modification not allowed: nothing here knows whether another site holds "${id}"`,
      cure: "let the booth decide, or say it with --force",
      exit: CrmExit.INSUFFICIENT_PRIV,
    });
  }
  const operations: CibOperation[] = [];
  const attributes = new Map(state?.attributes ?? [["id", id]]);
  for (const [name, value] of changes ?? []) {
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }
  const tickets = (await ticketStates(session)).filter((one) => one !== state);
  const fresh = given.has("cleanup") ? [] : [{ name: "ticket_state", attributes, children: [] }];
  const section = element("tickets", {}, [...tickets, ...fresh]);
  const present = child(child(await session.cib(), "status"), "tickets") !== undefined;
  operations.push(
    present
      ? { op: "replace", xpath: "/cib/status/tickets", xml: formatXml(section, -1) }
      : { op: "create", xpath: "/cib/status", xml: formatXml(section, -1) },
  );
  await session.apply(operations, "crm_ticket");
  if (given.has("cleanup")) writeError(`Cleaned up ${id}\n`);
}

async function show(
  given: ParsedWords,
  session: CibSession,
  id: string | undefined,
  states: readonly XmlElement[],
): Promise<number> {
  const attribute = given.value("get-attr");
  if (attribute !== undefined) {
    const value = states[0]?.attributes.get(attribute) ?? given.value("default");
    if (value === undefined) return CrmExit.NOSUCH;
    line(value);
    return CrmExit.OK;
  }
  if (given.has("constraints")) return constraints(session, id);
  if (given.has("query-xml")) {
    if (states.length === 0) throw noSuch("Could not query ticket XML: No such device or address");
    for (const state of states) write(`State XML:\n\n${formatXml(state)}`.replace(/\n?$/, "\n"));
    return CrmExit.OK;
  }
  for (const state of states)
    line(given.has("raw") ? (state.attributes.get("id") ?? "") : stateLine(state, given.has("details")));
  return CrmExit.OK;
}

async function constraints(session: CibSession, id: string | undefined): Promise<number> {
  const all = childrenOf(child(await session.configuration(), "constraints"), "rsc_ticket").filter(
    ({ attributes }) => id === undefined || attributes.get("ticket") === id,
  );
  if (all.length === 0) throw noSuch("Could not show ticket constraints: No such device or address");
  write("Constraints XML:\n\n");
  for (const one of all) write(formatXml(one).replace(/\n?$/, "\n"));
  return CrmExit.OK;
}

const yes = (text: string | undefined) => /^(?:true|yes|on|y|1)$/i.test(text ?? "");

function stateLine({ attributes }: XmlElement, details: boolean): string {
  const granted = yes(attributes.get("granted")) ? "granted" : "revoked";
  const standby = yes(attributes.get("standby")) ? "[standby]" : "         ";
  const last = attributes.get("last-granted");
  const text = (name: string, value: string) =>
    name === "last-granted" ? `${name}='${dateText(Number(value))}'` : `${name}=${value}`;
  const facts = details
    ? [...attributes]
        .filter(([name]) => name !== "id")
        .map(([name, value]) => text(name, value))
        .join(", ")
    : "";
  const end = details ? ` (${facts})` : last === undefined ? "" : ` ${text("last-granted", last)}`;
  return `${attributes.get("id")}\t${granted} ${standby}${end}`.trimEnd();
}
