# SPDX-License-Identifier: GPL-2.0-or-later
"""Breaking one thing and asking `podshark check` about it."""

import contextlib
import dataclasses
import json
import pathlib

import lib
from lib import CLIENT, ROOT, WORLD, RigTest, podman, run
from lib_podshark import podshark

FOUND = 13  # exit code
NEW = WORLD != "deb12"  # podman 5: nftables, pasta


def only_old(test):
    """The fault exists with podman 4 only (facts in docs/CHECKS.md): elsewhere there is no such test."""
    return None if NEW else test


def only_new(test):
    return test if NEW else None


# Answers every DNS query with "no such name": somebody is there.
RESOLVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("%s", 53))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(4096)
    s.sendto(data[:2] + b"\\x81\\x83" + data[4:6] + bytes(6) + data[12:], peer)
"""


@dataclasses.dataclass
class Report:
    code: int
    findings: list
    unseen: list

    @property
    def serious(self):
        return [f for f in self.findings if f["severity"] != "note"]

    def ids(self):
        return [f["id"] for f in self.serious]

    def of(self, check):
        return next(f for f in self.findings if f["id"] == check)


def ask(user, *args):
    """`podshark check --json ARGS` of a user."""
    done = podshark(user, "check", "--json", *args, check=False)
    if done.returncode not in (0, FOUND):
        raise AssertionError(f"podshark check {args} exited {done.returncode}: {done.stdout} {done.stderr}")
    report = json.loads(done.stdout)
    return Report(done.returncode, report["findings"], report["unseen"])


class CheckTest(RigTest):
    """The rig's name server answers, as that of a healthy host does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        conf = pathlib.Path("/etc/resolv.conf")
        before = conf.read_text() if conf.exists() else ""
        conf.unlink(missing_ok=True)
        conf.write_text(f"nameserver {CLIENT}\n")
        cls.addClassCleanup(conf.write_text, before)
        server = lib.popen(ROOT, ["ip", "netns", "exec", "client", "/usr/bin/python3", "-c", RESOLVER % CLIENT],
                           stdout=-1, text=True)
        cls.addClassCleanup(server.stdout.close)
        cls.addClassCleanup(lib.end, server, 9)
        server.stdout.readline()

    def broken(self, command, repair=("podman", "network", "reload", "-a"), user=ROOT):
        """Runs a command, or several, that break something; `repair` afterwards, whatever happens."""
        for argv in [repair] if repair and isinstance(repair[0], str) else reversed(repair or []):
            self.addCleanup(run, user, argv, check=False)
        for argv in [command] if isinstance(command[0], str) else command:
            run(ROOT, argv)

    def running(self, *specs):
        """Containers, pods and networks for one test."""
        up = {}
        for spec in specs:
            self.addCleanup(self._remove, spec)
            up.update(lib.start(spec))
        return up

    @staticmethod
    def _remove(spec):
        kind = {"Pod": ("pod", "rm", "-f", "-t", "0"), "Net": ("network", "rm", "-f")}.get(
            type(spec).__name__, ("rm", "-f", "-t", "0"))
        podman(spec.user, *kind, spec.name, check=False)

    def assert_first(self, check, *args, user=ROOT, also=()):
        """The finding is ranked first; of warnings and errors there are at most those of `also` besides."""
        report = ask(user, *args)
        told = [(f["id"], f["subject"], f["what"], f["evidence"]) for f in report.serious]
        self.assertEqual(check, report.ids()[0] if told else None, told)
        self.assertLessEqual(set(report.ids()) - {check}, set(also), told)
        self.assertEqual(FOUND, report.code)
        first = report.serious[0]
        self.assertTrue(first["evidence"] and first["fix"], first)
        return first

    def assert_nothing(self, *args, user=ROOT):
        report = ask(user, *args)
        self.assertEqual([], [(f["id"], f["subject"], f["what"], f["evidence"]) for f in report.serious])
        self.assertEqual(0, report.code)
        return report

    def listener(self, program, *argv):
        """A Python program that prints a line when it is ready; ended with the test."""
        server = self.child(ROOT, ["/usr/bin/python3", "-c", program, *argv], stdout=-1, text=True)
        self.assertTrue(server.stdout.readline())
        return server


HOLD = """
import socket, sys
kind, address, port = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((address, int(port)))
if kind == "tcp":
    s.listen()
print("ready", flush=True)
while True:
    s.accept() if kind == "tcp" else s.recv(2000)
"""


def nft(*commands):
    return ["nft", "; ".join(commands)]


@contextlib.contextmanager
def sysctl(key, value):
    path = pathlib.Path("/proc/sys") / key.replace(".", "/")
    before = path.read_text()
    path.write_text(str(value))
    try:
        yield
    finally:
        path.write_text(before)
