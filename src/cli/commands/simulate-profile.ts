import { readdirSync } from "node:fs";
import { join } from "node:path";
import { element, type XmlElement } from "../../cib/index.ts";
import { schedule } from "../../scheduler/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import type { Answer } from "../answer/index.ts";
import { executionDate } from "./simulate-run.ts";
import { readCibText } from "./source.ts";

/** Which clusters to decide about, how often each, and how to tell of it. */
export interface ProfileRequest {
  readonly directory: string;
  readonly repeat: number;
  /** Seconds since 1970, where neither the call nor the cluster names a time. */
  readonly clock: number;
  readonly now?: number;
  readonly answer: Answer;
}

/**
 * Decides about every XML file of a directory and tells how long that took, as `crm_simulate --profile` does. Answers
 * with the exit code: an error when a file is no cluster; the others are measured all the same.
 * @throws HactlError NO_FILE when there is no such directory
 */
export function profileDirectory(request: ProfileRequest): number {
  const { directory, repeat, clock, answer } = request;
  let worst: number = CrmExit.OK;
  const timings: XmlElement[] = [];
  const files = xmlFiles(directory);
  answer.say({ text: () => "Timings:", xml: () => [element("timings", {}, timings)] });
  for (const name of files) {
    const path = join(directory, name);
    try {
      const cib = readCibText(path);
      const now = request.now ?? executionDate(cib) ?? clock;
      const begun = performance.now();
      for (let round = 0; round < repeat; round++) schedule({ cib, now });
      const duration = ((performance.now() - begun) / 1000).toFixed(2);
      timings.push(element("timing", { file: path, duration }));
      answer.say({ text: () => `  * Testing ${path} ... ${duration} secs` });
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      answer.error(`${path}: ${error.what}`);
      worst = error.exit;
    }
  }
  return worst;
}

function xmlFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".xml"))
      .sort();
  } catch (cause) {
    throw new HactlError({
      code: "NO_FILE",
      what: `the directory cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
      where: { file: directory },
      exit: CrmExit.NOINPUT,
      cause,
    });
  }
}
