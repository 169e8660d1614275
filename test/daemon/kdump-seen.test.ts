import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptNotices } from "../../src/daemon/kdump-seen.ts";
import { KdumpListener, noticeKey, signedNotice } from "../../src/kdump/index.ts";

const clusterKey = Buffer.alloc(256, 7);
const at = 1_800_000_000_000;
const log = { warning: (_id: string, text: string) => expect(text).toBe("") };

test("a signed notice that was recorded is not believed again by a manager that was started anew", async () => {
  const directory = mkdtempSync(join(tmpdir(), "kdump-"));
  const heard: string[] = [];
  const listen = () =>
    KdumpListener.open({
      ports: [],
      nodeOf: () => undefined,
      knows: () => true,
      clusterKey,
      newest: keptNotices(directory, log),
      now: () => at + 60_000,
      onNotice: (node) => void heard.push(node),
      log: () => {},
    });
  const file = join(directory, "kdump-notices");
  const recorded = { data: signedNotice("vm01", noticeKey(clusterKey, "vm01"), at), address: "192.0.2.9" };
  (await listen()).receive(recorded);
  expect(heard).toEqual(["vm01"]);
  while (!existsSync(file)) await Bun.sleep(1);
  const next = await listen();
  next.receive(recorded);
  expect([heard, next.counters.invalid]).toEqual([["vm01"], 1]);
  // A newer one of the same node is, and one of another node.
  next.receive({ ...recorded, data: signedNotice("vm01", noticeKey(clusterKey, "vm01"), at + 1) });
  next.receive({ ...recorded, data: signedNotice("vm02", noticeKey(clusterKey, "vm02"), at) });
  expect(heard).toEqual(["vm01", "vm01", "vm02"]);
  while (!(await Bun.file(file).text()).includes("vm02")) await Bun.sleep(1);
  // What cannot be read is as if nothing had been heard.
  writeFileSync(file, "[[");
  (await listen()).receive(recorded);
  expect(heard).toHaveLength(4);
  while (!(await Bun.file(file).text()).endsWith("]]")) await Bun.sleep(1);
  rmSync(directory, { recursive: true });
});

test("without plain notices a spoofed address is worth nothing", async () => {
  const heard: string[] = [];
  const logs: string[] = [];
  const listener = await KdumpListener.open({
    ports: [],
    nodeOf: () => "vm01",
    knows: () => true,
    clusterKey,
    acceptPlain: false,
    now: () => at,
    onNotice: (node, signed) => void heard.push(`${node} ${signed}`),
    log: (_level, text) => void logs.push(text),
  });
  const signed = signedNotice("vm01", noticeKey(clusterKey, "vm01"), at);
  for (let i = 0; i < 100; i++) listener.receive({ data: signed.subarray(0, 8), address: "192.0.2.1" });
  for (let cut = 1; cut < signed.length; cut++)
    listener.receive({ data: signed.subarray(0, cut), address: "192.0.2.1" });
  expect(heard).toEqual([]);
  expect(logs).toHaveLength(1);
  listener.receive({ data: signed, address: "192.0.2.1" });
  expect(heard).toEqual(["vm01 true"]);
});
