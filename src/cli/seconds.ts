import { CrmExit, HactlError, type Millis } from "../terms/index.ts";

/** A `--timeout` in seconds as milliseconds. @throws HactlError USAGE */
export function parseSeconds(text: string): Millis {
  const seconds = Number(text);
  if (seconds > 0) return seconds * 1000;
  throw new HactlError({
    code: "USAGE",
    what: `"${text}" is not a number of seconds`,
    cure: "write for example --timeout 60",
    exit: CrmExit.USAGE,
  });
}
