import { element, formatXml } from "../../cib/index.ts";
import { FEATURE_SET } from "../../controller/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { documentText, type Format, formatOf, type Message, reportText, wantedApi } from "../answer/index.ts";
import { judgedBy } from "../hidden.ts";
import { tellHidden } from "../output.ts";
import { shownCluster } from "../render/cluster-view.ts";
import { fileStatusInput, type StatusInput } from "../render/input.ts";
import { monMessages } from "../render/mon/report.ts";
import type { MonView } from "../render/mon/view.ts";
import { monHtml } from "../render/mon-html.ts";
import { legacyMonText } from "../render/mon-legacy.ts";
import { simpleStatus } from "../render/mon-simple.ts";
import { cibTarget } from "../target.ts";
import { pacemakerVersion } from "../tools/connection.ts";
import type { ParsedWords } from "../tools/getopt.ts";
import { version } from "../version.ts";
import { runningStatus } from "./live.ts";
import { intervalMs, limitTo, monOptionsOf } from "./mon-request.ts";
import { loadCluster } from "./source.ts";

/** A report and the exit code that goes with it. */
export interface MonReport {
  readonly text: string;
  readonly exit: number;
}

/** Format that the options ask for. */
export function monFormat(parsed: ParsedWords): Format {
  if (parsed.has("as-xml")) return "xml";
  if (parsed.has("as-html") || parsed.has("web-cgi") || parsed.has("html-cgi")) return "html";
  return formatOf(parsed.value("output-as"));
}

/** Version of the layout: 1.1.12's, or today's. */
function isLegacy(parsed: ParsedWords): boolean {
  const layout = parsed.value("layout") ?? "3";
  if (/^1(\.\d+)*$/.test(layout)) return true;
  if (/^[23](\.\d+)*$/.test(layout)) return false;
  throw new HactlError({
    code: "USAGE",
    what: `--layout does not know ${layout}`,
    cure: "Write 1.1 or 3",
    exit: CrmExit.USAGE,
  });
}

/** Makes the report that the options ask for. */
export function monReport(input: StatusInput, parsed: ParsedWords, request: string): MonReport {
  // Also where it is shown once: what is no time is told.
  intervalMs(parsed);
  const cluster = shownCluster(input);
  // No place is for it in the documents that programs read.
  if (!["text", "console"].includes(monFormat(parsed))) tellHidden(judgedBy(input.hidden));
  if (parsed.has("simple-status")) {
    const { text, ok } = simpleStatus(input, cluster);
    return { text: `${text}\n`, exit: ok ? CrmExit.OK : CrmExit.ERROR };
  }
  const options = limitTo(monOptionsOf(parsed, monFormat(parsed)), cluster, parsed);
  return { text: formatReport({ input, cluster, options }, parsed, request), exit: CrmExit.OK };
}

function formatReport(view: MonView, parsed: ParsedWords, request: string): string {
  switch (monFormat(parsed)) {
    case "xml":
      return parsed.has("as-xml")
        ? oldDocument(monMessages(view))
        : documentText({ request, messages: monMessages(view), exit: CrmExit.OK });
    case "html": {
      const stylesheet = parsed.value("html-stylesheet");
      const sections = monMessages(view).flatMap(({ outline }) => outline?.() ?? []);
      return monHtml(sections, {
        title: parsed.value("html-title") ?? "Cluster Status",
        refresh: parsed.has("interval") || parsed.has("daemonize") ? Math.ceil(intervalMs(parsed) / 1000) : 0,
        cgi: parsed.has("web-cgi") || parsed.has("html-cgi"),
        ...(stylesheet === undefined ? {} : { stylesheet }),
      });
    }
    case "none":
      return "";
    default:
      if (isLegacy(parsed)) return legacyMonText(view.input, view.cluster, view.options);
      return reportText(monMessages(view), { quiet: false, fancy: true });
  }
}

/** The document of `-X`: resource agents older than 4.15 ask for it. */
function oldDocument(messages: readonly Message[]): string {
  const api = wantedApi();
  const sections = messages.flatMap(({ xml }) => xml?.(api) ?? []);
  return `<?xml version="1.0"?>\n${formatXml(element("crm_mon", { version: pacemakerVersion }, sections))}`;
}

/** A state to show, and what it is of unless it is the running cluster. */
export interface ShownStatus {
  readonly input: StatusInput;
  readonly name?: string;
}

/** Whether a state is that of a file: one that is named, or by the environment. */
export const isOfFile = (file: string | undefined): boolean =>
  file !== undefined || cibTarget().kind !== "live";

/** What a file shows. */
export async function fileStatus(file: string | undefined): Promise<ShownStatus> {
  const { cib, name, hidden = [] } = await loadCluster(file);
  const input = {
    ...fileStatusInput(cib, Math.floor(Date.now() / 1000), version, FEATURE_SET),
    ...(hidden.length > 0 && { hidden }),
  };
  return { input, ...(name === undefined ? {} : { name }) };
}

/** The state of the running cluster, or of what is named in its place. */
export const shownStatus = async (file?: string): Promise<ShownStatus> =>
  isOfFile(file) ? fileStatus(file) : { input: await runningStatus() };
