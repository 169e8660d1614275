#!/bin/sh
# Alert agent of hactl: sends one mail for each event through the machine's own mailer (sendmail(8)).
#
#   alert by_mail /usr/share/hactl/alerts/alert_smtp.sh attributes email_sender=cluster@example.com to admin@example.com
#
# recipient       mail address, or several with commas
# email_sender    (instance attribute) sender; default hacluster
# email_client    (instance attribute) mailer; it is called as: MAILER -i -f SENDER RECIPIENT…
#                 default: the first of /usr/sbin/sendmail, /usr/lib/sendmail
# node_name       (instance attribute) name of the cluster in the subject

set -u
recipient="${CRM_alert_recipient:-}"
if [ -z "${CRM_alert_version:-}" ]; then
	echo "${0##*/} is called by the cluster, with what happened in CRM_alert_*" >&2
	exit 0
fi
[ -n "$recipient" ] || exit 0

mailer="${email_client:-}"
if [ -z "$mailer" ]; then
	for found in /usr/sbin/sendmail /usr/lib/sendmail; do
		if [ -x "$found" ]; then
			mailer=$found
			break
		fi
	done
fi
if [ -z "$mailer" ]; then
	echo "no mailer: install one that brings sendmail, or set email_client" >&2
	exit 5
fi
sender="${email_sender:-hacluster}"

node="${CRM_alert_node:-}"
desc="${CRM_alert_desc:-}"
case "${CRM_alert_kind:-}" in
node) subject="node $node is $desc" ;;
fencing) subject="fencing: $desc" ;;
resource)
	[ "$desc" = Cancelled ] && exit 0
	subject="${CRM_alert_task:-?} of ${CRM_alert_rsc:-?} on $node: $desc"
	;;
attribute) subject="attribute ${CRM_alert_attribute_name:-?} of $node: ${CRM_alert_attribute_value:-}" ;;
*) subject="event of kind ${CRM_alert_kind:-}" ;;
esac

# A line break in what happened must not begin another header.
plain() { printf '%s' "$1" | tr '\r\n' '  '; }

words=$(printf '%s' "$recipient" | tr ',' ' ')
{
	printf 'From: %s\n' "$(plain "$sender")"
	printf 'To: %s\n' "$(plain "$recipient")"
	printf 'Subject: [%s] %s\n' "$(plain "${node_name:-hactl}")" "$(plain "$subject")"
	printf 'Content-Type: text/plain; charset=utf-8\n\n'
	printf '%s\n\n' "$subject"
	env | grep '^CRM_alert_' | sort
} | {
	# shellcheck disable=SC2086 # one word for each recipient
	"$mailer" -i -f "$sender" $words
}
