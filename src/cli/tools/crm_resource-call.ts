import { lookup } from "../../terms/index.ts";
import type { Answer } from "../answer/index.ts";
import type { CibSession } from "../cib-session.ts";
import { usage } from "./connection.ts";
import type { ParsedWords } from "./getopt.ts";

/** What every command of crm_resource gets. */
export interface ResourceCall {
  readonly given: ParsedWords;
  readonly session: CibSession;
  readonly answer: Answer;
  readonly quiet: boolean;
  /** Id that -r names, if any. */
  readonly rsc: string | undefined;
  readonly node: string | undefined;
}

/** The resource's id. @throws HactlError USAGE when there is none */
export function requiredResource({ rsc }: ResourceCall): string {
  if (rsc === undefined || rsc === "") throw usage("crm_resource", "Must supply a resource id with -r");
  return rsc;
}

export const queries = [
  "list",
  "list-raw",
  "list-cts",
  "list-operations",
  "list-all-operations",
  "list-standards",
  "list-ocf-providers",
  "list-agents",
  "list-ocf-alternatives",
  "show-metadata",
  "query-xml",
  "query-xml-raw",
  "get-parameter",
  "get-property",
  "locate",
  "constraints",
  "stack",
  "why",
] as const;
export const changes = [
  "cleanup",
  "refresh",
  "fail",
  "set-parameter",
  "delete-parameter",
  "move",
  "ban",
  "clear",
  "delete",
  "restart",
  "wait",
] as const;
/** Commands that run an agent by hand, and its action. */
export const forced = lookup({
  "force-start": "start",
  "force-stop": "stop",
  "force-check": "monitor",
  "force-promote": "promote",
  "force-demote": "demote",
  validate: "validate-all",
} as const);
export type ForcedCommand = keyof typeof forced;
export type ResourceQuery = (typeof queries)[number];
export type ResourceChange = (typeof changes)[number];
export type ResourceCommand = ForcedCommand | ResourceQuery | ResourceChange | "digests";

export const isForced = (command: ResourceCommand): command is ForcedCommand => command in forced;
export const isChange = (command: ResourceCommand): command is ResourceChange =>
  changes.some((name) => name === command);

/** Commands that ask no cluster. */
export const withoutCib: ReadonlySet<ResourceCommand> = new Set([
  "list-standards",
  "list-ocf-providers",
  "list-agents",
  "list-ocf-alternatives",
  "show-metadata",
]);

const commands: readonly ResourceCommand[] = [
  ...queries,
  ...changes,
  ...(Object.keys(forced) as ForcedCommand[]),
  "digests",
];

/** What is to be done: of several commands the last one, and without any a list (crm_resource(8)). */
export const commandOf = ({ given }: ResourceCall): ResourceCommand => given.last(commands) ?? "list";
