# SPDX-License-Identifier: GPL-2.0-or-later
"""One capture over several machines: two sshd's of which each believes another time, and this machine."""

import os
import pathlib
import shutil
import signal
import tempfile
import time
from datetime import datetime, timezone

import lib
import lib_pcapng
import lib_podshark
import lib_skew
import lib_sshd
from lib import RIG, ROOT, WORLD, Ctr, RigTest, run, wait_for
from lib_plugin import PROFILE, PluginTest
from lib_podshark import PODSHARK, Capture, podshark, wait_rings
from test_files import FilesTest

CONTAINERS = (
    Ctr("web", ports=("28780:80",)),
    Ctr("db"),
    Ctr("own", user=RIG),
    Ctr("hosted", network="host", cmd=("sleep", "1000000")),
)
A, B, BARE = 2222, 2223, 2224  # the last without podshark
SKEW = {A: 250_000_000, B: -120_000_000}
USAGE, NOT_FOUND, UNREACHABLE = 2, 3, 12
MS = 1_000_000


def name(port, user=ROOT):
    return f"{user}@127.0.0.1:{port}"


def at(port, container, user=ROOT):
    return f"ssh://{name(port, user)}/{container}"


def echoes(packets):
    """{(type, id, sequence): time} of ICMP echoes, requests and replies, as one link has seen them."""
    return {(p.data[34], p.data[38:40], p.data[40:42]): p.time_ns for p in packets
            if p.data[12:14] == b"\x08\0" and p.data[23] == 1 and p.data[34] in (0, 8)}


class Wishes(RigTest):
    """Needs no sshd."""

    def test_machines_that_are_not_there(self):
        done = podshark(ROOT, "capture", "ssh://127.0.0.1:1/web", "ssh://127.0.0.1:2/db", "-w", self.tmp / "x.pcapng", check=False)
        self.assertEqual(UNREACHABLE, done.returncode, done.stderr)
        for port in (1, 2):
            self.assertEqual(1, done.stderr.count(f"podshark capture: 127.0.0.1:{port}: "), done.stderr)
        self.assertIn("Connection refused", done.stderr)
        self.assertEqual({"host-failed"}, {e["what"] for e in lib_pcapng.read(self.tmp / "x.pcapng").events_of("gap")})

    def test_one_that_is_not_there_beside_one_that_is(self):
        """The others go on; the exit code tells it."""
        with Capture(ROOT, "web", "ssh://127.0.0.1:1/db", "--all-host") as capture:
            lib.fetch(28780)
            capture.wait_packets(3)
            done = capture.stop(code=UNREACHABLE)
            self.assertIn("-f 'not port 22' leaves them out", capture.stderr())
        gap, = done.events_of("gap")
        self.assertEqual(("host-failed", "127.0.0.1:1"), (gap["what"], gap["host"]))
        self.assertEqual({"podman:web/eth0", "podman:web/lo"}, {i.name for i in done.links})
        self.assertTrue(all("host" not in i.meta and "host" not in i.keys for i in done.links), "this machine's")
        self.assertTrue(done.all(lib_pcapng.Statistics))

    def test_errors_of_the_command_line(self):
        for words in (("ssh://a", "db"), ("web", "ssh://a/")):
            done = podshark(ROOT, "capture", *words, "-w", "/dev/null", check=False)
            self.assertEqual((USAGE, 1), (done.returncode, done.stderr.count("\n")), done.stderr)


class Several(FilesTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        PluginTest.setUpClass()
        cls.addClassCleanup(PluginTest.doClassCleanups)
        shutil.copytree(PROFILE, PluginTest.tmp / "home/.config/wireshark/profiles/Podman")
        cls.sshd = {}
        for port, ns in SKEW.items():
            programs = pathlib.Path(tempfile.mkdtemp(prefix="skew-"))
            programs.chmod(0o755)
            cls.addClassCleanup(shutil.rmtree, programs)
            path = lib_skew.install(programs / "bin", PODSHARK, ns, bash=port == A)
            cls.sshd[port] = lib_sshd.start(cls, "127.0.0.1", f"SetEnv PATH={path}:/usr/local/bin:/usr/bin:/bin", port=port)
        cls.sshd[BARE] = lib_sshd.start(cls, "127.0.0.1", "SetEnv PATH=/usr/local/bin:/usr/bin:/bin CONTAINERS_CONF=/etc/rig.conf", port=BARE)

    def ping(self, count=5):
        self.up["web"].enter("ping", "-c", str(count), "-i", "0.2", self.up["db"].address)

    @staticmethod
    def error(done):
        """How far two machines' times may be apart, as they say themselves."""
        return sum(e.get("clock_error_ns", 0) for e in done.events_of("lifecycle") if e["what"] == "clock-compared")

    def sessions(self, port):
        """Processes of sshd that serve logins at that port."""
        found = []
        for pid in lib.processes("sshd", "sshd-session"):
            text = run(ROOT, ["ss", "-Htnp", f"sport = :{port}"]).stdout
            if f"pid={pid}," in text and b"@notty" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        return found

    def kept(self, capture):
        """Its file, where the plugin's tshark reads it."""
        path = PluginTest.tmp / "merged.pcapng"
        shutil.copy(capture.path, path)
        path.chmod(0o644)
        return path

    def pairs_up(self, path):
        """To the plugin each echo, which both have seen, is one packet and a copy of it."""
        text = PluginTest().tshark("-C", "Podman", "-r", path, "-Y", "icmp.type == 0 || icmp.type == 8", "-T", "fields", "-E", "separator=\x1f",
                                   *(w for f in ("icmp.type", "icmp.seq", "frame.number", "frame.interface_name", "podman.copy_of") for w in ("-e", f)))
        seen = {}
        for kind, sequence, *rest in (line.split("\x1f") for line in text.splitlines()):
            seen.setdefault((kind, sequence), []).append(rest)
        self.assertEqual(10, len(seen))
        for (number, link, original), (_, other, copy_of) in seen.values():
            self.assertEqual(("", number), (original, copy_of), seen)
            self.assertNotEqual(link.rpartition(":")[0], other.rpartition(":")[0], "one of each machine")

    def capture_both(self, traffic, *args):
        with Capture(ROOT, at(A, "web"), at(B, "db"), *args) as capture:
            wait_for(lambda: len(capture.links()) >= 4, lambda: f"both machines: {capture.stderr()}")
            traffic()
            wait_for(lambda: len(echoes(capture.so_far().packets_of(f"podman@{name(B)}:db/eth0"))) >= 10, "the pings")
            done = capture.stop()
            self.merged = self.kept(capture)
            return done, capture.stderr()

    def test_two_machines_are_put_into_one_order(self):
        done, errors = self.capture_both(self.ping)
        self.assertEqual({f"podman@{name(port)}:{who}/{link}" for port, who in ((A, "web"), (B, "db")) for link in ("eth0", "lo")},
                         {i.name for i in done.links})
        lib_podshark.in_order(self, [p.time_ns for p in done.packets], errors)
        there, here = (echoes(done.packets_of(f"podman@{name(p)}:{who}/eth0")) for p, who in ((A, "web"), (B, "db")))
        self.assertEqual(set(there), set(here))
        self.assertEqual(10, len(there))
        for echo, time_ns in there.items():
            self.assertLess(abs(time_ns - here[echo]), self.error(done) + 5 * MS, "370 ms apart where nothing is corrected")
        self.told_of_the_clocks(done, errors)
        self.told_of_the_machines(done)
        self.pairs_up(self.merged)
        self.assertIn(f"2 machines: {len(done.packets)} packets, ", errors)
        for port in (A, B):
            self.assertIn(f"{name(port)}: ", errors)
        self.assertEqual({i.name for i in done.links}, {s.interface.name for s in done.all(lib_pcapng.Statistics)})

    def told_of_the_clocks(self, done, errors):
        for port, skew in SKEW.items():
            clock, = (e for e in done.events_of("lifecycle") if e["what"] == "clock-compared" and e["host"] == name(port))
            self.assertLessEqual(abs(clock["clock_offset_ns"] - skew), clock["clock_error_ns"] + 1000)
            self.assertLess(clock["clock_error_ns"], 60 * MS)
            self.assertIn(f"the clock of {name(port)} is ", errors)
            for link in (i for i in done.links if i.keys["host"] == name(port)):
                self.assertEqual((name(port), clock["clock_offset_ns"]), (link.meta["host"], link.meta["clock_offset_ns"]))
                self.assertAlmostEqual(clock["clock_offset_ns"] / 1e9, float(link.keys["clock"]), 9)

    def told_of_the_machines(self, done):
        for event in done.events:
            stamp = datetime.fromisoformat(event["time"][:19]).replace(tzinfo=timezone.utc).timestamp()
            self.assertEqual(int(stamp) * 10**9 + int(event["time"][20:29]), event["_time_ns"], event)
        attached = {e["host"] for e in done.events_of("lifecycle") if e["what"] == "attached"}
        self.assertEqual({name(A), name(B)}, attached)
        last = done.events_of("inventory")[-1]
        self.assertLessEqual({"web", "db"}, {c["name"] for c in last["containers"]})
        self.assertLessEqual({c["host"] for c in last["containers"]}, {name(A), name(B)})
        self.assertEqual(len(last["containers"]), len({c["id"] for c in last["containers"]}), "one machine under two names")
        self.assertIn("web", done.names[self.up["web"].address])

    def test_a_machine_without_podshark_beside_one_with_it(self):
        """podshark-agent's packets are put into the same order; the clock of this one is right."""
        there = f"podman@{name(BARE)}:db/eth0"
        with Capture(ROOT, at(A, "web"), at(BARE, "db")) as capture:
            wait_for(lambda: len(capture.links()) >= 4, lambda: f"both machines: {capture.stderr()}")
            self.ping()
            wait_for(lambda: len(echoes(capture.so_far().packets_of(there))) >= 10, "the pings")
            done = capture.stop()
            self.pairs_up(self.kept(capture))
            errors = capture.stderr()
        self.assertIn("through podshark-agent, sent to", errors)
        web, db = echoes(done.packets_of(f"podman@{name(A)}:web/eth0")), echoes(done.packets_of(there))
        self.assertEqual(set(web), set(db))
        for echo, time_ns in web.items():
            self.assertLess(abs(time_ns - db[echo]), self.error(done) + 5 * MS)
        lib_podshark.in_order(self, [p.time_ns for p in done.packets], errors)
        self.assertEqual({name(A), name(BARE)}, {e["host"] for e in done.events_of("lifecycle") if e["what"] == "attached"})
        wait_for(lambda: not lib.processes("podshark-agent"), "the far side to end", 10)

    def test_what_a_machine_drops_is_there(self):
        with Capture(ROOT, at(A, "web"), at(B, "db"), "--drops=on") as capture:
            wait_for(lambda: len(capture.links()) >= 4, lambda: f"both machines: {capture.stderr()}")
            link = f"podman@{name(B)}:db/drops"

            def dropped():
                self.up["web"].enter("python3", "-c", "import socket, sys\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
                                     ".sendto(b'nobody-listens', (sys.argv[1], 98))", self.up["db"].address)
                return [p for p in capture.so_far().packets_of(link) if b"nobody-listens" in p.data]
            wait_for(dropped, lambda: f"a drop: {capture.stderr()}")
            done = capture.stop()
        for packet in (p for p in done.packets_of(link) if b"nobody-listens" in p.data):
            record = packet.custom[0]
            self.assertEqual(("drop", "NO_SOCKET", "db"), (record["kind"], record["reason"], record["container"]))

    def test_this_machine_beside_another(self):
        with Capture(ROOT, "web", at(B, "db")) as capture:
            wait_for(lambda: len(capture.links()) >= 4, "both machines")
            self.ping(2)
            wait_for(lambda: len(echoes(capture.so_far().packets_of(f"podman@{name(B)}:db/eth0"))) >= 4, "the pings")
            done = capture.stop()
        here, there = echoes(done.packets_of("podman:web/eth0")), echoes(done.packets_of(f"podman@{name(B)}:db/eth0"))
        self.assertEqual(set(here), set(there))
        self.assertTrue(all(abs(here[e] - there[e]) < self.error(done) + 5 * MS for e in here))
        self.assertEqual({None, name(B)}, {e.get("host") for e in done.events_of("lifecycle") if e["what"] == "attached"})

    def test_no_connection_of_it_is_captured(self):
        """Neither what carries the packets nor what asks for the time: over lo, each of A's packets would be there."""
        with Capture(ROOT, at(A, "hosted"), at(B, "db"), "--all-host") as capture:
            wait_for(lambda: len(capture.links()) >= 3, "both machines")
            self.ping(2)
            run(ROOT, ["ping", "-c", "3", "-i", "0.2", "127.0.0.1"])
            wait_for(lambda: any(len(echoes(capture.so_far().packets_of(link.name))) >= 6 for link in capture.so_far().links if ":hosted/" in link.name),
                     lambda: f"pings: {capture.stderr()}")
            time.sleep(11)  # the clock is asked again after ten seconds
            done = capture.stop()
        port = A.to_bytes(2, "big")
        hosted = [p for p in done.packets if ":hosted/" in p.interface.name]
        self.assertTrue(hosted)
        self.assertEqual([], [p.data.hex() for p in hosted if port in (p.data[34:36], p.data[36:38])][:3])

    def test_one_user_beside_another(self):
        """The rootless containers of a user count as another machine's."""
        with Capture(RIG, at(A, "web"), at(A, "own", RIG), "-i", "lo") as capture:
            wait_for(lambda: len(capture.links()) >= 2, "both")
            done = capture.stop()
        self.assertEqual({f"podman@{name(A)}:web/lo", f"podman@{name(A, RIG)}:own/lo"}, {i.name for i in done.links})

    def test_a_machine_that_is_lost_is_told_and_the_other_goes_on(self):
        with Capture(ROOT, at(A, "web"), at(B, "db")) as capture:
            wait_for(lambda: len(capture.links()) >= 4, "both machines")
            self.ping(1)
            capture.wait_packets(2, f"podman@{name(B)}:db/eth0")
            sessions = self.sessions(B)
            self.assertTrue(sessions)
            for pid in sessions:
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda: f"the connection to {name(B)} was lost" in capture.stderr(), "the loss to be told", 15)
            before = len(capture.so_far().packets_of(f"podman@{name(A)}:web/eth0"))
            lib.fetch(28780)
            capture.wait_packets(before + 4, f"podman@{name(A)}:web/eth0")
            done = capture.stop()
            self.assertEqual(1, capture.stderr().count("was lost"), capture.stderr())
        gap, = done.events_of("gap")
        self.assertEqual(("host-lost", name(B)), (gap["what"], gap["host"]))
        self.assertIn("was lost", gap["detail"])

    def test_when_all_are_lost_it_ends(self):
        with Capture(ROOT, at(A, "web"), at(B, "db")) as capture:
            wait_for(lambda: len(capture.links()) >= 4, "both machines")
            for pid in self.sessions(A) + self.sessions(B):
                os.kill(pid, signal.SIGKILL)
            self.assertEqual(UNREACHABLE, capture.process.wait(15), capture.stderr())
            self.assertEqual(2, len(lib_pcapng.read(capture.path).events_of("gap")))

    def test_a_container_that_is_not_there(self):
        with Capture(ROOT, at(A, "web"), at(B, "nobody")) as capture:
            self.ping(1)
            capture.wait_packets(1)
            capture.stop(code=NOT_FOUND)
            self.assertEqual(1, capture.stderr().count("no container or pod is called 'nobody'"), capture.stderr())

    def test_a_count_ends_it(self):
        with Capture(ROOT, at(A, "web"), at(B, "db"), "-c", "7") as capture:
            wait_for(lambda: len(capture.links()) >= 4 or capture.process.poll() is not None, "both machines")
            self.ping()
            self.assertEqual(0, capture.process.wait(20), capture.stderr())
            self.assertEqual(7, len(lib_pcapng.read(capture.path).packets))

    def test_a_duration_ends_it(self):
        with Capture(ROOT, at(A, "web"), at(B, "db"), "--duration", "8") as capture:
            self.assertEqual(0, capture.process.wait(40), capture.stderr())
            self.assertEqual(4, len(lib_pcapng.read(capture.path).links))

    def test_killed_it_leaves_nothing(self):
        with Capture(ROOT, at(A, "web"), at(B, "db")) as capture:
            wait_for(lambda: len(capture.links()) >= 4, "both machines")
            capture.process.kill()
            capture.process.wait()
            wait_for(lambda: not lib.processes(*self.OURS), "all to end", 10)
            wait_for(lambda: not self.sessions(A) + self.sessions(B), "the clocks' connections to end", 10)
            lib_pcapng.read(capture.path, partial=True)

    def test_the_reader_goes(self):
        process = self.child(ROOT, [PODSHARK, "capture", at(A, "web"), at(B, "db"), "-w", "-"], stdout=-1, stderr=-1)
        process.stdout.read(28)
        process.stdout.close()
        self.assertEqual(0, process.wait(10))
        wait_for(lambda: not self.sessions(A) + self.sessions(B), "both connections to end", 10)

    def test_files_that_change(self):
        """Of one other machine, and of two."""
        for targets in ((at(B, "db"),), (at(A, "web"), at(B, "db"))):
            stem = f"x{len(targets)}"
            process, said = self.begin(*targets, "-w", self.tmp / f"{stem}.pcapng", "-b", "packets:10", "-b", "files:3")

            def fourth(stem=stem):
                self.ping(2)
                return [f for f in self.files(f"{stem}_*.pcapng") if "_00004_" in f.name]
            wait_for(fourth, lambda: f"the fourth file: {said()}")
            self.assertEqual(0, lib.end(process, signal.SIGINT), said())
            files = self.files(f"{stem}_*.pcapng")
            self.assertEqual(3, len(files))
            link = "podman:db/eth0" if len(targets) == 1 else f"podman@{name(B)}:db/eth0"
            for path in files:
                done = lib_pcapng.read(path)
                self.assertIn(link, [i.name for i in done.links])
                self.assertTrue(done.events_of("inventory"), path)
                self.assertIn("db", done.names[self.up["db"].address])
            # What waited for its place in the order of time is in the next file.
            self.assertGreaterEqual(len(lib_pcapng.read(files[0]).packets), 5)

    def test_the_last_minutes(self):
        """A signal saves them, of one other machine and of two; and so does a container that stops."""
        for targets in ((at(B, "db"),), (at(A, "web"), at(B, "db"))):
            stem = f"last{len(targets)}"
            process, said = self.begin(*targets, "--last", "5m", "-w", self.tmp / f"{stem}.pcapng")

            def seen(stem=stem):
                self.ping(1)
                process.send_signal(signal.SIGUSR1)
                saved = self.files(f"{stem}_*_signal.pcapng")
                return saved and [f for f in saved if lib_pcapng.read(f).packets]
            path = wait_for(seen, lambda: f"packets in a saved file: {said()}", 30)[-1]
            self.assertIsNone(process.poll(), "it goes on")
            done = lib_pcapng.read(path)
            self.assertTrue(echoes(done.packets))
            self.assertIn("db", {c["name"] for e in done.events_of("inventory") for c in e["containers"]})
            self.assertEqual(0, lib.end(process, signal.SIGINT), said())
            self.assertIn(f"saved to {path}", said())

    def test_a_container_that_stops_saves_the_last_minutes(self):
        process, said = self.begin(at(B, "db"), "--last", "5m", "-w", self.tmp / "exit.pcapng")
        wait_rings(self.up["db"], 2)
        lib.podman(ROOT, "restart", "-t", "0", "db")
        wait_for(lambda: self.files("exit_*_exit.pcapng"), lambda: f"a saved file: {said()}")
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())


if WORLD == "deb12":
    del Several  # sshd is in the Debian 13 root only
