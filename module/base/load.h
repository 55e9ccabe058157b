/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load: has the module been loaded with success?
 *
 * What is registered while the module is being loaded can be found before it is clear whether that
 * will succeed. So nothing gets in until then: what opens a node waits, and no container is served.
 */
#ifndef VFIO_IOAS_LOAD_H
#define VFIO_IOAS_LOAD_H

#include <linux/types.h>

/**
 * load_has_succeeded() - has the module been loaded with success?
 */
bool load_has_succeeded(void);

/**
 * load_wait() - wait until the module has been loaded
 *
 * Context: an open of a node; sleeps, and holds nothing that later steps of loading need.
 * Return: 0; -ENODEV if the module goes again; -ERESTARTSYS on a fatal signal.
 */
int load_wait(void);

/**
 * load_end() - say that loading is over
 * @succeeded: and how
 *
 * Context: once, when what is registered works, or when nothing is registered any more.
 */
void load_end(bool succeeded);

#endif
