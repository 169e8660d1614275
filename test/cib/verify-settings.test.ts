/** Values that are some, and cannot work or are not read as they look. */
import { expect, test } from "bun:test";
import { clusterProperties, parseXml, verifyCib } from "../../src/cib/index.ts";

const pair = (name: string, value: string) => `<nvpair id="x" name="${name}" value="${value}"/>`;
const meta = (inner: string) => `<meta_attributes id="m">${inner}</meta_attributes>`;

/** `LEVEL CODE ID: TEXT` of all that is found but that there is no fencing. */
function told({ property = "", resource = "", rest = "" }): string[] {
  const cib = `<cib validate-with="pacemaker-3.9"><configuration><crm_config><cluster_property_set id="p">${property}</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/></nodes><resources><primitive id="st" class="stonith" type="x"/><primitive id="a" class="ocf" provider="heartbeat" type="Dummy">${resource}</primitive></resources><constraints/>${rest}</configuration><status/></cib>`;
  return verifyCib(parseXml(cib)).map(({ level, code, id, text, cure }) => {
    expect(cure?.length).toBeGreaterThan(5);
    return `${level} ${code} ${id}: ${text}`;
  });
}

/** Of a property; what it has an effect with is told apart. */
const timesOf = (name: string, value: string) =>
  told({ property: pair(name, value) }).filter((one) => !one.includes("NEEDS_OPTION"));

test.each([
  ["cluster-delay", ["0", "1ms", "999ms"], ["1s", "60s"]],
  ["dc-deadtime", ["0", "1ms"], ["1s", "2s", "20s"]],
  ["cluster-recheck-interval", ["1ms", "1"], ["0", "5s", "15min"]],
  ["node-pending-timeout", ["1ms", "4s"], ["0", "2h"]],
  ["shutdown-lock-limit", ["5ms"], ["0", "30min"]],
  ["priority-fencing-delay", ["15ms"], ["0", "15s"]],
  ["stonith-timeout", ["0", "60ms"], ["60s"]],
])("%s is not too short to work", (name, bad, good) => {
  for (const value of bad)
    expect([value, timesOf(name, value)]).toEqual([
      value,
      [expect.stringMatching(new RegExp(`^warning NO_TIME x: ${name}="${value}" is `))],
    ]);
  for (const value of good) expect([value, timesOf(name, value)]).toEqual([value, []]);
});

test.each([
  ["batch-limit", ["-5"], ["-1", "0", "1"], /no limit/],
  ["load-threshold", ["0.8", "0%", "0"], ["80%", "100%", "5"], /less than a host's load/],
])("%s is some limit", (name, bad, good, expected) => {
  for (const value of bad)
    expect(told({ property: pair(name, value) })).toEqual([expect.stringMatching(expected)]);
  for (const value of good) expect([value, told({ property: pair(name, value) })]).toEqual([value, []]);
});

test("the default of no property is warned of", () => {
  for (const { name, default: value } of clusterProperties)
    if (value !== undefined)
      expect([name, told({ property: pair(name, value) }).filter((one) => one.includes(" x: "))]).toEqual([
        name,
        [],
      ]);
});

test("nothing recurs without a pause", () => {
  const op = (interval: string) =>
    told({ resource: `<operations><op id="o" name="monitor" interval="${interval}"/></operations>` });
  expect(op("10ms")).toEqual([expect.stringMatching(/^warning NO_TIME o: .*without a pause/)]);
  for (const good of ["0", "1s", "10001ms"]) expect(op(good)).toEqual([]);
});

test("a failure counts for a while", () => {
  const bad = meta(pair("failure-timeout", "5ms"));
  const expected = [expect.stringMatching(/^warning NO_TIME x: .*forgotten at once/)];
  expect(told({ resource: bad })).toEqual(expected);
  expect(told({ rest: `<rsc_defaults>${bad}</rsc_defaults>` })).toEqual(expected);
  expect(told({ resource: meta(pair("failure-timeout", "0")) })).toEqual([]);
});

test("no time to wait is none among defaults and meta attributes either", () => {
  const none = meta(pair("timeout", "0s"));
  const expected = [expect.stringMatching(/^warning NO_TIME x: .*default of 20s counts/)];
  expect(told({ rest: `<op_defaults>${none}</op_defaults>` })).toEqual(expected);
  expect(
    told({
      resource: `<operations><op id="o" name="start" interval="0">${none}</op></operations>`,
    }),
  ).toEqual(expected);
});

test("of a unit that is none it is told what it counts as, wherever there are times", () => {
  const odd = (written: string, read: string) =>
    expect.stringMatching(new RegExp(`^warning ODD_UNIT .*="${written}" .* counts as ${read}:`));
  const times = [
    ["20sek", "20s"],
    ["1month", "1min"],
    ["90minuten", "90min"],
    ["120std", "2min"],
    ["5millis", "5min"],
    ["3hor", "3h"],
  ] as const;
  for (const [written, read] of times)
    expect(told({ rest: `<op_defaults>${meta(pair("timeout", written))}</op_defaults>` })).toEqual([
      odd(written, read),
    ]);
  const places = [
    { resource: `<operations><op id="o" name="start" interval="0" timeout="20sek"/></operations>` },
    { resource: `<operations><op id="o" name="monitor" interval="20sek"/></operations>` },
    {
      resource: `<operations><op id="o" name="monitor" interval="9s" start-delay="20sek"/></operations>`,
    },
    { resource: meta(pair("failure-timeout", "20sek")) },
    { property: pair("stonith-timeout", "20sek") },
    {
      resource: `</primitive><primitive id="far" class="ocf" provider="pacemaker" type="remote"><instance_attributes id="i">${pair("reconnect_interval", "20sek")}</instance_attributes>`,
    },
    {
      rest: `<alerts><alert id="al" path="/x">${meta(pair("timeout", "20sek"))}</alert></alerts>`,
    },
  ];
  for (const place of places) expect(told(place)).toEqual([odd("20sek", "20s")]);
  const good = ["20", "20s", "20 sec", "2Minutes", "500ms", "500 msec", "1h", "2hrs", "7us", "PT1M"];
  for (const value of good)
    expect([value, told({ rest: `<op_defaults>${meta(pair("timeout", value))}</op_defaults>` })]).toEqual([
      value,
      value === "7us" ? [expect.stringContaining("NO_TIME")] : [],
    ]);
});

test.each([
  ["timeout", "20xx"],
  ["start-delay", "soon"],
  ["on-fail", "restrat"],
  ["enabled", "maybe"],
  ["record-pending", "maybe"],
  ["role", "Mastre"],
])("a value of %s that is none is a mistake at an operation, and among the defaults", (name, value) => {
  const expected = [expect.stringMatching(/^error BAD_VALUE /)];
  expect(told({ rest: `<op_defaults>${meta(pair(name, value))}</op_defaults>` }).slice(0, 1)).toEqual(
    expected,
  );
  const words = `<operations><op id="o" name="monitor" interval="10s" ${name}="${value}"/></operations>`;
  expect(told({ resource: words }).filter((one) => one.startsWith("error"))).toEqual(expected);
});

test("a bundle has a runtime that there is", () => {
  const bundle = (runtime: string) =>
    parseXml(`<cib validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/><resources>
<bundle id="b"><${runtime} image="i"/></bundle></resources><constraints/></configuration><status/></cib>`);
  const of = (runtime: string) =>
    verifyCib(bundle(runtime)).filter(({ text }) => text.includes("runtime that hardly any host has"));
  expect(["rkt", "podman", "docker"].map((runtime) => of(runtime).length)).toEqual([1, 0, 0]);
});

test("what is in a bundle can be reached", () => {
  const of = (
    network: string,
    inside = '<primitive id="i" class="ocf" provider="heartbeat" type="Dummy"/>',
  ) =>
    verifyCib(
      parseXml(`<cib validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/><resources>
<bundle id="b"><podman image="i"/>${network}${inside}</bundle></resources><constraints/></configuration><status/></cib>`),
    ).filter(({ code }) => code === "BUNDLE_NETWORK").length;
  expect([of(""), of('<network host-interface="eth0"/>')]).toEqual([1, 1]);
  expect([
    of('<network control-port="3121"/>'),
    of('<network ip-range-start="10.0.0.1"/>'),
    of("", ""),
  ]).toEqual([0, 0, 0]);
});
