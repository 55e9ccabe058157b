# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by run-kapi and run-emulated: runs the VM in which the kernel is expected to warn about a
# driver that does not let go of memory. The scripts set
#   kernel    the kernel directory
#   work      a directory for files
#   boot      boot OPTION... -- COMMAND...: runs a VM

# are_the_warnings COMMAND STATUS FUNCTION...: did a run with COMMAND fail only because of exactly
# one warning in each function? init prints only the first bad line of the log and the reasons of a
# taint. The console has all lines.
are_the_warnings() {
	local command=$1 status=$2 function said
	shift 2

	# shellcheck disable=SC2154  # see above
	said=$(sed -n 's/^# verdict: failed: //p' "$work/output")

	for function; do
		[ "$(grep -c "WARNING: .* $function+" "$work/console")" = 1 ] || return
	done
	[ "$status" = 1 ] &&
		[ "$(grep -c 'cut here' "$work/console")" = $# ] &&
		[[ $said == "in: $command the kernel said: "*"[ cut here ]------------; the kernel was tainted in: $command (512)" ]]
}

# boot_warned COMMAND FUNCTION...: runs the VM. The kernel is expected to warn once in each
# function, and so the run to fail.
boot_warned() {
	local status=0 result=ok name=driver_that_keeps_its_pins_is_warned_of_once_in_each_place

	[ $# -ge 2 ] || {
		echo "boot_warned: no function was named" >&2
		return 2
	}
	boot --console "$work/console" -- "$1" >"$work/output" 2>"$work/errors" || status=$?
	grep -v '^# verdict: \|^# FAILED: ' "$work/output" || true
	# shellcheck disable=SC2154  # see above
	if [ "$status" = 0 ] && ! grep -q '^CONFIG_BUG=y$' "$kernel/config"; then
		name+=' # SKIP this kernel cannot warn: it has no CONFIG_BUG'
	elif ! are_the_warnings "$1" "$status" "${@:2}"; then
		result='not ok'
		cat "$work/output" "$work/errors" >&2
	fi
	printf '1..1\n%s 1 - %s\n' "$result" "$name"
	[ "$result" = ok ]
}
