/* SPDX-License-Identifier: GPL-2.0-only */
/* common.h - definitions for all parts of vfio-ioas */
#ifndef TOOLS_COMMON_H
#define TOOLS_COMMON_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096ULL
#define KIB		1024ULL
#define MIB		(1ULL << 20)
#define GIB		(1ULL << 30)
#define TIB		(1ULL << 40)

/* The exit status of a subcommand that could not do its work. */
#define EXIT_NOT_RUN	2

#endif
