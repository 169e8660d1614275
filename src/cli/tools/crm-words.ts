import { CrmExit, HactlError, lookup } from "../../terms/index.ts";
import { usage } from "./connection.ts";

/** A word that is done: how many may follow it. */
interface Form {
  readonly least: number;
  readonly most: number;
  /** Which words may stand there; any where it is not said. */
  readonly among?: ReadonlySet<string>;
}

const form = (least: number, most = least, ...among: readonly string[]): Form => ({
  least,
  most,
  ...(among.length === 0 ? {} : { among: new Set(among) }),
});
const any = form(0, Number.POSITIVE_INFINITY);

/** What a word of the crm shell comes to here: it is done in this form; or another command does that, or it is done elsewhere. */
type Meaning = Form | string;

const onThatNode = "each node does it for itself: log in there and say it";
const keyAndList =
  "make the key ('hactl keygen') and /etc/hactl/hactl.toml, copy both to every node, then say 'hactl start' on each";
const noGeo = "hactl has no booth: tickets are granted with crm_ticket";
const nodeList =
  "edit the [[nodelist.node]] entries in /etc/hactl/hactl.toml of every node, then say 'hactl reload' on each";
const copyFile =
  "copy /etc/hactl/hactl.toml between the nodes with scp or rsync, then say 'hactl reload' on each";
const editToml =
  "edit /etc/hactl/hactl.toml on every node, check it ('hactl config check'), then say 'hactl reload' on each";
const readHistory =
  "'hactl history' shows what happened ('--since TIME', '--limit LINES'), the log of each node the rest";
const archived =
  "'hactl explain' tells why something is where it is, 'hactl history' what was decided and when";
const attributes = form(3, 4);

/** The levels of the crm shell whose words are looked at here (crm(8)). */
const levels: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = lookup({
  cluster: lookup({
    start: form(0),
    stop: form(0),
    restart: "say 'crm cluster stop', then 'crm cluster start'",
    status: form(0),
    wait_for_startup: form(0, 1),
    "maintenance-on": form(0),
    "maintenance-off": form(0),
    enable: "say 'systemctl enable hactl'",
    disable: "say 'systemctl disable hactl'",
    init: keyAndList,
    join: keyAndList,
    add: keyAndList,
    remove: "say 'hactl stop' on that node, 'hactl node remove NODE' here, and take it out of the node lists",
    delete: "say 'hactl stop' on that node, 'hactl node remove NODE' here, and take it out of the node lists",
    rename: "change cluster_name in /etc/hactl/hactl.toml of every node while the cluster is stopped",
    geo_init: noGeo,
    "geo-init": noGeo,
    geo_join: noGeo,
    "geo-join": noGeo,
    geo_init_arbitrator: noGeo,
    "geo-init-arbitrator": noGeo,
    health: "'hactl status' tells how the cluster is, 'hactl config check' and 'hactl verify' what is wrong",
    run: "run it on each node with ssh",
    copy: "copy it to each node with scp or rsync",
    diff: "compare the files with ssh and diff",
    crash_test: "'hactl fence test NODE' tries the fence devices",
  }),
  corosync: lookup({
    status: form(0, 1, "ring", "quorum"),
    reload: form(0),
    show: form(0),
    get: "'corosync-cmapctl -g KEY' shows one value, 'hactl config show' all that is in force",
    set: editToml,
    edit: editToml,
    "add-node": nodeList,
    add_node: nodeList,
    "del-node": nodeList,
    del_node: nodeList,
    push: copyFile,
    pull: copyFile,
    diff: "compare /etc/hactl/hactl.toml of the nodes with ssh and diff",
    log: "say 'journalctl -u hactl'",
  }),
  history: lookup({
    events: form(0),
    info: readHistory,
    latest: readHistory,
    source: readHistory,
    limit: readHistory,
    timeframe: readHistory,
    refresh: readHistory,
    detail: readHistory,
    setnodes: readHistory,
    resource: readHistory,
    node: readHistory,
    log: readHistory,
    peinputs: archived,
    transitions: archived,
    transition: archived,
    show: archived,
    graph: archived,
    diff: archived,
    wdiff: archived,
    session: readHistory,
    exclude: readHistory,
  }),
  maintenance: lookup({
    on: form(0, 1),
    off: form(0, 1),
    action: "'crm_resource --force-start', '--force-stop' and '--force-check' call an agent by hand",
  }),
  // Of its other words the command behind it knows.
  configure: lookup({
    verify: form(0),
    commit: form(0, 2, "force", "replace"),
    up: form(0),
    exit: form(0),
    quit: form(0),
    end: form(0),
    bye: form(0),
    ra: "say 'crm ra …'",
    cib: "say 'crm cib …'",
    history: "say 'crm history'",
    simulate: "say 'hactl simulate'",
    ptest: "say 'hactl simulate'",
    graph: "say 'crm_simulate -L -D FILE'",
    "validate-all": form(1),
    validate_all: form(1),
    filter: "change it with 'crm configure save', an editor and 'crm configure load'",
    get_property: form(1),
    "get-property": form(1),
    "default-timeouts": "'hactl verify' tells which timeouts are shorter than the agents want",
    default_timeouts: "'hactl verify' tells which timeouts are shorter than the agents want",
    upgrade: form(0, 1, "force"),
    schema: "'cibadmin --query' shows it, 'cibadmin --upgrade --force' makes it the newest",
    refresh: "each command sees the configuration as it is",
    rsctest: "say 'crm_resource --validate --resource RESOURCE'",
  }),
  node: lookup({
    show: form(0, 1),
    status: form(0, 1),
    list: form(0, 1),
    standby: form(0, 2),
    online: form(0, 1),
    maintenance: form(0, 1),
    ready: form(0, 1),
    fence: form(1),
    clearstate: form(1),
    delete: form(1),
    remove: form(1),
    attribute: attributes,
    utilization: attributes,
    "status-attr": attributes,
    server: onThatNode,
  }),
  ra: lookup({
    classes: form(0),
    list: form(1, 2),
    providers: form(1),
    info: form(1),
    meta: form(1),
    validate: "'hactl verify' asks the agents for what is configured",
  }),
  cib: lookup({
    new: any,
    use: form(0, 2),
    delete: form(1),
    reset: form(1),
    commit: form(0, 2),
    diff: form(0),
    list: form(0),
    import: form(1, 2),
    cibstatus: "crm_simulate tries out what would follow from another state",
  }),
} as const);

/** Levels of the crm shell that are not here at all. */
const absent: Readonly<Record<string, string>> = lookup({
  assist: "write the resources and constraints with 'crm configure'",
  cibstatus: "crm_simulate tries out what would follow from another state",
  options: "hactl has no preferences",
  script: "write the resources and constraints with 'crm configure'",
  site: noGeo,
  template: "write the resources with 'crm configure', a template for several of them with 'rsc_template'",
});

/** Words of `status`, and the options of crm_mon that they stand for. */
export const statusWords: Readonly<Record<string, readonly string[]>> = lookup({
  bynode: ["-n"],
  inactive: ["-r"],
  ops: ["-o"],
  timing: ["-t"],
  failcounts: ["-f"],
  verbose: ["-V"],
  quiet: [],
  html: ["--output-as=html"],
  full: ["-r", "-f", "-A", "-n"],
  noheaders: ["-D"],
  detail: ["-R"],
  brief: ["-b"],
  simple: ["-s"],
  tickets: ["-c"],
  xml: ["--output-as=xml"],
});

/**
 * Refuses what a word of the crm shell means and is not done here, with what does it; a word that it does not have; and words
 * that a command would pass over. Of the levels `configure` and `resource` the commands behind them look themselves.
 * @throws HactlError USAGE
 */
export function refuseUndone([level = "", word, ...more]: readonly string[]): void {
  const elsewhere = absent[level];
  if (elsewhere !== undefined) throw refusal(`hactl has no level ${level} of the crm shell`, elsewhere);
  if (level === "verify" && word !== undefined) throw usage("crm", `verify takes no further words: ${word}`);
  if (level === "status" || level === "st") refuseUnknownStatus(word === undefined ? [] : [word, ...more]);
  const known = levels[level];
  if (known === undefined || word === undefined) return;
  const meaning = known[word];
  if (meaning === undefined && level === "configure") return;
  if (meaning === undefined) {
    const done = Object.entries(known).flatMap(([name, one]) => (typeof one === "string" ? [] : [name]));
    throw usage("crm", `${level} has no "${word}"; it has ${done.join(", ")}`);
  }
  if (typeof meaning === "string") throw refusal(`hactl does not do "crm ${level} ${word}"`, meaning);
  refuseOthers(level, word, more, meaning);
}

function refuseOthers(
  level: string,
  word: string,
  more: readonly string[],
  { least, most, among }: Form,
): void {
  const given = more.length === 0 ? "none is given" : `given: ${more.join(" ")}`;
  if (more.length < least) throw usage("crm", `${level} ${word} needs ${count(least)}; ${given}`);
  if (more.length > most)
    throw usage(
      "crm",
      `${level} ${word} takes ${most === 0 ? "no further words" : `at most ${count(most)}`}; ${given}`,
    );
  const stranger = among && more.find((one) => !among.has(one));
  if (stranger !== undefined)
    throw usage("crm", `${level} ${word} has no "${stranger}"; it has ${[...(among ?? [])].join(", ")}`);
}

const count = (words: number): string => `${words} more word${words === 1 ? "" : "s"}`;

function refuseUnknownStatus(words: readonly string[]): void {
  const stranger = words.find((word) => !word.startsWith("-") && !(word in statusWords));
  if (stranger === undefined || words.some((word) => word.startsWith("-"))) return;
  throw usage("crm", `status has no "${stranger}"; it has ${Object.keys(statusWords).join(", ")}`);
}

const refusal = (what: string, cure: string): HactlError =>
  new HactlError({ code: "USAGE", what: `${what}; nothing was done`, cure, exit: CrmExit.USAGE });
