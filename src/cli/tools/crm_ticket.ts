import {
  type CibOperation,
  child,
  childrenOf,
  element,
  formatXml,
  refuseBadTicketValue,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type Answer, type AnsweringTool, flag, type Message, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { writeError } from "../output.ts";
import { noSuch, usage } from "./connection.ts";
import { dateText } from "./dates.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
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
  runTool(tool, words, (given, answer) => CibSession.with((session) => work(given, session, answer)));

const tool: AnsweringTool = { name: "crm_ticket", purpose: "See, grant and revoke tickets.", options };

async function work(given: ParsedWords, session: CibSession, answer: Answer): Promise<number> {
  const id = given.value("ticket");
  const states = await ticketStates(session);
  const state = states.find(({ attributes }) => attributes.get("id") === id);
  const changes = changesOf(given, state);
  if (changes !== undefined || given.has("cleanup")) {
    if (id === undefined) throw usage("crm_ticket", "Must supply a ticket ID with -t");
    await change(given, session, id, state, changes);
    if (given.has("cleanup") && answer.format === "text") writeError(`Cleaned up ${id}\n`);
    return CrmExit.OK;
  }
  const shown = id === undefined ? states : states.filter((one) => one === state);
  const found = await asked(given, session, id, shown);
  if (found === undefined) return CrmExit.NOSUCH;
  answer.say(found);
  return CrmExit.OK;
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
    else {
      refuseBadTicketValue(id, name, value);
      attributes.set(name, value);
    }
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
}

/** What was asked for; nothing when a ticket has no such attribute. */
async function asked(
  given: ParsedWords,
  session: CibSession,
  id: string | undefined,
  states: readonly XmlElement[],
): Promise<Message | undefined> {
  const attribute = given.value("get-attr");
  if (attribute !== undefined) {
    const value = states[0]?.attributes.get(attribute) ?? given.value("default");
    return value === undefined ? undefined : attributeMessage(id ?? "", attribute, value);
  }
  if (given.has("constraints")) return constraints(session, id);
  if (given.has("query-xml")) {
    if (states.length === 0) throw noSuch("Could not query ticket XML: No such device or address");
    return stateMessage(states);
  }
  const raw = given.has("raw");
  const details = given.has("details");
  return {
    text: () =>
      states.length === 0
        ? undefined
        : states
            .map((state) => (raw ? (state.attributes.get("id") ?? "") : stateLine(state, details)))
            .join("\n"),
    xml: () => [element("tickets", {}, states.map(ticketElement))],
    since,
  };
}

/** The version of the schemas that first had this tool. */
const since = "2.35";

const attributeMessage = (id: string, name: string, value: string): Message => ({
  text: () => value,
  xml: () => [element("tickets", {}, [element("ticket", { id }, [element("attribute", { name, value })])])],
  since,
});

/** The states as the CIB has them. */
const stateMessage = (states: readonly XmlElement[]): Message => ({
  text: () => states.map((state) => `State XML:\n\n${formatXml(state)}`.trimEnd()).join("\n"),
  xml: () => [
    element(
      "tickets",
      {},
      states.map(({ attributes }) => ({ name: "ticket", attributes, children: [] })),
    ),
  ],
  since,
});

/** A ticket with what its state means beside what the state says. */
function ticketElement({ attributes }: XmlElement): XmlElement {
  const { id, "last-granted": last, expires: _, ...others } = Object.fromEntries(attributes);
  return element("ticket", {
    id,
    status: yes(attributes.get("granted")) ? "granted" : "revoked",
    standby: flag(yes(attributes.get("standby"))),
    "last-granted": last === undefined ? undefined : dateText(Number(last)),
    ...others,
  });
}

/** What a constraint is about: a resource, or those of its sets. */
const resourcesOf = (constraint: XmlElement): string[] => [
  ...(constraint.attributes.get("rsc") ?? "").split(" ").filter((id) => id !== ""),
  ...childrenOf(constraint, "resource_set")
    .flatMap((set) => childrenOf(set, "resource_ref"))
    .flatMap((one) => one.attributes.get("id") ?? []),
];

async function constraints(session: CibSession, id: string | undefined): Promise<Message> {
  const all = childrenOf(child(await session.configuration(), "constraints"), "rsc_ticket").filter(
    ({ attributes }) => id === undefined || attributes.get("ticket") === id,
  );
  if (all.length === 0) throw noSuch("Could not show ticket constraints: No such device or address");
  const tickets = new Set(all.flatMap((one) => one.attributes.get("ticket") ?? []));
  const resources = new Set(all.flatMap(resourcesOf));
  return {
    text: () => `Constraints XML:\n\n${all.map((one) => formatXml(one).trimEnd()).join("\n")}`,
    xml: () => [
      element(
        "tickets",
        {},
        [...tickets].map((ticket) => {
          const own = all.filter(({ attributes }) => attributes.get("ticket") === ticket);
          return element("ticket", { id: ticket }, [element("constraints", {}, own)]);
        }),
      ),
      element(
        "resources",
        {},
        [...resources].map((id) => element("resource", { id })),
      ),
    ],
    since,
  };
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
