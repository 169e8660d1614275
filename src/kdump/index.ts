/** Crash notices of nodes that dump: sender, listener, set-up of the initrd and its check. */
export { checkKdump, type KdumpCheck, type KdumpFinding } from "./check.ts";
export { clusterConf, readKdumpConf, writeKdumpConf } from "./kdump-conf.ts";
export { KdumpListener, type KdumpListenerOptions, type NewestNotices, plainAddress } from "./listener.ts";
export { kdumpPort, noticeKey, plainNotice, readNotice, signedNotice, verifyNotice } from "./notice.ts";
export { probe } from "./reach.ts";
export { parseSendWords, type SendCommand, type SendOptions } from "./send-options.ts";
export { type NoticeIdentity, NoticeSender, resolveName, type SenderWorld } from "./sender.ts";
export { type KdumpSetup, noticeKeyPath, type SetupStep, setUpKdump } from "./setup.ts";
export { smallSender } from "./small-sender.ts";
