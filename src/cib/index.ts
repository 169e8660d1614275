/** The configuration and status model: XML both ways, crm text, versions, rules. */
export { child, childrenOf, element, formatXml, parseXml, type XmlElement } from "./xml.ts";
