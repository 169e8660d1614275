import { parseXml, type XmlElement } from "../../cib/index.ts";
import { type AdminClient, connectAdmin } from "../../daemon/index.ts";
import { type StatusInput, type StatusReply, toStatusInput } from "../render/input.ts";

/** Runs something with a connection to the daemon of this node, which is closed afterwards. */
export async function withDaemon<T>(use: (admin: AdminClient) => Promise<T>): Promise<T> {
  const admin = await connectAdmin();
  try {
    return await use(admin);
  } finally {
    admin.close();
  }
}

/** CIB of the running cluster. */
export async function runningCib(): Promise<XmlElement> {
  return parseXml(await withDaemon((admin) => admin.request<string>({ type: "cib" })), "the running cluster");
}

/** What the local daemon says about the cluster. */
export const runningStatus = (): Promise<StatusInput> =>
  withDaemon(async (admin) => toStatusInput(await admin.request<StatusReply>({ type: "status" })));

/** A connection that is made when it is needed and again when it was lost, for displays that stay. */
export class DaemonLink {
  #admin: AdminClient | undefined;
  /** Called when something in the cluster changed. */
  onChange: () => void = () => {};

  /** What the local daemon says about the cluster. */
  async status(): Promise<StatusInput> {
    const admin = this.#admin ?? (await this.#connect());
    return toStatusInput(await admin.request<StatusReply>({ type: "status" }));
  }

  close(): void {
    this.#admin?.close();
  }

  async #connect(): Promise<AdminClient> {
    const admin = await connectAdmin();
    admin.onClose = () => {
      this.#admin = undefined;
      this.onChange();
    };
    admin.onChange = () => this.onChange();
    this.#admin = admin;
    // A daemon that cannot tell of changes is asked at intervals.
    await admin.request({ type: "watch" }).catch(() => undefined);
    return admin;
  }
}
