import {
  hostname,
  hostsAddresses,
  type LocalAddress,
  localAddresses,
  type PathFacts,
  pathFacts,
} from "../platform/index.ts";

/** What the checks ask of the machine that the configuration is for. */
export interface MachineFacts {
  readonly hostname: string;
  readonly addresses: readonly LocalAddress[];
  /** Numeric addresses of a host name. */
  resolve(name: string): readonly string[];
  path(path: string): PathFacts | undefined;
  readonly uid: number;
}

/** This machine. */
export function thisMachine(): MachineFacts {
  return {
    hostname: hostname(),
    addresses: localAddresses(),
    resolve: (name) => hostsAddresses(name),
    path: pathFacts,
    uid: process.getuid?.() ?? 0,
  };
}

/** What the configuration is read for, which decides what must be there. */
export interface ConfigContext {
  /** `node`: a cluster node starts with it; `remote`: `hactl remote` does; `text`: only the text is looked at. */
  readonly purpose: "node" | "remote" | "text";
  readonly machine: MachineFacts;
  /** Name of this node where it was given (`--node`). */
  readonly node?: string | undefined;
  /** Key of a remote host where it was given (`--keyfile`), in place of the configured one. */
  readonly keyFile?: string | undefined;
}
