import type { HactlConfig } from "./face.ts";
import type { LoadedTable } from "./parse.ts";

/** One option whose effective value differs between two configurations. */
export interface ConfigChange {
  /** Heading of its table without brackets, with the number of a repeated one: `nodelist.node#1`. */
  readonly table: string;
  readonly option: string;
  /** Whether a reload applies it; else the node must be restarted. */
  readonly reload: boolean;
}

/**
 * What is different between a running configuration and a new one. A table more or less (a node, a link, levels of a
 * part) is one change under the name of the table, and a reload applies it where it applies any option of such a table.
 */
export function configChanges(before: HactlConfig, after: HactlConfig): readonly ConfigChange[] {
  const keyOf = (table: LoadedTable) => {
    // A node is the same node wherever it stands in the file.
    const own = table.values.nodeid ?? table.values.linknumber ?? table.values.subsys ?? table.index;
    return table.table.repeated ? `${table.table.path}#${String(own)}` : table.table.path;
  };
  const old = new Map(before.tables.map((table) => [keyOf(table), table]));
  const current = new Map(after.tables.map((table) => [keyOf(table), table]));
  const changes: ConfigChange[] = [];
  for (const key of new Set([...old.keys(), ...current.keys()])) {
    const was = old.get(key);
    const is = current.get(key);
    if (was && is) changes.push(...tableChanges(key, was, is));
    else
      changes.push({
        table: key,
        option: "",
        reload: (is ?? was)?.table.options.some(({ reload }) => reload) ?? false,
      });
  }
  return changes;
}

function tableChanges(key: string, was: LoadedTable, is: LoadedTable): ConfigChange[] {
  return was.table.options.flatMap((option) => {
    const same = JSON.stringify(was.values[option.name]) === JSON.stringify(is.values[option.name]);
    if (same || option.unused !== undefined) return [];
    return [{ table: key, option: option.name, reload: option.reload ?? false }];
  });
}
