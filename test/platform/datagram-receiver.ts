import { dlopen, FFIType, ptr } from "bun:ffi";

const { i32, i64, u32, u64, ptr: pointer } = FFIType;
const libc = dlopen("libc.so.6", {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, u32], returns: i32 },
  recv: { args: [i32, pointer, u64, i32], returns: i64 },
  close: { args: [i32], returns: i32 },
}).symbols;

/** A bound Unix datagram socket: what syslog and systemd are at the other end. */
export function datagramReceiver(path: string) {
  const name = new TextEncoder().encode(path);
  const address = new Uint8Array(name.length + 3);
  address[0] = 1;
  address.set(name, 2);
  const file = libc.socket(1, 2, 0);
  if (libc.bind(file, ptr(address), address.length) !== 0) throw new Error(`bind ${path}`);
  return {
    /** Every datagram that has arrived, as text. */
    take(): string[] {
      const got: string[] = [];
      const buffer = new Uint8Array(16_384);
      for (;;) {
        const count = Number(libc.recv(file, ptr(buffer), buffer.length, 0x40));
        if (count < 0) return got;
        got.push(new TextDecoder().decode(buffer.subarray(0, count)));
      }
    },
    close(): void {
      libc.close(file);
      // The name stays, as after a crash: a send then finds nobody behind it.
    },
  };
}
