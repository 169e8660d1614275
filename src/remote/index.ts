/** The protocol between managers and executors: messages on a stream, over a Unix socket or TLS. */
export { Channel, type ChannelHandlers } from "./channel.ts";
export {
  ExecutorClient,
  type ExecutorClientOptions,
  type ExecutorState,
  localExecutor,
  type RemoteAddress,
  remoteExecutor,
} from "./client.ts";
export { decodeEvent, decodeRequest } from "./decode.ts";
export { encodeMessage, HEADER_BYTES, MAX_BODY_BYTES, MessageReader } from "./framing.ts";
export { ManagerPort, type ManagerPortHandlers } from "./manager-port.ts";
export {
  ANY_NODE,
  hostEnds,
  isNodeKey,
  managerEnds,
  nodeKeyFile,
  parseRemoteKey,
  type RemoteKey,
} from "./node-key.ts";
export { REMOTE_PORT, type RemoteServerOptions, serveRemote } from "./server.ts";
