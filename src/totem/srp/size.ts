import type { TotemOptions } from "../face.ts";
import { REGULAR_HEADER } from "./wire.ts";

/** IPv6 and UDP headers; IPv4's are 20 bytes shorter. */
const NETWORK_HEADERS = 48;
const SMALLEST = 256;

/** Bytes that a regular message may have, so that it fits `netmtu`, and encapsulated too. */
export function regularLimit(options: TotemOptions): number {
  const room = Math.min(options.netmtu, 65535) - NETWORK_HEADERS - REGULAR_HEADER;
  return Math.max(SMALLEST, room);
}

/** Bytes that any datagram of the protocol may have. */
export const datagramLimit = (options: TotemOptions): number => regularLimit(options) + REGULAR_HEADER;
