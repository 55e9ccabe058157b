/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lib_log.h - what the kernel has to log
 */
#ifndef GUEST_LIB_LOG_H
#define GUEST_LIB_LOG_H

#include "lib.h"

/* Reads what came since kmsg_open() or the last call: does a record contain a text? */
bool log_has(int fd, const char *text);

#endif
