import type { ConfigOption } from "./option.ts";

/** [[totem.interface]]: one link each. */
export const interfaceOptions = [
  {
    name: "linknumber",
    aliases: ["ringnumber"],
    type: "integer",
    default: "0",
    min: 0,
    max: 7,
    description: "number of the link: N belongs to ringN_addr of the nodes",
  },
  {
    name: "mcastport",
    aliases: ["port"],
    type: "integer",
    min: 1,
    max: 65535,
    example: "5405",
    reload: true,
    description: "UDP port of the link on every node",
    detail: "Default: 5405 + linknumber.",
  },
  {
    name: "bindnetaddr",
    type: "string",
    example: '"192.168.0.0"',
    description: "network of the link; checked against the addresses of the node list, which decide",
  },
  {
    name: "knet_link_priority",
    aliases: ["priority"],
    type: "integer",
    default: "1",
    min: 0,
    max: 255,
    reload: true,
    description:
      "with link_mode passive the link of highest priority that works is used, then the lowest number",
  },
  {
    name: "knet_ping_interval",
    aliases: ["ping_interval"],
    type: "duration",
    unit: "ms",
    min: 10,
    reload: true,
    example: "250",
    description: "time between looks whether the link works",
    detail: "Computed as token / (2 × knet_pong_count).",
  },
  {
    name: "knet_ping_timeout",
    aliases: ["ping_timeout"],
    type: "duration",
    unit: "ms",
    min: 10,
    reload: true,
    example: "500",
    description: "time without an answer after which the link counts as down",
    detail: "Computed as token / knet_pong_count.",
  },
  {
    name: "knet_pong_count",
    aliases: ["pong_count"],
    type: "integer",
    default: "2",
    min: 1,
    max: 100,
    reload: true,
    description: "answers in a row after which the link counts as up",
  },
  {
    name: "knet_ping_precision",
    type: "integer",
    default: "2048",
    min: 1,
    description: "values of which the link's latency is the mean",
    unused: "latency is a moving average",
  },
  {
    name: "knet_transport",
    type: "enum",
    values: ["udp", "sctp"],
    default: "udp",
    description: "protocol of the link",
    unused: "links are UDP",
  },
  {
    name: "mcastaddr",
    type: "string",
    description: "multicast address",
    unused: "hactl sends unicast only",
    example: '"239.255.1.1"',
  },
  {
    name: "broadcast",
    type: "boolean",
    default: "false",
    description: "broadcast instead of multicast",
    unused: "hactl sends unicast only",
  },
  {
    name: "ttl",
    type: "integer",
    default: "1",
    min: 0,
    max: 255,
    description: "hops of multicast packets",
    unused: "hactl sends unicast only",
  },
] as const satisfies readonly ConfigOption[];

const ring = <const N extends number>(link: N) =>
  ({
    name: `ring${link}_addr`,
    type: "string",
    description:
      link === 0
        ? "address of the node on link 0; a host name must be in /etc/hosts"
        : `address of the node on link ${link}`,
    example: `"192.168.${link}.1"`,
    reload: true,
  }) as const satisfies ConfigOption;

/** [[nodelist.node]]: one node each. */
export const nodeOptions = [
  {
    name: "name",
    type: "string",
    max: 256,
    example: '"vm01"',
    description: "name of the node, best its host name (uname -n)",
    detail: "Needed unless ring0_addr is a host name, which is then the name too.",
  },
  {
    name: "nodeid",
    type: "integer",
    min: 1,
    max: 4294967295,
    example: "1",
    description: "number of the node, its own in the cluster; never give it to another machine",
  },
  {
    name: "quorum_votes",
    type: "integer",
    default: "1",
    min: 0,
    max: 255,
    reload: true,
    description: "votes of the node",
  },
  { ...ring(0), name: "ring0_addr" },
  { ...ring(1), name: "ring1_addr" },
  { ...ring(2), name: "ring2_addr" },
  { ...ring(3), name: "ring3_addr" },
  { ...ring(4), name: "ring4_addr" },
  { ...ring(5), name: "ring5_addr" },
  { ...ring(6), name: "ring6_addr" },
  { ...ring(7), name: "ring7_addr" },
] as const satisfies readonly ConfigOption[];
