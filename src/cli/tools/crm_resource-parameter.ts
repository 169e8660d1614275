import {
  type CibOperation,
  child,
  childrenOf,
  element,
  onlyPair,
  pairsIn,
  parseBoolean,
  parseScore,
  removePairs,
  setResourcePair,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError, plainLine } from "../../terms/index.ts";
import { type Message, textElement } from "../answer/index.ts";
import { warn } from "../cib-session.ts";
import { type AttributeKind, idOf, resourceNamed } from "../resources.ts";
import { usage } from "./connection.ts";
import { type ResourceCall, requiredResource } from "./crm_resource-call.ts";
import { idsOf, metaHolders, tellOfSeveral } from "./crm_resource-meta.ts";

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
    query === "get-property" || call.given.has("element")
      ? xml.attributes.get(name)
      : (await effectiveValues(call.session, kindOf(call), id)).get(name);
  if (value === undefined) call.answer.error(`Attribute '${name}' not found for '${id}'`);
  else call.answer.say(valueMessage(query === "get-property" ? "properties" : "attributes", name, value));
  return CrmExit.OK;
}

/** A value alone; in a document with its name. */
const valueMessage = (list: string, name: string, value: string): Message => ({
  text: () => value,
  xml: () => [element("list", { name: list, count: 1 }, [textElement("item", value, { name })])],
});

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
  const defaults = isMeta
    ? configuration.children.find((section) => section.name === "rsc_defaults")
    : undefined;
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
    : resources?.children.find((one) => one.name === "template" && idOf(one) === id);
}

/** -p NAME -v VALUE */
export async function setParameter(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const { given, session } = call;
  const name = given.value("set-parameter") ?? "";
  const value = given.value("parameter-value");
  if (value === undefined) throw usage("crm_resource", "You need to supply a value with the -v option");
  const kind = kindOf(call);
  const ids = idsOf(call);
  const configuration = await session.configuration();
  const found = resourceNamed(configuration, id);
  if (kind === "instance_attributes" && ids.pair === undefined && !given.has("force"))
    refuseMetaName(found.xml, name);
  tellOfSeveral(found, name, call);
  const isMeta = kind === "meta_attributes";
  const firsts = isMeta ? metaHolders(found, name, "update", call) : [found.xml];
  const targets =
    given.has("recursive") && isMeta
      ? firsts.flatMap((first) => [first, ...dependents(configuration, first)])
      : firsts;
  const changes = [...new Set(targets)].map((target) => ({
    target,
    change: setResourcePair(target, kind, name, value, ids),
  }));
  await change(
    call,
    changes.map(({ change }) => change.operation),
  );
  call.answer.say({
    text: ({ quiet }) =>
      quiet
        ? undefined
        : changes
            .map(
              ({ target, change }) =>
                `Set '${idOf(target)}' option: id=${change.id}${change.isNew ? ` set=${change.setId}` : ""} name=${name} value=${plainLine(value)}`,
            )
            .join("\n"),
    xml: (api) =>
      api.atLeast("2.37")
        ? [
            element(
              "resource-settings",
              {},
              changes.map(({ target, change: { id: pair, setId } }) =>
                settingElement(target, kind, { id: pair, setId, name, value }),
              ),
            ),
          ]
        : [],
  });
  return CrmExit.OK;
}

/** Changes values. Of the cluster's resources the agents are asked; what is remarkable is said. */
async function change({ session, given }: ResourceCall, operations: readonly CibOperation[]): Promise<void> {
  const remarks = await session.apply(operations, "crm_resource", {
    force: given.has("force"),
    agents: session.isLive,
  });
  const { isSlip } = await import("../acceptance.ts");
  await warn(session.isLive ? remarks : remarks.filter(isSlip));
}

/** What was set, as it stands in the configuration. */
const settingElement = (
  target: XmlElement,
  kind: AttributeKind,
  { id, setId, name, value }: { id: string; setId: string; name: string; value: string },
): XmlElement =>
  element(target.name, { id: idOf(target) }, [
    element(kind, { id: setId }, [element("nvpair", { id, name, value })]),
  ]);

/** A parameter of a meta attribute's name is a slip of the pen more often than not. */
function refuseMetaName(xml: XmlElement, name: string): void {
  const [same, ...more] = pairsIn(xml, "meta_attributes").filter((pair) => pair.name === name);
  if (!same || more.length > 0) return;
  throw new HactlError({
    code: "MULTIPLE",
    what: `There is already a meta attribute for '${idOf(xml)}' called '${name}' (id=${same.id})`,
    cure: `delete '${same.id}' first or use the force option to override`,
    exit: CrmExit.MULTIPLE,
  });
}

/** Resources that have to be where another one is, and those that have to be where they are; each once. */
function dependents(configuration: XmlElement, of: XmlElement): XmlElement[] {
  const pairs = colocatedPairs(configuration);
  const found = new Map<string, XmlElement>();
  const visit = (id: string): void => {
    for (const { dependent } of pairs.filter(({ primary }) => primary === id).reverse()) {
      if (dependent === idOf(of) || found.has(dependent)) continue;
      found.set(dependent, resourceNamed(configuration, dependent).xml);
      visit(dependent);
    }
  };
  visit(idOf(of));
  return [...found.values()];
}

/** Who has to be with whom; in a set each member with the one before it, and sets with those behind them. */
function colocatedPairs(configuration: XmlElement): { dependent: string; primary: string }[] {
  const constraints = child(configuration, "constraints");
  return childrenOf(constraints, "rsc_colocation").flatMap((constraint) => {
    if ((parseScore(constraint.attributes.get("score") ?? "INFINITY") ?? 0) <= 0) return [];
    const [dependent, primary] = ["rsc", "with-rsc"].map((name) => constraint.attributes.get(name));
    if (dependent !== undefined && primary !== undefined) return [{ dependent, primary }];
    const sets = childrenOf(constraint, "resource_set").map((set) => ({
      members: childrenOf(set, "resource_ref").map(idOf),
      inOrder: parseBoolean(set.attributes.get("sequential")) ?? true,
    }));
    const within = sets.flatMap(({ members, inOrder }) =>
      inOrder ? members.slice(1).map((one, i) => ({ dependent: one, primary: members[i] ?? "" })) : [],
    );
    const between = sets
      .slice(1)
      .flatMap(({ members }, i) =>
        (sets[i]?.members ?? []).flatMap((one) =>
          members.map((other) => ({ dependent: one, primary: other })),
        ),
      );
    return [...within, ...between];
  });
}

/** -d NAME; nothing to delete is no error. */
export async function deleteParameter(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const { given, session } = call;
  const name = given.value("delete-parameter") ?? "";
  const kind = kindOf(call);
  const found = resourceNamed(await session.configuration(), id);
  tellOfSeveral(found, name, call);
  const targets = kind === "meta_attributes" ? metaHolders(found, name, "delete", call) : [found.xml];
  const gone = targets.flatMap((target) => {
    const pair = onlyPair(
      name,
      pairsIn(target, kind, idsOf(call)).filter((one) => one.name === name),
    );
    return pair ? [{ target, pair }] : [];
  });
  if (gone.length > 0) await change(call, removePairs(gone.map(({ pair }) => pair)));
  for (const { target, pair } of gone)
    call.answer.info(`Deleted '${idOf(target)}' option: id=${pair.id} name=${name}`);
  return CrmExit.OK;
}
