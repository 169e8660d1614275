/** Scores run from −INFINITY to INFINITY and stay there (Pacemaker Explained, "Scores"). */
export const INFINITY = 1_000_000;

/** Sum of two scores. −INFINITY wins over everything, then INFINITY; else the sum, held within the limits. */
export function addScores(a: number, b: number): number {
  if (a <= -INFINITY || b <= -INFINITY) return -INFINITY;
  if (a >= INFINITY || b >= INFINITY) return INFINITY;
  return Math.max(-INFINITY, Math.min(INFINITY, a + b));
}

/** `INFINITY`, `-INFINITY` or the number. */
export function formatScore(score: number): string {
  if (score >= INFINITY) return "INFINITY";
  if (score <= -INFINITY) return "-INFINITY";
  return String(score);
}
