import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { HactlConfig } from "../config/index.ts";
import { lockHolder, pathFacts } from "../platform/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { adminSocketPath } from "./admin-protocol.ts";

/** Why a daemon that runs does not take connections; undefined when none runs, or this user may not know. */
export function unreachable({
  stateDir,
  runDir,
}: Pick<HactlConfig["system"], "stateDir" | "runDir">): HactlError | undefined {
  const pid = lockHolder(join(stateDir, "lock"));
  if (pid === undefined) return undefined;
  const socket = adminSocketPath(runDir);
  const directory = pathFacts(runDir);
  const told = (what: string, cure: string, file: string) =>
    new HactlError({
      code: "UNREACHABLE",
      what: `hactl runs on this node (process ${pid}), but ${what}`,
      where: { file },
      cure,
      exit: CrmExit.DISCONNECT,
    });
  const mends =
    "The daemon makes it again within seconds. If it does not, its log says why (RUN-DIRECTORY): make room, mount it for " +
    "writing, or remove what is in the way";
  if (!directory) return told("the directory of its sockets is gone", mends, runDir);
  if (directory.kind !== "directory")
    return told("the directory of its sockets is none any more", mends, runDir);
  if (!isWritable(runDir)) return told("the directory of its sockets is read-only", mends, runDir);
  const found = pathFacts(socket);
  if (!found) return told("its socket is gone", mends, socket);
  if (found.kind !== "other") return told("something else is in the place of its socket", mends, socket);
  return told(
    "its manager does not answer",
    "It is being started again, and waits for its executor. If that lasts, look into the log for PROCESS-HUNG, PROCESS-DIED and RUN-DIRECTORY",
    socket,
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    // Only root writes there; others are refused for another reason.
    return (error as NodeJS.ErrnoException).code !== "EROFS";
  }
}
