import { writeFileSync } from "node:fs";
import { ownCommand, ownEnvironment } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { requestText, versionOf } from "../answer/index.ts";
import { clearScreen, print, writeOut } from "../output.ts";
import type { StatusInput } from "../render/input.ts";
import { optionHelp, type ParsedWords, parseWords } from "../tools/getopt.ts";
import { DaemonLink } from "./live.ts";
import { fileStatus, isOfFile, monFormat, monReport, shownStatus } from "./mon-report.ts";
import { intervalMs, monOptionRows } from "./mon-request.ts";
import { repeat } from "./watch.ts";

/** Runs `hactl crm_mon` or `crm_mon`; answers with the exit code. */
export async function crmMonCommand(name: string, words: readonly string[]): Promise<number> {
  const parsed = parseWords(name, monOptionRows, words);
  if (parsed.has("help")) {
    print(`${name}: show the state of the cluster\n\n${optionHelp(monOptionRows)}`);
    return CrmExit.OK;
  }
  if (parsed.has("version")) return versionOf(name, words, parsed);
  const request = requestText(name, words);
  if (parsed.has("daemonize")) return daemonize(parsed, words);
  if (process.env.HACTL_CRM_MON_BACKGROUND === "1" || wantsLoop(parsed)) return loop(parsed, request);
  const { input } = await shownStatus();
  const report = monReport(input, parsed, request);
  writeReport(parsed, report.text);
  return report.exit;
}

/** A terminal sees changes as they come; a pipe, a file or a fixed format gets one report. */
function wantsLoop(parsed: ParsedWords): boolean {
  if (parsed.has("one-shot") || parsed.has("simple-status") || parsed.has("as-xml")) return false;
  if (targetFile(parsed) !== undefined) return parsed.has("interval");
  return process.stdout.isTTY === true && ["text", "console"].includes(monFormat(parsed));
}

const targetFile = (parsed: ParsedWords): string | undefined => {
  const file = parsed.value("output-to") ?? parsed.value("as-html");
  return file === "-" ? undefined : file;
};

function writeReport(parsed: ParsedWords, text: string): void {
  const file = targetFile(parsed);
  if (file === undefined) writeOut(text);
  else writeFileSync(file, text);
}

/** Shows the status again at every change, at least once an interval, until it is stopped. */
async function loop(parsed: ParsedWords, request: string): Promise<number> {
  const toFile = targetFile(parsed) !== undefined;
  const link = new DaemonLink();
  const show = async () => {
    const text = await reportText(parsed, request, async () =>
      isOfFile(undefined) ? (await fileStatus(undefined)).input : link.status(),
    );
    if (toFile) writeReport(parsed, text);
    else {
      clearScreen();
      writeOut(text);
    }
  };
  try {
    return await repeat({ show, everyMs: intervalMs(parsed), link });
  } finally {
    link.close();
  }
}

/** A report, or the reason why there is none: a monitor goes on while the daemon is restarted. */
async function reportText(
  parsed: ParsedWords,
  request: string,
  status: () => Promise<StatusInput>,
): Promise<string> {
  try {
    return monReport(await status(), parsed, request).text;
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    return `Connection to cluster failed: ${error.what}\n`;
  }
}

/** Starts this command again in the background; the caller goes on at once. */
function daemonize(parsed: ParsedWords, words: readonly string[]): number {
  if (targetFile(parsed) === undefined) {
    throw new HactlError({
      code: "USAGE",
      what: "--daemonize needs a file to write to",
      cure: "Name it with --output-to FILE or -h FILE",
      exit: CrmExit.USAGE,
    });
  }
  const kept = withoutDaemonize(words);
  const child = Bun.spawn([...ownCommand(), "crm_mon", ...kept], {
    stdio: ["ignore", "ignore", "ignore"],
    detached: true,
    env: ownEnvironment({ HACTL_CRM_MON_BACKGROUND: "1" }),
  });
  const pidFile = parsed.value("pid-file");
  if (pidFile !== undefined) writeFileSync(pidFile, `${child.pid}\n`);
  child.unref();
  return CrmExit.OK;
}

/** The words without `-d`, alone or among other letters. */
function withoutDaemonize(words: readonly string[]): string[] {
  return words
    .filter((word) => word !== "--daemonize" && word !== "-d")
    .map((word) =>
      /^-[1rfAotncRbDsXNQVWwd]*d[1rfAotncRbDsXNQVWwd]*/.test(word) ? word.replace("d", "") : word,
    );
}
