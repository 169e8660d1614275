import { type CibVersion, claimOf, compareEpochs, type Loss, MOST_LOSSES, type Summary } from "./join.ts";
import type { StatusWarning } from "./status-input.ts";

/**
 * What stays lost when the configuration of `winner` is the cluster's, by what all participants tell; the same on every
 * one of them. A loss is over when somebody who knows nothing of it brings what is as new, or when it was accepted.
 */
export function lossesThatStay(summaries: readonly Summary[], winner: Summary): readonly Loss[] {
  const known = new Set((winner.losses ?? []).map(keyOf));
  const found = new Map<string, Loss>();
  for (const loss of summaries.flatMap(({ losses }) => losses ?? [])) found.set(keyOf(loss), loss);
  const claim = claimOf(winner);
  const stays = (loss: Loss) => {
    if (loss.version && claim[0] > loss.version[0]) return false;
    if (known.has(keyOf(loss))) return true;
    return loss.version ? compareEpochs(claim, loss.version) < 0 : compareEpochs(claim, loss.instead) <= 0;
  };
  const order = ([a]: readonly [string, Loss], [b]: readonly [string, Loss]) => (a < b ? -1 : Number(a > b));
  return [...found]
    .filter(([, loss]) => stays(loss))
    .sort(order)
    .slice(0, MOST_LOSSES)
    .map(([, loss]) => loss);
}

/** Those of `losses` that are not among `known`. */
export function newLosses(losses: readonly Loss[], known: readonly Loss[]): readonly Loss[] {
  const keys = new Set(known.map(keyOf));
  return losses.filter((loss) => !keys.has(keyOf(loss)));
}

/** A node may lose something again. */
const keyOf = ({ node, files }: Loss) => `${node} ${files.join(" ")}`;

/**
 * What people have to know of losses. `builtOn`: the older version that the configuration was built on, where a node
 * that kept a newer one still wins over it; `inForce`: what the cluster has now.
 */
export function lossWarnings(
  losses: readonly Loss[],
  builtOn: CibVersion | undefined,
  inForce: CibVersion,
): StatusWarning[] {
  const accept =
    "enter again what is missing; then say 'hactl configure accept' to go on with the configuration that is in force";
  const cure = builtOn
    ? `start a node that kept a newer one: it brings it back when it joins. Where none has, ${accept}`
    : accept;
  if (losses.length === 0 && builtOn) {
    const text = `the configuration was lost and is built on an older copy (version ${builtOn.join(".")})`;
    return [{ code: "CONFIG-FALLBACK", text, cure }];
  }
  return losses.map((loss) => ({
    code: "CONFIG-FALLBACK",
    node: loss.node,
    text: describeLoss(loss, builtOn, inForce),
    cure: `see what it said in the damaged file on ${loss.node}; ${cure}`,
  }));
}

function describeLoss(loss: Loss, builtOn: CibVersion | undefined, inForce: CibVersion): string {
  const { node, version, instead, files } = loss;
  const lost = version ? `version ${version.join(".")}` : "the newest version";
  const found = instead.every((part) => part === 0) ? "nothing to use instead" : `only ${instead.join(".")}`;
  // Its own number tells nothing of one that was built on an older copy: it may well be that of what was lost.
  const used = builtOn ? `what was built on ${builtOn.join(".")}` : inForce.join(".");
  return (
    `node ${node} has lost ${lost} of the configuration and found ${found}: damaged is ${files.join(" and ")}; ` +
    `in force is ${used}`
  );
}
