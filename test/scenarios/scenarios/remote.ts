import { attributesOf } from "../cib-look.ts";
import { farName } from "../resources.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** A resource that runs on the remote host alone. */
const there = "far-own";

/** The remote host of these scenarios. */
function hostOf(stage: Stage): string {
  const [host] = stage.cluster.remotes;
  if (host === undefined) throw new Error("the scenario needs a remote host");
  return host;
}

/** Starts `hactl remote` and connects the cluster to it; a resource and an instance of the clone run there. */
async function connect(stage: Stage, reconnect?: string, patience = "60s"): Promise<string> {
  const { cluster } = stage;
  const host = hostOf(stage);
  await cluster.start(host);
  const [address] = cluster.addresses(host);
  const meta = reconnect === undefined ? "" : `meta reconnect_interval=${reconnect}`;
  await cluster.load(`primitive ${farName(host)} ocf:pacemaker:remote params server=${address} op monitor interval=5s timeout=30s op start timeout=${patience} ${meta}
primitive ${there} ocf:scene:Plain op monitor interval=5s timeout=60s
location ${there}-home ${there} inf: ${farName(host)}
`);
  await stage.until(`${there} runs on ${host}`, () => runsThere(stage));
  await stage.atRest();
  return host;
}

const runsThere = (stage: Stage): boolean => stage.cluster.nodesOf(there).join() === hostOf(stage);

/** Takes the host out of the cluster again. */
async function disconnect(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const host = hostOf(stage);
  await cluster.must(cluster.anyone(), `hactl configure delete --force ${there}-home ${there}`);
  await stage.atRest();
  stage.check(cluster.nodesOf(there).length === 0, `${there} is deleted, but runs`);
  await cluster.must(cluster.anyone(), `hactl configure delete --force ${farName(host)}`);
  await stage.until("the clone has left the host", () => !cluster.nodesOf("agent").includes(host));
  await stage.atRest();
  cluster.enabled.delete(host);
  cluster.kill(host, "remote", "SIGTERM");
  await cluster.until("hactl remote has ended and left nothing", 60_000, () => cluster.leftOn([host]));
}

/** What administrators do about a host that is no more; nothing of it may be left. */
async function remove(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const node = farName(hostOf(stage));
  await cluster.must(cluster.anyone(), `crm_node --force --remove ${node}`);
  await stage.atRest();
  const cib = await stage.cib();
  const left = ["id", "uname"].flatMap((name) => attributesOf(cib, "//*[not(name()='rsc_location')]", name));
  stage.check(!left.includes(node), `something of ${node} is left in the CIB`);
}

/** The members that hold the connection to the host. */
async function holders(stage: Stage): Promise<string[]> {
  const { cluster } = stage;
  const { stdout } = await cluster.run(
    cluster.anyone(),
    `crm_resource --locate -Q -r ${farName(hostOf(stage))}`,
  );
  return stdout.split(/\s+/).filter((name) => name !== "");
}

function untouched(stage: Stage, place: number, why: string): void {
  const acts = stage.actionsSince(place).filter(({ node }) => node === hostOf(stage));
  stage.check(
    acts.length === 0,
    `${acts.map(({ action, rsc }) => `${action} ${rsc}`)} on the remote host ${why}`,
  );
}

async function basic(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const host = await connect(stage, stage.oneOf([undefined, "5s"]));
  const node = farName(host);
  for (const member of cluster.members) {
    await cluster.must(member, `crm_attribute -l forever -n scene-attr -v ${member} -N ${node}`);
    const value = await cluster.must(member, `crm_attribute -l forever -n scene-attr -q -N ${node}`);
    stage.check(value.trim() === member, `the attribute of ${node} on ${member} is ${value}`);
  }
  await cluster.must(cluster.anyone(), `crm_attribute -l forever -n scene-attr -D -N ${node}`);
  const itself = await cluster.must(host, "crm_node -n");
  stage.check(itself.trim() === node, `crm_node -n on the remote host says ${itself}`);
  const screen = await cluster.must(host, "crm_mon -1");
  stage.check(screen.includes(node), `crm_mon on the remote host does not show it`);
  await disconnect(stage);
  await remove(stage);
}

/** The connection moves, its holder stops, its holder loses its power: what runs on the host is not touched. */
async function migrate(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const host = await connect(stage);
  const resource = farName(host);

  let place = stage.here();
  const [was = ""] = await holders(stage);
  await cluster.must(random.pick(cluster.members), `crm_resource --move -r ${resource}`);
  await stage.until("the connection has moved", async () => {
    const now = await holders(stage);
    return now.length === 1 && !now.includes(was);
  });
  await stage.atRest();
  untouched(stage, place, "when its connection moved");
  await cluster.must(cluster.anyone(), `crm_resource --clear -r ${resource}`);
  await stage.atRest();

  place = stage.here();
  const [stopped = ""] = await holders(stage);
  await cluster.stop(stopped);
  await stage.atRest();
  untouched(stage, place, `when ${stopped} stopped, which held its connection`);
  await cluster.start(stopped);
  await stage.atRest();

  place = stage.here();
  const [lost = ""] = await holders(stage);
  stage.allowed.fencing.add(lost);
  stage.allowed.failures.add(resource);
  await cluster.crash(lost);
  await stage.until(`${lost} is back`, () => cluster.expected.has(lost));
  await stage.atRest();
  untouched(stage, place, `when ${lost} lost its power, which held its connection`);
  await cluster.must(cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await disconnect(stage);
}

async function failure(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const host = await connect(stage);
  for (const rsc of [there, "agent"]) {
    stage.allowed.failures.add(rsc);
    const before = await stage.failCount(rsc, farName(host));
    cluster.breakResource(rsc, host);
    await stage.until(
      `the failure of ${rsc} is counted`,
      async () => (await stage.failCount(rsc, farName(host))) > before,
    );
    await stage.until(`${rsc} runs again`, () => cluster.nodesOf(rsc).includes(host));
    await stage.atRest();
    const after = await stage.failCount(rsc, farName(host));
    stage.check(after === before + 1, `the failures of ${rsc} were ${before}, are ${after}`);
  }
  await cluster.must(random.pick(cluster.members), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
  await disconnect(stage);
}

/** The host hangs, is cut off, is fenced by hand, or loses its power: it is fenced once and taken back. */
async function fencing(stage: Stage): Promise<void> {
  const { cluster, random } = stage;
  const how = stage.oneOf(["frozen", "cut", "by hand", "powerless"]);
  const reconnect = stage.turn % 8 < 4 ? undefined : "3s";
  const host = await connect(stage, reconnect);
  stage.note(`${how}${reconnect === undefined ? "" : ", reconnect_interval"}`);
  stage.allowed.fencing.add(host);
  for (const rsc of [farName(host), there, "agent"]) stage.allowed.failures.add(rsc);
  stage.allowed.errors.push(new RegExp(farName(host)));
  if (how === "frozen") cluster.kill(host, "remote", "SIGSTOP");
  else if (how === "cut") cluster.machines.network.cable(host, false);
  else if (how === "powerless") await cluster.crash(host);
  else await cluster.must(random.pick(cluster.members), `stonith_admin --reboot ${farName(host)}`);
  await stage.until(`${host} is fenced`, () => stage.offs(host) > 0);
  await stage.until(`${there} runs on ${host} again`, () => runsThere(stage));
  await stage.atRest();
  stage.check(stage.offs(host) === 1, `${host} was switched off ${stage.offs(host)} times`);
  await cluster.must(cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
  await disconnect(stage);
}

/**
 * The host is stopped in order, or is fenced and does not come back until its connection has been given up everywhere.
 * When it serves again, it is taken back without anybody's help.
 */
async function returns(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const reconnect = stage.oneOf([undefined, "5s"]);
  const inOrder = stage.turn % 4 < 2;
  const host = await connect(stage, reconnect, "5s");
  const node = farName(host);
  stage.note(`${inOrder ? "stopped" : "fenced"}${reconnect === undefined ? "" : ", reconnect_interval"}`);
  // Machines that boot do not start it: only the scenario does.
  cluster.enabled.delete(host);
  if (inOrder) {
    cluster.kill(host, "remote", "SIGTERM");
    await cluster.until("hactl remote has ended and left nothing", 60_000, () => cluster.leftOn([host]));
    stage.check(
      cluster.nodesOf("agent").every((name) => name !== host),
      `the clone runs on ${host}`,
    );
  } else {
    const fatal = (value: boolean) =>
      cluster.must(cluster.anyone(), `crm_attribute -t crm_config -n start-failure-is-fatal -v ${value}`);
    await fatal(true);
    for (const rsc of [node, there, "agent"]) stage.allowed.failures.add(rsc);
    stage.allowed.fencing.add(host);
    stage.allowed.errors.push(new RegExp(node));
    await cluster.crash(host);
    await stage.until(`${host} is fenced`, () => stage.offs(host) > 0);
    await stage.until(`the connection to ${host} could not be started`, async () => {
      const failed = await Promise.all(cluster.members.map((name) => stage.startFailures(node, name)));
      return reconnect === undefined ? !failed.includes(0) : failed.some((count) => count > 0);
    });
    await fatal(false);
  }
  await stage.until(`${there} runs elsewhere`, () => {
    const nodes = cluster.nodesOf(there);
    return nodes.length === 1 && !nodes.includes(host);
  });
  const failures = () => Promise.all(cluster.members.map((name) => stage.startFailures(node, name)));
  const before = await failures();
  await cluster.start(host);
  await stage.until(`${there} runs on ${host} again`, () => runsThere(stage));
  await stage.atRest();
  const left = await failures();
  // Where one is left that could connect, the host is simply connected there: the failures of others stay, as anybody's.
  const isOrdinary = before.includes(0) && before.some((count) => count > 0);
  stage.check(isOrdinary || !left.some((count) => count > 0), `start failures of ${node} are left: ${left}`);
  stage.check(stage.offs(host) === (inOrder ? 0 : 1), `${host} was switched off ${stage.offs(host)} times`);
  if (stage.allowed.failures.size > 0) await cluster.must(cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
  await disconnect(stage);
}

/**
 * The daemon of the host is killed, alone or together with the manager that is connected to it, or stands still for a
 * while; its supervisor starts it again. Nobody is fenced, and what runs there is not touched.
 */
async function daemonDies(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const how = stage.oneOf([
    "killed",
    "killed with the manager",
    "frozen",
    "forgetful",
    "killed twice",
  ] as const);
  const host = await connect(stage, stage.turn % 2 === 0 ? undefined : "3s");
  stage.note(how);
  stage.allowed.errors.push(/PROCESS-DIED/, /MANAGER-LOST/);
  const [holder = ""] = await holders(stage);
  const place = stage.here();
  const pid = cluster.pidOf(host, "remote");
  if (how === "frozen") {
    cluster.kill(host, "remote", "SIGSTOP");
    await stage.until("the connection is broken", () => stage.logLines(/REMOTE-BROKEN/, [holder]).length > 0);
    cluster.kill(host, "remote", "SIGCONT");
    await stage.until("it is made again", () => stage.logLines(/REMOTE-MENDED/, [holder]).length > 0);
  } else {
    cluster.kill(host, "remote", "SIGKILL");
    if (how === "killed with the manager") cluster.kill(holder, "manager", "SIGKILL");
    if (how === "forgetful") cluster.forgetExecutor(host);
    const again = async () =>
      stage.until("the daemon runs again", () => {
        const now = cluster.pidOf(host, "remote");
        return now !== undefined && now !== pid;
      });
    await again();
    if (how === "killed twice") cluster.kill(host, "remote", "SIGKILL");
    await again();
  }
  await stage.atRest();
  stage.check(runsThere(stage), `${there} does not run on ${host}`);
  stage.noActionsSince(place, `when the daemon of the remote host was ${how}`);
  stage.check(stage.offs(host) === 0, `${host} was fenced`);
  await disconnect(stage);
}

/**
 * The daemon of the host is killed, and as soon as it is back the node with its connection loses its power, or the
 * connection is moved: what the host has only remembered is asked for over the new connection, and nothing there is touched.
 */
async function daemonDiesBeforeHolder(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const host = await connect(stage);
  const resource = farName(host);
  const how = stage.oneOf(["loses its power", "hands over"] as const);
  const [holder = ""] = await holders(stage);
  stage.note(`${holder} ${how}`);
  stage.allowed.errors.push(/PROCESS-DIED/, /MANAGER-LOST/);
  const place = stage.here();
  const pid = cluster.pidOf(host, "remote");
  cluster.kill(host, "remote", "SIGKILL");
  await stage.until("the daemon runs again", () => {
    const now = cluster.pidOf(host, "remote");
    return now !== undefined && now !== pid;
  });
  await Bun.sleep(stage.random.between(0, 2_000));
  if (how === "hands over") {
    await cluster.must(cluster.anyone(), `crm_resource --move -r ${resource}`);
    await stage.until("the connection has moved", async () => {
      const now = await holders(stage);
      return now.length === 1 && !now.includes(holder);
    });
  } else {
    stage.allowed.fencing.add(holder);
    stage.allowed.failures.add(resource);
    await cluster.crash(holder);
    await stage.until(`${holder} is back`, () => cluster.expected.has(holder));
  }
  await stage.atRest();
  untouched(stage, place, `when ${holder} ${how}, which held its connection`);
  stage.check(stage.offs(host) === 0, `${host} was fenced`);
  if (how === "hands over") await cluster.must(cluster.anyone(), `crm_resource --clear -r ${resource}`);
  else await cluster.must(cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
  await disconnect(stage);
}

/** The host was stopped or fenced and stays away; then all managers die, and nobody fences it again. */
async function staysAway(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const host = await connect(stage, undefined, "5s");
  const how = stage.oneOf(["stopped", "fenced"] as const);
  stage.note(how);
  cluster.enabled.delete(host);
  for (const rsc of [farName(host), there, "agent"]) stage.allowed.failures.add(rsc);
  stage.allowed.errors.push(new RegExp(farName(host)), /PROCESS-DIED/, /MANAGER-LOST/);
  if (how === "stopped") {
    cluster.kill(host, "remote", "SIGTERM");
    await cluster.until("hactl remote has ended and left nothing", 60_000, () => cluster.leftOn([host]));
  } else {
    stage.allowed.fencing.add(host);
    await cluster.crash(host);
  }
  await stage.until(`${there} runs elsewhere`, () => {
    const nodes = cluster.nodesOf(there);
    return nodes.length === 1 && !nodes.includes(host);
  });
  const before = stage.offs(host);
  for (const name of cluster.members) cluster.kill(name, "manager");
  await Bun.sleep(45_000);
  stage.check(stage.offs(host) === before, `${host} was fenced when the managers died`);
  await cluster.start(host);
  await stage.until(`${there} runs on ${host} again`, () => runsThere(stage));
  await cluster.must(cluster.anyone(), "crm_resource --cleanup");
  stage.allowed.failures.clear();
  await stage.atRest();
  await disconnect(stage);
}

const shape = { remotes: 1 };

export const remote: readonly Scenario[] = [
  {
    name: "RemoteBasic",
    title: "a remote host comes, runs resources, and goes",
    shape,
    cases: 2,
    play: basic,
  },
  { name: "RemoteMigrate", title: "its connection moves and nothing on it is touched", shape, play: migrate },
  { name: "RemoteRscFailure", title: "a resource on it fails and is recovered there", shape, play: failure },
  {
    name: "RemoteReturn",
    title: "it is stopped, or cannot be reached for long, and is taken back when it serves again",
    shape,
    cases: 4,
    play: returns,
  },
  {
    name: "RemoteAway",
    title: "it was stopped or fenced and stays away, and all managers die: it is not fenced again",
    shape,
    cases: 2,
    play: staysAway,
  },
  {
    name: "RemoteDaemonDies",
    title: "its daemon dies or stands still and is back at once: nothing on it is touched",
    shape,
    cases: 5,
    play: daemonDies,
  },
  {
    name: "RemoteDaemonDies-holder",
    title:
      "its daemon dies and is back, and then its connection goes to another node: nothing on it is touched",
    shape,
    cases: 2,
    play: daemonDiesBeforeHolder,
  },
  {
    name: "RemoteStonithd",
    title: "it fails, is fenced once and taken back",
    shape,
    cases: 8,
    play: fencing,
  },
];
