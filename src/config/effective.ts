import type { EffectiveTotem } from "./face.ts";
import type { LoadedTable } from "./parse.ts";
import type { ConfigProblem } from "./problem.ts";

/** How an effective value came to be. */
export interface Explanation {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** `given`: the file has it; `default`: the table's; `computed`: from other values. */
  readonly source: "given" | "default" | "computed";
  readonly line?: number;
  /** The formula with its numbers, or what the value means. */
  readonly how: string;
}

const number = (table: LoadedTable, name: string): number => Number(table.values[name] ?? 0);

/**
 * Effective timeouts (corosync.conf(5), totem): token grows by token_coefficient for each node beyond two;
 * token_retransmit, hold and consensus follow from it unless they are given.
 */
export function effectiveTotem(totem: LoadedTable, nodeCount: number): EffectiveTotem {
  const value = (name: string) => number(totem, name);
  const computed = new Map(explainTotem(totem, nodeCount).map((row) => [row.name, row.value]));
  const timing = (name: string) => computed.get(name) ?? 0;
  return {
    tokenMs: timing("token"),
    tokenWarning: value("token_warning"),
    tokenRetransmitMs: timing("token_retransmit"),
    holdMs: timing("hold"),
    joinMs: value("join"),
    sendJoinMs: value("send_join"),
    consensusMs: timing("consensus"),
    mergeMs: value("merge"),
    failRecvConst: value("fail_recv_const"),
    seqnoUnchangedConst: value("seqno_unchanged_const"),
    missCountConst: value("miss_count_const"),
    windowSize: value("window_size"),
    maxMessages: value("max_messages"),
    netmtu: value("netmtu"),
    cancelTokenHoldOnRetransmit: totem.values.cancel_token_hold_on_retransmit === true,
  };
}

/** The effective timeouts with where each comes from, for `hactl config explain totem`. */
export function explainTotem(totem: LoadedTable, nodeCount: number): readonly Explanation[] {
  const value = (name: string) => number(totem, name);
  const line = (name: string) => {
    const found = totem.lines.get(name);
    return found === undefined ? {} : { line: found };
  };
  const source = (name: string) => (totem.lines.has(name) ? "given" : "default");
  const beyond = Math.max(0, nodeCount - 2);
  const token = value("token") + beyond * value("token_coefficient");
  const derive = (name: string, result: number, how: string): Explanation =>
    totem.lines.has(name) && totem.values[name] !== undefined
      ? { name, value: value(name), unit: "ms", source: "given", ...line(name), how: "as given" }
      : { name, value: result, unit: "ms", source: "computed", how };
  const plain = (name: string, how: string): Explanation => {
    return { name, value: value(name), unit: "ms", source: source(name), ...line(name), how };
  };

  const tokenRow: Explanation =
    beyond === 0
      ? plain(
          "token",
          `token alone: ${nodeCount} node${nodeCount === 1 ? "" : "s"}, the coefficient counts from the third on`,
        )
      : {
          name: "token",
          value: token,
          unit: "ms",
          source: "computed",
          ...line("token"),
          how: `token ${value("token")} + ${beyond} nodes beyond two × token_coefficient ${value("token_coefficient")}`,
        };
  const tries = value("token_retransmits_before_loss_const");
  const retransmit = derive(
    "token_retransmit",
    Math.floor((token * 10) / (tries * 10 + 2)),
    `token ${token} / (token_retransmits_before_loss_const ${tries} + 0.2)`,
  );
  const hold = derive(
    "hold",
    Math.floor((retransmit.value * 8) / 10) - 10,
    `0.8 × token_retransmit ${retransmit.value} − 10`,
  );
  const consensus = derive("consensus", Math.floor((token * 12) / 10), `1.2 × token ${token}`);
  return [
    tokenRow,
    retransmit,
    hold,
    plain("join", "a join message is sent again after this"),
    consensus,
    plain("merge", "an idle ring looks for others this often"),
    {
      name: "failure detection",
      value: token + consensus.value,
      unit: "ms",
      source: "computed",
      how: `token ${token} + consensus ${consensus.value}: from the death of a node to the membership without it`,
    },
  ];
}

/** Rules between the timeouts (corosync.conf(5); hold's minimum is 0.8 × 30 − 10). */
export function checkTiming(totem: LoadedTable, effective: EffectiveTotem): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const at = (...names: readonly string[]) => {
    const line =
      names.map((name) => totem.lines.get(name)).find((found) => found !== undefined) ?? totem.line;
    return line === undefined ? {} : { line };
  };
  const add = (severity: ConfigProblem["severity"], place: { line?: number }, what: string, cure: string) =>
    void problems.push({ severity, code: "TIMING", ...place, what, cure });

  const { tokenMs, tokenRetransmitMs, holdMs, consensusMs, joinMs } = effective;
  if (tokenRetransmitMs < 30) {
    const tries = number(totem, "token_retransmits_before_loss_const");
    const enough = Math.ceil(30 * (tries + 0.2));
    const cure = `Set token to ${enough} or more, or lower token_retransmits_before_loss_const`;
    add(
      "error",
      at("token", "token_retransmit"),
      `token_retransmit comes out as ${tokenRetransmitMs} ms; 30 is the least`,
      cure,
    );
  } else if (holdMs < 14) {
    add("error", at("hold", "token"), `hold comes out as ${holdMs} ms; 14 is the least`, "Raise token");
  }
  if (tokenRetransmitMs >= tokenMs) {
    const what = `token_retransmit ${tokenRetransmitMs} ms is not below token ${tokenMs} ms: a lost token would never be sent again`;
    add("error", at("token_retransmit", "token"), what, "Remove token_retransmit; it is computed");
  }
  if (holdMs >= tokenRetransmitMs && tokenRetransmitMs < tokenMs) {
    const what = `hold ${holdMs} ms is not below token_retransmit ${tokenRetransmitMs} ms: an idle ring would send its token again all the time`;
    add("error", at("hold", "token_retransmit"), what, "Remove hold; it is computed");
  }
  if (consensusMs < joinMs) {
    const what = `consensus ${consensusMs} ms is below join ${joinMs} ms`;
    const cure = totem.lines.has("consensus")
      ? "Remove consensus; it is computed as 1.2 × token"
      : `Set join to ${consensusMs} or less; it is best left out`;
    add("error", at("consensus", "join"), what, cure);
  } else if (consensusMs < Math.floor((tokenMs * 12) / 10)) {
    const what = `consensus ${consensusMs} ms is below 1.2 × token ${tokenMs} ms: memberships may form and break in turns`;
    add(
      "warning",
      at("consensus", "token"),
      what,
      `Set consensus to ${Math.floor((tokenMs * 12) / 10)} or remove it`,
    );
  }
  return problems;
}
