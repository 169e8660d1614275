import { crmMonCommand } from "../commands/crm_mon-command.ts";
import { reportError } from "../output.ts";

/** `crm_mon`. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await crmMonCommand("crm_mon", args);
  } catch (error) {
    return reportError(error);
  }
}
