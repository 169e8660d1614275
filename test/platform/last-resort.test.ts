import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { hactl, main } from "../cli/run.ts";

const failing = join(import.meta.dir, "failing-process.ts");

async function run(...words: readonly string[]): Promise<{ readonly code: number; readonly err: string }> {
  const child = Bun.spawn([process.execPath, failing, ...words], { stdout: "ignore", stderr: "pipe" });
  const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
  return { code, err };
}

describe("an error that nobody has caught", () => {
  test.each(["throw", "reject", "microtask", "timer", "frame"])(
    "by %s: is said once, and the process ends with 70",
    async (how) => {
      const { code, err } = await run(how);
      expect({ code, said: err.match(/said: .*/g) }).toEqual({ code: 70, said: [`said: Error: by ${how}`] });
      expect(err).not.toContain("still alive");
    },
  );

  test("also where saying it fails or takes for ever", async () => {
    expect((await run("throw", "speechless")).code).toBe(70);
    expect((await run("throw", "endless")).code).toBe(70);
  });

  test("a reader that is gone ends a command and not a daemon", async () => {
    const daemon = await run("broken-pipe", "daemon");
    expect(daemon).toEqual({ code: 0, err: "" });
    expect(await run("broken-pipe")).toEqual({ code: 74, err: "" });
  });
});

describe("what the system refuses", () => {
  test("is no defect: a full disk below the output, a directory that is not there", async () => {
    const full = Bun.spawn(
      ["sh", "-c", 'exec "$0" "$@" >/dev/full', process.execPath, main, "crm_error", "0"],
      {
        stdout: "ignore",
        stderr: "pipe",
      },
    );
    const [err, code] = await Promise.all([full.stderr.text(), full.exited]);
    expect(code).toBe(74);
    expect(err).toContain("No space left on the disk: the output could not be written");
    const missing = await hactl(["corosync-keygen", "-k", "/nonexistent/authkey"]);
    expect(missing.code).toBe(66);
    expect(missing.err).toContain("No such file: /nonexistent/authkey");
  });
});

describe("a command that fails by a defect", () => {
  const broken = (debug: string) =>
    hactl(["crm_error", "0"], {
      BUN_OPTIONS: `--preload ${join(import.meta.dir, "broken-maps.ts")}`,
      HACTL_DEBUG: debug,
    });

  test("says one line and ends with 70; where it came from is for who asks", async () => {
    const { code, err } = await broken("");
    expect(code).toBe(70);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain("a defect of hactl: TypeError: broken on purpose");
    const loud = await broken("1");
    expect(loud.code).toBe(70);
    expect(loud.err).toContain("broken-maps.ts");
  });

  test("the program is there at all", async () => {
    expect(main).toEndWith("main.ts");
    expect((await hactl(["crm_error", "0"])).code).toBe(0);
  });
});
