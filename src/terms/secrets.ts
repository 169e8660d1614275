/** What stands in the CIB for a parameter whose value is kept in a file on each node (cibsecret(8)). */
export const secretReference = "lrm://";

/** What is shown in the place of a value that must not be seen. */
export const MASKED = "********";

/**
 * What an agent has said, without the values of its secret parameters: some repeat what they were given, and what they say is
 * logged, kept and shown.
 */
export function withoutSecretValues(text: string, params: Readonly<Record<string, string>>): string {
  let said = text;
  // The longest first: one may be the beginning of another.
  const longest = Object.entries(params).sort(([, one], [, other]) => other.length - one.length);
  for (const [name, value] of longest) {
    const isPath = name.endsWith("_script");
    if (value === "" || value === secretReference || isPath || !isSecretParameter(name)) continue;
    // A short one may be a part of any word.
    const found = [...new Set(spellings(value))].map((one) => RegExp.escape(one)).join("|");
    const pattern = value.length < 4 ? `(?<![\\w-])(?:${found})(?![\\w-])` : found;
    said = said.replaceAll(new RegExp(pattern, "g"), MASKED);
  }
  return said;
}

/** As programs repeat a value: as it is, or as it stands in a URL, in JSON, in XML or in a word of the shell. */
const spellings = (value: string): string[] =>
  [
    value,
    encodeURI(value.toWellFormed()),
    encodeURIComponent(value.toWellFormed()),
    JSON.stringify(value).slice(1, -1),
    value.replace(/[&<>]/g, (mark) => `&${{ "&": "amp", "<": "lt", ">": "gt" }[mark]};`),
    value.replace(
      /[&<>"']/g,
      (mark) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" }[mark]};`,
    ),
    value.replaceAll("'", "'\\''"),
    value.replace(/[^\w@%+=:,./-]/g, "\\$&"),
    Buffer.from(value).toString("base64"),
  ].sort((one, other) => other.length - one.length);

const secretSetting = /pass(?:wd|word|phrase)?$|^pass|secret|token_?key|private_?key|authkey|credential/i;
/** Whether the name of a setting, or of a field in the log, says that its value must not be shown. */
export const isSecretName = (name: string): boolean => secretSetting.test(name);

const secretParameter = /passw|passphrase|token|api_?key|community|private|(?:^|_)(?:pwd|pw|psk|kg)$/i;
/** The same for the parameters of agents, which have more such names. */
export const isSecretParameter = (name: string): boolean => secretParameter.test(name) || isSecretName(name);
