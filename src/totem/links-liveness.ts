import type { Millis } from "../terms/index.ts";

/** Times of one link (corosync.conf(5), knet_ping_*). */
export interface LinkTimes {
  readonly pingIntervalMs: Millis;
  readonly pingTimeoutMs: Millis;
  /** Consecutive answers after which a link is up. */
  readonly pongCount: number;
  /** Number of round trips that the average latency looks back on. */
  readonly pingPrecision: number;
}

/** Pings that may be unanswered at a time; later answers to older ones count for nothing. */
const OUTSTANDING = 32;
/** A link that fails within so many ping timeouts after it came up is flapping. */
const FLAP_TIMEOUTS = 20;
/** So the longest time that a link has to hold is eight ping timeouts: four token timeouts, by default. */
const MAX_FLAPS = 4;
/** Part of the ping interval by which a ping may come early, so that one waking of the process serves many links. */
const EARLY_PART = 8;

/** Liveness of one link to one node: sends pings through its owner, believes in pongs only. */
export class Liveness {
  up = false;
  /** When `up` changed last. */
  since: Millis;
  /** Average round trip; undefined before the first. */
  latencyMs: Millis | undefined;
  /** Times that the link went down. */
  downs = 0;
  nextPingAt: Millis;
  private readonly times: LinkTimes;
  private readonly counters: number[] = [];
  private readonly sentAt: Millis[] = [];
  private unansweredSince: Millis | undefined;
  private unanswered = 0;
  private samples = 0;
  private pongs = 0;
  private flaps = 0;
  private heldUntil = Number.NEGATIVE_INFINITY;

  constructor(times: LinkTimes, now: Millis) {
    this.times = times;
    this.since = now;
    this.nextPingAt = now;
  }

  /** A ping with this seal counter was sent. */
  pinged(counter: number, now: Millis): void {
    this.counters.push(counter);
    this.sentAt.push(now);
    if (this.counters.length > OUTSTANDING) {
      this.counters.shift();
      this.sentAt.shift();
    }
    this.unansweredSince ??= now;
    this.unanswered += 1;
    // The first try waits one interval; an answer that fails to come is asked for often, since a lost datagram
    // is no broken cable. A dead link falls back to the interval.
    const hurry = this.unanswered >= 2 && this.unanswered < OUTSTANDING;
    const wait = hurry ? this.retryMs() : Math.min(this.times.pingIntervalMs, this.retryMs() * 4);
    this.nextPingAt = now + (this.unanswered >= OUTSTANDING ? this.times.pingIntervalMs : wait);
  }

  /** Whether it is time for a ping, or so nearly that it goes along with another. */
  isDue(now: Millis): boolean {
    const early = this.unanswered > 0 ? 0 : this.times.pingIntervalMs / EARLY_PART;
    return this.nextPingAt <= now + early;
  }

  /** Whether a ping may answer that of the other side: from then on both wake at the same time. */
  goesAlong(now: Millis): boolean {
    return this.up && this.unanswered === 0 && this.nextPingAt <= now + this.times.pingIntervalMs / 2;
  }

  /** Whether a ping with this counter waits for its answer. Uses it up and takes the latency. */
  answered(counter: number, now: Millis): boolean {
    const at = this.counters.indexOf(counter);
    if (at < 0) return false;
    const latency = now - (this.sentAt[at] ?? now);
    this.counters.splice(0, at + 1);
    this.sentAt.splice(0, at + 1);
    this.samples = Math.min(this.samples + 1, Math.max(1, this.times.pingPrecision));
    const before = this.latencyMs ?? latency;
    this.latencyMs = before + (latency - before) / this.samples;
    this.unanswered = 0;
    this.unansweredSince = undefined;
    this.nextPingAt = now + this.times.pingIntervalMs;
    return true;
  }

  /** After an answer: whether the link comes up by it. */
  comesUp(now: Millis): boolean {
    if (this.up) return false;
    this.pongs += 1;
    if (this.pongs < this.times.pongCount || now < this.heldUntil) {
      const soon = now < this.heldUntil ? this.times.pingIntervalMs : 1;
      this.nextPingAt = Math.min(this.nextPingAt, now + soon);
      return false;
    }
    this.up = true;
    this.since = now;
    return true;
  }

  /** Whether the link has to be given up now: no answer for the ping timeout. */
  goesDown(now: Millis): boolean {
    const silent =
      this.unansweredSince !== undefined && now - this.unansweredSince >= this.times.pingTimeoutMs;
    if (!silent) return false;
    this.pongs = 0;
    if (!this.up) return false;
    const flapping = now - this.since < this.times.pingTimeoutMs * FLAP_TIMEOUTS;
    this.flaps = flapping ? Math.min(MAX_FLAPS, this.flaps + 1) : 0;
    this.heldUntil = this.flaps > 1 ? now + this.times.pingTimeoutMs * 2 ** (this.flaps - 1) : now;
    this.up = false;
    this.since = now;
    this.downs += 1;
    return true;
  }

  /** When the link is given up if no answer comes. */
  downAt(): Millis | undefined {
    if (!this.up || this.unansweredSince === undefined) return undefined;
    return this.unansweredSince + this.times.pingTimeoutMs;
  }

  /** Whether answers have failed to come for so long that another link is the better choice. */
  isSuspect(now: Millis): boolean {
    return this.unansweredSince !== undefined && now - this.unansweredSince > this.times.pingTimeoutMs / 3;
  }

  /** This process was not running for a while: silence until now says nothing about the link. */
  forgiveSilence(now: Millis): void {
    if (this.unansweredSince !== undefined) this.unansweredSince = now;
    this.nextPingAt = now;
  }

  /** The peer was started again: it is not to blame for what was before. */
  restarted(now: Millis): void {
    this.flaps = 0;
    this.heldUntil = now;
  }

  private retryMs(): Millis {
    return Math.max(5, this.times.pingTimeoutMs / 16);
  }
}
