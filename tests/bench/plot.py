#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: plot.py JSON SVG

Draws the results of report.py: each time relative to stock type1's, and the cost of a call as the
number of existing mappings grows. The colours follow the viewer's light or dark theme.
"""

import json
import math
import sys
from xml.sax.saxutils import escape

from lines import LEVELS, SECTIONS

NAMES = {"type1": "stock type1", "iommufd": "in-tree iommufd", "ioas": "vfio_ioas"}
LIGHT = {"back": "#ffffff", "text": "#1f2328", "soft": "#59636e", "grid": "#d1d9e0",
         "type1": "#6e7781", "iommufd": "#c2410c", "ioas": "#0969da", "goal": "#1a7f37"}
DARK = {"back": "#0d1117", "text": "#e6edf3", "soft": "#9198a1", "grid": "#30363d",
        "type1": "#9198a1", "iommufd": "#f0883e", "ioas": "#58a6ff", "goal": "#3fb950"}
WIDTH, LEFT, RIGHT, ROW, GROWTH_HEIGHT = 960, 300, 900, 20, 230


def style(colours):
    rules = [f".f-{name}{{fill:{c}}} .s-{name}{{stroke:{c}}}" for name, c in colours.items()]
    return " ".join(rules)


class Drawing:
    """SVG elements, from top to bottom. The next one goes to y."""

    def __init__(self):
        self.parts = []
        self.y = 0

    def text(self, x, y, words, colour="text", anchor="start", size=12, weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="f-{colour}" '
                          f'text-anchor="{anchor}" font-size="{size}" '
                          f'font-weight="{weight}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, colour="grid", width=1.0, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'class="s-{colour}" stroke-width="{width}"{dashes}/>')

    def dot(self, x, y, backend):
        """Each backend has its own shape, for readers who do not see the colours."""
        if backend == "type1":
            shape = f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"'
        elif backend == "iommufd":
            shape = (f'<polygon points="{x:.1f},{y - 5.5:.1f} {x + 5.5:.1f},{y + 4:.1f} '
                     f'{x - 5.5:.1f},{y + 4:.1f}"')
        else:
            shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"'
        self.parts.append(f'{shape} class="f-{backend}"/>')

    def render(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y:.0f}" '
                f'width="{WIDTH}" height="{self.y:.0f}" '
                'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif">\n'
                f"<style>{style(LIGHT)}\n"
                f"@media (prefers-color-scheme: dark) {{{style(DARK)}}}</style>\n"
                f'<rect width="{WIDTH}" height="{self.y:.0f}" class="f-back"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def log_scale(low, high, begin, end):
    def place(value):
        share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return begin + share * (end - begin)
    return place


def decades(low, high):
    return [10.0 ** e for e in range(round(math.log10(low)), math.floor(math.log10(high)) + 1)]


def title(drawing, result):
    drawing.text(20, 30, f"Linux {result['kernel']}: what a VFIO container costs", size=18,
                 weight="600")
    x = 20
    for backend in result["backends"]:
        drawing.dot(x + 5, 50, backend)
        drawing.text(x + 16, 54, NAMES[backend], backend)
        x += 135
    drawing.line(x + 5, 43, x + 5, 57, "goal", 3)
    drawing.text(x + 14, 54, "goal for vfio_ioas", "goal")
    drawing.y = 70


def rows(result):
    """Headings and lines that have a ratio to stock."""
    for heading, names in SECTIONS:
        timed = [n for n in names if n in result["lines"] and result["lines"][n]["ratio"]]
        if timed:
            yield heading, None
            for name in timed:
                yield None, result["lines"][name]


def relative_limits(result):
    """Returns a power of ten below everything that is drawn, and a value above it."""
    low, high = 1.0, 2.5
    for _, line in rows(result):
        if line:
            stock = line["backends"]["type1"]["median"]
            low = min([low, 1 / line["goal"]]
                      + [s["q1"] / stock for s in line["backends"].values()])
            high = max([high] + [1.2 * s["q3"] / stock for s in line["backends"].values()])
    return 10.0 ** math.floor(math.log10(low)), high


def draw_row(drawing, line, x_of, y):
    stock = line["backends"]["type1"]["median"]
    drawing.text(LEFT - 20, y + 4, line["title"], anchor="end")
    drawing.line(LEFT, y, RIGHT, y, dash="1 3")
    if line["goal"] != 1:
        x = x_of(1 / line["goal"])
        drawing.line(x, y - 7, x, y + 7, "goal", 3)
    for backend, stats in line["backends"].items():
        drawing.line(x_of(stats["q1"] / stock), y, x_of(stats["q3"] / stock), y, backend, 3)
        drawing.dot(x_of(stats["median"] / stock), y, backend)
    drawing.text(RIGHT + 52, y + 4, f"{line['ratio']:.3g}×", "ioas", "end")


def draw_relative(drawing, result):
    low, high = relative_limits(result)
    x_of = log_scale(low, high, LEFT, RIGHT)
    top = drawing.y + 44
    drawing.text(LEFT, drawing.y + 8, "time relative to stock type1 (less is better)", "soft")
    drawing.text(RIGHT + 52, drawing.y + 8, "faster", "ioas", "end")
    y = top
    for heading, line in rows(result):
        if heading:
            y += 8
            drawing.text(20, y + 4, heading, "soft", weight="600")
        else:
            draw_row(drawing, line, x_of, y)
        y += ROW
    for value in decades(low, high):
        drawing.line(x_of(value), top - 8, x_of(value), y - 8, "soft" if value == 1 else "grid")
        drawing.text(x_of(value), top - 12, f"{value:g}", "soft", "middle", 11)
    drawing.y = y + 20


def draw_curve(drawing, points, backend):
    for begin, end in zip(points, points[1:]):
        drawing.line(*begin, *end, backend, 2)
    for x, y in points:
        drawing.dot(x, y, backend)


def draw_growth_panel(drawing, result, call, begin, end):
    lines = result["lines"]
    levels = [n for n in LEVELS if f"{call}_among_{n}" in lines]
    top, bottom = drawing.y + 30, drawing.y + GROWTH_HEIGHT
    curves = {b: [lines[f"{call}_among_{n}"]["backends"][b]["median"] / 1000 for n in levels]
              for b in result["backends"]}
    high = max(max(c) for c in curves.values()) * 1.1
    step = max(1, 2 * round(high / 10))

    def y_of(value):
        return bottom - value / high * (bottom - top)

    x_of = log_scale(levels[0], levels[-1] * 1.01, begin + 15, end - 15)
    drawing.text(begin, drawing.y + 14, f"{call} 4 KiB: µs a call, by existing mappings", "soft",
                 weight="600")
    for value in range(0, int(high) + 1, step):
        drawing.line(begin, y_of(value), end, y_of(value))
        drawing.text(begin - 8, y_of(value) + 4, str(value), "soft", "end", 11)
    for level in levels:
        drawing.text(x_of(level), bottom + 18, f"{level:,}", "soft", "middle", 11)
    for backend, curve in curves.items():
        draw_curve(drawing, [(x_of(n), y_of(v)) for n, v in zip(levels, curve)], backend)


def draw_growth(drawing, result):
    if f"map_among_{LEVELS[1]}" not in result["lines"]:
        return
    draw_growth_panel(drawing, result, "map", 60, 460)
    draw_growth_panel(drawing, result, "unmap", 530, 930)
    drawing.y += GROWTH_HEIGHT + 40


def main():
    json_path, svg_path = sys.argv[1:]
    with open(json_path, encoding="utf-8") as file:
        result = json.load(file)
    drawing = Drawing()
    title(drawing, result)
    draw_relative(drawing, result)
    draw_growth(drawing, result)
    with open(svg_path, "w", encoding="utf-8") as file:
        file.write(drawing.render())


if __name__ == "__main__":
    main()
