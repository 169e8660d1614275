import { attributesOf } from "../cib-look.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Longer than every monitor of the mix: what the cluster would do about a broken resource it has done. */
const monitorsSeenMs = 7_000;

/** Forgets failures, which have to be none again afterwards. */
async function cleanUp(stage: Stage): Promise<void> {
  await stage.cluster.must(stage.cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
}

/** Resources fail one after the other: each is counted once and recovered where it was. */
async function recover(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const { mix } = cluster;
  const told = stage.oneOf([false, true]);
  const anonymous = mix.clones.filter((rsc) => rsc !== mix.promotable.rsc);
  for (const kind of [[mix.promotable.rsc], mix.singles, anonymous]) {
    const rsc = random.pick(kind);
    const nodes = cluster.nodesOf(rsc);
    const node = rsc === mix.promotable.rsc ? stage.promoted() : random.pick(nodes);
    stage.allowed.failures.add(rsc);
    const before = await stage.failCount(rsc, node);
    const place = stage.here();
    const failed = `crm_resource --fail -r ${rsc} -N ${cluster.nodeName(node)}`;
    if (told) await cluster.must(random.pick(cluster.members), failed);
    else cluster.breakResource(rsc, node);
    await stage.until(
      `the failure of ${rsc} on ${node} is counted`,
      async () => (await stage.failCount(rsc, node)) > before,
    );
    await stage.atRest();
    const after = await stage.failCount(rsc, node);
    stage.note(`${rsc} on ${node} ${told ? "told to have failed" : "broken"}: ${before} to ${after}`);
    // The demote of a promoted instance that is not there fails for the same reason, and is a failure of its own.
    const most = rsc === mix.promotable.rsc && !told ? 2 : 1;
    stage.check(
      after > before && after <= before + most,
      `the failures of ${rsc} on ${node} were ${before}, are ${after}`,
    );
    stage.check(
      cluster.nodesOf(rsc).join() === nodes.join(),
      `${rsc} is on ${cluster.nodesOf(rsc)}, was on ${nodes}`,
    );
    const acts = stage.actionsSince(place).filter((entry) => entry.rsc === rsc && entry.node === node);
    stage.check(
      acts.some(({ action }) => action === "start"),
      `${rsc} on ${node} was not started again`,
    );
  }
  await cleanUp(stage);
}

/** Failures are forgotten the moment the resource runs again: the next failure is noticed all the same. */
async function cleanUpAtOnce(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const rsc = random.pick(cluster.mix.singles.filter((single) => single.startsWith("own-")));
  const [node = ""] = cluster.nodesOf(rsc);
  stage.note(`${rsc} on ${node}`);
  stage.allowed.failures.add(rsc);
  for (let round = 0; round < 4; round++) {
    const place = stage.here();
    cluster.breakResource(rsc, node);
    await stage.until(`${rsc} is started again (failure ${round + 1})`, () =>
      stage.actionsSince(place).some((entry) => entry.rsc === rsc && entry.action === "start"),
    );
    await cluster.must(random.pick(cluster.members), "crm_resource --cleanup");
    await stage.until(`${rsc} runs`, () => cluster.nodesOf(rsc).join() === node);
  }
  await cleanUp(stage);
}

/** While nothing is managed everything may change and break, and nothing happens until it is managed again. */
async function maintenance(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const node = random.pick(cluster.members);
  const watched = "ocf:scene:Plain op monitor interval=5s timeout=60s";
  await cluster.load(`primitive extra ${watched}\nlocation extra-home extra inf: ${node}\n`);
  await stage.atRest();
  await stage.until("extra runs", () => cluster.nodesOf("extra").join() === node);
  const [on, off] = stage.oneOf([
    ["hactl maintenance on", "hactl maintenance off"],
    [
      "crm_attribute -t crm_config -n maintenance-mode -v true",
      "crm_attribute -t crm_config -n maintenance-mode -D",
    ],
  ]);
  await cluster.must(random.pick(cluster.members), on);
  stage.allowed.unmanaged = true;
  await stage.atRest();
  const place = stage.here();
  const victim = random.pick(["files", "scene-server", "extra"]);
  const home = cluster.nodesOf(victim).join();
  for (const rsc of [victim, "later", "extra"]) stage.allowed.failures.add(rsc);
  stage.allowed.resources.add(victim);
  cluster.breakResource(victim, home);
  await cluster.load(`primitive later ${watched}\nlocation later-home later inf: ${node}\n`);
  const away = random.pick(cluster.members.filter((name) => !cluster.nodesOf("wanderer").includes(name)));
  await cluster.must(random.pick(cluster.members), `crm_resource --move -r wanderer -N ${away}`);
  await Bun.sleep(monitorsSeenMs);
  await stage.atRest();
  stage.noActionsSince(place, "in maintenance");
  await cluster.must(random.pick(cluster.members), off);
  stage.allowed.unmanaged = false;
  stage.allowed.resources.clear();
  await stage.until("the changes are in force", () =>
    [
      ["later", node],
      ["wanderer", away],
      [victim, home],
    ].every(([rsc = "", at]) => cluster.nodesOf(rsc).join() === at),
  );
  await stage.atRest();
  await cluster.must(cluster.anyone(), "crm_resource --clear -r wanderer");
  await cluster.must(cluster.anyone(), "hactl configure delete --force extra-home later-home extra later");
  await cleanUp(stage);
  const left = ["extra", "later"].filter((rsc) => cluster.nodesOf(rsc).length > 0);
  stage.check(left.length === 0, `deleted, but running: ${left}`);
  const traces = attributesOf(await stage.cib(), "//*", "id").filter((id) => /^(?:extra|later)/.test(id));
  stage.check(traces.length === 0, `deleted, but in the CIB: ${traces}`);
}

/** The whole cluster is stopped and started under its services, which run on unmanaged. */
async function reattach(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const unmanaged = "crm_attribute -t rsc_defaults -n is-managed";
  await cluster.must(random.pick(cluster.members), `${unmanaged} -v false`);
  stage.allowed.unmanaged = true;
  await stage.atRest();
  const place = stage.here();
  await cluster.stopDaemons(...cluster.members);
  stage.noActionsSince(place, "although nothing is managed");
  await cluster.start(...random.shuffled(cluster.members));
  await stage.atRest();
  // The ping clone tells what it reaches with its first monitor; nothing may be decided from its silence before.
  await Bun.sleep(monitorsSeenMs);
  await stage.atRest();
  stage.noActionsSince(place, "although nothing is managed");
  await cluster.must(random.pick(cluster.members), `${unmanaged} -D`);
  stage.allowed.unmanaged = false;
  await stage.atRest();
  stage.noActionsSince(place, "although everything ran where it belongs");
}

/** In maintenance all nodes are stopped, what they knew is lost, and they are started in another order. */
async function forgotten(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const inBundle = cluster.shape.variant === "bundle";
  if (inBundle)
    await cluster.load(
      "primitive upon ocf:scene:Plain op monitor interval=5s timeout=60s\norder upon-boxes Mandatory: boxes:promote upon:start\n",
    );
  await stage.atRest();
  await cluster.must(cluster.anyone(), "hactl maintenance on");
  stage.allowed.unmanaged = true;
  await stage.atRest();
  const promoted = stage.promoted();
  const losers = stage.oneOf([cluster.members, [promoted]]);
  stage.note(`${losers} lose /run/hactl`);
  const place = stage.here();
  await cluster.stopDaemons(...cluster.members);
  for (const name of losers) await cluster.run(name, "rm -rf /run/hactl");
  for (const name of random.shuffled(cluster.members)) {
    await cluster.start(name);
    await Bun.sleep(random.between(0, 2_500));
  }
  await stage.atRest();
  await Bun.sleep(monitorsSeenMs);
  await stage.atRest();
  stage.noActionsSince(place, "in maintenance");
  await cluster.must(cluster.anyone(), "hactl maintenance off");
  stage.allowed.unmanaged = false;
  await stage.atRest();
  stage.noActionsSince(place, "although everything ran where it belongs");
  if (inBundle) await cluster.must(cluster.anyone(), "hactl configure delete --force upon-boxes upon");
  await stage.atRest();
}

export const services: readonly Scenario[] = [
  {
    name: "ResourceRecover",
    title: "resources fail and are recovered where they were",
    cases: 2,
    play: recover,
  },
  {
    name: "ResourceRecover-cleanup",
    title: "failures are forgotten while they are recovered, and the next one is noticed",
    play: cleanUpAtOnce,
  },
  {
    name: "MaintenanceMode",
    title: "nothing is done in maintenance, everything afterwards",
    cases: 2,
    play: maintenance,
  },
  {
    name: "Reattach",
    title: "all nodes restart under unmanaged services, which nobody touches",
    play: reattach,
  },
  {
    name: "Reattach-forgotten",
    title: "all nodes restart in maintenance and have forgotten what ran, which nobody touches",
    cases: 2,
    play: forgotten,
  },
];
