import {
  child,
  childrenOf,
  parseBoolean,
  parseIntervalMs,
  plainValues,
  unpackNvpairs,
  type XmlElement,
} from "../cib/index.ts";
import { type EpochSeconds, lookup, type Millis } from "../terms/index.ts";
import type { AlertKind } from "./face.ts";

const DEFAULT_TIMEOUT_MS: Millis = 30_000;
const DEFAULT_FORMAT = "%H:%M:%S.%06N";

/** An alert for one of its recipients, or for none. */
export interface Alert {
  readonly id: string;
  readonly path: string;
  readonly recipient: string | undefined;
  readonly kinds: ReadonlySet<AlertKind>;
  /** Names of the attributes that count; undefined: all. */
  readonly attributes: ReadonlySet<string> | undefined;
  readonly timeoutMs: Millis;
  readonly timestampFormat: string;
  /** Instance attributes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const selectors: Readonly<Record<string, AlertKind>> = lookup({
  select_nodes: "node",
  select_fencing: "fencing",
  select_resources: "resource",
  select_attributes: "attribute",
});
/** Attributes are told only to who asks for them. */
const usual: ReadonlySet<AlertKind> = new Set(["node", "fencing", "resource"]);

/**
 * The alerts that are in force: each for every recipient that is enabled, once when there is no recipient at all
 * (Pacemaker Explained, "Alerts"). What a recipient says counts before what its alert says.
 */
export function readAlerts(configuration: XmlElement | undefined, now: EpochSeconds): Alert[] {
  return childrenOf(child(configuration, "alerts"), "alert").flatMap((alert): Alert[] => {
    const meta = valuesOf([alert], "meta_attributes", now);
    const path = alert.attributes.get("path") ?? "";
    if (path === "" || !isEnabled(meta)) return [];
    const recipients = childrenOf(alert, "recipient");
    const chosen = { id: alert.attributes.get("id") ?? "", path, ...selection(child(alert, "select")) };
    if (recipients.length === 0) return [{ ...chosen, ...settings([alert], now), recipient: undefined }];
    return recipients
      .filter((recipient) => isEnabled(valuesOf([recipient], "meta_attributes", now)))
      .map((recipient) => ({
        ...chosen,
        ...settings([recipient, alert], now),
        recipient: recipient.attributes.get("value") ?? "",
      }));
  });
}

function settings(elements: readonly XmlElement[], now: EpochSeconds) {
  const meta = valuesOf(elements, "meta_attributes", now);
  const timeoutMs = parseIntervalMs(meta.get("timeout"));
  return {
    timeoutMs: timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : DEFAULT_TIMEOUT_MS,
    timestampFormat: meta.get("timestamp-format") ?? DEFAULT_FORMAT,
    parameters: valuesOf(elements, "instance_attributes", now),
  };
}

const valuesOf = (elements: readonly XmlElement[], block: string, now: EpochSeconds) =>
  plainValues(unpackNvpairs(elements, block, { now, looksAhead: false }));

/** As Pacemaker: what is set and does not mean yes means no. */
function isEnabled(meta: ReadonlyMap<string, string>): boolean {
  const value = meta.get("enabled");
  return value === undefined || parseBoolean(value) === true;
}

function selection(select: XmlElement | undefined) {
  const chosen = (select?.children ?? []).flatMap(({ name }) => selectors[name] ?? []);
  const names = childrenOf(select, "select_attributes").flatMap((item) =>
    childrenOf(item, "attribute").flatMap(({ attributes }) => attributes.get("name") ?? []),
  );
  return {
    kinds: chosen.length === 0 ? usual : new Set(chosen),
    attributes: names.length === 0 ? undefined : new Set(names),
  };
}
