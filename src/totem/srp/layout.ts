/** Numbers that the encoder and the decoder share. Everything is big endian. */

export const MAGIC = 0x4854;
export const VERSION = 1;
export const HEAD = 8;
export const KIND_REGULAR = 1;
export const KIND_TOKEN = 2;
export const KIND_JOIN = 3;
export const KIND_COMMIT = 4;
export const KIND_MERGE = 5;
export const KIND_HOLD_CANCEL = 6;
export const KIND_TOKEN_ACK = 7;
export const KIND_FRAGMENT = 8;
/** Flags of regular messages, of tokens, of joins. */
export const FLAG_SAFE = 1;
export const FLAG_ENCAPSULATED = 2;
export const FLAG_RETRANSMIT = 1;
export const FLAG_LEAVE = 1;
/** Bytes of a fragment before its data. */
export const FRAGMENT_HEADER = 16;
/** Bytes of a token before its requests. */
export const TOKEN_FIXED = 61;
/** Bytes of a commit token before its entries, and of an entry before its obligations. */
export const COMMIT_FIXED = 36;
export const COMMIT_ENTRY = 47;
