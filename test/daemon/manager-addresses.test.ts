import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManagerAddresses } from "../../src/daemon/manager-addresses.ts";
import { openLog } from "../../src/platform/index.ts";

let directory: string;
let lines: string[];
const addresses = () =>
  new ManagerAddresses(
    join(directory, "manager-addresses"),
    openLog({
      tag: "t",
      thresholds: { stderr: "warning" },
      writeStderr: (line) => lines.push(line),
    }),
  );

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-addresses-"));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

test("what is kept is there after a start, for nobody else's eyes", async () => {
  const before = addresses();
  expect(before.read()).toEqual([]);
  before.keep(["10.0.0.1"]);
  before.keep(["10.0.0.1", "fd00::1", "?"]);
  await before.written;
  expect(addresses().read()).toEqual(["10.0.0.1", "fd00::1"]);
  expect(statSync(join(directory, "manager-addresses")).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(["manager-addresses"]);
  expect(lines).toEqual([]);
});

test.each([
  ["words", "10.0.0.1\nno address\n"],
  ["too many", "10.0.0.1\n".repeat(257)],
  ["too long", "1".repeat(100_000)],
  ["bytes", "\0\xff\n"],
])("a damaged file is told and counts as none: %s", (_, content) => {
  writeFileSync(join(directory, "manager-addresses"), content);
  expect(addresses().read()).toEqual([]);
  expect(lines.join()).toContain("REMOTE-ADDRESSES");
});

test("what cannot be written is told; a link is replaced, and what it leads to is not touched", async () => {
  const other = join(directory, "other");
  writeFileSync(other, "precious");
  symlinkSync(other, join(directory, "manager-addresses"));
  const one = addresses();
  one.keep(["10.0.0.1"]);
  await one.written;
  expect(readFileSync(other, "utf8")).toBe("precious");
  expect(one.read()).toEqual(["10.0.0.1"]);
  const nowhere = new ManagerAddresses(
    join(directory, "none", "x"),
    openLog({ tag: "t", thresholds: { stderr: "warning" }, writeStderr: (line) => lines.push(line) }),
  );
  nowhere.keep(["10.0.0.1"]);
  await nowhere.written;
  expect(lines.join()).toContain("cannot be kept");
});
