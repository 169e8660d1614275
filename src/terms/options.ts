/** Kind of an option's value. `duration` values have a unit; `unit` of the spec names the one for bare numbers. */
export type OptionType =
  | "string"
  | "integer"
  | "boolean"
  | "duration"
  | "percent"
  | "enum"
  | "score"
  | "list"
  | "path";

/**
 * One row of an option table (DESIGN.md, "One table per option"): parser, checks, defaults, `--help`, manual
 * pages and `hactl explain option` all come from it.
 */
export interface OptionSpec {
  readonly name: string;
  /** Older or other programs' names that mean the same. */
  readonly aliases?: readonly string[];
  readonly type: OptionType;
  /** Unit of a bare number: `ms`, `s`, `bytes`, `%`, … */
  readonly unit?: string;
  /** Default as one would write it; absent when there is none or when it is computed (say so in `description`). */
  readonly default?: string;
  readonly values?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Few need it; lists show it apart. */
  readonly advanced?: boolean;
  /** Kept for old configurations; lists show it last. */
  readonly deprecated?: boolean;
  /** The cluster sets it itself. */
  readonly generated?: boolean;
  /** Whether `hactl reload` applies a change without a restart. */
  readonly reload?: boolean;
  /** Accepted, since other programs' configurations have it, but without effect: why. Whoever sets it is told. */
  readonly unused?: string;
  /** The same for single values. */
  readonly unusedValues?: Readonly<Record<string, string>>;
  /** One line for people. */
  readonly description: string;
}
