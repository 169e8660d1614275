import type { AdminClient, AdminRequest } from "../daemon/index.ts";
import { lookup } from "../terms/index.ts";
import { type CibTarget, cibTarget, onlyLive } from "./target.ts";

type RequestType = AdminRequest["type"];

/** What a request does to the running cluster, and what that is called where a file is meant. */
interface Deed {
  /**
   * `changes` it, or works on its devices; `shows` its configuration or status, which is not what is meant then; `asks`
   * for something that no file has, and is sent whatever is meant.
   */
  readonly kind: "changes" | "shows" | "asks";
  readonly what: string;
}

const changes = (what: string): Deed => ({ kind: "changes", what });
const shows = (what: string): Deed => ({ kind: "shows", what });
const asks: Deed = { kind: "asks", what: "a question" };

const deeds: Readonly<Record<RequestType, Deed>> = lookup({
  "attributes-update": changes("an attribute of the cluster's own table"),
  "cib-apply": changes("a change of the cluster's configuration"),
  "expected-votes": changes("the number of votes"),
  "node-votes": changes("the votes of a node"),
  "fence.ask": changes("asking fence devices"),
  "fence.confirm": changes("fencing"),
  "fence.forget": changes("forgetting what was fenced"),
  "fence.register": changes("registering a fence device"),
  "fence.deregister": changes("taking back a fence device"),
  "fence.register-level": changes("registering a fencing level"),
  "fence.deregister-level": changes("taking back a fencing level"),
  "fence.request": changes("fencing"),
  "fence.test": changes("a trial of the fence devices"),
  fail: changes("taking a resource for failed"),
  forget: changes("forgetting what operations had for a result"),
  rekey: changes("a new key"),
  reload: changes("reading hactl.toml again"),
  shutdown: changes("leaving the cluster"),
  "attributes-query": shows("an attribute of the cluster's own table"),
  "attributes-names": shows("an attribute of the cluster's own table"),
  cib: shows("the cluster's configuration"),
  "fence.devices": shows("the list of the cluster's fence devices"),
  status: shows("the state of the cluster"),
  "wait-idle": shows("waiting for the cluster"),
  watch: shows("watching the cluster"),
  agents: asks,
  "fence.history": asks,
  history: asks,
  metadata: asks,
  node: asks,
  "ring-status": asks,
});

/** @throws HactlError REHEARSAL when the request is not for this target */
function checkAllowed(type: RequestType, target: CibTarget): void {
  if (target.kind !== "live" && deeds[type].kind !== "asks") throw onlyLive(target, deeds[type].what);
}

/**
 * The daemon of this node, the only way of commands to it. What is about a file never changes the cluster, whoever asks:
 * such requests are refused here.
 */
export class Daemon {
  readonly #admin: AdminClient;
  readonly #target: CibTarget;

  private constructor(admin: AdminClient, target: CibTarget) {
    this.#admin = admin;
    this.#target = target;
  }

  /** Connects. @throws HactlError when there is no daemon, or nobody may ask it */
  static async connect(
    options: { readonly config?: string | undefined; readonly target?: CibTarget } = {},
  ): Promise<Daemon> {
    const { connectAdmin } = await import("../daemon/index.ts");
    const { config, target = cibTarget() } = options;
    return new Daemon(await connectAdmin({ config }), target);
  }

  /** Asks and waits for the answer. @throws HactlError REHEARSAL for what a file may not ask, and the daemon's */
  async request<T>(request: AdminRequest, timeoutMs?: number): Promise<T> {
    checkAllowed(request.type, this.#target);
    return this.#admin.request<T>(request, timeoutMs);
  }

  /** Called when something in the cluster changed, after a `watch` request. */
  set onChange(call: () => void) {
    this.#admin.onChange = call;
  }

  /** Called when the daemon has gone. */
  set onClose(call: () => void) {
    this.#admin.onClose = call;
  }

  close(): void {
    this.#admin.close();
  }
}

/** Runs something with a connection that is closed afterwards. */
export async function withDaemon<T>(use: (daemon: Daemon) => Promise<T>): Promise<T> {
  const daemon = await Daemon.connect();
  try {
    return await use(daemon);
  } finally {
    daemon.close();
  }
}

/** Asks the daemon one thing. @throws HactlError as `Daemon.request` */
export async function ask<T>(request: AdminRequest, timeoutMs?: number): Promise<T> {
  checkAllowed(request.type, cibTarget());
  return withDaemon((daemon) => daemon.request<T>(request, timeoutMs));
}
