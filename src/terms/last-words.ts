/** How many lines are taken: what went wrong often stands before the last one. */
const mostLines = 3;
/** A moment at the beginning of a line, and its level, as logging programs write them. */
const stamp =
  /^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?:?\s+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\s+)(?:\[?(?:DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL)\]?:\s*)?/;
/** What says nothing about what went wrong. */
const hollow =
  /^(?:(?:error|ERROR): )?(?:please use '-h' for usage|traceback \(most recent call last\):|[\W_]*)$/i;

/**
 * The last lines of a program's output that say something, each once and without the program's own time stamps, as one line
 * of at most `longest` characters: the last of them before the others.
 */
export function lastWords(text: string, longest: number): string {
  const said: string[] = [];
  let room = longest;
  for (const line of text.split("\n").reverse()) {
    const words = line.trim().replace(stamp, "").replace(/\s+/g, " ").trim();
    if (hollow.test(words) || said.includes(words)) continue;
    if (said.length > 0 && words.length + 3 > room) break;
    said.unshift(words.length > longest ? `${words.slice(0, longest - 1)}…` : words);
    room -= words.length + 3;
    if (said.length === mostLines) break;
    // Of a stack the error alone is for people.
    if (/^[\w.]*(?:Error|Exception)\b/.test(words)) break;
  }
  return said.join(" / ");
}
