/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main: load and unload.
 *
 * What is registered while the module is being loaded can be found before it is clear whether that
 * will succeed. So nothing gets in until then: what opens a node waits, and no container is served.
 */
#ifndef VFIO_IOAS_MAIN_H
#define VFIO_IOAS_MAIN_H

#include <linux/types.h>

/**
 * main_is_live() - has the module been loaded with success?
 */
bool main_is_live(void);

/**
 * main_wait_until_live() - wait until the module has been loaded
 *
 * Context: an open of a node; sleeps, and holds nothing that later steps of loading need.
 * Return: 0; -ENODEV if the module goes again; -ERESTARTSYS on a fatal signal.
 */
int main_wait_until_live(void);

#endif
