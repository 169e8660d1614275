/**
 * Addresses of a bundle's replicas from the first on: the last number of an address runs to 254, then the one before it
 * goes up. Those that there are none for are undefined; what is no address of IPv4 has no successors.
 */
export function replicaAddresses(first: string | undefined, count: number): (string | undefined)[] {
  const result: (string | undefined)[] = [];
  let octets = first?.split(".").map(Number);
  for (let index = 0; index < count; index++) {
    if (octets?.length !== 4 || octets.some((octet) => !Number.isInteger(octet))) octets = undefined;
    result.push(index === 0 ? first : octets?.join("."));
    if (!octets) continue;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    octets = c > 253 ? undefined : d > 253 ? [a, b, c + 1, 1] : [a, b, c, d + 1];
  }
  return result;
}
