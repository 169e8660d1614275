import { Database } from "bun:sqlite";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { formatXml, versionOf } from "../../src/cib/index.ts";
import { emptyCib } from "../../src/controller/index.ts";
import { CibKeeper } from "../../src/daemon/cib-keeper.ts";
import { CibStore } from "../../src/daemon/cib-store.ts";
import { EventHistory, eventHistoryFile } from "../../src/daemon/event-history.ts";
import { ExecutorMemory } from "../../src/daemon/executor-memory.ts";
import { KeyFiles } from "../../src/daemon/ring-key-files.ts";
import { parseRingState } from "../../src/daemon/ring-state.ts";
import {
  createSecret,
  openLog,
  readLimited,
  removeFile,
  SecretStore,
  writeDurably,
} from "../../src/platform/index.ts";

/** Something that the product keeps: written by the same code as in a daemon. */
export interface Target {
  /** Makes what it keeps the `n`-th; settles when whoever waits for it would be told. */
  write(n: number): Promise<void>;
}

/** What it kept, read at the next start. */
export interface Kind {
  readonly name: string;
  open(disk: string): Target;
  /**
   * Why what is found does not fit: at least the `told`-th was acknowledged, the `begun`-th is the last that was begun.
   * `scratch`: an empty directory that the failure does not concern.
   */
  fault(disk: string, told: number, begun: number, scratch: string): string | undefined;
}

const lines: string[] = [];
const log = openLog({
  tag: "power",
  thresholds: { stderr: "warning" },
  writeStderr: (line) => void lines.push(line),
});

/** Between what was told and what was begun, both included. */
function within(found: number | undefined, told: number, begun: number): string | undefined {
  if (found !== undefined && found >= told && found <= begun) return undefined;
  return `${found ?? "nothing"} is there, ${told} was acknowledged and ${begun} begun`;
}

const document = (epoch: number): string => {
  const cib = emptyCib();
  cib.attributes.set("epoch", String(epoch));
  return formatXml({ ...cib, children: cib.children.filter(({ name }) => name !== "status") });
};

const configuration: Kind = {
  name: "configuration",
  open(disk) {
    const store = new CibStore(disk, log);
    let epoch = 0;
    const keeper = new CibKeeper(
      (text, origin) => store.save(text, origin),
      () => ({ text: document(epoch), origin: { fallback: undefined, losses: [] } }),
      log,
    );
    return {
      async write(n) {
        epoch = n;
        keeper.changed();
        await keeper.stored();
      },
    };
  },
  fault(disk, told, begun) {
    const found = new CibStore(disk, log).load();
    if (found?.lost) return "a copy of the configuration was lost";
    return within(found?.cib ? versionOf(found.cib)[1] : 0, told, begun);
  },
};

const ringState: Kind = {
  name: "ring",
  open: (disk) => ({
    write: (n) => writeDurably(join(disk, "ring.json"), JSON.stringify({ ringSequence: n }), { mode: 0o600 }),
  }),
  fault(disk, told, begun) {
    const content = readLimited(join(disk, "ring.json"), 65_536);
    const state = content && parseRingState(new TextDecoder().decode(content));
    if (content && !state) return "the ring's state is torn";
    return within(state?.ringSequence ?? 0, told, begun);
  },
};

const keyOf = (n: number): Uint8Array => new TextEncoder().encode(String(n).padStart(256, "0"));
const numberOf = (key: Uint8Array): number => Number(new TextDecoder().decode(key));

/** The key is changed in two steps: odd ones store the next key, even ones adopt it. */
const keys: Kind = {
  name: "key",
  open(disk) {
    const path = join(disk, "authkey");
    const files = new KeyFiles(path);
    return {
      async write(n) {
        if (readLimited(path, 4096) === undefined) createSecret(path, keyOf(0));
        if (n % 2 === 1) await files.store(keyOf(n + 1));
        else await files.adopt(keyOf(n));
      },
    };
  },
  fault(disk, told, begun) {
    const path = join(disk, "authkey");
    const current = readLimited(path, 4096);
    if (!current) return told === 0 ? undefined : "the key is gone";
    const files = new KeyFiles(path);
    if (!Number.isInteger(numberOf(files.current()))) return "the key is torn";
    const next = files.next();
    // One that is as old as the key is left from before, and the same.
    const waits = next !== undefined && numberOf(next) > numberOf(current);
    return within(waits ? numberOf(next) - 1 : numberOf(current), told, begun);
  },
};

const secrets: Kind = {
  name: "secret",
  open: (disk) => ({
    write: (n) => new SecretStore(join(disk, "secrets")).write(`r${n % 3}`, "password", `value ${n}`),
  }),
  fault(disk, told, begun) {
    const store = new SecretStore(join(disk, "secrets"));
    const of = (n: number) => store.read(`r${n % 3}`, "password");
    const values = [told, told - 1, told - 2].filter((n) => n > 0);
    for (const n of values) {
      const { value, problem } = of(n);
      if (value === undefined) return problem;
      const found = Number(value.replace("value ", ""));
      if (found !== n && !(found === n + 3 && found <= begun))
        return `${value} is there, ${n} was acknowledged`;
    }
    return undefined;
  },
};

/** New files and their ends: what was made is there, what was removed is not. */
const files: Kind = {
  name: "file",
  open(disk) {
    const directory = join(disk, "files");
    mkdirSync(directory, { recursive: true });
    return {
      async write(n) {
        // It was begun before the power failed.
        removeFile(join(directory, `k${n}`));
        createSecret(join(directory, `k${n}`), keyOf(n));
        removeFile(join(directory, `k${n - 1}`));
      },
    };
  },
  fault(disk, told, begun) {
    const directory = join(disk, "files");
    if (told === 0) return undefined;
    const names = readdirSync(directory);
    const extra = names.filter((name) => Number(name.slice(1)) < told || Number(name.slice(1)) > begun);
    if (extra.length > 0) return `${extra} was removed`;
    const whole = names.some((name) => {
      const content = readLimited(join(directory, name), 4096);
      return content !== undefined && content.length > 0 && `k${numberOf(content)}` === name;
    });
    return whole ? undefined : `k${told} is not there`;
  },
};

const history: Kind = {
  name: "history",
  open(disk) {
    const events = new EventHistory(eventHistoryFile(disk), log);
    return {
      async write(n) {
        events.add({ at: n, level: "notice", event: "E", node: null, rsc: null, text: `fact ${n}` });
        events.flush();
        await events.synced();
      },
    };
  },
  fault(disk, told, begun) {
    if (told === 0) return undefined;
    const database = new Database(eventHistoryFile(disk));
    try {
      const [answer] = database.query("PRAGMA integrity_check").values()[0] ?? [];
      if (answer !== "ok") return `the history is damaged: ${answer}`;
      const facts = database
        .query("SELECT at FROM event ORDER BY id")
        .values()
        .map(([at]) => Number(at));
      const gap = facts.findIndex((at, index) => index > 0 && at !== (facts[index - 1] ?? 0) + 1);
      if (gap >= 0) return `the history has a gap before ${facts[gap]}`;
      return within(facts.at(-1) ?? 0, told, begun);
    } finally {
      database.close();
    }
  },
};

/** Which boot an executor has run in last: after the failure, nothing of another boot may be believed. */
const boot: Kind = {
  name: "boot",
  open: (disk) => ({
    async write(n) {
      memory(disk, disk, `boot ${n}`).recall();
    },
  }),
  fault(disk, _told, _begun, scratch) {
    const first = memory(disk, scratch, "next boot").recall();
    if (first.snapshot) return "what another boot has left is believed";
    const second = memory(disk, scratch, "next boot").recall();
    return second.complete ? "a boot is taken for new twice" : undefined;
  },
};

const memory = (disk: string, runDir: string, bootId: string): ExecutorMemory =>
  new ExecutorMemory({
    runDir,
    bootFile: join(disk, "boot"),
    bootId,
    instance: bootId,
    log,
    mayWrite: () => true,
  });

export const kinds: readonly Kind[] = [configuration, ringState, keys, secrets, files, history, boot];
