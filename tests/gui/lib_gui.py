# SPDX-License-Identifier: GPL-2.0-or-later
"""The real Wireshark on an Xvfb screen, driven through AT-SPI as an ordinary user.

    with Desktop(RIG) as desktop:
        shark = desktop.wireshark("-k", "-i", "podman:web")
        shark.wait(lambda: shark.packets(), "packets in the list")
        desktop.screenshot(ARTIFACTS / "capture.png")
"""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import time

import lib

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT = 1280, 800
START = 60  # seconds until a window is usable; half a second on an idle machine

COLUMNS = (("No.", "%m"), ("Time", "%t"), ("Source", "%s"), ("From", "%Cus:podman.src.name:0:R"),
           ("Destination", "%d"), ("To", "%Cus:podman.dst.name:0:R"), ("Protocol", "%p"), ("Info", "%i"))
WIDTHS = (60, 110, 130, 90, 130, 90, 110, 500)
# Interfaces every Wireshark has, which would push ours down the start page.
HIDDEN = ("bluetooth-monitor", "nflog", "nfqueue", "dbus-system", "dbus-session", "ciscodump", "dpauxmon", "randpkt",
          "sdjournal", "udpdump", "wifidump", "etwdump", "falcodump")


def wireshark_version():
    text = subprocess.run(["wireshark", "--version"], capture_output=True, text=True, check=True,
                          env={**os.environ, "QT_QPA_PLATFORM": "minimal"}).stdout
    return re.search(r"(\d+\.\d+)\.", text)[1]


class Wireshark:
    """A running GUI. `nodes` are what the accessibility tree shows now; everything else polls it."""

    def __init__(self, desktop, args, stdin, env):
        self.desktop = desktop
        env = {"DISPLAY": desktop.display, "DBUS_SESSION_BUS_ADDRESS": desktop.bus, "QT_ACCESSIBILITY": "1",
               "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "QT_QPA_PLATFORM": "xcb", "TZ": "UTC", "NO_AT_BRIDGE": "0",
               **(env or {})}
        self.log = (desktop.directory / "wireshark.log").open("w+")
        self.process = lib.popen(desktop.user, ["wireshark", *args], env=env, stdin=stdin, stdout=self.log,
                                 stderr=self.log)

    def nodes(self, role="", name="", text="", window="", menus=True):
        """Visible widgets whose role and name are as given and whose text contains `text`. Naming the window, by a part
        of its title, is much faster for a dialog: the main window has hundreds of menu entries; so is menus=False."""
        found = self.desktop.ask({"do": "nodes", "pid": self.process.pid, "window": window, "menus": menus})
        return [n for n in found if (not role or n["role"] == role) and (not name or n["name"] == name)
                and text in n.get("text", n["name"])]

    def wait(self, condition, what, timeout=START):
        def alive():
            if self.process.poll() is not None:
                raise AssertionError(f"wireshark exited {self.process.returncode}; {self.errors()}")
            return condition()
        try:
            return lib.wait_for(alive, what, timeout)
        except AssertionError as error:
            self.desktop.screenshot(lib.ARTIFACTS / "failed.png")
            raise AssertionError(f"{error}; see {lib.ARTIFACTS}/failed.png; {self.errors()}") from None

    def wait_node(self, role="", name="", text="", timeout=START):
        return self.wait(lambda: next(iter(self.nodes(role, name, text)), None),
                         f"a {role or 'widget'} '{name or text}' in the window", timeout)

    def texts(self):
        """Names and texts of everything that shows."""
        return [t for n in self.nodes(menus=False) for t in {n["name"], n.get("text", "")} if t]

    def title(self):
        """Titles of the top level windows, joined."""
        return " | ".join(n["name"] for n in self.nodes() if len(n["path"]) == 1 and n["role"] != "popup menu")

    def packets(self):
        """Rows of the packet list that show, as {column title: text}."""
        nodes = self.nodes()
        top = next((n["path"] for n in nodes if n["name"] == "Packet list"), None)
        # Its children: first the titles, then the cells row by row.
        cells = {n["path"][-1]: n for n in nodes if top and n["path"][:-1] == top}
        titles = [n["name"] for n in cells.values() if "header" in n["role"]]
        rows = {}
        for index, n in cells.items():
            if "header" not in n["role"] and titles:
                rows.setdefault(index // len(titles), {})[titles[index % len(titles)]] = n["name"]
        return [row for _, row in sorted(rows.items()) if len(row) == len(titles)]

    def press(self, *names, role=""):
        """Activates menu items one after another: press("Capture", "Stop"). Some names need a role too."""
        for name in names:
            self.press_node(lambda: next((n for n in self.nodes(role, name) if "sensitive" in n["states"]), None), name)

    def press_node(self, find, what):
        """Activates the node find() returns, once there is one and it is still where it was found: windows that come and
        go move others."""
        def pressed():
            node = find()
            return node and self.desktop.ask({"do": "press", "pid": self.process.pid, "path": node["path"],
                                              "name": node["name"]}) != "moved"
        self.wait(pressed, f"'{what}' to press")

    def alive(self):
        """True when the main thread answers a question now."""
        return self.desktop.ask({"do": "alive", "pid": self.process.pid}) is True

    def frozen(self):
        """True when the main thread hangs opening a pipe nobody opens at the other end."""
        return b"wait_for_partner" in pathlib.Path(f"/proc/{self.process.pid}/wchan").read_bytes()

    def errors(self):
        self.log.flush()
        return "its output: " + (self.desktop.directory / "wireshark.log").read_text()[-2000:]

    def close(self):
        """Ends the GUI and everything it started."""
        if self.process.poll() is None:
            lib.end(self.process, signal.SIGTERM)
        # Dumpcap and the extcap program are in the same session and may outlive it.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.log.close()


class Desktop:
    """Screen, window manager, session bus and AT-SPI agent of one user; a fresh Wireshark configuration."""

    def __init__(self, user, recent=()):
        """`recent`: further lines of Wireshark's file of that name, for example which toolbars show."""
        self.user, self.recent, self.children, self.windows = user, recent, [], []
        self.home = pathlib.Path(lib.environment(user)["HOME"])
        self.directory = self.home / "gui-test"

    def __enter__(self):
        try:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory.mkdir()
            shutil.chown(self.directory, self.user, self.user)
            self.seed()
            self._screen()
            self._agent()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for window in self.windows:
            window.close()
        for child in reversed(self.children):
            if child.poll() is None:
                lib.end(child, signal.SIGKILL)
            for stream in (child.stdin, child.stdout):
                if stream:
                    stream.close()
        self.forget()

    def _start(self, argv, **kwargs):
        self.children.append(lib.popen(self.user, argv, **kwargs))
        return self.children[-1]

    def _first_line(self, argv, option, **kwargs):
        """Starts a server that prints where it listens on a descriptor; returns that line."""
        read, write = os.pipe()
        self._start([*argv, option.format(write)], pass_fds=(write,), stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, **kwargs)
        os.close(write)
        with os.fdopen(read) as pipe:
            return self._line(pipe, argv[0]).strip()

    def _screen(self):
        # -noreset: else the server starts over when a first short client leaves before the window manager is there.
        screen = ["-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-noreset"]
        self.display = ":" + self._first_line(["Xvfb", *screen, "-displayfd"], "{}")
        env = {"DISPLAY": self.display}
        self._start(["openbox"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        manager = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
        lib.wait_for(lambda: "window id" in lib.run(self.user, manager, check=False, env=env).stdout,
                     "the window manager")

    def _agent(self):
        env = {"DISPLAY": self.display, "NO_AT_BRIDGE": "0"}
        # The bus starts AT-SPI's services, which are to find the display.
        daemon = ["dbus-daemon", "--session", "--nofork", "--nopidfile"]
        self.bus = self._first_line(daemon, "--print-address={}", env=env)
        env["DBUS_SESSION_BUS_ADDRESS"] = self.bus
        self.agent = self._start(["/usr/bin/python3", HERE / "gui_agent.py"], env=env, text=True, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    @staticmethod
    def _line(stream, who, timeout=START):
        if not select.select([stream], [], [], timeout)[0]:
            raise AssertionError(f"{who} said nothing for {timeout} s")
        line = stream.readline()
        if not line:
            raise AssertionError(f"{who} has ended")
        return line

    def ask(self, command):
        self.agent.stdin.write(json.dumps(command) + "\n")
        self.agent.stdin.flush()
        answer = json.loads(self._line(self.agent.stdout, "the AT-SPI agent"))
        return [] if isinstance(answer, dict) else answer  # an error: the window changed; the caller polls

    def forget(self):
        """What was chosen in dialogs is kept for later starts of Wireshark and tshark (4.0: preferences, 4.4: extcap.cfg)."""
        for entry in (self.home / ".config/wireshark").glob("*"):
            if entry.is_file():
                entry.unlink()

    def seed(self):
        """Configuration that makes every start look the same; Wireshark rewrites it when it ends."""
        folder = self.home / ".config/wireshark"
        lib.run(self.user, ["mkdir", "-p", folder])
        self.forget()
        columns = ",\n\t".join(f'"{title}", "{form}"' for title, form in COLUMNS)
        files = {
            "preferences": ["gui.update.enabled: FALSE", "gui.ask_unsaved: FALSE",
                            "gui.geometry.save.position: TRUE", "gui.geometry.save.size: TRUE",
                            "gui.geometry.save.maximized: FALSE", "nameres.use_external_name_resolver: FALSE",
                            f"capture.devices_hide: {','.join(HIDDEN)}", f"gui.column.format: {columns}"],
            "recent_common": ["gui.geometry_main_x: 0", "gui.geometry_main_y: 0", f"gui.geometry_main_width: {WIDTH}",
                              f"gui.geometry_main_height: {HEIGHT - 24}", "gui.geometry_main_maximized: FALSE",
                              "sys.warn_if_no_capture: FALSE", "privs.warn_if_elevated: FALSE"],
            "recent": ["column.width: " + ", ".join(f"{form}, {width}" for (_, form), width in zip(COLUMNS, WIDTHS)), *self.recent],
        }
        for name, lines in files.items():
            (folder / name).write_text("\n".join(lines) + "\n")
            shutil.chown(folder / name, self.user, self.user)

    def install_plugin(self):
        """Our plugin where this user's Wireshark looks for it."""
        folder = self.home / ".local/lib/wireshark/plugins" / wireshark_version() / "epan"
        lib.run(self.user, ["mkdir", "-p", folder])
        shutil.copy(lib.BIN / "plugin/podshark.so", folder / "podshark.so")

    def wireshark(self, *args, stdin=subprocess.DEVNULL, env=None):
        window = Wireshark(self, args, stdin, env)
        self.windows.append(window)
        return window

    def click(self, node, times=1):
        """A mouse click on a node of Wireshark.nodes(); then the pointer leaves for the corner."""
        x, y, width, height = node["box"]
        lib.run(self.user, ["xdotool", "mousemove", str(x + min(width // 2, 60)), str(y + height // 2),
                            "click", "--repeat", str(times), "--delay", "50", "1",
                            "mousemove", str(WIDTH - 1), str(HEIGHT - 1)], env={"DISPLAY": self.display})

    def screenshot(self, path):
        """The whole screen as PNG, once two looks in a row are the same (or it will not hold still)."""
        shot, last = self.directory / "screen.png", b""
        for _ in range(20):
            lib.run(self.user, ["import", "-window", "root", shot], env={"DISPLAY": self.display})
            now = subprocess.run(["convert", shot, "-depth", "8", "rgb:-"], capture_output=True, check=True).stdout
            if now == last:
                break
            last = now
            time.sleep(0.1)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shot, path)


class GuiTest(lib.RigTest):
    """Tests that look at windows of the user rig."""

    OURS = (*lib.RigTest.OURS, "wireshark", "dumpcap", "Xvfb")

    def desktop(self):
        desktop = Desktop(lib.RIG)
        self.enterContext(desktop)
        desktop.install_plugin()
        return desktop

    def shown(self, shark, name):
        """The row of an interface on the start page: 'DISPLAY: VALUE'."""
        return next((n for n in shark.nodes() if n["name"].endswith(": " + name)), None)

    def select(self, shark, name):
        """Clicks on the interface until it is selected: a refresh just ending, or the menu it was chosen from, may
        swallow a click. Never twice in a second, which would start a capture."""
        clicked = 0.0

        def selected():
            nonlocal clicked
            row = self.shown(shark, name)
            if row and "selected" not in row["states"] and time.monotonic() - clicked > 3:
                shark.desktop.click(row)
                clicked = time.monotonic()
            return row and "selected" in row["states"]
        shark.wait(selected, f"{name} to be selected")

    def double_click(self, shark, name):
        """Starts a capture as people do, by a double click on the interface on the start page."""
        clicked = 0.0

        def started():
            nonlocal clicked
            row = self.shown(shark, name)
            if row and time.monotonic() - clicked > 5:
                shark.desktop.click(row, times=2)
                clicked = time.monotonic()
            return "Capturing from" in shark.title()
        shark.wait(started, f"a capture of {name} to start")
        # The capture is running once Wireshark counts the records every capture begins with.
        shark.wait_node("label", text="Packets: ")
