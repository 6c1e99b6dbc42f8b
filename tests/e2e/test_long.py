# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousand-fold repeats and a soak; tests/long.txt runs them on demand."""

import os
import pathlib
import signal
import time

import lib
from lib import RIG, ROOT, Ctr, RigTest, fetch, long, run
from lib_podshark import Capture

CONTAINERS = (Ctr("web", ports=("28080:80",)), Ctr("own", user=RIG, ports=("28081:80",)))


@long
class Repeats(RigTest):
    def test_a_thousand_captures_start_and_stop_and_leave_nothing(self):
        def namespaces():
            return len(run(ROOT, ["lsns", "-n"]).stdout.splitlines())
        before = namespaces()
        for i in range(500):
            for user, name in ((ROOT, "web"), (RIG, "own")):
                with Capture(user, name, "-q") as capture:
                    done = capture.stop(signal.SIGTERM if i % 2 else signal.SIGINT)
                self.assertEqual(2, len(done.links))
                self.assertEqual("stats", done.events[-1]["kind"])
        self.assertEqual(before, namespaces())
        self.assertIn("hello", fetch(28080))
        self.assertEqual([], lib.processes("podshark", "podshark-worker"))


@long
class Soak(RigTest):
    MINUTES = 60

    def memory(self, pid):
        """kB of its own; packet rings are not: those of a newcomer are held until podman tells whose they are."""
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("RssAnon")).split()[1])

    def test_minutes_of_traffic_and_changes_grow_nothing(self):
        with Capture(ROOT, "web", "-q") as capture:
            began, rounds, settled = time.monotonic(), 0, None
            self.assertIn("hello", fetch(28080))
            descriptors = len(os.listdir(f"/proc/{capture.process.pid}/fd"))
            while time.monotonic() - began < self.MINUTES * 60:
                self.assertIn("hello", fetch(28080))
                if rounds % 20 == 0:  # a container that comes and goes: events, inventories
                    lib.start(Ctr("brief", cmd=("sleep", "1000000")))
                    lib.podman(ROOT, "rm", "-f", "-t", "0", "brief")
                if settled is None and time.monotonic() - began > 60:
                    settled = self.memory(capture.process.pid)
                rounds += 1
            memory = self.memory(capture.process.pid)
            lib.wait_for(lambda: len(os.listdir(f"/proc/{capture.process.pid}/fd")) == descriptors,
                         "descriptors of those that went to be closed", 60)
            done = capture.stop()
        self.assertLess(memory - settled, 4096, "kB more than after the first minute")
        self.assertGreaterEqual(sum(b"GET / HTTP" in p.data for p in done.packets_of("podman:web/eth0")), rounds)
        self.assertGreaterEqual(len(done.events_of("stats")), self.MINUTES)
        self.assertEqual({0}, {entry["dropped"] for entry in done.events_of("stats")[-1]["links"]})
