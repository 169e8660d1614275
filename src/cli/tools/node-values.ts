import { CrmExit, HactlError } from "../../terms/index.ts";

/** Attributes of nodes that the cluster itself goes by, yes or no; all others are the agents' own. */
const switches: ReadonlySet<string> = new Set(["standby", "maintenance"]);

/**
 * Refuses a value of a switch of a node that means neither yes nor no: it would be shown, and nothing would follow from it.
 * @throws HactlError BAD_VALUE
 */
export async function refuseBadSwitch(name: string, value: string | undefined): Promise<void> {
  if (value === undefined || !switches.has(name)) return;
  const { parseBoolean } = await import("../../cib/index.ts");
  if (parseBoolean(value) !== undefined) return;
  throw new HactlError({
    code: "BAD_VALUE",
    what: `node attribute ${name}="${value}" is not valid`,
    cure: "write true or false",
    exit: CrmExit.CONFIG,
  });
}
