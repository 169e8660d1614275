#!/bin/sh
# The first process of a "container": BOX HACTL PORT. It has its own /run, but the journal and the state files of the
# machine, by which the test sees what runs; then it becomes hactl remote.
set -e
box=$1 hactl=$2 port=$3
cp /run/disk/hactl.toml /run/disk/authkey /run/disk/remote-authkey "$box/disk/"
mkdir -p "$box/run/disk" "$box/run/shared" "$box/run/scene" "$box/run/resource-agents"
mount --bind "$box/disk" "$box/run/disk"
mount --bind /run/shared "$box/run/shared"
mount --bind /run/scene "$box/run/scene"
mount --rbind "$box/run" /run
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HACTL_CONFIG=/run/disk/hactl.toml "$hactl" remote --node '*' --port "$port"
