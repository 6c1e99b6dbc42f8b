# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousand-fold repeats; tests/long.txt runs them on demand."""

import signal

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
