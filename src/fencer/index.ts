/** Fencing: devices, topology, requests, history, crash notices. */

export { complaint } from "./agent-run.ts";
export type { FenceDevice } from "./device.ts";
export { answersIn, devicesIn, type FenceDeviceInfo, idleDevicesIn, unfenceableIn } from "./device-info.ts";
export {
  devicesFromCib,
  type FenceConfiguration,
  type FenceLevel,
  kdumpNames,
  kdumpPorts,
  problemsOf,
} from "./devices.ts";
export type * from "./face.ts";
export { type FenceProgress, Fencer } from "./fencer.ts";
export { readFencerMessage, readKeptRun } from "./messages.ts";
export { type AgentMetadata, parseAgentMetadata, pluginMetadata } from "./metadata.ts";
export { type FencingNews, fencingNews } from "./news.ts";
export { checkDeviceParameters, deviceOptions, isDeviceName, isParameterName } from "./parameters.ts";
export { isGivenUp } from "./plan.ts";
