import type { OptionSpec } from "../terms/index.ts";

/** A row of the table of hactl.toml. */
export interface ConfigOption extends OptionSpec {
  /** Value that the documented sample shows behind the name, as TOML; default: the option's default. */
  readonly example?: string;
  /** Further lines for the reference: how it is computed, what to consider. */
  readonly detail?: string;
}

/** One table of hactl.toml. */
export interface ConfigTable {
  /** As in TOML's header, without brackets: `totem`, `totem.interface`. */
  readonly path: string;
  /** `[[path]]`: may come several times. */
  readonly repeated?: boolean;
  readonly title: string;
  readonly description: string;
  readonly options: readonly ConfigOption[];
}

/** Value of an option after parsing: durations in milliseconds, booleans as such. */
export type OptionValue = string | number | boolean | readonly string[];

/** Type of the value of one row. */
type ValueOf<Row> = Row extends { readonly type: "boolean" }
  ? boolean
  : Row extends { readonly type: "integer" | "duration" | "percent" }
    ? number
    : Row extends { readonly type: "list" }
      ? readonly string[]
      : Row extends { readonly type: "enum"; readonly values: readonly (infer Word)[] }
        ? Word
        : string;

type RowNamed<Rows extends readonly { readonly name: string }[], Name> = Extract<
  Rows[number],
  { readonly name: Name }
>;

/** Values of a table by the names of its rows: always there where the row has a default. */
export type Values<Rows extends readonly { readonly name: string }[]> = {
  readonly [Name in Rows[number]["name"]]: RowNamed<Rows, Name> extends { readonly default: string }
    ? ValueOf<RowNamed<Rows, Name>>
    : ValueOf<RowNamed<Rows, Name>> | undefined;
};
