import type { ActionMethods } from "./methods.ts";
import { Changed } from "./methods.ts";

/** What bundles do to reach the places that were chosen. */
export const bundleActions: ActionMethods = {
  createActions() {},
  createProbe() {
    return false;
  },
  internalConstraints() {},
  actionFlags(_cluster, action) {
    return action.flags;
  },
  updateOrdered() {
    return Changed.None;
  },
  addGraphMeta() {},
};
