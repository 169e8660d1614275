import { byName } from "./options/lookup.ts";
import { alertMeta } from "./options/resource.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseIntervalMs } from "./time.ts";
import { parseBoolean } from "./values.ts";
import { lengthProblems } from "./verify-values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

const known = byName(alertMeta);
/** Conversions of date(1) that timestamp-format has, and flags and width of any. */
const conversion = /%[-_0^]{0,9}\d{0,9}[aAbBcCdDeFgGhHIjklmMnNpPrRsStTuUVwWxXyYzZ%]/g;
const wide = /%[-_0^]{0,9}0{0,9}[1-9]\d{2,9}[A-Za-z%]/;

/** Most characters of a timestamp-format that count, and most of what is made of it. */
export const LONGEST_TIMESTAMP = 1000;
/** Widest that a conversion of a timestamp-format may be made; what asks for more is no conversion. */
export const WIDEST_CONVERSION = 99;

/** Alerts that are called in another way than they seem to be, or not at all. */
export function findAlertProblems(configuration: XmlElement): CibProblem[] {
  return childrenOf(child(configuration, "alerts"), "alert").flatMap((alert) => [
    ...checkPath(alert),
    ...[alert, ...childrenOf(alert, "recipient")].flatMap((source) =>
      childrenOf(source, "meta_attributes").flatMap((set) =>
        childrenOf(set, "nvpair").flatMap((pair) => checkMeta(pair, source)),
      ),
    ),
  ]);
}

function checkPath(alert: XmlElement): CibProblem[] {
  const path = alert.attributes.get("path") ?? "";
  if (path === "" || path.startsWith("/")) return [];
  const text = `alert "${alert.attributes.get("id")}" has the path "${path}", which is not absolute: what is called depends on how the daemon was started`;
  return [problemAt(alert, "warning", "RELATIVE_PATH", text, "write the whole path, beginning with /")];
}

function checkMeta(pair: XmlElement, source: XmlElement): CibProblem[] {
  const name = pair.attributes.get("name");
  const value = pair.attributes.get("value");
  if (name === undefined) return [];
  const what = `of ${source.name} "${source.attributes.get("id")}"`;
  if (!known.has(name)) {
    const text = `"${name}" ${what} is no meta attribute of alerts and has no effect`;
    const cure = `alerts know ${[...known.keys()].join(", ")}; what is for the program goes among the attributes`;
    return [problemAt(pair, "warning", "UNKNOWN_OPTION", text, cure)];
  }
  const bad = (why: string, cure: string) => [
    problemAt(pair, "warning", "BAD_VALUE", `${name}="${value}" ${what} ${why}`, cure),
  ];
  if (value === undefined || value.toLowerCase() === "#default") return [];
  if (name === "enabled" && parseBoolean(value) === undefined)
    return bad("is neither true nor false: it switches the alert off", "write true or false");
  if (name === "timeout" && (parseIntervalMs(value) ?? 0) <= 0)
    return bad("is no time: 30s count", "write a number with a unit, such as 10s");
  if (name === "timeout")
    return lengthProblems(pair, name, value, `${source.name} "${source.attributes.get("id")}"`);
  if (name === "timestamp-format" && value.length > LONGEST_TIMESTAMP)
    return bad(`is longer than ${LONGEST_TIMESTAMP} characters: the rest is left out`, "write a shorter one");
  if (name === "timestamp-format" && wide.test(value))
    return bad(
      `has a conversion of a width over ${WIDEST_CONVERSION}, which stays as it is`,
      "write a smaller width",
    );
  if (name === "timestamp-format" && value.replace(conversion, "").includes("%"))
    return bad("has a % that begins no conversion and stays as it is", "write it as for date(1), or %%");
  return [];
}
