/* SPDX-License-Identifier: GPL-2.0-only */
/* switch_check.h - reasons to refuse a switch */
#ifndef TOOLS_SWITCH_CHECK_H
#define TOOLS_SWITCH_CHECK_H

struct holders;
struct request;
struct situation;

/* Makes all checks, before anything changes. Returns DONE or REFUSED. */
int switch_check(struct situation *situation, const struct request *request);
/*
 * Warns about containers that stay the kernel's. Takes HOLDERS_SECONDS at most, whatever others do.
 */
void switch_warn_of_users(void);
/* Warns if time was over before all processes were examined; a list of holders does not show it. */
void switch_warn_if_late(const struct holders *holders);

#endif
