import type { XmlElement } from "../cib/index.ts";
import type { OnFail } from "./model.ts";

/**
 * Why no node is fenced for a stop that has failed: the service was never seen to run (`never-seen`), or the node was reset for
 * that before, and since it is back the service was not begun there (`reset-before`). Of such a node the look that fails
 * says as much already: else the service would be stopped where it runs. Whoever keeps the history writes it (no release
 * of Pacemaker does); the resource is blocked then, as on-fail=block says.
 */
export type Spared = "never-seen" | "reset-before";

/** Attribute of a history entry. */
export const SPARED = "not-fenced";

/** Why nothing is fenced for the failure that an entry tells of. */
export function sparedFor({ attributes }: XmlElement): Spared | undefined {
  const value = attributes.get(SPARED);
  return value === "never-seen" || value === "reset-before" ? value : undefined;
}

/** What follows from a failure, where nothing is to be fenced for it, nor for what would follow. */
export function sparing(onFail: OnFail, entry: XmlElement): OnFail {
  const isLook = entry.attributes.get("operation") === "monitor";
  return sparedFor(entry) && onFail === (isLook ? "restart" : "fence") ? "block" : onFail;
}
