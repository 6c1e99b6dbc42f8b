# SPDX-License-Identifier: GPL-2.0-or-later
"""What is captured dies, vanishes or changes: at every stage of a capture's start, and again and again."""

import os
import pathlib
import subprocess
import threading

import lib
from lib import RIG, ROOT, Ctr, fetch, long, once, quick, run, wait_for
from lib_faults import FaultTest, Trace, let_run, stopped_at, stopping
from lib_podshark import PODSHARK, Capture, extcap_home, podshark, tshark, wait_rings
from test_follow import gets, happened

CONTAINERS = (Ctr("web", ports=("28480:80",)), Ctr("own", user=RIG, ports=("28481:80",)))

# Becomes a process with the wanted number, in a network namespace of its own: forks until it is that number's turn.
NEXT_PID = """
import os, sys
wanted = int(sys.argv[1])
while True:
    open("/proc/sys/kernel/ns_last_pid", "w").write(str(wanted - 1))
    child = os.fork()
    if child == 0 and os.getpid() == wanted:
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", "echo $$; exec sleep 1000000"])
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
"""


@once
class Killed(FaultTest):
    """The container is killed while podshark or its worker stands still behind a system call."""

    # Call, what its line in strace's log has (PID is the container's), and what was done then.
    ROOTFUL = (("socketpair", "", "it is chosen"), ("capset", "effective=1<<CAP_SYS_ADMIN,", "its namespace is open, not joined"),
               ("setns", r"CLONE_NEWNET\) += 0", "its namespace is joined"), ("bind", "AF_PACKET", "a link is bound"),
               ("epoll_wait", "", "packets are read"))
    ROOTLESS = (("pidfd_open", r"\(PID,", "its process is known"), ("ioctl", "NS_GET_NSTYPE", "its namespace is open, not joined"),
                ("setns", "CLONE_NEWUSER", "its user namespace is joined"),
                ("setns", r"CLONE_NEWNET\) += 0", "its namespace is joined"))

    def killed_at(self, user, name, syscall, pattern):
        number = len(list(self.tmp.iterdir()))
        path, log = self.tmp / f"{number}.pcapng", self.tmp / f"{number}.log"
        child = self.child(user, [*stopping(log, syscall), PODSHARK, "capture", name, "--follow", "false", "--start", "false",
                                   "-q", "-w", path], stderr=subprocess.PIPE, text=True)
        trace = Trace(log)
        index = stopped_at(child, trace, pattern.replace("PID", str(lib.Up(name, user).pid)))
        lib.podman(user, "kill", name)
        wait_for(lambda: lib.Up(name, user).pid == 0, "its end")
        let_run(child, trace, index)
        self.failed(subprocess.CompletedProcess((), child.returncode, "", child.stderr.read()), (0, 3, 4, 10), path, name)
        lib.podman(user, "start", name)

    def test_rootful(self):
        for syscall, pattern, when in self.ROOTFUL:
            with self.subTest(when):
                self.killed_at(ROOT, "web", syscall, pattern)

    def test_rootless(self):
        for syscall, pattern, when in self.ROOTLESS:
            with self.subTest(when):
                self.killed_at(RIG, "own", syscall, pattern)


class Again(FaultTest):
    def test_ten_restarts_in_a_row(self):
        with Capture(ROOT, "web") as capture:
            for number in range(10):
                lib.podman(ROOT, "restart", "-t", "0", "web")
                wait_for(lambda: len(happened(capture, "gap", "restarted")) > number,
                         lambda: f"gap {number + 1}: {capture.stderr()}", 60)
            fetch(28480)
            wait_for(lambda: gets(capture), "a request after the last restart")
            self.assertEqual(10, len(happened(capture, "gap", "restarted")), "each once")
            capture.stop()
            self.valid(capture.path)

    def held(self, pid):
        """kB of its own memory, without packet rings, and its descriptors."""
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        memory = int(next(line for line in lines if line.startswith("RssAnon")).split()[1])
        return memory, len(os.listdir(f"/proc/{pid}/fd"))

    @long
    def test_a_thousand_restarts_in_a_row(self):
        with Capture(ROOT, "web", "-q") as capture:
            pid = capture.process.pid
            for number in range(1000):
                if number == 20:
                    memory, descriptors = self.held(pid)
                lib.podman(ROOT, "restart", "-t", "0", "web")
                wait_rings(self.up["web"], 2)
            wait_for(lambda: self.held(pid)[1] <= descriptors, "descriptors to be closed", 60)
            self.assertLess(self.held(pid)[0] - memory, 32768, "kB more than after twenty")
            fetch(28480)
            wait_for(lambda: gets(capture), "a request after the last restart")
            done = capture.stop()
            self.assertEqual(1000, len([e for e in done.events_of("gap") if e["what"] == "restarted"]), "each once")
            self.valid(capture.path)

    def test_a_pid_that_belongs_to_somebody_else_now_is_not_captured(self):
        lib.start(Ctr("brief", cmd=("sleep", "1000000")))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "brief", check=False)
        self.assertIn("podman:brief", podshark(ROOT, "--extcap-interfaces").stdout)  # the cache knows the pid now
        pid = lib.Up("brief", ROOT).pid
        lib.podman(ROOT, "kill", "brief")
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "its end")
        other = self.child(ROOT, ["/usr/bin/python3", "-c", NEXT_PID, str(pid)], stdout=subprocess.PIPE, text=True)
        self.assertEqual(f"{pid}\n", other.stdout.readline(), "somebody has its number")
        path = self.tmp / "x.pcapng"
        done = run(ROOT, [PODSHARK, "capture", "brief", "--start", "false", "-q", "--duration", "2", "-w", path], check=False)
        self.failed(done, (4, 10), path, "'brief'")
        self.assertNotIn("podman:brief", podshark(ROOT, "list").stdout)


class Together(FaultTest):
    def test_two_captures_of_one_container_do_not_disturb_each_other(self):
        with Capture(ROOT, "web") as first, Capture(ROOT, "web") as second:
            fetch(28480)
            for capture in (first, second):
                wait_for(lambda: gets(capture), "the request in both")
            first.process.kill()
            first.process.wait()
            fetch(28480)
            wait_for(lambda: len(gets(second)) == 2, "the next request in the other")
            lib.podman(ROOT, "restart", "-t", "0", "web")
            wait_for(lambda: happened(second, "gap", "restarted"), "a gap record")
            second.stop()
            self.valid(second.path)
        podshark(ROOT, "probe", "web:80")  # whoever reports to captures takes the name of a killed one away

    @quick
    def test_twenty_refreshes_of_the_interface_list_during_a_capture(self):
        extcap_home(RIG)
        with Capture(RIG, "own") as capture:
            def refresh():
                for _ in range(5):
                    tshark(RIG, "-D")
            threads = [threading.Thread(target=refresh) for _ in range(4)]
            for thread in threads:
                thread.start()
            fetches = 0
            while any(thread.is_alive() for thread in threads):
                fetch(28481)
                fetches += 1
            wait_for(lambda: len(gets(capture)) >= fetches, "all requests")
            done = capture.stop()
            self.valid(capture.path)
        self.assertEqual({0}, {link["dropped"] for link in done.events_of("stats")[-1]["links"]})
