/**
 * What status displays are made from. The types are at home in the controller's room, because the daemon fills
 * them and may not import from the CLI.
 */
import { parseXml } from "../../cib/index.ts";
import type { StatusInput, StatusReply } from "../../controller/index.ts";
import { withoutHiddenResources } from "../hidden.ts";

export type {
  StatusFencing,
  StatusInput,
  StatusLink,
  StatusMember,
  StatusMembership,
  StatusReply,
  StatusThrottle,
  StatusTransition,
  StatusWarning,
} from "../../controller/index.ts";

/** The daemon's answer with its CIB as elements. */
export function toStatusInput(reply: StatusReply): StatusInput {
  const cib = withoutHiddenResources(parseXml(reply.cib), reply.hidden ?? []);
  return { ...reply, cib };
}

/** What is known when only a file is shown: no ring, no fencing history. */
export function fileStatusInput(
  cib: StatusInput["cib"],
  now: number,
  version: string,
  featureSet: string,
): StatusInput {
  return {
    cib,
    now,
    version,
    featureSet,
    fencing: { history: [], pending: [] },
    throttle: [],
    disks: [],
    warnings: [],
  };
}
