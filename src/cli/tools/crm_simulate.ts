import { simulateCommand } from "../commands/simulate-command.ts";
import { reportError } from "../output.ts";

/** `crm_simulate`. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    return await simulateCommand("crm_simulate", args);
  } catch (error) {
    return reportError(error);
  }
}
