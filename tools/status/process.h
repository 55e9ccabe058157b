/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process.h - the command line of a process, and the name of the VM that it runs
 */
#ifndef TOOLS_PROCESS_H
#define TOOLS_PROCESS_H

#include "lib/common.h"
#include "lib/text.h"

/* Limit of all waiting for processes while one picture is made. */
#define PROCESS_PATIENCE_MS	500

/* Begins another picture. Time that was spent in vain for earlier ones is not given back. */
void process_begin(void);

/*
 * Gets the words, each with a NUL behind it. Returns false if that is not possible at once: the
 * memory belongs to the process, and reading it may block.
 */
bool process_command(pid_t pid, struct text *command);
/* The value of QEMU's "-name", as raw bytes; false if there is none. */
bool command_vm_name(const struct text *command, struct text *name);
/* Makes one line of it that is safe for a terminal. */
void command_print(const struct text *command, struct text *line);

#endif
