import { readdirSync } from "node:fs";

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

/** Where Pacemaker installs its schemas, unless PCMK_schema_directory names another place. */
const schemaDirectory = "/usr/share/pacemaker";

/** The newest version of those whose schema is among the files. */
export function newestOf(files: readonly string[]): string | undefined {
  const versions = files.flatMap((file) => /^api-result-(\d+(?:\.\d+)*)\.rng$/.exec(file)?.[1] ?? []);
  return versions.sort(compare).at(-1);
}

/**
 * The version that answers are written for. Whoever checks an answer (pcs does) checks it against the schemas that
 * are installed, whatever version it names, so that the newest installed one counts; where there are none, the newest
 * one known. HACTL_API_VERSION decides otherwise.
 */
export function wantedApi(env: Readonly<Record<string, string | undefined>> = process.env): ApiVersion {
  if (env.HACTL_API_VERSION) return apiVersion(env.HACTL_API_VERSION);
  return apiVersion(newestOf(filesIn(`${env.PCMK_schema_directory || schemaDirectory}/api`)) ?? newestApi);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
