import { decodeRequest } from "../../src/remote/index.ts";
import { exited, World } from "../executor/world.ts";
import { executorSamples } from "./edge-samples.ts";
import { orRefused, type Target } from "./targets.ts";
import { mutateJson } from "./values.ts";

/** Requests that an executor is given before it is made anew. */
const life = 2_000;

/** What managers ask of an executor, with the executor: it runs agents that end, hang or are missing. */
export function executorTargets(): Target[] {
  const samples = executorSamples();
  let world = new World();
  let fed = 0;
  return [
    {
      name: "executors: requests of managers",
      samples: [],
      make: (random) => mutateJson(random, samples),
      feed: (data, random) => {
        if (fed++ % life === 0) world = new World();
        let value: unknown;
        try {
          value = JSON.parse(new TextDecoder().decode(data));
        } catch {
          return "refused";
        }
        const outcome = orRefused(() => {
          const request = decodeRequest(value);
          // The host answers these itself.
          if (request.type === "list" || request.type === "tool-reply" || request.type === "shutdown-ack")
            return;
          world.step({ type: "request", request });
        });
        const run = world.runs.length > 0 && random.chance(0.5) ? random.pick(world.runs) : undefined;
        if (run)
          world.end(run.label, exited(random.pick([0, 1, 7, 8, 190, 255]), "ocf-exit-reason:why", "out"));
        if (random.chance(0.2)) world.advance(random.between(1, 20_000));
        world.events();
        world.logs.length = 0;
        world.kills.length = 0;
        return outcome;
      },
      end: () => world.advance(3_600_000),
    },
  ];
}
