import { element, parseIntervalMs } from "../../cib/index.ts";
import { configFile } from "../../config/index.ts";
import type { AgentResource, Operation } from "../../executor/index.ts";
import { CrmExit, exitMessage, HactlError, OcfExit, OpStatus, resourceId } from "../../terms/index.ts";
import { commandElement } from "../answer/index.ts";
import { placesOf } from "../places.ts";
import { statusText } from "../render/exit-texts.ts";
import { idOf, primitivesIn, resourceNamed } from "../resources.ts";
import { requireLive } from "../target.ts";
import { usage } from "./connection.ts";
import { type ForcedCommand, forced, type ResourceCall, requiredResource } from "./crm_resource-call.ts";
import { effectiveValues } from "./crm_resource-parameter.ts";

const DEFAULT_TIMEOUT = "20s";

/**
 * Runs an action of a resource's agent on this node past the cluster (crm_resource(8), `--force-start` and the like,
 * `--validate`). @returns the agent's exit code
 */
export async function runByHand(command: ForcedCommand, call: ResourceCall): Promise<number> {
  const { given, session } = call;
  const found = resourceNamed(await session.configuration(), requiredResource(call));
  const [xml, ...others] = primitivesIn(found.xml);
  if (!xml || others.length > 0) {
    const members = primitivesIn(found.xml).map(idOf).join(", ");
    throw usage("crm_resource", `--${command} is for one primitive, name one of ${members}`);
  }
  const action = forced[command];
  // Looking does no harm; what starts or stops something does it on this host, whatever file is meant.
  if (action !== "monitor" && action !== "validate-all")
    requireLive(`running an agent's ${action}`, session.target);
  const local = { name: await session.localNode() };
  if (!given.has("force")) await refuseSecond(action, idOf(xml), local.name, call);
  const text = (name: string) => xml.attributes.get(name);
  const provider = text("provider");
  const rsc: AgentResource = {
    id: resourceId(idOf(xml)),
    class: text("class") as AgentResource["class"],
    type: text("type") ?? "",
    ...(provider === undefined ? {} : { provider }),
  };
  const set = xml.children
    .filter(({ name }) => name === "operations")
    .flatMap(({ children }) => children)
    .find(({ attributes }) => attributes.get("name") === action);
  const timeout = given.value("timeout") ?? set?.attributes.get("timeout") ?? DEFAULT_TIMEOUT;
  const timeoutMs = parseIntervalMs(timeout);
  if (timeoutMs === undefined) throw usage("crm_resource", `"${timeout}" is not a time`);
  const parameters = await effectiveValues(session, "instance_attributes", idOf(xml));
  const operation: Operation = {
    callId: 1,
    rsc,
    action,
    intervalMs: 0,
    timeoutMs,
    startDelayMs: 0,
    params: {
      ...Object.fromEntries(parameters),
      CRM_meta_name: action,
      CRM_meta_timeout: String(timeoutMs),
      CRM_meta_on_node: local.name,
    },
    transitionKey: "",
  };
  const { runAgentByHand } = await import("../../daemon/index.ts");
  const result = await runAgentByHand({ configPath: configFile(), node: local.name }, operation);
  const { rc, status, exitReason, stdout } = result;
  const agent = [rsc.class, rsc.provider, rsc.type].filter((part) => part !== undefined).join(":");
  const meaning = status === OpStatus.TIMEOUT ? "Timed out" : exitMessage(rc);
  const because = exitReason === "" ? "" : `: ${exitReason}`;
  const verdict = `${action} of ${rsc.id} (${agent}) on ${local.name} returned ${rc} (${meaning})${because}`;
  call.answer.say({
    text: () => (given.has("verbose") && stdout !== "" ? `${stdout.trimEnd()}\n${verdict}` : verdict),
    xml: () => [
      element("resource-agent-action", { action, class: rsc.class, type: rsc.type, rsc: rsc.id, provider }, [
        element("agent-status", {
          code: rc,
          message: exitMessage(rc),
          execution_code: status,
          execution_message: statusText(status),
          reason: exitReason === "" ? undefined : exitReason,
        }),
        ...(stdout === "" ? [] : [commandElement(rc, { stdout })]),
      ]),
    ],
  });
  return status === OpStatus.TIMEOUT && rc === OcfExit.OK ? CrmExit.TIMEOUT : rc;
}

/** Starting by hand what runs somewhere may destroy its data. */
async function refuseSecond(action: string, id: string, local: string, call: ResourceCall): Promise<void> {
  if (action !== "start" && action !== "promote") return;
  const places = placesOf(await call.session.cib(), id, Math.floor(Date.now() / 1000));
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
