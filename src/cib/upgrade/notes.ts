import type { XmlElement } from "../xml.ts";

/** Something that the upgrade dropped or reinterpreted, for people. */
export interface UpgradeNote {
  readonly level: "warning" | "info";
  readonly text: string;
  readonly id?: string;
  readonly line?: number;
}

/** Takes notes while an upgrade runs. */
export type Note = (level: UpgradeNote["level"], source: XmlElement, text: string) => void;
