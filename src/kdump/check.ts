import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readKdumpConf } from "./kdump-conf.ts";
import { probe } from "./reach.ts";
import { kdumpConfPath, senderPath } from "./setup.ts";

/** One finding of `hactl kdump check`. */
export interface KdumpFinding {
  readonly ok: boolean;
  readonly what: string;
  /** What to do, when it is not ok. */
  readonly cure: string;
}

export interface KdumpCheck {
  /** Directory that stands for `/`. */
  readonly root: string;
  readonly self: string;
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly port: number;
  readonly timeoutMs: number;
  /** Lists an initrd's files; undefined when no program for it is installed. */
  readonly listInitrd: ((path: string) => Promise<string | undefined>) | undefined;
}

const finding = (ok: boolean, what: string, cure: string): KdumpFinding => ({ ok, what, cure });

/** Looks at everything between a crash and the cluster's knowing of it, without crashing. */
export async function checkKdump(check: KdumpCheck): Promise<KdumpFinding[]> {
  return [
    ...checkKernel(check.root),
    ...checkFiles(check),
    ...(await checkInitrd(check)),
    ...(await checkPeers(check)),
  ];
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function checkKernel(root: string): KdumpFinding[] {
  const reserved = /\bcrashkernel=\S+/.exec(text(join(root, "proc/cmdline")))?.[0];
  const loaded = text(join(root, "sys/kernel/kexec_crash_loaded")).trim() === "1";
  return [
    finding(
      reserved !== undefined,
      reserved === undefined ? "no memory is reserved for a crash kernel" : `memory is reserved: ${reserved}`,
      "add crashkernel= to the kernel's command line (256M for an image with hactl in it) and restart the node",
    ),
    finding(
      loaded,
      loaded ? "a crash kernel is loaded" : "no crash kernel is loaded",
      "systemctl enable --now kdump",
    ),
  ];
}

function checkFiles({ root, self, nodes }: KdumpCheck): KdumpFinding[] {
  const conf = readKdumpConf(text(join(root, kdumpConfPath)));
  const own = nodes.find(({ name }) => name === self);
  const others = nodes.filter(({ name }) => name !== self);
  const told = (node: { readonly name: string; readonly addresses: readonly string[] }) =>
    conf.nodes.some((one) => one === node.name || node.addresses.includes(one));
  const missing = others.filter((node) => !told(node)).map(({ name }) => name);
  const itself = own !== undefined && told(own);
  const sender = join(root, senderPath);
  const executable = existsSync(sender) && (statSync(sender).mode & 0o111) !== 0;
  return [
    finding(
      missing.length === 0 && conf.nodes.length > 0,
      missing.length === 0
        ? `${kdumpConfPath} names all other nodes`
        : `${kdumpConfPath} does not name ${missing.join(", ")}`,
      "hactl kdump setup",
    ),
    finding(
      !itself,
      itself
        ? `${kdumpConfPath} names this node itself, which kdump refuses`
        : "it does not name this node itself",
      "hactl kdump setup",
    ),
    finding(
      executable,
      executable ? `${senderPath} is there` : `${senderPath} is missing`,
      "hactl kdump setup",
    ),
  ];
}

/** The newest kdump image: of RHEL in /boot, of Debian in /var/lib/kdump. */
function findInitrd(root: string): string | undefined {
  const directories = ["boot", "var/lib/kdump"]
    .map((one) => join(root, one))
    .filter((one) => existsSync(one));
  return directories
    .flatMap((directory) =>
      readdirSync(directory)
        .filter((name) => /^(?:initramfs-.*kdump\.img|initrd\.img-.*|initrd-.*kdump)$/.test(name))
        .filter((name) => name.includes("kdump") || directory.endsWith("kdump"))
        .map((name) => join(directory, name)),
    )
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

async function checkInitrd({ root, listInitrd }: KdumpCheck): Promise<KdumpFinding[]> {
  const rebuild =
    "kdumpctl rebuild && kdumpctl restart (touch /etc/kdump.conf && kdumpctl restart on old systems)";
  const image = findInitrd(root);
  if (image === undefined) return [finding(false, "there is no kdump image", rebuild)];
  const conf = join(root, kdumpConfPath);
  const stale = existsSync(conf) && statSync(conf).mtimeMs > statSync(image).mtimeMs;
  const age = finding(
    !stale,
    stale ? `${image} is older than ${kdumpConfPath}` : `${image} is up to date`,
    rebuild,
  );
  const list = await listInitrd?.(image);
  if (list === undefined)
    return [age, finding(false, "its contents are not known: lsinitrd is not installed", "install dracut")];
  const inside = /\bfence_kdump_send\b|\bbin\/hactl\b/.test(list);
  return [
    age,
    finding(inside, inside ? "the sender is in the image" : "the sender is not in the image", rebuild),
  ];
}

async function checkPeers({ self, nodes, port, timeoutMs }: KdumpCheck): Promise<KdumpFinding[]> {
  const ways = nodes
    .filter(({ name }) => name !== self)
    .flatMap(({ name, addresses }) => addresses.map((address) => ({ name, address })));
  return await Promise.all(
    ways.map(async ({ name, address }) => {
      const answer = await probe(address, port, timeoutMs);
      const why = answer === "silent" ? "does not answer" : answer;
      return finding(
        answer === "heard",
        answer === "heard"
          ? `${name} hears us at ${address} port ${port}`
          : `${name} at ${address} port ${port}: ${why}`,
        "hactl must run there with [kdump] listen = true, and its firewall must let UDP in on that port",
      );
    }),
  );
}
