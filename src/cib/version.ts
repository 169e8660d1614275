import { createHash } from "node:crypto";
import { parseInteger } from "./values.ts";
import type { XmlElement } from "./xml.ts";

/** Version of a CIB, compared from the left. */
export type CibVersion = readonly [adminEpoch: number, epoch: number, numUpdates: number];

/** Version of a document; what is missing or no number counts as 0. */
export function versionOf(cib: XmlElement): CibVersion {
  const part = (name: string) => Math.max(0, parseInteger(cib.attributes.get(name)) ?? 0);
  return [part("admin_epoch"), part("epoch"), part("num_updates")];
}

/** Negative when `a` is older than `b`, 0 when they are the same, positive when it is newer. */
export function compareCibVersions(a: CibVersion, b: CibVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** `admin_epoch.epoch.num_updates`. */
export const formatVersion = (version: CibVersion) => version.join(".");

/** Attributes of `<cib>` that say when and by whom it was written, not what it says. */
const volatile = new Set([
  "num_updates",
  "cib-last-written",
  "update-origin",
  "update-client",
  "update-user",
  "have-quorum",
  "dc-uuid",
  "crm_feature_set",
  "execution-date",
]);

/**
 * SHA-256 (hex) over what a configuration says: elements in their order, attributes sorted, no blanks between,
 * neither status nor what is written about the writing. Equal documents have equal digests on every node.
 */
export function cibDigest(cib: XmlElement): string {
  const hash = createHash("sha256");
  const visit = (source: XmlElement, top: boolean) => {
    const names = [...source.attributes.keys()].filter((name) => !top || !volatile.has(name)).sort();
    hash.update(`(${source.name}`);
    for (const name of names) hash.update(`\0${name}\0${source.attributes.get(name)}`);
    if (source.text !== undefined) hash.update(`\x01${source.text}`);
    for (const item of source.children) if (!top || item.name !== "status") visit(item, false);
    hash.update(")");
  };
  visit(cib, true);
  return hash.digest("hex");
}

/**
 * What the cluster itself writes into `<cib>`: whoever sends a whole document back sends it along, maybe out of date.
 * It stays as it is; only a version that is raised on purpose counts as asked for.
 */
const ownMarks = [
  "num_updates",
  "crm_feature_set",
  "cib-last-written",
  "update-origin",
  "update-client",
  "update-user",
  "have-quorum",
  "dc-uuid",
];

/** The attributes of a changed `<cib>` with the cluster's own as they were before. */
export function withoutOwnMarks(cib: XmlElement, draft: XmlElement): Map<string, string> {
  const attributes = new Map(draft.attributes);
  const [adminEpoch, epoch] = versionOf(cib);
  const [draftAdmin, draftEpoch] = versionOf(draft);
  const kept =
    compareCibVersions([draftAdmin, draftEpoch, 0], [adminEpoch, epoch, 0]) > 0
      ? ownMarks
      : [...ownMarks, "admin_epoch", "epoch"];
  for (const name of kept) {
    const value = cib.attributes.get(name);
    if (value === undefined) attributes.delete(name);
    else attributes.set(name, value);
  }
  return attributes;
}
