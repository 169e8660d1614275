import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { daemonNames, toolNames } from "../../terms/index.ts";

/** A version of the schemas that say what the XML of Pacemaker's tools looks like, such as 2.25. */
export interface ApiVersion {
  readonly text: string;
  /** Whether this is the given version or a later one. */
  atLeast(version: string): boolean;
}

/** The oldest and the newest version whose forms are known here: Pacemaker 2.1.5's and 3.0.2's. */
export const oldestApi = "2.25";
export const newestApi = "2.42";

function compare(a: string, b: string): number {
  const [left, right] = [a.split("."), b.split(".")];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = Number(left[at] ?? 0) - Number(right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param text a version; what is outside the known ones becomes the nearest of them */
export function apiVersion(text: string): ApiVersion {
  const within = compare(text, oldestApi) < 0 ? oldestApi : compare(text, newestApi) > 0 ? newestApi : text;
  return { text: within, atLeast: (version) => compare(within, version) >= 0 };
}

/** Where Pacemaker installs its schemas. */
const schemaDirectory = "/usr/share/pacemaker";

/**
 * Where the schemas lie that belong to a tool called like this: as Pacemaker's build lays it out, PREFIX/sbin/crm_mon
 * has them in PREFIX/share/pacemaker, so that /usr/sbin/crm_mon has those of the machine, and a tool in a folder of
 * its own is not held to those of another Pacemaker that is installed beside it. `hactl crm_mon` has the machine's.
 *
 * @param calledAs the word that it was called by, with its path where one was given, else as PATH finds it
 */
export function schemasOf(calledAs: string, path = process.env.PATH ?? ""): string {
  if (!isTool(basename(calledAs))) return schemaDirectory;
  const file = calledAs.includes("/") ? calledAs : Bun.which(calledAs, { PATH: path });
  if (file === null) return schemaDirectory;
  const folder = realFolder(dirname(file));
  const prefix = /^(.*)\/(?:s?bin|lib(?:exec|64)?\/pacemaker)$/.exec(folder)?.[1] ?? folder;
  return join(prefix || "/", "share/pacemaker");
}

const isTool = (name: string): boolean => [...toolNames, ...daemonNames].some((tool) => tool === name);

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The newest version of those whose schema is among the files. */
export function newestOf(files: readonly string[]): string | undefined {
  const versions = files.flatMap((file) => /^api-result-(\d+(?:\.\d+)*)\.rng$/.exec(file)?.[1] ?? []);
  return versions.sort(compare).at(-1);
}

/**
 * The version that answers are written for. Whoever checks an answer (pcs does) checks it against the schemas that
 * are installed with the tool, whatever version it names, so that the newest of those counts; where there are none, the
 * newest one known. PCMK_schema_directory names another place, HACTL_API_VERSION decides otherwise.
 */
export function wantedApi(
  env: Readonly<Record<string, string | undefined>> = process.env,
  calledAs = process.argv0,
): ApiVersion {
  if (env.HACTL_API_VERSION) return apiVersion(env.HACTL_API_VERSION);
  const schemas = env.PCMK_schema_directory || schemasOf(calledAs, env.PATH);
  return apiVersion(newestOf(filesIn(join(schemas, "api"))) ?? newestApi);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
