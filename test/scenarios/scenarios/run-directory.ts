import type { Part } from "../cluster.ts";
import { describeEntry } from "../journal.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

const runDir = "/run/hactl";
const ownWords = [
  /PROCESS-DIED/,
  /MANAGER-LOST/,
  /RUN-DIRECTORY/,
  /ADMIN-SOCKET/,
  /ENOSPC|EROFS|[Nn]o space|[Rr]ead-only/,
];

/** What happens to the run directory. */
interface Damage {
  readonly name: string;
  readonly words: string;
  readonly shell: string;
}
const damages: readonly Damage[] = [
  { name: "removed", words: "is removed", shell: `rm -rf ${runDir}` },
  { name: "sockets", words: "loses its sockets", shell: `rm -f ${runDir}/*.sock` },
  {
    name: "file",
    words: "is replaced by a file",
    shell: `until rm -rf ${runDir}; echo x >${runDir}; do :; done`,
  },
  {
    name: "blocked",
    words: "has directories in the place of its sockets, and another owner",
    shell: `cd ${runDir} && for s in ring admin executor; do rm -f $s.sock; mkdir $s.sock; done; chown 65534 ${runDir}`,
  },
];

/** The run directory is damaged, and a process dies at once or when everything has been mended. */
async function gone(stage: Stage, damage: Damage): Promise<void> {
  const { cluster } = stage;
  const node = stage.oneOf([await stage.leader(), stage.promoted(), stage.random.pick(cluster.members)]);
  stage.allowed.errors.push(...ownWords);
  // An agent whose tools are removed under it fails. Where hactl is installed, it finds them in /usr/sbin, too.
  stage.allowed.failures.add("ping");
  const parts: readonly Part[] = ["manager", "executor", "manager", "ring"];
  stage.note(`${node}, leader ${await stage.leader()}`);
  const place = stage.here();
  for (const part of parts) {
    await cluster.must(node, damage.shell);
    // A daemon that is started does not take a file for a directory to be: the configuration may be wrong.
    if (part === "ring" && damage.name === "file")
      await cluster.until("it is mended", 60_000, () => isThere(stage, node));
    if (stage.random.below(2) === 0) await Bun.sleep(stage.random.between(0, 5_000));
    const before = cluster.pidOf(node, part);
    cluster.kill(node, part);
    await cluster.until(`the ${part} runs again`, 60_000, () => {
      const pid = cluster.pidOf(node, part);
      return pid === undefined || pid === before ? "it does not" : undefined;
    });
    await stage.atRest();
  }
  const actions = stage.actionsSince(place).filter(({ rsc }) => rsc !== "ping");
  stage.check(
    actions.length === 0,
    `${actions.length} actions although only files of the daemon were gone: ${actions.map(describeEntry).join(", ")}`,
  );
  await cluster.must(node, "crm_resource --cleanup -r ping");
  stage.allowed.failures.clear();
  const tools = await cluster.must(node, `ls ${runDir}/tools`);
  stage.check(tools.includes("crm_attribute"), "the tools of the agents are not there again");
}

const isThere = async ({ cluster }: Stage, node: string): Promise<string | undefined> =>
  (await cluster.run(node, `test -S ${runDir}/ring.sock`)).code === 0 ? undefined : "it is not";

/** The run directory cannot be written for a while, in which processes die. */
async function unwritable(stage: Stage, spoil: string, repair: string): Promise<void> {
  const { cluster } = stage;
  const node = stage.oneOf([await stage.leader(), stage.promoted()]);
  const other = cluster.anyone([node]);
  stage.allowed.errors.push(...ownWords);
  stage.note(`${node}, leader ${await stage.leader()}`);
  const place = stage.here();
  await cluster.run(node, spoil);
  await stage.until(`hactl status on ${other} tells of the run directory of ${node}`, async () => {
    const { stdout } = await cluster.run(other, "hactl status");
    return stdout.includes(`the state of ${node} cannot be written`) && stdout.includes(runDir);
  });
  const before = cluster.pidOf(node, "manager");
  cluster.kill(node, "manager");
  await cluster.until("all members take part again", 60_000, async () => {
    const pid = cluster.pidOf(node, "manager");
    const online = (await cluster.run(other, "crm_mon -1")).stdout;
    return pid !== before && /Online: \[ *n1 n2 n3 *\]/.test(online.replace(/\s+/g, " "))
      ? undefined
      : "not yet";
  });
  await cluster.must(node, repair);
  await stage.atRest();
  stage.noActionsSince(place, "although only files of the daemon could not be written");
}

export const runDirectory: readonly Scenario[] = [
  ...damages.map(
    (damage): Scenario => ({
      name: `RunDirectoryGone-${damage.name}`,
      title: `the run directory of a node ${damage.words}, and processes die`,
      play: (stage) => gone(stage, damage),
    }),
  ),
  {
    name: "RunDirectoryGone-full",
    title: "the file system of the run directory is full, and the manager dies",
    cases: 2,
    play: (stage) =>
      unwritable(
        stage,
        "mount -o remount,size=2m /run; dd if=/dev/zero of=/run/filler bs=4k status=none",
        "rm -f /run/filler; mount -o remount,size=512m /run",
      ),
  },
  {
    name: "RunDirectoryGone-readonly",
    title: "the file system of the run directory is read-only, and the manager dies",
    cases: 2,
    play: (stage) => unwritable(stage, "mount -o remount,ro /run", "mount -o remount,rw /run"),
  },
];
