# SPDX-License-Identifier: GPL-2.0-or-later
"""Tools → Podman in a real Wireshark window: filters from the selected packet, and podshark's output in windows."""

import json
import pathlib
import re

import lib
import make_capture
import lib_podshark
from lib import ARTIFACTS, RIG, Ctr, Net, once, wait_for
from lib_gui import GuiTest
from lib_podshark import extcap_home
from lib_toolbar import displayed
from make_capture import container, inventory, ip

CONTAINERS = (
    Ctr("web", user=RIG, ports=("28080:80",)),
    Net("lan", user=RIG),
    Ctr("db", user=RIG, network="lan"),
    Ctr("app", user=RIG, network="lan", cmd=("sleep", "1000000")),
)
FLOW_ENTRIES = ("Check NAT and firewall for this flow", "Probe this endpoint", "Explain this flow")
LEG_ENTRIES = ("Go to the other NAT leg", "Filter on both NAT legs")
ENTRIES = ("Filter on this container", "Filter on its pod", *FLOW_ENTRIES, *LEG_ENTRIES, "Live containers",
           "Save annotated copy…", "About / doctor")


class Output:
    """The window with a program's output."""

    def __init__(self, shark, subject):
        self.shark, self.subject = shark, subject

    def nodes(self, role="", name=""):
        found = self.shark.nodes(role, name, window="Podman · " + self.subject, menus=False)
        return [n for n in found if n["path"]]  # without the application itself

    def text(self):
        return next((n["text"] for n in self.nodes("text") if n.get("text")), "")

    def wait(self, pattern, timeout=60):
        """Waits until the text matches; the match."""
        return self.shark.wait(lambda: re.search(pattern, self.text()), f"'{pattern}' in the window {self.subject}", timeout)

    def press(self, name):
        self.shark.press_node(lambda: next(iter(self.nodes("push button", name)), None), name)

    def buttons(self):
        return [n["name"] for n in self.nodes("push button")]

    def closed(self):
        return self.shark.alive() and not self.nodes()


class MenuTest(GuiTest):
    def setUp(self):
        super().setUp()
        extcap_home(RIG)

    def program(self, script, name="fake"):
        """The option that makes the menu run this script."""
        path = self.tmp / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return "-o", f"podman.program:{path}"

    def saved(self, capture=None):
        path = self.tmp / "saved.pcapng"
        (capture or make_capture.example()).save(path)
        path.chmod(0o644)
        return path

    @staticmethod
    def choose(shark, entry):
        """Without opening the menus, which would stay open over the window that appears."""
        shark.press(entry, role="menu item")

    def box(self, shark, *texts):
        """Waits for an error box with these texts and closes it; the window is alive then."""
        told = shark.wait(lambda: next((t for t in shark.texts() if all(x in t for x in texts)), None), f"a box saying {texts}")
        shark.press("OK", role="push button")
        shark.wait(lambda: told not in shark.texts(), "the box to close")
        wait_for(shark.alive, "the window to answer", 3)

    @staticmethod
    def filter_entry(shark):
        return next((n["text"] for n in shark.nodes("text", menus=False) if n["name"] == "Display filter entry"), "")

    def filtered(self, shark, text, number):
        shark.wait(lambda: self.filter_entry(shark) == text, f"the filter {text}")
        shark.wait(lambda: displayed(shark) == number, f"{number} displayed packets")

    @staticmethod
    def selected(shark, text):
        """Waits until the details of the selected packet say this."""
        shark.wait(lambda: [n for n in shark.nodes(menus=False) if text in n["name"]], f"'{text}' in the details")


class Filters(MenuTest):
    def test_the_menu_has_all_entries(self):
        desktop = self.desktop()
        shark = desktop.wireshark("-r", self.saved(), "-g", "3")
        self.selected(shark, "Src: web, Dst: db")
        shark.press("Tools", role="menu item")
        # Statistics has one of that name too.
        shark.press_node(lambda: next((n for n in shark.nodes("menu item", "Podman") if "showing" in n["states"]), None), "Podman")
        shark.wait(lambda: {n["name"] for n in shark.nodes("menu item") if "showing" in n["states"]} >= set(ENTRIES),
                   "the entries")
        desktop.screenshot(ARTIFACTS / "menu.png")

    def test_a_container_is_the_sender_or_else_the_receiver(self):
        web, db = container("web", "10.89.0.2"), container("db", "10.89.0.3")
        capture = make_capture.Capture()
        capture.inventory(inventory(web, db))
        link = capture.link(web)
        for src, dst in (("10.89.0.2", "10.89.0.3"), ("10.89.0.3", "10.89.0.2"), ("10.89.0.2", "192.0.2.1"),
                         ("192.0.2.1", "10.89.0.2"), ("192.0.2.1", "10.89.0.3"), ("192.0.2.1", "192.0.2.2")):
            capture.packet(link, ip(src, dst))
        path = self.saved(capture)
        for frame, details, name, number in ((2, "Src: web, Dst: db", "web", 4), (3, "Src: db, Dst: web", "db", 3),
                                             (6, "networking, Dst: db", "db", 3)):
            with self.subTest(frame):
                shark = self.desktop().wireshark("-r", path, "-g", str(frame))
                self.selected(shark, details)
                self.choose(shark, "Filter on this container")
                self.filtered(shark, f'podman.name == "{name}"', number)
                shark.close()

    def test_a_pod_is_that_of_the_first_end_in_one(self):
        shark = self.desktop().wireshark("-r", self.saved(), "-g", "7")
        self.selected(shark, "Src: web, Dst: shop")
        self.choose(shark, "Filter on its pod")
        self.filtered(shark, 'podman.src.pod == "shop" || podman.dst.pod == "shop"', 1)

    def test_a_hostile_name_filters_on_itself(self):
        name = 'a" || frame || "\\'
        evil, good = container(name, "10.89.0.2"), container("good", "10.89.0.3")
        capture = make_capture.Capture()
        capture.inventory(inventory(evil, good))
        link = capture.link(good)
        capture.packet(link, ip("10.89.0.2", "192.0.2.1"))
        capture.packet(link, ip("10.89.0.3", "192.0.2.1"))
        shark = self.desktop().wireshark("-r", self.saved(capture), "-g", "2")
        self.selected(shark, "networking, Src: a")
        self.choose(shark, "Filter on this container")
        self.filtered(shark, 'podman.name == "a\\" || frame || \\"\\\\"', 1)

    @once
    def test_without_a_packet_or_a_name_it_is_told_what_to_do(self):
        shark = self.desktop().wireshark()
        shark.wait(lambda: self.shown(shark, "podman:web"), "the start page")
        self.choose(shark, "Filter on this container")
        self.box(shark, "no packet is selected", "click one")
        for entry in (*FLOW_ENTRIES, *LEG_ENTRIES):
            self.choose(shark, entry)
            self.box(shark, "no packet is selected", "click one")
        self.choose(shark, "Save annotated copy…")
        self.box(shark, "no capture is open")
        shark.close()
        shark = self.desktop().wireshark("-r", self.saved(), "-g", "1")
        self.selected(shark, "Frame 1")
        self.choose(shark, "Filter on this container")
        self.box(shark, "names no container")
        self.choose(shark, "Filter on its pod")
        self.box(shark, "known to be in a pod")
        self.choose(shark, "Explain this flow")
        self.box(shark, "the selected packet has no IP addresses", "choose one of")
        self.assertEqual("", self.filter_entry(shark))

    def test_during_a_live_capture_it_filters_and_saves_no_copy(self):
        shark = self.desktop().wireshark("-k", "-i", "podman:web")
        shark.wait_node("label", text="Packets: ")
        lib.fetch(28080)

        def request():
            return next((n for n in shark.nodes(menus=False) if n["name"].startswith("GET / ")), None)
        shark.wait(request, "the request in the list")

        def selected():
            shark.desktop.click(request())
            return [n for n in shark.nodes(menus=False) if "Dst: web" in n["name"]]
        shark.wait(selected, "its details")
        self.choose(shark, "Filter on this container")
        shark.wait(lambda: self.filter_entry(shark) == 'podman.name == "web"', "the filter")
        shark.wait(lambda: (displayed(shark) or 0) > 3, "the packets of web")
        self.choose(shark, "Save annotated copy…")
        self.box(shark, "still running", "Capture → Stop")
        self.choose(shark, "Probe this endpoint")
        window = Output(shark, "probe")
        window.wait(r"^\$ /\S+/podshark probe web:80/tcp\n")
        window.wait(r"\nweb:80/tcp from host: ok: .*(\n.*)*\n\[done\]\n")
        window.press("Close")
        shark.press("Capture", "Stop")
        wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)


class Flows(MenuTest):
    """A file about the containers that run, with records of the kinds that concern a flow."""
    REQUEST, ANSWER, PROBE, DROP, STRANGERS, ERROR = range(2, 8)

    def flow(self):
        listed = lib_podshark.inventory(RIG)
        app, db = (next(c for c in listed["containers"] if c["name"] == name) for name in ("app", "db"))
        client, server = (c["networks"][0]["addresses"][0].split("/")[0] for c in (app, db))
        capture = make_capture.Capture()
        capture.inventory(listed)
        link = capture.link(app)
        capture.packet(link, ip(client, server, make_capture.tcp(40000, 80)))
        capture.packet(link, ip(server, client, make_capture.tcp_segment(80, 40000, 1, 2, 0x10)))
        orig = {"src": client, "dst": server, "src_port": 41000, "dst_port": 80}
        capture.event("probe", id="7f", protocol="tcp", verdict="failed", detail="db:80 refused", orig=orig)
        capture.event("drop", container="db", container_id=db["id"], reason="NETFILTER_DROP", count=3)
        capture.packet(link, ip("192.0.2.1", "192.0.2.2", make_capture.tcp(40000, 80)))
        capture.packet(link, make_capture.unreachable(server, client, ip(client, server, make_capture.udp(40000, 53))))
        return self.saved(capture)

    def chosen(self, frame, entry, *args):
        """Wireshark with that frame of the file selected and the entry chosen."""
        desktop = self.desktop()
        shark = desktop.wireshark("-r", self.flow(), "-g", str(frame), *args)
        self.selected(shark, f"Frame {frame}")
        self.choose(shark, entry)
        return desktop, shark

    def test_check_is_asked_about_the_server_whichever_packet_is_selected(self):
        _, shark = self.chosen(self.ANSWER, "Check NAT and firewall for this flow")
        window = Output(shark, "check")
        window.wait(r"^\$ /\S+/podshark check --from app db:80/tcp\n")
        window.wait(r"\n\[done(: something is wrong)?\]\n$")
        window.press("Filter on this flow")
        shark.wait(lambda: displayed(shark) == 2, "the packets of the flow")
        self.assertRegex(self.filter_entry(shark), r"^ip.addr == \S+ && ip.addr == \S+ && tcp.port == 80 && tcp.port == 40000$")

    def test_probe_says_whether_the_server_is_reached(self):
        _, shark = self.chosen(self.REQUEST, "Probe this endpoint")
        window = Output(shark, "probe")
        window.wait(r"^\$ /\S+/podshark probe --from app db:80/tcp\n")
        window.wait(r"\ndb:80/tcp from app: ok: .*(\n.*)*\n\[done\]\n$")

    def test_an_icmp_error_is_about_the_packet_it_quotes(self):
        _, shark = self.chosen(self.ERROR, "Probe this endpoint")
        window = Output(shark, "probe")
        window.wait(r"^\$ /\S+/podshark probe --from app db:53/udp\n")
        window.wait(r"\n\[done: it could not be reached\]\n$")

    def test_a_flow_is_explained_by_names_records_and_check(self):
        desktop, shark = self.chosen(self.REQUEST, "Explain this flow")
        window = Output(shark, "flow")
        window.wait(r"^Frame 2: tcp, (\S+):40000 → (\S+):80\n\n"
                    r"Client +\1:40000  container app · image \S+ · network lan · id [0-9a-f]{12}\n"
                    r"Server +\2:80  container db · .*\n +taken for the server because the connection is opened to it\n"
                    r"Way +captured inside .*\n"
                    r"Records +frame 4  probe, failed: db:80 refused\n +frame 5  drop, NETFILTER_DROP, 3 packets\n")
        window.wait(r"\nWhat podshark check says now:\n\$ /\S+/podshark check --from app db:80/tcp\n\n(.*\n)+\[done.*\]\n$")
        desktop.screenshot(ARTIFACTS / "flow.png")
        window.press(f"Go to packet {self.PROBE}")
        self.selected(shark, "Podman event: probe")
        window.press("Filter on db")
        self.filtered(shark, 'podman.name == "db"', 3)
        window.press(f"Go to packet {self.DROP}")
        self.box(shark, f"packet {self.DROP} is not displayed", "clear the display filter")

    def test_without_podshark_the_file_still_explains(self):
        _, shark = self.chosen(self.PROBE, "Explain this flow", "-o", "podman.program:/nowhere/podshark")
        text = Output(shark, "flow").wait(r"(?s)^Frame 4, a record about: tcp, .*\nNot checked: .*\n$")[0]
        self.assertIn("taken for the server because a record tells who began", text)
        self.assertIn("'/nowhere/podshark'", text)

    def test_about_another_machines_packet_nothing_is_run_here(self):
        capture, _ = make_capture.two_hosts()
        command = re.escape("podshark {} --host me@a:2222 --from web shop:80/tcp\n")
        for entry, window, verb in (("Check NAT and firewall for this flow", "check", "check"),
                                    ("Probe this endpoint", "probe", "probe"), ("Explain this flow", "flow", "check")):
            with self.subTest(entry):
                shark = self.desktop().wireshark("-r", self.saved(capture), "-g", "2", *self.program("echo has run\n"))
                self.selected(shark, "Src: web, Dst: shop")
                self.choose(shark, entry)
                text = Output(shark, window).wait(r"captured on me@a:2222[^$]*\n\$ " + command.replace(r"\{\}", verb)).string
                self.assertNotIn("has run", text)
                shark.close()

    def test_strangers_are_told_apart(self):
        _, shark = self.chosen(self.STRANGERS, "Explain this flow")
        self.box(shark, "neither end of the selected packet is a container", "podman.name")


@once
class Legs(MenuTest):
    """A connection from outside, captured on the host and in the container."""
    HOST_SYN, INNER_SYN, INNER_ACK, HOST_ACK, UNTRANSLATED, LONELY = range(3, 9)

    def legs(self):
        web = container("web", "10.89.0.2", ports=[{"host_port": 8080, "container_port": 80, "range": 1, "protocol": "tcp"}])
        capture = make_capture.Capture()
        capture.inventory(inventory(web))
        inside, uplink = capture.link(web), capture.link(web, "eth7@host", point="host")

        def translation(port):
            capture.event("nat", what="started", container="web", protocol="tcp", detail="started: a connection",
                          orig={"src": "198.51.100.7", "dst": "192.0.2.1", "src_port": port, "dst_port": 8080},
                          reply={"src": "10.89.0.2", "dst": "198.51.100.7", "src_port": 80, "dst_port": port})
        translation(40000)
        tcp = make_capture.tcp
        capture.packet(uplink, ip("198.51.100.7", "192.0.2.1", tcp(40000, 8080)))
        capture.packet(inside, ip("198.51.100.7", "10.89.0.2", tcp(40000, 80)))
        capture.packet(inside, ip("10.89.0.2", "198.51.100.7", tcp(80, 40000)))
        capture.packet(uplink, ip("192.0.2.1", "198.51.100.7", tcp(8080, 40000)))
        capture.packet(inside, ip("198.51.100.7", "10.89.0.2", tcp(40001, 80)))
        capture.packet(inside, ip("198.51.100.7", "10.89.0.2", tcp(40002, 80)))
        translation(40002)
        return self.saved(capture)

    def at(self, frame):
        desktop = self.desktop()
        shark = desktop.wireshark("-r", self.legs(), "-g", str(frame))
        self.selected(shark, f"Frame {frame}")
        return desktop, shark

    def test_there_and_back_again_in_the_same_direction(self):
        for frame, other in ((self.HOST_SYN, self.INNER_SYN), (self.INNER_ACK, self.HOST_ACK)):
            with self.subTest(frame):
                _, shark = self.at(frame)
                for there in (other, frame):
                    self.choose(shark, "Go to the other NAT leg")
                    self.selected(shark, f"Frame {there}")
                shark.close()

    def test_both_legs_are_filtered_on(self):
        _, shark = self.at(self.INNER_SYN)
        self.choose(shark, "Filter on both NAT legs")
        self.filtered(shark, "(ip.addr == 198.51.100.7 && ip.addr == 10.89.0.2 && tcp.port == 40000 && tcp.port == 80) || "
                             "(ip.addr == 198.51.100.7 && ip.addr == 192.0.2.1 && tcp.port == 40000 && tcp.port == 8080)", 4)

    def test_without_a_translation_or_another_leg_it_is_told(self):
        _, shark = self.at(self.UNTRANSLATED)
        for entry in LEG_ENTRIES:
            self.choose(shark, entry)
            self.box(shark, "no record of this file tells", "podman.nat.orig.src")
        shark.close()
        _, shark = self.at(self.LONELY)
        self.choose(shark, "Go to the other NAT leg")
        self.box(shark, "the other side of this connection is not in the file", "--point both")


class Programs(MenuTest):
    def test_live_containers_are_listed_with_a_filter_for_the_selected_one(self):
        desktop = self.desktop()
        shark = desktop.wireshark("-r", self.saved(), "-g", "3")
        self.selected(shark, "Src: web, Dst: db")
        self.choose(shark, "Live containers")
        window = Output(shark, "live containers")
        text = window.wait(r"\[done\]\n")[0] and window.text()
        self.assertRegex(text, r"^\$ /\S+/podshark list\n\n")
        self.assertRegex(text, r"(?m)^web +\S")
        self.assertEqual(["Stop", "Filter on web"], [b for b in window.buttons() if b in ("Stop", "Filter on web")])
        desktop.screenshot(ARTIFACTS / "live-containers.png")
        window.press("Filter on web")
        self.filtered(shark, 'podman.name == "web"', 5)

    def test_where_glib_is_not_in_the_event_loop_it_works_too(self):
        shark = self.desktop().wireshark(env={"QT_NO_GLIB": "1"})
        shark.wait(lambda: self.shown(shark, "podman:web"), "the start page")
        self.choose(shark, "Live containers")
        window = Output(shark, "live containers")
        window.wait(r"(?m)^web +\S")
        window.wait(r"\[done\]\n")

    def test_about_tells_versions_and_what_the_doctor_says(self):
        desktop = self.desktop()
        shark = desktop.wireshark()
        self.choose(shark, "About / doctor")
        window = Output(shark, "about, doctor")
        window.wait(r"^Podshark plugin \d+\.\d+\.\d+ in Wireshark \d+\.\d+\.\d+\n")
        window.wait(r"\n(ok|warn|fail)\w* .*podman")
        window.wait(r"\n\[(done|failed: exit code 5)\]\n")
        desktop.screenshot(ARTIFACTS / "doctor.png")

    @once
    def test_a_missing_program_is_told_and_the_window_lives(self):
        shark = self.desktop().wireshark("-r", self.saved(), "-o", "podman.program:/nowhere/podshark")
        shark.wait(lambda: shark.packets(), "the packets")
        for entry in ("Live containers", "About / doctor"):
            self.choose(shark, entry)
            self.box(shark, "podman.program", "'/nowhere/podshark'", "No such file", "Preferences")
            self.assertNotIn("Podman · ", shark.title())

    def test_a_program_that_can_not_be_started_is_told(self):
        path = self.tmp / "script"
        path.write_text("#!/nowhere/interpreter\n")
        path.chmod(0o755)
        shark = self.desktop().wireshark("-o", f"podman.program:{path}")
        self.choose(shark, "Live containers")
        self.box(shark, f"'{path}' cannot be started", "No such file")

    def test_a_failure_is_in_the_window(self):
        shark = self.desktop().wireshark(*self.program("echo out; echo wrong >&2; exit 6\n"))
        self.choose(shark, "Live containers")
        Output(shark, "live containers").wait(r"out\nwrong\n\[failed: exit code 6\]\n$")


class Ending(MenuTest):
    SLOW = 'sleep 1000 & echo "it runs: $$ $!"; wait\n'

    def running(self, shark):
        """Chooses an entry; its window and the pids of the program and of its child."""
        self.choose(shark, "Live containers")
        window = Output(shark, "live containers")
        pids = [int(p) for p in window.wait(r"it runs: (\d+) (\d+)\n").groups()]
        return window, pids

    @staticmethod
    def alive(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def gone(self, pids, timeout=10):
        wait_for(lambda: not any(map(self.alive, pids)), "the program and its child to end", timeout)

    def test_closing_its_window_ends_the_program(self):
        shark = self.desktop().wireshark(*self.program(self.SLOW))
        window, pids = self.running(shark)
        self.assertTrue(all(map(self.alive, pids)), pids)
        window.press("Close")
        self.gone(pids)
        shark.wait(window.closed, "the window to be closed")

    @staticmethod
    def escape(shark):
        """Closes the output window, if there is one. It goes when the key is pressed: xdotool fails to let the key go."""
        lib.run(RIG, ["xdotool", "search", "--name", "Podman · live containers", "key", "--window", "%1", "Escape"],
                env={"DISPLAY": shark.desktop.display}, check=False)
        return True

    def test_windows_that_come_and_go_while_their_programs_write(self):
        # Told by the programs and the X server: Qt 5 does not always list a second window in AT-SPI.
        shark = self.desktop().wireshark(*self.program(f'echo $$ >>{self.tmp}/pids; while echo line; do sleep 0.01; done\n'))
        pids = self.tmp / "pids"
        for number in range(1, 6):
            self.choose(shark, "Live containers")
            shark.wait(lambda number=number: pids.exists() and len(pids.read_text().split()) == number, f"program {number}")
            ours = [int(p) for p in pids.read_text().split()]
            wait_for(lambda ours=ours: self.escape(shark) and not any(map(self.alive, ours)), "the program to end")
            wait_for(shark.alive, "the window to answer", 10)

    def test_stop_ends_it_and_the_window_says_so(self):
        shark = self.desktop().wireshark(*self.program(self.SLOW))
        window, pids = self.running(shark)
        self.assertTrue(all(map(self.alive, pids)), pids)
        window.press("Stop")
        window.wait(r"\n\[stopped\]\n$")
        self.gone(pids)
        window.press("Stop")  # nothing to stop any more
        window.press("Close")
        shark.wait(window.closed, "the window to be closed")

    def test_a_program_that_ignores_it_is_killed(self):
        shark = self.desktop().wireshark(*self.program("trap '' TERM; " + self.SLOW.replace("wait", "wait; wait; wait")))
        window, pids = self.running(shark)
        window.press("Close")
        self.gone(pids)
        wait_for(shark.alive, "the window to answer", 3)

    def test_endless_output_is_cut_and_ended(self):
        shark = self.desktop().wireshark(*self.program(f'echo "it runs: $$ $$"; exec yes {"0123456789" * 4}\n'))
        window, pids = self.running(shark)
        self.gone(pids, 30)
        wait_for(shark.alive, "the window to answer", 10)
        window.press("Close")
        shark.wait(window.closed, "the window to be closed")

    def test_a_process_left_behind_does_not_keep_it_running(self):
        shark = self.desktop().wireshark(*self.program('setsid sleep 1000 & echo "it runs: $! $!"\n'))
        window, pids = self.running(shark)
        self.addCleanup(lib.run, lib.ROOT, ["kill", "-9", str(pids[0])])
        window.wait(r"\[done\]\n$")

    def test_a_killed_wireshark_takes_it_along(self):
        shark = self.desktop().wireshark(*self.program(self.SLOW.replace("& ", "& trap 'kill $!' TERM; ")))
        _, pids = self.running(shark)
        shark.process.kill()
        self.gone(pids)


@once
class Copies(MenuTest):
    def dialog(self, shark):
        self.choose(shark, "Save annotated copy…")
        field = shark.wait(lambda: next(iter(shark.nodes("text", window="save annotated copy", menus=False)), None), "the dialog")
        return field["text"]

    def test_the_copy_is_made_beside_the_capture_and_can_be_opened(self):
        fake = self.program(f'printf "%s\\n" "$@" >{self.tmp}/words; cp "$2" "$4" && echo written\n')
        original = self.saved()
        desktop = self.desktop()
        shark = desktop.wireshark("-r", original, *fake)
        shark.wait(lambda: shark.packets(), "the packets")
        copy = self.tmp / "saved-podman.pcapng"
        self.assertEqual(str(copy), self.dialog(shark))
        shark.press("OK", role="push button")
        window = Output(shark, "annotated copy")
        window.wait(r"written\n\[done\]\n$")
        self.assertEqual(["annotate", str(original), "-o", str(copy), "--live"], (self.tmp / "words").read_text().splitlines())
        window.press("Open the copy")
        shark.wait(lambda: "saved-podman.pcapng" in shark.title(), "the copy in the window")
        self.assertEqual(original.read_bytes(), copy.read_bytes())

    def test_podshark_writes_it_and_files_follow_each_other(self):
        """A plain capture, then the copy, which knows names, then the copy read again."""
        plain = make_capture.Capture(events=False)
        link = plain.interface("eth0")
        for _ in range(3):
            plain.packet(link, ip("10.89.0.2", "10.89.0.3"))
        shark = self.desktop().wireshark("-r", self.saved(plain))
        shark.wait(lambda: len(shark.packets()) == 3, "the packets")
        self.dialog(shark)
        shark.press("OK", role="push button")
        window = Output(shark, "annotated copy")
        window.wait(r"\[done\]\n$")
        window.press("Open the copy")
        shark.wait(lambda: "saved-podman.pcapng" in shark.title(), "the copy in the window")
        shark.wait(lambda: len(shark.packets()) == 4, "its packets and the inventory")
        self.assertRegex((self.tmp / "saved-podman.pcapng").read_bytes(), rb'"kind":"inventory".*"name":"web"')
        shark.press("View", "Reload")
        wait_for(shark.alive, "the window to answer")
        shark.wait(lambda: len(shark.packets()) == 4, "the packets after reading them again")
        shark.close()

    def test_podman_is_asked_once_for_a_file_that_is_read_again(self):
        plain = make_capture.Capture(events=False)
        link = plain.interface("eth0")
        plain.packet(link, ip("10.89.0.2", "10.89.0.3"))
        path, asked, listed = self.saved(plain), self.tmp / "asked", self.tmp / "listed.json"
        listed.write_text(json.dumps(inventory(container("web", "10.89.0.2"))))
        shark = self.desktop().wireshark("-r", path, "-g", "1", "-o", "podman.live:TRUE",
                                         *self.program(f"echo x >>{asked}; cat {listed}\n"))
        self.selected(shark, "Src: web")
        plain.packet(link, ip("10.89.0.2", "10.89.0.3"))
        self.saved(plain)
        shark.press("View", "Reload")
        shark.wait(lambda: len(shark.packets()) == 2, "the packets of the second reading")
        self.selected(shark, "Src: web")
        self.assertEqual("x\n", asked.read_text())
        shark.close()

    def test_nothing_is_overwritten(self):
        original = self.saved()
        (self.tmp / "saved-podman.pcapng").write_text("precious")
        shark = self.desktop().wireshark("-r", original, *self.program(f"touch {self.tmp}/ran\n"))
        shark.wait(lambda: shark.packets(), "the packets")
        self.dialog(shark)
        shark.press("OK", role="push button")
        self.box(shark, "exists already", "another name")
        self.assertEqual("precious", (self.tmp / "saved-podman.pcapng").read_text())
        self.assertFalse((self.tmp / "ran").exists())

    def test_a_capture_not_saved_yet_is_copied_home(self):
        shark = self.desktop().wireshark("-k", "-i", "podman:web")
        shark.wait_node("label", text="Packets: ")
        shark.press("Capture", "Stop")
        wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)
        home = lib.environment(RIG)["HOME"]
        self.assertRegex(self.dialog(shark), rf"^{home}/[^/]+-podman\.pcapng$")
