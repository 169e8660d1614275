import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  KdumpListener,
  NoticeSender,
  noticeKey,
  parseSendWords,
  plainAddress,
  plainNotice,
  probe,
  readNotice,
  type SenderWorld,
  type SendOptions,
  signedNotice,
  verifyNotice,
} from "../../src/kdump/index.ts";

const clusterKey = randomBytes(256);
const at = 1_800_000_000_000;

describe("the datagram", () => {
  test("the plain notice is the one of fence_kdump_send on x86", () => {
    expect(plainNotice("LE").toString("hex")).toBe("402a301b01000000");
    expect(plainNotice("BE").toString("hex")).toBe("1b302a4000000001");
  });

  test("both byte orders are read; what is short, wrong or of another version is not", () => {
    expect(readNotice(plainNotice("LE"))).toEqual({ kind: "plain" });
    expect(readNotice(plainNotice("BE"))).toEqual({ kind: "plain" });
    expect(readNotice(Buffer.alloc(7)).kind).toBe("invalid");
    expect(readNotice(Buffer.alloc(8)).kind).toBe("invalid");
    expect(readNotice(Buffer.from("402a301b02000000", "hex"))).toEqual({
      kind: "invalid",
      why: "version 2 is not known",
    });
    expect(readNotice(Buffer.concat([plainNotice(), Buffer.from([0])])).kind).toBe("invalid");
  });

  test("a signed notice begins with the plain one and proves its node and time", () => {
    const notice = signedNotice("vm01", noticeKey(clusterKey, "vm01"), at);
    expect(notice.subarray(0, 8)).toEqual(plainNotice());
    expect(readNotice(notice)).toEqual({ kind: "signed", node: "vm01", atMs: at });
    expect(verifyNotice(notice, noticeKey(clusterKey, "vm01"), at + 1000, 0)).toBe("");
  });

  test("the key of one node does not sign for another; nothing may be changed, recorded or old", () => {
    const key = noticeKey(clusterKey, "vm01");
    const notice = signedNotice("vm01", key, at);
    expect(verifyNotice(signedNotice("vm02", key, at), noticeKey(clusterKey, "vm02"), at, 0)).toBe(
      "wrong signature",
    );
    for (let index = 0; index < notice.length; index++) {
      const changed = Buffer.from(notice);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(verifyNotice(changed, key, at, 0)).not.toBe("");
    }
    expect(verifyNotice(notice, key, at, at)).toBe("sent before");
    expect(verifyNotice(notice, key, at + 301_000, 0)).toContain("clock");
  });

  test("random bytes are never taken for a notice and never throw", () => {
    for (let round = 0; round < 2000; round++) {
      const data = randomBytes(round % 120);
      if (round % 2 === 0) data.set(plainNotice().subarray(0, Math.min(8, data.length)));
      const notice = readNotice(data);
      expect(notice.kind === "plain").toBe(data.length === 8 && round % 2 === 0);
      if (notice.kind === "signed") expect(verifyNotice(data, clusterKey, at, 0)).not.toBe("");
    }
  });
});

describe("whose notice it is", () => {
  function listener(options: { acceptPlain?: boolean; clusterKey?: Uint8Array } = {}) {
    const heard: string[] = [];
    const logs: string[] = [];
    const opened = KdumpListener.open({
      ports: [],
      nodeOf: (address) => ({ "192.0.2.1": "vm01", "2001:db8::1": "vm01" })[address],
      knows: (node) => node === "vm01" || node === "vm02",
      now: () => at,
      onNotice: (node, signed) => void heard.push(`${node}${signed ? " signed" : ""}`),
      log: (_level, text) => void logs.push(text),
      ...options,
    });
    return { opened, heard, logs };
  }

  test("a plain one is told by its source address, on every link and in every spelling", async () => {
    const { opened, heard, logs } = listener();
    const one = await opened;
    for (const address of ["192.0.2.1", "::ffff:192.0.2.1", "2001:DB8::1%eth0", "192.0.2.2"])
      one.receive({ data: plainNotice(), address });
    expect(heard).toEqual(["vm01", "vm01", "vm01"]);
    expect(logs).toEqual(["kdump notice from 192.0.2.2, which is no address of a node; ignored"]);
    expect(one.counters).toEqual({ plain: 3, signed: 0, foreign: 1, invalid: 0 });
    expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
  });

  test("a signed one is told by its proof from wherever it comes; a recording is refused", async () => {
    const { opened, heard, logs } = listener({ clusterKey, acceptPlain: false });
    const one = await opened;
    const data = signedNotice("vm02", noticeKey(clusterKey, "vm02"), at);
    one.receive({ data, address: "198.51.100.9" });
    one.receive({ data, address: "198.51.100.9" });
    one.receive({ data: signedNotice("vm09", noticeKey(clusterKey, "vm09"), at), address: "198.51.100.8" });
    one.receive({ data: plainNotice(), address: "192.0.2.1" });
    expect(heard).toEqual(["vm02 signed"]);
    expect(logs).toEqual([
      'signed kdump notice of "vm02" from 198.51.100.9 refused: sent before',
      'signed kdump notice of "vm09" from 198.51.100.8 refused: the node is not in the cluster',
      "kdump notice of vm01 without signature ignored, as configured",
    ]);
  });

  test("garbage from one source is told once a minute", async () => {
    const { opened, logs } = listener();
    const one = await opened;
    for (let count = 0; count < 100; count++)
      one.receive({ data: Buffer.from("hello"), address: "192.0.2.7" });
    expect(logs).toEqual(["not a kdump notice from 192.0.2.7: 5 bytes are too few"]);
    expect(one.counters.invalid).toBe(100);
  });
});

test("strangers with any number of addresses fill no log, nor keep what comes from nodes out of it", async () => {
  const lines: string[] = [];
  const one = await KdumpListener.open({
    ports: [],
    nodeOf: (address) => (address === "192.0.2.1" ? "vm01" : undefined),
    knows: () => true,
    acceptPlain: false,
    now: () => at,
    onNotice: () => {},
    log: (_level, text) => void lines.push(text),
  });
  const address = (count: number) => `10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`;
  for (let count = 0; count < 100_000; count++)
    one.receive({ data: Buffer.alloc(count % 7), address: address(count) });
  expect(lines.length).toBe(20);
  one.receive({ data: plainNotice(), address: "192.0.2.1" });
  expect(lines.at(-1)).toBe("kdump notice of vm01 without signature ignored, as configured");
});

describe("options of the sender", () => {
  const options = (...words: string[]) => {
    const command = parseSendWords(words);
    if (command.type !== "send") throw new Error(command.type);
    return command.options;
  };

  test("they are those of fence_kdump_send", () => {
    expect(options("-p", "7411", "-f", "ipv4", "-c3", "-i", "2", "-v", "vm02", "vm03")).toEqual({
      port: 7411,
      family: "ipv4",
      count: 3,
      intervalMs: 2000,
      eager: false,
      verbose: true,
      keyFile: undefined,
      nodes: ["vm02", "vm03"],
    });
    expect(options("--ipport=9", "vm02", "--count", "0", "-vc1")).toMatchObject({
      port: 9,
      count: 1,
      verbose: true,
    });
    expect(options("vm02")).toMatchObject({ port: 7410, count: 0, intervalMs: 10_000, eager: true });
  });

  test("what is wrong is refused with its name", () => {
    for (const [words, what] of [
      [["-i", "0"], "interval"],
      [["-p", "70000"], "ipport"],
      [["-f", "ipx"], "ipx"],
      [["--nope"], "--nope"],
      [["-x"], "-x"],
      [["-c"], "-c needs a value"],
    ] as const)
      expect(() => parseSendWords(words)).toThrow(what);
  });
});

const send: SendOptions = {
  port: 0,
  family: "auto",
  count: 1,
  intervalMs: 10_000,
  eager: true,
  verbose: true,
  keyFile: undefined,
  nodes: [],
};

describe("sender and listener on the loopback interface", () => {
  async function open(port: number) {
    const heard: string[] = [];
    const listener = await KdumpListener.open({
      ports: [port],
      addresses: ["127.0.0.1", "::1"],
      nodeOf: (address) => (address === "127.0.0.1" ? "four" : address === "::1" ? "six" : undefined),
      knows: () => true,
      clusterKey,
      now: () => at,
      onNotice: (node, signed) => void heard.push(`${node}${signed ? " signed" : ""}`),
      log: () => {},
    });
    return { listener, heard };
  }

  test("names that are not known yet and addresses that refuse do not stop it; each gets its notice in the end", async () => {
    const { listener, heard } = await open(27_410);
    let clock = at;
    const slept: number[] = [];
    const world: SenderWorld = {
      // The name service comes up in the third round.
      resolve: async (name) => {
        if (name === "late" && slept.length < 2) throw Object.assign(new Error("no"), { code: "EAI_AGAIN" });
        return name === "late" ? ["127.0.0.1"] : name === "gone" ? ["127.0.0.9"] : ["::1"];
      },
      sleep: async (ms) => {
        slept.push(ms);
        clock += ms;
        if (slept.length === 12) sender.stop();
        await Bun.sleep(1);
      },
      now: () => clock,
      log: () => {},
    };
    const sender = new NoticeSender(
      { ...send, port: 27_410, count: 0, nodes: ["late", "gone", "six"] },
      undefined,
      world,
    );
    await sender.run();
    while (heard.length < 22) await Bun.sleep(1);
    expect(heard.filter((one) => one === "six").length).toBe(12);
    expect(heard.filter((one) => one === "four").length).toBe(10);
    expect(slept).toEqual([...new Array(9).fill(1000), 10_000, 10_000, 10_000]);
    await listener.close();
  });

  test("signed notices arrive as such, and a probe is answered to nodes", async () => {
    const { listener, heard } = await open(27_411);
    const world = { resolve: async () => ["127.0.0.1"], sleep: async () => {}, now: () => at, log: () => {} };
    const identity = { node: "vm02", key: noticeKey(clusterKey, "vm02") };
    expect(await new NoticeSender({ ...send, port: 27_411, nodes: ["x"] }, identity, world).run()).toBe(1);
    while (heard.length < 1) await Bun.sleep(1);
    expect(heard).toEqual(["vm02 signed"]);
    expect(await probe("127.0.0.1", 27_411, 1000)).toBe("heard");
    expect(listener.bound).toEqual(["127.0.0.1:27411", "::1:27411"]);
    await listener.close();
    expect(await probe("127.0.0.1", 27_411, 50)).not.toBe("heard");
  });
});
