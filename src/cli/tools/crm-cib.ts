import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { shadowDirectory, shadowPath } from "../target.ts";
import { usage } from "./connection.ts";

/** What a command of the level `cib` comes to: words for crm_shadow, a draft to put in force, or lines to print. */
export type CibStep =
  | { readonly kind: "shadow"; readonly words: readonly string[]; readonly anyStatus?: boolean }
  | { readonly kind: "commit"; readonly draft: string; readonly force: boolean }
  | { readonly kind: "lines"; readonly lines: readonly string[] };

const shadow = (...words: readonly string[]): CibStep => ({ kind: "shadow", words: ["-b", ...words] });
const lines = (...text: readonly string[]): CibStep => ({ kind: "lines", lines: text });

/** Words of `cib new` that are no name. */
const options = new Set(["force", "--force", "withstatus", "empty"]);

/**
 * The crm shell's `cib` level (crm(8)): new, use, delete, reset, commit, diff, list, import. A draft is used by
 * CIB_shadow; since no command can set it for the shell that called, `use` says how.
 * @throws HactlError USAGE, and NOSUCH for a draft that is not there
 */
export function cibLevel(words: readonly string[], force: boolean): CibStep {
  const [command = "list", ...rest] = words;
  const [name] = rest.filter((word) => !options.has(word));
  const inUse = process.env.CIB_shadow;
  switch (command) {
    case "new": {
      const forced = force || rest.includes("force") || rest.includes("--force") ? ["--force"] : [];
      return shadow(rest.includes("empty") ? "-e" : "-c", required(name, "new"), ...forced);
    }
    case "use":
      return name === undefined || name === "live"
        ? lines("To work on the cluster, enter the following into your shell:", "\tunset CIB_shadow")
        : shadow("-s", name);
    case "delete":
      if (name !== undefined && name === inUse)
        throw new HactlError({
          code: "IN_USE",
          what: `the draft ${name} is in use`,
          cure: "unset CIB_shadow first",
          exit: CrmExit.ERROR,
        });
      existing(required(name, "delete"));
      return shadow("-D", required(name, "delete"), "--force");
    case "reset":
      existing(required(name, "reset"));
      return shadow("-r", required(name, "reset"), "--force");
    case "commit":
      return {
        kind: "commit",
        draft: required(name ?? inUse, "commit"),
        force: force || rest.includes("force") || rest.includes("--force"),
      };
    case "diff":
      return { kind: "shadow", words: ["-d"], anyStatus: true };
    case "list":
      return lines(...names());
    case "import":
      return imported(required(rest[0], "import"), rest[1]);
    default:
      throw usage("crm", "cib has new, use, commit, reset, diff, list, delete and import");
  }
}

function required(name: string | undefined, command: string): string {
  if (name) return name;
  throw usage("crm", `cib ${command} needs the name of a draft`);
}

/** Drafts that there are, in the order of their names. */
function names(): string[] {
  try {
    return readdirSync(shadowDirectory())
      .filter((name) => name.startsWith("shadow."))
      .map((name) => name.slice("shadow.".length))
      .sort();
  } catch {
    return [];
  }
}

function existing(name: string): void {
  if (existsSync(shadowPath(name))) return;
  throw new HactlError({
    code: "NO_SUCH_OBJECT",
    what: `there is no draft ${name}`,
    cure: "'crm cib list' shows those that there are",
    exit: CrmExit.NOSUCH,
  });
}

/** A file becomes a draft of its name. */
function imported(file: string, given: string | undefined): CibStep {
  const name = given ?? file.slice(file.lastIndexOf("/") + 1).replace(/\.bz2$/, "");
  mkdirSync(shadowDirectory(), { recursive: true, mode: 0o750 });
  copyFileSync(file, shadowPath(name));
  return shadow("-s", name);
}
