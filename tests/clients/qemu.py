#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu.py DIRECTORY PID HOST-DEVICE HOST-DEVICE
#
# Drives a running QEMU and its two passed-through edu devices, through the sockets qmp and qtest in
# DIRECTORY. Prints a line for each step: yes or no, and the step. Writes the dirty log to
# DIRECTORY/log.*.
#
# qtest is QEMU's protocol for test drivers. It accesses the guest's ports and memory as the CPU of
# the guest does.
import subprocess
import sys
import time

from qmp import Lines, Monitor, step

RAM = 256 << 20
# The devices may write to all memory.
ALL_DIRTY = f'{RAM // 4096} dirty pages'
SLOTS = {'edu0': 4, 'edu1': 5}

# The edu device: its registers and commands, and the address of its own memory.
SOURCE, DESTINATION, COUNT, COMMAND = 0x80, 0x88, 0x90, 0x98
START, TO_RAM = 1, 2
MEMORY = 0x40000
IDENTITY = 0x010000ed

# The ports that ACPI code of a guest uses to eject the device in a slot.
EJECT, SELECT_BUS = 0xae08, 0xae10


class Machine(Lines):
    """The guest's ports and memory."""

    def ask(self, *words):
        self.write(' '.join(words))
        reply = self.read().split()
        while reply[0] == 'IRQ':
            reply = self.read().split()
        if reply[0] != 'OK':
            raise RuntimeError(f'{words}: {reply}')
        return int(reply[1], 0) if len(reply) > 1 else None

    def out(self, port, value):
        self.ask('outl', hex(port), hex(value))

    def read_register(self, address):
        return self.ask('readl', hex(address))

    def set_config(self, slot, register, value):
        self.out(0xcf8, 0x80000000 | slot << 11 | register)
        self.out(0xcfc, value)

    def get_config(self, slot, register):
        self.out(0xcf8, 0x80000000 | slot << 11 | register)
        return self.ask('inl', '0xcfc')

    def write_quad(self, address, value):
        self.ask('writeq', hex(address), hex(value))

    def read_quad(self, address):
        return self.ask('readq', hex(address))


class Edu:
    """An edu device in a slot, with its registers at @address."""

    def __init__(self, machine, name, address=None):
        self.machine, self.slot = machine, SLOTS[name]
        if address:
            machine.set_config(self.slot, 0x10, address)
        self.address = machine.get_config(self.slot, 0x10) & ~0xf
        # Enable its registers and bus mastering.
        machine.set_config(self.slot, 0x4, 0x6)

    def transfer(self, source, destination, nbytes, command):
        for register, value in ((SOURCE, source), (DESTINATION, destination),
                                (COUNT, nbytes), (COMMAND, command | START)):
            self.machine.write_quad(self.address + register, value)
        deadline = time.monotonic() + 30
        while self.machine.read_quad(self.address + COMMAND) & START:
            if time.monotonic() > deadline:
                raise TimeoutError('the device has not finished a copy in 30 seconds')
            time.sleep(0.01)

    def copy(self, source, destination, nbytes):
        self.transfer(source, MEMORY, nbytes, 0)
        self.transfer(MEMORY, destination, nbytes, TO_RAM)


def copies_memory(machine, edu, source, destination):
    """Copies one word of RAM through the device."""
    value = 0x1122334455667788 ^ source
    machine.write_quad(source, value)
    machine.write_quad(destination, 0)
    edu.copy(source, destination, 8)
    return machine.read_quad(destination) == value


def reaches_peer(machine, edu, peer, destination):
    """Lets a device read the register that identifies the other one."""
    machine.write_quad(destination, 0)
    edu.copy(peer.address, destination, 4)
    return machine.read_quad(destination) == IDENTITY


def read_log(directory, pid, name):
    path = f'{directory}/log.{name}'
    return subprocess.run(['dirtylog', pid, str(RAM), path], stdout=subprocess.PIPE, text=True,
                          check=False).stdout.strip()


def until_logging(directory, pid):
    """QEMU starts the log in a thread of its own."""
    deadline = time.monotonic() + 8
    while True:
        said = read_log(directory, pid, 'first')
        if said.endswith('dirty pages') or time.monotonic() > deadline:
            return said
        time.sleep(0.1)


def until_measured(monitor):
    while monitor.ask('query-dirty-rate')['status'] == 'measuring':
        time.sleep(0.5)


def unplug(monitor, machine, name):
    monitor.ask('device_del', id=name)
    machine.out(SELECT_BUS, 0)
    machine.out(EJECT, 1 << SLOTS[name])
    monitor.wait_for('DEVICE_DELETED', device=name)


def main():
    directory, pid, *hosts = sys.argv[1:]
    monitor, machine = Monitor(directory + '/qmp'), Machine(directory + '/qtest')

    edus = [Edu(machine, name) for name in SLOTS]
    addresses = [edu.address for edu in edus]
    step('a device copies memory', copies_memory(machine, edus[0], 0x1000000, 0x2000ff8))
    step('a device reads a register of the other one', reaches_peer(machine, *edus, 0x3000000))

    off = read_log(directory, pid, 'off')
    step('the dirty log is off: ' + off, off.startswith('cannot'))
    monitor.ask('calc-dirty-rate', **{'calc-time': 10, 'mode': 'dirty-bitmap'})
    on = until_logging(directory, pid)
    step('the dirty log is on: ' + on, on == ALL_DIRTY)
    step('a device copies memory meanwhile', copies_memory(machine, edus[1], 0x4000000, 0x5000000))
    on = read_log(directory, pid, 'second')
    step('the dirty log is read again: ' + on, on == ALL_DIRTY)
    until_measured(monitor)
    off = read_log(directory, pid, 'off')
    step('the dirty log is off again: ' + off, off.startswith('cannot'))

    unplug(monitor, machine, 'edu1')
    step('one device is unplugged, the other one copies memory',
         copies_memory(machine, edus[0], 0x6000000, 0x7000000))
    unplug(monitor, machine, 'edu0')
    for name, host in zip(SLOTS, hosts):
        monitor.ask('device_add', driver='vfio-pci', id=name, host=host, addr=str(SLOTS[name]))
    edus = [Edu(machine, *names) for names in zip(SLOTS, addresses)]
    step('both were unplugged and plugged again, one copies memory',
         copies_memory(machine, edus[1], 0x8000000, 0x9000000))
    step('and reads a register of the other one', reaches_peer(machine, *edus, 0xa000000))
    monitor.ask('quit')


if __name__ == '__main__':
    main()
