# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines without podshark, through a real sshd: what they can all the same, way by way."""

import contextlib
import os
import pathlib
import pwd
import signal
import subprocess
import time

import lib
import lib_images
import lib_pcapng
import lib_podshark
import lib_sshd
from lib import RIG, ROOT, WORLD, Ctr, Net, RigTest, run, wait_for
from lib_podshark import PODSHARK, Capture, inventory, podshark

PORT = 2223
TOOLS = "localhost/tools:1"
CONTAINERS = (
    Net("waynet", user=RIG),
    Ctr("web", ports=("28690:80",)),
    Ctr("own", user=RIG),
    Ctr("bridged", user=RIG, network="waynet"),
    Ctr("kept", user=RIG, options=("--userns", "keep-id", "--user", "0")),
    Ctr("tools", image=TOOLS),
    Ctr("owntools", user=RIG, image=TOOLS),
    Ctr("hosted", network="host", cmd=("sleep", "1000000")),
)
NOT_RUNNING, PERMISSION, UNSUPPORTED, UNREACHABLE = 4, 5, 7, 12
FAR = ("tcpdump", "dumpcap", "podshark-agent", "nsenter", "dd", "timeout")


def setUpModule():
    if WORLD != "deb12":
        lib_images.tool_image(TOOLS, ("tcpdump", "dumpcap"), (ROOT, RIG))


def host(user):
    return f"ssh://{user}@127.0.0.1:{PORT}"


def left_there():
    """Files of the kinds that are made there: podshark-agent's program, and what mktemp makes without being told how."""
    homes = [lib.environment(user)["HOME"] for user in (ROOT, RIG)]
    places = [*homes, "/tmp", "/var/tmp", "/run/user/0", lib.environment(RIG)["XDG_RUNTIME_DIR"]]
    return {file for place in places for pattern in (".podshark.*", "tmp.*") for file in pathlib.Path(place).glob(pattern)}


class Ways(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sshd = lib_sshd.start(cls, "127.0.0.1", "SetEnv PATH=/usr/local/bin:/usr/bin:/bin CONTAINERS_CONF=/etc/rig.conf", port=PORT)

    def sudoers(self, text):
        path = pathlib.Path("/etc/sudoers.d/podshark-test")
        path.write_text(f"{RIG} ALL=(root) NOPASSWD: {text}\n")
        path.chmod(0o440)
        self.addCleanup(path.unlink)

    def setUp(self):
        super().setUp()
        self.before = left_there()

    def gone(self, seconds=10, names=FAR):
        wait_for(lambda: not lib.processes(*names), lambda: f"the far side to end: {lib.processes(*names)}", seconds)
        wait_for(lambda: not left_there() - self.before, lambda: f"no file to be left: {left_there() - self.before}", seconds)

    def killed(self, target, names=FAR):
        """Killed here with packets, nothing of it is left there."""
        with Capture(RIG, target) as capture:
            self.up[target.rpartition("/")[2]].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
            capture.wait_packets(1)
            self.assertTrue(lib.processes(*names), "something captures there")
            capture.process.send_signal(signal.SIGKILL)
            capture.process.wait()
            self.gone(10, names)

    def captures(self, user, name, way, *args, traffic=None, until=b""):
        """Its packets, taken that way, one with `until` among them; nothing is left afterwards."""
        up = self.up[name]
        with Capture(RIG, f"{host(user)}/{name}", *args) as capture:
            (traffic or (lambda: up.enter("ping", "-c", "3", "-i", "0.2", "127.0.0.1")))()
            capture.wait_packets(2)
            wait_for(lambda: until in capture.path.read_bytes(), f"{until} in the file")
            done = capture.stop()
            errors = capture.stderr()
        self.assertIn(way, errors)
        self.assertTrue(done.links and done.all(lib_pcapng.Statistics))
        self.assertTrue(any(way in e["detail"] for e in done.events_of("lifecycle") if e["what"] == "attached"))
        self.assertEqual({name}, {e["container"] for e in done.events_of("lifecycle") if e.get("container")})
        self.assertIn(name, [c["name"] for e in done.events_of("inventory") for c in e.get("containers", [])])
        times = [p.time_ns for p in done.packets]
        self.assertEqual(sorted(times), times)
        self.gone()
        return done

    def test_list_inventory_and_check(self):
        there = podshark(RIG, "list", "--host", host(RIG))
        for name in ("own", "bridged", "kept"):
            self.assertIn(name, there.stdout)
        self.assertNotIn("web ", there.stdout)
        self.assertIn("rootful containers of", there.stderr)
        here = {c["name"]: c for c in inventory(ROOT)["containers"]}
        far = {c["name"]: c for c in inventory(RIG, "--host", host(ROOT))["containers"]}
        self.assertEqual({n for n in here if not here[n].get("rootless")}, set(far))
        for key in ("id", "image", "pid", "ports", "state"):
            self.assertEqual(here["web"].get(key), far["web"].get(key), key)
        self.assertEqual([a["addresses"] for a in here["web"]["networks"]], [a["addresses"] for a in far["web"]["networks"]])
        done = podshark(RIG, "check", "--host", host(ROOT), "web:80", check=False)
        self.assertIn(done.returncode, (0, 13), done.stderr)
        self.assertIn("podshark is not installed there", done.stdout + done.stderr)
        done = podshark(RIG, "probe", "--host", host(ROOT), "web:80", check=False)
        self.assertEqual((UNSUPPORTED, 1), (done.returncode, done.stderr.count("\n")))
        self.gone()

    AGENT = "through podshark-agent, sent to"

    @contextlib.contextmanager
    def without_agent(self):
        """The next best way: the far side's directories take no programs."""
        agents = PODSHARK.parent / "agents"
        hidden = agents.with_name("no-agents")
        agents.rename(hidden)
        try:
            yield
        finally:
            hidden.rename(agents)

    def test_the_agent_for_a_rootful_container(self):
        done = self.captures(ROOT, "web", self.AGENT, traffic=lambda: lib.fetch(28690), until=b"hello from")
        self.assertEqual({"podman:web/lo", "podman:web/eth0"}, {i.name for i in done.links})
        self.assertTrue(any(b"hello from" in p.data for p in done.packets_of("podman:web/eth0")))

    def test_the_agent_for_rootless_containers(self):
        for name in ("own", "bridged", "kept"):
            with self.subTest(name):
                self.captures(RIG, name, self.AGENT)

    def test_the_agent_with_links_filter_and_length(self):
        up = self.up["web"]
        done = self.captures(ROOT, "web", self.AGENT, "-i", "lo", "-f", "icmp", "-s", "60",
                             traffic=lambda: (lib.fetch(28690), up.enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")))
        self.assertEqual({"podman:web/lo"}, {i.name for i in done.links})
        self.assertTrue(all(len(p.data) <= 60 and p.data[23] == 1 for p in done.packets))

    def test_tcpdump_of_the_host_for_a_rootful_container(self):
        with self.without_agent():
            done = self.captures(ROOT, "web", "through tcpdump of", traffic=lambda: lib.fetch(28690), until=b"hello from")
        self.assertTrue(any(b"hello from" in p.data for p in done.packets))
        self.assertTrue(any("there is no podshark-agent" in e["detail"] for e in done.events_of("lifecycle")))

    def test_tcpdump_of_the_host_for_rootless_containers(self):
        for name in ("own", "bridged", "kept"):
            with self.subTest(name), self.without_agent():
                self.captures(RIG, name, "through tcpdump of")

    def test_tcpdump_with_links_filter_and_length(self):
        up = self.up["web"]
        with self.without_agent():
            done = self.captures(ROOT, "web", "through tcpdump of", "-i", "lo,eth0", "-f", "icmp or tcp port 80", "-s", "60",
                                 traffic=lambda: (lib.fetch(28690), up.enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")))
        self.assertEqual({"podman:web/lo", "podman:web/eth0"}, {i.name for i in done.links})
        self.assertTrue(all(len(p.data) <= 60 for p in done.packets))

    def test_sudo_makes_rootful_ones_reachable(self):
        done = podshark(RIG, "capture", f"{host(RIG)}/web", "-w", "/dev/null", check=False)
        self.assertEqual((3, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.sudoers("ALL")
        self.assertIn("web", podshark(RIG, "list", "--host", host(RIG)).stdout)
        self.captures(RIG, "web", self.AGENT, traffic=lambda: lib.fetch(28690))
        self.killed(f"{host(RIG)}/web", (*FAR, "sudo"))
        with self.without_agent():
            self.captures(RIG, "web", "through tcpdump of", traffic=lambda: lib.fetch(28690))
            self.killed(f"{host(RIG)}/web", (*FAR, "sudo"))

    def test_doas_does_as_well(self):
        path = pathlib.Path("/etc/doas.conf")
        path.write_text(f"permit nopass {RIG} as root\n")
        self.addCleanup(path.unlink)
        self.assertIn("web", podshark(RIG, "list", "--host", host(RIG)).stdout)
        self.captures(RIG, "web", self.AGENT, traffic=lambda: lib.fetch(28690))
        self.killed(f"{host(RIG)}/web", (*FAR, "doas"))
        with self.without_agent():
            self.captures(RIG, "web", "through tcpdump of", traffic=lambda: lib.fetch(28690))
            self.killed(f"{host(RIG)}/web", (*FAR, "doas"))

    def test_an_answer_of_sudo_that_comes_too_late(self):
        """When doas is asked already: nobody reads it, and it leaves no file."""
        asked = self.tmp / "asked"
        for name, does in (("sudo", f"while [ ! -e {asked} ]; do sleep 0.1; done"), ("doas", f"touch {asked}; sleep 2; exit 1")):
            program = pathlib.Path("/usr/local/bin", name)
            program.write_text(f"#!/bin/sh\n{does}\n")
            program.chmod(0o755)
            self.addCleanup(program.unlink)
        self.assertIn("own", podshark(RIG, "list", "--host", host(RIG)).stdout)
        self.assertTrue(asked.exists())
        self.gone(names=("sudo", "doas"))

    def test_other_login_shells_and_a_terminal(self):
        """The whole agent is one word of the command line; ssh_config may ask for a terminal, which would change its bytes."""
        before = pwd.getpwnam(RIG).pw_shell
        self.addCleanup(run, ROOT, ["usermod", "-s", before, RIG])
        config = lib_sshd.home(RIG) / "config"
        config.write_text("Host *\n  RequestTTY force\n")
        self.addCleanup(config.unlink)
        busybox = self.sshd / "ash"
        busybox.write_text('#!/bin/sh\nexec busybox ash "$@"\n')
        busybox.chmod(0o755)
        for shell in ("/bin/tcsh", "/bin/dash", busybox):
            with self.subTest(shell):
                run(ROOT, ["usermod", "-s", shell, RIG])
                self.captures(RIG, "own", self.AGENT)

    def test_exec_in_the_container(self):
        self.captures(ROOT, "tools", "through podman exec (tcpdump)", "--method", "exec")
        self.captures(RIG, "owntools", "through podman exec (tcpdump)", "--method", "exec")
        done = podshark(RIG, "capture", f"{host(ROOT)}/web", "--method", "exec", "-w", "/dev/null", check=False)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertIn("has neither tcpdump nor dumpcap", done.stderr)

    def test_a_sidecar(self):
        self.captures(ROOT, "web", "through a sidecar of image", "--method", "sidecar", "--sidecar-image", TOOLS,
                      traffic=lambda: lib.fetch(28690))
        self.captures(RIG, "own", "through a sidecar of image", "--method", "sidecar", "--sidecar-image", TOOLS)
        wait_for(lambda: "podshark-" not in run(ROOT, ["podman", "ps", "-a", "--format", "{{.Names}}"]).stdout, "the sidecar to go")

    def connection(self, user):
        """A connection of RIG's podman to the user's, over ssh."""
        socket = "/run/podshark-api.sock" if user == ROOT else f"/run/user/{pwd.getpwnam(RIG).pw_uid}/podshark-api.sock"
        service = lib.popen(user, ["podman", "system", "service", "-t", "0", f"unix://{socket}"])
        self.addCleanup(lib.end, service, signal.SIGTERM)
        wait_for(lambda: pathlib.Path(socket).exists(), "podman's service")
        run(RIG, ["podman", "system", "connection", "add", "--identity", lib_sshd.home(RIG) / "id_ed25519", "far",
                  f"ssh://{user}@127.0.0.1:{PORT}{socket}"])
        self.addCleanup(run, RIG, ["podman", "system", "connection", "remove", "far"])

    def beside(self, user=ROOT):
        names = run(user, ["podman", "ps", "-a", "--format", "{{.Names}}"]).stdout.split()
        return [n for n in names if n.startswith("podshark-")]

    def none_beside(self, user=ROOT):
        wait_for(lambda: not self.beside(user), "the container beside it to go", 10)

    def test_podmans_api_alone(self):
        self.connection(ROOT)
        self.assertIn("web", podshark(RIG, "list", "--host", "podman://far").stdout)
        with Capture(RIG, "podman://far/web") as capture:
            lib.fetch(28690)
            capture.wait_packets(4)
            self.assertEqual(1, len(self.beside()))
            done = capture.stop()
            self.assertIn(self.AGENT, capture.stderr())
        self.assertEqual({"podman:web/lo", "podman:web/eth0"}, {i.name for i in done.links})
        self.assertTrue(any(b"hello from" in p.data for p in done.packets))
        self.gone()
        self.none_beside()
        self.killed("podman://far/web")
        self.none_beside()
        done = podshark(RIG, "capture", "podman://nowhere/web", "-w", "/dev/null", check=False)
        self.assertEqual((6, 1), (done.returncode, done.stderr.count("\n")), done.stderr)

    def test_podmans_api_alone_for_rootless_containers(self):
        self.connection(RIG)
        listed = podshark(RIG, "list", "--host", "podman://far").stdout
        for name in ("own", "bridged"):
            with self.subTest(name):
                self.assertIn(name, listed)
                with Capture(RIG, f"podman://far/{name}") as capture:
                    self.up[name].enter("ping", "-c", "3", "-i", "0.2", "127.0.0.1")
                    capture.wait_packets(6)
                    self.assertEqual(1, len(self.beside(RIG)))
                    done = capture.stop()
                    self.assertIn(self.AGENT, capture.stderr())
                self.assertTrue(done.packets_of(f"podman:{name}/lo"))
                self.gone()
                self.none_beside(RIG)
        self.killed("podman://far/own")
        self.none_beside(RIG)

    def lost_link_through_the_api(self, user, name):
        self.connection(user)
        with Capture(RIG, f"podman://far/{name}") as capture:
            self.up[name].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
            capture.wait_packets(1)
            # Of its connections none is a session: their titles have no terminal.
            # The beats are made by a shell on this side, which goes on until it is told.
            self.lose_the_link([capture], lib_sshd.sessions(f": {user}".encode()), "was lost", far=("podshark-agent",))
        self.none_beside(user)
        self.gone()

    def test_a_lost_link_through_podmans_api(self):
        self.lost_link_through_the_api(ROOT, "web")

    def test_a_lost_link_through_podmans_api_for_rootless_containers(self):
        self.lost_link_through_the_api(RIG, "own")

    def test_the_host_network_without_our_own_connection(self):
        done = podshark(RIG, "capture", f"{host(ROOT)}/hosted", "-w", "/dev/null", check=False)
        self.assertEqual((UNSUPPORTED, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.assertIn("which ports there are its own is not known", done.stderr)
        with Capture(RIG, f"{host(ROOT)}/hosted", "--all-host") as capture:
            run(ROOT, ["ping", "-c", "3", "-i", "0.2", "127.0.0.1"])
            capture.wait_packets(4)
            time.sleep(1)
            done = capture.stop()
        port = PORT.to_bytes(2, "big")
        ours = []
        for p in done.packets:
            ports = 34 if p.interface.linktype == 1 else 40  # behind Ethernet, or behind LINUX_SLL2
            if port in (p.data[ports:ports + 2], p.data[ports + 2:ports + 4]):
                ours.append(p.data.hex())
        self.assertEqual([], ours[:3])
        self.gone()

    def test_a_count_ends_it(self):
        with Capture(RIG, f"{host(ROOT)}/web", "-c", "3") as capture:
            lib.fetch(28690)
            capture.process.wait(20)
            self.assertEqual(0, capture.process.returncode, capture.stderr())
            self.assertEqual(3, len(capture.so_far().packets))
        self.gone()

    SIDECAR = ("--method", "sidecar", "--sidecar-image", TOOLS)
    WAYS = (("web", ()), ("own", ()), ("tools", ("--method", "exec")), ("owntools", ("--method", "exec")), ("web", SIDECAR), ("own", SIDECAR))

    @contextlib.contextmanager
    def each_way(self):
        """Captures under way, each by its container's owner, with packets: the agent's two, then the others, without it."""
        captures = []
        with contextlib.ExitStack() as stack:
            for name in ("web", "own"):
                captures.append(stack.enter_context(Capture(RIG, f"{host(self.up[name].user)}/{name}")))
            stack.enter_context(self.without_agent())
            for name, args in self.WAYS:
                captures.append(stack.enter_context(Capture(RIG, f"{host(self.up[name].user)}/{name}", *args)))
            for name in ("web", "own", "tools", "owntools"):
                self.up[name].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
            for capture in captures:
                capture.wait_packets(1)
            said = [capture.stderr() for capture in captures]
            for number, words in enumerate((self.AGENT, self.AGENT, "tcpdump of", "tcpdump of", "podman exec", "podman exec", "a sidecar", "a sidecar")):
                self.assertIn(words, said[number])
            yield captures

    def test_killed_here_each_way_ends_there(self):
        with self.each_way() as captures:
            self.assertTrue(lib.processes("tcpdump") and lib.processes("podshark-agent"), "something captures there")
            for capture in captures:
                capture.process.send_signal(signal.SIGKILL)
                capture.process.wait()
            self.gone(10)
            for user in (ROOT, RIG):
                self.none_beside(user)
            for capture in captures:
                lib_pcapng.read(capture.path, partial=True)

    def lose_the_link(self, captures, sessions, words, far=FAR):
        """The far side is gone within ten seconds, it is told here within fifteen, and what came is kept."""
        with lib_sshd.cut(sessions) as since:
            self.gone(10, far)
            for capture in captures:
                capture.process.wait(20)
            self.assertLess(since(), 15)
        self.told(captures, words)

    def told(self, captures, words):
        for capture in captures:
            self.assertEqual(UNREACHABLE, capture.process.returncode, capture.stderr())
            self.assertEqual(1, capture.stderr().count(words), capture.stderr())
            self.assertNotIn("has stopped", capture.stderr())
            self.assertTrue(capture.so_far().packets)

    def test_a_lost_link_ends_each_way_there(self):
        with self.each_way() as captures:
            self.lose_the_link(captures, lib_sshd.sessions(), "was lost")
            self.gone()
            for user in (ROOT, RIG):
                self.none_beside(user)

    def test_a_link_that_comes_back_too_late_is_told_each_way(self):
        """The far side gave up, ssh did not: no container has stopped."""
        with self.each_way() as captures:
            lib_sshd.hold_up(8)
            for capture in captures:
                capture.process.wait(15)
            self.told(captures, "for 6 s")
            self.gone(10)

    def test_it_ends_with_the_container(self):
        name = "shortlived"
        run(ROOT, ["podman", "run", "-d", "--rm", "--name", name, lib.IMAGE, "sleep", "1000"])
        self.addCleanup(run, ROOT, ["podman", "rm", "-f", "-t", "0", "-i", name], check=False)
        with Capture(RIG, f"{host(ROOT)}/{name}") as capture:
            run(ROOT, ["podman", "rm", "-f", "-t", "0", name])
            self.assertEqual(0, capture.process.wait(15), capture.stderr())
            self.assertIn("has stopped", capture.stderr())
        self.gone()

    def test_what_needs_podshark_there_says_so(self):
        for args in (("--wait",), ("--point", "host"), ("--drops", "on"), ("--method", "netns")):
            done = podshark(RIG, "capture", f"{host(ROOT)}/web", *args, "-w", "/dev/null", check=False)
            self.assertEqual((UNSUPPORTED, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
            self.assertIn(f"{args[0]}", done.stderr)
            self.assertIn("where it is not installed", done.stderr)

    def test_twenty_five_containers_at_once(self):
        """More connections than sshd takes beginners."""
        names = [f"many{i}" for i in range(25)]
        for name in names:
            self.up.update(lib.start(Ctr(name, cmd=("sleep", "1000000"))))
        self.addCleanup(run, ROOT, ["podman", "rm", "-f", "-t", "0", *names])
        listed = podshark(RIG, "list", "--host", host(ROOT)).stdout
        self.assertEqual(set(names), {word for line in listed.splitlines() for word in line.split() if word.startswith("many")} & set(names))
        with Capture(RIG, *(f"{host(ROOT)}/{name}" for name in names)) as capture:
            wait_for(lambda: len({i.name.partition("/")[0] for i in capture.links()}) == 25,
                     lambda: f"25 containers: {capture.stderr()}", 60)
            for name in names:
                self.up[name].enter("ping", "-c", "1", "127.0.0.1")
            capture.wait_packets(50)
            done = capture.stop()
            errors = capture.stderr()
        self.assertEqual({f"podman:{name}/lo" for name in names}, {p.interface.name for p in done.packets if p.interface.name.endswith("/lo")})
        lib_podshark.in_order(self, [p.time_ns for p in done.packets], errors)
        self.gone()

    def fills(self, name, *args):
        """What fits is a valid file, and the far side ends."""
        disk = self.tmp / f"disk-{name}"
        disk.mkdir()
        run(ROOT, ["mount", "-t", "tmpfs", "-o", "size=256k,mode=1777", "tmpfs", disk])
        self.addCleanup(run, ROOT, ["umount", disk])
        file = disk / "full.pcapng"
        child = self.child(RIG, [PODSHARK, "capture", f"{host(ROOT)}/{name}", *args, "-w", file], stderr=subprocess.PIPE)

        def begun():
            self.up[name].enter("ping", "-c", "1", "127.0.0.1")
            return file.exists() and file.stat().st_size > 28 and lib_pcapng.read(file, partial=True).packets
        wait_for(begun, "the capture")
        sender = lib.BIN / "tests/tools/packet_sender"
        run(ROOT, [sender, "podman0", self.up[name].mac, 1000, 1000, 2000])
        self.assertEqual(9, child.wait(20))
        errors = child.stderr.read().decode().splitlines()
        self.assertIn("No space left on device", errors[-1])
        self.assertEqual(1, sum("No space left" in line for line in errors), errors)
        self.assertTrue(lib_pcapng.read(file).packets)
        self.gone()

    def test_a_full_disk(self):
        self.fills("web")
        self.fills("tools", "--method", "exec")

    def test_a_container_that_is_not_there(self):
        done = podshark(RIG, "capture", f"{host(ROOT)}/nobody", "-w", "/dev/null", check=False)
        self.assertEqual((3, 1), (done.returncode, done.stderr.count("\n")), done.stderr)


class NoPodman(RigTest):
    """A machine on which podman is no program: in the mount namespace of its sshd."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lib_sshd.start(cls, "127.0.0.1", port=PORT + 1, enter=(
            "unshare", "-m", "sh", "-c", 'mount --bind /dev/null /usr/bin/podman; exec "$@"', "sh"))

    def test_it_is_told_in_one_line(self):
        far = f"ssh://{ROOT}@127.0.0.1:{PORT + 1}"
        for words in (("list", "--host", far), ("capture", f"{far}/web", "-w", "/dev/null")):
            done = podshark(RIG, *words, check=False)
            self.assertEqual((6, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
            self.assertIn(f"{ROOT}@127.0.0.1:{PORT + 1} has no podman in its PATH", done.stderr)


class NoPrograms(RigTest):
    """A machine whose directories take no programs, to whoever comes through its sshd; at another port it has no tcpdump either."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        homes = [lib.environment(user)["HOME"] for user in (ROOT, RIG)]
        places = " ".join(["/tmp", "/var/tmp", "/run", lib.environment(RIG)["XDG_RUNTIME_DIR"], *homes])
        noexec = f"for d in {places}; do mount --rbind $d $d && mount -o remount,bind,noexec $d || exit; done; "
        for port, hidden in ((PORT + 2, ""), (PORT + 3, "mount --bind /dev/null /usr/bin/tcpdump; ")):
            lib_sshd.start(cls, "127.0.0.1", "SetEnv PATH=/usr/local/bin:/usr/bin:/bin CONTAINERS_CONF=/etc/rig.conf", port=port,
                           enter=("unshare", "-m", "sh", "-c", noexec + hidden + 'exec "$@"', "sh"))

    def captures(self, port, way, *which):
        before = left_there()
        for user, name in which:
            with self.subTest(name), Capture(RIG, f"ssh://{user}@127.0.0.1:{port}/{name}") as capture:
                self.up[name].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
                capture.wait_packets(2)
                done = capture.stop()
                self.assertIn(way, capture.stderr())
                self.assertTrue(any("takes programs (noexec)" in e["detail"] for e in done.events_of("lifecycle")), done.events)
            wait_for(lambda: not lib.processes(*FAR), lambda: f"the far side to end: {lib.processes(*FAR)}", 10)
            self.assertLessEqual(left_there(), before)

    def test_tcpdump_takes_over(self):
        self.captures(PORT + 2, "through tcpdump of", (ROOT, "web"), (RIG, "own"))

    def test_dumpcap_takes_over(self):
        # A rootless podman enters the mount namespace that its user's containers have, where tcpdump is.
        self.captures(PORT + 3, "through dumpcap of", (ROOT, "web"))


if WORLD == "deb12":
    del NoPodman, NoPrograms, Ways  # sshd is in the Debian 13 root only
