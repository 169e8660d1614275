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
import { cibTarget } from "../target.ts";
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
  {
    name: "set-attr",
    short: "S",
    value: "NAME",
    description: "set an attribute to the value of -v; granted with --force",
  },
  { name: "delete-attr", short: "D", value: "NAME", description: "remove an attribute" },
  {
    name: "cleanup",
    short: "C",
    description: "forget everything about it (with --force while it is granted)",
  },
  { name: "attr-value", short: "v", value: "VALUE", description: "value for -S" },
  { name: "default", short: "d", value: "VALUE", description: "print this when -G finds nothing" },
  { name: "force", short: "f", description: "yes, I mean it" },
  { name: "ticket", short: "t", value: "ID", description: "the ticket" },
  { name: "xml-file", short: "x", value: "FILE", description: "look at this CIB" },
  {
    name: "set-name",
    short: "n",
    value: "ID",
    description: "taken without effect: attributes of tickets are in no set",
  },
  { name: "nvpair", short: "i", value: "ID", description: "taken without effect, for the same reason" },
  { name: "quiet", short: "Q", description: "only the essential" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_ticket(8): tickets of a multi-site cluster. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, (given, answer) => {
    const file = given.value("xml-file");
    const target = file === undefined ? cibTarget() : ({ kind: "file", path: file } as const);
    return CibSession.with((session) => work(given, session, answer), target);
  });

const tool: AnsweringTool = { name: "crm_ticket", purpose: "See, grant and revoke tickets.", options };

/** What can be asked for; the last one that is named counts, and before any change. */
const queries = ["info", "details", "raw", "query-xml", "constraints", "get-attr", "cleanup"] as const;
type Query = (typeof queries)[number];
const isQuery = (name: string): name is Query => queries.some((one) => one === name);

async function work(given: ParsedWords, session: CibSession, answer: Answer): Promise<number> {
  for (const name of ["set-name", "nvpair"] as const)
    if (given.has(name) && answer.format === "text")
      writeError(`crm_ticket: --${name} has no effect: the attributes of a ticket are in no set\n`);
  const id = given.value("ticket");
  const query = given.options.map(([name]) => name).findLast(isQuery);
  const changes = changesOf(given);
  if (query === undefined && changes.size === 0) throw usage("crm_ticket", "Must supply a command");
  if (query === undefined || query === "cleanup") {
    if (given.has("xml-file"))
      throw usage("crm_ticket", "--xml-file is only looked at; name the file in CIB_file to change it");
    const states = await ticketStates(session);
    const own = ticketGiven(id, (name) => states.filter(({ attributes }) => attributes.get("id") === name));
    if (query === undefined) await change(given, session, own, changes);
    else await cleanUp(given, session, own, answer);
    return CrmExit.OK;
  }
  const found = await asked(given, query, session, id);
  if (found === undefined) return CrmExit.NOSUCH;
  answer.say(found);
  return CrmExit.OK;
}

/** A ticket and what the CIB knows of it. */
interface Ticket {
  readonly id: string;
  /** More than one only when somebody has written it so. */
  readonly states: readonly XmlElement[];
}

function ticketGiven(id: string | undefined, statesOf: (id: string) => readonly XmlElement[]): Ticket {
  if (id === undefined || id === "") throw usage("crm_ticket", "Must supply a ticket ID with -t");
  return { id, states: statesOf(id) };
}

async function ticketStates(session: CibSession): Promise<XmlElement[]> {
  return childrenOf(child(child(await session.cib(), "status"), "tickets"), "ticket_state");
}

/** Those that have a state, and those that a constraint knows: nobody has granted them yet. */
async function knownTickets(session: CibSession): Promise<XmlElement[]> {
  const states = await ticketStates(session);
  const known = new Set(states.map(({ attributes }) => attributes.get("id")));
  const needed = (await ticketConstraints(session)).flatMap(
    ({ attributes }) => attributes.get("ticket") ?? [],
  );
  const fresh = [...new Set(needed)].filter((id) => !known.has(id));
  return [...states, ...fresh.map((id) => element("ticket_state", { id }))];
}

/** Attributes to set, with `undefined` to remove; none when only looking was asked for. */
function changesOf(given: ParsedWords): ReadonlyMap<string, string | undefined> {
  const changes = new Map<string, string | undefined>();
  // Names and values come in pairs, whichever is first.
  let name: string | undefined;
  let value: string | undefined;
  for (const [option, text] of given.options) {
    if (option === "grant") changes.set("granted", "true");
    else if (option === "revoke") changes.set("granted", "false");
    else if (option === "standby") changes.set("standby", "true");
    else if (option === "activate") changes.set("standby", "false");
    else if (option === "delete-attr") changes.set(text, undefined);
    else if (option === "set-attr") name = text;
    else if (option === "attr-value") value = text;
    if (name === undefined || value === undefined) continue;
    changes.set(name, value);
    name = undefined;
    value = undefined;
  }
  if (name !== undefined) throw usage("crm_ticket", `Must supply value with -v for -S ${name}`);
  if (value !== undefined) throw usage("crm_ticket", `Must supply attribute name with -S for -v ${value}`);
  if (changes.has("id")) throw usage("crm_ticket", "the ID of a ticket is its name, and stays");
  return changes;
}

async function change(
  given: ParsedWords,
  session: CibSession,
  { id, states }: Ticket,
  changes: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  if (changes.has("granted") && !given.has("force")) throw notWithoutForce(id, yes(changes.get("granted")));
  const attributes = new Map(states[0]?.attributes ?? [["id", id]]);
  const wasGranted = yes(attributes.get("granted"));
  const set = new Map([["id", id]]);
  for (const [name, value] of changes) {
    if (value === undefined) attributes.delete(name);
    else {
      refuseBadTicketValue(id, name, value);
      set.set(name, value);
    }
  }
  if (yes(changes.get("granted")) && !wasGranted)
    set.set("last-granted", String(Math.floor(Date.now() / 1000)));
  const state = (given: ReadonlyMap<string, string>): XmlElement => ({
    name: "ticket_state",
    attributes: new Map(given),
    children: [],
  });
  const operations: CibOperation[] = [];
  if (states.length > 0 && [...changes.values()].includes(undefined))
    operations.push({ op: "replace", scope: "status", xml: formatXml(state(attributes), -1) });
  if (set.size > 1) {
    const xml = element("status", {}, [element("tickets", {}, [state(set)])]);
    operations.push({ op: "modify", create: true, xml: formatXml(xml, -1) });
  }
  if (operations.length > 0) await session.apply(operations, "crm_ticket");
}

/** What depends on a ticket that is granted would lose it, as if it were revoked. */
async function cleanUp(
  given: ParsedWords,
  session: CibSession,
  { id, states }: Ticket,
  answer: Answer,
): Promise<void> {
  if (!given.has("force")) {
    const isKnown = (await knownTickets(session)).some(({ attributes }) => attributes.get("id") === id);
    if (!isKnown) throw noTicket(id);
    if (states.some(({ attributes }) => yes(attributes.get("granted")))) throw notWithoutForce(id, false);
  }
  if (states.length === 0) return;
  const xml = formatXml(element("ticket_state", { id }), -1);
  await session.apply(
    states.map(() => ({ op: "delete", scope: "status", xml }) as const),
    "crm_ticket",
  );
  answer.info(`Cleaned up ${id}`);
}

const notWithoutForce = (id: string, granting: boolean): HactlError =>
  new HactlError({
    code: "UNSAFE",
    what: granting
      ? `Ticket modification not allowed: nothing here knows whether another site holds "${id}"`
      : `Ticket modification not allowed: what depends on "${id}" would be stopped, demoted or fenced by its loss-policy`,
    cure: granting
      ? "let the booth decide, or say it with --force"
      : `let it end in order with crm_ticket -t ${id} --standby, or say it with --force`,
    exit: CrmExit.INSUFFICIENT_PRIV,
  });

const noTicket = (id: string): HactlError => noSuch(`No such ticket '${id}'`);

/** What was asked for; nothing when a ticket has no such attribute. */
async function asked(
  given: ParsedWords,
  query: Exclude<Query, "cleanup">,
  session: CibSession,
  id: string | undefined,
): Promise<Message | undefined> {
  if (query === "constraints") return constraints(session, id);
  const isOwn = ({ attributes }: XmlElement) => attributes.get("id") === id;
  if (query === "get-attr") {
    if (id === undefined) throw noSuch("Must supply ticket ID with -t");
    const attribute = given.value("get-attr") ?? "";
    const state = (await ticketStates(session)).find(isOwn);
    const value = state?.attributes.get(attribute) ?? given.value("default");
    return value === undefined ? undefined : attributeMessage(id, attribute, value);
  }
  if (query === "query-xml") {
    const states = await ticketStates(session);
    const section = child(child(await session.cib(), "status"), "tickets");
    const shown = id === undefined ? section : states.find(isOwn);
    if (!shown) throw noSuch("Could not query ticket XML: No such device or address");
    return stateMessage(shown, id === undefined ? states : states.filter(isOwn));
  }
  const all = await knownTickets(session);
  const states = id === undefined ? all : all.filter(isOwn);
  if (id !== undefined && states.length === 0) throw noTicket(id);
  return {
    text: () =>
      states.length === 0
        ? undefined
        : states
            .map((state) =>
              query === "raw" ? (state.attributes.get("id") ?? "") : stateLine(state, query === "details"),
            )
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
const stateMessage = (shown: XmlElement, states: readonly XmlElement[]): Message => ({
  text: () => `State XML:\n\n${formatXml(shown)}`.trimEnd(),
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

async function ticketConstraints(session: CibSession): Promise<XmlElement[]> {
  return childrenOf(child(child(await session.cib(), "configuration"), "constraints"), "rsc_ticket");
}

async function constraints(session: CibSession, id: string | undefined): Promise<Message> {
  const all = (await ticketConstraints(session)).filter(
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
