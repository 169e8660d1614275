import type { NodeName } from "../terms/index.ts";
import type { AgentKind } from "./face.ts";

/** A fence device: a primitive of class `stonith`, or one that was registered. */
export interface FenceDevice {
  readonly id: string;
  readonly kind: AgentKind;
  /** `fence_ipmilan`, or `external/ipmi`. */
  readonly agent: string;
  readonly params: ReadonlyMap<string, string>;
  /** Why it is not used, when it is not. */
  readonly disabled: string | undefined;
  /** `provides=unfencing`. */
  readonly unfencing: boolean;
  /** Score of its location constraints on a node; −INFINITY where it may not run. */
  readonly scoreOn: (node: NodeName) => number;
  /** Nodes on which it was registered, and from which alone it is used; one of the configuration has none. */
  readonly registeredOn?: readonly NodeName[];
}
