# SPDX-License-Identifier: GPL-2.0-only
"""The recorder, without VFIO: python3 recorder.py RECORDER FAKE-VFIO VFIO-IOAS. Prints TAP.

Each program of a test is a function of this file, in a process with the recorder and with
fake_vfio.c, where all calls but those for devices succeed. VMs test the
kernel's part: tests/conformance/record."""
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile

import tap

CHECK_EXTENSION, GET_STATUS, GET_DEVICE_FD, MAP_DMA = 0x3b65, 0x3b67, 0x3b6a, 0x3b71
CANCEL_ENABLE = 0       # PTHREAD_CANCEL_ENABLE
SYS_CLOSE = 3
PAGE = 4096
TIB = 1 << 40
HOLE = TIB      # unmapped in any process on this kind of machine

LIMIT = "calls: the recording ends here: more than %s cannot be replayed\n"


class Recording:
    """The recording of a program, and its errors."""

    def __init__(self, name, errors):
        with open(name) as file:
            self.text = file.read()
        self.lines = self.text.splitlines()
        self.errors = errors

    def count(self, word):
        return sum(line.split()[0] == word for line in self.lines)


def must_be_replayable(name):
    """The replay must accept the file, and fail later: for lack of a device, root or a module."""
    done = subprocess.run([TOOL, "compare", "--replay", name, "--file", "/dev/null"], timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 2 and name.encode() not in done.stdout, done.stdout


def record(program, *words, max_file_bytes=resource.RLIM_INFINITY):
    """Returns the recording of a program. The program must succeed, and its recording be valid."""
    limit = (max_file_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    with tempfile.TemporaryDirectory() as top:
        nodes = os.path.join(top, "dev", "vfio")
        name = os.path.join(top, "calls")
        os.makedirs(nodes)
        for node in "vfio", "7":
            with open(os.path.join(nodes, node), "w"):
                pass
        environment = dict(os.environ, LD_PRELOAD=RECORDER + " " + FAKE, VFIO_IOAS_RECORD=name,
                           FAKE_MOUNTS=os.path.join(top, "mounts"))
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), program.__name__, top, *words],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit), check=False)
        errors = done.stderr.decode()
        assert done.returncode == 0, (program.__name__, done.returncode, errors)
        must_be_replayable(name)
        return Recording(name, errors)


# --- programs; the first argument of each is a directory of its own

def open_node(top, name="vfio"):
    return os.open(os.path.join(top, "dev", "vfio", name), os.O_RDWR)


def map_dma(container, vaddr, nbytes):
    fcntl.ioctl(container, MAP_DMA, struct.pack("IIQQQ", 32, 3, vaddr, 0, nbytes))


def use_a_number_beside_one_that_was_closed_unnoticed(top):
    container = open_node(top)
    fcntl.ioctl(container, CHECK_EXTENSION, 1)
    number = next(int(fd) for fd in os.listdir("/proc/self/fd")
                  if os.path.islink("/proc/self/fd/" + fd) and
                  os.readlink("/proc/self/fd/" + fd) == os.path.join(top, "calls"))
    os.dup2(container, number + 1)
    ctypes.CDLL(None).syscall(SYS_CLOSE, number + 1)
    os.dup2(container, number)
    fcntl.ioctl(number, CHECK_EXTENSION, 2)


def call_a_hundred_times(top):
    container = open_node(top)
    for number in range(100):
        fcntl.ioctl(container, CHECK_EXTENSION, number)


def ask_for_devices_in_vain(top):
    group = open_node(top, "7")
    for name in 0, b"none\0", b"0000:00:03.0\0":
        try:
            fcntl.ioctl(group, GET_DEVICE_FD, name)
            raise AssertionError(name)
        except OSError:
            pass


def map_holes(top, nmaps, nbytes):
    container = open_node(top)
    for _ in range(int(nmaps)):
        map_dma(container, HOLE, int(nbytes))


def call_a_million_times(top):
    container = open_node(top)
    for _ in range(1000000):
        fcntl.ioctl(container, CHECK_EXTENSION, 1)


def device_of(address):
    """Returns the device number of the file system of the file that is mapped at this address."""
    with open("/proc/self/maps") as file:
        for line in file:
            words = line.split()
            start, end = (int(word, 16) for word in words[0].split("-"))
            if start <= address < end:
                return ":".join(str(int(word, 16)) for word in words[3].split(":"))
    raise AssertionError(hex(address))


def map_a_file(top, mount, sharing, is_deleted=""):
    """Maps a file whose file system is described by a fake list of mounts."""
    container = open_node(top)
    flags = mmap.MAP_SHARED if sharing == "shared" else mmap.MAP_PRIVATE
    with open(os.path.join(top, "a file"), "w+b") as file:
        file.truncate(PAGE)
        if is_deleted:
            os.unlink(file.name)
        memory = mmap.mmap(file.fileno(), PAGE, flags)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with open(os.path.join(top, "mounts"), "w") as file:
        file.write("21 1 9999:9999 / / rw - hugetlbfs none rw\n" + "x" * 5000 + "\n")
        file.write(mount.replace("DEVICE", device_of(address)))
    map_dma(container, address, PAGE)


def be_interrupted(top):
    """A signal handler may jump out, so threads can be cancelled in it as outside."""
    libc = ctypes.CDLL(None)
    before = []

    @ctypes.CFUNCTYPE(None, ctypes.c_int)
    def handle(_):
        state = ctypes.c_int(-1)
        libc.pthread_setcancelstate(CANCEL_ENABLE, ctypes.byref(state))
        before.append(state.value)

    libc.signal(signal.SIGUSR1, handle)
    os.environ["FAKE_SIGNAL"] = "1"
    map_dma(open_node(top), HOLE, PAGE)
    assert before and set(before) == {CANCEL_ENABLE}, before


def use_three(top, *names):
    """The number of a descriptor that is not recorded is reused for one that is."""
    call = (CHECK_EXTENSION, 1) if "vfio" in names else (GET_STATUS, bytes(8))
    for name in names:
        with open(os.path.join(top, "dev", "vfio", name), "w"):
            pass
    fds = [open_node(top, name) for name in names]
    for _ in range(3):
        for fd in fds:
            fcntl.ioctl(fd, *call)
    os.close(fds[0])
    os.close(fds[2])
    assert open_node(top, names[0]) == fds[0]
    os.dup2(fds[0], fds[2])
    fcntl.ioctl(fds[2], *call)


# --- tests

def the_recording_moves_to_a_number_that_was_closed_unnoticed():
    recording = record(use_a_number_beside_one_that_was_closed_unnoticed)
    assert not recording.errors and recording.count("extension") == 2, recording.text


def a_recording_that_finds_no_room_ends_with_a_whole_line():
    whole = record(call_a_hundred_times).text
    for max_file_bytes in range(1000, 1030, 7):
        recording = record(call_a_hundred_times, max_file_bytes=max_file_bytes)
        assert recording.text == whole[:whole.rindex("\n", 0, max_file_bytes) + 1], recording.text
        assert recording.errors.endswith("calls: the recording ends here: File too large\n"), (
            recording.errors)


def a_device_of_no_name_is_none_when_it_is_replayed():
    recording = record(ask_for_devices_in_vain)
    assert recording.lines[-3:] == [
        "device group=A slot=0 known=0 # = -EFAULT",
        "device group=A slot=0 known=0 # = -ENODEV",
        "device group=A slot=0 known=1 # = -EINVAL",
    ], recording.text


def a_recording_ends_before_it_has_too_many_pieces_of_memory():
    recording = record(map_holes, "65600", str(PAGE))
    assert recording.errors.endswith(LIMIT % "65536 pieces of memory"), recording.errors
    assert recording.count("memory") == recording.count("map") == 65536, recording.text[-500:]


def a_recording_ends_before_it_has_too_much_memory():
    recording = record(map_holes, "40", str(TIB))
    assert recording.errors.endswith(LIMIT % "32 TiB of memory"), recording.errors
    assert recording.count("memory") == recording.count("map") == 32, recording.text


def a_recording_ends_before_it_has_too_many_operations():
    recording = record(call_a_million_times)
    assert recording.errors.endswith(LIMIT % "1000000 operations"), recording.errors
    assert len(recording.lines) == 1000000, recording.text[-500:]


def a_handler_of_signals_finds_its_thread_cancellable():
    assert record(be_interrupted).count("map") == 1


def what_is_not_recorded_is_said_once_and_forgotten_when_it_is_closed():
    for word, names in ("container", ["vfio"] * 3), ("group", ["7", "8", "9"]):
        recording = record(use_three, *names)
        assert recording.lines.count("# a third %s is not recorded" % word) == 1, recording.text
        assert recording.count(word) == 3, recording.text


def kinds(program, *words):
    return [line.split("kind=")[1].split()[0] for line in record(program, *words).lines
            if line.startswith("part ")]


def memory_is_of_the_kind_of_its_file_system():
    mount = "30 21 DEVICE /a\\040-\\040b /mnt/huge rw,x shared:1 master:2 - %s a/-/b rw,size=2M\n"
    for type_name, kind in (("hugetlbfs", "huge"), ("tmpfs", "shared"), ("ramfs", "shared"),
                            ("ext4", "file"), ("fuse.tmpfs", "file")):
        for deleted in [], ["deleted"]:
            assert kinds(map_a_file, mount % type_name, "shared", *deleted) == [kind], type_name
    assert kinds(map_a_file, mount % "hugetlbfs", "private") == ["huge"]
    assert kinds(map_a_file, mount % "tmpfs", "private") == ["anon"]
    for broken in "", "\n", "30 21 DEVICE", "30 21 DEVICE / / rw -", "30 21 DEVICE / / rw - \n":
        assert kinds(map_a_file, broken, "shared") == ["file"], broken


PROGRAMS = [
    use_a_number_beside_one_that_was_closed_unnoticed,
    call_a_hundred_times,
    ask_for_devices_in_vain,
    map_holes,
    call_a_million_times,
    be_interrupted,
    use_three,
    map_a_file,
]

TESTS = [
    the_recording_moves_to_a_number_that_was_closed_unnoticed,
    a_recording_that_finds_no_room_ends_with_a_whole_line,
    a_device_of_no_name_is_none_when_it_is_replayed,
    a_recording_ends_before_it_has_too_many_pieces_of_memory,
    a_recording_ends_before_it_has_too_much_memory,
    a_recording_ends_before_it_has_too_many_operations,
    a_handler_of_signals_finds_its_thread_cancellable,
    what_is_not_recorded_is_said_once_and_forgotten_when_it_is_closed,
    memory_is_of_the_kind_of_its_file_system,
]


if sys.argv[1] in [program.__name__ for program in PROGRAMS]:
    globals()[sys.argv[1]](*sys.argv[2:])
    sys.exit(0)
RECORDER, FAKE, TOOL = (os.path.abspath(path) for path in sys.argv[1:])
sys.exit(tap.run(TESTS))
