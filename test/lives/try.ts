import { Random } from "../sim/random.ts";
import { worldPlan } from "./configurations.ts";
import { untilRest } from "./rest.ts";
import { World } from "./world.ts";

const name = process.argv[2] ?? "promotable";
const seed = Number(process.argv[3] ?? 1);
const world = new World(worldPlan(name, seed, new Random(seed, 1), (text) => console.log(text)));
for (const host of world.hosts) if (host.kind !== "guest") world.hostOn(host);
try {
  untilRest(world, 120_000);
  console.log("rest at", world.clock.now);
} catch (e) {
  console.log(String(e instanceof Error ? e.stack : e));
}
for (const h of world.hosts) console.log(h.name, h.powered, JSON.stringify([...h.services]));
