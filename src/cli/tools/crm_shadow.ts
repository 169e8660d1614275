import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { CibSession, shadowFile } from "./cib-session.ts";
import { askDaemon, asTool, line, usage, write } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "which", short: "w", description: "name of the active shadow" },
  { name: "display", short: "p", description: "print the active shadow" },
  { name: "diff", short: "d", description: "what it changes" },
  { name: "file", short: "F", description: "its file" },
  { name: "create", short: "c", value: "NAME", description: "make one of the cluster's configuration" },
  { name: "create-empty", short: "e", value: "NAME", description: "make an empty one" },
  {
    name: "commit",
    short: "C",
    value: "NAME",
    description: "put its configuration in place of the cluster's",
  },
  { name: "delete", short: "D", value: "NAME", description: "remove it (with --force)" },
  { name: "reset", short: "r", value: "NAME", description: "make it the cluster's configuration again" },
  { name: "switch", short: "s", value: "NAME", description: "how to make it the active one" },
  { name: "force", short: "f", description: "yes, I mean it" },
  { name: "batch", short: "b", description: "accepted: no shell is started" },
  { name: "all", short: "a", description: "accepted" },
  { name: "validate-with", short: "v", value: "SCHEMA", description: "accepted" },
  { name: "verbose", short: "V", description: "say more" },
];

/** crm_shadow(8): configurations to work on without touching the cluster (CIB_shadow, CIB_shadow_dir). */
export const run = (words: readonly string[]): Promise<number> =>
  asTool("crm_shadow", "Work on a copy of the configuration.", table, words, () =>
    work(parseWords("crm_shadow", table, words)),
  );

async function work(given: ParsedWords): Promise<number> {
  for (const command of ["create", "create-empty", "reset", "switch", "commit", "delete"] as const) {
    const name = given.value(command);
    if (name !== undefined) return named(command, name, given.has("force"));
  }
  const name = process.env.CIB_shadow;
  if (!name) throw failure("No active shadow configuration defined", CrmExit.NOSUCH);
  const file = shadowFile(name);
  if (given.has("which")) line(name);
  else if (given.has("file")) line(file);
  else if (given.has("display")) write(content(name));
  else if (given.has("diff")) return diff(name);
  else throw usage("crm_shadow", "what shall be done?");
  return CrmExit.OK;
}

async function named(
  command: "create" | "create-empty" | "reset" | "switch" | "commit" | "delete",
  name: string,
  force: boolean,
): Promise<number> {
  if (!/^[\w.-]+$/.test(name)) throw usage("crm_shadow", `"${name}" cannot be the name of a shadow`);
  const file = shadowFile(name);
  const unsafe = () =>
    failure("this replaces or removes a configuration: say it with --force", CrmExit.UNSAFE);
  switch (command) {
    case "create":
    case "create-empty":
      if (existsSync(file) && !force)
        throw failure(
          `A shadow instance '${name}' already exists. To continue, use --force`,
          CrmExit.CANTCREAT,
        );
      writeFileSync(file, command === "create" ? await live() : await empty(), { mode: 0o600 });
      return announce(name, "A new shadow instance was created.");
    case "reset":
      content(name);
      writeFileSync(file, await live(), { mode: 0o600 });
      return CrmExit.OK;
    case "switch":
      content(name);
      return announce(name, "");
    case "commit":
      if (!force) throw unsafe();
      return commit(name);
    case "delete":
      if (!force) throw unsafe();
      rmSync(file, { force: true });
      if (process.env.CIB_shadow === name) line("Now unset CIB_shadow in your shell:\n  unset CIB_shadow");
      return CrmExit.OK;
  }
}

function announce(name: string, what: string): number {
  line(
    `${what === "" ? "" : `${what} `}Use it by pasting this into your shell:\n  CIB_shadow=${name} ; export CIB_shadow`,
  );
  return CrmExit.OK;
}

const failure = (what: string, exit: CrmExit) => new HactlError({ code: "SHADOW", what, exit });

function content(name: string): string {
  try {
    return readFileSync(shadowFile(name), "utf8");
  } catch {
    throw failure(`Could not access shadow instance '${name}': No such file or directory`, CrmExit.NOSUCH);
  }
}

/** The cluster's CIB as text: CIB_file counts here, CIB_shadow does not. */
async function live(): Promise<string> {
  if (process.env.CIB_file) return readFileSync(process.env.CIB_file, "utf8");
  return askDaemon<string>({ type: "cib" });
}

async function empty(): Promise<string> {
  const { emptyCib } = await import("../../controller/index.ts");
  const { formatXml } = await import("../../cib/index.ts");
  return formatXml(emptyCib());
}

async function diff(name: string): Promise<number> {
  const { formatXml, parseXml } = await import("../../cib/index.ts");
  const { xmlDiff } = await import("./xml-diff.ts");
  const found = xmlDiff(parseXml(await live()), parseXml(content(name)), true);
  if (!found) return CrmExit.OK;
  line(formatXml(found).trimEnd());
  return CrmExit.ERROR;
}

async function commit(name: string): Promise<number> {
  const { formatXml, parseXml } = await import("../../cib/index.ts");
  const configuration = parseXml(content(name)).children.find((section) => section.name === "configuration");
  if (!configuration) throw failure(`shadow '${name}' has no <configuration>`, CrmExit.DATAERR);
  delete process.env.CIB_shadow;
  await CibSession.with((session) =>
    session.apply(
      [{ op: "replace", scope: "configuration", xml: formatXml(configuration, -1) }],
      "crm_shadow",
    ),
  );
  return CrmExit.OK;
}
