/**
 * A switch in user space between TAP interfaces, for kernels without netem: it loses, delays, doubles and reorders
 * frames and cuts directions as told. Arguments: the ports as JSON. Commands are lines of JSON on standard input, each
 * answered with a line. It ends with its standard input, and its interfaces with it. Needs root.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { readSync, writeSync } from "node:fs";
import { run } from "./network.ts";

/** One end of a cable. */
export interface WirePort {
  /** Number of the host, from 1. */
  readonly host: number;
  readonly link: number;
  readonly namespace: string;
  readonly address: string;
  /** A second address, of IPv6. */
  readonly address6?: string;
}

/** What happens to frames of one direction. Probabilities are 0 … 1. */
export interface WireRule {
  readonly cut?: boolean;
  readonly loss?: number;
  readonly delayMs?: number;
  /** Added at random, at most so much; frames may then overtake each other. */
  readonly jitterMs?: number;
  readonly duplicate?: number;
  /** Probability that a frame waits `reorderMs` more. */
  readonly reorder?: number;
  readonly reorderMs?: number;
}

/** A rule for the frames from some hosts to some hosts on a link; what is left out means all. */
export interface WireCommand {
  readonly from?: readonly number[];
  readonly to?: readonly number[];
  readonly link?: number;
  readonly rule: WireRule;
}

/** Answer to a command: what the wire has done so far. */
export interface WireCounts {
  forwarded: number;
  lost: number;
  doubled: number;
}

const { i32, u64, i64, ptr: pointer } = FFIType;
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const O_RDWR_NONBLOCK = 0o4002;
const POLLIN = 1;
const POLLHUP = 16;

interface Port extends WirePort {
  readonly fd: number;
  readonly rules: Map<Port, WireRule>;
}

interface Late {
  readonly at: number;
  readonly to: Port;
  readonly frame: Uint8Array;
}

/** The hardware address of a port tells host and link, so the switch has nothing to learn. */
const macOf = ({ host, link }: WirePort) => [2, 0, 0, link, host >> 8, host & 255];

class Wire {
  readonly #libc = dlopen("libc.so.6", {
    open: { args: [pointer, i32], returns: i32 },
    ioctl: { args: [i32, u64, pointer], returns: i32 },
    poll: { args: [pointer, u64, i32], returns: i32 },
    read: { args: [i32, pointer, u64], returns: i64 },
    write: { args: [i32, pointer, u64], returns: i64 },
  }).symbols;
  readonly #ports: readonly Port[];
  readonly #late: Late[] = [];
  readonly #counts: WireCounts = { forwarded: 0, lost: 0, doubled: 0 };
  readonly #buffer = new Uint8Array(65536);
  #text = "";

  constructor(ports: readonly WirePort[]) {
    this.#ports = ports.map((port) => ({ ...port, fd: this.#open(port), rules: new Map() }));
    for (const port of this.#ports) for (const to of this.#ports) port.rules.set(to, {});
  }

  #open(port: WirePort): number {
    const name = `w${process.pid}.${port.host}.${port.link}`;
    const fd = this.#libc.open(ptr(Buffer.from("/dev/net/tun\0")), O_RDWR_NONBLOCK);
    const request = Buffer.alloc(40);
    request.write(name, 0, "latin1");
    request.writeUInt16LE(IFF_TAP | IFF_NO_PI, 16);
    if (fd < 0 || this.#libc.ioctl(fd, TUNSETIFF, ptr(request)) < 0)
      throw new Error(`no TAP interface ${name}`);
    const mac = macOf(port)
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join(":");
    const device = `eth${port.link}`;
    run("ip", "link", "set", name, "address", mac, "netns", port.namespace, "name", device);
    run("ip", "-n", port.namespace, "address", "add", `${port.address}/16`, "dev", device);
    const { address6 } = port;
    if (address6) run("ip", "-n", port.namespace, "address", "add", `${address6}/64`, "dev", device, "nodad");
    run("ip", "-n", port.namespace, "link", "set", device, "up");
    return fd;
  }

  /** Carries frames until standard input ends. */
  run(): void {
    const count = this.#ports.length + 1;
    const polled = Buffer.alloc(8 * count);
    for (let at = 0; at < count; at++) {
      polled.writeInt32LE(this.#ports[at - 1]?.fd ?? 0, 8 * at);
      polled.writeInt16LE(POLLIN, 8 * at + 4);
    }
    for (;;) {
      const next = this.#late[0];
      const wait = next ? Math.max(0, Math.ceil(next.at - performance.now())) : 1000;
      this.#libc.poll(ptr(polled), count, wait);
      if ((polled.readInt16LE(6) & (POLLIN | POLLHUP)) !== 0 && !this.#command()) return;
      for (const [at, port] of this.#ports.entries()) {
        if ((polled.readInt16LE(8 * (at + 1) + 6) & POLLIN) !== 0) this.#drain(port);
      }
      this.#sendLate();
    }
  }

  #drain(from: Port): void {
    // Not for ever: the others have a turn too.
    for (let frames = 0; frames < 64; frames++) {
      const length = Number(this.#libc.read(from.fd, ptr(this.#buffer), this.#buffer.length));
      if (length <= 0) return;
      const frame = this.#buffer.subarray(0, length);
      const toAll = ((frame[0] ?? 0) & 1) === 1;
      for (const to of this.#ports) {
        if (to === from || to.link !== from.link) continue;
        if (toAll || macOf(to).every((byte, at) => frame[at] === byte)) this.#carry(from, to, frame);
      }
    }
  }

  #carry(from: Port, to: Port, frame: Uint8Array): void {
    const rule = from.rules.get(to) ?? {};
    if (rule.cut || Math.random() < (rule.loss ?? 0)) {
      this.#counts.lost++;
      return;
    }
    const copies = Math.random() < (rule.duplicate ?? 0) ? 2 : 1;
    this.#counts.doubled += copies - 1;
    for (let copy = 0; copy < copies; copy++) {
      const held = Math.random() < (rule.reorder ?? 0) ? (rule.reorderMs ?? 5) : 0;
      const delay = (rule.delayMs ?? 0) + Math.random() * (rule.jitterMs ?? 0) + held;
      this.#counts.forwarded++;
      if (delay > 0) this.#later({ at: performance.now() + delay, to, frame: frame.slice() });
      else this.#libc.write(to.fd, ptr(frame), frame.length);
    }
  }

  #later(late: Late): void {
    let low = 0;
    let high = this.#late.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#late[middle]?.at ?? 0) <= late.at) low = middle + 1;
      else high = middle;
    }
    this.#late.splice(low, 0, late);
  }

  #sendLate(): void {
    const now = performance.now();
    for (let next = this.#late[0]; next && next.at <= now; next = this.#late[0]) {
      this.#late.shift();
      this.#libc.write(next.to.fd, ptr(next.frame), next.frame.length);
    }
  }

  /** Reads commands; false at the end of the input. */
  #command(): boolean {
    const bytes = Buffer.alloc(65536);
    const length = readSync(0, bytes);
    if (length === 0) return false;
    const lines = (this.#text + bytes.toString("utf8", 0, length)).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const { from, to, link, rule } = JSON.parse(line) as WireCommand;
      for (const sender of this.#ports) {
        if ((from && !from.includes(sender.host)) || (link !== undefined && sender.link !== link)) continue;
        for (const receiver of this.#ports)
          if (!to || to.includes(receiver.host)) sender.rules.set(receiver, rule);
      }
      writeSync(1, `${JSON.stringify(this.#counts)}\n`);
    }
    return true;
  }
}

if (import.meta.main) {
  const wire = new Wire(JSON.parse(process.argv[2] ?? "[]") as WirePort[]);
  writeSync(1, "ready\n");
  wire.run();
}
