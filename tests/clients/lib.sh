# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the scripts of the clients, which run in the VM on the host's files: the backend
# that is to serve, TAP, and the facts, which the script "same" compares between backends.
#
#   $backend   ioas or type1
#   $programs  the root of the packages that scripts/fetch-clients has unpacked
#   $work      a directory for this client and backend; all that is in $work/facts is compared
set -euo pipefail

backend=$1
programs=/mnt
clients=/tmp/clients
client=$(basename "$0")
work=$clients/$client.$backend
ntests=0
nfailed=0

mkdir -p "$work/facts"
mountpoint -q $programs ||
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose clients $programs
export LD_LIBRARY_PATH=$programs/usr/lib/x86_64-linux-gnu PATH=$PATH:$programs/usr/bin

# switch_on WAY: what opens /dev/vfio/vfio gets ours, by one of the three ways.
switch_on() {
	vfio-ioas switch off >/dev/null
	vfio-ioas switch on --way "$1" >/dev/null
}

case $backend in
ioas)
	expected=vfio_ioas
	switch_on "${WAY:-symlink}"
	;;
type1)
	expected=vfio_iommu_type1
	vfio-ioas switch off >/dev/null
	;;
*)
	echo "$client: ioas or type1, not '$backend'" >&2
	exit 2
	;;
esac

# check NAME COMMAND...: one test.
check() {
	local name=$1 result=ok

	shift
	ntests=$((ntests + 1))
	"$@" || result='not ok' nfailed=$((nfailed + 1))
	echo "$result $ntests - $client, $expected: $name"
}

# finish [FILE...]: the plan; and the ends of the logs, if something failed.
finish() {
	local file

	if [ $nfailed != 0 ]; then
		for file; do
			echo "--- the end of $file:"
			tail -n 60 "$file"
		done | sed 's/^/# /'
	fi
	echo "1..$ntests"
	[ $nfailed = 0 ]
}

# find_devices VENDOR:DEVICE...: their addresses, a line each.
find_devices() {
	local path id

	for path in /sys/bus/pci/devices/*; do
		id=$(cat "$path/vendor" "$path/device" | tr '\n' :)
		id=${id//0x/}
		[ "${id%:}" != "$1" ] || echo "${path##*/}"
	done
}

# bind VENDOR:DEVICE: to vfio-pci, if need be from the kernel's own driver.
bind() {
	local address driver

	for address in $(find_devices "$1"); do
		driver=/sys/bus/pci/devices/$address/driver
		case $(readlink "$driver") in
		'' | */vfio-pci) ;;
		*) echo "$address" >"$driver/unbind" ;;
		esac
	done
	echo "${1/:/ }" >/sys/bus/pci/drivers/vfio-pci/new_id 2>/dev/null || true
}

# until SECONDS COMMAND...: repeats it until it succeeds.
until_true() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

# traced FILE COMMAND...: runs it; its ioctls are in FILE.
traced() {
	local file=$1

	shift
	strace -f --seccomp-bpf -y -e trace=ioctl -o "$file" "$@"
}

# traced_pid FILE: the process, which has made the first of its ioctls.
traced_pid() {
	awk '{ print $1; exit }' "$1"
}

# container_calls FILE: those of the container in a trace: name and result of each. Of a call
# that another thread's has interrupted, the trace has two halves.
container_calls() {
	awk '
		/ ioctl\([0-9]+<\/dev\/vfio\/(vfio|ioas)>, / {
			name = $0
			sub(/^[^,]*, (VFIO_DEVICE[A-Z_]* or )?/, "", name)
			sub(/[^A-Z_0-9].*/, "", name)
			if (/<unfinished \.\.\.>$/) {
				unfinished[$1] = name
				next
			}
		}
		/<\.\.\. ioctl resumed>/ {
			name = unfinished[$1]
			delete unfinished[$1]
		}
		name && sub(/.*\) += /, "") { print name, $0 }
		{ name = "" }' "$1"
}

# count_calls FILE NAME: how many calls of the container succeeded.
count_calls() {
	container_calls "$1" | grep -c "^$2 [0-9]*\$" || true
}

# is_served PID: is the process's container served by whom it should?
is_served() {
	[ "$(whoserves "$1" 2>&1)" = "$expected" ]
}
