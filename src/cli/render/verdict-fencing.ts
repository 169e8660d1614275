import { isGivenUp } from "../../fencer/index.ts";
import { formatMoment } from "./dates.ts";
import { type CauseWithoutLevel, type FencingFacts, NO_PLACE } from "./status-model.ts";

/** What helps a node that no device can fence: one that is not used may do. */
function deviceCure({ devices }: FencingFacts, node: string): string {
  const list = `ame ${node} in pcmk_host_list or pcmk_host_map of a device that reaches it`;
  const off = devices.find(({ disabled }) => disabled !== undefined);
  if (off === undefined) return `N${list}`;
  const how = off.disabled === NO_PLACE ? `hactl explain ${off.id}` : `hactl resource start ${off.id}`;
  return `Let ${off.id} be used again (${how}), or n${list}`;
}

/** A fencing that people may not have noticed. */
const recentSeconds = 3600;

/** What is wrong with fencing, or was. @param nodes those that there are: of others nothing can be done any more */
export function fencingCauses(
  fencing: FencingFacts,
  nodes: ReadonlyMap<string, "well" | "open">,
  now: number,
): CauseWithoutLevel[] {
  const warnings: CauseWithoutLevel[] = [];
  if (!fencing.enabled) {
    warnings.push({
      code: "FENCING-DISABLED",
      text: "fencing is DISABLED: after the loss of a node, data may be written from two nodes at once",
      cure:
        fencing.devices.length === 0
          ? "Configure a fence device and set stonith-enabled=true"
          : "Fence devices are there: hactl property stonith-enabled=true",
    });
  } else if (fencing.devices.length === 0) {
    warnings.push({
      code: "NO-FENCE-DEVICE",
      text: "fencing is enabled but no fence device is configured: a lost node blocks its services, and nothing starts",
      cure: "Configure a stonith: resource for every node",
    });
  }
  if (fencing.enabled && fencing.devices.length > 0)
    for (const node of fencing.unfenceable)
      warnings.push({
        code: "UNFENCEABLE",
        node,
        text: `no device can fence ${node}: when it is lost, its services start nowhere`,
        cure: deviceCure(fencing, node),
      });
  for (const id of fencing.idle)
    warnings.push({
      code: "FENCE-DEVICE-IDLE",
      rsc: id,
      text: `fence device ${id} is for no node that is there`,
      cure: `Correct its pcmk_host_list, or remove it: hactl resource stop ${id} --wait, then hactl configure delete ${id}`,
    });
  for (const { id, disabled } of fencing.devices)
    if (disabled !== undefined)
      warnings.push({
        code: "FENCE-DEVICE-OFF",
        rsc: id,
        text: `fence device ${id} is not used: ${disabled}`,
      });
  const last = new Map(fencing.history.toReversed().map((result) => [result.target, result]));
  const newestFirst = [...last.values()].sort((a, b) => b.completedAt - a.completedAt);
  for (const result of newestFirst) {
    const { target, ok, action, reason, completedAt } = result;
    if (ok && action !== "on" && now - completedAt < recentSeconds)
      warnings.push({
        code: "NODE-FENCED",
        node: target,
        text: `${target} was fenced at ${formatMoment(completedAt, now)}${reason === "" ? "" : `: ${reason}`}`,
      });
    const state = nodes.get(target);
    if (ok || isGivenUp(result) || state === undefined) continue;
    const text = `the last fencing of ${target} failed${reason === "" ? "" : `: ${reason}`}`;
    const cure = `Repair the device, or confirm that the node is off: hactl fence confirm ${target}`;
    warnings.push(
      state === "well"
        ? {
            code: "FENCE-DEVICE-FAILED",
            node: target,
            text: `${text}; it is well now, and the device may fail once more`,
            cure: `Repair the device, and try it: hactl fence test ${target}`,
          }
        : { code: "FENCING-FAILED", node: target, text, cure },
    );
  }
  for (const text of fencing.warnings) warnings.push({ code: "FENCING-TOPOLOGY", text });
  return warnings;
}
