import { describe, expect, test } from "bun:test";
import { parseXml, type XmlElement } from "../../src/cib/index.ts";
import { Rounds, refuseUnfulfilled, type Wish } from "../../src/cli/waiting.ts";
import { HactlError } from "../../src/terms/index.ts";

/** What whoever waited is told of a cluster that has nothing left to do. */

interface Ran {
  readonly task: string;
  readonly rc?: number;
  readonly reason?: string;
}

const operation = (rsc: string, { task, rc = 0, reason = "" }: Ran, call: number) =>
  `<lrm_rsc_op id="${rsc}_${task}_${call}" operation_key="${rsc}_${task}_0" operation="${task}" transition-key="1:1:0:x"
 transition-magic="0:${rc};1:1:0:x" call-id="${call}" rc-code="${rc}" op-status="${rc === 0 ? 0 : 4}" interval="0"
 last-rc-change="${1000 + call}" exit-reason="${reason}"/>`;

/** What was done on the nodes, by node and resource. */
function cib(
  done: Readonly<Record<string, Readonly<Record<string, readonly Ran[]>>>>,
  attributes = "",
  options = "",
  ofA = "",
): XmlElement {
  const agent = 'class="ocf" provider="test" type="A"';
  const states = ["n1", "n2"].map((node, at) => {
    const histories = Object.entries(done[node] ?? {}).map(
      ([rsc, ran]) =>
        `<lrm_resource id="${rsc}" ${agent}>${ran.map((one, call) => operation(rsc, one, call + 1)).join("")}</lrm_resource>`,
    );
    return `<node_state id="${at + 1}" uname="${node}" in_ccm="true" crmd="online" join="member" expected="member">
<lrm id="${at + 1}"><lrm_resources>${histories.join("")}</lrm_resources></lrm></node_state>`;
  });
  return parseXml(`<cib validate-with="pacemaker-3.9" have-quorum="1"><configuration><crm_config>
<cluster_property_set id="c"><nvpair id="c1" name="stonith-enabled" value="false"/>${options}</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1">${attributes}</node><node id="2" uname="n2"/></nodes><resources>
<primitive id="a" ${agent}>${ofA}</primitive><group id="g"><primitive id="g1" ${agent}/><primitive id="g2" ${agent}/></group>
<clone id="k"><primitive id="c" ${agent}/></clone>
<clone id="db-clone"><meta_attributes id="m"><nvpair id="m1" name="promotable" value="true"/></meta_attributes><primitive id="db" ${agent}/></clone>
<primitive id="u" ${agent}><meta_attributes id="um"><nvpair id="um1" name="is-managed" value="false"/></meta_attributes></primitive>
</resources><constraints/></configuration><status>${states.join("")}</status></cib>`);
}

const started: readonly Ran[] = [{ task: "start" }];
const promoted: readonly Ran[] = [{ task: "start" }, { task: "promote" }];
const failed: readonly Ran[] = [{ task: "start", rc: 1, reason: "no volume" }, { task: "stop" }];

function said(of: XmlElement, wish: Wish): string {
  try {
    refuseUnfulfilled(of, wish);
    return "";
  } catch (error) {
    if (!(error instanceof HactlError)) throw error;
    expect(error.exit).toBe(113);
    return `${error.what} [${error.cure}]`;
  }
}

describe("whoever has waited is told what is not so, and why", () => {
  const all = cib({
    n1: { a: started, g1: started, g2: started, c: started, db: promoted, u: started },
    n2: { c: started, db: started },
  });
  const some = cib({
    n1: { a: failed, g1: started, g2: failed, c: failed, db: started },
    n2: { c: started, db: started },
  });
  const standby = cib(
    {},
    '<instance_attributes id="i"><nvpair id="i1" name="standby" value="on"/></instance_attributes>',
  );
  const why = "start on n1: Error occurred – no volume";
  const cases: readonly (readonly [of: XmlElement, wish: Wish, said: string])[] = [
    [all, { wish: "runs", rsc: "a" }, ""],
    [all, { wish: "runs", rsc: "g" }, ""],
    [all, { wish: "runs", rsc: "k" }, ""],
    [all, { wish: "is promoted", rsc: "db-clone" }, ""],
    [all, { wish: "is promoted", rsc: "db-clone", node: "n1" }, ""],
    [all, { wish: "is well" }, ""],
    [all, { wish: "is on", rsc: "a", node: "n1" }, ""],
    [all, { wish: "is off", rsc: "a", node: "n2" }, ""],
    [
      all,
      { wish: "is empty", node: "n2" },
      "c did not leave n2: it runs on n2; db did not leave n2: it is unpromoted on n2 [hactl explain c tells why]",
    ],
    [all, { wish: "is in service", node: "n1" }, ""],
    [standby, { wish: "is stopped", rsc: "g" }, ""],
    [standby, { wish: "is empty", node: "n1" }, ""],
    [
      all,
      { wish: "is stopped", rsc: "u" },
      "u was not stopped: it runs on n1, not managed [hactl resource manage u]",
    ],
    [
      cib({ n1: { a: started } }, "", '<nvpair id="c2" name="maintenance-mode" value="true"/>'),
      { wish: "is stopped", rsc: "a" },
      "a was not stopped: it runs on n1, in maintenance [hactl maintenance off]",
    ],
    [
      cib(
        { n1: { a: started } },
        '<instance_attributes id="i"><nvpair id="i1" name="maintenance" value="true"/></instance_attributes>',
      ),
      { wish: "is stopped", rsc: "a" },
      "a was not stopped: it runs on n1, in maintenance [hactl node ready n1]",
    ],
    [
      cib(
        { n1: { a: started } },
        "",
        "",
        '<meta_attributes id="am"><nvpair id="am1" name="maintenance" value="true"/></meta_attributes>',
      ),
      { wish: "is stopped", rsc: "a" },
      "a was not stopped: it runs on n1, in maintenance [hactl resource maintenance a off]",
    ],
    [
      some,
      { wish: "runs", rsc: "a" },
      `a was not started: it is stopped (${why}) [mend it, then hactl resource cleanup a]`,
    ],
    [
      some,
      { wish: "runs", rsc: "g" },
      `g2 was not started: it is stopped (${why}) [mend it, then hactl resource cleanup g2]`,
    ],
    [
      some,
      { wish: "runs", rsc: "k" },
      `c was not started everywhere: it is stopped (${why}) [mend it, then hactl resource cleanup c]`,
    ],
    [
      some,
      { wish: "is promoted", rsc: "db-clone" },
      "db-clone was not promoted: db: it is unpromoted on n1, db: it is unpromoted on n2 [hactl explain db tells why]",
    ],
    [
      all,
      { wish: "is not promoted", rsc: "db-clone" },
      "db was not demoted: it is promoted on n1 [hactl explain db tells why]",
    ],
    [
      some,
      { wish: "runs as before", rsc: "k", before: all },
      `k does not run as before: c: it is stopped (${why}) [mend it, then hactl resource cleanup c]`,
    ],
    [all, { wish: "runs as before", rsc: "k", before: some }, ""],
    [
      some,
      { wish: "is on", rsc: "g", node: "n2" },
      `g was not moved to n2: g1: it runs on n1, g2: it is stopped (${why}) [hactl explain g1 tells why]`,
    ],
    [
      standby,
      { wish: "is in service", node: "n1" },
      "node n1 is still in standby [crm_standby -N n1 -l reboot -D]",
    ],
    [
      standby,
      { wish: "is in service", node: "n9" },
      "node n9 is not there: it is offline [hactl node show n9]",
    ],
    [
      standby,
      { wish: "is in maintenance", node: "n1" },
      "node n1 is not in maintenance [hactl node show n1]",
    ],
  ];
  test.each(cases.map((one, at) => [at, ...one] as const))("case %d", (_, of, wish, words) => {
    expect(said(of, wish)).toBe(words);
  });

  test("whatever has failed and is left so", () => {
    const text = said(some, { wish: "is well" });
    for (const id of ["a", "g2", "c"]) expect(text).toContain(`${id} has failed: it is stopped (${why})`);
    expect(said(some, { wish: "is well", rsc: "db-clone" })).toBe("");
  });
});

describe("whoever waits for what fails by turns", () => {
  const failure = (place: string, call: number, at = 1000 + call) => ({ place, call: String(call), at });

  test("waits no longer when it has come round", () => {
    const rounds = new Rounds(1000);
    expect(rounds.goesRound([failure("start on n1", 1)])).toBe(false);
    expect(rounds.goesRound([failure("start on n1", 1), failure("start on n2", 1)])).toBe(false);
    expect(rounds.goesRound([failure("start on n1", 2), failure("start on n2", 1)])).toBe(true);
  });

  test("goes on while other nodes are tried, or the same one a few times", () => {
    const rounds = new Rounds(1000);
    for (const call of [1, 2, 3]) expect(rounds.goesRound([failure("start on n1", call)])).toBe(false);
    expect(rounds.goesRound([failure("start on n1", 3), failure("start on n2", 1)])).toBe(false);
    const alone = new Rounds(1000);
    const said = [1, 2, 3, 4, 5].map((call) => alone.goesRound([failure("start on n1", call)]));
    expect(said).toEqual([false, false, false, false, true]);
  });

  test("is told nothing of what failed before", () => {
    const rounds = new Rounds(5000);
    for (const call of [1, 2, 3, 4, 5, 6])
      expect(rounds.goesRound([failure("start on n1", call), failure("start on n2", call)])).toBe(false);
  });
});
