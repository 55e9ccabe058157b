# SPDX-License-Identifier: GPL-2.0-only
"""The lines of the table: a title for each name that bench prints, and its goal.

A goal is a number and a kind:

    ratio    stock type1's median divided by ours is at least the number

    most     our median is at most the number

    least    our median is at least the number
"""

from collections import namedtuple

Line = namedtuple("Line", "title unit kind goal")


def ratio(title, unit, goal=1.0):
    return Line(title, unit, "ratio", goal)


def shown(title, unit):
    return Line(title, unit, None, None)


def most(title, unit, goal):
    return Line(title, unit, "most", goal)


def least(title, unit, goal):
    return Line(title, unit, "least", goal)


LEVELS = (1000, 10000, 100000, 1000000)

# Pairs (heading, lines), in the order of the table.
SECTIONS = [
    ("256 MiB in one call, prefaulted", {
        "map_small": ratio("map 4 KiB pages, in order", "ns/page", 2.2),
        "unmap_small": ratio("unmap 4 KiB pages, in order", "ns/page", 3.8),
        "map_near": ratio("map 4 KiB pages, no two adjacent", "ns/page"),
        "unmap_near": ratio("unmap 4 KiB pages, no two adjacent", "ns/page"),
        "map_scattered": ratio("map 4 KiB pages, all over", "ns/page"),
        "unmap_scattered": ratio("unmap 4 KiB pages, all over", "ns/page"),
        "map_huge": ratio("map huge pages", "ns/4 KiB", 6.5),
        "unmap_huge": ratio("unmap huge pages", "ns/4 KiB", 400),
    }),
    ("64 MiB in one call, cold", {
        "map_cold_small": ratio("map 4 KiB pages", "ns/page"),
        "map_cold_huge": ratio("map huge pages", "ns/4 KiB"),
    }),
    ("4 KiB in a call, 16,384 of them", {
        "map_call": ratio("map", "ns/call", 1.7),
        "unmap_call": ratio("unmap", "ns/call", 1.3),
        "unmap_all": ratio("unmap all in one call", "ns/map", 1.35),
    }),
    ("4 KiB in a call, among existing mappings", {
        **{f"map_among_{n}": ratio(f"map among {n:,}", "ns/call") for n in LEVELS},
        **{f"unmap_among_{n}": ratio(f"unmap among {n:,}", "ns/call") for n in LEVELS},
        "unmap_all_of_many": ratio("unmap all of them in one call", "ns/map"),
    }),
    ("Two threads in one container", {
        "threads_bulk_1": ratio("128 MiB of 4 KiB pages: one thread", "ns/page"),
        "threads_bulk_2": ratio("128 MiB of 4 KiB pages: two", "ns/page"),
        "threads_bulk_speedup": least("128 MiB of 4 KiB pages: speedup", "of 2", 1.7),
        "threads_calls_1": ratio("4 KiB in a call: one thread", "ns/pair"),
        "threads_calls_2": ratio("4 KiB in a call: two", "ns/pair"),
        "threads_calls_speedup": least("4 KiB in a call: speedup", "of 2", 1.7),
        "threads_bulk_host": shown("sharing nothing, beside the first", "times"),
        "threads_calls_host": shown("sharing nothing, beside the second", "times"),
    }),
    ("Dirty tracking beside a device that may write to anything", {
        "dirty_start": ratio("start and stop, 256 MiB mapped at once", "ns/call"),
        "dirty_large": ratio("report of 256 MiB mapped at once", "ns/4 KiB"),
        "dirty_small": ratio("report of 4,096 mappings of 4 KiB", "ns/map"),
        "dirty_empty": ratio("report of 256 GiB with one of 4 KiB", "ns/call"),
    }),
    ("Kernel memory", {
        "storage_scattered": most("without page tables: scattered", "B/4 KiB", 8.5),
        "storage_huge": most("without page tables: huge pages", "B/2 MiB", 16),
        "all_memory_scattered": shown("all: scattered", "B/4 KiB"),
        "all_memory_huge": shown("all: huge pages", "B/2 MiB"),
        "bytes_a_mapping": shown("without page tables: a 4 KiB mapping", "B/map"),
    }),
]

LINES = {name: line for _, lines in SECTIONS for name, line in lines.items()}
