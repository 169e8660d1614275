/** A line of the summary taken apart: `ACTION RSC ( DETAILS )  REASON`. */
const entry = /^(\S+)\s+(\S+)\s+\(\s*(.*?)\s*\)(?:\s+(\S.*))?$/;

/** Least width of the columns for the resource and for the details. */
const leastWidth = 5;

/**
 * Lines of a transition summary in columns as crm_simulate sets them. Lines about fencing have no columns and come as
 * they are.
 */
export function summaryLines(summary: readonly string[]): string[] {
  const parts = summary.map((text) => (text.startsWith("Fence ") ? null : entry.exec(text)));
  const texts = (group: number) => parts.flatMap((part) => part?.[group] ?? []);
  const detailWidth = Math.max(leastWidth, ...texts(3).map(({ length }) => length));
  // A name that is too long makes the column wider than itself, so that the order of the names counts.
  const rscWidth = texts(2).reduce((width, { length }) => (length > width ? length + 2 : width), leastWidth);
  return summary.map((text, index) => {
    const part = parts[index];
    if (!part) return text;
    const [, action = "", rsc = "", detail = "", reason] = part;
    const columns = `${action.padEnd(8)}   ${rsc.padEnd(rscWidth)}   ( ${detail.padStart(detailWidth)} )`;
    return reason === undefined ? columns : `${columns}  ${reason}`;
  });
}
