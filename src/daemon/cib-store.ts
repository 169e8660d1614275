import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { type CibVersion, parseXml, versionOf, type XmlElement } from "../cib/index.ts";
import { type Loss, MOST_LOST_FILES, readLosses } from "../controller/index.ts";
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
  /** What was lost at this very start. */
  readonly lost: Omit<Loss, "node"> | undefined;
  /** What was lost before, here or elsewhere, as it was kept with this configuration. */
  readonly losses: readonly Loss[];
}

/** What a configuration is kept with: where something newer was lost, what that was and what it was built on. */
export interface Origin {
  readonly fallback: CibVersion | undefined;
  readonly losses: readonly Loss[];
}

const knownOrigin: Origin = { fallback: undefined, losses: [] };

interface Copy extends Origin {
  readonly cib: XmlElement;
  readonly number: number;
}

/** A file that cannot be read; its number and version are told by what can be read of it. */
interface Damaged {
  readonly number: number;
  readonly version: CibVersion | undefined;
  /** Where it is kept. */
  readonly file: string;
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
    const damaged: Damaged[] = [];
    for (const name of candidates) {
      const found = this.#read(name);
      if (found === "absent") continue;
      // Its number is believed even of a damaged file: it can only make the other copies count for less.
      newest = Math.max(newest, found.number);
      if ("cib" in found) return this.#loaded(found, name, newest, damaged);
      damaged.push(found);
    }
    if (damaged.length === 0) return undefined;
    this.log.critical(
      "CIB-LOST",
      "every copy of the configuration is damaged: this node begins with an empty one",
    );
    const none: CibVersion = [0, 0, 0];
    return { cib: undefined, fallback: none, lost: lossOf(damaged, none), losses: [] };
  }

  #loaded(found: Copy, name: string, newest: number, damaged: readonly Damaged[]): StoredCib {
    const { cib, losses } = found;
    const older = name !== "cib.xml" && found.number < newest;
    if (!older) {
      if (damaged.length > 0)
        this.log.notice("CIB-COPY", `the configuration was taken from its second copy, ${name}`);
      return { cib, fallback: found.fallback, lost: undefined, losses };
    }
    this.log.error(
      "CIB-OLDER",
      `the configuration was taken from ${name}, which is older than what was lost`,
    );
    const version = versionOf(cib);
    // Older than what an earlier loss has left.
    return { cib, fallback: found.fallback ?? version, lost: lossOf(damaged, version), losses };
  }

  /**
   * Writes a configuration; settles when it is on the disk and would be read at the next start. `origin` is kept
   * with it.
   * @throws the system's error; the copies that are there are untouched then.
   */
  save(text: string, origin: Origin = knownOrigin): Promise<void> {
    const write = () => this.#write(text, origin);
    const done = this.#writing.then(write, write);
    this.#writing = done.catch(() => {});
    return done;
  }

  async #write(text: string, origin: Origin): Promise<void> {
    const number = ++this.#number;
    const body = withTrailer(text, number, origin);
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

  /** Returns where it is from now on. */
  #setAside(path: string, why: string): string {
    const aside = `${path}.corrupt-${Date.now()}`;
    try {
      this.files.rename(path, aside);
      this.log.error("CIB-CORRUPT", `a configuration file is damaged and was set aside: ${why}`, {
        file: aside,
      });
      return aside;
    } catch (error) {
      this.log.error(
        "CIB-CORRUPT",
        `a configuration file is damaged: ${why}; it could not be set aside: ${error}`,
        {
          file: path,
        },
      );
      return path;
    }
  }

  #read(name: string): Copy | Damaged | "absent" {
    const path = join(this.directory, name);
    let why: string;
    let number = numberIn(name);
    let version: CibVersion | undefined;
    try {
      const content = this.files.read(path, maxBytes);
      if (!content) return "absent";
      const trailer = readTrailer(content);
      number = trailer?.number ?? number;
      version = trailer?.version ?? versionAtHead(new TextDecoder().decode(content.subarray(0, 4096)));
      const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
      if (trailer && !trailer.intact(text)) why = "its digest does not match";
      else {
        const cib = parseXml(text, path);
        if (cib.name === "cib") return { cib, number, ...(trailer?.origin() ?? knownOrigin) };
        why = `it holds <${cib.name}>, not <cib>`;
      }
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    return { number, version, file: this.#setAside(path, why) };
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

const three = String.raw`(\d{1,16}\.\d{1,16}\.\d{1,16})`;
const trailerPattern = new RegExp(
  String.raw`\n<!-- hactl configuration ((\d{1,15})(?: version=${three})?(?: fallback=${three})?` +
    String.raw`(?: losses=([A-Za-z0-9+/=]+))?) sha256=([0-9a-f]{64}) -->\s*$`,
);
/** More than the longest last line. */
const longestTrailer = 2 * 1024 * 1024;

/** The text with a last line that tells its number and that it is whole: an XML comment, which every reader skips. */
function withTrailer(text: string, number: number, { fallback, losses }: Origin): string {
  const body = text.trimEnd();
  const version = versionAtHead(body);
  const words = [
    String(number),
    // A second time, for whoever finds the document damaged.
    ...(version ? [`version=${version.join(".")}`] : []),
    ...(fallback ? [`fallback=${fallback.join(".")}`] : []),
    // A comment holds no two hyphens; base64 has none.
    ...(losses.length > 0 ? [`losses=${Buffer.from(JSON.stringify(losses)).toString("base64")}`] : []),
  ].join(" ");
  return `${body}\n<!-- hactl configuration ${words} sha256=${digestOf(body, words)} -->\n`;
}

/** What the last line says; nothing of it is certain before the digest was compared. */
function readTrailer(content: Uint8Array) {
  const match = trailerPattern.exec(new TextDecoder().decode(content.subarray(-longestTrailer)));
  if (!match) return undefined;
  const [{ length }, words = "", number, version, fallback, losses, digest] = match;
  return {
    number: Number(number),
    version: versionIn(version),
    intact: (text: string) => digestOf(text.slice(0, text.length - length), words) === digest,
    origin: (): Origin => ({
      fallback: versionIn(fallback),
      losses:
        losses === undefined
          ? []
          : readLosses(JSON.parse(Buffer.from(losses, "base64").toString("utf8")), "losses"),
    }),
  };
}

function versionIn(text: string | undefined): CibVersion | undefined {
  const [adminEpoch, epoch, updates] = (text?.split(".") ?? []).map(Number);
  if (adminEpoch === undefined || epoch === undefined || updates === undefined) return undefined;
  return [adminEpoch, epoch, updates];
}

/** Version of a document that may be damaged, by its first element. */
function versionAtHead(text: string): CibVersion | undefined {
  const head = /<cib\b[^<>]*>/.exec(text.slice(0, 4096))?.[0];
  const part = (name: string) => head && new RegExp(`\\s${name}="(\\d{1,16})"`).exec(head)?.[1];
  const [adminEpoch, epoch, updates] = ["admin_epoch", "epoch", "num_updates"].map(part);
  if (!epoch) return undefined;
  return [Number(adminEpoch ?? 0), Number(epoch), Number(updates ?? 0)];
}

function lossOf(damaged: readonly Damaged[], instead: CibVersion): Omit<Loss, "node"> {
  const version = damaged.find((file) => file.version)?.version;
  const files = damaged.slice(0, MOST_LOST_FILES).map(({ file }) => file);
  return { ...(version && { version }), instead, files };
}

const digestOf = (body: string, words: string): string =>
  createHash("sha256").update(`${words}\n`).update(body).digest("hex");
