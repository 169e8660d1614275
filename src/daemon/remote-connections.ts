import type { ControllerEvent } from "../controller/index.ts";
import type { Operation } from "../executor/index.ts";
import type { Log } from "../platform/index.ts";
import type { Millis, NodeName, ResourceId } from "../terms/index.ts";
import type { NodeSetup } from "./setup.ts";

export interface RemoteConnectionsOptions {
  readonly setup: NodeSetup;
  readonly log: Log;
  readonly step: (event: ControllerEvent) => void;
  /** Answers a request that a tool on a remote host makes. */
  readonly tool: (request: unknown) => Promise<unknown>;
}

export class RemoteConnections {
  constructor(private readonly options: RemoteConnectionsOptions) {}
  execute(_on: NodeName, _operation: Operation): void {}
  cancel(_on: NodeName, _rsc: ResourceId, _action: string, _intervalMs: Millis): void {}
  forget(_on: NodeName, _rsc: ResourceId): void {}
  cancelConnection(_rsc: ResourceId, _intervalMs: Millis): void {}
  connection(_operation: Operation): void {
    void this.options;
  }
  close(): void {}
}
