import type { Scenario } from "./scenario.ts";
import { defaultShape } from "./scenario.ts";
import { clock } from "./scenarios/clock.ts";
import { componentFail } from "./scenarios/component-fail.ts";
import { componentHang } from "./scenarios/component-hang.ts";
import { configuration } from "./scenarios/configuration.ts";
import { disks } from "./scenarios/disks.ts";
import { endurance } from "./scenarios/endurance.ts";
import { fencing } from "./scenarios/fencing.ts";
import { identity } from "./scenarios/identity.ts";
import { network } from "./scenarios/network.ts";
import { nodes } from "./scenarios/nodes.ts";
import { remote } from "./scenarios/remote.ts";
import { runDirectory } from "./scenarios/run-directory.ts";
import { services } from "./scenarios/services.ts";
import { slowActions } from "./scenarios/slow-actions.ts";
import { startStop } from "./scenarios/start-stop.ts";

const all: readonly Scenario[] = [
  ...startStop,
  ...nodes,
  ...services,
  ...componentFail,
  ...componentHang,
  ...slowActions,
  ...runDirectory,
  ...configuration,
  ...disks,
  ...endurance,
  ...fencing,
  ...network,
  ...remote,
  ...identity,
  ...clock,
];

/** All scenarios, those that can share a cluster together. */
export const catalogue: readonly Scenario[] = [
  ...Map.groupBy(all, ({ own, shape }) =>
    own ? "own" : JSON.stringify({ ...defaultShape, ...shape }),
  ).values(),
].flat();

/** Scenarios by name: that one and its variants behind a dash, or else all that begin so. */
export function named(name: string): readonly Scenario[] {
  const exact = catalogue.filter(
    (scenario) => scenario.name === name || scenario.name.startsWith(`${name}-`),
  );
  return exact.length > 0 ? exact : catalogue.filter((scenario) => scenario.name.startsWith(name));
}
