import {
  addDuration,
  type Duration,
  dateParts,
  element,
  FURTHEST_TIME,
  localOffset,
  parseDuration,
  parseWrittenTime,
  type WrittenTime,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { type AnsweringTool, type Message, runTool, textElement } from "../answer/index.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "now", short: "n", description: "the time now" },
  {
    name: "date",
    short: "d",
    value: "TIME",
    description: "a point in time, such as '2026-02-28 13:05 +09:00'",
  },
  { name: "period", short: "p", value: "PERIOD", description: "START/END, START/DURATION or DURATION/END" },
  {
    name: "duration",
    short: "D",
    value: "DURATION",
    description: "a duration, such as P1M; with -d or -n also when it ends",
  },
  {
    name: "expected",
    short: "E",
    value: "TEXT",
    description: "exit code 1 unless the point in time (the end, with -D) is written so",
  },
  { name: "seconds", short: "s", description: "print seconds since the beginning of year 1" },
  { name: "epoch", short: "S", description: "print seconds since 1970" },
  { name: "local", short: "L", description: "print the clock that it was written for, with its offset" },
  { name: "ordinal", short: "O", description: "print the day of the year: 2026-059" },
  { name: "week", short: "W", description: "print the week and its day: 2026-W09-6" },
  { name: "verbose", short: "V", description: "say more" },
  { name: "help", short: "h", description: "print this help" },
];

const tool: AnsweringTool = {
  name: "iso8601",
  purpose: "Read and write dates, durations and periods.",
  options,
};

/** iso8601(8): reads and writes points in time, durations and periods. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool(tool, words, async (given, answer) => {
    const { said, compared } = answerOf(given);
    for (const message of said) answer.say(message);
    const expected = given.value("expected");
    return expected === undefined || compared === undefined || compared === expected
      ? CrmExit.OK
      : CrmExit.ERROR;
  });

/** A value with what it is called in text and in XML. */
const named = (title: string, name: string, value: string): Message => ({
  text: () => `${title}: ${value}`,
  xml: () => [textElement(name, value)],
  since: "2.38",
});

const periodOf = (start: string, end: string): Message => ({
  text: () => `Period: ${start} to ${end}`,
  xml: () => [element("period", {}, [textElement("start", start), textElement("end", end)])],
  since: "2.38",
});

type Shape = "calendar" | "ordinal" | "week" | "seconds" | "epoch";

const shapeOf = (given: ParsedWords): Shape =>
  (["seconds", "epoch", "week", "ordinal"] as const).find((name) => given.has(name)) ?? "calendar";

interface Answered {
  readonly said: readonly Message[];
  /** What --expected is compared with. */
  readonly compared: string | undefined;
}

function answerOf(given: ParsedWords): Answered {
  const shape = shapeOf(given);
  const text = (at: WrittenTime, local = given.has("local")) => timeText(at, shape, local);
  const dateWord = given.value("date");
  const isNow = dateWord === undefined && given.has("now");
  const date = isNow ? presentTime() : dateWord === undefined ? undefined : readDate(dateWord);
  const durationWord = given.value("duration");
  const duration = durationWord === undefined ? undefined : readDuration(durationWord);
  const periodWord = given.value("period");
  const period = periodWord === undefined ? undefined : readPeriod(periodWord);
  const end = date && duration ? later(date, duration) : undefined;
  const compared = end ?? date;
  return {
    said: [
      ...(date ? [named(isNow ? "Current date/time" : "Date", "date", text(date))] : []),
      ...(duration ? [named("Duration", "duration", durationText(duration))] : []),
      ...(period ? [periodOf(text(period.start), text(period.end))] : []),
      // The end is shown on the clock of the beginning, whatever was asked for: so do Pacemaker's.
      ...(end ? [named("Duration ends at", "duration_ends", text(end, true))] : []),
    ],
    compared: compared && text(compared),
  };
}

const presentTime = (): WrittenTime => {
  const time = Math.floor(Date.now() / 1000);
  return { time, offset: localOffset(time) };
};

function later({ time, offset }: WrittenTime, duration: Duration): WrittenTime {
  const end = addDuration(time, duration, offset);
  // The calendar that is written here begins with year 1.
  if (end < FURTHEST_TIME && end + offset >= -secondsBefore1970) return { time: end, offset };
  throw invalid("no calendar reaches so far", "Give a shorter duration");
}

const invalid = (what: string, cure: string) =>
  new HactlError({ code: "BAD_DATE", what, cure, exit: CrmExit.INVALID_PARAM });

/** A point in time; a time of day alone is one of today. */
function readDate(word: string): WrittenTime {
  const today = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${today.getFullYear()}-${two(today.getMonth() + 1)}-${two(today.getDate())}`;
  const found = parseWrittenTime(
    /^\s*T?\d{1,2}:/.test(word) ? `${day} ${word.trim().replace(/^T/, "")}` : word,
  );
  if (found) return found;
  throw invalid(`"${word}" is not a date`, "Write it as '2026-02-28 13:05:00 +09:00'");
}

/** Largest number in a duration. */
const longestPart = 2 ** 31 - 1;

function readDuration(word: string): Duration {
  const found = parseDuration(word, true);
  // Longer ones are no numbers for Pacemaker's tools either.
  if (found && Object.values(found).every((value: number) => Math.abs(value) <= longestPart)) return found;
  throw invalid(`"${word}" is not a duration`, "Write it as P1Y2M3DT4H5M6S, or a part of it");
}

/** A duration alone begins now. */
function readPeriod(word: string): { readonly start: WrittenTime; readonly end: WrittenTime } {
  if (/^\s*P[^/]*$/i.test(word)) {
    const start = presentTime();
    return { start, end: later(start, readDuration(word)) };
  }
  const parts = word.split("/");
  const [first = "", second = ""] = parts;
  const isDuration = [first, second].map((part) => /^\s*P/i.test(part));
  if (parts.length !== 2 || (isDuration[0] && isDuration[1]))
    throw invalid(`"${word}" is not a period`, "Write it as START/END, START/P1M or P1M/END");
  if (isDuration[1]) {
    const start = readDate(first);
    return { start, end: later(start, readDuration(second)) };
  }
  const end = readDate(second);
  return isDuration[0]
    ? { start: later(end, opposite(readDuration(first))), end }
    : { start: readDate(first), end };
}

const opposite = (duration: Duration): Duration => ({
  years: -duration.years,
  months: -duration.months,
  weeks: -duration.weeks,
  days: -duration.days,
  hours: -duration.hours,
  minutes: -duration.minutes,
  seconds: -duration.seconds,
});

/** Seconds from the beginning of year 1 to that of 1970. */
const secondsBefore1970 = 62_135_596_800;

/** A point in time in UTC, or on the clock that it was written for. */
function timeText(at: WrittenTime, shape: Shape, local: boolean): string {
  if (shape === "epoch") return String(at.time);
  if (shape === "seconds") return String(at.time + secondsBefore1970);
  const offset = local ? at.offset : 0;
  const parts = dateParts(at.time, offset);
  const digits = (value: number, count = 2) => String(value).padStart(count, "0");
  const day = {
    calendar: `${digits(parts.years, 4)}-${digits(parts.months)}-${digits(parts.monthdays)}`,
    ordinal: `${parts.years}-${digits(parts.yeardays, 3)}`,
    week: `${parts.weekyears}-W${digits(parts.weeks)}-${parts.weekdays}`,
  }[shape];
  const minutes = Math.abs(offset) / 60;
  const zone =
    offset === 0
      ? "Z"
      : ` ${offset < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
  return `${day} ${digits(parts.hours)}:${digits(parts.minutes)}:${digits(parts.seconds)}${zone}`;
}

/** A duration as Pacemaker's tools print it: fields of fixed width, those that are not 0. */
function durationText(duration: Duration): string {
  const { years, months } = duration;
  const days = duration.weeks * 7 + duration.days;
  const seconds = duration.hours * 3600 + duration.minutes * 60 + duration.seconds;
  const field = (value: number, width: number, unit: string) =>
    value === 0 ? "" : `${String(value).padStart(width)} ${unit}${value === 1 ? "" : "s"} `;
  const calendar = field(years, 4, "year") + field(months, 2, "month") + field(days, 2, "day");
  if (seconds === 0) return calendar === "" ? "0 seconds" : calendar;
  const plain = `${seconds} second${seconds === 1 ? "" : "s"}`;
  if (Math.abs(seconds) < 60) return calendar + plain;
  const size = Math.abs(seconds);
  const clock =
    field(Math.floor(size / 3600), 0, "hour") +
    field(Math.floor((size % 3600) / 60), 0, "minute") +
    field(size % 60, 0, "second");
  return `${calendar}${plain} (${clock.trimEnd()})`;
}
