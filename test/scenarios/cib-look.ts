import { selectXpath, type XmlElement } from "../../src/cib/index.ts";

/** Values of an attribute of all elements that an XPath finds. */
export const attributesOf = (cib: XmlElement, xpath: string, attribute: string): string[] =>
  selectXpath(cib, xpath).map(({ element }) => element.attributes.get(attribute) ?? "");

/** Names and values of the nvpairs below what an XPath finds. */
export const valuesOf = (cib: XmlElement, xpath: string): Map<string, string> =>
  new Map(
    selectXpath(cib, `${xpath}//nvpair`).map(({ element }) => [
      element.attributes.get("name") ?? "",
      element.attributes.get("value") ?? "",
    ]),
  );

/** The properties of the cluster. */
export const propertiesOf = (cib: XmlElement): Map<string, string> => valuesOf(cib, "//crm_config");
