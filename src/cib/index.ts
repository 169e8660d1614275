/** The configuration and status model: XML both ways, crm text, versions, rules, access rules. */
export { accessMap } from "./acl/access-map.ts";
export { type Asker, readAsker } from "./acl/permissions.ts";
export { Rights } from "./acl/rights.ts";
export type { Sight } from "./acl/sight.ts";
export { denies, findLiftedDenies, type Renaming } from "./acl/widened.ts";
export {
  type AgentDescription,
  type AgentFacts,
  parseAgentDescription,
  readAgentFacts,
} from "./agent-description.ts";
export { replicaAddresses } from "./bundle-addresses.ts";
export {
  bundleContainer,
  bundleReplicas,
  connectionsToMembers,
  isRemote,
  type MemberConnection,
} from "./connection-names.ts";
export {
  type GroupChange,
  modifyGroup,
  type Renamed,
  renameObject,
  setConfigured,
} from "./crm/edit-objects.ts";
export { refuseExisting } from "./crm/existing.ts";
export { formatCrm } from "./crm/format.ts";
export { type TextLine, textLines, wordsOfLine } from "./crm/lexer.ts";
export { checkCrm, cibOf, examineCrm, isJoined, type LoadMode, loadCrm } from "./crm/load.ts";
export { definedCounts, definedIds, isStatement } from "./crm/read.ts";
export { resourceElements } from "./crm/resource-tree.ts";
export {
  type DateResult,
  evaluateDateExpression,
  evaluateDateSpec,
  placeInDateSpec,
} from "./date-rules.ts";
export { decisionCostMs } from "./decision-cost.ts";
export {
  applyOperations,
  type ChangeFor,
  type CibOutcome,
  type CibQuery,
  queryCib,
  refuseTooLong,
} from "./edit.ts";
export { meansTheSame } from "./edit-tree.ts";
export { checkSchemaName, refuseInvalid } from "./form.ts";
export { parseHostList, parseHostMap } from "./host-names.ts";
export { knownNodes, noSuchNode } from "./known-nodes.ts";
export { instanceLimit, MOST_INSTANCES, MOST_NODES, tooManyInstances } from "./limits.ts";
export { maskXml } from "./masking.ts";
export { rulesOfNode } from "./node-leftovers.ts";
export { refuseBadNodeValue, remarksOnNodeValue, type SetNodeValue } from "./node-values.ts";
export {
  type FindById,
  indexById,
  type NvpairOptions,
  type NvpairResult,
  type NvValue,
  plainValues,
  unpackNvpairs,
} from "./nvpairs.ts";
export { type CibOperation, readCibOperation } from "./operations.ts";
export { clusterProperties } from "./options/cluster.ts";
export {
  byName,
  canonicalProperties,
  clusterProperty,
  isSameMeta,
  isSameProperty,
} from "./options/lookup.ts";
export {
  alertMeta,
  cloneMeta,
  groupMeta,
  nodeOptions,
  operationOptions,
  resourceMeta,
} from "./options/resource.ts";
export { changesMoreThanOwn, findChangedOwn } from "./own-properties.ts";
export {
  AmbiguousPair,
  asId,
  isPlainSet,
  onlyPair,
  type Pair,
  type PairIds,
  pairsIn,
  removePairs,
  setResourcePair,
} from "./pair-edit.ts";
export { compilePattern, type Pattern } from "./pattern.ts";
export type { CibProblem } from "./references.ts";
export { type Removal, removeObjects } from "./remove-objects.ts";
export { bundleRuntimes, resourceKinds } from "./resource-kinds.ts";
export { evaluateRule, evaluateRules, type RuleContext, type RuleResult, type RuleState } from "./rules.ts";
export { settledPrimitives } from "./settled.ts";
export { CONFIGURATION_LIMITS, LONGEST_NAME, refuseOtherForm, refuseTooMany } from "./storable.ts";
export { refuseBadTicketValue } from "./ticket-values.ts";
export {
  addDuration,
  type DateParts,
  type Duration,
  dateParts,
  durationSeconds,
  FURTHEST_TIME,
  localOffset,
  parseDuration,
  parseIntervalMs,
  parseTime,
  parseWrittenTime,
  type WrittenTime,
} from "./time.ts";
export type { UpgradeNote } from "./upgrade/notes.ts";
export { canonicalSchema, inPresentForm, type Upgraded, upgradeCib } from "./upgrade/upgrade.ts";
export { compareVersions, parseBoolean, parseInteger, parseNumber, parseScore } from "./values.ts";
export { verifyCib } from "./verify.ts";
export {
  type AgentFinding,
  type AgentFindings,
  type AgentName,
  type AgentUse,
  agentUses,
  bundleUses,
  findAgentProblems,
} from "./verify-agents.ts";
export { LONGEST_TIMESTAMP, WIDEST_CONVERSION } from "./verify-alerts.ts";
export { findHeadProblems } from "./verify-head.ts";
export { propertyNameIn } from "./verify-names.ts";
export { writtenProperties } from "./verify-options.ts";
export { canRecur } from "./verify-values.ts";
export { type CibVersion, cibDigest, compareCibVersions, formatVersion, versionOf } from "./version.ts";
export {
  child,
  childrenOf,
  cloneElement,
  element,
  formatAnyXml,
  formatXml,
  isComment,
  parseXml,
  type XmlElement,
} from "./xml.ts";
export { type PathNode, selectXpath } from "./xpath.ts";
