import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the crm shell said of a statement and made of the configuration. */
export interface Answer {
  /** The whole configuration as its `show xml` printed it; undefined: it broke down. */
  readonly xml: string | undefined;
  readonly said: string;
}

/**
 * Gives statements to the crm shell, each by itself upon the same CIB: one session, which is begun anew where a statement has ended
 * it. Statements are loaded from a file, as most come, but those that a file cannot hold or the shell reads only when they are typed.
 */
export function askShell(statements: readonly string[], cib: string, directory: string): Answer[] {
  const file = join(directory, "shell.xml");
  const answers: Answer[] = [];
  while (answers.length < statements.length) {
    writeFileSync(file, cib);
    const lines = statements.slice(answers.length).flatMap((statement, index) => {
      const step = [
        /^(?:xml ['"]|monitor\b)/.test(statement) ? statement : load(statement, index, directory),
      ];
      return [...step, "show xml", "refresh"];
    });
    const { stdout, stderr } = Bun.spawnSync(["/usr/sbin/crm", "-F", "-R", "configure"], {
      stdin: new Blob([`${lines.join("\n")}\n`]),
      stderr: "pipe",
      env: {
        ...process.env,
        HOME: directory,
        CIB_file: file,
        TERM: "dumb",
        LC_ALL: "C",
        PYTHONUNBUFFERED: "1",
      },
    });
    // In this mode it repeats what it is told.
    const parts = stdout.toString().split(/^\.INP: refresh$/m);
    const rest = parts.pop() ?? "";
    for (const said of parts) answers.push({ xml: /<\?xml[\s\S]*?<\/cib>/.exec(said)?.[0], said });
    if (parts.length < lines.length / 3) {
      const last = stderr.toString().trim().split("\n").at(-1) ?? "";
      answers.push({ xml: undefined, said: `${rest}\n${last}` });
    }
  }
  return answers;
}

function load(statement: string, index: number, directory: string): string {
  const file = join(directory, `statement-${index}.crm`);
  writeFileSync(file, `${statement}\n`);
  return `load update ${file}`;
}
