# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/TROUBLESHOOTING.md: every command on the page runs, and prints what the page says.

A section is one test; its ```console blocks are run in order, `# ` as root and `$ ` as the user rig, by bash. The lines
below a command have to come in its output in that order, `…` standing for anything. A command must succeed unless the page prints its exit code.
Sections share a directory per user, as they would on a terminal; traffic to the published ports flows all the time.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import lib
import lib_plugin
from lib import HOST, RIG, ROOT, Ctr, Net, fetch, run
from lib_check import CheckTest
from lib_podshark import PODSHARK, extcap_home

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/TROUBLESHOOTING.md"
IDLE = ("sleep", "1000000")
CONTAINERS = (
    Net("lan"),
    Ctr("web", network="lan", ports=("8080:80",)),
    Ctr("db", network="lan", cmd=IDLE),
    Ctr("own", user=RIG, ports=("18080:80",)),
    Ctr("idle", user=RIG, ports=("18081:80",), cmd=IDLE),
)
ASKING = (f"while :; do for port in 8080 18080; do timeout 1 busybox wget -q -O /dev/null http://{HOST}:$port/; done; "
          "sleep 0.2; done")


def sections():
    """[(title, [(user, command, expected lines)])] of the page's parts with commands."""
    found, inside = [], False
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            found.append((line[3:], []))
        elif line.startswith("```"):
            inside = line == "```console"
        elif inside and line[:2] in ("# ", "$ "):
            found[-1][1].append((ROOT if line[0] == "#" else RIG, line[2:], []))
        elif inside and found[-1][1][-1][1].endswith("\\"):
            user, command, expected = found[-1][1].pop()
            found[-1][1].append((user, f"{command}\n{line}", expected))
        elif inside:
            found[-1][1][-1][2].append(line)
    return [(title, commands) for title, commands in found if commands]


def pattern(line):
    """A line of the page as a regular expression: columns may be wider, and … is anything."""
    words = (".*".join(map(re.escape, word.split("…"))) for word in line.split())
    return re.compile(r"\s*" + r"\s+".join(words))


def missing(expected, output):
    """The first line of the page that the output does not have, in order; None when it has all."""
    lines = iter(output.splitlines())
    for wanted in expected:
        if not any(pattern(wanted).search(line) for line in lines):
            return wanted
    return None


class Page(CheckTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for port in (8080, 18080):
            fetch(port)
        cls.homes = {}
        for user in (ROOT, RIG):
            extcap_home(user)
            cls.homes[user] = pathlib.Path(tempfile.mkdtemp(prefix="page-"))
            shutil.chown(cls.homes[user], user)
            cls.addClassCleanup(shutil.rmtree, cls.homes[user])
        # Root's Wireshark loads no personal plugins.
        (plugins,) = pathlib.Path("/usr/lib").glob(f"*/wireshark/plugins/{lib_plugin.version()}/epan")
        run(ROOT, ["install", "-m", "0755", lib.BIN / "plugin/podshark.so", plugins])
        cls.addClassCleanup((plugins / "podshark.so").unlink)
        client = lib.popen(ROOT, ["ip", "netns", "exec", "client", "bash", "-c", ASKING], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(lib.end, client)

    def section(self, title, commands):
        for user, command, expected in commands:
            with self.subTest(command=command):
                path = f"{PODSHARK.parent}:{lib.environment(user)['PATH']}"
                done = run(user, ["bash", "-c", f"exec 2>&1; {command}"], cwd=self.homes[user], env={"PATH": path}, check=False)
                if os.environ.get("PODSHARK_SHOW"):
                    print(f"{'#' if user == ROOT else '$'} {command}\n{done.stdout}", flush=True)
                self.assertEqual(0, done.returncode, done.stdout)
                self.assertIsNone(missing(expected, done.stdout), done.stdout)

    def test_the_page_has_its_parts(self):
        titles = [title for title, _ in sections()]
        self.assertGreaterEqual(len(titles), 10, titles)
        for title, commands in sections():
            self.assertTrue(any("podshark" in command for _, command, _ in commands), title)


def add_tests():
    for number, (title, commands) in enumerate(sections()):
        name = f"test_{number:02}_" + re.sub(r"\W+", "_", title.lower()).strip("_")
        setattr(Page, name, lambda self, title=title, commands=commands: self.section(title, commands))


add_tests()
