/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load: has the module been loaded successfully?
 *
 * Nodes and the container backend are registered while the module loads. User space can find them
 * before it is clear whether loading succeeds. So an open of a node waits until then, and no
 * container is served.
 */
#ifndef VFIO_IOAS_LOAD_H
#define VFIO_IOAS_LOAD_H

#include <linux/types.h>

/**
 * load_has_succeeded() - has the module been loaded successfully?
 *
 * Context: any; does not wait.
 * Return: false also while the module is still loading.
 */
bool load_has_succeeded(void);

/**
 * load_wait() - wait until loading is over
 *
 * Context: an open of a node; may sleep. The caller holds nothing that later steps of loading need.
 * Return: 0; -ENODEV if loading failed; -ERESTARTSYS on a fatal signal.
 */
int load_wait(void);

/**
 * load_succeed() - announce that everything that is registered works
 *
 * Context: called once, or load_fail() is.
 */
void load_succeed(void);

/**
 * load_fail() - announce that loading failed, and that nothing is registered any more
 */
void load_fail(void);

#endif
