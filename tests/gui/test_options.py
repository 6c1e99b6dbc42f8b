# SPDX-License-Identifier: GPL-2.0-or-later
"""The options dialog of real Wireshark: whatever --extcap-config says is in it, and what is chosen there arrives."""

import pathlib
import time

import lib
from lib import ARTIFACTS, RIG, Ctr, Net, Pod
from lib_gui import GuiTest
from lib_podshark import extcap_home, interfaces, podshark

CONTAINERS = (
    Net("shopnet", user=RIG),
    Ctr("web", user=RIG, network="shopnet", ports=("8080:80",)),
    Ctr("db", user=RIG, network="shopnet", cmd=("sleep", "1000000")),
    Pod("shop", user=RIG, members=("front",)),
)


class Dialog:
    """The dialog behind the gear of an interface on the start page."""

    def __init__(self, test, shark, interface):
        self.shark, self.interface, clicked = shark, interface, 0.0

        def opened():
            nonlocal clicked
            row = test.shown(shark, interface)
            # The gear is the cell before the name; a refresh just ending may swallow a click.
            gear = row and next((n for n in shark.nodes() if n["path"] == row["path"][:-1] + [row["path"][-1] - 1]), None)
            if gear and not self.top() and time.monotonic() - clicked > 5:
                shark.desktop.click(gear)
                clicked = time.monotonic()
            return self.top()
        shark.wait(opened, f"the options dialog of {interface}")

    def top(self):
        return next((n for n in self.shark.nodes("dialog", window="Interface Options")
                     if n["name"].endswith(self.interface)), None)

    def nodes(self, *roles, name=""):
        return [n for n in self.shark.nodes(name=name, window="Interface Options") if not roles or n["role"] in roles]

    def wait(self, condition, what):
        return self.shark.wait(condition, f"{what} in the dialog of {self.interface}")

    def wait_node(self, *roles, name):
        return self.wait(lambda: next(iter(self.nodes(*roles, name=name)), None), f"'{name}'")

    def tab(self, name):
        self.shark.desktop.click(self.wait_node("page tab", name=name))
        self.wait(lambda: [n for n in self.nodes("page tab", name=name) if "selected" in n["states"]] or
                  [n for n in self.nodes("page tab list") if n["name"] == name], f"tab '{name}' in front")

    def field(self, label):
        """The widget that follows a label."""
        at = self.wait_node("label", name=label)["path"]
        return self.wait(lambda: next((n for n in self.nodes() if n["path"] == at[:-1] + [at[-1] + 1]), None),
                         f"the field of '{label}'")

    def press(self, name):
        self.shark.desktop.click(self.wait_node("push button", "button", name=name))


def arguments(interface):
    """The `arg` sentences for the interface, as Wireshark gets them."""
    told = interfaces(podshark(RIG, "--extcap-config", "--extcap-interface", interface).stdout)
    return [s for s in told if s[""] == "arg"]


class Options(GuiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        extcap_home(RIG)

    def check_arguments(self, dialog):
        """Every option is in the tab of its group, with its text and its default. More may come: all are read here."""
        told = arguments(dialog.interface)
        for group in dict.fromkeys(a["group"] for a in told):
            dialog.tab(group)
            for a in (a for a in told if a["group"] == group):
                with self.subTest(a["call"]):
                    if a["type"] in ("boolean", "boolflag"):
                        dialog.wait_node("check box", name=a["display"])
                        continue
                    field = dialog.field(a["display"])
                    if "default" in a and "text" in field:
                        self.assertEqual(a["default"], field["text"])
        return {a["call"]: a["group"] for a in told}

    def test_a_containers_options_are_in_the_tabs_of_their_groups(self):
        desktop = self.desktop()
        dialog = Dialog(self, desktop.wireshark(), "podman:web")
        groups = self.check_arguments(dialog)
        least = {"--link": "Capture", "--snaplen": "Capture", "--promiscuous": "Capture", "--ring-size": "Buffers",
                 "--queue-size": "Buffers"}
        self.assertEqual(least, {call: groups.get(call) for call in least})
        dialog.tab("Capture")
        desktop.screenshot(ARTIFACTS / "options.png")

    def test_a_container_is_chosen_from_the_list_that_the_reload_button_fills(self):
        desktop = self.desktop()
        shark = desktop.wireshark()
        dialog = Dialog(self, shark, "podman:choose")
        self.assertEqual("Container", self.check_arguments(dialog)["--container"])
        dialog.tab("Container")
        dialog.press("Load containers")
        box = dialog.nodes("combo box")[0]
        desktop.click(box)

        def item(text):
            """An entry of the open list: it has a place on the screen."""
            return next((n for n in dialog.nodes("list item") if text in n["name"] and n["box"][1] > box["box"][1] // 2), None)
        for text in ("Podman web", "Podman db", "Podman front", "Podman pod shop"):
            dialog.wait(lambda text=text: item(text), text)
        desktop.screenshot(ARTIFACTS / "choose.png")
        desktop.click(item("Podman web"))
        dialog.wait(lambda: [n for n in dialog.nodes("combo box") if n["name"].startswith("Podman web")], "web chosen")
        dialog.press("Save")
        shark.wait(lambda: not dialog.top(), "the dialog to close")
        self.double_click(shark, "podman:choose")
        command = [w for p in lib.processes("podshark") for w in pathlib.Path(f"/proc/{p}/cmdline").read_text().split("\0")]
        self.assertIn("podman:web", command[command.index("--container") + 1])
        lib.fetch(8080)
        shark.wait(lambda: [r for r in shark.packets() if "GET /" in r["Info"]], "the request in the list")
        self.assertFalse([t for t in shark.texts() if "rror" in t], "no error box")
        shark.press("Capture", "Stop")
        lib.wait_for(lambda: not lib.processes("podshark", "dumpcap"), "podshark and dumpcap to end", 10)
