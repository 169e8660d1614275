import type { EpochSeconds, Millis } from "../terms/index.ts";

/** Something that alerts may be for (Pacemaker Explained, "Alert Filters"). */
export type AlertEvent =
  /** A node's ring is there or is not any more; a remote node is connected or is not. */
  | {
      readonly kind: "node";
      readonly node: string;
      /** Number of the node in the ring; 0 of a remote node, which has none. */
      readonly nodeId: number;
      readonly state: "member" | "lost";
    }
  /** Fencing or unfencing has ended. */
  | {
      readonly kind: "fencing";
      readonly node: string;
      readonly action: string;
      readonly ok: boolean;
      /** Who did it, and who asked for it. */
      readonly executor: string;
      readonly origin: string;
      readonly client: string;
      readonly reason: string;
      readonly id: string;
    }
  /** An operation has ended; a recurring one has another result than before, or was cancelled. */
  | {
      readonly kind: "resource";
      readonly node: string;
      readonly rsc: string;
      readonly action: string;
      readonly intervalMs: Millis;
      readonly rc: number;
      readonly expectedRc: number;
      readonly status: number;
      readonly execMs: Millis;
    }
  /** A transient attribute was written to the status section; without value: it is gone. */
  | {
      readonly kind: "attribute";
      readonly node: string;
      readonly nodeId: number;
      readonly name: string;
      readonly value: string | undefined;
    };

export type AlertKind = AlertEvent["kind"];

/** When it happened, and where that is on the clock of the place. */
export interface AlertTime {
  readonly epoch: EpochSeconds;
  /** Minutes that local time is ahead of UTC. */
  readonly offsetMinutes: number;
  /** Short name of the time zone, for `%Z`. */
  readonly zone: string;
}

/** One call of an alert agent. */
export interface AlertRun {
  /** Number of the call on this node, from 1 (`CRM_alert_node_sequence`). */
  readonly number: number;
  /** Id of the `<alert>`, and its recipient. */
  readonly alert: string;
  readonly recipient: string | undefined;
  readonly path: string;
  readonly timeoutMs: Millis;
  /** What is told to the agent, beside the environment that all programs have. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a call ended. */
export type AlertOutcome =
  | { readonly kind: "exited"; readonly code: number; readonly said: string }
  | { readonly kind: "signalled"; readonly signal: string }
  | { readonly kind: "late" }
  /** It could not be started at all. */
  | { readonly kind: "failed"; readonly why: string };
