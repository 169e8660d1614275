import { type FilterInstruction, filterOps as op } from "../platform/index.ts";
import { SEAL_FIRST_WORD, STAMPED, type StampKey } from "../totem/index.ts";

/** What a socket's filter sees before the datagram. */
const UDP_HEADER = 8;
/** Most keys that fit: 4096 instructions are allowed. */
const MOST_KEYS = 4;
/** Memory words: the four of the state, one in between. */
const [V0, V1, V2, V3, SPARE] = [0, 1, 2, 3, 4];

/** One word of memory becomes its sum with another. */
const add = (to: number, other: number): FilterInstruction[] => [
  op.loadMemory(to),
  op.indexMemory(other),
  op.addIndex,
  op.storeMemory(to),
];

const rotate = (word: number, bits: number): FilterInstruction[] => [
  op.loadMemory(word),
  op.shiftLeft(bits),
  op.storeMemory(SPARE),
  op.loadMemory(word),
  op.shiftRight(32 - bits),
  op.indexMemory(SPARE),
  op.orIndex,
];

const rotateAndXor = (word: number, bits: number, other: number): FilterInstruction[] => [
  ...rotate(word, bits),
  op.indexMemory(other),
  op.xorIndex,
  op.storeMemory(word),
];

const round: readonly FilterInstruction[] = [
  ...add(V0, V1),
  ...rotateAndXor(V1, 5, V0),
  ...rotate(V0, 16),
  op.storeMemory(V0),
  ...add(V2, V3),
  ...rotateAndXor(V3, 8, V2),
  ...add(V0, V3),
  ...rotateAndXor(V3, 7, V0),
  ...add(V2, V1),
  ...rotateAndXor(V1, 13, V2),
  ...rotate(V2, 16),
  op.storeMemory(V2),
];

/** One word of the header goes in, as `stampOf` does it. */
const absorb = (word: FilterInstruction): FilterInstruction[] => [
  word,
  op.indexMemory(V3),
  op.xorIndex,
  op.storeMemory(V3),
  ...round,
  word,
  op.indexMemory(V0),
  op.xorIndex,
  op.storeMemory(V0),
];

const set = (word: number, value: number): FilterInstruction[] => [
  op.loadConstant(value),
  op.storeMemory(word),
];

/** Takes the packet when its stamp is of this key, else goes on after it. */
function ofKey({ id, k0, k1 }: StampKey): FilterInstruction[] {
  const check = [
    ...set(V0, k0),
    ...set(V1, k1),
    ...set(V2, 0x6c796765 ^ k0),
    ...set(V3, 0x74656462 ^ k1),
    ...Array.from({ length: STAMPED / 4 }, (_, at) => absorb(op.loadWord(UDP_HEADER + at * 4))).flat(),
    ...absorb(op.loadConstant(STAMPED << 24)),
    op.loadMemory(V2),
    op.xorConstant(0xff),
    op.storeMemory(V2),
    ...round,
    ...round,
    ...round,
    op.loadWord(UDP_HEADER + STAMPED),
    op.storeMemory(SPARE),
    op.loadMemory(V1),
    op.indexMemory(V3),
    op.xorIndex,
    op.indexMemory(SPARE),
    op.jumpEqualIndex(0, 1),
    op.take(0xffff_ffff),
  ];
  return [
    op.loadWord(UDP_HEADER + 4),
    op.shiftRight(16),
    op.jumpEqual(id, 1, 0),
    op.jump(check.length),
    ...check,
  ];
}

/**
 * The kernel's part of `stampOf`: takes datagrams of the ring whose header was made with one of these keys. What is too short
 * for a stamp is dropped by the attempt to read it. Undefined when there are more keys than have room.
 */
export function stampFilter(keys: readonly StampKey[]): readonly FilterInstruction[] | undefined {
  if (keys.length > MOST_KEYS) return undefined;
  return [
    op.loadWord(UDP_HEADER),
    op.jumpEqual(SEAL_FIRST_WORD, 1, 0),
    op.take(0),
    ...keys.flatMap(ofKey),
    op.take(0),
  ];
}
