# SPDX-License-Identifier: GPL-2.0-or-later
"""Real captures at several points, in real tshark with our plugin and our profile."""

import shutil

import lib
from lib import ROOT, Ctr, RigTest, fetch, wait_for
from lib_plugin import PROFILE, PluginTest
from lib_podshark import Capture

CONTAINERS = (
    Ctr("web", ports=("28480:80",)),
    Ctr("db", cmd=("sleep", "1000000")),
)


class Points(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        PluginTest.setUpClass()
        cls.addClassCleanup(PluginTest.doClassCleanups)
        shutil.copytree(PROFILE, PluginTest.tmp / "home/.config/wireshark/profiles/Podman")

    def captured(self, *args, traffic, records=1):
        """A finished capture with an HTTP request and its reply, where tshark with the plugin can read it. records: how
        often the reply is in it."""
        with Capture(ROOT, *args) as capture:
            traffic()
            wait_for(lambda: sum(b"200 OK" in p.data for p in capture.so_far().packets) >= records, "the reply")
            self.done = capture.stop()
            path = PluginTest.tmp / "real.pcapng"
            shutil.copy(capture.path, path)
            path.chmod(0o644)
            return path

    def from_db(self):
        self.up["db"].exec("wget", "-qO-", f"http://{self.up['web'].address}/")

    def rows(self, path, display_filter, *fields):
        args = [word for field in fields for word in ("-e", field)]
        text = PluginTest().tshark("-C", "Podman", "--color", "-r", path, "-Y", display_filter, "-T", "fields", "-E",
                                   "separator=\x1f", *args)
        return [tuple(line.split("\x1f")) for line in text.splitlines()]

    def test_copies_on_the_bridge_are_told_from_retransmissions(self):
        path = self.captured("db", "--point", "both", "-i", "eth0", traffic=self.from_db, records=2)
        points = {i.name: "host" if "@host" in i.name else "inside" for i in self.done.links}
        self.assertEqual({"inside", "host"}, set(points.values()))
        for name, point in self.rows(path, "tcp", "frame.interface_name", "podman.point"):
            self.assertEqual(points[name], point)
        self.assertTrue(self.rows(path, "tcp.analysis.retransmission", "frame.number"), "copies look like that")
        self.assertEqual([], self.rows(path, "tcp.analysis.flags && !podman.copy_of", "frame.number", "_ws.col.Info"))
        rules = self.rows(path, "tcp && podman.copy_of", "frame.coloring_rule.name")
        self.assertEqual({("Podman: captured at another point already",)}, set(rules))
        self.assertNotIn(("Bad TCP",), self.rows(path, "tcp", "frame.coloring_rule.name"))

    def test_each_packet_of_a_connection_is_there_once_without_its_copies(self):
        path = self.captured("db", "--point", "both", "-i", "eth0", traffic=self.from_db, records=2)
        ends = "tcp.len > 0 && tcp.seq == 1"  # the request and the beginning of the reply
        once = self.rows(path, f"{ends} && !podman.copy_of", "ip.src", "tcp.seq_raw", "tcp.ack_raw")
        both = self.rows(path, ends, "ip.src", "tcp.seq_raw", "tcp.ack_raw")
        self.assertEqual((2, 4), (len(once), len(both)))
        self.assertEqual(set(both), set(once))

    def test_the_two_sides_of_a_published_port_are_no_copies(self):
        path = self.captured("web", "--point", "both", "-i", "eth0", traffic=lambda: fetch(28480), records=2)
        self.assertEqual({("inside",), ("host",)}, set(self.rows(path, "tcp", "podman.point")))
        self.assertEqual([], self.rows(path, "podman.copy_of && tcp", "frame.number"))

    def test_one_point_has_no_copies(self):
        for point in ("inside", "host"):
            with self.subTest(point):
                path = self.captured("web", "--point", point, traffic=self.from_db)
                self.assertEqual({(point,)}, set(self.rows(path, "tcp", "podman.point")))
                self.assertEqual([], self.rows(path, "podman.copy_of", "frame.number"))
