import { CrmExit, HactlError } from "../terms/index.ts";

/**
 * The target-role that a restart writes: read as "Stopped", but spelled as nobody else does, so that a stop that another
 * administrator asks for meanwhile is not taken for the restart's own, and undone.
 */
export const RESTART_STOP = "stopped";

/**
 * A resource that another restart is stopping is not restarted beside it: each would undo the other's stop.
 * @throws HactlError RESTARTING
 */
export function refuseSecondRestart(rsc: string, targetRole: string | undefined): void {
  if (targetRole !== RESTART_STOP) return;
  throw new HactlError({
    code: "RESTARTING",
    what: `${rsc} is being restarted already`,
    cure: `wait for its end: hactl wait; where nobody restarts it any more: hactl resource start ${rsc}`,
    exit: CrmExit.UNSATISFIED,
  });
}

/**
 * Leaves the target-role as a restart finds it after the stop, when that is not the one it wrote itself. It is no success:
 * what others have asked for holds.
 * @throws HactlError CHANGED_MEANWHILE
 */
export function refuseChanged(rsc: string, targetRole: string | undefined): void {
  if (targetRole === RESTART_STOP) return;
  const now = targetRole === undefined ? "it is not set any more" : `it is ${targetRole} now`;
  throw new HactlError({
    code: "CHANGED_MEANWHILE",
    what: `somebody else has changed the target-role of ${rsc} during its restart: ${now}, and stays so`,
    cure: `hactl explain ${rsc}; hactl resource start ${rsc} where it shall run`,
    exit: CrmExit.UNSATISFIED,
  });
}
