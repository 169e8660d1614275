import type { Millis, OpStatus } from "../terms/index.ts";

/** A program to start, before anybody has looked whether it is there. */
export interface Command {
  /** Absolute paths in the order to try; the first that exists is run. A bare name is searched in PATH. */
  readonly candidates: readonly string[];
  readonly args: readonly string[];
  /** The whole environment, nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * The resource whose secrets are meant by variables OCF_RESKEY_NAME that say `lrm://`: whoever runs the command puts
   * them in place. A command that may go without runs with those words.
   */
  readonly secrets?: { readonly rsc: string; readonly optional: boolean };
  /** How much of each output stream is kept, bytes. */
  readonly keepBytes: number;
  /**
   * Whether a forced end also takes processes that left the agent's session. Not for actions that bring a
   * service up: there they are the service, and a stop follows.
   */
  readonly killEscaped: boolean;
}

/** What became of a started command. Texts are cut at `keepBytes`: stdout keeps its head, stderr its tail. */
export type ProcessOutcome =
  | {
      readonly kind: "exited";
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | {
      readonly kind: "signalled";
      readonly signal: string;
      readonly stdout: string;
      readonly stderr: string;
    }
  /** None of the candidates exists. */
  | { readonly kind: "missing"; readonly searched: readonly string[] }
  /** It exists and cannot be run: no execute permission, or its interpreter is missing. */
  | {
      readonly kind: "refused";
      readonly path: string;
      readonly why: "not-executable" | "no-interpreter" | "no-program";
    }
  /** A secret that it needs is not on this host. */
  | { readonly kind: "no-secret"; readonly message: string }
  /** The machine has no room for a process now (EAGAIN, ENOMEM, EMFILE); worth another try. */
  | { readonly kind: "no-room"; readonly message: string };

/** How an operation ended, as the rules of its agent's standard say. */
export interface Verdict {
  readonly rc: number;
  readonly status: OpStatus;
  readonly exitReason: string;
  readonly stdout: string;
}

/** The next thing that an operation needs. */
export type Step =
  | { readonly do: "run"; readonly command: Command }
  | { readonly do: "wait"; readonly ms: Millis }
  | { readonly do: "finish"; readonly verdict: Verdict };

/**
 * The rules of one agent standard for one operation: asked first without an outcome, then with the outcome of
 * each run (without one again after a wait), until it finishes.
 */
export interface Procedure {
  next(outcome: ProcessOutcome | undefined): Step;
}

/** Output that is kept of an operation, bytes. */
export const KEEP_BYTES = 64 * 1024;
/** Output that is kept of a meta-data call, bytes: agents with hundreds of parameters exceed 64 KB. */
export const KEEP_METADATA_BYTES = 1024 * 1024;
