import type { XmlElement } from "../cib/index.ts";
import type { EpochSeconds, HactlError, Millis, NodeName } from "../terms/index.ts";
import type { AgentMetadata } from "./metadata.ts";

export type FenceAction = "off" | "reboot" | "on";

/** A request to fence, from the controller (a decision of the scheduler), an administrator or an agent. */
export interface FenceRequest {
  readonly id: string;
  readonly target: NodeName;
  readonly action: FenceAction;
  /**
   * Time for one device that sets none of its own (`stonith-timeout`); 0 takes it from the configuration. The whole
   * request may take as long as all devices of all levels together and a fifth more, so that a last level is
   * never starved by those before it; a result always comes.
   */
  readonly timeoutMs: Millis;
  /** Extra delay before the first device (priority-fencing-delay); −1 switches every delay off. */
  readonly delayMs: Millis;
  /** Node and client that asked, for the history. */
  readonly origin: NodeName;
  readonly client: string;
  readonly reason: string;
  /** The ring in which it was asked for. */
  readonly ring?: string;
}

/**
 * What was done to the target: `reset` (the agent's reboot), `off`, `off-on` (reboot by several devices, or
 * remapped), `on`, `kdump` (it said itself that it runs its crash kernel), `confirmed` (a person answers for it).
 */
export type FenceDeed = "reset" | "off" | "off-on" | "on" | "kdump" | "confirmed" | "none";

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
  readonly deed: FenceDeed;
  /** Failures of this target in a row, this one included; 0 after a success. */
  readonly failures: number;
  /** `failures` has reached `stonith-max-attempts`: ask again only at the next recheck or event. */
  readonly exhausted: boolean;
  /** It failed although no device was used: there is none for the target, or no node could run one. */
  readonly untried?: boolean;
}

/** How one run of an agent ended. Exactly what was seen; the core decides what it means. */
export interface AgentOutcome {
  /** Exit status; null when it was killed or never ran. */
  readonly exit: number | null;
  readonly timedOut: boolean;
  /** Bounded by the driver. */
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not be run at all. */
  readonly error?: string;
  /** That is so because a secret among its parameters is not on this node. */
  readonly lacksSecret?: boolean;
}

/** Kind of program behind a device: on stdin (fence agents), in argv and environment (cluster-glue), or hactl itself. */
export type AgentKind = "fence-agent" | "external" | "kdump";

/** A device that was registered with the fencer of a node, and is in no configuration. */
export interface RegisteredDevice {
  readonly id: string;
  readonly agent: string;
  readonly params: Readonly<Record<string, string>>;
}

/** A level that was registered so. */
export interface RegisteredLevel {
  /** NAME, `@PATTERN` or ATTRIBUTE=VALUE. */
  readonly target: string;
  readonly index: number;
  readonly devices: readonly string[];
}

/** All that is registered on one node. */
export interface Registered {
  readonly devices: readonly RegisteredDevice[];
  readonly levels: readonly RegisteredLevel[];
}

/** What is to be registered, or taken back. To an existing level devices are added; index 0 takes back all of a target. */
export type Registration =
  | { readonly what: "device"; readonly device: RegisteredDevice }
  | { readonly what: "no-device"; readonly id: string }
  | { readonly what: "level"; readonly level: RegisteredLevel }
  | { readonly what: "no-level"; readonly target: string; readonly index: number };

/** One run of an agent. */
export interface AgentRun {
  /** Names the run; the outcome carries it back. */
  readonly run: string;
  readonly device: string;
  readonly kind: AgentKind;
  /** `fence_ipmilan`, or `ipmi` for a plugin `external/ipmi`. */
  readonly agent: string;
  /** After pcmk_<action>_action: what the agent is told. */
  readonly action: string;
  /** Node, for actions that concern one. */
  readonly target?: NodeName;
  /** How the device names the node. */
  readonly port?: string;
  /** For fence agents every line of stdin, `action` and the host argument included; for plugins the environment. */
  readonly params: Readonly<Record<string, string>>;
  readonly timeoutMs: Millis;
  /** For an agent that acts: what whoever comes after this manager has to know of it. */
  readonly kept?: KeptRun;
}

/** An order whose agent acts. It may outlive the manager that ran it, and its success is evidence all the same. */
export interface KeptRun {
  readonly order: ExecuteOrder;
  /** What the agent does to the target. */
  readonly deed: FenceDeed;
  /** This run is one of them. */
  readonly triesLeft: number;
  readonly ring: string;
}

/** A run that the manager before this one has begun. */
export interface LeftRun extends KeptRun {
  /** Names it; it is not the name of any run of this manager. */
  readonly run: string;
}

/** Nodes whose managers take part, and who leads them. */
export interface FencerMembership {
  readonly members: readonly NodeName[];
  readonly leader: NodeName | undefined;
  /** Nodes that are still there while their managers are started anew: what they were at may go on. */
  readonly coming?: readonly NodeName[];
  /** Names the ring: while it is the same, no node has come or gone. */
  readonly ring?: string;
  /** Nodes in the ring, also those whose managers are gone: whoever is there has not been switched off. Default: those above. */
  readonly inRing?: readonly NodeName[];
  /** The boot in which each member runs (random(4), boot_id), as far as it has told. */
  readonly boots?: ReadonlyMap<NodeName, string>;
}

/** What goes into the fencer. Messages arrive in the ring's order on every node, one's own included. */
export type FencerEvent =
  /** The `<configuration>` of the CIB; `running`: where stonith resources are started, by device. */
  | {
      readonly type: "configuration";
      readonly configuration: XmlElement;
      readonly running?: ReadonlyMap<string, NodeName>;
    }
  | ({ readonly type: "membership" } & FencerMembership)
  | { readonly type: "request"; readonly request: FenceRequest }
  | { readonly type: "message"; readonly from: NodeName; readonly message: unknown }
  | { readonly type: "agent-result"; readonly run: string; readonly outcome: AgentOutcome }
  | { readonly type: "metadata"; readonly agent: string; readonly metadata: AgentMetadata | undefined }
  | { readonly type: "timer"; readonly timer: string }
  /** A datagram of the node's crash kernel came to this node. */
  | { readonly type: "kdump-notice"; readonly node: NodeName; readonly signed: boolean }
  /** The node was heard as a member of the ring: what it said of a crash before is void. */
  | { readonly type: "alive"; readonly node: NodeName }
  /** A person takes the responsibility that the node is down. */
  | { readonly type: "confirm"; readonly id: string; readonly target: NodeName; readonly client: string }
  /** Nobody is to see any more what has been fenced until now; `target`: of one node only. */
  | { readonly type: "forget"; readonly id: string; readonly target?: NodeName; readonly client: string }
  /** Register something on this node, or take it back. */
  | {
      readonly type: "register";
      readonly id: string;
      readonly registration: Registration;
      readonly client: string;
    }
  /** Try every device for the node without touching it. */
  | { readonly type: "test"; readonly id: string; readonly target: NodeName }
  /** Ask devices, from this node alone. */
  | { readonly type: "ask"; readonly id: string; readonly question: DeviceQuestion };

/** What the driver must do, in order. */
export type FencerEffect =
  /** Send to all managers, this one included, in order. */
  | { readonly type: "broadcast"; readonly message: FencerMessage }
  | { readonly type: "run-agent"; readonly run: AgentRun }
  /** Tell by `agent-result` how a run ends, or has ended, that the manager before this one has begun. */
  | { readonly type: "resume-run"; readonly run: string }
  /** Nobody will ask any more for what was kept of a request's runs. */
  | { readonly type: "forget-runs"; readonly op: string }
  /** Answer with a `metadata` event; `external/NAME` for plugins. */
  | { readonly type: "fetch-metadata"; readonly agent: string }
  | { readonly type: "set-timer"; readonly timer: string; readonly afterMs: Millis }
  | { readonly type: "cancel-timer"; readonly timer: string }
  /**
   * Ended; emitted on every node that knew the request, once for each request that was merged. `told`: by a message that
   * all members receive, so that those who did not know it have heard of it, too.
   */
  | { readonly type: "result"; readonly result: FenceResult; readonly told: boolean }
  /** The history changed. */
  | { readonly type: "history"; readonly entry: FenceResult }
  /** What was to be registered is, and everybody knows; or it was refused. */
  | { readonly type: "registered"; readonly id: string; readonly refused?: HactlError }
  /** What this node has asked to forget is forgotten everywhere. */
  | { readonly type: "forgotten"; readonly id: string }
  | { readonly type: "test-result"; readonly id: string; readonly rows: readonly FenceTestRow[] }
  /** What the devices that were asked said. */
  | { readonly type: "told"; readonly id: string; readonly answers: readonly DeviceAnswer[] }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "notice" | "warning" | "error";
      readonly text: string;
    };

/**
 * What is asked of devices without touching a host: whether one answers (`monitor`), which hosts it lists, which of all
 * are able to fence a host. `timeoutMs`: for each device that sets no time of its own.
 */
export type DeviceQuestion = { readonly device?: string; readonly timeoutMs: Millis } & (
  | { readonly ask: "monitor" | "list" }
  | { readonly ask: "able"; readonly target: NodeName }
);

/** What one device that was asked said. `hosts`: those it lists, as far as that was asked. */
export interface DeviceAnswer {
  readonly device: string;
  readonly ok: boolean;
  readonly text: string;
  readonly hosts: readonly string[];
}

/** One device of one level, tried from one node. */
export interface FenceTestRow {
  readonly level: number;
  readonly device: string;
  readonly node: NodeName;
  readonly ok: boolean;
  /** `status`, `monitor`, `list`, or `built-in`. */
  readonly check: string;
  readonly text: string;
}

/** What an order to run a device says. */
export interface ExecuteOrder {
  readonly op: string;
  /** Number within the request, from 1. */
  readonly attempt: number;
  readonly level: number;
  readonly device: string;
  readonly target: NodeName;
  readonly action: FenceAction;
  /** `main` decides; `on` is the second half of a reboot by several devices. */
  readonly phase: "main" | "on";
  readonly executor: NodeName;
  readonly timeoutMs: Millis;
  readonly delayMs: Millis;
}

/** One order to run a device, and what came of it. */
export interface Attempt {
  readonly attempt: number;
  readonly level: number;
  readonly device: string;
  readonly action: FenceAction;
  readonly phase: "main" | "on";
  readonly executor: NodeName;
  readonly timeoutMs: Millis;
  readonly delayMs: Millis;
  state: "running" | "ok" | "failed";
  /** The device itself failed; false when this node could not even try (no agent, not in its list, it left). */
  ran: boolean;
  deed: FenceDeed;
  reason: string;
  /** Its device told of a success that was none. */
  disproved?: boolean;
}

/** A request under way, for a fencer that has just come. */
export interface ToldOperation {
  readonly request: FenceRequest;
  readonly merged: readonly FenceRequest[];
  readonly attempts: readonly Attempt[];
  readonly outlived: boolean;
}

/** What came of an order. */
export interface ExecuteAnswer {
  readonly op: string;
  readonly attempt: number;
  readonly device: string;
  readonly ok: boolean;
  /** The device was really used; false when the node could not even try. */
  readonly ran: boolean;
  /** What the device really did, after every substitution. */
  readonly deed: FenceDeed;
  readonly reason: string;
  /** The coordinator's: the success that was told before was none. */
  readonly disproved?: boolean;
}

/** What fencers tell each other, as ordered messages of the ring; plain data, fit for JSON. */
export type FencerMessage =
  | { readonly type: "request"; readonly request: FenceRequest }
  | { readonly type: "execute"; readonly order: ExecuteOrder }
  | { readonly type: "answer"; readonly answer: ExecuteAnswer }
  /**
   * `goneAgain`: the target had come back in the boot in which it was to end, and has left again since, in the ring that is named: it
   * is that boot which has ended.
   */
  | {
      readonly type: "done";
      readonly op: string;
      readonly result: FenceResult;
      readonly goneAgain?: string;
    }
  | { readonly type: "notice"; readonly node: NodeName; readonly signed: boolean }
  | {
      readonly type: "confirm";
      readonly id: string;
      readonly target: NodeName;
      readonly client: string;
      readonly at: EpochSeconds;
    }
  | { readonly type: "forget"; readonly id: string; readonly target?: NodeName; readonly client: string }
  /** All that is registered with the sender; `id`: what it was told to. */
  | ({ readonly type: "registered"; readonly id?: string } & Registered)
  /** Agents that the sender has; a name without metadata could not be run. */
  | { readonly type: "agents"; readonly agents: Readonly<Record<string, AgentMetadata | null>> }
  | {
      readonly type: "history";
      readonly entries: readonly FenceResult[];
      readonly failures: Readonly<Record<string, number>>;
      /** Those of the entries that nobody is to see any more. */
      readonly forgotten?: readonly string[];
      readonly operations?: readonly ToldOperation[];
    }
  | { readonly type: "test"; readonly id: string; readonly target: NodeName }
  | {
      readonly type: "test-answer";
      readonly id: string;
      readonly rows: readonly FenceTestRow[];
    };

export interface FencerOptions {
  readonly self: NodeName;
  /** Uniform in [0, 1); for pcmk_delay_max. */
  readonly random: () => number;
  /** Seconds since 1970, for the history and for rules with dates. */
  readonly wallClock: () => EpochSeconds;
  /**
   * How long before the loss of a node its crash notice still counts: the time that the ring takes to notice a
   * silent node (token + consensus).
   */
  readonly detectionMs: Millis;
  /** How old a crash notice may be; a dumping node repeats it. Default 60 s, six of the sender's intervals. */
  readonly noticeMaxAgeMs?: Millis;
  /** What messages and starts of processes may take on top of a device's own time. Default 5 s. */
  readonly graceMs?: Millis;
  /** Entries that the history keeps. Default 500. */
  readonly historyLimit?: number;
  /** What the managers before this one have begun, in the order in which they did. */
  readonly left?: readonly LeftRun[];
}
