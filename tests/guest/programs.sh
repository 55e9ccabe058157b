# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the scripts that run the guest's programs: which there are is what the sources say,
# not what happens to be built.

# programs PATTERN: the names of those whose sources match, sorted. Fails if one is not built.
programs() {
	local source name

	for source in "$top"/tests/guest/$1.c; do
		name=$(basename "$source" .c)
		[ -x "$top/build/guest/$name" ] || {
			echo "${0##*/}: there is no build/guest/$name: 'make guest' builds it" >&2
			exit 2
		}
		echo "$name"
	done
}

# is_slow: does the kernel watch all memory accesses?
is_slow() {
	grep -qE '^CONFIG_(KASAN|KCSAN)=y$' "$kernel/config"
}
