import { expect, test } from "bun:test";
import { nodeId } from "../../src/terms/index.ts";
import { SendQueue } from "../../src/totem/srp/send-queue.ts";

const self = nodeId(1);
const ring = { representative: self, sequence: 4, memberDigest: 7 };

/** So many messages of 64 KB go in, and all but the last go out. */
function sendAllButOne(queue: SendQueue, count: number): WeakRef<Uint8Array>[] {
  const sent = Array.from({ length: count }, () => {
    const payload = new Uint8Array(65_536);
    queue.push(payload, "agreed");
    return new WeakRef(payload);
  });
  for (let sequence = 1; queue.length > 1; sequence++) queue.pack(self, ring, sequence, 1400);
  return sent;
}

test("messages that have gone out are not held in memory while others wait", async () => {
  const queue = new SendQueue();
  const sent = sendAllButOne(queue, 400);
  await Bun.sleep(0);
  Bun.gc(true);
  // A reference or two may still lie on the stack.
  expect(sent.filter((payload) => payload.deref() !== undefined).length).toBeLessThan(10);
  expect(queue.length).toBe(1);
});
