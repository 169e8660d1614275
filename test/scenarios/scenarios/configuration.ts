import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { XmlElement } from "../../../src/cib/index.ts";
import { attributesOf, propertiesOf } from "../cib-look.ts";
import type { SceneCluster } from "../cluster.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Sets a property as the commands do, without the time that a process takes. Says whether it was acknowledged. */
async function setProperty(
  cluster: SceneCluster,
  through: string,
  name: string,
  value: number,
): Promise<boolean> {
  const xml = `<crm_config><cluster_property_set id="scenes"><nvpair id="scenes-${name}" name="${name}" value="${value}"/></cluster_property_set></crm_config>`;
  return modify(cluster, through, xml);
}

async function modify(cluster: SceneCluster, through: string, xml: string): Promise<boolean> {
  const operations = [{ op: "modify" as const, create: true, xml }];
  const { error } = await cluster.request(
    through,
    { type: "cib-apply", operations, client: "scenario" },
    30_000,
  );
  return error === undefined;
}

/** A node that was away has the newest configuration when it is back: after a stop, and after it lost its power. */
async function resync(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = random.pick(cluster.members);
  const tag = random.below(1_000_000);
  await cluster.stop(name);
  await stage.atRest();
  await cluster.must(cluster.anyone(), `crm_attribute -t crm_config -n scene-away -v ${tag}`);
  await cluster.start(name);
  await stage.atRest();
  stage.check(
    propertiesOf(await stage.cib(name)).get("scene-away") === String(tag),
    `${name} lacks a change`,
  );

  stage.allowed.fencing.add(name);
  await cluster.crash(name);
  for (let i = 0; i < 100; i++) {
    // One that is refused while the membership changes is tried again, as a person would.
    await stage.until("a change is acknowledged", () =>
      setProperty(cluster, cluster.anyone(), `scene-${i % 40}`, tag + i),
    );
  }
  await stage.until(`${name} is back`, () => cluster.expected.has(name));
  await stage.atRest();
  const values = propertiesOf(await stage.cib(name));
  const wrong = Array.from({ length: 40 }, (_, i) => i).filter(
    (i) => values.get(`scene-${i}`) !== String(tag + i + (i < 20 ? 80 : 40)),
  );
  stage.check(wrong.length === 0, `${name} has ${wrong.length} old values`);
  await cluster.must(cluster.anyone(), `cibadmin -D -X '<cluster_property_set id="scenes"/>'`);
  await cluster.must(cluster.anyone(), "crm_attribute -t crm_config -n scene-away -D");
}

const changes = 200;

/** What a change of the storm was, for its trace in the CIB: a primitive or a location. */
interface Acknowledged {
  readonly id: string;
  readonly by: string;
}

/** Changes from all nodes at once, by commands and as they send them, while a node loses its power and a manager dies. */
async function storm(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const [victim = "", other = ""] = random.shuffled(cluster.members);
  stage.allowed.fencing.add(victim);
  stage.allowed.errors.push(/PROCESS-DIED/, /MANAGER-LOST/);
  const acknowledged: Acknowledged[] = [];
  let refused = 0;
  let next = 0;
  const work = async (through: string) => {
    while (next < changes) {
      const number = next++;
      const id = `storm-${number}`;
      const stopped = `<meta_attributes id="${id}-m"><nvpair id="${id}-r" name="target-role" value="Stopped"/></meta_attributes>`;
      const done =
        number % 5 === 0
          ? (await cluster.run(through, `hactl configure location ${id} wanderer 0: ${cluster.members[0]}`))
              .code === 0
          : await modify(
              cluster,
              through,
              `<resources><primitive id="${id}" class="ocf" provider="scene" type="Plain">${stopped}</primitive></resources>`,
            );
      if (done) acknowledged.push({ id, by: through });
      else {
        refused++;
        await Bun.sleep(300);
      }
    }
  };
  const workers = cluster.members.flatMap((name) => [work(name), work(name)]);
  await stage.until("the storm has begun", () => acknowledged.length >= random.between(10, 60));
  await cluster.crash(victim);
  await stage.until("it goes on", () => acknowledged.length >= changes / 3 || next >= changes);
  cluster.kill(other, "manager");
  await Promise.all(workers);
  await stage.until(`${victim} is back`, () => cluster.expected.has(victim));
  await stage.atRest();
  stage.note(
    `without power ${victim}, manager ${other}: ${acknowledged.length} acknowledged, ${refused} refused`,
  );
  for (const name of cluster.members) {
    const ids = new Set(attributesOf(await stage.cib(name), "//configuration//*", "id"));
    const lost = acknowledged.filter(({ id }) => !ids.has(id)).map(({ id, by }) => `${id} by ${by}`);
    stage.check(lost.length === 0, `${name} lacks ${lost.length} acknowledged changes: ${lost.slice(0, 5)}`);
  }
  await clear(cluster, await stage.cib());
}

async function clear(cluster: SceneCluster, cib: XmlElement): Promise<void> {
  const made = (tag: string) => attributesOf(cib, `//${tag}`, "id").filter((id) => id.startsWith("storm-"));
  const ids = [...made("rsc_location"), ...made("primitive")];
  if (ids.length > 0) await cluster.must(cluster.anyone(), `hactl configure delete --force ${ids.join(" ")}`);
}

const processWords = [/PROCESS-DIED/, /MANAGER-LOST/, /NODE-LOST/];

/** A resource gets another agent or other parameters, is removed, or made anew, while a process of its node is away. */
async function editWhileAway(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const how = stage.oneOf(["parameter", "agent", "removed", "made anew"] as const);
  const part = random.pick(["executor", "ring", "manager"] as const);
  const times = "op monitor interval=5s timeout=60s op start timeout=60s op stop timeout=60s";
  const odd = (agent: string, slow: number) =>
    `primitive odd ocf:scene:${agent} params slow=${slow} ${times}\n`;
  const home = random.pick(cluster.members);
  const through = cluster.anyone([home]);
  const atHome = `location odd-home odd 100: ${home}\n`;
  await cluster.load(`${odd("Plain", 0)}${atHome}`);
  await stage.until("odd runs", () => cluster.nodesOf("odd").join() === home);
  await stage.atRest();
  stage.allowed.errors.push(...processWords);
  stage.note(`${how} while the ${part} of ${home} is away; leader ${await stage.leader()}`);
  const place = stage.here();
  cluster.kill(home, part);
  if (how === "parameter") await cluster.load(odd("Plain", 0.1), through);
  else if (how === "agent") await cluster.load(odd("Roles", 0), through);
  else await cluster.must(through, "hactl configure delete --force odd-home odd");
  if (how === "made anew") await cluster.load(`${odd("Roles", 0)}${atHome}`, through);
  await stage.atRest();
  const count = cluster.nodesOf("odd").length;
  stage.check(count === (how === "removed" ? 0 : 1), `odd is ${how}, and runs on ${count} nodes`);
  // A ring that was long in coming back on a busy machine.
  if (stage.offs(home) === 1 && part === "ring") stage.allowed.fencing.add(home);
  const others = stage.actionsSince(place).filter(({ rsc }) => rsc !== "odd");
  stage.check(
    stage.allowed.fencing.has(home) || others.length === 0,
    `touched: ${others.map(({ rsc }) => rsc)}`,
  );
  if (how !== "removed") await cluster.must(through, "hactl configure delete --force odd-home odd");
  await stage.atRest();
  stage.check(cluster.nodesOf("odd").length === 0, "odd is deleted and runs");
}

/** The nodes read their configuration file again, or get a new key, while a process of the leader dies. */
async function reloadUnderDeath(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const command = stage.oneOf(["hactl reload", "hactl ring rekey"] as const);
  stage.allowed.errors.push(...processWords);
  const place = stage.here();
  for (let round = 0; round < 3; round++) {
    const leader = await stage.leader();
    const doing = cluster.run(random.pick(cluster.members), command);
    await Bun.sleep(random.between(0, 200));
    cluster.kill(leader, random.pick(["manager", "executor"] as const));
    stage.note(`${command} gave ${(await doing).code}`);
    await stage.atRest();
  }
  stage.noActionsSince(place, `although there was only ${command}`);
}

/** Longer than a node is waited for whose manager has gone. */
const managerMissedMs = 20_000;

/** hactl.toml is damaged, changed or removed, or the key is, which nobody was told of, and processes of the node die. */
async function unreadChange(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const name = random.pick([stage.promoted(), await stage.leader()]);
  const disk = (file: string) => join(cluster.machine(name).disk, file);
  const edits = {
    "hactl.toml is damaged": (text: string) => text.replace("[quorum]", "[quorum\n="),
    "hactl.toml has another run_dir": (text: string) => text.replace("/run/hactl", "/run/elsewhere"),
    "hactl.toml has another state_dir": (text: string) =>
      text.replace("/run/disk/state", "/run/disk/elsewhere"),
    "hactl.toml names this node no more": (text: string) => text.replace(`name = "${name}"`, 'name = "gone"'),
    "hactl.toml and the key are removed": () => undefined,
  } as const;
  const what = stage.oneOf(Object.keys(edits) as (keyof typeof edits)[]);
  const parts = random.pick([["manager"], ["executor"], ["manager", "executor"]] as const);
  stage.allowed.errors.push(...processWords, /the notices of crash kernels are not heard/);
  stage.note(`${what}; ${parts.join(", ")} of ${name}; leader ${await stage.leader()}`);
  const place = stage.here();
  const changed = edits[what](cluster.commonConfig);
  if (changed === undefined)
    for (const file of ["hactl.toml", "authkey"]) renameSync(disk(file), disk(`${file}.gone`));
  else writeFileSync(disk("hactl.toml"), changed);
  try {
    for (const part of parts) cluster.kill(name, part);
    await Bun.sleep(managerMissedMs);
    await stage.atRest();
    stage.noActionsSince(place, "although only processes died");
  } finally {
    if (changed === undefined)
      for (const file of ["hactl.toml", "authkey"]) renameSync(disk(`${file}.gone`), disk(file));
    else writeFileSync(disk("hactl.toml"), cluster.commonConfig);
  }
}

export const configuration: readonly Scenario[] = [
  { name: "ResyncCIB", title: "a node that was away gets what has changed", play: resync },
  {
    name: "CibStorm",
    title:
      "200 changes from all nodes while one loses its power and a manager dies: none that was acknowledged is lost",
    play: storm,
  },
  {
    name: "EditWhileAway",
    title: "a resource is edited or removed while a process of its node is away: no old one is left",
    cases: 4,
    play: editWhileAway,
  },
  {
    name: "ReloadUnderDeath",
    title: "nodes read their configuration again, or get a new key, while the leader's processes die",
    cases: 2,
    play: reloadUnderDeath,
  },
  {
    name: "UnreadChange",
    title: "hactl.toml is damaged, other or removed, unread, and processes of the node die: they come back",
    cases: 5,
    play: unreadChange,
  },
];
