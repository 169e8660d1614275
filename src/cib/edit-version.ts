import { CrmExit, HactlError } from "../terms/index.ts";
import { sameTree } from "./edit-tree.ts";
import type { CibOperation } from "./operations.ts";
import { schemaFor } from "./upgrade/upgrade.ts";
import { type CibVersion, compareCibVersions, formatVersion, versionOf } from "./version.ts";
import { child, cloneElement, type XmlElement } from "./xml.ts";

/** How many of the operations have changed what, those of the status since the last one of the configuration. */
export interface Steps {
  configuration: number;
  status: number;
  readonly take: (operation: CibOperation) => void;
}

/** Operations beyond which it is not worth the while to look at what each has done. */
const mostSteps = 50;

/** Pacemaker's tools change a file step by step; to a cluster the operations are one change. */
export function newSteps(draft: XmlElement, operations: readonly CibOperation[], live: boolean): Steps {
  if (live || operations.length < 2 || operations.length > mostSteps)
    return { configuration: 0, status: 0, take: () => {} };
  const part = (name: string) => {
    const found = child(draft, name);
    return found && cloneElement(found);
  };
  let configuration = part("configuration");
  let status = part("status");
  const steps: Steps = {
    configuration: 0,
    status: 0,
    take({ op }) {
      if (op === "bump" || !sameTree(configuration, child(draft, "configuration"))) {
        steps.configuration++;
        steps.status = 0;
        configuration = part("configuration");
      } else if (!sameTree(status, child(draft, "status"))) steps.status++;
      status = part("status");
    },
  };
  return steps;
}

/** The attributes of a changed `<cib>`, with its new version. `counts`: what was counted (`Steps`). */
export function nextVersion(
  before: XmlElement,
  after: XmlElement,
  counts: { readonly configuration: number; readonly status: number },
  keepSchema: boolean,
): Map<string, string> {
  const configurationChanged = counts.configuration > 0;
  const old = versionOf(before);
  // Whoever writes a newer version on purpose (a restored backup with a higher admin_epoch) gets it, and counts on.
  const given = versionOf(after);
  if (compareCibVersions([given[0], given[1], 0], [old[0], old[1], 0]) < 0) throw older(given, old);
  if (configurationChanged && given[1] >= Number.MAX_SAFE_INTEGER) throw versionsAtEnd(given);
  const attributes = new Map(after.attributes);
  if (configurationChanged && !keepSchema)
    attributes.set("validate-with", schemaFor(attributes.get("validate-with")));
  const changed = counts.status || (sameAttributes(before.attributes, attributes) ? 0 : 1);
  attributes.set("admin_epoch", String(given[0]));
  attributes.set("epoch", String(given[1] + counts.configuration));
  attributes.set("num_updates", String(configurationChanged ? counts.status : given[2] + changed));
  return attributes;
}

/** A version that no longer rises would let two different configurations pass for the same. */
function versionsAtEnd(version: CibVersion): HactlError {
  return new HactlError({
    code: "VERSION_LIMIT",
    what: `the version is ${formatVersion(version)}: its epoch cannot rise any more`,
    cure: "replace the configuration with one that has a higher admin_epoch and a small epoch",
    exit: CrmExit.DATAERR,
  });
}

const sameAttributes = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);

/** Refuses what would go back. */
export const older = (given: CibVersion, present: CibVersion) =>
  new HactlError({
    code: "OLD",
    what: `version ${formatVersion(given)} is older than the present ${formatVersion(present)}`,
    cure: "raise admin_epoch in the file to make it count",
    exit: CrmExit.OLD,
  });
