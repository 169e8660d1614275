#!/bin/sh
# One host of hosts.ts: DIRECTORY NAME NAMESPACE. The first process of its namespaces; it boots the host, again whenever the
# host reboots, and lives until the host has powered itself off or its standard input ends. The kernel ends and unmounts all with it.
set -e
directory=$1 name=$2 namespace=$3
root=$directory/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" "$root"
# A control group of its own, of the second version as on today's systems, whatever the machine itself has.
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$namespace"
echo $$ >"/sys/fs/cgroup/$namespace/cgroup.procs"
boot() {
	# 133: it reboots.
	code=133
	while [ "$code" = 133 ]; do
		code=0
		systemd-nspawn -q --register=no --keep-unit -D "$root" -M "$name" --capability=all --boot --link-journal=no \
			--resolv-conf=off --timezone=off --console=pipe --network-namespace-path="/run/netns/$namespace" \
			</dev/null || code=$?
	done
	kill -s TERM $$
}
# A first process hears only the signals that it has asked for.
trap 'exit 0' TERM
exec 3<&0
boot >>"$directory/console" 2>&1 &
# Its namespaces are made; whether the host is up, it tells itself.
echo made
cat <&3 >/dev/null &
wait $!
