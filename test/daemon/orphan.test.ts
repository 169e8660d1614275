import { expect, test } from "bun:test";
import { join } from "node:path";

const main = join(import.meta.dir, "../../src/main.ts");

test.each(["manager", "executor"])(
  "a %s whose ring has died before it could begin does not begin",
  async (mode) => {
    const words = ["internal", mode, "--config", "/nowhere/hactl.toml"];
    const run = async (...more: string[]) => {
      const child = Bun.spawn([process.execPath, main, ...words, ...more], {
        stdout: "ignore",
        stderr: "pipe",
      });
      return { exit: await child.exited, said: await new Response(child.stderr).text() };
    };
    // The pid of somebody else, as that of a ring that is gone.
    expect(await run("--parent", "1")).toEqual({ exit: 0, said: "" });
    const { exit, said } = await run("--parent", String(process.pid));
    expect(exit).toBe(6);
    expect(said).toContain("/nowhere/hactl.toml");
  },
);
