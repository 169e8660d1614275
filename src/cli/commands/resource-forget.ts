import { defineCommand } from "citty";
import { child, childrenOf } from "../../cib/index.ts";
import { CrmExit, withoutInstance } from "../../terms/index.ts";
import { type ReadCib, readCib } from "../cib-session.ts";
import { ask } from "../daemon.ts";
import { note, printJson, wantsJson } from "../output.ts";
import { checkNode, idOf, primitivesIn, resourceNamed, resourcesOf } from "../resources.ts";
import { parseSeconds } from "../seconds.ts";
import { requireLive } from "../target.ts";
import { fulfilled } from "../waiting.ts";
import { waitArgument } from "./resource-change.ts";

/**
 * The resources that a name means: those in it, and of a bundle what it brings along, as nodes know it. It may be one that is
 * not written in the configuration: such a part, or what is left of one that was deleted.
 */
async function meant({ cib, configuration }: ReadCib, id: string): Promise<readonly string[]> {
  const known = childrenOf(child(cib, "status"), "node_state")
    .flatMap((state) => childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource"))
    .map(idOf);
  const isConfigured = resourcesOf(configuration).some(({ xml }) =>
    [id, withoutInstance(id)].includes(idOf(xml)),
  );
  if (!isConfigured && known.includes(id)) return [id];
  const { xml } = resourceNamed(configuration, id);
  const written = primitivesIn(xml).map(idOf);
  if (xml.name !== "bundle") return written;
  const { resourceFamilies } = await import("../../controller/index.ts");
  const familyOf = resourceFamilies(configuration);
  const brought = known.filter((part) => familyOf(part) === id && !written.includes(withoutInstance(part)));
  return [...written, ...new Set(brought)].sort();
}

const forgetCommand = (name: string, description: string, failuresOnly: boolean) =>
  defineCommand({
    meta: { name, description },
    args: {
      resource: { type: "positional", required: false, description: "id of the resource [default: all]" },
      node: { type: "positional", required: false, description: "on this node only" },
      ...waitArgument,
    },
    run: async ({ args }) => {
      requireLive("looking anew at resources");
      const read = await readCib();
      const node = args.node === undefined ? undefined : checkNode(read.configuration, args.node);
      const ids = args.resource === undefined ? undefined : await meant(read, args.resource);
      const wait = args.wait ? parseSeconds(args.timeout) : undefined;
      const on = node === undefined ? {} : { node };
      if (ids === undefined) await ask({ type: "forget", failuresOnly, ...on });
      for (const rsc of ids ?? []) await ask({ type: "forget", rsc, failuresOnly, ...on });
      const rsc = args.resource;
      if (wait !== undefined)
        await fulfilled(wait, { wish: "is well", ...(rsc === undefined ? {} : { rsc }) });
      if (wantsJson()) printJson({ resources: ids ?? "all", node: node ?? null });
      else
        note(
          `${failuresOnly ? "Forgot the failures" : "Forgot the history"} of ${ids?.join(", ") ?? "all resources"}${node === undefined ? "" : ` on ${node}`}.`,
        );
      return CrmExit.OK;
    },
  });

export const cleanup = forgetCommand(
  "cleanup",
  "Forget failures, so that a resource is tried again where it has failed.",
  true,
);
export const refresh = forgetCommand(
  "refresh",
  "Forget all that is known about a resource and look at it anew on every node.",
  false,
);
