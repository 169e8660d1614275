import { type EpochSeconds, lookup } from "../terms/index.ts";
import { connectionsToMembers, memberConnectionProblem } from "./connection-names.ts";
import { findLimitProblems } from "./limits.ts";
import { findOldForms } from "./old-forms.ts";
import { type CibProblem, findReferenceProblems } from "./references.ts";
import { findSchemaValueProblems } from "./schema-values.ts";
import { findStructureProblems } from "./structure.ts";
import { findTicketProblems } from "./ticket-values.ts";
import { upgradeCib } from "./upgrade/upgrade.ts";
import { findAclProblems } from "./verify-acls.ts";
import { findAlertProblems } from "./verify-alerts.ts";
import { findBundleProblems } from "./verify-bundles.ts";
import { findCircles } from "./verify-circles.ts";
import {
  findConnectionProblems,
  findConnectionValueProblems,
  findRemoteNameProblems,
} from "./verify-connections.ts";
import { findDependingProblems } from "./verify-depending.ts";
import { findFencingProblems } from "./verify-fencing.ts";
import { findHollowProblems } from "./verify-hollow.ts";
import { findMemberProblems } from "./verify-members.ts";
import { findMisplacedProblems } from "./verify-misplaced.ts";
import { findDoubleNames } from "./verify-names.ts";
import { findNeverProblems } from "./verify-never.ts";
import { findOptionProblems } from "./verify-options.ts";
import { findPromotionProblems } from "./verify-promotion.ts";
import { findRuleProblems } from "./verify-rules.ts";
import { findSharedServices } from "./verify-services.ts";
import { findSettingProblems } from "./verify-settings.ts";
import { findTopologyProblems } from "./verify-topology.ts";
import { findTwiceProblems } from "./verify-twice.ts";
import { findVainProblems } from "./verify-vain.ts";
import { findValueProblems } from "./verify-values.ts";
import { child, type XmlElement } from "./xml.ts";

const ranks = lookup({ error: 0, warning: 1, info: 2 } as const);

/**
 * Everything that is wrong or remarkable in a CIB of any schema, in the order of its lines: what the upgrade
 * changes, unknown elements and attributes, ids that are not unique, references to nothing, values that are none,
 * options that nobody knows, missing fencing. Whether agents exist is not looked at. Errors are what Pacemaker refuses
 * or what would be ignored where it matters; warnings are what it carries on with.
 * @param now what is over for good by then is told, too
 */
export function verifyCib(source: XmlElement, now?: EpochSeconds): CibProblem[] {
  const { root, notes } = upgradeCib(source);
  const configuration = child(root, "configuration");
  if (configuration === undefined) return [];
  const problems: CibProblem[] = [
    ...notes.map((note) => ({ ...note, code: "UPGRADED" })),
    ...findOldForms(source),
    ...findStructureProblems(configuration),
    ...findReferenceProblems(configuration),
    ...findSchemaValueProblems(configuration),
    ...findLimitProblems(configuration),
    ...findValueProblems(configuration),
    ...findHollowProblems(configuration),
    ...findCircles(configuration),
    ...findMemberProblems(configuration),
    ...findVainProblems(configuration),
    ...findConnectionProblems(configuration),
    ...connectionsToMembers(configuration).map(memberConnectionProblem),
    ...findRemoteNameProblems(configuration),
    ...findConnectionValueProblems(configuration),
    ...findTopologyProblems(configuration),
    ...findRuleProblems(configuration),
    ...findNeverProblems(configuration, now),
    ...findDependingProblems(configuration),
    ...findTwiceProblems(configuration),
    ...findSharedServices(configuration),
    ...findPromotionProblems(configuration),
    ...findBundleProblems(configuration),
    ...findAlertProblems(configuration),
    ...findAclProblems(configuration),
    ...findOptionProblems(configuration),
    ...findSettingProblems(configuration),
    ...findMisplacedProblems(configuration),
    ...findFencingProblems(configuration),
    ...findTicketProblems(root),
    ...findDoubleNames(configuration),
  ];
  const line = (problem: CibProblem) => problem.line ?? Number.MAX_SAFE_INTEGER;
  return problems.sort((a, b) => line(a) - line(b) || ranks[a.level] - ranks[b.level]);
}
