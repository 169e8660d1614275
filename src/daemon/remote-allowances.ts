import { Allowance, type Log } from "../platform/index.ts";
import { CrmExit, HactlError, type Millis, type NodeName } from "../terms/index.ts";
import { hostLimits } from "./work.ts";

/** Requests of one host's tools that wait for an answer. */
const MOST_ASKED = 64;
/** Who was held is named for so long after it. */
const NAMED_MS: Millis = 60_000;

interface Host {
  readonly allowance: Allowance;
  asked: number;
  /** Changes are made one after the other, so that what one adds is known when the next is looked at. */
  changes: Promise<unknown>;
  heldAt: Millis;
  toldAt: Millis;
}

/**
 * What remote hosts may cost the node that they are connected to. A host may be in the hands of somebody else, who sends as
 * fast as he can: it is heard no faster than its share, whatever it sends. Kept over connections.
 */
export class RemoteAllowances {
  readonly #hosts = new Map<NodeName, Host>();

  constructor(
    private readonly log: Pick<Log, "warning">,
    private readonly now: () => Millis,
  ) {}

  /** Notes what a host has cost; answers how long not to hear it. */
  charge(name: NodeName, workMs: Millis, bytes = 0): Millis {
    const host = this.#host(name);
    host.allowance.charge(workMs, bytes);
    const waitMs = host.allowance.waitMs;
    if (waitMs === 0) return 0;
    host.heldAt = this.now();
    if (host.heldAt - host.toldAt >= NAMED_MS) {
      host.toldAt = host.heldAt;
      this.log.warning("REMOTE-FLOOD", `${sentence(name)}: it is heard more slowly`);
    }
    return waitMs;
  }

  /** Answers a request of a host's tool, unless too many wait. @throws HactlError BUSY */
  async asked<T>(name: NodeName, change: boolean, answer: () => Promise<T>): Promise<T> {
    const host = this.#host(name);
    if (host.asked >= MOST_ASKED) throw busy(name);
    host.asked++;
    try {
      if (!change) return await answer();
      const done = host.changes.then(answer);
      host.changes = done.catch(() => {});
      return await done;
    } finally {
      host.asked--;
    }
  }

  /** What people have to know. */
  warnings(): string[] {
    const now = this.now();
    return [...this.#hosts]
      .filter(([, { heldAt }]) => now - heldAt < NAMED_MS)
      .map(([name]) => sentence(name));
  }

  #host(name: NodeName): Host {
    const known = this.#hosts.get(name);
    if (known) return known;
    for (const [other, { allowance, asked, heldAt }] of this.#hosts)
      if (asked === 0 && allowance.whole && this.now() - heldAt >= NAMED_MS) this.#hosts.delete(other);
    const host: Host = {
      allowance: new Allowance(hostLimits, this.now),
      asked: 0,
      changes: Promise.resolve(),
      heldAt: Number.NEGATIVE_INFINITY,
      toldAt: Number.NEGATIVE_INFINITY,
    };
    this.#hosts.set(name, host);
    return host;
  }
}

const sentence = (name: NodeName) => `remote node ${name} sends more than a host has to say`;

const busy = (name: NodeName) =>
  new HactlError({
    code: "BUSY",
    what: `${MOST_ASKED} requests of ${name} wait for an answer`,
    cure: "Ask again when they are answered",
    exit: CrmExit.TIMEOUT,
  });
