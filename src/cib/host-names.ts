/** Words of a list of nodes (`pcmk_host_list`), separated by commas, semicolons or blanks. */
export function parseHostList(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,;]+/).filter((word) => word !== "");
}

/** The names in a map of nodes (`pcmk_host_map`) with their values, as they are written, in their order. */
export function hostMapEntries(text: string | undefined): (readonly [name: string, value: string])[] {
  return (text ?? "").split(/[;\s]+/).flatMap((entry) => {
    const match = /^([^:=]+)[:=](.+)$/.exec(entry);
    return match?.[1] && match[2] ? [[match[1], match[2]] as const] : [];
  });
}

/**
 * `node1:1;node2:2,3` as a map with small-letter keys: entries are separated by semicolons or blanks, name and value by the first
 * colon or equals sign; a value may hold commas (Pacemaker Explained, pcmk_host_map).
 */
export function parseHostMap(text: string | undefined): Map<string, string> {
  return new Map(hostMapEntries(text).map(([name, value]) => [name.toLowerCase(), value]));
}
