import { describe, expect, test } from "bun:test";
import {
  checkConfig,
  importClusterConf,
  importConfig,
  importCorosync,
  importSysconfig,
  thisMachine,
} from "../../src/config/index.ts";

const check = (toml: string) =>
  checkConfig(toml, "hactl.toml", {
    purpose: "text",
    machine: { ...thisMachine(), resolve: () => ["10.9.9.9"] },
  });

const corosync = `# three nodes, two links
totem {
	version: 2
	cluster_name: bank
	transport: knet
	token: 5000
	crypto_cipher: aes256
	crypto_hash: sha256
	nonsense: 1
	interface {
		linknumber: 0
		knet_link_priority: 10
	}
}
nodelist {
	node {
		ring0_addr: 10.1.0.1
		ring1_addr: 10.2.0.1
		name: a
		nodeid: 11
	}
	node {
		ring0_addr: 10.1.0.2
		ring1_addr: 10.2.0.2
		name: b
		nodeid: 12
	}
	node {
		ring0_addr: 10.1.0.3
		ring1_addr: 10.2.0.3
		name: c
		nodeid: 13
	}
}
quorum {
	provider: corosync_votequorum
	expected_votes: 3
	last_man_standing: 1
	device {
		model: net
	}
}
logging {
	to_logfile: yes
	logfile: /var/log/cluster/corosync.log
	to_syslog: no
	debug: off
	timestamp: on
	logger_subsys {
		subsys: QUORUM
		debug: on
	}
}
`;

describe("corosync.conf", () => {
  test("gives a configuration with the same meaning", () => {
    const { toml, notes } = importCorosync(corosync);
    const { config, problems } = check(toml);
    expect(problems).toEqual([]);
    expect(config?.totem.clusterName).toBe("bank");
    expect(config?.totem.effective.tokenMs).toBe(5650);
    expect(
      config?.nodes.map((node) => [node.id as number, node.name as string, [...node.addresses.values()]]),
    ).toEqual([
      [11, "a", ["10.1.0.1", "10.2.0.1"]],
      [12, "b", ["10.1.0.2", "10.2.0.2"]],
      [13, "c", ["10.1.0.3", "10.2.0.3"]],
    ]);
    expect(config?.links.map((link) => link.priority)).toEqual([10, 1]);
    expect(config?.quorum.lastManStanding).toBe(true);
    expect(config?.logging.thresholds).toEqual({ syslog: undefined, file: "info", stderr: undefined });
    expect(config?.logging.parts.get("QUORUM")?.file).toBe("debug");
    expect(notes.map((note) => note.line)).toEqual([7, 8, 9, 39, 48]);
    expect(toml).toContain("# not taken: nonsense: 1 (hactl has no such option)");
  });

  test("redundant rings of corosync 2 become links", () => {
    const ring = (mode: string) =>
      check(
        importCorosync(
          `totem {\n rrp_mode: ${mode}\n}\n${corosync.slice(corosync.indexOf("nodelist"), corosync.indexOf("quorum"))}`,
        ).toml,
      ).config?.totem.linkMode;
    expect([ring("active"), ring("passive"), ring("none")]).toEqual(["active", "passive", "passive"]);
  });

  test("nodes without a nodeid get one that is free; a member list becomes nodes", () => {
    const some = importCorosync(
      "nodelist {\n node {\n ring0_addr: n1\n nodeid: 1\n }\n node {\n ring0_addr: n2\n }\n}\n",
    );
    expect([...some.toml.matchAll(/nodeid = (\d+)/g)].map((match) => match[1])).toEqual(["1", "2"]);
    const members = importCorosync(
      "totem {\n interface {\n member {\n memberaddr: 10.0.0.1\n }\n member {\n memberaddr: 10.0.0.2\n }\n }\n}\n",
    );
    expect([...members.toml.matchAll(/ring0_addr = "(.*)"/g)].map((match) => match[1])).toEqual([
      "10.0.0.1",
      "10.0.0.2",
    ]);
    expect(members.notes.some((note) => note.text.includes("has no name"))).toBe(true);
  });

  test("values that hactl refuses stay as comments with the reason", () => {
    const { toml } = importCorosync("totem {\n crypto_cipher: none\n token: soon\n}\n");
    expect(toml).toContain("# not taken: crypto_cipher: none");
    expect(toml).toContain('# not taken: token: soon (token must be a time, not "soon"');
    expect(toml).not.toMatch(/^token/m);
  });

  test("damage is told with its line", () => {
    const { notes } = importCorosync("totem {\n what is this\n}\n}\nquorum {\n");
    expect(notes.map((note) => [note.line, note.text.split(":")[0]])).toEqual([
      [2, 'This is neither a section nor "key'],
      [4, "This } closes nothing. Remove it"],
      [5, "The section quorum does not end. Add }"],
    ]);
  });

  test("a value cannot break out of its text", () => {
    const { toml } = importCorosync('totem {\n cluster_name: a" \\ b\n}\n');
    const parsed = Bun.TOML.parse(toml) as { totem: { cluster_name: string } };
    expect(parsed.totem.cluster_name).toBe('a" \\ b');
  });
});

describe("sysconfig", () => {
  test("takes exported, quoted and plain assignments, and says what has no effect", () => {
    const { toml, notes } = importSysconfig(
      `# comment\nexport PCMK_logfile=none\nPCMK_logfacility="local1" # why\nHA_LOGFACILITY='local2'\nPCMK_ipc_type=shared-mem\nFOO=1\nPCMK_debug=$(id)\nPCMK_stderr=\nif true\n`,
      "pacemaker",
    );
    expect(Bun.TOML.parse(toml)).toEqual({
      sysconfig: { PCMK_logfile: "none", PCMK_logfacility: "local1", HA_LOGFACILITY: "local2" },
    });
    expect(notes.map((note) => note.line)).toEqual([5, 6, 7, 9]);
    expect(notes[2]?.text).toContain("no shell expansion");
    expect(notes.every((note) => note.file === "pacemaker")).toBe(true);
  });
});

describe("cluster.conf", () => {
  const text = `<?xml version="1.0"?>
<cluster name="old" config_version="7"><cman two_node="1" expected_votes="1"/><totem token="2000"/>
<clusternodes><clusternode name="h1" nodeid="1"><altname name="h1-b"/></clusternode><clusternode name="h2" nodeid="2"><altname name="h2-b"/></clusternode></clusternodes>
<fencedevices><fencedevice name="k" agent="fence_kdump"/></fencedevices><rm/></cluster>`;
  test("gives nodes, quorum, token and the notice of crash dumps", () => {
    const { toml, notes } = importClusterConf(text);
    expect(Bun.TOML.parse(toml)).toEqual({
      totem: { cluster_name: "old", config_version: 7, token: 2000 },
      nodelist: {
        node: [
          { name: "h1", nodeid: 1, ring0_addr: "h1", ring1_addr: "h1-b" },
          { name: "h2", nodeid: 2, ring0_addr: "h2", ring1_addr: "h2-b" },
        ],
      },
      quorum: { two_node: true },
      kdump: { listen: true },
    });
    expect(notes.map((note) => note.text)).toEqual([
      "the fence device k belongs into the cluster's configuration: primitive k stonith:fence_kdump",
      "<rm> has no counterpart; left out",
    ]);
  });

  test("what is not a cluster.conf is refused", () => {
    expect(() => importClusterConf("<cluster name='x'")).toThrow("This is not XML");
    expect(() => importClusterConf("<cib/>")).toThrow("not <cluster>");
  });

  test("beside a corosync.conf only adds what is missing", () => {
    const { toml } = importConfig({
      corosync: { file: "c", text: corosync },
      clusterConf: { file: "x", text },
    });
    const { config } = check(toml);
    expect(config?.totem.clusterName).toBe("bank");
    expect(config?.nodes).toHaveLength(3);
    expect(config?.totem.configVersion).toBe(7);
  });
});

describe("what corosync, a shell and older names do with the same thing twice", () => {
  const nodes = "nodelist {\n node {\n ring0_addr: 10.1.0.1\n name: a\n nodeid: 1\n }\n}\n";
  const withQuorum = `${nodes}quorum {\n provider: corosync_votequorum\n}\n`;

  test("of two the last counts, and a note says so, in one section and in two", () => {
    for (const totem of [
      "totem {\n token: 1000\n token: 5000\n}\n",
      "totem {\n token: 1000\n}\ntotem {\n token: 5000\n}\n",
    ]) {
      const { toml, notes } = importCorosync(totem + withQuorum);
      expect(toml).toContain("token = 5000");
      expect(toml).not.toMatch(/^token = 1000/m);
      expect(notes).toHaveLength(1);
      expect(notes[0]?.text).toContain("token = 5000");
    }
  });

  test("in a shell's file the last counts, an empty one takes it back, and the newer name wins wherever it stands", () => {
    const lines = (toml: string) => toml.split("\n").filter((line) => /^PCMK_/.test(line));
    const limit = "PCMK_node_action_limit";
    expect(lines(importSysconfig(`${limit}=7\n${limit}=9\n`).toml)).toEqual([`${limit} = 9`]);
    expect(lines(importSysconfig(`${limit}=7\n${limit}=\n`).toml)).toEqual([]);
    expect(lines(importSysconfig(`${limit}=7\nLRMD_MAX_CHILDREN=3\n`).toml)).toEqual([`${limit} = 7`]);
    expect(lines(importSysconfig(`LRMD_MAX_CHILDREN=3\n${limit}=7\n`).toml)).toEqual([`${limit} = 7`]);
  });

  test("of two the last counts also where it cannot be taken: what was before it is not in force", () => {
    for (const [last, why] of [
      ["99999", "too"],
      ["junk", "not"],
      ["$PORT", "no shell expansion"],
    ]) {
      const { toml, notes } = importSysconfig(`PCMK_remote_port=3199\nPCMK_remote_port=${last}\n`);
      expect(toml).not.toMatch(/^PCMK_remote_port/m);
      expect(notes.map(({ text }) => text)).toEqual([
        expect.stringContaining(why ?? ""),
        expect.stringMatching(
          /the last counts, which was not taken, and not PCMK_remote_port = 3199 of line 1$/,
        ),
      ]);
    }
    const { toml, notes } = importCorosync(`totem {\n token: 5000\n token: soon\n}\n${withQuorum}`);
    expect(toml).not.toMatch(/^token = /m);
    expect(notes).toHaveLength(2);
  });

  test("a table whose key means nothing here is left out, with one note", () => {
    const subsystem = "logging {\n logger_subsys {\n subsys: AMF\n debug: on\n tags: enter\n }\n}\n";
    const { toml, notes } = importCorosync(withQuorum + subsystem);
    expect(toml).not.toMatch(/^\[\[logging/m);
    expect(notes).toHaveLength(1);
    expect(notes[0]?.text).toContain("AMF");
    expect(check(toml).problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("what has another meaning here is said", () => {
    const { notes } = importCorosync(
      "totem {\n vsftype: none\n cluster_uuid: 1-2\n}\nsystem {\n state_dir: /var/lib/corosync\n}\n" +
        withQuorum,
    );
    expect(notes.map(({ text }) => text.split(":")[0])).toEqual(["vsftype", "cluster_uuid", "state_dir"]);
  });

  test("that no votes were counted is said, with how many are needed now", () => {
    const node = (id: number) => ` node {\n ring0_addr: 10.1.0.${id}\n name: n${id}\n nodeid: ${id}\n }\n`;
    const { notes } = importCorosync(`nodelist {\n${node(1)}${node(2)}${node(3)}}\n`);
    expect(notes.map(({ text }) => text)).toEqual([expect.stringContaining("2 of 3 needed")]);
    expect(importCorosync(withQuorum).notes).toEqual([]);
  });
});
