import { existsSync, readFileSync } from "node:fs";
import { configFile, loadConfigFile } from "../../config/index.ts";
import {
  type NoticeIdentity,
  NoticeSender,
  noticeKeyPath,
  parseSendWords,
  resolveName,
  type SendOptions,
} from "../../kdump/index.ts";
import { localAddresses, wallMs } from "../../platform/index.ts";
import { CrmExit, HactlError } from "../../terms/index.ts";
import { writeError, writeOut } from "../output.ts";

const help = `Usage: hactl kdump-send [OPTION]… [NODE]…
Tells the nodes of the cluster that this one writes a crash dump; for a crash kernel. The same as fence_kdump_send.

  -p, --ipport=PORT        UDP port of the listeners (default: 7410)
  -f, --family=FAMILY      auto, ipv4 or ipv6 (default: auto)
  -c, --count=COUNT        notices to each node, 0 for ever (default: 0)
  -i, --interval=SECONDS   time between notices (default: 10; without it, the first ten notices come each second)
  -k, --key=FILE           sign with the key of this file (default: ${noticeKeyPath} if it is there)
  -v, --verbose            say what is sent
  -V, --version            print the version
  -h, --help               print this

Without NODE, all other nodes of hactl.toml are told, at all their addresses.
`;

/** Runs `fence_kdump_send` and `hactl kdump-send`. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const command = parseSendWords(args);
    if (command.type === "help") {
      writeOut(help);
      return CrmExit.OK;
    }
    if (command.type === "version") return (await import("../version.ts")).printVersion([]);
    return await send(command.options);
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    writeError(`fence_kdump_send: ${error.what}${error.cure ? `. ${error.cure}` : ""}\n`);
    return error.exit;
  }
}

async function send(asked: SendOptions): Promise<number> {
  const options = asked.nodes.length > 0 ? asked : { ...asked, nodes: otherNodes() };
  const sender = new NoticeSender(options, identity(options.keyFile), {
    resolve: resolveName,
    sleep: (ms) => Bun.sleep(ms),
    now: wallMs,
    log: (text) => void writeError(`fence_kdump_send: ${text}\n`),
  });
  const sent = await sender.run();
  return sent > 0 ? CrmExit.OK : CrmExit.ERROR;
}

/** Every address in the node list that is not one of this machine's; a crash kernel may have lost its host name. */
function otherNodes(): string[] {
  const config = loadConfigFile(configFile(), "text");
  const own = new Set(localAddresses().map(({ address }) => address));
  const others = config.nodes.filter(({ addresses }) => ![...addresses.values()].some((one) => own.has(one)));
  const targets = others.flatMap(({ addresses, written, name }) => {
    const known = [...new Set([...addresses.values(), ...written.values()])];
    return known.length > 0 ? known : [name as string];
  });
  if (targets.length > 0) return targets;
  throw new HactlError({
    code: "KDUMP_NODES",
    what: `${configFile()} names no other node`,
    cure: "name the nodes in the command",
    exit: CrmExit.NOT_CONFIGURED,
  });
}

/** The signing key, `NODE HEX` in one line. A file that was named must be right; the usual one is used if it is. */
function identity(file: string | undefined): NoticeIdentity | undefined {
  const path = file ?? noticeKeyPath;
  if (file === undefined && !existsSync(path)) return undefined;
  let line = "";
  try {
    line = readFileSync(path, "utf8").trim();
  } catch (error) {
    // An unsigned notice is better than none; but who names a file wants it.
    if (file === undefined) return undefined;
    throw error;
  }
  const match = /^(\S+) ([0-9a-f]{64})$/.exec(line);
  if (match?.[1] && match[2]) return { node: match[1], key: Buffer.from(match[2], "hex") };
  if (file === undefined) return undefined;
  throw new HactlError({
    code: "KDUMP_KEY",
    what: `${path} is not a key for notices`,
    cure: "hactl kdump setup --sign writes it",
    exit: CrmExit.DATAERR,
  });
}
