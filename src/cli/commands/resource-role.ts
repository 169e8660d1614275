import { defineCommand } from "citty";
import {
  type CibOperation,
  child,
  childrenOf,
  isPlainSet,
  pairsIn,
  removePairs,
  setResourcePair,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { readCib } from "../cib-session.ts";
import { note, printJson, wantsJson } from "../output.ts";
import { placesOf } from "../places.ts";
import {
  type FoundResource,
  idOf,
  isPromotable,
  metaValue,
  resourceNamed,
  resourcesOf,
  steered,
} from "../resources.ts";
import { restartResource } from "../restart.ts";
import { refuseRestarting } from "../restart-stop.ts";
import { parseSeconds } from "../seconds.ts";
import { requireLive } from "../target.ts";
import { fulfilled, noteRest, refuseUnfulfilled, type Wish } from "../waiting.ts";
import { change, membersWith, resourceArgument, waitArgument } from "./resource-change.ts";

/** Sets (or with `undefined` removes) a meta attribute of a resource, and removes it from what is in it. */
function metaOperations(xml: XmlElement, name: string, value: string | undefined): CibOperation[] {
  const inner = membersWith(xml, (member) => metaValue(member, name) !== undefined);
  const pairs = (value === undefined ? [xml, ...inner] : inner).flatMap((one) =>
    pairsIn(one, "meta_attributes").filter((pair) => pair.name === name),
  );
  return [...removePairs(pairs), ...(value === undefined ? [] : [setMeta(xml, name, value)])];
}

/** Beside the other meta attributes that hold always; where it is set already, there. */
function setMeta(xml: XmlElement, name: string, value: string): CibOperation {
  const kind = "meta_attributes";
  const isSet = pairsIn(xml, kind).some((pair) => pair.name === name);
  const plain = xml.children.find((set) => set.name === kind && isPlainSet(set));
  const ids = isSet || !plain ? {} : { set: idOf(plain) };
  return setResourcePair(xml, kind, name, value, ids).operation;
}

interface MetaCommand {
  readonly name: string;
  readonly description: string;
  readonly attribute: string;
  readonly value: string | undefined;
  /** What is then so. */
  readonly done: string;
  /** What whoever waits waits for. */
  readonly wish?: (rsc: string) => Wish;
  readonly check?: (xml: XmlElement) => void;
}

const metaCommand = ({ name, description, attribute, value, done, wish, check }: MetaCommand) =>
  defineCommand({
    meta: { name, description },
    args: { ...resourceArgument, ...waitArgument },
    run: async ({ args }) => {
      const meant = steeredMeant((await readCib()).configuration, args.resource ?? "");
      for (const xml of meant) check?.(xml);
      const wait = args.wait ? parseSeconds(args.timeout) : undefined;
      const [only] = meant.length === 1 ? meant : [];
      const operations = meant.flatMap((xml) => metaOperations(xml, attribute, value));
      await change(operations, `resource ${name}`, wait, only && wish?.(idOf(only)));
      const { cib } = await readCib();
      if (wait !== undefined && wish && !only)
        for (const xml of meant) refuseUnfulfilled(cib, wish(idOf(xml)));
      if (wantsJson()) {
        const made = meant.map((xml) => ({ resource: idOf(xml), [attribute]: value ?? null }));
        printJson(oneOrAll(made));
        return CrmExit.OK;
      }
      for (const xml of meant) {
        note(`${idOf(xml)} ${done}.`);
        if (wish !== undefined && wait === undefined) noteRest(cib, idOf(xml));
      }
      return CrmExit.OK;
    },
  });

/** The resource that is named, or those of the tag, or of the tags in it. @throws HactlError NO_SUCH_RESOURCE */
function resourcesMeant(
  configuration: XmlElement,
  id: string,
  seen: ReadonlySet<string> = new Set(),
): FoundResource[] {
  const tag = childrenOf(child(configuration, "tags"), "tag").find((one) => idOf(one) === id);
  const isResource = resourcesOf(configuration).some(({ xml }) => idOf(xml) === id);
  if (tag === undefined || isResource) return [resourceNamed(configuration, id)];
  const found = childrenOf(tag, "obj_ref")
    .map(idOf)
    .filter((member) => !seen.has(member) && !isOther(configuration, member))
    .flatMap((member) => resourcesMeant(configuration, member, new Set([...seen, id])));
  if (found.length > 0) return found;
  throw new HactlError({
    code: "NO_SUCH_RESOURCE",
    what: `no resource has the tag '${id}'`,
    cure: `hactl configure show ${id}`,
    exit: CrmExit.NOSUCH,
  });
}

/** What is steered by a name, each once. @throws HactlError NO_SUCH_RESOURCE */
const steeredMeant = (configuration: XmlElement, id: string): XmlElement[] => [
  ...new Set(resourcesMeant(configuration, id).map(steered)),
];

/** What is told of a single resource is no list. */
const oneOrAll = <T>(made: readonly T[]): T | readonly T[] | undefined =>
  made.length === 1 ? made[0] : made;

/** Whether an id that a tag names is neither a resource nor a tag: a constraint, say. */
const isOther = (configuration: XmlElement, id: string): boolean =>
  !resourcesOf(configuration).some(({ xml }) => idOf(xml) === id) &&
  !childrenOf(child(configuration, "tags"), "tag").some((one) => idOf(one) === id);

const mustPromote = (xml: XmlElement) => {
  if (isPromotable(xml)) return;
  throw new HactlError({
    code: "NOT_PROMOTABLE",
    what: `${idOf(xml)} cannot be promoted: it is no promotable clone`,
    cure: `hactl configure show ${idOf(xml)}; a promotable clone has meta promotable=true`,
    exit: CrmExit.USAGE,
  });
};

export const start = metaCommand({
  name: "start",
  description: "Let a resource run (target-role).",
  attribute: "target-role",
  value: "Started",
  done: "shall run",
  wish: (rsc) => ({ wish: "runs", rsc }),
});
export const stop = metaCommand({
  name: "stop",
  description: "Stop a resource and leave it stopped (target-role).",
  attribute: "target-role",
  value: "Stopped",
  done: "shall be stopped",
  wish: (rsc) => ({ wish: "is stopped", rsc }),
});
export const promote = metaCommand({
  name: "promote",
  description: "Let a promotable clone have a promoted instance (target-role).",
  attribute: "target-role",
  value: "Promoted",
  done: "may be promoted",
  wish: (rsc) => ({ wish: "is promoted", rsc }),
  check: mustPromote,
});
export const demote = metaCommand({
  name: "demote",
  description: "Let a promotable clone run without a promoted instance (target-role).",
  attribute: "target-role",
  value: "Unpromoted",
  done: "shall have no promoted instance",
  wish: (rsc) => ({ wish: "is not promoted", rsc }),
  check: mustPromote,
});
export const manage = metaCommand({
  name: "manage",
  description: "Let the cluster start and stop a resource again.",
  attribute: "is-managed",
  value: undefined,
  done: "is managed by the cluster",
  wish: (rsc) => ({ wish: "is well", rsc }),
});
export const unmanage = metaCommand({
  name: "unmanage",
  description: "Leave a resource as it is; the cluster only watches it.",
  attribute: "is-managed",
  value: "false",
  done: "is not managed: the cluster only watches it",
});

export const maintenance = defineCommand({
  meta: { name: "maintenance", description: "Leave a resource alone: no start, no stop, no monitor." },
  args: {
    ...resourceArgument,
    state: { type: "positional", required: false, description: "on or off [default: on]" },
  },
  run: async ({ args }) => {
    const state = args.state ?? "on";
    if (state !== "on" && state !== "off") {
      throw new HactlError({
        code: "USAGE",
        what: `"${state}" is neither on nor off`,
        cure: "hactl resource maintenance RESOURCE on|off",
        exit: CrmExit.USAGE,
      });
    }
    const meant = steeredMeant((await readCib()).configuration, args.resource ?? "");
    const value = state === "on" ? "true" : undefined;
    const operations = meant.flatMap((xml) => metaOperations(xml, "maintenance", value));
    await change(operations, "resource maintenance");
    const made = meant.map((xml) => ({ resource: idOf(xml), maintenance: state === "on" }));
    if (wantsJson()) printJson(oneOrAll(made));
    else
      for (const { resource } of made) note(`${resource} is ${state === "on" ? "" : "not "}in maintenance.`);
    return CrmExit.OK;
  },
});

export const restart = defineCommand({
  meta: { name: "restart", description: "Stop a resource and start it again; returns when that is done." },
  args: { ...resourceArgument, timeout: waitArgument.timeout },
  run: async ({ args }) => {
    requireLive("a restart");
    const wait = parseSeconds(args.timeout);
    const { cib, configuration } = await readCib();
    const ids = steeredMeant(configuration, args.resource ?? "").map((xml) => {
      refuseRestarting(xml);
      refuseNotRunning(cib, idOf(xml));
      return idOf(xml);
    });
    for (const id of ids) {
      await restartResource(id, cib, {
        client: "resource restart",
        fulfilled: (wish, others, givenUp) => fulfilled(wait, wish, others, givenUp),
      });
      if (!wantsJson()) note(`${id} was restarted.`);
    }
    if (wantsJson()) printJson(oneOrAll(ids.map((resource) => ({ resource, restarted: true }))));
    return CrmExit.OK;
  },
});

function refuseNotRunning(cib: XmlElement, id: string): void {
  if (placesOf(cib, id, Math.floor(Date.now() / 1000)).length > 0) return;
  throw new HactlError({
    code: "NOT_RUNNING",
    what: `${id} does not run, so it cannot be restarted`,
    cure: `hactl resource start ${id}, or hactl explain ${id} for the reasons`,
    exit: CrmExit.NOT_RUNNING,
  });
}
