/*
 * Cuts the power again and again: right after an acknowledgement, or in the middle of a write. `run.ts [--runs N] [--seed S] [--only KIND]`, as root; of one kind of
 * file most cuts fall into the middle of writes. Prints `seed S: …` and ends with 1 when something that was acknowledged is lost.
 */
import { mkdtempSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { option } from "../harness/mutate.ts";
import { run } from "../harness/network.ts";
import { Random } from "../sim/random.ts";
import { CuttableDisk, ensureOwnMounts, freeze } from "./disk.ts";
import { kinds as all } from "./targets.ts";

const args = process.argv.slice(2);
const runs = Number(option(args, "--runs", "1000"));
const seed = Number(option(args, "--seed", "1"));
const only = option(args, "--only", "");
const kinds = all.filter(({ name }) => only === "" || name === only);
if (kinds.length === 0) throw new Error(`there is no kind ${only}`);
ensureOwnMounts();

const random = new Random(seed);
const memory = mkdtempSync(join(tmpdir(), "hactl-power-"));
run("mount", "-t", "tmpfs", "tmpfs", memory);
const disk = new CuttableDisk(join(memory, "platters"), join(memory, "disk"));
const told = new Map(kinds.map(({ name }) => [name, 0]));
const begun = new Map(kinds.map(({ name }) => [name, 0]));
let asked = 0;
let middle = 0;

/** A process that writes on the disk; what it says is an acknowledgement. */
class Writer {
  readonly #child = Bun.spawn([process.execPath, join(import.meta.dir, "writer.ts"), disk.path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  readonly #reader = this.#child.stdout.getReader();
  #text = "";

  get pid(): number {
    return this.#child.pid;
  }

  ask(kind: string, n: number): void {
    begun.set(kind, n);
    asked++;
    this.#child.stdin.write(`${kind} ${n}\n`);
    this.#child.stdin.flush();
  }

  /** The next line; takes note of what it acknowledges. */
  async line(): Promise<string> {
    while (!this.#text.includes("\n")) {
      const { value } = await this.#reader.read();
      if (!value) throw new Error("the writer has ended");
      this.#text += new TextDecoder().decode(value);
    }
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    const [kind = "", n] = line.split(" ");
    if (n !== undefined) told.set(kind, Number(n));
    return line;
  }

  async die(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** The kernel has written something by itself: any file, or all. */
function writeBack(): void {
  if (random.chance(0.3)) run("sync", "-f", disk.path);
  const files = readdirSync(disk.path).filter((name) => name !== "lost+found");
  if (files.length > 0) run("sync", "-d", join(disk.path, random.pick(files)));
}

/** Looks for what was acknowledged in a copy of the disk. */
function faults(copy: string): string[] {
  return disk.look(copy, (path) =>
    kinds.flatMap((kind) => {
      const scratch = mkdtempSync(join(memory, "scratch-"));
      const fault = kind.fault(path, told.get(kind.name) ?? 0, begun.get(kind.name) ?? 0, scratch);
      rmSync(scratch, { recursive: true });
      return fault === undefined ? [] : [`${kind.name}: ${fault}`];
    }),
  );
}

let writer = new Writer();

async function hunt(): Promise<string[]> {
  await writer.line();
  for (let cut = 1; cut <= runs; cut++) {
    for (let more = random.between(0, 3); more > 0; more--) {
      const { name } = random.pick(kinds);
      writer.ask(name, (told.get(name) ?? 0) + 1);
      await writer.line();
    }
    const { name } = random.pick(kinds);
    writer.ask(name, (told.get(name) ?? 0) + 1);
    const inTheMiddle = random.chance(only === "" ? 0.3 : 0.9);
    if (inTheMiddle) {
      middle++;
      Bun.sleepSync(random.between(0, 4000) / 1000);
    } else await writer.line();
    freeze(writer.pid);
    if (random.chance(0.2)) writeBack();
    const copy = disk.cut();
    const again = random.chance(0.05) ? disk.cut() : undefined;
    const found = faults(copy);
    if (found.length > 0) return found.map((fault) => `cut ${cut}: ${fault}`);
    if (again === undefined) {
      process.kill(writer.pid, "SIGCONT");
      if (inTheMiddle) await writer.line();
    } else {
      // The machine starts again from it: what was under way is there or not.
      await writer.die();
      disk.restart(again);
      settle();
      writer = new Writer();
      await writer.line();
    }
  }
  return [];
}

/** After a restart the writer goes on with what is there; what is there in part only is begun again. */
function settle(): void {
  for (const kind of kinds) {
    const last = begun.get(kind.name) ?? 0;
    const scratch = mkdtempSync(join(memory, "scratch-"));
    if (kind.fault(disk.path, last, last, scratch) === undefined) told.set(kind.name, last);
    rmSync(scratch, { recursive: true });
  }
}

const found = await hunt().catch((error: Error) => [error.message]);
// Found or not: it may be stopped, and would hold the disk for good.
await writer.die();
for (const fault of found) console.log(`seed ${seed}: ${fault}`);
console.log(
  `${runs} power failures, ${middle} in the middle of a write; ${asked} writes of ${kinds.length} kinds; ${found.length} lost`,
);
disk.close();
run("umount", "--lazy", memory);
rmdirSync(memory);
process.exit(found.length === 0 ? 0 : 1);
