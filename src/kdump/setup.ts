import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CrmExit, HactlError } from "../terms/index.ts";
import { clusterConf, readKdumpConf, writeKdumpConf } from "./kdump-conf.ts";
import { noticeKey } from "./notice.ts";
import { smallSender } from "./small-sender.ts";

/** Where kdump looks for the sender (kdump-utils, FENCE_KDUMP_SEND); older fence-agents had it in /usr/sbin. */
export const senderPath = "/usr/libexec/fence_kdump_send";
export const kdumpConfPath = "/etc/kdump.conf";
export const clusterConfPath = "/etc/cluster/cluster.conf";
/** Key with which this node signs its notices, and its name: `NODE HEX`. */
export const noticeKeyPath = "/etc/hactl/kdump.key";

export interface KdumpSetup {
  /** Directory that stands for `/`. */
  readonly root: string;
  readonly clusterName: string;
  readonly self: string;
  /** All nodes; addresses in the order of the links. */
  readonly nodes: readonly {
    readonly name: string;
    readonly id: number;
    readonly addresses: readonly string[];
  }[];
  readonly port: number;
  /** Seconds between notices. */
  readonly intervalSeconds: number;
  /** Sender of the system if there is one, the small script, or hactl itself. */
  readonly sender: "system" | "small" | "hactl";
  /** Path of the executable, for `sender: "hactl"`. */
  readonly executable: string;
  /** For `signed`: the cluster's key. */
  readonly signWith: Uint8Array | undefined;
  /** Write cluster.conf as well, for kexec-tools before 2.0.0-280. */
  readonly clusterConf: boolean;
}

/** One thing that was done, or was already so. */
export interface SetupStep {
  readonly changed: boolean;
  readonly text: string;
}

/**
 * Writes what kdump needs to send notices. Everything else in the files stays; what is right already is not touched.
 * Throws HactlError when this node or the others are not known.
 */
export function setUpKdump(setup: KdumpSetup): SetupStep[] {
  const others = setup.nodes.filter(({ name }) => name !== setup.self);
  if (others.length === setup.nodes.length || others.length === 0)
    throw new HactlError({
      code: "KDUMP_NODES",
      what: `the node list does not name "${setup.self}" and others`,
      cure: "name this node with --node, and list all nodes in hactl.toml",
      exit: CrmExit.CONFIG,
    });
  if (setup.sender === "hactl" && setup.root === "/" && !existsSync(setup.executable))
    throw new HactlError({
      code: "KDUMP_SENDER",
      what: `${setup.executable} is not there`,
      exit: CrmExit.NOINPUT,
    });
  const file = (path: string) => join(setup.root, path);
  const steps: SetupStep[] = [];
  // Numeric addresses: a crash kernel has no name service, and every link is a way.
  const targets = others.flatMap(({ addresses, name }) => (addresses.length > 0 ? addresses : [name]));
  const args = [
    ...(setup.port === 7410 ? [] : [`-p ${setup.port}`]),
    ...(setup.intervalSeconds === 10 ? [] : [`-i ${setup.intervalSeconds}`]),
  ].join(" ");
  const confPath = file(kdumpConfPath);
  const before = existsSync(confPath) ? readFileSync(confPath, "utf8") : "";
  let text = writeKdumpConf(before, { nodes: targets, args });
  if (setup.signWith) text = withLine(text, `dracut_args --include ${noticeKeyPath} ${noticeKeyPath}`);
  if (setup.sender === "hactl") text = withLine(text, `extra_bins ${setup.executable}`);
  const now = readKdumpConf(before);
  const same =
    now.nodes.join(" ") === targets.join(" ") && now.args === args && sorted(text) === sorted(before);
  steps.push(
    put(confPath, same ? before : text, 0o644, `${kdumpConfPath}: fence_kdump_nodes ${targets.join(" ")}`),
  );
  steps.push(sender(setup, file(senderPath)));
  if (setup.signWith) {
    const key = noticeKey(setup.signWith, setup.self).toString("hex");
    steps.push(
      put(
        file(noticeKeyPath),
        `${setup.self} ${key}\n`,
        0o400,
        `${noticeKeyPath}: key for this node's notices`,
      ),
    );
  }
  if (setup.clusterConf) {
    const conf = clusterConf(setup.clusterName, setup.nodes);
    steps.push(put(file(clusterConfPath), conf, 0o644, `${clusterConfPath}: nodes and fence_kdump`));
  }
  return steps;
}

const sorted = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .sort()
    .join("\n");

const withLine = (text: string, line: string) =>
  text.split("\n").includes(line) ? text : `${text}${line}\n`;

function sender(setup: KdumpSetup, path: string): SetupStep {
  const present = existsSync(path);
  if (setup.sender === "system" && present)
    return { changed: false, text: `${senderPath}: the system's sender` };
  // kdump copies the file into its image: a link would be copied as what it leads to.
  if (setup.sender === "hactl") {
    const script = `#!/bin/sh\nexec ${setup.executable} kdump-send "$@"\n`;
    return put(path, script, 0o755, `${senderPath}: calls ${setup.executable}`);
  }
  return put(path, smallSender, 0o755, `${senderPath}: the small sender of hactl`);
}

/** Writes a file by way of a new one beside it, unless it has that text already. */
function put(path: string, text: string, mode: number, what: string): SetupStep {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return { changed: false, text: what };
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.hactl-new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode });
  chmodSync(fresh, mode);
  renameSync(fresh, path);
  return { changed: true, text: what };
}
