import type { CibOperation, XmlElement } from "../cib/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import { CibSession, type ReadCib, unchangedSince } from "./cib-session.ts";
import { resourceNamed, steered } from "./resources.ts";
import { isStopped, OwnStop } from "./restart-stop.ts";
import { concernedBy } from "./unfinished.ts";
import type { Wish } from "./waiting.ts";

/** How a restart is made. */
export interface RestartWays {
  /** Who asks, for the history. */
  readonly client: string;
  /**
   * Waits until a wish has come about, with what else is concerned; no longer than until `givenUp` fails.
   * @throws HactlError when it has not
   */
  readonly fulfilled: (wish: Wish, others: ReadonlySet<string>, givenUp?: Promise<never>) => Promise<void>;
}

/**
 * Stops a resource by its target-role, waits, and lets it run as before. Only the stop that it has asked for itself is ended:
 * what somebody else writes meanwhile stays.
 * @param id of a resource that runs in `before`
 * @throws HactlError STOPPED_MEANWHILE when somebody else wants it stopped now, RESTARTING when somebody else restarts it,
 * INTERRUPTED, LEFT_STOPPED
 */
export async function restartResource(
  id: string,
  before: XmlElement,
  { client, fulfilled }: RestartWays,
): Promise<void> {
  const own = new OwnStop(crypto.randomUUID().slice(0, 8));
  const interruption = new Interruption(id);
  let others: ReadonlySet<string> = new Set();
  let left: readonly string[] = [];
  try {
    others = await changed(client, ({ cib, configuration }) => {
      const operations = own.begin(steered(resourceNamed(configuration, id)), configuration);
      return { operations, value: concernedBy(cib, operations, Math.floor(Date.now() / 1000)) };
    });
    await fulfilled({ wish: "is stopped", rsc: id }, others, interruption.promise);
  } finally {
    // Whatever happened, the resource is not left stopped by the restart.
    left = await ended(own, id, client);
    interruption.forget();
  }
  if (left.some(isStopped)) throw stoppedMeanwhile(id);
  await fulfilled({ wish: "runs as before", rsc: id, before }, others);
}

/** Ends what a restart has begun. The roles that others have set meanwhile. @throws HactlError LEFT_STOPPED */
async function ended(own: OwnStop, id: string, client: string): Promise<readonly string[]> {
  if (!own.hasBegun) return [];
  try {
    return await changed(client, ({ configuration }) => own.end(configuration));
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    throw new HactlError({
      code: "LEFT_STOPPED",
      what: `the restart of ${id} could not take back its stop: ${error.what}`,
      cure: `hactl resource start ${id}`,
      exit: error.exit,
    });
  }
}

/** How often a change is made anew since somebody else was faster. */
const attempts = 20;

/** Makes a change of what the configuration is, and not of what it was. */
async function changed<T>(
  client: string,
  plan: (read: ReadCib) => { readonly operations: readonly CibOperation[]; readonly value: T },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await CibSession.quietly(async (session) => {
        const cib = await session.cib();
        const { operations, value } = plan({ cib, configuration: await session.configuration() });
        if (operations.length > 0) await session.apply([unchangedSince(cib), ...operations], client);
        return value;
      });
    } catch (error) {
      if (!(error instanceof HactlError) || error.exit !== CrmExit.OLD || attempt >= attempts) throw error;
    }
  }
}

const stoppedMeanwhile = (id: string) =>
  new HactlError({
    code: "STOPPED_MEANWHILE",
    what: `${id} was stopped and is not started again: somebody else has asked meanwhile that it be stopped`,
    cure: `hactl resource start ${id}, when it shall run`,
    exit: CrmExit.UNSATISFIED,
  });

const signals = ["SIGINT", "SIGTERM"] as const;

/** Fails when whoever waits gives up: what was begun is brought to an end first. */
class Interruption {
  readonly promise: Promise<never>;
  readonly #interrupt: () => void;

  constructor(id: string) {
    const { promise, reject } = Promise.withResolvers<never>();
    // It may come before anybody waits.
    promise.catch(() => {});
    this.promise = promise;
    this.#interrupt = () =>
      reject(
        new HactlError({
          code: "INTERRUPTED",
          what: `the restart of ${id} was interrupted; ${id} is not left stopped`,
          cure: "hactl status tells how far it is",
          exit: CrmExit.UNSATISFIED,
        }),
      );
    for (const signal of signals) process.on(signal, this.#interrupt);
  }

  forget(): void {
    for (const signal of signals) process.off(signal, this.#interrupt);
  }
}
