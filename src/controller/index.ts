/** The cluster's brain: join, leader, transition execution, replicated state. */
export { type AgentKind, parameterTraits } from "./agent-knowledge.ts";
export { CLOCK_ATTRIBUTE } from "./clock-watch.ts";
export { emptyCib } from "./cluster-state.ts";
export { Controller, notInCluster } from "./controller.ts";
export type {
  ClusterEvent,
  ConfiguredNode,
  ControllerEffect,
  ControllerEvent,
  ControllerInit,
  ControllerTimer,
  ControllerView,
  Locks,
  Membership,
  PlanAnswer,
  Remembered,
  RequestId,
} from "./face.ts";
export {
  endsActive,
  FEATURE_SET,
  historyEntry,
  historyIds,
  isFailure,
  operationKey,
  pendingResult,
} from "./history.ts";
export { type Loss, MOST_LOST_FILES, readLosses } from "./join.ts";
export { REPETITION_ATTRIBUTE } from "./leader.ts";
export { readAskedAgents, readFailedOperation } from "./message-parse.ts";
export type {
  AskedAgents,
  ExecutorHistory,
  FailedOperation,
  RemoteAddress,
  RemoteHistory,
  ToldAgent,
} from "./messages.ts";
export { resourceFamilies } from "./one-owner.ts";
export {
  withAttributeKnown,
  withAttributesChanged,
  withHistoryForgotten,
  withNodeFenced,
} from "./requested-changes.ts";
export {
  type InjectedFailure,
  type SimulationResult,
  type SimulationStep,
  simulateTransition,
} from "./simulation.ts";
export {
  type FindAgent,
  hasInjections,
  type InjectedChange,
  type Injections,
  inject,
  noInjections,
  parseOperationSpec,
} from "./simulation-inject.ts";
export { copyElement, copyForSimulation, type HistoryOwner, SimulatedStatus } from "./simulation-status.ts";
export type * from "./status-input.ts";
