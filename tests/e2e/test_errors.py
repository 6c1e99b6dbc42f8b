# SPDX-License-Identifier: GPL-2.0-or-later
"""Every failure a user meets: one line that says what, why and what to do; an exit code of its own; valid files."""

import os
import pathlib
import signal
import subprocess
import time

import lib
import lib_pcapng
from lib import MEMBER, OTHER, RIG, ROOT, Ctr, RigTest, fetch, quick, run, wait_for
from lib_podshark import (INSTALLED_WORKER, PODSHARK, PREFIX, Capture, extcap_home, install_worker, interfaces, podshark,
                          remove_worker, tshark)

CONTAINERS = (
    Ctr("web", ports=("28080:80",)),
    Ctr("own", user=RIG, ports=("28081:80",)),
    Ctr("host", user=RIG, network="host", cmd=("sleep", "1000000")),
    Ctr("stopped", user=RIG, cmd=("true",)),
)

# exit code, arguments, what the line must hold
CASES = (
    (2, ("capture",), ("capture what?", "podshark list")),
    (3, ("capture", "nope", "-w", "x"), ("'nope'", "podman:own")),
    (4, ("capture", "stopped", "--start", "false", "-w", "x"), ("'stopped' is not running", "podman start stopped")),
    (2, ("capture", "own", "--point", "above", "-w", "x"), ("--point 'above'", "inside, host or both")),
    (2, ("capture", "own", "--wait", "--follow", "false", "-w", "x"), ("--wait", "--follow")),
    (2, ("capture", "own", "--ring-size", "0", "-w", "x"), ("--ring-size '0'", "1 to 1024")),
    (2, ("capture", "own", "--queue-size", "x", "-w", "x"), ("--queue-size 'x'", "1 to 65536")),
    (2, ("capture", "own", "--nat", "maybe", "-w", "x"), ("--nat 'maybe'", "neither on nor off")),
    (3, ("capture", "nope*", "-w", "x"), ("no running container matches 'nope*'", "--wait")),
    (7, ("capture", "own", "--point", "host", "-w", "x"), ("passes its traffic through sockets", "inside")),
    (7, ("capture", "host", "-w", "x"), ("uses the host's network", "--all-host")),
    (8, ("capture", "own", "-f", "tcp prot 80", "-w", "x"), ("tcp prot 80", "syntax error", "pcap-filter(7)")),
    (2, ("capture", "own", "-i", "eth7", "-w", "x"), ("no link 'eth7'", "lo")),
    (2, ("capture", "own", "-s", "0", "-w", "x"), ("--snaplen", "1 to 262144")),
    (2, ("capture", "own", "-c", "none", "-w", "x"), ("--count",)),
    (2, ("capture", "own", "--bogus", "-w", "x"), ("bogus", "--help")),
    (9, ("capture", "own", "-w", "/no/such/directory/x"), ("/no/such/directory/x", "No such file")),
    (2, ("frobnicate",), ("frobnicate", "--help")),
)


@quick
class CommandLine(RigTest):
    def test_each_failure_is_one_line_with_its_own_code(self):
        for code, args, words in CASES:
            with self.subTest(args=args):
                done = podshark(RIG, *args, check=False, cwd=self.tmp, timeout=20)
                self.assertEqual(code, done.returncode, done.stderr)
                self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)
                self.assertEqual("", done.stdout)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_a_wrong_filter_or_name_leaves_no_file(self):
        target = self.tmp / "x"
        for args in (("own", "-f", "tcp prot"), ("nope",)):
            podshark(RIG, "capture", *args, "-w", target, check=False)
            self.assertFalse(target.exists())

    def test_binary_data_is_not_for_a_terminal(self):
        done = run(RIG, ["script", "-qec", f"{PODSHARK} capture own", "/dev/null"], check=False)
        self.assertIn("not for a terminal", done.stdout)


class Files(RigTest):
    def test_a_full_disk_is_told_and_the_file_stays_valid(self):
        small = self.tmp / "small"
        small.mkdir()
        run(ROOT, ["mount", "-t", "tmpfs", "-o", "size=256k,mode=1777", "tmpfs", small])
        self.addCleanup(run, ROOT, ["umount", "-l", small])
        child = self.child(RIG, [PODSHARK, "capture", "own", "-w", small / "x.pcapng"], stderr=subprocess.PIPE, text=True)

        def full():
            fetch(28081)
            self.up["own"].enter("ping", "-c", "20", "-i", "0.01", "-s", "9000", "127.0.0.1", check=False)
            return child.poll() is not None
        wait_for(full, "the disk to be full", 60)
        self.assertEqual(9, child.returncode)
        self.assertIn("No space left", child.stderr.read())
        self.assertGreater(len(lib_pcapng.read(small / "x.pcapng").packets), 10)

    def test_a_file_that_may_not_grow_is_told_and_stays_valid(self):
        file = self.tmp / "limited.pcapng"
        child = self.child(RIG, ["prlimit", "--fsize=100000", PODSHARK, "capture", "own", "-w", file], stderr=subprocess.PIPE, text=True)

        def full():
            self.up["own"].enter("ping", "-c", "20", "-i", "0.01", "-s", "9000", "127.0.0.1", check=False)
            return child.poll() is not None
        wait_for(full, "the limit", 60)
        self.assertEqual(9, child.returncode)
        self.assertIn("File too large", child.stderr.read())
        self.assertGreater(len(lib_pcapng.read(file).packets), 3)

    def test_a_closed_pipe_is_a_normal_end(self):
        reader, writer = os.pipe()
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-w", "-"], stdout=writer, stderr=subprocess.PIPE, text=True)
        os.close(writer)
        os.read(reader, 64)
        os.close(reader)  # no traffic: the end is noticed all the same
        self.assertEqual(0, child.wait(10), child.stderr.read())


class ThroughTshark(RigTest):
    """What tshark's user sees: the line on stderr, at once, never a hang."""

    def setUp(self):
        super().setUp()
        extcap_home(RIG)
        extcap_home(OTHER)

    def fails(self, *args, user=RIG, words=()):
        began = time.monotonic()
        done = run(user, ["tshark", "-i", *args, "-a", "duration:15"], check=False, timeout=40)
        self.assertLess(time.monotonic() - began, 12, "told at once, not after the duration")
        for word in words:
            self.assertIn(word, done.stderr)

    @quick
    def test_wrong_filter(self):
        self.fails("podman:own", "-f", "tcp prot 80", words=("syntax error",))

    def test_not_permitted(self):
        self.fails("podman-root:web", user=OTHER, words=("usermod -aG wireshark",))

    def test_host_network(self):
        self.fails("podman:host", words=("uses the host's network",))

    def test_nothing_chosen(self):
        self.fails("podman:choose", words=("no container chosen",))

    def test_chosen_name_does_not_exist(self):
        self.fails("podman:choose", "-o", "extcap.podman_choose.name:nope", words=("'nope'",))

    def test_chosen_container_is_stopped(self):
        self.fails("podman:choose", "-o", "extcap.podman_choose.name:stopped", "-o", "extcap.podman_choose.start:false",
                   words=("podman start stopped",))

    def test_wrong_option(self):
        self.fails("podman:own", "-o", "extcap.podman_own.link:eth7", words=("no link 'eth7'",))

    def test_wrong_size(self):
        self.fails("podman:own", "-o", "extcap.podman_own.snaplen:0", words=("--snaplen '0'", "1 to 262144"))

    def test_no_podman(self):
        empty = self.tmp / "empty"
        empty.mkdir()
        for program in ("setpriv", "tshark"):
            (empty / program).symlink_to(f"/usr/bin/{program}")
        done = run(OTHER, ["tshark", "-i", "podman:choose", "-o", "extcap.podman_choose.name:shop", "-a", "duration:15"],
                   env={"PATH": str(empty)}, check=False, timeout=12)
        self.assertIn("'shop'", done.stderr)
        self.assertIn("podman is not installed", done.stderr)

    def test_a_worker_without_capabilities_and_none_at_all(self):
        extcap_home(MEMBER)  # there the build tree's worker is beside podshark, as the compiler made it
        self.fails("podman-root:web", user=MEMBER, words=("setup.sh", "podshark doctor"))
        install_worker()
        self.addCleanup(remove_worker)
        INSTALLED_WORKER.unlink()
        extcap_home(MEMBER, PREFIX / "bin/podshark")
        self.fails("podman-root:web", user=MEMBER, words=("podshark-worker is not installed", "setup.sh"))

    def capturing(self, path):
        """A tshark that captures podman:own, once there is something in its file."""
        child = self.child(RIG, ["tshark", "-q", "-i", "podman:own", "-w", path], stderr=subprocess.DEVNULL)
        wait_for(lambda: path.exists() and path.stat().st_size, "the capture to start")
        return child

    def test_the_reader_of_the_fifo_is_killed(self):
        self.capturing(self.tmp / "x.pcapng")
        fetch(28081)
        for pid in lib.processes("dumpcap"):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not lib.processes("podshark"), "podshark to end", 5)

    def test_a_full_disk_under_wiresharks_own_file(self):
        # dumpcap 4.0 stays there silently, on any interface; podshark must neither end it nor outlive it.
        small = self.tmp / "small"
        small.mkdir()
        run(ROOT, ["mount", "-t", "tmpfs", "-o", "size=256k,mode=1777", "tmpfs", small])
        self.addCleanup(run, ROOT, ["umount", "-l", small])
        child = self.capturing(small / "x.pcapng")

        def full():
            self.up["own"].enter("ping", "-c", "20", "-i", "0.01", "-s", "9000", "127.0.0.1")
            return child.poll() is not None or os.statvfs(small).f_bavail == 0
        wait_for(full, "the disk to be full", 60)
        lib.end(child, signal.SIGINT)
        wait_for(lambda: not lib.processes("podshark"), "podshark to end", 5)

    def test_gone_between_listing_and_capture(self):
        lib.start(Ctr("brief", user=RIG))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "brief", check=False)
        self.assertIn("podman:brief", tshark(RIG, "-D"))
        lib.podman(RIG, "rm", "-f", "-t", "0", "brief")
        # Still in the list (2 s cache): the capture itself says what has become of it.
        fifo = self.tmp / "fifo"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
        child = self.child(RIG, [PODSHARK, "--capture", "--extcap-interface", "podman:brief", "--fifo", fifo],
                           stderr=subprocess.PIPE, text=True)
        with fifo.open("rb") as stream:
            begun = lib_pcapng.read(stream.read())
        self.assertEqual(3, child.wait(15))
        self.assertIn("podman:brief", child.stderr.read())
        self.assertEqual("Podman events", begun.interfaces[0].name)
        self.fails("podman:brief", words=("podman:brief",))


class Extcap(RigTest):
    """The verbs themselves, as Wireshark 4.0 to 4.6 call them."""

    def call(self, *args, user=RIG, **kwargs):
        return run(user, [PODSHARK, *args], check=False, **kwargs)

    def test_unknown_verbs_fail_silently(self):
        for args in (("--extcap-unheard-of",), ("--extcap-interface", "podman:own", "--extcap-unheard-of", "x")):
            done = self.call(*args)
            self.assertNotEqual(0, done.returncode)
            self.assertEqual("", done.stdout + done.stderr)

    def test_cleanup_after_a_kill(self):
        self.assertEqual(0, self.call("--extcap-cleanup-postkill", cwd="/usr").returncode)

    def test_the_number_of_listed_containers_can_be_limited(self):
        done = self.call("--extcap-interfaces", env={"PODSHARK_MAX_INTERFACES": "1"})
        values = [s["value"] for s in interfaces(done.stdout) if s[""] == "interface"]
        self.assertEqual(3, len(values), values)
        self.assertEqual(["podman:all", "podman:choose"], values[1:])

    def test_reload_fills_the_selector(self):
        done = self.call("--extcap-config", "--extcap-interface", "podman:choose", "--extcap-reload-option", "container")
        self.assertIn("{value=podman:own}", done.stdout)

    def test_sigterm_while_the_reader_waits_writes_the_tail(self):
        fifo = self.tmp / "fifo"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
        child = self.child(RIG, [PODSHARK, "--capture", "--extcap-interface", "podman:own", "--fifo", fifo],
                           stderr=subprocess.PIPE, text=True)
        data = b""
        with fifo.open("rb", buffering=0) as stream:
            while b"tap0" not in data and b"/lo" not in data:
                data += stream.read(65536)
            fetch(28081)
            child.send_signal(signal.SIGTERM)
            began = time.monotonic()
            while piece := stream.read(65536):
                data += piece
        self.assertEqual(0, child.wait(5))
        self.assertLess(time.monotonic() - began, 1.0, "Wireshark expects the end within a second")
        self.assertEqual("", child.stderr.read(), "a clean stop is silent")
        done = lib_pcapng.read(data)
        self.assertGreater(len(done.packets), 3)
        self.assertEqual(len(done.links), len(done.all(lib_pcapng.Statistics)))

    def test_it_ends_with_a_killed_parent_even_when_idle(self):
        fifo = self.tmp / "fifo"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
        code = "import subprocess,sys,time; subprocess.Popen(sys.argv[1:]); time.sleep(600)"
        parent = self.child(RIG, ["/usr/bin/python3", "-c", code, PODSHARK, "--capture", "--extcap-interface", "podman:own",
                                  "--fifo", fifo])
        with fifo.open("rb", buffering=0) as stream:
            stream.read(64)
            wait_for(lambda: lib.processes("podshark"), "the capture")
            parent.kill()
            wait_for(lambda: not lib.processes("podshark"), "its end", 5)


class HostilePodman(RigTest):
    """podman hangs, prints rubbish, is missing: still a list in time, with a reason."""

    def fake(self, body):
        directory = self.tmp / "bin"
        directory.mkdir(exist_ok=True)
        program = directory / "podman"
        program.write_text("#!/bin/sh\n" + body)
        program.chmod(0o755)
        return {"PATH": f"{directory}:/usr/bin:/bin", "XDG_RUNTIME_DIR": lib.environment(RIG)["XDG_RUNTIME_DIR"]}

    def cold(self):
        run(RIG, ["rm", "-rf", pathlib.Path(lib.environment(RIG)["XDG_RUNTIME_DIR"]) / "podshark"])

    BODIES = {"hangs": "exec sleep 600", "garbage": "echo '{[[nonsense'", "fails": "echo 'boom' >&2; exit 125",
              "floods": "exec head -c 30000000 /dev/zero | tr '\\0' '['", "stops": "kill -STOP $$; sleep 600",
              "is killed": "kill -KILL $$", "is slow": "sleep 3; exec /usr/bin/podman \"$@\""}

    @quick
    def test_the_cold_list_comes_within_400_ms_and_shows_what_conmon_knows(self):
        for name, body in self.BODIES.items():
            with self.subTest(podman=name):
                self.cold()
                env = self.fake(body)
                began = time.monotonic()
                done = run(RIG, [PODSHARK, "--extcap-interfaces", "--extcap-version=4.0"], env=env)
                took = time.monotonic() - began
                self.assertLess(took, 0.6, "400 ms of our own and the start of setpriv on a busy machine")
                self.assertIn("{value=podman:own}", done.stdout)
                self.assertIn("{value=podman:choose}", done.stdout)
                run(ROOT, ["pkill", "-9", "-u", RIG, "-x", "podshark"], check=False)

    @lib.once
    def test_list_says_why_and_what_is_known(self):
        for name, body in self.BODIES.items():
            with self.subTest(podman=name):
                began = time.monotonic()
                done = run(RIG, [PODSHARK, "list"], env=self.fake(body), check=False, timeout=30)
                self.assertLess(time.monotonic() - began, 12)
                self.assertIn("own", done.stdout)
                told = [line for line in done.stderr.splitlines() if "rootful container" not in line]
                self.assertEqual(1, len(told), done.stderr)
                self.assertIn("podman", told[0])

    def test_no_podman_at_all(self):
        empty = self.tmp / "empty"
        empty.mkdir()
        (empty / "setpriv").symlink_to("/usr/bin/setpriv")
        done = run(OTHER, [PODSHARK, "list"], env={"PATH": str(empty)}, check=False)
        self.assertIn("podman", done.stderr)
        done = run(OTHER, [PODSHARK, "capture", "x", "-w", self.tmp / "x"], env={"PATH": str(empty)}, check=False)
        self.assertIn(done.returncode, (3, 6), done.stderr)
        self.assertIn("podman", done.stderr)

    def test_a_user_without_storage_gets_none(self):
        podshark(OTHER, "list")
        podshark(OTHER, "--extcap-interfaces")
        self.assertFalse(pathlib.Path("/home/other/.local/share/containers").exists())


class HostileNames(RigTest):
    def test_labels_and_long_names_cannot_break_the_list(self):
        long_name = "x" * 200
        lib.podman(RIG, "run", "-d", "--name", long_name, "--label", "evil=}{value=}\n\x1b[31m" + "L" * 4096,
                   lib.IMAGE, "sleep", "1000000")
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", long_name)
        run(RIG, ["rm", "-rf", pathlib.Path(lib.environment(RIG)["XDG_RUNTIME_DIR"]) / "podshark"])
        extcap_home(RIG)
        listed = tshark(RIG, "-D")
        value = next(line.split()[1] for line in listed.splitlines() if "xxxx" in line)
        self.assertLess(len(value), 64)
        self.assertIn("~", value)
        with Capture(RIG, value) as capture:
            done = capture.stop()
        self.assertTrue(all(i.name.startswith(value + "/") for i in done.links))
