/** Crash notices of nodes that dump: sender, listener, set-up of the initrd and its check. */
export { KdumpListener, type KdumpListenerOptions, plainAddress } from "./listener.ts";
export { kdumpPort, noticeKey, plainNotice, readNotice, signedNotice, verifyNotice } from "./notice.ts";
