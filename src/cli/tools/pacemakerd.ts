import { element } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type AnsweringTool, type Message, runTool, textElement } from "../answer/index.ts";
import { askToLeave } from "../leaving.ts";
import { writeError } from "../output.ts";
import { pacemakerVersion, usage } from "./connection.ts";
import type { OptionRow } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "features", short: "F", description: "version and features" },
  { name: "shutdown", short: "S", description: "let this node leave the cluster" },
  { name: "standby", short: "s", description: "refused: the daemon is not started this way" },
  { name: "foreground", short: "f", description: "accepted: nothing is started" },
  { name: "pid-file", short: "p", value: "FILE", description: "accepted: nothing is started" },
  { name: "verbose", short: "V", description: "say more" },
];

const tool: AnsweringTool = {
  name: "pacemakerd",
  purpose: "The version of the cluster, and its end on this node.",
  options,
};

/** pacemakerd(8): what agents ask of it. The daemon is started by `hactl start`. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    if (given.has("features")) {
      const { FEATURE_SET } = await import("../../controller/index.ts");
      answer.say(featuresMessage(FEATURE_SET));
      return CrmExit.OK;
    }
    if (given.has("shutdown")) {
      const { name } = await askToLeave();
      if (answer.format === "text") writeError(`Node ${name} leaves the cluster\n`);
      return CrmExit.OK;
    }
    if (given.has("standby"))
      throw new HactlError({
        code: "USAGE",
        what: "the daemon is not started this way, and no node is put in standby by its start",
        cure: "say 'hactl node standby NODE' on a node that is there, then 'hactl start' on this one",
        exit: CrmExit.USAGE,
      });
    throw usage("pacemakerd", "the daemon is not started this way: see hactl start");
  });

const features = ["corosync-ge-2", "monotonic", "remote", "systemd"];

const featuresMessage = (featureSet: string): Message => ({
  text: () =>
    `Pacemaker ${pacemakerVersion} (Build: hactl)\n Supporting v${featureSet}: ${features.join(" ")}`,
  xml: () => [
    element("pacemakerd", { version: pacemakerVersion, build: "hactl", feature_set: featureSet }, [
      element(
        "features",
        {},
        features.map((feature) => textElement("feature", feature)),
      ),
    ]),
  ],
});
