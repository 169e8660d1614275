import { describe, expect, test } from "bun:test";
import {
  type ConfigContext,
  ConfigError,
  checkConfig,
  loadConfig,
  type MachineFacts,
} from "../../src/config/index.ts";

/** A machine vm01 with two networks and a good key; tests change what they are about. */
function machine(changes: Partial<MachineFacts> = {}): MachineFacts {
  return {
    hostname: "vm01",
    addresses: [
      { interface: "eth0", family: 4, address: "192.168.0.1", prefix: 24 },
      { interface: "eth1", family: 4, address: "192.168.1.1", prefix: 24 },
      { interface: "eth2", family: 6, address: "fd00::1", prefix: 64 },
    ],
    resolve: (name) =>
      name === "vm01" ? ["192.168.0.1"] : name === "vm02" ? ["fd00::2", "192.168.0.2"] : [],
    path: (path) =>
      /authkey$|\.log$/.test(path)
        ? { kind: "file", size: 256, mode: 0o400, uid: 0, gid: 0 }
        : { kind: "directory", size: 0, mode: 0o755, uid: 0, gid: 0 },
    uid: 0,
    ...changes,
  };
}

const context = (changes: Partial<ConfigContext> = {}): ConfigContext => ({
  purpose: "node",
  machine: machine(),
  ...changes,
});

const nodes = `[[nodelist.node]]
name = "vm01"
nodeid = 1
ring0_addr = "192.168.0.1"
[[nodelist.node]]
name = "vm02"
nodeid = 2
ring0_addr = "192.168.0.2"
`;
const good = `[totem]
cluster_name = "c"
[quorum]
two_node = true
${nodes}`;

/** Codes with their lines, as `CODE@line`. */
const found = (text: string, changes: Partial<ConfigContext> = {}) =>
  checkConfig(text, "hactl.toml", context(changes)).problems.map(
    (problem) => `${problem.severity === "warning" ? "~" : ""}${problem.code}@${problem.line ?? "-"}`,
  );
const first = (text: string, changes: Partial<ConfigContext> = {}) => {
  const [problem] = checkConfig(text, "hactl.toml", context(changes)).problems;
  return `${problem?.what} | ${problem?.cure}`;
};

describe("a correct configuration", () => {
  test("is taken without a word, with this machine as its node", () => {
    const { config, problems } = checkConfig(good, "hactl.toml", context());
    expect(problems).toEqual([]);
    expect(config?.localNode?.name as string).toBe("vm01");
    expect(config?.nodes.map((node) => [node.id as number, node.votes, node.addresses.get(0)])).toEqual([
      [1, 1, "192.168.0.1"],
      [2, 1, "192.168.0.2"],
    ]);
    expect(config?.links).toEqual([
      {
        number: 0,
        family: 4,
        port: 5405,
        priority: 1,
        pingIntervalMs: 250,
        pingTimeoutMs: 500,
        pongCount: 2,
      },
    ]);
    expect(config?.quorum.twoNode).toBe(true);
    expect(config?.quorum.waitForAll).toBe(true);
    expect(config?.system.stateDir).toBe("/var/lib/hactl");
    expect(config?.remote).toEqual({
      name: undefined,
      listen: "::",
      port: 3121,
      keyFile: "/etc/hactl/remote-authkey",
    });
  });

  test("wait_for_all can be switched off beside two_node", () => {
    const { config } = checkConfig(
      good.replace("two_node = true", "two_node = true\nwait_for_all = false"),
      "f",
      context(),
    );
    expect(config?.quorum.waitForAll).toBe(false);
  });

  test("host names come from the hosts file, by the family that ip_version prefers", () => {
    const named = good.replaceAll(/"192.168.0.(\d)"/g, '"vm0$1"').replaceAll(/^name = .*\n/gm, "");
    const four = checkConfig(named, "f", context()).config;
    expect(four?.nodes.map((node) => [node.name as string, node.addresses.get(0)])).toEqual([
      ["vm01", "192.168.0.1"],
      ["vm02", "192.168.0.2"],
    ]);
    expect(found(named.replace("[totem]", '[totem]\nip_version = "ipv6-4"'))).toEqual(["FAMILY@11"]);
  });

  test("two links with ports of their own", () => {
    const two = good
      .replace('ring0_addr = "192.168.0.1"', 'ring0_addr = "192.168.0.1"\nring1_addr = "192.168.1.1"')
      .replace('ring0_addr = "192.168.0.2"', 'ring0_addr = "192.168.0.2"\nring1_addr = "192.168.1.2"');
    const text = `${two}[[totem.interface]]\nringnumber = 1\nport = 6000\npriority = 9\n`;
    const { config, problems } = checkConfig(text, "f", context());
    expect(problems).toEqual([]);
    expect(config?.links.map((link) => [link.number, link.port, link.priority])).toEqual([
      [0, 5405, 1],
      [1, 6000, 9],
    ]);
  });

  test("the same options may stand in inline tables", () => {
    const text = `totem = { cluster_name = "c" }
quorum = { two_node = true }
nodelist.node = [
  { name = "vm01", nodeid = 1, ring0_addr = "192.168.0.1" },
  { name = "vm02", nodeid = 1, ring0_addr = "192.168.0.2" },
]`;
    expect(found(text)).toEqual(["DUPLICATE@5"]);
  });
});

describe("mistakes of spelling", () => {
  test("every one is told at once, with its line, and nothing is loaded", () => {
    const text = `[totem]
tokn = 1000
consensus = "soon"
[quorm]
two_node = true
[quorum]
two_node = 7
[logging]
syslog_facility = "locl1"
${nodes}`;
    expect(found(text)).toEqual(
      ["UNKNOWN_OPTION@2", "VALUE@3", "UNKNOWN_TABLE@4", "VALUE@7", "VALUE@9", "~QUORUM@6"].toSorted(byLine),
    );
    expect(() => loadConfig(text, "hactl.toml", context())).toThrow(ConfigError);
    try {
      loadConfig(text, "hactl.toml", context());
    } catch (error) {
      expect((error as ConfigError).problems).toHaveLength(6);
      expect((error as ConfigError).what).toStartWith(
        "The configuration has 5 mistakes; the first: [totem] has no option tokn",
      );
      expect((error as ConfigError).exit).toBe(78);
    }
  });

  const byLine = (a: string, b: string) => Number(a.split("@")[1]) - Number(b.split("@")[1]);

  test.each([
    ["[totem]\ntokn = 1\n", "[totem] has no option tokn | Did you mean token?"],
    ["[totem]\ntwo_node = true\n", "[totem] has no option two_node | It belongs in [quorum]"],
    [
      "token = 1\n[totem]\n",
      "token stands outside of any table | It belongs in [totem]; move it below that line",
    ],
    ["[interface]\n", "There is no table [interface] | Did you mean [[totem.interface]]?"],
    ["[[nodelist.nodes]]\n", "[nodelist] has no option nodes | Did you mean [[nodelist.node]]?"],
    ["[nodelist.node]\nname='a'\n", "[nodelist.node] may come several times | Write [[nodelist.node]]"],
    ["[totem.interfaces]\n", "There is no table [totem.interfaces] | Did you mean [[totem.interface]]?"],
    [
      "[quorum.device]\nmodel = 'net'\n",
      "A quorum device is not supported | Remove [quorum.device]; use three nodes, or two_node with fencing",
    ],
    ["[totem]\nport = 5\n", "[totem] has no option port | It belongs in [[totem.interface]]"],
    [
      "[sysconfig]\nPCMK_logfacilty = 'local1'\n",
      "[sysconfig] has no option PCMK_logfacilty | Did you mean PCMK_logfacility?",
    ],
    [
      "[totem]\nringnumber = 1\nzzzzzzzzzz = 1",
      "[totem] has no option ringnumber | It belongs in [[totem.interface]]",
    ],
    [
      "[[totem.interface]]\nlinknumber = 0\nringnumber = 0",
      "linknumber is given twice, once as ringnumber | Remove one of the two",
    ],
  ])("%j", (text, words) => {
    expect(first(text, { purpose: "text" })).toBe(words);
  });
});

describe("values", () => {
  const totem = (line: string) => first(`[totem]\n${line}\n[quorum]\ntwo_node = 1\n${nodes}`);
  test.each([
    ['token = "1500ms"', "undefined | undefined"],
    ['token = "2s"', "undefined | undefined"],
    ["token = true", 'token must be a time, not true | Write, for example, token = 1000 or "1500ms"'],
    [
      'token = "2 weeks"',
      'token must be a time, not "2 weeks" | Write, for example, token = 1000 or "1500ms"',
    ],
    ["token = 29", "token is too low: 29 ms | At least 30 ms is needed"],
    ["token = 1.5", "token is too low: 1.5 ms | At least 30 ms is needed"],
    [
      "window_size = 1.5",
      "window_size must be a whole number, not 1.5 | Write, for example, window_size = 50",
    ],
    ["version = 1", "version is too low: 1 | The only value is 2"],
    ["ip_dscp = 64", "ip_dscp is too high: 64 | It may be 0 to 63"],
    ['keyfile = "authkey"', 'keyfile must be an absolute path, not "authkey" | Begin it with /'],
    ['cluster_name = "a\\nb"', "cluster_name contains a control character | Remove it"],
    [
      "cluster_name = []",
      'cluster_name must be a text, not a list | Write, for example, cluster_name = "mycluster"',
    ],
    ['transport = "updu"', 'transport cannot be "updu" | Did you mean "udpu"? It may be udpu, knet, udp'],
    ["secauth = false", "secauth cannot be false | The only value is on"],
    [
      "secauth = true",
      "secauth has no effect: hactl always encrypts and authenticates with AES-256-GCM | Remove the line",
    ],
    ["token = 1979-05-27", 'token must be a time, not a date | Write, for example, token = 1000 or "1500ms"'],
  ])("%s", (line, words) => expect(totem(line)).toBe(words));

  test("corosync's ways to say yes and no are understood", () => {
    for (const yes of ["true", "1", '"yes"', '"on"']) {
      const config = checkConfig(good.replace("two_node = true", `two_node = ${yes}`), "f", context()).config;
      expect(config?.quorum.twoNode).toBe(true);
    }
    expect(
      checkConfig(`${good}[logging]\ndebug = false\nto_syslog = "no"`, "f", context()).config?.logging
        .thresholds,
    ).toEqual({
      syslog: undefined,
      file: undefined,
      stderr: undefined,
    });
  });
});

describe("damaged text", () => {
  test("several broken lines are told together, with the mistakes beside them", () => {
    const text = `[totem]\ntoken: 1000\njoin 50\nmerge = yes\ntokn = 5\n${nodes}[quorum]\ntwo_node = 1\n`;
    const { problems } = checkConfig(text, "f", context());
    expect(problems.map((problem) => [problem.line, problem.code])).toEqual([
      [2, "SYNTAX"],
      [3, "SYNTAX"],
      [4, "SYNTAX"],
      [5, "UNKNOWN_OPTION"],
    ]);
    expect(problems[0]?.cure).toBe("Write token = 1000");
    expect(problems[2]?.cure).toBe('Write merge = "yes"');
  });

  test("a corosync.conf is recognised", () => {
    const { problems } = checkConfig("totem {\n    version: 2\n}\n", "f", context());
    expect(problems[0]?.cure).toContain("hactl config import --corosync");
  });

  test("what may only be hidden by the damage is not called missing", () => {
    const text = good.replace('ring0_addr = "192.168.0.2"', "ring0_addr: 192.168.0.2");
    expect(found(text)).toEqual(["SYNTAX@12"]);
  });

  test("a key that is set twice", () => {
    const text = good.replace("cluster_name", 'cluster_name = "b"\ncluster_name');
    expect(found(text)).toEqual(["SYNTAX@3"]);
    expect(first(text)).toContain("Remove one of the two");
  });

  test("a text that does not end, bytes that are no text, an empty file: told, never a crash", () => {
    for (const text of [
      '[totem]\ncluster_name = "abc',
      "\u0000\u0001\u0002",
      "",
      "[",
      "[[",
      "=",
      "a.b.c = {",
      "\uFEFF[totem]\n",
      "x = '''",
    ]) {
      expect(checkConfig(text, "f", context()).config).toBeUndefined();
    }
  });
});

describe("nodes and links", () => {
  test("two nodes with the same id, name or address", () => {
    const text = good
      .replace('name = "vm02"', 'name = "VM01"')
      .replace("nodeid = 2", "nodeid = 1")
      .replace("0.2", "0.1");
    expect(found(text)).toEqual(["DUPLICATE@10", "DUPLICATE@11", "DUPLICATE@12"]);
    expect(first(text)).toBe(
      "The name VM01 is also that of the node in line 5 | Give each node a name of its own",
    );
  });

  test("the same IPv6 address in two spellings", () => {
    const six = good.replace('"192.168.0.1"', '"fd00::1"').replace('"192.168.0.2"', '"fd00:0:0::0001"');
    expect(found(six)).toEqual(["DUPLICATE@12"]);
  });

  test("more nodes than a cluster may have", () => {
    const node = (id: number) =>
      `[[nodelist.node]]\nname = "m${id}"\nnodeid = ${id}\nring0_addr = "10.1.${id >> 8}.${id & 255}"\n`;
    const more = (count: number) =>
      good.replace("two_node = true\n", "") + Array.from({ length: count }, (_, at) => node(at + 3)).join("");
    expect(found(more(1022))).toEqual([]);
    expect(found(more(1023))).toEqual([expect.stringMatching(/^TOO_MANY@/)]);
  });

  test.each([
    ["ring0_addr missing", good.replace('ring0_addr = "192.168.0.2"\n', ""), ["MISSING@9"]],
    ["nodeid missing", good.replace("nodeid = 2\n", ""), ["MISSING@9"]],
    ["name missing", good.replace('name = "vm02"\n', ""), ["MISSING@9"]],
    ["name with a space", good.replace('"vm02"', '"vm 02"'), ["VALUE@10"]],
    ["nodeid 0", good.replace("nodeid = 2", "nodeid = 0"), ["VALUE@11"]],
    ["nodeid 2^32", good.replace("nodeid = 2", "nodeid = 4294967296"), ["VALUE@11"]],
    ["unknown host", good.replace('"192.168.0.2"', '"vm09"'), ["ADDRESS_UNKNOWN@12"]],
    ["the address of no host", good.replace('"192.168.0.2"', '"0.0.0.0"'), ["ADDRESS_UNKNOWN@12"]],
    ["the address of a group", good.replace('"192.168.0.2"', '"224.0.0.1"'), ["ADDRESS_UNKNOWN@12"]],
    ["the address of all hosts", good.replace('"192.168.0.2"', '"255.255.255.255"'), ["ADDRESS_UNKNOWN@12"]],
    ["mixed families", good.replace('"192.168.0.2"', '"fd00::2"'), ["FAMILY@12"]],
    [
      "unequal links",
      good.replace('ring0_addr = "192.168.0.2"', 'ring0_addr = "192.168.0.2"\nring1_addr = "192.168.1.2"'),
      ["LINK@5"],
    ],
    ["interface without addresses", `${good}[[totem.interface]]\nlinknumber = 3\n`, ["LINK@14"]],
    ["two interfaces of one number", `${good}[[totem.interface]]\n[[totem.interface]]\n`, ["DUPLICATE@14"]],
    ["no nodes", "[totem]\n", ["MISSING@-"]],
  ])("%s", (_, text, codes) => expect(found(text)).toEqual(codes));

  test("an address of this node that is not local", () => {
    const text = good.replace("192.168.0.1", "192.168.9.1");
    expect(found(text)).toEqual(["ADDRESS_NOT_LOCAL@8"]);
    expect(first(text)).toContain("Its addresses are 192.168.0.1, 192.168.1.1;");
    expect(found(text, { purpose: "text" })).toEqual([]);
  });

  test("an address that may still come is waited for at the start, but not on another node's machine", () => {
    const text = good.replace("192.168.0.1", "192.168.9.1");
    expect(found(text, { purpose: "start" })).toEqual(["~ADDRESS_NOT_LOCAL@8"]);
    expect(first(text, { purpose: "start" })).toContain("is not an address of this machine yet");
    const swapped = good.replace("192.168.0.1", "192.168.0.9").replace("192.168.0.2", "192.168.0.1");
    expect(found(swapped, { purpose: "start" })).toEqual(["ADDRESS_NOT_LOCAL@8"]);
    expect(first(swapped, { purpose: "start" })).toContain("(that of vm02 is)");
  });

  test("bindnetaddr of another network is doubtful, the own one is not", () => {
    const link = (network: string) => `${good}[[totem.interface]]\nbindnetaddr = "${network}"\n`;
    expect(found(link("192.168.0.0"))).toEqual([]);
    expect(found(link("192.168.7.0"))).toEqual(["~LINK@14"]);
  });

  test("this machine is found by name, short name or address, or as told", () => {
    const local = (changes: Partial<ConfigContext>) =>
      checkConfig(good, "f", context(changes)).config?.localNode?.name as string | undefined;
    const named = (hostname: string, address = "192.168.0.1") =>
      ({
        machine: machine({ hostname, addresses: [{ interface: "e", family: 4, address, prefix: 24 }] }),
      }) as const;
    expect(local(named("VM01"))).toBe("vm01");
    expect(local(named("vm01.example.org"))).toBe("vm01");
    expect(local(named("other", "192.168.0.2"))).toBe("vm02");
    expect(local({ ...named("vm01", "192.168.0.2"), node: "vm02" })).toBe("vm02");
    expect(found(good, named("other", "10.0.0.1"))).toEqual(["NOT_A_NODE@-"]);
    expect(found(good, { node: "vm03" })).toEqual(["NOT_A_NODE@-"]);
  });
});

describe("quorum", () => {
  const quorum = (lines: string, list = nodes) => found(`[quorum]\n${lines}\n${list}`, { purpose: "text" });
  const third = '[[nodelist.node]]\nname = "vm03"\nnodeid = 3\nring0_addr = "192.168.0.3"\n';
  test.each([
    ["two_node with three nodes", "two_node = 1", nodes + third, ["QUORUM@2"]],
    [
      "two_node with more votes",
      "two_node = 1",
      nodes.replace("nodeid = 2", "nodeid = 2\nquorum_votes = 2"),
      ["QUORUM@2"],
    ],
    ["two nodes without two_node", "", nodes, ["~QUORUM@1"]],
    ["two_node and a tie breaker", "two_node = 1\nauto_tie_breaker = 1", nodes, ["QUORUM@3"]],
    [
      "a tie breaker that is no node",
      'auto_tie_breaker_node = "1 9"\nauto_tie_breaker = true',
      nodes + third,
      ["QUORUM@2"],
    ],
    [
      "nobody has a vote",
      "",
      nodes.replaceAll(/nodeid = \d/g, "$&\nquorum_votes = 0") +
        third.replace("nodeid = 3", "nodeid = 3\nquorum_votes = 0"),
      ["QUORUM@-"],
    ],
  ])("%s", (_, lines, list, codes) => expect(quorum(lines, list)).toEqual(codes));

  test("the tie breaker's nodes", () => {
    const node = (value: string) =>
      checkConfig(
        `[quorum]\nauto_tie_breaker = true\nauto_tie_breaker_node = ${value}\n${nodes}${third}`,
        "f",
        context(),
      ).config?.quorum.autoTieBreakerNode;
    expect(node('"highest"')).toBe("highest");
    expect(node('"lowest"')).toBe("lowest");
    expect(node("[2, 1]") as unknown).toEqual([2, 1]);
    expect(node('"2 1"') as unknown).toEqual([2, 1]);
  });
});

describe("the key", () => {
  const key = (facts: object | undefined) =>
    found(good, {
      machine: machine({
        path: (path) =>
          path === "/etc/hactl/authkey"
            ? facts && { kind: "file", size: 256, mode: 0o400, uid: 0, gid: 0, ...facts }
            : { kind: "directory", size: 0, mode: 0o755, uid: 0, gid: 0 },
      }),
    });
  test.each([
    [{}, []],
    [{ mode: 0o600 }, []],
    [undefined, ["KEY_MISSING@-"]],
    [{ mode: 0o440 }, ["KEY_EXPOSED@-"]],
    [{ mode: 0o402 }, ["KEY_EXPOSED@-"]],
    [{ mode: 0o700 }, ["KEY_MODE@-"]],
    [{ size: 127 }, ["KEY_SIZE@-"]],
    [{ size: 4097 }, ["KEY_SIZE@-"]],
    [{ uid: 1000 }, ["KEY_OWNER@-"]],
    [{ kind: "directory" }, ["KEY_KIND@-"]],
  ])("%j", (facts, codes) => expect(key(facts)).toEqual(codes));

  test("a remote host needs its own key and no nodes", () => {
    const remote = (mode: number) =>
      found("[remote]\nkeyfile = '/etc/k'\n", {
        purpose: "remote",
        machine: machine({ path: () => ({ kind: "file", size: 4096, mode, uid: 0, gid: 0 }) }),
      });
    expect(remote(0o400).filter((code) => code.startsWith("KEY"))).toEqual([]);
    expect(remote(0o644)).toContain("KEY_EXPOSED@2");
  });
});

describe("this machine's directories and watchdog", () => {
  const only = (paths: Readonly<Record<string, object | undefined>>) =>
    machine({
      path: (path) => {
        if (path in paths)
          return paths[path] && { kind: "directory", size: 0, mode: 0o755, uid: 0, gid: 0, ...paths[path] };
        return machine().path(path);
      },
    });
  test.each([
    ["state_dir is a file", "state_dir = '/x'", { "/x": { kind: "file" } }, ["DIRECTORY@2"]],
    ["state_dir for everybody", "state_dir = '/x'", { "/x": { mode: 0o777 } }, ["DIRECTORY@2"]],
    ["a new directory in a place that exists", "state_dir = '/a/x'", { "/a/x": undefined }, []],
    [
      "a new directory nowhere",
      "state_dir = '/a/b/x'",
      { "/a/b/x": undefined, "/a/b": undefined },
      ["DIRECTORY@2"],
    ],
    ["run_dir too long", `run_dir = '/${"x".repeat(90)}'`, {}, ["DIRECTORY@2"]],
    ["no such watchdog", "watchdog_device = '/dev/watchdog'", { "/dev/watchdog": undefined }, ["WATCHDOG@2"]],
    ["a watchdog that is no path", "watchdog_device = 'softdog'", {}, ["VALUE@2"]],
  ])("%s", (_, line, paths, codes) => {
    expect(found(`[system]\n${line}\n${good}`, { machine: only(paths) })).toEqual(codes);
  });

  test("a log file needs a name and a directory", () => {
    expect(found(`[logging]\nto_logfile = true\n${good}`)).toEqual(["MISSING@2"]);
    expect(
      found(`[logging]\nto_logfile = true\nlogfile = '/v/l/x'\n${good}`, {
        machine: only({ "/v/l": undefined }),
      }),
    ).toEqual(["~LOG_FILE@3"]);
    for (const [paths, mayWrite, said] of [
      [{ "/v/l": undefined, "/v/l/x": undefined }, true, "is in no directory that is there"],
      [{ "/v/l/x": { kind: "directory" } }, true, "is a directory"],
      [{ "/v/l/x": { kind: "other" } }, true, "is a pipe or a device"],
      [{ "/v/l/x": { kind: "file" } }, false, "cannot be written"],
      [{ "/v/l/x": undefined }, false, "cannot be written"],
    ] as const) {
      const changes = { machine: { ...only(paths), mayWrite: () => mayWrite } };
      expect(first(`[logging]\nto_logfile = true\nlogfile = '/v/l/x'\n${good}`, changes)).toMatch(
        new RegExp(`^logfile /v/l/x ${said}: nothing is written to it \\| .`),
      );
    }
    const readOnly = { machine: { ...only({}), mayWrite: () => false } };
    expect(found(`[system]\nstate_dir = '/x'\n${good}`, readOnly)).toEqual(["DIRECTORY@2", "DIRECTORY@-"]);
  });
});

describe("what is written and does nothing is told", () => {
  const at = (text: string) => text.split("\n").length;
  test.each([
    ["quorum", "last_man_standing_window = 5000", "last_man_standing = true"],
    ["quorum", 'auto_tie_breaker_node = "highest"', "auto_tie_breaker = true\ntwo_node = false"],
    ["logging", 'logfile = "/v/x.log"\nto_logfile = false', 'to_logfile = true\nlogfile = "/v/x.log"'],
    ["logging", 'logfile_priority = "err"', "to_stderr = true"],
    ["logging", 'syslog_priority = "err"\nto_syslog = false', "to_syslog = true"],
    ["logging", 'syslog_facility = "local1"\nto_syslog = false', ""],
    ["system", "priority = 7\nsched_rr = false", ""],
    ["system", 'watchdog_timeout = "7s"', 'watchdog_device = "/dev/watchdog"'],
    ["kdump", "plain = false\nlisten = false", ""],
  ])("[%s] %s, unless %s", (table, lines, remedy) => {
    const base =
      table === "quorum"
        ? good
            .replace("[quorum]\ntwo_node = true\n", "")
            .replace(
              nodes,
              `${nodes}[[nodelist.node]]\nname = "vm03"\nnodeid = 3\nring0_addr = "192.168.0.3"\n`,
            )
        : good;
    const head = `${base}[${table}]\n`;
    expect(found(head + lines)).toEqual([`~UNUSED@${at(head)}`]);
    expect(first(head + lines)).toMatch(/^(\w+) has no effect: .* \| Set /);
    const [word] = lines.split("\n");
    const mended = remedy === "" ? `${word}` : remedy.includes(`${word}`) ? remedy : `${word}\n${remedy}`;
    expect(found(head + mended)).toEqual([]);
  });

  test("directories that are not there", () => {
    const path = (name: string) =>
      name.startsWith("/none")
        ? undefined
        : name === "/file"
          ? ({ kind: "file", size: 1, mode: 0o644, uid: 0, gid: 0 } as const)
          : machine().path(name);
    const text = `${good}[system]\nocf_path = ["/none/a", "/usr"]\nfence_path = "/none/b"\ntools_dir = "/file"\n`;
    const line = at(good) + 1;
    const changes = { machine: machine({ path }) };
    expect(found(text, changes)).toEqual([
      `~DIRECTORY@${line}`,
      `~DIRECTORY@${line + 1}`,
      `~DIRECTORY@${line + 2}`,
    ]);
    expect(first(text, changes)).toBe("ocf_path /none/a does not exist | Correct the path, or remove it");
    expect(found(text, { ...changes, purpose: "text" })).toEqual([]);
    // What nobody has written is that of a package that need not be there.
    expect(
      found(good, {
        machine: machine({
          path: (name) =>
            name.endsWith("authkey") || name === "/var/lib" || name === "/run"
              ? machine().path(name)
              : undefined,
        }),
      }),
    ).toEqual([]);
  });

  test("where hactl remote shall listen", () => {
    const text = (address: string) => `[remote]\nlisten = "${address}"\n`;
    const remote = { purpose: "remote" } as const;
    expect(found(text("1.2.3.4.5"), remote)).toEqual(["VALUE@2"]);
    expect(first(text("1.2.3.4.5"), remote)).toMatch(
      /^listen "1.2.3.4.5" is not an address, .* \| Write a numeric/,
    );
    expect(found(good + text("1.2.3.4.5"))).toEqual([`VALUE@${at(good) + 1}`]);
    expect(found(text("10.9.9.9"), remote)).toEqual(["~ADDRESS_NOT_LOCAL@2"]);
    for (const one of ["::", "0.0.0.0", "127.0.0.1", "192.168.0.1", "fd00:0::1", "vm01"])
      expect(found(text(one), remote)).toEqual([]);
    expect(found(good + text("10.9.9.9"))).toEqual([]);
    expect(found('[sysconfig]\nPCMK_remote_address = "nowhere"\n', remote)).toEqual(["VALUE@2"]);
  });
});
