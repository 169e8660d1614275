/** Something that a scenario found to be wrong with the cluster: no fault of the scenario. */
export class Violation extends Error {
  override readonly name = "Violation";
}
