import { type CibOperation, child, formatXml, parseXml, upgradeCib, type XmlElement } from "../cib/index.ts";
import { type AdminClient, connectAdmin } from "../daemon/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { visibleInFile } from "./cib-user.ts";
import { readText } from "./read-text.ts";

/** A CIB that a command reads: that of the cluster, or a file (CIB_file, as Pacemaker's tools know it). */
export interface ReadCib {
  readonly cib: XmlElement;
  readonly configuration: XmlElement;
}

const parts = (text: string, file?: string): ReadCib =>
  withConfiguration(upgradeCib(parseXml(text, file)).root, file);

function withConfiguration(cib: XmlElement, file?: string): ReadCib {
  const configuration = child(cib, "configuration");
  if (configuration) return { cib, configuration };
  throw new HactlError({
    code: "CIB_INVALID",
    what: "the CIB has no <configuration>",
    ...(file === undefined ? {} : { where: { file } }),
    exit: CrmExit.DATAERR,
  });
}

/** The CIB that commands without an own file work on: CIB_file if set, else the cluster's. */
export async function readCib(): Promise<ReadCib> {
  const file = process.env.CIB_file;
  if (file !== undefined && file !== "")
    return withConfiguration(await visibleInFile(parts(readText(file), file).cib), file);
  const client = await connectAdmin();
  try {
    return parts(await client.request<string>({ type: "cib" }));
  } finally {
    client.close();
  }
}

/** Tries again when somebody else changed the configuration in between. */
const attempts = 5;

/**
 * Changes the cluster's configuration: `change` makes the new `<configuration>` of the current one. Applied all or
 * nothing, and only to the version that it was made from.
 */
export async function changeConfiguration(
  change: (current: ReadCib) => XmlElement,
  client: string,
): Promise<{ readonly before: XmlElement; readonly after: XmlElement }> {
  const daemon = await connectAdmin();
  try {
    for (let attempt = 1; ; attempt++) {
      const current = parts(await daemon.request<string>({ type: "cib" }));
      const after = change(current);
      try {
        await replaceConfiguration(daemon, current.cib, after, client);
        return { before: current.configuration, after };
      } catch (error) {
        if (!(error instanceof HactlError) || error.exit !== CrmExit.OLD || attempt >= attempts) throw error;
      }
    }
  } finally {
    daemon.close();
  }
}

async function replaceConfiguration(
  daemon: AdminClient,
  cib: XmlElement,
  configuration: XmlElement,
  client: string,
): Promise<void> {
  const part = (name: string) => Number.parseInt(cib.attributes.get(name) ?? "0", 10) || 0;
  const operations: CibOperation[] = [
    { op: "require", adminEpoch: part("admin_epoch"), epoch: part("epoch") },
    { op: "replace", scope: "configuration", xml: formatXml(configuration, -1) },
  ];
  await daemon.request({ type: "cib-apply", operations, client });
}

/** Applies operations on the CIB. */
export async function applyToCib(operations: readonly CibOperation[], client: string): Promise<unknown> {
  const daemon = await connectAdmin();
  try {
    return await daemon.request({ type: "cib-apply", operations, client });
  } finally {
    daemon.close();
  }
}

/** Asks the daemon one thing. */
export async function ask<T>(request: Parameters<AdminClient["request"]>[0], timeoutMs?: number): Promise<T> {
  const daemon = await connectAdmin();
  try {
    return await daemon.request<T>(request, timeoutMs);
  } finally {
    daemon.close();
  }
}
