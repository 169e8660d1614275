import { byName } from "./options/lookup.ts";
import { alertMeta } from "./options/resource.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { parseIntervalMs } from "./time.ts";
import { parseBoolean } from "./values.ts";
import { lengthProblems } from "./verify-values.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

const known = byName(alertMeta);
/** Conversions of date(1) that timestamp-format has. */
const conversion = /%[-_0^]*\d*[aAbBcCdDeFgGhHIjklmMnNpPrRsStTuUVwWxXyYzZ%]/g;

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
  if (name === "timestamp-format" && value.replace(conversion, "").includes("%"))
    return bad("has a % that begins no conversion and stays as it is", "write it as for date(1), or %%");
  return [];
}
