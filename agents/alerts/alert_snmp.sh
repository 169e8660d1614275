#!/bin/sh
# Alert agent of hactl: sends one SNMP trap for each event (snmptrap(1) of net-snmp), with the objects of Pacemaker's
# PACEMAKER-MIB, so that what watches a cluster today goes on watching.
#
#   alert by_trap /usr/share/hactl/alerts/alert_snmp.sh meta timestamp-format="%Y-%m-%d,%H:%M:%S.%01N" to 192.0.2.9
#
# recipient                 host that takes traps
# trap_version              (instance attributes) 2c or 3; default 2c
# trap_community            default public
# trap_options              further options of snmptrap, as for version 3
# trap_node_states          states that are sent, with commas; default all
# trap_fencing_tasks        fencing actions that are sent; default all
# trap_resource_tasks       operations that are sent; default all
# trap_monitor_success      true: also monitors that found what was expected; default false
# trap_binary               default snmptrap

set -u
if [ -z "${CRM_alert_version:-}" ]; then
	echo "${0##*/} is called by the cluster, with what happened in CRM_alert_*" >&2
	exit 0
fi
[ -n "${CRM_alert_recipient:-}" ] || exit 0

# Whether $2 is in the list $1.
listed() {
	[ "$1" = all ] && return 0
	case ",$(printf '%s' "$1" | tr -d ' ')," in
	*",$2,"*) return 0 ;;
	esac
	return 1
}

case "${CRM_alert_kind:-}" in
node) listed "${trap_node_states:-all}" "${CRM_alert_desc:-}" || exit 0 ;;
fencing) listed "${trap_fencing_tasks:-all}" "${CRM_alert_task:-}" || exit 0 ;;
resource)
	[ "${CRM_alert_desc:-}" = Cancelled ] && exit 0
	listed "${trap_resource_tasks:-all}" "${CRM_alert_task:-}" || exit 0
	if [ "${CRM_alert_task:-}" = monitor ] && [ "${CRM_alert_rc:-}" = "${CRM_alert_target_rc:-}" ] &&
		[ "${trap_monitor_success:-false}" != true ]; then
		exit 0
	fi
	;;
attribute) ;;
*) exit 0 ;;
esac

# ClusterLabs' number with the IANA: the objects, and the trap that carries them.
base=1.3.6.1.4.1.32723.1
trap=1.3.6.1.4.1.32723.2.1
none=2147483647
number() {
	case "$1" in
	'' | *[!0-9-]*) echo "$none" ;;
	*) echo "$1" ;;
	esac
}
# shellcheck disable=SC2086 # options are several words
exec "${trap_binary:-snmptrap}" -v "${trap_version:-2c}" ${trap_options:-} \
	-c "${trap_community:-public}" "$CRM_alert_recipient" "" "$trap" \
	"$base.1" s "${CRM_alert_node:-n/a}" \
	"$base.2" s "${CRM_alert_rsc:-n/a}" \
	"$base.3" s "${CRM_alert_task:-n/a}" \
	"$base.4" s "${CRM_alert_desc:-n/a}" \
	"$base.5" i "$(number "${CRM_alert_status:-}")" \
	"$base.6" i "$(number "${CRM_alert_rc:-}")" \
	"$base.7" i "$(number "${CRM_alert_target_rc:-}")" \
	"$base.8" s "${CRM_alert_attribute_name:-n/a}" \
	"$base.9" s "${CRM_alert_attribute_value:-n/a}"
