/** A line of the summary taken apart: `ACTION RSC ( DETAILS )  REASON`. */
const entry = /^(\S+)\s+(\S+)\s+\(\s*(.*?)\s*\)(?:\s+(\S.*))?$/;

/** Width of the action's column, by the longest word, "Re-promote". */
const actionWidth = 10;

/**
 * Lines of a transition summary in columns as crm_simulate sets them. Lines about fencing have no columns and come as
 * they are.
 */
export function summaryLines(summary: readonly string[]): string[] {
  const parts = summary.map((text) => (text.startsWith("Fence ") ? null : entry.exec(text)));
  const widest = (group: number) => Math.max(0, ...parts.map((part) => part?.[group]?.length ?? 0));
  const rscWidth = widest(2) + 4;
  const detailWidth = widest(3);
  return summary.map((text, index) => {
    const part = parts[index];
    if (!part) return text;
    const [, action = "", rsc = "", detail = "", reason] = part;
    const columns = `${action.padEnd(actionWidth)} ${rsc.padEnd(rscWidth)} ( ${detail.padStart(detailWidth)} )`;
    return reason === undefined ? columns : `${columns}  ${reason}`;
  });
}
