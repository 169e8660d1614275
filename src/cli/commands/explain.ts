import { type CommandDef, defineCommand } from "citty";
import { CrmExit, HactlError } from "../../terms/index.ts";

export default defineCommand({
  meta: {
    name: "explain",
    description:
      "Explain why a resource is where it is, or not there: 'explain RESOURCE [NODE]'; an action of the plan; an option.",
  },
  args: {
    resource: { type: "positional", required: false, description: "a resource, a group or a clone" },
    node: { type: "positional", required: false, description: "only this node" },
    file: { type: "string", alias: "x", valueHint: "FILE", description: "decide for a CIB from a file" },
  },
  subCommands: {
    option: async () => (await import("./explain-option.ts")).default as unknown as CommandDef,
    action: async () => (await import("./explain-cluster.ts")).actionCommand as unknown as CommandDef,
  },
  run: async ({ args }) => {
    if (args.resource === undefined) {
      throw new HactlError({
        code: "USAGE",
        what: "explain needs to know what",
        cure: "Write hactl explain RESOURCE [NODE], hactl explain action KEY, or hactl explain option NAME",
        exit: CrmExit.USAGE,
      });
    }
    await (await import("./explain-cluster.ts")).explainPlacement(args.resource, args.node, args.file);
  },
});
