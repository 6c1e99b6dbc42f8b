# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics → Podman and the profile "Podman" in a real Wireshark window, on saved captures."""

import pathlib
import shutil

import lib
import make_capture
from lib import ARTIFACTS
from lib_gui import GuiTest

PROFILE = pathlib.Path(__file__).resolve().parents[2] / "plugin/profile"


class Statistics(GuiTest):
    def saved(self, capture):
        path = self.tmp / "saved.pcapng"
        capture.save(path)
        path.chmod(0o644)
        return path

    def test_traffic_by_container(self):
        desktop = self.desktop()
        shark = desktop.wireshark("-r", self.saved(make_capture.example()))
        shark.wait(lambda: shark.packets(), "packets")
        shark.press("Containers", role="menu item")
        rows = shark.wait(lambda: {n["name"] for n in shark.nodes(window="Containers", menus=False)} >= {"web", "db", "cache", "shop"}
                          and {n["name"] for n in shark.nodes(window="Containers", menus=False)}, "the containers in the window")
        self.assertIn("sent", rows)
        desktop.screenshot(ARTIFACTS / "statistics.png")

    def test_the_profile_shows_containers_in_columns(self):
        desktop = self.desktop()
        folder = desktop.home / ".config/wireshark/profiles"
        lib.run(lib.RIG, ["mkdir", "-p", folder])
        shutil.copytree(PROFILE, folder / "Podman", dirs_exist_ok=True)
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        lib.run(lib.ROOT, ["chown", "-R", lib.RIG, folder / "Podman"])
        capture, copies = make_capture.both_points()
        capture.event("gap", what="restarted", container="web", detail="container web was not captured for 1.500 s")
        shark = desktop.wireshark("-C", "Podman", "-r", self.saved(capture))
        rows = shark.wait(lambda: [r for r in shark.packets() if r.get("Src container")], "the columns")
        self.assertEqual({("web", "db"), ("db", "web")}, {(r["Src container"], r["Dst container"]) for r in rows})
        self.assertEqual({"inside", "host"}, {r["Point"] for r in rows})
        desktop.screenshot(ARTIFACTS / "profile.png")
        self.assertTrue([n for n in shark.nodes(menus=False) if n["name"] == "Podman"], "the drop-down of filter buttons")
