import { lookup, nearest } from "../terms/index.ts";
import { ownsId } from "./crm/ids.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { bundleRuntimes } from "./resource-kinds.ts";
import type { XmlElement } from "./xml.ts";

/** What an attribute may hold. */
type ValueType =
  | { readonly words: readonly string[] }
  | { readonly pattern: RegExp; readonly kind: string; readonly cure: string };

const words = (...list: readonly string[]): ValueType => ({ words: list });
const kind = (name: string, pattern: RegExp, cure: string): ValueType => ({ kind: name, pattern, cure });

const boolean = kind("boolean", /^\s*(?:true|false|1|0)\s*$/, "write true or false");
const integer = kind("whole number", /^\s*[+-]?\d+\s*$/, "write a whole number");
const scoreType = kind(
  "score",
  /^(?:\s*[+-]?\d+\s*|[+-]?INFINITY)$/,
  "write a whole number, INFINITY or -INFINITY",
);
const classes = words("ocf", "lsb", "service", "systemd", "stonith", "heartbeat", "upstart", "nagios");
const roles = words("Stopped", "Started", "Promoted", "Unpromoted");
const actions = words("start", "promote", "demote", "stop");
const orderKinds = words("Mandatory", "Optional", "Serialize");

/** By element and attribute: Pacemaker's schema 3.9, in canonical form. Other attributes hold any text. */
const types: Readonly<Record<string, ValueType>> = lookup({
  "primitive class": classes,
  "template class": classes,
  "node type": words("member", "ping", "remote"),
  "op enabled": boolean,
  "op record-pending": boolean,
  "op role": roles,
  "op on-fail": words(
    "ignore",
    "block",
    "demote",
    "stop",
    "restart",
    "standby",
    "fence",
    "restart-container",
  ),
  "network control-port": integer,
  "network host-netmask": integer,
  "network add-host": boolean,
  "port-mapping port": integer,
  "port-mapping internal-port": integer,
  "port-mapping range": kind("range of ports", /^[0-9-]+$/, "write it like 8000-8010"),
  "rsc_location role": roles,
  "rsc_location resource-discovery": words("always", "never", "exclusive"),
  "resource_set sequential": boolean,
  "resource_set require-all": boolean,
  "resource_set ordering": words("group", "listed"),
  "resource_set action": actions,
  "resource_set role": roles,
  "resource_set kind": orderKinds,
  "rsc_colocation rsc-role": roles,
  "rsc_colocation with-rsc-role": roles,
  "rsc_order symmetrical": boolean,
  "rsc_order require-all": boolean,
  "rsc_order kind": orderKinds,
  "rsc_order first-action": actions,
  "rsc_order then-action": actions,
  "rsc_ticket rsc-role": roles,
  "rsc_ticket loss-policy": words("stop", "demote", "fence", "freeze"),
  "rule boolean-op": words("and", "or"),
  "expression operation": words("lt", "gt", "lte", "gte", "eq", "ne", "defined", "not_defined"),
  "expression type": words("string", "integer", "number", "version"),
  "expression value-source": words("literal", "param", "meta"),
  "date_expression operation": words("in_range", "gt", "lt", "date_spec"),
  "fencing-level index": kind("level", /^\s*\+?0*[1-9]\d*\s*$/, "write a whole number from 1 to 9"),
  "fencing-level devices": kind(
    "list of devices",
    /^[a-zA-Z0-9_.-]+(?:,[a-zA-Z0-9_.-]+)*$/,
    "join the ids of the devices by commas",
  ),
  "acl_permission kind": words("read", "write", "deny"),
  ...Object.fromEntries(
    [...bundleRuntimes].flatMap((name) =>
      ["replicas", "replicas-per-host", "promoted-max", "masters"].map((attribute) => [
        `${name} ${attribute}`,
        integer,
      ]),
    ),
  ),
});

/** The same by element and attribute. */
const typesOf = new Map<string, Map<string, ValueType>>();
for (const [key, type] of Object.entries(types)) {
  const [element = "", attribute = ""] = key.split(" ");
  const own = typesOf.get(element) ?? new Map<string, ValueType>();
  typesOf.set(element, own.set(attribute, type));
}

/** A letter or underscore, then letters, digits and the signs that XML 1.0 lets stand in a name, but no colon. */
const xmlId = /^[\p{L}_][\p{L}\p{M}\p{N}_.\u00b7-]*$/u;

/** Values that the schema of Pacemaker does not allow, in a configuration in canonical form. */
export function findSchemaValueProblems(configuration: XmlElement): CibProblem[] {
  const problems: CibProblem[] = [];
  const visit = (source: XmlElement, parent?: XmlElement) => {
    for (const [name, value] of source.attributes) {
      const type = name === "score" ? scoreType : typesOf.get(source.name)?.get(name);
      if (type && !isOf(type, value)) problems.push(badValue(source, name, value, type));
    }
    const id = source.attributes.get("id");
    if (id !== undefined && ownsId(source, parent) && !xmlId.test(id)) problems.push(badId(source, id));
    for (const item of source.children) visit(item, source);
  };
  visit(configuration);
  return problems;
}

const badId = (source: XmlElement, id: string): CibProblem =>
  problemAt(
    source,
    "error",
    "BAD_ID",
    `<${source.name}> cannot have the id "${id}"`,
    "begin it with a letter, and write only letters, digits, - . and _",
  );

const isOf = (type: ValueType, value: string): boolean =>
  "pattern" in type ? type.pattern.test(value) : type.words.includes(value);

function badValue(source: XmlElement, name: string, value: string, type: ValueType): CibProblem {
  const id = source.attributes.get("id");
  const what = `${name}="${value}" of <${source.name}>${id === undefined ? "" : ` "${id}"`}`;
  const bad = (of: string, cure: string) =>
    problemAt(source, "error", "BAD_VALUE", `${what} is no ${of}`, cure);
  if ("pattern" in type) return bad(type.kind, type.cure);
  const near = nearest(value, type.words);
  return bad(
    "known value",
    near === undefined ? `values are ${type.words.join(", ")}` : `did you mean "${near}"?`,
  );
}
