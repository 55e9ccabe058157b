// SPDX-License-Identifier: GPL-2.0-only
/* modules.c - loads, unloads and restores the modules of the backends */
#define _GNU_SOURCE
#include "modules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/program.h"
#include "lib/text.h"
#include "system/ours.h"

#define MAX_PARAMS	4
#define UNLOAD_TRIES	200
#define UNLOAD_DELAY_US	10000

const char *const backend_modules[NBACKENDS] = {
	[STOCK] = STOCK_MODULE,
	[OURS] = OUR_MODULE,
};

const char *our_module_file;

static const char *const param_names[NBACKENDS][MAX_PARAMS] = {
	[STOCK] = { "allow_unsafe_interrupts", "disable_hugepages",
		    "dma_entry_limit" },
	[OURS] = { "allow_unsafe_interrupts", "disable_hugepages",
		   "dma_entry_limit", "serve" },
};

static struct {
	bool loaded;
	char params[MAX_PARAMS][32];	/* "": unknown */
} saved[NBACKENDS];

long module_users(enum backend backend)
{
	char path[96];
	char number[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt",
		 backend_modules[backend]);
	return read_line(path, number, sizeof(number)) ? -1 : atol(number);
}

bool module_loaded(enum backend backend)
{
	return module_users(backend) >= 0;
}

static void param_path(enum backend backend, const char *name, char *path,
		       size_t nbytes)
{
	snprintf(path, nbytes, "/sys/module/%s/parameters/%s",
		 backend_modules[backend], name);
}

int param_get(enum backend backend, const char *name, char *value, size_t nbytes)
{
	char path[128];

	param_path(backend, name, path, sizeof(path));
	return read_line(path, value, nbytes);
}

int param_set(enum backend backend, const char *name, const char *value)
{
	char path[128];

	param_path(backend, name, path, sizeof(path));
	return write_line(path, value);
}

static void params_save(enum backend backend)
{
	unsigned int i;

	for (i = 0; i < MAX_PARAMS && param_names[backend][i]; i++)
		if (param_get(backend, param_names[backend][i],
			      saved[backend].params[i],
			      sizeof(saved[backend].params[i])))
			saved[backend].params[i][0] = '\0';
}

void modules_save(void)
{
	enum backend backend;

	for (backend = 0; backend < NBACKENDS; backend++) {
		saved[backend].loaded = module_loaded(backend);
		params_save(backend);
	}
}

void params_warn(void)
{
	unsigned int i;

	/* The last names are of parameters that only ours has. */
	for (i = 0; i < MAX_PARAMS && param_names[STOCK][i]; i++) {
		const char *stock = saved[STOCK].params[i];
		const char *ours = saved[OURS].params[i];

		if (*stock && *ours && strcmp(stock, ours))
			fprintf(stderr, "vfio-ioas: %s is %s for %s, %s for %s; calls may differ\n",
				param_names[STOCK][i], stock,
				backend_modules[STOCK], ours,
				backend_modules[OURS]);
	}
}

void params_restore(enum backend backend)
{
	unsigned int i;

	for (i = 0; i < MAX_PARAMS && param_names[backend][i]; i++)
		if (saved[backend].params[i][0])
			param_set(backend, param_names[backend][i],
				  saved[backend].params[i]);
}

static bool insert_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	long result = fd < 0 ? -1 : syscall(SYS_finit_module, fd, "", 0);

	if (result)
		fprintf(stderr, "vfio-ioas: %s: %s\n", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return result == 0;
}

static bool modprobe(const char *name)
{
	const char *const words[] = { "modprobe", name, NULL };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		program_execute(words);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "vfio-ioas: modprobe %s failed\n", name);
		return false;
	}
	return true;
}

static bool load(enum backend backend)
{
	if (module_loaded(backend))
		return true;
	if (backend == OURS && our_module_file) {
		if (!insert_file(our_module_file))
			return false;
	} else if (!modprobe(backend_modules[backend])) {
		return false;
	}
	if (saved[backend].loaded)
		params_restore(backend);
	else
		params_save(backend);
	return true;
}

/* Retries: the files of a process are closed a moment after it has ended. */
static bool unload(enum backend backend)
{
	const char *name = backend_modules[backend];
	unsigned int tries = UNLOAD_TRIES;

	if (!module_loaded(backend))
		return true;
	while (syscall(SYS_delete_module, name, O_NONBLOCK)) {
		if ((errno != EAGAIN && errno != EBUSY) || !--tries) {
			fprintf(stderr, "vfio-ioas: %s cannot be unloaded: %s (%ld users)\n",
				name, strerror(errno), module_users(backend));
			return false;
		}
		usleep(UNLOAD_DELAY_US);
	}
	return true;
}

bool modules_have_both(void)
{
	char serve[32] = "";
	enum backend backend;

	for (backend = 0; backend < NBACKENDS; backend++) {
		if (module_loaded(backend))
			continue;
		fprintf(stderr, "vfio-ioas: %s is not loaded; load it, or use --exclusive\n",
			backend_modules[backend]);
		return false;
	}
	if (param_get(OURS, "serve", serve, sizeof(serve)) ||
	    strcmp(serve, "node") == 0)
		return true;
	fprintf(stderr, "vfio-ioas: serve is %s; set it to node, or use --exclusive\n",
		serve);
	return false;
}

bool modules_have_only(enum backend backend)
{
	enum backend other = backend == OURS ? STOCK : OURS;

	if (!unload(other) || !load(backend))
		return false;
	if (module_loaded(other)) {
		fprintf(stderr, "vfio-ioas: %s was loaded again by another program\n",
			backend_modules[other]);
		return false;
	}
	if (backend == OURS)
		param_set(OURS, "serve", "node");
	return true;
}

bool modules_restore(void)
{
	enum backend backend;
	bool restored = true;

	for (backend = 0; backend < NBACKENDS; backend++) {
		if (saved[backend].loaded)
			restored = load(backend) && restored;
		else
			restored = unload(backend) && restored;
		params_restore(backend);
	}
	return restored;
}
