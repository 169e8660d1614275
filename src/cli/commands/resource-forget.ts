import { defineCommand } from "citty";
import { child, childrenOf, type XmlElement } from "../../cib/index.ts";
import { CrmExit, withoutInstance } from "../../terms/index.ts";
import { readCib } from "../cib-session.ts";
import { ask } from "../daemon.ts";
import { note, printJson, wantsJson } from "../output.ts";
import { checkNode, idOf, primitivesIn, resourceNamed, resourcesOf } from "../resources.ts";
import { parseSeconds } from "../seconds.ts";
import { requireLive } from "../target.ts";
import { fulfilled } from "../waiting.ts";
import { waitArgument } from "./resource-change.ts";

/** Whether a resource is not configured any more, and a node knows something of it. */
const isLeftOver = (cib: XmlElement, configuration: XmlElement, id: string): boolean =>
  !resourcesOf(configuration).some(({ xml }) => [id, withoutInstance(id)].includes(idOf(xml))) &&
  childrenOf(child(cib, "status"), "node_state")
    .flatMap((state) => childrenOf(child(child(state, "lrm"), "lrm_resources"), "lrm_resource"))
    .some((history) => idOf(history) === id);

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
      const { cib, configuration } = await readCib();
      const node = args.node === undefined ? undefined : checkNode(configuration, args.node);
      const ids =
        args.resource === undefined
          ? undefined
          : isLeftOver(cib, configuration, args.resource)
            ? [args.resource]
            : primitivesIn(resourceNamed(configuration, args.resource).xml).map(idOf);
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
