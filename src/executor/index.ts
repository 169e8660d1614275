/** The executor's pure core: which agent runs when, with which environment, and what its answer means. */
export { type Command, KEEP_BYTES, KEEP_METADATA_BYTES, type ProcessOutcome } from "./command.ts";
export { DEFAULT_OCF_ROOT, DEFAULT_TIMEOUT_MS, type ExecutorConfig, PROTOCOL_VERSION } from "./config.ts";
export type { CoreRequest, ExecutorEffect, ExecutorInput, ExecutorSnapshot, Now } from "./effects.ts";
export { ocfEnvironment } from "./environment.ts";
export { Executor } from "./executor.ts";
export type {
  AgentResource,
  ExecutorEvent,
  ExecutorRequest,
  Operation,
  OperationResult,
  ParameterTraits,
  ToolUser,
} from "./face.ts";
export type { JournalRecord } from "./journal.ts";
export { ocfCandidates } from "./ocf.ts";
export { cleanText, EXIT_REASON_PREFIX, exitReason } from "./output.ts";
export {
  canBeRun,
  readAgent,
  readAnyOperation,
  readAnyResource,
  readAnyResult,
  readJournalRecord,
  readOperation,
  readRemembered,
  readResult,
  readSavedState,
  readToolUser,
} from "./reading.ts";
export { type LeftBehind, type Recalled, recall, type SavedState } from "./recall.ts";
export {
  changesActive,
  expectedRc,
  isFailure,
  isLeftAlone,
  isMereLook,
  isNotBegun,
  isProbe,
  isReload,
  isUnwatched,
  leftBehind,
  tellsRole,
  UNWATCHED,
} from "./results.ts";
export { operationKey } from "./state.ts";
export { unusableUnit } from "./systemd.ts";
export type { LoadMode, LoadSample, Throttle } from "./throttle.ts";
export { jobsFor, throttle } from "./throttle.ts";
