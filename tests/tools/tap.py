# SPDX-License-Identifier: GPL-2.0-only
"""Runs tests, which are functions that raise an exception when they fail, and prints TAP.

The environment's TESTS names those to run; without it all are."""
import os


def run(tests):
    """The exit status: 1 if one has failed."""
    failed = 0
    wanted = os.environ.get("TESTS", "").split()
    tests = [test for test in tests if not wanted or test.__name__ in wanted]
    print("1..%d" % len(tests))
    for number, test in enumerate(tests, 1):
        try:
            test()
            result = "ok"
        except Exception as error:  # whatever went wrong, the others are run
            print("# %s: %r" % (type(error).__name__, error))
            result = "not ok"
            failed += 1
        print("%s %d - %s" % (result, number, test.__name__), flush=True)
    return int(failed > 0)
