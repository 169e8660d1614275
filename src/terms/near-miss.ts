/** Largest edit distance at which a word still counts as a slip of the given length. */
const allowance = (length: number) => (length <= 3 ? 1 : length <= 7 ? 2 : 3);

/** Spelling without what people mix up freely: case, and `-`, `_`, `.` or nothing between words. */
const fold = (word: string) => word.toLowerCase().replace(/[-_. ]/g, "");

/**
 * The candidate that the writer of `word` probably meant, or `undefined` when none is near enough. Case and
 * separators do not count; otherwise the optimal string alignment distance (insert, delete, change, swap of
 * neighbours) decides, and among equals the candidate that comes first.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const folded = fold(word);
  let best: string | undefined;
  let bestDistance = Math.min(allowance(folded.length), folded.length - 1) + 1;
  for (const candidate of candidates) {
    if (candidate === word) return candidate;
    const distance = alignment(folded, fold(candidate), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance of `a` and `b`; `limit` when it is not below that. */
function alignment(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (previous[column] ?? limit) + 1,
        (current[column - 1] ?? limit) + 1,
        (previous[column - 1] ?? limit) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (before[column - 2] ?? limit) + 1);
      current.push(cost);
    }
    if (Math.min(...current) >= limit) return limit;
    before = previous;
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
