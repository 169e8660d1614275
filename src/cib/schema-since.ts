import { lookup } from "../terms/index.ts";
import { compareVersions } from "./values.ts";
import type { XmlElement } from "./xml.ts";

/** Elements that came with a later schema than the first of the form that we know (Pacemaker's schemas). */
const since: Readonly<Record<string, string>> = lookup({
  tags: "pacemaker-1.3",
  acl_target: "pacemaker-2.0",
  acl_group: "pacemaker-2.0",
  acl_permission: "pacemaker-2.0",
  alerts: "pacemaker-2.5",
  bundle: "pacemaker-2.8",
  select: "pacemaker-2.10",
  podman: "pacemaker-3.2",
});

/** Attributes that name a role. */
const roleNames = ["role", "rsc-role", "with-rsc-role"];
/** Roles have their present names since this schema. */
const rolesSince = "pacemaker-3.7";

/** What a configuration has that the schema which it names did not know yet: the first such thing, in words. */
export function newerThanSchema(configuration: XmlElement, schema: string): string | undefined {
  const knows = (needed: string) => !schema.startsWith("pacemaker-") || compareVersions(schema, needed) >= 0;
  const visit = (item: XmlElement): string | undefined => {
    const needed = since[item.name];
    if (needed !== undefined && !knows(needed)) return `<${item.name}> came with ${needed}`;
    for (const name of roleNames) {
      const role = item.attributes.get(name);
      if ((role === "Promoted" || role === "Unpromoted") && !knows(rolesSince))
        return `the role ${role} came with ${rolesSince}`;
    }
    for (const inner of item.children) {
      const found = visit(inner);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return visit(configuration);
}
