import { expect, test } from "bun:test";
import { FirstName } from "../../src/remote/first-name.ts";

test("a host has the name that it was first looked for under, until it has not been in use for a while", () => {
  let now = 0;
  const first = new FirstName(() => now);
  expect(first.accepts("far")).toBe(true);
  first.opened("far");
  now = 1_000_000;
  expect(first.accepts("far")).toBe(true);
  expect(first.accepts("near")).toBe(false);
  // Another manager takes the connection over.
  first.opened("far");
  first.closed();
  now += 1_000_000;
  expect(first.accepts("near")).toBe(false);
  first.closed();
  now += 59_999;
  expect(first.accepts("near")).toBe(false);
  now += 1;
  expect(first.name).toBeUndefined();
  expect(first.accepts("near")).toBe(true);
  first.opened("near");
  expect(first.accepts("far")).toBe(false);
});
