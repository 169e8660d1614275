import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import type { FenceHistoryReply } from "../daemon/index.ts";
import {
  answersIn,
  type DeviceAnswer,
  type DeviceQuestion,
  devicesIn,
  type FenceDeviceInfo,
  type FenceResult,
} from "../fencer/index.ts";
import { CrmExit, HactlError, lookup } from "../terms/index.ts";
import { CibSession } from "./cib-session.ts";
import { colours } from "./output.ts";

/** The daemon ends every request in its own time; this is only against one that is gone. */
export const waitMs = 3_600_000;

/** The fence devices of the cluster; of a file those that its configuration has. */
export const fenceDevices = (): Promise<FenceDeviceInfo[]> =>
  CibSession.with(async (session) =>
    session.isLive
      ? (await session.daemon()).request<FenceDeviceInfo[]>({ type: "fence.devices" }, 10_000)
      : devicesIn(await session.configuration(), Math.floor(Date.now() / 1000)),
  );

/** What keeps fencing from succeeding and is in no configuration; of a file there is none. */
export const fencingRemarks = (): Promise<readonly string[]> =>
  CibSession.with(async (session) => {
    if (!session.isLive) return [];
    const { remarks } = await (await session.daemon()).request<Partial<FenceHistoryReply>>(
      { type: "fence.history" },
      10_000,
    );
    return remarks ?? [];
  });

/** What the fence devices of the cluster say; of a file what its configuration tells of them. */
export const deviceAnswers = (question: DeviceQuestion): Promise<readonly DeviceAnswer[]> =>
  CibSession.with(async (session) =>
    session.isLive
      ? (await session.daemon()).request<DeviceAnswer[]>({ type: "fence.ask", ...question }, waitMs)
      : answersIn(await session.configuration(), question, Math.floor(Date.now() / 1000)),
  );

/** Who asks, for the history: the person behind sudo, else the user. */
export function caller(): string {
  const { USER, LOGNAME, SUDO_USER } = process.env;
  const { username, uid } = userInfo();
  // Bun takes the name from the environment and calls it "unknown" where nothing is set.
  const known = username === "unknown" ? undefined : username;
  return SUDO_USER ?? known ?? USER ?? LOGNAME ?? (uid === 0 ? "root" : `uid ${uid}`);
}

/** Asks a person; throws HactlError `NOT_CONFIRMED` unless the answer is yes. Without a terminal nobody can answer. */
export async function confirmed(question: string): Promise<void> {
  const refused = (what: string) =>
    new HactlError({
      code: "NOT_CONFIRMED",
      what,
      cure: "add --yes to answer beforehand",
      exit: CrmExit.USAGE,
    });
  if (!process.stdin.isTTY) throw refused("it needs a confirmation, and nobody can be asked");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw refused("not confirmed; nothing was done");
  } finally {
    terminal.close();
  }
}

const deeds: Readonly<Record<FenceResult["deed"], string>> = lookup({
  reset: "was reset",
  off: "is off",
  "off-on": "was switched off and on",
  on: "was switched on",
  kdump: "writes a crash dump and runs nothing else",
  confirmed: "counts as off",
  none: "is as it was",
});

/** A result in one line. */
export function resultLine(result: FenceResult): string {
  const by = result.devices.length > 0 ? ` by ${result.devices.join(", ")} from ${result.executor}` : "";
  if (result.ok)
    return `${colours.green("ok")}     ${result.target} ${deeds[result.deed]}${by}: ${result.reason}`;
  const count = result.failures > 1 ? ` (${result.failures} times in a row)` : "";
  return `${colours.red("failed")} ${result.target} (${result.action})${count}: ${result.reason}`;
}
