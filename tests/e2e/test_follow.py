# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures that go on: restarts, links made anew, containers that join, that are started, that do not exist yet."""

import contextlib
import shutil

import lib
import lib_pcapng
from lib import RIG, ROOT, Ctr, Net, Pod, RigTest, fetch, quick, wait_for
from lib_podshark import Capture, podshark

CONTAINERS = (
    Ctr("web", ports=("28180:80",)),
    Ctr("own", user=RIG, ports=("28181:80",)),
    Net("lan", user=RIG),
    Ctr("bridged", user=RIG, network="lan", ports=("28182:80",)),
    Pod("shop", user=RIG, ports=("28183:80",), members=("front", "back")),
)


def happened(capture, kind, what, since=0):
    """Events of that kind and verb in the file so far."""
    now = capture.so_far()
    return [e for e in (now.events if now else [])[since:] if e["kind"] == kind and e.get("what") == what]


def gets(capture, link=None):
    """Requests in the file; each once."""
    now = capture.so_far()
    packets = (now.packets_of(link) if link else now.packets) if now else []
    return [p for p in packets if b"GET / HTTP" in p.data]


def syns(capture):
    """IPv4 TCP segments with SYN and without ACK."""
    return [p for p in capture.packets
            if p.data[12:14] == b"\x08\x00" and p.data[23] == 6 and p.data[47] & 0x12 == 2]


class FollowTest(RigTest):
    def in_order(self, path):
        times = [p.time_ns for p in lib_pcapng.read(path).packets]
        self.assertEqual(sorted(times), times, "packets are in order of time")


@quick
class Restart(FollowTest):
    def restarted(self, user, name, port, *how):
        with Capture(user, name) as capture:
            fetch(port)
            wait_for(lambda: gets(capture), "the first request in the file")
            links, before = len(capture.links()), len(gets(capture))
            for command in how:
                # A pasta of podman 5.4 may still hold the port of its container's next life (docs/CHECKS.md,
                # port.restart-race): then it is down, and has to be started as a user would do it.
                if lib.run(user, ["podman", *command], check=False, timeout=90).returncode:
                    wait_for(lambda: lib.run(user, ["podman", "start", name], check=False).returncode == 0, name, 60)
            gap = wait_for(lambda: happened(capture, "gap", "restarted"), "a gap record")[0]
            self.assertRegex(gap["detail"], rf"container {name} was not captured for \d+\.\d+ s: it was stopped and started")
            self.assertGreater(len(capture.links()), links, "new interfaces")
            fetch(port)
            wait_for(lambda: len(gets(capture)) > before, "a request after the restart")
            capture.stop()
            self.in_order(capture.path)

    def test_rootful(self):
        self.restarted(ROOT, "web", 28180, ("restart", "-t", "0", "web"))

    def test_rootless_default_network(self):
        self.restarted(RIG, "own", 28181, ("restart", "-t", "0", "own"))

    def test_rootless_bridge_stopped_and_started(self):
        self.restarted(RIG, "bridged", 28182, ("stop", "-t", "0", "bridged"), ("start", "bridged"))


class More(FollowTest):
    def test_a_restarted_pod(self):
        with Capture(RIG, "pod/shop") as capture:
            # Podman starts the new pasta while the old one may still hold the published port: then the pod is only
            # stopped, or serves IPv6 alone, and has to be started again as a user would do it.
            lib.run(RIG, ["podman", "pod", "restart", "shop"], check=False, timeout=120)

            def answers():
                with contextlib.suppress(AssertionError):
                    return fetch(28183, timeout=5)
                lib.run(RIG, ["podman", "pod", "stop", "-t", "0", "shop"], check=False)
                lib.run(RIG, ["podman", "pod", "start", "shop"], check=False)
                return None
            wait_for(answers, "the pod to answer", 90)
            wait_for(lambda: happened(capture, "gap", "restarted"), "a gap record", 60)
            wait_for(lambda: gets(capture), "a request after the restart")
            capture.stop()

    def test_a_restart_is_followed_without_podmans_events(self):
        with Capture(ROOT, "web") as capture:
            listener = wait_for(lambda: [p for p in lib.processes("podman")
                                         if b"events" in open(f"/proc/{p}/cmdline", "rb").read()], "podman events")
            for pid in listener:
                lib.run(ROOT, ["kill", "-9", str(pid)])
            lib.podman(ROOT, "restart", "-t", "0", "web")
            wait_for(lambda: happened(capture, "gap", "restarted"), "a gap record")
            fetch(28180)
            wait_for(lambda: gets(capture), "a request after the restart")
            capture.stop()

    def test_network_reload_is_a_gap_with_its_length(self):
        with Capture(ROOT, "web") as capture:
            lib.podman(ROOT, "network", "reload", "web")
            gap = wait_for(lambda: happened(capture, "gap", "link-replaced"), "a gap record")[0]
            self.assertEqual("eth0", gap["link"])
            self.assertRegex(gap["detail"], r"eth0 of container web was made anew: not captured for \d+\.\d ms")
            capture.stop()

    def test_network_connect_and_disconnect(self):
        lib.start(Net("second"))
        self.addCleanup(lib.podman, ROOT, "network", "rm", "-f", "second")
        lib.start(Ctr("mover", network="podman"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "mover")
        with Capture(ROOT, "mover") as capture:
            lib.podman(ROOT, "network", "connect", "second", "mover")
            added = wait_for(lambda: happened(capture, "lifecycle", "link-added"), "the new link")[0]
            self.assertIn("podman:mover/" + added["link"], [i.name for i in capture.links()])
            lib.podman(ROOT, "network", "disconnect", "second", "mover")
            removed = wait_for(lambda: happened(capture, "lifecycle", "link-removed"), "the link's end")[0]
            self.assertEqual(added["link"], removed["link"])
            capture.stop()

    def test_follow_false_ends_with_the_container(self):
        lib.start(Ctr("brief"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "brief", check=False)
        with Capture(ROOT, "brief", "--follow", "false") as capture:
            lib.podman(ROOT, "restart", "-t", "0", "brief")
            self.assertEqual(0, capture.process.wait(15))

    def test_a_container_made_anew_under_its_name_is_the_same_target(self):
        lib.start(Ctr("again"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "again", check=False)
        with Capture(ROOT, "again") as capture:
            lib.podman(ROOT, "rm", "-f", "-t", "0", "again")
            lib.start(Ctr("again"))
            gap = wait_for(lambda: happened(capture, "gap", "restarted"), "a gap record")[0]
            self.assertIn("it was removed and made anew", gap["detail"])
            capture.stop()

    def test_checkpoint_and_restore(self):
        if not shutil.which("criu") or lib.run(ROOT, ["criu", "check"], check=False).returncode != 0:
            self.skipTest("criu is not installed, or does not work on this kernel")
        with Capture(ROOT, "web") as capture:
            lib.podman(ROOT, "container", "checkpoint", "web")
            lib.podman(ROOT, "container", "restore", "web")
            wait_for(lambda: happened(capture, "gap", "restarted"), "a gap record")
            capture.stop()


class Joining(FollowTest):
    def test_all_takes_in_who_starts_and_tells_who_leaves(self):
        with Capture(ROOT, "all") as capture:
            address = self.up["web"].address
            lib.podman(ROOT, "run", "-d", "--name", "guest", lib.IMAGE, "sh", "-c",
                       f"while true; do wget -qO- http://{address}/; sleep 1; done")
            self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "guest", check=False)
            wait_for(lambda: happened(capture, "lifecycle", "joined"), "the newcomer")
            wait_for(lambda: gets(capture, "podman:guest/eth0"), "its request")
            lib.podman(ROOT, "rm", "-f", "-t", "0", "guest")
            wait_for(lambda: [e for e in happened(capture, "lifecycle", "exited") if e["container"] == "guest"], "its end")
            capture.stop()

    def test_no_false_retransmissions_between_captured_containers(self):
        lib.start(Ctr("db"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "db")
        address = self.up["web"].address
        for target in ("all", "net/podman"):
            with self.subTest(target), Capture(ROOT, target) as capture:
                for _ in range(5):
                    lib.podman(ROOT, "exec", "db", "wget", "-qO-", f"http://{address}/")
                wait_for(lambda: len(gets(capture)) >= 5, "five requests")
                done = capture.stop()
                self.assertEqual(5, len([p for p in done.packets if b"GET / HTTP" in p.data]), "each once")
                shown = lib.run(ROOT, ["tshark", "-n", "-r", capture.path, "-Y", "tcp.analysis.flags"]).stdout
                self.assertEqual("", shown)


class StartTest(FollowTest):
    def started(self, user, name, address):
        """A created container whose only act is a request: its very first SYN has to be in the file."""
        lib.podman(user, "create", "--name", name, *(("--network", "lan") if user == RIG else ()), lib.IMAGE,
                   "wget", "-qO-", f"http://{address}/")
        self.addCleanup(lib.podman, user, "rm", "-f", "-t", "0", name, check=False)
        with Capture(user, name) as capture:
            wait_for(lambda: happened(capture, "lifecycle", "exited"), "the container's end", 60)
            done = capture.stop()
            self.assertEqual(1, len(syns(done)), f"{name}'s SYN; stderr: {capture.stderr()}")
            self.assertTrue([p for p in done.packets if b"GET / HTTP" in p.data])
            self.assertIn(f"starting container '{name}'", capture.stderr())


class FirstPacket(StartTest):
    def test_a_created_container_is_started_when_the_capture_is_ready(self):
        self.started(ROOT, "first", self.up["web"].address)
        self.started(RIG, "first", self.up["bridged"].address)

    def test_one_that_can_not_start_says_why(self):
        lib.podman(ROOT, "create", "--name", "broken", lib.IMAGE, "/no/such/program")
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "broken")
        done = podshark(ROOT, "capture", "broken", "-w", self.tmp / "x", check=False)
        self.assertEqual(4, done.returncode, done.stderr)
        self.assertIn("/no/such/program", done.stderr.splitlines()[-1])

    def test_systemd_starts_what_systemd_owns(self):
        # There is no systemd in the rig: a systemctl that does what the unit would.
        lib.podman(ROOT, "create", "--name", "unit", "--label", "PODMAN_SYSTEMD_UNIT=unit.service", lib.IMAGE, *lib.WEB)
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "unit")
        fake = self.tmp / "systemctl"
        fake.write_text(f'#!/bin/sh\necho "$@" >{self.tmp}/called\nexec podman start unit\n')
        fake.chmod(0o755)
        path = f"{self.tmp}:/usr/sbin:/usr/bin:/sbin:/bin"
        with Capture(ROOT, "unit", env={"PATH": path}) as capture:
            wait_for(lambda: happened(capture, "lifecycle", "joined"), "the unit's container")
            self.assertEqual("start -- unit.service", (self.tmp / "called").read_text().strip())
            capture.stop()


class Arm(FollowTest):
    def armed(self, user, target, address, *options):
        name = "armed-1"
        network = ("--network", "lan") if user == RIG else ()
        with Capture(user, target, "--wait", links=False) as capture:
            wait_for(lambda: "waiting for a container to start" in capture.stderr(), "the notice")
            lib.podman(user, "run", "--rm", "--name", name, *network, *options, lib.IMAGE,
                       "sh", "-c", f"wget -qO- http://{address}/; sleep 1")
            wait_for(lambda: gets(capture), "its request")
            done = capture.stop()
            self.assertEqual(1, len(syns(done)), "its very first SYN")
            self.in_order(capture.path)

    def test_by_name_pattern_and_label(self):
        address = self.up["web"].address
        self.armed(ROOT, "armed-1", address)
        self.armed(ROOT, "armed-*", address)
        self.armed(ROOT, "label=tier=front", address, "--label", "tier=front")

    def test_rootless(self):
        self.armed(RIG, "armed-1", self.up["bridged"].address)

    def test_nothing_ever_comes(self):
        with Capture(ROOT, "never", "--wait", links=False) as capture:
            wait_for(lambda: "waiting for a container" in capture.stderr(), "the notice")
            done = capture.stop()
            self.assertEqual([], done.packets)


@lib.long
class FiftyTimes(StartTest):
    def test_nothing_is_missed_fifty_times(self):
        for _ in range(50):
            self.started(ROOT, "first", self.up["web"].address)
            lib.podman(ROOT, "rm", "-f", "-t", "0", "first")
