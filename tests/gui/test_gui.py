# SPDX-License-Identifier: GPL-2.0-or-later
"""The real Wireshark window with real rootless containers: its start page, a live capture, a saved file. Screenshots
go to PODSHARK_ARTIFACTS (tests/run.sh: build/artifacts/WORLD)."""

import subprocess

import lib
import lib_pcapng
import make_capture
from lib import ARTIFACTS, RIG, WEB
from lib_gui import GuiTest
from lib_podshark import PODSHARK, extcap_home

IMAGES = ("localhost/shop-web:2.1", "localhost/postgres:16", "localhost/redis:7.4")


def start_shop(user):
    """What the pictures show: web and db on one network, a cache on the default one, a pod of two, a rootful proxy.
    Every image is the tests' busybox."""
    web, postgres, redis = IMAGES
    lib.podman(user, "tag", lib.IMAGE, *IMAGES)
    lib.podman(user, "network", "create", "shopnet")
    run = ("run", "-d", "--name")
    lib.podman(user, *run, "web", "--network", "shopnet", "-p", "8080:80", web, *WEB)
    lib.podman(user, *run, "db", "--network", "shopnet", postgres, "sleep", "1000000")
    lib.podman(user, *run, "cache", "-p", "8081:80", redis, *WEB)
    lib.podman(user, "pod", "create", "--name", "shop", "-p", "8090:80")
    lib.podman(user, *run, "front", "--pod", "shop", web, *WEB)
    lib.podman(user, *run, "sessions", "--pod", "shop", redis, "sleep", "1000000")
    lib.start(lib.Ctr("proxy", ports=("443:80",)))


class Gui(GuiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(lib.podman, RIG, "untag", lib.IMAGE, *IMAGES)
        for user in (RIG, lib.ROOT):
            cls.addClassCleanup(lib.remove_all, user)
        start_shop(RIG)
        extcap_home(RIG)

    def test_the_start_page_lists_containers_and_pods(self):
        desktop = self.desktop()
        shark = desktop.wireshark()

        def current():
            """web's row with podman's own details: a busy podman may answer too late for the first list."""
            row = self.shown(shark, "podman:web")
            if row and "podman is slow" in row["name"]:
                shark.press("Capture", "Refresh Interfaces")
                return None
            return row

        row = shark.wait(current, "podman:web on the start page")
        self.assertRegex(row["name"], r"^Podman web · shop-web:2\.1 · 10\.89\.\d+\.\d+ · 8080→80: podman:web$")
        for name in ("podman:db", "podman:cache", "podman:front", "podman:sessions", "podman:pod/shop", "podman:all",
                     "podman:choose", "podman-root:proxy"):
            self.assertTrue(self.shown(shark, name), name)
        self.select(shark, "podman:web")
        desktop.screenshot(ARTIFACTS / "interfaces.png")

    def test_a_live_capture_shows_packets_with_names(self):
        desktop = self.desktop()
        address = lib.Up("web", RIG).address
        # The filter keeps what we wait for from being pushed off the screen.
        only = 'podman.name == "web" && (tcp.flags.syn == 1 || http)'
        shark = desktop.wireshark("-k", "-i", "podman:web", "-Y", only)
        shark.wait(lambda: "Podman web" in shark.title(), "the title to name the container")
        # The capture is running once Wireshark counts the records every capture begins with.
        shark.wait_node("label", text="Packets: ")
        self.assertIn("hello", lib.podman(RIG, "exec", "db", "wget", "-qO-", f"http://{address}/"))
        self.assertIn("hello", lib.fetch(8080))

        def row(**wanted):
            """A row of the packet list with these texts; Info only has to contain its text."""
            info = wanted.pop("Info", "")
            return [r for r in shark.packets() if info in r["Info"] and wanted.items() <= r.items()]

        shark.wait(lambda: row(From="db", To="web", Destination=address, Info="GET /"), "db's request in the list")
        shark.wait(lambda: row(From="web", To="db", Source=address, Info="200 OK"), "web's answer in the list")
        shark.wait(lambda: len(row(To="web", Info="GET /")) == 2, "the request through the published port")
        desktop.screenshot(ARTIFACTS / "capture.png")
        shark.press("Capture", "Stop")
        lib.wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)
        shark.wait(lambda: any(t.startswith("Packets: ") for t in shark.texts()), "the number of packets")
        self.assertFalse([t for t in shark.texts() if "rror" in t], "no error box")

    def test_a_double_click_on_a_container_shows_its_packets(self):
        shark = self.desktop().wireshark()
        self.double_click(shark, "podman:web")
        self.assertIn("hello", lib.fetch(8080))
        shark.wait(lambda: [r for r in shark.packets() if r["To"] == "web" and "GET /" in r["Info"]], "the request")

    def test_the_command_line_feeds_a_window(self):
        """podshark capture web -w - | wireshark -k -i -"""
        command = self.child(RIG, [PODSHARK, "capture", "web", "-w", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        shark = self.desktop().wireshark("-k", "-i", "-", stdin=command.stdout)
        command.stdout.close()  # else the pipe has a reader after the window is gone
        shark.wait_node("label", text="Packets: ")
        self.assertIn("hello", lib.fetch(8080))
        shark.wait(lambda: [r for r in shark.packets() if r["To"] == "web" and "GET /" in r["Info"]], "the request")
        shark.close()
        self.assertEqual(0, command.wait(10), "the window is closed: a normal end")

    def test_a_failure_is_told_in_a_box_and_the_window_stays_alive(self):
        shark = self.desktop().wireshark("-k", "-i", "podman:choose")
        shark.wait(lambda: [t for t in shark.texts() if "no container chosen" in t], "the reason")
        self.assertFalse(shark.frozen())
        lib.wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)

    def test_a_capture_with_an_end_of_its_own_leaves_a_complete_file(self):
        # Here dumpcap leaves first and the program gets EPIPE, unlike Stop.
        path = self.tmp / "gui.pcapng"
        shark = self.desktop().wireshark("-k", "-i", "podman:cache", "-w", path, "-a", "duration:15")
        shark.wait(lambda: "Capturing from" in shark.title(), "the capture to start")
        shark.wait_node("label", text="Packets: ")
        lib.fetch(8081)
        shark.wait(lambda: "gui.pcapng" in shark.title() and "Capturing" not in shark.title(), "the capture's end")
        lib.wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)
        file = lib_pcapng.read(path)
        self.assertIn("podman:cache/lo", [link.name for link in file.links])
        self.assertTrue([p for p in file.packets if b"GET / HTTP" in p.data])
        self.assertFalse([t for t in shark.texts() if "rror" in t], "no error box")

    def test_a_saved_capture_has_names_and_a_filter_for_them(self):
        path = self.tmp / "saved.pcapng"
        make_capture.example().save(path)
        desktop = self.desktop()
        shark = desktop.wireshark("-r", path, "-Y", 'podman.name == "db"')
        shark.wait_node("label", text="Displayed: 2")
        both = [("3", "web", "db"), ("4", "db", "web")]
        shark.wait(lambda: [(r["No."], r["From"], r["To"]) for r in shark.packets()] == both, "both packets with their names in the list")
