import { CrmExit } from "../../terms/index.ts";
import { type AttributeKind, idOf, pairsOf, resourceNamed, setAttribute } from "../resources.ts";
import { line, usage } from "./connection.ts";
import { type ResourceCall, requiredResource } from "./crm_resource-call.ts";

const kindOf = ({ given }: ResourceCall): AttributeKind =>
  given.has("meta") ? "meta_attributes" : given.has("utilization") ? "utilization" : "instance_attributes";

/** -g and -G: a value on a line of its own; nothing found is said, and is no error (as scripts rely on). */
export async function getParameter(
  query: "get-parameter" | "get-property",
  call: ResourceCall,
): Promise<number> {
  const id = requiredResource(call);
  const name = call.given.value(query) ?? "";
  const configuration = await call.session.configuration();
  const { xml } = resourceNamed(configuration, id);
  const value =
    query === "get-property"
      ? xml.attributes.get(name)
      : (await effectiveValues(call.session, kindOf(call), id)).get(name);
  if (value === undefined) process.stderr.write(`Attribute '${name}' not found for '${id}'\n`);
  else line(value);
  return CrmExit.OK;
}

/** The values that count now: of the rules that hold, with what templates and (for meta attributes) parents give. */
export async function effectiveValues(
  session: ResourceCall["session"],
  kind: AttributeKind,
  id: string,
): Promise<ReadonlyMap<string, string>> {
  const configuration = await session.configuration();
  const { xml, parents } = resourceNamed(configuration, id);
  const { unpackNvpairs, indexById } = await import("../../cib/index.ts");
  const byId = indexById(configuration);
  const template = templateOf(configuration, xml.attributes.get("template"));
  const isMeta = kind === "meta_attributes";
  const defaults = isMeta ? configuration.children.find((child) => child.name === "rsc_defaults") : undefined;
  const holders = [xml, template, ...(isMeta ? parents : []), defaults].filter(
    (holder) => holder !== undefined,
  );
  const now = Math.floor(Date.now() / 1000);
  const { values } = unpackNvpairs(holders, kind, { now }, { find: (key) => byId.get(key) });
  return new Map([...values].map(([name, { value }]) => [name, value]));
}

function templateOf(configuration: Parameters<typeof resourceNamed>[0], id: string | undefined) {
  const resources = configuration.children.find(({ name }) => name === "resources");
  return id === undefined
    ? undefined
    : resources?.children.find((child) => child.name === "template" && idOf(child) === id);
}

/** -p NAME -v VALUE */
export async function setParameter(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const { given, session } = call;
  const name = given.value("set-parameter") ?? "";
  const value = given.value("parameter-value");
  if (value === undefined) throw usage("crm_resource", "You need to supply a value with the -v option");
  const kind = kindOf(call);
  const found = resourceNamed(await session.configuration(), id);
  const target = kind === "meta_attributes" ? holderOf(found, name) : found.xml;
  const {
    operation,
    id: pair,
    setId,
    isNew,
  } = setAttribute(target, kind, name, value, {
    set: given.value("set-name"),
    pair: given.value("nvpair"),
  });
  await session.apply([operation], "crm_resource");
  if (!call.quiet)
    line(
      `Set '${idOf(target)}' option: id=${pair}${isNew ? ` set=${setId}` : ""} name=${name} value=${value}`,
    );
  return CrmExit.OK;
}

/** A meta attribute that the clone around a resource sets is changed there: otherwise the two would disagree. */
function holderOf({ xml, parents }: ReturnType<typeof resourceNamed>, name: string) {
  const sets = (holder: typeof xml) => pairsOf(holder, "meta_attributes").some((pair) => pair.name === name);
  const clone = parents.find((parent) => parent.name === "clone" || parent.name === "master");
  return !sets(xml) && clone !== undefined && sets(clone) ? clone : xml;
}

/** -d NAME; nothing to delete is no error. */
export async function deleteParameter(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const { given, session } = call;
  const name = given.value("delete-parameter") ?? "";
  const kind = kindOf(call);
  const found = resourceNamed(await session.configuration(), id);
  const target = kind === "meta_attributes" ? holderOf(found, name) : found.xml;
  const set = given.value("set-name");
  const pairId = given.value("nvpair");
  const pairs = pairsOf(target, kind).filter(
    (pair) =>
      pair.name === name &&
      (set === undefined || pair.setId === set) &&
      (pairId === undefined || pair.id === pairId),
  );
  if (pairs.length === 0) return CrmExit.OK;
  const operations = pairs.map((pair) => ({ op: "delete" as const, xpath: `//nvpair[@id='${pair.id}']` }));
  await session.apply(operations, "crm_resource");
  if (!call.quiet)
    for (const pair of pairs) line(`Deleted '${idOf(target)}' option: id=${pair.id} name=${name}`);
  return CrmExit.OK;
}
