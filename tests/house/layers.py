#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: tests/house/layers.py BUILD_DIR [TOOLS_DIR]

Do all calls and includes go down? Does scripts/layers notice one that does not? BUILD_DIR has the
objects of the module, as build/6.12 does, and TOOLS_DIR those of the tools (default: build/obj).
Prints TAP.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("module", "compat", "tools", "uapi")


class House:
    """A copy of the sources and objects, to break rules in."""

    def __init__(self, top, build, tools):
        self.top = Path(top)
        self.build = self.top / "objects"
        for folder in FOLDERS:
            shutil.copytree(TOP / folder, self.top / folder)
        (self.top / "scripts").mkdir()
        for name in ("layers", "floors"):
            shutil.copy(TOP / "scripts" / name, self.top / "scripts" / name)
        for objects, folder in ((build, "module"), (build, "compat"), (tools, "tools")):
            for path in (objects / folder).rglob("*.o"):
                if not path.name.startswith("."):
                    copy = self.build / path.relative_to(objects)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, copy)

    def layers(self):
        done = subprocess.run(["scripts/layers", self.build, self.build], cwd=self.top, text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def compile(self, name, text):
        """Makes an object from another text than its source file."""
        command = ["cc", "-x", "c", "-w", "-c", "-o", self.build / name, "-"]
        subprocess.run(command, input=text, text=True, check=True)

    def append(self, name, text):
        with open(self.top / name, "a", encoding="utf-8") as file:
            file.write(text)


def call_upward(house):
    house.compile("module/base/load.o", "void ioas_refresh(void); void f(void) { ioas_refresh(); }")
    return "module/base/load.c", "ioas_refresh", "module/space/"


def include_upward(house):
    house.append("module/memory/pin.h", '#include "domain/group.h"\n')
    return "module/memory/pin.h", '"domain/group.h"', "module/domain/"


def call_in_a_circle(house):
    house.compile("module/memory/account.o", "void store_sum(void); void account_charge(void) "
                  "{ store_sum(); } void account_put(void) {}")
    return "circle", "module/memory/account", "needs store_sum", "module/memory/store"


def include_in_a_circle(house):
    house.append("compat/dirty.h", '#include "emulated.h"\n')
    house.append("compat/emulated.h", '#include "dirty.h"\n')
    return "circle", "compat/dirty", "compat/emulated", 'includes "dirty.h"'


def folder_without_a_floor(house):
    (house.top / "module/attic").mkdir()
    (house.top / "module/attic/old.c").touch()
    return "module/attic", "not in scripts/floors"


def object_that_is_old(house):
    os.utime(house.build / "compat/node.o", (0, 0))
    return "compat/node.o", "build the module first"


def two_files_of_a_name(house):
    shutil.copy(house.top / "compat/node.h", house.top / "module/kapi/node.h")
    return "node.h", "2 files"


def object_that_is_missing(house):
    (house.build / "compat/node.o").unlink()
    return "compat/node.o", "build the module first"


def tool_call_upward(house):
    house.compile("tools/lib/number.o", "void holders_find(void); void f(void) { holders_find(); }")
    return "tools/lib/number.c", "holders_find", "tools/system/"


def tool_include_upward(house):
    house.append("tools/compare/op/op.h", '#include "compare/sequence.h"\n')
    return "tools/compare/op/op.h", '"compare/sequence.h"', "tools/compare/"


def tool_include_of_the_module(house):
    house.append("tools/lib/text.h", '#include "../../module/space/ioas.h"\n')
    return "tools/lib/text.h", "module/space/"


def tool_call_in_a_circle(house):
    house.compile("tools/compare/cases/cases_rw.o", "extern int ncase_groups, case_group_rw; "
                  "int case_group_rw; int f(void) { return ncase_groups; }")
    return "circle", "cases/cases_rw", "needs ncase_groups", "cases/case_table"


def recorder_call_in_a_circle(house):
    house.compile("tools/record/file.o", "int close(int fd); void record_lock(void) { close(0); }")
    return "circle", "tools/record/file", "needs close", "tools/record/fds"


def tool_include_in_a_circle(house):
    house.append("tools/system/candidates.h", '#include "holders.h"\n')
    return "circle", "tools/system/candidates", "tools/system/holders"


def tool_object_that_is_missing(house):
    (house.build / "tools/lib/json.o").unlink()
    return "tools/lib/json.o", "build the tools first"


SPOILED = (call_upward, include_upward, call_in_a_circle, include_in_a_circle,
           folder_without_a_floor, two_files_of_a_name, object_that_is_missing, object_that_is_old,
           tool_call_upward, tool_include_upward, tool_include_of_the_module,
           tool_call_in_a_circle, recorder_call_in_a_circle, tool_include_in_a_circle,
           tool_object_that_is_missing)


def main():
    build = Path(sys.argv[1]).resolve()
    tools = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else TOP / "build/obj"
    print(f"1..{1 + len(SPOILED)}")
    failed = 0

    def check(number, name, passed, output):
        nonlocal failed
        print(f"{'ok' if passed else 'not ok'} {number} - {name}")
        if not passed:
            failed += 1
            print("".join(f"# {line}\n" for line in output.splitlines()), end="")

    with tempfile.TemporaryDirectory() as top:
        status, output = House(top, build, tools).layers()
    check(1, "all_calls_and_includes_go_down", status == 0 and not output, output)
    for number, spoil in enumerate(SPOILED, 2):
        with tempfile.TemporaryDirectory() as top:
            house = House(top, build, tools)
            words = spoil(house)
            status, output = house.layers()
        check(number, f"{spoil.__name__}_is_noticed",
              status == 1 and all(word in output for word in words), output)
    return 1 if failed else 0


sys.exit(main())
