import { isIPv6 } from "node:net";
import { CrmExit, HactlError, type Millis } from "../terms/index.ts";
import { monotonicMs } from "./clock.ts";
import { libc, address as pointer, SOL_SOCKET } from "./libc.ts";
import { type FilterInstruction, filterPackets, takeNothing } from "./packet-filter.ts";

const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_PRIORITY = 12;
const SO_RCVBUFFORCE = 33;
/** With the default buffer a process that is busy for half a second loses most of what arrives meanwhile. */
const bufferBytes = 4 * 1024 * 1024;
/** Priority of interactive traffic (tc-prio(8)): the token goes ahead of bulk data on the same interface. */
const interactive = 6;

export interface UdpSocket {
  readonly port: number;
  /** Sends one datagram; whether the system took it is not known, as always with UDP. */
  send(data: Uint8Array, port: number, address: string): void;
  /**
   * Has the kernel drop what the filter does not take; undefined: all is taken. Returns why not, when it can't be done.
   */
  filter(program: readonly FilterInstruction[] | undefined): string | undefined;
  close(): void;
}

export interface UdpHandlers {
  /** `address` is the sender's, as text. The bytes are the receiver's to keep. */
  readonly datagram: (data: Uint8Array, address: string, port: number) => void;
  /** Errors arrive later and belong to no datagram: an unreachable peer, a datagram that is too large. */
  readonly error: (error: Error) => void;
  /** Datagrams have come without a pause for longer than timers can wait: a good time to run what is due. */
  readonly long?: () => void;
}

/** Of so many datagrams one asks whether the loop turns. */
const LOOK_EVERY = 64;
/** A turn of the loop that is longer holds up timers and all else: they are run by `long`, as often as this. */
const LONG_MS: Millis = 20;
/** When this process did not run for a while, no more of that counts as work: what was sent to it meanwhile comes first. */
const PAUSE_MS: Millis = 10;
/** After this the socket takes nothing until the loop has turned. */
const TOO_LONG_MS: Millis = 60;

/**
 * Bun reads a socket until it is empty before it does anything else: whoever sends faster than datagrams can be handled stops
 * all timers. So the time that it takes is watched, and when it is too long the kernel drops what comes until the
 * loop has turned once. The ring asks again for what is lost.
 */
class Turn {
  #left = LOOK_EVERY;
  /** Time spent since the loop was asked to say that it turns; undefined: it has said so. */
  #spent: Millis | undefined;
  #lookedAt: Millis = 0;
  #longAt: Millis = 0;
  #closed = false;

  constructor(
    private readonly long: () => void,
    private readonly valve: (open: boolean) => void,
  ) {}

  /** A datagram has come. */
  datagram(): void {
    if (--this.#left > 0) return;
    this.#left = LOOK_EVERY;
    const now = monotonicMs();
    const passed = Math.min(PAUSE_MS, now - this.#lookedAt);
    this.#lookedAt = now;
    if (this.#spent === undefined) {
      this.#spent = 0;
      this.#longAt = LONG_MS;
      setImmediate(() => this.#turned());
      return;
    }
    this.#spent += passed;
    if (this.#spent < this.#longAt) return;
    this.#longAt = this.#spent + LONG_MS / 4;
    if (!this.#closed && this.#spent > TOO_LONG_MS) {
      this.#closed = true;
      this.valve(false);
    }
    this.long();
  }

  #turned(): void {
    this.#spent = undefined;
    if (!this.#closed) return;
    this.#closed = false;
    this.valve(true);
  }
}

/**
 * Binds a UDP socket.
 * @throws HactlError ADDRESS_NOT_LOCAL, PORT_IN_USE or UDP_BIND, with the address and what to do.
 */
export async function openUdp(bindAddress: string, port: number, handlers: UdpHandlers): Promise<UdpSocket> {
  let program: readonly FilterInstruction[] | undefined;
  let file = -1;
  let open = true;
  const turn = new Turn(
    () => handlers.long?.(),
    (all) => {
      if (open) filterPackets(file, all ? program : takeNothing);
    },
  );
  try {
    const socket = await Bun.udpSocket({
      hostname: bindAddress,
      port,
      binaryType: "uint8array",
      socket: {
        data: (_socket, data, fromPort, from) => {
          turn.datagram();
          handlers.datagram(data as Uint8Array, plain(from), fromPort);
        },
        error: (...parts: unknown[]) => {
          const error = parts.find((part) => part instanceof Error);
          handlers.error(error instanceof Error ? error : new Error(String(parts.at(-1))));
        },
      },
    });
    file = (socket as unknown as { readonly fd: number }).fd;
    enlarge(file);
    return {
      port: socket.port,
      send: (data, toPort, to) => {
        // An error of an earlier datagram is told to the next one, which then was not sent: once for each that waits.
        for (let attempt = 0; attempt < 4; attempt++) {
          try {
            socket.send(data, toPort, to);
            return;
          } catch (error) {
            handlers.error(error instanceof Error ? error : new Error(String(error)));
          }
        }
      },
      filter: (next) => {
        if (!open) return undefined;
        const refused = filterPackets(file, next);
        if (refused === undefined) program = next;
        return refused;
      },
      close: () => {
        open = false;
        socket.close();
      },
    };
  } catch (cause) {
    throw bindError(bindAddress, port, cause);
  }
}

/** A v4 address that came through a v6 socket, written as v4. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, "");

function enlarge(fd: number): void {
  const set = (option: number, value: number) => {
    const bytes = new Int32Array([value]);
    return libc().setsockopt(fd, SOL_SOCKET, option, pointer(bytes), 4) === 0;
  };
  if (!set(SO_RCVBUFFORCE, bufferBytes)) set(SO_RCVBUF, bufferBytes);
  set(SO_SNDBUF, bufferBytes);
  set(SO_PRIORITY, interactive);
}

function bindError(bindAddress: string, port: number, cause: unknown): HactlError {
  const code = (cause as { code?: string }).code ?? "";
  const spot = isIPv6(bindAddress) ? `[${bindAddress}]:${port}` : `${bindAddress}:${port}`;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (code === "EADDRINUSE" || /EADDRINUSE|in use/i.test(text)) {
    return new HactlError({
      code: "PORT_IN_USE",
      what: `UDP port ${spot} is in use`,
      cure: `see who has it with 'ss -ulpn sport = :${port}'; corosync or another hactl must be stopped first`,
      exit: CrmExit.OSERR,
      cause,
    });
  }
  if (code === "EADDRNOTAVAIL" || /EADDRNOTAVAIL|not avail/i.test(text)) {
    return new HactlError({
      code: "ADDRESS_NOT_LOCAL",
      what: `${bindAddress} is not an address of this machine`,
      cure: "correct ringX_addr of this node in [[nodelist.node]], or bring the interface up",
      exit: CrmExit.CONFIG,
      cause,
    });
  }
  return new HactlError({
    code: "UDP_BIND",
    what: `cannot bind UDP ${spot}: ${text}`,
    exit: CrmExit.OSERR,
    cause,
  });
}
