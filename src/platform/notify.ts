import { unixDatagram } from "./datagram.ts";

/** Tells the service manager how the service is (sd_notify(3)). Without one, every call does nothing. */
export interface ServiceManager {
  /** Start-up is finished. */
  ready(status?: string): void;
  /** One line that `systemctl status` shows. */
  status(text: string): void;
  reloading(): void;
  stopping(): void;
  /** Sign of life for `WatchdogSec=`. */
  alive(): void;
  /** Interval at which `alive` is expected, half of what systemd allows; `undefined` when it expects none. */
  readonly aliveEveryMs: number | undefined;
  close(): void;
}

/**
 * Connects to the service manager that started this process. `NOTIFY_SOCKET` is read and taken out of the
 * environment, so that agents do not speak in the name of the service.
 */
export function serviceManager(environment: NodeJS.ProcessEnv = process.env): ServiceManager {
  const path = environment.NOTIFY_SOCKET;
  const limit = Number(environment.WATCHDOG_USEC ?? 0);
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
  const socket = path ? unixDatagram(path) : undefined;
  const encoder = new TextEncoder();
  const send = (lines: readonly string[]) => {
    socket?.send(encoder.encode(lines.join("\n")));
  };
  const oneLine = (text: string) => text.replace(/\s+/g, " ");
  return {
    ready: (status) =>
      send(["READY=1", `MAINPID=${process.pid}`, ...(status ? [`STATUS=${oneLine(status)}`] : [])]),
    status: (text) => send([`STATUS=${oneLine(text)}`]),
    // systemd wants the monotonic time with it since version 253 (Type=notify-reload).
    reloading: () => send(["RELOADING=1", `MONOTONIC_USEC=${monotonicMicros()}`]),
    stopping: () => send(["STOPPING=1"]),
    alive: () => send(["WATCHDOG=1"]),
    aliveEveryMs: socket && limit > 0 ? limit / 2000 : undefined,
    close: () => socket?.close(),
  };
}

const monotonicMicros = () => process.hrtime.bigint() / 1000n;
