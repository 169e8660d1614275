import { LONGEST_TIMESTAMP, WIDEST_CONVERSION } from "../cib/index.ts";
import type { AlertTime } from "./face.ts";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;

/**
 * A time in a format of date(1), in the C locale; `%N` with a width of 1 to 6 is the fraction of the second to so many
 * digits, cut off (Pacemaker Explained, "Alert Meta-Attributes", timestamp-format). What is no conversion stays as it is,
 * also one that is wider than anybody wants: whoever may write the configuration writes the format, and every node carries
 * it out at every event.
 */
export function formatTimestamp(format: string, time: AlertTime): string {
  return format
    .slice(0, LONGEST_TIMESTAMP)
    .replace(/%([-_0^]{0,9})(\d{0,9})([A-Za-z%])/g, (all, flags: string, width: string, letter: string) => {
      if (Number(width) > WIDEST_CONVERSION) return all;
      if (letter === "N") return fraction(time, width);
      const found = conversion(letter, time);
      if (found === undefined) return all;
      return pad(found, flags, Number(width));
    })
    .slice(0, LONGEST_TIMESTAMP);
}

interface Converted {
  readonly text: string;
  /** How wide a number is, and what fills it. */
  readonly width?: number;
  readonly fill?: string;
}

function pad({ text, width = 0, fill = "0" }: Converted, flags: string, wanted: number): string {
  const plain = flags.includes("^") ? text.toUpperCase() : text;
  if (flags.includes("-")) return plain;
  const filler = flags.includes("_") ? " " : flags.includes("0") ? "0" : width > 0 ? fill : " ";
  return plain.padStart(Math.max(width, wanted), filler);
}

function fraction({ epoch }: AlertTime, width: string): string {
  const micros = String(microseconds(epoch)).padStart(6, "0");
  const digits = Number(width === "" ? 6 : width);
  return micros.slice(0, digits >= 1 && digits <= 6 ? digits : 6);
}

/** Microseconds of the second. */
export function microseconds(epoch: number): number {
  // A number of seconds is exact to a quarter of one.
  return Math.min(999_999, Math.floor((epoch - Math.floor(epoch)) * 1e6 + 0.25));
}

const number = (value: number, width: number, fill = "0"): Converted => ({
  text: String(value),
  width,
  fill,
});

function conversion(letter: string, time: AlertTime): Converted | undefined {
  const local = new Date(Math.floor(time.epoch) * 1000 + time.offsetMinutes * 60_000);
  const year = local.getUTCFullYear();
  const month = local.getUTCMonth();
  const day = local.getUTCDate();
  const weekday = local.getUTCDay();
  const hours = local.getUTCHours();
  const again = (format: string): Converted => ({ text: formatTimestamp(format, time) });
  switch (letter) {
    case "%":
      return { text: "%" };
    case "a":
      return { text: days[weekday]?.slice(0, 3) ?? "" };
    case "A":
      return { text: days[weekday] ?? "" };
    case "b":
    case "h":
      return { text: months[month]?.slice(0, 3) ?? "" };
    case "B":
      return { text: months[month] ?? "" };
    case "c":
      return again("%a %b %e %H:%M:%S %Y");
    case "C":
      return number(Math.floor(year / 100), 2);
    case "d":
      return number(day, 2);
    case "D":
    case "x":
      return again("%m/%d/%y");
    case "e":
      return number(day, 2, " ");
    case "F":
      return again("%Y-%m-%d");
    case "g":
      return number(isoWeek(local).year % 100, 2);
    case "G":
      return number(isoWeek(local).year, 4);
    case "H":
      return number(hours, 2);
    case "I":
      return number(hours % 12 || 12, 2);
    case "j":
      return number(dayOfYear(local) + 1, 3);
    case "k":
      return number(hours, 2, " ");
    case "l":
      return number(hours % 12 || 12, 2, " ");
    case "m":
      return number(month + 1, 2);
    case "M":
      return number(local.getUTCMinutes(), 2);
    case "n":
      return { text: "\n" };
    case "p":
      return { text: hours < 12 ? "AM" : "PM" };
    case "P":
      return { text: hours < 12 ? "am" : "pm" };
    case "r":
      return again("%I:%M:%S %p");
    case "R":
      return again("%H:%M");
    case "s":
      return { text: String(Math.floor(time.epoch)) };
    case "S":
      return number(local.getUTCSeconds(), 2);
    case "t":
      return { text: "\t" };
    case "T":
    case "X":
      return again("%H:%M:%S");
    case "u":
      return number(weekday || 7, 1);
    case "U":
      return number(Math.floor((dayOfYear(local) + 7 - weekday) / 7), 2);
    case "V":
      return number(isoWeek(local).week, 2);
    case "w":
      return number(weekday, 1);
    case "W":
      return number(Math.floor((dayOfYear(local) + 7 - ((weekday + 6) % 7)) / 7), 2);
    case "y":
      return number(year % 100, 2);
    case "Y":
      return { text: String(year) };
    case "z": {
      const ahead = Math.abs(time.offsetMinutes);
      const clock = `${String(Math.floor(ahead / 60)).padStart(2, "0")}${String(ahead % 60).padStart(2, "0")}`;
      return { text: `${time.offsetMinutes < 0 ? "-" : "+"}${clock}` };
    }
    case "Z":
      return { text: time.zone };
    default:
      return undefined;
  }
}

/** Days since the first of January. */
function dayOfYear(local: Date): number {
  return Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / DAY_MS);
}

/** Week of ISO 8601: the first one has the first Thursday of its year. */
function isoWeek(local: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(local.getTime() + (4 - (local.getUTCDay() || 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}
