import { lookup } from "../../terms/index.ts";

/** The crm shell's levels by their names. */
const levels: Readonly<Record<string, string>> = lookup({
  cfg: "configure",
  conf: "configure",
  configure: "configure",
  cib: "cib",
  cluster: "cluster",
  corosync: "corosync",
  history: "history",
  maintenance: "maintenance",
  node: "node",
  options: "options",
  ra: "ra",
  resource: "resource",
  rsc: "resource",
});

/** The level that a word names. */
export const levelNamed = (word: string): string | undefined => levels[word];
