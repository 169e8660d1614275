import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatXml, parseXml, refuseExisting, type XmlElement } from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { isAgents } from "../acceptance.ts";
import { CibSession, warn } from "../cib-session.ts";
import { loaded } from "../commands/configure.ts";
import { note } from "../output.ts";
import { primitivesGone, refuseWhileRunning } from "../running.ts";
import { cibTarget, takeInHand } from "../target.ts";

const variables = ["CIB_file", "CIB_shadow"] as const;

/**
 * What a script's `configure` level changes before it is committed: a file of its own, on which every command works as on any
 * other (`CIB_file`), made of the configuration that it is for.
 */
export class CrmDraft {
  readonly #directory: string;
  readonly #file: string;
  readonly #base: string;
  readonly #before: Readonly<Record<(typeof variables)[number], string | undefined>>;

  private constructor(cib: XmlElement) {
    this.#directory = mkdtempSync(join(tmpdir(), "hactl-crm-"));
    this.#file = join(this.#directory, "cib.xml");
    this.#base = configurationText(cib);
    writeFileSync(this.#file, formatXml(cib), { mode: 0o600 });
    this.#before = { CIB_file: process.env.CIB_file, CIB_shadow: process.env.CIB_shadow };
  }

  /** Begins one of what is in force now. */
  static begin = (): Promise<CrmDraft> =>
    CibSession.with(async (session) => new CrmDraft({ ...(await session.cib()) }));

  /** Does something on the draft. */
  async on<T>(work: () => Promise<T>): Promise<T> {
    process.env.CIB_file = this.#file;
    delete process.env.CIB_shadow;
    takeInHand(this.#file);
    try {
      return await work();
    } finally {
      takeInHand(undefined);
      for (const name of variables) {
        if (this.#before[name] === undefined) delete process.env[name];
        else process.env[name] = this.#before[name];
      }
    }
  }

  /**
   * Takes statements into it. What agents say of them is asked when they are to be in force. @param name of the text, whose lines
   * are told where something is wrong
   */
  take(text: string, name: string, force: boolean): Promise<void> {
    return this.on(() =>
      CibSession.with(async (session) => {
        let remarks: readonly string[] = [];
        const make = (base: XmlElement) => loaded(text, name, base, "add", (found) => (remarks = found));
        const checked = { force, file: name, agents: false, told: isAgents };
        await session.change(
          ({ configuration }) => {
            refuseExisting(text, configuration, name);
            return make(configuration);
          },
          "crm",
          checked,
        );
        // What is remarkable is said when it comes into force.
        for (const remark of remarks) note(remark);
      }),
    );
  }

  /**
   * Puts it in force; says whether anything is different.
   * @throws HactlError OLD where somebody else has changed the configuration meanwhile; RUNNING, RefusedChange as any change
   */
  async commit(force: boolean): Promise<boolean> {
    const cib = await this.on(() => CibSession.with((session) => session.cib()));
    if (configurationText(cib) === this.#base) return false;
    const [after] = cib.children.filter(({ name }) => name === "configuration");
    await CibSession.with(async (session) => {
      const { remarks } = await session.change(
        ({ cib: present, configuration }) => {
          if (configurationText(present) !== this.#base) throw outdated();
          const made = after ?? configuration;
          if (!force && cibTarget().kind === "live")
            refuseWhileRunning(present, primitivesGone(configuration, made));
          return parseXml(formatXml(made, -1));
        },
        "crm",
        { force },
      );
      await warn(remarks);
    });
    return true;
  }

  /** What was not committed is gone. */
  drop(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const configurationText = ({ children }: XmlElement): string =>
  children
    .filter(({ name }) => name === "configuration")
    .map((one) => formatXml(one, -1))
    .join("");

const outdated = (): HactlError =>
  new HactlError({
    code: "OLD",
    what: "somebody else has changed the configuration since the script began to: nothing of it is in force",
    cure: "look at the present configuration and run it again",
    exit: CrmExit.OLD,
  });
