# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the scripts that run the guest's programs: which there are is what the sources say,
# not what happens to be built. They have
#   top       the root of the sources
#   kernel    the kernel directory, for is_slow
# shellcheck disable=SC2154,SC2034  # see above; used there

# Of the tool alone: on one kernel, by run-switch.
once='test_switch_crash test_switch_others'

# In front of a program: the kernel's own backend, which it looks for itself.
on_stock='VFIO_NODE=/dev/vfio/vfio BACKEND=type1 '

# programs PATTERN: the names of those whose sources match, sorted, and only those that $PROGRAMS
# has, if it is set. Fails if one is not built.
programs() {
	local source name

	for source in "$top"/tests/guest/$1.c; do
		name=$(basename "$source" .c)
		wanted "$name" || continue
		[ -x "$top/build/guest/$name" ] || {
			echo "${0##*/}: there is no build/guest/$name: 'make guest' builds it" >&2
			exit 2
		}
		echo "$name"
	done
}

# programs_that_use PATTERN WORD: of those, the ones whose sources have the word.
programs_that_use() {
	local name

	for name in $(programs "$1"); do
		! grep -qw "$2" "$top/tests/guest/$name.c" || echo "$name"
	done
}

# wanted NAME: is it one of $PROGRAMS, or are all wanted?
wanted() {
	case " ${PROGRAMS:-$1} " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# is_once NAME
is_once() {
	case " $once " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# is_slow: does the kernel watch all memory accesses?
is_slow() {
	grep -qE '^CONFIG_(KASAN|KCSAN)=y$' "$kernel/config"
}

# skip_stock: ends the script if it is about stock type1, on a kernel that complains of that.
skip_stock() {
	[ -n "$stock" ] || return 0
	echo "1..0 # SKIP this kernel complains of stock's locks"
	exit 0
}
