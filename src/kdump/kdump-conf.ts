/** What kdump.conf says about fencing (kdump.conf(5), fence_kdump_nodes and fence_kdump_args). */
export interface KdumpConf {
  readonly nodes: readonly string[];
  readonly args: string;
}

/** Reads the two options; the last of each counts, comments do not. */
export function readKdumpConf(text: string): KdumpConf {
  let nodes: readonly string[] = [];
  let args = "";
  for (const line of text.split("\n")) {
    const match = /^\s*(fence_kdump_nodes|fence_kdump_args)\s+(.*?)\s*$/.exec(line.replace(/#.*$/, ""));
    if (match?.[1] === "fence_kdump_nodes") nodes = (match[2] ?? "").split(/\s+/);
    else if (match) args = match[2] ?? "";
  }
  return { nodes, args };
}

/** The text with the two options set and everything else as it was. */
export function writeKdumpConf(text: string, conf: KdumpConf): string {
  const lines = text.split("\n").filter((line) => !/^\s*fence_kdump_(?:nodes|args)\s/.test(line));
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  lines.push(`fence_kdump_nodes ${conf.nodes.join(" ")}`);
  if (conf.args !== "") lines.push(`fence_kdump_args ${conf.args}`);
  return `${lines.join("\n")}\n`;
}

/** cluster.conf for kexec-tools before 2.0.0-280 (RHEL 6), which takes the nodes from there. */
export function clusterConf(
  name: string,
  nodes: readonly { readonly name: string; readonly id: number }[],
): string {
  const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
  const rows = nodes
    .map((node) => `    <clusternode name="${escaped(node.name)}" nodeid="${node.id}"/>\n`)
    .join("");
  return (
    `<cluster name="${escaped(name)}" config_version="1">\n  <clusternodes>\n${rows}  </clusternodes>\n` +
    '  <fencedevices>\n    <fencedevice name="kdump" agent="fence_kdump"/>\n  </fencedevices>\n</cluster>\n'
  );
}
