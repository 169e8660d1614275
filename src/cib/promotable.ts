import { parseBoolean } from "./values.ts";
import { childrenOf, type XmlElement } from "./xml.ts";

/** `<master>`, a clone that says so, and a bundle with replicas to promote. @param find what an id-ref names */
export function isPromotable(resource: XmlElement, find?: (id: string) => XmlElement | undefined): boolean {
  const meant = (source: XmlElement) => find?.(source.attributes.get("id-ref") ?? "") ?? source;
  const says = (set: XmlElement) =>
    childrenOf(meant(set), "nvpair").some((pair) => {
      const { attributes } = meant(pair);
      return (
        (pair.attributes.get("name") ?? attributes.get("name")) === "promotable" &&
        parseBoolean(attributes.get("value")) === true
      );
    });
  const promotes = ({ attributes }: XmlElement) =>
    attributes.has("promoted-max") || attributes.has("masters");
  return (
    resource.name === "master" ||
    (resource.name === "clone" && childrenOf(resource, "meta_attributes").some(says)) ||
    (resource.name === "bundle" && resource.children.some(promotes))
  );
}
