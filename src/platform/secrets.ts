import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isPlainFileName, syncContent, writeDurably } from "./files.ts";

/**
 * Values of resource parameters that are not in the CIB but in a file on each node: `lrm://` stands for them there. One
 * directory a resource, one file a parameter, and beside it the MD5 digest of the value (cibsecret(8)). Trailing white
 * space does not belong to a value.
 */
export class SecretStore {
  constructor(readonly directory: string) {}

  /** The value, or why there is none. */
  read(rsc: string, parameter: string): Secret {
    const file = this.#file(rsc, parameter);
    if (file === undefined) return { problem: `"${rsc}" and "${parameter}" cannot name a file` };
    const digest = readTrimmed(digestFile(file));
    // Where the power failed between the two, the new value is still beside its place.
    const values = [file, nextFile(file)].flatMap((path) => readTrimmed(path) ?? []);
    const value = values.find((found) => digestOf(found) === digest);
    if (value !== undefined) return { value };
    if (readTrimmed(file) === undefined) return { problem: `the secret ${file} is not on this node` };
    if (digest === undefined)
      return { problem: `${digestFile(file)} with the digest of the secret is missing` };
    return { problem: `the secret ${file} does not fit its digest` };
  }

  /**
   * Stores a value so that a crash leaves the old or the new one: the new one lies beside the old one when its digest, which
   * tells the two apart, takes its place. @throws the system's error
   */
  async write(rsc: string, parameter: string, value: string): Promise<void> {
    const file = this.#file(rsc, parameter);
    if (file === undefined) throw new Error(`"${rsc}" and "${parameter}" cannot name a file`);
    await makeDurable(join(this.directory, rsc));
    await writeDurably(nextFile(file), `${value}\n`);
    await writeDurably(digestFile(file), `${digestOf(value.trimEnd())}\n`);
    renameSync(nextFile(file), file);
    await syncContent(dirname(file));
  }

  /** Removes a value, and the resource's directory with the last one. */
  remove(rsc: string, parameter: string): void {
    const file = this.#file(rsc, parameter);
    if (file === undefined) return;
    for (const path of [file, digestFile(file), nextFile(file)]) rmSync(path, { force: true });
    const directory = join(this.directory, rsc);
    if (namesIn(directory)?.length === 0) rmdirSync(directory);
  }

  /** All that is stored: resource and parameter. */
  list(): (readonly [rsc: string, parameter: string])[] {
    return (namesIn(this.directory) ?? []).flatMap((rsc) =>
      (namesIn(join(this.directory, rsc)) ?? [])
        .filter((name) => !name.endsWith(".sign") && !name.startsWith("."))
        .map((parameter) => [rsc, parameter] as const),
    );
  }

  #file(rsc: string, parameter: string): string | undefined {
    return isPlainFileName(rsc) && isPlainFileName(parameter)
      ? join(this.directory, rsc, parameter)
      : undefined;
  }
}

/** A secret, or why it is not known. */
export type Secret =
  | { readonly value: string; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

const nextFile = (file: string) => join(dirname(file), `.${basename(file)}.next`);
const digestFile = (file: string) => `${file}.sign`;
const digestOf = (value: string) => createHash("md5").update(value).digest("hex");

/** Makes a directory with those above it that are missing; a new one is a name in the one above, which has to reach the disk, too. */
async function makeDurable(directory: string): Promise<void> {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made))
    await syncContent(dirname(made));
}

function readTrimmed(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}
