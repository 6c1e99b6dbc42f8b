# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for Wireshark at the pipes of a capture, doing what its main thread does in the same order (4.0 to 4.6):
make the pipes, start the program, start dumpcap, then for each toolbar interface open control-out for reading without
waiting, control-in for writing with waiting, send changed values and Initialized."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading

import lib
import lib_pcapng
from lib_podshark import PODSHARK

MARK, PAUSE, LOSS, LOG = range(4)
INITIALIZED, SET, ADD = range(3)
FROZEN = 3  # seconds after which a user calls a window frozen


def message(control, command, payload=b""):
    return b"T" + (len(payload) + 2).to_bytes(3, "big") + bytes((control, command)) + payload


def messages(data):
    """[(control, command, payload)] of a stream that ends with a whole message."""
    found = []
    while data:
        size = int.from_bytes(data[1:4], "big")
        assert data[:1] == b"T" and len(data) >= 4 + size, data[:40]
        found.append((data[4], data[5], data[6:4 + size]))
        data = data[4 + size:]
    return found


class FakeWireshark:
    def __init__(self, test, interface, *args, user=lib.RIG, name="ws", command=()):
        self.test, self.user = test, user
        self.paths = {}
        for kind in ("fifo", "in", "out"):
            self.paths[kind] = test.tmp / f"{name}-{kind}"
            os.mkfifo(self.paths[kind], 0o600)
            shutil.chown(self.paths[kind], user)
        argv = [PODSHARK, "--capture", "--extcap-interface", interface, "--fifo", self.paths["fifo"],
                "--extcap-control-out", self.paths["out"], "--extcap-control-in", self.paths["in"], *args]
        self.process = test.child(user, [*command, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.fifo = self.control_in = self.control_out = None
        self.received = self.data = b""
        test.addCleanup(self.let_go)

    def dumpcap(self):
        """Opens the fifo as dumpcap does, without waiting."""
        self.fifo = os.open(self.paths["fifo"], os.O_RDONLY | os.O_NONBLOCK)
        return self

    def connect(self, before=b"", initialized=True):
        """What the main thread does. Fails the test where Wireshark would freeze."""
        self.control_out = os.open(self.paths["out"], os.O_RDONLY | os.O_NONBLOCK)
        opened = []
        thread = threading.Thread(target=lambda: opened.append(os.open(self.paths["in"], os.O_WRONLY)), daemon=True)
        thread.start()
        thread.join(FROZEN)
        if not opened:
            os.close(os.open(self.paths["in"], os.O_RDONLY | os.O_NONBLOCK))  # lets the thread go
            self.test.fail("Wireshark's main thread would hang in opening control-in")
        self.control_in = opened[0]
        self.send(before + (message(0, INITIALIZED) if initialized else b""))
        return self

    def send(self, data):
        """Writes as Wireshark does: waiting. The pipe must take it all in time."""
        thread = threading.Thread(target=lambda: self._write(data), daemon=True)
        thread.start()
        thread.join(FROZEN)
        self.test.assertFalse(thread.is_alive(), "Wireshark's main thread would hang in writing to control-in")

    def _write(self, data):
        while data:
            data = data[os.write(self.control_in, data):]

    def mark(self, text):
        self.send(message(MARK, SET, text.encode()))

    def log(self):
        """Lines of the toolbar's log until now."""
        return [payload.decode() for control, _, payload in self.read() if control == LOG]

    def loss(self):
        return [payload.decode() for control, _, payload in self.read() if control == LOSS]

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.control_out, 65536):
                self.received += piece
        return messages(self.received)

    def out_ended(self):
        """True when nobody holds the other end of control-out: Wireshark's reader would spin now."""
        events = select.select([self.control_out], [], [], 0)[0]
        with contextlib.suppress(BlockingIOError):
            return bool(events) and os.read(self.control_out, 65536) == b""
        return False

    def packets(self, until=b"", timeout=20):
        """All bytes of the fifo until now; waits until they contain `until`, or (without) for their end."""
        def more():
            with contextlib.suppress(BlockingIOError):
                piece = os.read(self.fifo, 1 << 20)
                self.data += piece
                if not piece and not until and self.data:
                    return True
            return bool(until) and until in self.data
        lib.wait_for(more, until or "the end of the packets", timeout)
        return self.data

    def events(self, kind):
        return lib_pcapng.read(self.data, partial=True).events_of(kind)

    def finish(self):
        """Stops it and reads the rest; it must end cleanly."""
        self.stop()
        self.packets()
        self.test.assertEqual((0, ""), self.ended())

    def stop(self, signum=signal.SIGTERM):
        os.kill(self.process.pid, signum)

    def ended(self, timeout=10):
        """(exit code, stderr) of the program."""
        code = self.process.wait(timeout)
        return code, self.process.stderr.read().decode()

    def let_go(self):
        """What Wireshark does when the capture has ended."""
        for name in ("control_in", "control_out", "fifo"):
            fd = getattr(self, name)
            if fd is not None:
                os.close(fd)
                setattr(self, name, None)
        # One that never connected: the keeper waits a minute for it.
        with contextlib.suppress(OSError):
            os.close(os.open(self.paths["in"], os.O_WRONLY | os.O_NONBLOCK))
