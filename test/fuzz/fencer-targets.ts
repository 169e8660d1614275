import { FenceCluster } from "../fencer/cluster.ts";
import { fencerSamples } from "./edge-samples.ts";
import { broken, type Target } from "./targets.ts";
import { mutateJson } from "./values.ts";

/** Messages that fencers are given before they are made anew. */
const life = 1_000;
const names = ["a", "b", "c"];
const device = `<primitive id="power" class="stonith" type="fence_power"><instance_attributes id="i">
  <nvpair id="h" name="pcmk_host_list" value="a b c"/></instance_attributes></primitive>`;

function fresh(): FenceCluster {
  const fencers = new FenceCluster(names);
  fencers.configure(device, `<fencing-level id="l" index="1" target="c" devices="power"/>`);
  fencers.behaviours.set("power", { outcome: { exit: 0 }, afterMs: 100 });
  return fencers;
}

/** What three fencers have to hold alike. */
const states = (fencers: FenceCluster) =>
  new Set(
    [...fencers.hosts.values()].map(({ fencer }) =>
      JSON.stringify([fencer.pending(), fencer.entries(), fencer.devices()]),
    ),
  );

/** What members say to fencers, with the fencers. */
export function fencerTargets(): Target[] {
  const samples = fencerSamples();
  let fencers = fresh();
  let fed = 0;
  return [
    {
      name: "fencers: messages to three of them",
      samples: [],
      make: (random) => mutateJson(random, samples),
      feed: (data, random) => {
        if (fed++ % life === 0) fencers = fresh();
        let message: unknown;
        try {
          message = JSON.parse(new TextDecoder().decode(data));
        } catch {
          return "refused";
        }
        fencers.logs.length = 0;
        fencers.trace.length = 0;
        fencers.inject(random.pick(names), message);
        const refused = fencers.logs.some((line) => line.includes("not understood"));
        if (random.chance(0.1)) fencers.pass(random.between(1, 5000));
        const wrong = fencers.logs.find((line) => line.includes("a defect of hactl"));
        if (wrong !== undefined) broken(wrong, data);
        if (random.chance(0.1) && states(fencers).size > 1) broken("the fencers hold different states", data);
        return refused ? "refused" : "accepted";
      },
      end: () => fencers.pass(3_600_000),
    },
  ];
}
