import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { isatty } from "node:tty";
import { CrmExit, HactlError } from "../terms/index.ts";

/** Most that a file may hold, in bytes, also when it is unpacked, so that a small one cannot fill the memory: twice a CIB. */
const mostBytes = 128 * 1024 * 1024;

/**
 * Text of a file, unpacked if gzip or bzip2 has packed it; `-` is standard input. UTF-8 unless a byte order mark or an
 * XML declaration says otherwise.
 * @throws HactlError NO_FILE, FILE_KIND, TOO_LARGE, COMPRESSED_INPUT, BAD_ENCODING
 */
export const readText = (file: string): string => textOf(readBytes(file), file);

/**
 * Text of what a file holds. @throws HactlError COMPRESSED_INPUT, BAD_ENCODING
 */
export function textOf(content: Uint8Array, file: string): string {
  const bytes = unpacked(content, file);
  const encoding = encodingOf(bytes);
  try {
    // Labels that nobody knows are refused like texts that do not fit.
    return new TextDecoder(encoding as Bun.Encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HactlError({
      code: "BAD_ENCODING",
      what: `the file is not written in ${encoding}`,
      where: { file, ...lineOf(bytes, encoding) },
      cure: 'Save it as UTF-8, or name its encoding: <?xml version="1.0" encoding="ISO-8859-1"?>',
      exit: CrmExit.DATAERR,
      cause,
    });
  }
}

/** By the byte order mark, else by the XML declaration, whose signs are those of ASCII in every other encoding. */
function encodingOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 200));
  return /^<\?xml\s[^>]*\bencoding\s*=\s*["']([\w.-]+)["']/.exec(head)?.[1]?.toLowerCase() ?? "utf-8";
}

/** Line of the first byte that no character of UTF-8 begins or continues with. */
function lineOf(bytes: Uint8Array, encoding: string): { line?: number } {
  if (encoding !== "utf-8") return {};
  const at = new TextDecoder().decode(bytes).indexOf("\ufffd");
  if (at < 0) return {};
  return { line: new TextDecoder().decode(bytes).slice(0, at).split("\n").length };
}

function readBytes(file: string): Uint8Array<ArrayBuffer> {
  try {
    return bytesOf(file === "-" ? "/dev/stdin" : file, file);
  } catch (cause) {
    if (cause instanceof HactlError) throw cause;
    throw new HactlError({
      code: "NO_FILE",
      what: `${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
      where: { file },
      cure: "name a file that there is and that may be read, or - for standard input",
      exit: CrmExit.NOINPUT,
      cause,
    });
  }
}

/**
 * All that a file holds, or that comes through a pipe. A device gives without end what nobody means, but for a terminal and
 * for what is already open.
 * @param file how it is called
 * @throws HactlError FILE_KIND, TOO_LARGE, and the system's error when it cannot be read.
 */
export function bytesOf(path: string, file = path): Uint8Array<ArrayBuffer> {
  const opened = openSync(path, constants.O_RDONLY);
  try {
    const facts = fstatSync(opened);
    const isDevice = facts.isCharacterDevice() || facts.isBlockDevice();
    if (isDevice && !isatty(opened) && !/^\/(?:dev|proc\/self)\/(?:stdin$|fd\/)/.test(path))
      throw new HactlError({
        code: "FILE_KIND",
        what: "it is a device, no file",
        where: { file },
        cure: "name a regular file",
        exit: CrmExit.NOINPUT,
      });
    if (facts.size > mostBytes) throw tooLarge(file);
    const pieces: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const piece = new Uint8Array(1024 * 1024);
      const count = readSync(opened, piece);
      if (count === 0) return new Uint8Array(Buffer.concat(pieces));
      total += count;
      if (total > mostBytes) throw tooLarge(file);
      pieces.push(piece.subarray(0, count));
    }
  } finally {
    closeSync(opened);
  }
}

const tooLarge = (file: string): HactlError =>
  new HactlError({
    code: "TOO_LARGE",
    what: `the file holds more than ${mostBytes} bytes`,
    where: { file },
    cure: "name another: no CIB is so large",
    exit: CrmExit.DATAERR,
  });

/** gzip begins with 1F 8B, bzip2 with "BZh". */
function packerOf([first, second, third]: Uint8Array): "gzip" | "bzip2" | undefined {
  if (first === 0x1f && second === 0x8b) return "gzip";
  return first === 0x42 && second === 0x5a && third === 0x68 ? "bzip2" : undefined;
}

/** Whether a file's content is packed. */
export const isPacked = (bytes: Uint8Array): boolean => packerOf(bytes) !== undefined;

function unpacked(bytes: Uint8Array, file: string): Uint8Array {
  const packer = packerOf(bytes);
  return packer === undefined ? bytes : unpackedBy(packer, new Uint8Array(bytes), file);
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
    maxBuffer: mostBytes,
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
  });
  if (exitCode === 0) return stdout;
  const why = stderr.toString().trim().split("\n")[0] ?? "";
  throw fail(
    why === "" ? `the file holds more than ${mostBytes} bytes` : `the file cannot be unpacked: ${why}`,
    "Save it anew: it is damaged, or no CIB",
  );
}
