import type { XmlElement } from "../../cib/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { type AnsweringTool, cdataElement, type Message, runTool } from "../answer/index.ts";
import { readText } from "../read-text.ts";
import { usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";
import { xmlDiff } from "./xml-diff.ts";

const options: readonly OptionRow[] = [
  { name: "original", short: "o", value: "FILE", description: "the old XML" },
  { name: "original-string", short: "O", value: "XML", description: "the old XML itself" },
  { name: "new", short: "n", value: "FILE", description: "the new XML" },
  { name: "new-string", short: "N", value: "XML", description: "the new XML itself" },
  { name: "patch", short: "p", value: "FILE", description: "apply this difference to the old XML" },
  {
    name: "cib",
    short: "c",
    description: "as CIBs: the order of attributes is nothing, and a digest is told",
  },
  { name: "stdin", short: "s", description: "read what is not named from standard input" },
  { name: "no-version", short: "u", description: "without the versions" },
  { name: "verbose", short: "V", description: "say more" },
];

const tool: AnsweringTool = { name: "crm_diff", purpose: "Find and apply differences of CIBs.", options };

/** A document of its own: as it is, or within the answer. */
const document = (name: "patchset" | "updated", xml: string): Message => ({
  text: () => xml,
  xml: () => [cdataElement(name, xml)],
  since: "2.39",
});

/** crm_diff(8): the difference of two CIBs, and its application. Exit code 1 when they differ. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    if (given.has("cib") && given.has("no-version"))
      throw usage("crm_diff", "-u/--no-version incompatible with -c/--cib");
    const { formatXml, parseXml } = await import("../../cib/index.ts");
    const read = (xml: string) => parseXml(xml, undefined, { comments: true });
    const old = read(text(given, "original"));
    const patch = given.value("patch");
    if (patch !== undefined) {
      if (given.has("no-version")) answer.error("Warning: -u/--no-version ignored with -p/--patch");
      const { patchedDocument } = await import("./xml-patch.ts");
      answer.say(
        document("updated", formatXml(patchedDocument(old, read(readText(patch)), given.has("cib")))),
      );
      return CrmExit.OK;
    }
    const fresh = read(text(given, "new"));
    const ordered = given.has("cib") || [old, fresh].some(isOrdered);
    const diff = xmlDiff(old, fresh, {
      versions: !given.has("no-version"),
      attributeOrder: !given.has("cib") && ordered,
      elementOrder: ordered,
    });
    if (!diff) return CrmExit.OK;
    if (given.has("cib")) {
      const { documentDigest } = await import("./xml-patch.ts");
      diff.attributes.set("digest", documentDigest(fresh));
    }
    answer.say(document("patchset", formatXml(diff)));
    return CrmExit.ERROR;
  });

/**
 * Whether the order in a document counts. A `<cib>` that names no feature set is written by hand, or stripped by a script that
 * compares what is configured: Pacemaker 2 finds no moves in it, either.
 */
const isOrdered = ({ name, attributes }: XmlElement): boolean =>
  name !== "cib" || attributes.has("crm_feature_set");

function text(given: ParsedWords, which: "original" | "new"): string {
  const direct = given.value(`${which}-string`);
  if (direct !== undefined) return direct;
  const file = given.value(which) ?? (given.has("stdin") ? "-" : undefined);
  if (file === undefined) throw usage("crm_diff", `name the ${which} XML`);
  return readText(file);
}
