// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib_module.c - the module under test: users, parameters, load and unload
 */
#define _GNU_SOURCE
#include "lib.h"

#include <stdatomic.h>
#include <sys/syscall.h>

#define MAX_SAVED	16

/* The value of a parameter before a test changed it. */
struct saved {
	char module[32];
	char name[32];
	char text[32];
};

/* Shared with the tests, which may die before they restore anything. */
struct saved_list {
	atomic_int nsaved;
	struct saved saved[MAX_SAVED];
};

static struct saved_list *list;

const char *vfio_node(void)
{
	const char *node = getenv("VFIO_NODE");

	return node ? node : IOAS_NODE;
}

bool backend_is_ioas(void)
{
	const char *backend = getenv("BACKEND");

	if (backend)
		return strcmp(backend, "type1") != 0;
	return strcmp(vfio_node(), STOCK_NODE) != 0;
}

const char *backend_module(void)
{
	return backend_is_ioas() ? IOAS_MODULE : TYPE1_MODULE;
}

bool module_loaded(const char *name)
{
	return module_refcnt(name) >= 0;
}

long module_refcnt(const char *name)
{
	char path[96];
	char text[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return read_text(path, text, sizeof(text)) ? -1 : atol(text);
}

int module_insert(const char *file, const char *parameters)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0) < 0)
		result = -errno;
	close(fd);
	return result;
}

int module_unload(const char *name)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int module_probe(const char *name)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(nowhere, STDERR_FILENO);
		execlp("modprobe", "modprobe", name, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void param_path(const char *module, const char *name, char *path,
		       size_t nbytes)
{
	snprintf(path, nbytes, "/sys/module/%s/parameters/%s", module, name);
}

int param_get(const char *module, const char *name, char *text, size_t nbytes)
{
	char path[128];

	param_path(module, name, path, sizeof(path));
	return read_text(path, text, nbytes);
}

int param_try_set(const char *module, const char *name, const char *text)
{
	char path[128];

	param_path(module, name, path, sizeof(path));
	return write_text(path, text);
}

void param_set(const char *module, const char *name, const char *text)
{
	int index = atomic_fetch_add(&list->nsaved, 1);
	struct saved *saved;

	require_true(index < MAX_SAVED);
	saved = &list->saved[index];
	require_eq(param_get(module, name, saved->text, sizeof(saved->text)),
		   0);
	snprintf(saved->name, sizeof(saved->name), "%s", name);
	snprintf(saved->module, sizeof(saved->module), "%s", module);
	require_eq(param_try_set(module, name, text), 0);
}

void params_init(void)
{
	list = mmap(NULL, sizeof(*list), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (list == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
}

void params_restore(void)
{
	int index;

	for (index = atomic_load(&list->nsaved); index-- > 0;) {
		const struct saved *saved = &list->saved[index];

		if (index < MAX_SAVED && saved->module[0])
			param_try_set(saved->module, saved->name, saved->text);
	}
	memset(list, 0, sizeof(*list));
}

void require_unsafe_machine(void)
{
	char line[4096];

	require_eq(read_text("/proc/cmdline", line, sizeof(line)), 0);
	if (!strstr(line, "intremap=off"))
		skip("this machine remaps interrupts");
}
