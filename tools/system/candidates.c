// SPDX-License-Identifier: GPL-2.0-only
/* candidates.c - the processes of the system, in the order of examination */
#define _GNU_SOURCE
#include "candidates.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/allocate.h"
#include "lib/errand.h"
#include "nodes.h"

#define MAX_OWNERS	64

enum rank { RANK_ROOT, RANK_OWNER, RANK_OTHER };

bool read_head(const char *path, char *buffer, size_t nbytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t nread;

	if (fd < 0)
		return false;
	nread = read(fd, buffer, nbytes - 1);
	close(fd);
	buffer[nread < 0 ? 0 : nread] = '\0';
	return nread > 0;
}

/* --- order */

static int compare_numbers(unsigned long long left, unsigned long long right)
{
	return left < right ? -1 : left > right;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	int order = compare_numbers(left->rank, right->rank);

	if (!order)
		order = compare_numbers(left->uid, right->uid);
	if (!order)
		order = compare_numbers(left->ntable, right->ntable);
	return order ? order : compare_numbers((unsigned int)left->pid, (unsigned int)right->pid);
}

static enum rank rank_of(uid_t uid, const uid_t *owners, unsigned int nowners)
{
	unsigned int i;

	if (!uid)
		return RANK_ROOT;
	for (i = 0; i < nowners; i++)
		if (owners[i] == uid)
			return RANK_OWNER;
	return RANK_OTHER;
}

void candidates_order(struct candidate *list, unsigned int ncandidates, const uid_t *owners,
		      unsigned int nowners)
{
	unsigned int i;

	if (!ncandidates)
		return;
	for (i = 0; i < ncandidates; i++)
		list[i].rank = rank_of(list[i].uid, owners, nowners);
	qsort(list, ncandidates, sizeof(*list), compare_candidates);
}

/* --- turns */

/* A user's candidates: the next one, and the end (exclusive). */
struct queue {
	unsigned int next;
	unsigned int end;
};

static unsigned int end_of_user(const struct candidate *list, unsigned int ncandidates,
				unsigned int first)
{
	unsigned int i = first + 1;

	while (i < ncandidates && list[i].rank == list[first].rank &&
	       list[i].uid == list[first].uid)
		i++;
	return i;
}

/* Makes queues for the rank that begins at first. Returns the start of the next rank. */
static unsigned int make_queues(struct queue *queues, unsigned int *nqueues,
				const struct candidate *list, unsigned int ncandidates,
				unsigned int first)
{
	unsigned int next, end;

	*nqueues = 0;
	for (next = first; next < ncandidates && list[next].rank == list[first].rank; next = end) {
		end = end_of_user(list, ncandidates, next);
		queues[(*nqueues)++] = (struct queue){ next, end };
	}
	return next;
}

static void take_turn(struct queue *queue, deadline_t deadline, candidate_fn look, void *argument)
{
	deadline_t turn = deadline_in(CANDIDATES_TURN_MS);

	if (turn > deadline)
		turn = deadline;
	while (queue->next < queue->end && !deadline_is_over(turn))
		if (look(queue->next, turn, argument))
			queue->next++;
}

/* In each round every user gets a turn. A user whose candidates are done leaves the queue. */
static bool visit_rank(struct queue *queues, unsigned int nqueues, deadline_t deadline,
		       candidate_fn look, void *argument)
{
	unsigned int nleft, i;

	for (; nqueues; nqueues = nleft) {
		nleft = 0;
		for (i = 0; i < nqueues; i++) {
			if (deadline_is_over(deadline))
				return false;
			take_turn(&queues[i], deadline, look, argument);
			if (queues[i].next < queues[i].end)
				queues[nleft++] = queues[i];
		}
	}
	return true;
}

bool candidates_visit(const struct candidate *list, unsigned int ncandidates, deadline_t deadline,
		      candidate_fn look, void *argument)
{
	struct queue *queues = allocate(ncandidates + 1, sizeof(*queues));
	unsigned int first = 0, nqueues;
	bool all = true;

	while (all && first < ncandidates) {
		first = make_queues(queues, &nqueues, list, ncandidates, first);
		all = visit_rank(queues, nqueues, deadline, look, argument);
	}
	free(queues);
	return all;
}

/* --- finding */

/* Owners of group nodes: an owner can open the group. */
struct owners {
	unsigned int n;
	uid_t uids[MAX_OWNERS];
};

/* An errand_fn: a user who holds the lock of the directory can make it wait. */
static void find_owners(const void *unused, int output)
{
	struct owners owners = { 0 };
	DIR *nodes = opendir(NODE_DIR);
	struct dirent *entry;
	struct stat st;

	(void)unused;
	while (nodes && owners.n < MAX_OWNERS && (entry = readdir(nodes)))
		if (entry->d_name[0] != '.' && !fstatat(dirfd(nodes), entry->d_name, &st,
							AT_SYMLINK_NOFOLLOW) &&
		    rank_of(st.st_uid, owners.uids, owners.n) == RANK_OTHER)
			owners.uids[owners.n++] = st.st_uid;
	if (write(output, &owners, sizeof(owners)) != sizeof(owners))
		_exit(EXIT_NOT_RUN);
}

/* Uses the real user id: any user can start a setuid program. */
static bool get_candidate(struct candidate *candidate, const char *pid)
{
	const char *uid, *ntable;
	char path[64], text[2048];

	*candidate = (struct candidate){ .pid = atoi(pid) };
	snprintf(path, sizeof(path), "/proc/%d/status", (int)candidate->pid);
	if (!read_head(path, text, sizeof(text)))
		return false;
	/* A program's name cannot contain a newline there. */
	uid = strstr(text, "\nUid:");
	ntable = strstr(text, "\nFDSize:");
	if (!uid || !ntable)
		return false;
	candidate->uid = (uid_t)strtoul(uid + strlen("\nUid:"), NULL, 10);
	candidate->ntable = strtoul(ntable + strlen("\nFDSize:"), NULL, 10);
	return true;
}

static void find_all(struct candidates *candidates, DIR *processes, deadline_t deadline)
{
	unsigned int n = 0;
	struct dirent *entry;

	while ((entry = readdir(processes))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		candidates->late = deadline_is_over(deadline);
		if (candidates->late)
			break;
		candidates->list = grow(candidates->list, n, sizeof(*candidates->list));
		n += get_candidate(&candidates->list[n], entry->d_name);
	}
	candidates->ncandidates = n;
}

/* If the owners cannot be read, all processes are found, but in another order. */
void candidates_find(struct candidates *candidates, deadline_t deadline)
{
	struct owners owners = { 0 };
	struct errand errand;
	bool is_begun = errand_begin(&errand, find_owners, NULL);
	DIR *processes = opendir("/proc");

	*candidates = (struct candidates){ .denied = !processes };
	if (processes) {
		find_all(candidates, processes, deadline);
		closedir(processes);
	}
	if (is_begun && errand_read(&errand, &owners, sizeof(owners), deadline))
		errand_end(&errand);
	else if (is_begun)
		errand_give_up(&errand);
	candidates_order(candidates->list, candidates->ncandidates, owners.uids, owners.n);
}

void candidates_free(struct candidates *candidates)
{
	free(candidates->list);
	*candidates = (struct candidates){ 0 };
}
