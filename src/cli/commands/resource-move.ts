import { defineCommand } from "citty";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { readState } from "../cib-session.ts";
import { note, printJson, wantsJson } from "../output.ts";
import { type ActivePlace, placedIds, placesOf } from "../places.ts";
import {
  banId,
  banOperations,
  checkNode,
  clearOperations,
  idOf,
  isPromotable,
  preferId,
  preferOperations,
  steered,
  steeredIds,
  steeringAround,
  steeringConstraints,
} from "../resources.ts";
import { parseSeconds } from "../seconds.ts";
import { noteRest, refuseUnfulfilled, type Wish } from "../waiting.ts";
import { change, readResource, resourceArgument, waitArgument } from "./resource-change.ts";

const seconds = () => Math.floor(Date.now() / 1000);

const moveArguments = {
  ...resourceArgument,
  node: { type: "positional", required: false, description: "name of the node" },
  promoted: { type: "boolean", description: "of a promotable clone: the promoted instance only" },
} as const;

/** Where it is: for a promotable clone the place of the promoted instance counts. */
function placeOf(places: readonly ActivePlace[], rsc: string): string {
  const promoted = places.filter(({ role }) => role === "Promoted");
  const [one, ...more] = places.length === 1 ? places : promoted;
  if (one && more.length === 0) return one.node;
  throw new HactlError({
    code: "WHICH_NODE",
    what:
      places.length === 0
        ? `${rsc} runs nowhere`
        : `${rsc} runs on ${places.map(({ node }) => node).join(", ")}`,
    cure: "name the node",
    exit: places.length === 0 ? CrmExit.NOT_RUNNING : CrmExit.MULTIPLE,
  });
}

export const move = defineCommand({
  meta: {
    name: "move",
    description:
      "Move a resource to a node, or away from where it is. The constraint that does it stays, until 'hactl resource " +
      "clear', unless --wait is given: then it is removed as soon as the resource is there.",
  },
  args: { ...moveArguments, ...waitArgument },
  run: async ({ args }) => {
    const { cib, configuration, found } = await readResource(args.resource ?? "");
    const xml = steered(found);
    const rsc = idOf(xml);
    const places = placesOf(cib, rsc, seconds());
    const role = args.promoted || (isPromotable(xml) && args.node !== undefined) ? "Promoted" : "Started";
    const wait = args.wait ? parseSeconds(args.timeout) : undefined;
    const node = args.node === undefined ? undefined : checkNode(configuration, args.node);
    const there = places.find((place) => place.node === node);
    if (there && (role === "Started" ? places.length === 1 : there.role === "Promoted")) {
      if (wantsJson()) printJson({ resource: rsc, node, moved: false });
      else note(`${rsc} is on ${node} already.`);
      return CrmExit.OK;
    }
    const from = node === undefined ? placeOf(places, rsc) : undefined;
    const operations =
      node === undefined
        ? banOperations({ rsc, node: from ?? "", role })
        : preferOperations({ rsc, node, role });
    const id = node === undefined ? banId(rsc, from ?? "") : preferId(rsc);
    await change(operations, "resource move", wait);
    if (wait !== undefined) return ended(rsc, moved(rsc, role, node, from ?? ""), id, wait);
    if (wantsJson()) printJson({ resource: rsc, node: node ?? null, constraint: id });
    else
      note(
        `${rsc} ${node === undefined ? `leaves ${from}` : `goes to ${node}`}. Constraint ${id} holds it there until 'hactl resource clear ${rsc}'.`,
      );
    if (!wantsJson()) {
      noteRest(cib, rsc);
      if (node !== undefined) await noteImpossible(rsc, node);
    }
    return CrmExit.OK;
  },
});

/** Tells where the cluster does not want it there all the same, as where it has failed. */
async function noteImpossible(rsc: string, node: string): Promise<void> {
  const { schedule } = await import("../../scheduler/index.ts");
  const { cib } = await readState();
  try {
    const { placement } = schedule({ cib, now: seconds(), effort: 1_000_000 });
    const ids = placedIds(cib, rsc, seconds());
    if (placement.some((place) => ids.has(place.rsc) && place.node === node)) return;
    note(`As things are the cluster does not run it there: 'hactl explain ${rsc} ${node}' tells why.`);
  } catch (error) {
    // What is wrong with the configuration is told elsewhere.
    if (!(error instanceof HactlError)) throw error;
  }
}

/** What is so of a resource that has moved. */
function moved(rsc: string, role: "Promoted" | "Started", node: string | undefined, from: string): Wish {
  if (node === undefined)
    return { wish: role === "Promoted" ? "is not promoted" : "is off", rsc, node: from };
  return role === "Promoted" ? { wish: "is promoted", rsc, node } : { wish: "is on", rsc, node };
}

/** The cluster has settled: the constraint goes, and what came of it is told. */
async function ended(rsc: string, wish: Wish, id: string, wait: number): Promise<number> {
  const { cib, configuration } = await readState();
  const places = placesOf(cib, rsc, seconds());
  const constraints = steeringConstraints(configuration, { rsc }).filter((one) => idOf(one) === id);
  await change(clearOperations(constraints), "resource move", wait);
  refuseUnfulfilled(cib, wish);
  const where = places.map((place) => place.node).join(", ") || "no node";
  if (wantsJson()) printJson({ resource: rsc, places, moved: true });
  else note(`${rsc} runs on ${where}.`);
  return CrmExit.OK;
}

export const ban = defineCommand({
  meta: { name: "ban", description: "Keep a resource off a node until 'hactl resource clear'." },
  args: { ...moveArguments, ...waitArgument },
  run: async ({ args }) => {
    const { cib, configuration, found } = await readResource(args.resource ?? "");
    const rsc = idOf(steered(found));
    const node =
      args.node === undefined
        ? placeOf(placesOf(cib, rsc, seconds()), rsc)
        : checkNode(configuration, args.node);
    const wait = args.wait ? parseSeconds(args.timeout) : undefined;
    const role = args.promoted ? "Promoted" : "Started";
    const wish = role === "Promoted" ? ("is not promoted" as const) : ("is off" as const);
    await change(banOperations({ rsc, node, role }), "resource ban", wait, { wish, rsc, node });
    if (wantsJson()) printJson({ resource: rsc, node, constraint: banId(rsc, node) });
    else note(`${rsc} stays off ${node} until 'hactl resource clear ${rsc}'.`);
    return CrmExit.OK;
  },
});

export const clear = defineCommand({
  meta: { name: "clear", description: "Remove the constraints that move and ban have made." },
  args: { ...resourceArgument, node: moveArguments.node, ...waitArgument },
  run: async ({ args }) => {
    const { configuration, found } = await readResource(args.resource ?? "");
    const rsc = idOf(steered(found));
    const node = args.node === undefined ? undefined : checkNode(configuration, args.node);
    const gone = steeringConstraints(configuration, { rsc: steeredIds(found), node });
    const remaining = steeringAround(configuration, found, { clear: "hactl resource clear ", node });
    const wait = args.wait ? parseSeconds(args.timeout) : undefined;
    await change(clearOperations(gone), "resource clear", wait);
    const ids = gone.map(idOf);
    if (wantsJson()) printJson({ resource: rsc, removed: ids, remaining: remaining.ids });
    else {
      note(ids.length === 0 ? `There is nothing to remove for ${rsc}.` : `Removed ${ids.join(", ")}.`);
      for (const text of remaining.notes) note(text);
    }
    return CrmExit.OK;
  },
});
