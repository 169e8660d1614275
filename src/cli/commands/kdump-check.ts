import { defineCommand } from "citty";
import { configFile, loadConfigFile } from "../../config/index.ts";
import { checkKdump } from "../../kdump/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";
import { kdumpNodes, kdumpSelf } from "./kdump-setup.ts";

export default defineCommand({
  meta: {
    name: "check",
    description:
      "Check the way from a crash of this node to the others: memory, crash kernel, kdump.conf, image, and whether each node hears us.",
  },
  args: {
    root: { type: "string", valueHint: "directory", description: "directory that stands for / [default: /]" },
    node: { type: "string", valueHint: "name", description: "this node [default: by its host name]" },
    timeout: {
      type: "string",
      valueHint: "seconds",
      description: "wait for each node's answer [default: 2]",
    },
  },
  run: async ({ args }) => {
    const config = loadConfigFile(configFile(), "text");
    const findings = await checkKdump({
      root: args.root ?? "/",
      self: kdumpSelf(config, args.node),
      nodes: kdumpNodes(config),
      port: config.kdump.port,
      timeoutMs: (Number(args.timeout) || 2) * 1000,
      listInitrd: initrdLister(),
    });
    const good = findings.every(({ ok }) => ok);
    if (wantsJson()) printJson({ ok: good, findings });
    else
      for (const { ok, what, cure } of findings)
        print(ok ? `${colours.green("ok")}   ${what}` : `${colours.red("FAIL")} ${what}\n     cure: ${cure}`);
    return good ? CrmExit.OK : CrmExit.ERROR;
  },
});

/** lsinitrd of dracut, or Debian's lsinitramfs. */
function initrdLister(): ((path: string) => Promise<string | undefined>) | undefined {
  const program = Bun.which("lsinitrd") ?? Bun.which("lsinitramfs");
  if (program === null) return undefined;
  return async (path) => {
    const child = Bun.spawn([program, path], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
    const text = await new Response(child.stdout).text();
    return (await child.exited) === 0 ? text : undefined;
  };
}
