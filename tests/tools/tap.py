# SPDX-License-Identifier: GPL-2.0-only
"""Runs tests, and prints TAP. A test is a function that raises an exception when it fails.

The environment variable TESTS names the tests to run; without it all of them run."""
import os


def run(tests):
    """Returns the exit status: 1 if a test has failed."""
    failed = 0
    wanted = os.environ.get("TESTS", "").split()
    tests = [test for test in tests if not wanted or test.__name__ in wanted]
    print("1..%d" % len(tests))
    for number, test in enumerate(tests, 1):
        try:
            test()
            result = "ok"
        except Exception as error:  # the other tests still run
            print("# %s: %r" % (type(error).__name__, error))
            result = "not ok"
            failed += 1
        print("%s %d - %s" % (result, number, test.__name__), flush=True)
    return int(failed > 0)
