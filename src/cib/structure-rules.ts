import { lookup } from "../terms/index.ts";
import type { XmlElement } from "./xml.ts";

/** What is wrong with how an element is put together, and what to do. */
export interface FormProblem {
  readonly text: string;
  readonly cure: string;
}

const problem = (text: string, cure: string): FormProblem[] => [{ text, cure }];

interface Form {
  readonly has: (name: string) => boolean;
  readonly count: (...names: readonly string[]) => number;
}

/** Attributes that cannot stand together. */
function onlyOne({ has }: Form, ...names: readonly string[]): FormProblem[] {
  const found = names.filter(has);
  return found.length < 2 ? [] : problem(`has ${found.join(" and ")}`, "leave all but one of them out");
}

/** A constraint says either whom it is about itself, or by sets. */
function pairOrSets(form: Form, needed: readonly string[], others: readonly string[]): FormProblem[] {
  if (form.count("resource_set") === 0)
    return needed.every(form.has)
      ? []
      : problem("lacks a resource", `give ${needed.join(" and ")}, or resource sets`);
  const found = [...needed, ...others].filter(form.has);
  return found.length === 0
    ? []
    : problem(`has resource sets and ${found.join(", ")}`, "leave the sets or the attributes out");
}

function location(form: Form): FormProblem[] {
  const targets =
    Number(form.has("rsc")) + Number(form.has("rsc-pattern")) + Number(form.count("resource_set") > 0);
  if (targets !== 1)
    return problem("must name its resources in one way", "give rsc, rsc-pattern or resource sets");
  if (form.count("rule") > 0)
    return form.has("node") || form.has("score")
      ? problem("has a rule and a node or score", "leave one of them out")
      : [];
  if (!form.has("node")) return problem("names no node and has no rule", 'add node="…" and score="…"');
  return form.has("score") ? [] : problem("has no score for its node", 'add score="…"');
}

function level({ has }: Form): FormProblem[] {
  const ways = [has("target"), has("target-pattern"), has("target-attribute") || has("target-value")];
  const isWhole = !ways[2] || (has("target-attribute") && has("target-value"));
  return ways.filter(Boolean).length === 1 && isWhole
    ? []
    : problem("must have one target", "give target, target-pattern, or target-attribute and target-value");
}

function primitive(form: Form, { attributes }: XmlElement): FormProblem[] {
  const { has } = form;
  if (has("template"))
    return has("class") || has("type") || has("provider")
      ? problem("has a template and an agent of its own", "leave one of them out")
      : [];
  if (!has("class") || !has("type"))
    return problem("has neither class and type nor a template", 'add class="…" and type="…"');
  return agent(form, attributes);
}

/** Only OCF agents have a provider, and each has one. */
function agent({ has }: Form, attributes: ReadonlyMap<string, string>): FormProblem[] {
  if (attributes.get("class") === "ocf")
    return has("provider") ? [] : problem("is of class ocf but has no provider", 'add provider="heartbeat"');
  return has("provider") ? problem("has a provider but is not of class ocf", "leave provider out") : [];
}

/** Elements that a parent has at most once. */
const once: Readonly<Record<string, readonly string[]>> = lookup({
  configuration: [
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "fencing-topology",
    "rsc_defaults",
    "op_defaults",
    "acls",
    "tags",
    "alerts",
  ],
  date_expression: ["duration", "date_spec"],
  primitive: ["operations"],
  template: ["operations"],
  bundle: ["network", "storage", "primitive"],
  alert: ["select"],
  select: ["select_attributes", "select_fencing", "select_nodes", "select_resources"],
  instance_attributes: ["rule"],
  meta_attributes: ["rule"],
  utilization: ["rule"],
  cluster_property_set: ["rule"],
  rsc_colocation: ["lifetime"],
  rsc_order: ["lifetime"],
  rsc_location: ["lifetime"],
});

/** Elements that say nothing when there is none of these in them. */
const filled: Readonly<Record<string, string>> = lookup({
  group: "primitive",
  tag: "obj_ref",
  resource_set: "resource_ref",
  lifetime: "rule",
});

/** What the names of children and attributes alone do not tell (Pacemaker's schema 3.9). */
export function formProblems(source: XmlElement): FormProblem[] {
  const { attributes, children, name } = source;
  const form: Form = {
    has: (attribute) => attributes.has(attribute),
    count: (...names) => children.filter((item) => names.includes(item.name)).length,
  };
  if (source.text !== undefined && source.text.trim() !== "")
    return problem("holds text", "take it out: only attributes and elements count");
  if (form.has("id-ref") && name !== "operations" && name !== "nvpair")
    return children.length > 0 || form.has("id")
      ? problem("refers to another and has content of its own", "leave one of them out")
      : [];
  const needed = filled[name];
  if (needed !== undefined && form.count(needed) === 0)
    return problem("is empty", `put a ${needed} in, or remove it`);
  const twice = (once[name] ?? []).find((item) => form.count(item) > 1);
  if (twice !== undefined) return problem(`has two <${twice}>`, "leave one of them out");
  return ofElement(form, source);
}

/** Which times a condition on the date needs depends on its operation. */
function dateExpression({ has, count }: Form, { attributes }: XmlElement): FormProblem[] {
  const lacks = (what: string) => problem(`lacks ${what}`, "write it, or choose another operation");
  switch (attributes.get("operation")) {
    case undefined:
      return lacks("an operation");
    case "gt":
      return has("start") ? [] : lacks("its start");
    case "lt":
      return has("end") ? [] : lacks("its end");
    case "in_range":
      return has("start") || has("end") ? [] : lacks("a start or an end");
    case "date_spec":
      return count("date_spec") === 1 ? [] : lacks("its <date_spec>");
    default:
      return [];
  }
}

function ofElement(form: Form, source: XmlElement): FormProblem[] {
  const { has, count } = form;
  switch (source.name) {
    case "primitive":
      return primitive(form, source);
    case "template":
      return agent(form, source.attributes);
    case "clone":
    case "master": {
      const held = count("primitive", "group");
      return held === 1 ? [] : problem(`holds ${held} resources`, "a clone holds one primitive or one group");
    }
    case "bundle": {
      const kinds = count("docker", "podman", "rkt");
      return kinds === 1 ? [] : problem(`has ${kinds} containers`, "give one of docker, podman and rkt");
    }
    case "docker":
    case "podman":
    case "rkt":
      return onlyOne(form, "masters", "promoted-max");
    case "port-mapping":
      if (has("port") === has("range"))
        return problem("must have a port or a range", 'add port="…" or range="…"');
      return onlyOne(form, "range", "internal-port");
    case "storage-mapping":
      return has("source-dir") === has("source-dir-root")
        ? problem("must have one source", 'add source-dir="…" or source-dir-root="…"')
        : [];
    case "nvpair":
      return has("id-ref") || has("name") ? [] : problem("has no name", 'add name="…"');
    case "op":
      return onlyOne(form, "start-delay", "interval-origin");
    case "rsc_location":
      return location(form);
    case "rsc_colocation":
      return [
        ...onlyOne(form, "score", "score-attribute", "score-attribute-mangle"),
        ...pairOrSets(form, ["rsc", "with-rsc"], ["node-attribute", "rsc-role", "with-rsc-role"]),
      ];
    case "rsc_order":
      return [
        ...onlyOne(form, "score", "kind"),
        ...pairOrSets(form, ["first", "then"], ["first-action", "then-action"]),
      ];
    case "resource_set":
      return onlyOne(form, "score", "kind");
    case "rsc_ticket":
      return pairOrSets(form, ["rsc"], ["rsc-role"]);
    case "rule":
      return source.children.length === 0
        ? problem("has no condition", "add an expression, or remove the rule")
        : onlyOne(form, "score", "score-attribute");
    case "date_expression":
      return dateExpression(form, source);
    case "fencing-level":
      return level(form);
    case "acl_permission":
      return has("xpath") || has("reference") || has("object-type")
        ? onlyOne(form, "xpath", "reference", "object-type")
        : problem("names nothing", "give xpath, reference or object-type");
    default:
      return [];
  }
}
