# SPDX-License-Identifier: GPL-2.0-or-later
"""The toolbar's pipes with a stand-in for Wireshark: whatever the program does and whenever the pipes are opened, the
window would not freeze, no thread of it would spin, and nothing is left behind."""

import os
import pathlib
import signal
import subprocess
import time

import lib
from lib import RIG, Ctr, RigTest, fetch, quick, run, wait_for
from lib_control import LOSS, MARK, PAUSE, SET, FakeWireshark, message
from lib_podshark import PODSHARK

CONTAINERS = (
    Ctr("own", user=RIG, ports=("28081:80",)),
    Ctr("bridged", user=RIG, network="podman"),
    Ctr("host", user=RIG, network="host", cmd=("sleep", "1000000")),
    Ctr("web"),
)

# What fails before, while and after podman is asked: interface, further arguments, words of the message
FAILURES = (
    ("podman:own", ("--snaplen", "0"), "--snaplen"),
    ("podman:own", ("--link", "eth7"), "no link 'eth7'"),
    ("podman:own", ("--extcap-capture-filter", "tcp prot"), "syntax error"),
    ("podman:nope", (), "'podman:nope'"),
    ("podman:host", (), "uses the host's network"),
    ("podman:choose", (), "no container chosen"),
)


class Connected(RigTest):
    """A Wireshark that opens its pipes at once."""

    def running(self, *args, interface="podman:own", **kwargs):
        shark = FakeWireshark(self, interface, *args, **kwargs).dumpcap().connect()
        wait_for(lambda: any("capturing in container" in line for line in shark.log()), "the first line of the log")
        return shark

    @quick
    def test_a_mark_is_a_record_at_its_moment(self):
        shark = self.running()
        before = time.time_ns()
        shark.mark("now we restart the \n \x1b[31mdatabase\u202e")
        shark.packets(until=b"database")
        shark.finish()
        (mark,) = shark.events("mark")
        self.assertEqual("now we restart the [31mdatabase", " ".join(mark["detail"].split()))
        self.assertEqual("mark", mark["what"])
        self.assertLessEqual(before, mark["_time_ns"])
        self.assertLess(mark["_time_ns"], before + 2 * 10**9)
        self.assertIn((MARK, SET, b""), shark.read(), "the field is cleared")
        self.assertTrue([line for line in shark.log() if "mark: now we restart" in line])

    def test_text_of_the_last_capture_is_no_mark(self):
        shark = FakeWireshark(self, "podman:own").dumpcap().connect(before=message(MARK, SET, b"old text"))
        shark.mark("new text")
        shark.packets(until=b"new text")
        shark.finish()
        self.assertEqual(["new text"], [m["detail"] for m in shark.events("mark")])

    def test_a_new_link_waits_while_following_is_paused(self):
        pid = str(self.up["web"].pid)
        self.addCleanup(run, lib.ROOT, ["nsenter", "-t", pid, "-n", "ip", "link", "del", "late0"], check=False)
        shark = self.running(interface="podman:web", user=lib.ROOT)
        shark.send(message(PAUSE, SET, b"\1"))
        wait_for(lambda: any("left out" in line for line in shark.log()), "the pause in the log")
        self.up["web"].enter("ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1")
        self.up["web"].enter("ip", "link", "set", "late0", "up")
        shark.mark("later")
        self.assertNotIn(b"podman:web/late0", shark.packets(until=b"later"))
        shark.send(message(PAUSE, SET, b"\0"))
        shark.packets(until=b"podman:web/late0")
        shark.finish()
        self.assertEqual(["following-paused", "following-resumed"],
                         [e["what"] for e in shark.events("lifecycle") if e["what"].startswith("following")])

    def test_the_log_tells_what_happened_and_the_button_how_much_was_lost(self):
        shark = self.running()
        shark.send(message(LOSS, SET))
        wait_for(lambda: any("own/lo: " in line for line in shark.log()), "the numbers of each link")
        self.assertRegex(shark.log()[0], r"^\d\d:\d\d:\d\d lifecycle: capturing in container own\n$")
        self.assertEqual([], shark.loss(), "nothing is lost, and the button says so from the beginning")
        shark.finish()
        wait_for(lambda: any("capture ended: " in line for line in shark.log()), "the last line of the log")

    @quick
    def test_the_end_comes_within_a_second_and_control_out_stays_open_until_wireshark_lets_go(self):
        shark = self.running()
        began = time.monotonic()
        shark.finish()
        self.assertLess(time.monotonic() - began, 1)
        self.assertFalse(shark.out_ended())
        shark.mark("touched too late")  # SIGPIPE kills a real one without D-Bus
        shark.let_go()
        wait_for(lambda: not lib.processes("podshark-keeper"), "the keeper to end", 2)

    def test_a_container_that_stops_is_told_and_leaves_the_pipes_open(self):
        lib.start(Ctr("brief", user=RIG))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "brief", check=False)
        shark = self.running("--follow", "false", interface="podman:brief")
        lib.podman(RIG, "rm", "-f", "-t", "0", "brief")
        shark.packets()
        code, stderr = shark.ended()
        self.assertIn("'brief' has stopped", stderr)
        self.assertTrue([line for line in shark.log() if "has stopped" in line])
        self.assertFalse(shark.out_ended())
        shark.mark("x")

    def test_two_interfaces_have_each_their_own(self):
        first = FakeWireshark(self, "podman:own", name="a")
        second = FakeWireshark(self, "podman:bridged", name="b")
        for shark in (first, second):
            shark.dumpcap()
        for shark in (first, second):
            shark.connect()
        first.mark("for the first")
        second.mark("for the second")
        self.assertIn(b"for the first", first.packets(until=b"for the"))
        first.finish()
        second.mark("the other goes on")
        self.assertIn(b"for the second", second.packets(until=b"goes on"))
        self.assertFalse(first.out_ended(), "its reader would spin until the second ends too")

    def test_a_flood_of_messages_never_blocks_and_a_log_nobody_reads_harms_nobody(self):
        shark = FakeWireshark(self, "podman:own").dumpcap().connect()
        flood = b"".join(message(MARK, SET, b"flood %d" % i) for i in range(20000))
        began = time.monotonic()
        shark.send(flood)
        self.assertLess(time.monotonic() - began, 3)
        shark.packets(until=b"flood 0")
        shark.finish()

    def test_garbage_on_the_pipe_is_ignored(self):
        shark = FakeWireshark(self, "podman:own").dumpcap()
        shark.connect(initialized=False)
        shark.send(b"\xff" * 100000)
        shark.packets(until=b"podman:own/lo")
        shark.finish()


class Unpunctual(RigTest):
    """A Wireshark that opens its pipes late or never."""

    def test_a_failure_is_told_at_once_and_a_late_wireshark_does_not_freeze(self):
        for interface, args, words in FAILURES:
            with self.subTest(interface=interface, args=args):
                shark = FakeWireshark(self, interface, *args, name=str(len(args)) + interface.replace(":", "-")
                                      + (args[0] if args else "")).dumpcap()
                code, stderr = shark.ended(20)
                self.assertNotEqual(0, code)
                self.assertIn(words, stderr)
                self.assertLess(len(stderr), 1024)
                self.assertEqual(1, len(stderr.strip().splitlines()))
                shark.connect()
                self.assertFalse(shark.out_ended())
                shark.let_go()

    @quick
    def test_it_captures_before_wireshark_has_opened_and_takes_marks_after(self):
        shark = FakeWireshark(self, "podman:own").dumpcap()
        shark.packets(until=b"podman:own/lo")
        fetch(28081)
        shark.packets(until=b"GET / HTTP")
        shark.connect().mark("at last")
        shark.packets(until=b"at last")
        self.assertIn("capturing in container own", shark.log()[0], "nothing of the log is lost")
        shark.finish()

    @quick
    def test_sigterm_before_wireshark_has_opened(self):
        for name, wait in (("at-once", b""), ("while-capturing", b"podman:own/lo")):
            with self.subTest(name):
                shark = FakeWireshark(self, "podman:own", name=name).dumpcap()
                wait_for(lambda: lib.processes("podshark-keeper"), "the keeper")
                if wait:
                    shark.packets(until=wait)
                began = time.monotonic()
                shark.stop()
                self.assertEqual((0, ""), shark.ended())
                if wait:
                    self.assertLess(time.monotonic() - began, 1)
                shark.connect()
                shark.let_go()

    def test_sigterm_between_opening_and_initialized(self):
        shark = FakeWireshark(self, "podman:own").dumpcap().connect(initialized=False)
        shark.stop()
        self.assertEqual((0, ""), shark.ended())
        shark.send(message(0, 0))
        self.assertFalse(shark.out_ended())

    def test_sigkill_before_wireshark_has_opened(self):
        shark = FakeWireshark(self, "podman:own")
        wait_for(lambda: lib.processes("podshark-keeper"), "the keeper")
        shark.dumpcap()
        shark.stop(signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, shark.ended()[0])
        shark.connect()
        self.assertFalse(shark.out_ended())

    def test_sigkill_while_capturing(self):
        shark = FakeWireshark(self, "podman:own").dumpcap().connect()
        shark.packets(until=b"podman:own/lo")
        shark.stop(signal.SIGKILL)
        shark.packets()
        self.assertFalse(shark.out_ended())
        shark.mark("nobody is there")

    def test_nobody_opens_the_fifo_and_sigterm_still_ends_it(self):
        for connected in (False, True):
            with self.subTest(connected=connected):
                shark = FakeWireshark(self, "podman:own", name=f"f{connected}")
                if connected:
                    shark.connect()
                wait_for(lambda: lib.processes("podshark-keeper"), "the keeper")
                began = time.monotonic()
                shark.stop()
                self.assertEqual((0, ""), shark.ended())
                self.assertLess(time.monotonic() - began, 1)
                shark.let_go()


class Killed(RigTest):
    """Wireshark itself dies: nothing stays."""

    PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen(sys.argv[4:])
fifo = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
if sys.argv[3] == "connect":
    pipe = os.open(sys.argv[2], os.O_WRONLY)
    os.write(pipe, bytes.fromhex("540000020000"))
print("ready", flush=True)
time.sleep(600)
"""

    def test_before_and_after_it_has_opened_its_pipe(self):
        for what in ("connect", "late"):
            with self.subTest(what):
                paths = {kind: self.tmp / f"{what}-{kind}" for kind in ("fifo", "in", "out")}
                for path in paths.values():
                    os.mkfifo(path, 0o666)
                    path.chmod(0o666)
                argv = [PODSHARK, "--capture", "--extcap-interface", "podman:own", "--fifo", paths["fifo"],
                        "--extcap-control-out", paths["out"], "--extcap-control-in", paths["in"]]
                parent = self.child(RIG, ["/usr/bin/python3", "-c", self.PARENT, paths["fifo"], paths["in"], what, *argv],
                                    stdout=subprocess.PIPE)
                self.assertEqual(b"ready\n", parent.stdout.readline())
                wait_for(lambda: lib.processes("podshark-keeper"), "the keeper")
                parent.kill()
                wait_for(lambda: not lib.processes(*self.OURS), "all to end", 5)

    def test_the_keeper_shows_nothing_of_wireshark_or_the_terminal(self):
        shark = FakeWireshark(self, "podman:own").dumpcap().connect()
        shark.packets(until=b"podman:own/lo")
        (keeper,) = lib.processes("podshark-keeper")
        fds = pathlib.Path(f"/proc/{keeper}/fd")
        self.assertEqual({"/dev/null"}, {os.readlink(fds / str(n)) for n in range(3)})
        self.assertEqual("/", os.readlink(f"/proc/{keeper}/cwd"))
        self.assertLessEqual(len(list(fds.iterdir())), 9)
        shark.finish()


class Sentences(RigTest):
    @quick
    def test_only_wireshark_4_4_and_later_is_offered_a_toolbar(self):
        for version, choice, wanted in (("4.0", "", 0), ("4.2", "", 0), ("4.4", "", 8), ("4.6", "", 8), ("4.0", "on", 8),
                                        ("4.6", "off", 0)):
            with self.subTest(version=version, choice=choice):
                done = run(RIG, [PODSHARK, "--extcap-interfaces", f"--extcap-version={version}"],
                           env={"PODSHARK_TOOLBAR": choice})
                self.assertEqual(wanted, done.stdout.count("\ncontrol "))
                self.assertIn("{help=", done.stdout)
                page = done.stdout.split("{help=")[1].split("}")[0]
                self.assertIn("Podshark in Wireshark", pathlib.Path(page).read_text())
