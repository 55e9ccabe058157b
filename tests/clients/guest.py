#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: guest.py DIRECTORY MODULE NAME=HOST-DEVICE... -- QEMU...
#
# Runs QEMU with devices passed through to a guest that uses them. As users do, it plugs and unplugs
# devices, reboots the guest, and finally kills QEMU. MODULE is the backend that must serve. Prints
# a line for each step: yes or no, and the step. Writes the charges, with the moment of each, to
# DIRECTORY/charges, and other output to DIRECTORY/log.
import os
import subprocess
import sys
import time

from qmp import Lines, Monitor, step

# In KiB, a lower bound of the charge. The firmware is charged, too, but not always: before 6.2, the
# kernel pins pages that QEMU has not written as the zero page, which is free.
RAM = 256 << 10


class Guest(Lines):
    """The shell of the guest: see guest-init."""

    def __init__(self, path, log):
        super().__init__(path, timeout=600)
        self.log = log

    def read(self):
        line = super().read().strip()
        print(line, file=self.log, flush=True)
        return line

    def wait_for(self, start):
        while not (line := self.read()).startswith(start):
            if line.startswith('status: '):
                raise RuntimeError(f'the guest stopped before it said {start}')
        return line

    def run(self, command):
        self.write(command)
        return self.wait_for('status: ') == 'status: 0'


class Qemu:
    def __init__(self, directory, command, devices):
        self.directory = directory
        self.log = open(f'{directory}/log', 'a', encoding='ascii')
        self.charges = open(f'{directory}/charges', 'a', encoding='ascii')
        for name in ('qmp', 'guest'):
            if os.path.exists(f'{directory}/{name}'):
                os.unlink(f'{directory}/{name}')
        with open(f'{directory}/messages', 'ab') as messages:
            self.process = subprocess.Popen(command + self.arguments(devices),
                                            stdin=subprocess.DEVNULL,
                                            stdout=messages, stderr=messages)
        self.monitor = Monitor(self.wait_for_socket('qmp'))
        self.guest = Guest(self.wait_for_socket('guest'), self.log)

    def arguments(self, devices):
        # Each of these ports of PCI Express takes one device.
        arguments = ['-qmp', f'unix:{self.directory}/qmp,server=on,wait=off',
                     '-serial', f'file:{self.directory}/console',
                     '-serial', f'unix:{self.directory}/guest,server=on,wait=off']
        for number, name in enumerate(devices, 1):
            arguments += ['-device',
                          f'pcie-root-port,id=port-{name},chassis={number},slot={number}']
        for name, host in devices.items():
            arguments += ['-device', f'vfio-pci,host={host},id={name},bus=port-{name}']
        return arguments

    def wait_for_socket(self, name):
        deadline = time.monotonic() + 240
        path = f'{self.directory}/{name}'
        while not os.path.exists(path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError('QEMU does not start')
            time.sleep(0.05)
        return path

    def plug(self, name, host):
        self.monitor.ask('device_add', driver='vfio-pci', id=name, host=host, bus=f'port-{name}')

    def unplug(self, name):
        """Asks the guest, which releases the device after five seconds, if no user objects."""
        self.monitor.ask('device_del', id=name)
        self.monitor.wait_for('DEVICE_DELETED', device=name)

    def note_charge(self, when):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as status:
            charge = next(line.split()[1] for line in status if line.startswith('VmLck:'))
        print(f'{charge} kB {when}', file=self.charges, flush=True)
        return int(charge)

    def is_served(self, module):
        answer = subprocess.run(['whoserves', str(self.process.pid)], capture_output=True,
                                text=True, check=False)
        return answer.stdout.strip() == module

    def devices_work(self, when, names):
        for name in names:
            step(f'{name} works {when}', self.guest.run(name))


def count_pinned():
    """The number of pages that have been pinned, and not unpinned, since the machine started."""
    with open('/proc/sys/vm/stat_refresh', encoding='ascii') as refresh:
        refresh.read()
    with open('/proc/vmstat', encoding='ascii') as stat:
        counts = dict(line.split() for line in stat)
    return int(counts['nr_foll_pin_acquired']) - int(counts['nr_foll_pin_released'])


def read_use(module):
    with open(f'/sys/module/{module}/refcnt', encoding='ascii') as file:
        return int(file.read())


def group_of(host):
    return os.path.basename(os.readlink(f'/sys/bus/pci/devices/{host}/iommu_group'))


def is_free(group):
    """Only one process can have a group open."""
    try:
        os.close(os.open(f'/dev/vfio/{group}', os.O_RDWR))
    except OSError:
        return False
    return True


def run(qemu, module, devices, pinned):
    qemu.guest.wait_for('up:')
    step('it serves QEMU', qemu.is_served(module))
    step("the guest's RAM is charged", qemu.note_charge('with all devices') >= RAM)
    step('pages are pinned', count_pinned() > pinned)
    qemu.devices_work('in the guest', devices)

    first, *others = devices
    qemu.unplug(first)
    qemu.note_charge('with one device less')
    qemu.devices_work('when another one was unplugged', others)
    for name in others:
        qemu.unplug(name)
    step('all were unplugged: nothing is charged', qemu.note_charge('without devices') == 0)
    step('and nothing pinned', count_pinned() == pinned)

    for name, host in devices.items():
        qemu.plug(name, host)
    step('the guest sees all that was plugged', qemu.guest.run(f'try is_there {len(devices)}'))
    step('its RAM is charged again', qemu.note_charge('with all again') >= RAM)
    qemu.devices_work('when plugged again', devices)

    qemu.monitor.ask('system_reset')
    qemu.guest.wait_for('up:')
    step('its RAM is charged after a reboot', qemu.note_charge('after a reboot') >= RAM)
    qemu.devices_work('after a reboot', devices)


def kill(qemu, module, devices, pinned):
    """Kills QEMU while the devices are busy."""
    qemu.guest.write(f'while {list(devices)[-1]} >/dev/null 2>&1; do echo again; done')
    qemu.guest.wait_for('again')
    qemu.process.kill()
    qemu.process.wait()
    step('killed: all groups are free', all(is_free(group_of(host)) for host in devices.values()))
    step('nothing is pinned', count_pinned() == pinned)
    step('the backend is not in use', read_use(module) == 0)


def start_again(qemu, module, devices):
    qemu.guest.wait_for('up:')
    step('a new QEMU is served', qemu.is_served(module))
    qemu.note_charge('by a new one')
    qemu.devices_work('in the new one', devices)
    qemu.monitor.ask('quit')
    step('it exits with status 0', qemu.process.wait(60) == 0)


def main():
    directory, module, *words = sys.argv[1:]
    split = words.index('--')
    devices = dict(word.split('=') for word in words[:split])
    command = words[split + 1:]
    pinned = count_pinned()

    qemu = Qemu(directory, command, devices)
    try:
        run(qemu, module, devices, pinned)
        kill(qemu, module, devices, pinned)
        qemu = Qemu(directory, command, devices)
        start_again(qemu, module, devices)
    finally:
        qemu.process.kill()
        qemu.process.wait()


if __name__ == '__main__':
    main()
