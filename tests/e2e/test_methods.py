# SPDX-License-Identifier: GPL-2.0-or-later
"""Other ways to a container's packets: tools in it, beside it, on the host; nothing of them stays behind."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import lib
import lib_images
import lib_pcapng
from lib import OTHER, RIG, ROOT, WEB, Ctr, Net, Pod, RigTest, fetch, podman, quick, run, wait_for
from lib_podshark import PODSHARK, Capture, extcap_home, give_dumpcap, podshark

TOOLS, APT = "localhost/tools:1", "localhost/apt:1"
CONTAINERS = (
    Ctr("web", ports=("28080:80",)),
    Ctr("tool", image=TOOLS, ports=("28081:80",)),
    Ctr("own", user=RIG, ports=("28082:80",)),
    Net("lan", user=RIG),
    Ctr("owntool", user=RIG, network="lan", image=TOOLS, ports=("28083:8080",), options=("--user", "1000"),
        cmd=("httpd", "-f", "-p", "8080", "-h", "/www")),
    Pod("shop", user=RIG, ports=("28084:80",), members=("front",)),
    Ctr("host", network="host", cmd=("httpd", "-f", "-p", "28090", "-h", "/www")),
    Ctr("ownhost", user=RIG, network="host", cmd=("httpd", "-f", "-p", "28091", "-h", "/www")),
)


def setUpModule():
    lib_images.tool_image(TOOLS, ("tcpdump", "dumpcap"), (ROOT, RIG))


def stored(user):
    """Names of all containers of the user, whatever their state: read where podman keeps them, since asking podman
    twice a test would be most of the test."""
    home = pathlib.Path(lib.environment(user)["HOME"])
    base = pathlib.Path("/var/lib/containers") if user == ROOT else home / ".local/share/containers"
    files = (base / "storage/overlay-containers").glob("*containers.json")
    return sorted(name for f in files for c in json.loads(f.read_text()) for name in c["names"])


def remains():
    """What may not outlive a capture: tools, podman's clients, shells of leases, conmon of exec sessions (but podman's
    service keeps that for five minutes, for whoever asks how the session ended: --exit-delay)."""
    found = []
    for pid in lib.processes("tcpdump", "dumpcap", "podman", "conmon", "sh"):
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            program = words[0].rpartition(b"/")[2]
            session = b"--exec-attach" in words and b"--exit-delay" not in words
            if (program in (b"tcpdump", b"dumpcap") or (program == b"podman" and b"service" not in words)
                    or (program == b"conmon" and session) or b"podshark" in words):
                found.append((pid, b" ".join(words)[:200]))
    return found


def events(done, kind, what):
    return [e for e in done.events_of(kind) if e.get("what") == what]


class MethodTest(RigTest):
    """Each test ends with exactly the containers that it began with, and without any capture tool."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.told = {user: podman(user, "ps", "-a", "-q", "--no-trunc") for user in (ROOT, RIG)}
        cls.addClassCleanup(cls.podman_agrees)

    @classmethod
    def podman_agrees(cls):
        for user, ids in cls.told.items():
            now = podman(user, "ps", "-a", "-q", "--no-trunc")
            assert sorted(now.split()) == sorted(ids.split()), f"containers of {user}: {now}; before: {ids}"

    def setUp(self):
        super().setUp()
        self.before = {user: stored(user) for user in (ROOT, RIG)}
        self.addCleanup(self.check_nothing_left)

    def check_nothing_left(self):
        wait_for(lambda: not remains(), lambda: f"the end of {remains()}", 10)
        for user, names in self.before.items():
            wait_for(lambda u=user, n=names: stored(u) == n, lambda u=user: f"{self.before[u]}, there are {stored(u)}", 10)

    def start(self, spec):
        """A container of this test alone."""
        self.up.update(lib.start(spec))
        self.before[spec.user] = sorted(self.before[spec.user] + [spec.name])
        self.addCleanup(self._remove, spec)

    def _remove(self, spec):
        self.before[spec.user].remove(spec.name)
        podman(spec.user, "rm", "-f", "-i", "-t", "0", spec.name)

    def as_root_in(self, name, *argv):
        podman(self.up[name].user, "exec", "--user", "0", name, *argv)

    def take_away(self, name, program):
        """The container has no such program until the end of the test."""
        there, away = f"/bin/{program}", f"/bin/{program}.away"
        self.as_root_in(name, "busybox", "mv", there, away)
        self.addCleanup(self.as_root_in, name, "busybox", "mv", away, there)

    @contextlib.contextmanager
    def busy(self, name):
        """Packets on lo of the container, hundreds a second, until the end of the block."""
        pid = str(self.up[name].pid)
        ping = self.child(ROOT, ["nsenter", "-t", pid, "-n", "ping", "-q", "-i", "0.01", "127.0.0.1"],
                          stdout=subprocess.DEVNULL)
        yield
        lib.end(ping, signal.SIGKILL)


class Exec(MethodTest):
    def check(self, user, name, port, *args, streams=1):
        with Capture(user, name, "--method", "exec", *args) as capture:
            wait_for(lambda: len(capture.links()) == streams, f"{streams} streams")
            for _ in range(3):
                fetch(port)
            capture.wait_packets(20)
            done = capture.stop()
            self.assertIn("0 dropped", capture.stderr())
        return done

    @quick
    def test_rootful(self):
        done = self.check(ROOT, "tool", 28081)
        (link,) = done.links
        self.assertEqual("podman:tool/any", link.name)
        self.assertIn(link.linktype, (113, 276), "cooked, as any is")
        self.assertEqual(10**9, link.units)
        self.assertEqual(("tool", "inside", "no"), tuple(link.keys[k] for k in ("container", "point", "rootless")))
        self.assertTrue(any(p.time_ns % 1000 for p in done.packets), "nanoseconds, not microseconds")
        (attached,) = events(done, "lifecycle", "attached")
        self.assertIn("podman exec (tcpdump)", attached["detail"])
        (counted,) = done.all(lib_pcapng.Statistics)
        self.assertEqual(len(done.packets), counted.received)

    def test_rootless_in_a_container_of_another_user(self):
        done = self.check(RIG, "owntool", 28083)
        self.assertEqual(["podman:owntool/any"], [i.name for i in done.links])
        self.assertEqual("yes", done.links[0].keys["rootless"])

    def test_links_filter_and_snaplen(self):
        done = self.check(ROOT, "tool", 28081, "-i", "eth0,lo", "-f", "tcp port 80", "-s", "60", streams=2)
        self.assertEqual({"podman:tool/eth0": 1, "podman:tool/lo": 1}, {i.name: i.linktype for i in done.links})
        self.assertEqual("tcp port 80", done.links[0].filter)
        frames = [p.data for p in done.packets_of("podman:tool/eth0")]
        self.assertTrue(all(f[23] == 6 and len(f) <= 60 for f in frames))
        self.assertTrue(any(p.original_length > 60 for p in done.packets))

    def test_the_same_packets_as_our_own_sockets_see(self):
        what = ("tool", "-i", "eth0", "-f", "tcp port 80")
        with Capture(ROOT, *what, "--method", "exec") as theirs, Capture(ROOT, *what) as ours:
            for _ in range(5):
                fetch(28081)
            for capture in (theirs, ours):
                wait_for(lambda c=capture: sum(fin(p) for p in c.so_far().packets) == 10, "ten FINs")
            # The acknowledgement of the last FIN is on its way.
            wait_for(lambda: len(theirs.so_far().packets) == len(ours.so_far().packets), "the same number")
            expected, got = ours.stop().packets, theirs.stop().packets
        self.assertGreater(len(expected), 30)
        self.assertEqual([p.data for p in expected], [p.data for p in got])
        for one, other in zip(expected, got):
            self.assertLess(abs(one.time_ns - other.time_ns), 10_000_000)

    def test_dumpcap_when_there_is_no_tcpdump(self):
        self.take_away("owntool", "tcpdump")
        done = self.check(RIG, "owntool", 28083)
        self.assertIn("podman exec (dumpcap)", events(done, "lifecycle", "attached")[0]["detail"])

    def test_in_a_pod_a_member_has_the_tool(self):
        podman(RIG, "pod", "create", "--name", "deck")
        self.addCleanup(podman, RIG, "pod", "rm", "-f", "-t", "0", "deck")
        podman(RIG, "run", "-d", "--name", "mate", "--pod", "deck", TOOLS, *WEB)
        with Capture(RIG, "pod/deck", "--method", "exec") as capture:
            podman(RIG, "exec", "mate", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/")
            capture.wait_packets(6)
            done = capture.stop()
        self.assertEqual(["podman:pod/deck/any"], [i.name for i in done.links])

    def test_a_restart_is_followed(self):
        with Capture(ROOT, "tool", "--method", "exec") as capture:
            fetch(28081)
            capture.wait_packets(4)
            podman(ROOT, "restart", "-t", "0", "tool")
            wait_for(lambda: len(capture.links()) == 2, "the second stream")
            before = len(capture.so_far().packets)
            fetch(28081)
            capture.wait_packets(before + 4)
            done = capture.stop()
        self.assertEqual(1, len(events(done, "gap", "restarted")))

    def test_a_stopped_container_is_started_and_then_captured(self):
        self.start(Ctr("late", user=RIG, image=TOOLS))
        podman(RIG, "stop", "-t", "0", "late")
        with Capture(RIG, "late", "--method", "exec") as capture:
            self.up["late"].exec("wget", "-q", "-O", "-", "http://127.0.0.1/")
            capture.wait_packets(6)
            capture.stop()

    def test_one_without_a_tool_does_not_end_the_others(self):
        with Capture(ROOT, "web", "tool", "--method", "exec") as capture:
            wait_for(lambda: "'web' has neither" in capture.stderr(), "what is wrong with web")
            fetch(28081)
            capture.wait_packets(6)
            done = capture.stop()
        self.assertEqual(["podman:tool/any"], [i.name for i in done.links])
        self.assertIn("'web' has neither", events(done, "lifecycle", "failed")[0]["detail"])

    def test_silence_is_explained(self):
        with Capture(RIG, "owntool", "--method", "exec", "-f", "port 9") as capture:
            fetch(28083)
            wait_for(lambda: "matched none of them" in capture.stderr(), "the reason")
            capture.stop()

    def test_without_following_the_end_of_the_container_is_the_end(self):
        self.start(Ctr("brief", user=RIG, image=TOOLS))
        with Capture(RIG, "brief", "--method", "exec", "--follow", "false") as capture:
            podman(RIG, "rm", "-f", "-t", "0", "brief")
            self.assertEqual(0, capture.process.wait(15), capture.stderr())
            self.assertIn("has stopped", capture.stderr())
            done = lib_pcapng.read(capture.path)
        self.assertEqual(1, len(events(done, "lifecycle", "exited")))

    def test_a_tool_that_is_killed_ends_the_capture_with_its_reason(self):
        with Capture(ROOT, "tool", "--method", "exec") as capture:
            fetch(28081)
            capture.wait_packets(1)
            (pid,) = lib.processes("tcpdump")
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(1, capture.process.wait(15))
            self.assertIn("through podman exec (tcpdump)", capture.stderr())


class Sidecar(MethodTest):
    ARGS = ("--method", "sidecar", "--sidecar-image", TOOLS)

    def check(self, user, name, port, *args):
        with Capture(user, name, *self.ARGS, *args) as capture:
            if port:
                fetch(port)
            else:
                self.up[name].exec("wget", "-q", "-O", "/dev/null", "http://127.0.0.1/")
            capture.wait_packets(6)
            (pid,) = lib.processes("tcpdump")
            status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
            done = capture.stop()
        for which in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
            self.assertEqual(1 << 13, int(status[which], 16), f"{which}: CAP_NET_RAW and no other")
        self.assertIn("sidecar of image", events(done, "lifecycle", "attached")[0]["detail"])
        return done

    @quick
    def test_rootful(self):
        done = self.check(ROOT, "web", 28080)
        self.assertEqual(["podman:web/any"], [i.name for i in done.links])

    def test_rootless(self):
        done = self.check(RIG, "own", None, "-i", "lo")
        self.assertEqual([("podman:own/lo", 1)], [(i.name, i.linktype) for i in done.links])

    def test_pod(self):
        self.check(RIG, "pod/shop", 28084)

    def test_own_user_namespace(self):
        self.start(Ctr("keepid", user=RIG, options=("--userns=keep-id",), ports=("28085:8080",),
                       cmd=("httpd", "-f", "-p", "8080", "-h", "/www")))
        self.check(RIG, "keepid", 28085)

    def test_the_container_can_be_removed_meanwhile(self):
        self.start(Ctr("brief", user=RIG))
        with Capture(RIG, "brief", *self.ARGS, "--follow", "false") as capture:
            podman(RIG, "rm", "-f", "-t", "0", "brief")
            self.assertEqual(0, capture.process.wait(15), capture.stderr())

    def test_an_image_that_is_not_there_is_not_fetched(self):
        done = podshark(ROOT, "capture", "web", "--method", "sidecar", "--sidecar-image", "localhost/nope:1", "-w",
                        self.tmp / "x", check=False)
        self.assertEqual(3, done.returncode, done.stderr)
        self.assertIn("podman pull localhost/nope:1", done.stderr)
        self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)


class Missing(MethodTest):
    """No tool in the container."""

    @quick
    def test_three_ways_out(self):
        done = podshark(ROOT, "capture", "web", "--method", "exec", "-w", self.tmp / "x", check=False)
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)
        for word in ("'web' has neither tcpdump nor dumpcap", "--install-tool", "--sidecar-image", "--method netns"):
            self.assertIn(word, done.stderr)

    def test_nothing_to_install_with(self):
        done = podshark(RIG, "capture", "own", "--method", "exec", "--install-tool", "-w", self.tmp / "x", check=False)
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertIn("nor apt-get, apk or dnf", done.stderr)

    def test_no_shell_either(self):
        self.take_away("own", "sh")
        done = podshark(RIG, "capture", "own", "--method", "exec", "-w", self.tmp / "x", check=False)
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertIn("no shell", done.stderr)

    def test_a_link_that_is_not_there(self):
        done = podshark(ROOT, "capture", "tool", "--method", "exec", "-i", "eth7", "-w", self.tmp / "x", check=False)
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn("eth7", done.stderr)

    def test_apt_installs_it_only_when_told(self):
        lib_images.apt_image(APT, (RIG,))
        self.start(Ctr("deb", user=RIG, image=APT, cmd=("sleep", "1000000")))
        tcpdump = pathlib.Path(f"/proc/{self.up['deb'].pid}/root/usr/bin/tcpdump")
        refused = lambda *args: podshark(RIG, "capture", "deb", "--method", "exec", *args, "-w", self.tmp / "x",
                                         check=False)
        with self.subTest("not told"):
            done = refused()
            self.assertEqual((7, False), (done.returncode, tcpdump.exists()), done.stderr)
        with self.subTest("what fails says why"):
            self.as_root_in("deb", "mv", "/srv/archive", "/srv/away")
            done = refused("--install-tool")
            self.assertEqual((1, False), (done.returncode, tcpdump.exists()), done.stderr)
            self.assertIn("installing tcpdump in container 'deb': E: ", done.stderr)
            self.as_root_in("deb", "mv", "/srv/away", "/srv/archive")
        with self.subTest("told"), Capture(RIG, "deb", "--method", "exec", "--install-tool") as capture:
            self.up["deb"].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
            capture.wait_packets(4)
            done = capture.stop()
            self.assertTrue(tcpdump.exists())
            self.assertIn("installing tcpdump", events(done, "lifecycle", "installing")[0]["detail"])


class Leftovers(MethodTest):
    """Podshark, Wireshark, or whoever reads, is gone: within seconds nothing is left in or beside the container."""

    EXEC = ("--method", "exec")
    SIDECAR = ("--method", "sidecar", "--sidecar-image", TOOLS)
    WAYS = ((ROOT, "tool", EXEC), (RIG, "owntool", EXEC), (ROOT, "web", SIDECAR), (RIG, "own", SIDECAR))

    @contextlib.contextmanager
    def all_ways(self, make, busy):
        """make(user, name, *args) for all ways at once; packets of the containers `busy` never rest until the end."""
        with contextlib.ExitStack() as stack:
            for name in busy:
                stack.enter_context(self.busy(name))
            yield [make(user, name, *args) for user, name, args in self.WAYS]
            self.check_nothing_left()

    def test_podshark_killed(self):
        with self.all_ways(Capture, ("tool", "own")) as captures, contextlib.ExitStack() as stack:
            for capture in captures:
                stack.enter_context(capture)
            self.assertEqual(4, len(lib.processes("tcpdump")))
            for capture in captures:
                capture.process.kill()
                capture.process.wait()

    def test_the_reader_of_a_pipe_gone(self):
        def make(user, name, *args):
            return self.child(user, [PODSHARK, "capture", name, *args, "-q", "-w", "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

        with self.all_ways(make, ("owntool", "web")) as children:
            for child in children:
                data = b""
                while b"/any" not in data:
                    data += child.stdout.read1(65536) or self.fail(child.stderr.read())
            for child in children:
                child.stdout.close()
            for child in children:
                self.assertEqual(0, child.wait(10), child.stderr.read())

    def test_tshark_killed(self):
        extcap_home(RIG)  # root's Wireshark takes no personal extcap
        children = []
        for user, name, args in self.WAYS:
            if user == ROOT:
                continue
            options = [w for key, value in zip(args[::2], args[1::2])
                       for w in ("-o", f"extcap.podman_{name}.{key[2:].replace('-', '')}:{value}")]
            children.append(self.child(user, ["tshark", "-i", f"podman:{name}", *options, "-w", self.tmp / name],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        with self.busy("owntool"):
            wait_for(lambda: len(lib.processes("tcpdump")) == 2, "the tools", 30)
            for child in children:
                child.kill()
                child.wait()
            self.check_nothing_left()

    def test_killed_at_any_moment_of_the_start(self):
        for step in range(16):
            user, name, args = self.WAYS[step % 4]
            child = self.child(user, [PODSHARK, "capture", name, *args, "-w", self.tmp / str(step)],
                               stderr=subprocess.DEVNULL)
            time.sleep(0.04 * step)  # a moment, not a condition: any will do
            child.kill()
            child.wait()
        self.check_nothing_left()


class HostNetwork(MethodTest):
    """A container in the host's network: its ports tell its traffic from the host's."""

    def capture(self, user, name, port, *args, packets=8):
        with Capture(user, name, *args) as capture:
            fetch(28080)  # somebody else's
            fetch(port)
            fetch(port, outside=False)
            capture.wait_packets(packets)
            return capture.stop(), capture.stderr()

    @quick
    def test_root_sees_its_ports_on_all_links(self):
        done, said = self.capture(ROOT, "host", 28090)
        self.assertIn("'host' uses the host's network", said)
        self.assertIn("limited to tcp 28090", said)
        self.assertIn("limited to tcp 28090", events(done, "lifecycle", "method")[0]["detail"])
        self.assertEqual("host", done.links[0].keys["point"])
        self.assertLessEqual({"podman:host/lo@host", "podman:host/wan0@host"}, {p.interface.name for p in done.packets})
        self.assertFalse([p for p in done.packets if 28090 not in tcp_ports(p)])

    def test_the_users_filter_is_a_condition_more(self):
        done, _ = self.capture(ROOT, "host", 28090, "-f", f"host {lib.CLIENT}", packets=4)
        self.assertFalse([p for p in done.packets if 28090 not in tcp_ports(p)])
        self.assertEqual({"podman:host/wan0@host"}, {p.interface.name for p in done.packets})

    def test_everything_on_request(self):
        done, said = self.capture(ROOT, "host", 28090, "--all-host", packets=20)
        self.assertIn("everything on the host", said)
        self.assertTrue([p for p in done.packets if 28090 not in tcp_ports(p)])

    def test_no_port_is_refused(self):
        self.start(Ctr("quiet", user=RIG, network="host", cmd=("sleep", "1000000")))
        done = podshark(RIG, "capture", "quiet", "-w", self.tmp / "x", check=False)
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertIn("holds no TCP or UDP port", done.stderr)
        self.assertIn("--all-host", done.stderr)

    def test_a_user_needs_dumpcap(self):
        done = podshark(RIG, "capture", "ownhost", "-w", self.tmp / "x", check=False)
        self.assertEqual(5, done.returncode, done.stderr)
        self.assertIn("usermod -aG wireshark", done.stderr)
        self.assertIn("permission", done.stderr)

    def test_a_user_with_dumpcap(self):
        give_dumpcap(self, RIG)
        done, said = self.capture(RIG, "ownhost", 28091)
        self.assertIn("limited to tcp 28091", said)
        self.assertEqual(["podman:ownhost/any"], [i.name for i in done.links])
        self.assertFalse([p for p in done.packets if 28091 not in tcp_ports(p)])
        with Capture(RIG, "ownhost") as capture:
            capture.process.kill()
            capture.process.wait()
            self.check_nothing_left()

    def test_a_user_who_captures_for_another_machine_leaves_out_what_carries_it(self):
        """As a session of ssh sets it there; else the capture would capture its own packets, many times over."""
        give_dumpcap(self, RIG)
        with Capture(RIG, "ownhost", "--all-host", env={"PODSHARK_CARRIER": "127.0.0.1 40001 127.0.0.1 28091"}) as capture:
            for port in (40001, 40002):
                with socket.create_connection(("127.0.0.1", 28091), source_address=("127.0.0.1", port)) as connection:
                    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    connection.recv(100)
            wait_for(lambda: [p for p in capture.so_far().packets if 40002 in tcp_ports(p)], "the other connection")
            self.assertFalse([p for p in capture.stop().packets if 40001 in tcp_ports(p)])


class Automatic(MethodTest):
    """Root's socket is open to a user, the worker is not: podman exec takes over, and says so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        socket = pathlib.Path("/run/podman/podman.sock")
        socket.parent.mkdir(mode=0o755, exist_ok=True)
        socket.unlink(missing_ok=True)
        service = lib.popen(ROOT, ["podman", "system", "service", "-t", "0", f"unix://{socket}"],
                            stderr=subprocess.DEVNULL)
        cls.addClassCleanup(socket.unlink, missing_ok=True)
        cls.addClassCleanup(lib.end, service)
        wait_for(socket.exists, "podman's socket")
        os.chmod(socket.parent, 0o755)
        socket.chmod(0o666)

    @quick
    def test_exec_where_the_namespace_cannot_be_entered(self):
        with Capture(OTHER, "podman-root:tool") as capture:
            fetch(28081)
            capture.wait_packets(6)
            done = capture.stop()
            self.assertIn("through podman instead", capture.stderr())
        self.assertEqual(["podman-root:tool/any"], [i.name for i in done.links])
        self.assertIn("through podman instead", events(done, "lifecycle", "method")[0]["detail"])

    def test_then_the_sidecar(self):
        with Capture(OTHER, "podman-root:web", "--sidecar-image", TOOLS) as capture:
            fetch(28080)
            capture.wait_packets(6)
            capture.stop()

    def test_killed_nothing_stays_behind_the_socket_either(self):
        for name, args in (("tool", ()), ("web", ("--sidecar-image", TOOLS))):
            with self.subTest(name=name), Capture(OTHER, f"podman-root:{name}", *args) as capture:
                capture.process.kill()
                capture.process.wait()
                self.check_nothing_left()

    def test_netns_and_nothing_else_on_request(self):
        done = podshark(OTHER, "capture", "podman-root:tool", "--method", "netns", "-w", self.tmp / "x", check=False)
        self.assertEqual(5, done.returncode, done.stderr)
        self.assertIn("usermod -aG wireshark", done.stderr)


def fin(packet):
    """Of a TCP packet over IPv4 on Ethernet: does it end its direction?"""
    return packet.data[14 + (packet.data[14] & 15) * 4 + 13] & 1


def tcp_ports(packet):
    """Source and destination port of a TCP packet over IPv4, else nothing."""
    skip = {1: 14, 113: 16, 276: 20}[packet.interface.linktype]
    ip = packet.data[skip:]
    if len(ip) < 24 or ip[0] >> 4 != 4 or ip[9] != 6:
        return ()
    tcp = ip[(ip[0] & 15) * 4:]
    return int.from_bytes(tcp[:2], "big"), int.from_bytes(tcp[2:4], "big")
