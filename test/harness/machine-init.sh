#!/bin/sh
# The first process of a machine of machines.ts: DISK SHARED NAME. It makes what a boot makes, says "up", and lives until
# its standard input ends; the kernel ends everything else on the machine with it.
set -e
disk=$1 shared=$2
hostname "$3"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/resource-agents /run/disk /run/shared
mount --bind "$disk" /run/disk
mount --bind "$shared" /run/shared
mount --bind /run/shared/hosts /etc/hosts
# These are not of the namespaces: the load of the real machine, a boot of its own, and a way to reset the real machine.
echo "0.00 0.00 0.00 1/100 1" >/run/loadavg
mount --bind /run/loadavg /proc/loadavg
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
[ ! -e /proc/sysrq-trigger ] || mount --bind /dev/null /proc/sysrq-trigger
echo up
# A shell that waits for a child takes the orphans of the machine, too.
exec 2>/dev/null
cat >/dev/null
