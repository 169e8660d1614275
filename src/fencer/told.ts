import type { Attempt, FenceRequest, ToldOperation } from "./face.ts";
import type { Operation } from "./plan.ts";

const copy = (attempt: Attempt): Attempt => ({ ...attempt });

/** A request under way as one fencer tells another that has just come, and as that one takes it: nothing is shared. */
export const toldOf = ({ request, merged, attempts, outlived }: ToldOperation): Operation => ({
  request,
  merged: [...merged],
  attempts: attempts.map(copy),
  outlived,
});

/** Requests that an operation answers. */
export const requestsOf = ({
  request,
  merged,
}: Pick<ToldOperation, "request" | "merged">): FenceRequest[] => [request, ...merged];

/**
 * Takes what another fencer tells of the same operation: only what is newer. Attempts end once, and what was only assumed
 * to have failed may have succeeded.
 */
export function takeTold(known: Operation, told: ToldOperation): void {
  const ids = new Set(requestsOf(known).map(({ id }) => id));
  known.merged.push(...requestsOf(told).filter(({ id }) => !ids.has(id)));
  known.outlived ||= told.outlived;
  for (const attempt of told.attempts) {
    const mine = known.attempts.find((one) => one.attempt === attempt.attempt);
    if (!mine) {
      if (attempt.attempt === known.attempts.length + 1) known.attempts.push(copy(attempt));
      continue;
    }
    const same = mine.device === attempt.device && mine.executor === attempt.executor;
    if (!same || attempt.state === "running" || mine.disproved) continue;
    if (mine.state === "ok" && !attempt.disproved) continue;
    if (mine.state === "failed" && attempt.state === "failed" && !attempt.disproved) continue;
    mine.state = attempt.state;
    mine.ran = attempt.ran;
    mine.deed = attempt.deed;
    mine.reason = attempt.reason;
    if (attempt.disproved) mine.disproved = true;
  }
}
