import { CrmExit, type EpochSeconds, HactlError } from "../../terms/index.ts";
import type { XmlElement } from "../xml.ts";
import { namesElements } from "../xpath.ts";
import { checkChange } from "./change.ts";
import { markTree } from "./marks.ts";
import { type Asker, aclsEnabled, type Permission, permissionsOf, permissionsOfHost } from "./permissions.ts";
import { hiddenSections, look, type Sight } from "./sight.ts";
import { uncovers } from "./uncovered.ts";

/**
 * What some askers may see and change: only what each of them may. The rules are those of the document at the time;
 * a change of them counts for what is asked next.
 */
export class Rights {
  private constructor(
    private readonly askers: readonly {
      readonly user: string;
      readonly permissions: readonly Permission[];
    }[],
  ) {}

  /** Undefined when nothing limits them: no askers, or access rules are not in force and no host asks. */
  static of(cib: XmlElement, askers: readonly Asker[], now: EpochSeconds): Rights | undefined {
    if (askers.length === 0) return undefined;
    if (!aclsEnabled(cib, now)) {
      const hosts = askers.filter(({ host }) => host === true);
      if (hosts.length === 0) return undefined;
      return new Rights(hosts.map(({ user }) => ({ user, permissions: permissionsOfHost(user) })));
    }
    return new Rights(askers.map((asker) => ({ user: asker.user, permissions: permissionsOf(cib, asker) })));
  }

  /** What they see of the document: only what each of them may read. */
  look(cib: XmlElement): Sight {
    return look(
      cib,
      this.askers.map(({ permissions }) => markTree(cib, permissions)),
    );
  }

  /** A copy of the document without what is hidden. Throws HactlError `PERMISSION` when nothing is left. */
  see(cib: XmlElement): XmlElement {
    const { visible } = this.look(cib);
    if (visible !== undefined) return visible;
    throw new HactlError({
      code: "PERMISSION",
      what: `nothing of the CIB may be read by user ${this.user}`,
      cure: "an administrator can permit it with a role for this user in <acls>",
      exit: CrmExit.INSUFFICIENT_PRIV,
    });
  }

  /** Names of the sections of the document in which something is hidden. */
  hiddenSections(cib: XmlElement): string[] {
    return hiddenSections(cib, this.look(cib));
  }

  /** Whether nothing of the document is hidden. */
  seesAll(cib: XmlElement): boolean {
    return this.askers.every(({ permissions }) => {
      const marks = markTree(cib, permissions);
      return (marks.get(cib) ?? "none") !== "none" && ![...marks.values()].includes("none");
    });
  }

  /** Throws HactlError `PERMISSION` when what has become of the document was not theirs to change. */
  check(before: XmlElement, after: XmlElement): void {
    for (const { user, permissions } of this.askers) {
      const marksBefore = markTree(before, permissions);
      const marksAfter = markTree(after, permissions);
      const marksOfNew = markTree(after, permissions.filter(isForNew));
      checkChange({ before, after, marksBefore, marksAfter, marksOfNew }, user);
      if (uncovers(before, after, marksBefore, marksAfter)) throw this.refusal();
    }
  }

  /** For who says something of what is hidden. */
  refusal(): HactlError {
    return new HactlError({
      code: "PERMISSION",
      what: `user ${this.user} may not change what the access rules hide from ${this.user}`,
      cure: "an administrator can permit it with a role for this user in <acls>",
      exit: CrmExit.INSUFFICIENT_PRIV,
    });
  }

  /** Who asks, for people. */
  get user(): string {
    return this.askers.map(({ user }) => user).join(" on ");
  }
}

/**
 * Whether a rule counts for what is new. One that permits whatever has an id, or is at a place, would permit to make
 * anything of it, `enable-acl` too: there what is around has to be permitted.
 */
const isForNew = ({ kind, xpath }: Permission): boolean => kind !== "write" || namesThem(xpath);

function namesThem(xpath: string): boolean {
  try {
    return namesElements(xpath);
  } catch (error) {
    if (error instanceof HactlError) return false;
    throw error;
  }
}
