import { expect, test } from "bun:test";
import { openUdp } from "../../src/platform/index.ts";

test("datagrams that never end don't stop the timers, and are told of", async () => {
  let told = 0;
  let going = true;
  const received: number[] = [];
  const socket = await openUdp("127.0.0.1", 0, {
    datagram: () => {
      // For each that comes two more: the socket is never empty.
      for (let at = 0; at < 2 && going; at++) socket.send(new Uint8Array(8), socket.port, "127.0.0.1");
    },
    error: () => {},
    long: () => {
      told++;
    },
  });
  socket.send(new Uint8Array(8), socket.port, "127.0.0.1");
  for (let turn = 0; turn < 3; turn++) {
    const before = told;
    // The flood goes on until it has been told of; then the timer comes, although it goes on.
    while (told === before) {
      socket.send(new Uint8Array(8), socket.port, "127.0.0.1");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    received.push(told);
  }
  going = false;
  expect(new Set(received).size).toBe(3);
  socket.close();
}, 30_000);
