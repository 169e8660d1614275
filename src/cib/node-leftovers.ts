import type { XmlElement } from "./xml.ts";

/**
 * Rules that name a node (`#uname eq n1`), a sentence each: they stay when a node goes, since what they say of all others
 * may still be meant. @param nodes names and ids of the nodes
 */
export function rulesOfNode(configuration: XmlElement, nodes: ReadonlySet<string>): string[] {
  const remarks: string[] = [];
  const visit = (at: XmlElement, rule: string | undefined, holder: string | undefined): void => {
    const id = at.attributes.get("id");
    const inRule = at.name === "rule" ? (rule ?? id) : rule;
    const { attributes } = at;
    const value = attributes.get("value");
    const attribute = attributes.get("attribute") ?? "";
    if (at.name === "expression" && nodeAttributes.has(attribute) && value !== undefined && nodes.has(value))
      remarks.push(
        `rule ${inRule ?? ""} of ${holder ?? ""} still names node ${value}: ${attribute} ${attributes.get("operation") ?? ""} ${value}`,
      );
    for (const item of at.children) visit(item, inRule, inRule === undefined ? id : holder);
  };
  if (nodes.size > 0) for (const section of configuration.children) visit(section, undefined, undefined);
  return remarks;
}

/** Node attributes that every node has: its name and its id. */
const nodeAttributes: ReadonlySet<string> = new Set(["#uname", "#id"]);
