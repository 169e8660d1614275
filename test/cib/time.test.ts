import { describe, expect, test } from "bun:test";
import {
  addDuration,
  dateParts,
  durationSeconds,
  parseDuration,
  parseIntervalMs,
  parseTime,
  parseWrittenTime,
} from "../../src/cib/index.ts";

const utc = (text: string) => Date.parse(text) / 1000;

describe("parseIntervalMs", () => {
  test.each<[string, number | undefined]>([
    ["10", 10_000],
    ["0", 0],
    ["10s", 10_000],
    ["10 sec", 10_000],
    ["500ms", 500],
    ["500msec", 500],
    ["1500us", 1],
    ["1min", 60_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["2hours", 7_200_000],
    ["PT1H", 3_600_000],
    ["PT1M30S", 90_000],
    ["P1D", 86_400_000],
    ["", undefined],
    ["ten", undefined],
    ["10 parsecs", undefined],
    ["1.5s", undefined],
    ["-5s", undefined],
    ["PT", undefined],
  ])("%p is %p ms", (text, expected) => {
    expect(parseIntervalMs(text)).toBe(expected as number);
  });
});

describe("parseTime", () => {
  test.each([
    ["2026-02-28", "2026-02-28T00:00:00Z"],
    ["20260228", "2026-02-28T00:00:00Z"],
    ["2026-059", "2026-02-28T00:00:00Z"],
    ["2024-366", "2024-12-31T00:00:00Z"],
    ["2026-W09-6", "2026-02-28T00:00:00Z"],
    ["2020-W53-7", "2021-01-03T00:00:00Z"],
    ["2009-W01-1", "2008-12-29T00:00:00Z"],
    ["2026-02-28T13:05", "2026-02-28T13:05:00Z"],
    ["2026-02-28 13:05:09", "2026-02-28T13:05:09Z"],
    ["20260228T130509Z", "2026-02-28T13:05:09Z"],
    ["2026-02-28T13:05:09.25+01:30", "2026-02-28T11:35:09Z"],
    ["2026-02-28 13:05 -0200", "2026-02-28T15:05:00Z"],
    ["2026-02-28T24:00:00", "2026-03-01T00:00:00Z"],
  ])("%s is %s", (text, expected) => {
    expect(parseTime(text)).toBe(utc(expected));
  });

  test.each([
    "",
    "soon",
    "2026-13-01",
    "2026-02-29",
    "2023-366",
    "2026-W54-1",
    "2026-02-28T25:00",
    "2026-02-28T24:00:01",
    "2026-02-28 tea",
  ])("%p is no time", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});

describe("durations", () => {
  test("calendar months end with the month", () => {
    const month = parseDuration("P1M");
    expect(month && addDuration(utc("2024-01-31T12:00:00Z"), month)).toBe(utc("2024-02-29T12:00:00Z"));
    const year = parseDuration("P1Y");
    expect(year && addDuration(utc("2024-02-29T00:00:00Z"), year)).toBe(utc("2025-03-01T00:00:00Z"));
  });

  test("all designators add up", () => {
    // Whoever asks whether something is over by then gets an answer.
    for (const [far, sign] of [
      ["P300000Y", 1],
      ["P999999999999D", 1],
      ["P-300000Y", -1],
    ] as const) {
      const duration = parseDuration(far, true);
      expect(duration && Math.sign(addDuration(utc("2024-01-31T12:00:00Z"), duration))).toBe(sign);
    }
    const all = parseDuration("P1Y2M1W3DT4H5M6S");
    expect(all && addDuration(utc("2020-01-01T00:00:00Z"), all)).toBe(utc("2021-03-11T04:05:06Z"));
    expect(all && durationSeconds(all)).toBe((365 + 60 + 7 + 3) * 86_400 + 4 * 3600 + 5 * 60 + 6);
  });

  test.each(["P", "1D", "PT", "P-1D", "P1X"])("%s is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("dateParts", () => {
  test("ISO weeks belong to the year of their Thursday", () => {
    expect(dateParts(utc("2021-01-03T23:59:59Z"))).toMatchObject({
      weeks: 53,
      weekyears: 2020,
      weekdays: 7,
      years: 2021,
    });
    expect(dateParts(utc("2008-12-29T00:00:00Z"))).toMatchObject({
      weeks: 1,
      weekyears: 2009,
      weekdays: 1,
      yeardays: 364,
    });
  });

  test("every day of forty years agrees with the week date read back", () => {
    const wrong: string[] = [];
    for (let day = utc("2000-01-01T00:00:00Z"); day < utc("2040-01-01T00:00:00Z"); day += 86_400) {
      const { weekyears, weeks, weekdays, years, yeardays } = dateParts(day);
      const week = `${weekyears}-W${String(weeks).padStart(2, "0")}-${weekdays}`;
      const ordinal = `${years}-${String(yeardays).padStart(3, "0")}`;
      if (parseTime(week) !== day || parseTime(ordinal) !== day) wrong.push(week);
    }
    expect(wrong).toEqual([]);
  });
});

/** What iso8601(8) of Pacemaker says. */
test.each([
  ["2024-02-29", "P1Y", "2025-03-01"],
  ["2024-02-29", "P4Y", "2028-02-29"],
  ["2024-02-29", "P-1Y", "2023-03-01"],
  ["2024-02-29", "P1Y1M", "2025-04-01"],
  ["2024-02-29", "P12M", "2025-02-28"],
  ["2023-02-28", "P1Y", "2024-02-28"],
  ["2024-366", "P1Y", "2025-12-31"],
  ["2023-365", "P1Y", "2024-12-30"],
  ["2024-01-31", "P1M", "2024-02-29"],
  ["2023-01-31", "P13M", "2024-02-29"],
  ["2024-03-31", "P-1M", "2024-02-29"],
  ["2024-02-28T24:00:00Z", "P1Y", "2025-03-01"],
  ["2020-W53-7", "P1Y", "2022-01-03"],
  ["2024-01-31", "P1D1M", "2024-03-01"],
  ["2024-02-29", "P1D1M", "2024-03-30"],
  ["2024-02-29", "P1YT", "2025-03-01"],
  ["2024-02-29", "P1Y1Y", "2025-03-01"],
  ["2024-02-29", "PT1S23H3599S60M", "2024-03-01T01:00:00Z"],
  ["2024-03-31 12:00:00 +09:00", "P1Y", "2025-04-01T03:00:00Z"],
])("%s and %s is %s", (from, length, until) => {
  const start = parseWrittenTime(from);
  const duration = parseDuration(length, true);
  expect(start && duration && addDuration(start.time, duration, start.offset)).toBe(parseTime(until));
});

test.each(["P", "PT", "P1", "P1.5D", "1D", "P1DD", "P1D T1H", "PTT1H", "P1X"])(
  "%s is no duration",
  (text) => {
    expect(parseDuration(text, true)).toBeUndefined();
  },
);
