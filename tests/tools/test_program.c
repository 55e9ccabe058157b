// SPDX-License-Identifier: GPL-2.0-only
/* Programs of the system are taken from its own directories, whatever the environment says. */
#define _GNU_SOURCE
#include "../unit/lib_run.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/program.h"

unsigned long run_seed;

/* Puts a program of this name first on PATH. */
static void put_on_path(const char *dir, const char *name)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\necho it is run\n");
	fclose(file);
	ck_assert_int_eq(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir);
	setenv("PATH", path, 1);
}

START_TEST(a_program_on_the_path_is_not_run)
{
	static const char *const known[] = { "true", NULL };
	static const char *const unknown[] = { "no-such-program", NULL };
	char dir[] = "/tmp/program-XXXXXX", path[PATH_MAX];
	struct text said = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(dir));
	put_on_path(dir, "true");
	put_on_path(dir, "no-such-program");
	ck_assert(program_run(known, &said));
	ck_assert_str_eq(text_chars(&said), "");
	ck_assert(!program_run(unknown, &said));
	ck_assert_str_eq(text_chars(&said), "no-such-program: No such file or directory");
	text_free(&said);
	snprintf(path, sizeof(path), "%s/true", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/no-such-program", dir);
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(a_program_gets_none_of_our_environment)
{
	static const char *const words[] = { "env", NULL };
	struct text said = { 0 };

	setenv("MODPROBE_OPTIONS", "--dirname /tmp", 1);
	setenv("LD_LIBRARY_PATH", "/tmp", 1);
	ck_assert(program_run(words, &said));
	ck_assert_str_eq(text_chars(&said), "PATH=/usr/sbin:/sbin:/usr/bin:/bin\nLC_ALL=C");
	text_free(&said);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_said)
{
	static const char *const words[] = { "no-such-program", "argument", NULL };
	struct text said = { 0 };

	ck_assert(!program_run(words, &said));
	ck_assert_ptr_nonnull(strstr(text_chars(&said), "no-such-program: No such file"));
	text_free(&said);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program");
	TCase *tcase = tcase_create("program");

	tcase_add_test(tcase, a_program_on_the_path_is_not_run);
	tcase_add_test(tcase, a_program_gets_none_of_our_environment);
	tcase_add_test(tcase, a_program_that_is_not_there_is_said);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
