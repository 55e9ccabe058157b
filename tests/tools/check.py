# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the tools that need no module: python3 check.py VFIO-IOAS. Prints TAP."""
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

TOOL = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
STATUS = os.path.join(HERE, "status")


def run(*words, status=0):
    """What a run prints on either output; it has to end with that exit status."""
    done = subprocess.run([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    assert done.returncode == status, (words, done.returncode, done.stdout)
    return done.stdout.decode()


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
        "contexts": [], "others": []}


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
            file.write(data.replace(b"\0", b" "))
            file.flush()
            json.loads(run("status", "--json", "--from", file.name))
            run("status", "--from", file.name)
            run("top", "--batch", "1", "--from", file.name)


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
    assert "no column of that name: colour" in run("top", "--sort", "colour", status=2)


def top_computes_the_change_between_two_frames():
    line = ("context id=1 kind=container pid=7 comm=x\n"
            "ioas context=1 id=1 mapped={} pinned=0 charged=0 runs=0\n")
    with tempfile.TemporaryDirectory() as work:
        pipe = os.path.join(work, "pipe")
        os.mkfifo(pipe)
        top = subprocess.Popen([TOOL, "top", "--batch", "3", "--interval", "0.5", "--from", pipe],
                               stdout=subprocess.PIPE)
        changes = []
        # Each frame opens the file anew, and gets what is written by then.
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

    def __init__(self, *words, lines=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "vt100"
            # The shell's part: the size before the program starts.
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
        """Its exit status, as of a shell."""
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
    # The first clears the screen, each other one only the ends of its lines.
    terminal.read_until(b"\x1b[H\x1b[J\x1b[H3 ours, mapped 2.0T")
    terminal.read_until(b"\x1b[K\x1b[J\x1b[H")
    frame = terminal.read_until(b"\x1b[K\x1b[J")
    assert b"by MAPPED\x1b[K\r" in frame, frame
    for line in frame.replace(b"\r", b"").split(b"\x1b[K\n"):
        assert len(line.replace(b"\x1b[K\x1b[J", b"")) < 80, line
    terminal.press(b"q")
    assert terminal.end() == 0


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
    # One that grows gets more at once, not at the next frame.
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
        # It would be gone with its last process.
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
    assert done.returncode == (2 if not state["agrees"] else state["switch"] == "off")


def help_is_there_for_each_subcommand():
    for line in run("--help").splitlines():
        if line.startswith("  "):
            assert run(line.split()[0], "--help").startswith(
                "usage: vfio-ioas " + line.split()[0])


def source(*parts):
    with open(os.path.join(TOP, *parts)) as file:
        return file.read()


def manual(name):
    """The words of a manual page, without its markup."""
    page = source("docs", "man", name)
    page = re.sub(r"Fl Fl ", "--", page)
    return re.sub(r"^\.(It|Li|Sy|Va|Cm|Pa|Dv|Op) ?(Li |Sy |Pa )?", "", page, flags=re.M)


def the_manual_has_each_subcommand_and_option():
    page = manual("vfio-ioas.8")
    for line in run("--help").splitlines():
        if not line.startswith("  "):
            continue
        subcommand = line.split()[0]
        assert "Ss vfio-ioas " + subcommand in page, subcommand
        for option in re.findall(r"--[a-z][a-z-]*", run(subcommand, "--help")):
            assert option + " " in page or option + "\n" in page, (subcommand, option)


def the_manual_has_each_column():
    page = manual("vfio-ioas.8")
    for column in run("top", "--batch", "1", "--from", STATUS).splitlines()[2].split():
        assert re.search(r"\b%s\b" % column, page), column


def the_manual_has_each_parameter():
    page = manual("vfio_ioas.4")
    sources = "".join(source(d, f) for d in ("module", "compat")
                      for f in sorted(os.listdir(os.path.join(TOP, d))) if f.endswith(".c"))
    names = re.findall(r"^module_param(?:_cb)?\((\w+),", sources, flags=re.M)
    assert len(names) == 4, names
    for name in names:
        assert "\n%s Ns = Ns" % name in page, name


def the_manual_has_each_line_of_the_log():
    page = manual("vfio_ioas.4")
    lines = []
    for directory, _, files in os.walk(TOP):
        if os.path.relpath(directory, TOP).split(os.sep)[0] in ("module", "compat"):
            for name in files:
                if name.endswith((".c", ".h")):
                    lines += re.findall(r'pr_(?:warn|err|info|notice)\w*\("([^"]*)\\n"',
                                        source(directory, name))
    assert len(lines) >= 5, lines
    for line in lines:
        assert "\n%s\n" % line in page, line


def the_manual_has_each_kind_and_key_of_the_status_file():
    page = manual("vfio_ioas.4")
    formats = []
    for name in ("insight/status.c", "access.c", "hwpt.c", "kapi/device.c"):
        formats += re.findall(r'seq_printf\(m, "((?:\w+ )?\w+=[^"]*)', source("module", name))
    words = re.findall(r"\b(\w+)=", " ".join(formats)) + re.findall(r"^(\w+) context=",
                                                                     "\n".join(formats), flags=re.M)
    assert {"mapped", "comm", "access", "devices"} - set(words) <= {"devices"}, words
    for word in words:
        assert re.search(r"\b%s\b" % word, page), word


def manual_pages_are_clean():
    for name in ("vfio-ioas.8", "vfio_ioas.4"):
        found = subprocess.run(["mandoc", "-Tlint", os.path.join(TOP, "docs", "man", name)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        # Of pages that are not installed it complains here.
        lines = [line for line in found.stdout.decode().splitlines()
                 if "referenced manual not found" not in line]
        assert not lines, lines


def complete(*words):
    """What bash would offer for the last word."""
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
    assert set(complete("")) >= {"switch", "status", "top", "compare"}
    assert complete("switch", "re") == ["restore"]
    assert complete("switch", "on", "--p") == ["--persist"]
    assert complete("switch", "on", "--way", "") == ["symlink", "node", "serve"]
    assert complete("top", "--sort", "m") == ["mapped"]
    assert complete("status", "--from", "") == ["FILES"]
    assert complete("compare", "--without", "d") == ["dirty"]
    assert complete("top", "--interval", "") == []


def bash_knows_each_column():
    columns = run("top", "--batch", "1", "--from", STATUS).splitlines()[2].lower().split()
    assert complete("top", "--sort", "") == columns


def compare_takes_no_word_that_it_does_not_know():
    for option in ("self-test", "without", "format"):
        said = run("compare", "--" + option, "nonsense", status=2)
        assert "nonsense" in said, said


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
    the_switch_tells_programs_where_it_is,
    help_is_there_for_each_subcommand,
    the_manual_has_each_subcommand_and_option,
    the_manual_has_each_column,
    the_manual_has_each_parameter,
    the_manual_has_each_line_of_the_log,
    the_manual_has_each_kind_and_key_of_the_status_file,
    manual_pages_are_clean,
    compare_takes_no_word_that_it_does_not_know,
    bash_completes_what_there_is,
    bash_knows_each_column,
]


def main():
    failed = 0
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            result = "ok"
        except Exception as error:  # whatever went wrong, the others are run
            print("# %s: %r" % (type(error).__name__, error))
            result = "not ok"
            failed += 1
        print("%s %d - %s" % (result, number, test.__name__), flush=True)
    return failed > 0


sys.exit(main())
