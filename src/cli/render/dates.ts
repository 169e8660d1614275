import type { EpochSeconds } from "../../terms/index.ts";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number) => String(value).padStart(2, "0");
const clock = (date: Date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** `Sun Nov 22 11:24:18 2026` in the local zone: how crm_mon writes times. */
export function formatCtime(time: EpochSeconds): string {
  const date = new Date(time * 1000);
  const day = String(date.getDate()).padStart(2);
  return `${days[date.getDay()]} ${months[date.getMonth()]} ${day} ${clock(date)} ${date.getFullYear()}`;
}

/** `11:24:18` for today, else `Nov 22 11:24`, in the local zone. */
export function formatMoment(time: EpochSeconds, now: EpochSeconds): string {
  const date = new Date(time * 1000);
  const today = new Date(now * 1000);
  if (date.toDateString() === today.toDateString()) return clock(date);
  const year = date.getFullYear() === today.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${months[date.getMonth()]} ${date.getDate()}${year} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `3 d 4 h`, `12 min`, `5 s`: the two largest units of a length of time. */
export function formatAge(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}`);
    else if (parts.length > 0) break;
    rest -= count * size;
  }
  return parts.length > 0 ? parts.join(" ") : "0 s";
}

/** A length of time as crm_mon writes it: `10s`, `1m`, `1.500s`, `500ms`. */
export function formatInterval(ms: number): string {
  if (ms <= 0) return "0s";
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
  ];
  let rest = ms;
  let text = "";
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${name}`;
    rest -= count * size;
  }
  const part = rest % 1000;
  if (rest >= 1000)
    return `${text}${Math.floor(rest / 1000)}${part === 0 ? "" : `.${String(part).padStart(3, "0")}`}s`;
  return rest > 0 ? `${text}${rest}ms` : text;
}

/** `2026-11-22 11:24:18 +01:00` in the local zone, `…Z` where that is UTC; `fine` has six more digits. */
export function formatLocal(time: EpochSeconds, fine = false): string {
  const date = new Date(time * 1000);
  const offset = -date.getTimezoneOffset();
  const size = Math.abs(offset);
  const zone =
    offset === 0 ? "Z" : ` ${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clock(date)}${fine ? ".000000" : ""}${zone}`;
}
