# SPDX-License-Identifier: GPL-2.0-or-later
"""One sitting in the real Wireshark, as somebody of the group wireshark for whom Podshark is installed: list, options, capture,
probe from toolbar and menu, a dropped packet, statistics, save, reopen. docs/TOUR.md tells it with the pictures made here
(tests/gui/images.sh copies them to docs/images)."""

import re
import time

import lib
import lib_pcapng
from lib import ARTIFACTS, MEMBER, ROOT
from lib_gui import Desktop, GuiTest
from lib_podshark import PREFIX, extcap_home, install_worker, remove_worker
from lib_toolbar import ASKED_FOR, RECENT, Toolbar, displayed
from test_gui import IMAGES, start_shop
from test_menu import Output
from test_options import Dialog


class Tour(GuiTest):
    OURS = (*GuiTest.OURS, "podshark-drops")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_worker()
        cls.addClassCleanup(remove_worker)
        lib.image_for(MEMBER)
        cls.addClassCleanup(lib.podman, MEMBER, "untag", lib.IMAGE, *IMAGES)
        for user in (MEMBER, ROOT):
            cls.addClassCleanup(lib.remove_all, user)
        start_shop(MEMBER)
        extcap_home(MEMBER, PREFIX / "bin/podshark")
        cls.web, cls.db = lib.Up("web", MEMBER), lib.Up("db", MEMBER)

    def told_in_full(self):
        """Its row. A podman that is slow at first is asked again by F5."""
        row = self.shown(self.shark, "podman:web")
        if row and "8080" in row["name"]:
            return row
        time.sleep(1)
        self.type("", "F5")
        return None

    def picture(self, name):
        self.desktop.screenshot(ARTIFACTS / f"tour/{name}.png")

    def type(self, text, *keys):
        env = {"DISPLAY": self.desktop.display}
        lib.run(MEMBER, ["xdotool", "type", "--delay", "20", text], env=env)
        lib.run(MEMBER, ["xdotool", "key", *keys], env=env)

    def show(self, text, least):
        """Types a display filter; at least so many packets pass it then."""
        entry = self.shark.wait(lambda: next((n for n in self.shark.nodes("text", menus=False)
                                              if n["name"] == "Display filter entry"), None), "the filter's field")
        self.desktop.click(entry, times=3)  # what is in it is selected
        self.type(text, "Return")
        self.shark.wait(lambda: (displayed(self.shark) or 0) >= least, f"{least} packets that pass {text}")

    def packet(self, **wanted):
        """Waits for a row of the packet list and clicks on it."""
        info = wanted.pop("Info")

        def rows():
            """Those to be seen: a live capture may have scrolled it away."""
            found = [r for r in self.shark.packets() if info in r["Info"] and wanted.items() <= r.items()]
            if not found:
                self.type("", "ctrl+Home")
            return found
        self.shark.wait(rows, f"{info} in the list")
        self.desktop.click(self.shark.wait(lambda: next((n for n in self.shark.nodes(menus=False) if info in n["name"] and n.get("box")), None),
                                           f"the row {info}"))

    def test_from_the_list_to_a_saved_answer(self):
        self.desktop = Desktop(MEMBER, RECENT)
        self.enterContext(self.desktop)
        self.desktop.install_plugin()
        self.shark = shark = self.desktop.wireshark(env=ASKED_FOR)

        shark.wait(self.told_in_full, "podman:web on the start page, with its port")
        self.select(shark, "podman:web")
        self.picture("interfaces")

        dialog = Dialog(self, shark, "podman:web")
        dialog.tab("Capture")
        self.picture("options")
        dialog.press("Save")
        shark.wait(lambda: not dialog.top(), "the dialog to close")

        self.double_click(shark, "podman:web")
        self.assertIn("hello", lib.podman(MEMBER, "exec", "db", "wget", "-qO-", f"http://{self.web.address}/"))
        self.assertIn("hello", lib.fetch(8080))
        self.show('podman.name == "web" && tcp', 8)
        self.packet(From="db", To="web", Info="GET /")
        self.picture("capture")

        toolbar = Toolbar(shark)
        toolbar.type_target("db > web:81")
        toolbar.press("Probe")
        shark.wait(lambda: "probe: web:81/tcp from db: refused" in toolbar.log(), "the answer in the log")
        self.picture("toolbar-probe")
        self.close_window(" Log")

        self.show("http", 4)
        self.packet(From="db", To="web", Info="GET /")
        shark.press("Probe this endpoint", role="menu item")
        answer = Output(shark, "probe")
        answer.wait(r"\nweb:80/tcp from db: ok: .*(\n.*)*\n\[done\]\n$")
        self.picture("menu-probe")
        self.close_window("Podman · probe")

        self.web.enter("nft", "add table inet shop; add chain inet shop i { type filter hook input priority 0; }; "
                              "add rule inet shop i tcp dport 81 drop")
        lib.podman(MEMBER, "exec", "db", "nc", "-w", "2", self.web.address, "81", check=False)
        self.show("podman.drop.reason", 1)
        self.packet(From="db", To="web", Info="[Dropped: NETFILTER_DROP]")
        self.picture("drop")

        shark.press("Containers", role="menu item")
        shark.wait(lambda: {"web", "db"} <= {n["name"] for n in shark.nodes(window="Containers", menus=False)}, "both in the window")
        self.picture("statistics")
        self.close_window("Containers")

        shark.press("Stop", role="menu item")
        lib.wait_for(lambda: not lib.processes("podshark", "dumpcap", "podshark-drops"), "podshark and dumpcap to end", 10)
        path = self.desktop.directory / "web.pcapng"
        shark.press("Save As…", role="menu item")
        shark.wait(lambda: [n for n in shark.nodes("dialog", menus=False) if "ave" in n["name"]], "the dialog for the file's name")
        self.type(str(path), "Return")
        shark.wait(lambda: "web.pcapng" in shark.title(), "the file's name in the title")
        shark.close()

        saved = lib_pcapng.read(path)
        self.assertLessEqual({"inventory", "probe"}, {e["kind"] for e in saved.events})
        self.assertTrue(saved.packets_of("podman:web/drops"))
        lib.remove_all(MEMBER)  # whoever opens the file has none of these containers
        self.shark = shark = self.desktop.wireshark("-r", path, "-Y", "podman.drop.reason || podman.probe.id || http")
        self.packet(From="db", To="web", Info="GET /")
        self.assertRegex(" ".join(shark.texts()), re.compile(r"Src: db, Dst: web"))
        self.picture("reopened")

    def close_window(self, title):
        """Presses the button that closes a window, known by a part of its title."""
        shark = self.shark
        shark.press_node(lambda: next((n for n in shark.nodes("push button", "Close", window=title, menus=False)), None), "Close")
        shark.wait(lambda: not [n for n in shark.nodes("push button", "Close", window=title, menus=False)], f"the window {title} to close")
