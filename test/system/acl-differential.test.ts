import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  applyOperations,
  type CibOperation,
  formatXml,
  parseXml,
  queryCib,
  Rights,
} from "../../src/cib/index.ts";
import { HactlError } from "../../src/terms/index.ts";
import { at, document, permitted, requests, user } from "../cib/acl-cases.ts";

/**
 * The same users ask the same of the same file, through Pacemaker's own cibadmin (Debian: pacemaker-cli-utils) and
 * through our rules. Users of groups are left out: cibadmin takes groups from this machine.
 */

const cibadmin = "/usr/sbin/cibadmin";
const text = formatXml(document()).replace('validate-with="', 'crm_feature_set="3.16.1" validate-with="');
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-acl-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What a document says, but for how often it was written. */
const said = (cib: ReturnType<typeof parseXml>) =>
  formatXml(cib).replace(/ (?:epoch|num_updates|cib-last-written|update-\w+)="[^"]*"/g, "");
const unchanged = said(parseXml(text));

async function pacemaker(name: string, words: readonly string[]) {
  const file = join(directory, "cib.xml");
  writeFileSync(file, text);
  const env = { PATH: "/usr/sbin:/usr/bin:/bin", CIB_file: file, CIB_user: name };
  const ran = Bun.spawn([cibadmin, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, code] = await Promise.all([new Response(ran.stdout).text(), ran.exited]);
  const done = code === 0 && (words[0] === "-B" || said(parseXml(readFileSync(file, "utf8"))) !== unchanged);
  return { stdout, denied: code === 4, done };
}

/** Whether it was done. What is hidden is not found: then nothing was done, either. */
function ours(name: string, operation: CibOperation): boolean {
  try {
    const { cib } = applyOperations(parseXml(text), [operation], { askers: [user(name)], now: at });
    return operation.op === "bump" || said(cib) !== unchanged;
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    return false;
  }
}

function wordsOf(operation: CibOperation): string[] {
  const letter = {
    create: "-C",
    modify: "-M",
    replace: "-R",
    delete: "-D",
    erase: "-E",
    bump: "-B",
  } as const;
  if (operation.op === "patch" || operation.op === "require" || operation.op === "accept")
    throw new Error("cibadmin has no such words");
  if (operation.op === "erase" || operation.op === "bump") return [letter[operation.op], "--force"];
  const { op, scope, xml, xpath } = operation;
  return [
    letter[op],
    ...(scope === undefined ? [] : ["-o", scope]),
    ...(xpath === undefined ? [] : ["--xpath", xpath]),
    ...(xml === undefined ? [] : ["-X", xml]),
    ...(scope === undefined && xpath === undefined && xml !== undefined ? sectionFor(xml) : []),
  ];
}

/** cibadmin wants to be told where something new belongs. */
function sectionFor(xml: string): string[] {
  const section = {
    primitive: "resources",
    rsc_location: "constraints",
    rsc_order: "constraints",
    acl_target: "acls",
  };
  const name = /^<(\w+)/.exec(xml)?.[1] ?? "";
  return name in section ? ["-o", section[name as keyof typeof section]] : [];
}

const names = permitted.flatMap(([, asker]) => (asker.groups.length === 0 ? [asker.user] : []));

/**
 * Where Pacemaker permits more than its documentation says, and we do not: a rule to read within what may be written counts
 * for nothing there; what holds something that is denied can be removed as a whole; a rule that cannot be read is passed
 * over; who may change an element may turn it into one that he may not change.
 */
const stricter: Readonly<Record<string, readonly string[]>> = {
  "make oneself administrator": ["olga"],
  "erase everything": ["olga"],
};

describe.each(Object.entries(requests))("%s", (request, operation) => {
  test.each(names)("by %s is permitted as by Pacemaker", async (name) => {
    const { done } = await pacemaker(name, wordsOf(operation));
    if (stricter[request]?.includes(name) || name === "quentin") {
      expect({ done, ours: ours(name, operation) }).toEqual({ done: true, ours: false });
    } else expect(ours(name, operation)).toBe(done);
  });
});

describe("what is read", () => {
  test.each(names.filter((name) => name !== "quentin"))("by %s is what Pacemaker shows", async (name) => {
    const { stdout, denied } = await pacemaker(name, ["-Q"]);
    const visible = Rights.of(parseXml(text), [user(name)], at)?.look(parseXml(text)).visible;
    expect(visible === undefined).toBe(denied);
    if (!visible) return;
    const shown = parseXml(stdout);
    // The version is always shown here.
    if (shown.attributes.size === 0)
      for (const name of ["admin_epoch", "epoch", "num_updates"]) visible.attributes.delete(name);
    expect(formatXml(visible)).toBe(formatXml(shown));
  });

  test.each(names.filter((name) => name !== "quentin"))("of a section by %s, too", async (name) => {
    const { stdout, denied } = await pacemaker(name, ["-Q", "-o", "resources"]);
    const visible = Rights.of(parseXml(text), [user(name)], at)?.look(parseXml(text)).visible;
    const found = visible && visibleSection(visible);
    expect(found ?? "").toBe(denied || stdout === "" ? "" : formatXml(parseXml(stdout)));
  });
});

function visibleSection(cib: ReturnType<typeof parseXml>): string | undefined {
  try {
    return formatXml(queryCib(cib, { scope: "resources" })[0] ?? cib);
  } catch {
    return undefined;
  }
}
