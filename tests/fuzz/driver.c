// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzzer without libFuzzer: with every file of a corpus, then with NRUNS mutations of these
 * files.
 *
 *	fuzz_NAME NRUNS FILE|DIRECTORY...
 *
 * Prints TAP, and the seed, which differs each time unless SEED= sets it. An input that ends the
 * program, or makes it hang, is left in fuzz-input.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_INPUTS	4096
#define MAX_BYTES	65536U
#define SECONDS_A_RUN	30U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static struct input {
	uint8_t *bytes;
	size_t nbytes;
} inputs[MAX_INPUTS];

static unsigned int ninputs;
static uint64_t state;
static const uint8_t *current;
static size_t ncurrent;

static uint64_t below(uint64_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

/* Saves the current input when the sanitizer or the alarm ends the program. */
static void keep_input(void)
{
	int fd = open("fuzz-input", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)!write(fd, current, ncurrent);
}

static void handle_alarm(int signal)
{
	static const char text[] = "fuzz: an input takes more than 30 s: see fuzz-input\n";

	(void)signal;
	keep_input();
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

void __sanitizer_set_death_callback(void (*function)(void)) __attribute__((weak));

static void add_file(const char *path)
{
	struct input *input = &inputs[ninputs];
	FILE *file = fopen(path, "re");

	if (!file || ninputs == MAX_INPUTS) {
		fprintf(stderr, "fuzz: %s: cannot be opened, or is one file too many\n", path);
		exit(2);
	}
	input->bytes = malloc(MAX_BYTES);
	input->nbytes = fread(input->bytes, 1, MAX_BYTES, file);
	fclose(file);
	ninputs++;
}

static void add_path(const char *path)
{
	struct dirent **entries;
	char file[1024];
	struct stat status;
	int n, i;

	if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
		add_file(path);
		return;
	}
	/* Sorted, so that a seed gives the same mutations everywhere. */
	n = scandir(path, &entries, NULL, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			add_path(file);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void feed(const uint8_t *bytes, size_t nbytes)
{
	/* A copy of the exact size: the sanitizer notices a read beyond it. */
	uint8_t *copy = malloc(nbytes ? nbytes : 1);

	memcpy(copy, bytes, nbytes);
	current = copy;
	ncurrent = nbytes;
	alarm(SECONDS_A_RUN);
	LLVMFuzzerTestOneInput(copy, nbytes);
	alarm(0);
	free(copy);
}

/* --- mutations */

struct buffer {
	uint8_t bytes[2 * MAX_BYTES];
	size_t nbytes;
};

static void put_in(struct buffer *buffer, size_t at, const void *bytes, size_t nbytes)
{
	if (buffer->nbytes + nbytes > MAX_BYTES)
		return;
	memmove(buffer->bytes + at + nbytes, buffer->bytes + at, buffer->nbytes - at);
	memcpy(buffer->bytes + at, bytes, nbytes);
	buffer->nbytes += nbytes;
}

static void take_out(struct buffer *buffer, size_t at, size_t nbytes)
{
	if (nbytes > buffer->nbytes - at)
		nbytes = buffer->nbytes - at;
	memmove(buffer->bytes + at, buffer->bytes + at + nbytes, buffer->nbytes - at - nbytes);
	buffer->nbytes -= nbytes;
}

static void put_odd_word(struct buffer *buffer, size_t at)
{
	static const char *const words[] = {
		"0x", "-1", "0xffffffffffffffff", "18446744073709551616", "0x1000", "+", "=", "|",
		"\n", "#", " ", "\t", "\\", "\033[2J", "%s", "0x7fffffffffff", "m1+", "size=",
		"sequence\n", "\r", "buf+0x1000", "-", "0", "=comm", "\\377",
	};
	const char *word = words[below(sizeof(words) / sizeof(words[0]))];

	put_in(buffer, at, word, strlen(word));
}

/* Inserts a piece of another input: half of the time whole lines. */
static void put_piece(struct buffer *buffer, size_t at)
{
	const struct input *input = &inputs[below(ninputs)];
	size_t from, nbytes;

	if (!input->nbytes)
		return;
	from = below(input->nbytes);
	nbytes = 1 + below(input->nbytes - from < 200 ? input->nbytes - from : 200);
	if (below(2)) {
		const uint8_t *end = memchr(input->bytes + from, '\n', input->nbytes - from);

		while (from && input->bytes[from - 1] != '\n')
			from--;
		nbytes = end ? (size_t)(end - input->bytes) + 1 - from : input->nbytes - from;
		while (at && buffer->bytes[at - 1] != '\n')
			at--;
	}
	put_in(buffer, at, input->bytes + from, nbytes);
}

static void mutate(struct buffer *buffer)
{
	size_t at = below(buffer->nbytes + 1);
	uint8_t byte = (uint8_t)below(256);

	switch (below(6)) {
	case 0:
		put_in(buffer, at, &byte, 1);
		break;
	case 1:
		take_out(buffer, at, 1 + below(below(2) ? 4 : 100));
		break;
	case 2:
		if (at < buffer->nbytes)
			buffer->bytes[at] ^= (uint8_t)(1 << below(8));
		break;
	case 3:
		if (at < buffer->nbytes && buffer->bytes[at] >= '0' && buffer->bytes[at] <= '9')
			buffer->bytes[at] = (uint8_t)('0' + below(10));
		break;
	case 4:
		put_odd_word(buffer, at);
		break;
	case 5:
		put_piece(buffer, at);
		break;
	}
}

static void run_one(void)
{
	static struct buffer buffer;
	const struct input *input = &inputs[below(ninputs)];
	unsigned int n = 1 + (unsigned int)below(below(2) ? 3 : 20);

	memcpy(buffer.bytes, input->bytes, input->nbytes);
	buffer.nbytes = input->nbytes;
	while (n--)
		mutate(&buffer);
	feed(buffer.bytes, buffer.nbytes);
}

int main(int argc, char **argv)
{
	const char *chosen = getenv("SEED");
	unsigned long nruns, i;
	uint32_t seed = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s NRUNS FILE|DIRECTORY...\n", argv[0]);
		return 2;
	}
	signal(SIGALRM, handle_alarm);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	for (i = 2; i < (unsigned long)argc; i++)
		add_path(argv[i]);
	nruns = strtoul(argv[1], NULL, 10);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) || chosen)
		seed = (uint32_t)strtoul(chosen ? chosen : "1", NULL, 0);
	state = seed;
	printf("# SEED=%u: %u files, %lu mutations of them\n", seed, ninputs, nruns);
	fflush(stdout);
	for (i = 0; i < ninputs; i++)
		feed(inputs[i].bytes, inputs[i].nbytes);
	printf("ok 1 - %s: no file of the corpus does harm\n", program_invocation_short_name);
	fflush(stdout);
	for (i = 0; i < nruns; i++)
		run_one();
	printf("ok 2 - %s: no mutation does harm\n1..2\n", program_invocation_short_name);
	for (i = 0; i < ninputs; i++)
		free(inputs[i].bytes);
	return 0;
}
