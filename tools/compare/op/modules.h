/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * modules.h - the modules of the two backends
 *
 * Tells which are loaded, with what parameters, and can leave only one of them loaded.
 */
#ifndef COMPARE_MODULES_H
#define COMPARE_MODULES_H

#include "backend.h"
#include "lib/common.h"

extern const char *const backend_modules[NBACKENDS];
/* File of our module, to be loaded instead of the one in /lib/modules; or NULL. */
extern const char *our_module_file;

bool module_loaded(enum backend backend);
/* Number of its containers and open nodes; -1: not loaded. */
long module_users(enum backend backend);

/* Read and write a parameter: 0 or -errno. */
int param_get(enum backend backend, const char *name, char *value, size_t nbytes);
int param_set(enum backend backend, const char *name, const char *value);

/* Saves which modules are loaded, and their parameters, for modules_restore(). */
void modules_save(void);
/* Warns on stderr about parameters that the modules share but that have different values. */
void params_warn(void);
/* On failure these print the reason on stderr. */
bool modules_have_both(void);
bool modules_have_only(enum backend backend);
bool modules_restore(void);
/* Restores the saved parameters of a module that is loaded. */
void params_restore(enum backend backend);

#endif
