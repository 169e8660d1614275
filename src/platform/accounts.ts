import { readFileSync } from "node:fs";
import type { Millis } from "../terms/index.ts";

/** A directory service that does not answer is not waited for. */
const PATIENCE_MS: Millis = 2000;
/** How long what a directory service said is believed. */
const KEEP_MS: Millis = 30_000;

/** Where names of users and groups come from. */
export interface AccountSources {
  /** Default /etc/passwd and /etc/group. */
  readonly passwd?: string;
  readonly group?: string;
  /** Lines of getent(1) for what the files do not have; undefined when there are none. */
  readonly ask?: (database: "passwd" | "group" | "initgroups", key: string) => Promise<string | undefined>;
}

/** An account as passwd(5) has it. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Names of users and groups: of the files of this machine first, then of what else nsswitch.conf(5) names (LDAP, SSSD),
 * which is asked by getent(1) in a process of its own: it may take its time, and nothing here waits for it.
 */
export class Accounts {
  readonly #passwd: string;
  readonly #group: string;
  readonly #ask: NonNullable<AccountSources["ask"]>;
  readonly #said = new Map<
    string,
    { readonly until: number; readonly answer: Promise<string | undefined> }
  >();

  constructor({ passwd = "/etc/passwd", group = "/etc/group", ask = getent }: AccountSources = {}) {
    this.#passwd = passwd;
    this.#group = group;
    this.#ask = ask;
  }

  /** A user by name or number; undefined when nobody knows one. */
  async user(key: string | number): Promise<Account | undefined> {
    const local = this.localUser(key);
    if (local) return local;
    return toAccount((await this.#remember("passwd", String(key))) ?? "");
  }

  /** The same by the file of this machine alone. */
  localUser(key: string | number): Account | undefined {
    const place = typeof key === "number" ? 2 : 0;
    const found = fieldsOf(this.#passwd).find((fields) => fields[place] === String(key));
    return found && toAccount(found.join(":"));
  }

  /**
   * Names of the groups that a user is in: those of the group ids that its process has, and those that the databases
   * give to its name.
   */
  async groupsOf(user: string, processGroups: readonly number[]): Promise<string[]> {
    const account = await this.user(user);
    const ids = new Set(processGroups.map(String));
    if (account) ids.add(String(account.gid));
    if (!this.localUser(user)) for (const id of await this.#initialGroups(user)) ids.add(id);
    const groups = fieldsOf(this.#group);
    const names = new Set<string>();
    for (const [name = "", , id = "", members = ""] of groups)
      if (ids.delete(id) || members.split(",").includes(user)) names.add(name);
    for (const id of ids) {
      const [name] = ((await this.#remember("group", id)) ?? "").split(":");
      if (name) names.add(name);
    }
    return [...names];
  }

  async #initialGroups(user: string): Promise<string[]> {
    const said = (await this.#remember("initgroups", user)) ?? "";
    return said.trim().split(/\s+/).slice(1);
  }

  #remember(database: "passwd" | "group" | "initgroups", key: string): Promise<string | undefined> {
    const name = `${database} ${key}`;
    const now = performance.now();
    const known = this.#said.get(name);
    if (known && known.until > now) return known.answer;
    for (const [old, { until }] of this.#said) if (until <= now) this.#said.delete(old);
    const answer = this.#ask(database, key).catch(() => undefined);
    this.#said.set(name, { until: now + KEEP_MS, answer });
    return answer;
  }
}

function fieldsOf(file: string): string[][] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

function toAccount(line: string): Account | undefined {
  const [name, , uid, gid] = line.trim().split(":");
  if (!name || !/^\d+$/.test(uid ?? "") || !/^\d+$/.test(gid ?? "")) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}

/** The first line that getent(1) prints. */
async function getent(database: string, key: string): Promise<string | undefined> {
  if (key === "" || key.startsWith("-") || key.includes("\0")) return undefined;
  const asked = Bun.spawn(["getent", database, key], {
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const timer = setTimeout(() => asked.kill("SIGKILL"), PATIENCE_MS);
  try {
    const said = await new Response(asked.stdout).text();
    return (await asked.exited) === 0 ? said.split("\n")[0] : undefined;
  } finally {
    clearTimeout(timer);
  }
}
