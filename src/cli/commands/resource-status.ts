import { defineCommand } from "citty";
import { unpackCluster } from "../../scheduler/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { readState } from "../cib-session.ts";
import { print, printJson, wantsJson } from "../output.ts";
import { placesOf } from "../places.ts";
import { outlineLines } from "../render/outline.ts";
import { resourceItems, resourceOutline } from "../render/resource-list.ts";
import { resourceFacts } from "../render/status-facts.ts";
import { idOf, resourceNamed, resourcesOf } from "../resources.ts";

const now = () => Math.floor(Date.now() / 1000);

export const list = defineCommand({
  meta: { name: "list", description: "List all resources with their state." },
  run: async () => {
    const { cib, configuration, hidden = [] } = await readState();
    const cluster = unpackCluster(cib, now());
    if (wantsJson()) {
      printJson(cluster.resources.filter((rsc) => !rsc.removed).map((rsc) => resourceFacts(cluster, rsc)));
    } else if (resourcesOf(configuration).length === 0) {
      print(
        hidden.length > 0
          ? "There are no resources that this user may see."
          : "There are no resources. See 'hactl configure primitive --help'.",
      );
    } else {
      for (const item of resourceItems(cluster)) print(outlineLines(item, 0).join("\n"));
    }
    return CrmExit.OK;
  },
});

export const status = defineCommand({
  meta: { name: "status", description: "Show the state of a resource and of what is in it." },
  args: { resource: { type: "positional", description: "id of the resource" } },
  run: async ({ args }) => {
    const { cib, configuration } = await readState();
    const id = idOf(resourceNamed(configuration, args.resource ?? "").xml);
    const cluster = unpackCluster(cib, now());
    const found = [...cluster.resourceById.values()].filter((rsc) => rsc.id === id || rsc.configId === id);
    const top = found.filter((rsc) => rsc.parent === undefined || !found.includes(rsc.parent));
    if (wantsJson()) printJson(top.map((rsc) => resourceFacts(cluster, rsc)));
    else
      for (const rsc of top)
        for (const item of resourceOutline(cluster, rsc, {})) print(outlineLines(item, 0).join("\n"));
    return CrmExit.OK;
  },
});

export const locate = defineCommand({
  meta: {
    name: "locate",
    description: "Print the nodes that a resource runs on; status 7 when it runs nowhere.",
  },
  args: { resource: { type: "positional", description: "id of the resource" } },
  run: async ({ args }) => {
    const { cib, configuration } = await readState();
    const id = idOf(resourceNamed(configuration, args.resource ?? "").xml);
    const places = placesOf(cib, id, now());
    if (wantsJson()) printJson({ resource: id, places });
    else for (const { node, role } of places) print(role === "Started" ? node : `${node} (${role})`);
    return places.length === 0 ? CrmExit.NOT_RUNNING : CrmExit.OK;
  },
});
