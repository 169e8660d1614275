import { element, type XmlElement } from "../../cib/index.ts";
import type { OptionSpec } from "../../terms/index.ts";
import { type Message, textElement } from "../answer/index.ts";
import { kindOf } from "./usual-options.ts";

/** An option as lists show it: by one of its names. */
export interface ListedOption {
  readonly name: string;
  readonly spec: OptionSpec;
  /** The name that is used today, where this one is an older one. */
  readonly replacedBy?: string;
}

/** Options that belong together. */
export interface OptionList {
  /** What documents call it. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly options: readonly ListedOption[];
}

const isDeprecated = ({ spec, replacedBy }: ListedOption) =>
  spec.deprecated === true || replacedBy !== undefined;
const isAdvanced = ({ spec }: ListedOption) => spec.advanced === true;

/** One line about an option. */
const shortText = ({ spec, replacedBy }: ListedOption): string =>
  replacedBy === undefined ? spec.description : `Older name of ${replacedBy}`;

/** A list for people, or as a document in the manner of an agent's meta-data. */
export const optionListMessage = (list: OptionList, version: string, all: boolean): Message => ({
  text: () => textLines(list, all).join("\n"),
  xml: () => [listElement(list, version)],
  since: "2.36",
});

function textLines({ title, description, options }: OptionList, all: boolean): string[] {
  const plain = options.filter((option) => !isAdvanced(option) && !isDeprecated(option));
  const lines = [title, "", description, "", ...blocks(plain, 1)];
  if (!all) return lines;
  const section = (heading: string, members: readonly ListedOption[]) =>
    members.length === 0 ? [] : ["", `  * ${heading}:`, "", ...blocks(members, 2)];
  return [
    ...lines,
    ...section(
      "ADVANCED OPTIONS",
      options.filter((option) => isAdvanced(option) && !isDeprecated(option)),
    ),
    ...section("DEPRECATED OPTIONS", options.filter(isDeprecated)),
  ];
}

function blocks(options: readonly ListedOption[], depth: number): string[] {
  const indent = "  ".repeat(depth);
  return options.flatMap((option, at) => [
    ...(at === 0 ? [] : [""]),
    `${indent}* ${option.name}: ${shortText(option)}`,
    `${indent}  * Possible values${option.spec.generated ? " (the cluster sets it)" : ""}: ${valuesText(option.spec)}`,
  ]);
}

/** Words that mean the same as others. */
const olderWords = new Set(["Slave", "Master", "poweroff"]);

/** Values that may be chosen, without older words for them. */
const shownValues = (spec: OptionSpec) =>
  kindOf(spec).noValues ? undefined : spec.values?.filter((value) => !olderWords.has(value));

const shownDefault = (spec: OptionSpec): string | undefined => {
  const { noDefault, default: other } = kindOf(spec);
  return noDefault ? undefined : (other ?? spec.default);
};

function valuesText(spec: OptionSpec): string {
  const values = shownValues(spec);
  if (values)
    return values.map((value) => `"${value}"${value === spec.default ? " (default)" : ""}`).join(", ");
  const given = shownDefault(spec);
  const fallback = given === undefined ? "no default" : `default: ${given}`;
  return `${listType(spec)} (${fallback})`;
}

/** Kinds of values in lists of options. */
function listType(spec: OptionSpec): string {
  const { type, name } = spec;
  const usual = kindOf(spec).list;
  if (usual !== undefined) return usual;
  switch (type) {
    case "percent":
      return "percentage";
    case "enum":
      return "select";
    case "list":
    case "path":
      return "string";
    case "integer":
      return name.endsWith("-port") ? "port" : "integer";
    default:
      return type;
  }
}

/** The kinds that the OCF standard knows, and those that Pacemaker's daemons have always used besides. */
function agentType(spec: OptionSpec): string {
  const type = listType(spec);
  if (type === "duration" || type === "timeout") return "time";
  if (type === "version") return "string";
  return ["score", "port", "nonnegative_integer"].includes(type) ? "integer" : type;
}

function listElement({ id, title, description, options }: OptionList, version: string): XmlElement {
  const yes = (value: boolean | undefined) => (value ? "1" : "0");
  const parameters = options.map((option) => {
    const { name, spec, replacedBy } = option;
    const replacement = replacedBy === undefined ? [] : [element("replaced-with", { name: replacedBy })];
    return element("parameter", { name, advanced: yes(spec.advanced), generated: yes(spec.generated) }, [
      ...(isDeprecated(option) ? [element("deprecated", {}, replacement)] : []),
      english("longdesc", shortText(option)),
      english("shortdesc", shortText(option)),
      contentElement(spec, listType(spec)),
    ]);
  });
  return agentElement(id, version, description, title, parameters);
}

const english = (name: string, text: string) => textElement(name, text, { lang: "en" });

function contentElement(spec: OptionSpec, type: string): XmlElement {
  const values = (shownValues(spec) ?? []).map((value) => element("option", { value }));
  return element("content", { type, default: shownDefault(spec) }, values);
}

const agentElement = (
  name: string,
  version: string,
  long: string,
  short: string,
  parameters: readonly XmlElement[],
) =>
  element("resource-agent", { name, version }, [
    textElement("version", "1.1"),
    english("longdesc", long),
    english("shortdesc", short),
    element("parameters", {}, [...parameters]),
  ]);

/**
 * A list as the meta-data of a daemon. pcs and crmsh read such before they set an option; both know the words in front
 * of a description that tell which options few need.
 */
export function daemonMetadata({ id, title, description, options }: OptionList, version: string): XmlElement {
  const parameters = options.map((option) => {
    const { name, spec, replacedBy } = option;
    const marks = [
      ...(isDeprecated(option) ? ["*** Deprecated *** "] : []),
      ...(replacedBy === undefined ? [] : [`*** Replaced with ${replacedBy} *** `]),
      ...(isAdvanced(option) ? ["*** Advanced Use Only *** "] : []),
    ].join("");
    const values = shownValues(spec);
    const allowed = values ? `; allowed values: ${values.join(", ")}` : "";
    return element("parameter", { name }, [
      english("longdesc", `${shortText(option)}${allowed}`),
      english("shortdesc", `${marks}${shortText(option)}`),
      contentElement(spec, agentType(spec)),
    ]);
  });
  return agentElement(id, version, description, title, parameters);
}
