import { CrmExit, HactlError, isXmlName, type Place } from "../terms/index.ts";

/** Longest name of an element or attribute. */
const longest = 512;
/** Names that were found good: a configuration has few of them, many times. */
const goodNames = new Set<string>();
const mostGoodNames = 10_000;

/** Throws HactlError `XML_NAME` for what is no name of an element or attribute. */
export function checkName(name: string, what: string, where: Place = {}): void {
  if (goodNames.has(name)) return;
  if (name.length > longest || !isXmlName(name)) {
    const shown = JSON.stringify(name.slice(0, 40));
    throw new HactlError({
      code: "XML_NAME",
      what: `${shown} cannot be the name of ${what}`,
      where,
      cure: "correct the name",
      exit: CrmExit.DATAERR,
    });
  }
  if (goodNames.size < mostGoodNames) goodNames.add(name);
}
