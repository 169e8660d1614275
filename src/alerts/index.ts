/** Alerts: which agents are told of what happens, and with which words. */
export { type AlertEffect, Alerts } from "./alerts.ts";
export { type Alert, readAlerts } from "./configuration.ts";
export type { AlertEvent, AlertKind, AlertOutcome, AlertRun, AlertTime } from "./face.ts";
