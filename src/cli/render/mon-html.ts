import { lookup } from "../../terms/index.ts";
import type { Outline } from "./outline.ts";

export interface HtmlOptions {
  readonly title?: string;
  readonly stylesheet?: string;
  /** Seconds after which a browser loads the page again; 0: never. */
  readonly refresh?: number;
  /** HTTP head for a CGI script. */
  readonly cgi?: boolean;
}

const style = `.bold { font-weight: bold }
.online { color: green }
.offline { color: red }
.standby { color: blue }
.rsc-failed { color: red }
.rsc-ok { color: green }
.warning { color: red; font-weight: bold }`;

const escapes: Readonly<Record<string, string>> = lookup({
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
});
const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (char) => escapes[char] ?? char);

/** A report as a page: a heading for each section, lists below. */
export function monHtml(sections: readonly Outline[], options: HtmlOptions = {}): string {
  const head = [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    `<title>${escapeHtml(options.title ?? "Cluster Status")}</title>`,
    '<meta charset="utf-8">',
    ...(options.refresh ? [`<meta http-equiv="refresh" content="${options.refresh}">`] : []),
    ...(options.stylesheet === undefined
      ? [`<style>${style}</style>`]
      : [`<link rel="stylesheet" href="${escapeHtml(options.stylesheet)}">`]),
    "</head>",
    "<body>",
  ];
  const body = sections.flatMap(({ text, children }) => [
    `<h2>${escapeHtml(withoutColon(text))}</h2>`,
    list(children ?? []),
  ]);
  const page = `${[...head, ...body, "</body>", "</html>"].join("\n")}\n`;
  return options.cgi ? `Content-Type: text/html\n\n${page}` : page;
}

const withoutColon = (text: string) => text.replace(/:$/, "");

function list(items: readonly Outline[]): string {
  const rows = items.map(({ text, children }) =>
    children === undefined
      ? `<li><span${classOf(text)}>${escapeHtml(text)}</span></li>`
      : `<li>\n<h3>${escapeHtml(withoutColon(text))}</h3>\n${list(children)}\n</li>`,
  );
  return `<ul>\n${rows.join("\n")}\n</ul>`;
}

/** Colour by what a line says. */
function classOf(text: string): string {
  if (/^(?:Remote|Guest)?Online: /.test(text) || /\bwith quorum$/.test(text)) return ' class="online"';
  if (/OFFLINE|UNCLEAN/.test(text)) return ' class="offline"';
  if (/\bFAILED\b|\breturned '|\bcould not be executed\b/.test(text)) return ' class="rsc-failed"';
  if (/WITHOUT quorum|DISABLED|Current DC: NONE|STONITH of failed nodes disabled/.test(text))
    return ' class="warning"';
  if (/\bstandby\b/.test(text)) return ' class="standby"';
  return /\t (?:Started|Promoted|Unpromoted)\b/.test(text) ? ' class="rsc-ok"' : "";
}
