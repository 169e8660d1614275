import type { CibOperation, CibProblem, XmlElement } from "../cib/index.ts";
import type { NodeReply } from "../daemon/index.ts";
import { CrmExit, HactlError } from "../terms/index.ts";
import type { Checked } from "./acceptance.ts";
import { changeCibFile, readCibFile } from "./cib-file.ts";
import { Daemon } from "./daemon.ts";
import {
  cannotJudge,
  judgedBy,
  mayBeHidden,
  missingBasis,
  rememberHidden,
  withoutHiddenResources,
} from "./hidden.ts";
import { note, tellHidden } from "./output.ts";
import { type CibTarget, cibTarget, isInHand, targetText } from "./target.ts";

/** A CIB and its `<configuration>`. */
export interface ReadCib {
  readonly cib: XmlElement;
  readonly configuration: XmlElement;
  /** Sections in which access rules hide something from this user. */
  readonly hidden?: readonly string[];
}

/** What a change made of a configuration, and what is remarkable in that. */
export interface Change {
  readonly before: XmlElement;
  readonly after: XmlElement;
  readonly remarks: readonly CibProblem[];
}

/** Tries again when somebody else changed the configuration in between. */
const attempts = 5;

/** Whether access rules may limit who asks: not root, who is not limited unless he asks in the name of another. */
const isLimited = (): boolean =>
  process.getuid?.() !== 0 || Boolean(process.env.CIB_user) || Boolean(process.env.HACTL_SOCKET);

/**
 * The CIB that a command reads and changes, and the only way to it: that of the running cluster, a draft, or a file
 * (`cibTarget`). Connects and loads when it is first asked: most calls of agents need only a little of it.
 */
export class CibSession {
  readonly target: CibTarget;
  #daemon: Daemon | undefined;
  #cib: XmlElement | undefined;
  #raw: XmlElement | undefined;
  #hidden: readonly string[] = [];
  /** Whether it says on standard error that not all is shown. */
  readonly #tells: boolean;

  private constructor(target: CibTarget, tells: boolean) {
    this.target = target;
    this.#tells = tells;
  }

  /** Runs a command's work with a session that is closed afterwards. */
  static async with<T>(
    use: (session: CibSession) => Promise<T>,
    target: CibTarget = cibTarget(),
  ): Promise<T> {
    return CibSession.#run(new CibSession(target, true), use);
  }

  /**
   * The same for a tool of Pacemaker's that reads and writes what may be read and judges nothing: programs take all
   * that it says for its answer. That a part is hidden is told with what is not found.
   */
  static async quietly<T>(
    use: (session: CibSession) => Promise<T>,
    target: CibTarget = cibTarget(),
  ): Promise<T> {
    return CibSession.#run(new CibSession(target, false), use);
  }

  static async #run<T>(session: CibSession, use: (session: CibSession) => Promise<T>): Promise<T> {
    try {
      return await use(session);
    } finally {
      session.#daemon?.close();
    }
  }

  /** Whether the running cluster is meant. */
  get isLive(): boolean {
    return this.target.kind === "live";
  }

  /** The daemon; where a file is meant, it takes no request that changes or shows the cluster. */
  async daemon(): Promise<Daemon> {
    this.#daemon ??= await Daemon.connect({ target: this.target });
    return this.#daemon;
  }

  /** The whole `<cib>` in the canonical schema, read once; `apply` reads it anew. */
  async cib(): Promise<XmlElement> {
    if (this.#cib) return this.#cib;
    const raw = await this.raw();
    // That of the cluster has this form already.
    this.#cib = this.isLive ? raw : (await import("../cib/index.ts")).upgradeCib(raw).root;
    return this.#cib;
  }

  /** What was read is out of date: it is read anew when it is asked for. */
  forget(): void {
    this.#cib = undefined;
    this.#raw = undefined;
  }

  /** The same as it is written: a file may have an older schema. */
  async raw(): Promise<XmlElement> {
    if (this.#raw) return this.#raw;
    if (this.target.kind === "live") {
      const { parseXml } = await import("../cib/index.ts");
      const daemon = await this.daemon();
      this.#raw = parseXml(await daemon.request<string>({ type: "cib" }), "the cluster's CIB");
      await this.#askWhatIsHidden(daemon);
    } else {
      const { root, hidden } = await readCibFile(this.target);
      this.#raw = root;
      this.#found(hidden);
    }
    return this.#raw;
  }

  /** Sections of a CIB that was read in which access rules hide something that a judgement rests on. */
  get hidden(): readonly string[] {
    return this.#hidden;
  }

  /** The CIB to decide by: without traces of what is hidden, which would look as if it had been removed. */
  async decidable(): Promise<XmlElement> {
    return withoutHiddenResources(await this.cib(), this.#hidden);
  }

  async #askWhatIsHidden(daemon: Daemon): Promise<void> {
    if (!isLimited()) return;
    this.#found((await daemon.request<NodeReply>({ type: "node" })).hiddenSections);
  }

  #found(hidden: readonly string[] = []): void {
    this.#hidden = judgedBy(hidden);
    if (this.#tells) tellHidden(this.#hidden);
    else rememberHidden(this.#hidden);
  }

  /** Its `<configuration>`. @throws HactlError CIB_INVALID when it has none */
  async configuration(): Promise<XmlElement> {
    const found = (await this.cib()).children.find(({ name }) => name === "configuration");
    if (found) return found;
    throw new HactlError({
      code: "CIB_INVALID",
      what: "the CIB has no <configuration>",
      ...(this.target.kind === "live" ? {} : { where: { file: this.target.path } }),
      exit: CrmExit.DATAERR,
    });
  }

  /**
   * Changes the CIB, all or nothing. What escapes a deny by it is said, whoever changes it. @param client who asks, for the history
   * @param checked whether mistakes that it would bring in are refused before (`checkChange`). What is remarkable is answered
   * @param asWritten whether the operations are about a file as it is written, of whatever schema (`changeCibFile`)
   */
  async apply(
    operations: readonly CibOperation[],
    client: string,
    checked?: Checked,
    asWritten = false,
  ): Promise<readonly CibProblem[]> {
    const remarks = await this.#checkOperations(operations, checked);
    await this.#send(operations, client, asWritten);
    const isLifted = ({ code }: CibProblem) => code === "ACL_LIFTED";
    await warn(
      remarks.filter(isLifted).map((one) => ({ ...one, cure: "change the role, or take this back" })),
    );
    return remarks.filter((one) => !isLifted(one));
  }

  async #send(operations: readonly CibOperation[], client: string, asWritten: boolean): Promise<void> {
    this.forget();
    if (this.target.kind === "live")
      await (await this.daemon()).request({ type: "cib-apply", operations, client });
    else {
      const changed = await changeCibFile(this.target, operations, asWritten);
      if (!asWritten) this.#cib = changed;
    }
  }

  /**
   * What the operations would make of the CIB; where nothing else is looked at, what they would let escape a deny. Whether
   * they can be applied at all is judged where they are.
   */
  async #checkOperations(
    operations: readonly CibOperation[],
    checked: Checked | undefined,
  ): Promise<readonly CibProblem[]> {
    const { applyOperations, changesMoreThanOwn, denies, findLiftedDenies } = await import("../cib/index.ts");
    const before = await this.cib();
    if (checked === undefined && !denies(before) && !operations.some(mayReachProperties)) return [];
    let after: XmlElement;
    try {
      after = applyOperations(before, operations, { live: this.isLive, askers: [], now: 0 }).cib;
    } catch (error) {
      if (error instanceof HactlError) return [];
      throw error;
    }
    // A file may be made for trying out what no cluster is.
    if (this.target.kind !== "file" && !operations.some(isWhole)) {
      // Shells make a difference of a whole that was saved, and send that: it means the rest of it.
      const isOfWhole = operations.some(({ op }) => op === "patch") && changesMoreThanOwn(before, after);
      await this.#refuseOwn(before, after, checked?.force || isOfWhole);
    }
    if (checked === undefined) return findLiftedDenies(before, after);
    const { checkChange } = await import("./acceptance.ts");
    return checkChange(before, after, { live: this.isLive, hidden: this.#hidden, ...checked });
  }

  /** What only the leader writes is no change of somebody's: it would be put right, and who asked would not hear of it. */
  async #refuseOwn(before: XmlElement, after: XmlElement, force = false): Promise<void> {
    const { findChangedOwn } = await import("../cib/index.ts");
    const problems = findChangedOwn(before, after, this.isLive);
    if (problems.length === 0) return;
    const { RefusedChange } = await import("./acceptance.ts");
    if (!force) throw new RefusedChange(problems);
    const cure = "the leader writes its own value again";
    await warn(problems.map((problem) => ({ ...problem, level: "warning", cure })));
  }

  /**
   * Puts another configuration in place: `change` makes it of the current one. All or nothing, and only to the version
   * that it was made from; somebody else's change in between is taken into account. Who may not put the whole in its
   * place, since the access rules hide a part of it, says what is different.
   */
  async change(change: (current: ReadCib) => XmlElement, client: string, checked: Checked): Promise<Change> {
    const { formatXml, upgradeCib } = await import("../cib/index.ts");
    const { checkChange, RefusedChange, withAgentProblems } = await import("./acceptance.ts");
    let partly = false;
    for (let attempt = 1; ; attempt++) {
      const before = await this.configuration();
      const cib = await this.cib();
      let after: XmlElement;
      try {
        after = change({ cib, configuration: before });
      } catch (error) {
        if (!(error instanceof RefusedChange)) throw error;
        if (!error.readable || !error.problems.every((problem) => mayBeHidden(problem, this.#hidden)))
          throw await withAgentProblems(error, cib);
        // What the text names is perhaps there, and not shown.
        after = error.readable;
      }
      const whole = { ...cib, children: cib.children.map((item) => (item === before ? after : item)) };
      // What was there already is in its present form.
      const { root, notes } = upgradeCib(whole);
      if (!checked.whole) await this.#refuseOwn(cib, root, checked.force);
      const dropped = notes.filter(({ level }) => level === "warning");
      const remarks = [
        ...dropped.map((note) => ({ ...note, code: "UPGRADED" })),
        ...(await checkChange(cib, root, {
          agents: true,
          live: this.isLive,
          hidden: this.#hidden,
          ...checked,
        })),
      ];
      try {
        await this.#send(
          [
            unchangedSince(cib),
            partly
              ? await differenceOf(before, after)
              : { op: "replace", scope: "configuration", xml: formatXml(after, -1) },
          ],
          client,
          false,
        );
        return { before, after, remarks };
      } catch (error) {
        if (!(error instanceof HactlError)) throw error;
        if (error.code === "PERMISSION" && !partly) partly = true;
        else if (error.exit !== CrmExit.OLD || attempt >= attempts) throw error;
      }
    }
  }

  /** Name of the node that this runs on; a remote host's own name there. */
  async localNode(): Promise<string> {
    const named = localNodeName();
    if (named !== undefined) return named;
    try {
      return (await (await this.daemon()).request<NodeReply>({ type: "node" })).name;
    } catch (error) {
      // A file needs no cluster: then the host's name is the best guess, as for Pacemaker's tools.
      if (this.isLive || !(error instanceof HactlError)) throw error;
      return (await import("../platform/index.ts")).hostname();
    }
  }
}

/** Agents set attributes of nodes often, and these are looked at no further. */
const mayReachProperties = (operation: CibOperation): boolean =>
  !("scope" in operation && (operation.scope === "nodes" || operation.scope === "status"));

/** Whether it puts a whole in place of the whole, of which the leader puts right what is its own. */
const isWhole = (operation: CibOperation): boolean =>
  operation.op === "erase" ||
  (operation.op === "replace" &&
    operation.xpath === undefined &&
    /^(?:\s|<\?.*?\?>|<!--.*?-->)*<(?:cib|configuration)[\s>]/s.test(operation.xml));

/** What has to be done to one configuration to make another of it. */
async function differenceOf(before: XmlElement, after: XmlElement): Promise<CibOperation> {
  const { element, formatXml } = await import("../cib/index.ts");
  const { xmlDiff } = await import("./tools/xml-diff.ts");
  const difference = xmlDiff(element("cib", {}, [before]), element("cib", {}, [after]), { versions: false });
  return { op: "patch", xml: formatXml(difference ?? element("diff", { format: "2" }), -1) };
}

/**
 * The node whose attributes an agent means, as far as its environment tells: the one that it runs on, a guest or
 * remote node too; for what runs in a bundle that asks for it (container-attribute-target=host) the host.
 */
export function localNodeName(): string | undefined {
  const meta = (name: string) => process.env[`OCF_RESKEY_CRM_meta_${name}`] || undefined;
  if (meta("container_attribute_target") === "host") return meta("physical_host") ?? meta("on_node");
  return meta("on_node");
}

/** The CIB that a command without one of its own reads. */
export const readCib = (): Promise<ReadCib> =>
  CibSession.with(async (session) => ({
    cib: await session.cib(),
    configuration: await session.configuration(),
  }));

/**
 * The same for who asks for the state of resources. @throws HactlError PERMISSION when access rules hide what that is told by
 */
export const readState = (): Promise<ReadCib> =>
  CibSession.with(async (session) => {
    const cib = await session.decidable();
    const missing = missingBasis(session.hidden);
    if (missing.length > 0) throw cannotJudge("what runs where cannot be told", missing);
    return { cib, configuration: await session.configuration(), hidden: session.hidden };
  });

/** Has what comes after it carried out only while the configuration is that of this CIB; else it is refused with `OLD`. */
export function unchangedSince({ attributes }: XmlElement): CibOperation {
  const part = (name: string) => Number.parseInt(attributes.get(name) ?? "0", 10) || 0;
  return { op: "require", adminEpoch: part("admin_epoch"), epoch: part("epoch") };
}

/** Changes the configuration: `change` makes the new `<configuration>` of the current one (`CibSession.change`). */
export const changeConfiguration = (
  change: (current: ReadCib) => XmlElement,
  client: string,
  checked: Checked = {},
): Promise<Change> =>
  CibSession.with(async (session) => {
    const changed = await session.change(change, client, checked);
    await warn(changed.remarks);
    remark(session.target);
    return changed;
  });

/** Applies operations on the CIB. */
export const applyToCib = (
  operations: readonly CibOperation[],
  client: string,
  checked?: Checked,
): Promise<void> =>
  CibSession.with(async (session) => {
    await warn(await session.apply(operations, client, checked));
    remark(session.target);
  });

/** What lets pass, but not in silence. */
export async function warn(remarks: readonly CibProblem[]): Promise<void> {
  if (remarks.length === 0) return;
  const { problemText } = await import("./acceptance.ts");
  for (const problem of remarks)
    note(`${problem.level === "info" ? "note" : "warning"}: ${problemText(problem)}`);
}

/** People shall know that it was not the cluster. */
function remark(target: CibTarget): void {
  if (target.kind !== "live" && !isInHand(target))
    note(`Changed ${targetText(target)}; the cluster is as it was.`);
}
