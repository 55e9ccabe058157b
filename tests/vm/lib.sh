# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by run and shell: the options of a VM, its initramfs and its QEMU.
#
# The initramfs holds busybox, our init and the kernel modules that the guest needs. The host's
# instructions are in /run/vm:
#   settings        shell variables, read by init
#   load            kernel modules to load at boot, in this order
#   command.1, ...  the commands to run, a file each
#   bin/            guest programs and --file's; on the PATH
#   lib/modules/    as /lib/modules; also contains our module
#   root/           --file's with a destination; init copies them there

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$vm_dir/../.." && pwd)

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

# These describe a VM. vm_option changes one of them.
vm_kernel='' vm_module='' vm_iommu=intel vm_guest=initramfs vm_load=yes
vm_cmdline='' vm_mem=2048 vm_qemu='' vm_files=() vm_kmods=() vm_packed='' vm_image=''

# vm_option NAME VALUE: sets an option. Fails if there is none of that name.
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
	case $vm_iommu in
	intel | amd | virtio) ;;
	*) die "--iommu $vm_iommu: unknown; it must be intel, amd or virtio" ;;
	esac
	[ "$vm_iommu" != virtio ] || grep -q '^CONFIG_VIRTIO_IOMMU=[ym]$' "$vm_kernel/config" ||
		die "--iommu virtio: the kernel lacks CONFIG_VIRTIO_IOMMU; use intel or amd"
	case $vm_guest in
	initramfs | 9p) ;;
	*) die "--guest $vm_guest: unknown; it must be initramfs or 9p" ;;
	esac
	for entry in busybox qemu-system-x86_64 cpio depmod modinfo; do
		PATH=$PATH:/usr/sbin:/sbin command -v $entry >/dev/null || die "$entry is not installed; ./bootstrap installs it"
	done
}

# vm_has_config OPTION: does the kernel have CONFIG_OPTION=y?
vm_has_config() {
	grep -q "^CONFIG_$1=y\$" "$vm_kernel/config"
}

# vm_is_slow: does the kernel check each memory access, and is ten times slower for that?
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

# vm_add_module NAME DIR: puts a module and its dependencies into DIR. A module that does not exist
# is built into the kernel, or the kernel does without it.
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

# vm_add_modules ROOT: fills /lib/modules and the list of modules to load at boot.
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

# vm_add_files ROOT: adds the guest programs and the --file's.
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

# vm_make_initramfs FILE SETTING... -- COMMAND...: writes the initramfs to FILE.
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

# vm_unpack_kernel FILE: unpacks the kernel into FILE, which QEMU then starts, if the kernel has an
# entry for that (PVH). A kernel that unpacks itself in the VM takes ten times as long. It also gets
# random addresses and page tables of 5 levels.
vm_unpack_kernel() {
	[ -z "$vm_packed" ] && vm_has_config PVH || return 0
	if "$top/scripts/unpack-kernel" "$vm_kernel/vmlinuz" >"$1"; then
		vm_image=$1
	fi
}

# vm_qemu_command INITRAMFS: sets the array qemu to the command, without its serial lines. VFIO gets
# two of QEMU's PCI test devices, edu. By default they take only 28-bit addresses.
#
# CMPXCHG16B: QEMU 7.2 leaves garbage in the flags register, and an interrupt at the wrong moment
# then crashes the guest. So the CPU does not have it, except with AMD's IOMMU, whose driver demands
# it.
#
# Fast strings (ERMS, FSRM) are slow here: the kernel then clears and copies memory byte by byte,
# and QEMU executes an instruction for each. Without them, a test of memory takes two thirds of the
# time.
#
# Covers: when the memory map changes, memory regions get other numbers. For a moment, QEMU 7.2 then
# sends an access of another vCPU to its APIC to a wrong region. An interrupt is lost, and the guest
# may stand still. Opening or closing a device changes the map. So each edu has a cover: memory of
# the same size, which init puts below its registers, so that no region comes or goes. Devices of
# other kinds have no cover, nor has a guest with another init (tests/packages).
#
# 5-level page tables: while a kernel detects the features of its CPU, it forgets for a moment that
# it uses 5 levels. If an interrupt comes then, KASAN reports wild addresses. So a kernel with KASAN
# gets a CPU without them.
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
	# Split into words as a shell does.
	eval "extra=($vm_qemu)"
	qemu+=("${extra[@]}")
	vm_add_covers
}

# vm_add_covers: adds a cover for each edu, in a slot that QEMU does not use. Slot numbers are
# hexadecimal.
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

# vm_kernel_cmdline: prints the command line of the kernel, with these choices:
# * A panic or an Oops ends the run at once, without a reboot; a WARN does not.
# * A task that keeps a CPU for 20 seconds is a lock-up, as by default. On a busy host, vCPUs look
#   stuck, but not for so long, unless the kernel is slow.
# * The tick is periodic. On a busy host, a vCPU once lost its one-shot tick, and slept forever.
# * The kernel does not test its cryptography, and makes no random numbers from jitter: both take
#   seconds.
# * A virtio IOMMU remaps no interrupts, so both backends need allow_unsafe_interrupts.
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
