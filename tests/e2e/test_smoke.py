# SPDX-License-Identifier: GPL-2.0-or-later
"""The shortest way through everything, in both worlds: list, capture, read the file back, also with tshark."""

import shutil
import subprocess

import lib_pcapng
from lib import RIG, ROOT, Ctr, RigTest, fetch, quick, wait_for
from lib_podshark import Capture, extcap_home, fields, interfaces, inventory, podshark, tshark

CONTAINERS = (
    Ctr("web", ports=("28080:80",)),
    Ctr("own", user=RIG, ports=("28081:80",)),
)


@quick
class Smoke(RigTest):
    def test_list_names_own_containers(self):
        self.assertEqual(["own"], [c["name"] for c in inventory(RIG)["containers"] if c.get("rootless")])
        self.assertIn("web", [c["name"] for c in inventory(ROOT)["containers"]])

    def test_extcap_sentences(self):
        listed = interfaces(podshark(RIG, "--extcap-interfaces").stdout)
        self.assertIn("podman:own", [s.get("value") for s in listed if s[""] == "interface"])

    def capture(self, user, name, port):
        with Capture(user, name, no_new_privs=user != ROOT) as capture:
            self.assertIn("hello", fetch(port))
            capture.wait_packets(6)
            done = capture.stop()
            kept = self.tmp / "kept.pcapng"
            shutil.copy(capture.path, kept)
        return done, kept

    def test_capture(self):
        for user, name, port in ((ROOT, "web", 28080), (RIG, "own", 28081)):
            with self.subTest(name):
                done, path = self.capture(user, name, port)
                self.assertEqual(name, done.links[0].keys["container"])
                self.assertEqual("inventory", done.events[0]["kind"])
                self.assertTrue(any(b"hello from a podman" in p.data for p in done.packets))
                self.assertEqual({0}, {s.dropped for s in done.all(lib_pcapng.Statistics)})
                seen = fields(path, "frame.interface_name", "http.response.code", display_filter="http.response")
                self.assertEqual("200", seen[0]["http.response.code"])
                self.assertTrue(seen[0]["frame.interface_name"].startswith(f"podman:{name}/"))

    def test_tshark_lists_and_captures(self):
        extcap_home(RIG)
        self.assertIn("podman:own", tshark(RIG, "-D"))
        path = self.tmp / "tshark.pcapng"
        child = self.child(RIG, ["tshark", "-q", "-i", "podman:own", "-a", "packets:20", "-w", path],
                           stderr=subprocess.DEVNULL)

        def enough():
            fetch(28081)
            return child.poll() is not None
        wait_for(enough, "tshark to see twenty packets")
        self.assertEqual(0, child.returncode)
        seen = fields(path, "http.response.code", display_filter="http.response")
        self.assertEqual("200", seen[0]["http.response.code"])
