/** The daemon's processes, and how commands talk to it. */

export { accessPage } from "./access-rules.ts";
export { AdminClient, connectAdmin } from "./admin-client.ts";
export type { AdminRequest, NodeReply } from "./admin-protocol.ts";
export { type ByHandResult, runAgentByHand } from "./agent-by-hand.ts";
export type { SurveyReply } from "./agent-survey.ts";
export { ownCommand, ownEnvironment } from "./children.ts";
export { type HistoryRow, readEventHistory } from "./event-history.ts";
export { checkFenceAgent } from "./fence-agents.ts";
export type { FenceHistoryReply } from "./fencing.ts";
export { compiledPlugins, describingArguments } from "./glue-plugins.ts";
export { hasLeft } from "./left-mark.ts";
export {
  parseDaemonArguments,
  runNodeExecutor,
  runNodeManager,
  runPlanner,
  runRemoteHost,
  runRing,
} from "./modes.ts";
export type { RemoteArguments } from "./remote-mode.ts";
export type { RekeyReply, ReloadReply, RingProcessStatus } from "./ring-link.ts";
export { type DaemonArguments, loadNode } from "./setup.ts";
