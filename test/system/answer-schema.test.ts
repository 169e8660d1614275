/**
 * Whether the schemas that Debian's pacemaker-cli-utils brings allow what tools answer as XML, for every tool and every
 * thing that it says. Answers with elements that came later name a later version: test/cli/answers.test.ts knows what is
 * in them.
 * Needs: apt-get install --no-install-recommends pacemaker-cli-utils libxml2-utils
 */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wantedApi } from "../../src/cli/answer/index.ts";
import { answerCases } from "../cli/answer-cases.ts";
import { RehearsalStage } from "../cli/rehearsal.ts";

setDefaultTimeout(120_000);

const schema = "/usr/share/pacemaker/api/api-result.rng";
const directory = mkdtempSync(join(tmpdir(), "hactl-answer-schema-"));
const stage = new RehearsalStage();
afterAll(() => {
  stage.stop();
  rmSync(directory, { recursive: true });
});

const wordsOf = (text: string) =>
  text
    .split(" ")
    .map((word) =>
      word.replaceAll("\u00a0", " ").replace("FILE", stage.file).replace("DIR", stage.directory),
    );

/** Which version first had what is said, where it came later, by the tool or the option that says it. */
const later: Readonly<Record<string, string>> = {
  "--list-options": "2.36",
  cibadmin: "2.41",
  crm_diff: "2.39",
  crm_node: "2.32",
  crm_shadow: "2.30",
  crm_ticket: "2.35",
  iso8601: "2.38",
};

test("the installed schemas allow every document whose version they have", async () => {
  const installed = wantedApi({});
  const names: string[] = [];
  for (const [at, { words, target }] of answerCases.entries()) {
    const { out } = await stage.run([...wordsOf(words), "--output-as=xml"], target);
    const [, version = "", said = ""] =
      /^<pacemaker-result api-version="([\d.]+)"[^>]*>\n([\s\S]*?) {2}<status /.exec(out) ?? [];
    const since = Object.entries(later).find(([part]) => words.includes(part))?.[1];
    // An error alone is as old as the schemas.
    expect(version, words).toBe(
      said === "" || since === undefined || installed.atLeast(since) ? installed.text : since,
    );
    if (version !== installed.text) continue;
    const name = `${at}.xml`;
    writeFileSync(join(directory, name), out);
    names.push(name);
  }
  const { stderr } = Bun.spawnSync(["xmllint", "--noout", "--relaxng", schema, ...names], { cwd: directory });
  const refused = names.filter((name) => !stderr.toString().includes(`${name} validates`));
  expect(refused.map((name) => answerCases[Number.parseInt(name, 10)]?.words)).toEqual([]);
  expect(names.length).toBeGreaterThan(50);
});
