# SPDX-License-Identifier: GPL-2.0-only
# What the module consists of: for Kbuild, and for the selftest build.
vfio_ioas-objects := \
	module/main.o \
	module/object.o \
	module/ioas.o \
	module/map.o \
	module/unmap.o \
	module/copy.o \
	module/area.o \
	module/iova.o \
	module/pages.o \
	module/pin.o \
	module/extents.o \
	module/account.o \
	module/hwpt.o \
	module/group.o \
	module/access.o \
	kapi/device.o \
	insight/status.o \
	insight/trace.o \
	native/native.o \
	native/ioctl.o \
	native/ioas.o \
	compat/backend.o \
	compat/container.o \
	compat/node.o \
	compat/type1.o \
	compat/dirty.o \
	compat/emulated.o \
	compat/vaddr.o \
	compat/info.o \
	compat/legacy.o

vfio_ioas-ccflags := -I$(src) -I$(src)/module -I$(src)/native -I$(src)/kapi -I$(src)/insight -I$(src)/compat -I$(src)/uapi
