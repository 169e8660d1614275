import type { Asker } from "../cib/index.ts";
import type { ToolUser } from "../executor/index.ts";
import type { Accounts, PeerCredentials } from "../platform/index.ts";
import type { NodeName } from "../terms/index.ts";

/** Who asks the daemon, as the daemon found out. */
export interface Caller {
  /** For the log and the history: `root`, `carol`, `carol on far`. */
  readonly name: string;
  /** May do what else nobody may: root and hacluster of a cluster node, and whoever the daemon itself runs as. */
  readonly privileged: boolean;
  /** Asks from a remote host, through one of its tools. */
  readonly remote: boolean;
  /** Whose rights by the access rules count: each of them has to be permitted. None for the privileged. */
  readonly askers: readonly Asker[];
}

/** Users whom no access rule limits (Pacemaker Explained, "ACL Targets and Groups"). */
const privilegedNames: readonly string[] = ["root", "hacluster"];
/** Name of somebody whom nobody knows, as Pacemaker calls it. */
const unknown = "#unprivileged";

/**
 * The user at the other end of a local socket, by what the kernel says. A privileged one may ask in the name of another
 * user (`CIB_user` of Pacemaker's tools, by which pcsd passes its users on), whose rights count then.
 */
export async function toolUser(
  accounts: Accounts,
  peer: PeerCredentials | undefined,
  inNameOf?: string,
): Promise<ToolUser> {
  if (peer === undefined) return { name: unknown, groups: [], privileged: false };
  if (peer.uid === 0 && inNameOf === undefined) return { name: "root", groups: [], privileged: true };
  const privileged =
    peer.uid === 0 ||
    peer.uid === process.getuid?.() ||
    // By the name, not by the number: a directory may call anybody by a name that this machine has given to another.
    peer.uid === (await accounts.user("hacluster"))?.uid;
  if (privileged && inNameOf !== undefined && !privilegedNames.includes(inNameOf))
    return { name: inNameOf, groups: await accounts.groupsOf(inNameOf, []), privileged: false };
  const name = (await accounts.user(peer.uid))?.name ?? unknown;
  if (privileged) return { name, groups: [], privileged };
  return { name, groups: await accounts.groupsOf(name, [peer.gid, ...peer.groups]), privileged };
}

/** Somebody on this node. */
export function localCaller({ name, groups, privileged }: ToolUser): Caller {
  return { name, privileged, remote: false, askers: privileged ? [] : [{ user: name, groups }] };
}

/**
 * Somebody on a remote host, as that host says. It is believed no more than the host itself: for access rules a remote
 * node is a user of its own name (Pacemaker Explained, "ACLs and Pacemaker Remote Nodes"), whose rights are those of its
 * root; other users there need to be permitted what they ask beside that. Nobody there is privileged, and while access
 * rules are not in force the host is still limited to what is its own.
 */
export function remoteCaller(node: NodeName, user: ToolUser | undefined): Caller {
  const host: Asker = { user: node, groups: [], host: true };
  const { name, groups, privileged } = user ?? { name: unknown, groups: [], privileged: false };
  return {
    name: `${name} on ${node}`,
    privileged: false,
    remote: true,
    askers: privileged ? [host] : [host, { user: name, groups }],
  };
}

/** Who made a change, with the program that it says it is: the one is known, the other is said. */
export function saidBy({ name, privileged }: Caller, program: string): string {
  if (program === "" || program === name) return name;
  return privileged ? program : `${name} (${program})`;
}
