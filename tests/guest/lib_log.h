/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_log.h - reads the kernel log
 */
#ifndef GUEST_LIB_LOG_H
#define GUEST_LIB_LOG_H

#include "lib.h"

/* Does a record since kmsg_open() or the last call contain the text? Reads all of them. */
bool log_has(int fd, const char *text);

#endif
