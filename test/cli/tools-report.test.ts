/** crm_report: its parts, and what it collects from a cluster of two real nodes on this machine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { formatXml, maskXml, parseXml } from "../../src/cib/index.ts";
import { maskText, secretNames } from "../../src/cli/report/mask.ts";
import { endOf, linesWithin, lineTime, timeOf } from "../../src/cli/report/period.ts";
import { ToolCluster } from "./tools-cluster.ts";

test("the last second of a period belongs to it whole, also where another node is told of it", () => {
  const now = new Date("2026-11-30T12:00:01.900Z");
  expect(endOf("now", now)).toBe(now.getTime());
  // As the node that was asked tells the others.
  expect(endOf(now.toISOString(), now)).toBeGreaterThanOrEqual(now.getTime());
  expect(endOf("2026-11-30 12:00:01Z", now)).toBe(Date.parse("2026-11-30T12:00:01.999Z"));
  expect(endOf("soon", now)).toBeUndefined();
});

describe("secrets in a report", () => {
  const names = secretNames(["pin"]);

  test("are left out of a configuration by the names of their pairs", () => {
    const xml = `<primitive id="p"><instance_attributes id="i"><nvpair id="a" name="passwd" value="s1"/><nvpair id="b"
      name="ip" value="10.0.0.1"/><nvpair id="c" name="snmp_community" value="s2"/><nvpair id="d" name="PIN" value="s3"/>
      <nvpair id="e" name="key" value="lrm://"/></instance_attributes></primitive>`;
    const text = formatXml(maskXml(parseXml(xml), names.inCib));
    expect(text).not.toMatch(/s1|s2|s3/);
    expect(text).toContain('name="ip" value="10.0.0.1"');
    expect(text).toContain('name="key" value="lrm://"');
  });

  test.each([
    ["password = hunter2", "password = ********"],
    ['export SBD_PASSWORD="hunter2 and more"', "export SBD_PASSWORD=********"],
    ['  "passwd": "hunter2",', '  "passwd": ********'],
    ["      * db_password                 : Sek-11", "      * db_password                 : ********"],
    [
      '<attribute name="db_password" value="Sek-11"/><attribute name="rack" value="A"/>',
      '<attribute name="db_password" value="********"/><attribute name="rack" value="A"/>',
    ],
    ["token = 1000", "token = 1000"],
    ["keyfile = /etc/hactl/authkey", "keyfile = /etc/hactl/authkey"],
    [
      "started with user=root passwd=hunter2 pin='12 34' port=3",
      "started with user=root passwd=******** pin=******** port=3",
    ],
  ])("are left out of a line: %s", (line, expected) => {
    expect(maskText(line, names.inText)).toBe(expected);
  });
});

describe("the period of a report", () => {
  const now = new Date(2026, 10, 29, 12, 0, 0);
  const at = (text: string) => {
    const found = timeOf(text, now);
    return found === undefined ? undefined : new Date(found).toISOString();
  };

  test("is read by the clock of this machine", () => {
    expect(at("2026-11-29")).toBe(new Date(2026, 10, 29).toISOString());
    expect(at("2026-1-9 3:05")).toBe(new Date(2026, 0, 9, 3, 5).toISOString());
    expect(at("13:05:07")).toBe(new Date(2026, 10, 29, 13, 5, 7).toISOString());
    expect(at("now")).toBe(now.toISOString());
    expect(at("yesterday")).toBeUndefined();
  });

  test("finds its lines, those without a time with the one before", () => {
    const log = [
      "Nov 29 10:59:59 n hactl[1]: too early",
      " of the first",
      "Nov 29 11:00:00 n hactl[1]: first",
      " more of it",
      "2026-11-29T11:30:00.123+00:00 n hactl: second",
      "Nov 29 12:00:01 n hactl[1]: too late",
      " of the last",
    ];
    const period = { from: Date.UTC(2026, 10, 29, 11), to: Date.UTC(2026, 10, 29, 12) };
    expect(linesWithin(log.join("\n"), period, now)).toEqual(log.slice(2, 5));
  });

  test("takes a time without a year for the last one that there was", () => {
    expect(lineTime("Dec  1 10:00:00 n x", now)).toBe(new Date(2025, 11, 1, 10).getTime());
    expect(lineTime("Nov 29 13:00:00 n x", now)).toBe(new Date(2026, 10, 29, 13).getTime());
    expect(lineTime("no time at all", now)).toBeUndefined();
  });
});

describe("crm_report", () => {
  let tools: ToolCluster;
  let rsh = "";
  const out = (name: string) => join(tools.cluster.directory, name);
  const secret = "very-secret-word";
  const filesBelow = (directory: string) =>
    (readdirSync(directory, { recursive: true, withFileTypes: true }) as Dirent[])
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  beforeAll(async () => {
    tools = await ToolCluster.start(2, (node) => `127.9.3.${node}`);
    await tools.output("property", "stonith-enabled=false");
    await tools.output("configure", ...tools.primitive("r"), `passwd=${secret}`);
    await tools.output("wait", "--timeout", "30");
    const bin = out("bin");
    mkdirSync(bin);
    symlinkSync(join(import.meta.dir, "../../dist/hactl"), join(bin, "crm_report"));
    rsh = join(bin, "rsh");
    writeFileSync(
      rsh,
      `#!/bin/sh\nHACTL_CONFIG=${tools.cluster.directory}/$1/hactl.toml PATH=${bin}:$PATH exec sh -c "$2"\n`,
    );
    chmodSync(rsh, 0o755);
  }, 60_000);
  afterAll(() => tools.stop());

  test("collects configuration, state, history and decisions of all nodes, without secrets", async () => {
    const { code, stdout } = await tools.run("crm_report", "-f", "00:00", "-d", "-e", rsh, out("report"));
    expect([code, stdout]).toEqual([0, `The report is in ${out("report")}\n`]);
    const files = filesBelow(out("report"));
    const texts = new Map(
      files.map((file) => [file.slice(out("report").length + 1), readFileSync(file, "utf8")]),
    );
    for (const node of ["node1", "node2"]) {
      expect(texts.get(`${node}/hactl.toml`)).toContain("[totem]");
      expect(texts.get(`${node}/cib.xml`)).toContain('name="passwd" value="********"');
      expect(texts.get(`${node}/crm_mon.txt`)).toContain("(ocf:test:Quick)");
      expect(texts.get(`${node}/history.txt`)).toContain("MEMBERSHIP");
      expect(texts.get(`${node}/logs/log`)).toContain(node);
      expect(texts.get(`${node}/members.txt`)?.trim().split(" ").sort()).toEqual(["node1", "node2"]);
    }
    expect(files.some((file) => file.includes("/transitions/"))).toBe(true);
    expect(texts.get("description.txt")).toContain("Nodes: node1, node2");
    expect([...texts].filter(([, text]) => text.includes(secret)).map(([name]) => name)).toEqual([]);
  }, 60_000);

  test("makes an archive, and overwrites nothing", async () => {
    expect((await tools.run("crm_report", "-S", "-f", "00:00", out("one"))).code).toBe(0);
    const listed = Bun.spawnSync(["tar", "-tjf", out("one.tar.bz2")]).stdout.toString();
    expect(listed).toContain("one/node1/cib.xml\n");
    expect(listed).not.toContain("node2/");
    const again = await tools.run("crm_report", "-S", "-f", "00:00", out("one"));
    expect([again.code, again.stderr.includes("is there already")]).toEqual([108, true]);
  }, 60_000);

  test("takes files alone from another node, and follows no link of it", async () => {
    const precious = out("precious");
    writeFileSync(precious, "precious");
    const evil = out("evil");
    mkdirSync(join(evil, "x/node2"), { recursive: true });
    for (const name of ["x/description.txt", "x/analysis.txt", "x/node2/analysis.txt"])
      symlinkSync(precious, join(evil, name));
    const sender = out("evil-rsh");
    writeFileSync(sender, `#!/bin/sh\nexec tar -C ${evil} -cjf - x\n`);
    chmodSync(sender, 0o755);
    const { code, stderr } = await tools.run("crm_report", "-f", "00:00", "-d", "-e", sender, out("links"));
    expect([code, stderr]).toEqual([1, expect.stringContaining("neither a file nor a directory")]);
    expect(readFileSync(precious, "utf8")).toBe("precious");
    expect(readdirSync(out("links")).sort()).toEqual(["analysis.txt", "description.txt", "node1"]);
    // Nor does it write into what another one has sent.
    rmSync(join(evil, "x"), { recursive: true });
    mkdirSync(join(evil, "x/node1"), { recursive: true });
    writeFileSync(join(evil, "x/node1/cib.xml"), "forged");
    const again = await tools.run("crm_report", "-f", "00:00", "-d", "-e", sender, out("forged"));
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("calls itself node1")]);
    expect(readFileSync(join(out("forged"), "node1/cib.xml"), "utf8")).not.toBe("forged");
  }, 60_000);

  test("hangs on no pipe beside the log, and shows no file that a link beside it leads to", async () => {
    const log = out("node1/log");
    const foreign = out("foreign");
    const now = new Date();
    writeFileSync(foreign, `${now.toString().slice(4, 24)} x foreign-words\n`);
    Bun.spawnSync(["mkfifo", `${log}.8`]);
    symlinkSync(foreign, `${log}.9`);
    symlinkSync(out("nowhere"), `${log}.7`);
    const { code } = await tools.run("crm_report", "-S", "-f", "00:00", "-d", out("beside"));
    for (const end of [7, 8, 9]) rmSync(`${log}.${end}`);
    expect(code).toBe(0);
    expect(
      filesBelow(out("beside")).some((file) => readFileSync(file, "utf8").includes("foreign-words")),
    ).toBe(false);
  }, 60_000);

  test("says which node it had nothing from", async () => {
    const { code, stderr } = await tools.run("crm_report", "-f", "00:00", "-d", "-e", "false", out("half"));
    expect([code, stderr.includes("nothing from node node2")]).toEqual([1, true]);
    expect(readFileSync(join(out("half"), "description.txt"), "utf8")).toContain(
      "Nothing was collected from: node2",
    );
    expect(existsSync(join(out("half"), "node1/cib.xml"))).toBe(true);
  }, 60_000);

  test("refuses what is no time, no expression, or backwards", async () => {
    for (const words of [
      [],
      ["-f", "soon"],
      ["-f", "2026-11-29", "-t", "2026-11-28"],
      ["-f", "00:00", "-p", "["],
      ["-f", "00:00", "a", "b"],
    ])
      expect([words, (await tools.run("crm_report", ...words)).code]).toEqual([words, 64]);
  });
});
