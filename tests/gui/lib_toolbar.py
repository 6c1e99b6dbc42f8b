# SPDX-License-Identifier: GPL-2.0-or-later
"""Podshark's interface toolbar in a real Wireshark window."""

import os
import pathlib
import re
import threading
import time

import lib

# Wireshark before 4.4 is not offered a toolbar unless the user asks for it.
ASKED_FOR = {"PODSHARK_TOOLBAR": "on"} if lib.WORLD == "deb12" else {}
RECENT = ('gui.interface_toolbar_show: "Podshark"',)


class Toolbar:
    """The controls that show in the window `shark` (lib_gui.Wireshark)."""

    def __init__(self, shark):
        self.shark, self.desktop = shark, shark.desktop

    def nodes(self):
        found = self.shark.nodes(menus=False)
        parent = next((n["path"][:-1] for n in found if n["role"] == "label" and n["name"] == "Mark"), None)
        return [n for n in found if parent is not None and n["path"][:-1] == parent]

    def find(self, role, name=""):
        return next((n for n in self.nodes() if n["role"] == role and n["name"].startswith(name)), None)

    def wait(self, role, name="", state="sensitive"):
        return self.shark.wait(lambda: (n := self.find(role, name)) and state in n["states"] and n,
                               f"{role} '{name}' of the toolbar to be {state}")

    def press(self, name):
        node = self.wait("push button", name)
        self.desktop.ask({"do": "press", "pid": self.shark.process.pid, "path": node["path"]})

    def type_mark(self, text):
        """Types into the field and presses Enter; returns when podshark has cleared it."""
        self.desktop.click(self.wait("text"))
        env = {"DISPLAY": self.desktop.display}
        lib.run(self.desktop.user, ["xdotool", "type", "--delay", "20", text], env=env)
        self.shark.wait(lambda: self.find("text")["text"] == text, f"'{text}' in the field")
        lib.run(self.desktop.user, ["xdotool", "key", "Return"], env=env)

    def type_target(self, text):
        """Types what Probe and Check NAT are about, and presses Enter."""
        def field():
            return [n for n in self.nodes() if n["role"] == "text"][1]
        self.desktop.click(field())
        env = {"DISPLAY": self.desktop.display}
        lib.run(self.desktop.user, ["xdotool", "type", "--delay", "20", text], env=env)
        self.shark.wait(lambda: field()["text"] == text, f"'{text}' in the field")
        lib.run(self.desktop.user, ["xdotool", "key", "Return"], env=env)

    def choose(self, interface):
        """Selects the interface whose controls show."""
        self.desktop.click(self.wait("combo box"))
        self.desktop.click(self.shark.wait_node("list item", interface))
        self.wait("combo box", interface)

    def log(self):
        """Text of the log window; opens it."""
        def text():
            shown = [n for n in self.shark.nodes("text", menus=False) if "capturing in container" in n.get("text", "")]
            return shown[0]["text"] if shown else ""
        if not text():
            self.press("Log")
        return self.shark.wait(text, "the log window")


class Freezes:
    """Watches whether the window's main thread hangs opening a control pipe; `longest` in seconds."""

    def __init__(self, shark):
        self.shark, self.longest, self.end = shark, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        since = None
        while not self.end.wait(0.02):
            try:
                frozen = self.shark.frozen()
            except OSError:
                return
            now = time.monotonic()
            since = (since or now) if frozen else None
            self.longest = max(self.longest, now - since if since else 0.0)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


def cpu_seconds(pid):
    """Processor time a process has used, all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def displayed(shark):
    """Number of packets that the display filter lets through."""
    found = [re.search(r"Displayed: (\d+)", n["name"]) for n in shark.nodes("label", menus=False)]
    return next((int(m[1]) for m in found if m), None)
