# SPDX-License-Identifier: GPL-2.0-only
#
# Shared by the scripts that drive QEMU: its sockets, and how to report a step.
import json
import socket


class Lines:
    """A connection to a socket, line by line."""

    def __init__(self, path, timeout=240):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.file = self.socket.makefile('rw', errors='replace')

    def write(self, line):
        self.file.write(line + '\n')
        self.file.flush()

    def read(self):
        line = self.file.readline()
        if not line:
            raise EOFError('QEMU has closed the connection')
        return line


class Monitor(Lines):
    """QMP: commands, and events that come between replies."""

    def __init__(self, path):
        super().__init__(path)
        self.events = []
        self.read()
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        self.write(json.dumps({'execute': command, 'arguments': arguments}))
        while True:
            reply = json.loads(self.read())
            if 'error' in reply:
                raise RuntimeError(f"{command}: {reply['error']['desc']}")
            if 'return' in reply:
                return reply['return']
            self.events.append(reply)

    def wait_for(self, name, **data):
        """Takes the oldest event of this name, with this data, or waits for one."""
        while True:
            for event in self.events:
                if event['event'] == name and data.items() <= event.get('data', {}).items():
                    self.events.remove(event)
                    return
            self.events.append(json.loads(self.read()))


def step(what, good):
    print(f"{'yes' if good else 'no'}:{what}", flush=True)
