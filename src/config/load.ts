import { readLimited } from "../platform/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import {
  buildLogging,
  buildQuorum,
  buildRemote,
  buildSysconfig,
  buildSystem,
  partNamed,
  valuesOf,
} from "./build.ts";
import { checkLinks, checkNodes, Findings } from "./check.ts";
import { checkDepending, checkDirectories, checkListen } from "./check-depending.ts";
import { checkBindNetworks, checkKeyFile, checkLocal } from "./check-machine.ts";
import { checkLogging, checkParts, checkQuorum, checkSystem } from "./check-rules.ts";
import { checkTiming, effectiveTotem } from "./effective.ts";
import type { HactlConfig, LoggingConfig, NodeConfig } from "./face.ts";
import { type ConfigContext, thisMachine } from "./machine.ts";
import { type LoadedTable, parseConfig } from "./parse.ts";
import { ConfigError, type ConfigProblem } from "./problem.ts";
import type { kdumpOptions } from "./table-system.ts";
import type { totemOptions } from "./table-totem.ts";

/** Where hactl looks when nobody says otherwise. */
export const defaultConfigFile = "/etc/hactl/hactl.toml";

/** The configuration file: as told, else HACTL_CONFIG, else the usual place. */
export const configFile = (told?: string, environment: NodeJS.ProcessEnv = process.env): string =>
  told ?? environment.HACTL_CONFIG ?? defaultConfigFile;

/** Everything found in a text: all problems, and the configuration unless one of them is an error. */
export interface CheckedConfig {
  readonly config: HactlConfig | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Checks a text and tells every mistake at once, ordered by line. */
export function checkConfig(text: string, file: string, context: ConfigContext): CheckedConfig {
  const parsed = parseConfig(text);
  const out = new Findings();
  const built = buildAll(parsed.tables, file, context, out);
  // In a damaged text something may only seem to be missing.
  const own = parsed.damaged ? out.problems.filter((problem) => problem.code !== "MISSING") : out.problems;
  const problems = [...parsed.problems, ...own].toSorted((a, b) => (a.line ?? 1e9) - (b.line ?? 1e9));
  if (problems.some((problem) => problem.severity === "error")) return { config: undefined, problems };
  return { config: { ...built, warnings: problems }, problems };
}

/**
 * Reads the text of a hactl.toml.
 * @throws ConfigError with every mistake.
 */
export function loadConfig(text: string, file: string, context: ConfigContext): HactlConfig {
  const { config, problems } = checkConfig(text, file, context);
  if (!config) throw new ConfigError(file, problems);
  return config;
}

/** Most bytes of a configuration: a hundred nodes take some 20 KB; every start takes the text apart, and every reload. */
const maxBytes = 256 * 1024;

/**
 * Text of a configuration file.
 * @throws HactlError CONFIG_MISSING when there is none, and the system's error when it cannot be read.
 */
export function readConfigText(file: string): string {
  const bytes = readLimited(file, maxBytes);
  if (bytes) return new TextDecoder().decode(bytes);
  throw new HactlError({
    code: "CONFIG_MISSING",
    what: "There is no configuration",
    where: { file },
    cure: "Copy the sample /usr/share/hactl/hactl.toml there and edit it, or use hactl config import",
    exit: CrmExit.NOT_CONFIGURED,
  });
}

/** Reads and checks a configuration file for this machine. @throws as `readConfigText` and `loadConfig`. */
export function loadConfigFile(
  file: string,
  purpose: ConfigContext["purpose"],
  node?: string,
  keyFile?: string,
): HactlConfig {
  return loadConfig(readConfigText(file), file, { purpose, node, keyFile, machine: thisMachine() });
}

function tableOf(tables: readonly LoadedTable[], path: string): LoadedTable {
  const found = tables.find((table) => table.table.path === path);
  if (!found) throw new Error(`no table ${path}`);
  return found;
}

function buildAll(
  tables: readonly LoadedTable[],
  file: string,
  context: ConfigContext,
  out: Findings,
): HactlConfig {
  const one = (path: string) => tableOf(tables, path);
  const many = (path: string) => tables.filter((table) => table.table.path === path);
  const totem = one("totem");
  const values = valuesOf<typeof totemOptions>(totem);
  const nodeTables = many("nodelist.node");
  const nodes = checkNodes(nodeTables, totem, context, out);
  const effective = effectiveTotem(totem, Math.max(nodeTables.length, 1));
  out.problems.push(...checkTiming(totem, effective));
  const links = checkLinks(many("totem.interface"), nodes, nodeTables, effective.tokenMs, out);
  // Votes of a node that was not understood are not known.
  if (nodes.length === nodeTables.length) checkQuorum(one("quorum"), nodes, out);
  checkParts(many("logging.logger_subsys"), partNamed, out);
  const sysconfig = one("sysconfig");
  const remote = buildRemote(one("remote"), sysconfig);
  const localNode = checkMachine(
    one,
    many,
    nodeTables,
    nodes,
    context,
    context.keyFile ?? remote.keyFile,
    out,
  );
  const { machine } = context;
  if (context.purpose !== "text") {
    checkLogging(one("logging"), sysconfig, machine, out);
    checkSystem(one("system"), machine, out);
    checkDirectories(one("system"), machine, out);
  }
  checkListen(remote, one("remote"), sysconfig, context, out);
  const kdump = valuesOf<typeof kdumpOptions>(one("kdump"));
  const config = {
    file,
    totem: {
      clusterName: values.cluster_name ?? "",
      configVersion: values.config_version,
      keyFile: values.keyfile,
      linkMode: values.link_mode,
      ipDscp: values.ip_dscp,
      blockUnlistedIps: values.block_unlisted_ips,
      effective,
    },
    links,
    nodes,
    localNode,
    quorum: buildQuorum(one("quorum"), nodes),
    logging: loggingOf(tables, sysconfig),
    system: buildSystem(one("system"), sysconfig),
    remote,
    kdump: { listen: kdump.listen, port: kdump.port, plain: kdump.plain },
    sysconfig: buildSysconfig(sysconfig),
    warnings: [],
    tables,
  };
  checkDepending(config, one, out);
  return config;
}

/** What must be there for the purpose: nodes and their key, or the key for remote hosts. */
function checkMachine(
  one: (path: string) => LoadedTable,
  many: (path: string) => readonly LoadedTable[],
  nodeTables: readonly LoadedTable[],
  nodes: readonly NodeConfig[],
  context: ConfigContext,
  remoteKey: string,
  out: Findings,
): NodeConfig | undefined {
  // A host that is no member has no node list: where it says what it is, it is looked at as that.
  const isRemoteHost = nodeTables.length === 0 && one("remote").lines.size > 0;
  if (context.purpose === "text" && isRemoteHost) return undefined;
  if (context.purpose === "remote" || (context.purpose === "node" && isRemoteHost)) {
    const line = one("remote").lines.get("keyfile") ?? one("sysconfig").lines.get("PCMK_authkey_location");
    checkKeyFile(remoteKey, "[remote] keyfile", line, context.machine, out);
    return undefined;
  }
  if (nodeTables.length === 0) {
    out.error(
      "MISSING",
      undefined,
      "There is no node in the node list",
      "Add a table [[nodelist.node]] for each node, with name, nodeid and ring0_addr; on a remote host, a table [remote]",
    );
    return undefined;
  }
  if (context.purpose === "text") return undefined;
  const totem = one("totem");
  checkKeyFile(
    String(totem.values.keyfile),
    "[totem] keyfile",
    totem.lines.get("keyfile"),
    context.machine,
    out,
  );
  // A list with mistakes does not tell who we are.
  if (nodes.length !== nodeTables.length) return undefined;
  const local = checkLocal(nodes, nodeTables, context, out);
  if (local) checkBindNetworks(many("totem.interface"), local, context.machine, out);
  return local;
}

/** The log by [logging] of one configuration, and by what [sysconfig] of another one says where that is silent. */
export const loggingBy = (own: HactlConfig, other: HactlConfig): LoggingConfig =>
  loggingOf(own.tables, tableOf(other.tables, "sysconfig"));

const loggingOf = (tables: readonly LoadedTable[], sysconfig: LoadedTable): LoggingConfig =>
  buildLogging(
    tableOf(tables, "logging"),
    tables.filter(({ table }) => table.path === "logging.logger_subsys"),
    sysconfig,
  );
