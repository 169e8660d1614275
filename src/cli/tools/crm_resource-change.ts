import { addDuration, parseDuration, parseIntervalMs, type XmlElement } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, type Millis } from "../../terms/index.ts";
import { note } from "../output.ts";
import { placesOf } from "../places.ts";
import {
  banId,
  banOperations,
  checkNode,
  clearOperations,
  idOf,
  isPromotable,
  nodeNames,
  preferId,
  preferOperations,
  primitivesIn,
  resourceNamed,
  resourcesOf,
  steered,
  steeredIds,
  steeringAround,
  steeringConstraints,
} from "../resources.ts";
import type { RestartWays } from "../restart.ts";
import { requireLive, variableOf } from "../target.ts";
import { usage } from "./connection.ts";
import { type ResourceCall, type ResourceChange, requiredResource } from "./crm_resource-call.ts";
import { cibWithState } from "./crm_resource-cluster.ts";
import { deleteParameter, setParameter } from "./crm_resource-parameter.ts";
import { failedOperation } from "./failed-operation.ts";

const seconds = () => Math.floor(Date.now() / 1000);
const hourMs = 3_600_000;

/** Runs one of the commands that change something. */
export async function changeResource(change: ResourceChange, call: ResourceCall): Promise<number> {
  switch (change) {
    case "set-parameter":
      return call.given.has("element")
        ? (await import("./crm_resource-element.ts")).setElementAttribute(call)
        : setParameter(call);
    case "delete-parameter":
      return call.given.has("element")
        ? (await import("./crm_resource-element.ts")).deleteElementAttribute(call)
        : deleteParameter(call);
    case "ban":
      return ban(call);
    case "move":
      return move(call);
    case "clear":
      return clear(call);
    case "cleanup":
      return forget(call, true);
    case "refresh":
      return forget(call, false);
    case "fail":
      return (await import("./crm_resource-fail.ts")).failResource(call);
    case "delete":
      return remove(call);
    case "restart":
      return restart(call);
    case "wait":
      await waitIdle(call);
      return CrmExit.OK;
  }
}

/** 9999-12-31 23:59:59Z. */
const lastOfDates = 253_402_300_799;

/** The end of a lifetime such as PT1H, as constraints have it. */
function endOf(call: ResourceCall): string | undefined {
  const text = call.given.value("lifetime");
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  if (!duration) throw usage("crm_resource", `"${text}" is not a duration such as PT1H`);
  const now = seconds();
  const over = addDuration(now, duration);
  if (over <= now)
    throw new HactlError({
      code: "USAGE",
      what: `a constraint with the lifetime ${text} is over at once: it would never be in force`,
      cure: "give a duration such as PT1H, or leave --lifetime out: then it stays until crm_resource --clear",
      exit: CrmExit.USAGE,
    });
  // Dates in a configuration have years of four digits: until then it is as good as for ever.
  const at = new Date(Math.min(over, lastOfDates) * 1000);
  const end = `${at.toISOString().slice(0, 19).replace("T", " ")}Z`;
  call.answer.say({ text: () => `Migration will take effect until: ${end}` });
  return end;
}

interface Target {
  /** The resource that the constraint names. */
  readonly rsc: string;
  readonly role: "Started" | "Promoted";
  readonly places: ReturnType<typeof placesOf>;
}

/** A constraint is for all instances of a clone: one of them cannot be meant. */
function refuseInstance(configuration: XmlElement, id: string): void {
  const { xml } = resourceNamed(configuration, id);
  if (idOf(xml) === id) return;
  const isPart = xml.name === "primitive" || xml.name === "group";
  throw new HactlError({
    code: "INSTANCE",
    what: isPart ? `Cannot operate on clone resource instance '${id}'` : `Resource '${id}' not found`,
    cure: `name ${idOf(xml)} without a number`,
    exit: isPart ? CrmExit.INVALID_PARAM : CrmExit.NOSUCH,
  });
}

async function target(call: ResourceCall): Promise<Target> {
  const configuration = await call.session.configuration();
  refuseInstance(configuration, requiredResource(call));
  const found = resourceNamed(configuration, requiredResource(call));
  const rsc = idOf(steered(found));
  const top = steered(found);
  const promoted = call.given.has("promoted") && (isPromotable(top) || top.name === "bundle");
  if (call.given.has("promoted") && !promoted)
    call.answer.info(`Ignoring --promoted option: ${rsc} is not promotable`);
  // Where it is to go is enough; off where it runs can be told only by who sees that.
  const cib = call.given.has("node")
    ? await call.session.cib()
    : await cibWithState(call, `where ${rsc} runs cannot be told`);
  const places = placesOf(cib, rsc, seconds());
  return { rsc, role: promoted ? "Promoted" : "Started", places };
}

/** Off the node named; else off the one that it runs on, or the one where it is promoted. */
async function ban(call: ResourceCall): Promise<number> {
  const { rsc, role, places } = await target(call);
  const node =
    call.node === undefined
      ? soleNode(rsc, places)
      : checkNode(await call.session.configuration(), call.node);
  await applyBan(call, rsc, role, node);
  return CrmExit.OK;
}

async function applyBan(call: ResourceCall, rsc: string, role: Target["role"], node: string): Promise<void> {
  const until = endOf(call);
  const operations = banOperations({ rsc, node, role, ...(until === undefined ? {} : { until }) });
  await call.session.apply(operations, "crm_resource");
  call.answer.info(
    `WARNING: Creating rsc_location constraint '${banId(rsc, node)}' with a score of -INFINITY for resource ${rsc} on ${node}.\n` +
      `\t${rsc} cannot run on ${node} until 'crm_resource --clear -r ${rsc}' removes it, even when no other node is left`,
  );
}

function soleNode(rsc: string, places: Target["places"]): string {
  const promoted = places.filter(({ role }) => role === "Promoted");
  const [one, ...more] = places.length === 1 ? places : promoted;
  if (one && more.length === 0) return one.node;
  throw new HactlError({
    code: "WHICH_NODE",
    what: `Resource '${rsc}' not moved: active in ${places.length} locations${promoted.length > 0 ? ` (promoted in ${promoted.length})` : ""}`,
    cure: "name the node with --node",
    exit: places.length === 0 ? CrmExit.USAGE : CrmExit.MULTIPLE,
  });
}

/** To the node named; without one, away from where it is. */
async function move(call: ResourceCall): Promise<number> {
  const { rsc, role, places } = await target(call);
  if (call.node === undefined) {
    await applyBan(call, rsc, role, soleNode(rsc, places));
    return CrmExit.OK;
  }
  const node = checkNode(await call.session.configuration(), call.node);
  const ofRole = role === "Promoted" ? places.filter((place) => place.role === "Promoted") : places;
  const [only] = ofRole;
  if (only && ofRole.length === 1 && only.node === node) {
    throw new HactlError({
      code: "ALREADY_THERE",
      what: `Error performing operation: Requested item already exists: ${rsc} is active on ${node} already`,
      exit: CrmExit.EXISTS,
    });
  }
  const until = endOf(call);
  await call.session.apply(
    preferOperations({ rsc, node, role, ...(until === undefined ? {} : { until }) }),
    "crm_resource",
  );
  // With --force also off the place where it is, whatever its stickiness.
  if (call.given.has("force") && only && ofRole.length === 1) await applyBan(call, rsc, role, only.node);
  return CrmExit.OK;
}

async function clear(call: ResourceCall): Promise<number> {
  const configuration = await call.session.configuration();
  if (call.rsc !== undefined) refuseInstance(configuration, call.rsc);
  const found = call.rsc === undefined ? undefined : resourceNamed(configuration, call.rsc);
  const rsc = found === undefined ? undefined : steeredIds(found);
  if (rsc === undefined && !call.given.has("expired")) requiredResource(call);
  const node = call.node === undefined ? undefined : checkNode(configuration, call.node);
  const all = steeringConstraints(configuration, { rsc, node });
  const gone = call.given.has("expired") ? all.filter(isOver) : all;
  // With --force a preference goes even when it is for another node (crm_resource(8)).
  const preference =
    call.given.has("force") && rsc !== undefined
      ? steeringConstraints(configuration, { rsc }).filter(
          (one) => rsc.some((id) => idOf(one) === preferId(id)) && !gone.includes(one),
        )
      : [];
  const operations = clearOperations([...gone, ...preference]);
  if (operations.length > 0) await call.session.apply(operations, "crm_resource");
  for (const one of [...gone, ...preference]) call.answer.info(`Removing constraint: ${idOf(one)}`);
  // On standard error: scripts read what was removed.
  if (found !== undefined && !call.given.has("expired"))
    for (const text of steeringAround(configuration, found, { clear: "crm_resource --clear -r ", node })
      .notes)
      note(text);
  return CrmExit.OK;
}

/** Whether the time of a constraint made with --lifetime is over. */
function isOver(constraint: Parameters<typeof idOf>[0]): boolean {
  const end = constraint.children
    .flatMap(({ children }) => children)
    .find(({ name }) => name === "date_expression")
    ?.attributes.get("end");
  return end !== undefined && Date.parse(end) / 1000 < seconds();
}

/** --cleanup and --refresh: of one resource or all, on one node or all. */
async function forget(call: ResourceCall, failuresOnly: boolean): Promise<number> {
  const { session, node } = call;
  const configuration = await session.configuration();
  if (node !== undefined) checkNode(configuration, node);
  const failed = failuresOnly ? failedOperation("crm_resource", call.given, call.answer) : undefined;
  if (!session.isLive) return dryRun(call, configuration);
  const on = { ...(node === undefined ? {} : { node }), ...(failed && { failed }) };
  const client = await session.daemon();
  if (call.rsc === undefined) {
    await client.request({ type: "forget", failuresOnly, ...on });
    call.answer.info(`Cleaned up all resources on ${node ?? "all nodes"}`);
    return CrmExit.OK;
  }
  const { xml } = resourceNamed(configuration, call.rsc);
  const names =
    node === undefined ? (await client.request<NodeReply>({ type: "node" })).members : [{ name: node }];
  for (const primitive of primitivesIn(xml)) {
    await client.request({ type: "forget", rsc: idOf(primitive), failuresOnly, ...on });
    for (const { name } of names) call.answer.info(`Cleaned up ${idOf(primitive)} on ${name}`);
  }
  return CrmExit.OK;
}

/** A file has no executor that could look anew: as Pacemaker's tool, it is told what would be done. */
function dryRun({ rsc, node, session, answer }: ResourceCall, configuration: XmlElement): number {
  const found = rsc === undefined ? resourcesOf(configuration) : [resourceNamed(configuration, rsc)];
  const ids = new Set(found.flatMap(({ xml }) => primitivesIn(xml)).map(idOf));
  const nodes = node === undefined ? nodeNames(configuration) : [node];
  const variable = variableOf(session.target);
  for (const id of ids)
    for (const name of nodes)
      answer.say({ text: () => `Dry run: skipping clean-up of ${id} on ${name} due to ${variable}` });
  return CrmExit.OK;
}

async function remove(call: ResourceCall): Promise<number> {
  const id = requiredResource(call);
  const type = call.given.value("resource-type");
  if (type === undefined)
    throw new HactlError({
      code: "USAGE",
      what: "You need to specify a resource type with -t",
      exit: CrmExit.NOSUCH,
    });
  const { xml } = resourceNamed(await call.session.configuration(), id);
  // A file of an older form has a promotable clone as <master>: by whichever name it is called.
  const isOldName = type === "master" && xml.name === "clone" && isPromotable(xml);
  if (xml.name !== type && !isOldName) throw usage("crm_resource", `${id} is a ${xml.name}, not a ${type}`);
  await call.session.apply(
    [{ op: "delete", xpath: `/cib/configuration/resources//*[@id="${id}"]` }],
    "crm_resource",
  );
  return CrmExit.OK;
}

/** How long is waited at most. */
function patience(call: ResourceCall): Millis {
  const text = call.given.value("timeout");
  const timeoutMs = text === undefined ? hourMs : parseIntervalMs(text);
  if (timeoutMs === undefined) throw usage("crm_resource", `"${text}" is not a time such as 30s`);
  return timeoutMs;
}

async function waitIdle(call: ResourceCall): Promise<void> {
  const timeoutMs = patience(call);
  if (!call.session.isLive) return nothingLeft(await call.session.cib());
  await (await call.session.daemon()).request({ type: "wait-idle", timeoutMs }, timeoutMs);
}

/** Nobody carries out what is left to do for a file: either there is nothing, or it would never end. */
async function nothingLeft(cib: XmlElement): Promise<void> {
  const { schedule } = await import("../../scheduler/index.ts");
  const { actions } = schedule({ cib, now: seconds() });
  if (actions.length === 0) return;
  throw new HactlError({
    code: "TIMEOUT",
    what: `Pending actions: ${actions.map(({ key }) => key).join(", ")}`,
    cure: "nobody carries them out for a file: look at them with crm_simulate --live-check --run",
    exit: CrmExit.TIMEOUT,
  });
}

/** Pacemaker's tool waits for what does not come about until its time is over: it is told at once, with the same status. */
async function restarted(call: ResourceCall, ...wished: Parameters<RestartWays["fulfilled"]>): Promise<void> {
  const { fulfilled } = await import("../waiting.ts");
  call.session.forget();
  try {
    await fulfilled(patience(call), ...wished);
  } catch (error) {
    if (!(error instanceof HactlError) || error.code !== "UNSATISFIED") throw error;
    const { code, what, cure } = error;
    throw new HactlError({
      code,
      what: `Could not complete the restart: ${what}`,
      ...(cure === undefined ? {} : { cure }),
      exit: CrmExit.TIMEOUT,
    });
  }
}

async function restart(call: ResourceCall): Promise<number> {
  requireLive("a restart", call.session.target);
  const { restartResource } = await import("../restart.ts");
  const { refuseRestarting } = await import("../restart-stop.ts");
  const xml = steered(resourceNamed(await call.session.configuration(), requiredResource(call)));
  refuseRestarting(xml);
  const running = await cibWithState(call, `whether ${idOf(xml)} runs cannot be told`);
  const places = placesOf(running, idOf(xml), seconds());
  if (places.length === 0)
    throw usage("crm_resource", `${idOf(xml)} is not running and so cannot be restarted`);
  await restartResource(idOf(xml), running, {
    client: "crm_resource --restart",
    fulfilled: (...wished) => restarted(call, ...wished),
  });
  return CrmExit.OK;
}
