import type { OwnershipRules } from "./ownership.ts";

/** What a cluster of the scenarios is made of. */
export interface Shape {
  /** Members. */
  readonly nodes: number;
  /** Hosts for `hactl remote`, numbered behind the members. */
  readonly remotes: number;
  /** Cables of each machine. */
  readonly links: number;
  readonly variant: Variant;
}

/** Mixes of resources: the plain one, and what each other has beside or instead. */
export const variants = {
  plain: "what the scenarios are written for",
  "two-promoted": "two promoted instances",
  address: "an address that follows the promoted instance by itself",
  bundle: "a bundle with a promotable resource inside",
  remote: "a remote host that runs the clones, too",
} as const;
export type Variant = keyof typeof variants;

/** Whether a text names a variant. */
export const isVariant = (text: string): text is Variant => Object.hasOwn(variants, text);

/** The address in the group, which clients ask for. */
export const serviceAddress = "10.77.0.100";
const secondAddress = "10.77.0.101";
/** The host that the ping clone asks: outside of all machines. */
const pinged = "10.77.0.254";

/** The resources of the scenarios, and what is true of them whenever the cluster is at rest. */
export interface Mix {
  /** Text for `hactl configure load`. */
  readonly crm: string;
  /** Primitives of which exactly one runs. */
  readonly singles: readonly string[];
  /** Primitives of clones with an instance on every node that can have one. */
  readonly clones: readonly string[];
  /** The primitive of the promotable clone, and how many are promoted when there are nodes enough. */
  readonly promotable: { readonly rsc: string; readonly max: number };
  /** Remote hosts that run all clones; on others only those that nothing is promoted of. */
  readonly servingHosts: readonly string[];
  /** The primitive inside the bundle and its number of replicas. */
  readonly bundled?: { readonly rsc: string; readonly replicas: number };
  /** Singles that run where an instance is promoted, all on the same node. */
  readonly withPromoted: readonly string[];
  /** Addresses by their resource: an agent of the distribution's leaves no file to look at. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly rules: OwnershipRules;
}

/** The primitive of a clone that scenarios add. */
export const slowClone = "tardy-db";

/** The pinned primitive of a node. */
export const ownOf = (node: string): string => `own-${node}`;
/** Name of a remote host as a node of the cluster: that of its connection. */
export const farName = (host: string): string => `far-${host}`;

const times = "op start timeout=60s op stop timeout=60s";
const watched = `op monitor interval=5s timeout=60s ${times}`;

/**
 * What the suites of others run, in one configuration: a group with an address, a promotable clone with promotion
 * scores that needs what a ping clone measures, an anonymous clone, an init script that goes with the group, a primitive
 * that can migrate, one for each node, and fencing with a topology whose first devices are of no use.
 */
export function mixOf(shape: Shape, members: readonly string[], remotes: readonly string[]): Mix {
  const promotedMax = shape.variant === "two-promoted" ? 2 : 1;
  const hosts = [...members, ...remotes.map(farName)].join(" ");
  const map = remotes.map((host) => `${farName(host)}:${host}`).join(";");
  const more = shape.variant === "address";
  const boxed = shape.variant === "bundle";
  const servingHosts = shape.variant === "remote" ? remotes : [];
  const group = ["address", "files", "web"];
  const promotedFirst = [...group.slice(0, 1), ...(more ? ["vip"] : [])];
  const lines = [
    "property stonith-enabled=true no-quorum-policy=stop start-failure-is-fatal=false dc-deadtime=5s",
    "op_defaults timeout=60s",
    `primitive power stonith:fence_scene params mode=power pcmk_host_list="${hosts}" pcmk_host_check=static-list ${
      map === "" ? "" : `pcmk_host_map="${map}"`
    } op monitor interval=120s`,
    `primitive useless stonith:fence_scene params mode=nothing pcmk_host_list=n2 pcmk_host_check=static-list`,
    `primitive broken stonith:fence_scene params mode=broken pcmk_host_list=n1 pcmk_host_check=static-list`,
    "fencing_topology n1: broken power n2: useless,power",
    `primitive ping ocf:pacemaker:ping params host_list=${pinged} name=reach attempts=2 timeout=2 dampen=1s op monitor interval=5s timeout=60s`,
    "clone pings ping",
    `primitive db ocf:scene:Roles op monitor interval=5s timeout=60s op monitor interval=6s timeout=60s role=Promoted ${times} op promote timeout=60s op demote timeout=60s`,
    `clone dbs db meta promotable=true clone-max=${members.length + servingHosts.length} clone-node-max=1 promoted-max=${promotedMax} promoted-node-max=1`,
    "location dbs-reach dbs rule -inf: not_defined reach or reach lt 1",
    `primitive agent ocf:scene:Plain ${watched}`,
    "clone agents agent",
    addressText("address", serviceAddress),
    `primitive files ocf:scene:Plain ${watched}`,
    `primitive web ocf:scene:Plain ${watched}`,
    `group site ${group.join(" ")}`,
    "colocation site-with-db inf: site dbs:Promoted",
    "order site-after-db Mandatory: dbs:promote site:start",
    `primitive scene-server lsb:scene-server ${watched}`,
    "colocation server-with-site inf: scene-server site",
    "order server-after-site Mandatory: site scene-server",
    `primitive wanderer ocf:scene:Plain ${watched} op migrate_to timeout=60s op migrate_from timeout=60s meta allow-migrate=true resource-stickiness=1`,
    ...members.flatMap((node) => [
      `primitive ${ownOf(node)} ocf:scene:Plain ${watched}`,
      `location ${ownOf(node)}-home ${ownOf(node)} 100: ${node}`,
    ]),
    ...(more
      ? [
          addressText("vip", secondAddress),
          "colocation vip-with-db inf: vip dbs:Promoted",
          "order vip-after-db Mandatory: dbs:promote vip:start",
        ]
      : []),
    ...(boxed
      ? [
          `primitive cache ocf:scene:Roles op monitor interval=5s timeout=60s op monitor interval=6s timeout=60s role=Promoted ${times}`,
          "bundle boxes podman image=scene promoted-max=1 replicas=2 network=host network control-port=3122 primitive cache",
        ]
      : []),
  ];
  const singles = [...group, "scene-server", "wanderer", ...members.map(ownOf), ...(more ? ["vip"] : [])];
  // Of all these only the anonymous clone runs on all remote hosts, too.
  for (const host of remotes) {
    const clones = servingHosts.includes(host) ? [] : ["pings", "dbs"];
    const home = [...clones, "site", "scene-server", "wanderer", ...members.map(ownOf)];
    const inside = boxed ? ["boxes"] : [];
    for (const rsc of [...home, ...(more ? ["vip"] : []), ...inside])
      lines.push(`location ${rsc}-not-${host} ${rsc} -inf: ${farName(host)}`);
  }
  for (const host of servingHosts)
    lines.push(
      `primitive ${farName(host)} ocf:pacemaker:remote params server=${host} op monitor interval=5s timeout=30s op start timeout=60s`,
      `location not-promoted-on-${host} dbs role=Promoted -inf: ${farName(host)}`,
    );
  const orders: OwnershipRules["orders"] = [
    ...promotedFirst.map((second) => ({ first: "db", role: "promoted" as const, second })),
    { first: "address", role: "started", second: "files" },
    { first: "files", role: "started", second: "web" },
    { first: "web", role: "started", second: "scene-server" },
  ];
  return {
    crm: `${lines.join("\n")}\n`,
    singles,
    clones: ["db", "agent"],
    promotable: { rsc: "db", max: promotedMax },
    servingHosts,
    ...(boxed ? { bundled: { rsc: "cache", replicas: 2 } } : {}),
    withPromoted: [...group, "scene-server"],
    addresses: new Map([["address", serviceAddress], ...(more ? ([["vip", secondAddress]] as const) : [])]),
    rules: {
      clones: new Set(["db", "agent", "ping", "cache", slowClone]),
      promotedMax: new Map([["db", promotedMax]]),
      orders,
    },
  };
}

const addressText = (rsc: string, ip: string): string =>
  `primitive ${rsc} ocf:heartbeat:IPaddr2 params ip=${ip} cidr_netmask=24 nic=eth0 arp_bg=true op monitor interval=5s timeout=60s ${times}`;
