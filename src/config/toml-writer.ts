import type { ConfigOption, OptionValue } from "./option.ts";

/** A value as TOML, with the duration in the unit that the option counts in. */
export function tomlValue(option: ConfigOption, value: OptionValue): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (option.type === "duration" && option.unit === "s") {
      return value % 1000 === 0 ? String(value / 1000) : JSON.stringify(`${value}ms`);
    }
    return String(value);
  }
  if (typeof value === "string") return tomlText(value);
  return option.default?.includes(":") || option.name.endsWith("_path")
    ? tomlText(value.join(":"))
    : `[${value.map((item) => (/^\d+$/.test(item) ? item : tomlText(item))).join(", ")}]`;
}

/** A text as a basic string of TOML: JSON escapes all that TOML wants escaped, except DEL. */
export const tomlText = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007f");
