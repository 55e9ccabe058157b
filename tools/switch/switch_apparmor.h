/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_apparmor.h - does AppArmor let libvirt's domains use our container?
 */
#ifndef TOOLS_SWITCH_APPARMOR_H
#define TOOLS_SWITCH_APPARMOR_H

#include <stdbool.h>

/*
 * What AppArmor lacks for libvirt's domains to get our container by a symbolic link: true if
 * something is missing, with the command that adds it.
 */
bool apparmor_lacks_rule(const char **command);

#endif
