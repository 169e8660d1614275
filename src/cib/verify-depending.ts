import { indexById } from "./nvpairs.ts";
import { clusterProperty } from "./options/lookup.ts";
import { type CibProblem, problemAt } from "./references.ts";
import { type Settled, settledPrimitives } from "./settled.ts";
import { parseIntervalMs } from "./time.ts";
import { parseBoolean } from "./values.ts";
import { writtenProperties } from "./verify-options.ts";
import { child, childrenOf, type XmlElement } from "./xml.ts";

/** Options that count only together with another one, where that one is not: they are shown and do nothing. */
export function findDependingProblems(configuration: XmlElement): CibProblem[] {
  const index = indexById(configuration);
  const primitives = settledPrimitives(configuration);
  return [
    ...guestOptions(primitives, index),
    ...propertiesWithout(configuration),
    ...primitives.flatMap(originsWithout),
  ];
}

/** What is said of the connection to a guest node, whose name is not. */
const ofGuests = ["remote-addr", "remote-port", "remote-connect-timeout", "remote-allow-migrate"] as const;

function guestOptions(primitives: readonly Settled[], index: ReadonlyMap<string, XmlElement>): CibProblem[] {
  const told = new Set<string | undefined>();
  return primitives
    .filter(({ meta }) => !meta.has("remote-node"))
    .flatMap(({ xml, meta }) =>
      ofGuests.flatMap((name) => {
        const found = meta.get(name);
        if (found === undefined || told.has(found.id)) return [];
        told.add(found.id);
        const text = `${name}="${found.value}" of resource "${xml.attributes.get("id")}" has no effect: it is for the guest node that the resource brings up, and remote-node does not name one`;
        const at = index.get(found.id ?? "") ?? xml;
        return [problemAt(at, "warning", "NEEDS_OPTION", text, "add remote-node=NAME, or remove it")];
      }),
    );
}

interface Depending {
  readonly names: readonly string[];
  readonly on: string;
  readonly counts: (value: string | undefined) => boolean;
  readonly cure: string;
}

const dependingProperties: readonly Depending[] = [
  {
    names: ["node-health-base"],
    on: "node-health-strategy",
    counts: (value) => value === "progressive",
    cure: "set node-health-strategy=progressive, or remove it",
  },
  {
    names: ["node-health-green", "node-health-yellow", "node-health-red"],
    on: "node-health-strategy",
    counts: (value) => value === "progressive" || value === "custom",
    cure: "set node-health-strategy=progressive or custom, or remove it",
  },
  {
    names: ["shutdown-lock-limit"],
    on: "shutdown-lock",
    counts: (value) => parseBoolean(value) === true,
    cure: "set shutdown-lock=true, or remove it",
  },
];

function propertiesWithout(configuration: XmlElement): CibProblem[] {
  const properties = writtenProperties(configuration);
  const pairs = childrenOf(child(configuration, "crm_config"), "cluster_property_set").flatMap((set) =>
    childrenOf(set, "nvpair"),
  );
  return dependingProperties.flatMap(({ names, on, counts, cure }) => {
    const spec = clusterProperty(on);
    const other = properties.get(on);
    if (counts((other ?? spec?.default)?.toLowerCase())) return [];
    return pairs
      .filter(({ attributes }) => names.includes(attributes.get("name") ?? ""))
      .filter((pair) => !isDefault(pair))
      .map((pair) => {
        const text = `cluster property "${pair.attributes.get("name")}" has no effect: ${on} is ${other ?? spec?.default}`;
        return problemAt(pair, "warning", "NEEDS_OPTION", text, cure);
      });
  });
}

/** What asks for what holds anyway is not missed. */
function isDefault({ attributes }: XmlElement): boolean {
  const value = attributes.get("value")?.toLowerCase();
  return value === clusterProperty(attributes.get("name") ?? "")?.default?.toLowerCase();
}

/** The time from which intervals are counted, of what does not recur. */
const originsWithout = ({ xml, operations }: Settled): CibProblem[] =>
  operations
    .filter(
      ({ attributes }) =>
        attributes.has("interval-origin") && (parseIntervalMs(attributes.get("interval")) ?? 0) === 0,
    )
    .map((op) => {
      const text = `interval-origin of operation ${op.attributes.get("name")} of resource "${xml.attributes.get("id")}" has no effect: it does not recur`;
      return problemAt(op, "warning", "NEEDS_OPTION", text, 'write interval="…", or remove it');
    });
