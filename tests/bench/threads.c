// SPDX-License-Identifier: GPL-2.0-only
/*
 * threads.c - two threads map and unmap different ranges of one container
 *
 * Each of two threads does the same work, on its own CPU, as one thread alone.
 * The speedup is the throughput of two divided by that of one: 2 is perfect, 1
 * means that they waited for each other all the time. The host may not have
 * two CPUs free. So threads that share nothing run in between, and their
 * speedup counts as 2. Other load of a host comes in bursts, so the best of
 * several short attempts counts.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <sys/param.h>

#define NTHREADS	2U
#define NREPEATS	2U
#define NCALLS		2048U
#define NSYSTEM_CALLS	25000U
#define NATTEMPTS	12U

struct worker;

struct job {
	const char *line;
	void (*work)(const struct worker *worker);
	uint64_t count;		/* units of work of one thread */
};

struct worker {
	const struct session *session;
	const struct job *job;
	pthread_barrier_t *start;
	pthread_t thread;
	unsigned int number;
	const uint8_t *memory;
	uint64_t iova;
	uint64_t start_ns, end_ns;
};

static uint8_t *memory;

static void set_up(void)
{
	memory = mem_alloc_interleaved(bulk_nbytes);
}

static void tear_down(void)
{
	mem_free(memory, bulk_nbytes);
}

static void work_in_bulk(const struct worker *worker)
{
	unsigned int i;

	for (i = 0; i < NREPEATS; i++) {
		map(worker->session, worker->iova, worker->memory,
		    bulk_nbytes / NTHREADS);
		unmap(worker->session, worker->iova, bulk_nbytes / NTHREADS);
	}
}

static void work_in_calls(const struct worker *worker)
{
	unsigned int i;

	for (i = 0; i < NCALLS; i++)
		map(worker->session, worker->iova + 2 * i * PAGE,
		    worker->memory + i * PAGE, PAGE);
	for (i = 0; i < NCALLS; i++)
		unmap(worker->session, worker->iova + 2 * i * PAGE, PAGE);
}

static void work_alone(const struct worker *worker)
{
	unsigned int i;

	for (i = 0; i < NSYSTEM_CALLS; i++)
		require_true(fcntl(worker->session->container, F_GETFD) >= 0);
}

static void *run_worker(void *arg)
{
	struct worker *worker = arg;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(worker->number, &cpu);
	require_eq(or_errno(sched_setaffinity(0, sizeof(cpu), &cpu)), 0);
	pthread_barrier_wait(worker->start);
	worker->start_ns = now_ns();
	worker->job->work(worker);
	worker->end_ns = now_ns();
	return NULL;
}

/* Returns the time from the first start of a thread to the last end. */
static uint64_t time_threads(const struct session *session,
			     const struct job *job, unsigned int nthreads)
{
	struct worker workers[NTHREADS];
	uint64_t start_ns = UINT64_MAX, end_ns = 0;
	pthread_barrier_t start;
	unsigned int i;

	pthread_barrier_init(&start, NULL, nthreads);
	for (i = 0; i < nthreads; i++) {
		workers[i] = (struct worker){
			.session = session,
			.job = job,
			.start = &start,
			.number = i,
			.memory = memory + i * (bulk_nbytes / NTHREADS),
			.iova = IOVA + i * bulk_nbytes,
		};
		require_eq(pthread_create(&workers[i].thread, NULL, run_worker,
					  &workers[i]), 0);
	}
	for (i = 0; i < nthreads; i++) {
		require_eq(pthread_join(workers[i].thread, NULL), 0);
		if (workers[i].start_ns < start_ns)
			start_ns = workers[i].start_ns;
		if (workers[i].end_ns > end_ns)
			end_ns = workers[i].end_ns;
	}
	pthread_barrier_destroy(&start);
	return end_ns - start_ns;
}

/* The best times of one and of two threads. */
struct times {
	uint64_t one_ns, two_ns;
};

static void attempt(struct times *best, const struct session *session,
		    const struct job *job)
{
	best->one_ns = MIN(best->one_ns, time_threads(session, job, 1));
	best->two_ns = MIN(best->two_ns, time_threads(session, job, NTHREADS));
}

static double speedup(const struct times *times)
{
	return (double)(NTHREADS * times->one_ns) / (double)times->two_ns;
}

static void run_job(const struct session *session, const struct job *job)
{
	const struct job nothing_shared = {
		.work = work_alone,
		.count = NSYSTEM_CALLS,
	};
	struct times ours = { UINT64_MAX, UINT64_MAX }, host = ours;
	unsigned int i;
	char line[64];

	for (i = 0; i < NATTEMPTS; i++) {
		attempt(&ours, session, job);
		attempt(&host, session, &nothing_shared);
	}
	snprintf(line, sizeof(line), "%s_1", job->line);
	sample_ns(session, line, ours.one_ns, job->count);
	snprintf(line, sizeof(line), "%s_2", job->line);
	sample_ns(session, line, ours.two_ns, NTHREADS * job->count);
	snprintf(line, sizeof(line), "%s_host", job->line);
	sample(session, line, speedup(&host));
	snprintf(line, sizeof(line), "%s_speedup", job->line);
	sample(session, line, NTHREADS * speedup(&ours) / speedup(&host));
}

static void run(const struct session *session)
{
	const struct job jobs[] = {
		{ "threads_bulk", work_in_bulk,
		  NREPEATS * (bulk_nbytes / NTHREADS / PAGE) },
		{ "threads_calls", work_in_calls, NCALLS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		run_job(session, &jobs[i]);
}

const struct suite threads_suite = {
	.name = "threads",
	.set_up = set_up,
	.run = run,
	.tear_down = tear_down,
	.takes_long = true,
};
