import { expect, test } from "bun:test";
import { join } from "node:path";

/** A process that proves to its service manager that it is alive, ends its ring, and has nothing else to do. */
const program = `
import { RingMachine } from ${JSON.stringify(join(import.meta.dir, "../../src/daemon/ring-machine.ts"))};
import { openLog } from ${JSON.stringify(join(import.meta.dir, "../../src/platform/index.ts"))};
const nothing = () => {};
let signs = 0;
const service = {
  ready: nothing, status: nothing, reloading: nothing, stopping: nothing, close: nothing, aliveEveryMs: 2,
  alive() {
    if (++signs < 3) return;
    console.log("alive");
    machine.end(true);
  },
};
const machine = new RingMachine(openLog({ tag: "test", thresholds: {} }));
machine.arm({ watchdogDevice: undefined, watchdogTimeoutMs: 1000 }, service);
`;

test("a ring that has ended gives no sign of life any more, and its process ends", async () => {
  const child = Bun.spawn([process.execPath, "-e", program], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ stdout, stderr, code }).toEqual({ stdout: "alive\n", stderr: "", code: 0 });
});
