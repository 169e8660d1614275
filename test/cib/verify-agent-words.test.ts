/** What agents say of their times, values and actions is held against how resources use them. */
import { describe, expect, test } from "bun:test";
import {
  type AgentFacts,
  agentUses,
  bundleUses,
  child,
  cibOf,
  findAgentProblems,
  loadCrm,
  parseAgentDescription,
  readAgentFacts,
  upgradeCib,
} from "../../src/cib/index.ts";
import { deviceOptions } from "../../src/fencer/index.ts";

const parameters = `<parameters>
<parameter name="conf" required="1"><content type="string"/></parameter>
<parameter name="speed"><content type="integer" default="3"/></parameter>
<parameter name="wait"><content type="integer" default="10s"/></parameter>
<parameter name="loud"><content type="boolean" default="false"/></parameter>
<parameter name="mode"><content type="select" default="a"><option value="a"/><option value="batch"/></content></parameter>
<parameter name="kind"><content type="select" default="other"><option value="a"/></content></parameter>
</parameters>`;
const slow = `<action name="start" timeout="30s"/><action name="stop" timeout="90"/>
<action name="monitor" depth="0" timeout="25s" interval="10s"/><action name="monitor" depth="10" timeout="300s"/>`;
const promoting = `<action name="promote" timeout="40s"/><action name="demote" timeout="15s"/>
<action name="monitor" timeout="30s" role="Promoted"/><action name="monitor" timeout="5s" role="Unpromoted"/>`;
const moving = `<action name="migrate_to" timeout="120s"/><action name="migrate_from" timeout="60s"/>`;
const plain = `<action name="start" timeout="20s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s"/>`;
const agent = (actions: string) =>
  `<resource-agent>${parameters}<actions>${actions}</actions></resource-agent>`;

/** `LEVEL CODE ID: TEXT (CURE)` of all that an agent says against a configuration. */
function told(text: string, actions = plain): string[] {
  const { root } = upgradeCib(cibOf(loadCrm(text, undefined, "replace")));
  const configuration = child(root, "configuration");
  if (!configuration) throw new Error("no configuration");
  const facts: AgentFacts = { kind: "described", description: parseAgentDescription(agent(actions)) };
  // As another member tells it.
  const travelled = readAgentFacts(JSON.parse(JSON.stringify(facts)), "");
  expect(travelled).toEqual(facts);
  return findAgentProblems(
    agentUses(configuration),
    configuration,
    () => ({ found: [{ node: "n1", facts: travelled }], silent: [] }),
    new Set(deviceOptions.map(({ name }) => name)),
  ).map(({ level, code, id, text: what, cure }) => `${level} ${code} ${id}: ${what} (${cure})`);
}

function only(found: readonly string[], ...expected: readonly RegExp[]): void {
  expect(found.length === expected.length ? [] : found).toEqual([]);
  for (const [at, one] of expected.entries()) expect(found[at]).toMatch(one);
}

describe("the runtime of a bundle", () => {
  const bundle = "primitive p ocf:x:y\nbundle b podman image=i replicas=2 primitive p";
  const of = (facts: readonly AgentFacts[]) => {
    const configuration = child(
      upgradeCib(cibOf(loadCrm(bundle, undefined, "replace"))).root,
      "configuration",
    );
    if (!configuration) throw new Error("no configuration");
    const found = facts.map((one, i) => ({ node: `n${i + 1}`, facts: one }));
    return findAgentProblems(
      bundleUses(configuration),
      configuration,
      () => ({ found, silent: [] }),
      new Set(),
    ).map(({ level, code, id, text }) => `${level} ${code} ${id}: ${text}`);
  };
  const described: AgentFacts = { kind: "described", description: parseAgentDescription(agent(plain)) };

  test("that is not there is a warning with the nodes, where none has it, too", () => {
    const absent: AgentFacts = { kind: "absent", reason: "no such file" };
    const text =
      'warning NO_SUCH_AGENT b: agent ocf:heartbeat:podman of resource "b" is not there: no such file';
    expect(of([absent, described, absent])).toEqual([`${text} (on n1, n3)`]);
    expect(of([absent, absent])).toEqual([`${text} (on n1, n2)`]);
  });

  test("has its parameters from the cluster", () => {
    expect(of([described, described])).toEqual([]);
  });
});

describe("times that an agent asks for", () => {
  test("what is not written at all, in one remark with what to write", () => {
    only(
      told("primitive p ocf:x:y params conf=1", slow),
      /^warning SHORT_TIMEOUT p: agent ocf:x:y asks for more time than resource "p" gives it: start 30s \(has 20s by default\), stop 90s \(has 20s by default\); a stop .* fenced \(write op start interval=0 timeout=30s op stop interval=0 timeout=90s\)$/,
    );
  });

  test("what is written too short, at the operation where it is the only one", () => {
    only(
      told(
        "primitive p ocf:x:y params conf=1 op start timeout=30s op stop timeout=20ms op monitor interval=10s timeout=25s",
        slow,
      ),
      /^warning SHORT_TIMEOUT p-stop-0s?: .*: stop 90s \(has 20ms\); .*\(write op stop interval=0s? timeout=90s\)$/,
    );
  });

  test("a monitor where there is one; a deeper one asks for no less", () => {
    only(
      told(
        "primitive p ocf:x:y params conf=1 op start timeout=1m op stop timeout=2m op monitor interval=7",
        slow,
      ),
      /: monitor 25s \(has 20s by default\) \(write op monitor interval=7 timeout=25s\)$/,
    );
  });

  test.each([
    ["op_defaults timeout=90s\nprimitive p ocf:x:y params conf=1 op monitor interval=10s"],
    ["rsc_template t ocf:x:y op start timeout=30s op stop timeout=90s\nprimitive p @t params conf=1"],
    ["primitive p ocf:x:y params conf=1 op start timeout=2min op stop timeout=2min"],
  ])("enough by %s", (text) => {
    expect(told(text, slow)).toEqual([]);
  });

  test("a default that is too short, too, and one that is none", () => {
    only(
      told("op_defaults timeout=5s\nprimitive p ocf:x:y params conf=1"),
      /start 20s \(has 5s by default\), stop 20s \(has 5s by default\)/,
    );
    expect(told("op_defaults timeout=0\nprimitive p ocf:x:y params conf=1")).toEqual([]);
  });

  test("promotion where it can be, monitors by their roles", () => {
    const text =
      "primitive p ocf:x:y params conf=1 op monitor interval=10s role=Promoted op monitor interval=11s role=Unpromoted timeout=6s";
    only(
      told(`${text}\nclone c p meta promotable=true`, plain + promoting),
      /: promote 40s \(has 20s by default\), monitor \(Promoted\) 30s .*role=Promoted timeout=30s\)$/,
    );
  });

  test("live migration where it is allowed", () => {
    const text = "primitive p ocf:x:y params conf=1";
    expect(told(text, plain + moving)).toEqual([]);
    only(told(`${text} meta allow-migrate=true`, plain + moving), /: migrate_to 120s .*, migrate_from 60s /);
  });

  test("an agent that tells no times, and a member of before", () => {
    expect(told("primitive p ocf:x:y params conf=1 op stop timeout=1s", '<action name="stop"/>')).toEqual([]);
    const old = { kind: "described", description: { parameters: [{ name: "a" }], actions: ["start"] } };
    expect(readAgentFacts(old, "")).toEqual(old as AgentFacts);
    // And one of later, who tells more.
    const later = {
      ...old,
      description: { ...old.description, more: 1, parameters: [{ name: "a", more: 1 }] },
    };
    expect(readAgentFacts(later, "")).toEqual(old as AgentFacts);
  });
});

describe("values that an agent's parameters cannot have", () => {
  const tell = (words: string) => told(`primitive p ocf:x:y params ${words}`);
  test("none of those that it says", () => {
    only(
      tell("conf=1 mode=zonk"),
      /^warning PARAMETER_VALUE .*mode="zonk" of resource "p" is none of a, batch for agent ocf:x:y \(write one of a, batch\)$/,
    );
    only(tell("conf=1 mode=bathc"), /did you mean "batch"\?/);
  });
  test.each(["fast", "3s", "1.5"])("integer %s", (value) => {
    only(tell(`conf=1 speed=${value}`), /^warning PARAMETER_VALUE .* is no whole number for agent/);
  });
  test("boolean", () => {
    only(tell("conf=1 loud=perhaps"), /is neither true nor false for agent/);
  });
  test("one that is required and empty", () => {
    only(
      tell('conf=""'),
      /^warning PARAMETER_VALUE .*conf="" of resource "p" is empty, and ocf:x:y requires it \(write conf=…\)$/,
    );
  });
  test("in a template, too", () => {
    only(
      told("rsc_template t ocf:x:y params conf=1 speed=fast\nprimitive p @t"),
      /speed="fast" of resource "p"/,
    );
  });
  test.each([
    ["conf=1 speed=5 loud=yes mode=batch"],
    ["conf=1 speed=-1 loud=0"],
    // What the agent's own default is not says nothing.
    ["conf=1 wait=5min kind=any"],
    ['conf=1 mode="" speed=""'],
  ])("none of %s", (words) => {
    expect(tell(words)).toEqual([]);
  });
});

describe("what is asked of an agent that it does not do", () => {
  const text = "primitive p ocf:x:y params conf=1";
  test("live migration", () => {
    only(
      told(`${text} meta allow-migrate=true`),
      /^warning UNSUPPORTED_OPERATION p-meta_attributes-allow-migrate: allow-migrate=true of resource "p", but agent ocf:x:y does not offer migrate_to/,
    );
    only(
      told(`rsc_template t ocf:x:y params conf=1 meta allow-migrate=true\nprimitive p @t`),
      /does not offer migrate_to/,
    );
    expect(told(`rsc_defaults allow-migrate=true\n${text}`)).toEqual([]);
    expect(told(`${text} meta allow-migrate=false`)).toEqual([]);
  });
  test("promotion", () => {
    only(
      told(`${text}\nclone c p meta promotable=true`),
      /^warning UNSUPPORTED_OPERATION p: resource "p" is in clone "c", which is promotable, but agent ocf:x:y does not offer promote/,
    );
    expect(told(`${text}\nclone c p`)).toEqual([]);
    expect(
      told(`${text}\nclone c p meta promotable=true`, plain + promoting.replaceAll(/timeout="\d+s"/g, "")),
    ).toEqual([]);
  });
  test("actions of a fence device", () => {
    const device = (words: string) =>
      told(
        `primitive d stonith:f params conf=1 ${words}`,
        `${plain}<action name="off"/><action name="reboot"/>`,
      );
    only(
      device("pcmk_reboot_action=reboto"),
      /^warning UNSUPPORTED_OPERATION .*pcmk_reboot_action="reboto" of fence device "d" is no action of agent stonith:f: reboot will fail.*did you mean "reboot"/,
    );
    expect(device("pcmk_reboot_action=off")).toEqual([]);
    expect(told("primitive d stonith:f params conf=1 pcmk_reboot_action=cut", "")).toEqual([]);
  });
});
