/**
 * The real crm shell works on drafts with our tools in its path, beside a cluster of one real node: what it changes in a
 * draft has no effect before its commit, and all effect after. Needs: apt-get install --no-install-recommends crmsh
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeToolsDirectory } from "../../src/daemon/executor-tools.ts";
import { executable, LocalCluster } from "../harness/local-cluster.ts";

setDefaultTimeout(120_000);

let cluster: LocalCluster;
let drafts = "";
beforeAll(async () => {
  cluster = await LocalCluster.make({ nodes: 1, addresses: () => ["127.9.3.1"] });
  drafts = join(cluster.directory, "drafts");
  mkdirSync(drafts);
  makeToolsDirectory(join(cluster.directory, "tools"), [executable]);
  cluster.startAll();
  await cluster.until("node1 leads", 30_000, async () =>
    (await cluster.hactl("node1", "crmadmin", "-D")).code === 0 ? true : undefined,
  );
  await cluster.hactl("node1", "property", "stonith-enabled=false");
});
afterAll(() => cluster.destroy());

/** Runs the crm shell of the system, with lines for its standard input. */
async function crm(words: readonly string[], input = ""): Promise<{ code: number; out: string }> {
  const child = Bun.spawn(["/usr/sbin/crm", ...words], {
    env: {
      PATH: `${join(cluster.directory, "tools")}:${process.env.PATH}`,
      HOME: cluster.directory,
      TERM: "dumb",
      HACTL_CONFIG: cluster.configOf("node1"),
      CIB_shadow_dir: drafts,
    },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out: `${out}${err}` };
}
const live = async () => (await cluster.hactl("node1", "configure", "show")).stdout;

describe("the crm shell's drafts", () => {
  test("new, configure, commit: only the commit reaches the cluster", async () => {
    const fresh = await crm(["cib", "new", "trial"]);
    expect(fresh.out).toContain("trial shadow CIB created");
    expect(fresh.code).toBe(0);
    const before = await live();
    const configured = await crm(["-c", "trial", "configure", "primitive", "p0", "ocf:pacemaker:Dummy"]);
    expect(configured.code).toBe(0);
    expect((await crm(["-c", "trial", "configure", "show"])).out).toContain(
      "primitive p0 ocf:pacemaker:Dummy",
    );
    expect(await live()).toBe(before);
    const committed = await crm(["cib", "commit", "trial"]);
    expect(committed.out).toContain("committed 'trial' shadow CIB to the cluster");
    expect(committed.code).toBe(0);
    expect(await live()).toContain("primitive p0 ocf:pacemaker:Dummy");
  });

  test("a session of several levels: new, use, diff, commit, delete", async () => {
    const { out, code } = await crm(
      [],
      "cib new session\nconfigure\nprimitive p1 ocf:pacemaker:Dummy\ngroup g p1\ncommit\nup\ncib diff\ncib commit session\ncib use\ncib delete session\n",
    );
    expect(code).toBe(0);
    expect(out).toContain('++ /cib/configuration/resources:  <group id="g">');
    expect(out).toContain("session shadow CIB deleted");
    expect(await live()).toContain("group g p1");
    expect(readdirSync(drafts).filter((name) => name.startsWith("shadow."))).toEqual(["shadow.trial"]);
  });

  test("reset takes the draft anew from the cluster, list names it, and what is thrown away has no effect", async () => {
    await crm(["-c", "trial", "configure", "primitive", "never", "ocf:pacemaker:Dummy"]);
    expect((await crm(["cib", "reset", "trial"])).code).toBe(0);
    expect((await crm(["cib", "list"])).out).toContain("trial");
    const shown = (await crm(["-c", "trial", "configure", "show"])).out;
    expect(shown).toContain("group g p1");
    expect(shown).not.toContain("never");
    expect((await crm(["cib", "delete", "trial"])).code).toBe(0);
    expect(readdirSync(drafts)).toEqual([]);
    expect(await live()).not.toContain("never");
  });
});
