/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process.h - the command line of a process, and the name of the VM that it runs
 */
#ifndef TOOLS_PROCESS_H
#define TOOLS_PROCESS_H

#include "lib/common.h"
#include "lib/text.h"

/* For so long they are waited for in all: in one picture of the system. */
#define PROCESS_PATIENCE_MS	500

/* Begins another picture. Processes that were waited for in vain before have used up their part. */
void process_begin(void);

/*
 * Words with one NUL behind each. False if it cannot be had at once: the memory that has it
 * belongs to the process, and may be such that whoever reads it waits.
 */
bool process_command(pid_t pid, struct text *command);
/* QEMU's "-name": false if it has none. Bytes of any kind. */
bool command_vm_name(const struct text *command, struct text *name);
/* On one line, as a terminal can show it. */
void command_print(const struct text *command, struct text *line);

#endif
