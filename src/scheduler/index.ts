/** CIB and time in, transition out: what runs where, in which order, and why. */

export { DIGEST_OF, parameterDigest } from "./digests.ts";
export { failuresOf, readConstraints } from "./display.ts";
export { EffortSpent } from "./effort.ts";
export type * from "./face.ts";
export { Flag, Link, type ProbeMode, parseRole, Role, roleName } from "./flags.ts";
export { compareOperations, oldestFirst } from "./history-order.ts";
export * from "./model.ts";
export { compareNames } from "./name-order.ts";
export { possibleNodes } from "./possible-nodes.ts";
export { type ReleaseRules, rulesOf } from "./release.ts";
export { decide, schedule, scheduleCluster } from "./schedule.ts";
export { type ShownDigests, shownDigests } from "./shown-digests.ts";
export { SPARED, type Spared, sparedFor } from "./spared.ts";
export { isUnexecutable } from "./unexecutable.ts";
export { unpackCluster } from "./unpack.ts";
