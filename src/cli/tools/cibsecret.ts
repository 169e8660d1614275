import { pairsIn, removePairs, setResourcePair } from "../../cib/index.ts";
import type { NodeReply } from "../../daemon/index.ts";
import { isPlainFileName, SecretStore } from "../../platform/index.ts";
import { CrmExit, HactlError, secretReference, shellQuoted } from "../../terms/index.ts";
import { type Answer, commandElement, runTool } from "../answer/index.ts";
import { CibSession } from "../cib-session.ts";
import { readText } from "../read-text.ts";
import { resourceNamed } from "../resources.ts";
import { requireLive } from "../target.ts";
import { usage } from "./connection.ts";
import type { OptionRow, ParsedWords } from "./getopt.ts";

const options: readonly OptionRow[] = [
  { name: "no-cib", short: "C", description: "leave the configuration alone: only the files" },
  { name: "stdin", description: "with set: read the value from standard input instead of the words" },
  { name: "local", description: "only the files of this node" },
  {
    name: "rsh",
    short: "e",
    value: "COMMAND",
    description: "how to run a command on another node [default: ssh -T -o BatchMode=yes]",
  },
];

const purpose = `Keep values of resource parameters in files instead of the configuration.

  set RESOURCE PARAMETER VALUE   store a value on all nodes
  get RESOURCE PARAMETER         print it
  check RESOURCE PARAMETER       whether the file of this node is whole
  stash RESOURCE PARAMETER       move a value from the configuration into files
  unstash RESOURCE PARAMETER     move it back
  delete RESOURCE PARAMETER      remove the parameter and its value
  sync                           copy the values of this node to all others

The configuration says ${secretReference} in the place of the value; the node that runs the agent puts the value in.`;

const commands = ["set", "get", "check", "stash", "unstash", "delete", "sync"] as const;
type Command = (typeof commands)[number];

/** What every command works with. */
interface Call {
  readonly given: ParsedWords;
  readonly answer: Answer;
  readonly session: CibSession;
  readonly store: SecretStore;
  readonly rsc: string;
  readonly parameter: string;
}

/** cibsecret(8): values of parameters that are in files of mode 0600 on each node, and not in the CIB. */
export const run = (words: readonly string[]): Promise<number> =>
  runTool({ name: "cibsecret", purpose, options }, words, async (given, answer) => {
    const [word, rsc = "", parameter = ""] = given.words;
    const command = commands.find((candidate) => candidate === word);
    if (command === undefined) throw usage("cibsecret", `what shall be done: ${commands.join(", ")}?`);
    const count = command === "sync" ? 1 : command === "set" && !given.has("stdin") ? 4 : 3;
    if (given.words.length !== count)
      throw usage("cibsecret", `${command} takes ${count - 1} words, ${given.words.length - 1} were given`);
    if (given.has("no-cib") && (command === "stash" || command === "unstash"))
      throw usage("cibsecret", `${command} is about the configuration: without -C`);
    if (command !== "sync" && !(isPlainFileName(rsc) && isPlainFileName(parameter)))
      throw usage("cibsecret", `"${rsc}" and "${parameter}" cannot name a file`);
    if (command !== "get" && command !== "check") requireLive("a file of secrets on the nodes");
    const store = new SecretStore(await directory());
    return CibSession.with((session) => work(command, { given, answer, session, store, rsc, parameter }));
  });

/** Where the files are, as hactl.toml says. */
async function directory(): Promise<string> {
  const { configFile, loadConfigFile } = await import("../../config/index.ts");
  return loadConfigFile(configFile(), "text").system.secretsDir;
}

async function work(command: Command, call: Call): Promise<number> {
  switch (command) {
    case "set":
      return set(call, call.given.has("stdin") ? readText("-") : (call.given.words[3] ?? ""));
    case "get": {
      const value = await stored(call);
      call.answer.say({
        text: () => value,
        xml: () => [commandElement(CrmExit.OK, { stdout: `${value}\n` })],
        since: "2.40",
      });
      return CrmExit.OK;
    }
    case "check":
      await stored(call);
      return CrmExit.OK;
    case "stash":
      return stash(call);
    case "unstash":
      return unstash(call);
    case "delete":
      return remove(call);
    case "sync":
      return sync(call);
  }
}

/** What the configuration says of the parameter. @throws HactlError NO_SUCH_RESOURCE */
async function configured({ session, rsc, parameter }: Call): Promise<string | undefined> {
  const { xml } = resourceNamed(await session.configuration(), rsc);
  return pairsIn(xml, "instance_attributes").find(({ name }) => name === parameter)?.value;
}

/** The value of this node's file. @throws HactlError when there is none or it is not whole */
async function stored(call: Call): Promise<string> {
  const { given, store, rsc, parameter } = call;
  if (!given.has("no-cib") && (await configured(call)) !== secretReference)
    throw refused(`parameter ${parameter} of ${rsc} is not a secret in the configuration`, CrmExit.CONFIG);
  const { value, problem } = store.read(rsc, parameter);
  if (problem === undefined) return value;
  throw refused(problem, problem.includes("digest") ? CrmExit.DIGEST : CrmExit.NOSUCH);
}

const refused = (what: string, exit: CrmExit, cure?: string) =>
  new HactlError({ code: "SECRET", what, exit, ...(cure === undefined ? {} : { cure }) });

async function set(call: Call, value: string): Promise<number> {
  const { given, rsc, parameter } = call;
  if (value.trim() === "") throw usage("cibsecret", "the value is empty");
  if (given.has("no-cib")) return put(call, value);
  const present = await configured(call);
  if (present !== undefined && present !== "" && present !== secretReference && present !== value.trimEnd())
    throw refused(
      `the configuration has another value for ${parameter} of ${rsc}`,
      CrmExit.CONFIG,
      "move it with 'cibsecret stash', or delete the parameter first",
    );
  const code = await put(call, value);
  // A node without the value could not run the agent: the configuration refers to it when all have it.
  return code === CrmExit.OK && present !== secretReference ? refer(call, secretReference) : code;
}

async function stash(call: Call): Promise<number> {
  const { rsc, parameter } = call;
  const value = await configured(call);
  if (value === undefined || value === "")
    throw refused(`parameter ${parameter} of ${rsc} is not in the configuration`, CrmExit.NOSUCH);
  if (value === secretReference)
    throw refused(`parameter ${parameter} of ${rsc} is a secret already`, CrmExit.EXISTS);
  const code = await put(call, value);
  return code === CrmExit.OK ? refer(call, secretReference) : code;
}

async function unstash(call: Call): Promise<number> {
  await refer(call, await stored(call));
  return drop(call);
}

async function remove(call: Call): Promise<number> {
  const { given, session, rsc, parameter } = call;
  if (!given.has("no-cib")) {
    const { xml } = resourceNamed(await session.configuration(), rsc);
    const pairs = pairsIn(xml, "instance_attributes").filter(
      ({ name, value }) => name === parameter && value === secretReference,
    );
    if (pairs.length > 0) await session.apply(removePairs(pairs), "cibsecret");
  }
  return drop(call);
}

/** Writes what the configuration says of the parameter. */
async function refer({ session, rsc, parameter }: Call, value: string): Promise<number> {
  const { xml } = resourceNamed(await session.configuration(), rsc);
  await session.apply([setResourcePair(xml, "instance_attributes", parameter, value).operation], "cibsecret");
  return CrmExit.OK;
}

/** Stores a value here and on the other nodes. */
async function put(call: Call, value: string): Promise<number> {
  const { store, rsc, parameter } = call;
  await store.write(rsc, parameter, value);
  return elsewhere(call, ["set", rsc, parameter], value);
}

/** Removes a value here and on the other nodes. */
async function drop(call: Call): Promise<number> {
  const { store, rsc, parameter } = call;
  store.remove(rsc, parameter);
  return elsewhere(call, ["delete", rsc, parameter]);
}

async function sync(call: Call): Promise<number> {
  let code: number = CrmExit.OK;
  for (const [rsc, parameter] of call.store.list()) {
    const { value, problem } = call.store.read(rsc, parameter);
    if (problem !== undefined) {
      call.answer.error(`cibsecret: ${problem}; it is not copied`);
      code = CrmExit.ERROR;
    } else code = (await elsewhere(call, ["set", rsc, parameter], value)) || code;
  }
  return code;
}

/**
 * Does the same on the other nodes, by their own cibsecret. Values travel through standard input: the words of a command
 * can be seen by everybody on a machine.
 */
async function elsewhere(call: Call, words: readonly string[], value?: string): Promise<number> {
  const { given, session } = call;
  if (given.has("local")) return CrmExit.OK;
  const { name, members } = await (await session.daemon()).request<NodeReply>({ type: "node" });
  const rsh = (given.value("rsh") ?? "ssh -T -o BatchMode=yes").split(/\s+/);
  const quoted = words.map(shellQuoted).join(" ");
  const command = `cibsecret --local -C${value === undefined ? "" : " --stdin"} ${quoted}`;
  let code: number = CrmExit.OK;
  for (const member of members.filter((one) => one.name !== name)) {
    if (member.state === "lost") {
      call.answer.error(`cibsecret: node ${member.name} is not there: run 'cibsecret sync' when it is back`);
      continue;
    }
    const { exitCode, stderr } = Bun.spawnSync([...rsh, member.name, command], {
      stdin: new TextEncoder().encode(value ?? ""),
    });
    if (exitCode === 0) continue;
    code = CrmExit.ERROR;
    const why = stderr.toString().trim().split("\n").at(-1) ?? "";
    call.answer.error(
      `cibsecret: node ${member.name} was not reached (${why === "" ? `exit code ${exitCode}` : why}): run 'cibsecret sync' when it can be`,
    );
  }
  return code;
}
