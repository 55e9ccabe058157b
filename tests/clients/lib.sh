# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts of the clients, which run in the VM on the host's files. Sets up the
# backend, prints TAP, and collects facts. The script "same" compares the facts of both backends.
#
#   $backend   ioas or type1
#   $programs  the root directory of the packages that scripts/fetch-clients has unpacked
#   $work      a directory for this client and backend; the files of $work/facts are compared
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

# switch_on MODE: lets programs that open /dev/vfio/vfio get our container.
switch_on() {
	vfio-ioas switch off >/dev/null
	vfio-ioas switch on --mode "$1" >/dev/null
}

case $backend in
ioas)
	expected=vfio_ioas
	switch_on "${MODE:-symlink}"
	;;
type1)
	expected=vfio_iommu_type1
	vfio-ioas switch off >/dev/null
	;;
*)
	echo "$client: unknown backend '$backend'; it must be ioas or type1" >&2
	exit 2
	;;
esac

# check NAME COMMAND...: a test, which passes if COMMAND does.
check() {
	local name=$1 result=ok

	shift
	ntests=$((ntests + 1))
	"$@" || result='not ok' nfailed=$((nfailed + 1))
	echo "$result $ntests - $client, $expected: $name"
}

# finish [FILE...]: prints the plan, and the ends of the logs FILE... if a test failed.
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

# find_devices VENDOR:DEVICE: prints the addresses of these devices, one a line.
find_devices() {
	local path id

	for path in /sys/bus/pci/devices/*; do
		id=$(cat "$path/vendor" "$path/device" | tr '\n' :)
		id=${id//0x/}
		[ "${id%:}" != "$1" ] || echo "${path##*/}"
	done
}

# bind VENDOR:DEVICE: binds these devices to vfio-pci, and unbinds them from another driver first.
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

# until_true SECONDS COMMAND...: repeats COMMAND until it succeeds, for SECONDS at most.
until_true() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

# traced FILE COMMAND...: runs it, and writes its ioctls to FILE.
traced() {
	local file=$1

	shift
	strace -f --seccomp-bpf -y -e trace=ioctl -o "$file" "$@"
}

# traced_pid FILE: prints the process id of the first ioctl.
traced_pid() {
	awk '{ print $1; exit }' "$1"
}

# container_calls FILE: prints name and result of each call of the container in a trace. If another
# thread's call came between, the trace has a call in two halves.
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

# count_calls FILE NAME: prints how many calls NAME of the container succeeded.
count_calls() {
	container_calls "$1" | grep -c "^$2 [0-9]*\$" || true
}

# is_served PID: does the expected backend serve the container of the process?
is_served() {
	[ "$(whoserves "$1" 2>&1)" = "$expected" ]
}
