import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { CibOperation, XmlElement } from "../../cib/index.ts";
import type { AdminClient, NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { fileChangeFor, visibleInFile } from "../cib-user.ts";
import { connectTool } from "./connection.ts";

/** File of a shadow configuration (crm_shadow(8)): CIB_shadow_dir, else a directory of the user's own. */
export const shadowFile = (name: string): string =>
  `${process.env.CIB_shadow_dir ?? (process.getuid?.() === 0 ? "/var/lib/hactl" : (process.env.HOME ?? "/tmp"))}/shadow.${name}`;

/** The file that tools work on instead of the cluster: CIB_file, or the shadow that CIB_shadow names. */
export function workFile(): string | undefined {
  if (process.env.CIB_file) return process.env.CIB_file;
  return process.env.CIB_shadow ? shadowFile(process.env.CIB_shadow) : undefined;
}

/**
 * The CIB that a tool reads and changes: that of the running cluster, or a file. Connects and loads when it is first
 * asked: most calls of agents need only a little of it.
 */
export class CibSession {
  readonly file = workFile();
  #client: AdminClient | undefined;
  #cib: XmlElement | undefined;
  /** Of a file: also what the user may not see. */
  #whole: XmlElement | undefined;

  /** Runs a tool's work with a session that is closed afterwards. */
  static async with<T>(use: (session: CibSession) => Promise<T>): Promise<T> {
    const session = new CibSession();
    try {
      return await use(session);
    } finally {
      session.#client?.close();
    }
  }

  /** The daemon. */
  async client(): Promise<AdminClient> {
    this.#client ??= await connectTool();
    return this.#client;
  }

  /** The whole `<cib>`, read once; `apply` reads it anew. */
  async cib(): Promise<XmlElement> {
    if (this.#cib) return this.#cib;
    const { parseXml, upgradeCib } = await import("../../cib/index.ts");
    if (this.file === undefined) {
      this.#cib = parseXml(await (await this.client()).request<string>({ type: "cib" }));
    } else {
      this.#whole = upgradeCib(parseXml(readWhole(this.file), this.file)).root;
      this.#cib = await visibleInFile(this.#whole);
    }
    return this.#cib;
  }

  /** Its `<configuration>`. */
  async configuration(): Promise<XmlElement> {
    const found = (await this.cib()).children.find(({ name }) => name === "configuration");
    if (found) return found;
    throw new HactlError({
      code: "CIB_INVALID",
      what: "the CIB has no <configuration>",
      exit: CrmExit.DATAERR,
    });
  }

  /** Changes the CIB, all or nothing. */
  async apply(operations: readonly CibOperation[], tool: string): Promise<void> {
    if (this.file === undefined) {
      await (await this.client()).request({ type: "cib-apply", operations, client: tool });
    } else {
      const { applyOperations, formatXml } = await import("../../cib/index.ts");
      const seen = await this.cib();
      const { cib } = applyOperations(this.#whole ?? seen, operations, await fileChangeFor());
      const fresh = `${this.file}.${process.pid}`;
      writeFileSync(fresh, formatXml(cib), { mode: 0o600 });
      renameSync(fresh, this.file);
    }
    this.#cib = undefined;
  }

  /** Name of the node that this runs on; a remote host's own name there. */
  async localNode(): Promise<string> {
    const named = localNodeName();
    if (named !== undefined) return named;
    return (await (await this.client()).request<NodeReply>({ type: "node" })).name;
  }
}

/**
 * The node whose attributes an agent means, as far as its environment tells: the one that it runs on, a guest or
 * remote node too; for what runs in a bundle that asks for it (container-attribute-target=host) the host.
 */
export function localNodeName(): string | undefined {
  const meta = (name: string) => process.env[`OCF_RESKEY_CRM_meta_${name}`] || undefined;
  if (meta("container_attribute_target") === "host") return meta("physical_host") ?? meta("on_node");
  return meta("on_node");
}

function readWhole(file: string): string {
  try {
    return readFileSync(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (cause) {
    throw new HactlError({
      code: "NO_FILE",
      what: `${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
      exit: CrmExit.NOINPUT,
      cause,
    });
  }
}
