import { lookup, nearest } from "../terms/index.ts";
import type { ConfigOption, OptionValue } from "./option.ts";

/** A value that was understood, or what is wrong with it. */
export type ReadValue =
  | { readonly ok: true; readonly value: OptionValue }
  | { readonly ok: false; readonly what: string; readonly cure: string };

const fine = (value: OptionValue): ReadValue => ({ ok: true, value });
const wrong = (what: string, cure: string): ReadValue => ({ ok: false, what, cure });

const trueWords = new Set(["true", "yes", "on", "1"]);
const falseWords = new Set(["false", "no", "off", "0"]);
const unitMs: Readonly<Record<string, number>> = lookup({
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
});

/** Takes a value as TOML gives it, or a default as the table writes it, for an option. */
export function readValue(option: ConfigOption, given: unknown): ReadValue {
  switch (option.type) {
    case "boolean":
      return readBoolean(option, given);
    case "duration":
      return readDuration(option, given);
    case "integer":
    case "percent":
    case "score":
      return readNumber(option, given);
    case "enum":
      return readWord(option, given);
    case "list":
      return readList(option, given);
    case "string":
    case "path":
      return readText(option, given);
  }
}

/** A value as people write it. */
export function showGiven(given: unknown): string {
  if (typeof given === "string") return JSON.stringify(given);
  if (given instanceof Date) return "a date";
  if (Array.isArray(given)) return "a list";
  if (typeof given === "object" && given !== null) return "a table";
  return String(given);
}

const mustBe = (option: ConfigOption, kind: string, given: unknown, example: string): ReadValue =>
  wrong(
    `${option.name} must be ${kind}, not ${showGiven(given)}`,
    `Write, for example, ${option.name} = ${example}`,
  );

function readBoolean(option: ConfigOption, given: unknown): ReadValue {
  const word = typeof given === "string" ? given.toLowerCase() : String(given);
  if (typeof given !== "object" && trueWords.has(word)) return fine(true);
  if (typeof given !== "object" && falseWords.has(word)) return fine(false);
  return mustBe(option, "true or false", given, "true");
}

function readNumber(option: ConfigOption, given: unknown): ReadValue {
  const text = typeof given === "string" ? given.trim().replace(/%$/, "") : given;
  const number = typeof text === "string" && /^-?\d+$/.test(text) ? Number(text) : text;
  if (typeof number !== "number" || !Number.isInteger(number)) {
    return mustBe(option, "a whole number", given, sample(option));
  }
  return inRange(option, number, String(number));
}

function readDuration(option: ConfigOption, given: unknown): ReadValue {
  const match = typeof given === "string" ? given.trim().match(/^(\d+(?:\.\d+)?)\s*([a-z]*)$/i) : null;
  const amount = match ? Number(match[1]) : given;
  const unit = match?.[2] ? match[2].toLowerCase() : (option.unit ?? "ms");
  const factor = unitMs[unit];
  if (typeof amount !== "number" || !Number.isFinite(amount) || factor === undefined) {
    return mustBe(option, "a time", given, `${sample(option)} or "${option.unit === "s" ? "5s" : "1500ms"}"`);
  }
  return inRange(option, Math.round(amount * factor), `${amount} ${unit}`);
}

function inRange(option: ConfigOption, value: number, shown: string): ReadValue {
  const unit = option.type === "duration" ? " ms" : "";
  const { min, max } = option;
  if ((min === undefined || value >= min) && (max === undefined || value <= max)) return fine(value);
  const low = min !== undefined && value < min;
  const what = `${option.name} is too ${low ? "low" : "high"}: ${shown}`;
  if (min !== undefined && min === max) return wrong(what, `The only value is ${min}`);
  if (min === undefined) return wrong(what, `At most ${max}${unit} is possible`);
  return wrong(
    what,
    max === undefined ? `At least ${min}${unit} is needed` : `It may be ${min} to ${max}${unit}`,
  );
}

function readWord(option: ConfigOption, given: unknown): ReadValue {
  const values = option.values ?? [];
  const word = typeof given === "boolean" ? (given ? "on" : "off") : String(given);
  const folded = typeof given === "boolean" ? [word, given ? "yes" : "no", given ? "true" : "false"] : [word];
  const found = typeof given === "object" ? undefined : values.find((value) => folded.includes(value));
  if (found !== undefined) return fine(found);
  const exact = values.find((value) => value.toLowerCase() === word.toLowerCase());
  if (exact !== undefined && typeof given === "string") return fine(exact);
  const guess = typeof given === "string" ? nearest(given, values) : undefined;
  const choice = values.length === 1 ? `The only value is ${values[0]}` : `It may be ${values.join(", ")}`;
  return wrong(
    `${option.name} cannot be ${showGiven(given)}`,
    guess === undefined ? choice : `Did you mean "${guess}"? ${choice}`,
  );
}

function readList(option: ConfigOption, given: unknown): ReadValue {
  if (typeof given === "string") return fine(given.split(/[:\s]+/).filter((item) => item !== ""));
  if (typeof given === "number") return fine([String(given)]);
  if (Array.isArray(given) && given.every((item) => typeof item === "string" || typeof item === "number")) {
    return fine(given.map(String));
  }
  return mustBe(option, "a text or a list of texts", given, sample(option));
}

function readText(option: ConfigOption, given: unknown): ReadValue {
  if (typeof given === "object" || given === undefined) {
    return mustBe(option, "a text", given, sample(option));
  }
  const text = typeof given === "boolean" ? (given ? "yes" : "no") : String(given);
  // A line break or NUL in a path or name is never meant, and would reach logs and environments.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f]/.test(text)) return wrong(`${option.name} contains a control character`, "Remove it");
  if (option.max !== undefined && text.length > option.max) {
    return wrong(`${option.name} has ${text.length} characters`, `At most ${option.max} are possible`);
  }
  if (option.type === "path" && text !== "none" && !text.startsWith("/")) {
    return wrong(`${option.name} must be an absolute path, not ${showGiven(text)}`, "Begin it with /");
  }
  return fine(text);
}

/** What to write for an option, as TOML: its example, or its default. */
export function sample(option: ConfigOption): string {
  if (option.example !== undefined) return option.example;
  const value = option.default ?? "";
  switch (option.type) {
    case "boolean":
    case "integer":
    case "percent":
    case "score":
      return value === "" ? "1" : value;
    case "duration":
      return /^\d+$/.test(value) ? value : JSON.stringify(value);
    default:
      return JSON.stringify(value);
  }
}
