import { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { monotonicMs } from "./clock.ts";
import { type HandshakeLimits, Handshakes, handshakeLimits } from "./handshakes.ts";
import { address, libc } from "./libc.ts";
import { claimedNode, type TlsIdentity } from "./tls-identity.ts";

/** What a peer showed. It has proved that the key is its own; the name is a claim. */
export interface ShownPeer {
  readonly publicKey: Uint8Array;
  readonly claimed: string | undefined;
}

/** Who has to be at the other end. */
export interface TlsPeer {
  readonly accepts: (shown: ShownPeer) => boolean;
  /** Says what is wrong with somebody else, for the log or the error, and what can be done. */
  readonly problem: (shown: ShownPeer) => PeerProblem;
}

export interface PeerProblem {
  readonly what: string;
  readonly cure?: string;
}

export interface TlsServerOptions {
  readonly identity: TlsIdentity;
  readonly peer: TlsPeer;
  /** Address to listen on. Default: all, IPv6 and IPv4. */
  readonly address?: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  /** A peer that has proved that it is the right one. */
  readonly accept: (stream: TLSSocket, from: string, peer: ShownPeer) => void;
  /** A peer that was turned away before anything of it was read, and why. */
  readonly refused: (from: string, reason: string) => void;
  /** How many strangers may be in their handshake, and for how long. */
  readonly handshakes?: HandshakeLimits;
  readonly proven?: ProvenAddresses | undefined;
}

/** Addresses of peers that have proved themselves, of the process before this one and for the next. */
export interface ProvenAddresses {
  /** Those that are known at the start, oldest first. */
  readonly read: () => readonly string[];
  /** Another one has come; this is all of them. */
  readonly keep: (addresses: readonly string[]) => void;
}

export interface TlsServer {
  readonly port: number;
  close(): void;
}

/**
 * Connections that the kernel holds until this process runs again; Bun asks for 512 whatever it is told. When there is no
 * room, a manager's attempt is lost, and only made again after a second.
 */
const BACKLOG = 4096;
/** How often late handshakes are looked for. */
const LOOK_MS = 250;

/**
 * Serves TLS 1.3 to one peer, known by its key. Whoever has another key, or none, is cut off before any of its data is
 * looked at.
 * @throws HactlError PORT when the address cannot be used.
 */
export function serveTls(options: TlsServerOptions): Promise<TlsServer> {
  const { identity } = options;
  const limits = options.handshakes ?? handshakeLimits;
  const handshakes = new Handshakes<Socket>(
    { spoke: hasSpoken, random: Math.random },
    limits,
    options.proven?.read(),
  );
  const server = createServer({
    key: identity.keyPem,
    cert: identity.certPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    // Ours are shorter; this is for what they do not see.
    handshakeTimeout: limits.patienceMs + 8 * LOOK_MS,
  });
  const open = new Set<Socket>();
  const turnAway = (socket: Socket, reason: string) => {
    options.refused(nameOf(socket), reason);
    socket.destroy();
  };
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      handshakes.leave(socket);
    });
    for (const one of handshakes.enter(socket, socket.remoteAddress ?? "?", monotonicMs()))
      turnAway(one, "too many connections are in their handshake");
  });
  const looking = setInterval(() => {
    for (const one of handshakes.expired(monotonicMs())) turnAway(one, "it did not say in time who it is");
  }, LOOK_MS);
  looking.unref();
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    // Whoever was turned away is told once.
    if (handshakes.leave(socket)) turnAway(socket, `no TLS connection came about: ${error.message}`);
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    handshakes.leave(socket);
    const from = nameOf(socket);
    socket.on("error", () => socket.destroy());
    const { shown, problem } = judged(socket, options.peer);
    if (!shown) return turnAway(socket, problem.cure ? `${problem.what} (${problem.cure})` : problem.what);
    if (handshakes.proven(socket.remoteAddress ?? "?")) options.proven?.keep(handshakes.provenSources);
    prepare(socket);
    options.accept(socket, from, shown);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(portProblem(options, error)));
    server.listen(
      { port: options.port, ...(options.address === undefined ? {} : { host: options.address }) },
      () => {
        const bound = server.address();
        const file = fileOf(server);
        if (file !== undefined) libc().listen(file, BACKLOG);
        resolve({
          port: typeof bound === "object" && bound !== null ? bound.port : options.port,
          close: () => {
            clearInterval(looking);
            server.close();
            for (const socket of open) socket.destroy();
          },
        });
      },
    );
  });
}

export interface TlsClientOptions {
  readonly identity: TlsIdentity;
  readonly peer: TlsPeer;
  readonly host: string;
  readonly port: number;
  /** For the whole of it: name, connection, handshake. */
  readonly timeoutMs: Millis;
}

/**
 * Connects to the one peer that is meant, known by its key.
 * @throws HactlError UNREACHABLE when there is no connection in time, WRONG_PEER when somebody else is there.
 */
export function connectTls(options: TlsClientOptions): Promise<TLSSocket> {
  const { identity, host, port } = options;
  const where = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      key: identity.keyPem,
      cert: identity.certPem,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      minVersion: "TLSv1.3",
    });
    const give = (error: HactlError) => {
      clearTimeout(timer);
      // An end in order, so that the other side sees our certificate and can tell of it too.
      socket.end();
      setTimeout(() => socket.destroy(), 1000).unref();
      reject(error);
    };
    const timer = setTimeout(() => {
      give(unreachable(where, `no answer within ${options.timeoutMs} ms`));
      socket.destroy();
    }, options.timeoutMs);
    socket.on("error", (error) => give(unreachable(where, error.message)));
    socket.once("close", () => give(unreachable(where, "the connection was closed")));
    socket.once("secureConnect", () => {
      const { problem } = judged(socket, options.peer);
      if (problem) {
        give(wrongPeer(where, problem));
        return;
      }
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      socket.on("error", () => socket.destroy());
      prepare(socket);
      resolve(socket);
    });
  });
}

type Judged =
  | { readonly shown: ShownPeer; readonly problem?: undefined }
  | { readonly shown?: undefined; readonly problem: PeerProblem };

/** The right peer, or why it is not the right one. The handshake has proved that it owns the key it shows. */
function judged(socket: TLSSocket, peer: TlsPeer): Judged {
  const raw = socket.getPeerCertificate(true)?.raw;
  if (!raw) return { problem: { what: "it showed no certificate" } };
  let publicKey: Buffer;
  let claimed: string | undefined;
  try {
    const certificate = new X509Certificate(raw);
    publicKey = certificate.publicKey.export({ type: "spki", format: "der" });
    claimed = claimedNode(certificate.subject);
  } catch {
    return { problem: { what: "its certificate cannot be read" } };
  }
  const shown = { publicKey, claimed };
  return peer.accepts(shown) ? { shown } : { problem: peer.problem(shown) };
}

/** Number of the file behind a socket or server. */
function fileOf(socket: object): number | undefined {
  const file = (socket as { readonly _handle?: { readonly fd?: unknown } | null })._handle?.fd;
  return typeof file === "number" && file >= 0 ? file : undefined;
}

const SOL_TCP = 6;
const TCP_INFO = 11;
/** Where tcpi_bytes_received is in struct tcp_info. */
const RECEIVED_AT = 128;

/** Whether the other side of a connection has sent anything, though nothing of it may have been read; `false` where the kernel does not tell. */
function hasSpoken(socket: Socket): boolean {
  const file = fileOf(socket);
  if (file === undefined) return false;
  const facts = Buffer.alloc(RECEIVED_AT + 8);
  const length = new Uint32Array([facts.length]);
  const failed = libc().getsockopt(file, SOL_TCP, TCP_INFO, address(facts), address(length)) !== 0;
  return !failed && (length[0] ?? 0) >= facts.length && facts.readBigUInt64LE(RECEIVED_AT) > 0n;
}

function prepare(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 5000);
}

const nameOf = (socket: Socket) => `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;

function portProblem(options: TlsServerOptions, error: NodeJS.ErrnoException): HactlError {
  return new HactlError({
    code: "PORT",
    what: `TCP port ${options.port}${options.address === undefined ? "" : ` of ${options.address}`} cannot be served: ${error.code ?? error.message}`,
    cure: "Choose another port (PCMK_remote_port) or stop the program that uses it",
    exit: CrmExit.OSERR,
    cause: error,
  });
}

function unreachable(where: string, why: string): HactlError {
  return new HactlError({
    code: "UNREACHABLE",
    what: `No connection to the executor at ${where}: ${why}`,
    cure: "Check that hactl remote runs there and that its port is open",
    exit: CrmExit.DISCONNECT,
  });
}

function wrongPeer(where: string, { what, cure }: PeerProblem): HactlError {
  return new HactlError({
    code: "WRONG_PEER",
    what: `The executor at ${where} is not the one that is meant: ${what}`,
    ...(cure === undefined ? {} : { cure }),
    exit: CrmExit.NOPERM,
  });
}
