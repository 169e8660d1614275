import { isRefusal } from "../platform/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";

/**
 * Writes what a command was asked to save. A directory that is not there is a mistake in the path: none is made.
 *
 * @throws HactlError NOT_SAVED, and the system's error (EACCES, ENOSPC, …)
 */
export async function saveFile(path: string, text: string): Promise<void> {
  try {
    await Bun.write(path, text, { createPath: false });
  } catch (error) {
    if (!isRefusal(error) || error.code !== "ENOENT") throw error;
    throw new HactlError({
      code: "NOT_SAVED",
      what: `Could not create '${path}': No such file or directory`,
      cure: "Check the path: its directory is not there",
      exit: CrmExit.NOSUCH,
    });
  }
}
