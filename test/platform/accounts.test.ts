import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Accounts } from "../../src/platform/index.ts";

let directory = "";
const asked: string[] = [];
const directoryService: Readonly<Record<string, string>> = {
  "passwd 5000": "lena:*:5000:6000:Lena:/home/lena:/bin/sh",
  "passwd lena": "lena:*:5000:6000:Lena:/home/lena:/bin/sh",
  "initgroups lena": "lena                  6000 6001 30",
  "group 6000": "domain users:*:6000:",
  "group 6001": "storage:*:6001:lena",
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hactl-accounts-"));
  writeFileSync(
    join(directory, "passwd"),
    "root:x:0:0:root:/root:/bin/sh\nhacluster:x:189:189::/:/bin/false\ncarol:x:1001:100::/home/carol:/bin/sh\nbroken:x:abc:1\n",
  );
  writeFileSync(
    join(directory, "group"),
    "root:x:0:\nusers:x:100:\nhaclient:x:189:carol,lena\noperators:x:30:dave,carol\nwheel:x:10:dave\nfar:x:7000:\n",
  );
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const accounts = (
  ask = (database: string, key: string) => {
    asked.push(`${database} ${key}`);
    return Promise.resolve(directoryService[`${database} ${key}`]);
  },
) => new Accounts({ passwd: join(directory, "passwd"), group: join(directory, "group"), ask });

describe("users and groups", () => {
  test("are those of the files", async () => {
    asked.length = 0;
    expect(await accounts().user(1001)).toEqual({ name: "carol", uid: 1001, gid: 100 });
    expect(await accounts().user("root")).toEqual({ name: "root", uid: 0, gid: 0 });
    expect((await accounts().groupsOf("carol", [])).sort()).toEqual(["haclient", "operators", "users"]);
    expect(asked).toEqual([]);
  });

  test("count as the process has them, too", async () => {
    expect((await accounts().groupsOf("carol", [100, 10, 7000])).sort()).toEqual([
      "far",
      "haclient",
      "operators",
      "users",
      "wheel",
    ]);
  });

  test("are those of the directory service where the files have none, asked once", async () => {
    asked.length = 0;
    const known = accounts();
    expect(await known.user(5000)).toEqual({ name: "lena", uid: 5000, gid: 6000 });
    const groups = ["domain users", "haclient", "operators", "storage"];
    expect((await known.groupsOf("lena", [])).sort()).toEqual(groups);
    expect((await known.groupsOf("lena", [])).sort()).toEqual(groups);
    expect(asked.sort()).toEqual([
      "group 6000",
      "group 6001",
      "initgroups lena",
      "passwd 5000",
      "passwd lena",
    ]);
  });

  test("that nobody knows are none", async () => {
    expect(await accounts().user(4242)).toBeUndefined();
    expect(await accounts().user("broken")).toBeUndefined();
    expect(await accounts().groupsOf("stranger", [4242])).toEqual([]);
    const failing = accounts(() => Promise.reject(new Error("no service")));
    expect(await failing.user(5000)).toBeUndefined();
    expect(await failing.groupsOf("lena", [30])).toEqual(["haclient", "operators"]);
  });

  test("of this machine are what id(1) says", async () => {
    const here = new Accounts();
    const name = (await here.user(process.getuid?.() ?? -1))?.name ?? "";
    const { stdout } = Bun.spawnSync(["id", "-Gn"]);
    expect(stdout.toString().trim().split(" ")[0]).toBeOneOf(
      await here.groupsOf(name, process.getgroups?.() ?? []),
    );
    expect(await here.user("-help")).toBeUndefined();
    expect(await here.user(4_000_000_000)).toBeUndefined();
  });
});
