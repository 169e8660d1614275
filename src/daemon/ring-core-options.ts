import { type QuorumEvent, quorumRuleOptions } from "../quorum/index.ts";
import type { NodeId } from "../terms/index.ts";
import { SEAL_BODY_OVERHEAD, type TotemOptions } from "../totem/index.ts";
import type { Disagreement, RingCoreOptions, RingEvent } from "./ring-core-face.ts";
import type { Announcement } from "./ring-core-wire.ts";

/** What quorum starts with: what the ring had kept over its restart. */
export function quorumStart(event: Extract<RingEvent, { type: "start" }>): QuorumEvent {
  const { expectedVotes, lastQuorate } = event;
  return {
    type: "start",
    ...(expectedVotes === undefined ? {} : { expectedVotes }),
    ...(lastQuorate === undefined ? {} : { lastQuorate }),
  };
}

/** The other nodes of the node list. */
export function peersOf(options: RingCoreOptions): NodeId[] {
  return options.links.nodes.map(({ node }) => node).filter((node) => node !== options.self);
}

/** The protocol's datagrams have to leave room for the seal. */
export function totemOptions(options: RingCoreOptions): TotemOptions {
  const { totem, configVersion } = options;
  return { ...totem, configVersion, netmtu: totem.netmtu - SEAL_BODY_OVERHEAD };
}

/** In which options other nodes differ from this one. */
export function differences(
  { self, agreement: options, configVersion: ownVersion }: RingCoreOptions,
  announced: ReadonlyMap<NodeId, Announcement>,
): Disagreement[] {
  const own = new Map(options);
  const found: Disagreement[] = [];
  for (const [node, { agreement, configVersion }] of announced) {
    if (node === self) continue;
    const theirs = new Map(agreement);
    for (const name of new Set([...own.keys(), ...theirs.keys()])) {
      const here = own.get(name) ?? "not set";
      const there = theirs.get(name) ?? "not set";
      if (here === there) continue;
      const text = `has another ${name}: ${there} there, ${here} here`;
      found.push({ node, text, ...(quorumRuleOptions.has(name) && { quorum: true }) });
    }
    if (configVersion !== ownVersion)
      found.push({ node, text: `has another config_version: ${configVersion} there, ${ownVersion} here` });
  }
  return found;
}
