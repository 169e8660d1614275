import { hkdfSync } from "node:crypto";
import {
  type ShownPeer,
  type TlsIdentity,
  type TlsPeer,
  tlsIdentity,
  tlsPublicKey,
} from "../platform/index.ts";
import { CrmExit, HactlError, type NodeName, nodeName } from "../terms/index.ts";
import type { FirstName } from "./first-name.ts";

/** A key for remote nodes, as it is in a file. */
export type RemoteKey =
  /** The one that the nodes of the cluster share. Who has it can be any remote node and connect to any. */
  | { readonly kind: "whole"; readonly secret: Uint8Array }
  /** Made of it for one remote node: who has it can only be that one. */
  | { readonly kind: "node"; readonly node: NodeName; readonly secret: Uint8Array };

/** Sizes of a whole key, bytes (Pacemaker Remote: 4096 random bytes by convention). */
const WHOLE_BYTES = { min: 32, max: 4096 } as const;
const NODE_BYTES = 32;
/** First line of a file with the key of one node. */
const HEADER = "hactl key of one remote node, version 1";

/**
 * Reads what is in a key file: the key of one node begins with a line that says so, everything else is a whole key.
 * @throws HactlError KEY_SIZE, KEY_FORMAT
 */
export function parseRemoteKey(content: Uint8Array): RemoteKey {
  const text = Buffer.from(content).toString("utf8");
  if (!isNodeKey(content)) {
    const { min, max } = WHOLE_BYTES;
    if (content.length >= min && content.length <= max) return { kind: "whole", secret: content };
    throw keyProblem(
      "KEY_SIZE",
      `The key for remote nodes has ${content.length} bytes; ${min} to ${max} are possible`,
    );
  }
  const node = /^node (\S.*)$/m.exec(text)?.[1];
  const secret = /^key ([0-9a-f]+)$/m.exec(text)?.[1];
  if (node === undefined || node === ANY_NODE || secret?.length !== 2 * NODE_BYTES)
    throw keyProblem("KEY_FORMAT", "The file with the key of one remote node is damaged");
  return { kind: "node", node: nodeName(node), secret: Buffer.from(secret, "hex") };
}

/** Whether the content of a key file is the key of one remote node: no ring and no manager can use it. */
export const isNodeKey = (content: Uint8Array): boolean =>
  Buffer.from(content.subarray(0, HEADER.length)).toString("latin1") === HEADER;

/**
 * The file for one remote node.
 * @throws HactlError NOT_WHOLE
 */
export function nodeKeyFile(whole: RemoteKey, node: NodeName): string {
  if (node === ANY_NODE)
    throw keyProblem("KEY_NODE", "There is no key that is good for any remote node but the whole one");
  return `${HEADER}
# With it a host is remote node ${node} and no other, and can connect to no other.
# The cluster keeps the whole key, of which this one is made.
node ${node}
key ${Buffer.from(secretOf(whole, node)).toString("hex")}
`;
}

/**
 * Name of a host that is whichever remote node the cluster looks for there: a container of a bundle in the network of its
 * host cannot know which one it is. It needs the whole key, and connections can be exchanged between such hosts.
 */
export const ANY_NODE = nodeName("*");

/** What a connection shows of its own end, and what it wants to see at the other. */
export interface Ends {
  readonly identity: TlsIdentity;
  readonly peer: TlsPeer;
}

/**
 * The end of the cluster, for one remote node.
 * @throws HactlError NOT_WHOLE when the key is that of another node.
 */
export function managerEnds(key: RemoteKey, node: NodeName): Ends {
  const secret = secretOf(key, node);
  const right = [secret, secretOf(key, ANY_NODE)].map((one) => tlsPublicKey(one, "host"));
  return {
    identity: tlsIdentity(secret, "manager", node),
    peer: {
      accepts: ({ publicKey }) => right.some((one) => Buffer.compare(one, publicKey) === 0),
      problem: (shown) => {
        const other = nodeOf(key, shown, "host");
        if (other?.proved) {
          return {
            what: `it is remote node ${other.name}, not ${node}`,
            cure: `Correct the address of the connection, or the name there: name = "${node}" in [remote] of its hactl.toml`,
          };
        }
        const says = other ? ` (it says that it is ${other.name})` : "";
        return {
          what: `it has another key for remote nodes than this node${says}`,
          cure: "Copy the key for remote nodes to it (hactl keygen --remote; [remote] keyfile on both sides), never the key of the ring",
        };
      },
    },
  };
}

/**
 * The end of a remote node.
 * @throws HactlError NOT_WHOLE when the key is that of another node.
 */
export function hostEnds(key: RemoteKey, node: NodeName): Ends {
  const secret = secretOf(key, node);
  const right = tlsPublicKey(secret, "manager");
  return {
    identity: tlsIdentity(secret, "host", node),
    peer: {
      accepts: (shown) =>
        node === ANY_NODE
          ? nodeOf(key, shown, "manager")?.proved === true
          : Buffer.compare(right, shown.publicKey) === 0,
      problem: (shown) => {
        const wanted = nodeOf(key, shown, "manager");
        if (wanted?.proved) {
          return {
            what: `the cluster looks for remote node ${wanted.name} here, and this is ${node}`,
            cure: `If it is meant: name = "${wanted.name}" in [remote] of hactl.toml on this host`,
          };
        }
        const says = wanted
          ? `; it says that it looks for remote node ${wanted.name}, and this is ${node}`
          : "";
        return { what: `it has another key for remote nodes than this host${says}` };
      },
    },
  };
}

/**
 * The end of a host that has the whole key and was not told which remote node it is: the first manager says it, and `first`
 * remembers it.
 */
export function unnamedHostEnds(key: RemoteKey, first: FirstName): Ends {
  const { identity, peer } = hostEnds(key, ANY_NODE);
  return {
    identity,
    peer: {
      accepts: (shown) => peer.accepts(shown) && first.accepts(shown.claimed ?? ""),
      problem: (shown) =>
        peer.accepts(shown)
          ? {
              what: `the cluster looks for remote node ${shown.claimed} here, and this is ${first.name}, which is in use`,
              cure: `If its name has changed: start hactl remote on this host anew, or name = "${shown.claimed}" in [remote] of hactl.toml here`,
            }
          : peer.problem(shown),
    },
  };
}

/** For which node somebody else has shown an identity; proved where the whole key lets us tell. */
function nodeOf(
  key: RemoteKey,
  { publicKey, claimed }: ShownPeer,
  role: "host" | "manager",
): { readonly name: string; readonly proved: boolean } | undefined {
  if (claimed === undefined || claimed === "") return undefined;
  const theirs = key.kind === "whole" && tlsPublicKey(secretOf(key, nodeName(claimed)), role);
  const proved = theirs !== false && Buffer.compare(theirs, publicKey) === 0;
  // What is not proved is a stranger's word.
  return { name: proved ? claimed : JSON.stringify(claimed.slice(0, 64)), proved };
}

/** The secret of one remote node: HKDF-SHA-256 of the whole key, with the name, from which no other can be found. */
function secretOf(key: RemoteKey, node: NodeName): Uint8Array {
  if (key.kind === "whole")
    return new Uint8Array(hkdfSync("sha256", key.secret, "hactl", `remote node v2\0${node}`, NODE_BYTES));
  if (key.node === node) return key.secret;
  throw new HactlError({
    code: "NOT_WHOLE",
    what: `The key for remote nodes is that of ${key.node} alone, and cannot be used for ${node === ANY_NODE ? "any other" : node}`,
    cure: "Nodes of the cluster need the whole key, a remote node the whole or its own: hactl keygen --remote --node NAME",
    exit: CrmExit.CONFIG,
  });
}

function keyProblem(code: string, what: string): HactlError {
  return new HactlError({
    code,
    what,
    cure: "Make one with hactl keygen --remote, for one remote node alone with --node NAME",
    exit: CrmExit.CONFIG,
  });
}
