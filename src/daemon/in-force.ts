import { loadConfig, loggingBy, thisMachine } from "../config/index.ts";
import { type NodeName, read } from "../terms/index.ts";
import { type DaemonArguments, loadNode, type NodeSetup } from "./setup.ts";

/** By which a process of a node learns what the ring goes by. */
const variable = "HACTL_IN_FORCE";
/** Linux takes no variable of more than 128 KB; a hundred nodes take some 20. */
const mostBytes = 120_000;

/** What the ring goes by, as texts of hactl.toml; the file may say something else by now, or nothing that can be read. */
interface InForce {
  readonly node: NodeName;
  readonly text: string;
  /** The one that it was started with, where that is another. */
  readonly started?: string;
}

const readInForce = read.shape<InForce>({
  node: read.nodeName,
  text: read.text(mostBytes),
  started: read.maybe(read.text(mostBytes)),
});

/** A configuration that was read again, as it is in force: what needs a restart to change is still as it was at the start. */
export function sinceStart<Setup extends Pick<NodeSetup, "config">>(
  next: Setup,
  started: Pick<NodeSetup, "config">,
): Setup {
  const { system, remote, sysconfig } = started.config;
  const logging = loggingBy(next.config, started.config);
  return { ...next, config: { ...next.config, system, remote, sysconfig, logging } };
}

/** What is in force, to be told to the processes of the node; empty where it is too long, and they have to read the file. */
export function describeInForce(setup: NodeSetup, started: NodeSetup): string {
  const inForce: InForce = {
    node: setup.self.name,
    text: setup.text,
    ...(started.text === setup.text ? {} : { started: started.text }),
  };
  const text = JSON.stringify(inForce);
  return Buffer.byteLength(text) > mostBytes ? "" : text;
}

/** The environment of a process that goes by what is described. */
export const inForceEnvironment = (described: string): Record<string, string> =>
  described === "" ? {} : { [variable]: described };

/** What is described, else what the file says. @throws HactlError as `loadNode` */
export function setupInForce(args: DaemonArguments, described: string): NodeSetup {
  if (described === "") return loadNode(args);
  const { node, text, started } = readInForce(JSON.parse(described), "");
  const setup = setupOf(args, node, text);
  return started === undefined ? setup : sinceStart(setup, setupOf(args, node, started));
}

/**
 * What this process of a node goes by: what the ring has given to it. A file that was damaged or changed meanwhile, a key
 * that was moved away or another host name must not keep it from coming back. What it starts itself does not see it.
 */
export function loadInForce(args: DaemonArguments, environment: NodeJS.ProcessEnv = process.env): NodeSetup {
  const described = environment[variable] ?? "";
  delete environment[variable];
  return setupInForce(args, described);
}

/** The text was found right on this machine when the ring read it. */
function setupOf(args: DaemonArguments, node: NodeName, text: string): NodeSetup {
  const config = loadConfig(text, args.configPath, { purpose: "text", machine: thisMachine() });
  const self = config.nodes.find(({ name }) => name === node);
  if (!self) return loadNode(args);
  return { arguments: args, config: { ...config, localNode: self }, text, self };
}
