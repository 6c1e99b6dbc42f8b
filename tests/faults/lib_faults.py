# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of faults share: afterwards nothing is left, the file is valid, one line says why; and programs that
strace(1) stops or kills at a chosen system call, so that nothing depends on the moment."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal

import lib
import lib_pcapng
from lib import ROOT, RigTest, fetch, run, wait_for
from lib_podshark import INSTALLED_WORKER, PREFIX
from test_follow import gets, happened

# What a listing keeps for the next one.
CACHES = {"inventory.json", "refresh.lock"}


def is_dead_inbox(path):
    kind, _, pid = path.name.partition(".")
    return kind == "capture" and not pathlib.Path("/proc", pid).exists()


def leftovers():
    """What podshark might leave on this machine, as far as it can be counted. The name of a killed capture's socket stays
    until somebody reports to captures (test_reports)."""
    namespaces, sockets = set(), 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            inode = os.stat(process / "ns/net").st_ino
            if inode not in namespaces:
                sockets += len((process / "net/packet").read_text().splitlines()) - 1
            namespaces.add(inode)
        except OSError:
            continue  # it has ended
    files = {str(f) for place in ("/run/podshark", "/tmp", *(str(d) for d in pathlib.Path("/run/user").glob("*/podshark")))
             for f in pathlib.Path(place).glob("*")
             if (place != "/tmp" or f.name.startswith("podshark")) and f.name not in CACHES and not is_dead_inbox(f)}
    return {"network namespaces": len(namespaces), "packet sockets": sockets, "files": files,
            "named namespaces": len(os.listdir("/run/netns")),
            "podman": len(lib.processes("podman")), "tables": run(ROOT, ["nft", "list", "tables"]).stdout,
            "links": len(json.loads(run(ROOT, ["ip", "-j", "link"]).stdout))}


class FaultTest(RigTest):
    """Each test ends with what it found, and without helpers of ours."""

    OURS = RigTest.OURS + ("strace", "nft", "tcpdump")

    def setUp(self):
        super().setUp()
        self._before = leftovers()
        self.addCleanup(self._as_before)

    def _as_before(self):
        wait_for(lambda: leftovers() == self._before, lambda: f"what was before: {self._before}; now: {leftovers()}", 10)

    def one_line(self, text, *words):
        """stderr is one line with all of the words."""
        self.assertEqual(1, len(text.strip().splitlines()), text)
        for word in words:
            self.assertIn(word, text)

    def goes_on(self, capture, port):
        """After a restart of its container, a request to that port is in the file."""
        wait_for(lambda: happened(capture, "gap", "restarted"), lambda: f"a gap record: {capture.stderr()}", 30)
        fetch(port)
        wait_for(lambda: gets(capture), "a request after the restart")
        capture.stop()
        self.valid(capture.path)

    def valid(self, path):
        """The file to its last block, as real capinfos and our own reader see it."""
        capinfos = run(ROOT, ["capinfos", "-c", path], check=False)
        self.assertEqual(0, capinfos.returncode, capinfos.stderr)
        return lib_pcapng.read(path)

    def failed(self, done, codes, path, *words):
        """A command that could not capture: its code, one line, and no file or a valid one."""
        self.assertIn(done.returncode, codes, done.stderr)
        self.one_line(done.stderr, *words)
        if path.exists() and path.stat().st_size:
            self.valid(path)


class Trace:
    """strace's log: who was stopped behind which call, in order."""

    def __init__(self, path):
        self.path = path

    def text(self):
        return self.path.read_text() if self.path.exists() else ""

    def stops(self):
        """[(pid, line of the call)]"""
        found, calls = [], {}
        for line in self.text().splitlines():
            pid, _, rest = line.partition(" ")
            if rest.strip() == "--- stopped by SIGSTOP ---":
                found.append((int(pid), calls.get(pid, "")))
            elif not rest.strip().startswith("---"):
                calls[pid] = rest.strip()
        return found

    def go_on(self, number):
        """Lets whoever made the stop with that index continue."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.stops()[number][0], signal.SIGCONT)


def stopping(path, syscall, when="1+"):
    """The words of strace before a command: it is stopped each time that it has made this call. Not so podman, and whatever
    else it starts."""
    return ["strace", "-DD", "-f", "-b", "execve", "-qq", "-o", path, "-e", "signal=stop", "-e", f"trace={syscall}", "-e",
            f"inject={syscall}:signal=SIGSTOP:when={when}"]


def attach(test, pid, path, *options):
    """strace on a running process, until that ends; returns once it watches."""
    child = test.child(ROOT, ["strace", "-f", "-qq", "-o", path, "-p", str(pid), *options])
    wait_for(lambda: tracer_of(pid) or child.poll() is not None, "strace to attach")
    test.assertIsNone(child.poll())
    return Trace(path)


def tracer_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^TracerPid:\s+(\d+)$", status, re.MULTILINE)[1])


class WaitingWorker:
    """podshark in a folder of its own with a program instead of the worker that tells its pid, waits to be let go, and
    becomes the installed worker: what is attached to it before sees that from its first instruction."""

    def __init__(self, test, name):
        self.directory = test.tmp / name
        self.directory.mkdir(mode=0o777)
        self.directory.chmod(0o777)
        self.podshark = shutil.copy(PREFIX / "bin/podshark", self.directory / "podshark")
        os.mkfifo(self.directory / "go", 0o666)
        (self.directory / "go").chmod(0o666)
        (self.directory / "armed").touch()
        program = self.directory / "podshark-worker"
        program.write_text(f"#!/bin/sh\ncd {self.directory}\nif [ -e armed ]; then echo $$ >pid; read -r _ <go; fi\n"
                           f"exec {INSTALLED_WORKER}\n")
        program.chmod(0o755)

    def pid(self):
        """Of the process that will be the worker, once it waits."""
        pid = self.directory / "pid"
        return int(wait_for(lambda: pid.exists() and pid.read_text().endswith("\n") and pid.read_text(), "the worker to wait"))

    def go(self):
        (self.directory / "armed").unlink()
        (self.directory / "go").write_text("go\n")


def stopped_at(child, trace, pattern):
    """Waits for the first stop behind a call that matches, letting those before go on; its index."""
    index = 0
    while True:
        wait_for(lambda: len(trace.stops()) > index or child.poll() is not None, f"a stop behind {pattern}: {trace.text()}")
        if len(trace.stops()) <= index:
            raise AssertionError(f"it ended without {pattern}: {trace.text()}")
        if re.search(pattern, trace.stops()[index][1]):
            return index
        trace.go_on(index)
        index += 1


def let_run(child, trace, index, timeout=30):
    """From that stop on to the program's end, whatever it stops at again."""
    def ended():
        nonlocal index
        while index < len(trace.stops()):
            trace.go_on(index)
            index += 1
        return child.poll() is not None
    wait_for(ended, lambda: f"its end: {trace.text()}", timeout)
