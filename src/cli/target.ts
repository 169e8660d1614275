import { CrmExit, HactlError } from "../terms/index.ts";

/**
 * What a command works on. By the environment, as Pacemaker's tools have it (crm_shadow(8), cibadmin(8)): the draft that
 * CIB_shadow names, else the file that CIB_file names, else the running cluster.
 */
export type CibTarget =
  | { readonly kind: "live" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "shadow"; readonly name: string; readonly path: string };

/** A target that is a file, whatever it is for. */
export type FileTarget = Exclude<CibTarget, { readonly kind: "live" }>;

/** The target of this process. @throws HactlError when a variable means something else than the running cluster, and not what */
export function cibTarget(): CibTarget {
  const name = process.env.CIB_shadow;
  return name ? { kind: "shadow", name, path: shadowPath(name) } : baseTarget();
}

/**
 * What lies under the drafts: where they are taken from and committed to.
 * @throws HactlError EMPTY_TARGET, OTHER_CLUSTER
 */
export function baseTarget(): CibTarget {
  const path = process.env.CIB_file;
  if (path) return { kind: "file", path };
  refuseUnclear();
  return { kind: "live" };
}

/** Whoever sets these does not mean the cluster of this node: it would be changed by what was to be a rehearsal. */
function refuseUnclear(): void {
  const { env } = process;
  const empty = ["CIB_file", "CIB_shadow"].find((name) => env[name] === "");
  if (empty !== undefined)
    throw new HactlError({
      code: "EMPTY_TARGET",
      what: `${empty} is set and names nothing: a script may have lost the name`,
      cure: `unset ${empty} to work on the cluster`,
      exit: CrmExit.NOSUCH,
    });
  const other = ["CIB_port", "CIB_server"].find((name) => env[name]);
  if (other !== undefined)
    throw new HactlError({
      code: "OTHER_CLUSTER",
      what: `${other}=${env[other]} means the cluster of another host, which hactl does not reach`,
      cure: `run the command there, or unset ${other} to work on the cluster of this node`,
      exit: CrmExit.UNIMPLEMENT_FEATURE,
    });
}

/** Where root keeps its drafts, as crm_shadow and the crm shell do. */
const sharedDirectory = "/var/lib/pacemaker/cib";

/** Directory of the drafts: CIB_shadow_dir; for root the one that all tools share; for others one of their own. */
export function shadowDirectory(): string {
  const named = process.env.CIB_shadow_dir;
  if (named) return named;
  if (process.getuid?.() === 0) return sharedDirectory;
  const home = process.env.HOME;
  return home?.startsWith("/") ? `${home}/.cib` : "/tmp";
}

/** File of a draft. */
export const shadowPath = (name: string): string => `${shadowDirectory()}/shadow.${name}`;

/** A target in a few words. */
export function targetText(target: CibTarget): string {
  switch (target.kind) {
    case "live":
      return "the running cluster";
    case "file":
      return `the file ${target.path} (CIB_file)`;
    case "shadow":
      return `the draft ${target.name} (CIB_shadow)`;
  }
}

let inHand: string | undefined;

/** From now on this file is what a script makes before it commits it, and nobody need be told so. */
export function takeInHand(path: string | undefined): void {
  inHand = path;
}

/** Whether a target is such a file. */
export const isInHand = (target: CibTarget): boolean => target.kind === "file" && target.path === inHand;

/** The variable by which a file is meant. */
export const variableOf = ({ kind }: CibTarget): string => (kind === "shadow" ? "CIB_shadow" : "CIB_file");

/** What a file cannot do: only the running cluster can, and it stays as it is. */
export const onlyLive = (target: CibTarget, what: string): HactlError =>
  new HactlError({
    code: "REHEARSAL",
    what: `${what} is for the running cluster; this works on ${targetText(target)}`,
    cure: `unset ${variableOf(target)} to work on the cluster`,
    exit: CrmExit.USAGE,
  });

/** Refuses what only the running cluster can do, where a file is meant. @param what the deed, as "fencing" */
export function requireLive(what: string, target: CibTarget = cibTarget()): void {
  if (target.kind !== "live") throw onlyLive(target, what);
}
