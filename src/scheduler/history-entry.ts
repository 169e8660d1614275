import type { XmlElement } from "../cib/index.ts";
import type { Node, OnFail, Resource } from "./model.ts";

/** What the entries of one resource on one node have led to so far. */
export interface HistoryState {
  onFail: OnFail;
  lastFailure: XmlElement | undefined;
  /** The failure by which the node is left out. */
  leftOutBy: XmlElement | undefined;
}

/** One entry while it is interpreted. */
export interface HistoryEntry {
  readonly rsc: Resource;
  readonly node: Node;
  readonly xml: XmlElement;
  readonly task: string;
  readonly intervalMs: number;
  readonly key: string;
  readonly expected: number;
  status: number;
  rc: number;
}
