import { describe, expect, test } from "bun:test";
import { child, parseXml, type XmlElement } from "../../src/cib/index.ts";
import { primitivesGone, refuseWhileRunning } from "../../src/cli/running.ts";
import { CrmExit, HactlError } from "../../src/terms/index.ts";

/** A primitive, and its history on a node where it runs. */
const primitive = (id: string, meta = "") =>
  `<primitive id="${id}" class="ocf" provider="test" type="A">${meta}</primitive>`;
const unmanaged = `<meta_attributes id="m"><nvpair id="m1" name="is-managed" value="false"/></meta_attributes>`;
const history = (id: string, rc = 0) =>
  `<lrm_resource id="${id}" class="ocf" provider="test" type="A"><lrm_rsc_op id="${id}_last_0" operation_key="${id}_start_0"
 operation="start" transition-key="1:1:0:x" transition-magic="0:${rc};1:1:0:x" call-id="5" rc-code="${rc}" op-status="0" interval="0"/></lrm_resource>`;
const state = (node: string, histories: string) =>
  `<node_state id="${node}" uname="n${node}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="${node}">
<lrm_resources>${histories}</lrm_resources></lrm></node_state>`;
const cib = parseXml(`<cib validate-with="pacemaker-3.9"><configuration><crm_config/>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources>${primitive("a")}<group id="g">${primitive("b")}</group><clone id="k">${primitive("c")}</clone>${primitive("off")}${primitive("own", unmanaged)}
</resources><constraints/></configuration><status>${state("1", history("a") + history("c") + history("own"))}
${state("2", history("b") + history("c"))}</status></cib>`);

const configuration = (resources: string): XmlElement =>
  parseXml(
    `<configuration><crm_config/><nodes/><resources>${resources}</resources><constraints/></configuration>`,
  );

function refusal(after: string): HactlError | undefined {
  const before = child(cib, "configuration");
  if (before === undefined) throw new Error("there is a configuration");
  try {
    refuseWhileRunning(cib, primitivesGone(before, configuration(after)));
    return undefined;
  } catch (error) {
    if (error instanceof HactlError) return error;
    throw error;
  }
}

describe("a configuration that takes the place of another", () => {
  test("is refused when it lacks what runs, all of which is named with its nodes", () => {
    expect(refusal(primitive("other"))).toMatchObject({
      code: "RUNNING",
      exit: CrmExit.UNSAFE,
      what: "a is running on n1; b is running on n2; c is running on n1, n2",
      cure: "stop them first (hactl resource stop a --wait; hactl resource stop b --wait; hactl resource stop c --wait), or say --force: then they are stopped at once",
    });
    expect(refusal(primitive("a") + primitive("c"))?.what).toBe("b is running on n2");
  });

  test("is taken when it has all that runs, wherever, or lacks what does not run or is not managed", () => {
    expect(refusal(primitive("a") + primitive("c") + primitive("b"))).toBeUndefined();
  });
});
