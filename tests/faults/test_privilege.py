# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/SECURITY.md claims of the installed, capability-holding worker and of podshark's folders, tried by a member of
the group wireshark, who wants more, and by a stranger."""

import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess

import lib
import lib_pcapng
from lib import BIN, MEMBER, OTHER, RIG, ROOT, Ctr, Net, RigTest, argv_as, fetch, once, run, wait_for
from lib_faults import attach
from lib_podshark import INSTALLED_WORKER, PODSHARK, install_worker, remove_worker

CONTAINERS = (
    Ctr("web"),
    Ctr("hostly", network="host", cmd=("sleep", "1000000")),
    Ctr("own", user=RIG),
    Net("lan", user=RIG),
    Ctr("bridged", user=RIG, network="lan", ports=("28080:80",)),
)

# extcap/worker/protocol.h
DONE, REQUEST, FIND, IDENTITY, NOT_PODMAN, OPEN, NOT_YOURS, HOST, JOIN, SOCKET, DIED, PROBES_OFF = range(12)
PROCESS, FILE, OWN, DESCRIPTOR = 1, 2, 3, 4
ASK = pathlib.Path(__file__).with_name("ask_worker.py")


def start_time(pid):
    """proc_pid_stat(5) field 22."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def about(pid, **more):
    return {"pid": pid, "start": start_time(pid), "netlink": 1, **more}


def at_a_desktop(user):
    """Begin of an argv of root's: what follows runs as that user with the capability that systemd gives a session there."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--inh-caps=-all,+wake_alarm",
            "--ambient-caps=+wake_alarm", "--"]


# A member whom root has started in another network namespace.
ELSEWHERE = {"user": ROOT, "before": ("unshare", "-n", *argv_as(MEMBER, []))}


class Attacker:
    """Speaks to the worker as that user."""

    def __init__(self, test, user=MEMBER, prepare=None, before=()):
        self.process = test.child(user, [*before, "/usr/bin/python3", "-B", ASK, INSTALLED_WORKER], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.worker = None
        if prepare:
            self.say({"prepare": prepare})

    def say(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")

    def hear(self):
        answer = json.loads(self.process.stdout.readline())
        self.worker = answer.pop("worker")
        return answer

    def ask(self, request):
        self.say(request)
        return self.hear()

    def stage(self, request):
        return self.ask(request).get("stage", "ended")


class WorkerTest(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_worker()
        cls.addClassCleanup(remove_worker)

    def sleeper(self, user, *argv):
        """Pid of a process that a program of that user has made: the last word printed."""
        child = self.child(user, argv, stdout=subprocess.PIPE, text=True)
        return int(child.stdout.readline())


class Requests(WorkerTest):
    def file_request(self, number):
        """A request for a file in /run/netns, and its path, which the test makes."""
        uuid = f"{number:032x}"
        path = pathlib.Path(f"/run/netns/netns-{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}")
        self.addCleanup(path.unlink)
        return {"kind": FILE, "uuid": uuid, "netlink": 1}, path

    def bind(self, path, source):
        path.touch()
        run(ROOT, ["mount", "--bind", source, path])
        self.addCleanup(run, ROOT, ["umount", path])

    def test_a_container_of_roots_podman_is_served_and_its_links_stay_as_they_are(self):
        answer = Attacker(self).ask(about(self.up["web"].pid, shut_down_lo=True))
        self.assertEqual({"stage": DONE, "error": 0, "sockets": 1, "shut_down_lo": 1}, answer, "1 is EPERM")

    def test_what_is_not_on_the_list_is_refused(self):
        web, attacker = about(self.up["web"].pid), Attacker(self)
        for expected, change in (
                *((REQUEST, {"raw": "00" * size}) for size in (1, 87, 88, 89)), (REQUEST, {"raw": "ff" * 4096}),
                (REQUEST, {"magic": 0}), (REQUEST, {"kind": 0}), (REQUEST, {"kind": 5}),
                (REQUEST, {"kind": 0xFFFFFFFF}), (REQUEST, {"kind": DESCRIPTOR, "fd": "/proc/self/ns/net"}),
                (HOST, {"kind": OWN}), (REQUEST, {"pid": 0}), (REQUEST, {"pid": -1}), (REQUEST, {"netlink": 65}),
                (REQUEST, {"netlink": 0xFFFFFFFF, "raw_sockets": 2}), (PROBES_OFF, {"netfilter": 1}),
                *((PROBES_OFF, {probe: 1}) for probe in ("tcp4", "tcp6", "udp4", "udp6", "icmp4", "icmp6")),
                (IDENTITY, {"start": web["start"] + 1}), (IDENTITY, {"inode": 1}), (OPEN, {"kind": FILE, "uuid": "ee" * 16})):
            with self.subTest(change):
                self.assertEqual(expected, attacker.stage({**web, **change}))
        self.assertEqual(DONE, attacker.stage(web), "it serves on")

    def test_processes_that_are_not_podmans_are_refused(self):
        forged = shutil.copy("/bin/bash", self.tmp / "conmon")
        conmon = shutil.which("conmon", path="/usr/bin:/usr/libexec/podman")
        pause = "echo $$; exec sleep 1000000"
        fork = ["-c", f"(unshare -n sh -c '{pause}') & wait"]
        processes = {
            "init": 1,
            "roots conmon itself": int(run(ROOT, ["ps", "-o", "ppid=", str(self.up["web"].pid)]).stdout),
            "a namespace of root's": self.sleeper(ROOT, "unshare", "-n", "sh", "-c", pause),
            "another user's container": self.up["own"].pid,
            "below root's conmon that is not podman's": self.sleeper(ROOT, forged, *fork),
            "below what root mounted over conmon": self.sleeper(
                ROOT, "unshare", "-m", "sh", "-c", f'mount --bind {forged} {conmon} && exec {conmon} "$@"', "sh", *fork),
            "below a conmon of the attacker": self.sleeper(MEMBER, forged, "-c", f"sh -c '{pause}' & wait"),
        }
        attacker = Attacker(self)
        for what, pid in processes.items():
            with self.subTest(what):
                self.assertEqual(NOT_PODMAN, attacker.stage(about(pid)))

    def test_the_hosts_network_is_refused_also_where_a_container_uses_it(self):
        self.assertEqual(HOST, Attacker(self).stage(about(self.up["hostly"].pid)))

    def test_the_hosts_network_is_refused_also_to_who_is_in_another(self):
        # As root starts him with `ip netns exec NAME sudo -u member`, or a unit with PrivateNetwork= and User=.
        elsewhere = Attacker(self, **ELSEWHERE)
        self.assertEqual(HOST, elsewhere.stage(about(self.up["hostly"].pid)))
        self.assertEqual(HOST, elsewhere.stage({**about(self.up["hostly"].pid), "netlink": 0, "raw_sockets": 1}))
        request, path = self.file_request(6)
        self.bind(path, "/proc/1/ns/net")
        self.assertEqual(HOST, elsewhere.stage(request))
        self.assertEqual(DONE, elsewhere.stage(about(self.up["web"].pid)))

    def test_of_the_files_only_podmans_network_namespaces_are_served(self):
        def bound(number, source):
            request, path = self.file_request(number)
            self.bind(path, source)
            return request

        plain, path = self.file_request(1)
        path.touch()
        link, path = self.file_request(2)
        path.symlink_to(f"/proc/{self.up['web'].pid}/ns/net")
        cases = {"a plain file": (OPEN, plain), "a link": (OPEN, link), "the host's": (HOST, bound(3, "/proc/1/ns/net")),
                 "no network namespace": (OPEN, bound(4, "/proc/1/ns/uts")),
                 "another user's": (NOT_YOURS, bound(5, f"/proc/{self.up['own'].pid}/ns/net"))}
        attacker = Attacker(self)
        for what, (expected, request) in cases.items():
            with self.subTest(what):
                self.assertEqual(expected, attacker.stage(request))
        name = pathlib.Path(self.up["web"].inspect()["NetworkSettings"]["SandboxKey"]).name
        real = {"kind": FILE, "uuid": name.removeprefix("netns-").replace("-", ""), "netlink": 1}
        self.assertEqual(DONE, attacker.stage(real))
        self.addCleanup(os.chmod, "/run/netns", os.stat("/run/netns").st_mode & 0o7777)
        os.chmod("/run/netns", 0o777)
        self.assertEqual(NOT_PODMAN, attacker.stage(real), "anybody could put a file there")


class Surroundings(WorkerTest):
    """Limits, descriptors, environment and tracing, which are the attacker's to choose."""

    def test_too_few_descriptors_open_no_way_to_the_host(self):
        hostly, stages = about(self.up["hostly"].pid), set()
        for limit in range(1, 14):
            stages.add(Attacker(self, prepare={"nofile": limit}).stage(hostly))
        self.assertIn(HOST, stages, "the last had enough")
        self.assertNotIn(DONE, stages)

    @once
    def test_nothing_that_fails_to_open_opens_a_way_to_the_host(self):
        # The limit may be changed at any moment, from outside: so each of its files fails once.
        hostly = about(self.up["hostly"].pid)
        for who in ({}, ELSEWHERE):
            stages = []
            for number in range(1, 9):
                attacker = Attacker(self, **who)
                attacker.stage({"raw": "00"})
                attach(self, attacker.worker, self.tmp / "log", "-e", "trace=openat", "-e",
                       f"inject=openat:error=EMFILE:when={number}")
                stages.append(attacker.stage(hostly))
                attacker.process.stdin.close()
            self.assertEqual(HOST, stages[-1], "so many it does not open")
            self.assertNotIn(DONE, stages)

    def test_closed_and_inherited_descriptors_change_nothing(self):
        for prepare in ({"close": [1, 2]}, {"inherit": 500}):
            with self.subTest(prepare):
                self.assertEqual(DONE, Attacker(self, prepare=prepare).stage(about(self.up["web"].pid)))

    def test_libraries_of_the_environment_are_not_loaded(self):
        library = BIN / "tests/tools/libclock_step.so"
        self.assertTrue(library.exists())
        attacker = Attacker(self, prepare={"env": {"LD_PRELOAD": str(library), "LD_AUDIT": str(library),
                                                   "LD_LIBRARY_PATH": str(library.parent)}})
        self.assertEqual(DONE, attacker.stage(about(self.up["web"].pid)))
        self.assertNotIn("clock_step", pathlib.Path(f"/proc/{attacker.worker}/maps").read_text())

    def test_its_user_can_neither_look_into_it_nor_trace_it(self):
        attacker = Attacker(self)
        attacker.stage({"raw": "00"})
        directory = f"/proc/{attacker.worker}"
        for argv in (["cat", f"{directory}/maps"], ["cat", f"{directory}/environ"], ["ls", f"{directory}/fd/"],
                     ["readlink", f"{directory}/ns/net"]):
            done = run(MEMBER, argv, check=False)
            self.assertNotEqual(0, done.returncode, argv)
        self.assertEqual(DONE, attacker.stage(about(self.up["web"].pid)))

    @once
    def test_traced_by_its_user_it_has_no_capability(self):
        attacker = Attacker(self)
        attacker.stage({"raw": "00"})
        done = run(MEMBER, ["strace", "-p", str(attacker.worker)], check=False)
        self.assertIn("Operation not permitted", done.stderr)
        traced = Attacker(self, before=("strace", "-f", "-o", "/dev/null"))
        self.assertIn(traced.stage(about(self.up["web"].pid)), (NOT_PODMAN, OPEN, JOIN))
        self.assertIn("CapPrm:\t0000000000000000", pathlib.Path(f"/proc/{traced.worker}/status").read_text())

    @once
    def test_after_its_last_privileged_step_it_has_nothing(self):
        attacker = Attacker(self)
        attacker.stage({"raw": "00"})
        trace = attach(self, attacker.worker, self.tmp / "log", "-e", "trace=sendmsg", "-e", "inject=sendmsg:signal=SIGSTOP")
        attacker.say(about(self.up["web"].pid))
        (child, _), = wait_for(trace.stops, "the child that has answered")
        self.assertNotEqual(attacker.worker, child)
        status = pathlib.Path(f"/proc/{child}/status").read_text()
        for line in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertIn(f"{line}:\t0000000000000000\n", status)
        self.assertIn("NoNewPrivs:\t1\n", status)
        self.assertIn("Seccomp:\t2\n", status)
        self.assertEqual("2", re.search(r"Seccomp_filters:\t(\d)", status)[1], "for serving, and for answering")
        os.kill(child, signal.SIGCONT)
        self.assertEqual(DONE, attacker.hear()["stage"])

    def test_a_capability_of_his_session_does_not_make_him_its_owner(self):
        attacker = Attacker(self, user=ROOT, before=at_a_desktop(MEMBER))
        self.assertEqual(PROBES_OFF, attacker.stage(about(self.up["web"].pid, tcp4=1)))
        self.assertEqual(NOT_PODMAN, attacker.stage(about(1)))
        self.assertEqual(DONE, attacker.stage(about(self.up["web"].pid)))

    def test_who_is_not_in_the_group_can_not_start_it(self):
        self.assertEqual("ended", Attacker(self, user=OTHER).stage(about(self.up["web"].pid)))


class Desktop(RigTest):
    """A session at a desktop has CAP_WAKE_ALARM (systemd 254 and later), which changes nothing."""

    def captured(self, *args):
        """The capture of one request to the container, and what was said."""
        path = self.tmp / "own.pcapng"
        child = self.child(ROOT, [*at_a_desktop(RIG), PODSHARK, "capture", *args, "-w", path, "--duration", "20", "-c", "4"],
                           env=lib.environment(RIG), stderr=subprocess.PIPE, text=True)
        wait_for(lambda: path.exists() and path.stat().st_size > 28 and lib_pcapng.read(path, partial=True).links, "its links")
        status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        self.assertIn("CapPrm:\t0000000800000000", status)
        fetch(28080)
        self.assertEqual(0, child.wait(25), child.stderr.read())
        return lib_pcapng.read(path), child.stderr.read()

    def test_an_own_container_is_captured_through_its_namespace(self):
        done, said = self.captured("bridged")
        self.assertEqual(4, len(done.packets))
        self.assertNotIn("tool", said)
        self.assertEqual([], [e for e in done.events if e.get("what") in ("method", "join-failed", "nat-unavailable")], done.events)

    def test_so_is_the_network_of_rootless_containers(self):
        done, _ = self.captured("bridged", "--point", "host")
        self.assertEqual(4, len(done.packets))
        self.assertEqual({"host"}, {"host" if "@rootless-netns" in p.interface.name else p.interface.name for p in done.packets})


class Folders(RigTest):
    """A stranger was there first."""

    def setUp(self):
        super().setUp()
        self.runtime = self.tmp / "runtime"  # the member's, else it would not be believed; that others may write there is wrong enough
        self.runtime.mkdir()
        self.runtime.chmod(0o777)
        shutil.chown(self.runtime, MEMBER)

    def lists(self, user=MEMBER):
        done = run(user, [PODSHARK, "--extcap-interfaces", "--extcap-version=4.0"], env={"XDG_RUNTIME_DIR": str(self.runtime)},
                   timeout=10)
        self.assertIn("{value=podman:choose}", done.stdout)
        wait_for(lambda: not lib.processes("podshark"), "what it left to refresh the list")

    def test_a_strangers_folder_is_not_written_to(self):
        place = self.runtime / "podshark"
        run(OTHER, ["mkdir", "-m", "0777", place])
        self.lists()
        self.assertEqual([], list(place.iterdir()))

    def test_a_strangers_link_is_not_followed(self):
        (self.tmp / "private").mkdir()
        shutil.chown(self.tmp / "private", MEMBER)
        run(OTHER, ["ln", "-s", self.tmp / "private", self.runtime / "podshark"])
        self.lists()
        self.assertEqual([], list((self.tmp / "private").iterdir()))

    def test_a_runtime_directory_of_a_strangers_is_not_used(self):
        # Left in the environment by su; or that user's who wants to read and forge the list.
        shutil.chown(self.runtime, OTHER)
        run(OTHER, ["mkdir", "-m", "0777", self.runtime / "podshark"])
        self.lists()
        self.lists(ROOT)
        # What else may be there is root's podman's.
        self.assertEqual([], list((self.runtime / "podshark").iterdir()))
        uid = pwd.getpwnam(MEMBER).pw_uid
        own = [pathlib.Path(place) for place in (f"/run/user/{uid}/podshark", f"/tmp/podshark-{uid}")]
        self.assertTrue([place for place in own if (place / "inventory.json").exists()], "the list is kept in a place of his own")

    def test_a_cache_that_is_no_plain_file_of_ones_own_is_not_read(self):
        place = self.runtime / "podshark"
        run(MEMBER, ["mkdir", "-m", "0700", place])
        secret = self.tmp / "secret"
        secret.write_text("{}")
        for make in (["mkfifo"], ["ln", "-s", secret]):
            with self.subTest(make):
                run(MEMBER, [*make, place / "inventory.json"])
                self.lists()
                self.assertTrue((place / "inventory.json").is_file() and not (place / "inventory.json").is_symlink(), "made anew")
                run(MEMBER, ["rm", "-f", place / "inventory.json"])
        self.assertEqual("{}", secret.read_text())


class Fifo(RigTest):
    """Something else is where Wireshark's fifo should be: no packet gets there, and nothing is changed."""

    def refused(self, place, reason):
        done = run(RIG, [PODSHARK, "--capture", "--extcap-interface", "podman:own", "--fifo", place], check=False, timeout=20)
        self.assertEqual(9, done.returncode, done.stderr)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        for word in (str(place), reason, "--fifo is one that Wireshark has made"):
            self.assertIn(word, done.stderr)

    def fifo_of(self, user):
        """Its path, and a descriptor of a reader that waits there."""
        path = self.tmp / "fifo"
        run(user, ["mkfifo", "-m", "0666", path])
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        return path, reader

    def test_where_nothing_is_nothing_is_made(self):
        self.refused(self.tmp / "missing", "No such file")
        self.assertEqual([], list(self.tmp.iterdir()))

    def test_a_plain_file_stays_as_it_is(self):
        file = self.tmp / "file"
        run(RIG, ["dd", "status=none", f"of={file}"], input="kept")
        self.refused(file, "it is no fifo")
        self.assertEqual("kept", file.read_text())

    def test_a_link_is_not_followed_even_to_a_fifo_of_ones_own(self):
        fifo, reader = self.fifo_of(RIG)
        run(RIG, ["ln", "-s", fifo, self.tmp / "link"])
        self.refused(self.tmp / "link", "it is a link")
        self.assertEqual(b"", os.read(reader, 1))

    def test_a_strangers_fifo_gets_no_packet(self):
        fifo, reader = self.fifo_of(OTHER)
        self.refused(fifo, "it is another user's")
        self.assertEqual(b"", os.read(reader, 1))

    def test_nor_is_its_reader_waited_for(self):
        run(OTHER, ["mkfifo", "-m", "0666", self.tmp / "fifo"])
        self.refused(self.tmp / "fifo", "it is another user's")
