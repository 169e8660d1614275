import type { RingProcessStatus } from "../../daemon/index.ts";
import { lookup } from "../../terms/index.ts";

export interface QuorumReportOptions {
  readonly hex?: boolean;
  /** Of the nodes; as the ring has them when it is not said. */
  readonly order?: "address" | "name" | "id";
  /** Addresses in the place of names: of the first link, or of all. */
  readonly addresses?: "none" | "first" | "all";
  /** The table has a column for the votes of a qdevice, as programs expect it that read the table. */
  readonly parsable?: boolean;
  readonly now: Date;
}

const title = (text: string) => `${text}\n${"-".repeat(text.length)}\n`;
const field = (name: string, value: string | number) => `${`${name}:`.padEnd(18)}${value}\n`;

/** The date as ctime(3) writes it. */
function dateLine(date: Date): string {
  const [weekday = "", month = "", day = "", year = "", clock = ""] = date.toString().split(" ");
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}

/**
 * Quorum and votes in the fields of corosync-quorumtool(8): `text` the state, `membership` the table of the nodes
 * that are there.
 */
export function quorumReport(
  { core, names, votes, addresses: own }: RingProcessStatus,
  { hex = false, order = "id", addresses = "none", parsable = false, now }: QuorumReportOptions,
): { readonly text: string; readonly membership: string } {
  const { quorum, totem, self } = core;
  const id = (node: number) => (hex ? `0x${node.toString(16).padStart(8, "0")}` : String(node));
  const ring = `${totem.ringId.representative.toString(16)}.${totem.ringId.sequence.toString(16)}`;
  const flags = [...(quorum.quorate ? ["Quorate"] : []), ...quorum.flags];
  const ordered = ["2Node", "Quorate", "WaitForAll", "LastManStanding", "AutoTieBreaker", "AllowDownscale"];
  const shown = ordered.filter((flag) => flags.includes(flag));
  const text = [
    title("Quorum information"),
    field("Date", dateLine(now)),
    field("Quorum provider", "corosync_votequorum"),
    field("Nodes", totem.members.length),
    field("Node ID", id(self)),
    field("Ring ID", ring),
    field("Quorate", quorum.quorate ? "Yes" : "No"),
    "\n",
    title("Votequorum information"),
    field("Expected votes", quorum.expectedVotes),
    field("Highest expected", quorum.expectedVotes),
    field("Total votes", quorum.votes),
    field("Quorum", `${quorum.needed} ${quorum.quorate ? "" : "Activity blocked"}`),
    field("Flags", shown.map((flag) => `${flag} `).join("")),
    "\n",
  ].join("");
  const addressesOf = (node: number): string[] => {
    const found =
      node === self
        ? Object.entries(own).map(([link, address]) => ({ link: Number(link), address }))
        : core.links.links.filter((one) => one.node === node);
    return [...found].sort((a, b) => a.link - b.link).map(({ address }) => address);
  };
  const inOrder = lookup({
    name: (a: number, b: number) => (names[a] ?? "").localeCompare(names[b] ?? ""),
    address: (a: number, b: number) =>
      (addressesOf(a)[0] ?? "").localeCompare(addressesOf(b)[0] ?? "", "en", { numeric: true }),
    id: (a: number, b: number) => a - b,
  });
  const members = [...totem.members].sort(inOrder[order]);
  const nameOf = (node: number): string => {
    if (addresses === "none") return names[node] ?? String(node);
    return addressesOf(node)
      .slice(0, addresses === "first" ? 1 : undefined)
      .join(", ");
  };
  const row = (nodeid: string, count: string, qdevice: string, name: string) =>
    `${[nodeid, count, ...(parsable ? [qdevice] : [])].map((cell) => cell.padStart(10)).join(" ")} ${name}\n`;
  const rows = members.map((node) => {
    const local = node === self ? " (local)" : "";
    return row(id(node), String(votes[node] ?? 0), "NR", `${nameOf(node)}${local}`);
  });
  const membership = `${title("Membership information")}${row("Nodeid", "Votes", "Qdevice", "Name")}${rows.join("")}`;
  return { text, membership };
}
