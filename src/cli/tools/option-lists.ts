import { clusterProperties, resourceMeta } from "../../cib/index.ts";
import { deviceOptions } from "../../fencer/index.ts";
import { CrmExit, HactlError, lookup, nearest, type OptionSpec } from "../../terms/index.ts";
import { runTool } from "../answer/index.ts";
import { type ListedOption, type OptionList, optionListMessage } from "../render/option-list.ts";
import { inUsualOrder } from "../render/usual-options.ts";
import { pacemakerVersion } from "./connection.ts";
import { listOptionRows } from "./list-options.ts";

/** Older names that configurations and other programs still use; those of the 1.1 series are only read. */
const shownAlias = /^(?:stonith|fence|stop-orphan)-/;

/** Each option by its name and by the older ones in use. */
export const listed = (specs: readonly OptionSpec[]): ListedOption[] =>
  specs.flatMap((spec) => [
    { name: spec.name, spec },
    ...(spec.aliases ?? [])
      .filter((alias) => shownAlias.test(alias))
      .map((name) => ({ name, spec, replacedBy: spec.name })),
  ]);

/** Properties that are only read: nobody sets them any more. */
export const unlisted: ReadonlySet<string> = new Set(["last-lrm-refresh", "remove-after-stop"]);

/** Meta attributes that primitives of every kind may have. */
const notOfPrimitives = new Set(["external-ip", "provides", "restart-type"]);
/** Parameters for the cluster that have no counterpart elsewhere. */
const isForeign = ({ name }: OptionSpec) => !/^pcmk_(?:metadata|validate-all)_|^hactl_/.test(name);

const lists: Readonly<Record<"cluster" | "primitive" | "fencing", () => OptionList>> = lookup({
  cluster: () => ({
    id: "cluster-options",
    title: "Cluster options",
    description:
      "Properties that hold for the whole cluster. They stand in a cluster_property_set of the section crm_config.",
    options: listed(inUsualOrder(clusterProperties.filter(({ name }) => !unlisted.has(name)))),
  }),
  primitive: () => ({
    id: "primitive-meta",
    title: "Primitive meta-attributes",
    description: "Meta attributes that every primitive may have",
    options: listed(resourceMeta.filter(({ name }) => !notOfPrimitives.has(name))),
  }),
  fencing: () => ({
    id: "fence-attributes",
    title: "Common parameters of fence devices",
    description:
      "Parameters that every fence device may have whatever its agent: they are for the cluster, which does not hand them on to the agent.",
    options: listed(deviceOptions.filter(isForeign)),
  }),
});
export type OptionListName = keyof typeof lists;

/** Answers `--list-options LIST [--all]` of a tool, which has these lists. */
export const runListOptions = (
  name: string,
  known: readonly OptionListName[],
  words: readonly string[],
  options = listOptionRows,
): Promise<number> =>
  runTool({ name, purpose: "Show which options there are.", options }, words, async (given, answer) => {
    const wanted = given.value("list-options") ?? "";
    const list = known.find((candidate) => candidate === wanted);
    if (list === undefined) throw unknownList(name, wanted, known);
    answer.say(optionListMessage(lists[list](), pacemakerVersion, given.has("all")));
    return CrmExit.OK;
  });

function unknownList(tool: string, wanted: string, known: readonly string[]): HactlError {
  const guess = nearest(wanted, known);
  return new HactlError({
    code: "USAGE",
    what: `${tool} has no list of options "${wanted}"`,
    cure: guess ? `Did you mean ${guess}?` : `It has ${known.join(" and ")}`,
    exit: CrmExit.USAGE,
  });
}
