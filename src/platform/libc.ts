import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { lookup } from "../terms/index.ts";

const { i32, u32, u64, i64, ptr: pointer } = FFIType;

/** The functions of libc that Bun has no call of its own for. Linux, glibc; loaded at first use. */
const symbols = {
  __errno_location: { args: [], returns: pointer },
  close: { args: [i32], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  fcntl: { args: [i32, i32, i64], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  freeifaddrs: { args: [u64], returns: FFIType.void },
  getifaddrs: { args: [pointer], returns: i32 },
  getppid: { args: [], returns: i32 },
  getsockopt: { args: [i32, i32, i32, pointer, pointer], returns: i32 },
  ioctl: { args: [i32, u64, pointer], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  madvise: { args: [u64, u64, i32], returns: i32 },
  mlockall: { args: [i32], returns: i32 },
  munlockall: { args: [], returns: i32 },
  pipe2: { args: [pointer, i32], returns: i32 },
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  getrlimit: { args: [i32, pointer], returns: i32 },
  sched_getscheduler: { args: [i32], returns: i32 },
  sched_setscheduler: { args: [i32, i32, pointer], returns: i32 },
  sendto: { args: [i32, pointer, u64, i32, pointer, u32], returns: i64 },
  setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
} as const;

let loaded: ReturnType<typeof open> | undefined;
const open = () => dlopen("libc.so.6", symbols).symbols;

/** Level of the options of any socket (socket(7)). */
export const SOL_SOCKET = 1;

/** libc's functions; each answers as C says, with the reason of a failure in `errno()`. */
export const libc = (): ReturnType<typeof open> => {
  loaded ??= open();
  return loaded;
};

/** Number of the error of the last call that failed in this thread (errno(3)). */
export function errno(): number {
  const at = libc().__errno_location();
  return at === null ? 0 : read.i32(at);
}

/** Address of a buffer for a call. The buffer must stay referenced until the call returns. */
export const address = (bytes: NodeJS.TypedArray): ReturnType<typeof ptr> => ptr(bytes);

/** Name of an error number where it is one that people meet, else the number. */
export const errorName = (number: number): string => errorNames[number] ?? `errno ${number}`;

const errorNames: Readonly<Record<number, string>> = lookup({
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  16: "EBUSY",
  22: "EINVAL",
  25: "ENOTTY",
  90: "EMSGSIZE",
  105: "ENOBUFS",
  107: "ENOTCONN",
  111: "ECONNREFUSED",
});
