import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { CrmExit, HactlError } from "../terms/index.ts";
import { address, libc } from "./libc.ts";

/** _IOWR('W', 6, int), linux/watchdog.h. */
const WDIOC_SETTIMEOUT = 0xc0045706;
/** _IOR('W', 0, struct watchdog_info). */
const WDIOC_GETSUPPORT = 0x80285700;
const WDIOF_MAGICCLOSE = 0x0100;

/** An armed watchdog: the machine is reset when `pet` stays away for the time-out. */
export interface Watchdog {
  readonly path: string;
  /** What the driver took, in seconds; `undefined` when the device has no time-out to set. */
  readonly timeoutSeconds: number | undefined;
  /** Whether `disarm` can stop it (drivers built with nowayout go on and reset the machine). */
  readonly stoppable: boolean;
  /** Sign of life. @throws the system's error when the device is gone. */
  pet(): void;
  /** Stops it: the magic character, then close. */
  disarm(): void;
  /** Closes it armed: the machine is reset when the time-out ends, unless somebody opens it before. */
  abandon(): void;
}

/**
 * Opens and thereby arms a watchdog device.
 * @throws HactlError WATCHDOG with what is wrong: absent, in use by another program, a time-out that the driver refuses.
 */
export function openWatchdog(path: string, timeoutSeconds: number): Watchdog {
  const file = openDevice(path);
  const wanted = new Int32Array([timeoutSeconds]);
  const isWatchdog = libc().ioctl(file, WDIOC_SETTIMEOUT, address(wanted)) === 0;
  const got = wanted[0];
  if (isWatchdog && got !== timeoutSeconds) {
    disarmAndClose(file);
    throw problem(
      path,
      `The watchdog does not take a time-out of ${timeoutSeconds} s (it offers ${got} s)`,
      "Set watchdog_timeout to a value that the device supports",
    );
  }
  const pulse = new Uint8Array([0]);
  return {
    path,
    timeoutSeconds: isWatchdog ? got : undefined,
    stoppable: !isWatchdog || (supportOptions(file) & WDIOF_MAGICCLOSE) !== 0,
    pet: () => void writeSync(file, pulse),
    disarm: () => disarmAndClose(file),
    abandon: () => closeSync(file),
  };
}

function openDevice(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EBUSY") {
      throw problem(
        path,
        "Another program uses the watchdog",
        "Stop it (systemd's RuntimeWatchdogSec, sbd, wdmd)",
      );
    }
    if (code === "ENOENT") {
      const cure =
        'Load the driver (modprobe softdog for one without hardware) or set watchdog_device = "off"';
      throw problem(path, "There is no such watchdog device", cure);
    }
    throw problem(path, `The watchdog cannot be opened: ${code}`, "Run as root and check the device");
  }
}

function supportOptions(file: number): number {
  const info = new Uint8Array(40);
  return libc().ioctl(file, WDIOC_GETSUPPORT, address(info)) === 0
    ? new DataView(info.buffer).getUint32(0, true)
    : 0;
}

function disarmAndClose(file: number): void {
  try {
    writeSync(file, "V");
  } finally {
    closeSync(file);
  }
}

const problem = (file: string, what: string, cure: string) =>
  new HactlError({ code: "WATCHDOG", what, where: { file }, cure, exit: CrmExit.OSFILE });

/** What the kernel says of a watchdog, for `hactl check`; absent values are not known there. */
export interface WatchdogFacts {
  readonly identity: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly nowayout: boolean | undefined;
  readonly active: boolean | undefined;
}

/** Reads /sys/class/watchdog without opening the device, which would arm it. */
export function watchdogFacts(path: string, sysfs = "/sys/class/watchdog"): WatchdogFacts {
  const name = basename(path) === "watchdog" ? "watchdog0" : basename(path);
  const read = (attribute: string) => {
    try {
      return readFileSync(`${sysfs}/${name}/${attribute}`, "utf8").trim();
    } catch {
      return undefined;
    }
  };
  const timeout = read("timeout");
  const nowayout = read("nowayout");
  const state = read("state");
  return {
    identity: read("identity"),
    timeoutSeconds: timeout === undefined ? undefined : Number(timeout),
    nowayout: nowayout === undefined ? undefined : nowayout === "1",
    active: state === undefined ? undefined : state === "active",
  };
}
