/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib.h - the headers that every guest test needs
 *
 * A guest test runs as root in the VM (tests/vm/run) and uses a container node as any VFIO program
 * would. VFIO_NODE names the node. BACKEND names the backend that should serve it (ioas: ours,
 * type1: the stock one).
 */
#ifndef GUEST_LIB_H
#define GUEST_LIB_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096ULL
#define PAGE_KIB	4L
#define HUGE_BYTES	(2ULL << 20)

#include "lib_tap.h"
#include "lib_sys.h"
#include "lib_mem.h"
#include "lib_module.h"
#include "lib_vfio.h"
#include "lib_edu.h"

#endif
