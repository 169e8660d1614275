import type { Command, ProcessOutcome } from "../executor/index.ts";
import type { SecretStore } from "../platform/index.ts";
import { secretReference, withoutSecretValues } from "../terms/index.ts";

type Values = Readonly<Record<string, string>>;

/** Values with the secrets in place that they refer to, and why some of them are not known. */
export interface Revealed {
  readonly values: Values;
  readonly problems: readonly string[];
}

/** Puts a resource's secrets in the place of `lrm://`. What is not known stays as it is. */
export function reveal(values: Values, rsc: string, store: SecretStore): Revealed {
  const referring = Object.keys(values).filter((name) => values[name] === secretReference);
  if (referring.length === 0) return { values, problems: [] };
  const found = new Map(Object.entries(values));
  const problems: string[] = [];
  for (const name of referring) {
    const { value, problem } = store.read(rsc, name);
    if (problem === undefined) found.set(name, value);
    else problems.push(problem);
  }
  return { values: Object.fromEntries(found), problems };
}

const prefix = "OCF_RESKEY_";

/** What an agent has said, without the secrets that it was given in its environment. */
export function withoutSecretsOf(env: Values, outcome: ProcessOutcome): ProcessOutcome {
  if (outcome.kind !== "exited" && outcome.kind !== "signalled") return outcome;
  const given = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name.startsWith(prefix) ? name.slice(prefix.length) : "",
      value,
    ]),
  );
  const stdout = withoutSecretValues(outcome.stdout, given);
  return { ...outcome, stdout, stderr: withoutSecretValues(outcome.stderr, given) };
}

/** The same for a command's environment: only the agent's parameters, not what the cluster says of them. */
export function revealEnvironment(command: Command, store: SecretStore): Revealed {
  const { env, secrets } = command;
  if (!secrets) return { values: env, problems: [] };
  const parameters = Object.entries(env)
    .filter(([name]) => name.startsWith(prefix) && !name.startsWith(`${prefix}CRM_meta_`))
    .map(([name, value]) => [name.slice(prefix.length), value] as const);
  const { values, problems } = reveal(Object.fromEntries(parameters), secrets.rsc, store);
  const named = Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value] as const);
  return { values: { ...env, ...Object.fromEntries(named) }, problems };
}
