import type { Random } from "../sim/random.ts";
import { mutate } from "./mutate.ts";

/** A value as JSON has them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const encoder = new TextEncoder();

/** What programs are most often wrong about. */
const awkward: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  255,
  65_536,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e300,
  "",
  "x",
  " ",
  "0",
  "-1",
  "1e9",
  "INFINITY",
  "value++",
  "value+=5",
  "true",
  "__proto__",
  "constructor",
  "toString",
  "n1",
  "n2",
  "n9",
  "a",
  "a:0",
  "a\u0000b",
  "\u001b[2J",
  "\ud800",
  "\ufffe",
  "<&\"'>",
  "]]>",
  "é😀",
  "y".repeat(2000),
  [],
  {},
  [null],
  [[]],
  [{}],
  { id: "x" },
];

const grouped = new WeakMap<readonly Json[], readonly (readonly Json[])[]>();

/** The samples by what they are of, so that each kind comes as often as the others. */
function byKind(samples: readonly Json[]): readonly (readonly Json[])[] {
  const known = grouped.get(samples);
  if (known) return known;
  const kind = (sample: Json) => JSON.stringify(sample).match(/"type":"([^"]+)"/)?.[1] ?? "";
  const groups = [...Map.groupBy(samples, kind).values()];
  grouped.set(samples, groups);
  return groups;
}

/** A message that is wrong somewhere within, or is one that a well-meaning sender could send. */
export function mutateJson(random: Random, samples: readonly Json[]): Uint8Array {
  let value = random.pick(random.pick(byKind(samples)));
  if (random.chance(0.1)) return mutate(random, [encoder.encode(JSON.stringify(value))]);
  for (let change = random.between(0, 3); change > 0; change--)
    value = changed(random, value, samples, random.between(2, 7));
  let text = JSON.stringify(value);
  // An own member of that name, which only JSON text can have.
  if (random.chance(0.03)) text = text.replace(/"[a-zA-Z]+":/, '"__proto__":');
  return encoder.encode(text);
}

/** Changes something at most so many levels down. */
function changed(random: Random, value: Json, samples: readonly Json[], levels: number): Json {
  if (levels > 0 && Array.isArray(value) && value.length > 0 && random.chance(0.85)) {
    const list: Json[] = [...value];
    const at = random.between(0, list.length - 1);
    const kind = random.between(0, 9);
    if (kind === 0) list.splice(at, 1);
    else if (kind === 1) list.push(list[at] ?? null);
    else list[at] = changed(random, list[at] ?? null, samples, levels - 1);
    return list;
  }
  if (levels > 0 && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const members = Object.entries(value as { readonly [name: string]: Json });
    if (members.length > 0 && random.chance(0.9)) {
      const [name, inner] = random.pick(members);
      const kind = random.between(0, 11);
      if (kind === 0) return Object.fromEntries(members.filter(([other]) => other !== name));
      if (kind === 1) return { ...Object.fromEntries(members), [String(random.pick(awkward))]: inner };
      return { ...Object.fromEntries(members), [name]: changed(random, inner, samples, levels - 1) };
    }
  }
  if (typeof value === "string" && value.length > 0 && random.chance(0.5)) return changedText(random, value);
  if (typeof value === "number" && random.chance(0.4)) return value + random.pick([-1, 1, 0.5, 1e9, -1e9]);
  return random.chance(0.2) ? random.pick(samples) : random.pick(awkward);
}

const pieces = [
  "<",
  ">",
  "/>",
  '"',
  "'",
  "&amp;",
  "&",
  "id=",
  " ",
  "\n",
  "cib",
  "status",
  "a",
  "n1",
  "//",
  "[1]",
  "*",
  "\u0000",
  "0",
  "-",
];

/** Cuts, doubles and garbles pieces of a text: most are XML. */
function changedText(random: Random, text: string): string {
  const at = random.between(0, text.length);
  const end = Math.min(text.length, at + random.between(0, 12));
  switch (random.between(0, 4)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + random.pick(pieces) + text.slice(at);
    case 2:
      return text.slice(0, end) + text.slice(at);
    case 3: {
      // Another name or value, where XML has one.
      const words = [...text.matchAll(/[\w.:-]+/g)];
      const word = words.length > 0 ? random.pick(words) : undefined;
      const other = words.length > 0 ? random.pick(words)[0] : "x";
      if (!word) return other;
      const fresh = random.chance(0.5) ? other : String(random.pick(awkward));
      return text.slice(0, word.index) + fresh + text.slice(word.index + word[0].length);
    }
    default:
      return text.slice(0, at) + random.pick(pieces) + text.slice(end);
  }
}
