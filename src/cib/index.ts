/** The configuration and status model: XML both ways, crm text, versions, rules, access rules. */
export type { Asker } from "./acl/permissions.ts";
export { Rights } from "./acl/rights.ts";
export type { Sight } from "./acl/sight.ts";
export { formatCrm } from "./crm/format.ts";
export { checkCrm, cibOf, type LoadMode, loadCrm } from "./crm/load.ts";
export { type DateResult, evaluateDateExpression, evaluateDateSpec } from "./date-rules.ts";
export { applyOperations, type ChangeFor, type CibOutcome, type CibQuery, queryCib } from "./edit.ts";
export { refuseInvalid } from "./form.ts";
export {
  type FindById,
  indexById,
  type NvpairOptions,
  type NvpairResult,
  type NvValue,
  plainValues,
  unpackNvpairs,
} from "./nvpairs.ts";
export type { CibOperation } from "./operations.ts";
export { clusterProperties } from "./options/cluster.ts";
export { byName, canonicalProperties, clusterProperty } from "./options/lookup.ts";
export { cloneMeta, groupMeta, nodeOptions, operationOptions, resourceMeta } from "./options/resource.ts";
export type { CibProblem } from "./references.ts";
export { evaluateRule, evaluateRules, type RuleContext, type RuleResult, type RuleState } from "./rules.ts";
export {
  addDuration,
  type DateParts,
  type Duration,
  dateParts,
  durationSeconds,
  parseDuration,
  parseIntervalMs,
  parseTime,
} from "./time.ts";
export type { UpgradeNote } from "./upgrade/notes.ts";
export { canonicalSchema, type Upgraded, upgradeCib } from "./upgrade/upgrade.ts";
export { compareVersions, parseBoolean, parseInteger, parseNumber, parseScore } from "./values.ts";
export { verifyCib } from "./verify.ts";
export { findHeadProblems } from "./verify-head.ts";
export { type CibVersion, cibDigest, compareCibVersions, formatVersion, versionOf } from "./version.ts";
export { child, childrenOf, cloneElement, element, formatXml, parseXml, type XmlElement } from "./xml.ts";
export { type PathNode, selectXpath } from "./xpath.ts";
