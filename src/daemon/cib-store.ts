import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { parseXml, type XmlElement } from "../cib/index.ts";
import { type Log, readWithDigest, writeWithDigest } from "../platform/index.ts";

/** Largest configuration that is read. */
const maxBytes = 256 * 1024 * 1024;
/** Versions that are kept beside the newest. */
const keptVersions = 20;

/**
 * The configuration on disk: `cib.xml` with a digest beside it, and the last versions as `cib-N.xml`. A file that is
 * torn or corrupted is set aside under a name that says so, and the newest good version is used.
 */
export class CibStore {
  #writing: Promise<void> = Promise.resolve();
  #next: string | undefined;
  #number: number;

  constructor(
    private readonly directory: string,
    private readonly log: Log,
  ) {
    const numbers = readdirSync(directory).flatMap((name) => /^cib-(\d+)\.xml$/.exec(name)?.[1] ?? []);
    this.#number = Math.max(0, ...numbers.map(Number));
  }

  /** The newest good configuration; undefined when there is none. */
  load(): XmlElement | undefined {
    const versions = Array.from({ length: keptVersions }, (_, back) => this.#number - back).filter(
      (n) => n > 0,
    );
    for (const name of ["cib.xml", ...versions.map((n) => `cib-${n}.xml`)]) {
      const found = this.#read(name);
      if (found === "absent") continue;
      if (found !== "bad") {
        if (name !== "cib.xml") this.log.warning("CIB-OLDER", `the configuration was taken from ${name}`);
        return found;
      }
    }
    return undefined;
  }

  /** Writes a configuration. Calls that come while one is being written are gathered into the last. */
  save(text: string): Promise<void> {
    this.#next = text;
    this.#writing = this.#writing.then(async () => {
      const content = this.#next;
      if (content === undefined) return;
      this.#next = undefined;
      await this.#write(content);
    });
    return this.#writing;
  }

  async #write(content: string): Promise<void> {
    try {
      await writeWithDigest(join(this.directory, `cib-${++this.#number}.xml`), content, { mode: 0o600 });
      await writeWithDigest(join(this.directory, "cib.xml"), content, { mode: 0o600 });
      const old = join(this.directory, `cib-${this.#number - keptVersions}.xml`);
      await Promise.all(
        [old, `${old}.sha256`].map((path) =>
          Bun.file(path)
            .delete()
            .catch(() => {}),
        ),
      );
    } catch (error) {
      this.log.critical("CIB-WRITE", `the configuration could not be written: ${error}`, {
        directory: this.directory,
      });
    }
  }

  #read(name: string): XmlElement | "absent" | "bad" {
    const path = join(this.directory, name);
    let why = "its digest does not match";
    try {
      const found = readWithDigest(path, maxBytes);
      if (!found) return "absent";
      if (found.intact !== false) {
        const root = parseXml(new TextDecoder().decode(found.content), path);
        if (root.name === "cib") return root;
        why = `it holds <${root.name}>, not <cib>`;
      }
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    const aside = `${path}.corrupt-${Date.now()}`;
    renameSync(path, aside);
    this.log.error("CIB-CORRUPT", `a configuration file is damaged and was set aside: ${why}`, {
      file: aside,
    });
    return "bad";
  }
}
