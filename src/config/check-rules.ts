import type { Findings } from "./check.ts";
import type { NodeConfig } from "./face.ts";
import type { MachineFacts } from "./machine.ts";
import type { LoadedTable } from "./parse.ts";

/** Rules between the quorum options and the nodes (votequorum(5)). */
export function checkQuorum(quorum: LoadedTable, nodes: readonly NodeConfig[], out: Findings): void {
  const { values, lines } = quorum;
  const twoNode = values.two_node === true;
  const votes = nodes.reduce((sum, node) => sum + node.votes, 0);
  if (twoNode && nodes.length !== 2) {
    out.error(
      "QUORUM",
      lines.get("two_node"),
      `two_node is set, but there are ${nodes.length} nodes`,
      "Remove two_node; it is for exactly two nodes",
    );
  }
  if (twoNode && nodes.length === 2 && votes !== 2) {
    out.error(
      "QUORUM",
      lines.get("two_node"),
      `two_node needs one vote for each node, but there are ${votes} votes`,
      "Remove quorum_votes",
    );
  }
  if (!twoNode && nodes.length === 2) {
    out.warning(
      "QUORUM",
      quorum.line,
      "With two nodes and without two_node, the loss of either stops the services",
      "Set two_node = true in [quorum], with fencing that works",
    );
  }
  if (nodes.length > 0 && votes === 0) {
    out.error("QUORUM", undefined, "No node has a vote", "Remove quorum_votes, or give a node at least one");
  }
  const expected = values.expected_votes;
  if (typeof expected === "number" && votes > 0 && expected < votes) {
    out.warning(
      "QUORUM",
      lines.get("expected_votes"),
      `expected_votes ${expected} is less than the ${votes} votes of the node list, which count`,
      "Remove expected_votes",
    );
  }
  if (twoNode && values.auto_tie_breaker === true) {
    out.error(
      "QUORUM",
      lines.get("auto_tie_breaker"),
      "two_node and auto_tie_breaker exclude each other",
      "Remove one of the two",
    );
  }
  checkTieBreaker(quorum, nodes, out);
}

function checkTieBreaker(quorum: LoadedTable, nodes: readonly NodeConfig[], out: Findings): void {
  const words = quorum.values.auto_tie_breaker_node;
  const line = quorum.lines.get("auto_tie_breaker_node");
  if (!Array.isArray(words) || line === undefined) return;
  if (words.length === 1 && (words[0] === "lowest" || words[0] === "highest")) return;
  const known = new Set(nodes.map((node) => String(node.id)));
  for (const word of words) {
    if (known.has(String(word))) continue;
    out.error(
      "QUORUM",
      line,
      `auto_tie_breaker_node names ${word}, which is no nodeid`,
      "Write lowest, highest or node ids",
    );
  }
}

/** The log must have somewhere to go, and a file a name. */
export function checkLogging(
  logging: LoadedTable,
  sysconfig: LoadedTable,
  machine: MachineFacts,
  out: Findings,
): void {
  const { values, lines } = logging;
  const oldFile = sysconfig.values.PCMK_logfile;
  const file = values.logfile ?? (oldFile === "none" ? undefined : oldFile);
  if (values.to_logfile === true && typeof file !== "string") {
    out.error(
      "MISSING",
      lines.get("to_logfile"),
      "to_logfile is set, but there is no logfile",
      'Add logfile = "/var/log/hactl/hactl.log"',
    );
  }
  if (typeof file !== "string" || file === "none" || values.to_logfile === false) return;
  const line = lines.get("logfile") ?? sysconfig.lines.get("PCMK_logfile");
  checkLogFile(file, line, machine, out);
}

/** The cluster does its work without a log file, too: what is wrong with it keeps no node from starting. */
function checkLogFile(file: string, line: number | undefined, machine: MachineFacts, out: Findings): void {
  const facts = machine.path(file);
  const parent = file.replace(/\/[^/]*$/, "") || "/";
  const nothing = "nothing is written to it";
  const wrong = (what: string, cure: string) => out.warning("LOG_FILE", line, `${what}: ${nothing}`, cure);
  if (facts?.kind === "directory") wrong(`logfile ${file} is a directory`, "Name a file");
  else if (facts?.kind === "other" && !file.startsWith("/dev/"))
    wrong(`logfile ${file} is a pipe or a device`, "Name a file");
  else if (!facts && machine.path(parent)?.kind !== "directory")
    wrong(`logfile ${file} is in no directory that is there`, `mkdir -p ${parent}`);
  else if (machine.uid === 0 && machine.mayWrite?.(facts ? file : parent) === false)
    wrong(`logfile ${file} cannot be written`, `Look at the rights and the file system of ${parent}`);
}

function checkParent(
  option: string,
  file: string,
  line: number | undefined,
  machine: MachineFacts,
  out: Findings,
): void {
  const parent = file.replace(/\/[^/]*$/, "") || "/";
  if (machine.path(parent)?.kind === "directory") return;
  out.error("DIRECTORY", line, `The directory ${parent} for ${option} does not exist`, `mkdir -p ${parent}`);
}

/** Directories of [system]: a wrong one is noticed before anything starts; one that can be made is made at the start. */
export function checkSystem(system: LoadedTable, machine: MachineFacts, out: Findings): void {
  const { values, lines } = system;
  for (const name of ["state_dir", "run_dir"]) {
    const path = values[name];
    if (typeof path !== "string") continue;
    const facts = machine.path(path);
    if (facts && facts.kind !== "directory") {
      out.error("DIRECTORY", lines.get(name), `${name} ${path} is not a directory`, "Name a directory");
    } else if (facts && (facts.mode & 0o002) !== 0 && (facts.mode & 0o1000) === 0) {
      out.error(
        "DIRECTORY",
        lines.get(name),
        `${name} ${path} can be changed by everybody`,
        `chmod o-w ${path}`,
      );
    } else if (facts && machine.uid === 0 && machine.mayWrite?.(path) === false) {
      out.error(
        "DIRECTORY",
        lines.get(name),
        `${name} ${path} cannot be written`,
        "Mount its file system for writing, or name another directory",
      );
    } else if (!facts) checkParent(name, path, lines.get(name), machine, out);
    // A socket's path has at most 107 bytes, and the longest of ours adds some 20.
    if (name === "run_dir" && path.length > 80) {
      out.error(
        "DIRECTORY",
        lines.get(name),
        `run_dir has ${path.length} characters`,
        "Sockets need a path of at most 80",
      );
    }
  }
  const device = values.watchdog_device;
  if (typeof device !== "string" || /^(?:off|no|none|)$/.test(device)) return;
  if (!device.startsWith("/")) {
    out.error(
      "VALUE",
      lines.get("watchdog_device"),
      `watchdog_device cannot be ${JSON.stringify(device)}`,
      'Write a device like "/dev/watchdog", or "off"',
    );
  } else if (!machine.path(device)) {
    out.error(
      "WATCHDOG",
      lines.get("watchdog_device"),
      `There is no watchdog device ${device}`,
      'Load its driver (modprobe softdog for one without hardware), or set it to "off"',
    );
  }
}

/** The same subsystem must not be set twice. */
export function checkParts(
  parts: readonly LoadedTable[],
  partNamed: (name: string) => string,
  out: Findings,
): void {
  const seen = new Set<string>();
  for (const table of parts) {
    const name = table.values.subsys;
    if (typeof name !== "string") {
      if (!table.lines.has("subsys")) {
        out.error(
          "MISSING",
          table.line,
          "[[logging.logger_subsys]] has no subsys",
          'Add subsys = "TOTEM" or another part',
        );
      }
      continue;
    }
    const part = partNamed(name);
    if (part === "ATTRIBUTES")
      out.warning(
        "UNUSED",
        table.lines.get("subsys"),
        `Nothing is logged by the part ${name}`,
        "Remove the table",
      );
    if (seen.has(part))
      out.error(
        "DUPLICATE",
        table.lines.get("subsys"),
        `The subsystem ${name} is set twice`,
        "Join the two tables",
      );
    seen.add(part);
  }
}
