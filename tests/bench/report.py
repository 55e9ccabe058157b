#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: report.py RELEASE UNIT SAMPLES JSON

Reads the output of bench, writes the statistics as JSON and prints them as a table. UNIT is the
unit of the guest's clock. There are goals only for ns.
"""

import json
import statistics
import sys

from lines import LINES, SECTIONS


def read_samples(path):
    """Returns the backends in order, and the samples by line and backend."""
    backends, samples = [], {}
    with open(path, encoding="utf-8") as file:
        for words in map(str.split, file):
            if words[:1] == ["backend"]:
                backends.append(words[1])
            elif words[:1] == ["sample"]:
                _, line, backend, value = words
                samples.setdefault(line, {}).setdefault(backend, []).append(float(value))
    return backends, samples


def summary(values):
    """The method "inclusive" gives sensible quartiles even for five samples."""
    if len(values) > 1:
        q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    else:
        q1 = median = q3 = values[0]
    return {"min": min(values), "q1": q1, "median": median, "q3": q3, "max": max(values),
            "samples": values}


def judge(line, stats):
    """Returns the ratio to stock, or None where it means nothing, and whether the goal is met.

    A goal of 1 says only that stock must not be faster. If stock is faster, but the quartiles of
    both overlap, the result is open: None.
    """
    ours, stock = stats["ioas"]["median"], stats["type1"]["median"]
    ratio = stock / ours if line.kind == "ratio" and ours else None
    if line.goal is None:
        return ratio, None
    met = {"ratio": lambda: ratio >= line.goal,
           "most": lambda: ours <= line.goal,
           "least": lambda: ours >= line.goal}[line.kind]()
    if line.goal == 1 and not met and stats["ioas"]["q1"] <= stats["type1"]["q3"]:
        met = None
    return ratio, met


def evaluate(release, unit, backends, samples):
    lines = {}
    for name, line in LINES.items():
        if name not in samples:
            continue
        if unit != "ns":
            line = line._replace(unit=line.unit.replace("ns/", f"{unit}/"), goal=None)
        # Not every backend has every line.
        by_backend = {b: summary(samples[name][b]) for b in backends if b in samples[name]}
        ratio, met = judge(line, by_backend)
        lines[name] = {"title": line.title, "unit": line.unit, "kind": line.kind,
                       "goal": line.goal, "ratio": ratio, "met": met, "backends": by_backend}
    return {"kernel": release, "backends": backends, "lines": lines}


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 10 else f"{value:.1f}"


def spread(stats):
    """Half the distance between the quartiles, in per cent of the median."""
    return f"±{50 * (stats['q3'] - stats['q1']) / stats['median']:.0f}%" if stats["median"] else ""


def goal_text(line):
    if line["goal"] is None:
        return ""
    sign = "≤" if line["kind"] == "most" else "≥"
    return f"{sign} {line['goal']:g}"


def print_table(result):
    backends = result["backends"]
    print(f"\nLinux {result['kernel']}: medians of {rounds_text(result)} rounds, "
          "with half the distance between the quartiles")
    print(f"{'':38} {'':11}" + "".join(f"{b:>16}" for b in backends)
          + f"{'type1 / ours':>14}{'goal':>9}")
    for heading, names in SECTIONS:
        present = [n for n in names if n in result["lines"]]
        if present:
            print(heading)
        for name in present:
            print_line(result["lines"][name], backends)
    lines = [line for line in result["lines"].values() if line["met"] is not None]
    if lines:
        print(f"\n{sum(line['met'] for line in lines)} of {len(lines)} goals are met.")


def rounds_text(result):
    counts = sorted({len(stats["samples"]) for line in result["lines"].values()
                     for stats in line["backends"].values()})
    return " or ".join(map(str, counts))


def print_line(line, backends):
    cells = ""
    for backend in backends:
        stats = line["backends"].get(backend)
        cells += f"{number(stats['median']):>10} {spread(stats):>5}" if stats else f"{'-':>16}"
    ratio = f"{line['ratio']:.2f}" if line["ratio"] else ""
    verdict = {True: "met", False: "NOT MET",
               None: "no difference" if line["goal"] else ""}[line["met"]]
    print(f"  {line['title']:36} {line['unit']:11}{cells}{ratio:>14}{goal_text(line):>9}  {verdict}"
          .rstrip())


def main():
    release, unit, samples_path, json_path = sys.argv[1:]
    backends, samples = read_samples(samples_path)
    unknown = sorted(set(samples) - set(LINES))
    if unknown or not samples:
        sys.exit(f"report.py: {samples_path}: "
                 + (f"lines.py does not know {', '.join(unknown)}" if unknown else "no samples"))
    result = evaluate(release, unit, backends, samples)
    with open(json_path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    print_table(result)


if __name__ == "__main__":
    main()
