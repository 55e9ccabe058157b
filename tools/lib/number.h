/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * number.h - numbers that somebody typed: all of the word, within bounds, or refused
 */
#ifndef TOOLS_NUMBER_H
#define TOOLS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Decimal digits, or 0x and hexadecimal ones, and nothing else: no sign, no blank, no suffix. False
 * if the word is no such number, or not in [min, max]; then *value stays as it was.
 */
bool number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value);
/* Decimal digits with at most one point: "0.5", "2". No sign, no exponent, no "inf". */
bool number_parse_fraction(const char *word, double min, double max, double *value);

/*
 * The argument of an option of "vfio-ioas SUBCOMMAND". If it is not such a number, the program
 * ends with status 2, having named the option, the word and the bounds.
 */
uint64_t number_of_option(const char *subcommand, const char *option, const char *word,
			  uint64_t min, uint64_t max);
double fraction_of_option(const char *subcommand, const char *option, const char *word,
			  double min, double max);

#endif
