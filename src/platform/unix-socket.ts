import { chmodSync, chownSync, lstatSync, readFileSync, unlinkSync } from "node:fs";
import type { Socket } from "bun";
import { CrmExit, HactlError } from "../terms/index.ts";
import { FrameReader, FrameWriter } from "./frames.ts";
import { KeptSocket, type Listening, pathProblem } from "./kept-socket.ts";
import { address, libc, SOL_SOCKET } from "./libc.ts";

const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
/** Most supplementary groups of a process (NGROUPS_MAX). */
const mostGroups = 65_536;

/**
 * Who is at the other end, as the kernel knows it (unix(7), SO_PEERCRED and SO_PEERGROUPS): of the moment of connecting.
 */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** One connection that carries frames: a type of 0 … 255 and a body of bytes each. */
export interface FrameConnection {
  /** `undefined` when the kernel did not tell. */
  readonly peer: PeerCredentials | undefined;
  /**
   * Queues a frame. `false` means that more than `highWater` bytes wait: send less until `drain` is called. After the
   * end it does nothing. The body must not change until it is written.
   */
  send(type: number, body: Uint8Array): boolean;
  /** Bytes that wait to be written. */
  readonly pendingBytes: number;
  /** Stops and resumes reading, so that the other side has to wait. */
  pause(): void;
  resume(): void;
  /** Ends after everything queued is written. */
  end(): void;
  /** Ends at once. */
  destroy(): void;
  readonly open: boolean;
}

/** What happens on a connection. */
export interface FrameHandlers {
  readonly open?: (connection: FrameConnection) => void;
  /** The body is the receiver's to keep. */
  readonly frame: (connection: FrameConnection, type: number, body: Uint8Array) => void;
  /** The queue is empty again after `send` answered `false`. */
  readonly drain?: (connection: FrameConnection) => void;
  /** Called once; `error` when it did not end in an orderly way. */
  readonly close?: (connection: FrameConnection, error: Error | undefined) => void;
}

export interface FrameOptions {
  /** Largest body that is accepted, bytes. Default 64 MB. */
  readonly maxBody?: number;
  /** Queue length at which `send` answers `false`, bytes. Default 1 MB. */
  readonly highWater?: number;
  /** Queue length at which a peer that does not read is cut off, bytes. Default 256 MB. */
  readonly maxPending?: number;
  /** What takes the place of these for one peer. */
  readonly ofPeer?: (peer: PeerCredentials | undefined) => FrameOptions;
}

/** A server as long as it is not closed. */
export interface FrameServer {
  readonly path: string;
  readonly connections: ReadonlySet<FrameConnection>;
  /**
   * Serves again where the socket is no more: removed, or replaced by one behind which nobody is. Connections go on.
   * @returns whether it had to. @throws HactlError SOCKET when the path cannot be used
   */
  mend(): Promise<boolean>;
  /** Ends every connection and removes the socket. */
  close(): void;
}

/** Methods of Bun's sockets that its types leave out. */
interface SocketExtras {
  readonly fd: number;
  pause(): void;
  resume(): void;
}

class Connection implements FrameConnection {
  readonly peer: PeerCredentials | undefined;
  open = true;
  private ending = false;
  private needDrain = false;
  private isDestroyed = false;
  private failure: Error | undefined;
  private readonly reader: FrameReader;
  private readonly writer: FrameWriter;
  private readonly highWater: number;
  private readonly maxPending: number;

  constructor(
    private readonly socket: Socket<Holder>,
    private readonly handlers: FrameHandlers,
    common: FrameOptions,
  ) {
    this.peer = peerCredentials((socket as unknown as SocketExtras).fd);
    const options = { ...common, ...common.ofPeer?.(this.peer) };
    this.reader = new FrameReader(options.maxBody ?? 64 * 1024 * 1024);
    this.highWater = options.highWater ?? 1024 * 1024;
    this.maxPending = options.maxPending ?? 256 * 1024 * 1024;
    this.writer = new FrameWriter((bytes) => (this.open ? socket.write(bytes) : -1));
  }

  get pendingBytes(): number {
    return this.writer.pending;
  }

  send(type: number, body: Uint8Array): boolean {
    if (!this.open || this.ending) return false;
    this.writer.send(type, body);
    if (this.writer.pending > this.maxPending) {
      this.fail(new Error(`the other side does not read: ${this.writer.pending} bytes wait`));
      return false;
    }
    if (this.writer.pending > this.highWater) this.needDrain = true;
    return !this.needDrain;
  }

  pause(): void {
    if (this.open) (this.socket as unknown as SocketExtras).pause();
  }

  resume(): void {
    if (this.open) (this.socket as unknown as SocketExtras).resume();
  }

  end(): void {
    if (!this.open || this.ending) return;
    this.ending = true;
    this.writer.flush();
    if (this.writer.pending === 0) this.socket.end();
  }

  destroy(): void {
    this.isDestroyed = true;
    if (this.open) this.socket.terminate();
  }

  take(bytes: Uint8Array): void {
    try {
      this.reader.take(bytes, (type, body) => {
        if (this.open && !this.isDestroyed) this.handlers.frame(this, type, body);
      });
    } catch (error) {
      if (!(error instanceof HactlError)) throw error;
      this.fail(error);
    }
  }

  writable(): void {
    this.writer.flush();
    if (this.writer.pending > 0) return;
    if (this.ending) this.socket.end();
    if (this.needDrain) {
      this.needDrain = false;
      this.handlers.drain?.(this);
    }
  }

  closed(error: Error | undefined): void {
    if (!this.open) return;
    this.open = false;
    this.writer.clear();
    this.handlers.close?.(this, this.failure ?? error);
  }

  private fail(error: Error): void {
    this.failure = error;
    this.destroy();
  }
}

interface Holder {
  connection: Connection | undefined;
}

const socketHandlers = (handlers: FrameHandlers, options: FrameOptions, all: Set<FrameConnection>) => ({
  open: (socket: Socket<Holder>) => {
    const connection = new Connection(socket, handlers, options);
    socket.data = { connection };
    all.add(connection);
    handlers.open?.(connection);
  },
  data: (socket: Socket<Holder>, bytes: Uint8Array) => socket.data.connection?.take(bytes),
  drain: (socket: Socket<Holder>) => socket.data.connection?.writable(),
  // The other side has sent all it had; what is queued here still goes out.
  end: (socket: Socket<Holder>) => socket.data.connection?.end(),
  close: (socket: Socket<Holder>, error?: Error) => {
    const connection = socket.data?.connection;
    if (!connection) return;
    all.delete(connection);
    connection.closed(error);
  },
  error: (socket: Socket<Holder>, error: Error) => {
    // A defect in a handler must not pass for trouble on the line: it is told before anybody hears of the connection's end.
    queueMicrotask(() => {
      throw error;
    });
    queueMicrotask(() => socket.data?.connection?.destroy());
  },
});

/** Who may connect to a served path. */
export interface SocketAccess {
  /** Default 0660. */
  readonly mode?: number;
  /** Group of the socket where the group exists on this machine, as `haclient`. */
  readonly group?: string;
}

/**
 * Serves frames on a Unix stream socket. A socket that is left over at `path` is removed: the caller holds the lock of
 * the directory (`lockFile`), so nobody is behind it.
 * @throws HactlError SOCKET when the path cannot be used.
 */
export function serveFrames(
  path: string,
  handlers: FrameHandlers,
  options: FrameOptions & SocketAccess = {},
): FrameServer {
  const server = frameServer(path, handlers, options);
  server.open();
  return server;
}

/** The same before it serves: `open`, or the first `mend`, begins it. */
export function frameServer(
  path: string,
  handlers: FrameHandlers,
  options: FrameOptions & SocketAccess = {},
): FrameServer & { open(): void } {
  checkPath(path);
  const connections = new Set<FrameConnection>();
  const begin = () => listen(path, handlers, options, connections);
  const socket = new KeptSocket(path, begin);
  return {
    path,
    connections,
    open: () => {
      if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
      socket.serves(begin());
    },
    mend: () => socket.mend(),
    close: () => {
      socket.close();
      for (const connection of connections) connection.destroy();
    },
  };
}

function listen(
  path: string,
  handlers: FrameHandlers,
  options: FrameOptions & SocketAccess,
  connections: Set<FrameConnection>,
): Listening {
  // Nobody gets in between the making of the socket and its permissions.
  const mask = process.umask(0o777);
  let listener: ReturnType<typeof Bun.listen<Holder>>;
  try {
    listener = Bun.listen<Holder>({
      unix: path,
      data: { connection: undefined },
      socket: socketHandlers(handlers, options, connections),
    });
  } catch (error) {
    throw pathProblem(path, error);
  } finally {
    process.umask(mask);
  }
  const group = options.group === undefined ? undefined : groupId(options.group);
  if (group !== undefined && process.getuid?.() === 0) chownSync(path, 0, group);
  chmodSync(path, options.mode ?? 0o660);
  return { stop: () => listener.stop(false), leave: () => listener.unref() };
}

/**
 * Connects to a server of frames.
 * @throws HactlError NOT_RUNNING when nobody serves there, PERMISSION when this user may not connect.
 */
export async function connectFrames(
  path: string,
  handlers: FrameHandlers,
  options: FrameOptions = {},
): Promise<FrameConnection> {
  checkPath(path);
  try {
    const socket = await Bun.connect<Holder>({
      unix: path,
      data: { connection: undefined },
      socket: socketHandlers(handlers, options, new Set()),
    });
    if (socket.data.connection) return socket.data.connection;
  } catch (error) {
    throw connectProblem(path, error);
  }
  throw connectProblem(path, new Error("closed at once"));
}

function peerCredentials(file: number): PeerCredentials | undefined {
  // Ids of directory services may be larger than what a signed number holds.
  const found = new Uint32Array(3);
  const length = new Uint32Array([found.byteLength]);
  if (
    !(file >= 0) ||
    libc().getsockopt(file, SOL_SOCKET, SO_PEERCRED, address(found), address(length)) !== 0
  ) {
    return undefined;
  }
  const [pid, uid, gid] = found;
  if (pid === undefined || uid === undefined || gid === undefined) return undefined;
  return { pid, uid, gid, groups: peerGroups(file) };
}

/** None when the kernel (before Linux 4.13) cannot tell. */
function peerGroups(file: number): number[] {
  for (let room = 64; room <= mostGroups; room *= 32) {
    const found = new Uint32Array(room);
    const length = new Uint32Array([found.byteLength]);
    if (libc().getsockopt(file, SOL_SOCKET, SO_PEERGROUPS, address(found), address(length)) === 0)
      return [...found.subarray(0, (length[0] ?? 0) / Uint32Array.BYTES_PER_ELEMENT)];
  }
  return [];
}

/** Id of a group of this machine by /etc/group; `undefined` when there is none of that name. */
export function groupId(name: string, file = "/etc/group"): number | undefined {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [group, , id] = line.split(":");
    if (group === name && id !== undefined) return Number(id);
  }
  return undefined;
}

function checkPath(path: string): void {
  // sun_path has room for 107 bytes and an end; longer ones would be cut silently.
  if (Buffer.byteLength(path) <= 107) return;
  throw new HactlError({
    code: "SOCKET",
    what: `The path of the socket has ${Buffer.byteLength(path)} bytes; 107 are possible`,
    where: { file: path },
    cure: "Choose a shorter run_dir",
    exit: CrmExit.CONFIG,
  });
}

function connectProblem(path: string, error: unknown): HactlError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") {
    return new HactlError({
      code: "PERMISSION",
      what: "This user may not talk to the daemon",
      where: { file: path },
      cure: "Run it as root or as a member of the group haclient",
      exit: CrmExit.INSUFFICIENT_PRIV,
      cause: error,
    });
  }
  return new HactlError({
    code: "NOT_RUNNING",
    what: "hactl is not running on this node",
    where: { file: path },
    cure: "Start it with systemctl start hactl, and see hactl status",
    exit: CrmExit.DISCONNECT,
    cause: error,
  });
}
