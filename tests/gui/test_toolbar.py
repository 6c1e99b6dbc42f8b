# SPDX-License-Identifier: GPL-2.0-or-later
"""Podshark's toolbar in the real window: marks, log, failures, early ends, kills; it never freezes."""

import os
import pathlib
import signal
import time

import lib
from lib import ARTIFACTS, RIG, Ctr, RigTest, wait_for
from lib_gui import Desktop
from lib_podshark import extcap_home
from lib_toolbar import ASKED_FOR, RECENT, Freezes, Toolbar, cpu_seconds, displayed

CONTAINERS = (
    Ctr("own", user=RIG, ports=("28081:80",)),
    Ctr("bridged", user=RIG, network="podman"),
    Ctr("peer", user=RIG, network="podman", cmd=("sleep", "1000000")),
    Ctr("host", user=RIG, network="host", cmd=("sleep", "1000000")),
)
BRIEFLY = ("-o", "extcap.podman_brief.follow:false")  # ends with its container
PROGRAM = ("podshark", "podshark-keeper", "dumpcap")


class ToolbarTest(RigTest):
    OURS = (*RigTest.OURS, "wireshark", "dumpcap", "Xvfb")

    def setUp(self):
        super().setUp()
        extcap_home(RIG)

    def desktop(self, recent=RECENT):
        desktop = Desktop(RIG, recent)
        self.enterContext(desktop)
        return desktop

    def window(self, *args, env=None):
        """A window with the toolbar; fails the test when it ever hangs in a control pipe."""
        shark = self.desktop().wireshark(*args, env={**ASKED_FOR, **(env or {})})
        freezes = self.enterContext(Freezes(shark))
        self.addCleanup(lambda: self.assertLess(freezes.longest, 3, "seconds the window was frozen"))
        return shark, Toolbar(shark)

    def capturing(self, *args, **kwargs):
        shark, bar = self.window("-k", *args, **kwargs)
        shark.wait_node("label", text="Packets: ")
        bar.wait("push button", "dropped ")
        return shark, bar

    def reacts(self, shark):
        """The main thread answers within three seconds, and does not hang in a pipe."""
        wait_for(shark.alive, "the window to answer", 3)
        self.assertFalse(shark.frozen())

    @staticmethod
    def programs(shark):
        """The capturing processes that the window has started."""
        def parent(pid):
            try:
                return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                return ""
        return [pid for pid in lib.processes("podshark") if parent(pid) == str(shark.process.pid)]

    @staticmethod
    def capture_runs(shark):
        """Whether dumpcap reads a fifo of ours."""
        def cmdline(pid):
            try:
                return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                return b""
        return any(b"wireshark_extcap_" in cmdline(pid) for pid in lib.processes("dumpcap"))

    def stop(self, shark):
        shark.press("Capture", "Stop")
        wait_for(lambda: not lib.processes(*PROGRAM), "podshark, its keeper and dumpcap to end", 10)

    def box(self, shark, text):
        """Waits for an error box with this text and closes it."""
        shark.wait(lambda: any(text in t for t in shark.texts()), f"a box that says '{text}'")
        self.reacts(shark)
        shark.press("OK")
        shark.wait(lambda: not any(text in t for t in shark.texts()), "the box to close")


class Working(ToolbarTest):
    def test_a_typed_mark_is_in_the_packet_list_and_the_log_shows_it(self):
        shark, bar = self.capturing("-i", "podman:own", "-Y", 'json.value.string == "the deploy begins"')
        bar.type_mark("the deploy begins")
        shark.wait(lambda: displayed(shark) == 1, "the mark in the packet list")
        shark.wait(lambda: bar.find("text")["text"] == "", "the field to be cleared")
        bar.press("dropped 0 (0 %)")
        text = shark.wait(lambda: (t := bar.log()) and "own/lo: " in t and t, "the numbers in the log")
        self.assertRegex(text, r"\d\d:\d\d:\d\d lifecycle: capturing in container own\n")
        self.assertIn("mark: the deploy begins", text)
        self.assertIn("dropped 0 (0 %) since the start", text)
        shark.desktop.screenshot(ARTIFACTS / "toolbar.png")
        self.stop(shark)
        self.assertFalse([t for t in shark.texts() if "rror" in t], "no error box")

    def test_a_probe_and_a_check_of_a_typed_target(self):
        shark, bar = self.capturing("-i", "podman:bridged", "-Y", 'json.value.string == "probe" || json.value.string == "check"')
        bar.type_target("peer > bridged:81")
        bar.press("Probe")
        text = shark.wait(lambda: "refused" in (t := bar.log()) and t, "the answer in the log")
        self.assertIn("$ podshark probe --from=peer -- bridged:81", text)
        self.assertRegex(text, r"probe: bridged:81/tcp from peer: refused")
        bar.press("Check NAT")
        text = shark.wait(lambda: "check: check bridged:81 from peer: " in (t := bar.log()) and t, "the findings in the log")
        shark.wait(lambda: (displayed(shark) or 0) >= 3, "their records in the packet list")
        shark.desktop.screenshot(ARTIFACTS / "toolbar-probe.png")
        self.reacts(shark)
        self.stop(shark)

    def test_following_can_be_paused(self):
        shark, bar = self.capturing("-i", "podman:own")
        shark.desktop.click(bar.wait("check box", "Pause following"))
        shark.wait(lambda: "are left out" in bar.log(), "the pause in the log")
        self.stop(shark)

    def test_stopped_and_started_again_it_works_and_repeats_no_mark(self):
        shark, bar = self.capturing("-i", "podman:own", "-Y", 'json.value.string == "mark"')
        bar.type_mark("one")
        shark.wait(lambda: displayed(shark) == 1, "the first mark")
        for how, text in ((("Capture", "Restart"), "two"), (("Capture", "Start"), "three")):
            if "Start" in how:
                self.stop(shark)
            before = lib.processes("podshark-keeper")
            shark.press(*how, role="menu item")
            shark.wait(lambda: (now := lib.processes("podshark-keeper")) and now != before, "another capture")
            shark.wait(lambda: displayed(shark) == 0, "an empty packet list")
            bar.type_mark(text)
            shark.wait(lambda: displayed(shark) == 1, "the mark, and not the old one")
            self.reacts(shark)
        self.stop(shark)

    def test_help_opens_the_installed_page(self):
        programs = self.tmp / "bin"
        programs.mkdir()
        (programs / "xdg-open").write_text(f'#!/bin/sh\necho "$1" >{self.tmp}/opened\n')
        (programs / "xdg-open").chmod(0o755)
        path = lib.environment(RIG)["PATH"]
        shark, bar = self.window("-k", "-i", "podman:own", env={"PATH": f"{programs}:{path}"})
        bar.press("Help")
        opened = self.tmp / "opened"
        shark.wait(lambda: opened.exists() and opened.read_text().endswith("/share/podshark/help.html\n"), "the page")
        shark.wait_node("label", text="Packets: ")
        self.stop(shark)


class Failing(ToolbarTest):
    def test_a_capture_that_fails_at_once_is_told_and_the_window_lives(self):
        for args, text in ((("-i", "podman:host"), "uses the host's network"),
                           (("-i", "podman:own", "-o", "extcap.podman_own.link:eth7"), "no link 'eth7'"),
                           (("-i", "podman:choose"), "no container chosen")):
            with self.subTest(args=args):
                shark, bar = self.window("-k", *args)
                self.box(shark, text)
                self.reacts(shark)
                wait_for(lambda: not lib.processes(*PROGRAM), "all to end", 10)
                shark.close()

    def test_a_container_that_is_gone_when_the_capture_starts(self):
        lib.start(Ctr("brief", user=RIG))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "brief", check=False)
        shark, _ = self.window()
        row = shark.wait(lambda: next((n for n in shark.nodes() if n["name"].endswith(": podman:brief")), None),
                         "the container on the start page")
        lib.podman(RIG, "rm", "-f", "-t", "0", "brief")
        x, y, _, height = row["box"]
        lib.run(RIG, ["xdotool", "mousemove", str(x + 30), str(y + height // 2), "click", "--repeat", "2", "--delay", "80",
                      "1"], env={"DISPLAY": shark.desktop.display})
        self.box(shark, "is called 'podman:brief'")
        self.reacts(shark)


class Ending(ToolbarTest):
    def test_of_two_interfaces_one_ends_early_and_the_window_neither_spins_nor_dies(self):
        lib.start(Ctr("brief", user=RIG))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "brief", check=False)
        shark, bar = self.capturing("-i", "podman:brief", "-i", "podman:own", *BRIEFLY, "-Y",
                                    'json.value.string == "the other lives"')
        bar.choose("podman:brief")
        shark.wait(lambda: "container brief" in bar.log(), "the log of the first")
        lib.podman(RIG, "rm", "-f", "-t", "0", "brief")
        shark.wait(lambda: "brief has stopped" in bar.log(), "its last words")
        wait_for(lambda: len(self.programs(shark)) == 1 and len(lib.processes("podshark-keeper")) == 2,
                 "its program to end and its keeper to stay")
        pid, began, used = shark.process.pid, time.monotonic(), cpu_seconds(shark.process.pid)
        lib.run(lib.ROOT, ["sleep", "4"])
        self.assertLess((cpu_seconds(pid) - used) / (time.monotonic() - began), 0.5, "share of a core the window uses")
        bar.press("dropped")  # of the one that has ended
        self.reacts(shark)
        bar.choose("podman:own")
        bar.type_mark("the other lives")
        shark.wait(lambda: displayed(shark) == 1, "the mark of the other")
        shark.press("Capture", "Stop")
        self.box(shark, "'brief' has stopped")  # Wireshark lets go of the pipes when it is closed
        wait_for(lambda: not lib.processes(*PROGRAM), "all to end", 10)

    def test_a_capture_that_ends_by_itself(self):
        lib.start(Ctr("brief", user=RIG))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "brief", check=False)
        shark, _ = self.capturing("-i", "podman:brief", *BRIEFLY)
        lib.podman(RIG, "rm", "-f", "-t", "0", "brief")
        self.box(shark, "'brief' has stopped")
        wait_for(lambda: not lib.processes(*PROGRAM), "all to end", 10)
        self.reacts(shark)

    def test_a_program_killed_while_it_captures(self):
        shark, bar = self.capturing("-i", "podman:own")
        (program,) = self.programs(shark)
        os.kill(program, signal.SIGKILL)
        wait_for(lambda: not lib.processes(*PROGRAM), "the keeper and dumpcap to end", 20)
        bar.wait("push button", "Log")
        self.reacts(shark)

    def test_a_program_killed_before_its_first_byte(self):
        # Then Wireshark calls the capture failed and keeps the toolbar's pipes until it ends.
        shark, _ = self.window("-k", "-i", "podman:own")
        shark.wait(lambda: lib.processes("podshark-keeper"), "the keeper")
        (program,) = self.programs(shark)
        os.kill(program, signal.SIGKILL)
        shark.wait(lambda: not self.capture_runs(shark), "dumpcap to end")
        self.reacts(shark)
        used = cpu_seconds(shark.process.pid)
        lib.run(lib.ROOT, ["sleep", "3"])
        self.assertLess(cpu_seconds(shark.process.pid) - used, 1.5, "no thread spins after the capture")
        shark.close()
        wait_for(lambda: not lib.processes("podshark-keeper"), "the keeper to end", 5)

    def test_a_killed_window_leaves_nothing(self):
        shark, _ = self.capturing("-i", "podman:own")
        shark.process.kill()
        wait_for(lambda: not lib.processes("podshark", "podshark-keeper"), "both to end", 5)


class PerVersion(ToolbarTest):
    def test_what_is_offered_by_default(self):
        shark = self.desktop().wireshark()
        shark.wait(lambda: any(n["name"].endswith(": podman:own") for n in shark.nodes()), "the list")
        self.assertEqual(lib.WORLD != "deb12", Toolbar(shark).find("push button", "Log") is not None)

    def test_links_that_come_and_go_leave_it_alive(self):
        # Wireshark before 4.4.1 makes the toolbar anew then, and its controls are dead: hence the version limit.
        shark, bar = self.capturing("-i", "podman:own", "-Y", 'json.value.string == "still there"')
        for _ in range(2):
            lib.run(lib.ROOT, ["ip", "link", "add", "tb0", "type", "veth", "peer", "name", "tb1"])
            self.addCleanup(lib.run, lib.ROOT, ["ip", "link", "del", "tb0"], check=False)
            lib.run(lib.ROOT, ["ip", "link", "set", "tb0", "up"])
            lib.run(lib.ROOT, ["ip", "link", "del", "tb0"])
        self.reacts(shark)
        if lib.WORLD != "deb12":
            bar.type_mark("still there")
            shark.wait(lambda: displayed(shark) == 1, "the mark")
            self.stop(shark)
        else:
            shark.press("Capture", "Stop")  # the old toolbar's pipes stay open until Wireshark ends
            wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)
        used = cpu_seconds(shark.process.pid)
        lib.run(lib.ROOT, ["sleep", "3"])
        self.assertLess(cpu_seconds(shark.process.pid) - used, 1.5, "no thread spins after the capture")
