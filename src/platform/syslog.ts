import { lookup } from "../terms/index.ts";
import { type UnixDatagram, unixDatagram } from "./datagram.ts";

/** Facilities of syslog(3) that a service may use, with their codes. */
export const facilities = lookup({
  user: 1,
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const);
export type Facility = keyof typeof facilities;

/** Priorities of syslog(3), the most urgent first. */
export const priorities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const;
export type Priority = (typeof priorities)[number];

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number, fill = "0") => String(value).padStart(2, fill);

/** Time as RFC 3164 section 4.1.2 writes it: local, the day of one digit with a space before it. */
export const syslogTime = (at: Date): string =>
  `${months[at.getMonth()]} ${two(at.getDate(), " ")} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

/**
 * One message for /dev/log: `<PRI>TIME TAG[PID]: TEXT`, without a host name, as libc sends it (RFC 3164 section 4.1;
 * the local collector adds the host). Control characters become spaces: a text never makes a second line.
 */
export function syslogMessage(
  facility: Facility,
  priority: Priority,
  tag: string,
  text: string,
  at: Date,
  pid: number,
): string {
  const code = facilities[facility] * 8 + priorities.indexOf(priority);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return `<${code}>${syslogTime(at)} ${tag.slice(0, 32)}[${pid}]: ${text.replace(/[\x00-\x1f\x7f]+/g, " ")}`;
}

/** A way to the local syslog. A message that cannot be taken at once is dropped and counted: it never waits. */
export interface Syslog {
  send(priority: Priority, text: string): void;
  readonly dropped: number;
  close(): void;
}

/** Opens the way to /dev/log. */
export function openSyslog(tag: string, facility: Facility, path = "/dev/log"): Syslog {
  const encoder = new TextEncoder();
  const socket: UnixDatagram = unixDatagram(path);
  let dropped = 0;
  return {
    send: (priority, text) => {
      const message = syslogMessage(facility, priority, tag, text, new Date(), process.pid);
      // Receivers cut at 8 KB by default (rsyslog's maxMessageSize).
      if (socket.send(encoder.encode(message).subarray(0, 8000)) !== 0) dropped++;
    },
    get dropped() {
      return dropped;
    },
    close: () => socket.close(),
  };
}
