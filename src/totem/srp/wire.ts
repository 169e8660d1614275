/**
 * Protocol data units of the single ring and their binary form: a header of 8 bytes (magic, version, kind, flags,
 * three zero bytes), then the body; big endian. `decode` checks every length before it reads and answers `undefined`
 * for anything malformed: it never throws and never allocates more than a small multiple of the input.
 */
export { decapsulate, decode } from "./decode.ts";
export {
  encapsulate,
  encodeCommit,
  encodeFragment,
  encodeHoldCancel,
  encodeJoin,
  encodeMerge,
  encodeToken,
  encodeTokenAck,
  putRegularHeader,
} from "./encode.ts";
export { FRAGMENT_HEADER } from "./layout.ts";
export {
  CHUNK_FIRST,
  CHUNK_HEADER,
  CHUNK_LAST,
  type Commit,
  type CommitEntry,
  type Fragment,
  type HoldCancel,
  type Join,
  MAX_FRAGMENTS,
  MAX_REQUESTS,
  type Merge,
  type Pdu,
  REGULAR_HEADER,
  type Regular,
  type Stamp,
  type Token,
  type TokenAck,
} from "./pdu.ts";
