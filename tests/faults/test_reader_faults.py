# SPDX-License-Identifier: GPL-2.0-or-later
"""Who reads the packets stops for good or is killed, or the parent is: the capture ends, and what was read is valid."""

import os
import signal
import subprocess

import lib_pcapng
from lib import BIN, ROOT, Ctr, fetch, run, wait_for
from lib_faults import FaultTest
from lib_podshark import PODSHARK

CONTAINERS = (Ctr("web", ports=("28590:80",)),)
SIZE, NUMBER = 1000, 10000  # 10 MB: a pipe, a queue and a ring of 1 MiB each do not hold them
ONE_LINK = ("--drops", "off", "--ring-size", "1", "--queue-size", "1")


class ReaderTest(FaultTest):
    def setUp(self):
        super().setUp()
        self.fifo, self.data = self.tmp / "fifo", b""
        os.mkfifo(self.fifo, 0o600)

    def extcap(self, *args):
        """The words of a capture as Wireshark starts it."""
        return [PODSHARK, "--capture", "--extcap-interface", "podman:web", "--fifo", self.fifo, *args]

    def open_fifo(self):
        self.reader = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, self.reader)

    def read_until(self, done):
        def more():
            try:
                piece = os.read(self.reader, 1 << 16)
            except BlockingIOError:
                return False
            self.data += piece
            return done(piece)
        wait_for(more, "what is to be read")


class Stops(ReaderTest):
    """It reads until the capture has begun and never again."""

    def flood(self):
        sent = run(ROOT, [BIN / "tests/tools/packet_sender", "podman0", self.up["web"].mac, NUMBER, SIZE, 100000, 9]).stdout
        self.assertGreater(int(sent) * SIZE, 4 << 20)

    def test_the_capture_ends_and_says_how_much_was_not_taken(self):
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-i", "eth0", "-f", "udp port 9", *ONE_LINK, "-w", "-"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        data = b""
        while b"web/eth0" not in data:
            data += child.stdout.read1(65536)
        self.flood()
        child.send_signal(signal.SIGINT)
        self.assertEqual(0, child.wait(10))
        self.assertRegex(child.stderr.read().decode(), r"(?m)the reader did not take the last [1-9]\d* bytes in time$")

    def test_wireshark_gets_its_end_all_the_same(self):
        self.open_fifo()
        child = self.child(ROOT, self.extcap("--link", "eth0", *ONE_LINK), stderr=subprocess.PIPE)
        self.read_until(lambda _: b"web/eth0" in self.data)
        self.flood()
        child.send_signal(signal.SIGTERM)
        self.assertEqual(0, child.wait(10), child.stderr.read())


class Killed(ReaderTest):
    def test_the_parent(self):
        self.open_fifo()
        code = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
        parent = self.child(ROOT, ["/usr/bin/python3", "-c", code, *self.extcap("--drops", "off")])
        self.read_until(lambda _: b"web/eth0" in self.data)
        fetch(28590)
        self.read_until(lambda _: b"GET / HTTP" in self.data)
        parent.kill()
        self.read_until(lambda piece: not piece)
        path = self.tmp / "read.pcapng"
        path.write_bytes(self.data)
        done = self.valid(path)
        self.assertTrue(any(b"GET / HTTP" in p.data for p in done.packets))

    def test_the_reader(self):
        copy = self.tmp / "copy"
        with copy.open("wb") as file:
            cat = self.child(ROOT, ["cat", self.fifo], stdout=file)
        child = self.child(ROOT, self.extcap("--drops", "off"), stderr=subprocess.PIPE)
        wait_for(lambda: b"web/eth0" in copy.read_bytes(), "the link")
        fetch(28590)
        wait_for(lambda: b"GET / HTTP" in copy.read_bytes(), "the request")
        cat.kill()
        cat.wait(10)
        self.assertEqual((0, b""), (child.wait(10), child.stderr.read()))
        done = lib_pcapng.read(copy, partial=True)  # cat may have been killed within a block
        self.assertTrue(any(b"GET / HTTP" in p.data for p in done.packets))
