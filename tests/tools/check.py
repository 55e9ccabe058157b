# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the tools that need no module: python3 check.py VFIO-IOAS. Prints TAP."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import tap

TOOL = sys.argv[1]
# Users other than root may be unable to reach the program by its path.
TOOL_FD = os.open(TOOL, os.O_RDONLY)
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
STATUS = os.path.join(HERE, "status")


def run(*words, status=0):
    """Returns the output of a run, on stdout and stderr. Checks its exit status."""
    done = subprocess.run([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    assert done.returncode == status, (words, done.returncode, done.stdout)
    return done.stdout.decode()


def outcome(*words):
    """Returns the exit status and the output of a run. It must not end by a signal."""
    done = subprocess.run([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    assert done.returncode >= 0, (words, done.returncode)
    return done.returncode, done.stdout.decode()


def status_of(*lines):
    """Returns a file with these lines, for --from."""
    file = tempfile.NamedTemporaryFile("w", suffix="-status")
    file.write("".join(line + "\n" for line in lines))
    file.flush()
    return file


def status_is_a_table():
    with open(os.path.join(HERE, "table")) as file:
        expected = file.read()
    got = run("status", "--from", STATUS)
    assert got == expected, got


def json_says_all_that_the_file_says():
    contexts = json.loads(run("status", "--json", "--from", STATUS))["contexts"]
    assert [c["id"] for c in contexts] == [3, 5, 6]
    qemu, native, empty = contexts
    assert (qemu["kind"], qemu["type"], qemu["pid"], qemu["comm"]) == (
        "container", "type1v2", 412, "qemu-system-x86")
    assert qemu["ioases"] == [{"id": 1, "vfio": 1, "areas": 12, "mapped": 134217728,
                               "pinned": 134217728, "charged": 134217728, "runs": 34,
                               "pins": 0, "average_run": 3947580}]
    assert qemu["hwpts"] == [{"id": 2, "ioas": 1, "groups": 1}]
    assert qemu["groups"] == [{"number": 7, "ioas": 1, "hwpt": 2,
                               "devices": ["0000:00:04.0", "0000:00:04.1"]}]
    assert qemu["accesses"] == qemu["devices"] == []
    assert [i["mapped"] for i in native["ioases"]] == [0, 1 << 41]
    assert [i.get("users") for i in native["ioases"]] == [None, 1]
    assert native["accesses"] == [{"id": 4, "ioas": 2}]
    assert native["devices"] == [{"id": 9, "name": "edu0"}]
    assert empty["ioases"] == [] and "type" not in empty


def json_has_any_name_of_a_program():
    contexts = json.loads(run("status", "--json", "--from", STATUS))["contexts"]
    assert contexts[1]["comm"] == 'a b=c\t\\\u00fc\ufffd"x', contexts[1]["comm"]
    assert contexts[2]["comm"] == ""


def an_empty_file_is_no_containers():
    assert run("status", "--from", "/dev/null") == "No containers or contexts of ours.\n"
    assert json.loads(run("status", "--json", "--from", "/dev/null")) == {
        "schema": 1, "contexts": [], "left_out": 0, "contexts_left_out": 0, "others": []}


def any_bytes_are_survived():
    with tempfile.NamedTemporaryFile() as file:
        for seed in range(50):
            with open(STATUS, "rb") as original:
                data = bytearray(original.read())
            for n in range(20):
                position = hash((seed, n)) % len(data)
                data[position] = hash((n, seed, 1)) % 256
            file.seek(0)
            file.truncate()
            file.write(data)
            file.flush()
            # All commands agree on whether the file is accepted or refused.
            status, said = outcome("status", "--json", "--from", file.name)
            if status == 0:
                json.loads(said)
            else:
                assert status == 2 and file.name + ", line " in said, (status, said)
            run("status", "--from", file.name, status=status)
            run("top", "--batch", "1", "--from", file.name, status=status)


def a_file_that_is_not_there_is_named():
    assert "/nowhere: No such file" in run("status", "--from", "/nowhere", status=2)


def programs(frame):
    return [line.split()[0] for line in frame.splitlines()[3:] if line]


def top_sorts_by_any_column():
    def top(*words):
        return programs(run("top", "--batch", "1", "--from", STATUS, *words))

    assert top() == ["0", "412", "0", "99"]
    assert top("--reverse") == ["0", "99", "412", "0"]
    assert top("--sort", "pid") == ["412", "99", "0", "0"]
    assert top("--sort", "program") == ["99", "0", "0", "412"]
    assert top("--sort", "avg-run")[0] == "412"
    assert 'unknown column "colour"' in run("top", "--sort", "colour", status=2)
    assert "avg-run" in run("top", "--sort", "colour", status=2)


def top_computes_the_change_between_two_frames():
    line = ("context id=1 kind=container pid=7 comm=x\n"
            "ioas context=1 id=1 mapped={} pinned=0 charged=0 runs=0\n")
    with tempfile.TemporaryDirectory() as work:
        pipe = os.path.join(work, "pipe")
        os.mkfifo(pipe)
        top = subprocess.Popen([TOOL, "top", "--batch", "3", "--interval", "0.5", "--from", pipe],
                               stdout=subprocess.PIPE)
        changes = []
        # Each frame opens the file anew, and reads its current text.
        for mapped in (4 << 30, 1 << 30, 3 << 30):
            with open(pipe, "w") as file:
                file.write(line.format(mapped))
            frame = [top.stdout.readline().decode() for _ in range(5)]
            changes.append(frame[3].split()[6])
        assert top.wait(60) == 0
    assert changes[0] == "0", changes
    assert changes[1].startswith("-") and changes[1].endswith("G"), changes
    assert changes[2].startswith("+") and changes[2].endswith("G"), changes


def set_size(fd, lines, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


class Terminal:
    """vfio-ioas top on a terminal of 24 lines and 80 columns."""

    def __init__(self, *words, lines=24, columns=80, term="vt100"):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = term
            # A shell would set the size before the program starts, too.
            set_size(0, lines, columns)
            os.execv(TOOL, [TOOL, "top", "--from", STATUS, *words])
        self.output = b""

    def read_until(self, text):
        deadline = time.monotonic() + 60
        while text not in self.output:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], self.output
            self.output += os.read(self.fd, 65536)
        after = self.output
        self.output = b""
        return after

    def resize(self, lines, columns):
        set_size(self.fd, lines, columns)

    def press(self, key):
        os.write(self.fd, key)

    def end(self):
        """Waits for the end, and returns the exit status as a shell does."""
        self.output = b""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def top_draws_frames_on_a_terminal_until_q():
    terminal = Terminal("--interval", "0.1")
    # The first frame clears a second screen, each later one only the ends of its lines.
    terminal.read_until(b"\x1b[?1049h\x1b[H\x1b[J\x1b[H3 ours, mapped 2.0T")
    terminal.read_until(b"\x1b[K\x1b[J\x1b[H")
    frame = terminal.read_until(b"\x1b[K\x1b[J")
    assert b"by MAPPED\x1b[K\r" in frame, frame
    for line in frame.replace(b"\r", b"").split(b"\x1b[K\n"):
        assert len(line.replace(b"\x1b[K\x1b[J", b"")) < 80, line
    terminal.press(b"q")
    assert terminal.end() == 0


def the_other_screen_comes_back_when_top_ends():
    terminal = Terminal("--interval", "100")
    terminal.read_until(b"by MAPPED")
    terminal.press(b"q")
    assert terminal.read_until(b"\x1b[?1049l").endswith(b"\x1b[?1049l")
    assert terminal.end() == 0


def a_key_shows_what_the_keys_do():
    for key in (b"h", b"?"):
        terminal = Terminal("--interval", "100")
        terminal.read_until(b"by MAPPED")
        terminal.press(key)
        terminal.read_until(b"reverse the order")
        # The help stays when the terminal is resized, and any key closes it.
        terminal.resize(30, 90)
        terminal.read_until(b"reverse the order")
        terminal.press(b"r")
        terminal.read_until(b"by MAPPED\x1b[K")
        terminal.press(b"q")
        assert terminal.end() == 0


def no_escapes_reach_what_is_no_terminal_or_a_dumb_one():
    terminal = Terminal("--interval", "100", term="dumb")
    said = terminal.read_until(b"--batch N\r\n")
    assert b"\x1b" not in said and b"top needs a terminal" in said, said
    assert terminal.end() == 2
    for words in (["top", "--batch", "1"], ["status"], ["top"]):
        assert "\x1b" not in outcome(*words, "--from", STATUS)[1], words


def keys_change_the_order():
    terminal = Terminal("--interval", "100")
    terminal.read_until(b"by MAPPED\x1b[K")
    terminal.press(b">")
    terminal.read_until(b"by CHANGE\x1b[K")
    terminal.press(b"r")
    terminal.read_until(b"by CHANGE, reverse\x1b[K")
    terminal.press(b"<")
    terminal.press(b"<")
    terminal.read_until(b"by GROUPS, reverse\x1b[K")
    terminal.press(b"q")
    assert terminal.end() == 0


def a_small_terminal_gets_what_fits():
    terminal = Terminal("--interval", "100", lines=5, columns=20)
    frame = terminal.read_until(b"\x1b[K\x1b[J")
    assert frame.count(b"\n") == 4, frame
    assert b"    412 qemu-system-x86" not in frame, frame
    # A terminal that grows shows more at once, not at the next frame.
    terminal.resize(24, 100)
    terminal.read_until(b"    412 qemu-system-x86")
    terminal.press(b"q")
    assert terminal.end() == 0


def whoever_stops_top_has_a_usual_terminal():
    terminal = Terminal("--interval", "100")
    terminal.read_until(b"by MAPPED")
    os.kill(terminal.pid, signal.SIGTSTP)
    _, status = os.waitpid(terminal.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), status
    assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    terminal.output = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.read_until(b"by MAPPED")
    assert not termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    terminal.press(b"q")
    assert terminal.end() == 0


def the_terminal_is_left_as_it_was():
    for how in (lambda t: t.press(b"q"), lambda t: t.press(b"\x03"),
                lambda t: os.kill(t.pid, signal.SIGTERM)):
        terminal = Terminal("--interval", "100")
        terminal.read_until(b"by MAPPED")
        during = termios.tcgetattr(terminal.fd)
        assert not during[3] & termios.ECHO and not during[3] & termios.ICANON
        # The terminal would be destroyed with its last process.
        keep = os.open(os.readlink("/proc/%d/fd/0" % terminal.pid),
                       os.O_RDWR | os.O_NOCTTY)
        how(terminal)
        _, status = os.waitpid(terminal.pid, 0)
        after = termios.tcgetattr(keep)
        assert after[3] & termios.ECHO and after[3] & termios.ICANON
        assert os.waitstatus_to_exitcode(status) == 0
        os.close(keep)
        os.close(terminal.fd)


def the_switch_tells_programs_where_it_is():
    done = subprocess.run([TOOL, "switch", "status", "--json"], stdout=subprocess.PIPE,
                          timeout=60, check=False)
    state = json.loads(done.stdout)
    assert state["switch"] in ("on", "off")
    assert done.returncode == (3 if not state["agrees"] else state["switch"] == "off")
    assert state["schema"] == 1 and state["version"] == version()
    assert {"version_loaded", "version_installed", "holders", "all_holders"} <= set(state)


def version():
    return re.search(r"^Version: *(\S+)$", source("META"), flags=re.M).group(1)


def subcommands():
    return [line.split()[0] for line in run("--help").splitlines() if line.startswith("  ")]


def help_is_there_for_each_subcommand():
    assert run("-h") == run("--help") == run("help")
    assert {"compare", "switch", "status", "top", "help", "version"} == set(subcommands())
    for subcommand in subcommands():
        usage = "usage: vfio-ioas " + subcommand
        assert run(subcommand, "--help").startswith(usage), subcommand
        assert run(subcommand, "-h").startswith(usage), subcommand
        assert run("help", subcommand).startswith(usage), subcommand


def the_version_is_that_of_the_release():
    for words in (["--version"], ["-V"], ["version"]):
        lines = run(*words).splitlines()
        assert lines[0] == "vfio-ioas " + version(), lines
        assert [line.rsplit(" ", 1)[0] for line in lines[1:]] == [
            "module vfio_ioas, loaded:", "module vfio_ioas, installed:"], lines


def an_unknown_word_is_named_and_another_one_offered():
    for words, said in ((["stat"], 'unknown subcommand "stat"; did you mean "status"?'),
                        (["swich", "on"], 'unknown subcommand "swich"; did you mean "switch"?'),
                        (["xyzzy"], 'unknown subcommand "xyzzy"\n'),
                        (["--verson"], 'unknown option "--verson"'),
                        (["help", "tip"], 'unknown subcommand "tip"; did you mean "top"?'),
                        (["switch", "offf"], 'unknown action "offf"; did you mean "off"?'),
                        (["switch", "on", "--mode", "nod"],
                         'unknown mode "nod"; did you mean "node"?'),
                        (["status", "now"], 'unknown argument "now"'),
                        (["top", "now"], 'unknown argument "now"')):
        assert said in run(*words, status=2), (words, said)
    assert run(status=2).startswith("usage: vfio-ioas SUBCOMMAND")


def each_message_about_an_option_has_the_program_s_name():
    for subcommand in subcommands():
        if subcommand not in ("help", "version"):
            said = run(subcommand, "--nonsense", status=2)
            assert said.startswith("vfio-ioas %s: " % subcommand), said
            assert "--nonsense" in said and ("--help" in said or subcommand == "compare"), said


def a_wrong_command_line_is_no_disagreement():
    for words in (["status", "--nonsense"], ["status", "--mode", "node"], ["status", "now"], [],
                  ["toggle"]):
        assert outcome("switch", *words)[0] == 2, words
    assert outcome("switch", "status")[0] in (0, 1, 3)


def the_old_name_of_the_mode_is_taken():
    for mode in "symlink", "node", "serve", "nod":
        old, new = (outcome("switch", "on", "--dry-run", option, mode)
                    for option in ("--way", "--mode"))
        assert old == new and (old[0] == 2) == (mode == "nod"), (old, new)
    assert "--way is the old name" in run("switch", "--help")


def numbers_are_numbers():
    for words in (["top", "--batch"], ["status", "--pid"], ["status", "--group"],
                  ["switch", "off", "--timeout"], ["top", "--interval"]):
        for number in ("-1", "", "1x", " 1", "+1", "99999999999999999999", "18446744073709551616",
                       "1e3", "nan", "inf"):
            said = run(*words, number, status=2)
            assert words[-1] in said and '"%s" is not a number' % number in said, said
    run("top", "--batch", "0", status=2)
    run("top", "--batch", "1.5", status=2)


def an_output_that_cannot_be_written_is_noticed():
    """Covers a full disk and a closed standard output."""
    for words in (["status", "--from", STATUS], ["status", "--json", "--from", STATUS],
                  ["top", "--batch", "1", "--from", STATUS], ["--help"], ["--version"],
                  ["switch", "status"], ["switch", "status", "--json"], ["compare", "--list"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([TOOL, *words], stdout=full, stderr=subprocess.PIPE, timeout=60,
                                  check=False)
        assert done.returncode == 2, (words, done)
        assert b"cannot write to the standard output" in done.stderr, (words, done)
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", TOOL, *words],
                              stderr=subprocess.PIPE, timeout=60, check=False)
        assert done.returncode == 2, (words, done)
        assert b"cannot write to the standard output" in done.stderr, (words, done)


def top_ends_when_nobody_takes_its_frames():
    with open("/dev/full", "w") as full:
        done = subprocess.run([TOOL, "top", "--batch", "1000000", "--from", STATUS], stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 2, done


def status_fits_into_80_columns():
    with status_of("context id=1 kind=container type=type1v2 pid=4194304 comm=fifteen-letters",
                   "ioas context=1 id=4294967295 vfio=1 areas=4294967295"
                   " mapped=18446744073709551615"
                   " pinned=18446744073709551615 charged=18446744073709551615 runs=1 pins=1",
                   "group context=1 ioas=4294967295 hwpt=2 number=7 devices=" +
                   ",".join("0000:%02x:00.0" % bus for bus in range(40))) as file:
        table = run("status", "--from", file.name)
        top = run("top", "--batch", "1", "--from", file.name)
    # The number of an IOAS exceeds its column only after a huge number of IOASs.
    assert all(len(line) < 80 + 10 for line in table.splitlines()), table
    assert all(len(line) < 80 for line in table.splitlines()[2:]), table
    assert len(re.findall(r"0000:..:00\.0", table)) == 40
    assert all(len(line) < 80 for line in run("status", "--from", STATUS).splitlines())
    assert all(len(line) < 80 for line in
               run("top", "--batch", "1", "--from", STATUS).splitlines()), top


def a_file_that_is_no_status_file_is_refused():
    for lines, line, why in ((["root:x:0:0:root:/root:/bin/bash"], 1, 'a line "context id=..."'),
                             (["ioas context=1 id=1"], 1, 'a line "context id=..."'),
                             (["context kind=container"], 1, "context without id"),
                             (["context id=x"], 1, "id=x is not a number"),
                             (["context id=1", "ioas context=1 id=1 mapped=-1"], 2, "mapped=-1"),
                             (["context id=1", "", "group context=1 devices=a"], 3,
                              "group without number"),
                             (["context id=1", "ioas id=1"], 2, "ioas without context"),
                             (["context id=99999999999999999999"], 1, "is not a number")):
        with status_of(*lines) as file:
            for words in (["status"], ["status", "--json"], ["top", "--batch", "1"]):
                said = run(*words, "--from", file.name, status=2)
                assert "%s, line %d: " % (file.name, line) in said and why in said, said
    assert "line 1" in run("status", "--from", TOOL, status=2)
    assert "Is a directory" in run("status", "--from", "/", status=2)
    assert "File too large" in run("status", "--from", "/dev/zero", status=2)


def what_later_modules_write_is_tolerated():
    """Covers busy objects, and kinds, keys and words that are still unknown."""
    with status_of("context id=1 kind=container pid=7 busy comm=x",
                   "ioas context=1 id=1 busy=1",
                   "ioas context=1 id=2 vfio=0 mapped=4096",
                   "planet id=pluto", "context id=2 busy kind=iommu pid=8 comm=y") as file:
        rows = [line.split("\t") for line in
                run("status", "-Hp", "-o", "ioas,mapped,pinned", "--from", file.name).splitlines()]
        assert rows == [["1", "-", "-"], ["2", "4096", "-"], ["-", "-", "-"]], rows
        assert run("status", "--from", file.name).count("busy") == 3
        first, second = json.loads(run("status", "--json", "--from", file.name))["contexts"]
    assert first["busy"] is True and second["busy"] is True
    assert first["ioases"] == [{"id": 1, "busy": True}, {"id": 2, "vfio": 0, "mapped": 4096}]


def scripts_get_columns_with_tabs_and_exact_numbers():
    lines = run("status", "-H", "-p", "-o", "pid,mapped,avg-run,devices", "--from",
                STATUS).splitlines()
    assert lines == ["412\t134217728\t3947580\t0000:00:04.0,0000:00:04.1", "0\t0\t0\t-",
                     "0\t2199023255552\t4096\t-", "99\t-\t-\t-"], lines
    assert run("status", "--no-header", "--exact", "--columns", "PID", "--from",
               STATUS) == "412\n0\n0\n99\n"
    assert run("top", "--batch", "1", "-Hp", "-o", "pid,change", "--from",
               STATUS) == "0\t0\n412\t0\n0\t0\n99\t-\n\n"
    assert len(run("status", "-o", "all", "--from", STATUS).splitlines()[0].split()) == 16
    assert "twice" in run("status", "-o", "pid,pid", "--from", STATUS, status=2)
    assert 'unknown column "change"' in run("status", "-o", "change", status=2)
    assert "unknown column" in run("status", "-o", "pid,,type", status=2)
    assert "--batch" in run("top", "-H", "--from", STATUS, status=2)


def containers_are_found_by_process_group_and_device():
    def ids(*words):
        contexts = json.loads(run("status", "--json", "--from", STATUS, *words))["contexts"]
        table = run("status", "-H", "-o", "context", "--from", STATUS, *words).split()
        assert set(table) == {str(c["id"]) for c in contexts}, (words, table)
        assert run("top", "--batch", "1", "--from", STATUS, *words).startswith(
            "%d ours" % len(contexts)), words
        return [c["id"] for c in contexts]

    assert ids("--pid", "412") == [3]
    assert ids("--pid", "99") == [6]
    assert ids("--pid", "1") == []
    assert ids("--group", "7") == [3]
    assert ids("--group", "8") == []
    assert ids("--device", "0000:00:04.1") == [3]
    assert ids("--device", "edu0") == [5]
    assert ids("--device", "0000:00:04") == []
    assert ids("--group", "7", "--pid", "99") == []


def many_objects_take_no_longer_than_they_must():
    lines = ["context id=1 kind=iommu pid=7 comm=x"]
    for number in range(1, 100001):
        lines.append("ioas context=1 id=%d vfio=0 areas=0 mapped=%d pinned=0 charged=0 runs=0 "
                     "pins=0" % (number, number))
    lines += ["group context=1 ioas=%d hwpt=0 number=%d devices=a" % (number, number)
              for number in range(1, 2001)]
    with status_of(*lines) as file:
        for words in (["status"], ["status", "--json"], ["top", "--batch", "2", "--interval",
                                                         "0.1"]):
            before = time.monotonic()
            said = run(*words, "--from", file.name)
            assert time.monotonic() - before < 20, (words, time.monotonic() - before)
    assert said.count("\n") >= 200000


def a_user_with_too_many_objects_hides_no_other_user():
    """Part of the large context is shown, with a count of missing objects. Memory is bounded."""
    line = "ioas context=%d id=%d vfio=0 areas=0 mapped=0 pinned=0 charged=0 runs=0 pins=0 %s"
    number = 2500000
    with status_of("context id=1 kind=iommu pid=7 comm=crowd") as file:
        pad = "x=" + 50 * "y"
        with open(file.name, "a") as more:
            more.writelines(line % (1, i, pad) + "\n" for i in range(number))
            for context in range(2, 52):
                more.write("context id=%d kind=container pid=%d comm=y\n" % (
                    context, context + 100))
                more.write(line % (context, 1, "") + "\n")
                more.write("group context=%d ioas=1 hwpt=0 number=%d devices=a\n" % (
                    context, context))
        assert os.path.getsize(file.name) > 256 << 20
        said = run("status", "-H", "-o", "pid,ioas,groups", "--from", file.name)
        assert "warning: too many objects: " in said, said[-300:]
        missing = int(re.search(r"objects: (\d+) are left out, (\d+) of them in context 1\n",
                                said).group(1))
        rows = [row.split("\t") for row in said.splitlines() if "\t" in row]
        assert len(rows) + missing == number + 50, (len(rows), missing)
        assert [row for row in rows if row[0] != "7"] == [
            [str(context + 100), "1", "1"] for context in range(2, 52)], rows[-60:]
        state = json.loads(run("status", "--json", "--pid", "120", "--from", file.name))
        assert state["left_out"] == 0 and len(state["contexts"]) == 1, state
        top = run("top", "--batch", "1", "--pid", "7", "--from", file.name)
        assert ", %d left out," % missing in top, top
        with subprocess.Popen([TOOL, "status", "-H", "--from", file.name],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            used = os.wait4(process.pid, 0)[2].ru_maxrss
            process.returncode = 0
        assert used < 400 << 10, used


IOAS_LINE = "ioas context=%d id=%d vfio=0 areas=0 mapped=0 pinned=0 charged=0 runs=0 pins=0\n"


@contextlib.contextmanager
def status_of_a_crowd(ncontexts):
    """Yields a file where context 1 has very many parts, and the next ones 101 each."""
    with status_of("context id=1 kind=iommu pid=7 comm=crowd") as file:
        with open(file.name, "a") as more:
            more.writelines(IOAS_LINE % (1, i) for i in range(250000))
            for context in range(2, ncontexts + 1):
                more.write("context id=%d kind=iommu pid=7 comm=crowd\n" % context)
                more.writelines(IOAS_LINE % (context, i) for i in range(101))
        yield file


def contexts_with_few_objects_each_hide_no_other_context():
    """Many contexts are shown, and a context that is asked for has all its parts."""
    with status_of_a_crowd(2499) as file:
        with open(file.name, "a") as more:
            for context in range(2500, 210000):
                more.write("context id=%d kind=iommu pid=7 comm=crowd\n" % context)
            more.write("context id=210000 kind=container pid=4242 comm=victim\n")
            more.writelines(IOAS_LINE % (210000, i) for i in range(300))
            more.write("group context=210000 ioas=299 hwpt=0 number=17 devices=a,b\n")
        words = ["status", "-H", "-o", "pid,ioas,groups", "--from", file.name]
        said = run(*words)
        assert "too many contexts: 10000 are left out" in said, said[:300]
        everything = ["4242\t%d\t%d" % (i, i == 299) for i in range(300)]
        assert run(*words, "--pid", "4242").splitlines() == everything
        assert run(*words, "--group", "17") == "4242\t299\t1\n"
        assert run(*words, "--device", "b") == "4242\t299\t1\n"
        assert run(*words, "--pid", "4242", "--device", "c") == ""
        for extra in (["--pid", "4242"], ["--group", "17"], []):
            said = run("status", "--json", "--from", file.name, *extra)
            state = json.loads(said[said.index("{"):])
            assert state["contexts_left_out"] == (0 if extra else 10000), extra
            assert len(state["contexts"]) == (1 if extra else 200000), extra


def the_parts_of_many_contexts_leave_room_for_other_contexts():
    with status_of_a_crowd(4999) as file:
        with open(file.name, "a") as more:
            more.write("context id=210000 kind=container pid=4242 comm=victim\n")
        rows = run("status", "-H", "-o", "pid,ioas", "--from", file.name).splitlines()
        assert rows[-1].split("\t")[0] == "4242", rows[-3:]


def a_group_whose_ioas_is_left_out_is_found():
    """The IOAS comes after more IOASs than are kept."""
    line = "ioas context=1 id=%d vfio=0 areas=0 mapped=0 pinned=0 charged=0 runs=0 pins=0\n"
    with status_of("context id=1 kind=container pid=7 comm=x") as file:
        with open(file.name, "a") as more:
            more.writelines(line % i for i in range(200000))
            more.write("group context=1 ioas=199999 hwpt=0 number=17 devices=a\n")
        said = run("status", "-H", "-o", "pid,groups", "--group", "17", "--from", file.name)
        assert said.splitlines()[-1].split("\t")[0] == "7", said[-200:]


def whoever_has_no_module_is_told_so():
    """The message does not ask for root, which would not help."""
    if os.path.exists("/sys/module/vfio_ioas"):
        return
    for words in (["status"], ["top", "--batch", "1"]):
        demote = (lambda: os.setresuid(65534, 65534, 65534)) if os.geteuid() == 0 else None
        done = subprocess.run(["/proc/self/fd/%d" % TOOL_FD, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, preexec_fn=demote, pass_fds=[TOOL_FD],
                              timeout=60, check=False)
        assert done.returncode == 2, done
        assert b"the module vfio_ioas is not loaded: modprobe vfio_ioas" in done.stdout, done


def names_of_any_bytes_are_utf8_in_json():
    name = b"\xff\xc0\xaf\xed\xa0\x80\"\\\x01"
    with tempfile.TemporaryDirectory() as work:
        program = os.path.join(os.fsencode(work), name)
        with open(program, "wb") as file:
            file.write(b"context id=1\n")
        done = subprocess.run([TOOL, "status", "--json", "--from", program],
                              stdout=subprocess.PIPE, timeout=60, check=True)
    json.loads(done.stdout.decode())
    done = subprocess.run([TOOL, "switch", "status", "--json"], stdout=subprocess.PIPE, timeout=60,
                          check=False)
    json.loads(done.stdout.decode())


def source(*parts):
    with open(os.path.join(TOP, *parts)) as file:
        return file.read()


def manual(name):
    """Returns the text of a manual page without its markup."""
    page = source("docs", "man", name)
    page = re.sub(r"Fl Fl ", "--", page)
    return re.sub(r"^\.(It|Li|Sy|Va|Cm|Pa|Dv|Op) ?(Li |Sy |Pa )?", "", page, flags=re.M)


def the_manual_has_each_subcommand_and_option():
    page = manual("vfio-ioas.8")
    for subcommand in subcommands():
        assert "Ss vfio-ioas " + subcommand in page, subcommand
        for option in re.findall(r"--[a-z][a-z-]*", run(subcommand, "--help")):
            assert option + " " in page or option + "\n" in page, (subcommand, option)


def columns():
    return run("top", "--batch", "1", "-o", "all", "--from", STATUS).splitlines()[2].split()


def the_manual_has_each_variable_of_the_environment():
    page = manual("vfio-ioas.8")
    names = set(re.findall(r'getenv\("(\w+)"\)', sources_below("tools")))
    assert "TERM" in names, names
    environment = page[page.index("\n.Sh ENVIRONMENT"):page.index("\n.Sh FILES")]
    for name in names:
        assert re.search(r"\b%s\b" % name, environment), name


def the_manual_has_each_column():
    page = manual("vfio-ioas.8")
    for column in columns():
        assert re.search(r"\b%s\b" % column, page), column


def sources_below(*folders):
    """Returns the text of all C files."""
    return "".join(source(directory, name) for folder in folders
                   for directory, _, names in sorted(os.walk(os.path.join(TOP, folder)))
                   for name in sorted(names) if name.endswith((".c", ".h")))


def module_sources():
    """Returns the text of all files of the module."""
    return sources_below("module", "compat")


def the_manual_has_each_parameter():
    page = manual("vfio_ioas.4")
    names = re.findall(r"^module_param(?:_cb)?\((\w+),", module_sources(), flags=re.M)
    assert len(names) == 5, names
    for name in names:
        assert "\n%s Ns = Ns" % name in page, name


def the_manual_has_each_line_of_the_log():
    page = manual("vfio_ioas.4")
    lines = re.findall(r'pr_(?:warn|err|info|notice)\w*\("([^"]*)\\n"', module_sources())
    assert len(lines) >= 5, lines
    for line in lines:
        assert "\n%s\n" % line in page, line


def the_manual_has_each_kind_and_key_of_the_status_file():
    page = manual("vfio_ioas.4")
    formats = re.findall(r'seq_printf\(m, "((?:\w+ )?\w+=[^"]*)',
                         source("module", "debugfs/status.c"))
    words = re.findall(r"\b(\w+)=", " ".join(formats))
    words += re.findall(r"^(\w+) context=", "\n".join(formats), flags=re.M)
    assert {"mapped", "comm", "access", "devices"} - set(words) <= {"devices"}, words
    for word in words:
        assert re.search(r"\b%s\b" % word, page), word


def manual_pages_are_clean():
    for name in ("vfio-ioas.8", "vfio_ioas.4"):
        found = subprocess.run(["mandoc", "-Tlint", os.path.join(TOP, "docs", "man", name)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        # mandoc reports pages that are not installed on this machine.
        lines = [line for line in found.stdout.decode().splitlines()
                 if "referenced manual not found" not in line]
        assert not lines, lines


def complete(*words):
    """Returns the words that bash would offer for the last one."""
    script = """
        . "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        compopt() { echo FILES; }
        _vfio_ioas
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(["bash", "-c", script, "bash",
                           os.path.join(TOP, "packaging", "vfio-ioas.bash-completion"),
                           TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=True)
    return done.stdout.decode().split()


def bash_completes_what_there_is():
    assert complete("sw") == ["switch"]
    assert complete("--v") == ["--version"]
    assert complete("help", "sw") == ["switch"]
    assert complete("switch", "off", "--dry") == ["--dry-run"]
    assert complete("switch", "on", "--timeout", "") == []
    assert complete("status", "-o", "mapp") == ["mapped"]
    assert complete("status", "--columns", "pid,mapp") == ["pid,mapped"]
    assert complete("top", "-o", "cha") == ["change", "charged"]
    assert set(complete("")) >= {"switch", "status", "top", "compare"}
    assert complete("switch", "re") == ["restore", "refresh"]
    assert complete("switch", "on", "--p") == ["--persist"]
    for option in "--mode", "--way":
        assert complete("switch", "on", option, "") == ["symlink", "node", "serve"]
    assert complete("top", "--sort", "m") == ["mapped"]
    assert complete("status", "--from", "") == ["FILES"]
    assert complete("compare", "--without", "d") == ["dirty"]
    assert complete("top", "--interval", "") == []


def bash_knows_each_column():
    names = [column.lower() for column in columns()]
    assert complete("top", "--sort", "") == names
    assert complete("top", "-o", "") == names + ["all"]
    assert complete("status", "-o", "") == [name for name in names if name != "change"] + ["all"]


def compare_takes_no_word_that_it_does_not_know():
    for option in ("self-test", "without", "format"):
        said = run("compare", "--" + option, "nonsense", status=2)
        assert "nonsense" in said, said


def an_action_needs_root_before_anything_else():
    """Without permission, nothing is created in /run or /etc."""
    if os.geteuid() == 0:
        done = subprocess.run(["/proc/self/fd/%d" % TOOL_FD, "switch", "off"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              preexec_fn=lambda: os.setresuid(65534, 65534, 65534),
                              pass_fds=[TOOL_FD], timeout=60, check=False)
        assert done.returncode == 1 and b"the switch needs root" in done.stdout, done


def write_program(path, *lines):
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + "".join(line + "\n" for line in lines))
    os.chmod(path, 0o755)


def remove_package(directory, package="vfio-ioas"):
    """Runs dpkg's script for removal, and returns its output. The programs in the directory replace
    those of the system, and the module seems to be loaded."""
    env = dict(os.environ, PATH=directory + ":" + os.environ["PATH"])
    with open(os.path.join(TOP, "packaging", "debian", package + ".prerm")) as file:
        script = file.read().replace("/sys/module/vfio_ioas", directory)
    done = subprocess.run(["sh", "-c", script, "prerm", "remove"], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=40, check=False)
    assert done.returncode == 0, done
    return done.stdout.decode()


def a_package_is_removed_though_the_switch_does_not_end():
    with tempfile.TemporaryDirectory() as directory:
        switch = os.path.join(directory, "vfio-ioas")
        pid = os.path.join(directory, "pid")
        write_program(switch, "echo $* >&2")
        assert remove_package(directory) == "switch off\n"
        write_program(switch, "echo refused >&2", "exit 1")
        assert remove_package(directory).startswith("refused\n")
        # A switch that hangs in the kernel: the script must not wait for it much longer.
        write_program(switch, "trap '' HUP INT PIPE TERM", "echo $$ >" + pid, "echo begins >&2",
                      "while :; do /bin/sleep 1; done")
        write_program(os.path.join(directory, "sleep"), "exec /bin/sleep 0.001")
        try:
            said = remove_package(directory)
        finally:
            with open(pid) as file:
                os.kill(int(file.read()), signal.SIGKILL)
        assert re.fullmatch("begins\nvfio-ioas: .* has not ended in 60 seconds.*\n", said), said


def a_package_is_removed_though_the_module_does_not_go():
    with tempfile.TemporaryDirectory() as directory:
        rmmod = os.path.join(directory, "rmmod")
        pid = os.path.join(directory, "pid")
        write_program(rmmod, '[ "$*" = vfio_ioas ]')
        assert remove_package(directory, "vfio-ioas-dkms") == ""
        write_program(rmmod, "exit 1")
        assert "vfio_ioas is in use" in remove_package(directory, "vfio-ioas-dkms")
        write_program(rmmod, "trap '' HUP INT PIPE TERM", "echo $$ >" + pid,
                      "while :; do /bin/sleep 1; done")
        write_program(os.path.join(directory, "sleep"), "exec /bin/sleep 0.001")
        try:
            said = remove_package(directory, "vfio-ioas-dkms")
        finally:
            with open(pid) as file:
                os.kill(int(file.read()), signal.SIGKILL)
        assert re.fullmatch("vfio-ioas-dkms: .* has not ended in 60 seconds.*\n", said), said


TESTS = [
    status_is_a_table,
    json_says_all_that_the_file_says,
    json_has_any_name_of_a_program,
    an_empty_file_is_no_containers,
    any_bytes_are_survived,
    a_file_that_is_not_there_is_named,
    top_sorts_by_any_column,
    top_computes_the_change_between_two_frames,
    top_draws_frames_on_a_terminal_until_q,
    keys_change_the_order,
    a_small_terminal_gets_what_fits,
    the_terminal_is_left_as_it_was,
    whoever_stops_top_has_a_usual_terminal,
    the_other_screen_comes_back_when_top_ends,
    a_key_shows_what_the_keys_do,
    no_escapes_reach_what_is_no_terminal_or_a_dumb_one,
    the_switch_tells_programs_where_it_is,
    the_version_is_that_of_the_release,
    an_unknown_word_is_named_and_another_one_offered,
    each_message_about_an_option_has_the_program_s_name,
    a_wrong_command_line_is_no_disagreement,
    the_old_name_of_the_mode_is_taken,
    numbers_are_numbers,
    an_output_that_cannot_be_written_is_noticed,
    top_ends_when_nobody_takes_its_frames,
    status_fits_into_80_columns,
    a_file_that_is_no_status_file_is_refused,
    what_later_modules_write_is_tolerated,
    scripts_get_columns_with_tabs_and_exact_numbers,
    containers_are_found_by_process_group_and_device,
    many_objects_take_no_longer_than_they_must,
    a_user_with_too_many_objects_hides_no_other_user,
    contexts_with_few_objects_each_hide_no_other_context,
    the_parts_of_many_contexts_leave_room_for_other_contexts,
    a_group_whose_ioas_is_left_out_is_found,
    whoever_has_no_module_is_told_so,
    names_of_any_bytes_are_utf8_in_json,
    an_action_needs_root_before_anything_else,
    help_is_there_for_each_subcommand,
    the_manual_has_each_subcommand_and_option,
    the_manual_has_each_column,
    the_manual_has_each_variable_of_the_environment,
    the_manual_has_each_parameter,
    the_manual_has_each_line_of_the_log,
    the_manual_has_each_kind_and_key_of_the_status_file,
    manual_pages_are_clean,
    compare_takes_no_word_that_it_does_not_know,
    bash_completes_what_there_is,
    bash_knows_each_column,
    a_package_is_removed_though_the_switch_does_not_end,
    a_package_is_removed_though_the_module_does_not_go,
]


sys.exit(tap.run(TESTS))
