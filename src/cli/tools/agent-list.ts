import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { element, type XmlElement } from "../../cib/index.ts";
import { CrmExit, HactlError, type Millis } from "../../terms/index.ts";
import { type Answer, cdataElement, listElement, textElement } from "../answer/index.ts";
import { ask } from "../daemon.ts";

/** Where agents are, as hactl.toml says; the usual places when there is none. */
async function directories(): Promise<{
  readonly ocf: readonly string[];
  readonly fence: readonly string[];
  readonly plugins: readonly string[];
  readonly lsb: readonly string[];
}> {
  const { configFile, loadConfigFile } = await import("../../config/index.ts");
  try {
    const { system } = loadConfigFile(configFile(), "text");
    const { ocfPath: ocf, fencePath: fence, stonithPluginPath: plugins, lsbPath: lsb } = system;
    return { ocf, fence, plugins, lsb };
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    return {
      ocf: ["/usr/lib/ocf/resource.d"],
      fence: ["/usr/sbin"],
      plugins: ["/usr/lib64/stonith/plugins", "/usr/lib/stonith/plugins"],
      lsb: ["/etc/init.d"],
    };
  }
}

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
};

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** How long an agent may take to say what it is. */
export const agentPatienceMs: Millis = 10_000;

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const sorted = (names: readonly string[]) => [...new Set(names)].sort();

const providers = (paths: readonly string[]) =>
  sorted(paths.flatMap((path) => namesIn(path).filter((name) => isDirectory(`${path}/${name}`))));
const programs = (path: string) => namesIn(path).filter((name) => isProgram(`${path}/${name}`));

/** Of cluster-glue's plugins there are programs, and libraries that its program stonith runs. */
async function pluginsIn(paths: readonly string[]): Promise<string[]> {
  const { compiledPlugins } = await import("../../daemon/index.ts");
  return paths.flatMap((path) => [
    ...programs(`${path}/external`).map((name) => `external/${name}`),
    ...compiledPlugins(namesIn(`${path}/stonith2`)),
  ]);
}

/** Names of the agents of a class and, for OCF, a provider. */
async function agentsOf(standard: string, provider: string | undefined): Promise<string[]> {
  const { ocf, fence, plugins, lsb } = await directories();
  switch (standard) {
    case "ocf": {
      const wanted = provider === undefined || provider === "" ? providers(ocf) : [provider];
      return sorted(ocf.flatMap((path) => wanted.flatMap((name) => programs(`${path}/${name}`))));
    }
    case "lsb":
    case "service":
      return sorted(lsb.flatMap(programs));
    case "stonith":
      return sorted([
        ...fence.flatMap((path) =>
          namesIn(path).filter((name) => name.startsWith("fence_") && isProgram(`${path}/${name}`)),
        ),
        ...(fence.some((path) => isProgram(`${path}/stonith`)) ? await pluginsIn(plugins) : []),
      ]);
    case "systemd": {
      const units = Bun.spawnSync(
        ["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--type=service"],
        { stderr: "ignore" },
      );
      return units.success
        ? sorted(
            units.stdout
              .toString()
              .split("\n")
              .map((row) => row.split(/\s+/)[0]?.replace(/\.service$/, "") ?? "")
              .filter((name) => name !== ""),
          )
        : [];
    }
    default:
      throw new HactlError({
        code: "NO_SUCH_OBJECT",
        what: `No agents found for standard=${standard}`,
        cure: "standards are ocf, lsb, service, stonith, systemd",
        exit: CrmExit.NOSUCH,
      });
  }
}

const lines = (items: readonly string[]) => () => items.join("\n");

/** Whether this host has an init script of this name. */
export const hasInitScript = async (name: string): Promise<boolean> =>
  (await directories()).lsb.some((path) => isProgram(`${path}/${name}`));

/** The commands of crm_resource(8) that list agents. */
export async function listAgents(
  query: "list-standards" | "list-ocf-providers" | "list-agents" | "list-ocf-alternatives" | "show-metadata",
  word: string,
  answer: Answer,
): Promise<number> {
  switch (query) {
    case "list-standards": {
      const names = ["ocf", "lsb", "service", "stonith", "systemd"];
      answer.say({ text: lines(names), xml: () => [listElement("standards", names)] });
      return CrmExit.OK;
    }
    case "list-ocf-providers": {
      const names = providers((await directories()).ocf);
      answer.say({ text: lines(names), xml: () => [providersElement({ standard: "ocf" }, names)] });
      return CrmExit.OK;
    }
    case "list-ocf-alternatives": {
      const { ocf } = await directories();
      const found = providers(ocf).filter((name) => ocf.some((path) => isProgram(`${path}/${name}/${word}`)));
      if (found.length === 0)
        throw new HactlError({
          code: "NO_SUCH_OBJECT",
          what: `No OCF providers found for ${word}`,
          cure: "crm_resource --list-agents ocf:PROVIDER lists agents",
          exit: CrmExit.NOSUCH,
        });
      answer.say({ text: lines(found), xml: () => [providersElement({ for: word }, found)] });
      return CrmExit.OK;
    }
    case "list-agents": {
      const [standard = "", provider] = word.split(":");
      const found = await agentsOf(standard, provider);
      if (found.length === 0)
        throw new HactlError({
          code: "NO_SUCH_OBJECT",
          what: `No agents found for standard=${standard}${provider === undefined ? "" : `, provider=${provider}`}`,
          exit: CrmExit.NOSUCH,
        });
      const agents = () => found.map((name) => textElement("agent", name));
      answer.say({ text: lines(found), xml: () => [element("agents", { standard, provider }, agents())] });
      return CrmExit.OK;
    }
    case "show-metadata":
      return showMetadata(word, answer);
  }
}

const providersElement = (about: Readonly<Record<string, string>>, names: readonly string[]): XmlElement =>
  element(
    "providers",
    about,
    names.map((name) => textElement("provider", name)),
  );

/** All fence agents of this host. */
export const fenceAgents = (): Promise<string[]> => agentsOf("stonith", undefined);

const unknownAgent = (spec: string) =>
  new HactlError({
    code: "NO_SUCH_AGENT",
    what: `Metadata query for ${spec} failed: Agent not found or does not support meta-data`,
    cure: "crm_resource --list-agents ocf:PROVIDER lists agents",
    exit: CrmExit.NOSUCH,
  });

/** An agent is named whole: class, provider where the class has such, and type. */
const wholeSpec = /^(?:ocf:[^:]+:[^:]+|(?!ocf:)[^:]+:.+)$/;

async function showMetadata(spec: string, answer: Answer): Promise<number> {
  if (!wholeSpec.test(spec))
    throw new HactlError({
      code: "NO_SUCH_AGENT",
      what: `'${spec}' is not a valid agent specification`,
      cure: "name it whole, as ocf:heartbeat:Dummy or stonith:fence_ipmilan",
      exit: CrmExit.NOSUCH,
    });
  const text = await metadataOf(spec);
  answer.say({ text: () => text, xml: () => [cdataElement("metadata", text)] });
  return CrmExit.OK;
}

/** The program that tells what a plugin of cluster-glue is, where it is one. */
async function pluginDescriber(agent: string): Promise<string | undefined> {
  const { fence } = await directories();
  if (!(await fenceAgents()).includes(agent)) return undefined;
  return fence.map((path) => `${path}/stonith`).find(isProgram);
}

/** What an agent on this host prints: from the daemon, which runs agents; without one it is asked directly. */
export async function metadataOf(spec: string): Promise<string> {
  const parts = spec.split(":");
  const [standard = "", second = "", third] = parts;
  const agent = third ?? second;
  const provider = third === undefined ? undefined : second;
  if (standard !== "stonith") {
    try {
      const text = await ask<string>({
        type: "metadata",
        class: standard,
        agent,
        ...(provider === undefined ? {} : { provider }),
      });
      return text.trimEnd();
    } catch (error) {
      if (!(error instanceof HactlError) || error.code === "AGENT") throw unknownAgent(spec);
    }
  }
  const { ocf, fence } = await directories();
  const paths =
    standard === "stonith"
      ? fence.map((path) => `${path}/${agent}`)
      : ocf.map((path) => `${path}/${provider ?? "heartbeat"}/${agent}`);
  const own = paths.find(isProgram);
  const describer = own === undefined && standard === "stonith" ? await pluginDescriber(agent) : undefined;
  const path = own ?? describer;
  if (path === undefined) throw unknownAgent(spec);
  const words =
    describer !== undefined
      ? (await import("../../daemon/index.ts")).describingArguments(agent)
      : standard === "stonith"
        ? ["-o", "metadata"]
        : ["meta-data"];
  const ran = Bun.spawnSync([path, ...words], {
    env: { ...process.env, OCF_ROOT: "/usr/lib/ocf" },
    stderr: "ignore",
    timeout: agentPatienceMs,
    killSignal: "SIGKILL",
  });
  if (ran.exitedDueToTimeout)
    throw new HactlError({
      code: "TIMEOUT",
      what: `${path} has not answered for ${agentPatienceMs / 1000} s`,
    });
  if (!ran.success) throw unknownAgent(spec);
  return ran.stdout.toString().trimEnd();
}
