/** The name of an agent as people write it: `ocf:heartbeat:IPaddr2`, `lsb:cron`. */
export const agentName = (agent: {
  readonly class: string;
  readonly provider?: string | undefined;
  readonly type: string;
}): string => [agent.class, ...(agent.provider === undefined ? [] : [agent.provider]), agent.type].join(":");
