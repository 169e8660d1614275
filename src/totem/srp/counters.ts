/** What the protocol has counted since it started, for `hactl ring status`. */
export interface Counters {
  /** Datagrams that were no protocol data unit, or came from a node that is not configured. */
  malformed: number;
  unlisted: number;
  /** Messages and tokens of another ring, or seen before. */
  foreign: number;
  duplicates: number;
  duplicateTokens: number;
  /** Membership messages that came after a pause of this process, or that were out of date. */
  distrusted: number;
  staleJoins: number;
  tokens: number;
  messagesSent: number;
  messagesReceived: number;
  retransmitted: number;
  requested: number;
  tokenRetransmits: number;
  tokenLosses: number;
  tokenWarnings: number;
  gathers: number;
  consensusTimeouts: number;
  rings: number;
  recovered: number;
  failedToReceive: number;
  pauses: number;
  holds: number;
  holdCancels: number;
  sent: number;
  delivered: number;
  refused: number;
  /** Membership messages of nodes with another configuration. */
  strangers: number;
  lostInRecovery: number;
}

export function newCounters(): Counters {
  return {
    malformed: 0,
    unlisted: 0,
    foreign: 0,
    duplicates: 0,
    duplicateTokens: 0,
    distrusted: 0,
    staleJoins: 0,
    tokens: 0,
    messagesSent: 0,
    messagesReceived: 0,
    retransmitted: 0,
    requested: 0,
    tokenRetransmits: 0,
    tokenLosses: 0,
    tokenWarnings: 0,
    gathers: 0,
    consensusTimeouts: 0,
    rings: 0,
    recovered: 0,
    failedToReceive: 0,
    pauses: 0,
    holds: 0,
    holdCancels: 0,
    sent: 0,
    delivered: 0,
    refused: 0,
    strangers: 0,
    lostInRecovery: 0,
  };
}
