import { address, errno, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** A socket for datagrams to a path (unix(7)), which Bun does not have. It never waits. */
export interface UnixDatagram {
  /** 0, or the number of the error: 11 EAGAIN when the receiver does not keep up, 111 when nobody is there. */
  send(bytes: Uint8Array): number;
  close(): void;
}

/** `sockaddr_un` of a path; one that begins with `@` is in the abstract name space. */
function socketAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length > 107) throw new RangeError(`socket path longer than 107 bytes: ${path}`);
  const abstract = path.startsWith("@");
  const bytes = new Uint8Array(2 + name.length + (abstract ? 0 : 1));
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  if (abstract) bytes[2] = 0;
  return bytes;
}

/**
 * Opens a socket that sends to `path`. Nothing needs to be there yet: each datagram finds it anew, so a receiver
 * that comes back is used again.
 * @throws when the system gives no socket.
 */
export function unixDatagram(path: string): UnixDatagram {
  const to = socketAddress(path);
  const file = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) throw new Error(`socket: errno ${errno()}`);
  let open = true;
  return {
    send: (bytes) => {
      if (!open || bytes.length === 0) return 0;
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const sent = libc().sendto(file, address(bytes), bytes.length, flags, address(to), to.length);
      return Number(sent) < 0 ? errno() : 0;
    },
    close: () => {
      if (open) libc().close(file);
      open = false;
    },
  };
}
