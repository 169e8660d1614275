import { child, element, upgradeCib, type XmlElement } from "../../../src/cib/index.ts";

/** Elements with sorted attributes, one a line: what two configurations are compared by. */
function lines(source: XmlElement, indent = ""): string[] {
  const attributes = [...source.attributes].sort().map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [
    `${indent}${source.name} ${attributes.join(" ")}`,
    ...source.children.flatMap((item) => lines(item, `${indent} `)),
  ];
}

/** Sections without their order, and without those that are empty; `arranged`: what else of a section has no order. */
export function comparable(
  cib: XmlElement,
  arranged: (section: XmlElement) => XmlElement = (section) => section,
): string[] {
  const configuration = child(upgradeCib(cib).root, "configuration") ?? element("configuration");
  const sections = configuration.children.filter(({ children }) => children.length > 0).map(arranged);
  return sections.sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((section) => lines(section));
}
