/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * switch_check.h - what speaks against a switch
 */
#ifndef TOOLS_SWITCH_CHECK_H
#define TOOLS_SWITCH_CHECK_H

struct holders;
struct request;
struct situation;

/* All that speaks against it, checked before anything changes: DONE or REFUSED. */
int switch_check(struct situation *situation, const struct request *request);
/* Says which containers stay the kernel's; takes HOLDERS_SECONDS, whatever others do. */
void switch_warn_of_users(void);
/* Says if some processes were not looked at, as a list of holders does not show. */
void switch_warn_if_late(const struct holders *holders);

#endif
