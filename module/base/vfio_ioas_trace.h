/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace: the tracepoints vfio_ioas:*.
 *
 * Each operation emits one event when it is over, whether it failed or not. The event includes the
 * duration, so a tracer need not match two events.
 *
 * - IOVA and lengths are in bytes; last_* is inclusive.
 * - runs: the number of pieces of physically contiguous memory.
 * - context: the id that the file "status" shows.
 * - If a map had to be alone in the IOAS (see map.c) and succeeded, its duration counts from then
 *   on.
 *
 * An event that is off costs a no-op, which the kernel patches into a jump when the event is on.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio_ioas

#if !defined(VFIO_IOAS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VFIO_IOAS_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

/* The time at which an operation began, for trace_ns(); 0 while the event is off. */
#define trace_begin(event)	(trace_##event##_enabled() ? ktime_get_ns() : 0)

#ifndef VFIO_IOAS_TRACE_NS
#define VFIO_IOAS_TRACE_NS
/* 0 if the event was switched on after the operation had begun. */
static inline u64 trace_ns(u64 begin_ns)
{
	return begin_ns ? ktime_get_ns() - begin_ns : 0;
}
#endif

TRACE_EVENT(map,
	TP_PROTO(unsigned long context, u32 ioas, unsigned long iova, unsigned long nbytes,
		 unsigned long uptr, int prot, unsigned long nruns, int error, u64 ns),
	TP_ARGS(context, ioas, iova, nbytes, uptr, prot, nruns, error, ns),
	TP_STRUCT__entry(
		__field(unsigned long, context)
		__field(u32, ioas)
		__field(int, error)
		__field(unsigned long, iova)
		__field(unsigned long, nbytes)
		__field(unsigned long, uptr)
		__field(unsigned long, nruns)
		__field(u64, ns)
		__field(int, prot)
	),
	TP_fast_assign(
		__entry->context = context;
		__entry->ioas = ioas;
		__entry->error = error;
		__entry->iova = iova;
		__entry->nbytes = nbytes;
		__entry->uptr = uptr;
		__entry->nruns = nruns;
		__entry->ns = ns;
		__entry->prot = prot;
	),
	TP_printk("context=%lu ioas=%u iova=0x%lx nbytes=%lu uptr=0x%lx prot=%s%s runs=%lu error=%d ns=%llu",
		  __entry->context, __entry->ioas, __entry->iova, __entry->nbytes,
		  __entry->uptr, __entry->prot & 1 ? "r" : "", __entry->prot & 2 ? "w" : "",
		  __entry->nruns, __entry->error, __entry->ns)
);

TRACE_EVENT(unmap,
	TP_PROTO(unsigned long context, u32 ioas, unsigned long iova, unsigned long last_iova,
		 unsigned long unmapped_nbytes, unsigned long nruns, int error, u64 ns),
	TP_ARGS(context, ioas, iova, last_iova, unmapped_nbytes, nruns, error, ns),
	TP_STRUCT__entry(
		__field(unsigned long, context)
		__field(u32, ioas)
		__field(int, error)
		__field(unsigned long, iova)
		__field(unsigned long, last_iova)
		__field(unsigned long, unmapped_nbytes)
		__field(unsigned long, nruns)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->context = context;
		__entry->ioas = ioas;
		__entry->error = error;
		__entry->iova = iova;
		__entry->last_iova = last_iova;
		__entry->unmapped_nbytes = unmapped_nbytes;
		__entry->nruns = nruns;
		__entry->ns = ns;
	),
	TP_printk("context=%lu ioas=%u iova=0x%lx last_iova=0x%lx unmapped=%lu runs=%lu error=%d ns=%llu",
		  __entry->context, __entry->ioas, __entry->iova, __entry->last_iova,
		  __entry->unmapped_nbytes, __entry->nruns, __entry->error, __entry->ns)
);

DECLARE_EVENT_CLASS(ioas_pages,
	TP_PROTO(unsigned long uptr, unsigned long npages, unsigned long nruns, int error, u64 ns),
	TP_ARGS(uptr, npages, nruns, error, ns),
	TP_STRUCT__entry(
		__field(unsigned long, uptr)
		__field(unsigned long, npages)
		__field(unsigned long, nruns)
		__field(u64, ns)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->uptr = uptr;
		__entry->npages = npages;
		__entry->nruns = nruns;
		__entry->ns = ns;
		__entry->error = error;
	),
	TP_printk("uptr=0x%lx pages=%lu runs=%lu error=%d ns=%llu", __entry->uptr,
		  __entry->npages, __entry->nruns, __entry->error, __entry->ns)
);

DEFINE_EVENT(ioas_pages, pin,
	TP_PROTO(unsigned long uptr, unsigned long npages, unsigned long nruns, int error, u64 ns),
	TP_ARGS(uptr, npages, nruns, error, ns)
);

/* Never fails. */
DEFINE_EVENT_PRINT(ioas_pages, unpin,
	TP_PROTO(unsigned long uptr, unsigned long npages, unsigned long nruns, int error, u64 ns),
	TP_ARGS(uptr, npages, nruns, error, ns),
	TP_printk("uptr=0x%lx pages=%lu runs=%lu ns=%llu", __entry->uptr, __entry->npages,
		  __entry->nruns, __entry->ns)
);

DECLARE_EVENT_CLASS(ioas_group,
	TP_PROTO(unsigned long context, u32 ioas, u32 hwpt, int group, int error, u64 ns),
	TP_ARGS(context, ioas, hwpt, group, error, ns),
	TP_STRUCT__entry(
		__field(unsigned long, context)
		__field(u32, ioas)
		__field(u32, hwpt)
		__field(int, group)
		__field(int, error)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->context = context;
		__entry->ioas = ioas;
		__entry->hwpt = hwpt;
		__entry->group = group;
		__entry->error = error;
		__entry->ns = ns;
	),
	TP_printk("context=%lu ioas=%u hwpt=%u group=%d error=%d ns=%llu", __entry->context,
		  __entry->ioas, __entry->hwpt, __entry->group, __entry->error, __entry->ns)
);

DEFINE_EVENT(ioas_group, attach,
	TP_PROTO(unsigned long context, u32 ioas, u32 hwpt, int group, int error, u64 ns),
	TP_ARGS(context, ioas, hwpt, group, error, ns)
);

/* Never fails. */
DEFINE_EVENT_PRINT(ioas_group, detach,
	TP_PROTO(unsigned long context, u32 ioas, u32 hwpt, int group, int error, u64 ns),
	TP_ARGS(context, ioas, hwpt, group, error, ns),
	TP_printk("context=%lu ioas=%u hwpt=%u group=%d ns=%llu", __entry->context,
		  __entry->ioas, __entry->hwpt, __entry->group, __entry->ns)
);

TRACE_EVENT(dirty_read,
	TP_PROTO(unsigned long context, u32 ioas, unsigned long iova, unsigned long last_iova,
		 unsigned long nareas, int error, u64 ns),
	TP_ARGS(context, ioas, iova, last_iova, nareas, error, ns),
	TP_STRUCT__entry(
		__field(unsigned long, context)
		__field(u32, ioas)
		__field(int, error)
		__field(unsigned long, iova)
		__field(unsigned long, last_iova)
		__field(unsigned long, nareas)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->context = context;
		__entry->ioas = ioas;
		__entry->error = error;
		__entry->iova = iova;
		__entry->last_iova = last_iova;
		__entry->nareas = nareas;
		__entry->ns = ns;
	),
	TP_printk("context=%lu ioas=%u iova=0x%lx last_iova=0x%lx areas=%lu error=%d ns=%llu",
		  __entry->context, __entry->ioas, __entry->iova, __entry->last_iova,
		  __entry->nareas, __entry->error, __entry->ns)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH base
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vfio_ioas_trace
#include <trace/define_trace.h>
