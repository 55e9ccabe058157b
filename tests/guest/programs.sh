# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the scripts that run the guest's programs. The table tests/guest/programs lists the
# programs and the needs of each. The scripts set
#   top       the root of the sources
#   kernel    the kernel directory, for is_slow
# shellcheck disable=SC2154,SC2034  # see above; used there

# Precedes a program in a command: it uses the kernel's own backend.
on_stock='VFIO_NODE=/dev/vfio/vfio BACKEND=type1 '

table=$top/tests/guest/programs

# check_table: each source has a line, and each line has a source and known words.
check_table() {
	local source bad

	bad=$(
		for source in "$top"/tests/guest/*.c; do
			basename "$source" .c
		done | awk '
			NR == FNR && /^#|^$/ { next }
			NR == FNR && $1 == "races" {
				if (!($2 in listed))
					print $2 " races, but has no line"
				next
			}
			NR == FNR {
				listed[$1] = 1
				if ($2 !~ /^(guest|switch|native|kapi|emulated|judge|harness)$/)
					print $1 " has no suite"
				if (NF < 4 || $3 !~ /^(usual|no-intremap|one-cpu|warned)$/)
					print $1 " has no machine, or no marks"
				for (i = 4; i <= NF; i++)
					if ($i !~ /^(-|stock|fault|samples|backend|other|slow)$/)
						print $1 " has an unknown mark: " $i
				next
			}
			/^lib_/ { next }
			$1 in listed { delete listed[$1]; next }
			{ print $1 " has a source but no line" }
			END {
				for (name in listed)
					print name " has a line but no source"
			}' "$table" -
	)
	[ -z "$bad" ] || {
		echo "tests/guest/programs: $bad" >&2
		exit 2
	}
}

# select_programs SUITE [MACHINE [MARK]]: prints the names of the programs of a suite, or of all
# suites (any), that need that machine (any: all machines) and have that mark. If $PROGRAMS is set,
# only programs in it are printed. Fails if one is not built.
select_programs() {
	local name

	while read -r name; do
		wanted "$name" || continue
		[ -x "$top/build/guest/$name" ] || {
			echo "${0##*/}: there is no build/guest/$name: 'make guest' builds it" >&2
			exit 2
		}
		echo "$name"
	done < <(awk -v suite="$1" -v machine="${2:-any}" -v mark="${3:-}" '
		/^#|^$|^races / { next }
		suite != "any" && $2 != suite || machine != "any" && $3 != machine { next }
		mark == "" { print $1; next }
		{ for (i = 4; i <= NF; i++) if ($i == mark) print $1 }' "$table")
}

# has_mark PROGRAM MARK: does the program have the mark?
has_mark() {
	awk -v name="$1" -v mark="$2" '
		$1 == name { for (i = 4; i <= NF; i++) if ($i == mark) found = 1 }
		END { exit !found }' "$table"
}

# racing SUITE: prints the programs of the suite that race, a line each, with their tests that race.
racing() {
	awk -v suite="$1" '
		/^#|^$/ { next }
		$1 != "races" { suites[$1] = $2; next }
		suites[$2] != suite { next }
		!($2 in tests) { order[++n] = $2 }
		{ tests[$2] = tests[$2] (NF > 2 ? " " $3 : "") }
		END { for (i = 1; i <= n; i++) print order[i] tests[order[i]] }' "$table"
}

# wanted NAME: is it in $PROGRAMS, or is that unset?
wanted() {
	case " ${PROGRAMS:-$1} " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# is_slow: does the kernel check all memory accesses?
is_slow() {
	grep -qE '^CONFIG_(KASAN|KCSAN)=y$' "$kernel/config"
}

# skip_stock: ends a script that tests stock type1, if the kernel complains about that backend.
skip_stock() {
	[ -n "$stock" ] || return 0
	echo "1..0 # SKIP this kernel complains of stock's locks"
	exit 0
}

check_table
