import type { SetNodeValue } from "../cib/index.ts";
import { warn } from "./cib-session.ts";

/**
 * Warns of what is remarkable in attributes of nodes that are set, for which the configuration is not looked at. What agents
 * set at each monitor hardly ever is, so that the rules are loaded only for what may be.
 */
export async function warnOfNodeValues(sets: readonly SetNodeValue[]): Promise<void> {
  const odd = sets.filter(
    ({ name, value, utilization, lasting }) =>
      lasting || ((utilization || name.startsWith("master-")) && !/^[+-]?\d+$/.test(value)),
  );
  if (odd.length === 0) return;
  const { remarksOnNodeValue } = await import("../cib/index.ts");
  await warn(odd.flatMap(remarksOnNodeValue));
}
