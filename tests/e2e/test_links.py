# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers with many links, and with links that come and go without end: what root in a container can do."""

import lib_pcapng
from lib import ROOT, Ctr, RigTest, run, wait_for
from lib_podshark import Capture, mapped_rings
from test_follow import happened

CONTAINERS = (Ctr("web"), Ctr("peer"))
BUDGET = 384 << 20  # docs/ARCHITECTURE.md


class LinksTest(RigTest):
    def ip(self, *lines):
        """ip(8) in the namespace of web, as who has CAP_NET_ADMIN there."""
        run(ROOT, ["nsenter", "-t", str(self.up["web"].pid), "-n", "ip", "-batch", "-"], input="\n".join(lines) + "\n")

    def add(self, *numbers):
        """Two links for each."""
        self.ip(*(f"link add d{n} up type veth peer name e{n}" for n in numbers))
        self.addCleanup(self.ip, *(f"link del d{n}" for n in numbers))


class Many(LinksTest):
    def test_links_of_one_container_share_the_memory_of_a_capture(self):
        self.add(*range(25))
        with Capture(ROOT, "web", "peer") as capture:
            self.assertEqual(54, len(capture.links()))
            self.assertLessEqual(mapped_rings(capture.process.pid), BUDGET)
            self.add(*range(25, 30))
            wait_for(lambda: len(capture.links()) == 64, "links that appear")
            self.assertLessEqual(mapped_rings(capture.process.pid), BUDGET)
            self.assertEqual([], happened(capture, "lifecycle", "link-failed"))
            capture.stop()

    def test_a_router_with_more_links_than_the_worker_serves_at_once(self):
        self.add(*range(35))
        with Capture(ROOT, "web") as capture:
            wait_for(lambda: len(capture.links()) == 72, "all links")
            self.add(*range(35, 70))
            wait_for(lambda: len(capture.links()) == 142, "as many that appear")
            self.assertEqual([], happened(capture, "lifecycle", "link-failed"))
            capture.stop()


class ComeAndGo(LinksTest):
    def test_figures_of_links_of_one_name_are_of_all_of_them(self):
        with Capture(ROOT, "web") as capture:
            for number in range(1, 4):
                self.ip("link add d0 up type veth peer name e0", "link set e0 up", "addr add 10.99.0.1/24 dev d0", "neigh add 10.99.0.2 lladdr 02:00:00:00:00:02 dev d0")
                wait_for(lambda n=number: len([i for i in capture.links() if i.name == "podman:web/d0"]) == n, "the link")
                self.up["web"].enter("ping", "-c", "1", "-W", "1", "10.99.0.2", check=False)
                wait_for(lambda n=number: len([p for p in capture.so_far().packets_of("podman:web/d0") if p.data[23] == 1]) == n, "a ping")
                self.ip("link del d0")
                wait_for(lambda n=number: len([e for e in happened(capture, "lifecycle", "link-removed") if e["link"] == "d0"]) == n, "its end")
            done = capture.stop()
        figures = [k for k in done.events_of("stats")[-1]["links"] if k["link"] == "d0"]
        self.assertEqual(1, len(figures), figures)
        blocks = [s for s in done.all(lib_pcapng.Statistics) if s.interface.name == "podman:web/d0"]
        self.assertEqual((3, sum(s.received for s in blocks)), (len(blocks), figures[0]["received"]))
        for kind, what, number in (("lifecycle", "link-added", 3), ("gap", "link-replaced", 2)):
            self.assertEqual(number, len([e for e in done.events_of(kind) if e["what"] == what and e["link"] == "d0"]), what)


class Endless(LinksTest):
    def test_more_than_one_capture_takes_is_told_once(self):
        with Capture(ROOT, "web") as capture:
            self.ip("link add parent type bridge", *(f"link add link parent name v{n} type macvlan" for n in range(300)))
            self.addCleanup(self.ip, "link del parent")
            wait_for(lambda: happened(capture, "lifecycle", "link-failed"), "that it is told", 60)
            self.assertLessEqual(mapped_rings(capture.process.pid), BUDGET)
            self.add(1)
            wait_for(lambda: len(capture.links()) == 256, "as many as there may be")
            done = capture.stop()
        told, = (e["detail"] for e in done.events_of("lifecycle") if e["what"] == "link-failed")
        self.assertRegex(told, r"^\d+ links? of container 'web' not captured: one capture has 384 MiB for rings")
