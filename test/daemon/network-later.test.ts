/** A machine whose network comes later than its daemon: that is no mistake in the configuration. */
import { describe, expect, test } from "bun:test";
import { setupWithNetwork } from "../../src/daemon/modes.ts";
import { RingSockets } from "../../src/daemon/ring-sockets.ts";
import type { NodeSetup } from "../../src/daemon/setup.ts";
import { openUdp } from "../../src/platform/index.ts";
import { CrmExit, HactlError } from "../../src/terms/index.ts";

/** A node with these addresses, by link; ports follow the first. */
const nodeAt = (port: number, ...addresses: readonly string[]): NodeSetup =>
  ({
    config: { links: addresses.map((_, number) => ({ number, port: port + number })) },
    self: { addresses: new Map(addresses.map((address, link) => [link, address])) },
  }) as unknown as NodeSetup;

const freePort = async (): Promise<number> => {
  const socket = await openUdp("127.0.0.1", 0, { datagram: () => {}, error: () => {} });
  socket.close();
  return socket.port;
};

/** Documentation addresses (RFC 5737): no machine has them. */
const nobodys = "192.0.2.77";

describe("the ring's sockets", () => {
  const none = () => {};
  const host = { datagram: none, error: none, came: none, long: none, unfiltered: none };

  test("of an address that is not there are left for later at the start; the other links work", async () => {
    const port = await freePort();
    const received: string[] = [];
    const heard = Promise.withResolvers<void>();
    const sockets = new RingSockets({
      ...host,
      datagram: (link, address, data) => {
        received.push(`${link} ${address} ${data}`);
        heard.resolve();
      },
    });
    const setup = nodeAt(port, "127.0.0.1", nobodys);
    await sockets.prepare(setup, true);
    sockets.use(setup);
    expect(sockets.missing).toEqual([{ link: 1, address: nobodys, port: port + 1 }]);
    sockets.send(0, new Uint8Array([7]), port, "127.0.0.1");
    sockets.send(1, new Uint8Array([8]), port, "127.0.0.1");
    await heard.promise;
    expect(received).toEqual(["0 127.0.0.1 7"]);
    sockets.close();
    expect(sockets.missing).toEqual([]);
  });

  test("are not waited for when they do not belong to the configuration any more", async () => {
    const port = await freePort();
    const sockets = new RingSockets(host);
    await sockets.prepare(nodeAt(port, nobodys), true);
    expect(sockets.missing).toHaveLength(1);
    const next = nodeAt(port, "127.0.0.1");
    await sockets.prepare(next);
    sockets.use(next);
    expect(sockets.missing).toEqual([]);
    sockets.close();
  });

  test("of a configuration that is read anew have to be there, but for what is waited for already", async () => {
    const port = await freePort();
    const sockets = new RingSockets(host);
    await sockets.prepare(nodeAt(port, nobodys), true);
    await sockets.prepare(nodeAt(port, nobodys));
    expect(sockets.prepare(nodeAt(port, "192.0.2.78"))).rejects.toMatchObject({ code: "ADDRESS_NOT_LOCAL" });
    sockets.close();
  });
});

describe("which node a machine is", () => {
  const args = { configPath: "hactl.toml" };
  const unknown = new HactlError({ code: "NOT_A_NODE", what: "it is none", exit: CrmExit.CONFIG });
  const setup = nodeAt(1, "127.0.0.1");

  test("is found out when it has an address; that is said once", async () => {
    const said: string[] = [];
    let tries = 0;
    const load = () => {
      if (++tries < 3) throw unknown;
      return setup;
    };
    const local = () => [{ address: "127.0.0.1" }, { address: "fe80::1" }];
    expect(await setupWithNetwork(args, load, local, (text) => void said.push(text))).toBe(setup);
    expect(tries).toBe(3);
    expect(said).toHaveLength(1);
  });

  test("is told at once to be none when it has addresses, or was named", async () => {
    const load = () => {
      throw unknown;
    };
    const one = () => [{ address: "10.0.0.9" }];
    expect(setupWithNetwork(args, load, one)).rejects.toBe(unknown);
    expect(setupWithNetwork({ ...args, node: "n9" }, load, () => [])).rejects.toBe(unknown);
  });
});
