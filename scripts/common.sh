# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the other scripts: where things are, and what KERNEL=... means.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
# (DKMS has no HOME where systemd runs the upgrade, and needs no cache.)
kernel_cache=${KERNEL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vfio-ioas/kernels}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# meta KEY: the value of KEY in META.
meta() {
	sed -n "s/^$1: *//p" "$top/META"
}

# make_jobs: the -j for a make, unless the make that runs us has shared out the jobs.
make_jobs() {
	[[ ${MAKEFLAGS:-} == *-j* ]] || echo "-j$(nproc)"
}

# kernel_release BUILD_DIR: the release (uname -r) of the kernel it builds for.
kernel_release() {
	local header=$1/include/generated/utsrelease.h

	[ -f "$header" ] || die "$1 is not a prepared kernel build directory (no include/generated/utsrelease.h)." \
		"Debian has one in the package linux-headers-<release>."
	sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$header"
}

# with_tools BUILD_DIR COMMAND...: runs it with the compiler, the make and so on that belong to
# that kernel. They are this machine's, but for kernels of a later Debian: theirs need the
# libraries of their release, too. fetch-kernels has put all of it beside the kernel's headers, in
# a usr/ that takes the place of /usr for COMMAND and what it runs; nobody else sees that.
with_tools() {
	local usr namespaces=(--mount)

	usr=$(realpath "$1")
	usr=${usr%/src/*}
	shift
	if [ "$usr" = /usr ] || [ ! -x "$usr/bin/make" ]; then
		"$@"
		return
	fi
	case $top/ in /usr/*) die "a clone below /usr is hidden from the tools of that kernel: move it" ;; esac
	[ "$(id -u)" = 0 ] || namespaces+=(--map-root-user)
	# shellcheck disable=SC2016  # for the shell below to expand
	unshare "${namespaces[@]}" sh -c 'mount --bind "$0" /usr && exec "$@"' "$usr" "$@"
}

# is_kernel_dir DIR: has DIR all that the VM and the builds need of a kernel?
is_kernel_dir() {
	local entry

	for entry in kernelrelease vmlinuz config modules build; do
		[ -e "$1/$entry" ] || return 1
	done
}

# resolve_kernel KERNEL: a series ("6.12"), fetched when it is not in the cache, or the
# path of a kernel build directory. Sets
#   kernel_name   names the output, build/<kernel_name>
#   kernel_build  the kernel build directory
#   kernel_dir    the kernel directory to boot, empty when there is none
# shellcheck disable=SC2034
resolve_kernel() {
	case $1 in
	*/*)
		kernel_build=$(cd "$1" 2>/dev/null && pwd) || die "KERNEL=$1: no such directory"
		kernel_name=$(kernel_release "$kernel_build")
		kernel_dir=${kernel_build%/*}
		is_kernel_dir "$kernel_dir" || kernel_dir=
		;;
	*)
		"$top/scripts/fetch-kernels" "$1"
		kernel_name=$1
		kernel_dir=$kernel_cache/$1
		kernel_build=$kernel_dir/build
		;;
	esac
}
