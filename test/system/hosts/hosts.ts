import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { executable, type Ran } from "../../harness/local-cluster.ts";
import { run, TestNetwork } from "../../harness/network.ts";

const project = join(import.meta.dir, "../../..");

/**
 * Takes everything out of a copy of this machine that would start at boot, and what tells the machine from others; a
 * journal that survives reboots tells afterwards what happened.
 */
const asNew = `rm -rf etc/systemd/system etc/rc?.d var/lib/dbus/machine-id etc/hactl var/lib/hactl var/log/hactl var/log/journal
for had in etc/corosync var/lib/corosync var/lib/pacemaker; do [ ! -d $had ] || find $had -type f -delete; done
mkdir -p etc/systemd/system var/log/journal
ln -s /lib/systemd/system/multi-user.target etc/systemd/system/default.target
: >etc/machine-id
`;

export interface HostRunOptions {
  /** It is killed after this. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A host with a systemd of its own, in namespaces on a copy of this machine: its units, journal, D-Bus and network. What it writes
 * stays on its disk when it reboots or loses its power.
 */
export class Host {
  #holder: Bun.Subprocess<"pipe", "pipe", number> | undefined;

  constructor(
    readonly name: string,
    /** From 1; the last byte of its addresses. */
    readonly number: number,
    private readonly network: TestNetwork,
    private readonly directory: string,
    layer: string,
  ) {
    for (const part of ["work", "root"]) mkdirSync(join(directory, part), { recursive: true });
    // Layers of one overlay must not lie in one another, and ours lies below the machine's root.
    run("cp", "-a", layer, join(directory, "upper"));
    writeFileSync(join(directory, "upper/etc/hostname"), `${name}\n`);
  }

  /** Its address on a link. */
  address(link = 0): string {
    return this.network.address(this.number, link);
  }

  /** Switches it on; settles when systemd has started all that is enabled. */
  async powerOn(): Promise<void> {
    if (this.#holder) throw new Error(`${this.name} has power`);
    this.network.plug(this.name, this.number);
    const spaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
    const said = openSync(join(this.directory, "console"), "a");
    const words = [join(import.meta.dir, "boot.sh"), this.directory, this.name];
    const holder = Bun.spawn(["unshare", ...spaces, "sh", ...words, this.network.namespace(this.name)], {
      stdio: ["pipe", "pipe", said],
    });
    closeSync(said);
    const reader = holder.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    if (value === undefined) throw new Error(`${this.name} cannot be made: ${this.console()}`);
    this.#holder = holder;
    await this.up();
  }

  /** Settles when a systemd runs and nothing waits to be started. */
  async up(): Promise<void> {
    for (;;) {
      const { stdout } = await this.run(["systemctl", "is-system-running", "--wait"]);
      if (/^(?:running|degraded)/.test(stdout)) return;
      if (this.#holder?.exitCode !== null) throw new Error(`${this.name} does not boot: ${this.console()}`);
      await Bun.sleep(100);
    }
  }

  /** It loses its power at once. */
  async powerOff(): Promise<void> {
    if (!this.#holder) return;
    this.#holder.kill("SIGKILL");
    await this.ended();
  }

  /** Settles when it has no power any more: it has switched itself off, or somebody has. */
  async ended(): Promise<void> {
    await this.#holder?.exited;
    this.#holder = undefined;
    this.network.unplug(this.name);
    removeGroup(join(groupRoot(), this.network.namespace(this.name)));
  }

  /** Process number, here, of its systemd; 0 while there is none. */
  get init(): number {
    const below = (pid: number): number => {
      try {
        if (/^NSpid:(\s\d+){2,}\s1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8")))
          return readFileSync(`/proc/${pid}/comm`, "utf8") === "systemd\n" ? pid : 0;
        const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
        return children === ""
          ? 0
          : children.split(" ").reduce((found, child) => found || below(Number(child)), 0);
      } catch {
        return 0;
      }
    };
    return this.#holder ? below(this.#holder.pid) : 0;
  }

  /** Path by which this machine sees a file of it, while it is on. */
  path(inside: string): string {
    return `/proc/${this.init}/root${inside}`;
  }

  /** Words before a command that runs on it. */
  #enter(init: number): string[] {
    return ["nsenter", "-t", String(init), "-m", "-n", "-u", "-i", "-p", "-C", "-r", "-w", "--"];
  }

  /** Starts a program on it that goes on by itself. */
  launch(words: readonly string[]): void {
    Bun.spawn([...this.#enter(this.init), "setsid", ...words], {
      stdio: ["ignore", "ignore", "ignore"],
    }).unref();
  }

  /** Runs a command on it. A command that was killed for its time has the code 137, one on a host that is off 255. */
  async run(words: readonly string[], { env = {}, timeoutMs = 200_000 }: HostRunOptions = {}): Promise<Ran> {
    const init = this.init;
    if (init === 0) return { code: 255, stdout: "", stderr: `${this.name} is off` };
    const limit = ["timeout", "-s", "KILL", String(timeoutMs / 1000)];
    const child = Bun.spawn([...this.#enter(init), ...limit, ...words], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LC_ALL: "C.UTF-8", TERM: "dumb", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, code] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Output of a command on it. @throws Error when it does not end with 0 */
  async done(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(words);
    if (code !== 0)
      throw new Error(`${this.name}: ${words.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** The value of a unit's property. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.done("systemctl", "show", "-p", name, "--value", unit)).trim();
  }

  /** Asks again and again. @throws Error after the time, with what was said last */
  async until(what: string, ms: number, asked: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + ms;
    while (!(await asked())) {
      if (performance.now() > end)
        throw new Error(`${this.name}: ${what}: not within ${ms} ms\n${await this.story()}`);
      await Bun.sleep(100);
    }
  }

  /** What hactl and systemd have said last, for a failure's message. */
  async story(): Promise<string> {
    const status = await this.run(["hactl", "status"], { timeoutMs: 10_000 });
    const journal = await this.run(["journalctl", "-b", "-n", "60", "--no-pager", "-o", "short-monotonic"]);
    const jobs = await this.run(["systemctl", "list-jobs", "--no-pager"]);
    return [status.stdout, status.stderr, jobs.stdout, journal.stdout].join("\n");
  }

  /** What it has shown on its console. */
  console(): string {
    return readFileSync(join(this.directory, "console"), "utf8").slice(-4_000);
  }
}

/** Hosts on one network, with hactl installed and nothing enabled. Needs root, systemd-nspawn and overlayfs. */
export class Hosts {
  private constructor(
    readonly directory: string,
    readonly network: TestNetwork,
    readonly all: readonly Host[],
  ) {}

  /** Makes hosts without power. `files`: what their disks hold beside, by path; scripts can be run. */
  static async make(names: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Hosts> {
    const directory = await mkdtemp(join(tmpdir(), `hactl-hosts-${process.pid}-`));
    const network = new TestNetwork(1, `s${process.pid}`);
    const layer = join(directory, "installed");
    const lines = names.map((name, i) => `${network.address(i + 1)} ${name}\n`);
    const more = join(directory, "more");
    const all = { "etc/hosts": `127.0.0.1 localhost\n${lines.join("")}`, ...files };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(more, path)), { recursive: true });
      writeFileSync(join(more, path), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
    }
    await install(directory, layer, more);
    const hosts = names.map((name, i) => new Host(name, i + 1, network, join(directory, name), layer));
    return new Hosts(directory, network, hosts);
  }

  /** The configuration of hactl for these hosts, with further lines of it. */
  configuration(more = ""): string {
    const nodes = this.all.map(
      (host) =>
        `[[nodelist.node]]\nname = "${host.name}"\nnodeid = ${host.number}\nring0_addr = "${host.address()}"\n`,
    );
    return `[totem]\ncluster_name = "hosts"\n[logging]\nto_syslog = true\n${more}${nodes.join("")}`;
  }

  /** Boots all hosts, and starts a cluster of them for good: each has the same key and configuration, and hactl enabled. `before`: with hosts that run and no hactl yet. */
  async startCluster(more = "", before: () => Promise<unknown> = async () => {}): Promise<void> {
    await Promise.all(this.all.map((host) => host.powerOn()));
    await before();
    const [first] = this.all;
    if (!first) throw new Error("no hosts");
    await first.done("hactl", "keygen");
    const key = readFileSync(first.path("/etc/hactl/authkey"));
    for (const host of this.all) {
      if (host !== first) writeFileSync(host.path("/etc/hactl/authkey"), key, { mode: 0o400 });
      writeFileSync(host.path("/etc/hactl/hactl.toml"), this.configuration(more));
    }
    await Promise.all(this.all.map((host) => host.done("systemctl", "enable", "--now", "hactl")));
    const names = this.all.map(({ name }) => name).join(" ");
    for (const host of this.all)
      await host.until("all nodes are there", 100_000, async () => {
        const { stdout } = await host.run(["crm_node", "-p"]);
        return stdout.trim() === names && (await host.run(["crmadmin", "-D"])).code === 0;
      });
  }

  /** Ends all hosts and removes what they wrote. */
  async destroy(): Promise<void> {
    await Promise.all(this.all.map((host) => host.powerOff()));
    this.network.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Installs hactl over this machine as `make install` does, and the files of `more`, into a layer that all hosts have. */
async function install(directory: string, layer: string, more: string): Promise<void> {
  const root = join(directory, "root");
  const work = join(directory, "work");
  for (const path of [root, work, layer]) mkdirSync(path, { recursive: true });
  // A copy: what was built is what is tested, whatever has been edited since.
  const built = join(directory, "hactl");
  run("cp", executable, built);
  const script = `set -e
mount -t overlay overlay -o "lowerdir=/,upperdir=${layer},workdir=${work}" "${root}"
cd "${root}"
${asNew}
make -s -C "${project}" install DESTDIR="${root}" INSTALL_FROM="${built}" >&2
# What stands there may be a link to hactl.
cp -r --remove-destination "${more}/." .
`;
  run("unshare", "--mount", "--propagation", "private", "sh", "-c", script);
}

/** Where this machine's second hierarchy of control groups is. */
function groupRoot(): string {
  const mounted = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
  return mounted ?? "/sys/fs/cgroup";
}

/** Removes an empty control group with those in it. */
function removeGroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(path, entry.name));
    rmdirSync(path);
  } catch {
    // It is not there, or the kernel takes its time; nothing is in it.
  }
}
