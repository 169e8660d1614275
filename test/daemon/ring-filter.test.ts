import { describe, expect, test } from "bun:test";
import { stampFilter } from "../../src/daemon/ring-filter.ts";
import { openUdp, type UdpSocket } from "../../src/platform/index.ts";
import { nodeId } from "../../src/terms/index.ts";
import { clusterKey, Seal } from "../../src/totem/index.ts";

const [one, two] = [nodeId(1), nodeId(2)];
const [key, next, other] = [1, 2, 3].map((byte) => clusterKey(Buffer.alloc(64, byte), "east")) as [
  ReturnType<typeof clusterKey>,
  ReturnType<typeof clusterKey>,
  ReturnType<typeof clusterKey>,
];
const end = Buffer.from("end");

const sealWith = (cluster: typeof key) =>
  new Seal({ self: one, peers: [two], salt: Buffer.from("incarnat"), key: cluster });

/** A receiver with the filter of some keys, and what comes through it until the socket takes all again. */
async function through(
  bind: string,
  keys: readonly (typeof key)[],
  datagrams: readonly Uint8Array[],
): Promise<string[]> {
  const received: string[] = [];
  const done = Promise.withResolvers<void>();
  const ignore = { error: () => {} };
  const receiver = await openUdp(bind, 0, {
    ...ignore,
    datagram: (data) => {
      if (Buffer.compare(data, end) === 0) done.resolve();
      else received.push(Buffer.from(data).toString("hex"));
    },
  });
  const sender: UdpSocket = await openUdp(bind, 0, { ...ignore, datagram: () => {} });
  expect(receiver.filter(stampFilter(keys.map(({ stamp }) => stamp)))).toBeUndefined();
  for (const datagram of datagrams) sender.send(datagram, receiver.port, bind);
  expect(receiver.filter(undefined)).toBeUndefined();
  sender.send(end, receiver.port, bind);
  await done.promise;
  for (const socket of [receiver, sender]) socket.close();
  return received;
}

/** Every datagram with one bit of its header and stamp changed, and every one that is too short for it. */
function damaged(sealed: Uint8Array): Buffer[] {
  const flipped = Array.from({ length: 28 * 8 }, (_, bit) => {
    const copy = Buffer.from(sealed);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy;
  });
  return [...flipped, ...Array.from({ length: 28 }, (_, length) => Buffer.from(sealed.subarray(0, length)))];
}

describe("the kernel's filter", () => {
  for (const bind of ["127.0.0.1", "::1"])
    test(`takes what has the key and nothing else (${bind})`, async () => {
      const seal = sealWith(key);
      const genuine = Array.from({ length: 200 }, (_, at) =>
        seal.seal(Buffer.alloc(6, at), Buffer.alloc(at * 7)),
      );
      const forged = damaged(seal.seal(Buffer.from("head"), Buffer.from("body")));
      const strange = sealWith(other).seal(Buffer.from("head"), Buffer.from("body"));
      const taken = await through(bind, [key], [...forged, strange, ...genuine, ...forged]);
      expect(taken).toEqual(genuine.map((datagram) => Buffer.from(datagram).toString("hex")));
    });

  test("takes what has either key while the key changes", async () => {
    const [before, after, never] = [key, next, other].map((cluster) =>
      sealWith(cluster).seal(Buffer.from("head"), Buffer.from("body")),
    ) as [Uint8Array, Uint8Array, Uint8Array];
    const taken = await through("127.0.0.1", [next, key], [before, never, after]);
    expect(taken).toEqual([before, after].map((datagram) => Buffer.from(datagram).toString("hex")));
  });

  test("takes what has either of two keys with one id", async () => {
    const twin = { ...other, id: key.id, stamp: { ...other.stamp, id: key.id } };
    const all = [key, twin].map((cluster) =>
      sealWith(cluster).seal(Buffer.from("head"), Buffer.from("body")),
    );
    expect(await through("127.0.0.1", [key, twin], all)).toHaveLength(2);
  });

  test("is left out when there are more keys than it has room for", () => {
    expect(stampFilter(Array.from({ length: 5 }, () => key.stamp))).toBeUndefined();
    expect(stampFilter(Array.from({ length: 4 }, () => key.stamp))?.length).toBeLessThanOrEqual(4096);
  });
});
