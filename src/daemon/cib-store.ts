import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { type CibVersion, parseXml, versionOf, type XmlElement } from "../cib/index.ts";
import { type DurableFiles, type Log, machineFiles } from "../platform/index.ts";

/** Largest configuration that is read. */
const maxBytes = 256 * 1024 * 1024;
/** Versions that are kept beside the newest. */
const keptVersions = 20;

/** What was found on the disk at the start. */
export interface StoredCib {
  /** Undefined when every copy is damaged. */
  readonly cib: XmlElement | undefined;
  /**
   * Version of a copy that is older than one that was lost, and on which this configuration was built: what has come
   * since then is not newer than what another node may have. Undefined when nothing was lost.
   */
  readonly fallback: CibVersion | undefined;
  /** Something was lost at this very start. */
  readonly lost: boolean;
}

interface Copy {
  readonly cib: XmlElement;
  readonly fallback: CibVersion | undefined;
}

/**
 * The configuration on disk: `cib.xml` and the last versions as `cib-N.xml`, the newest of which is a second copy of it.
 * The last line of each holds its number and a digest; a file without that line was put there by somebody and is taken as
 * it is. A file that is torn or corrupted is set aside under a name that says so, and kept.
 */
export class CibStore {
  #writing: Promise<void> = Promise.resolve();
  #number: number;

  /** `files`: the disk; that of the machine unless said otherwise. */
  constructor(
    private readonly directory: string,
    private readonly log: Log,
    private readonly files: DurableFiles = machineFiles,
  ) {
    this.#number = Math.max(0, ...files.list(directory).map(numberIn));
  }

  /** The newest good configuration; undefined when there has never been one. */
  load(): StoredCib | undefined {
    const names = this.files.list(this.directory);
    for (const name of names) if (name.startsWith(temporary)) this.files.remove(join(this.directory, name));
    const numbers = names.flatMap((name) => /^cib-(\d+)\.xml$/.exec(name)?.[1] ?? []).map(Number);
    const candidates = ["cib.xml", ...numbers.sort((a, b) => b - a).map((n) => `cib-${n}.xml`)];
    // A copy that was set aside at an earlier start counts, too.
    let newest = this.#number;
    let damaged = 0;
    for (const name of candidates) {
      const found = this.#read(name);
      if (found === "absent") continue;
      // Its number is believed even of a damaged file: it can only make the other copies count for less.
      newest = Math.max(newest, found.number);
      if ("cib" in found) return this.#loaded(found, name, newest, damaged);
      damaged++;
    }
    if (damaged === 0) return undefined;
    this.log.critical(
      "CIB-LOST",
      "every copy of the configuration is damaged: this node begins with an empty one",
    );
    return { cib: undefined, fallback: [0, 0, 0], lost: true };
  }

  #loaded(
    found: Copy & { readonly number: number },
    name: string,
    newest: number,
    damaged: number,
  ): StoredCib {
    const { cib } = found;
    const older = name !== "cib.xml" && found.number < newest;
    if (!older) {
      if (damaged > 0)
        this.log.notice("CIB-COPY", `the configuration was taken from its second copy, ${name}`);
      return { cib, fallback: found.fallback, lost: false };
    }
    this.log.error(
      "CIB-OLDER",
      `the configuration was taken from ${name}, which is older than what was lost`,
    );
    const version = versionOf(cib);
    // Older than what an earlier loss has left.
    return { cib, fallback: found.fallback ?? version, lost: true };
  }

  /**
   * Writes a configuration; settles when it is on the disk and would be read at the next start. `fallback` is kept with
   * it.
   * @throws the system's error; the copies that are there are untouched then.
   */
  save(text: string, fallback?: CibVersion): Promise<void> {
    const write = () => this.#write(text, fallback);
    const done = this.#writing.then(write, write);
    this.#writing = done.catch(() => {});
    return done;
  }

  async #write(text: string, fallback: CibVersion | undefined): Promise<void> {
    const number = ++this.#number;
    const body = withTrailer(text, number, fallback);
    const at = (name: string) => join(this.directory, name);
    const targets = [at(`cib-${number}.xml`), at("cib.xml")];
    const drafts = targets.map(() => at(`${temporary}${randomBytes(6).toString("hex")}`));
    try {
      await Promise.all(drafts.map((draft) => this.files.write(draft, body, 0o600)));
      // Each name shows the old content or the new, whole, whatever the order in which they reach the disk.
      drafts.forEach((draft, index) => {
        this.files.rename(draft, targets[index] ?? draft);
      });
    } catch (error) {
      for (const draft of drafts) this.files.remove(draft);
      throw error;
    }
    await this.files.sync(this.directory);
    this.files.remove(at(`cib-${number - keptVersions}.xml`));
  }

  #setAside(path: string, why: string): void {
    const aside = `${path}.corrupt-${Date.now()}`;
    try {
      this.files.rename(path, aside);
      this.log.error("CIB-CORRUPT", `a configuration file is damaged and was set aside: ${why}`, {
        file: aside,
      });
    } catch (error) {
      this.log.error(
        "CIB-CORRUPT",
        `a configuration file is damaged: ${why}; it could not be set aside: ${error}`,
        {
          file: path,
        },
      );
    }
  }

  #read(name: string): (Copy & { readonly number: number }) | { readonly number: number } | "absent" {
    const path = join(this.directory, name);
    let why: string;
    let number = numberIn(name);
    try {
      const content = this.files.read(path, maxBytes);
      if (!content) return "absent";
      const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
      const trailer = readTrailer(text);
      number = trailer?.number ?? number;
      if (trailer && !trailer.intact) why = "its digest does not match";
      else {
        const cib = parseXml(text, path);
        if (cib.name === "cib") return { cib, number, fallback: trailer?.fallback };
        why = `it holds <${cib.name}>, not <cib>`;
      }
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    this.#setAside(path, why);
    return { number };
  }
}

/** A document whose versions are numbers, whatever somebody has written into the file. */
export function withNumbers(cib: XmlElement): XmlElement {
  const [adminEpoch, epoch, updates] = versionOf(cib);
  const numbers = { admin_epoch: adminEpoch, epoch, num_updates: updates };
  for (const [name, value] of Object.entries(numbers)) cib.attributes.set(name, String(value));
  return cib;
}

const temporary = ".cib-";

/** Number of a version by the name of its file, damaged ones too; 0 for other names. */
const numberIn = (name: string): number => Number(/^cib-(\d{1,15})\.xml/.exec(name)?.[1] ?? 0);

const trailerPattern =
  /\n<!-- hactl configuration (\d{1,15})(?: fallback=(\d{1,16})\.(\d{1,16})\.(\d{1,16}))? sha256=([0-9a-f]{64}) -->\s*$/;

/** The text with a last line that tells its number and that it is whole: an XML comment, which every reader skips. */
function withTrailer(text: string, number: number, fallback: CibVersion | undefined): string {
  const body = text.trimEnd();
  const words = `${number}${fallback ? ` fallback=${fallback.join(".")}` : ""}`;
  return `${body}\n<!-- hactl configuration ${words} sha256=${digestOf(body, words)} -->\n`;
}

function readTrailer(
  text: string,
):
  | { readonly number: number; readonly fallback: CibVersion | undefined; readonly intact: boolean }
  | undefined {
  const match = trailerPattern.exec(text.slice(-400));
  if (!match) return undefined;
  const [whole, number = "", adminEpoch, epoch, updates, digest] = match;
  const fallback: CibVersion | undefined =
    adminEpoch === undefined ? undefined : [Number(adminEpoch), Number(epoch), Number(updates)];
  const words = `${number}${fallback ? ` fallback=${adminEpoch}.${epoch}.${updates}` : ""}`;
  const body = text.slice(0, text.length - whole.length);
  return { number: Number(number), fallback, intact: digestOf(body, words) === digest };
}

const digestOf = (body: string, words: string): string =>
  createHash("sha256").update(`${words}\n`).update(body).digest("hex");
