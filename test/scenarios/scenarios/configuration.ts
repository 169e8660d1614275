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

export const configuration: readonly Scenario[] = [
  { name: "ResyncCIB", title: "a node that was away gets what has changed", play: resync },
  {
    name: "CibStorm",
    title:
      "200 changes from all nodes while one loses its power and a manager dies: none that was acknowledged is lost",
    play: storm,
  },
];
