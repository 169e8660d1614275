import { parseIntervalMs } from "../../cib/index.ts";
import type { FailedOperation } from "../../controller/index.ts";
import type { Answer } from "../answer/index.ts";
import { usage } from "./connection.ts";
import type { ParsedWords } from "./getopt.ts";

/** The operation with -n and -I, of whose failures alone is spoken: without an interval, one that does not recur. */
export function failedOperation(
  tool: string,
  given: ParsedWords,
  answer: Answer,
): FailedOperation | undefined {
  const action = given.value("operation");
  const text = given.value("interval");
  const intervalMs = text === undefined ? 0 : parseIntervalMs(text);
  if (intervalMs === undefined) throw usage(tool, `"${text}" is not a time such as 10s`);
  if (action !== undefined) return { action, intervalMs };
  if (text !== undefined) answer.error(`${tool}: --interval has no effect without --operation`);
  return undefined;
}
