import type { Millis, NodeId } from "../terms/index.ts";
import {
  departed,
  distinct,
  doubtsOf,
  type Electorate,
  type LastQuorate,
  lastQuorate,
  nodesOf,
  type QuorumView,
  votesBefore,
} from "./electorate.ts";
import type { QuorumOptions, QuorumState } from "./face.ts";
import { NOBODYS_RULES, rulesText, votesByRules } from "./rules.ts";
import { holdsTieBreaker } from "./tie-breaker.ts";

/** Events at points of the message order, the same on all members, except `start`, `timer`, `leave` and `reconfigure`. */
export type QuorumEvent =
  /** With what was persisted in an earlier run. */
  | { readonly type: "start"; readonly expectedVotes?: number; readonly lastQuorate?: LastQuorate }
  | {
      readonly type: "membership";
      readonly ringSequence: number;
      readonly views: ReadonlyMap<NodeId, QuorumView>;
    }
  /** An administrator sets the expected votes. */
  | { readonly type: "set-expected"; readonly expectedVotes: number }
  /** An administrator sets the votes of a member, until it starts again or another configuration comes into force. */
  | { readonly type: "set-votes"; readonly node: NodeId; readonly votes: number }
  /**
   * A configuration begins (extended virtual synchrony). What comes while it is the transitional one has reached its
   * members, and nobody knows whether the others of the ring before have taken it.
   */
  | { readonly type: "configuration"; readonly kind: "transitional" | "regular" }
  /** A member's last_man_standing window ended in the membership with this sequence. */
  | { readonly type: "window-over"; readonly ringSequence: number }
  | { readonly type: "timer" }
  /** This node says goodbye. */
  | { readonly type: "leave" }
  | { readonly type: "reconfigure"; readonly options: QuorumOptions };

export type QuorumEffect =
  | { readonly type: "set-timer"; readonly timer: "last-man-standing"; readonly afterMs: Millis }
  | { readonly type: "cancel-timer"; readonly timer: "last-man-standing" }
  /** Multicast this, so that every member applies it at the same point: answer is `window-over`. */
  | { readonly type: "propose-window-over"; readonly ringSequence: number }
  /**
   * Keep over restarts: the expected votes (allow_downscale implies expected_votes_tracking) and the last quorate
   * membership.
   */
  | { readonly type: "persist"; readonly expectedVotes: number; readonly lastQuorate: LastQuorate }
  | { readonly type: "state"; readonly state: QuorumState }
  | { readonly type: "log"; readonly level: "info" | "notice" | "warning"; readonly text: string };

/**
 * Votes (votequorum(5)): quorum is floor(expected/2) + 1, where expected are the highest expected votes that any
 * member announces, and never fewer than the votes that are there. They go down only by last_man_standing, by
 * allow_downscale, or by an administrator.
 *
 * Where expected votes were changed, a majority of them is not enough: with lower ones those who were left behind
 * could make up one with the help of a single deserter, with a changed node list those who have read the new list
 * beside those who have not. So the members must also have more than half of the votes of the last quorate
 * membership that any of them knows (dynamic voting: Jajodia and Mutchler, TODS 15(2), 1990), or half of them with
 * the node that breaks ties. Of a membership in which everything was as configured they need more than half of the
 * configured votes instead, whatever votes have been set since: either way two parts that go on from the same
 * membership have a node in common, which knows of the first of them.
 *
 * What is decided while the ring falls apart may be in force on the other side only, or here only. So it raises the
 * expected votes here, but never lowers them, and stays in doubt until a membership that satisfies both outcomes is
 * quorate (Yeger Lotem, Keidar, Dolev: Dynamic Voting for Consistent Primary Components, PODC 1997).
 *
 * Half of the votes, or one of two nodes, is enough only by a rule that those who are not here have, too: both halves
 * would be quorate by rules of their own otherwise. So each membership is remembered with the rules that all its members
 * had, and whoever goes on from it with others, or from one whose members had different ones, needs a majority.
 *
 * That all nodes were seen (wait_for_all) is deliberately not kept over a restart of the node: a node that was
 * fenced and boots without its network must not become quorate alone. It is learned from the members instead.
 */
export class Quorum {
  private readonly self: NodeId;
  private options: QuorumOptions;
  /** Those options as text, to be compared with those of others. */
  private rules: string;
  /** Whether all members have these rules. */
  private agreed = true;
  /** Whether all nodes have to be seen first. */
  private waits: boolean;
  private expected: number;
  /**
   * Expected votes of the configuration that is in force in the membership. A node that has just started may have read
   * a newer one, which is not in force before all have read it.
   */
  private configured: number;
  private seenAll = false;
  private ringSequence = 0;
  private members: ReadonlyMap<NodeId, number>;
  /** Votes of the members by the configuration. */
  private listed: ReadonlyMap<NodeId, number> = new Map();
  /** Votes of this node that an administrator has set. */
  private given: number | undefined;
  /** Whether votes that an administrator set, or that one file alone gives, have raised the expected ones. */
  private raised = false;
  /** Whether they were when that was last told. */
  private wasRaised = false;
  /** Votes of nodes that an administrator has set, as last seen: of those that lose them is told. */
  private readonly seenGiven = new Map<NodeId, number>();
  private last: Electorate = { sequence: 0, members: [], expectedVotes: 0 };
  /** Memberships after that of which nobody knows whether they became quorate. */
  private doubts: readonly Electorate[] = [];
  /** Whether the others may not take what comes now. */
  private uncertain = false;
  private state: QuorumState;
  private windowRunning = false;
  /** What was last given to be kept, as text. */
  private kept = "";

  constructor(self: NodeId, options: QuorumOptions) {
    this.self = self;
    this.options = options;
    this.rules = rulesText(options);
    this.waits = options.waitForAll;
    this.configured = configuredVotes(options);
    this.expected = this.configured;
    this.members = new Map();
    this.state = this.evaluate();
  }

  /** What this node announces. `orderlyLeft`: who said goodbye since the last membership that it was in. */
  view(orderlyLeft: readonly NodeId[]): QuorumView {
    const listed = this.options.votes.get(this.self) ?? 0;
    return {
      votes: this.given ?? listed,
      ...(this.given !== undefined && { listedVotes: listed }),
      expectedVotes: this.expected,
      configuredVotes: this.configured,
      seenAll: this.seenAll,
      quorate: this.state.quorate,
      quorateSequence: this.last.sequence,
      quorateMembers: this.last.members,
      quorateExpected: this.last.expectedVotes,
      ...(this.last.votesSet && { quorateVotesSet: true }),
      ...(this.last.rules !== undefined && { quorateRules: this.last.rules }),
      ...(this.raised && { raised: true }),
      rules: this.rules,
      ...(this.options.waitForAll && { waitsForAll: true }),
      doubts: this.doubts,
      orderlyLeft,
    };
  }

  /** Votes of the members, as they count. */
  memberVotes(): ReadonlyMap<NodeId, number> {
    return this.members;
  }

  /** Votes of the members by the configuration: others are those that an administrator has set. */
  configuredVotes(): ReadonlyMap<NodeId, number> {
    return this.listed;
  }

  /** The state at this point of the order. */
  current(): QuorumState {
    return this.state;
  }

  /** What the state would be with other rules, by which votes that an administrator has set end; nothing is changed. */
  stateWith(options: QuorumOptions): QuorumState {
    const before = this.remembered();
    this.adopt(options);
    const state = this.evaluate();
    Object.assign(this, before);
    return state;
  }

  step(event: QuorumEvent, _now: Millis): QuorumEffect[] {
    switch (event.type) {
      case "start":
        if (event.expectedVotes !== undefined && this.options.allowDownscale) {
          this.expected = Math.max(this.expected, event.expectedVotes);
        }
        if (event.lastQuorate) this.remember(event.lastQuorate);
        if (event.lastQuorate?.raised && this.expected > this.configured) this.raised = true;
        return this.settle([]);
      case "configuration":
        this.uncertain = event.kind === "transitional";
        return [];
      case "membership":
        return this.onMembership(event.ringSequence, event.views);
      case "set-expected":
        return this.onSetExpected(event.expectedVotes);
      case "set-votes":
        return this.onSetVotes(event.node, event.votes);
      case "timer":
        this.windowRunning = false;
        return this.state.quorate && this.options.lastManStanding
          ? [{ type: "propose-window-over", ringSequence: this.ringSequence }]
          : [];
      case "window-over":
        return this.onWindowOver(event.ringSequence);
      case "leave":
        return this.onLeave();
      case "reconfigure":
        return this.onReconfigure(event.options);
    }
  }

  private onMembership(ringSequence: number, views: ReadonlyMap<NodeId, QuorumView>): QuorumEffect[] {
    if (this.uncertain) {
      this.doubt(() => this.enter(ringSequence, views));
      return this.settle([]);
    }
    const expected = this.expected;
    this.enter(ringSequence, views);
    return this.settle(this.tellOfGivenVotes(expected, "it has started again"));
  }

  private enter(ringSequence: number, views: ReadonlyMap<NodeId, QuorumView>): void {
    this.ringSequence = ringSequence;
    this.members = new Map([...views].map(([node, view]) => [node, view.votes]));
    this.listed = new Map([...views].map(([node, view]) => [node, view.listedVotes ?? view.votes]));
    const all = [...views.values()];
    const incumbents = lastQuorate(all);
    const authority = incumbents.filter((view) => view.quorate);
    const speakers = authority.length > 0 ? authority : all;
    this.agreed = new Set(all.flatMap(({ rules }) => rules ?? [])).size <= 1;
    this.waits = this.agreed ? this.options.waitForAll : speakers.some(({ waitsForAll }) => waitsForAll);
    this.expected = Math.max(...speakers.map((view) => view.expectedVotes));
    this.configured = Math.max(...speakers.map((view) => view.configuredVotes));
    this.seenAll = all.some((view) => view.seenAll);
    this.raised = speakers.some((view) => view.raised);
    if (all.every(({ rules }) => rules === this.rules)) this.followConfiguration();
    const present = this.present();
    const departedNodes = departed(incumbents, views);
    const rules = rulesOf(incumbents);
    const downscale = this.options.allowDownscale && this.agreed && (rules ?? this.rules) === this.rules;
    const goneNodes = downscale ? departedNodes : [];
    if (authority.length > 0 && goneNodes.length > 0) {
      const gone = goneNodes.reduce((sum, node) => sum + votesBefore(incumbents, node), 0);
      this.expected = Math.max(present, this.configured, this.expected - gone);
    }
    if (present > this.expected && !this.agreed) this.raised = true;
    this.expected = Math.max(this.expected, present);
    const [newest] = incumbents;
    const counts = (node: NodeId) =>
      !goneNodes.includes(node) &&
      incumbents.every((view) => view.quorateMembers.some(([member]) => member === node));
    if (newest) {
      // Those who have left in order go on from a membership with rules that are not theirs: they need a majority.
      const alone =
        authority.length > 0 &&
        newest.quorateMembers.every(([node]) => views.has(node) || departedNodes.includes(node));
      this.last = {
        sequence: newest.quorateSequence,
        members: newest.quorateMembers.filter(([node]) => counts(node)),
        expectedVotes: Math.max(...incumbents.map((view) => view.quorateExpected)),
        ...(incumbents.some((view) => view.quorateVotesSet) && { votesSet: true }),
        ...(rules !== undefined && !alone && { rules }),
      };
    }
    this.doubts = doubtsOf([...views.values()], this.last.sequence);
    // Where it is a plain majority that had to be there, it has to be here.
    for (const doubt of this.doubts)
      if (this.isAsConfigured(doubt)) this.expected = Math.max(this.expected, doubt.expectedVotes);
    this.lowerRaised();
  }

  /** All members have read the same: that is in force, as with a reload (`adopt`). */
  private followConfiguration(): void {
    const before = this.configured;
    this.configured = configuredVotes(this.options);
    if (before !== this.configured && !this.raised) this.expected = this.configured;
  }

  /** With all that are configured here, each with its configured votes, there are no others to be expected. */
  private lowerRaised(): void {
    if (!this.raised || !this.agreed || this.votesSet() || this.listedHere() < this.configured) return;
    this.expected = Math.max(this.configured, this.present());
    this.raised = false;
  }

  /** Which nodes have lost the votes that an administrator had set, and what is expected now. */
  private tellOfGivenVotes(expectedBefore: number, why: string): QuorumEffect[] {
    const effects: QuorumEffect[] = [];
    const say = (level: "notice" | "warning", text: string) => effects.push({ type: "log", level, text });
    for (const [node, votes] of this.members) {
      const before = this.seenGiven.get(node);
      if (votes !== this.listed.get(node)) this.seenGiven.set(node, votes);
      else if (before !== undefined) {
        this.seenGiven.delete(node);
        if (before !== votes)
          say(
            "warning",
            `votes of node ${node} go from ${before}, which an administrator had set, back to the configured ${votes}: ${why}`,
          );
      }
    }
    const lost = effects.length > 0;
    if (this.raised && lost)
      say(
        "warning",
        `expected votes stay at ${this.expected}, ${this.configured} are configured, until all nodes are here with their configured votes; 'hactl quorum expected NUMBER' sets them`,
      );
    else if (this.raised && !this.wasRaised && !this.votesSet())
      say(
        "warning",
        `${this.expected} votes are expected, ${this.configured} are configured: the file of a node gives it more votes than those of the others; they go back when all nodes are here and have read the same`,
      );
    else if (!this.raised && this.wasRaised && this.expected < expectedBefore)
      say(
        "notice",
        `expected votes go from ${expectedBefore} back to ${this.expected}: all nodes are here with their configured votes`,
      );
    this.wasRaised = this.raised;
    return effects;
  }

  private onSetExpected(expectedVotes: number): QuorumEffect[] {
    const votes = Math.max(1, Math.floor(expectedVotes));
    const effects: QuorumEffect[] = [];
    if (votes < this.present()) {
      effects.push({
        type: "log",
        level: "warning",
        text: `expected votes stay at ${this.present()}: so many are present, ${votes} were asked for`,
      });
    }
    const wanted = Math.max(votes, this.present());
    const change = () => {
      this.expected = wanted;
      this.raised = false;
      // Whoever lowers them answers for those that are not here; so does who says that there are no other votes.
      const before = Math.max(...this.electorates().map(({ expectedVotes }) => expectedVotes));
      if (this.expected < before || this.expected === this.present()) {
        this.last = { ...this.electorate(), sequence: this.last.sequence };
        this.doubts = [];
      }
    };
    if (this.uncertain) {
      this.doubt(change);
      return this.settle(effects);
    }
    change();
    this.wasRaised = false;
    effects.push({
      type: "log",
      level: "notice",
      text: `expected votes set to ${this.expected} by an administrator`,
    });
    return this.settle(effects);
  }

  /**
   * A node that gets more votes makes a majority larger, be it seen by all or not: those who are not here are not to
   * have one with the votes that they know of. Votes that a node loses stay expected: it has them again when it starts
   * again. Only when all have their configured votes again, and are here, nothing more is expected than that.
   */
  private onSetVotes(node: NodeId, votes: number): QuorumEffect[] {
    const before = this.members.get(node);
    const say = (level: "notice" | "warning", text: string): QuorumEffect => ({ type: "log", level, text });
    if (before === undefined)
      return this.settle([say("warning", `votes of node ${node} stay: it is not a member`)]);
    // Members that had a quorum without us would not count what is given here.
    if (!this.state.quorate)
      return this.settle([say("warning", `votes of node ${node} stay at ${before}: there is no quorum`)]);
    const { members, expected, raised } = this;
    const change = () => {
      this.members = new Map([...members, [node, votes]]);
      this.expected = Math.max(expected + Math.max(0, votes - before), this.present());
      if (this.expected > expected) this.raised = true;
      this.lowerRaised();
    };
    if (this.uncertain) {
      this.doubt(change);
      return this.settle([]);
    }
    change();
    if (!this.evaluate().quorate) {
      Object.assign(this, { members, expected, raised });
      return this.settle([
        say("warning", `votes of node ${node} stay at ${before}: with ${votes} the quorum would be lost`),
      ]);
    }
    if (node === this.self) this.given = votes === this.listed.get(node) ? undefined : votes;
    this.seenGiven.delete(node);
    return this.settle([
      say("notice", `votes of node ${node} set to ${votes} by an administrator`),
      ...this.tellOfGivenVotes(expected, ""),
    ]);
  }

  private onWindowOver(ringSequence: number): QuorumEffect[] {
    // A window that another member's clock ended earlier, or of a membership that is over.
    if (ringSequence !== this.ringSequence || !this.options.lastManStanding || !this.agreed) return [];
    const present = this.present();
    if (!this.state.quorate || present >= this.expected) return [];
    if (this.uncertain) {
      this.doubt(() => {
        this.expected = present;
      });
      return this.settle([]);
    }
    const effects: QuorumEffect[] = [
      {
        type: "log",
        level: "notice",
        text: `last man standing: expected votes go from ${this.expected} to ${present}`,
      },
    ];
    this.expected = present;
    return this.settle(effects);
  }

  /** The others go on with fewer expected votes: this node's vote is not to speak for the membership that it left. */
  private onLeave(): QuorumEffect[] {
    if (!this.options.allowDownscale) return [];
    const without = (electorate: Electorate): Electorate => ({
      ...electorate,
      members: electorate.members.filter(([node]) => node !== this.self),
    });
    this.last = without(this.last);
    this.doubts = this.doubts.map(without);
    const effects: QuorumEffect[] = [];
    this.persist(effects);
    return effects;
  }

  private onReconfigure(options: QuorumOptions): QuorumEffect[] {
    // In doubt it comes again when the next membership has begun.
    if (this.uncertain) {
      this.doubt(() => this.adopt(options));
      return this.settle([]);
    }
    const expected = this.expected;
    this.adopt(options);
    return this.settle(this.tellOfGivenVotes(expected, "a changed configuration is in force"));
  }

  private adopt(options: QuorumOptions): void {
    const before = this.configured;
    this.options = options;
    this.rules = rulesText(options);
    this.agreed = true;
    this.waits = options.waitForAll;
    if (this.state.quorate) {
      // Who is quorate goes on with them; those who are not here have the rules before, by which they are not quorate.
      const { rules } = this;
      this.last = { ...this.last, rules };
      this.doubts = this.doubts.map((doubt) => ({ ...doubt, rules }));
    }
    this.configured = configuredVotes(options);
    if (before !== this.configured) {
      this.expected = this.configured;
      this.raised = false;
    }
    this.given = undefined;
    this.members = new Map([...this.members.keys()].map((node) => [node, options.votes.get(node) ?? 0]));
    this.listed = this.members;
    this.expected = Math.max(this.expected, this.present());
    this.lowerRaised();
  }

  private present(): number {
    return sum(this.members.values());
  }

  /** Votes of the members by the configuration. */
  private listedHere(): number {
    return sum(this.listed.values());
  }

  /** Whether a member has other votes than the configured ones. */
  private votesSet(): boolean {
    return [...this.members].some(([node, votes]) => votes !== this.listed.get(node));
  }

  /** Computes the state, remembers what has to be remembered, starts or stops the window. */
  private settle(effects: QuorumEffect[]): QuorumEffect[] {
    const before = this.state;
    if (this.members.size > 0 && this.present() >= this.expected) this.seenAll = true;
    this.state = this.evaluate();
    if (this.state.quorate && !this.uncertain) {
      this.last = this.electorate();
      this.doubts = [];
    }
    if (this.members.size > 0) this.persist(effects);
    effects.push(...this.window());
    if (before.quorate !== this.state.quorate) {
      effects.push({
        type: "log",
        level: this.state.quorate ? "notice" : "warning",
        text: this.state.quorate
          ? `quorum reached: ${this.state.reason}`
          : `quorum is missing: ${this.state.reason}`,
      });
    }
    effects.push({ type: "state", state: this.state });
    return effects;
  }

  private persist(effects: QuorumEffect[]): void {
    const lastQuorate: LastQuorate = {
      ...this.last,
      ...(this.raised && { raised: true }),
      ...(this.doubts.length > 0 && { doubts: this.doubts }),
    };
    const kept = JSON.stringify([this.expected, lastQuorate]);
    if (kept === this.kept) return;
    this.kept = kept;
    effects.push({ type: "persist", expectedVotes: this.expected, lastQuorate });
  }

  private window(): QuorumEffect[] {
    const wanted =
      this.options.lastManStanding && this.agreed && this.state.quorate && this.present() < this.expected;
    if (wanted) {
      this.windowRunning = true;
      return [
        { type: "set-timer", timer: "last-man-standing", afterMs: this.options.lastManStandingWindowMs },
      ];
    }
    if (!this.windowRunning) return [];
    this.windowRunning = false;
    return [{ type: "cancel-timer", timer: "last-man-standing" }];
  }

  private evaluate(): QuorumState {
    const votes = this.present();
    const shared = this.sharesRules();
    const twoNode = shared && this.options.twoNode && this.options.votes.size <= 2 && this.members.size <= 2;
    const needed = twoNode ? 1 : Math.floor(this.expected / 2) + 1;
    const waiting = this.waits && !this.seenAll;
    // Whoever may have been quorate since then may have another node that breaks ties.
    const tie =
      this.options.autoTieBreaker &&
      votes * 2 === this.expected &&
      this.electorates().every((electorate) => this.breaksTieOf(electorate));
    const base = {
      ...{ votes, expectedVotes: this.expected, needed, flags: this.flags() },
      ...(this.raised && this.expected > this.configured && { configuredVotes: this.configured }),
    };
    const strict = shared
      ? ""
      : `; only a majority counts, for the options of quorum ${this.agreed ? "are others than in the last quorate membership" : "differ between the members"}`;
    if (this.members.size === 0) return { ...base, quorate: false, reason: "no membership yet" };
    if (waiting) {
      const reason = `waiting for all nodes: ${votes} of ${this.expected} votes have been seen together`;
      return { ...base, quorate: false, reason };
    }
    if (twoNode && votes < this.expected) {
      return { ...base, quorate: true, reason: "one of two nodes is enough (two_node)" };
    }
    const unmatched = this.electorates().find((electorate) => !this.succeeds(electorate));
    if (unmatched) {
      const which =
        unmatched === this.last ? "the last quorate membership" : "one that may have been quorate";
      const reason = `the members have not the majority of ${which}: ${nodesOf(unmatched).join(", ")}${strict}`;
      return { ...base, quorate: false, reason };
    }
    const given = this.raised ? `; votes were raised, ${this.configured} are configured` : "";
    if (votes >= needed) {
      return {
        ...base,
        quorate: true,
        reason: `${votes} of ${this.expected} votes, ${needed} needed${given}`,
      };
    }
    if (tie) {
      const reason = `half of ${this.expected} votes, and the tie-breaking node is here`;
      return { ...base, quorate: true, reason };
    }
    return {
      ...base,
      quorate: false,
      reason: `${votes} of ${this.expected} votes present, ${needed} needed${given}${strict}`,
    };
  }

  private electorate(): Electorate {
    const members = [...this.members].sort(([a], [b]) => a - b);
    return {
      sequence: this.ringSequence,
      members,
      expectedVotes: this.expected,
      ...(this.votesSet() && { votesSet: true }),
      rules: this.agreed ? this.rules : NOBODYS_RULES,
    };
  }

  /**
   * The others may have taken this: notes the membership that is quorate by it, if there is one. It raises the
   * expected votes here, too, and changes nothing else.
   */
  private doubt(change: () => void): void {
    const before = this.remembered();
    const { expected, doubts } = this;
    change();
    const electorate = this.evaluate().quorate ? this.electorate() : undefined;
    const wouldRaise = this.raised;
    Object.assign(this, before);
    if (!electorate) return;
    this.doubts = distinct([...doubts, electorate]);
    this.expected = Math.max(expected, electorate.expectedVotes);
    if (this.expected > expected && wouldRaise) this.raised = true;
  }

  /** All that a change changes, to be put back. */
  private remembered() {
    const { options, rules, agreed, waits, expected, configured, seenAll, ringSequence, members } = this;
    const { listed, given, raised, last, doubts } = this;
    return {
      ...{ options, rules, agreed, waits, expected, configured, seenAll, ringSequence, members },
      ...{ listed, given, raised, last, doubts },
    };
  }

  /** Whether nobody else can have gone on from a quorate membership. */
  private succeeds(electorate: Electorate): boolean {
    const { members } = electorate;
    if (members.length === 0) return true;
    const hasMost = (here: number, all: number) =>
      here * 2 > all || (this.options.autoTieBreaker && here * 2 === all && this.breaksTieOf(electorate));
    if (!this.sharesRulesOf(electorate)) {
      // Those who still have the rules of that membership count by them.
      const { votes, expected } = votesByRules(electorate.rules ?? NOBODYS_RULES);
      const here = sum([...this.members.keys()].map((node) => votes.get(node) ?? 0));
      if (electorate.expectedVotes === expected && !electorate.votesSet && here * 2 <= expected) return false;
    } else if (this.isAsConfigured(electorate)) {
      if (!hasMost(this.listedHere(), this.configured)) return false;
      // With a configuration that gives the same votes to others, those who have not read it count as before.
      if (!members.some(([node, votes]) => (this.listed.get(node) ?? votes) !== votes)) return true;
    }
    // A node without a vote may have gone on alone (two_node): where nobody has one, each counts the same.
    const voteless = members.every(([, votes]) => votes === 0);
    let all = 0;
    let here = 0;
    for (const [node, votes] of members) {
      const counted = voteless ? 1 : votes;
      all += counted;
      if (this.members.has(node)) here += counted;
    }
    return hasMost(here, all);
  }

  /** Whether it was a majority of the configured votes that made this one quorate. */
  private isAsConfigured({ expectedVotes, votesSet }: Electorate): boolean {
    return expectedVotes === this.configured && !votesSet;
  }

  /** The last quorate membership, and those that may have been since. */
  private electorates(): readonly Electorate[] {
    return [this.last, ...this.doubts];
  }

  /** Whether the members, and those they were quorate with last, decide by the same rules. */
  private sharesRules(): boolean {
    return this.agreed && this.electorates().every((electorate) => this.sharesRulesOf(electorate));
  }

  /** Whether the members decide by the rules of a quorate membership: one of an earlier version has none noted. */
  private sharesRulesOf({ members, rules }: Electorate): boolean {
    return members.length === 0 || (this.agreed && (rules ?? this.rules) === this.rules);
  }

  /** Whether the node is here that breaks a tie between the halves of this membership, by a rule of both. */
  private breaksTieOf(electorate: Electorate): boolean {
    return this.sharesRules() && holdsTieBreaker(this.options, [...this.members.keys()], nodesOf(electorate));
  }

  /** Without the nodes that are not configured any more: whoever starts a node with such a file answers for them. */
  private remember({ doubts = [], raised: _, ...last }: LastQuorate): void {
    const isListed = (node: NodeId) => this.options.votes.has(node);
    const stillListed = ({ rules, ...electorate }: Electorate): Electorate => ({
      ...electorate,
      members: electorate.members.filter(([node]) => isListed(node)),
      ...(rules !== undefined && {
        rules: [...votesByRules(rules).votes.keys()].every(isListed) ? rules : NOBODYS_RULES,
      }),
    });
    this.last = stillListed(last);
    this.doubts = doubts.map(stillListed);
  }

  private flags(): string[] {
    const flags: string[] = [];
    // Where the members have different rules, none holds that lets fewer votes be enough.
    if (!this.agreed) return this.waits ? ["WaitForAll"] : [];
    if (this.options.twoNode) flags.push("2Node");
    if (this.waits) flags.push("WaitForAll");
    if (this.options.lastManStanding) flags.push("LastManStanding");
    if (this.options.autoTieBreaker) flags.push("AutoTieBreaker");
    if (this.options.allowDownscale) flags.push("AllowDownscale");
    return flags;
  }
}

function configuredVotes(options: QuorumOptions): number {
  if (options.expectedVotes !== undefined) return options.expectedVotes;
  return sum(options.votes.values());
}

/** The rules of the last quorate membership, as those say who know of it. */
function rulesOf(incumbents: readonly QuorumView[]): string | undefined {
  const told = new Set(incumbents.flatMap(({ quorateRules }) => quorateRules ?? []));
  return told.size > 1 ? NOBODYS_RULES : [...told][0];
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, each) => total + each, 0);
