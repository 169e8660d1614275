import { CrmExit, HactlError, lookup } from "../terms/index.ts";
import { kdumpPort } from "./notice.ts";

/** Options of fence_kdump_send(8), and ours: a signature and its key. */
export interface SendOptions {
  readonly port: number;
  readonly family: "auto" | "ipv4" | "ipv6";
  /** Rounds; 0 for ever. */
  readonly count: number;
  readonly intervalMs: number;
  /** The interval was not given: begin with one second, so that the notice is early when the network is late. */
  readonly eager: boolean;
  readonly verbose: boolean;
  /** File with the signing key (`hactl kdump setup --sign`); undefined for the usual place if it is there. */
  readonly keyFile: string | undefined;
  readonly nodes: readonly string[];
}

export type SendCommand =
  | { readonly type: "send"; readonly options: SendOptions }
  | { readonly type: "help" }
  | { readonly type: "version" };

const longNames: Readonly<Record<string, string>> = lookup({
  ipport: "p",
  family: "f",
  count: "c",
  interval: "i",
  key: "k",
  verbose: "v",
  version: "V",
  help: "h",
});
const withValue = new Set(["p", "f", "c", "i", "k"]);

const usage = (what: string) =>
  new HactlError({ code: "USAGE", what, cure: "See hactl kdump-send --help", exit: CrmExit.USAGE });

/** Reads the words of a call; options and nodes may be mixed. Throws HactlError `USAGE`. */
export function parseSendWords(words: readonly string[]): SendCommand {
  const values = new Map<string, string>();
  const nodes: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") nodes.push(...queue.splice(0));
    else if (word.startsWith("--")) takeLong(word, queue, values);
    else if (word.startsWith("-") && word.length > 1) takeShort(word.slice(1), queue, values);
    else nodes.push(word);
  }
  if (values.has("h")) return { type: "help" };
  if (values.has("V")) return { type: "version" };
  const family = values.get("f") ?? "auto";
  if (family !== "auto" && family !== "ipv4" && family !== "ipv6")
    throw usage(`"${family}" is not a family: auto, ipv4 or ipv6`);
  const interval = number(values, "i", 10, "interval", 1, 86_400);
  return {
    type: "send",
    options: {
      port: number(values, "p", kdumpPort, "ipport", 1, 65_535),
      family,
      count: number(values, "c", 0, "count", 0, Number.MAX_SAFE_INTEGER),
      intervalMs: interval * 1000,
      eager: !values.has("i"),
      verbose: values.has("v"),
      keyFile: values.get("k"),
      nodes,
    },
  };
}

function takeLong(word: string, queue: string[], values: Map<string, string>): void {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const letter = longNames[name];
  if (letter === undefined) throw usage(`kdump-send has no option --${name}`);
  const given = equals < 0 ? undefined : word.slice(equals + 1);
  take(letter, `--${name}`, given, queue, values);
}

function takeShort(letters: string, queue: string[], values: Map<string, string>): void {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? "";
    if (!Object.values(longNames).includes(letter)) throw usage(`kdump-send has no option -${letter}`);
    const rest = letters.slice(at + 1);
    take(letter, `-${letter}`, withValue.has(letter) && rest !== "" ? rest : undefined, queue, values);
    if (withValue.has(letter)) return;
  }
}

function take(
  letter: string,
  spelling: string,
  given: string | undefined,
  queue: string[],
  values: Map<string, string>,
): void {
  if (!withValue.has(letter)) {
    values.set(letter, "");
    return;
  }
  const value = given ?? queue.shift();
  if (value === undefined) throw usage(`${spelling} needs a value`);
  values.set(letter, value);
}

function number(
  values: ReadonlyMap<string, string>,
  letter: string,
  otherwise: number,
  name: string,
  min: number,
  max: number,
): number {
  const text = values.get(letter);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw usage(`${name} "${text}" is not a whole number from ${min} to ${max}`);
}
