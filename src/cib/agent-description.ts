import { type Millis, type Read, read } from "../terms/index.ts";
import { parseIntervalMs } from "./time.ts";
import { parseBoolean } from "./values.ts";
import { child, childrenOf, parseXml, type XmlElement } from "./xml.ts";

/** What an agent says of itself, as far as a configuration can be wrong by it. */
export interface AgentDescription {
  /** Its parameters; of a required one the names that stand for it. Empty where it does not tell. */
  readonly parameters: readonly AgentParameter[];
  readonly actions: readonly string[];
  /** How long it asks to be waited for; members of before do not tell. */
  readonly advised?: readonly AdvisedTime[];
}

export interface AgentParameter {
  readonly name: string;
  readonly needs?: readonly string[];
  /** What its values are (`integer`, `boolean`, …), where the agent's own default is such a one. */
  readonly type?: string;
  /** Those that it can have, where the agent says them all. */
  readonly options?: readonly string[];
}

/** Least time that an agent asks for one of its actions. */
export interface AdvisedTime {
  readonly action: string;
  readonly timeoutMs: Millis;
  readonly role?: string;
}

/** What was found out about an agent on one host. */
export type AgentFacts =
  | { readonly kind: "described"; readonly description: AgentDescription }
  /** It is not there, or cannot be run there. */
  | { readonly kind: "absent"; readonly reason: string }
  /** It could not say. */
  | { readonly kind: "unknown"; readonly reason: string };

const mostParameters = 2_000;
const mostOptions = 1_000;
const longestOption = 1024;

/** Reads what another host has found out about an agent. Throws HactlError `PROTOCOL`. */
export const readAgentFacts: Read<AgentFacts> = read.variants<AgentFacts, "kind">("kind", {
  described: {
    description: read.shape<AgentDescription>({
      parameters: read.list(
        read.shape<AgentParameter>({
          name: read.name,
          needs: read.maybe(read.list(read.name, 100)),
          type: read.maybe(read.name),
          options: read.maybe(read.list(read.xmlText(longestOption), mostOptions)),
        }),
        mostParameters,
      ),
      actions: read.list(read.name, mostParameters),
      advised: read.maybe(
        read.list(
          read.shape<AdvisedTime>({
            action: read.name,
            timeoutMs: read.duration,
            role: read.maybe(read.name),
          }),
          mostParameters,
        ),
      ),
    }),
  },
  absent: { reason: read.saying(1024) },
  unknown: { reason: read.saying(1024) },
});

/** Reads the meta-data that an agent prints. @throws HactlError XML_SYNTAX */
export function parseAgentDescription(xml: string): AgentDescription {
  const root = parseXml(xml);
  const rows = childrenOf(child(root, "parameters"), "parameter");
  const parameters = new Map<string, AgentParameter>();
  for (const row of rows) {
    const name = nameOf(row);
    if (name !== "") parameters.set(name, { name, ...needsOf(row, rows), ...valuesOf(row) });
  }
  const actions = childrenOf(child(root, "actions"), "action").filter((row) => nameOf(row) !== "");
  const advised = actions.flatMap(advisedBy).slice(0, mostParameters);
  return {
    parameters: [...parameters.values()].slice(0, mostParameters),
    actions: [...new Set(actions.map(nameOf))].slice(0, mostParameters),
    ...(advised.length === 0 ? {} : { advised }),
  };
}

const nameOf = (row: XmlElement) => row.attributes.get("name") ?? "";
const isSet = (row: XmlElement, flag: string) => parseBoolean(row.attributes.get(flag)) === true;
const defaultsOf = (row: XmlElement) =>
  childrenOf(row, "content")
    .map(({ attributes }) => attributes.get("default") ?? "")
    .filter((value) => value !== "");

/** Names of before say the same (OCF 1.1 and fence agents: obsoletes, and deprecated replaced-with). */
function needsOf(row: XmlElement, rows: readonly XmlElement[]): Pick<AgentParameter, "needs"> {
  const name = nameOf(row);
  const replacedBy = (old: XmlElement, by: string) =>
    childrenOf(child(old, "deprecated"), "replaced-with").some(
      ({ attributes }) => attributes.get("name") === by,
    );
  if (!isSet(row, "required") || isSet(row, "deprecated") || defaultsOf(row).length > 0) return {};
  const same = rows.filter(
    (other) =>
      other.attributes.get("obsoletes") === name ||
      row.attributes.get("obsoletes") === nameOf(other) ||
      replacedBy(row, nameOf(other)) ||
      replacedBy(other, name),
  );
  return { needs: [name, ...same.map(nameOf)] };
}

/** What the agent's own default does not keep to says nothing of the values of others. */
function valuesOf(row: XmlElement): Pick<AgentParameter, "type" | "options"> {
  const content = child(row, "content");
  const type = content?.attributes.get("type")?.toLowerCase() ?? "";
  const options = childrenOf(content, "option").map(({ attributes }) => attributes.get("value") ?? "");
  const kept = (accepts: (value: string) => boolean) => defaultsOf(row).every(accepts);
  const canBeTold = options.length <= mostOptions && options.every(({ length }) => length <= longestOption);
  if (type === "select" && options.length > 0 && canBeTold)
    return kept((value) => options.includes(value)) ? { options } : {};
  return valueTypes.has(type) && kept((value) => isOfType(value, type)) ? { type } : {};
}

const valueTypes: ReadonlySet<string> = new Set(["integer", "boolean"]);
const words: ReadonlySet<string> = new Set(["0", "false", "no", "n", "off"]);

/** Whether a value is one of a type by which agents describe their parameters; of other types any is. */
export function isOfType(value: string, type: string): boolean {
  if (type === "integer") return /^\s*[+-]?(?:\d+|0x[\da-f]+)\s*$/i.test(value);
  if (type !== "boolean") return true;
  return parseBoolean(value) !== undefined || words.has(value.trim().toLowerCase());
}

/** A deeper monitor asks for no less than the plain one. */
function advisedBy(row: XmlElement): AdvisedTime[] {
  const timeoutMs = parseIntervalMs(row.attributes.get("timeout"));
  const depth = row.attributes.get("depth") ?? "0";
  if (timeoutMs === undefined || timeoutMs === 0 || depth !== "0") return [];
  const role = row.attributes.get("role") ?? "";
  return [{ action: nameOf(row), timeoutMs, ...(role === "" ? {} : { role }) }];
}
