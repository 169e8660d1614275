import { CrmExit, HactlError } from "../../terms/index.ts";
import { repeat } from "../commands/watch.ts";
import { readText } from "../read-text.ts";
import { changeKeys, type KeyChange, keyChangesIn, keySetting } from "./cmap-change.ts";
import { type CmapName, cmapEntries, type Entry } from "./cmap-keys.ts";
import { asTool, line, noSuch, usage } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "get", short: "g", description: "print these keys" },
  {
    name: "map",
    short: "m",
    value: "MAP",
    description: "icmap (configuration, members) or stats (counters)",
  },
  { name: "binary", short: "b", description: "accepted: no key holds binary data" },
  { name: "quiet", short: "q", description: "with -g: only the values" },
  { name: "track", short: "t", description: "tell when one of these keys changes, until q or the end" },
  { name: "track-prefix", short: "T", description: "the same for keys that begin so" },
  {
    name: "set",
    short: "s",
    description:
      "KEY TYPE VALUE: set quorum.expected_votes, or nodelist.node.N.quorum_votes; of others it says what sets them",
  },
  { name: "load", short: "p", value: "FILE", description: "set and delete what a file says" },
  { name: "delete", short: "d", description: "refused: says what takes a key away" },
  { name: "delete-prefix", short: "D", description: "refused: says what takes keys away" },
  { name: "clear", short: "C", value: "knet|ipc|totem|all", description: "refused: see -m stats -t" },
  { name: "help", short: "h", description: "print this help" },
];

const tool = "corosync-cmapctl";
const purpose = "Configuration and members of the ring as keys.";

/** corosync-cmapctl(8): the configuration and the members under corosync's keys. */
export const run = (words: readonly string[]): Promise<number> =>
  asTool(tool, purpose, table, words, async () => {
    const given = parseWords(tool, table, words);
    if (given.has("help")) return asTool(tool, purpose, table, ["--help"], async () => CrmExit.OK);
    if (given.has("clear")) throw noClearing();
    const changes = changesAskedFor(given);
    const map = given.value("map") ?? "icmap";
    if (map !== "icmap" && map !== "stats") throw usage(tool, `there is no map "${map}"`);
    if (changes) {
      if (map === "stats") throw usage(tool, "counters are not set");
      await changeKeys(changes);
      return CrmExit.OK;
    }
    if (given.has("track") || given.has("track-prefix")) return track(map, given);
    print(await cmapEntries(map), given);
    return CrmExit.OK;
  });

function changesAskedFor(given: ParsedWords): KeyChange[] | undefined {
  const { words } = given;
  const file = given.value("load");
  if (file !== undefined) return keyChangesIn(readText(file));
  if (given.has("set")) return [keySetting(words)];
  const kind = given.has("delete") ? "delete" : given.has("delete-prefix") ? "delete-prefix" : undefined;
  if (kind === undefined) return undefined;
  if (words.length === 0) throw usage(tool, "which key?");
  return words.map((key) => ({ kind, key }));
}

function print(entries: readonly Entry[], given: ParsedWords): void {
  const { words } = given;
  if (given.has("get") && words.length === 0) throw usage(tool, "which key?");
  const wanted = given.has("get")
    ? entries.filter(({ key }) => words.includes(key))
    : entries.filter(({ key }) => words.length === 0 || words.some((word) => key.startsWith(word)));
  const missing = given.has("get") && words.find((word) => !wanted.some(({ key }) => key === word));
  if (missing) throw noSuch(`Can't get key ${missing}. Error CS_ERR_NOT_EXIST`);
  for (const entry of wanted) line(given.has("quiet") ? entry.value : text(entry));
}

const text = ({ key, type, value }: Entry) => `${key} (${type}) = ${value}`;

/** How often keys are looked at: nobody tells of changes of his own accord. */
const everyMs = 500;

async function track(map: CmapName, given: ParsedWords): Promise<number> {
  const { words } = given;
  if (words.length === 0) throw usage(tool, "which key?");
  const isTracked = given.has("track-prefix")
    ? (key: string) => words.some((word) => key.startsWith(word))
    : (key: string) => words.includes(key);
  const look = async () =>
    new Map((await cmapEntries(map)).filter(({ key }) => isTracked(key)).map((entry) => [entry.key, entry]));
  let before = await look();
  line('Type "q" to finish');
  const end = new AbortController();
  // The end of the input is no wish to end: it may be /dev/null.
  process.stdin.on("data", (typed) => {
    if (/^\s*q/m.test(String(typed))) end.abort();
  });
  const show = async () => {
    const now = await look();
    for (const text of differences(before, now)) line(text);
    before = now;
  };
  try {
    return await repeat({ show, everyMs, end: end.signal });
  } finally {
    process.stdin.destroy();
  }
}

/** What has changed, in the words of corosync-cmapctl(8). */
function differences(before: ReadonlyMap<string, Entry>, now: ReadonlyMap<string, Entry>): string[] {
  const gone = [...before.values()].filter(({ key }) => !now.has(key));
  return [
    ...gone.map(({ key, type }) => `delete> ${key} (${type}) = *empty*`),
    ...[...now.values()].flatMap((entry) => {
      const old = before.get(entry.key);
      if (!old) return [`create> ${text(entry)}`];
      return old.value === entry.value ? [] : [`modify> ${text(entry)}`];
    }),
  ];
}

const noClearing = () =>
  new HactlError({
    code: "NOT_SUPPORTED",
    what: "counters are not set back: they count since the daemon was started",
    cure: "read them twice and take the difference, or follow one with 'corosync-cmapctl -m stats -t KEY'",
    exit: CrmExit.UNIMPLEMENT_FEATURE,
  });
