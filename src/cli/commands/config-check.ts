import { defineCommand } from "citty";
import {
  type CheckedConfig,
  type ConfigProblem,
  checkConfig,
  configFile,
  readConfigText,
  thisMachine,
} from "../../config/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "check",
    description: "Tell every mistake in hactl.toml, with its line and the cure. Changes nothing.",
  },
  args: {
    file: {
      type: "positional",
      required: false,
      description: "the configuration [default: that of this node]",
    },
    text: {
      type: "boolean",
      description: "look at the text only, not at this machine: addresses, key, directories",
    },
    remote: { type: "boolean", description: "check it for hactl remote" },
    node: { type: "string", valueHint: "name", description: "check it for this node" },
  },
  run: ({ args }) => {
    const file = configFile(args.file);
    const purpose = args.text ? "text" : args.remote ? "remote" : "node";
    const result = checkConfig(readConfigText(file), file, {
      purpose,
      node: args.node,
      machine: thisMachine(),
    });
    if (wantsJson()) printJson({ file, ok: result.config !== undefined, problems: result.problems });
    else print(report(file, result));
    return result.config ? CrmExit.OK : CrmExit.CONFIG;
  },
});

function report(file: string, result: CheckedConfig): string {
  const lines = result.problems.flatMap((problem) => describe(file, problem));
  const errors = result.problems.filter((problem) => problem.severity === "error").length;
  const warnings = result.problems.length - errors;
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  if (errors > 0) {
    lines.push("", `${file}: ${colours.red(count(errors, "mistake"))}, ${count(warnings, "warning")}`);
    return lines.join("\n");
  }
  const config = result.config;
  const size =
    config?.nodes.length === 0
      ? "of a remote host"
      : config
        ? `${count(config.nodes.length, "node")}, ${count(config.links.length, "link")}`
        : "";
  const here = config?.localNode ? `; this is ${config.localNode.name}` : "";
  if (lines.length > 0) lines.push("");
  lines.push(
    `${file}: ${colours.green("correct")} (${size}${here})${warnings > 0 ? `, ${count(warnings, "warning")}` : ""}`,
  );
  return lines.join("\n");
}

function describe(file: string, problem: ConfigProblem): string[] {
  const place = problem.line === undefined ? file : `${file}:${problem.line}`;
  const severity = problem.severity === "error" ? colours.red("error") : colours.yellow("warning");
  return [`${place}: ${severity}: ${problem.what}`, `    ${problem.cure}`];
}
