import { child, childrenOf, element, formatXml, parseXml, type XmlElement } from "../../cib/index.ts";
import type { AdminClient, NodeReply } from "../../daemon/index.ts";
import { CrmExit, HactlError, nodeName } from "../../terms/index.ts";
import { asTool, connectTool } from "./connection.ts";
import { type OptionRow, type ParsedWords, parseWords } from "./getopt.ts";

const table: readonly OptionRow[] = [
  { name: "name", short: "n", aliases: ["attr-name"], value: "NAME", description: "the attribute" },
  { name: "update", short: "v", aliases: ["attr-value"], value: "VALUE", description: "set it" },
  { name: "query", short: "G", aliases: ["get-value"], description: "print it" },
  { name: "delete", short: "D", aliases: ["delete-attr"], description: "remove it" },
  { name: "node", short: "N", aliases: ["uname"], value: "NODE", description: "for that node" },
  {
    name: "type",
    short: "t",
    value: "SECTION",
    description: "crm_config, nodes, status, rsc_defaults, op_defaults",
  },
  { name: "lifetime", short: "l", value: "LIFETIME", description: "reboot (transient) or forever" },
  {
    name: "promotion",
    short: "p",
    value: "RESOURCE",
    optional: true,
    description: "the promotion score of a resource",
  },
  { name: "utilization", short: "z", description: "a utilization attribute of the node" },
  { name: "set-name", short: "s", value: "SET", description: "id of the block that holds it" },
  { name: "id", short: "i", value: "ID", description: "id of the pair" },
  { name: "default", short: "d", value: "VALUE", description: "print this when a query finds nothing" },
  { name: "quiet", short: "q", aliases: ["Q"], description: "print only the value" },
  { name: "quiet-old", short: "Q", description: "the same" },
  { name: "inhibit-policy-engine", short: "!", description: "accepted for older agents" },
  {
    name: "wait",
    short: "W",
    value: "UNTIL",
    description: "accepted: the change is everywhere when the tool returns",
  },
  { name: "verbose", short: "V", description: "say more" },
];

/** Where an attribute is kept. */
type Scope = "crm_config" | "nodes" | "status" | "rsc_defaults" | "op_defaults";

interface Subject {
  readonly scope: Scope;
  readonly name: string;
  readonly node: string | undefined;
  readonly set: string | undefined;
  readonly utilization: boolean;
}

/** crm_attribute(8): attributes of nodes and of the cluster. */
export const run = (words: readonly string[]): Promise<number> => runAs("crm_attribute", words);

/** The same under the name by which it was called (crm_master is crm_attribute for promotion scores). */
export const runAs = (name: string, words: readonly string[]): Promise<number> =>
  asTool(name, "Set, query and remove attributes of nodes and of the cluster.", table, words, async () => {
    const given = parseWords(name, table, words);
    const client = await connectTool();
    try {
      return await work(given, client);
    } finally {
      client.close();
    }
  });

async function work(given: ParsedWords, client: AdminClient): Promise<number> {
  const subject = await subjectOf(given, client);
  const value = given.value("update");
  if (given.has("delete")) await remove(client, subject);
  else if (value !== undefined) await set(client, subject, value);
  else return print(given, subject, await query(client, subject));
  return CrmExit.OK;
}

async function subjectOf(given: ParsedWords, client: AdminClient): Promise<Subject> {
  const promotion = given.has("promotion");
  const scope = scopeOf(given, promotion);
  const rsc = given.value("promotion") || process.env.OCF_RESOURCE_INSTANCE;
  if (promotion && !rsc) throw usage("--promotion needs a resource when it is not called by an agent");
  const name = promotion ? `master-${rsc?.replace(/:\d+$/, "")}` : given.value("name");
  if (name === undefined) throw usage("--name is missing");
  const ofNode = scope === "nodes" || scope === "status";
  let node = ofNode ? given.value("node") : undefined;
  if (ofNode && (node === undefined || node === "auto" || node === "localhost")) {
    node =
      process.env.OCF_RESKEY_CRM_meta_on_node ?? (await client.request<NodeReply>({ type: "node" })).name;
  }
  return { scope, name, node, set: given.value("set-name"), utilization: given.has("utilization") };
}

/** A lifetime decides between permanent and transient; a node without one means permanent; nothing means the cluster. */
function scopeOf(given: ParsedWords, promotion: boolean): Scope {
  const type = given.value("type");
  const lifetime = given.value("lifetime");
  if (lifetime === "reboot" || type === "status") return "status";
  if (lifetime === "forever") return "nodes";
  if (lifetime !== undefined) throw usage(`"${lifetime}" is not a lifetime; reboot and forever are`);
  if (promotion) return "status";
  switch (type) {
    case "nodes":
      return "nodes";
    case "crm_config":
    case "rsc_defaults":
    case "op_defaults":
      return type;
    case undefined:
      return given.has("node") || given.has("utilization") ? "nodes" : "crm_config";
    default:
      throw usage(`"${type}" is not a section that holds attributes`);
  }
}

async function query(client: AdminClient, subject: Subject): Promise<string | undefined> {
  const { scope, name, node } = subject;
  if (scope === "status") {
    return (await client.request<Record<string, string>>({ type: "attributes-query", name }))[node ?? ""];
  }
  return (await find(client, subject)).pair?.attributes.get("value");
}

async function set(client: AdminClient, subject: Subject, value: string): Promise<void> {
  const { scope, name, node, utilization } = subject;
  if (scope === "status") {
    await client.request({
      type: "attributes-update",
      updates: [
        { node: nodeName(node ?? ""), name, value, ...(utilization ? { set: "utilization" as const } : {}) },
      ],
    });
    return;
  }
  const { owner, setId, blockName, pair } = await find(client, subject);
  const old = pair?.attributes.get("value");
  const next = evaluate(value, old);
  const nvpair = element("nvpair", {
    id: pair?.attributes.get("id") ?? `${setId}-${name}`,
    name,
    value: next,
  });
  const block = element(blockName, { id: setId }, [nvpair]);
  const xml = owner ? { ...owner, children: [block] } : block;
  const operations = [{ op: "modify" as const, xml: formatXml(xml, -1), scope, create: true }];
  await client.request({ type: "cib-apply", operations, client: "crm_attribute" });
}

async function remove(client: AdminClient, subject: Subject): Promise<void> {
  const { scope, name, node } = subject;
  if (scope === "status") {
    await client.request({
      type: "attributes-update",
      updates: [{ node: nodeName(node ?? ""), name, value: undefined }],
    });
    return;
  }
  const { pair } = await find(client, subject);
  const id = pair?.attributes.get("id");
  if (id === undefined) return;
  const operations = [{ op: "delete" as const, xpath: `//nvpair[@id='${id}']` }];
  await client.request({ type: "cib-apply", operations, client: "crm_attribute" });
}

interface Found {
  /** The `<node>` without its children, for attributes of nodes. */
  readonly owner: XmlElement | undefined;
  readonly blockName: string;
  readonly setId: string;
  readonly pair: XmlElement | undefined;
}

async function find(client: AdminClient, { scope, name, node, set, utilization }: Subject): Promise<Found> {
  const cib = parseXml(await client.request<string>({ type: "cib" }));
  const section = child(child(cib, "configuration"), scope);
  let holder = section;
  let owner: XmlElement | undefined;
  let blockName = scope === "crm_config" ? "cluster_property_set" : "meta_attributes";
  let setId = set ?? (scope === "crm_config" ? "cib-bootstrap-options" : `${scope}-options`);
  if (scope === "nodes") {
    holder = section?.children.find((entry) => entry.attributes.get("uname") === node);
    const id = holder?.attributes.get("id") ?? node ?? "";
    owner = {
      name: "node",
      attributes: new Map(
        holder?.attributes ?? [
          ["id", id],
          ["type", "remote"],
          ["uname", id],
        ],
      ),
      children: [],
    };
    blockName = utilization ? "utilization" : "instance_attributes";
    setId = set ?? `nodes-${id}${utilization ? "-utilization" : ""}`;
  }
  const blocks = childrenOf(holder, blockName).filter(
    (block) => set === undefined || block.attributes.get("id") === set,
  );
  const pairs = blocks.flatMap((block) =>
    childrenOf(block, "nvpair")
      .filter((pair) => pair.attributes.get("name") === name)
      .map((pair) => ({ block, pair })),
  );
  const [first] = pairs;
  return {
    owner,
    blockName,
    setId:
      first?.block.attributes.get("id") ??
      (set === undefined ? blocks[0]?.attributes.get("id") : undefined) ??
      setId,
    pair: first?.pair,
  };
}

/** `value++` and `value+=N` count on the value that is there (crm_attribute(8)). */
function evaluate(value: string, old: string | undefined): string {
  const match = /^.+?(?:\+\+|\+=(-?\d+))$/.exec(value);
  if (!match || !value.startsWith("value")) return value;
  return String((Number.parseInt(old ?? "0", 10) || 0) + Number(match[1] ?? 1));
}

function print(given: ParsedWords, { scope, name }: Subject, found: string | undefined): number {
  const value = found ?? given.value("default");
  if (value === undefined) {
    throw new HactlError({
      code: "NO_SUCH_ATTRIBUTE",
      what: "Error performing operation: No such device or address",
      exit: CrmExit.NOSUCH,
    });
  }
  const quiet = given.has("quiet") || given.has("quiet-old");
  process.stdout.write(quiet ? `${value}\n` : `scope=${scope}  name=${name} value=${value}\n`);
  return CrmExit.OK;
}

const usage = (what: string) =>
  new HactlError({ code: "USAGE", what, cure: "see crm_attribute --help", exit: CrmExit.USAGE });
