/** The cluster's brain: join, leader, execution of transitions, the status section. */
export type * from "./status-input.ts";
