#!/bin/bash
# in-our-place.sh STAGE COMMAND…: runs COMMAND where hactl is what is installed instead of Pacemaker and corosync.
# STAGE holds what `make install DESTDIR=STAGE` put there. In a mount namespace of its own /usr/sbin has everything
# but Pacemaker's and corosync's programs, and hactl's names in their place; the folders of Pacemaker's daemons
# likewise. Agents, schemas and Debian's crm and pcs stay. Needs root; the machine outside sees nothing of it.
set -eu
export STAGE=$1
shift
# shellcheck disable=SC2016
exec unshare -m --propagation private bash -c '
set -eu
place=$STAGE/place
mkdir -p "$place"
mount -t tmpfs tmpfs "$place"
mkdir "$place/was" "$place/sbin"
mount --bind /usr/sbin "$place/was"
for file in "$place"/was/*; do
	name=${file##*/}
	case $name in
		crm) ;;
		crm_*|crmadmin|cibadmin|cibsecret|stonith_admin|attrd_updater|pacemaker*|corosync*|ha_logger|iso8601|fence_legacy|fence_watchdog)
			continue ;;
	esac
	ln -s "$file" "$place/sbin/$name"
done
for file in "$STAGE"/usr/sbin/*; do
	[ "${file##*/}" = crm ] || ln -sf "$STAGE/usr/sbin/hactl" "$place/sbin/${file##*/}"
done
mount --bind "$place/sbin" /usr/sbin
for folder in /usr/lib/pacemaker /usr/libexec/pacemaker; do
	[ ! -d "$folder" ] || mount --bind "$STAGE$folder" "$folder"
done
exec "$@"' in-our-place "$@"
