# SPDX-License-Identifier: GPL-2.0-only
"""Finds the programs of the unit tests that execute a line, so that only programs that can notice a
mutation have to run.
"""
import json
import os
import re
import subprocess

FLAGS = "--coverage -O0"


class Lines:
    def __init__(self, programs_of):
        self.programs_of = programs_of		# from "file:line" to the names of programs

    def programs(self, mutation, text):
        """Returns the programs that execute any of the changed statements."""
        able = set()
        for first, end, _ in mutation.changes:
            # gcov counts a statement in only one of its lines.
            begin = max(text.rfind(mark, 0, first) for mark in ";{}") + 1
            behind = re.compile(r"[;{}]").search(text, end)
            last = text.count("\n", 0, behind.start() if behind else end) + 1
            for line in range(text.count("\n", 0, begin) + 1, last + 1):
                able |= set(self.programs_of.get(f"{mutation.file}:{line}", ()))
        return able


def read(directory, programs_of, program):
    objects = [str(path) for path in sorted(directory.glob("*.gcda"))]
    output = subprocess.run(["gcov", "--json-format", "--stdout", *objects], cwd=directory,
                            capture_output=True, check=True).stdout
    for report in output.splitlines():
        for file in json.loads(report)["files"] if report else ():
            for line in file["lines"]:
                if line["count"]:
                    name = f"{os.path.normpath(file['file'])}:{line['line_number']}"
                    programs_of.setdefault(name, set()).add(program)


def lines(worker, programs):
    """Returns the programs that execute each line, for Lines. Compiles the programs with counters,
    and runs each in its environment."""
    found = {}
    directory = worker.tree / "build" / "counting"
    worker.must("make", "-s", "unit", f"UNIT_DIR={directory}/unit", f"UNIT_OBJ_DIR={directory}/obj",
                f"UNIT_SANITIZE={FLAGS}", "UNIT_FAST=")
    for program, environment in sorted(programs.items()):
        for counts in (directory / "obj").glob("*.gcda"):
            counts.unlink()
        # A process that ends without exit() loses its counts.
        worker.run([directory / "unit" / program], 900, CK_VERBOSITY="silent", **environment)
        read(directory / "obj", found, program)
    return {line: sorted(names) for line, names in found.items()}
