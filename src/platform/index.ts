/** The only room that touches the machine: clock, files, sockets, processes, syslog, watchdog, priorities. */
export { type Account, type AccountSources, Accounts } from "./accounts.ts";
export { Allowance, type AllowanceLimits } from "./allowance.ts";
export { LONGEST_TIMER_MS, monotonicMs, uptimeMs, wallMs, wallSeconds } from "./clock.ts";
export { type UnixDatagram, unixDatagram } from "./datagram.ts";
export {
  createSecret,
  type DurableFiles,
  type DurableOptions,
  isNewer,
  isPlainFileName,
  machineFiles,
  mayWritePath,
  type PathFacts,
  pathFacts,
  readLimited,
  removeFile,
  syncContent,
  syncDirectory,
  writeDurably,
} from "./files.ts";
export { FrameReader, type FrameSink, FrameWriter, frameHeader, frameHeaderBytes } from "./frames.ts";
export { type HandshakeLimits, handshakeLimits, MOST_PROVEN } from "./handshakes.ts";
export { type HeldFile, holdFile, leftCopies } from "./held-file.ts";
export { hostname, hostsAddresses, type LocalAddress, localAddresses } from "./interfaces.ts";
export { KeptSocket, type Listening, pathProblem } from "./kept-socket.ts";
export { endByDefect, isRefusal, type LastResort, onUncaught } from "./last-resort.ts";
export { type LifeLine, openLifeLine, proveLife } from "./life-line.ts";
export { type FileLock, lockFile, lockHolder, readPid, writing } from "./lock.ts";
export {
  formatEvent,
  type Log,
  type LogCall,
  type LogFields,
  type LogLevel,
  type LogOptions,
  type LogSettings,
  type LogThresholds,
  levelOfPriority,
  logLevels,
  openLog,
} from "./log.ts";
export { type ServiceManager, serviceManager } from "./notify.ts";
export { type FilterInstruction, filterOps, filterPackets } from "./packet-filter.ts";
export { atMost } from "./patience.ts";
export {
  dieWithParent,
  type EndedProcess,
  type ProcessSpec,
  parentPid,
  type RunningProcess,
  startProcess,
  withoutCoreDump,
} from "./process.ts";
export {
  bootId,
  killLeftBehind,
  type MarkedProcess,
  markedProcesses,
  processStart,
  type ThreadTimes,
  threadTimes,
} from "./process-tree.ts";
export {
  enterRealtime,
  type Granted,
  HelperWatch,
  isRealtime,
  leaveRealtime,
  lockedMemoryLimit,
  lockMemory,
  releaseStartupCode,
  unlockMemory,
} from "./realtime.ts";
export { type Secret, SecretStore } from "./secrets.ts";
export {
  type Facility,
  facilities,
  openSyslog,
  type Priority,
  priorities,
  type Syslog,
  syslogMessage,
} from "./syslog.ts";
export {
  connectTls,
  type PeerProblem,
  type ProvenAddresses,
  type ShownPeer,
  serveTls,
  type TlsClientOptions,
  type TlsPeer,
  type TlsServer,
  type TlsServerOptions,
} from "./tls.ts";
export { type TlsIdentity, type TlsRole, tlsIdentity, tlsPublicKey } from "./tls-identity.ts";
export { TurnedAway } from "./turned-away.ts";
export { openUdp, type UdpHandlers, type UdpSocket } from "./udp.ts";
export {
  connectFrames,
  type FrameConnection,
  type FrameHandlers,
  type FrameOptions,
  type FrameServer,
  frameServer,
  groupId,
  type PeerCredentials,
  type SocketAccess,
  serveFrames,
} from "./unix-socket.ts";
export { openWatchdog, type Watchdog, type WatchdogFacts, watchdogFacts } from "./watchdog.ts";
