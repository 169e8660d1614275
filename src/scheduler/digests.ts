import { createHash } from "node:crypto";
import { compareVersions, formatAnyXml, type XmlElement } from "../cib/index.ts";
import { isSecretParameter, MASKED } from "../terms/index.ts";
import { historyInterval } from "./failcount.ts";
import type { Cluster, DigestResult, Node, Resource } from "./model.ts";
import { operationOptions, operationParameters, opKey } from "./operations.ts";
import { parameters } from "./parameters.ts";
import type { Unpacker } from "./unpacker.ts";

/**
 * Digest of a set of parameters: MD5 of its one-line XML, attributes sorted by name. What an executor has run with and what
 * is configured are compared by it, here and in other programs.
 */
export function parameterDigest(params: ReadonlyMap<string, string>): string {
  const sorted = new Map([...params].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  const line = formatAnyXml({ name: "parameters", attributes: sorted, children: [] }, -1);
  return createHash("md5").update(` ${line}\n`).digest("hex");
}

/**
 * Attribute of a history entry by which hactl says that its digests are of the parameters of another operation: a demote is
 * done with those with which the service was started. Without it a restart that ends after the demote, as the instance is to be
 * promoted elsewhere by then, would be forgotten: no release of Pacemaker compares what a demote ran with.
 */
export const DIGEST_OF = "op-digest-of";

/** The operation with whose parameters those in a history entry are compared. */
const comparedWith = ({ attributes }: XmlElement): string =>
  attributes.get(DIGEST_OF) ?? attributes.get("operation") ?? "";

/** Parameters as agents of bundle connections get them: the address is that of the container's host. */
export function resolvedParameters(
  unpacker: Unpacker,
  rsc: Resource,
  node: Node | undefined,
): Map<string, string> {
  const params = parameters(unpacker, rsc, node);
  if (!needsRemoteName(rsc, params)) return params;
  const host = containerHost(rsc);
  if (!host) return params;
  const copy = new Map(params);
  copy.set("addr", host.name);
  return copy;
}

/** Whether a bundle connection reaches its container by the host's name. */
export const needsRemoteName = (rsc: Resource, params: ReadonlyMap<string, string>): boolean =>
  rsc.isRemoteConnection && rsc.replica?.remote === rsc && params.get("addr") === "#uname";

/** Where the container of a bundle connection will be, or is. */
export function containerHost(rsc: Resource): Node | undefined {
  const container = rsc.container;
  if (!container) return undefined;
  let node = container.assignedTo ?? container.runningOn[0];
  // A nested remote: the connection to the host names it.
  if (node?.isRemoteOrGuest && !container.assignedTo) node = container.runningOn[0];
  return node;
}

/**
 * Compares the parameters that an operation in the history ran with to those of the configuration.
 * `restart`: what needs a restart has changed; `all`: something has changed; `unknown`: not recorded.
 * Of several entries of one operation, such as its last result and its last failure, the one that is compared first
 * says for all which parameters need a restart, and whether any is known to.
 */
export function compareDigests(unpacker: Unpacker, rsc: Resource, xml: XmlElement, node: Node): DigestResult {
  const task = comparedWith(xml);
  const intervalMs = historyInterval(xml.attributes.get("interval"));
  const recordedAll = xml.attributes.get("op-digest");
  const recordedRestart = xml.attributes.get("op-restart-digest");
  const key = opKey(rsc.id, task, intervalMs);
  const current = node.digests.get(key) ?? currentDigests(unpacker, rsc, task, intervalMs, node, xml);
  node.digests.set(key, current);
  // Whoever may not see a secret cannot tell whether it has changed.
  const isHidden = recordedAll === MASKED || recordedRestart === MASKED;
  if (isHidden || [...current.paramsAll].some(([name, value]) => value === MASKED && isSecretParameter(name)))
    return { ...current, kind: recordedAll === undefined ? "unknown" : "match" };
  // A failure that has expired is like a change of what needs a restart.
  const restarts = unpacker.outlivedFailures.has(xml)
    ? current.digestRestart !== undefined
    : recordedRestart !== undefined &&
      current.digestRestart !== undefined &&
      recordedRestart !== current.digestRestart;
  let kind: DigestResult["kind"] = "match";
  if (restarts) kind = "restart";
  else if (recordedAll === undefined) kind = "unknown";
  else if (recordedAll !== current.digestAll) {
    const own = operationParameters(unpacker, rsc, task, intervalMs, node).size > 0;
    kind = intervalMs === 0 && own ? "restart" : "all";
  }
  return { ...current, kind };
}

/** Digests of an operation as it would run now, with `overrides` in place of what the configuration says. */
export function currentDigests(
  unpacker: Unpacker,
  rsc: Resource,
  task: string,
  intervalMs: number,
  node: Node,
  history: XmlElement | undefined,
  overrides: ReadonlyMap<string, string> = new Map(),
): DigestResult {
  const options = operationOptions(unpacker, rsc, task, intervalMs);
  const own = resolvedParameters(unpacker, rsc, node);
  const given = [...overrides].filter(([name]) => !name.startsWith("CRM_meta_"));
  const params = given.length === 0 ? own : new Map([...given, ...own, ...given]);
  const all = new Map([...params, ...operationParameters(unpacker, rsc, task, intervalMs, node), ...given]);
  const timeout = overrides.get("CRM_meta_timeout") ?? String(options.timeoutMs);
  if (intervalMs > 0) all.set("CRM_meta_timeout", timeout);
  const restart = restartParameters(unpacker, all, history);
  const secure = secureParameters(unpacker.cluster, rsc, params, all, history);
  return {
    kind: "match",
    digestAll: parameterDigest(all),
    digestRestart: restart && parameterDigest(restart),
    digestSecure: secure && parameterDigest(secure),
    paramsAll: all,
    paramsRestart: restart,
    paramsSecure: secure,
  };
}

const listed = (list: string, name: string) => ` ${list} `.includes(` ${name} `);

function restartParameters(
  unpacker: Unpacker,
  all: ReadonlyMap<string, string>,
  history: XmlElement | undefined,
): Map<string, string> | undefined {
  if (!history) return undefined;
  if (!history.attributes.has("op-restart-digest") && !unpacker.outlivedFailures.has(history))
    return undefined;
  const list = history.attributes.get("op-force-restart");
  return list === undefined ? new Map(all) : new Map([...all].filter(([name]) => listed(list, name)));
}

/**
 * Parameters without the private ones, for unfencing and for files from reports. Clusters older than feature set
 * 3.16.0 digested only what agents declare.
 */
function secureParameters(
  { cib, rules }: Cluster,
  rsc: Resource,
  params: ReadonlyMap<string, string>,
  all: ReadonlyMap<string, string>,
  history: XmlElement | undefined,
): Map<string, string> | undefined {
  const hidden = history ? history.attributes.get("op-secure-params") : "passwd password user";
  const version = history?.attributes.get("crm_feature_set") ?? cib.attributes.get("crm_feature_set");
  const old =
    !rules.secureDigestsByFeatureSet || (version !== undefined && compareVersions(version, "3.16.0") < 0);
  const result = new Map(old ? params : all);
  for (const name of [...result.keys()]) {
    if (hidden !== undefined && listed(hidden, name)) result.delete(name);
    else if (old && rsc.isFenceDevice && isFenceParameter(name)) result.delete(name);
    else if (old && name.startsWith("CRM_meta_")) result.delete(name);
  }
  return result;
}
/** Parameters that the fencer takes for itself, whatever the agent knows. */
const isFenceParameter = (name: string): boolean => /^(pcmk_|provides$|stonith-timeout$)/.test(name);
