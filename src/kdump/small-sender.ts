/**
 * A sender for crash kernels with little memory: bash and its /dev/udp are all it needs, and dracut's kdump image
 * has bash. Options and datagrams are those of fence_kdump_send(8); it cannot sign. The byte order is the machine's.
 */
export const smallSender = String.raw`#!/bin/bash
# fence_kdump_send of hactl, the small one: tells the nodes of the cluster that this one writes a crash dump.
# Usage: fence_kdump_send [-p PORT] [-f FAMILY] [-c COUNT] [-i SECONDS] [-v] NODE...
port=7410 count=0 interval=10 verbose=
while getopts p:f:c:i:vVh option; do
	case $option in
	p) port=$OPTARG ;;
	f) ;;
	c) count=$OPTARG ;;
	i) interval=$OPTARG ;;
	v) verbose=1 ;;
	V) echo "fence_kdump_send (hactl, small)"; exit 0 ;;
	h) sed -n 's/^# //p' "$0"; exit 0 ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))
case "$port$count$interval" in *[!0-9]*) echo "port, count and interval are whole numbers" >&2; exit 1 ;; esac
[ $# -gt 0 ] || { echo "no node is named" >&2; exit 1; }
# Two 32-bit words, magic number and version, in this machine's byte order.
case "$(uname -m)" in
s390*|ppc64|sparc*|mips|mips64) notice='\x1b\x30\x2a\x40\x00\x00\x00\x01' ;;
*) notice='\x40\x2a\x30\x1b\x01\x00\x00\x00' ;;
esac
round=0
while :; do
	for node in "$@"; do
		# In a shell of its own: a name that is not known or a network that is not there must not end this one.
		if (printf "$notice" >"/dev/udp/$node/$port") 2>/dev/null; then
			[ -z "$verbose" ] || echo "sent to $node port $port"
		else
			[ -z "$verbose" ] || echo "$node cannot be reached yet" >&2
		fi
	done
	round=$((round + 1))
	[ "$count" -gt 0 ] && [ "$round" -ge "$count" ] && break
	# Early notices first: the network may have come up only now.
	if [ "$count" -eq 0 ] && [ "$round" -lt 10 ] && [ "$interval" -eq 10 ]; then sleep 1; else sleep "$interval"; fi
done
exit 0
`;
