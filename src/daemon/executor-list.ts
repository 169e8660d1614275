import { readdir, stat } from "node:fs/promises";
import type { ExecutorConfig } from "../executor/index.ts";
import { startProcess } from "../platform/index.ts";

const CLASSES = ["ocf", "lsb", "systemd", "service", "stonith"];

/**
 * Names of agents on this host. Class "": the classes. Class `ocf`: provider "" lists the providers, a provider its
 * agents, none all of them as `provider:type`. Sorted, without repetitions.
 */
export async function listAgents(
  config: ExecutorConfig,
  standard: string,
  provider?: string,
): Promise<string[]> {
  switch (standard) {
    case "":
      return CLASSES;
    case "ocf":
      return ocfAgents(config, provider);
    case "lsb":
      return scripts(config);
    case "systemd":
      return units(config);
    case "service":
      return sorted([...(await units(config)), ...(await scripts(config))]);
    default:
      return [];
  }
}

async function ocfAgents(config: ExecutorConfig, provider: string | undefined): Promise<string[]> {
  const found = await Promise.all(
    config.ocfPath.map(async (directory) => {
      if (provider === "") return directories(directory);
      if (provider !== undefined) return executables(`${directory}/${provider}`);
      const providers = await directories(directory);
      const types = await Promise.all(
        providers.map(async (name) =>
          (await executables(`${directory}/${name}`)).map((type) => `${name}:${type}`),
        ),
      );
      return types.flat();
    }),
  );
  return sorted(found.flat());
}

async function scripts(config: ExecutorConfig): Promise<string[]> {
  return sorted((await Promise.all(config.lsbPath.map(executables))).flat());
}

async function directories(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return chosen(names, async (name) => (await stat(`${path}/${name}`)).isDirectory());
}

async function executables(path: string): Promise<string[]> {
  const names = await readdir(path).catch(() => []);
  return chosen(names, async (name) => {
    const facts = await stat(`${path}/${name}`);
    return facts.isFile() && (facts.mode & 0o111) !== 0;
  });
}

async function chosen(names: readonly string[], test: (name: string) => Promise<boolean>): Promise<string[]> {
  const visible = names.filter((name) => !name.startsWith("."));
  const results = await Promise.all(visible.map((name) => test(name).catch(() => false)));
  return sorted(visible.filter((_, index) => results[index]));
}

async function units(config: ExecutorConfig): Promise<string[]> {
  const run = startProcess({
    candidates: ["systemctl"],
    args: ["list-unit-files", "--no-legend", "--no-pager", "--type=service,socket,mount,timer,path"],
    env: { ...config.environment, SYSTEMD_COLORS: "0" },
    keepBytes: 1024 * 1024,
  });
  if (!("pid" in run)) return [];
  const timer = setTimeout(() => run.signal("KILL"), 10_000);
  const ended = await run.ended;
  clearTimeout(timer);
  if (ended.kind !== "exited" || ended.code !== 0) return [];
  const names = ended.stdout.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  // A template is not a unit that can run.
  return sorted(
    names.filter((name) => name !== "" && !name.includes("@.")).map((name) => name.replace(/\.service$/, "")),
  );
}

const sorted = (names: readonly string[]) => [...new Set(names)].sort();
