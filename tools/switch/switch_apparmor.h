/* SPDX-License-Identifier: GPL-2.0-only */
/* switch_apparmor.h - does AppArmor let libvirt's domains use our container? */
#ifndef TOOLS_SWITCH_APPARMOR_H
#define TOOLS_SWITCH_APPARMOR_H

#include <stdbool.h>

/*
 * Checks whether libvirt's domains could open our container through a symbolic link. Returns true
 * if AppArmor lacks a rule, and the command that adds it.
 */
bool apparmor_lacks_rule(const char **command);

#endif
