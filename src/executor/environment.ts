import { withoutInstance } from "../terms/index.ts";
import type { Operation } from "./face.ts";
import { EXIT_REASON_PREFIX } from "./output.ts";

/** Names that a shell can read; a parameter with another name cannot reach an agent through its environment. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * The environment of an OCF agent (OCF resource agent API 1.0 and 1.1, "Environment variables"): the version,
 * the instance, every parameter as OCF_RESKEY_name, meta attributes as OCF_RESKEY_CRM_meta_name with `-` turned
 * to `_`. OCF_CHECK_LEVEL alone has no prefix. `base` is what the daemon passes on to every agent.
 */
export function ocfEnvironment(
  operation: Pick<Operation, "rsc" | "action" | "params">,
  base: Readonly<Record<string, string>>,
  ocfRoot: string,
  featureSet: string,
): Record<string, string> {
  const { rsc, params } = operation;
  const env: Record<string, string> = {
    ...base,
    OCF_RA_VERSION_MAJOR: "1",
    OCF_RA_VERSION_MINOR: "1",
    OCF_ROOT: ocfRoot,
    OCF_RESOURCE_INSTANCE: instanceName(rsc.id, params),
    OCF_RESOURCE_TYPE: rsc.type,
    OCF_RESOURCE_PROVIDER: rsc.provider ?? "heartbeat",
    OCF_EXIT_REASON_PREFIX: EXIT_REASON_PREFIX,
    OCF_RESKEY_crm_feature_set: featureSet,
  };
  for (const [name, value] of Object.entries(params)) {
    if (!VARIABLE.test(name) || value.includes("\0")) continue;
    if (name === "OCF_CHECK_LEVEL") env.OCF_CHECK_LEVEL = value;
    else if (name.startsWith("CRM_meta_")) env[`OCF_RESKEY_${name.replaceAll("-", "_")}`] = value;
    else env[`OCF_RESKEY_${name}`] = value;
  }
  return env;
}

/** Only instances of a globally unique clone keep `:n`: the others are one and the same service to their agent. */
function instanceName(id: string, params: Readonly<Record<string, string>>): string {
  const unique = params["CRM_meta_globally-unique"] ?? params.CRM_meta_globally_unique;
  const isFalse = unique !== undefined && /^(?:false|no|off|n|0)$/i.test(unique);
  return isFalse ? withoutInstance(id) : id;
}
