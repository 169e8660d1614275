import { writeFileSync } from "node:fs";
import { parseXml } from "../cib/index.ts";
import { dieWithParent } from "../platform/index.ts";
import { schedule } from "../scheduler/index.ts";
import { CrmExit } from "../terms/index.ts";
import { lines, type PlanQuestion, planLine } from "./planner.ts";

/** The process that computes decisions for its manager, until that closes its input. @returns the exit code */
export async function runPlanner(): Promise<number> {
  dieWithParent();
  endFirst();
  for await (const line of lines(Bun.stdin.stream())) {
    const { id, cib, now } = JSON.parse(line) as PlanQuestion;
    const answer = planLine(id, () => schedule({ cib: parseXml(cib), now }));
    await Bun.write(Bun.stdout, answer);
  }
  return CrmExit.OK;
}

/** Where memory runs out the kernel ends this process before any other (proc(5), oom_score_adj). */
function endFirst(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // It may be ended all the same.
  }
}
