# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of a saved host in the real Wireshark window: on its start page, and captured by a double click."""

import pathlib
import shutil

import lib
from lib import ARTIFACTS, RIG, Ctr
from lib_gui import GuiTest
from lib_hosts import FakeSsh
from lib_podshark import extcap_home, podshark

CONTAINERS = (Ctr("own", user=RIG),)


class HostsPage(GuiTest):
    def test_the_start_page_lists_a_saved_host_and_captures_there(self):
        ssh = FakeSsh(self.tmp)
        home = pathlib.Path(lib.environment(RIG)["HOME"])
        for place in (".config/podshark", ".cache/podshark"):
            self.addCleanup(shutil.rmtree, home / place, ignore_errors=True)
        podshark(RIG, "hosts", "add", "there", env=ssh.env)
        podshark(RIG, "hosts", "refresh", env=ssh.env)
        ssh.log.write_text("")
        extcap_home(RIG)
        desktop = self.desktop()
        shark = desktop.wireshark(env=ssh.env)
        row = shark.wait(lambda: self.shown(shark, "podman@there:own"), "podman@there:own on the start page")
        self.assertRegex(row["name"], r"^Podman own · bb:1 · .*on there: podman@there:own$")
        self.assertTrue(self.shown(shark, "podman@there:choose"))
        self.assertEqual([], ssh.called(), "a host was contacted for the start page")
        desktop.screenshot(ARTIFACTS / "hosts.png")
        self.double_click(shark, "podman@there:own")
        self.assertTrue(ssh.called())
