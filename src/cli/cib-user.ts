import type { Asker, ChangeFor, XmlElement } from "../cib/index.ts";

/**
 * The user in whose name a tool works on a file (`CIB_user`, as Pacemaker's tools know it): the access rules in the file
 * count for that user. Whoever may write the file can do without; it keeps programs that act for others, as pcsd does,
 * within their rights. The daemon takes it from root and hacluster alone.
 */
async function fileAskers(): Promise<readonly Asker[]> {
  const user = process.env.CIB_user ?? "";
  if (user === "" || user === "root" || user === "hacluster") return [];
  const { Accounts } = await import("../platform/index.ts");
  return [{ user, groups: await new Accounts().groupsOf(user, []) }];
}

/** For whom a file is changed. */
export const fileChangeFor = async (): Promise<ChangeFor> => ({
  askers: await fileAskers(),
  now: Math.floor(Date.now() / 1000),
});

/** What of a file may be seen. Throws HactlError `PERMISSION` when nothing may be. */
export async function visibleInFile(cib: XmlElement): Promise<XmlElement> {
  const { askers, now } = await fileChangeFor();
  if (askers.length === 0) return cib;
  const { Rights } = await import("../cib/index.ts");
  return Rights.of(cib, askers, now)?.see(cib) ?? cib;
}
