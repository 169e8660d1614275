import type { AttributeSnapshot, AttributeUpdate } from "../attributes/index.ts";
import type { CibOperation } from "../cib/index.ts";
import type { Operation, OperationResult } from "../executor/index.ts";
import type { MaintenanceChange } from "../scheduler/index.ts";
import type { EpochSeconds, NodeId, NodeName, ResourceId } from "../terms/index.ts";
import type { CibVersion, Summary } from "./join.ts";

/** State of a node's executor: what a node brings along when it joins or when its executor came back. */
export interface ExecutorHistory {
  readonly results: readonly OperationResult[];
  /** Sent but not answered. */
  readonly running: readonly Operation[];
}

/** An operation that the leader gives out, with the node that it is for. */
export interface Dispatch {
  /** Where the resource is: a cluster node, or a remote node. */
  readonly node: NodeName;
  /** The cluster node that carries it out. */
  readonly executor: NodeName;
  readonly operation: Operation;
}

/** The whole replicated state, for a node that lacks it. */
export interface Snapshot {
  readonly cib: string;
  readonly attributes: AttributeSnapshot;
  /** What it was built on, where something newer was lost. */
  readonly fallback?: CibVersion;
}

/** What managers say to each other, in the ring's order. */
export type ClusterMessage =
  /** Answer of every participant to a change of the membership. `membership` names the change. */
  | {
      readonly type: "summary";
      readonly membership: string;
      readonly summary: Summary;
      readonly history: ExecutorHistory;
      readonly attributes: readonly AttributeUpdate[];
    }
  | { readonly type: "snapshot"; readonly membership: string; readonly snapshot: Snapshot }
  | {
      readonly type: "cib";
      readonly request: string;
      readonly operations: readonly CibOperation[];
      readonly client: string;
      readonly at: EpochSeconds;
    }
  | {
      readonly type: "actions";
      readonly transition: string;
      readonly dispatches: readonly Dispatch[];
      readonly at: EpochSeconds;
    }
  | { readonly type: "results"; readonly node: NodeName; readonly results: readonly OperationResult[] }
  /** An executor came back without its past, or a remote node was connected. */
  | { readonly type: "history"; readonly node: NodeName; readonly history: ExecutorHistory }
  | {
      readonly type: "attributes";
      readonly updates: readonly AttributeUpdate[];
      readonly request?: string;
      /** Transition key of the action that this carries out. */
      readonly completes?: string;
      /** The last failure of a resource is no longer remembered, either. */
      readonly forgetFailure?: { readonly node: NodeName; readonly rsc: string };
    }
  | { readonly type: "flush"; readonly name: string }
  | { readonly type: "fencer"; readonly body: unknown }
  /** A node wants to leave; its resources are stopped or moved first. */
  | { readonly type: "shutdown"; readonly node: NodeName; readonly at: EpochSeconds }
  /** Nothing of the cluster runs there any more: it may go. */
  | { readonly type: "release"; readonly node: NodeName; readonly completes?: string }
  /** Remote and guest nodes go into maintenance or come out of it. */
  | {
      readonly type: "maintenance";
      readonly changes: readonly MaintenanceChange[];
      readonly completes: string;
    }
  /** A node's manager has been missing for too long although its ring is there. */
  | { readonly type: "manager-lost"; readonly node: NodeName }
  /** Somebody waits until the leader has nothing to do; it answers with `idle`. */
  | { readonly type: "when-idle"; readonly request: string }
  | { readonly type: "idle"; readonly requests: readonly string[] }
  | { readonly type: "remote"; readonly node: NodeName; readonly up: boolean }
  | {
      readonly type: "forget";
      readonly rsc?: ResourceId;
      readonly node?: NodeName;
      /** Only histories with failures, and the fail counts (`crm_resource --cleanup`). */
      readonly failuresOnly: boolean;
      readonly request?: string;
      readonly completes?: string;
    };

/** Version of the messages, the first byte of each. */
export const MESSAGE_VERSION = 1;

/** One byte of version, then the message as JSON. */
export function encodeMessage(message: ClusterMessage): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = MESSAGE_VERSION;
  bytes.set(body, 1);
  return bytes;
}

/** The actions of a transition that a message carries out. */
export function transitionKeys(message: ClusterMessage): string[] {
  if (message.type === "actions") return message.dispatches.map(({ operation }) => operation.transitionKey);
  return "completes" in message && message.completes !== undefined ? [message.completes] : [];
}

/** Names a membership: the ring, and which managers take part in it. */
export function membershipKey(
  ring: { readonly representative: NodeId; readonly sequence: number },
  participants: readonly { readonly nodeId: NodeId; readonly incarnation: number }[],
): string {
  const who = participants.map(({ nodeId, incarnation }) => `${nodeId}=${incarnation}`).sort();
  return `${ring.representative}.${ring.sequence}/${who.join(",")}`;
}
