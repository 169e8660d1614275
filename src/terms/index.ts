/** The vocabulary that every room shares: ids, units, scores, exit codes, errors, the shape of an option. */
export { formatPlace, HactlError, type HactlErrorInit, type Place } from "./errors.ts";
export { CrmExit, OcfExit, OpStatus } from "./exit-codes.ts";
export { exitText, exitTextOld, statusText } from "./exit-texts.ts";
export {
  MAX_NODES,
  type NodeId,
  type NodeName,
  nodeId,
  nodeName,
  type ResourceId,
  resourceId,
} from "./ids.ts";
export { nearest } from "./near-miss.ts";
export type { OptionSpec, OptionType } from "./options.ts";
export { PACEMAKER_VERSION } from "./pacemaker-version.ts";
export { addScores, formatScore, INFINITY } from "./score.ts";
export type { EpochSeconds, Millis } from "./time.ts";
export { type ToolName, toolNames } from "./tool-names.ts";
