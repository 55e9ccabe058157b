/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend.h - the two backends of VFIO containers that are compared
 */
#ifndef COMPARE_BACKEND_H
#define COMPARE_BACKEND_H

/* The module that serves a container. */
enum backend {
	STOCK,
	OURS,
	NBACKENDS,
};

#endif
