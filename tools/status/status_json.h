/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status_json.h - "vfio-ioas status --json"
 */
#ifndef TOOLS_STATUS_JSON_H
#define TOOLS_STATUS_JSON_H

struct picture;

void status_print_json(const struct picture *picture);

#endif
