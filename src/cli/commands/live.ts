import { Daemon, withDaemon } from "../daemon.ts";
import { type StatusInput, type StatusReply, toStatusInput } from "../render/input.ts";

/** What the local daemon says about the cluster. */
export const runningStatus = (): Promise<StatusInput> =>
  withDaemon(async (daemon) => toStatusInput(await daemon.request<StatusReply>({ type: "status" })));

/** A connection that is made when it is needed and again when it was lost, for displays that stay. */
export class DaemonLink {
  #daemon: Daemon | undefined;
  /** Called when something in the cluster changed. */
  onChange: () => void = () => {};

  /** What the local daemon says about the cluster. */
  async status(): Promise<StatusInput> {
    const daemon = this.#daemon ?? (await this.#connect());
    return toStatusInput(await daemon.request<StatusReply>({ type: "status" }));
  }

  close(): void {
    this.#daemon?.close();
  }

  async #connect(): Promise<Daemon> {
    const daemon = await Daemon.connect();
    daemon.onClose = () => {
      this.#daemon = undefined;
      this.onChange();
    };
    daemon.onChange = () => this.onChange();
    this.#daemon = daemon;
    // A daemon that cannot tell of changes is asked at intervals.
    await daemon.request({ type: "watch" }).catch(() => undefined);
    return daemon;
  }
}
