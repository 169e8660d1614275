/**
 * Our reading and printing of crm shell text beside the crm shell's own, on CIB files of their own.
 * Needs: apt-get install --no-install-recommends crmsh pacemaker-cli-utils
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  cibOf,
  formatCrm,
  formatXml,
  loadCrm,
  parseXml,
  upgradeCib,
  type XmlElement,
} from "../../src/cib/index.ts";
import { comparable } from "./crm/comparable.ts";

const directory = mkdtempSync(join(tmpdir(), "hactl-crmsh-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "cib.xml");
const empty =
  '<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>';

function crm(...args: string[]): string {
  const env = { ...process.env, HOME: directory, CIB_file: file, TERM: "dumb" };
  const { stdout } = Bun.spawnSync(["crm", "-F", ...args], { env });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  return stdout.toString().replace(/\u001b\[[0-9;]*m/g, "");
}

/** What the crm shell makes of a text: the configuration as it writes it. */
function crmLoad(text: string): XmlElement {
  writeFileSync(file, empty);
  const source = join(directory, "input.crm");
  writeFileSync(source, text);
  crm("configure", "load", "update", source);
  return parseXml(readFileSync(file, "utf8"));
}

const examples = join(import.meta.dir, "../../../shared/examples");
const texts = new Map([
  ...readdirSync(examples)
    .filter((name) => name.endsWith(".crm"))
    .map((name) => [name, readFileSync(join(examples, name), "utf8")] as const),
  ["crmsh.crm", readFileSync(join(import.meta.dir, "crmsh.crm"), "utf8")],
]);

describe.each([...texts])("%s", (_name, text) => {
  const ours = loadCrm(text, undefined, "update");

  test("gives the same configuration as in the crm shell", () => {
    expect(comparable(cibOf(ours))).toEqual(comparable(crmLoad(text)));
  }, 60_000);

  test("printed by us, the crm shell reads the same configuration again", () => {
    // Text has objects sorted and leaves out ids that nothing refers to, so the text is what is compared.
    const printed = formatCrm(ours);
    expect(formatCrm(upgradeCib(crmLoad(printed)).root)).toBe(printed);
  }, 60_000);

  test("is shown by the crm shell as we print it", () => {
    writeFileSync(file, formatXml(cibOf(ours)));
    const shown = crm("configure", "show").trimEnd().split("\n");
    const printed = formatCrm(ours)
      // The crm shell hides secrets, and leaves out what a reference needs and what is the default type.
      .replace(/passwd=\S+/g, 'passwd="******"')
      .replace("$p0-state:state", "state")
      .replace("string:eq", "eq");
    expect(printed.trimEnd().split("\n")).toEqual(shown);
  }, 60_000);
});
