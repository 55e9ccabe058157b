/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * common.h - what all of "vfio-ioas compare" includes
 */
#ifndef COMPARE_COMMON_H
#define COMPARE_COMMON_H

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

/* Who serves a container. */
enum backend {
	STOCK,
	OURS,
	NBACKENDS,
};

/* How "vfio-ioas compare" ends. */
#define EXIT_SAME	0
#define EXIT_DIFFERENT	1
#define EXIT_NOT_RUN	2

#endif
