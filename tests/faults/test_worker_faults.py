# SPDX-License-Identifier: GPL-2.0-or-later
"""The helpers die or hang at every stage of their work."""

import os
import signal
import subprocess

import lib
import lib_pcapng
from lib import MEMBER, ROOT, Ctr, fetch, once, quick, run, wait_for
from lib_faults import FaultTest, WaitingWorker, attach
from lib_podshark import DROPS, PODSHARK, PREFIX, Capture, install_worker, remove_worker
from test_follow import gets

CONTAINERS = (Ctr("web", ports=("28380:80",)),)


class HelperTest(FaultTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_worker()
        cls.addClassCleanup(remove_worker)

    def capture(self):
        """By a member of the group, so through the installed worker."""
        return Capture(MEMBER, "web", program=PREFIX / "bin/podshark")

    def followed(self, capture, before=lambda: None):
        """The container is started anew, and what comes then is in the file."""
        before()
        lib.podman(ROOT, "restart", "-t", "0", "web")
        self.goes_on(capture, 28380)


@once
class Stages(HelperTest):
    # The system call that it does not survive, and what that means for who asked.
    WORKER = (("getsockopt", "as it looks at its channel"), ("prctl", "before it gives up new privileges"),
              ("capset", "as it drops what it does not need yet"), ("recvmsg", "as it waits for a request"),
              ("clone", "as it makes the child"), ("sendmsg", "as its child answers, and it tells that this has died"))
    CHILD = (("pidfd_open", "as it looks for the process"), ("newfstatat -P /usr/bin/conmon", "as it looks whose it is"),
             ("ioctl", "as it looks who owns the namespace"), ("setns", "as it joins"), ("socket", "as it makes the sockets"))

    def killed_at(self, where):
        syscall, *only = where.split()
        path = self.tmp / f"{syscall}.pcapng"
        waiting = WaitingWorker(self, syscall)
        child = self.child(MEMBER, [waiting.podshark, "capture", "web", "-q", "-w", path], stderr=subprocess.PIPE, text=True)
        attach(self, waiting.pid(), self.tmp / f"{syscall}.log", "-e", f"trace={syscall}", "-e",
               f"inject={syscall}:signal=SIGKILL:when=1", *only)
        waiting.go()
        return child, path

    def links(self, path):
        begun = path.exists() and path.stat().st_size > 28
        return lib_pcapng.read(path, partial=True).links if begun else []

    def test_the_worker_is_killed(self):
        for syscall, when in self.WORKER:
            with self.subTest(when):
                child, path = self.killed_at(syscall)
                child.wait(20)
                self.failed(subprocess.CompletedProcess((), child.returncode, "", child.stderr.read()), (1,), path,
                            "podshark-worker was ended: Killed", "try again")

    def test_its_child_is_killed(self):
        for syscall, when in self.CHILD:
            with self.subTest(when):
                child, path = self.killed_at(syscall)
                child.wait(20)
                self.failed(subprocess.CompletedProcess((), child.returncode, "", child.stderr.read()), (1,), path,
                            "could not serve container 'web'", "podshark doctor")

    def test_a_child_that_is_killed_behind_its_answer_has_answered(self):
        child, path = self.killed_at("exit_group")
        wait_for(lambda: len(self.links(path)) == 2 or child.poll() is not None, "two links")
        self.assertIsNone(child.poll(), "it captures")
        child.terminate()
        self.assertEqual(0, child.wait(10), child.stderr.read())
        self.valid(path)

    def test_the_child_of_podshark_itself_is_killed(self):
        path = self.tmp / "x.pcapng"
        done = run(ROOT, ["strace", "-DD", "-f", "-qq", "-o", self.tmp / "log", "-e", "trace=setns", "-e",
                          "inject=setns:signal=SIGKILL:when=1", PODSHARK, "capture", "web", "-q", "-w", path], check=False)
        self.failed(done, (1,), path, "could not serve container 'web'", "podshark doctor")


class Meanwhile(HelperTest):
    """A capture that goes on needs the worker again when a container is started anew."""

    def kill_worker(self, signum=signal.SIGKILL):
        pid, = lib.processes("podshark-worker")
        os.kill(pid, signum)

    @quick
    def test_a_worker_that_was_killed_is_replaced(self):
        with self.capture() as capture:
            self.followed(capture, self.kill_worker)

    def test_a_worker_that_hangs_is_replaced_and_holds_up_no_end(self):
        with self.capture() as capture:
            self.followed(capture, lambda: self.kill_worker(signal.SIGSTOP))
        with self.capture() as capture:
            self.kill_worker(signal.SIGSTOP)
            capture.stop()
            self.valid(capture.path)

    def test_a_podshark_drops_that_hangs_holds_up_no_end(self):
        with Capture(ROOT, "web", "--drops", "on") as capture:
            pid, = wait_for(lambda: lib.processes(DROPS.name), "the helper")
            os.kill(pid, signal.SIGSTOP)
            capture.stop()
            self.valid(capture.path)

    def test_without_podshark_drops_the_capture_goes_on(self):
        with Capture(ROOT, "web", "--drops", "on") as capture:
            pid, = wait_for(lambda: lib.processes(DROPS.name), "the helper")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: "podshark-drops has ended" in capture.stderr(), "a line about it")
            fetch(28380)
            wait_for(lambda: gets(capture), "the request")
            capture.stop()
            self.valid(capture.path)
