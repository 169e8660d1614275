import { address, errno, errorName, libc, SOL_SOCKET } from "./libc.ts";

const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const INSTRUCTION_BYTES = 8;

/** One instruction of a classic packet filter (bpf(4), Linux Documentation/networking/filter.rst). */
export interface FilterInstruction {
  readonly code: number;
  readonly k: number;
  /** Instructions to skip when a comparison holds, and when it does not; at most 255. */
  readonly jt?: number;
  readonly jf?: number;
}

const op =
  (code: number) =>
  (k: number): FilterInstruction => ({ code, k });

/** Instructions by what they do. A is the accumulator, X the index register, memory has sixteen words. */
export const filterOps = {
  /** A = the word (big-endian) at this byte of the packet; a UDP socket's packet begins with the UDP header. */
  loadWord: op(0x20),
  loadConstant: op(0x00),
  loadMemory: op(0x60),
  indexMemory: op(0x61),
  storeMemory: op(0x02),
  addIndex: { code: 0x0c, k: 0 },
  xorIndex: { code: 0xac, k: 0 },
  orIndex: { code: 0x4c, k: 0 },
  xorConstant: op(0xa4),
  shiftLeft: op(0x64),
  shiftRight: op(0x74),
  /** X = A. */
  indexFromAccumulator: { code: 0x07, k: 0 },
  jump: op(0x05),
  /** Compares A with a constant, or with X. */
  jumpEqual: (k: number, jt: number, jf: number): FilterInstruction => ({ code: 0x15, k, jt, jf }),
  jumpEqualIndex: (jt: number, jf: number): FilterInstruction => ({ code: 0x1d, k: 0, jt, jf }),
  /** So many bytes of the packet are taken; 0: it is dropped. */
  take: op(0x06),
} as const;

/** The filter that takes nothing. */
export const takeNothing: readonly FilterInstruction[] = [filterOps.take(0)];

/** As the kernel reads it: `struct sock_filter`, in the byte order of the machine. */
function encode(program: readonly FilterInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [at, { code, k, jt = 0, jf = 0 }] of program.entries()) {
    view.setUint16(at * INSTRUCTION_BYTES, code, true);
    view.setUint8(at * INSTRUCTION_BYTES + 2, jt);
    view.setUint8(at * INSTRUCTION_BYTES + 3, jf);
    view.setUint32(at * INSTRUCTION_BYTES + 4, k >>> 0, true);
  }
  return bytes;
}

/**
 * Has the kernel drop what the filter does not take, before it comes to the socket (socket(7), SO_ATTACH_FILTER); undefined
 * takes all again. Returns why not, when the kernel refuses it: then nothing has changed.
 */
export function filterPackets(
  file: number,
  program: readonly FilterInstruction[] | undefined,
): string | undefined {
  const answer = program ? attach(file, encode(program)) : detach(file);
  return answer === 0 ? undefined : errorName(errno());
}

function attach(file: number, instructions: Uint8Array): number {
  // struct sock_fprog: their number, and where they are.
  const fields = new BigUint64Array(2);
  fields[0] = BigInt(instructions.length / INSTRUCTION_BYTES);
  fields[1] = BigInt(address(instructions));
  return libc().setsockopt(file, SOL_SOCKET, SO_ATTACH_FILTER, address(fields), 16);
}

function detach(file: number): number {
  const ignored = new Int32Array(1);
  const answer = libc().setsockopt(file, SOL_SOCKET, SO_DETACH_FILTER, address(ignored), 4);
  // ENOENT: there was none.
  return answer !== 0 && errno() === 2 ? 0 : answer;
}
