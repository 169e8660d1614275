/** The vocabulary that every room shares: ids, units, scores, exit codes, errors, the shape of an option. */
export { agentName } from "./agent-name.ts";
export { defectLine, formatPlace, HactlError, type HactlErrorInit, type Place } from "./errors.ts";
export { CrmExit, OcfExit, OpStatus } from "./exit-codes.ts";
export { crmExitTexts, executionStatusTexts, exitMessage, statusText } from "./exit-texts.ts";
export {
  MAX_NODES,
  type NodeId,
  type NodeName,
  nodeId,
  nodeName,
  type ResourceId,
  resourceId,
  withoutInstance,
} from "./ids.ts";
export { lastWords } from "./last-words.ts";
export { lookup } from "./lookup.ts";
export { nearest } from "./near-miss.ts";
export type { OptionSpec, OptionType } from "./options.ts";
export { PACEMAKER_VERSION } from "./pacemaker-version.ts";
export { plainJson, plainLine, plainText, plainValues, plainXml } from "./plain-text.ts";
export type { Read } from "./reading.ts";
/** Readers of what comes from outside: `read.shape`, `read.list`, `read.text`, …. */
export * as read from "./reading.ts";
export { addScores, formatScore, INFINITY } from "./score.ts";
export { isSecretName, isSecretParameter, MASKED, secretReference, withoutSecretValues } from "./secrets.ts";
export { shellQuoted } from "./shell.ts";
export type { EpochSeconds, Millis } from "./time.ts";
export { type DaemonName, daemonNames, type ToolName, toolNames } from "./tool-names.ts";
export { asXmlText, isXmlName, isXmlText } from "./xml-text.ts";
