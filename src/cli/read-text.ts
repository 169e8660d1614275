import { readFileSync } from "node:fs";
import { CrmExit, HactlError } from "../terms/index.ts";

/** Most that a compressed file may hold, in bytes, so that a small one cannot fill the memory. */
const mostUnpacked = 1 << 30;

/**
 * Text of a file, unpacked if gzip or bzip2 has packed it; `-` is standard input.
 * @throws HactlError NO_FILE, COMPRESSED_INPUT
 */
export function readText(file: string): string {
  return new TextDecoder().decode(unpacked(readBytes(file), file));
}

function readBytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(file === "-" ? "/dev/stdin" : file));
  } catch (cause) {
    throw new HactlError({
      code: "NO_FILE",
      what: `the file cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
      where: { file },
      exit: CrmExit.NOINPUT,
      cause,
    });
  }
}

/** gzip begins with 1F 8B, bzip2 with "BZh". */
function unpacked(bytes: Uint8Array<ArrayBuffer>, file: string): Uint8Array {
  const [first, second, third] = bytes;
  if (first === 0x1f && second === 0x8b) return unpackedBy("gzip", bytes, file);
  if (first === 0x42 && second === 0x5a && third === 0x68) return unpackedBy("bzip2", bytes, file);
  return bytes;
}

/** Nothing that comes with the runtime unpacks bzip2, so that the system's program does. */
function unpackedBy(program: "gzip" | "bzip2", bytes: Uint8Array<ArrayBuffer>, file: string): Uint8Array {
  const fail = (what: string, cure: string) =>
    new HactlError({ code: "COMPRESSED_INPUT", what, where: { file }, cure, exit: CrmExit.DATAERR });
  if (Bun.which(program) === null)
    throw fail(
      `the file is packed with ${program}, and there is no ${program} to unpack it`,
      `Install ${program}, or give the file unpacked`,
    );
  const { exitCode, stdout, stderr } = Bun.spawnSync([program, "-dc"], {
    stdin: bytes,
    maxBuffer: mostUnpacked,
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
  });
  if (exitCode === 0) return stdout;
  const why = stderr.toString().trim().split("\n")[0] ?? "";
  throw fail(
    why === "" ? `the file holds more than ${mostUnpacked} bytes` : `the file cannot be unpacked: ${why}`,
    "Save it anew: it is damaged, or no CIB",
  );
}
