import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hactl } from "./run.ts";

test("what is saved in a directory that is not there is refused, and none is made", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hactl-save-"));
  const cib = join(directory, "cib.xml");
  writeFileSync(
    cib,
    `<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes/>
<resources/><constraints/></configuration><status/></cib>`,
  );
  const nowhere = join(directory, "none", "x");
  for (const words of [
    ["crm_simulate", "-x", cib, "-S", "-I"],
    ["crm_simulate", "-x", cib, "-S", "-O"],
    ["crm_simulate", "-x", cib, "-S", "-G"],
    ["crm_simulate", "-x", cib, "-S", "-D"],
    ["crm_verify", "-x", cib, "-S"],
  ]) {
    const refused = await hactl([...words, nowhere]);
    expect(refused, words.join(" ")).toMatchObject({ code: 105 });
    expect(refused.err).toContain(`Could not create '${nowhere}': No such file or directory`);
    expect(existsSync(join(directory, "none"))).toBe(false);
    expect((await hactl([...words, join(directory, "x")])).err).not.toContain("Could not create");
    expect(readFileSync(join(directory, "x"), "utf8").length).toBeGreaterThan(10);
    rmSync(join(directory, "x"));
  }
  rmSync(directory, { recursive: true });
});
