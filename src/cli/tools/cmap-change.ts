import { tableNamed } from "../../config/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { setExpectedVotes, setNodeVotes } from "../votes.ts";
import { cmapEntries, type Entry } from "./cmap-keys.ts";
import { usage } from "./connection.ts";

const tool = "corosync-cmapctl";

const nodeVotesKey = /^nodelist\.node\.(\d+)\.quorum_votes$/;

/** What is asked for with a key: a value, or that it goes. */
export type KeyChange =
  | { readonly kind: "set"; readonly key: string; readonly type: string; readonly value: string }
  | { readonly kind: "delete" | "delete-prefix"; readonly key: string };

const types = /^(?:[iu](?:8|16|32|64)|flt|dbl|str|bin)$/;

/** @throws HactlError USAGE when it is not KEY TYPE VALUE */
export function keySetting(words: readonly string[]): KeyChange {
  const [key, type, ...rest] = words;
  if (key === undefined || type === undefined || rest.length === 0)
    throw usage(tool, "a key is set with its name, type and value");
  if (!types.test(type)) throw usage(tool, `there is no type "${type}"`);
  return { kind: "set", key, type, value: rest.join(" ") };
}

/** What a file asks for: a line `KEY TYPE VALUE` sets, `^KEY` deletes, `^^PREFIX` deletes all that begin so. */
export function keyChangesIn(text: string): KeyChange[] {
  return text
    .split("\n")
    .map((row) => row.trim())
    .filter((row) => row !== "" && !row.startsWith("#"))
    .map((row): KeyChange => {
      const words = row.split(/\s+/);
      const [first = ""] = words;
      if (first.startsWith("^^")) return { kind: "delete-prefix", key: first.slice(2) };
      if (first.startsWith("^")) return { kind: "delete", key: first.slice(1) };
      return keySetting(words);
    });
}

/**
 * Makes changes: all of them are looked at before the first is made.
 * @throws HactlError NOT_SUPPORTED with what does it here, for keys that do not change at runtime
 */
export async function changeKeys(changes: readonly KeyChange[]): Promise<void> {
  const aboutNodes = changes.some(({ key }) => nodeVotesKey.test(key));
  const entries = aboutNodes ? await cmapEntries("icmap") : [];
  const deeds = changes.map((change) => deedOf(change, entries));
  for (const deed of deeds) await deed();
}

function deedOf(change: KeyChange, entries: readonly Entry[]): () => Promise<void> {
  const { kind, key } = change;
  if (kind === "set") {
    const node = nodeVotesKey.exec(key)?.[1];
    const expects = key === "quorum.expected_votes";
    if (expects || node !== undefined) {
      if (!/^u(?:8|16|32|64)$/.test(change.type)) throw usage(tool, `${key} is a number: its type is u32`);
      if (expects) return () => setExpectedVotes(change.value);
      const id = entries.find((entry) => entry.key === `nodelist.node.${node}.nodeid`)?.value;
      if (id === undefined) throw usage(tool, `there is no nodelist.node.${node}`);
      return async () => {
        await setNodeVotes(id, change.value);
      };
    }
  }
  throw refusal(change);
}

/** Why a key does not change, and what to do instead. */
function refusal({ kind, key }: KeyChange): HactlError {
  const word = kind === "set" ? "set" : "deleted";
  const refused = (what: string, cure: string) =>
    new HactlError({ code: "NOT_SUPPORTED", what, cure, exit: CrmExit.UNIMPLEMENT_FEATURE });
  if (/^(?:runtime|stats)(?:\.|$)/.test(key))
    return refused(
      `${key} tells what is; it cannot be ${word}`,
      "it follows from hactl.toml and from who is there",
    );
  const path = key.replace(/\.\d+(?=\.|$)/g, "");
  const [, head = "", name = ""] = /^(.*)\.([^.]*)$/.exec(path) ?? [];
  const option = tableNamed(head)?.options.find((row) => row.name === name);
  if (!option)
    return refused(
      `${key} cannot be ${word} here: hactl has no such option`,
      "'corosync-cmapctl' lists the keys that there are; what they are is in hactl.toml",
    );
  const place = `${name} in [${head}] of hactl.toml on all nodes`;
  const then = option.reload
    ? "run 'hactl reload' on each"
    : "restart hactl on each, one after the other: it counts from the start of the daemon";
  return refused(
    `${key} cannot be ${word} while the cluster runs`,
    `${kind === "set" ? `write ${place}` : `take ${place} out`}, then ${then}`,
  );
}
