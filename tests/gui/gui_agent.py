# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at and presses widgets through AT-SPI, for lib_gui.py. A process of its own: it belongs to the user whose
session bus it is started on, and a frozen GUI can only hang it, not the test.

Reads one JSON command a line, answers one JSON line:
  {"do": "nodes", "pid": N, "window": T, "menus": B}
                                          [{path, role, name, text, states, box}] of everything that shows, in windows
                                          whose title contains T; menus cost most of the time
  {"do": "press", "pid": N, "path": [i…], "name": T}
                                          true, "moved" when another widget is there now, or {"error": …}
  {"do": "alive", "pid": N}               true once the GUI's main thread has answered a question
"""

import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402  (the version comes first)

FRESH = 5  # seconds; libatspi keeps what it has seen, and an event that it misses leaves it wrong for good
MOST_CHILDREN, MOST_NODES = 1200, 6000  # a packet list has no end
STATES = {"showing": Atspi.StateType.SHOWING, "sensitive": Atspi.StateType.SENSITIVE,
          "selected": Atspi.StateType.SELECTED, "expanded": Atspi.StateType.EXPANDED}


def application(pid):
    desktop = Atspi.get_desktop(0)
    for i in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(i)
        if child is not None and child.get_process_id() == pid:
            return child
    return None


def role_name(node):
    """AT-SPI 2.54 and later say "button" where earlier ones say "push button"."""
    role = node.get_role_name()
    return "push button" if role == "button" else role


def name_of(node):
    return (node.get_name() or "").replace("&", "")


def describe(node, path):
    states = node.get_state_set()
    entry = {"path": path, "role": role_name(node), "name": name_of(node),
             "states": [name for name, state in STATES.items() if states.contains(state)]}
    component, text = node.get_component_iface(), node.get_text_iface()
    if component is not None:
        box = component.get_extents(Atspi.CoordType.SCREEN)
        entry["box"] = [box.x, box.y, box.width, box.height]
    if text is not None:
        entry["text"] = Atspi.Text.get_text(text, 0, min(Atspi.Text.get_character_count(text), 20000))
    return entry


cleared = time.monotonic()


def nodes(pid, window, menus):
    global cleared
    root = application(pid)
    if root is not None and time.monotonic() - cleared > FRESH:
        root.clear_cache()
        cleared = time.monotonic()
    found, queue = [], [(root, [])] if root is not None else []
    while queue and len(found) < MOST_NODES:
        node, path = queue.pop(0)
        try:
            entry = describe(node, path)
            count = min(node.get_child_count(), MOST_CHILDREN)
            children = [(node.get_child_at_index(i), path + [i]) for i in range(count)]
        except GLib.Error:
            continue  # gone meanwhile
        # Menus are found although they do not show until opened; other hidden parts are none of our business.
        if path and "showing" not in entry["states"] and "menu" not in entry["role"]:
            continue
        if len(path) == 1 and window not in entry["name"] or not menus and entry["role"] == "menu bar":
            continue
        found.append(entry)
        queue += [c for c in children if c[0] is not None]
    return found


def press(pid, path, name):
    node = application(pid)
    for i in path:
        node = node and node.get_child_at_index(i)
    if node is None or name is not None and name_of(node) != name:
        return "moved"
    return node.get_action_iface().do_action(0)


def alive(pid):
    window = application(pid).get_child_at_index(0)
    return window.get_component_iface().get_extents(Atspi.CoordType.SCREEN).width > 0  # never from a cache


def carry_out(command):
    if command["do"] == "nodes":
        return nodes(command["pid"], command["window"], command["menus"])
    if command["do"] == "alive":
        return alive(command["pid"])
    return press(command["pid"], command["path"], command.get("name"))


def main():
    Atspi.init()
    Atspi.set_timeout(2000, 2000)  # a frozen GUI is an error, not an endless wait
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = carry_out(command)
        except (GLib.Error, AttributeError, TypeError) as error:  # a widget that is gone answers None
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


main()
