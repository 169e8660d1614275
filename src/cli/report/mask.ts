import { isSecretName, isSecretParameter, MASKED } from "../../terms/index.ts";

/** Which names have values that must not be shown: in the configuration of the cluster, and in other files. */
export interface SecretNames {
  readonly inCib: (name: string) => boolean;
  readonly inText: (name: string) => boolean;
}

/** Names that are known to be secret, and those that match one of the patterns from their beginning to their end. */
export function secretNames(patterns: readonly string[]): SecretNames {
  const own = patterns.map((pattern) => new RegExp(`^(?:${pattern})$`, "i"));
  const wanted = (name: string) => own.some((pattern) => pattern.test(name));
  return {
    // Parameters of agents have more such names than settings, where a token is one of the ring.
    inCib: (name) => isSecretParameter(name) || wanted(name),
    inText: (name) => isSecretName(name) || wanted(name),
  };
}

/**
 * Lines such as `name = value`, `* name : value`, `export NAME="value"`, words `name=value` and elements with `name="…"` and
 * `value="…"` without secrets.
 */
export function maskText(text: string, isSecret: SecretNames["inText"]): string {
  return text
    .split("\n")
    .map((line) => maskLine(line, isSecret))
    .join("\n");
}

function maskLine(line: string, isSecret: SecretNames["inText"]): string {
  const setting = /^(\s*(?:\*\s+|export\s+)?["']?([\w.-]+)["']?\s*[:=]\s*)\S.*$/.exec(line);
  if (setting?.[1] !== undefined && isSecret(setting[2] ?? "")) return `${setting[1]}${MASKED}`;
  const shown = line.replace(
    /(\bname="([^"]*)"[^<>]*?\bvalue=")[^"]*"/g,
    (whole, before: string, name: string) => (isSecret(name) ? `${before}${MASKED}"` : whole),
  );
  return shown.replace(/\b([\w.-]+)=("[^"]*"|'[^']*'|[^\s"'>]+)/g, (whole, name: string) =>
    isSecret(name) ? `${name}=${MASKED}` : whole,
  );
}
