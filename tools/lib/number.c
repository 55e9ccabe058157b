// SPDX-License-Identifier: GPL-2.0-only
/*
 * number.c - strict numbers
 *
 * strtoull() skips blanks, accepts a sign, and replaces a number that is too large by the largest.
 * With it "--iterations -1" would mean 2^64 - 1 calls.
 */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool number_parse(const char *word, uint64_t min, uint64_t max, uint64_t *value)
{
	unsigned int base = 10;
	uint64_t number = 0;

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		base = 16;
		word += 2;
	}
	if (!*word)
		return false;
	for (; *word; word++) {
		unsigned int digit = (unsigned int)digit_of(*word);

		if (digit >= base || number > (UINT64_MAX - digit) / base)
			return false;
		number = number * base + digit;
	}
	if (number < min || number > max)
		return false;
	*value = number;
	return true;
}

/* The decimal point does not depend on the locale. */
bool number_parse_fraction(const char *word, double min, double max, double *value)
{
	bool has_point = false, has_digit = false;
	double number = 0, scale = 1;

	for (; *word; word++) {
		int digit = digit_of(*word);

		if (*word == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (digit > 9)
			return false;
		has_digit = true;
		number = number * 10 + digit;
		if (has_point)
			scale *= 10;
		/* Nobody means such a number, and no overflow can happen below. */
		if (number > 1e15 || scale > 1e15)
			return false;
	}
	number /= scale;
	if (!has_digit || number < min || number > max)
		return false;
	*value = number;
	return true;
}

uint64_t number_of_option(const char *subcommand, const char *option, const char *word,
			  uint64_t min, uint64_t max)
{
	uint64_t value = 0;

	if (number_parse(word, min, max, &value))
		return value;
	fprintf(stderr, "vfio-ioas %s: %s: \"%s\" is not a number from %llu to %llu\n",
		subcommand, option, word, (unsigned long long)min, (unsigned long long)max);
	exit(EXIT_NOT_RUN);
}

double fraction_of_option(const char *subcommand, const char *option, const char *word,
			  double min, double max)
{
	double value = 0;

	if (number_parse_fraction(word, min, max, &value))
		return value;
	fprintf(stderr, "vfio-ioas %s: %s: \"%s\" is not a number from %g to %.15g\n",
		subcommand, option, word, min, max);
	exit(EXIT_NOT_RUN);
}
