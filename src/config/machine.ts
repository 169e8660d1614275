import {
  hostname,
  hostsAddresses,
  type LocalAddress,
  localAddresses,
  mayWritePath,
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
  /** Whether this process may write a file, or into a directory. */
  mayWrite?(path: string): boolean;
  readonly uid: number;
}

/** This machine. */
export function thisMachine(): MachineFacts {
  let addresses: readonly LocalAddress[] | undefined;
  return {
    hostname: hostname(),
    // Most commands never ask for them.
    get addresses() {
      addresses ??= localAddresses();
      return addresses;
    },
    resolve: (name) => hostsAddresses(name),
    path: pathFacts,
    mayWrite: mayWritePath,
    uid: process.getuid?.() ?? 0,
  };
}

/** What the configuration is read for, which decides what must be there. */
export interface ConfigContext {
  /**
   * `node`: whether a cluster node can start with it; `start`: one does so now, and waits for what may still come;
   * `remote`: `hactl remote` starts with it; `text`: only the text is looked at.
   */
  readonly purpose: "node" | "start" | "remote" | "text";
  readonly machine: MachineFacts;
  /** Name of this node where it was given (`--node`). */
  readonly node?: string | undefined;
  /** Key of a remote host where it was given (`--keyfile`), in place of the configured one. */
  readonly keyFile?: string | undefined;
}
