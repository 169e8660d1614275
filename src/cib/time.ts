import type { EpochSeconds, Millis } from "../terms/index.ts";

/** Calendar lengths, to be added to a point in time. Years and months are calendar ones. */
export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly weeks: number;
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

/** Milliseconds of each unit; a unit may be written out (`minutes`), only its beginning counts. */
const units: readonly (readonly [prefix: string, factor: number])[] = [
  ["ms", 1],
  ["us", 1 / 1000],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
];

/**
 * An interval or time-out in milliseconds: a whole number of seconds, a number with a unit (`10s`, `1min`, `500ms`,
 * `2h`), or an ISO 8601 duration (`PT1H`; months count as 30 days, years as 365). `undefined` for anything else
 * (Pacemaker Explained, "duration").
 */
export function parseIntervalMs(text: string | undefined): Millis | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (/^p/i.test(trimmed)) {
    const duration = parseDuration(trimmed);
    return duration === undefined
      ? undefined
      : Math.min(Number.MAX_SAFE_INTEGER, durationSeconds(duration) * 1000);
  }
  const match = /^\+?(\d+)\s*([a-z]*)$/i.exec(trimmed);
  if (!match) return undefined;
  const unit = match[2]?.toLowerCase() ?? "";
  const factor = unit === "" ? 1000 : units.find(([prefix]) => unit.startsWith(prefix))?.[1];
  if (factor === undefined) return undefined;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.floor(Number(match[1]) * factor));
}

/** Length in seconds apart from any date: 365 days a year, 30 a month. */
export function durationSeconds(duration: Duration): number {
  const days = duration.years * 365 + duration.months * 30 + duration.weeks * 7 + duration.days;
  return days * 86_400 + duration.hours * 3600 + duration.minutes * 60 + duration.seconds;
}

/** One number with its unit; what a `T` stands before. */
const durationPart = /T?([+-]?)(\d+)([YMWDHS])/giy;

/**
 * An ISO 8601 duration with designators: `P1Y2M3DT4H5M6S`, `P2W`. `undefined` when it is none. As Pacemaker reads them:
 * in any order, months or minutes by whether a `T` was before them, which nothing else needs (`P30S`); of several years
 * or months the last count, all else adds up. What goes back in time (`P-1M`) is one only where it is asked for.
 */
export function parseDuration(text: string, signed = false): Duration | undefined {
  const [, body] = /^P(?=.*\d)(.*?)T?$/i.exec(text.trim()) ?? [];
  if (body === undefined) return undefined;
  const found = { years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0 };
  let ofClock = false;
  let end = 0;
  for (const part of body.matchAll(durationPart)) {
    const [whole, sign = "", digits = "", unit = ""] = part;
    if (sign !== "" && !signed) return undefined;
    ofClock ||= /^T/i.test(whole);
    end = part.index + whole.length;
    const value = Number(`${sign}${digits}`);
    const name = unit.toUpperCase();
    if (name === "Y") found.years = value;
    else if (name === "M" && !ofClock) found.months = value;
    else if (name === "M") found.minutes += value;
    else if (name === "W") found.weeks += value;
    else if (name === "D") found.days += value;
    else if (name === "H") found.hours += value;
    else found.seconds += value;
  }
  return end === body.length ? found : undefined;
}

/**
 * The point in time that far later, counted on a calendar that is `offset` seconds ahead of UTC. First the years: as
 * Pacemaker counts them, the day of the year stays, so that a year after 29 February is 1 March, and one after
 * 31 March 2024 is 1 April. Then the months: a day that its month lacks becomes the month's last. What is further away
 * than any calendar reaches is the furthest that there is.
 */
export function addDuration(from: EpochSeconds, duration: Duration, offset = 0): EpochSeconds {
  const end = laterBy(from + offset, duration) - offset;
  if (Math.abs(end) < FURTHEST_TIME) return end;
  return durationSeconds(duration) < 0 ? -FURTHEST_TIME : FURTHEST_TIME;
}

/** The furthest point in time, before or after 1970, that can be told with a date. */
export const FURTHEST_TIME: EpochSeconds = 8_640_000_000_000 - 2 * 86_400;

/** NaN where no calendar reaches. */
function laterBy(start: number, duration: Duration): number {
  const first = new Date(start * 1000).getUTCFullYear();
  const yearDay = Math.floor((start - startOfYear(first)) / 86_400);
  const laterYear = first + duration.years;
  const date = new Date(
    (startOfYear(laterYear) + Math.min(yearDay, daysInYear(laterYear) - 1) * 86_400) * 1000,
  );
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + duration.months;
  const year = Math.floor(months / 12);
  const month = months - year * 12;
  const day = Math.min(date.getUTCDate(), daysInMonth(year, month));
  const midnight = startOfDay(year, month, day);
  const rest = (duration.weeks * 7 + duration.days) * 86_400;
  const clock = duration.hours * 3600 + duration.minutes * 60 + duration.seconds;
  return midnight + mod(start, 86_400) + rest + clock;
}

/** Days of a month; `month` counts from 0. */
const daysInMonth = (year: number, month: number) =>
  new Date(startOfDay(year, month + 1, 0) * 1000).getUTCDate();
const mod = (value: number, divisor: number) => ((value % divisor) + divisor) % divisor;

/** A point in time as it was written. */
export interface WrittenTime {
  readonly time: EpochSeconds;
  /** Seconds that the clock it was written for is ahead of UTC. */
  readonly offset: number;
}

/**
 * An ISO 8601 point in time in seconds since 1970: a calendar (`2026-02-28`, `20260228`), ordinal (`2026-059`) or
 * week date (`2026-W09-6`), then perhaps `T` or a blank and a time (`13:05`, `130500`, `13:05:00.5`) and an offset
 * (`Z`, `+01:00`, `-0130`, `+1`). A time without an offset is one of this machine's own clock, a date alone begins in
 * UTC, as Pacemaker reads them. `undefined` when it is none (Pacemaker Explained, "ISO 8601").
 */
export const parseTime = (text: string): EpochSeconds | undefined => parseWrittenTime(text)?.time;

/** The same with the offset that it was written with. */
export function parseWrittenTime(text: string): WrittenTime | undefined {
  if (/^\s*epoch\s*$/i.test(text)) return { time: 0, offset: 0 };
  const match = /^\s*([\dW-]+?)(?:(?:T|\s+)([\d:]+)(?:[.,]\d+)?\s*(Z|[+-]\d{1,2}(?::?\d{2})?)?)?\s*$/i.exec(
    text,
  );
  if (!match) return undefined;
  const day = parseDate(match[1] ?? "");
  if (day === undefined) return undefined;
  if (match[2] === undefined) return { time: day, offset: 0 };
  const clock = parseClock(match[2]);
  if (clock === undefined) return undefined;
  const offset = match[3] === undefined ? offsetOfClock(day + clock) : parseOffset(match[3]);
  return offset === undefined ? undefined : { time: day + clock - offset, offset };
}

/** Seconds that the clock of this machine is ahead of UTC at a time. */
export const localOffset = (time: EpochSeconds): number =>
  -new Date(time * 1000).getTimezoneOffset() * 60 || 0;

/**
 * The same for a time that its hands show. In the hour that a change of the clock repeats it is the first one; of a time
 * that a change leaves out the offset before it, so that 02:30 is as long after 02:00 as in any other night.
 */
function offsetOfClock(shown: number): number {
  const before = localOffset(shown - 86_400);
  const then = localOffset(shown - before);
  return localOffset(shown - then) === then ? then : before;
}

/** Midnight of a date. */
function parseDate(text: string): EpochSeconds | undefined {
  const calendar = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text) ?? /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (calendar) {
    const [year, month, day] = calendar.slice(1).map(Number);
    if (year === undefined || month === undefined || day === undefined) return undefined;
    if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month - 1)) return undefined;
    return startOfDay(year, month - 1, day);
  }
  const ordinal = /^(\d{4})-?(\d{3})$/.exec(text);
  if (ordinal) {
    const year = Number(ordinal[1]);
    const day = Number(ordinal[2]);
    return day < 1 || day > daysInYear(year) ? undefined : startOfYear(year) + (day - 1) * 86_400;
  }
  const week = /^(\d{4})-?W(\d{2})(?:-?([1-7]))?$/i.exec(text);
  if (!week) return undefined;
  const weekYear = Number(week[1]);
  const number = Number(week[2]);
  if (number < 1 || number > weeksInYear(weekYear)) return undefined;
  return firstMonday(weekYear) + ((number - 1) * 7 + Number(week[3] ?? 1) - 1) * 86_400;
}

const daysInYear = (year: number) => (startOfYear(year + 1) - startOfYear(year)) / 86_400;

const startOfYear = (year: number) => startOfDay(year, 0, 1);

/** Midnight of a day; `month` counts from 0. Date.UTC would take years below 100 for those of the last century. */
function startOfDay(year: number, month: number, day: number): EpochSeconds {
  return new Date(0).setUTCFullYear(year, month, day) / 1000;
}

function parseClock(text: string): number | undefined {
  const match =
    /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(text) ?? /^(\d{2})(?:(\d{2})(\d{2})?)?$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  if (hours === undefined || minutes === undefined || seconds === undefined) return undefined;
  if (minutes > 59 || seconds > 59 || hours > 24 || (hours === 24 && minutes + seconds > 0)) return undefined;
  return hours * 3600 + minutes * 60 + seconds;
}

function parseOffset(text: string): number | undefined {
  if (/^z$/i.test(text)) return 0;
  const match = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(text);
  if (!match) return undefined;
  const [hours, minutes] = [Number(match[2]), Number(match[3] ?? 0)];
  if (minutes > 59 || hours > 24 || (hours === 24 && minutes > 0)) return undefined;
  const size = hours * 3600 + minutes * 60;
  return match[1] === "-" ? -size : size;
}

/** The parts of a point in time that a date specification or an ISO 8601 date can name. */
export interface DateParts {
  readonly seconds: number;
  readonly minutes: number;
  readonly hours: number;
  readonly monthdays: number;
  /** 1 is Monday. */
  readonly weekdays: number;
  readonly yeardays: number;
  readonly months: number;
  /** ISO 8601 week and the year that it belongs to. */
  readonly weeks: number;
  readonly weekyears: number;
  readonly years: number;
}

/** Takes a point in time apart, as a clock shows it that is `offset` seconds ahead of UTC. */
export function dateParts(at: EpochSeconds, offset = 0): DateParts {
  const time = at + offset;
  const date = new Date(time * 1000);
  const year = date.getUTCFullYear();
  const weekyear = time < firstMonday(year) ? year - 1 : time >= firstMonday(year + 1) ? year + 1 : year;
  return {
    seconds: date.getUTCSeconds(),
    minutes: date.getUTCMinutes(),
    hours: date.getUTCHours(),
    monthdays: date.getUTCDate(),
    weekdays: date.getUTCDay() || 7,
    yeardays: Math.floor((time - startOfYear(year)) / 86_400) + 1,
    months: date.getUTCMonth() + 1,
    weeks: Math.floor((time - firstMonday(weekyear)) / (7 * 86_400)) + 1,
    weekyears: weekyear,
    years: year,
  };
}

/** Monday of week 1: the week that has the year's first Thursday. */
function firstMonday(year: number): EpochSeconds {
  const start = startOfYear(year);
  const weekday = new Date(start * 1000).getUTCDay() || 7;
  return start + (weekday <= 4 ? 1 - weekday : 8 - weekday) * 86_400;
}

const weeksInYear = (year: number) => (firstMonday(year + 1) - firstMonday(year)) / (7 * 86_400);
