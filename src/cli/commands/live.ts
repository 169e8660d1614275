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
export const runningStatus = (): Promise<StatusInput> => withDaemon(statusOf);

/** The same over a connection that stays open. */
export async function statusOf(admin: AdminClient): Promise<StatusInput> {
  return toStatusInput(await admin.request<StatusReply>({ type: "status" }));
}
