import { CString, type Pointer, read, toArrayBuffer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { hostname as systemHostname } from "node:os";
import { CrmExit, HactlError } from "../terms/index.ts";
import { errno, errorName, libc, address as pointerTo } from "./libc.ts";

/** One address of one interface of this machine. */
export interface LocalAddress {
  readonly interface: string;
  readonly family: 4 | 6;
  /** Without a zone. */
  readonly address: string;
  readonly prefix: number;
}

/**
 * Addresses by family as struct sockaddr has them: where they begin, and their length (ip(7), ipv6(7)). AF_INET and AF_INET6
 * of Linux.
 */
const families: ReadonlyMap<number, { readonly family: 4 | 6; readonly at: number; readonly bytes: number }> =
  new Map([
    [2, { family: 4, at: 4, bytes: 4 }],
    [10, { family: 6, at: 8, bytes: 16 }],
  ]);

/**
 * All addresses of the interfaces of this machine, also of those that are down or have no cable: `os.networkInterfaces()`
 * leaves these out, but a service can be bound to them (getifaddrs(3); the structure is that of 64-bit Linux).
 */
export function localAddresses(): readonly LocalAddress[] {
  const head = new BigUint64Array(1);
  if (libc().getifaddrs(pointerTo(head)) !== 0)
    throw new HactlError({
      code: "INTERFACES",
      what: `the addresses of this machine cannot be read: ${errorName(errno())}`,
      exit: CrmExit.OSERR,
    });
  const [first = 0n] = head;
  const found: LocalAddress[] = [];
  try {
    for (let at = Number(first); at !== 0; at = read.ptr(at as Pointer)) {
      const [name, address, netmask] = [8, 24, 32].map((offset) => read.ptr(at as Pointer, offset));
      const kind = address ? families.get(read.u16(address as Pointer)) : undefined;
      if (!name || !address || !kind) continue;
      found.push({
        interface: new CString(name as Pointer).toString(),
        family: kind.family,
        address: addressText(bytesAt(address, kind)),
        prefix: netmask ? bitsOf(bytesAt(netmask, kind)) : kind.bytes * 8,
      });
    }
  } finally {
    libc().freeifaddrs(first);
  }
  return found;
}

const bytesAt = (sockaddr: number, { at, bytes }: { readonly at: number; readonly bytes: number }) =>
  // A copy: the original is freed.
  new Uint8Array(toArrayBuffer(sockaddr as Pointer, at, bytes)).slice();

const bitsOf = (mask: Uint8Array): number =>
  mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);

/** Of IPv6 in the form of RFC 5952. */
function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const words = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
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
