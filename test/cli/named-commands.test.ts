import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandDef } from "citty";
import { commands } from "../../src/cli/registry.ts";
import { tools } from "../../src/cli/tools.ts";

/** What messages, cures, help texts and documents tell people to enter exists. */

const root = join(import.meta.dir, "..", "..");
const filesIn = (directory: string): string[] =>
  (readdirSync(join(root, directory), { recursive: true }) as string[])
    .filter((name) => /\.(?:ts|md|toml|service|sh)$/.test(name))
    .map((name) => join(directory, name));

/** Commands stand in quotes, behind a colon, or behind a word that asks to enter them. */
const mention =
  /(?:['"`(]|: |\b(?:see|say|with|or|at|by|and|then|enter|run) )hactl ((?:[^'"`\n);,]|'[^']*')*)/g;

interface Mention {
  readonly place: string;
  readonly words: readonly string[];
}

const mentions = (): Mention[] =>
  ["README.md", ...["src", "docs", "conf", "agents"].flatMap(filesIn)].flatMap((name) =>
    readFileSync(join(root, name), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        [...line.matchAll(mention)].map((match) => ({
          place: `${name}:${index + 1}`,
          words: (match[1] ?? "").trim().split(/\s+/),
        })),
      ),
  );

type Found = CommandDef & {
  readonly args?: Readonly<Record<string, { readonly type?: string; readonly alias?: string | string[] }>>;
};

/** Texts that go into keys and signatures, and are for nobody to enter. */
const labels = new Set(["ring root", "ring key id"]);

const everywhere = new Set(["json", "help", "config", "version"]);

/** Why a command cannot be entered like this; undefined when it can, or when it is no command but a sentence about hactl. */
async function wrong(words: readonly string[]): Promise<string | undefined> {
  const [first = "", ...rest] = words;
  const entry = commands.find(({ name, aliases }) => name === first || aliases?.includes(first) === true);
  if (!entry || labels.has(words.join(" ")) || words.slice(0, 2).join(" ") === "kdump notice")
    return undefined;
  let command = (await entry.load()) as Found;
  let at = 0;
  for (;;) {
    const word = rest[at];
    const inner = (await command.subCommands) as Readonly<Record<string, unknown>> | undefined;
    if (inner === undefined || word === undefined || !/^[a-z][\w-]*[.:]?$/.test(word)) break;
    const found = inner[word.replace(/[.:]$/, "")];
    const takesWords = Object.values((await command.args) ?? {}).some(({ type }) => type === "positional");
    if (found === undefined && takesWords) break;
    if (found === undefined) return `${[first, ...rest.slice(0, at)].join(" ")} has no command ${word}`;
    command = (await (typeof found === "function" ? (found as () => unknown)() : found)) as Found;
    at++;
  }
  const args = (await command.args) as Found["args"];
  const known = new Set(
    Object.entries(args ?? {}).flatMap(([name, { alias, type }]) =>
      type === "positional" ? [] : [name, ...(alias === undefined ? [] : [alias].flat())],
    ),
  );
  const meta = (await command.meta) as { readonly extraWords?: boolean } | undefined;
  if (meta?.extraWords && first === "configure") return undefined;
  for (const word of rest.slice(at)) {
    const option = /^--?([a-z][\w-]*)/.exec(word)?.[1];
    if (option !== undefined && !known.has(option) && !everywhere.has(option))
      return `${first} has no option ${word}`;
  }
  return undefined;
}

test("every command that a text names exists, with its options", async () => {
  const found = mentions();
  expect(found.length).toBeGreaterThan(100);
  const mistakes: string[] = [];
  for (const { place, words } of found) {
    const why = await wrong(words);
    if (why !== undefined) mistakes.push(`${place}: hactl ${words.join(" ")}: ${why}`);
  }
  expect(mistakes).toEqual([]);
});

test("what is wrong is found", async () => {
  expect(await wrong(["explain", "g", "--node", "n"])).toBe("explain has no option --node");
  expect(await wrong(["kdump", "everybody"])).toBe("kdump has no command everybody");
  expect(await wrong(["fence", "test", "NODE"])).toBeUndefined();
  expect(await wrong(["keeps", "services", "running"])).toBeUndefined();
  expect(Object.keys(tools).length).toBeGreaterThan(20);
});
