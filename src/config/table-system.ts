import type { ConfigOption } from "./option.ts";

/** [system]: where hactl keeps things and what it may ask of the machine. */
export const systemOptions = [
  {
    name: "state_dir",
    type: "path",
    default: "/var/lib/hactl",
    description: "directory for what must outlive a restart: cluster configuration, ring number, history",
  },
  {
    name: "run_dir",
    type: "path",
    default: "/run/hactl",
    description: "directory for sockets and locks; empty after a boot",
  },
  {
    name: "sched_rr",
    type: "boolean",
    default: "true",
    description:
      "real-time priority for the ring process, so that the token does not wait for a busy machine",
  },
  {
    name: "priority",
    type: "integer",
    default: "50",
    min: 1,
    max: 99,
    description: "real-time priority for sched_rr",
  },
  {
    name: "lock_memory",
    type: "boolean",
    default: "true",
    description: "keep the ring process out of swap",
  },
  {
    name: "watchdog_device",
    type: "string",
    default: "off",
    example: '"/dev/watchdog"',
    description: "watchdog that resets this node when hactl hangs: a device, or off",
  },
  {
    name: "watchdog_timeout",
    type: "duration",
    unit: "s",
    default: "5",
    min: 1000,
    description: "time without a sign of life after which the watchdog resets the node",
  },
  {
    name: "ocf_path",
    type: "list",
    default: "/usr/lib/ocf/resource.d",
    description:
      "directories with OCF resource agents, separated by colons; the first that has an agent wins",
  },
  {
    name: "fence_path",
    type: "list",
    default: "/usr/sbin",
    description: "directories with fence agents (fence_*), separated by colons",
  },
  {
    name: "stonith_plugin_path",
    type: "list",
    default: "/usr/lib64/stonith/plugins:/usr/lib/stonith/plugins",
    description: "directories with cluster-glue's plugins (external/*), separated by colons",
  },
  {
    name: "lsb_path",
    type: "list",
    default: "/etc/init.d",
    description: "directories with LSB init scripts, separated by colons",
  },
  {
    name: "secrets_dir",
    type: "path",
    default: "/var/lib/pacemaker/lrm/secrets",
    description: "directory with values of resource parameters that are not in the configuration (cibsecret)",
  },
  {
    name: "tools_dir",
    aliases: ["tools"],
    type: "path",
    default: "/usr/sbin",
    description: "directory with the commands that agents call (crm_attribute, …); first in their PATH",
  },
  {
    name: "group",
    type: "string",
    default: "haclient",
    description: "group whose members may use the admin commands, where it exists",
  },
  {
    name: "move_to_root_cgroup",
    type: "enum",
    values: ["auto", "yes", "no"],
    default: "auto",
    description: "leave the service's cgroup for real-time priority",
    unused: "it happens by itself where real-time priority needs it",
  },
  {
    name: "qb_ipc_type",
    type: "string",
    default: "native",
    description: "kind of local communication",
    unused: "it is a Unix socket",
  },
] as const satisfies readonly ConfigOption[];

/** [remote]: Pacemaker Remote on both sides. */
export const remoteOptions = [
  {
    name: "name",
    type: "string",
    description:
      "which remote node this host is: the id of its connection resource, or the remote-node of its guest. The cluster takes " +
      "no other host for it. A host with a key of its own has the name from that; one with the whole key is, as long as it is " +
      'in use, the one that the cluster looked for first. "*" is whichever it looks for there: for containers ' +
      "of a bundle in the network of their host, which cannot know it; it needs the whole key",
  },
  {
    name: "listen",
    type: "string",
    default: "::",
    description: "address on which hactl remote listens; :: is every address of both families",
  },
  {
    name: "port",
    type: "integer",
    default: "3121",
    min: 1,
    max: 65535,
    description: "TCP port on which hactl remote listens",
  },
  {
    name: "keyfile",
    type: "path",
    default: "/etc/hactl/remote-authkey",
    description:
      "secret key for remote hosts: the whole one on cluster nodes (hactl keygen --remote); on a remote host that, or " +
      "better one that is good for it alone (hactl keygen --remote --node NAME)",
  },
] as const satisfies readonly ConfigOption[];

/** [kdump]: notices of nodes that write a crash dump. */
export const kdumpOptions = [
  {
    name: "listen",
    type: "boolean",
    default: "true",
    description:
      "listen for the notices, so that a dumping node counts as fenced by stonith:fence_kdump at once",
  },
  {
    name: "port",
    type: "integer",
    default: "7410",
    min: 1,
    max: 65535,
    description: "UDP port for the notices",
  },
  {
    name: "plain",
    type: "boolean",
    default: "true",
    description:
      "whether a notice counts that is known by its source address alone, which fence_kdump_send sends: whoever can send from a " +
      "node's address can forge one. With false only notices that hactl's own sender signs do",
  },
] as const satisfies readonly ConfigOption[];
