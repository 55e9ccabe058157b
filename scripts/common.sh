# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the other scripts: where things are, and how to find the kernel of KERNEL=...

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
# (DKMS has no HOME if systemd runs the upgrade, and needs no cache.)
kernel_cache=${KERNEL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vfio-ioas/kernels}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# meta KEY: the value of KEY in META.
meta() {
	sed -n "s/^$1: *//p" "$top/META"
}

# make_jobs: the option -j for a make, unless we run below a make that already has one.
make_jobs() {
	[[ ${MAKEFLAGS:-} == *-j* ]] || echo "-j$(nproc)"
}

# kernel_release BUILD_DIR: the release (uname -r) of its kernel.
kernel_release() {
	local header=$1/include/generated/utsrelease.h

	[ -f "$header" ] || die "$1 is not a prepared kernel build directory (no include/generated/utsrelease.h)." \
		"Debian's package linux-headers-<release> has one."
	sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$header"
}

# with_tools BUILD_DIR COMMAND...: runs it with the compiler, make and other tools of that kernel.
# Most kernels use the tools of this machine. A kernel of a later Debian needs the tools and
# libraries of its own release. fetch-kernels has put those into a usr/ beside the kernel's headers.
# COMMAND and its children see that usr/ in place of /usr; no other process does.
with_tools() {
	local usr namespaces=(--mount)

	usr=$(realpath "$1")
	usr=${usr%/src/*}
	shift
	if [ "$usr" = /usr ] || [ ! -x "$usr/bin/make" ]; then
		"$@"
		return
	fi
	case $top/ in
	/usr/*) die "$top is below /usr, where the tools of this kernel cannot see it: move it elsewhere" ;;
	esac
	[ "$(id -u)" = 0 ] || namespaces+=(--map-root-user)
	# shellcheck disable=SC2016  # for the shell below to expand
	unshare "${namespaces[@]}" sh -c 'mount --bind "$0" /usr && exec "$@"' "$usr" "$@"
}

# is_kernel_dir DIR: does DIR have everything that the VM and the builds need of a kernel?
is_kernel_dir() {
	local entry

	for entry in kernelrelease vmlinuz config modules build; do
		[ -e "$1/$entry" ] || return 1
	done
}

# resolve_kernel KERNEL: a series ("6.12"), fetched if it is not in the cache, or the
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
