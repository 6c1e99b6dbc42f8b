# SPDX-License-Identifier: GPL-2.0-or-later
"""The real Wireshark window under Xvfb: containers in its interface list, and a capture of one of them."""

import os
import pathlib
import shutil
import subprocess

import lib
from lib import RIG, Ctr, Pod, RigTest, fetch, run, wait_for
from lib_podshark import extcap_home

CONTAINERS = (
    Ctr("web", user=RIG, ports=("8080:80",)),
    Ctr("db", user=RIG, network="bridge", ports=("5432:80",)),
    Ctr("cache", user=RIG),
    Pod("shop", user=RIG, ports=("8090:80",), members=("front", "orders")),
    Ctr("proxy", ports=("443:80",)),
)
DISPLAY = ":77"
PREFERENCES = """gui.update.enabled: FALSE
gui.ask_unsaved: FALSE
gui.geometry.save.position: TRUE
gui.geometry.save.size: TRUE
gui.geometry.save.maximized: FALSE
nameres.use_external_name_resolver: FALSE
"""
RECENT = """gui.geometry_main_x: 0
gui.geometry_main_y: 0
gui.geometry_main_width: 1280
gui.geometry_main_height: 860
gui.geometry_main_maximized: FALSE
sys.warn_if_no_capture: FALSE
privs.warn_if_elevated: FALSE
"""


class Gui(RigTest):
    def setUp(self):
        super().setUp()
        extcap_home(RIG)
        config = pathlib.Path("/home/rig/.config/wireshark")
        run(RIG, ["mkdir", "-p", config])
        for name, text in (("preferences", PREFERENCES), ("recent_common", RECENT)):
            run(RIG, ["tee", config / name], input=text)
        self.env = {"DISPLAY": DISPLAY, "QT_QPA_PLATFORM": "xcb"}
        self.child(RIG, ["Xvfb", DISPLAY, "-screen", "0", "1280x900x24", "-nolisten", "tcp"], stderr=subprocess.DEVNULL)
        wait_for(lambda: run(RIG, ["xdpyinfo"], env=self.env, check=False).returncode == 0, "the X server")
        self.child(RIG, ["openbox"], env=self.env, stderr=subprocess.DEVNULL)

    def wireshark(self, *args):
        return self.child(RIG, ["wireshark", *args], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def title(self):
        return run(RIG, ["xdotool", "search", "--onlyvisible", "--class", "wireshark", "getwindowname", "%@"],
                   env=self.env, check=False).stdout

    def screenshot(self, name, still=True):
        """A picture of the screen in the artifacts; `still`: drawn when four in a row are the same."""
        pictures = []

        def drawn():
            done = run(RIG, ["sh", "-c", 'import -window root "$0" && md5sum <"$0"', self.tmp / name], env=self.env)
            pictures.append(done.stdout)
            return not still or (len(pictures) > 4 and len(set(pictures[-4:])) == 1)
        wait_for(drawn, "the window to be drawn", 40)
        shutil.copy(self.tmp / name, lib.ARTIFACTS / name)
        return lib.ARTIFACTS / name

    def test_the_start_page_lists_containers(self):
        wireshark = self.wireshark()
        wait_for(lambda: "Wireshark Network Analyzer" in self.title(), "the main window", 60)
        picture = self.screenshot("interfaces.png")
        self.assertGreater(os.path.getsize(picture), 20000, "a window full of text")
        self.assertIsNone(wireshark.poll())

    def test_a_capture_started_by_name_shows_packets(self):
        path = self.tmp / "gui.pcapng"
        self.wireshark("-k", "-i", "podman:web", "-w", path, "-a", "duration:12")
        wait_for(lambda: "Capturing from" in self.title(), "the capture to start", 60)
        wait_for(lambda: lib.processes("podshark"), "the capture process")

        def arrived():
            fetch(8080)
            return path.exists() and path.stat().st_size > 6000
        wait_for(arrived, "packets in Wireshark's file")
        wait_for(lambda: not lib.processes("podshark"), "the capture's end", 40)
        wait_for(lambda: "Capturing from" not in self.title() and "podman:web" in self.title() or "gui" in self.title(),
                 "the window of the finished capture")
        self.screenshot("capture.png", still=False)  # a blinking cursor never rests
        self.assertIn("podman:web/lo", run(RIG, ["capinfos", path]).stdout)
