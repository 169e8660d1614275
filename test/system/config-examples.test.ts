import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig, importConfig, thisMachine } from "../../src/config/index.ts";

/** The configuration of the 2015 talk, as files of their own beside the project. */
const examples = join(import.meta.dir, "../../../shared/examples");
const read = (file: string) => ({ file, text: readFileSync(join(examples, file), "utf8") });

describe("the talk's files", () => {
  test("are there", () => expect(existsSync(examples)).toBe(true));

  test("make a configuration that is correct and means the same", () => {
    const { toml, notes } = importConfig({
      corosync: read("corosync.conf"),
      sysconfig: read("sysconfig-pacemaker"),
      clusterConf: read("cluster.conf"),
    });
    const { config, problems } = checkConfig(toml, "hactl.toml", { purpose: "text", machine: thisMachine() });
    expect(problems).toEqual([]);
    expect(notes.map((note) => note.text)).toEqual([
      "the fence device kdump belongs into the cluster's configuration: primitive kdump stonith:fence_kdump",
    ]);
    expect(config?.totem.clusterName).toBe("mycluster");
    expect(config?.totem.linkMode).toBe("active");
    expect(config?.totem.effective).toMatchObject({ tokenMs: 1000, consensusMs: 1200 });
    expect(
      config?.nodes.map((node) => [node.name as string, node.id as number, ...node.addresses.values()]),
    ).toEqual([
      ["vm01", 1, "192.168.0.1", "192.168.1.1"],
      ["vm02", 2, "192.168.0.2", "192.168.1.2"],
    ]);
    expect(config?.quorum).toMatchObject({ twoNode: true, waitForAll: true });
    // Slide 41: everything through syslog as local1, no file.
    expect(config?.logging).toMatchObject({
      facility: "local1",
      agentFacility: "local1",
      thresholds: { syslog: "info", file: undefined },
    });
  });
});
