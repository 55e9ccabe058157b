# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154  # from lib.sh
#
# Sourced by the clients that pass devices through to a guest with its own drivers.
# tests/clients/run has put the kernel and initramfs of the guest beside this file.

# try_guest DEVICE... -- QEMU...: guest.py describes the steps. QEMU uses KVM, on the emulated CPU:
# without KVM, the guest of an emulated QEMU takes minutes to boot.
try_guest() {
	local device ids address devices=() result step

	while [ "$1" != -- ]; do
		device=$1
		case $device in
		edu) ids=1234:11e8 ;;
		e1000e) ids=8086:10d3 ;;
		nvme) ids=1b36:0010 ;;
		esac
		bind $ids
		read -r address < <(find_devices $ids)
		devices+=("$device=$address")
		shift
	done
	shift

	while IFS=: read -r result step; do
		check "$step" [ "$result" = yes ]
	done < <(python3 "$clients/guest.py" "$work" "$expected" "${devices[@]}" -- \
		"$@" -accel kvm -cpu host -M q35 -m 256 -nodefaults -display none \
		-kernel "$clients/vmlinuz" -initrd "$clients/guest.initramfs" \
		-append "console=ttyS0 quiet no_timer_check mitigations=off nokaslr cryptomgr.notests nowatchdog panic=-1" \
		2>"$work/driver" | tee "$work/steps")
	check "guest.py went through with it" [ ! -s "$work/driver" ]

	touch "$work"/{charges,messages,log,console}
	cp "$work/steps" "$work/charges" "$work/facts"
	# An edu device cannot be reset.
	grep -v 'no available reset mechanism' "$work/messages" >"$work/facts/messages" || true
	sed 's/^/# charged: /' "$work/charges"
	finish "$work"/{messages,driver,log,console}
}
