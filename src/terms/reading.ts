import { HactlError } from "./errors.ts";
import { CrmExit } from "./exit-codes.ts";
import type { NodeId, NodeName, ResourceId } from "./ids.ts";
import { asXmlText, isXmlText } from "./xml-text.ts";

/**
 * Reads a value that came from outside as what it has to be. `at` says where it stands, for people (`updates[0].name`).
 * Throws HactlError `PROTOCOL` for everything else. What is not asked for is left out, so nothing unknown travels on.
 */
export type Read<T> = (value: unknown, at: string) => T;

/** A member of an object that may be absent. */
export interface Maybe<T> {
  readonly maybe: Read<T>;
}

type OptionalKeys<T> = {
  [Key in keyof T]-?: Record<never, never> extends Pick<T, Key> ? Key : never;
}[keyof T];

/** How to read each member of an object; the compiler sees to it that none is forgotten. */
export type Shape<T> = {
  readonly [Key in keyof T]-?: Key extends OptionalKeys<T> ? Maybe<Exclude<T[Key], undefined>> : Read<T[Key]>;
};

/** Refuses a value. */
export function refuse(at: string, what: string): never {
  throw new HactlError({
    code: "PROTOCOL",
    what: `${at === "" ? "it" : at} ${what}`,
    cure: "both sides must run the same version of hactl",
    exit: CrmExit.PROTOCOL,
  });
}

/** How deep what is sent may be nested. What is sent in earnest is not half as deep. */
const deepest = 64;

/**
 * Reads JSON in UTF-8 that came from outside. Deeper nesting than anybody needs is refused before it is built: the engine reads
 * it, but whatever walks through it afterwards, `JSON.stringify` too, would run out of stack. Throws HactlError `PROTOCOL`.
 */
export function json(bytes: Uint8Array, at: string): unknown {
  try {
    const written = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (isTooDeep(written)) return refuse(at, `is nested deeper than ${deepest} levels`);
    return JSON.parse(written);
  } catch (error) {
    if (error instanceof HactlError) throw error;
    return refuse(at, "is no JSON");
  }
}

const [quote, backslash, ...brackets] = [...'"\\[{]}'].map((character) => character.charCodeAt(0));

/** Whether brackets outside of strings are opened deeper than is possible, whatever else is wrong with it. */
function isTooDeep(written: string): boolean {
  const [list, object, listEnd, objectEnd] = brackets;
  let depth = 0;
  for (let at = 0; at < written.length; at++) {
    const code = written.charCodeAt(at);
    if (code === quote) {
      at = endOfString(written, at);
    } else if (code === list || code === object) {
      if (++depth > deepest) return true;
    } else if (code === listEnd || code === objectEnd) depth--;
  }
  return false;
}

/** Where a string ends that begins at a quote. */
function endOfString(written: string, begin: number): number {
  for (let at = begin + 1; ; at++) {
    const end = written.indexOf('"', at);
    if (end < 0) return written.length;
    let escapes = 0;
    while (written.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
    at = end;
  }
}

/** Whether a value can be read as that. */
export function accepts(read: Read<unknown>, value: unknown): boolean {
  try {
    read(value, "");
    return true;
  } catch (error) {
    if (error instanceof HactlError) return false;
    throw error;
  }
}

/** A text of at most so many characters (UTF-16 units). */
export const text =
  (longest: number): Read<string> =>
  (value, at) => {
    if (typeof value !== "string") return refuse(at, "is missing or no text");
    if (value.length > longest) return refuse(at, `has ${value.length} characters; ${longest} are possible`);
    return value;
  };

/** A text that can be written into the CIB. */
export const xmlText = (longest: number): Read<string> => {
  const read = text(longest);
  return (value, at) => {
    const found = read(value, at);
    return isXmlText(found) ? found : refuse(at, "has characters that XML cannot hold");
  };
};

/** Words of others for people: what the CIB cannot hold is replaced, what is too long is cut off. */
export const saying =
  (longest: number): Read<string> =>
  (value, at) => {
    if (typeof value !== "string") return refuse(at, "is missing or no text");
    return asXmlText(value.length > longest ? `${value.slice(0, longest - 1)}…` : value);
  };

/** A name or id: not empty, at most 1024 characters, fit for the CIB. */
export const name: Read<string> = (value, at) => {
  const found = xmlText(1024)(value, at);
  return found === "" ? refuse(at, "is empty") : found;
};

/** A number within limits, both included. */
export const number =
  (least: number, most: number): Read<number> =>
  (value, at) => {
    if (typeof value !== "number" || !Number.isFinite(value)) return refuse(at, "is missing or no number");
    return value >= least && value <= most ? value : refuse(at, `is ${value}, not ${least} to ${most}`);
  };

/** A whole number within limits, both included. */
export const whole = (least: number, most: number): Read<number> => {
  const read = number(least, most);
  return (value, at) => {
    const found = read(value, at);
    return Number.isSafeInteger(found) ? found : refuse(at, `is ${found}, no whole number`);
  };
};

/** The name of a node. */
export const nodeName = name as Read<NodeName>;
/** The id of a resource. */
export const resourceId = name as Read<ResourceId>;
/** The number of a node in the ring. */
export const nodeId = whole(1, 2 ** 32 - 1) as Read<NodeId>;

/** A duration in milliseconds; a configuration may name one of any length. */
export const duration: Read<number> = number(0, Number.MAX_SAFE_INTEGER);
/** A point in time, seconds since 1970, up to the year 9999. */
export const time: Read<number> = number(0, 253_402_300_799);

/** Yes or no. */
export const flag: Read<boolean> = (value, at) =>
  typeof value === "boolean" ? value : refuse(at, "is missing or neither true nor false");

/** One of some values. */
export function oneOf<const T extends string | number>(...allowed: readonly T[]): Read<T> {
  const known = new Map<unknown, T>(allowed.map((one) => [one, one]));
  return (value, at) => {
    const found = known.get(value);
    if (found !== undefined) return found;
    return refuse(at, `is ${described(value)}; possible are ${allowed.join(", ")}`);
  };
}

/** A value for people. What is in an object is not looked at: nobody knows how deep it goes. */
function described(value: unknown): string {
  if (typeof value === "string") return `"${asXmlText(value.slice(0, 100))}"`;
  if (value === undefined) return "missing";
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}

/** Most members of a list or dictionary. */
const longestList = 1_000_000;

/** A list. */
export const list =
  <T>(read: Read<T>, most = longestList): Read<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value)) return refuse(at, "is missing or no list");
    if (value.length > most) return refuse(at, `has ${value.length} members; ${most} are possible`);
    return value.map((one, index) => read(one, `${at}[${index}]`));
  };

/** A list of two. */
export const pair =
  <A, B>(first: Read<A>, second: Read<B>): Read<readonly [A, B]> =>
  (value, at) => {
    if (!Array.isArray(value) || value.length !== 2) return refuse(at, "is no pair");
    return [first(value[0], `${at}[0]`), second(value[1], `${at}[1]`)];
  };

/** The members of an object that is no list. */
export function members(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  return refuse(at, "is missing or no object");
}

/** An object whose members have names of its own. */
export const dictionary =
  <T>(read: Read<T>, readName: Read<string> = name): Read<Readonly<Record<string, T>>> =>
  (value, at) =>
    // Made entry by entry: even one named __proto__ is only an entry.
    Object.fromEntries(
      Object.entries(members(value, at)).map(([key, one]) => [
        readName(key, `a name in ${at}`),
        read(one, `${at}.${key.slice(0, 100)}`),
      ]),
    );

/** Marks a member that may be absent. */
export const maybe = <T>(read: Read<T>): Maybe<T> => ({ maybe: read });

/** A value or nothing: for members that are always there and may be undefined. JSON leaves them out. */
export const orAbsent =
  <T>(read: Read<T>): Read<T | undefined> =>
  (value, at) =>
    value === undefined ? undefined : read(value, at);

/** A value or null. */
export const orNull =
  <T>(read: Read<T>): Read<T | null> =>
  (value, at) =>
    value === null ? null : read(value, at);

/** An object with these members. */
export function shape<T extends object>(parts: Shape<T>): Read<T> {
  const readers = Object.entries<Read<unknown> | Maybe<unknown>>(parts);
  return (value, at) => {
    const given = members(value, at);
    const result: Record<string, unknown> = {};
    for (const [key, reader] of readers) {
      const one = given[key];
      const where = at === "" ? key : `${at}.${key}`;
      if (typeof reader === "function") result[key] = reader(one, where);
      else if (one !== undefined) result[key] = reader.maybe(one, where);
    }
    return result as T;
  };
}

/** How to read each variant of a union, by the value of the member that tells them apart. */
export type Variants<Union, Key extends keyof Union> = {
  readonly [Kind in Union[Key] & string]: Shape<Omit<Extract<Union, Readonly<Record<Key, Kind>>>, Key>>;
};

/** One of several kinds of objects, told apart by the member `key`. */
export function variants<Union extends object, Key extends keyof Union & string>(
  key: Key,
  kinds: Variants<Union, Key>,
): Read<Union> {
  const readers = new Map(
    Object.entries<Shape<Record<string, unknown>>>(kinds as never).map(([kind, parts]) => [
      kind,
      shape(parts),
    ]),
  );
  return (value, at) => {
    const kind = members(value, at)[key];
    const where = at === "" ? key : `${at}.${key}`;
    if (typeof kind !== "string") return refuse(where, "is missing or no text");
    const read = readers.get(kind);
    if (!read) return refuse(where, `is "${asXmlText(kind.slice(0, 100))}", which is not known`);
    return { [key]: kind, ...read(value, at) } as Union;
  };
}
