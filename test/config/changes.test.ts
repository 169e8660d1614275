import { describe, expect, test } from "bun:test";
import { checkConfig, configChanges, thisMachine } from "../../src/config/index.ts";

const base = `[totem]
token = 1000
[quorum]
two_node = false
[[nodelist.node]]
name = "a"
nodeid = 1
ring0_addr = "10.0.0.1"
[[nodelist.node]]
name = "b"
nodeid = 2
ring0_addr = "10.0.0.2"
`;
const load = (text: string) => {
  const { config } = checkConfig(text, "f", { purpose: "text", machine: thisMachine() });
  if (!config) throw new Error("not a configuration");
  return config;
};
const changes = (text: string) =>
  configChanges(load(base), load(text)).map(
    (change) => `${change.table} ${change.option} ${change.reload ? "reload" : "restart"}`,
  );

describe("changes between two configurations", () => {
  test("none when only the writing differs", () => {
    expect(changes(base)).toEqual([]);
    const [totem, ...nodes] = base.split("[[nodelist.node]]");
    expect(
      changes(`# other\n${[totem?.replace("1000", '"1s"'), ...nodes.reverse()].join("[[nodelist.node]]")}`),
    ).toEqual([]);
    expect(changes(base.replace("token = 1000\n", ""))).toEqual([]);
  });

  test("say whether a reload applies them", () => {
    expect(changes(base.replace("1000", "2000"))).toEqual(["totem token reload"]);
    expect(changes(base.replace("[quorum]", "netmtu = 9000\n[quorum]"))).toEqual(["totem netmtu restart"]);
    expect(changes(base.replace("10.0.0.2", "10.0.0.3"))).toEqual(["nodelist.node#2 ring0_addr reload"]);
    expect(changes(`${base}[system]\nstate_dir = "/x"`)).toEqual(["system state_dir restart"]);
    expect(changes(`${base}[logging]\nlogfile = "/x"\ndebug = true`)).toEqual([
      "logging logfile reload",
      "logging debug reload",
    ]);
    expect(changes(`${base}[[logging.logger_subsys]]\nsubsys = "TOTEM"\ndebug = true`)).toEqual([
      "logging.logger_subsys#TOTEM  reload",
    ]);
  });

  test("a node more or less is one change", () => {
    const third = `${base}[[nodelist.node]]\nname = "c"\nnodeid = 3\nring0_addr = "10.0.0.3"\n`;
    expect(changes(third)).toEqual(["nodelist.node#3  reload"]);
    expect(configChanges(load(third), load(base))).toEqual([
      { table: "nodelist.node#3", option: "", reload: true },
    ]);
  });
});

test("a part of the log that says nothing is told", () => {
  const warned = (subsys: string) =>
    checkConfig(`${base}[[logging.logger_subsys]]\nsubsys = "${subsys}"\ndebug = "on"`, "f", {
      purpose: "text",
      machine: thisMachine(),
    }).problems.filter(({ what }) => what.includes("the part"));
  expect(warned("ATTRIBUTES")).toMatchObject([{ severity: "warning", code: "UNUSED" }]);
  expect(warned("CONTROLLER")).toEqual([]);
});
