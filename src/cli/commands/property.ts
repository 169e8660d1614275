import { defineCommand } from "citty";
import {
  type CibOperation,
  clusterProperties,
  clusterProperty,
  element,
  formatXml,
  isSameProperty,
  onlyPair,
  type Pair,
  pairsIn,
  removePairs,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError, nearest } from "../../terms/index.ts";
import { applyToCib, readCib } from "../cib-session.ts";
import { note, print, printJson, wantsJson } from "../output.ts";

const propertiesOf = (configuration: XmlElement): Pair[] =>
  pairsIn(
    configuration.children.find(({ name }) => name === "crm_config"),
    "cluster_property_set",
  );

/** Sets cluster properties, or with `undefined` removes them: then their defaults count. All of them or none. */
export async function setProperties(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
  force = false,
): Promise<void> {
  const all = propertiesOf((await readCib()).configuration);
  const operations = pairs.flatMap(([name, value]): CibOperation[] => {
    const old = all.filter((property) => isSameProperty(property.name, name));
    if (value === undefined) return removePairs(old);
    // Under another name it is the same one, which the new value replaces.
    const named = old.filter((one) => one.name === name);
    const kept = named.length > 0 ? named : old.filter((one) => one.name === old[0]?.name);
    const others = old.filter((one) => !kept.includes(one));
    return [...removePairs(others), setOperation(name, value, onlyProperty(name, kept))];
  });
  if (operations.length > 0) await applyToCib(operations, "property", { force });
}

/** The one that counts: the cluster reads its own set before all others. @throws AmbiguousPair */
function onlyProperty(name: string, found: readonly Pair[]): Pair | undefined {
  const own = found.filter(({ setId }) => setId === bootstrapSet);
  return onlyPair(name, own.length > 0 ? own : found);
}

const bootstrapSet = "cib-bootstrap-options";

function setOperation(name: string, value: string, old: Pair | undefined): CibOperation {
  const set = old?.setId ?? bootstrapSet;
  const pair = element("nvpair", { id: old?.id ?? `${set}-${name}`, name, value });
  const xml = formatXml(element("cluster_property_set", { id: set }, [pair]), -1);
  return { op: "modify", xml, scope: "crm_config", create: true };
}

export default defineCommand({
  meta: {
    name: "property",
    description:
      "Show the cluster's properties, or set them: hactl property NAME=VALUE …; NAME= goes back to the default.",
    extraWords: true,
  } as { name: string; description: string },
  args: {
    words: { type: "positional", required: false, description: "NAME to show, or NAME=VALUE to set" },
    force: { type: "boolean", description: "take properties and values that hactl does not know, too" },
  },
  run: async ({ args }) => {
    const words = args._;
    if (words.some((word) => word.includes("="))) return set(words, args.force === true);
    const { configuration } = await readCib();
    const all = propertiesOf(configuration);
    for (const word of words) known(word, all, false);
    const shown =
      words.length === 0
        ? all
        : words.flatMap((word) => all.filter(({ name }) => isSameProperty(name, word)));
    if (wantsJson()) printJson(Object.fromEntries(shown.map(({ name, value }) => [name, value])));
    else for (const { name, value } of shown) print(`${name}=${value}`);
    for (const word of words)
      if (!shown.some(({ name }) => isSameProperty(name, word))) {
        const fallback = clusterProperty(word)?.default;
        note(`${word} is not set${fallback === undefined ? "" : `; its default is ${fallback}`}.`);
      }
    return CrmExit.OK;
  },
});

async function set(words: readonly string[], force: boolean): Promise<number> {
  const pairs = words.map((word) => {
    const at = word.indexOf("=");
    if (at > 0) return [word.slice(0, at), word.slice(at + 1)] as const;
    throw new HactlError({
      code: "USAGE",
      what: `"${word}" is not NAME=VALUE`,
      cure: "hactl property maintenance-mode=true",
      exit: CrmExit.USAGE,
    });
  });
  const all = propertiesOf((await readCib()).configuration);
  for (const [name] of pairs) known(name, all, force);
  refuseTwice(pairs.map(([name]) => name));
  await setProperties(
    pairs.map(([name, value]) => [name, value === "" ? undefined : value]),
    force,
  );
  if (wantsJson()) printJson(Object.fromEntries(pairs));
  else
    note(
      pairs
        .map(([name, value]) => (value === "" ? `${name} is at its default.` : `${name} is ${value}.`))
        .join("\n"),
    );
  return CrmExit.OK;
}

/** One property cannot get two values. */
function refuseTwice(names: readonly string[]): void {
  for (const [at, name] of names.entries()) {
    const other = names.slice(0, at).find((one) => isSameProperty(one, name));
    if (other === undefined) continue;
    throw new HactlError({
      code: "USAGE",
      what: other === name ? `${name} is set twice` : `${other} and ${name} are one property under two names`,
      cure: "set it once",
      exit: CrmExit.USAGE,
    });
  }
}

function known(name: string, all: readonly Pair[], force: boolean): void {
  const names = clusterProperties.flatMap(({ name: first, aliases }) => [first, ...(aliases ?? [])]);
  if (force || clusterProperty(name) !== undefined || all.some((property) => property.name === name)) return;
  const guess = nearest(name, names);
  throw new HactlError({
    code: "NO_SUCH_PROPERTY",
    what: `there is no cluster property "${name}"`,
    cure: guess ? `Did you mean ${guess}?` : "see 'hactl explain option'; --force sets it all the same",
    exit: CrmExit.NOSUCH,
  });
}
