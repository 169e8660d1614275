import { element, type XmlElement } from "../xml.ts";

/** Section of the configuration that an object belongs to. */
export type Section =
  | "crm_config"
  | "nodes"
  | "resources"
  | "constraints"
  | "fencing-topology"
  | "rsc_defaults"
  | "op_defaults"
  | "tags"
  | "acls"
  | "alerts";

/**
 * What a statement defines. Elements may lack ids (see `assignIds`); resources that a container holds stand as
 * `crm:member` with their id in it until they are put in place.
 */
export interface CrmObject {
  readonly keyword: string;
  readonly line: number;
  readonly section: Section;
  readonly element: XmlElement;
  /** Options whose set has no id in the text: they belong to the set that there is. */
  readonly anySet?: boolean;
}

/** Name of the placeholder for a resource in a container. */
export const memberName = "crm:member";

/** Place of a resource that is defined elsewhere. */
export const member = (id: string) => element(memberName, { id });

/** An operation that the statement `monitor` adds to a resource. */
export interface AddedOperation {
  readonly line: number;
  readonly rsc: string;
  readonly operation: XmlElement;
}

/** Levels without a target hold for every node of the cluster; they are written out when the nodes are known. */
export const everyNode = "crm:every-node";
