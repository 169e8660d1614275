/** The configuration and status model: XML both ways, crm text, versions, rules. */
export { type DateResult, evaluateDateExpression, evaluateDateSpec } from "./date-rules.ts";
export {
  type FindById,
  indexById,
  type NvpairOptions,
  type NvpairResult,
  type NvValue,
  plainValues,
  unpackNvpairs,
} from "./nvpairs.ts";
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
export { compareVersions, parseBoolean, parseInteger, parseNumber, parseScore } from "./values.ts";
export { child, childrenOf, element, formatXml, parseXml, type XmlElement } from "./xml.ts";
