#!/bin/sh
# Alert agent of hactl: writes one line for each event into a file.
#
#   alert to_file /usr/share/hactl/alerts/alert_file.sh to /var/log/hactl/alerts.log
#
# recipient   the file; user hacluster has to be able to write it
# prefix      (instance attribute) words before each line
# cancelled   (instance attribute) "true": cancelled operations, too

set -u
recipient="${CRM_alert_recipient:-}"
if [ -z "${CRM_alert_version:-}" ]; then
	echo "${0##*/} is called by the cluster, with what happened in CRM_alert_*" >&2
	exit 0
fi
# The alert may get its recipient later.
[ -n "$recipient" ] || exit 0

node="${CRM_alert_node:-}"
desc="${CRM_alert_desc:-}"
case "${CRM_alert_kind:-}" in
node)
	text="node $node is ${desc}"
	;;
fencing)
	text="fencing: $desc"
	;;
resource)
	if [ "$desc" = Cancelled ] && [ "${cancelled:-}" != true ]; then exit 0; fi
	interval="${CRM_alert_interval:-0}"
	[ "$interval" = 0 ] && every="" || every=" every ${interval} ms"
	text="${CRM_alert_task:-?} of ${CRM_alert_rsc:-?}$every on $node: $desc"
	if [ "${CRM_alert_rc:-0}" != "${CRM_alert_target_rc:-0}" ]; then
		text="$text (rc ${CRM_alert_rc:-?}, expected ${CRM_alert_target_rc:-?})"
	fi
	;;
attribute)
	text="attribute ${CRM_alert_attribute_name:-?} of $node is now \"${CRM_alert_attribute_value:-}\""
	;;
*)
	text="event of a kind that is not known: ${CRM_alert_kind:-}"
	;;
esac
printf '%s%s %s\n' "${prefix:+$prefix }" "${CRM_alert_timestamp:-}" "$text" >>"$recipient"
