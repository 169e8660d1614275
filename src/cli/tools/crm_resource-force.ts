import { hostname } from "node:os";
import { element, parseIntervalMs } from "../../cib/index.ts";
import { configFile } from "../../config/index.ts";
import type { ByHandResult } from "../../daemon/index.ts";
import type { AgentResource, Operation } from "../../executor/index.ts";
import {
  agentName,
  CrmExit,
  exitMessage,
  HactlError,
  OcfExit,
  OpStatus,
  resourceId,
} from "../../terms/index.ts";
import { commandElement } from "../answer/index.ts";
import { placesOf } from "../places.ts";
import { statusText } from "../render/exit-texts.ts";
import { idOf, primitivesIn, resourceNamed } from "../resources.ts";
import { requireLive } from "../target.ts";
import { usage } from "./connection.ts";
import { type ForcedCommand, forced, type ResourceCall, requiredResource } from "./crm_resource-call.ts";
import { cibWithState } from "./crm_resource-cluster.ts";
import { overridesOf } from "./crm_resource-digests.ts";
import { effectiveValues } from "./crm_resource-parameter.ts";
import type { ParsedWords } from "./getopt.ts";

const DEFAULT_TIMEOUT = "20s";

/**
 * Runs an action of a resource's agent on this node past the cluster (crm_resource(8), `--force-start` and the like,
 * `--validate`). @returns the agent's exit code
 */
export async function runByHand(command: ForcedCommand, call: ResourceCall): Promise<number> {
  const { given, session } = call;
  const action = forced[command];
  // Looking does no harm; what starts or stops something does it on this host, whatever file is meant.
  const looks = action === "monitor" || action === "validate-all";
  if (!looks) requireLive(`running an agent's ${action}`, session.target);
  const { level, words } = levelAndWords(command, given);
  if (!/^\d*$/.test(level))
    throw usage("crm_resource", `"${level}" is not a check level: it is a whole number`);
  const subject =
    given.has("agent") || given.has("class")
      ? namedAgent(call, words)
      : await resourceOf(command, call, words);
  const { rsc } = subject;
  const local = subject.id === undefined ? hostname() : await session.localNode();
  if (subject.id !== undefined && !given.has("force")) await refuseSecond(action, subject.id, local, call);
  const timeout = given.value("timeout") ?? subject.timeout ?? DEFAULT_TIMEOUT;
  const timeoutMs = parseIntervalMs(timeout);
  if (timeoutMs === undefined) throw usage("crm_resource", `"${timeout}" is not a time`);
  const operation: Operation = {
    callId: 1,
    rsc,
    action,
    intervalMs: 0,
    timeoutMs,
    startDelayMs: 0,
    params: {
      ...Object.fromEntries(subject.parameters),
      ...(level === "" ? {} : { OCF_CHECK_LEVEL: level }),
      CRM_meta_name: action,
      CRM_meta_timeout: String(timeoutMs),
      CRM_meta_on_node: local,
    },
    transitionKey: "",
  };
  const { runAgentByHand } = await import("../../daemon/index.ts");
  const place = { configPath: configFile(), node: local, anywhere: looks };
  const verbosity = given.count("verbose");
  const talk = { debug: verbosity > 0, trace: verbosity > 1 };
  return report(command, subject, await runAgentByHand(place, operation, talk), call);
}

/** What an agent is run for. */
interface Subject {
  /** Id of the resource; none where only an agent is named. */
  readonly id?: string;
  readonly rsc: AgentResource;
  readonly parameters: ReadonlyMap<string, string>;
  /** Words that count in place of the configuration. */
  readonly overrides: ReadonlyMap<string, string>;
  readonly timeout?: string;
}

/** A word behind the command that gives a parameter is no level of the check. */
function levelAndWords(command: ForcedCommand, given: ParsedWords) {
  const level = given.value(command) ?? "";
  return level.includes("=") ? { level: "", words: [level, ...given.words] } : { level, words: given.words };
}

async function resourceOf(
  command: ForcedCommand,
  call: ResourceCall,
  words: readonly string[],
): Promise<Subject> {
  const { session } = call;
  const found = resourceNamed(await session.configuration(), requiredResource(call));
  const [xml, ...others] = primitivesIn(found.xml);
  if (!xml || others.length > 0) {
    const members = primitivesIn(found.xml).map(idOf).join(", ");
    throw usage("crm_resource", `--${command} is for one primitive, name one of ${members}`);
  }
  const text = (name: string) => xml.attributes.get(name);
  const provider = text("provider");
  const set = xml.children
    .filter(({ name }) => name === "operations")
    .flatMap(({ children }) => children)
    .find(({ attributes }) => attributes.get("name") === forced[command]);
  const timeout = set?.attributes.get("timeout");
  const overrides = overridesOf(words);
  return {
    id: idOf(xml),
    rsc: {
      id: resourceId(idOf(xml)),
      class: text("class") as AgentResource["class"],
      type: text("type") ?? "",
      ...(provider === undefined ? {} : { provider }),
    },
    parameters: new Map([
      ...(await effectiveValues(session, "instance_attributes", idOf(xml))),
      ...overrides,
    ]),
    overrides,
    ...(timeout === undefined ? {} : { timeout }),
  };
}

/** An agent alone, with the parameters that are given to it or stand in the environment as agents get them. */
function namedAgent({ given }: ResourceCall, words: readonly string[]): Subject {
  const type = given.value("agent");
  const standard = given.value("class");
  const provider = given.value("provider");
  if (type === undefined || standard === undefined)
    throw usage("crm_resource", "--class and --agent belong together");
  if (standard === "ocf" && provider === undefined)
    throw usage("crm_resource", "an OCF agent needs a --provider");
  if (standard !== "ocf" && provider !== undefined)
    throw usage("crm_resource", `agents of the class ${standard} have no --provider`);
  const overrides = overridesOf(words);
  const around = Object.entries(process.env).flatMap(([name, value]) => {
    const own = /^OCF_RESKEY_(?!CRM_meta_)(.+)$/.exec(name)?.[1];
    return own === undefined || value === undefined ? [] : [[own, value] as const];
  });
  return {
    rsc: {
      id: resourceId("test"),
      class: standard as AgentResource["class"],
      type,
      ...(provider === undefined ? {} : { provider }),
    },
    parameters: new Map([...around, ...overridesOf(given.values("option")), ...overrides]),
    overrides,
  };
}

/** The agent's verdict, and all that it has said itself: that tells what the verdict does not. */
function report(
  command: ForcedCommand,
  { id, rsc, overrides }: Subject,
  { rc, status, exitReason, stdout, stderr }: ByHandResult,
  { answer }: ResourceCall,
): number {
  const which = `Operation ${command}${id === undefined ? "" : ` for ${id}`} (${agentName(rsc)})`;
  const because = exitReason === "" ? "" : `: ${exitReason}`;
  const beforeId = id === undefined ? "" : ` for '${id}'`;
  answer.say({
    text: () =>
      linesOf(
        [...overrides].map(
          ([name, value]) => `Overriding the cluster configuration${beforeId} with '${name}' = '${value}'`,
        ),
      ),
    xml: () => [
      element(
        "resource-agent-action",
        { action: command, class: rsc.class, type: rsc.type, rsc: id, provider: rsc.provider },
        [
          overridesElement(id, overrides),
          element("agent-status", {
            code: rc,
            message: exitMessage(rc),
            execution_code: status,
            execution_message: statusText(status),
            reason: exitReason === "" ? undefined : exitReason,
          }),
          ...(stdout === "" && stderr === "" ? [] : [commandElement(rc, { stdout, stderr })]),
        ],
      ),
    ],
  });
  if (status === OpStatus.DONE) {
    const text = `${which} returned ${rc} (${exitMessage(rc)}${because})`;
    answer.say({ text: ({ quiet }) => (quiet ? undefined : text) });
  } else if (answer.format !== "xml")
    answer.error(`crm_resource: ${which} could not be executed (${statusText(status)}${because})`);
  // An empty line behind each, as programs that take it apart are used to.
  answer.say({ text: () => linesOf([stdout, stderr].filter((said) => said !== "")) });
  const exit = status === OpStatus.TIMEOUT && rc === OcfExit.OK ? CrmExit.TIMEOUT : rc;
  if (exit !== CrmExit.OK) answer.error(`crm_resource: Error performing operation: ${exitMessage(exit)}`);
  return exit;
}

const linesOf = (texts: readonly string[]) =>
  texts.length === 0 ? undefined : texts.map((text) => `${text}\n`).join("");

const overridesElement = (rsc: string | undefined, overrides: ReadonlyMap<string, string>) =>
  element(
    "overrides",
    {},
    [...overrides].map(([name, value]) => element("override", { rsc, name, value })),
  );

/** Starting by hand what runs somewhere may destroy its data. */
async function refuseSecond(action: string, id: string, local: string, call: ResourceCall): Promise<void> {
  if (action !== "start" && action !== "promote") return;
  const cib = await cibWithState(call, `whether ${id} is active elsewhere cannot be told`);
  const places = placesOf(cib, id, Math.floor(Date.now() / 1000));
  const elsewhere = places.filter(({ node, role }) =>
    action === "promote" ? role === "Promoted" && node !== local : node !== local,
  );
  if (elsewhere.length === 0) return;
  throw new HactlError({
    code: "UNSAFE",
    what: `${id} is active on ${elsewhere.map(({ node }) => node).join(", ")}: a second ${action} could destroy its data`,
    cure: "stop it first (target-role=Stopped), or say --force when you know better",
    exit: CrmExit.UNSAFE,
  });
}
