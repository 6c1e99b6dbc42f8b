# SPDX-License-Identifier: GPL-2.0-or-later
"""Real tshark with our plugin, or without, as an ordinary user: with uid or gid 0 it ignores WIRESHARK_PLUGIN_DIR."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("PODSHARK_BUILD") or os.environ.get("PODSHARK_BIN") or "/nonexistent")
PROFILE = pathlib.Path(__file__).resolve().parents[2] / "plugin/profile"
NOBODY = "65534"


def version():
    """'4.0' or '4.4': the directory of plugins is called so."""
    text = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"(\d+\.\d+)\.", text)[1]


class PluginTest(unittest.TestCase):
    """self.tmp is a directory both users can read; self.tshark runs there."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tmp = pathlib.Path(tempfile.mkdtemp(prefix="plugin-"))
        cls.addClassCleanup(shutil.rmtree, cls.tmp, ignore_errors=True)
        cls.tmp.chmod(0o755)
        (cls.tmp / "home").mkdir(mode=0o777)
        (cls.tmp / "home").chmod(0o777)
        (cls.tmp / "stock").mkdir()
        folder = cls.tmp / "with" / version() / "epan"
        folder.mkdir(parents=True)
        shutil.copy(BUILD / "plugin/podshark.so", folder / "podshark.so")
        (folder / "podshark.so").chmod(0o755)

    def command(self, *args, plugin=True, under=()):
        """(argv, environment) of tshark as that user, with our plugin or without; under: a program that runs it."""
        argv = [*under, "tshark", *map(str, args)]
        if os.getuid() == 0:
            argv = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--", *argv]
        return argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.tmp / "home"), "LANG": "C.UTF-8", "TZ": "UTC",
                      "XDG_RUNTIME_DIR": str(self.tmp / "home"),
                      "WIRESHARK_PLUGIN_DIR": str(self.tmp / ("with" if plugin else "stock"))}

    def run_tshark(self, *args, input=None, timeout=120, **kwargs):
        """The ended process; keyword arguments as command()."""
        argv, env = self.command(*args, **kwargs)
        return subprocess.run(argv, env=env, cwd=self.tmp, input=input, capture_output=True, timeout=timeout)

    def tshark(self, *args, check=True, numeric=True, **kwargs):
        """stdout of tshark; its stderr has to be empty."""
        done = self.run_tshark(*args, *(["-n"] if numeric and args[0] != "-G" else []), **kwargs)
        errors = done.stderr.decode(errors="replace")
        if check and (done.returncode or errors):
            self.fail(f"tshark {args} exited {done.returncode}; stderr: {errors}")
        return done.stdout.decode()

    def save(self, capture, name="capture.pcapng"):
        path = self.tmp / name
        capture.save(path)
        path.chmod(0o644)
        return path

    def names(self, path, *args, **kwargs):
        """{frame number: (source name, destination name)} of the frames that have one; one pass and two passes
        must agree."""
        fields = ["-T", "fields", "-E", "separator=\x1f", "-e", "frame.number", "-e", "podman.src.name", "-e",
                  "podman.dst.name"]
        once, twice = (self.tshark("-r", path, *passes, *fields, *args, **kwargs) for passes in ((), ("-2",)))
        self.assertEqual(once, twice, "one pass and two passes differ")
        rows = [line.split("\x1f") for line in once.splitlines()]
        return {int(number): (src, dst) for number, src, dst in rows if src or dst}

    def matching(self, path, display_filter, options=(), **kwargs):
        """Numbers of the frames a display filter lets through."""
        text = self.tshark(*options, "-r", path, "-Y", display_filter, "-T", "fields", "-e", "frame.number", **kwargs)
        return [int(line) for line in text.split()]
