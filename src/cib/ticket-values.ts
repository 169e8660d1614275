import { CrmExit, HactlError, lookup } from "../terms/index.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseBoolean } from "./values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** What of a ticket's state the cluster goes by; other attributes are those of the booth. */
const kinds: Readonly<Record<string, "boolean" | "time">> = lookup({
  granted: "boolean",
  standby: "boolean",
  "last-granted": "time",
});

/** What to write instead of a value that says nothing. */
function cureOfTicketValue(name: string, value: string): string | undefined {
  const kind = kinds[name];
  if (kind === "boolean") return parseBoolean(value) === undefined ? "write true or false" : undefined;
  if (kind === "time") return /^-?\d+$/.test(value) ? undefined : "write a time in seconds since 1970";
  return undefined;
}

/**
 * Refuses a value of a ticket's state that the cluster does not understand: it would be shown, and count as no.
 * @throws HactlError BAD_VALUE
 */
export function refuseBadTicketValue(ticket: string, name: string, value: string): void {
  const cure = cureOfTicketValue(name, value);
  if (cure === undefined) return;
  throw new HactlError({
    code: "BAD_VALUE",
    what: `${name}="${value}" of ticket "${ticket}" is not valid`,
    cure,
    exit: CrmExit.CONFIG,
  });
}

/** What is there already, for instance by another tool. */
export function findTicketProblems(cib: XmlElement): CibProblem[] {
  return childrenOf(child(child(cib, "status"), "tickets"), "ticket_state").flatMap((state) =>
    [...state.attributes].flatMap(([name, value]) => {
      const cure = cureOfTicketValue(name, value);
      if (cure === undefined) return [];
      const counts = kinds[name] === "boolean" ? "counts as no" : "counts as never";
      const text = `${name}="${value}" of ticket "${state.attributes.get("id")}" is not valid and ${counts}`;
      return [problemAt(state, "warning", "BAD_VALUE", text, cure)];
    }),
  );
}
