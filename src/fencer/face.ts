import type { Millis, NodeName } from "../terms/index.ts";

export type FenceAction = "off" | "reboot" | "on";

/** A request to fence, from the controller (a decision of the scheduler), an administrator or an agent. */
export interface FenceRequest {
  readonly id: string;
  readonly target: NodeName;
  readonly action: FenceAction;
  /** Whole time for all devices and levels. */
  readonly timeoutMs: Millis;
  /** Extra delay before the first device (priority-fencing-delay); −1 switches every delay off. */
  readonly delayMs: Millis;
  /** Node and client that asked, for the history. */
  readonly origin: NodeName;
  readonly client: string;
  readonly reason: string;
}

/** How it ended. Only `ok: true` is evidence that the target is off or was reset. */
export interface FenceResult {
  readonly id: string;
  readonly target: NodeName;
  readonly action: FenceAction;
  readonly ok: boolean;
  /** Node that ran the successful device, or the last one that tried. */
  readonly executor: NodeName;
  /** Devices that did it. */
  readonly devices: readonly string[];
  readonly reason: string;
  readonly client: string;
  readonly origin: NodeName;
  /** Wall clock, seconds, when it ended; for the history. */
  readonly completedAt: number;
}
