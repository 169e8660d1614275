import { describe, expect, test } from "bun:test";
import {
  decodeEvent,
  decodeRequest,
  encodeMessage,
  HEADER_BYTES,
  MAX_BODY_BYTES,
  MessageReader,
} from "../../src/remote/index.ts";
import { HactlError } from "../../src/terms/index.ts";

const code = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof HactlError) return `${error.code}: ${error.what}`;
    throw error;
  }
  return "no error";
};

/** A header with one field changed. */
function header(change: (bytes: DataView) => void): Uint8Array {
  const bytes = encodeMessage({}).slice();
  change(new DataView(bytes.buffer));
  return bytes;
}

describe("messages on a stream", () => {
  const messages = [{ type: "ping", requestId: 1 }, { text: "ä€😀" }, [], { long: "x".repeat(100_000) }];
  const stream = Buffer.concat(messages.map(encodeMessage));

  test.each([1, 2, 3, 11, 12, 13, 4096, 1_000_000])("come out of pieces of %d bytes", (size) => {
    const reader = new MessageReader();
    const found: unknown[] = [];
    for (let at = 0; at < stream.length; at += size)
      found.push(...reader.take(stream.subarray(at, at + size)));
    expect(found).toEqual(messages);
  });

  test("that are none are an error, before their bodies are waited for", () => {
    const broken = (bytes: Uint8Array) => code(() => new MessageReader().take(bytes));
    expect(broken(Buffer.from("GET / HTTP/1.0\r\n"))).toBe("PROTOCOL: These are no messages of hactl");
    expect(broken(header((bytes) => bytes.setUint8(4, 9)))).toContain("version 9");
    expect(broken(header((bytes) => bytes.setUint8(5, 7)))).toContain("type 7");
    expect(
      broken(header((bytes) => bytes.setUint32(8, MAX_BODY_BYTES + 1)).subarray(0, HEADER_BYTES)),
    ).toContain("too long");
    const cut = Buffer.from(encodeMessage({ a: 1 }));
    cut[HEADER_BYTES] = 0x21;
    expect(broken(cut)).toBe("PROTOCOL: message is no JSON");
  });

  test("that are too long are not sent", () => {
    expect(code(() => encodeMessage("x".repeat(MAX_BODY_BYTES)))).toStartWith("MESSAGE_TOO_LARGE");
  });
});

describe("requests and events", () => {
  const operation = {
    callId: 1,
    rsc: { id: "a:0", class: "ocf", provider: "heartbeat", type: "Dummy" },
    action: "start",
    intervalMs: 0,
    timeoutMs: 20_000,
    startDelayMs: 0,
    params: { a: "b" },
    transitionKey: "1:2:0:x",
  };

  test("pass when they are complete", () => {
    for (const request of [
      { type: "register", client: "n1", version: 1 },
      { type: "execute", operation },
      { type: "cancel", rsc: "a", action: "monitor", intervalMs: 10_000 },
      { type: "list", requestId: 1, class: "ocf" },
      { type: "tool-reply", requestId: 2, reply: { value: [1] } },
      { type: "configure", nodeActionLimit: 3 },
    ]) {
      expect(decodeRequest(request)).toEqual(request as ReturnType<typeof decodeRequest>);
    }
    const load = { type: "load", mode: "high", jobs: 1, reason: "" };
    expect(decodeEvent(load)).toEqual(load as ReturnType<typeof decodeEvent>);
  });

  test.each([
    ["nothing", null, "request is missing or no object"],
    ["another word", { type: "reboot" }, 'request.type is "reboot", which is not known'],
    ["an empty one", { type: "execute" }, "request.operation is missing or no object"],
    [
      "a number as text",
      { type: "execute", operation: { ...operation, timeoutMs: "20" } },
      "request.operation.timeoutMs is missing or no number",
    ],
    [
      "a parameter that is no text",
      { type: "execute", operation: { ...operation, params: { a: 1 } } },
      "request.operation.params.a is missing or no text",
    ],
    [
      "an unknown class",
      { type: "execute", operation: { ...operation, rsc: { ...operation.rsc, class: "heartbeat" } } },
      'request.operation.rsc.class is "heartbeat"; possible are ocf, lsb, systemd, service, stonith',
    ],
  ])("are refused when they are not: %s", (_name, message, what) => {
    expect(code(() => decodeRequest(message))).toBe(`PROTOCOL: ${what}`);
  });
});
