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

/** The `T` may be missing where hours or seconds are clear without it, as Pacemaker reads `P30S`. */
const durationPattern =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.))?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/i;

/** An ISO 8601 duration with designators: `P1Y2M3DT4H5M6S`, `P2W`. `undefined` when it is none. */
export function parseDuration(text: string): Duration | undefined {
  const match = durationPattern.exec(text.trim());
  if (!match) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return {
    years: years ?? 0,
    months: months ?? 0,
    weeks: weeks ?? 0,
    days: days ?? 0,
    hours: hours ?? 0,
    minutes: minutes ?? 0,
    seconds: seconds ?? 0,
  };
}

/** The point in time that far later. A day that its month lacks becomes the month's last. */
export function addDuration(start: EpochSeconds, duration: Duration): EpochSeconds {
  const date = new Date(start * 1000);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + duration.years * 12 + duration.months;
  const year = Math.floor(months / 12);
  const month = months - year * 12;
  const day = Math.min(date.getUTCDate(), daysInMonth(year, month));
  const midnight = startOfDay(year, month, day);
  const rest = (duration.weeks * 7 + duration.days) * 86_400;
  return (
    midnight + mod(start, 86_400) + rest + duration.hours * 3600 + duration.minutes * 60 + duration.seconds
  );
}

/** Days of a month; `month` counts from 0. */
const daysInMonth = (year: number, month: number) =>
  new Date(startOfDay(year, month + 1, 0) * 1000).getUTCDate();
const mod = (value: number, divisor: number) => ((value % divisor) + divisor) % divisor;

/**
 * An ISO 8601 point in time in seconds since 1970: a calendar (`2026-02-28`, `20260228`), ordinal (`2026-059`) or
 * week date (`2026-W09-6`), then perhaps `T` or a blank and a time (`13:05`, `130500`, `13:05:00.5`) and an offset
 * (`Z`, `+01:00`, `-0130`). Without an offset it is UTC. `undefined` when it is none (Pacemaker Explained, "ISO 8601").
 */
export function parseTime(text: string): EpochSeconds | undefined {
  const match =
    /^\s*([\dW-]+?)(?:(?:T|\s+)([\d:]+)(?:[.,]\d+)?\s*(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?\s*$/i.exec(text);
  if (!match) return undefined;
  const day = parseDate(match[1] ?? "");
  const time = match[2] === undefined ? 0 : parseClock(match[2]);
  const offset = parseOffset(match[3]);
  if (day === undefined || time === undefined || offset === undefined) return undefined;
  return day + time - offset;
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

function parseOffset(text: string | undefined): number | undefined {
  if (text === undefined || /^z$/i.test(text)) return 0;
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
  if (!match) return undefined;
  const size = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60;
  return match[1] === "-" ? -size : size;
}

/** The parts of a point in time that a date specification can name, in UTC. */
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

/** Takes a point in time apart. */
export function dateParts(time: EpochSeconds): DateParts {
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
