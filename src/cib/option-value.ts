import { nearest, type OptionSpec } from "../terms/index.ts";
import { parseIntervalMs } from "./time.ts";
import { isExact, parseBoolean, parseInteger, parseScore } from "./values.ts";

/** Numbers beyond are no numbers of anything, and Pacemaker does not hold them. */
const largest = 2 ** 31 - 1;

/** What to write instead of a value that does not fit its option; `undefined` when it does. */
export function cureFor({ type, values, min, max }: OptionSpec, value: string): string | undefined {
  const inLimits = (number: number | undefined) =>
    number !== undefined && number >= (min ?? -largest) && number <= (max ?? largest);
  const limits =
    min === undefined ? "" : max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`;
  switch (type) {
    case "boolean":
      return parseBoolean(value) === undefined ? "write true or false" : undefined;
    case "integer":
      return isExact(value) && inLimits(parseInteger(value)) ? undefined : `write a whole number${limits}`;
    case "score":
      return isExact(value) && inLimits(parseScore(value))
        ? undefined
        : `write a whole number${limits} or INFINITY`;
    case "duration":
      return parseIntervalMs(value) === undefined &&
        !(isExact(value) && (parseInteger(value) ?? 0) >= (min ?? 0))
        ? "write a number with a unit, such as 10s or 1min"
        : undefined;
    case "percent":
      return /^\d+(\.\d+)?%?$/.test(value) ? undefined : "write a percentage, such as 80%";
    case "enum": {
      if (values === undefined || values.some((word) => word.toLowerCase() === value.toLowerCase()))
        return undefined;
      const near = nearest(value, values);
      return near === undefined ? `values are ${values.join(", ")}` : `did you mean "${near}"?`;
    }
    case "string":
    case "list":
    case "path":
      return undefined;
    default:
      return type satisfies never;
  }
}
