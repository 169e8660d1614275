/**
 * What crm_resource answers to questions, as text and as XML, and what crm_simulate answers as XML, beside the real ones
 * of Debian's pacemaker-cli-utils (2.1.5), for random clusters; and that the schemas allow what stonith_admin answers.
 * Needs no root.
 * Needs: apt-get install --no-install-recommends pacemaker-cli-utils libxml2-utils
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml } from "../../src/cib/index.ts";
import { RehearsalStage, runHere } from "../cli/rehearsal.ts";
import { compareSeed } from "../scheduler/differential.ts";
import { randomCluster } from "../scheduler/random-cluster.ts";

setDefaultTimeout(300_000);

const directory = mkdtempSync(join(tmpdir(), "hactl-answers-"));
afterAll(() => rmSync(directory, { recursive: true }));

interface Sample {
  readonly file: string;
  readonly seed: number;
  readonly nodes: readonly string[];
  readonly resources: readonly string[];
}

const samples: readonly Sample[] = Array.from({ length: 16 }, (_, at) => 500_000 + at)
  .filter((seed) => compareSeed(seed, false) === "same")
  .slice(0, 8)
  .map((seed) => {
    const text = formatXml(randomCluster(seed));
    const file = join(directory, `${seed}.xml`);
    writeFileSync(file, text);
    const names = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
    const nodes = names(/<node [^>]*uname="([^"]+)"/g);
    return {
      file,
      seed,
      nodes,
      resources: names(/<(?:primitive|group|clone|bundle) id="([^"]+)"/g).slice(0, 4),
    };
  });

interface Said {
  readonly out: string;
  readonly code: number;
}

function theirs(words: readonly string[], file: string): Said {
  const { stdout, exitCode } = Bun.spawnSync([...words], {
    env: { ...process.env, LC_ALL: "C", TZ: "UTC", CIB_file: file },
  });
  return { out: stdout.toString(), code: exitCode };
}

/**
 * What means the same in both. 3.x has other words for how operations ended, tells what `--why` found as a list, says
 * "maintenance" for what is unmanaged by it (behind "disabled"), shows fail counts as INFINITY, and knows roles by their
 * new names only. A time that was not recorded is 0 here.
 */
const normalised = (text: string): string =>
  text
    .replace(/ request="[^"]*"/, "")
    .replaceAll(/\): Done$/gm, "): complete")
    .replaceAll(' status="Done"', ' status="complete"')
    .replaceAll("Timed out", "Timed Out")
    .replaceAll(/^ {2}\* (?=Configuration |')/gm, "")
    .replaceAll(/\bmaintenance\)/g, "unmanaged)")
    .replaceAll('="1000000"', '="INFINITY"')
    .replaceAll("unmanaged, disabled)", "disabled, unmanaged)")
    .replaceAll(/(role(?::|="))Slave\b/g, "$1Unpromoted")
    .replaceAll(/(role(?::|="))Master\b/g, "$1Promoted")
    .replaceAll("exec=(null)ms", "exec=0ms")
    .replaceAll(' exec-time="0"', "")
    // The real one counts members of a group that it then does not show.
    .replaceAll(/(<group [^>]*) number_resources="\d+"/g, "$1")
    // A mark of its own that the real one leaves in the copy of a clone's member.
    .replaceAll(/(<(?:primitive|group) [^>]*) clone="0"/g, "$1");

async function compare(words: readonly string[], { file, seed }: Sample): Promise<string> {
  const real = theirs(words, file);
  const { out, code } = await runHere(words, { CIB_file: file, TZ: "UTC", LC_ALL: "C" });
  expect(normalised(out), `seed ${seed} ${words.join(" ")}`).toBe(normalised(real.out));
  expect(code, `seed ${seed} ${words.join(" ")}`).toBe(real.code);
  return out;
}

/** Documents that Pacemaker's schemas of tools' answers do not allow. */
function invalid(documents: readonly string[]): string[] {
  const schema = "/usr/share/pacemaker/api/api-result.rng";
  const names = documents.map((text, at) => {
    const name = `answer-${at}.xml`;
    writeFileSync(join(directory, name), text);
    return name;
  });
  const { stderr } = Bun.spawnSync(["xmllint", "--noout", "--relaxng", schema, ...names], { cwd: directory });
  const said = stderr.toString();
  return documents.filter((_, at) => !said.includes(`answer-${at}.xml validates`));
}

type Question = (sample: Sample) => readonly (readonly string[])[];
const ofEach =
  (...options: readonly string[]): Question =>
  ({ resources }) =>
    resources.map((id) => [...options, "-r", id]);

const questions: Readonly<Record<string, Question>> = {
  "all resources": () => [["-L"], ["-l"]],
  "their operations": ({ nodes }) => [["-O"], ["-o"], ["-O", "-N", nodes[0] ?? ""]],
  "why they run or not": ({ nodes }) => [["-Y"], ["-Y", "-N", nodes[0] ?? ""]],
  "why one runs or not": ofEach("-Y"),
  "where one runs": ofEach("-W"),
  "what is configured": ofEach("-q"),
  "its constraints": ofEach("-a"),
  "its constraints and theirs": ofEach("-A"),
};

describe.each(["text", "xml"])("crm_resource as %s tells", (format) => {
  test.each(Object.entries(questions))("%s", async (_, question) => {
    const documents: string[] = [];
    for (const sample of samples)
      for (const words of question(sample))
        documents.push(await compare(["crm_resource", ...words, `--output-as=${format}`], sample));
    expect(documents.length).toBeGreaterThan(4);
    expect(format === "xml" ? invalid(documents) : []).toEqual([]);
  });
});

/** Ways to rehearse, and whether the real one can be compared. */
const rehearsals: Readonly<Record<string, readonly [words: readonly string[], same: boolean]>> = {
  "the state": [[], true],
  "the decision": [["-R"], true],
  // By the rules of 2.1 instances of a cloned group are tried on other nodes on the way to the same places.
  "capacities and needs": [["-R", "-U"], false],
  "what it leads to": [["-S"], true],
  // Its schema has no history afterwards, which the real one tells all the same.
  "the history": [["-S", "-c", "-A"], false],
  "changes before": [["-R", "-q", "0", "-g", "ticketA", "-w", "1"], true],
};

/** It records a cancelled operation, and a fail count that was cleared, as if they had been carried out. */
const misled = (text: string): boolean => /cancel|clear_failcount/.test(text);
/** Functions of its program, by which it tells scores. */
const withoutFunctions = (text: string): string => text.replaceAll(/ function="[^"]*"/g, "");

describe("crm_simulate as XML tells", () => {
  test.each(Object.entries(rehearsals))("%s", async (_, [words, same]) => {
    const documents: string[] = [];
    for (const { file, seed } of samples) {
      const command = ["crm_simulate", "-x", file, ...words, "--output-as=xml"];
      const { out, code } = await runHere(command, { TZ: "UTC" });
      expect(code).toBe(0);
      documents.push(out);
      if (!same) continue;
      const real = theirs(command, file).out;
      if (!misled(real))
        expect(withoutFunctions(normalised(out)), `seed ${seed} ${words.join(" ")}`).toBe(
          withoutFunctions(normalised(real)),
        );
    }
    expect(invalid(documents)).toEqual([]);
  });
});

test("stonith_admin as XML tells what the schema wants", async () => {
  const stage = new RehearsalStage();
  try {
    const documents: string[] = [];
    for (const words of [
      "-L",
      "-l n1",
      "-l nobody",
      "-Q F",
      "-s F",
      "-I",
      "-H n2",
      "-H *",
      "-h n2",
      "-B n2",
      "-C n2",
    ])
      documents.push(
        (await stage.run(["stonith_admin", ...words.split(" "), "--output-as=xml"], "live")).out,
      );
    expect(invalid(documents)).toEqual([]);
    expect(documents.join("")).toContain('<fence_event action="reboot" target="n2"');
  } finally {
    stage.stop();
  }
});
