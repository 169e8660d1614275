import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { datagramLimit } from "../../src/totem/srp/size.ts";
import { Network, options } from "./network.ts";

// Virtual time, but real work: a busy machine may need longer.
setDefaultTimeout(120_000);

const nodes = 64;
const { tokenMs, consensusMs } = options;

/** Sixty-four nodes that are one ring. */
function ringOf64(seed: number): Network {
  const network = new Network(nodes, seed);
  network.startAll();
  expect(network.until(() => network.whole(), 3000)).toBe(true);
  return network;
}

describe("a ring of 64 nodes", () => {
  test("forms, orders, and forms again when a node dies, in datagrams that fit netmtu", () => {
    const network = ringOf64(1);
    for (let id = 1; id <= nodes; id++) network.send(id, `from ${id}`);
    network.run(1000);
    expect(network.texts(1)).toHaveLength(nodes);
    expect(network.texts(nodes)).toEqual(network.texts(1));
    network.crash(17);
    expect(network.until(() => network.whole(), tokenMs + consensusMs + 500)).toBe(true);
    expect(network.longest).toBeGreaterThan(1000);
    expect(network.longest).toBeLessThanOrEqual(datagramLimit(options));
    expect(datagramLimit(options)).toBeLessThan(options.netmtu);
  });

  test("falls in two and is one again", () => {
    const network = ringOf64(2);
    const all = Array.from({ length: nodes }, (_, at) => at + 1);
    network.split(all.slice(0, 40), all.slice(40));
    network.run(tokenMs + consensusMs + 500);
    expect(network.machine(1).ring.status().members).toHaveLength(40);
    expect(network.machine(64).ring.status().members).toHaveLength(24);
    network.heal();
    expect(network.until(() => network.whole(), tokenMs + consensusMs)).toBe(true);
  });

  test("forms though one datagram in twenty is lost", () => {
    const network = new Network(nodes, 3);
    network.faults.loss = 0.05;
    network.startAll();
    expect(network.until(() => network.whole(), 5 * tokenMs)).toBe(true);
  });
});
