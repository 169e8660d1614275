import { expect, test } from "bun:test";
import { duplexPair } from "node:stream";
import { RemoteAllowances } from "../../src/daemon/remote-allowances.ts";
import { UserAllowances, userFrames } from "../../src/daemon/user-allowances.ts";
import { hostLimits, userLimits, workOfEvent, workOfRequest } from "../../src/daemon/work.ts";
import { Allowance, type FrameConnection } from "../../src/platform/index.ts";
import { Channel } from "../../src/remote/channel.ts";
import { nodeName } from "../../src/terms/index.ts";

test("over any long time somebody gets his share and no more, whatever he asks for", () => {
  let now = 0;
  const allowance = new Allowance({ share: 0.2, burstMs: 1000 }, () => now);
  let done = 0;
  // He asks again the moment that he is heard.
  while (now < 600_000) {
    now += allowance.waitMs;
    allowance.charge(10);
    done++;
  }
  expect(done * 10).toBeGreaterThan(0.2 * 600_000);
  expect(done * 10).toBeLessThan(0.2 * 600_000 + 1000 + 20);
  now += 5000;
  expect([allowance.waitMs, allowance.whole]).toEqual([0, false]);
  now += 60_000;
  expect(allowance.whole).toBe(true);
  // Bytes cost, too.
  allowance.charge(0, 100_000_000);
  expect(allowance.waitMs).toBe(20_000);
});

test("what everybody keeps costs more than what is looked at, and that more than a sign of life", () => {
  const asks = [
    workOfRequest({ type: "node" }),
    workOfRequest({ type: "status" }),
    workOfRequest({ type: "attributes-update", updates: [] }),
  ];
  expect(asks).toEqual([...asks].sort((a, b) => a - b));
  expect(new Set(asks).size).toBe(3);
  const asked = () => true;
  expect(workOfEvent({ type: "pong", requestId: 1 }, asked)).toBeLessThan(1);
  const load = workOfEvent({ type: "load", mode: "low", jobs: 1, reason: "" }, asked);
  expect(load).toBe(workOfRequest({ type: "attributes-update", updates: [] }));
});

test("a host that floods is named once in a minute, one that looks for a thousand resources is not", () => {
  let now = 0;
  const told: string[] = [];
  const hosts = new RemoteAllowances({ warning: (_id, text) => void told.push(text) }, () => now);
  const [calm, evil] = [nodeName("calm"), nodeName("evil")];
  for (let i = 0; i < 1000; i++) expect(hosts.charge(calm, 2, 400)).toBe(0);
  for (let i = 0; i < 3000; i++) hosts.charge(evil, 25, 400);
  // However much it was: no longer than a minute.
  expect(hosts.charge(evil, 0)).toBe(60_000);
  expect(told).toEqual(["remote node evil sends more than a host has to say: it is heard more slowly"]);
  expect(hosts.warnings()).toEqual(["remote node evil sends more than a host has to say"]);
  now += 60_000;
  expect(hosts.warnings()).toEqual([]);
  for (let i = 0; i < 3000; i++) hosts.charge(evil, 25, 400);
  expect(told).toHaveLength(2);
  expect(hostLimits.burstMs).toBeGreaterThan(1000 * 2);
});

test("only so many requests of a host wait, and its changes are made one after the other", async () => {
  const hosts = new RemoteAllowances({ warning: () => {} }, () => 0);
  const evil = nodeName("evil");
  let open = 0;
  let most = 0;
  const finish: (() => void)[] = [];
  const change = () => {
    most = Math.max(most, ++open);
    return new Promise<void>((resolve) => finish.push(() => resolve(void open--)));
  };
  const asked = Array.from({ length: 100 }, () =>
    hosts.asked(evil, true, change).then(
      () => "done",
      (error) => error.code,
    ),
  );
  for (let i = 0; i < 64; i++) {
    while (finish.length === 0) await Bun.sleep(0);
    finish.shift()?.();
  }
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer === "done")).toHaveLength(64);
  expect(answers.filter((answer) => answer === "BUSY")).toHaveLength(36);
  expect(most).toBe(1);
  // One that fails keeps nobody from the next.
  await expect(hosts.asked(evil, true, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await hosts.asked(evil, true, async () => 5)).toBe(5);
});

test("a channel that is held reads nothing until its time is over", async () => {
  const [theirs, ours] = duplexPair();
  const heard: unknown[] = [];
  const channel: Channel = new Channel(ours, {
    message: (message) => void heard.push(message),
    closed: () => {},
  });
  const other = new Channel(theirs, { message: () => {}, closed: () => {} });
  other.send(1);
  while (heard.length < 1) await Bun.sleep(1);
  channel.hold(200);
  other.send(2);
  await Bun.sleep(50);
  expect(heard).toEqual([1]);
  while (heard.length < 2) await Bun.sleep(5);
  channel.hold(60_000);
  channel.destroy();
  other.destroy();
});

/** A connection of a user, as far as who counts him looks at it. */
function connectionOf(uid: number) {
  const state = { paused: false, destroyed: false };
  const connection = {
    peer: { pid: 1, uid, gid: uid, groups: [] },
    pause: () => {
      state.paused = true;
    },
    resume: () => {
      state.paused = false;
    },
    destroy: () => {
      state.destroyed = true;
    },
  } as unknown as FrameConnection;
  return { connection, state };
}

test("a user has one share for all his connections; root has no limit, and other users do not feel it", async () => {
  let now = 0;
  const told: string[] = [];
  const users = new UserAllowances(
    (text) => void told.push(text),
    () => now,
  );
  const answered: number[] = [];
  const ask = ({ connection }: ReturnType<typeof connectionOf>, workMs: number) => {
    const uid = connection.peer?.uid ?? -1;
    users.take(connection, 100, async () => {
      users.charge(connection, workMs);
      answered.push(uid);
    });
  };
  const mine = [connectionOf(5), connectionOf(5)] as const;
  const other = connectionOf(6);
  const root = connectionOf(0);
  for (const { connection } of [...mine, other, root]) users.enter(connection);
  for (let i = 0; i < 500; i++) ask(mine[i % 2 === 0 ? 0 : 1], 25);
  await Bun.sleep(10);
  const ofBurst = answered.length;
  expect(ofBurst).toBeGreaterThanOrEqual(userLimits.burstMs / 25);
  expect(ofBurst).toBeLessThan(userLimits.burstMs / 25 + 5);
  expect(mine.map(({ state }) => state.paused)).toEqual([true, true]);
  for (let i = 0; i < 500; i++) ask(root, 25);
  ask(other, 25);
  expect(answered.filter((uid) => uid === 0)).toHaveLength(500);
  expect(answered.filter((uid) => uid === 6)).toHaveLength(1);
  expect([root.state.paused, other.state.paused]).toEqual([false, false]);
  expect(told).toEqual(["the user with uid 5 asks more than a user is answered: it has to wait"]);
  // What waits is answered when some of it has come back.
  now += 10_000;
  ask(mine[0], 25);
  expect(answered.filter((uid) => uid === 5).length).toBeGreaterThan(ofBurst);
  users.close();
});

test("a user has no more than so many connections and so many bytes", () => {
  const users = new UserAllowances(
    () => {},
    () => 0,
  );
  const many = Array.from({ length: 70 }, () => connectionOf(5));
  for (const { connection } of many) users.enter(connection);
  expect(many.filter(({ state }) => state.destroyed)).toHaveLength(6);
  const first = many[0]?.connection;
  if (first) users.leave(first);
  const next = connectionOf(5);
  users.enter(next.connection);
  expect(next.state.destroyed).toBe(false);
  const roots = Array.from({ length: 100 }, () => connectionOf(0));
  for (const { connection } of roots) users.enter(connection);
  expect(roots.filter(({ state }) => state.destroyed)).toEqual([]);
  expect(userFrames(next.connection.peer).maxBody).toBe(8 * 1024 * 1024);
  expect(userFrames(roots[0]?.connection.peer)).toEqual({});
});

test("who only connects and goes uses up his share, too", () => {
  const told: string[] = [];
  const users = new UserAllowances(
    (text) => void told.push(text),
    () => 0,
  );
  const last = Array.from({ length: 20_000 }, () => {
    const one = connectionOf(5);
    users.enter(one.connection);
    users.leave(one.connection);
    return one;
  }).at(-1);
  users.take(last?.connection as FrameConnection, 0, async () => {});
  expect(told).toHaveLength(1);
  users.close();
});
