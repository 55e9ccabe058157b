# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by run and shell: the options of a VM, its initramfs and its QEMU.
#
# The initramfs holds busybox, our init, the kernel modules that the guest needs, and under
# /run/vm all that the host says to it:
#   settings        shell variables, read by init
#   load            kernel modules to load at boot, in this order
#   command.1, ...  the commands to run, a file each
#   bin/            guest programs and --file's; on the PATH
#   lib/modules/    as /lib/modules; also has our module itself
#   root/           --file's with a destination, copied there by init

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$vm_dir/../.." && pwd)

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

# All that describes a VM; vm_option changes one.
vm_kernel='' vm_module='' vm_iommu=intel vm_guest=initramfs vm_load=yes
vm_cmdline='' vm_mem=2048 vm_qemu='' vm_files=() vm_kmods=() vm_packed='' vm_image=''

# vm_option NAME VALUE: fails when there is no option of that name.
vm_option() {
	case $1 in
	--kernel) vm_kernel=$2 ;;
	--module) vm_module=$2 ;;
	--iommu) vm_iommu=$2 ;;
	--guest) vm_guest=$2 ;;
	--cmdline) vm_cmdline+=" $2" ;;
	--mem) vm_mem=$2 ;;
	--qemu) vm_qemu+=" $2" ;;
	--file) vm_files+=("$2") ;;
	--kmod) vm_kmods+=("$2") ;;
	*) return 1 ;;
	esac
}

vm_check_options() {
	local entry

	[ -n "$vm_kernel" ] || die "--kernel DIR is missing"
	for entry in kernelrelease vmlinuz config modules; do
		[ -e "$vm_kernel/$entry" ] || die "$vm_kernel is not a kernel directory: it has no $entry"
	done
	[ -z "$vm_module" ] || [ -f "$vm_module" ] || die "--module $vm_module: no such file"
	case $vm_iommu in intel | amd | virtio) ;; *) die "--iommu is intel, amd or virtio" ;; esac
	[ "$vm_iommu" != virtio ] || grep -q '^CONFIG_VIRTIO_IOMMU=[ym]$' "$vm_kernel/config" ||
		die "--iommu virtio: the kernel has no driver for it"
	case $vm_guest in initramfs | 9p) ;; *) die "--guest is initramfs or 9p" ;; esac
	for entry in busybox qemu-system-x86_64 cpio depmod modinfo; do
		PATH=$PATH:/usr/sbin:/sbin command -v $entry >/dev/null || die "$entry is not installed; ./bootstrap installs it"
	done
}

# vm_has_config OPTION: has the kernel CONFIG_OPTION=y?
vm_has_config() {
	grep -q "^CONFIG_$1=y\$" "$vm_kernel/config"
}

# vm_is_slow: does the kernel watch all memory accesses, for which it needs ten times as long?
vm_is_slow() {
	vm_has_config KASAN || vm_has_config KCSAN
}

# --- initramfs

declare -A vm_module_files vm_modules_done

vm_find_modules() {
	local file name

	while IFS= read -r file; do
		name=${file##*/}
		name=${name%%.ko*}
		vm_module_files[${name//-/_}]=$file
	done < <(find -L "$vm_kernel/modules" -name '*.ko' -o -name '*.ko.xz' -o -name '*.ko.zst')
}

# vm_unpack_module FILE DIR
vm_unpack_module() {
	local name=${1##*/}

	case $name in
	*.xz) xz -dc "$1" >"$2/${name%.xz}" ;;
	*.zst) zstd -qdc "$1" >"$2/${name%.zst}" ;;
	*) cp "$1" "$2" ;;
	esac
}

# vm_add_module NAME DIR: puts a module and what it depends on into DIR. One that is not
# there is part of the kernel, or the kernel goes without it.
vm_add_module() {
	local name=${1//-/_} file dependency

	file=${vm_module_files[$name]-}
	if [ -z "$file" ] || [ -n "${vm_modules_done[$name]-}" ]; then
		return 0
	fi
	vm_modules_done[$name]=yes
	for dependency in $(vm_modinfo "$file" | tr , ' '); do
		vm_add_module "$dependency" "$2"
	done
	vm_unpack_module "$file" "$2"
}

vm_modinfo() {
	PATH=$PATH:/usr/sbin:/sbin modinfo -F depends "$1"
}

# vm_add_modules ROOT: fills /lib/modules and the list of those to load at boot.
vm_add_modules() {
	local release dir name boot=()

	release=$(cat "$vm_kernel/kernelrelease")
	dir=$1/run/vm/lib/modules/$release
	mkdir -p "$dir"
	vm_find_modules
	if [ "$vm_guest" = 9p ]; then
		boot+=(virtio_pci 9pnet_virtio 9p)
	fi
	if [ "$vm_iommu" = virtio ]; then
		boot+=(virtio_pci virtio_iommu)
	fi
	boot+=(vfio "${vm_kmods[@]}")
	for name in "${boot[@]}" vfio_iommu_type1 vfio_pci; do
		vm_add_module "$name" "$dir"
	done
	for name in "${boot[@]}"; do
		[ -z "${vm_modules_done[${name//-/_}]-}" ] || echo "$name"
	done >"$1/run/vm/load"

	if [ -n "$vm_module" ]; then
		cp "$vm_module" "$dir"
		ln -s "$release/${vm_module##*/}" "$1/run/vm/lib/modules"
	fi
	touch "$dir"/modules.{order,builtin,builtin.modinfo}
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$1/run/vm" "$release"
}

# vm_add_files ROOT: guest programs and --file's.
vm_add_files() {
	local file source program

	for program in "$top"/build/guest/*; do
		if [ -f "$program" ] && [ -x "$program" ]; then
			cp "$program" "$1/run/vm/bin"
		fi
	done
	for file in "${vm_files[@]}"; do
		source=${file%%:*}
		[ -e "$source" ] || die "--file $source: no such file"
		if [ "$source" = "$file" ]; then
			cp -rL "$source" "$1/run/vm/bin"
		else
			install -D "$source" "$1/run/vm/root/${file#*:}"
		fi
	done
}

# vm_make_initramfs FILE SETTING... -- COMMAND...
vm_make_initramfs() {
	local file=$1 root=$1.d n=0 settings=()

	shift
	while [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	shift

	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,etc,root,lib,run/vm/bin,run/vm/root}
	cp -L "$(command -v busybox)" "$root/bin/busybox"
	install "$vm_dir/init" "$root/init"
	ln -s /run/vm/lib/modules "$root/lib/modules"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	vm_add_modules "$root"
	vm_add_files "$root"
	vm_ours=${vm_module##*/}
	printf '%s\n' "guest=$vm_guest" "load=$vm_load" "ours=${vm_ours%.ko}" "top='$top'" "${settings[@]}" \
		>"$root/run/vm/settings"
	while [ $# -gt 0 ]; do
		n=$((n + 1))
		printf '%s\n' "$1" >"$root/run/vm/command.$n"
		shift
	done
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$file"
	rm -rf "$root"
}

# --- QEMU

# vm_unpack_kernel FILE: unpacks the kernel into FILE, which QEMU then starts, if that can be done and
# the kernel has an entry for it. In the VM, where it would unpack itself, it takes ten times as long,
# and then has addresses at random and page tables of 5 levels.
vm_unpack_kernel() {
	[ -z "$vm_packed" ] && vm_has_config PVH || return 0
	if "$top/scripts/unpack-kernel" "$vm_kernel/vmlinuz" >"$1"; then
		vm_image=$1
	fi
}

# vm_qemu_command INITRAMFS: sets the array qemu to the command, but for its serial lines.
# Two of QEMU's own PCI test devices, edu, are what VFIO passes on. They take 28-bit
# addresses unless told otherwise.
#
# QEMU 7.2 emulates CMPXCHG16B with garbage in the flags register, and an interrupt at the
# wrong moment then crashes the guest. So the CPU has none, but for AMD's IOMMU, whose driver
# demands it. Fast strings (ERMS, FSRM) are slow here: the kernel then clears and copies byte by
# byte, each an instruction to QEMU; without them a test of memory takes two thirds of the time.
#
# When the map of memory changes, and memory regions get other numbers, QEMU 7.2 for a moment takes
# an access that another vCPU makes to its APIC to another region: an interrupt is lost, and the
# guest may stand still. A device that is opened or closed changes the map. So each edu has a cover:
# memory of its size, which init puts below its registers, so that nowhere a region comes or goes.
# Devices of other kinds have none, nor has a guest with an init of its own (tests/packages).
#
# While a kernel looks what its CPU can do, it forgets for a moment that page tables have 5 levels.
# If an interrupt comes then, KASAN takes addresses for wild ones: it gets no CPU that can have 5.
vm_qemu_command() {
	local cpu=max,-erms,-fsrm iommu edu=edu,dma_mask=0xffffffffffffffff extra

	case $vm_iommu in
	intel) cpu+=,-cx16 iommu=intel-iommu,intremap=on ;;
	amd) iommu=amd-iommu,intremap=on ;;
	virtio) cpu+=,-cx16 iommu=virtio-iommu-pci ;;
	esac
	! vm_has_config KASAN || cpu+=,-la57
	# shellcheck disable=SC2054  # QEMU's commas
	qemu=(qemu-system-x86_64 -accel tcg -M q35,kernel-irqchip=split -cpu "$cpu" -smp 2 -m "$vm_mem"
		-nodefaults -display none -no-reboot
		-device "$iommu" -device "$edu" -device "$edu"
		-kernel "${vm_image:-$vm_kernel/vmlinuz}" -initrd "$1"
		-append "$(vm_kernel_cmdline)")
	if [ "$vm_guest" = 9p ]; then
		# shellcheck disable=SC2054
		qemu+=(-virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap)
	fi
	# Split into words, as a shell would.
	eval "extra=($vm_qemu)"
	qemu+=("${extra[@]}")
	vm_add_covers
}

# vm_add_covers: one for each edu, in a slot (its number is hexadecimal) of which QEMU has no use.
vm_add_covers() {
	local word slot=10

	for word in "${qemu[@]}"; do
		case $word in
		edu,*) ;;
		*) continue ;;
		esac
		qemu+=(-object "memory-backend-ram,id=cover$slot,size=1M"
			-device "ivshmem-plain,memdev=cover$slot,addr=$slot")
		slot=$((slot + 1))
	done
}

# A WARN must not end the run, a panic or an Oops must: at once and without a reboot. What keeps
# a CPU for 20 seconds is a lock-up, as everywhere; a busy host makes vCPUs look stuck, but not
# for so long, unless the kernel is slow. The tick is periodic: once a vCPU's next one-shot tick
# was lost on a busy host, and it slept for good. Of the kernel's own cryptography we need no tests,
# and no random numbers made of jitter: both take seconds. An IOMMU of virtio remaps no interrupts,
# and so neither backend serves without being told to.
vm_kernel_cmdline() {
	local unsafe=allow_unsafe_interrupts=1 lockup=watchdog_thresh=10 stall=21 hung=60

	if vm_is_slow; then
		lockup=watchdog_thresh=30 stall=60 hung=300
	fi
	[ "$vm_iommu" != virtio ] || vm_cmdline+=" vfio_iommu_type1.$unsafe vfio_ioas.$unsafe"
	echo "console=ttyS0 intel_iommu=on no_timer_check nohz=off highres=off loglevel=5 log_buf_len=8M printk.time=1" \
		"panic=-1 oops=panic $lockup rcupdate.rcu_cpu_stall_timeout=$stall" \
		"sysctl.kernel.hung_task_timeout_secs=$hung" \
		"cryptomgr.notests initcall_blacklist=jent_mod_init,crypto_kdf108_init$vm_cmdline"
}
