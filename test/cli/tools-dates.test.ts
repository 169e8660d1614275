import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseXml, selectXpath } from "../../src/cib/index.ts";
import { hactl } from "./run.ts";

const run = (words: readonly string[], environment: Record<string, string> = {}) =>
  hactl(words, { TZ: "UTC", ...environment });
const lines = async (words: readonly string[], environment?: Record<string, string>) => {
  const { code, out } = await run(["iso8601", ...words], environment);
  return [code, ...out.trimEnd().split("\n")];
};

describe("iso8601", () => {
  test.each<[string, readonly string[], string]>([
    ["a calendar date", ["-d", "2019-09-24 00:30:00 +01:00"], "Date: 2019-09-23 23:30:00Z"],
    ["with its own clock", ["-L", "-d", "2019-09-24 00:30:00 +01:00"], "Date: 2019-09-24 00:30:00 +01:00"],
    ["a day of the year", ["-O", "-d", "2019-09-24 00:30:00Z"], "Date: 2019-267 00:30:00Z"],
    ["a week", ["-W", "-d", "2009-W53-7 00:00:00Z"], "Date: 2009-W53-7 00:00:00Z"],
    ["a week that begins in the year before", ["-d", "2008-W01-1 00Z"], "Date: 2007-12-31 00:00:00Z"],
    ["seconds since 1970", ["-S", "-d", "2019-04-25T21:42:54+0420"], "Date: 1556212974"],
    ["seconds since year 1", ["-s", "-d", "2019-09-24 00:30:00 +01:00"], "Date: 63704878200"],
    ["midnight by its other name", ["-d", "2019-12-31 24:00:00Z"], "Date: 2020-01-01 00:00:00Z"],
    [
      "a duration",
      ["-D", "P1Y2M3DT4H5M6S"],
      "Duration:    1 year  2 months  3 days 14706 seconds (4 hours 5 minutes 6 seconds)",
    ],
    ["a duration back in time", ["-D", "PT-1M"], "Duration: -60 seconds (1 minute)"],
    ["no duration at all", ["-D", "PT0S"], "Duration: 0 seconds"],
    ["a period", ["-p", "2005-040/2005-043"], "Period: 2005-02-09 00:00:00Z to 2005-02-12 00:00:00Z"],
    ["a period by its end", ["-p", "P1M/2005-03-31"], "Period: 2005-02-28 00:00:00Z to 2005-03-31 00:00:00Z"],
  ])("writes %s", async (_what, words, expected) => {
    expect(await lines(words)).toEqual([0, expected]);
  });

  test("counts a duration on the calendar of the date's own clock", async () => {
    expect(
      await lines(["-d", "2009-03-31 01:00:00 +01:00", "-D", "P-1M", "-E", "2009-02-28 00:00:00Z"]),
    ).toEqual([
      0,
      "Date: 2009-03-31 00:00:00Z",
      "Duration: -1 months ",
      "Duration ends at: 2009-02-28 01:00:00 +01:00",
    ]);
  });

  test("takes a time without an offset for one of this machine's clock, a date alone for one in UTC", async () => {
    const tokyo = { TZ: "Asia/Tokyo" };
    expect(await lines(["-d", "2019-09-24 00:30:00"], tokyo)).toEqual([0, "Date: 2019-09-23 15:30:00Z"]);
    expect(await lines(["-d", "2019-09-24"], tokyo)).toEqual([0, "Date: 2019-09-24 00:00:00Z"]);
    // The clocks are put forward between the two.
    const berlin = { TZ: "Europe/Berlin" };
    expect(await lines(["-d", "2026-03-29 01:59"], berlin)).toEqual([0, "Date: 2026-03-29 00:59:00Z"]);
    expect(await lines(["-d", "2026-03-29 03:00"], berlin)).toEqual([0, "Date: 2026-03-29 01:00:00Z"]);
    // What is left out then is as long after two as in any other night, never before what is earlier.
    expect(await lines(["-d", "2026-03-29 02:00"], berlin)).toEqual([0, "Date: 2026-03-29 01:00:00Z"]);
    expect(await lines(["-d", "2026-03-29 02:30"], berlin)).toEqual([0, "Date: 2026-03-29 01:30:00Z"]);
    // What there is twice in autumn is the first.
    expect(await lines(["-d", "2026-10-25 02:30"], berlin)).toEqual([0, "Date: 2026-10-25 00:30:00Z"]);
    expect(await lines(["-d", "2026-10-25 03:00"], berlin)).toEqual([0, "Date: 2026-10-25 02:00:00Z"]);
  });

  test("says with its exit code whether the expected was found", async () => {
    expect((await run(["iso8601", "-d", "2005-040", "-E", "2005-02-09 00:00:00Z"])).code).toBe(0);
    expect((await run(["iso8601", "-d", "2005-040", "-E", "2005-02-09"])).code).toBe(1);
  });

  test("refuses what is no date, duration or period", async () => {
    for (const words of [
      ["-d", "2019-02-29"],
      ["-d", "2019-10-01T24:00:01Z"],
      ["-d", "2019-10-01 00:00:10 +25:00"],
      ["-d", "2019-W53-1"],
      ["-D", "P"],
      ["-D", "P1YM"],
      ["-p", "2019-01-01"],
      ["-p", "PT2S/P1M"],
      ["-p", ""],
      ["-p", "P1M/P1M"],
      ["-D", "P1000000000000000000000Y"],
      ["-D", "PT99999999999S"],
    ]) {
      const { code, out, err } = await run(["iso8601", ...words]);
      expect([words, code, out]).toEqual([words, 2, ""]);
      expect(err).toContain(`"${words[1]}" is not a`);
    }
  });

  test("a period that is a duration alone begins now", async () => {
    const [code, line = ""] = await lines(["-S", "-p", "PT90M"]);
    const [, start = 0, end = 0] = (/^Period: (\d+) to (\d+)$/.exec(String(line)) ?? []).map(Number);
    expect([code, end - start]).toEqual([0, 5400]);
    expect(Math.abs(start - Date.now() / 1000)).toBeLessThan(60);
  });

  test("what no calendar reaches is refused, not printed as no number", async () => {
    for (const length of ["P300000Y", "P-300000Y", "P2147483647M", "P200000000D"]) {
      const { code, out, err } = await run(["iso8601", "-d", "2020-01-01", "-D", length]);
      expect([length, code, out]).toEqual([length, 2, ""]);
      expect(err).toContain("no calendar reaches so far");
    }
    expect(await lines(["-d", "2020-01-01", "-D", "P8000Y"])).toContain(
      "Duration ends at: 10020-01-01 00:00:00Z",
    );
  });

  test("answers in XML", async () => {
    const { out } = await run([
      "iso8601",
      "--output-as=xml",
      "-p",
      "2005-040/P1M",
      "-d",
      "epoch",
      "-D",
      "P1D",
    ]);
    const root = parseXml(out);
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ["date", "1970-01-01 00:00:00Z"],
      ["duration", " 1 day "],
      ["period", undefined],
      ["duration_ends", "1970-01-02 00:00:00Z"],
      ["status", undefined],
    ]);
  });
});

const rule = (id: string, conditions: string) =>
  `<rsc_location id="l-${id}" rsc="d"><rule id="${id}" score="INFINITY">${conditions}</rule></rsc_location>`;
const cib = `<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/>
  <resources><primitive id="d" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints>
  ${rule("over", '<date_expression id="e1" operation="lt" end="2019-01-01 12:00:00 -05:00"/>')}
  ${rule("to-come", '<date_expression id="e2" operation="gt" start="2099-01-01"/>')}
  ${rule("hours", '<date_expression id="e3" operation="date_spec"><date_spec id="s3" years="2019-2020" hours="9-16"/></date_expression>')}
  ${rule("for-ever", '<date_expression id="e4" operation="date_spec"><date_spec id="s4" hours="9-16"/></date_expression>')}
  ${rule("two", '<date_expression id="e5" operation="gt" start="2019-01-01"/><date_expression id="e6" operation="lt" end="2020-01-01"/>')}
  ${rule("none", '<expression id="e7" attribute="#uname" operation="eq" value="n"/>')}
  ${rule("quarter", '<date_expression id="e8" operation="in_range" start="2026-01-01 00:00 +09:00"><duration id="s8" months="3"/></date_expression>')}
  </constraints></configuration><status/></cib>`;

describe("crm_rule", () => {
  const check = (words: readonly string[], environment?: Record<string, string>) =>
    run(["crm_rule", "-c", "-X", cib, ...words], environment);

  test.each<[readonly string[], number, string]>([
    [["-r", "over"], 110, "Rule over is expired\n"],
    [["-r", "over", "-d", "20180101"], 0, "Rule over is still in effect\n"],
    [["-r", "to-come"], 111, "Rule to-come has not yet taken effect\n"],
    [["-r", "hours", "-d", "2019-05-01 08:59"], 111, "Rule hours has not yet taken effect\n"],
    [["-r", "hours", "-d", "2019-05-01 16:59"], 0, "Rule hours satisfies conditions\n"],
    [["-r", "hours", "-d", "2021-01-01 10:00"], 110, "Rule hours is expired\n"],
    [["-r", "quarter", "-d", "2026-03-31 14:59:59Z"], 0, "Rule quarter is still in effect\n"],
    [["-r", "quarter", "-d", "2026-03-31 15:00:01Z"], 110, "Rule quarter is expired\n"],
    [["-r", "for-ever"], 3, ""],
    [["-r", "two"], 3, ""],
    [["-r", "none"], 3, ""],
    [["-r", "nowhere"], 105, ""],
    [["-r", "over", "-d", "soon"], 65, ""],
  ])("%j: %i", async (words, code, out) => {
    expect(await check(words)).toMatchObject({ code, out });
  });

  test("tells of several rules; the exit code is the last one's", async () => {
    const { code, out, err } = await check(["-r", "to-come", "-r", "nowhere", "-r", "over"]);
    expect([code, out]).toEqual([110, "Rule to-come has not yet taken effect\nRule over is expired\n"]);
    expect(err).toContain("rule nowhere");
  });

  test("reads office hours by the clock of this machine", async () => {
    const at = (zone: string) => check(["-r", "hours", "-d", "2019-05-01 10:00"], { TZ: zone });
    expect((await at("Asia/Tokyo")).code).toBe(0);
    const utc = ["-r", "hours", "-d", "2019-05-01 01:00Z"];
    expect((await check(utc, { TZ: "Asia/Tokyo" })).code).toBe(111);
  });

  test("finds rules in CIB_file, and answers in XML", async () => {
    const directory = mkdtempSync(join(tmpdir(), "hactl-rule-"));
    try {
      writeFileSync(join(directory, "cib.xml"), cib);
      const { out } = await run(["crm_rule", "-c", "-r", "over", "--output-as=xml"], {
        CIB_file: join(directory, "cib.xml"),
      });
      const [found] = selectXpath(parseXml(out), "//rule-check");
      expect(Object.fromEntries(found?.element.attributes ?? [])).toEqual({ "rule-id": "over", rc: "110" });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("refuses to do nothing, or to read what is no XML", async () => {
    expect((await run(["crm_rule"])).code).toBe(64);
    expect((await run(["crm_rule", "-c"])).code).toBe(64);
    expect((await run(["crm_rule", "-c", "-r", "x", "-X", "no xml"])).code).toBe(65);
  });
});
