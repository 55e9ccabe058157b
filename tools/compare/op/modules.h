/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * modules.h - the modules of the two backends: which are loaded, with what parameters, and
 * having only one of them for a while
 */
#ifndef COMPARE_MODULES_H
#define COMPARE_MODULES_H

#include "backend.h"
#include "lib/common.h"

extern const char *const backend_modules[NBACKENDS];
/* A file to load ours from instead of /lib/modules; or NULL. */
extern const char *our_module_file;

bool module_loaded(enum backend backend);
/* Containers that use it, and open nodes; -1: not loaded. */
long module_users(enum backend backend);

/* Value of a parameter: 0 or -errno. */
int param_get(enum backend backend, const char *name, char *value, size_t nbytes);
int param_set(enum backend backend, const char *name, const char *value);

/* Remembers what is loaded and how, for modules_restore(). */
void modules_save(void);
/* Says on stderr which parameters that both have are not the same. */
void params_warn(void);
/* These say on stderr why, if they fail. */
bool modules_have_both(void);
bool modules_have_only(enum backend backend);
bool modules_restore(void);
/* Parameters as they were remembered, of a module that is loaded. */
void params_restore(enum backend backend);

#endif
