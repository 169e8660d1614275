import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  checkConfig,
  configManual,
  configTables,
  explainOption,
  parseConfig,
  referencePage,
  roff,
  sampleFile,
  thisMachine,
} from "../../src/config/index.ts";

const root = join(import.meta.dir, "../..");

describe("the documents made from the option tables", () => {
  test("conf/hactl.toml is current (make docs)", () => {
    expect(readFileSync(join(root, "conf/hactl.toml"), "utf8")).toBe(sampleFile());
  });

  test("docs/configuration.md is current (make docs)", () => {
    expect(readFileSync(join(root, "docs/configuration.md"), "utf8")).toBe(referencePage());
  });

  test("the sample is correct as it is", () => {
    const { config, problems } = checkConfig(sampleFile(), "f", { purpose: "text", machine: thisMachine() });
    expect(problems).toEqual([]);
    expect(config?.nodes.map((node) => node.name as string)).toEqual(["vm01", "vm02"]);
    expect(config?.totem.effective.tokenMs).toBe(1000);
  });

  test("every line that the sample offers is accepted", () => {
    // What stands behind "# " and looks like an option, and headings of tables that the sample leaves out.
    const text = sampleFile().replace(/^# ((?:\w+ = .*|\[\[[\w.]+\]\]))$/gm, "$1");
    const errors = parseConfig(text).problems;
    expect(errors).toEqual([]);
  });

  test("every option is in both", () => {
    for (const table of configTables) {
      for (const option of table.options) {
        expect(referencePage()).toContain(`\`${option.name}\``);
        if (option.unused === undefined)
          expect(sampleFile()).toMatch(new RegExp(`^(# )?${option.name} = `, "m"));
        expect(explainOption(`${table.path}.${option.name}`)).toHaveLength(1);
      }
    }
  });
});

describe("hactl.toml(5)", () => {
  test("has every option, and no text that the formatter would take for a request", () => {
    const page = configManual("1.2.3");
    for (const table of configTables) {
      for (const option of table.options) expect(page).toContain(roff(option.name));
    }
    const requests = page
      .split("\n")
      .filter((line) => /^[.']/.test(line) && !/^\.(?:TH|SH|PP|TP|B|BR|I|br)\b/.test(line));
    expect(requests).toEqual([]);
    expect(roff(".so /etc/passwd\n'x a-b\\c")).toBe("\\&.so /etc/passwd\n\\&'x a\\-b\\ec");
  });
});

describe("the option tables", () => {
  test("have each name once, defaults that are accepted, and one line of description", () => {
    const problems: string[] = [];
    for (const table of configTables) {
      const names = table.options.flatMap((option) => [option.name, ...(option.aliases ?? [])]);
      if (new Set(names).size !== names.length) problems.push(`${table.path}: a name twice`);
      const text = table.repeated ? `[[${table.path}]]\n` : "";
      const values = parseConfig(text).tables.find((loaded) => loaded.table === table)?.values;
      expect(values).toBeDefined();
      for (const option of table.options) {
        if (option.default !== undefined && values?.[option.name] === undefined)
          problems.push(`${option.name}: default`);
        if (/[.\n]$/.test(option.description) || option.description === "")
          problems.push(`${option.name}: description`);
        if (option.type === "enum" && !option.values?.length) problems.push(`${option.name}: no values`);
      }
    }
    expect(problems).toEqual([]);
  });
});
