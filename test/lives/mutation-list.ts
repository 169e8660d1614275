import type { Mutation } from "../harness/mutate.ts";

const controller = "controller/controller.ts";
const state = "controller/cluster-state.ts";
const leader = "controller/leader.ts";
const plans = "controller/plans.ts";
const owner = "controller/one-owner.ts";
const local = "controller/local-history.ts";
const recalled = "executor/recall.ts";
const journal = "executor/journal.ts";
const executor = "executor/executor.ts";
const fencings = "controller/fencings.ts";
const fencer = "fencer/fencer.ts";

const looks = "./test/controller/looks.test.ts";
const planning = "./test/controller/planning.test.ts";
const missed = "./test/controller/missed.test.ts";
const oneOwner = "./test/controller/one-owner.test.ts";
const fencing = "./test/controller/fencing.test.ts";
const newLeader = "./test/controller/new-leader.test.ts";
const unseen = "./test/controller/unseen.test.ts";
const memory = "./test/executor/recall.test.ts";
const queue = "./test/executor/queue.test.ts";
const stories = "./test/fencer/scripts.test.ts";
const cluster = "./test/controller/cluster.test.ts";
const renumbered = "./test/controller/renumbered.test.ts";
const migration = "./test/controller/migration.test.ts";
const remote = "./test/controller/remote.test.ts";

/** What the world, or a test, has to find. */
export const mutations: readonly Mutation[] = [
  {
    name: "what a newcomer tells is not taken",
    file: controller,
    before: "if (outcome.holders.has(nodeId) && message.summary.live) continue;",
    after: "if (outcome.holders.size > 0) continue;",
    by: oneOwner,
  },
  {
    name: "attributes are forgotten when a manager dies",
    file: controller,
    before: "this.#dampen(this.#state.takeAttributes(name, attributes));\n    }",
    after: "}\n    if (!summary.live) this.#state.dropAttributes(String(id), name);",
    by: oneOwner,
  },
  {
    name: "a plan of another membership is carried out",
    file: controller,
    before: "if (message.membership !== this.#membershipKey) {\n      const keys",
    after: 'if (message.membership === "") {\n      const keys',
    by: looks,
  },
  {
    name: "who did not come along counts as one who has the same state",
    file: controller,
    before: "this.#live && this.#settled ? membership.cameWithMe : [this.#init.self]",
    after: "this.#live ? membership.participants.map(({ nodeId }) => nodeId) : [this.#init.self]",
    by: missed,
  },
  {
    name: "a snapshot is taken in before what was said after it was asked for is put aside",
    file: controller,
    before:
      'if (this.#phase === "syncing") {\n      this.#buffer.push({ from, message });\n      return;\n    }',
    after: "",
    by: missed,
  },
  {
    name: "the wish to leave outlives the daemon",
    file: controller,
    before: "if (daemonIsNew) this.#state.setAttributes",
    after: "if (daemonIsNew && summary.live) this.#state.setAttributes",
    by: oneOwner,
  },
  {
    name: "a missing manager is not waited for by who did not see it go",
    file: controller,
    before: 'if (known("crmd") === "online") this.#managerMissing',
    after: 'if (known("crmd") === "nobody") this.#managerMissing',
    by: missed,
  },
  {
    name: "fencing is noted only by the leader",
    file: controller,
    before: "return this.#applyFencing(from,",
    after: "if (this.#leads) this.#applyFencing(from,",
    by: oneOwner,
  },
  {
    name: "the fencer does not hear who was away",
    file: controller,
    before: "if (away.length > 0) this.#membershipOfFencer(names(stayed), undefined, names(away));",
    after: "",
    by: missed,
  },
  {
    name: "an executor that came back answers for what it was given since",
    file: controller,
    before: "const seen = this.#state.heardCallId(node);",
    after: "const seen = Number.MAX_SAFE_INTEGER;",
    by: missed,
  },
  {
    name: "remote nodes are not told of when parts meet",
    file: controller,
    before: "remotes: newcomers || !this.#live ?",
    after: "remotes: !this.#live ?",
    by: missed,
  },
  {
    name: "a node that was lost needs no fencing",
    file: state,
    before: '{ in_ccm: String(ringThere), crmd: "offline", join: "down" }',
    after: '{ in_ccm: String(ringThere), crmd: "offline", join: "down", expected: "down" }',
    by: missed,
  },
  {
    name: "the reboot of a node is not noticed",
    file: state,
    before: "return this.#boots.get(name) === boot;",
    after: 'return boot !== "";',
    by: oneOwner,
  },
  {
    name: "what a fenced node ran is still believed",
    file: state,
    before: "this.status.clearHistory(id);\n    this.dropAttributes(id, name);\n    this.#untold",
    after: "this.dropAttributes(id, name);\n    this.#untold",
    by: missed,
  },
  {
    name: "who receives the state does not learn which nodes could not tell",
    file: state,
    before: "for (const [node, moving] of snapshot.untold) this.#untold.set(node, moving);",
    after: "",
    by: looks,
  },
  {
    name: "what was being moved is not looked for on the other node",
    file: state,
    before: "if (!endsActive(this.status.ops(id, rsc))) this.status.removeResource(id, rsc);",
    after: 'this.status.removeResource(id, "");',
    by: looks,
  },
  {
    name: "probes of the family are not waited for",
    file: owner,
    before: 'const family = byFamily.get(familyOf(action.rsc?.id ?? "")) ?? [];',
    after: "const family: readonly GraphAction[] = [];",
    by: looks,
  },
  {
    name: "nodes that could not tell are not waited for",
    file: owner,
    before: "const everywhere = [...onUntold, ...connections, ",
    after: "const everywhere = [...connections, ",
    by: looks,
  },
  {
    name: "remote nodes of which nothing is known are not waited for",
    file: owner,
    before: "const everywhere = [...onUntold, ...connections, ",
    after: "const everywhere = [...onUntold, ",
    by: looks,
  },
  {
    name: "the end of a guest that cannot be asked is not waited for",
    file: owner,
    before: ", ...possible.filter(isGuestEnd)];",
    after: "];",
    by: looks,
  },
  {
    name: "a guest that does not answer runs nothing",
    file: state,
    before: "if (isGuest) return true;",
    after: "",
    by: looks,
  },
  {
    name: "what a node of which nothing is known may have moved is not looked for",
    file: state,
    before: "return migratable(this.configuration).flatMap((rsc) =>",
    after: "return migratable(undefined).flatMap((rsc) =>",
    by: looks,
  },
  {
    name: "a new leader does not wait for what the one before it has given out",
    file: leader,
    before: "return !this.#run && !this.#waitsForInherited(now);",
    after: "return !this.#run;",
    by: newLeader,
  },
  {
    name: "what was given out is not remembered",
    file: state,
    before: "this.#underWay.add(dispatch);",
    after: "",
    by: newLeader,
  },
  {
    name: "what an executor says is under way counts as done",
    file: state,
    before: "this.#underWay.add({ node, executor, operation });",
    after: "",
    by: newLeader,
  },
  {
    name: "a node may go before it was looked at",
    file: owner,
    before:
      'if (action.task === "do_shutdown") return idsOf(probes.filter(({ node }) => node === action.node));',
    after: "",
    by: looks,
  },
  {
    name: "a probe does not wait for the agent that moves what it looks for",
    file: owner,
    before: "return idsOf(onUntold.filter((probe) => open(probe) && movedFrom(probe, action, untold)));",
    after: "return [];",
    by: looks,
  },
  {
    name: "what an executor had forgotten is waited for",
    file: leader,
    before: "else if (!running.has(run.keyOf(action))) run.fail(action,",
    after: "else if (running.has(run.keyOf(action))) run.fail(action,",
    by: missed,
  },
  {
    name: "a node counts as looked at while probes are open",
    file: leader,
    before: "(node) => this.#isOnline(node) && !open.has(node) && !unclean.has(node),",
    after: "(node) => this.#isOnline(node),",
    by: missed,
  },
  {
    name: "a manager that dies forgets what it carried out itself",
    file: local,
    before:
      "const kept = [...this.#results].filter(([id, { rsc }]) => byManager(rsc) || id.endsWith(lastFailure));",
    after: "const kept = [...this.#results].filter(([id]) => id.endsWith(lastFailure));",
    by: "calm",
  },
  {
    name: "what another daemon had under way is done again",
    file: recalled,
    before: "if (state.instance === instance && known)",
    after: 'if (state.instance !== "" && known)',
    by: memory,
  },
  {
    name: "the journal is not read",
    file: recalled,
    before: "replayJournal(state.snapshot, journal)",
    after: "replayJournal(state.snapshot, [])",
    by: memory,
  },
  {
    name: "an executor that knows nothing says that nothing runs",
    file: recalled,
    before:
      'if (state === "damaged") return nothing(false);\n  if (!state || state.bootId !== bootId) return nothing(rebooted);',
    after: 'if (state === "damaged" || !state || state.bootId !== bootId) return nothing(true);',
    by: memory,
  },
  {
    name: "what was being changed counts as known",
    file: journal,
    before: "const known = ({ rsc }: Operation | OperationResult) => !interrupted.has(rsc.id);",
    after: "const known = ({ rsc }: Operation | OperationResult) => rsc.id.length > 0;",
    by: memory,
  },
  {
    name: "what nobody can carry out is given out",
    file: leader,
    before: "if (this.#isAbsent(by)) return",
    after: "if (by === undefined) return",
    by: fencing,
  },
  {
    name: "a new leader waits for an answer through a connection that is lost",
    file: state,
    before: "(node === executor || !this.#isConnectionLost(node, executor)),",
    after: "true,",
    by: newLeader,
  },
  {
    name: "what an earlier daemon left is no memory",
    file: journal,
    before: "remembered: [...new Set([...recurring, ...results].map(({ rsc }) => rsc.id))],",
    after: "remembered: [],",
    by: memory,
  },
  {
    name: "what may run is not known any more when it is forgotten",
    file: executor,
    before: "if (still) this.#interrupted.set(rsc, still);",
    after: "",
    by: queue,
  },
  {
    name: "an executor believes a memory that its monitor has contradicted",
    file: executor,
    before: "if (job.recurring && disproved) this.#forget(resource.id, now);",
    after: "",
    by: queue,
  },
  {
    name: "what was interrupted and is not configured any more is dropped",
    file: state,
    before: "this.#record(node, supposedActive(operation, at));",
    after: "",
    by: unseen,
  },
  {
    name: "a memory that was contradicted is believed",
    file: state,
    before: "if (wrong.length === 0) return [];",
    after: "if (wrong.length >= 0) return [];",
    by: unseen,
  },
  {
    name: "what is only remembered elsewhere is not looked for before something starts",
    file: leader,
    before: "return [...needed.filter(({ watched }) => !watched), ...idle];",
    after: "return [...needed.filter(() => false), ...idle];",
    by: unseen,
  },
  {
    name: "a second one that was started by hand is not looked for when nothing else is to be done",
    file: leader,
    before: "const idle = decided.actions.length === 0 ? this.#unseenInactive() : [];",
    after: "const idle: readonly UnseenPlace[] = [];",
    by: unseen,
  },
  {
    name: "the monitor that goes on elsewhere is not waited for before something starts",
    file: leader,
    before: "this.#unseenBefore(action, familyOf).some(({ watched }) => watched);",
    after: "this.#unseenBefore(action, familyOf).some(() => false);",
    by: unseen,
  },
  {
    name: "a process that hangs is left alone",
    file: "daemon/children.ts",
    before: "if (this.#silentMs < this.limits.hungMs) return;",
    after: "if (this.#silentMs >= 0) return;",
    by: "./test/daemon/children.test.ts",
  },
  {
    name: "a process that was given no processor counts as one that hangs",
    file: "daemon/silence.ts",
    before: "if (!before || !times) return passed;",
    after: "if (passed >= 0 || !before || !times) return passed;",
    by: "./test/daemon/silence.test.ts",
  },
  {
    name: "who joins is not told of the fencing that runs",
    file: fencer,
    before: "const operations = [...this.operations.values()].map(toldOf);\n    if (entries",
    after: "const operations: readonly ToldOperation[] = [];\n    if (entries",
    by: stories,
  },
  {
    name: "what a manager has begun that is started anew has failed",
    file: fencer,
    before: "this.members.includes(executor) || this.coming.includes(executor)",
    after: "this.members.includes(executor)",
    by: stories,
  },
  {
    name: "a fencing that was ordered in an earlier life of its target answers for the one after it",
    file: fencings,
    before: "return outlived;",
    after: "return false;",
    by: "./test/controller/fencings.test.ts",
  },
  {
    name: "a request is answered by a fencing after which its target has come back",
    file: fencer,
    before: "this.down.delete(node);",
    after: "",
    by: "./test/fencer/answered.test.ts",
  },
  {
    name: "a connection to a remote host that breaks is lost at once",
    file: "daemon/connection-gap.ts",
    before: "RECONNECT_MS: Millis = 5000;",
    after: "RECONNECT_MS: Millis = 0;",
    by: "calm",
  },
  {
    name: "a decision that was computed elsewhere counts whatever has happened meanwhile",
    file: plans,
    before: "if (formatXml(this.state.cib, -1) !== asked.cib) {",
    after: "if (formatXml(this.state.cib, -1) === '') {",
    by: planning,
  },
  {
    name: "what was removed is forgotten although it runs",
    file: state,
    before: "this.#showForsaken(at);\n    this.touch();\n    return forgotten;",
    after: "this.touch();\n    return forgotten;",
    by: planning,
  },
  {
    name: "who may leave is believed to stay when the membership changes",
    file: controller,
    before: "if (message.leaving || this.#releasedSince.has(message.name))",
    after: "if (this.#releasedSince.has(message.name))",
    by: cluster,
  },
  {
    name: "what runs under a number is ended under the name without",
    file: leader,
    before: "const id = longId === undefined ? plain : state.idInUse(node, plain, longId);",
    after: "const id = plain;",
    by: renumbered,
  },
  {
    name: "an instance that nobody looks for any more is forgotten while it runs",
    file: "controller/unseen.ts",
    before: 'if (numbering === "plain") return number === undefined;',
    after: 'if (numbering === "plain") return true;',
    by: renumbered,
  },
  {
    name: "a migration that is over is believed again after a look",
    file: state,
    before: "if (revivesMigration(",
    after: "if (false && revivesMigration(",
    by: migration,
  },
  {
    name: "a fencing goes on although its target is a member again",
    file: fencer,
    before: "if (isOver(operation, step, ",
    after: "if (false && isOver(operation, step, ",
    by: stories,
  },
  {
    name: "a device is believed that has not switched off what is still a member",
    file: fencer,
    before: "if (this.isStillThere(operation) && shows)",
    after: "if (false && this.isStillThere(operation) && shows)",
    by: stories,
  },
  {
    name: "a target that comes back in another boot is the one that was to be fenced",
    file: fencer,
    before: "operation.sameLife = sameLife && !endsOther(operation);",
    after: "operation.sameLife = true;",
    by: stories,
  },
  {
    name: "what was decided before the target's ring came back is carried out",
    file: fencer,
    before: "isOther && this.inRing.includes(target)",
    after: "isOther && this.members.includes(target)",
    by: "./test/fencer/answered.test.ts",
  },
  {
    name: "a service that may run here is none where its agent says that it is not configured",
    file: "executor/executor.ts",
    before: "return this.#complete && !this.#interrupted.has(id) &&",
    after: "return this.#complete &&",
    by: "./test/executor/queue.test.ts",
  },
  {
    name: "a node that was to fence itself is told so again when it is back",
    file: fencer,
    before: "const isBack = executor === request.target && joined.includes(executor);",
    after: "const isBack = executor === request.target && joined.length < 0;",
    by: stories,
  },
  {
    name: "a device is told although the target came back during the delay",
    file: "fencer/executions.ts",
    before: "if (execution.order.target === node && endsLife(execution.order)",
    after: "if (execution.order.target === node && !endsLife(execution.order)",
    by: stories,
  },
  {
    name: "a remote node is asked before it is connected",
    file: leader,
    before: 'inputs: (reaching.get(action.node ?? "") ?? []).map(({ id }) => id),',
    after: "inputs: [],",
    by: remote,
  },
  {
    name: "what is moved to a remote node does not wait for the connection to it",
    file: owner,
    before: "return [...new Set([...activationOf(action), ...there.map(([id]) => id)])];",
    after: "return activationOf(action);",
    by: looks,
  },
  {
    name: "a service is stopped before the one that it depends on was looked for",
    file: owner,
    before: "if (deactivates(action)) return idsOf(settling(action));",
    after: "",
    by: looks,
  },
  {
    name: "nobody asks again about a failure that is forgotten",
    file: controller,
    before: 'this.#effects.push({ type: "look-again", on: node, rsc: resourceId(rsc) });',
    after: "",
    by: cluster,
  },
  {
    name: "guests that a node leaves running are taken for lost",
    file: state,
    before: 'if (this.status.nodeState(id, "expected") === "down") this.#guestsUnheard(this.#guestsOn(id));',
    after: "",
    by: looks,
  },
  {
    name: "guests of a node that has forgotten what it ran are taken for lost",
    file: state,
    before: "const guests = forgetful ? this.#guestsOn(id) : [];",
    after: "const guests: readonly NodeName[] = forgetful ? [] : [];",
    by: remote,
  },
  {
    name: "what may run in a guest that nobody hears is started elsewhere",
    file: leader,
    before: "if (guest !== undefined && guest !== node)",
    after: "if (guest !== undefined && guest === node)",
    by: remote,
  },
  {
    name: "the instances of a clone are told of a start before it is looked for",
    file: owner,
    before: "if (announces(action))",
    after: "if (!action.kind)",
    by: looks,
  },
  {
    name: "a node that may leave is a member again when the others agree on a membership just then",
    file: controller,
    before: "if (message.leaving || this.#releasedSince.has(message.name))",
    after: "if (message.leaving)",
    by: cluster,
  },
  {
    name: "a migration that its target does not remember is taken for half done",
    file: state,
    before: "this.status.removeOps(id, rsc, (op) => op === migration);",
    after: "",
    by: "./test/controller/migration.test.ts",
  },
];
