import type { Scenario } from "./scenario.ts";
import { componentFail } from "./scenarios/component-fail.ts";

/** All scenarios, in an order in which those that can share a cluster follow each other. */
export const catalogue: readonly Scenario[] = [...componentFail];

/** Scenarios by name; a name also means the family of those that begin with it and a dash. */
export function named(name: string): readonly Scenario[] {
  return catalogue.filter((scenario) => scenario.name === name || scenario.name.startsWith(`${name}-`));
}
