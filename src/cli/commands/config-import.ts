import { existsSync } from "node:fs";
import { defineCommand } from "citty";
import {
  checkConfig,
  formatProblem,
  type ImportSources,
  importConfig,
  readConfigText,
  thisMachine,
} from "../../config/index.ts";
import { writeDurably } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { note, print, printJson, wantsJson } from "../output.ts";

export default defineCommand({
  meta: {
    name: "import",
    description:
      "Make a hactl.toml of corosync.conf, /etc/sysconfig/pacemaker and cluster.conf. They stay as they are.",
  },
  args: {
    corosync: { type: "string", valueHint: "file", description: "a corosync.conf" },
    sysconfig: { type: "string", valueHint: "file", description: "an /etc/sysconfig/pacemaker or sbd" },
    "cluster-conf": { type: "string", valueHint: "file", description: "a cluster.conf" },
    output: {
      type: "string",
      alias: "o",
      valueHint: "file",
      description: "where to write it [default: print it]",
    },
    force: { type: "boolean", alias: "f", description: "overwrite the output" },
  },
  run: async ({ args }) => {
    const sources = readSources(args.corosync, args.sysconfig, args["cluster-conf"]);
    const imported = importConfig(sources);
    const output = args.output;
    const name = output ?? "hactl.toml";
    const { problems } = checkConfig(imported.toml, name, { purpose: "text", machine: thisMachine() });
    if (output !== undefined) {
      if (existsSync(output) && !args.force) throw exists(output);
      await writeDurably(output, imported.toml, { mode: 0o644 });
    }
    if (wantsJson())
      printJson({ output: output ?? null, toml: imported.toml, notes: imported.notes, problems });
    else if (output === undefined) print(imported.toml);
    else print(`Wrote ${output}.`);
    for (const remark of imported.notes) {
      note(`${remark.file}${remark.line ? `:${remark.line}` : ""}: ${remark.text}`);
    }
    for (const problem of problems) note(formatProblem(name, problem));
    // What the daemon would refuse is of no use as it is.
    return problems.some(({ severity }) => severity === "error") ? CrmExit.CONFIG : CrmExit.OK;
  },
});

function readSources(corosync?: string, sysconfig?: string, clusterConf?: string): ImportSources {
  const read = (file: string) => ({ file, text: readConfigText(file) });
  const sources: ImportSources = {
    ...(corosync !== undefined && { corosync: read(corosync) }),
    ...(sysconfig !== undefined && { sysconfig: read(sysconfig) }),
    ...(clusterConf !== undefined && { clusterConf: read(clusterConf) }),
  };
  if (Object.keys(sources).length > 0) return sources;
  throw new HactlError({
    code: "USAGE",
    what: "Nothing to import",
    cure: "Name a file: --corosync /etc/corosync/corosync.conf --sysconfig /etc/sysconfig/pacemaker",
    exit: CrmExit.USAGE,
  });
}

const exists = (file: string) =>
  new HactlError({
    code: "EXISTS",
    what: "The output exists already",
    where: { file },
    cure: "Choose another name, or add --force",
    exit: CrmExit.EXISTS,
  });
