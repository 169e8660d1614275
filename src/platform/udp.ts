import { isIPv6 } from "node:net";
import { CrmExit, HactlError } from "../terms/index.ts";
import { libc, address as pointer } from "./libc.ts";

const SOL_SOCKET = 1;
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
  close(): void;
}

export interface UdpHandlers {
  /** `address` is the sender's, as text. The bytes are the receiver's to keep. */
  readonly datagram: (data: Uint8Array, address: string, port: number) => void;
  /** Errors arrive later and belong to no datagram: an unreachable peer, a datagram that is too large. */
  readonly error: (error: Error) => void;
}

/**
 * Binds a UDP socket.
 * @throws HactlError ADDRESS_NOT_LOCAL, PORT_IN_USE or UDP_BIND, with the address and what to do.
 */
export async function openUdp(bindAddress: string, port: number, handlers: UdpHandlers): Promise<UdpSocket> {
  try {
    const socket = await Bun.udpSocket({
      hostname: bindAddress,
      port,
      binaryType: "uint8array",
      socket: {
        data: (_socket, data, fromPort, from) => handlers.datagram(data as Uint8Array, plain(from), fromPort),
        error: (...parts: unknown[]) => {
          const error = parts.find((part) => part instanceof Error);
          handlers.error(error instanceof Error ? error : new Error(String(parts.at(-1))));
        },
      },
    });
    enlarge((socket as unknown as { readonly fd: number }).fd);
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
      close: () => socket.close(),
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
