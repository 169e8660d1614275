import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * cluster-glue's compiled plugins (`stonith:ssh`, `stonith:apcmaster`): libraries that its program stonith(8) runs. Those
 * of its plugins that are programs themselves (`external/…`) are run directly.
 */

/** Libraries that are no devices: what runs the programs among the plugins. */
const runners: ReadonlySet<string> = new Set(["external", "rhcs"]);

/** Of the names in a directory of libraries those that are plugins. */
export const compiledPlugins = (names: readonly string[]): string[] =>
  names
    .filter((name) => name.endsWith(".so"))
    .map((name) => name.slice(0, -".so".length))
    .filter((name) => !runners.has(name));

/**
 * Whether a name is one of them. @param plugins directories of the plugins that are programs; the libraries lie beside
 */
export function isCompiledPlugin(name: string, plugins: readonly string[]): boolean {
  if (runners.has(name) || !/^[A-Za-z0-9]\w*$/.test(name)) return false;
  return plugins.some((directory) => existsSync(join(dirname(directory), "stonith2", `${name}.so`)));
}

/** How stonith(8) is told what such a plugin shall do; its parameters come in the environment. */
export function compiledArguments(plugin: string, action: string, port: string | undefined): string[] {
  return ["-t", plugin, "-E", ...deedArguments(action, port)];
}

function deedArguments(action: string, port: string | undefined): string[] {
  const host = port === undefined ? [] : [port];
  switch (action) {
    case "reboot":
    case "reset":
      return ["-T", "reset", ...host];
    case "list":
      return ["-l", "-S"];
    case "monitor":
    case "status":
      return ["-S"];
    default:
      return ["-T", action, ...host];
  }
}

/** How stonith(8) is asked what a plugin is, compiled or not. */
export const describingArguments = (plugin: string): string[] => ["-t", plugin, "-m"];
