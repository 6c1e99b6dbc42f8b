# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines without podshark, through a real sshd: what they can all the same, way by way."""

import os
import pathlib
import signal
import time

import lib
import lib_images
import lib_pcapng
import lib_sshd
from lib import RIG, ROOT, WORLD, Ctr, Net, RigTest, run, wait_for
from lib_podshark import Capture, inventory, podshark

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


class Ways(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sshd = lib_sshd.start(cls, "127.0.0.1", "SetEnv PATH=/usr/local/bin:/usr/bin:/bin", port=PORT)

    def sudoers(self, text):
        path = pathlib.Path("/etc/sudoers.d/podshark-test")
        path.write_text(f"{RIG} ALL=(root) NOPASSWD: {text}\n")
        path.chmod(0o440)
        self.addCleanup(path.unlink)

    def gone(self, seconds=10):
        wait_for(lambda: not lib.processes(*FAR), lambda: f"the far side to end: {lib.processes(*FAR)}", seconds)

    def captures(self, user, name, way, *args, traffic=None):
        """Its packets, taken that way; nothing is left afterwards."""
        up = self.up[name]
        with Capture(RIG, f"{host(user)}/{name}", *args) as capture:
            (traffic or (lambda: up.exec("ping", "-c", "3", "-i", "0.2", "127.0.0.1")))()
            capture.wait_packets(2)
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
        self.assertEqual({n for n in here if here[n]["owner"] == 0}, set(far))
        for key in ("id", "image", "pid", "ports", "state"):
            self.assertEqual(here["web"].get(key), far["web"].get(key), key)
        self.assertEqual([a["addresses"] for a in here["web"]["networks"]], [a["addresses"] for a in far["web"]["networks"]])
        done = podshark(RIG, "check", "--host", host(ROOT), "web:80", check=False)
        self.assertIn(done.returncode, (0, 13), done.stderr)
        self.assertIn("podshark is not installed there", done.stdout + done.stderr)
        done = podshark(RIG, "probe", "--host", host(ROOT), "web:80", check=False)
        self.assertEqual((UNSUPPORTED, 1), (done.returncode, done.stderr.count("\n")))
        self.gone()

    def test_tcpdump_of_the_host_for_a_rootful_container(self):
        done = self.captures(ROOT, "web", "through tcpdump of", traffic=lambda: lib.fetch(28690))
        self.assertTrue(any(b"hello from" in p.data for p in done.packets))

    def test_tcpdump_of_the_host_for_rootless_containers(self):
        for name in ("own", "bridged", "kept"):
            with self.subTest(name):
                self.captures(RIG, name, "through tcpdump of")

    def test_links_filter_and_length(self):
        up = self.up["web"]
        done = self.captures(ROOT, "web", "through tcpdump of", "-i", "lo,eth0", "-f", "icmp or tcp port 80", "-s", "60",
                             traffic=lambda: (lib.fetch(28690), up.exec("ping", "-c", "2", "-i", "0.2", "127.0.0.1")))
        self.assertEqual({"podman:web/lo", "podman:web/eth0"}, {i.name for i in done.links})
        self.assertTrue(all(len(p.data) <= 60 for p in done.packets))

    def test_sudo_makes_rootful_ones_reachable(self):
        done = podshark(RIG, "capture", f"{host(RIG)}/web", "-w", "/dev/null", check=False)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertNotEqual(0, done.returncode)
        self.sudoers("ALL")
        self.assertIn("web", podshark(RIG, "list", "--host", host(RIG)).stdout)
        self.captures(RIG, "web", "through tcpdump of", traffic=lambda: lib.fetch(28690))

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

    def test_the_host_network_without_our_own_connection(self):
        with Capture(RIG, f"{host(ROOT)}/hosted") as capture:
            run(ROOT, ["ping", "-c", "3", "-i", "0.2", "127.0.0.1"])
            capture.wait_packets(4)
            time.sleep(1)
            done = capture.stop()
        port = PORT.to_bytes(2, "big")
        self.assertEqual([], [p.data.hex() for p in done.packets if port in (p.data[40:42], p.data[42:44])][:3])
        self.gone()

    def test_a_count_ends_it(self):
        with Capture(RIG, f"{host(ROOT)}/web", "-c", "3") as capture:
            lib.fetch(28690)
            capture.process.wait(20)
            self.assertEqual(0, capture.process.returncode, capture.stderr())
            self.assertEqual(3, len(capture.so_far().packets))
        self.gone()

    WAYS = (("web", ()), ("tools", ("--method", "exec")), ("web", ("--method", "sidecar", "--sidecar-image", TOOLS)))

    def test_killed_here_each_way_ends_there(self):
        for name, args in self.WAYS:
            with self.subTest(name, args=args), Capture(RIG, f"{host(ROOT)}/{name}", *args) as capture:
                self.up[name].exec("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
                capture.wait_packets(1)
                self.assertTrue(lib.processes("tcpdump"))
                capture.process.send_signal(signal.SIGKILL)
                capture.process.wait()
                self.gone(10)
                lib_pcapng.read(capture.path, partial=True)

    def test_a_lost_link_ends_each_way_there(self):
        for name, args in self.WAYS:
            with self.subTest(name, args=args), Capture(RIG, f"{host(ROOT)}/{name}", *args) as capture:
                self.up[name].exec("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
                capture.wait_packets(1)
                sessions = lib_sshd.sessions()
                for pid in sessions:
                    os.kill(pid, signal.SIGSTOP)
                began = time.monotonic()
                try:
                    self.gone(10)
                    capture.process.wait(20)
                    self.assertLess(time.monotonic() - began, 15)
                finally:
                    for pid in sessions:
                        os.kill(pid, signal.SIGKILL)
                self.assertEqual(UNREACHABLE, capture.process.returncode, capture.stderr())
                self.assertIn("was lost", capture.stderr())
                self.assertTrue(capture.so_far().packets)

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

    def test_a_container_that_is_not_there(self):
        done = podshark(RIG, "capture", f"{host(ROOT)}/nobody", "-w", "/dev/null", check=False)
        self.assertEqual((3, 1), (done.returncode, done.stderr.count("\n")), done.stderr)


if WORLD == "deb12":
    del Ways  # sshd is in the Debian 13 root only
