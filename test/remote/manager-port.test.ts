import { expect, test } from "bun:test";
import { duplexPair } from "node:stream";
import { PROTOCOL_VERSION } from "../../src/executor/index.ts";
import { openLog } from "../../src/platform/index.ts";
import { Channel } from "../../src/remote/channel.ts";
import { ManagerPort } from "../../src/remote/manager-port.ts";

test("when another manager takes over, nobody will answer what was asked of the one before", async () => {
  const seen: string[] = [];
  const port: ManagerPort = new ManagerPort(
    {
      request: (request) => void seen.push(`${request.type} of ${port.manager}`),
      gone: () => void seen.push("gone"),
    },
    openLog({ tag: "test", thresholds: {} }),
  );
  /** Connects a manager and settles when it is known. */
  const connect = async (client: string) => {
    const [theirs, ours] = duplexPair();
    port.accept(ours, client);
    const closed = Promise.withResolvers<void>();
    const channel = new Channel(theirs, { message: () => {}, closed: () => closed.resolve() });
    channel.send({ type: "register", version: PROTOCOL_VERSION, client });
    while (port.manager !== client) await Bun.sleep(1);
    return { channel, closed: closed.promise };
  };
  const first = await connect("n1");
  await connect("n2");
  await first.closed;
  expect(seen).toEqual(["register of n1", "gone", "register of n2"]);
  port.close();
});
