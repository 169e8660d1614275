# Sourced by the agents: how they write what they do. One line an event, in one file of all nodes, so that its order is
# the order in which things happened: uptime of the machine, node, resource, action, "begin" or the exit code.

journal() { # RESOURCE ACTION WHAT
	read -r up rest </proc/uptime
	read -r node </proc/sys/kernel/hostname
	echo "$up $node $1 $2 $3" >>/run/shared/journal
}

# Runs "do_ACTION" and writes its begin and its end. Monitors and questions leave no trace.
journalled() { # RESOURCE ACTION
	case $2 in
	monitor | status | meta-data | validate-all | notify) "do_$2" ;;
	*)
		journal "$1" "$2" begin
		# A resource that takes its time: half of it before anything is done.
		[ -z "$OCF_RESKEY_slow" ] || sleep "$OCF_RESKEY_slow"
		"do_$2"
		rc=$?
		[ -z "$OCF_RESKEY_slow" ] || sleep "$OCF_RESKEY_slow"
		journal "$1" "$2" $rc
		return $rc
		;;
	esac
}
