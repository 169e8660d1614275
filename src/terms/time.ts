/** A duration or a point on the monotonic clock, in milliseconds. */
export type Millis = number;
/** Wall-clock time in seconds since 1970-01-01 UTC. Only for people and for rules. */
export type EpochSeconds = number;
