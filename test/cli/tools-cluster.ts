import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalCluster, type Ran } from "../harness/local-cluster.ts";

/** An agent that answers at once and remembers in a file whether it runs; it can be told to fail. */
const agent = `#!/bin/sh
state="$OCF_RESKEY_state.$OCF_RESKEY_CRM_meta_on_node"
case "$1" in
meta-data) cat <<END
<?xml version="1.0"?>
<resource-agent name="Quick"><version>1.1</version><longdesc lang="en">Quick</longdesc><shortdesc lang="en">Quick</shortdesc>
<parameters><parameter name="state"><longdesc lang="en">File</longdesc><shortdesc lang="en">File</shortdesc><content type="string"/></parameter></parameters>
<actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s" interval="10s"/><action name="meta-data" timeout="5s"/></actions></resource-agent>
END
;;
start) touch "$state" ;;
stop) rm -f "$state" ;;
monitor) [ -e "$state" ] && exit 0 || exit 7 ;;
*) exit 3 ;;
esac
`;

/** A cluster of real daemons with a quick agent `ocf:test:Quick`, for the tests of tools. */
export class ToolCluster {
  private constructor(
    readonly cluster: LocalCluster,
    private readonly directory: string,
  ) {}

  static async start(nodes: number, addresses: (node: number) => string): Promise<ToolCluster> {
    const directory = mkdtempSync(join(tmpdir(), "hactl-tools-"));
    mkdirSync(join(directory, "ocf", "test"), { recursive: true });
    const file = join(directory, "ocf", "test", "Quick");
    writeFileSync(file, agent);
    chmodSync(file, 0o755);
    const cluster = await LocalCluster.make({
      nodes,
      addresses: (node) => [addresses(node)],
      ocfPath: [join(directory, "ocf")],
    });
    const made = new ToolCluster(cluster, directory);
    cluster.startAll();
    await cluster.joined();
    return made;
  }

  /** Runs a tool on the first node. */
  run(...words: readonly string[]): Promise<Ran> {
    return this.cluster.hactl("node1", ...words);
  }

  /** What a tool prints; an error when it fails. */
  async output(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...words);
    if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Crm text of a primitive that runs the quick agent. */
  primitive(id: string): string[] {
    return ["primitive", id, "ocf:test:Quick", "params", `state=${join(this.directory, id)}`];
  }

  logs(): string {
    return this.cluster.names.map((name) => `${name}\n${readTail(this.cluster, name)}`).join("\n");
  }

  stop(): void {
    this.cluster.destroy();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function readTail(cluster: LocalCluster, name: string): string {
  const errors = readFileSync(join(cluster.directory, name, "stderr"), "utf8");
  return `${cluster.logOf(name).split("\n").slice(-40).join("\n")}\n${errors}`;
}
