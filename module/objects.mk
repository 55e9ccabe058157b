# SPDX-License-Identifier: GPL-2.0-only
# What the module consists of: for Kbuild, and for the selftest build.
vfio_ioas-objects := \
	module/main.o \
	module/base/load.o \
	module/base/object.o \
	module/base/trace.o \
	module/memory/account.o \
	module/memory/extents.o \
	module/memory/pin.o \
	module/memory/store.o \
	module/space/iova.o \
	module/space/area.o \
	module/space/mirror.o \
	module/space/limits.o \
	module/space/notifier.o \
	module/space/unmap.o \
	module/space/map.o \
	module/space/copy.o \
	module/space/ioas.o \
	module/domain/hwpt.o \
	module/domain/group.o \
	module/kapi/access.o \
	module/kapi/device.o \
	module/debugfs/status.o \
	module/native/call.o \
	module/native/ioas_ioctl.o \
	module/native/object_ioctl.o \
	module/native/ioctl.o \
	module/native/info.o \
	module/native/legacy.o \
	module/native/native.o \
	compat/node.o \
	compat/container.o \
	compat/dirty.o \
	compat/emulated.o \
	compat/vaddr.o \
	compat/type1_call.o \
	compat/type1.o \
	compat/backend.o

# A header is named by its folder: "memory/store.h", or "compat/type1.h".
vfio_ioas-ccflags := -I$(src) -I$(src)/module -I$(src)/uapi
