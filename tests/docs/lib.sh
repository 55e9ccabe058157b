# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts that run the blocks of the documents, on this machine and in the VM.

# run_blocks DIRECTORY SECONDS COMMAND...: passes each block to COMMAND, and shows the block and its
# output if it fails.
run_blocks() {
	local dir=$1 seconds=$2 block name n=0 failed=0 result log status

	shift 2
	log=$(mktemp)
	for block in "$dir"/*; do
		[ -f "$block" ] || continue
		n=$((n + 1))
		name=$(basename "$block" | sed 's/^[0-9]*\.//; s/%/\//g; s/@/:/')
		result=ok status=0
		timeout "$seconds" "$@" "$block" </dev/null >"$log" 2>&1 || status=$?
		[ $status = 0 ] || result='not ok' failed=$((failed + 1))
		echo "$result $n - the commands of $name work"
		[ $status = 0 ] || { cat "$block" "$log"; echo "exit status $status"; } | tail -n 40 | sed 's/^/# /'
	done
	rm -f "$log"
	echo "1..$n"
	[ $failed = 0 ]
}
