# SPDX-License-Identifier: GPL-2.0-only
"""Tests of "vfio-ioas compare" with untrusted files: python3 recordings.py VFIO-IOAS.

Prints TAP."""
import os
import subprocess
import sys
import tempfile

import tap

TOOL = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
FUZZ = os.path.join(os.path.dirname(HERE), "fuzz")
CORPUS = os.path.join(FUZZ, "corpus", "recording")


def run(*words):
    """Returns the exit status and the output of a run, on stdout and stderr."""
    done = subprocess.run([TOOL, "compare", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    return done.returncode, done.stdout


def reasons():
    with open(os.path.join(FUZZ, "refused")) as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file)


def a_malicious_recording_is_refused_with_line_and_reason():
    refused = os.path.join(CORPUS, "refused")
    expected = reasons()
    assert sorted(expected) == sorted(os.listdir(refused))
    for name, reason in expected.items():
        path = os.path.join(refused, name)
        status, output = run("--replay", path, "--file", "/dev/null")
        assert status == 2, (name, status, output)
        assert output.startswith(b"vfio-ioas: %s:%s" % (path.encode(), reason.encode())), (
            name, output)


def a_refused_recording_sends_nothing_to_the_terminal():
    for name in os.listdir(os.path.join(CORPUS, "refused")):
        output = run("--replay", os.path.join(CORPUS, "refused", name))[1]
        assert all(byte == 10 or 32 <= byte < 127 for byte in output), (name, output)


def a_good_recording_is_not_refused():
    for name in os.listdir(CORPUS):
        path = os.path.join(CORPUS, name)
        if os.path.isfile(path):
            status, output = run("--replay", path)
            # The run ends later, for lack of a device, root or a module.
            assert status == 2 and path.encode() not in output, (name, output)


def memory_of_a_file_is_refused_where_no_file_is_named():
    for lines in (["memory name=m size=0x1000 kind=file prot=read"],
                  ["memory name=m size=0x2000 kind=none prot=0x0",
                   "part at=m+0x1000 size=0x1000 kind=file prot=read|write"]):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("sequence\n" + "".join(line + "\n" for line in lines))
            file.flush()
            status, output = run("--replay", file.name)
            assert status == 2 and output.decode() == (
                "vfio-ioas: %s:%d: memory of a file (kind=file) needs --file\n"
                % (file.name, 1 + len(lines))), output
            # The run ends later, for lack of a device, root or a module.
            status, output = run("--replay", file.name, "--file", "/dev/null")
            assert status == 2 and file.name.encode() not in output, output


def an_empty_recording_says_that_it_is():
    with tempfile.NamedTemporaryFile() as file:
        status, output = run("--replay", file.name)
        assert status == 2 and b"there is no operation" in output, output


def run_with_tracked_maps(nmaps):
    """Replays maps of 1 TiB, each with a bitmap of 32 MiB in the kernel when tracking starts."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("memory name=m size=0x10000000000 kind=none prot=0x0\n")
        for number in range(nmaps):
            file.write("map iova=%#x size=0x10000000000 vaddr=m+0x0 flags=read argsz=32\n"
                       % (number << 40))
        file.write("dirty flags=start argsz=8\n")
        file.flush()
        status, output = run("--replay", file.name)
        assert status == 2, (status, output)
        return output.decode(), file.name


def a_recording_whose_dirty_bits_take_too_much_is_refused():
    output, name = run_with_tracked_maps(10)
    assert name not in output, output
    output, name = run_with_tracked_maps(100000)
    assert output.startswith("vfio-ioas: %s:100002: more memory is" % name), output


def a_recording_that_cannot_be_read_is_named():
    for path in "/nonexistent/calls", "/":
        status, output = run("--replay", path)
        assert status == 2 and output.startswith(b"vfio-ioas: " + path.encode()), output


def a_number_is_one_within_its_bounds():
    for option in "--seed", "--iterations", "--length", "--timeout":
        for word in ("-1", "+1", " 1", "1 ", "", "x", "1x", "0x", "1e3", "99999999999999999999",
                     "18446744073709551616"):
            status, output = run("%s=%s" % (option, word))
            assert status == 2 and option.encode() in output and b"not a number from" in output, (
                option, word, output)
    for option in "--iterations", "--length", "--timeout":
        for word in "0", "18446744073709551615":
            status, output = run(option, word)
            assert status == 2 and b"not a number from" in output, (option, word, output)
    assert b"not a number" not in run("--seed", "18446744073709551615")[1]
    assert b"not a number" not in run("--seed", "0xffffffffffffffff")[1]


TESTS = [
    a_malicious_recording_is_refused_with_line_and_reason,
    a_refused_recording_sends_nothing_to_the_terminal,
    a_good_recording_is_not_refused,
    memory_of_a_file_is_refused_where_no_file_is_named,
    an_empty_recording_says_that_it_is,
    a_recording_whose_dirty_bits_take_too_much_is_refused,
    a_recording_that_cannot_be_read_is_named,
    a_number_is_one_within_its_bounds,
]


sys.exit(tap.run(TESTS))
