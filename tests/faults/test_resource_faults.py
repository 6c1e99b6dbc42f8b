# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs short, hangs or is wrong around podshark: descriptors, memory, disk, podman, the clock."""

import os
import pathlib
import resource
import signal
import subprocess

import lib
import lib_pcapng
from lib import BIN, ROOT, Ctr, fetch, once, quick, run, wait_for
from lib_faults import FaultTest
from lib_podshark import PODSHARK, Capture, mapped_rings, podshark, wait_rings
from test_follow import gets, happened

CONTAINERS = (Ctr("web", ports=("28580:80",)),)


@once
class Short(FaultTest):
    """Too little from the start: it captures, or says in one line what is missing."""

    def tried(self, limit, number):
        path = self.tmp / f"{limit}{number}.pcapng"
        done = run(ROOT, ["prlimit", f"--{limit}={number}", PODSHARK, "capture", "web", "-q", "--drops", "off", "--duration",
                          "1", "-w", path], check=False)
        if done.returncode == 0:
            self.assertEqual(2, len(self.valid(path).links), done.stderr)
        return done, path

    def test_descriptors(self):
        codes = []
        for number in (5, 8, 11, 14, 17, 20, 24, 28, 64):
            with self.subTest(number):
                done, path = self.tried("nofile", number)
                codes.append(done.returncode)
                if done.returncode:
                    self.failed(done, (1, 6, 9), path, "Too many open files", "ulimit -n")
        self.assertEqual(0, codes[-1])

    def test_memory(self):
        codes = []
        for mib in (16, 24, 32, 48, 64, 96, 128, 512):
            with self.subTest(mib):
                done, path = self.tried("as", mib << 20)
                codes.append(done.returncode)
                if done.returncode:
                    self.failed(done, (1, 6), path, "memory")
        self.assertEqual(0, codes[-1])

    def test_inotify_instances(self):
        """Each conmon has one, so a hundred containers use up what the kernel gives a user by default."""
        child = self.child(ROOT, ["strace", "-f", "-qq", "-o", self.tmp / "log", "-e", "trace=inotify_init1", "-e",
                                  "inject=inotify_init1:error=EMFILE", PODSHARK, "capture", "web", "--duration", "1", "-w", self.tmp / "x"],
                           stderr=subprocess.PIPE, text=True)
        _, errors = child.communicate(timeout=30)
        self.assertEqual(0, child.returncode, errors)
        self.assertIn("no inotify instance is left (Too many open files)", errors)
        self.assertIn("max_user_instances", errors)


class Meanwhile(FaultTest):
    """It runs short while it captures: it goes on, and recovers when there is enough again."""

    def test_descriptors(self):
        with Capture(ROOT, "web") as capture:
            pid = capture.process.pid
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 4096))  # what is open stays, nothing more can be opened
            lib.podman(ROOT, "restart", "-t", "0", "web")
            wait_for(lambda: "Too many open files" in capture.stderr() + str(capture.so_far().events),
                     lambda: f"a line about it: {capture.stderr()} {capture.so_far().events}", 30)
            self.assertFalse(happened(capture, "gap", "restarted"))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (4096, 4096))
            self.recovers(capture)

    def recovers(self, capture):
        self.goes_on(capture, 28580)

    @once
    def test_the_kernels_memory(self):
        """What setsockopt(2) says of PACKET_RX_RING when there is none, packet(7)."""
        with Capture(ROOT, "web") as capture:
            pid = capture.process.pid
            strace = self.child(ROOT, ["strace", "-f", "-qq", "-o", self.tmp / "log", "-e", "trace=setsockopt",
                                       "-e", "inject=setsockopt:error=ENOMEM", "-p", pid])
            wait_for(lambda: "TracerPid:\t0" not in pathlib.Path(f"/proc/{pid}/status").read_text(), "strace")
            lib.podman(ROOT, "restart", "-t", "0", "web")
            wait_for(lambda: "of a new container: " in capture.stderr(), lambda: f"a line about it: {capture.stderr()}", 30)
            self.assertIn("Cannot allocate memory", capture.stderr())
            self.assertFalse(happened(capture, "gap", "restarted"))
            lib.end(strace, signal.SIGINT)
            self.recovers(capture)

    def test_its_own_memory(self):
        """Rings do not fit and are tried again; where the heap has to grow meanwhile, that is the end, with what came until then."""
        with Capture(ROOT, "web") as capture:
            pid = capture.process.pid
            resource.prlimit(pid, resource.RLIMIT_AS, (mapped_rings(pid) // 2, resource.RLIM_INFINITY))
            lib.podman(ROOT, "restart", "-t", "0", "web")
            wait_for(lambda: "memory" in capture.stderr(), lambda: f"a line about it: {capture.stderr()}", 30)
            resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if "out of memory" not in capture.stderr():
                return self.recovers(capture)
            self.assertEqual(1, capture.process.wait(10))
            self.one_line(capture.stderr(), "out of memory", "--ring-size")
            self.valid(capture.path)


class Disk(FaultTest):
    def small(self, size="256k"):
        place = self.tmp / "small"
        place.mkdir()
        run(ROOT, ["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", place])
        self.addCleanup(run, ROOT, ["umount", "-l", place])
        return place

    def flood(self):
        run(ROOT, ["ping", "-q", "-c", "30", "-i", "0.01", "-s", "9000", self.up["web"].address])

    def test_files_that_change_are_valid_up_to_the_last_block(self):
        place = self.small()
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-q", "-b", "packets:20", "-w", place / "x.pcapng"],
                           stderr=subprocess.PIPE, text=True)
        wait_for(lambda: list(place.glob("x_*")), "the first file")

        def full():
            self.flood()
            return child.poll() is not None
        wait_for(full, "the disk to be full", 60)
        self.assertEqual(9, child.returncode)
        self.one_line(child.stderr.read(), "No space left", "free some space")
        for path in place.glob("x_*"):
            if path.stat().st_size:
                self.valid(path)

    def test_the_last_minutes_find_no_room_and_the_capture_goes_on(self):
        place = self.small("128k")
        log = (self.tmp / "stderr").open("w+")
        self.addCleanup(log.close)
        child = self.child(ROOT, [PODSHARK, "capture", "web", "--last", "5m", "-w", place / "x.pcapng"], stderr=log)

        def told():
            self.flood()
            child.send_signal(signal.SIGUSR1)
            return "No space left" in (self.tmp / "stderr").read_text()
        wait_for(told, "a line about it", 60)
        self.assertIsNone(child.poll())
        self.assertEqual(9, lib.end(child, signal.SIGINT), "what was left at the end found no room either")
        for path in place.glob("x_*"):
            if path.stat().st_size:
                self.valid(path)

    def test_a_full_runtime_directory_costs_the_cache_only(self):
        place = self.small("4k")
        (place / "full").write_bytes(bytes(4096))
        env = {"XDG_RUNTIME_DIR": str(place)}
        done = podshark(ROOT, "--extcap-interfaces", env=env)
        self.assertIn("{value=podman:web}", done.stdout)
        path = self.tmp / "x.pcapng"
        done = podshark(ROOT, "capture", "web", "-q", "--duration", "1", "-w", path, env=env)
        self.assertEqual("", done.stderr)
        self.assertEqual(2, len(self.valid(path).links))


@once
class IllPodman(FaultTest):
    """podman hangs or talks nonsense; test_errors.HostilePodman has the list, here is the capture."""

    BODIES = {"hangs": "exec sleep 600", "garbage": "echo '{[[nonsense'", "fails": "echo boom >&2; exit 125"}

    def fake(self, body):
        directory = self.tmp / "bin"
        directory.mkdir(exist_ok=True)
        program = directory / "podman"
        program.write_text("#!/bin/sh\n" + body + "\n")
        program.chmod(0o755)
        return {"PATH": f"{directory}:/usr/sbin:/usr/bin:/sbin:/bin"}

    def test_what_runs_is_captured_all_the_same(self):
        for name, body in self.BODIES.items():
            with self.subTest(podman=name), Capture(ROOT, "web", env=self.fake(body)) as capture:
                fetch(28580)
                wait_for(lambda: gets(capture), "the request")
                lib.podman(ROOT, "restart", "-t", "0", "web")
                wait_for(lambda: happened(capture, "gap", "restarted"), "a gap record", 30)
                capture.stop()
                self.valid(capture.path)

    def test_what_nobody_knows_is_told_in_one_line(self):
        for name, body in self.BODIES.items():
            with self.subTest(podman=name):
                path = self.tmp / "x"
                done = run(ROOT, [PODSHARK, "capture", "nope", "-q", "-w", path], env=self.fake(body), check=False)
                self.failed(done, (3, 6), path, "'nope'", "podman")


class Clock(FaultTest):
    """The clock is set while a capture runs, as podshark sees it; packets have the kernel's stamps (lib_skew says why)."""

    def test_a_step_holds_up_no_packet_and_no_file(self):
        step = self.tmp / "step"
        step.write_text("0")
        env = {"LD_PRELOAD": str(BIN / "tests/tools/libclock_step.so"), "CLOCK_STEP": str(step)}
        log = (self.tmp / "stderr").open("w+")
        self.addCleanup(log.close)
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-q", "-b", "duration:1", "-w", self.tmp / "x.pcapng"], env=env,
                           stderr=log)

        def files():
            return sorted(self.tmp.glob("x_*"))

        def requests():
            begun = (lib_pcapng.read(f, partial=True) for f in files() if f.stat().st_size)
            return sum(b"GET / HTTP" in p.data for capture in begun for p in capture.packets)
        wait_rings(self.up["web"], 2)
        for number, seconds in enumerate((3600, -3600, 0), 1):
            step.write_text(str(seconds))
            before = len(files())
            fetch(28580)
            wait_for(lambda: requests() >= number, f"the request after the clock was set to {seconds} s", 10)
            wait_for(lambda: len(files()) > before, "the next file", 10)
        self.assertLess(len(files()), 15, "one a second, not one for each second that was skipped")
        self.assertEqual(0, lib.end(child, signal.SIGINT))
        for path in files():
            self.valid(path)

    @quick
    def test_the_last_minutes_are_kept_when_the_clock_is_set_ahead(self):
        step = self.tmp / "step"
        step.write_text("0")
        env = {"LD_PRELOAD": str(BIN / "tests/tools/libclock_step.so"), "CLOCK_STEP": str(step)}
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-q", "--last", "1m", "-w", self.tmp / "x.pcapng"], env=env)
        wait_rings(self.up["web"], 2)
        fetch(28580)

        def saved():
            child.send_signal(signal.SIGUSR1)
            files = sorted(self.tmp.glob("x_*_signal.pcapng"), key=lambda f: f.stat().st_mtime)
            return files and [p for p in lib_pcapng.read(files[-1]).packets if b"GET / HTTP" in p.data]
        wait_for(saved, "the request in what is saved")
        step.write_text("3600")
        for _ in range(3):
            fetch(28580)
        for path in self.tmp.glob("x_*"):
            path.unlink()
        wait_for(lambda: len(saved() or ()) >= 4, "what was before the step, too")
        self.assertEqual(0, lib.end(child, signal.SIGINT))
