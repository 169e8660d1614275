import { defineCommand } from "citty";
import { agentUses, bundleUses, child, upgradeCib } from "../../cib/index.ts";
import { CrmExit } from "../../terms/index.ts";
import { alertProblems, problemsOfAgents } from "../acceptance.ts";
import { CibSession } from "../cib-session.ts";
import { cannotJudge, mayBeHidden } from "../hidden.ts";
import { colours, print, printJson, wantsJson } from "../output.ts";
import { readText } from "../read-text.ts";
import { cibTarget } from "../target.ts";
import { type Finding, findingText, type Verification, verifyText, verifyTree } from "./verify-run.ts";

const colourOf = (level: Finding["level"]) =>
  level === "error" ? colours.red : level === "warning" ? colours.yellow : colours.dim;

const clock = () => Math.floor(Date.now() / 1000);

/** What the agents on the nodes say against it; without a cluster, those on this host. */
async function withAgents({ findings, cib }: Verification, file: string): Promise<Verification> {
  const root = cib && upgradeCib(cib).root;
  const configuration = root && child(root, "configuration");
  if (!configuration) return { findings, ...(cib ? { cib } : {}) };
  const problems = await problemsOfAgents([...agentUses(configuration), ...bundleUses(configuration)], root);
  return {
    findings: [...findings, ...problems.map((problem): Finding => ({ ...problem, file }))],
    ...(cib ? { cib } : {}),
  };
}

async function verify(file: string | undefined): Promise<Verification> {
  const target = cibTarget();
  const source = file ?? (target.kind === "live" ? undefined : target.path);
  if (source !== undefined) {
    const name = source === "-" ? "standard input" : source;
    return withAgents(verifyText(readText(source), name, clock()), name);
  }
  return CibSession.with(async (session) => {
    const raw = await session.raw();
    const { hidden } = session;
    const { cib, ...checked } = verifyTree(raw, "", clock());
    const alerts = alertProblems(raw).map((problem): Finding => ({ ...problem, file: "" }));
    const all = { findings: [...checked.findings, ...alerts], ...(cib ? { cib } : {}) };
    const { findings } = await withAgents(all, "");
    if (hidden.length === 0) return { ...all, findings };
    return { ...all, findings: findings.filter((finding) => isEvident(finding, hidden)), hidden };
  }, target);
}

/** What the cluster would do follows from all of it. */
const isEvident = (finding: Finding, hidden: readonly string[]): boolean =>
  !mayBeHidden(finding, hidden) && finding.code !== "SCHEDULER" && finding.code !== "FENCING";

function countText(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  const errors = count("error");
  const warnings = count("warning");
  if (errors === 0 && warnings === 0) return colours.green("The configuration is valid.");
  const numbers = `${errors} error${errors === 1 ? "" : "s"}, ${warnings} warning${warnings === 1 ? "" : "s"}`;
  return errors > 0
    ? colours.red(`Not valid: ${numbers}.`)
    : colours.yellow(`Valid, but look at it: ${numbers}.`);
}

export default defineCommand({
  meta: {
    name: "verify",
    description: "Check a configuration: crm shell text or XML, or that of the running cluster.",
  },
  args: {
    file: {
      type: "positional",
      required: false,
      description: "the file; - is standard input [default: CIB_shadow, CIB_file, the running cluster]",
    },
  },
  run: async ({ args }) => {
    const found = await verify(args.file);
    // Of nodes whose state nobody has told it would only be said again that nothing is known.
    const findings = found.findings.filter(({ level, code }) => level !== "info" || code !== "FENCING");
    const { hidden = [] } = found;
    const wrong = findings.some(({ level }) => level === "error");
    const isKnown = wrong || hidden.length === 0;
    const partly = hidden.length > 0 && { hidden };
    if (wantsJson())
      printJson({ format: "hactl-verify/1", valid: isKnown ? !wrong : null, ...partly, findings });
    else {
      for (const finding of findings) print(colourOf(finding.level)(findingText(finding)));
      if (isKnown) print(countText(findings));
      else throw cannotJudge("whether the configuration is valid cannot be told", hidden);
    }
    return wrong ? CrmExit.CONFIG : isKnown ? CrmExit.OK : CrmExit.INSUFFICIENT_PRIV;
  },
});
