import type { Mutation } from "../harness/mutate.ts";

const files = "platform/files.ts";
const keeper = "daemon/cib-keeper.ts";
const keys = "daemon/ring-key-files.ts";
const history = "daemon/event-history.ts";

/** What a power failure has to find. */
export const mutations: readonly Mutation[] = [
  {
    name: "the content of a configuration does not wait for the disk",
    file: files,
    before: "await file.writeFile(content);\n      await file.sync();",
    after: "await file.writeFile(content);",
  },
  {
    name: "the names of configurations do not wait for the disk",
    file: "daemon/cib-store.ts",
    before: "await this.files.sync(this.directory);",
    after: "",
  },
  {
    name: "a change is acknowledged when its write has begun",
    file: keeper,
    before: "await this.save(text, origin);",
    after: "void this.save(text, origin);",
  },
  {
    name: "a change is acknowledged before it is written",
    file: keeper,
    before: "return this.#next ?? this.#current;",
    after: "return Promise.resolve();",
  },
  {
    name: "the content of a file does not wait for the disk",
    file: files,
    before: "?? gid);\n      }\n      await file.sync();",
    after: "?? gid);\n      }",
  },
  {
    name: "the name of a file does not wait for the disk",
    file: files,
    before: "  await syncContent(dirname(path));\n}",
    after: "}",
  },
  {
    name: "a file is written in its place",
    file: files,
    before: "    await rename(temporary, path);",
    after: "    await Bun.write(path, content); await unlink(temporary);",
  },
  {
    name: "a new secret does not wait for the disk",
    file: files,
    before: "writeSync(file, secret);\n    fsyncSync(file);",
    after: "writeSync(file, secret);",
  },
  {
    name: "a file that was removed may come back",
    file: files,
    before: "rmSync(path, { force: true });\n  syncDirectory(dirname(path));",
    after: "rmSync(path, { force: true });",
  },
  {
    name: "the digest of a secret is written before its value",
    file: "platform/secrets.ts",
    before:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
      "await writeDurably(nextFile(file), `${value}\\n`);\n    await writeDurably(digestFile(file), `${digestOf(value.trimEnd())}\\n`);",
    after:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
      "await writeDurably(digestFile(file), `${digestOf(value.trimEnd())}\\n`);\n    await writeDurably(nextFile(file), `${value}\\n`);",
  },
  {
    name: "a key is adopted without waiting for its file",
    file: keys,
    before: "await writeDurably(this.path, key, secret);",
    after: "void writeDurably(this.path, key, secret);",
  },
  {
    name: "the key that waits is removed before it is in place",
    file: keys,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
    before: "await writeDurably(`${this.path}.old`, before, secret);",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source
    after: "await writeDurably(`${this.path}.old`, before, secret); removeFile(this.#next);",
  },
  {
    name: "the history does not wait for the disk",
    file: history,
    before: "      this.#sync();",
    after: "",
  },
  {
    name: "what another boot has left is believed",
    file: "executor/recall.ts",
    before: "if (!state || state.bootId !== bootId) return nothing(rebooted);",
    after: "if (!state || state.bootId !== bootId) return nothing(true);",
  },
];
