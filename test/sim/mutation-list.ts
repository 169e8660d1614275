import type { Mutation } from "../harness/mutate.ts";

const face = "totem/face.ts";
const rotation = "totem/srp/rotation.ts";
const ring = "totem/srp/ring.ts";
const delivery = "totem/srp/delivery.ts";
const recovery = "totem/srp/recovery.ts";
const formation = "totem/srp/formation.ts";
const proposal = "totem/srp/proposal.ts";
const single = "totem/srp/single-ring.ts";
const operation = "totem/srp/operation.ts";
const seal = "totem/seal.ts";
const sealWindow = "totem/seal-window.ts";
const links = "totem/links.ts";
const quorum = "quorum/quorum.ts";
const core = "daemon/ring-core.ts";
const participants = "daemon/ring-core-participants.ts";
const keys = "daemon/ring-core-keys.ts";

/** What the simulator or a test has to find. */
export const mutations: readonly Mutation[] = [
  {
    name: "aru is off by one: a member with one hole does not hold it down",
    file: rotation,
    before: "if (ring.aru < token.aru ||",
    after: "if (ring.aru + 1 < token.aru ||",
  },
  {
    name: "a message counts as safe after one visit of the token",
    file: rotation,
    before: "Math.min(token.aru, ring.lastAru)",
    after: "token.aru",
  },
  {
    name: "a token that was here before is accepted",
    file: rotation,
    before: "if (token.hop <= ring.lastHop) {",
    after: "if (token.hop < ring.lastHop - 1) {",
  },
  {
    name: "the last hole is not asked for",
    file: ring,
    before: "sequence <= end; sequence++",
    after: "sequence < end; sequence++",
  },
  {
    name: "messages are thrown away before all have them",
    file: operation,
    before: "rotation.ring.free(rotation.ring.safeUpTo);",
    after: "rotation.ring.free(rotation.ring.aru);",
  },
  {
    name: "delivery goes on past a hole",
    file: delivery,
    before: "  inOrder(ring: Ring): void {\n",
    after:
      "  inOrder(ring: Ring): void {\n    if (!ring.get(ring.delivered + 1) && ring.get(ring.delivered + 2)) ring.delivered++;\n",
  },
  {
    name: "behind a hole that nobody can fill everything is delivered",
    file: delivery,
    before: "else if (!hole || creditors.has(message.sender)) {",
    after: "else if (creditors !== undefined) {",
  },
  {
    name: "what a carrier brings of the old ring is not taken in",
    file: recovery,
    before: "!this.#old.owns(inner, carrier.sender)",
    after: "this.#old.owns(inner, carrier.sender)",
  },
  {
    name: "a safe message is delivered though a member may lack it",
    file: delivery,
    before: "if (message.safe && message.sequence > reached) return;",
    after: "if (message.safe && message.sequence > reached + 1) return;",
  },
  {
    name: "recovery skips the first message that somebody lacks",
    file: recovery,
    before: "for (let sequence = low + 1; sequence <= high; sequence++)",
    after: "for (let sequence = low + 2; sequence <= high; sequence++)",
  },
  {
    name: "recovery ends before all have everything",
    file: recovery,
    before: "const done = this.#quiet >= INSTALL_VISITS && this.#installSequence <= token.aru;",
    after: "const done = true;",
  },
  {
    name: "the obligation of a recovery that failed is forgotten",
    file: recovery,
    before: "[entry.id, ...entry.obligation]",
    after: "[entry.id]",
  },
  {
    name: "rings with the same number count as the same ring",
    file: recovery,
    before: "sameRing(entry.oldRing, old.id)",
    after: "entry.oldRing.sequence === old.id.sequence",
  },
  {
    name: "the transitional configuration has all members of both rings",
    file: formation,
    before: "const members = old.members.filter((id) => survivors.has(id));",
    after: "const members = old.members.filter((id) => ring.memberSet.has(id));",
  },
  {
    name: "the transitional configuration has this node alone",
    file: recovery,
    before: "this.survivors = new Set(kin.map((entry) => entry.id));",
    after: "this.survivors = new Set([context.self]);",
  },
  {
    name: "the ring sequence on disk is forgotten at the start",
    file: single,
    before: "this.#core.highest = ringSequence;",
    after: "this.#core.highest = 0;",
  },
  {
    name: "a ring does not wait for its sequence to be on disk",
    file: formation,
    before: "return this.#awaited > this.#stored;",
    after: "return false;",
  },
  {
    name: "the commit token passes though somebody has not filled in",
    file: formation,
    before:
      "if (!same || commit.hop !== index || index === 0 || commit.ring.sequence <= this.#core.highest) return;",
    after: "if (commit.hop !== index || index === 0 || commit.ring.sequence <= this.#core.highest) return;",
  },
  {
    name: "an old commit token is accepted",
    file: formation,
    before: "|| commit.ring.sequence <= this.#core.highest) return;",
    after: ") return;",
  },
  {
    name: "old messages are taken in after the others were told what is here",
    file: operation,
    before: 'const open = state.name === "operational" || state.name === "gather";',
    after: "const open = true;",
  },
  {
    name: "a message that was cut by the end of the ring is not sent again",
    file: "totem/srp/send-queue.ts",
    before: "    head.offset = 0;\n",
    after: "",
  },
  {
    name: "joins of an earlier time are believed",
    file: proposal,
    before: "if (join.ringSequence < id.sequence) return this.#staleJoin();",
    after: "",
  },
  {
    name: "what waited in the socket is believed after a pause",
    file: single,
    before: "if (this.#core.context.now < this.#distrustUntil) {",
    after: "if (this.#core.context.now < Number.NEGATIVE_INFINITY) {",
  },
  {
    name: "a node with another configuration may come in",
    file: "totem/srp/neighbours.ts",
    before: "reason));\n    return true;",
    after: "reason));\n    return false;",
  },
  {
    name: "the keys of two starts are the same, so nonces come again",
    file: "totem/seal-key.ts",
    before: "  about.writeUInt32BE(high, 8);\n  about.writeUInt32BE(low, 12);\n",
    after: "",
  },
  {
    name: "the replay window accepts more than it remembers",
    file: sealWindow,
    before: "if (counter <= this.lowest || counter <= this.highest - BITS) return false;",
    after: "if (counter <= this.lowest) return false;",
  },
  {
    name: "a datagram that was recorded is accepted again",
    file: seal,
    before: 'if (known && !known.window.isFresh(counter)) return "replay";',
    after: "",
  },
  {
    name: "an incarnation that has proved nothing is believed",
    file: links,
    before: '    if (!opened.proven) {\n      this.probe(peer, now);\n      return "unproven";\n    }\n',
    after: "",
  },
  {
    name: "half of the votes are a majority",
    file: quorum,
    before: "Math.floor(this.expected / 2) + 1",
    after: "Math.ceil(this.expected / 2)",
  },
  {
    name: "half of the last quorate membership may succeed it",
    file: quorum,
    before: "here * 2 > all ||",
    after: "here * 2 >= all ||",
  },
  {
    name: "the window of an earlier membership lowers the expected votes",
    file: quorum,
    before:
      "if (ringSequence !== this.ringSequence || !this.options.lastManStanding || !this.agreed) return [];",
    after: "if (!this.options.lastManStanding || !this.agreed) return [];",
  },
  {
    name: "wait_for_all does not wait",
    file: quorum,
    before: "const waiting = this.waits && !this.seenAll;",
    after: "const waiting = false;",
  },
  {
    name: "messages of another membership reach the manager",
    file: participants,
    before: "return this.settled || this.companions.has(from);",
    after: "return true;",
  },
  {
    name: "who went another way in between counts as a companion",
    file: participants,
    before: "this.companions = this.survivors(this.companions);",
    after: "",
  },
  {
    name: "the new key is used before all have it",
    file: keys,
    before: "if (!change || this.missing(members).length > 0) return [];",
    after: "if (!change) return [];",
  },
  {
    name: "found once: rings of one name count as one after a disk was lost",
    file: face,
    before: "a.memberDigest === b.memberDigest",
    after: "true",
  },
  {
    name: "found once: votes are counted before all have what they follow from",
    file: core,
    before: 'decidesVotes.has(message.kind) ? "safe" : "agreed"',
    after: '"agreed"',
  },
  {
    name: "found once: what only a part may have heard counts for the quorum",
    file: quorum,
    before: 'this.uncertain = event.kind === "transitional"',
    after: "this.uncertain = false",
  },
  {
    name: "found once: goodbyes count for those only who have heard them",
    file: quorum,
    before: "departed(incumbents, views)",
    after: "(views.get(this.self)?.orderlyLeft ?? [])",
  },
  {
    name: "found once: who starts again knows of no earlier quorum",
    file: quorum,
    before: "if (this.members.size > 0) this.persist(effects);",
    after: "if (this.options.lastManStanding) this.persist(effects);",
  },
  {
    name: "found once: a smaller node list needs no majority of the nodes before",
    file: quorum,
    before: "return expectedVotes === this.configured &&",
    after: "return expectedVotes >= this.configured &&",
  },
  {
    name: "found once: votes that were set make the same majority as configured ones, if their sum is the same",
    file: quorum,
    before: "=== this.configured && !votesSet;",
    after: "=== this.configured;",
  },
  {
    name: "found once: a node brings set votes to a majority of configured ones",
    file: quorum,
    before: "if (!hasMost(this.listedHere(), this.configured)) return false;",
    after: "",
  },
  {
    name: "found once: removed nodes have no vote in what was before",
    file: quorum,
    before: "    for (const [node, votes] of members) {\n",
    after: "    for (const [node] of members) {\n      const votes = this.options.votes.get(node) ?? 0;\n",
  },
  {
    name: "found once: a node goes on by rules that the others of the last quorate membership do not have",
    file: quorum,
    before: "return members.length === 0 || (this.agreed && (rules ?? this.rules) === this.rules);",
    after: "return true;",
  },
  {
    name: "found once: who is left goes on with votes that those who are not here do not know of",
    file: quorum,
    before: "!electorate.votesSet && here * 2 <= expected) return false;",
    after: "!electorate.votesSet && here < 0) return false;",
  },
  {
    name: "found once: who has said goodbye counts as a member still",
    file: quorum,
    before: "if (!this.options.allowDownscale) return [];",
    after: "if (this.self > 0) return [];",
  },
  {
    name: "found once: expected votes are lowered after the quorum is gone",
    file: "daemon/ring-core.ts",
    before: "if (wanted.whileQuorate && !this.quorum.current().quorate) {",
    after: "if (wanted.id < 0) {",
  },
  {
    name: "found once: a node whose disk is full holds up the others",
    file: proposal,
    before: "if (!this.#formation.waitsForDisk)",
    after: "if (gather.self > 0)",
  },
  {
    name: "who has changed its mind before it got the commit token is waited for until that is lost",
    file: proposal,
    before: 'state.name === "commit" && state.gather.outgrownBy(join)',
    after: "join.failed.size > 1e9",
  },
  {
    name: "news does not make the joins fast again",
    file: proposal,
    before: "    gather.joinsSent = 0;\n",
    after: "",
  },
];
