import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connectFrames, onUncaught, serveFrames } from "../../src/platform/index.ts";

/** A process that fails in the way that its first word names; the second says how it deals with it. */
const [how = "", manner] = process.argv.slice(2);

onUncaught({
  defect: (error) => {
    process.stderr.write(`said: ${error}\n`);
    if (manner === "speechless") throw new Error("cannot speak");
    return manner === "endless" ? new Promise<void>(() => {}) : undefined;
  },
  brokenPipe: () => (manner === "daemon" ? undefined : 74),
});

const fail = () => {
  throw new Error(`by ${how}`);
};

switch (how) {
  case "reject":
    void Promise.reject(new Error(`by ${how}`));
    break;
  case "microtask":
    queueMicrotask(fail);
    break;
  case "timer":
    setTimeout(fail, 1);
    break;
  case "frame": {
    const path = join(mkdtempSync(join(tmpdir(), "hactl-failing-")), "socket");
    process.on("exit", () => rmSync(dirname(path), { recursive: true, force: true }));
    serveFrames(path, { frame: fail });
    (await connectFrames(path, { frame: () => {} })).send(1, new Uint8Array());
    break;
  }
  case "broken-pipe":
    queueMicrotask(() => {
      throw Object.assign(new Error("EPIPE: broken pipe"), { code: "EPIPE" });
    });
    break;
  default:
    setTimeout(fail, 1);
}
setTimeout(() => {
  if (how !== "broken-pipe") process.stderr.write("still alive\n");
  process.exit(0);
}, 5_000).unref();
await Bun.sleep(how === "broken-pipe" ? 200 : 5_000);
