# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousand-fold repeats and a soak; tests/long.txt runs them on demand."""

import os
import signal
import time

import lib
from lib import RIG, ROOT, Ctr, RigTest, fetch, long, run
from lib_podshark import Capture, resident

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
    MINUTES = 15

    def state(self, pid):
        return resident(pid), len(os.listdir(f"/proc/{pid}/fd"))

    def test_minutes_of_traffic_and_changes_grow_nothing(self):
        with Capture(ROOT, "web", "-q") as capture:
            began, rounds, settled = time.monotonic(), 0, None
            while time.monotonic() - began < self.MINUTES * 60:
                self.assertIn("hello", fetch(28080))
                if rounds % 20 == 0:  # a container that comes and goes: events, inventories
                    lib.start(Ctr("brief", cmd=("sleep", "1000000")))
                    lib.podman(ROOT, "rm", "-f", "-t", "0", "brief")
                if settled is None and time.monotonic() - began > 60:
                    settled = self.state(capture.process.pid)
                rounds += 1
            memory, descriptors = self.state(capture.process.pid)
            done = capture.stop()
        self.assertLess(memory - settled[0], 4096, "kB more than after the first minute")
        self.assertEqual(settled[1], descriptors)
        self.assertGreaterEqual(sum(b"GET / HTTP" in p.data for p in done.packets_of("podman:web/eth0")), rounds)
        self.assertGreaterEqual(len(done.events_of("stats")), self.MINUTES)
        self.assertEqual({0}, {entry["dropped"] for entry in done.events_of("stats")[-1]["links"]})
