import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import {
  type GroupChange,
  modifyGroup,
  type Renaming,
  renameObject,
  setConfigured,
  type XmlElement,
} from "../../cib/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { note } from "../output.ts";
import { placesOf } from "../places.ts";
import { primitivesGone, refuseWhileRunning } from "../running.ts";
import { cibTarget } from "../target.ts";

/** A configuration, and the CIB that it is in. */
interface Current {
  readonly cib: XmlElement;
  readonly configuration: XmlElement;
}

/** What the commands here need of `configure`. */
export interface ConfigureWays {
  readonly read: () => Promise<Current>;
  /** Changes the configuration, all or nothing. */
  readonly change: (
    make: (current: Current) => XmlElement,
    client: string,
    checked?: { readonly force: boolean; readonly renamed?: Renaming },
  ) => Promise<unknown>;
  /** A configuration as text, or some objects of it; `words` as those of `show`. */
  readonly text: (configuration: XmlElement, words: readonly string[]) => string;
  /** A configuration with a text in the place of what these words name. */
  readonly replaced: (
    text: string,
    configuration: XmlElement,
    words: readonly string[],
    /** Hears what else the text changes. */
    tell: (remarks: readonly string[]) => void,
    /** Whether nothing may be left. */
    force: boolean,
  ) => XmlElement;
}

const usage = (what: string, cure: string) =>
  new HactlError({ code: "USAGE", what, cure, exit: CrmExit.USAGE });

const words = (name: string, description: string) => ({ name, description, extraWords: true });

/** `--force` may stand anywhere among the words of a command that reads them itself. */
const forced = (rawArgs: readonly string[]) => ({
  rest: rawArgs.filter((word) => word !== "--force"),
  checked: { force: rawArgs.includes("--force") },
});

/** The option by which a change is made all the same. */
export const force = { type: "boolean", description: "although something is wrong with it" } as const;

/** Commands of the crm shell that change what is configured. */
export const editCommands = (ways: ConfigureWays): Readonly<Record<string, CommandDef>> => ({
  rename: rename(ways) as unknown as CommandDef,
  set: set(ways) as unknown as CommandDef,
  modgroup: modgroup(ways) as unknown as CommandDef,
  edit: edit(ways) as unknown as CommandDef,
});

const rename = ({ change }: ConfigureWays) =>
  defineCommand({
    meta: { name: "rename", description: "Give an object another id; what refers to it follows." },
    args: {
      from: { type: "positional", description: "the present id" },
      to: { type: "positional", description: "the new one" },
      force: { type: "boolean", description: "also while it runs: it is stopped and started anew" },
    },
    run: async ({ args: { from = "", to = "", force } }) => {
      let remarks: readonly string[] = [];
      await change(
        ({ cib, configuration }) => {
          // What a file says is running runs nowhere.
          if (!force && cibTarget().kind === "live") refuseRunning(cib, from);
          const renamed = renameObject(configuration, from, to);
          remarks = renamed.remarks;
          return renamed.configuration;
        },
        "configure rename",
        { force: force === true, renamed: { from, to } },
      );
      note(`${from} is now called ${to}.`);
      for (const remark of remarks) note(`  ${remark}`);
      return CrmExit.OK;
    },
  });

/** The cluster knows what runs by its id: under another it would be stopped, and started as something new. */
function refuseRunning(cib: XmlElement, id: string): void {
  const places = placesOf(cib, id, Math.floor(Date.now() / 1000));
  const [first] = places;
  if (!first) return;
  throw new HactlError({
    code: "RUNNING",
    what: `${id} runs on ${places.map(({ node }) => node).join(", ")}`,
    cure: "stop it first, or say --force: then it is stopped and started anew",
    exit: CrmExit.UNSAFE,
  });
}

const set = ({ change }: ConfigureWays) =>
  defineCommand({
    meta: words(
      "set",
      "Change a value that is configured: OBJECT.NAME, or OBJECT.OPERATION.NAME of an operation.",
    ),
    args: {
      path: {
        type: "positional",
        required: false,
        description: "path and value, for example ip.cidr_netmask 24 or db.monitor.interval 10s",
      },
      force,
    },
    // A value may begin with a minus sign.
    run: async ({ rawArgs }) => {
      const { rest, checked } = forced(rawArgs);
      const [path, value, ...more] = rest;
      if (path === undefined || value === undefined || more.length > 0)
        throw usage("set needs a path and a value", "for example: set ip.cidr_netmask 24");
      await change(
        ({ configuration }) => setConfigured(configuration, path, value),
        "configure set",
        checked,
      );
      return CrmExit.OK;
    },
  });

const modgroup = ({ change }: ConfigureWays) =>
  defineCommand({
    meta: words("modgroup", "Add a resource to a group, or take one out, which then stands for itself."),
    args: {
      group: {
        type: "positional",
        required: false,
        description: "GROUP add RESOURCE [before|after MEMBER], or GROUP remove MEMBER",
      },
      force,
    },
    run: async ({ rawArgs }) => {
      const { rest: given, checked } = forced(rawArgs);
      const [group = "", ...rest] = given;
      const wanted = groupChange(rest);
      await change(
        ({ configuration }) => modifyGroup(configuration, group, wanted),
        "configure modgroup",
        checked,
      );
      return CrmExit.OK;
    },
  });

function groupChange([deed, member, where, beside, ...more]: readonly string[]): GroupChange {
  const isPlace = where === undefined || where === "before" || where === "after";
  if (member === undefined || more.length > 0 || !isPlace || (where === undefined) !== (beside === undefined))
    throw usage(
      "modgroup does not understand this",
      "GROUP add RESOURCE [before|after MEMBER], or GROUP remove MEMBER",
    );
  switch (deed) {
    case "add":
      return where === undefined || beside === undefined
        ? { do: "add", member }
        : { do: "add", member, beside: { where, member: beside } };
    case "remove":
    case "rm":
      if (where === undefined) return { do: "remove", member };
      throw usage(`"${where}" is only for add`, "GROUP remove MEMBER");
    default:
      throw usage(`a group cannot "${deed ?? ""}"`, "write add or remove");
  }
}

const edit = ({ read, text, change, replaced }: ConfigureWays) =>
  defineCommand({
    meta: words(
      "edit",
      "Edit the configuration, or some objects of it, as text ('edit xml': all as XML); what is taken out is removed.",
    ),
    args: {
      ids: { type: "positional", required: false, description: "ids of objects [default: all]" },
      force: { ...force, description: "although something is wrong with it, or what is taken out runs" },
    },
    run: async ({ rawArgs }) => {
      const wanted = rawArgs.filter((word) => !word.startsWith("-"));
      if (wanted[0] === "xml" && wanted.length > 1)
        throw usage("single objects cannot be edited as XML", "write 'edit xml', or 'edit ID…'");
      const before = text((await read()).configuration, wanted);
      const { checked } = forced(rawArgs);
      await edited(before, async (after) => {
        if (after === before) {
          note("Nothing was changed.");
          return;
        }
        let remarks: readonly string[] = [];
        await change(
          ({ cib, configuration }) => {
            // What others changed meanwhile would be undone.
            if (text(configuration, wanted) !== before) throw changedMeanwhile();
            const made = replaced(after, configuration, wanted, (found) => (remarks = found), checked.force);
            if (!checked.force && cibTarget().kind === "live")
              refuseWhileRunning(cib, primitivesGone(configuration, made));
            return made;
          },
          "configure edit",
          checked,
        );
        for (const remark of remarks) note(remark);
      });
      return CrmExit.OK;
    },
  });

const changedMeanwhile = () =>
  new HactlError({
    code: "CHANGED",
    what: "somebody else has changed the configuration while you edited it",
    exit: CrmExit.OLD,
  });

/**
 * Lets an editor change a text, and does something with the new one. The file may hold secrets, and is for its owner alone.
 * When the work fails, it stays, so that nothing of what was written is lost; the error says where.
 */
async function edited(before: string, work: (text: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "hactl-edit-"));
  const file = join(directory, "configuration");
  const forget = () => rmSync(directory, { recursive: true, force: true });
  writeFileSync(file, before, { mode: 0o600 });
  const editor = (process.env.VISUAL || process.env.EDITOR || "vi").trim().split(/\s+/);
  if (Bun.which(editor[0] ?? "") === null) {
    forget();
    throw usage(`there is no editor "${editor[0]}"`, "set EDITOR to one that there is");
  }
  const { exitCode } = Bun.spawnSync([...editor, file], { stdio: ["inherit", "inherit", "inherit"] });
  if (exitCode !== 0) {
    forget();
    throw usage(
      `${editor[0]} ended with ${exitCode}; nothing was changed`,
      "end it without an error to go on",
    );
  }
  try {
    await work(readFileSync(file, "utf8"));
  } catch (error) {
    throw error instanceof HactlError ? keptIn(file, error) : error;
  }
  forget();
}

const keptIn = (file: string, { code, what, where, cure, exit }: HactlError) =>
  new HactlError({
    code,
    what,
    ...(where === undefined ? {} : { where }),
    cure: `${cure === undefined ? "" : `${cure}; `}what you wrote is in ${file}`,
    exit,
  });
