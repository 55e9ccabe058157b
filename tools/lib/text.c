// SPDX-License-Identifier: GPL-2.0-only
/* text.c - growing text, and numbers for readers */
#define _GNU_SOURCE
#include "text.h"

#include <fcntl.h>
#include <stdarg.h>

#include "allocate.h"

static void make_room(struct text *text, size_t nchars)
{
	size_t wanted = text->nchars + nchars + 1;

	if (wanted <= text->nbytes)
		return;
	text->nbytes = wanted * 2;
	text->chars = need(realloc(text->chars, text->nbytes));
}

void text_add_chars(struct text *text, const char *chars, size_t nchars)
{
	make_room(text, nchars);
	memcpy(text->chars + text->nchars, chars, nchars);
	text->nchars += nchars;
	text->chars[text->nchars] = '\0';
}

int text_add_all(struct text *text, int fd)
{
	char buffer[16384];
	ssize_t nread;

	while ((nread = read(fd, buffer, sizeof(buffer))) > 0)
		text_add_chars(text, buffer, (size_t)nread);
	return nread < 0 ? errno : 0;
}

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int nchars;

	va_start(arguments, format);
	nchars = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	make_room(text, (size_t)nchars);
	va_start(arguments, format);
	vsnprintf(text->chars + text->nchars, (size_t)nchars + 1, format,
		  arguments);
	va_end(arguments);
	text->nchars += (size_t)nchars;
}

void text_clear(struct text *text)
{
	text->nchars = 0;
	if (text->chars)
		text->chars[0] = '\0';
}

void text_free(struct text *text)
{
	free(text->chars);
	*text = (struct text){ 0 };
}

const char *text_chars(const struct text *text)
{
	return text->chars ? text->chars : "";
}

const char *errno_name(int error)
{
	static char number[16];
	const char *name = strerrorname_np(error);

	if (name)
		return name;
	snprintf(number, sizeof(number), "E%d", error);
	return number;
}

void text_add_result(struct text *text, long long result)
{
	if (result < 0)
		text_add(text, " = -%s", errno_name((int)-result));
	else
		text_add(text, " = %lld", result);
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t nbytes)
{
	const uint8_t *byte = bytes;
	size_t i;

	for (i = 0; i < nbytes; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	return hash;
}

int read_line(const char *path, char *buffer, size_t nbytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t nread;

	if (fd < 0)
		return -errno;
	nread = read(fd, buffer, nbytes - 1);
	close(fd);
	if (nread < 0)
		return -EIO;
	buffer[nread] = '\0';
	buffer[strcspn(buffer, "\n")] = '\0';
	return 0;
}

int write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t nwritten;
	int result = 0;

	if (fd < 0)
		return -errno;
	nwritten = write(fd, line, strlen(line));
	if (nwritten != (ssize_t)strlen(line))
		result = nwritten < 0 ? -errno : -EIO;
	close(fd);
	return result;
}

int link_name(const char *path, char *name, size_t nbytes)
{
	char target[512];
	ssize_t nread = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	if (nread < 0)
		return -errno;
	target[nread] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, nbytes, "%s", slash ? slash + 1 : target);
	return 0;
}
