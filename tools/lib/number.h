/* SPDX-License-Identifier: GPL-2.0-only */
/* number.h - numbers on the command line: the whole word, within bounds, or refused */
#ifndef TOOLS_NUMBER_H
#define TOOLS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Accepts decimal digits, or 0x and hexadecimal digits: no sign, blank or suffix. Returns false if
 * the word is not such a number in [min, max]; then *value is unchanged.
 */
bool number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value);
/* Accepts decimal digits with at most one point: "0.5", "2". No sign, exponent or "inf". */
bool number_parse_fraction(const char *word, double min, double max, double *value);

/*
 * Return the argument of an option of "vfio-ioas SUBCOMMAND". If the word is not such a number,
 * print the option, the word and the bounds, and end the program with status 2.
 */
uint64_t number_of_option(const char *subcommand, const char *option, const char *word,
			  uint64_t min, uint64_t max);
double fraction_of_option(const char *subcommand, const char *option, const char *word,
			  double min, double max);

#endif
