/** The ring: single-ring ordering and membership (Totem), the links below it, and their encryption. */
export {
  type Guarantee,
  type RingId,
  sameRing,
  type TotemEffect,
  type TotemEvent,
  type TotemOptions,
  type TotemStatus,
  type TotemTimer,
} from "./face.ts";
export { Links } from "./links.ts";
export type {
  LinkAddress,
  LinkMode,
  LinkNode,
  LinkOptions,
  LinkStatus,
  LinksEffect,
  LinksOptions,
  LinksStatus,
  Stranger,
  StrangerCause,
} from "./links-face.ts";
export { refusedCure, refusedText, strangerCure, strangerText } from "./links-strangers.ts";
export { SEAL_BODY_OVERHEAD } from "./links-wire.ts";
export { SEAL_FIRST_WORD, Seal } from "./seal.ts";
export type { SealCipher } from "./seal-cipher.ts";
export { CLUSTER_KEY_BYTES, type ClusterKey, clusterKey } from "./seal-key.ts";
export { STAMPED, type StampKey, stampOf } from "./seal-stamp.ts";
export { SingleRing } from "./srp/single-ring.ts";
