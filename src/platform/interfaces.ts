import { readFileSync } from "node:fs";
import { networkInterfaces, hostname as systemHostname } from "node:os";

/** One address of one interface of this machine. */
export interface LocalAddress {
  readonly interface: string;
  readonly family: 4 | 6;
  /** Without a zone. */
  readonly address: string;
  readonly prefix: number;
}

/** All addresses of the interfaces of this machine that are up. */
export function localAddresses(): readonly LocalAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map((found) => ({
      interface: name,
      family: found.family === "IPv6" ? 6 : 4,
      address: found.address.replace(/%.*$/, ""),
      prefix: Number(found.cidr?.split("/")[1] ?? (found.family === "IPv6" ? 128 : 32)),
    })),
  );
}

/** Name of this machine, as `uname -n`. */
export const hostname = (): string => systemHostname();

/**
 * Addresses that a hosts file gives for a name. The cluster asks no name server: it must start when none answers.
 * @throws when the file cannot be read for another reason than that it is absent.
 */
export function hostsAddresses(name: string, file = "/etc/hosts"): readonly string[] {
  const wanted = name.toLowerCase();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return text.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*$/, "").trim().split(/\s+/);
    return address && names.some((known) => known.toLowerCase() === wanted) ? [address] : [];
  });
}
