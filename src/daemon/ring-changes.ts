import { randomBytes } from "node:crypto";
import { configChanges } from "../config/index.ts";
import { atMost, type Log } from "../platform/index.ts";
import { CrmExit, HactlError, type Millis, type NodeId, nodeId } from "../terms/index.ts";
import { describeInForce, sinceStart } from "./in-force.ts";
import type { RingCore } from "./ring-core.ts";
import type { BroughtRefusal } from "./ring-core-brought.ts";
import type { RingCoreChange, RingEvent } from "./ring-core-face.ts";
import { keyDigest } from "./ring-core-keys.ts";
import type { KeyFiles } from "./ring-key-files.ts";
import type { RekeyReply, ReloadReply, RingReply } from "./ring-link.ts";
import type { RingSockets } from "./ring-sockets.ts";
import { loadNode, logSettings, type NodeSetup, ringOptions, toldWarnings } from "./setup.ts";

type Reply = (rest: Omit<RingReply, "id">) => void;

/** An administrator's change of the key that has not come to its end. */
interface Rekeying {
  readonly digest: string;
  /** Of the question whether all have the key that was brought to them. */
  readonly nonce?: string;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly reply: Reply;
}

/** A configuration that was read and is not in force yet. */
interface Proposal {
  readonly change: RingCoreChange;
  readonly setup: NodeSetup;
  readonly inForce: () => void;
}

/** Bytes of a new key (corosync-keygen(8) makes so many). */
const rekeyBytes = 256;
/** How long an administrator waits for all members to have the new key. */
const rekeyPatienceMs: Millis = 20_000;
/** How long the members have to say whether they have the key that was brought to them. */
const proofPatienceMs: Millis = 5_000;
/** How long an administrator waits for a change before this one, which ends on one member after the other. */
const otherRekeyPatienceMs: Millis = 2_000;
/** How long a reload waits for the others before it says for whom it waits. */
const reloadPatienceMs: Millis = 2_000;

/** What the changes need of the ring process. */
export interface ChangesHost {
  readonly core: RingCore;
  readonly sockets: RingSockets;
  readonly keyFiles: KeyFiles;
  readonly log: Log;
  readonly step: (event: RingEvent) => void;
  /** Tells the manager that configuration or key are others now. */
  readonly tell: () => void;
}

/** What an administrator changes while the ring runs: the cluster's key, and the configuration. */
export class RingChanges {
  /** What needs a restart to change is still as it was then. */
  readonly #startedWith: NodeSetup;
  #rekeying: Rekeying | undefined;
  /** Begin the next changes of the key, oldest first. */
  readonly #rekeyingNext = new Set<() => void>();
  /** Configurations that were read and are not in force yet, oldest first. */
  #proposals: Proposal[] = [];

  /** `setup`: the configuration that is in force. */
  constructor(
    public setup: NodeSetup,
    private readonly host: ChangesHost,
  ) {
    this.#startedWith = setup;
  }

  /**
   * Gives the cluster a new key, or the one that was `brought` to each node; answers when all members use it, or says for whom
   * it waits.
   */
  rekey(reply: Reply, brought = false): void {
    const { settled, quorum, keyChange } = this.host.core.status();
    if (this.#rekeying || keyChange) return this.#rekeyNext(reply, brought);
    if (!settled) return reply({ error: "the membership is changing just now: try again" });
    // Two parts of a cluster with keys of their own would never hear each other again.
    if (!quorum.quorate) return reply({ error: "the cluster has no quorum: the key is not changed" });
    if (brought) return this.#rekeyBrought(reply);
    const key = randomBytes(rekeyBytes);
    this.#rekeying = { digest: keyDigest(key), timer: this.#waitForMembers(reply), reply };
    this.host.step({ type: "rekey", key });
  }

  /** The key that was brought to each node is not said to anybody: all show that they have it, then all switch. */
  #rekeyBrought(reply: Reply): void {
    const { keyFiles } = this.host;
    const key = keyFiles.brought();
    if (!key) {
      return reply({
        error:
          `there is no new key in ${keyFiles.broughtPath}: make it with 'hactl keygen -k ${keyFiles.broughtPath}' and copy it ` +
          "to the same place on every node",
      });
    }
    const digest = keyDigest(key);
    if (digest === keyDigest(keyFiles.current()))
      return reply({ error: `the key in ${keyFiles.broughtPath} is the one that the cluster uses` });
    const nonce = randomBytes(16).toString("hex");
    const timer = setTimeout(() => {
      // From here on it comes about, or it is refused: both are told in the order of messages.
      if (this.#rekeying) this.#rekeying = { ...this.#rekeying, timer: this.#waitForMembers(reply) };
      this.host.step({ type: "drop-brought", nonce });
    }, proofPatienceMs);
    this.#rekeying = { digest, nonce, timer, reply };
    this.host.step({ type: "rekey-brought", nonce });
  }

  /** Not all members have the same key: nothing was changed. */
  broughtRefused({ nonce, missing, differing, silent }: BroughtRefusal): void {
    const mine = this.#rekeying;
    if (mine?.nonce !== nonce) return;
    clearTimeout(mine.timer);
    this.#rekeying = undefined;
    const file = this.host.keyFiles.broughtPath;
    const why = [
      [missing, `no new key in ${file}`],
      [differing, `another key in ${file} than ${this.setup.self.name}`],
      [silent, "not answered"],
    ] as const;
    const said = why.flatMap(([nodes, what]) =>
      nodes.length === 0 ? [] : [`${nodes.map((id) => this.#nameOf(id)).join(", ")}: ${what}`],
    );
    const text = said.length > 0 ? said.join("; ") : "the membership or the key changed meanwhile: try again";
    this.host.log.warning("KEY-REFUSED", `the key that was brought is not used: ${text}`);
    mine.reply({ error: `nothing was changed: ${text}` });
    const next = [...this.#rekeyingNext];
    this.#rekeyingNext.clear();
    for (const begin of next) begin();
  }

  #waitForMembers(reply: Reply): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#rekeying = undefined;
      const waitsFor = this.host.core.status().keyChange?.waitsFor.map((id) => this.#nameOf(id));
      const whom = waitsFor?.length ? waitsFor.join(", ") : "the ring";
      reply({
        error: `the new key waits for ${whom} (see the log there); until then both keys are accepted`,
      });
    }, rekeyPatienceMs);
  }

  /** A change of the key is under way: the next begins when that one has come to its end here. */
  #rekeyNext(reply: Reply, brought: boolean): void {
    const begin = () => {
      clearTimeout(timer);
      this.rekey(reply, brought);
    };
    const timer = setTimeout(() => {
      this.#rekeyingNext.delete(begin);
      reply({ error: "a change of the key is under way already: try again when it has come to its end" });
    }, otherRekeyPatienceMs);
    this.#rekeyingNext.add(begin);
  }

  /** All members use the new key. */
  keyChanged(digest: string, members: readonly NodeId[]): void {
    const names = (ids: readonly NodeId[]) => ids.map((id) => this.#nameOf(id));
    const { nodes } = this.setup.config;
    const absent = names(nodes.map(({ id }) => id).filter((id) => !members.includes(id)));
    this.host.log.notice("KEY-CHANGED", "all members use the new key; the old one is not accepted any more", {
      digest,
      absent: absent.join(" ") || undefined,
    });
    this.host.tell();
    const mine = this.#rekeying;
    this.#rekeying = undefined;
    if (mine) clearTimeout(mine.timer);
    if (mine?.digest === digest) {
      const { keyFile } = this.setup.config.totem;
      mine.reply({
        value: {
          digest,
          nodes: names(members),
          absent,
          keyFile,
          brought: mine.nonce !== undefined,
        } satisfies RekeyReply,
      });
    }
    const next = [...this.#rekeyingNext];
    this.#rekeyingNext.clear();
    // Two members were asked at once and the other's key was taken; what this one is asked for is still to be done.
    if (mine && mine.digest !== digest) this.rekey(mine.reply, mine.nonce !== undefined);
    for (const begin of next) begin();
  }

  #nameOf(id: NodeId): string {
    return this.setup.config.nodes.find((node) => node.id === id)?.name ?? `node ${id}`;
  }

  /**
   * Reads hactl.toml again. A mistake changes nothing; what concerns the whole ring is in force on all members at one
   * point of the messages' order, as soon as all have read the same. What would cost the quorum is not read without `force`.
   * Answers what is wrong, or what follows.
   */
  async reload(force = false): Promise<string | ReloadReply> {
    try {
      const next = loadNode(this.setup.arguments);
      if (next.self.id !== this.setup.self.id) throw otherNode(this.setup.self.id, next);
      // Who applies the change first may send to the new addresses at once.
      await this.host.sockets.prepare(next);
      const named = (changes: ReturnType<typeof configChanges>) =>
        changes.map(({ table, option }) => (option === "" ? table : `${table}.${option}`));
      const applied = configChanges(this.setup.config, next.config).filter(({ reload }) => reload);
      const restart = configChanges(this.#startedWith.config, next.config).filter(({ reload }) => !reload);
      const {
        self: _self,
        key: _key,
        clusterName: _name,
        ...change
      } = ringOptions(next, this.host.keyFiles.current());
      if (!force) this.#refuseLoss(change);
      const inForce = new Promise<void>((resolve) => {
        this.#proposals.push({ change, setup: next, inForce: resolve });
      });
      this.host.step({ type: "reconfigure", change });
      this.host.log.notice("RELOADED", "the configuration was read again", {
        restart: named(restart).join(" ") || undefined,
      });
      const warnings = toldWarnings(next.config);
      for (const text of warnings) this.host.log.warning("CONFIG", text);
      await atMost(inForce, reloadPatienceMs);
      // What this node says of itself may still be on its way round: it has read the file, and is asked for nothing.
      const others = this.host.core.status().changeWaitsFor.filter((id) => id !== this.setup.self.id);
      const waitsFor = others.map((id) => this.#nameOf(id));
      return { applied: named(applied), restart: named(restart), waitsFor, warnings };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.host.log.error("RELOAD", `the configuration is wrong, nothing was changed: ${why}`);
      return why;
    }
  }

  /** @throws HactlError NO_QUORUM where all services would stop for want of a quorum */
  #refuseLoss(change: RingCoreChange): void {
    const { core } = this.host;
    const why = core.quorumLostBy(change);
    if (why === undefined) return;
    const { votes, configuredVotes = {} } = core.status();
    const ending = Object.entries(votes).flatMap(([id, set]) => {
      if (set === configuredVotes[Number(id)]) return [];
      const node = nodeId(Number(id));
      return [
        `${this.#nameOf(node)} would lose the votes that were set (${set}; ${change.quorum.votes.get(node) ?? 0} by the file)`,
      ];
    });
    throw new HactlError({
      code: "NO_QUORUM",
      what: `with it the quorum would be lost: ${[why, ...ending].join("; ")}`,
      cure:
        "start the nodes that are missing, or write the votes that shall count into hactl.toml (quorum_votes); " +
        "'hactl reload --force' gives the quorum up",
      exit: CrmExit.QUORUM,
    });
  }

  /** A change that was read here is in force on all members. */
  reconfigured(change: RingCoreChange): void {
    const at = this.#proposals.findIndex((proposal) => proposal.change === change);
    const proposal = this.#proposals[at];
    if (!proposal) return;
    // What was read before can't come into force any more.
    for (const { inForce } of this.#proposals.splice(0, at + 1)) inForce();
    this.setup = sinceStart(proposal.setup, this.#startedWith);
    if (this.#proposals.length === 0) this.host.sockets.use(proposal.setup);
    this.host.log.adopt(logSettings(this.setup.config));
    this.host.tell();
  }

  /** What is in force, for the other processes of this node (`describeInForce`). */
  get described(): string {
    return describeInForce(this.setup, this.#startedWith);
  }
}

/** Members know this node by its number: under another one it is another node, which has to join as that. */
function otherNode(runsAs: NodeId, { self, arguments: { configPath } }: NodeSetup): HactlError {
  return new HactlError({
    code: "OTHER_NODE",
    what: `this node runs as nodeid ${runsAs}, and is nodeid ${self.id} by what stands there now`,
    where: { file: configPath },
    cure: "start it again (hactl stop, hactl start), or give it its nodeid back",
    exit: CrmExit.CONFIG,
  });
}
