import { parseXml, type XmlElement } from "../cib/index.ts";
import { type Cluster, type Resource, Role, unpackCluster } from "../scheduler/index.ts";
import { agentName, CrmExit, HactlError, type Millis, withoutInstance } from "../terms/index.ts";
import { readState } from "./cib-session.ts";
import { ask, withDaemon } from "./daemon.ts";
import { note } from "./output.ts";
import { partsNamed as allPartsNamed } from "./places.ts";
import { displayedRole, isDisabled, isWithheld, primitivesOf, printableId } from "./render/cluster-view.ts";
import { outcomeText } from "./render/exit-texts.ts";
import { readOperation } from "./render/operations.ts";
import { isUnfinished } from "./unfinished.ts";

/** What somebody who waits has asked for. */
export type Wish =
  /** That a resource runs: of a clone any instance, of a group every member. */
  | { readonly wish: "runs"; readonly rsc: string }
  | { readonly wish: "is stopped"; readonly rsc: string }
  | { readonly wish: "is promoted"; readonly rsc: string; readonly node?: string }
  | { readonly wish: "is not promoted"; readonly rsc: string; readonly node?: string }
  | { readonly wish: "is on"; readonly rsc: string; readonly node: string }
  | { readonly wish: "is off"; readonly rsc: string; readonly node: string }
  /** That as many instances run as before, in the same roles. */
  | { readonly wish: "runs as before"; readonly rsc: string; readonly before: XmlElement }
  | { readonly wish: NodeWish; readonly node: string }
  /** That nothing that shall run has failed, or nothing of these. */
  | { readonly wish: "is well"; readonly rsc?: string };

/** What can be asked of a node; an empty one runs nothing. */
export type NodeWish = "is empty" | "is in service" | "is in maintenance" | "is out of maintenance";

const seconds = () => Math.floor(Date.now() / 1000);

/**
 * Waits until the cluster has nothing left to do.
 * @throws HactlError TIMEOUT, which names what is under way
 */
export async function settled(timeoutMs: Millis): Promise<void> {
  try {
    await ask({ type: "wait-idle", timeoutMs }, timeoutMs);
  } catch (error) {
    if (!(error instanceof HactlError) || error.exit !== CrmExit.TIMEOUT) throw error;
    throw await stillBusy(timeoutMs / 1000, error);
  }
}

/**
 * Waits until the cluster has nothing left to do, or nothing with what was asked for (and with `others`) while it goes on
 * with what fails without end, and looks whether it has come about: where something has failed, the cluster has nothing left
 * to do, either.
 * @param givenUp fails when nobody waits any more for that of a resource
 * @throws HactlError UNSATISFIED, which names what is not so and why; PERMISSION when access rules hide that
 */
export async function fulfilled(
  timeoutMs: Millis,
  wish: Wish,
  others: ReadonlySet<string> = new Set(),
  givenUp?: Promise<never>,
): Promise<void> {
  if (!("rsc" in wish) || wish.rsc === undefined) await settled(timeoutMs);
  else await settledWith(timeoutMs, wish.rsc, others, givenUp);
  refuseUnfulfilled((await readState()).cib, wish);
}

/** Who waits for one resource looks after so long, and then so often, whether others alone are busy. */
const othersMs: Millis = 3_000;
const lookAgainMs: Millis = 1_000;

/** The CIB, as far as it can be told now; at the end of the wait it is told why not. */
async function seenState(): Promise<XmlElement | undefined> {
  try {
    return (await readState()).cib;
  } catch (error) {
    if (error instanceof HactlError) return undefined;
    throw error;
  }
}

/** Failures of one place that are tried again without end on this many attempts, where there is no other place. */
const mostAttempts = 5;

/** A failure, as it is in the status: of a place (node and action) only the last one is there. */
export interface SeenFailure {
  readonly place: string;
  readonly call: string;
  readonly at: number;
}

/** Whether what is waited for fails by turns, without an end that somebody could wait for. */
export class Rounds {
  readonly #seen = new Set<string>();
  /** The places of what failed since the wait began, in order. */
  readonly #order: string[] = [];

  constructor(private readonly since: number) {}

  goesRound(failures: readonly SeenFailure[]): boolean {
    for (const { place, call, at } of failures) {
      if (at < this.since || this.#seen.has(`${place} ${call}`)) continue;
      this.#seen.add(`${place} ${call}`);
      this.#order.push(place);
    }
    const last = this.#order.at(-1);
    if (last === undefined) return false;
    const again = this.#order.filter((place) => place === last).length;
    const elsewhere = this.#order.slice(this.#order.indexOf(last)).some((place) => place !== last);
    return again >= mostAttempts || (again > 1 && elsewhere);
  }
}

function failuresIn(cluster: Cluster, parts: readonly Resource[]): SeenFailure[] {
  const ids = new Set(parts.map(({ id }) => withoutInstance(id)));
  return cluster.failedOps
    .filter(({ rsc }) => ids.has(withoutInstance(rsc)))
    .map(({ node, xml }) => {
      const { task, changed } = readOperation(xml);
      return { place: `${task} on ${node.name}`, call: xml.attributes.get("call-id") ?? "", at: changed };
    });
}

/** Waits until the cluster has nothing left to do, or nothing with a resource and some others. */
async function settledWith(
  timeoutMs: Millis,
  rsc: string,
  others: ReadonlySet<string>,
  givenUp: Promise<never> | undefined,
): Promise<void> {
  const rounds = new Rounds(seconds());
  await withDaemon(async (daemon) => {
    const whole = daemon.request({ type: "wait-idle", timeoutMs }, timeoutMs).then(
      () => true,
      (error: unknown) => error,
    );
    for (let pauseMs = othersMs; ; pauseMs = lookAgainMs) {
      const said = await Promise.race([whole, Bun.sleep(pauseMs), ...(givenUp ? [givenUp] : [])]);
      if (said === true) return;
      if (said instanceof HactlError && said.exit === CrmExit.TIMEOUT)
        throw await stillBusy(timeoutMs / 1000, said);
      if (said !== undefined) throw said;
      const cib = await seenState();
      if (cib === undefined) continue;
      const parts = partsNamed(unpackCluster(cib, seconds()), rsc);
      const ids = parts.map(({ id }) => withoutInstance(id));
      // What fails again where it has failed since, after it has failed elsewhere, goes round without end.
      if (rounds.goesRound(failuresIn(unpackCluster(cib, seconds()), parts))) return;
      if (!isUnfinished(cib, new Set([...ids, ...others]), seconds())) return;
    }
  });
}

/** Looks whether what was asked for is so in a CIB. @throws HactlError UNSATISFIED */
export function refuseUnfulfilled(cib: XmlElement, wish: Wish): void {
  const amiss = lacking(unpackCluster(cib, seconds()), wish);
  if (amiss.length === 0) return;
  throw new HactlError({
    code: "UNSATISFIED",
    what: amiss.map(({ text }) => text).join("; "),
    cure: amiss.find(({ cure }) => cure !== undefined)?.cure ?? "hactl status tells more",
    exit: CrmExit.UNSATISFIED,
  });
}

/** What is not as it was asked for. */
interface Amiss {
  readonly text: string;
  readonly cure?: string;
}

function lacking(cluster: Cluster, wish: Wish): Amiss[] {
  const failing = (parts: readonly Resource[], what: string) => partsAmiss(cluster, parts, what);
  switch (wish.wish) {
    case "runs":
      return notRunning(cluster, wish.rsc);
    case "is stopped":
      return failing(partsNamed(cluster, wish.rsc).filter(isActive), "was not stopped");
    case "is promoted": {
      const parts = partsNamed(cluster, wish.rsc);
      const on = wish.node === undefined ? "" : ` on ${wish.node}`;
      if (parts.some((part) => isPromoted(part, wish.node))) return [];
      return summary(cluster, wish.rsc, parts, `was not promoted${on}`);
    }
    case "is not promoted":
      return failing(
        partsNamed(cluster, wish.rsc).filter((part) => isPromoted(part, wish.node)),
        "was not demoted",
      );
    case "is on": {
      const parts = partsNamed(cluster, wish.rsc);
      if (parts.some((part) => isOn(part, wish.node) && !part.failed)) return [];
      return summary(cluster, wish.rsc, parts, `was not moved to ${wish.node}`);
    }
    case "is off":
      return failing(
        partsNamed(cluster, wish.rsc).filter((part) => isOn(part, wish.node)),
        `did not leave ${wish.node}`,
      );
    case "runs as before": {
      const before = countsOf(partsNamed(unpackCluster(wish.before, seconds()), wish.rsc));
      const parts = partsNamed(cluster, wish.rsc);
      const after = countsOf(parts);
      const fewer = [...before].filter(([what, count]) => (after.get(what) ?? 0) < count);
      const failed = parts.filter((part) => part.failed || part.blocked);
      if (fewer.length === 0 && failed.length === 0) return [];
      const ids = new Set(fewer.map(([what]) => what.split(" ")[0]));
      const lost = parts.filter((part) => ids.has(part.configId) && !isActive(part));
      return summary(cluster, wish.rsc, [...new Set([...failed, ...lost])], "does not run as before");
    }
    case "is empty":
      return failing(
        allParts(cluster).filter((part) => isOn(part, wish.node)),
        `did not leave ${wish.node}`,
      );
    case "is in service":
    case "is in maintenance":
    case "is out of maintenance":
      return nodeAmiss(cluster, wish.wish, wish.node);
    case "is well":
      return unwell(cluster, wish.rsc);
  }
}

const allParts = (cluster: Cluster): Resource[] => cluster.resources.flatMap(primitivesOf);

/** The primitives in what is named, but for what is not configured any more. */
const partsNamed = (cluster: Cluster, id: string): Resource[] =>
  allPartsNamed(cluster, id, ({ removed }) => !removed);

const isActive = ({ runningOn }: Resource): boolean => runningOn.length > 0;
const isOn = ({ runningOn }: Resource, node: string): boolean => runningOn.some(({ name }) => name === node);
const isPromoted = (part: Resource, node?: string): boolean =>
  part.role === Role.Promoted && isActive(part) && (node === undefined || isOn(part, node));

/** How many run, by their id and role. */
function countsOf(parts: readonly Resource[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const part of parts.filter(isActive)) {
    for (const what of [part.configId, ...(isPromoted(part) ? [`${part.configId} promoted`] : [])])
      counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

function notRunning(cluster: Cluster, rsc: string): Amiss[] {
  const parts = partsNamed(cluster, rsc);
  const broken = parts.filter((part) => part.failed || part.blocked);
  if (broken.length > 0) return partsAmiss(cluster, broken, "does not run as it shall");
  const byId = Map.groupBy(parts, ({ configId }) => configId);
  const stopped = [...byId.values()].flatMap((same) =>
    same.some((part) => isActive(part) || isDisabled(part)) ? [] : same.slice(0, 1),
  );
  if (stopped.length > 0) return partsAmiss(cluster, stopped, "was not started");
  return partsAmiss(
    cluster,
    parts.filter((part) => isLost(cluster, part)),
    "was not started everywhere",
  );
}

function partsAmiss(cluster: Cluster, parts: readonly Resource[], what: string): Amiss[] {
  const texts = new Map<string, Amiss>();
  for (const part of parts) {
    const text = `${printableId(part)} ${what}: ${stateOf(cluster, part)}`;
    texts.set(text, { text, cure: cureOf(cluster, part) });
  }
  return [...texts.values()];
}

/** One sentence about a resource, and what its parts are instead. */
function summary(cluster: Cluster, rsc: string, parts: readonly Resource[], what: string): Amiss[] {
  const states = [...new Set(parts.map((part) => `${partName(part, rsc)}${stateOf(cluster, part)}`))];
  const cure = parts.map((part) => cureOf(cluster, part)).find((text) => text !== undefined);
  const text = `${rsc} ${what}: ${states.join(", ") || "it is stopped"}`;
  return [{ text, cure: cure ?? `hactl explain ${rsc} tells why` }];
}

const partName = (part: Resource, rsc: string): string =>
  printableId(part) === rsc ? "" : `${printableId(part)}: `;

/** What lets the cluster look after a resource again that it leaves alone: the widest reason first. */
function endOfRest({ options }: Cluster, part: Resource): string {
  const id = part.configId;
  if (options.maintenance) return "hactl maintenance off";
  const node = part.runningOn.find(({ maintenance }) => maintenance);
  if (node) return `hactl node ready ${node.name}`;
  return part.maintenance ? `hactl resource maintenance ${id} off` : `hactl resource manage ${id}`;
}

/** Tells where the cluster leaves a resource alone as yet, whatever it is told. */
export function noteRest(cib: XmlElement, rsc: string): void {
  const cluster = unpackCluster(cib, seconds());
  const parts = partsNamed(cluster, rsc);
  const withheld = parts.find((part) => isWithheld(part));
  if (withheld)
    note(
      `${printableId(withheld)} cannot be stopped before its agent, ${agentName(withheld)}, can be executed where it runs.`,
    );
  const rests = parts.find(({ managed }) => !managed);
  const end = parts.some(({ blocked }) => blocked)
    ? `hactl resource cleanup ${rsc}`
    : rests && endOfRest(cluster, rests);
  if (end !== undefined) note(`The cluster leaves it alone as yet, and does nothing of it before '${end}'.`);
}

const cureOf = (cluster: Cluster, part: Resource): string =>
  !part.managed && !part.blocked
    ? endOfRest(cluster, part)
    : failureOf(cluster, part) === undefined
      ? `hactl explain ${part.configId} tells why`
      : `mend it, then hactl resource cleanup ${part.configId}`;

/** `it runs on node1, blocked (stop on node1: Error occurred – device is busy)`. */
function stateOf(cluster: Cluster, part: Resource): string {
  const nodes = part.runningOn.map(({ name }) => name).join(", ");
  const role = displayedRole(part);
  const runs = role === Role.Promoted ? "is promoted" : role === Role.Unpromoted ? "is unpromoted" : "runs";
  const state = nodes === "" ? "it is stopped" : `it ${part.failed ? "has failed" : runs} on ${nodes}`;
  const why = failureOf(cluster, part);
  const rests = part.maintenance ? ", in maintenance" : part.managed ? "" : ", not managed";
  const kept = part.blocked ? ", blocked" : rests;
  return `${state}${kept}${why === undefined ? "" : ` (${why})`}`;
}

/** Whether it does not run since it has failed: where no other instance is now, and one could be. */
function isLost(cluster: Cluster, part: Resource): boolean {
  if (isActive(part) || !part.managed) return false;
  const same = allParts(cluster).filter(({ configId }) => configId === part.configId);
  return failuresOf(cluster, part).some(
    ({ node }) => node.online && !node.standby && !same.some((one) => isOn(one, node.name)),
  );
}

const failuresOf = (cluster: Cluster, part: Resource) =>
  cluster.failedOps
    .filter(
      ({ rsc }) => rsc === part.id || (!part.unique && withoutInstance(rsc) === withoutInstance(part.id)),
    )
    .map(({ node, xml }) => ({ node, operation: readOperation(xml) }));

/** What failed last of a resource, with what was said then. */
function failureOf(cluster: Cluster, part: Resource): string | undefined {
  const failures = failuresOf(cluster, part);
  const here = failures.filter(({ node }) => isOn(part, node.name));
  const last = (here.length > 0 ? here : failures).reduce<(typeof failures)[number] | undefined>(
    (newest, one) => (one.operation.changed >= (newest?.operation.changed ?? 0) ? one : newest),
    undefined,
  );
  if (last === undefined) return undefined;
  const { task, exitReason, rc, status } = last.operation;
  return `${task} on ${last.node.name}: ${outcomeText(rc, status)}${exitReason === "" ? "" : ` – ${exitReason}`}`;
}

function nodeAmiss(cluster: Cluster, wish: NodeWish, name: string): Amiss[] {
  const node = cluster.nodes.find((one) => one.name === name);
  const cure = `hactl node show ${name}`;
  if (wish === "is in maintenance")
    return node && !node.maintenance ? [{ text: `node ${name} is not in maintenance`, cure }] : [];
  if (wish === "is out of maintenance")
    return node?.maintenance ? [{ text: `node ${name} is still in maintenance`, cure }] : [];
  if (!node?.online) return [{ text: `node ${name} is not there: it is offline`, cure }];
  if (!node.standby) return [];
  return [{ text: `node ${name} is still in standby`, cure: `crm_standby -N ${name} -l reboot -D` }];
}

/** What shall run, or shall not and does, and has failed: nobody does anything about it any more. */
function unwell(cluster: Cluster, rsc: string | undefined): Amiss[] {
  const parts = (rsc === undefined ? allParts(cluster) : partsNamed(cluster, rsc)).filter(
    (part) => (part.blocked && isActive(part)) || (!part.removed && !isDisabled(part)),
  );
  const failed = parts.filter((part) => part.failed || part.blocked || isLost(cluster, part));
  const texts = failed.map((part) => ({
    text: `${printableId(part)} has failed: ${stateOf(cluster, part)}`,
    cure: cureOf(cluster, part),
  }));
  return [...new Map(texts.map((one) => [one.text, one])).values()];
}

/** How long the answer to what is under way may take. */
const lookMs: Millis = 5_000;

/** The time is over: names what is under way, as far as the status tells; else `error` stays. */
async function stillBusy(after: number, error: HactlError): Promise<HactlError> {
  let text: string;
  try {
    text = await ask<string>({ type: "cib" }, lookMs);
  } catch (failure) {
    if (failure instanceof HactlError) return error;
    throw failure;
  }
  const busy = allParts(unpackCluster(parseXml(text, "the cluster's CIB"), seconds())).flatMap((rsc) =>
    rsc.pendingTask && rsc.pendingNode
      ? [`${rsc.pendingTask} of ${printableId(rsc)} on ${rsc.pendingNode.name}`]
      : [],
  );
  if (busy.length === 0) return error;
  return new HactlError({
    code: "TIMEOUT",
    what: `the cluster is not done after ${after} s: under way is ${busy.join(", ")}`,
    cure: "it goes on; 'hactl status' shows since when",
    exit: CrmExit.TIMEOUT,
    cause: error,
  });
}
