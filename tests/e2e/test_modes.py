# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers whose network podman did not make, or made otherwise than by a bridge: --network ns:PATH, macvlan, and
rootful ones with a user namespace of their own; as root, as a member of group wireshark and rootless."""

import os
import pathlib
import subprocess
import unittest

from lib import MEMBER, RIG, ROOT, Ctr, Net, fetch, image_for, podman, quick, run, start
from lib_podshark import PREFIX, Capture, install_worker, inventory, podshark, remove_worker
from test_capture import TruthTest

# Two namespaces as an administrator makes them; the name of the second is taken away once its container runs:
#   vlab 10.77.0.1 ── eth0 10.77.0.2 (lab)        vgone 10.78.0.1 ── eth0 10.78.0.2 (gone)
LAB, GONE = "10.77.0.2", "10.78.0.2"
ONWAN = "203.0.113.50"
CONTAINERS = (
    Ctr("inlab", network="ns:/run/netns/lab"),
    Ctr("second", network="ns:/run/netns/lab", cmd=("sleep", "1000000")),
    Ctr("orphan", network="ns:/run/netns/gone"),
    Ctr("outside", network="ns:/proc/1/ns/net", cmd=("sleep", "1000000")),
    Net("street", options=("-d", "macvlan", "-o", "parent=wan0", "--subnet", "203.0.113.0/24")),
    Ctr("onwan", network="street", options=("--ip", ONWAN)),
    Ctr("mapped", ports=("28080:80",), options=("--uidmap", "0:200000:65536", "--gidmap", "0:200000:65536")),
    Net("lan", user=MEMBER),
    Ctr("mine", user=MEMBER, network="lan", ports=("28081:80",)),
)


def make_namespace(name, link, host, address):
    for command in (f"ip netns add {name}", f"ip -n {name} link set lo up",
                    f"ip link add {link} type veth peer name eth0 netns {name}",
                    f"ip addr add {host}/24 dev {link}", f"ip link set {link} up",
                    f"ip -n {name} addr add {address}/24 dev eth0", f"ip -n {name} link set eth0 up"):
        run(ROOT, command.split())
    unittest.addModuleCleanup(run, ROOT, ["ip", "netns", "del", name], check=False)


def setUpModule():
    make_namespace("lab", "vlab", "10.77.0.1", LAB)
    make_namespace("gone", "vgone", "10.78.0.1", GONE)
    image_for(MEMBER)
    install_worker()
    unittest.addModuleCleanup(remove_worker)


def kind_of(user, name):
    return next((c["kind"], c.get("mode")) for c in inventory(user)["containers"] if c["name"] == name)


class ModeTest(TruthTest):
    def ask_lab(self, address=LAB):
        self.assertIn("hello", fetch(80, host=address, outside=False))

    def ask_onwan(self):
        self.assertIn("hello", fetch(80, host=ONWAN))

    def capture(self, user, *names, traffic, packets=4):
        """A complete capture by the installed podshark, which finds the installed worker."""
        with Capture(user, *names, program=PREFIX / "bin/podshark") as capture:
            self.assertTrue(capture.links(), capture.stderr())
            # The group's power is in the worker: podshark itself has no capability at all.
            if user != ROOT:
                status = pathlib.Path(f"/proc/{capture.process.pid}/status").read_text()
                self.assertIn("CapPrm:\t0000000000000000", status)
            traffic()
            capture.wait_packets(packets)
            return capture.stop()

    def check_links(self, done, *names):
        self.assertEqual(sorted(names), sorted(i.name for i in done.links))
        self.assertEqual({names[-1]}, {p.interface.name for p in done.packets})


class NamespaceByPath(ModeTest):
    def test_root_gets_every_byte(self):
        self.check(ROOT, "inlab", "eth0", lambda: [self.ask_lab() for _ in range(5)])

    @quick
    def test_root_sees_what_it_is(self):
        self.assertEqual(("ns", "ns:/run/netns/lab"), kind_of(ROOT, "inlab"))
        done = self.capture(ROOT, "inlab", traffic=self.ask_lab)
        self.check_links(done, "podman:inlab/lo", "podman:inlab/eth0")
        mine = next(i for i in done.links if i.name.endswith("eth0"))
        self.assertEqual([LAB + "/24"], mine.meta["addresses"][:1])
        self.assertEqual(os.stat("/run/netns/lab").st_ino, mine.meta["netns"])

    @quick
    def test_a_member_captures_it_through_the_worker(self):
        done = self.capture(MEMBER, "inlab", traffic=self.ask_lab)
        self.check_links(done, "podman-root:inlab/lo", "podman-root:inlab/eth0")

    def test_two_containers_in_it_are_captured_once(self):
        for user, prefix in ((ROOT, "podman"), (MEMBER, "podman-root")):
            with self.subTest(user):
                done = self.capture(user, "inlab", "second", traffic=self.ask_lab)
                self.check_links(done, f"{prefix}:inlab/lo", f"{prefix}:inlab/eth0")

    def test_it_is_captured_though_its_name_is_gone(self):
        run(ROOT, ["ip", "netns", "del", "gone"])
        for user, prefix in ((ROOT, "podman"), (MEMBER, "podman-root")):
            with self.subTest(user):
                done = self.capture(user, "orphan", traffic=lambda: self.ask_lab(GONE))
                self.check_links(done, f"{prefix}:orphan/lo", f"{prefix}:orphan/eth0")

    def test_the_hosts_own_namespace_is_the_hosts_network(self):
        for user in (ROOT, MEMBER):
            with self.subTest(user):
                self.assertEqual("host", kind_of(user, "outside")[0])
                done = podshark(user, "capture", "outside", "--method", "netns", "-w", self.tmp / user, "--duration", "1",
                                check=False)
                self.assertNotEqual(0, done.returncode)
                self.assertIn("host's network", done.stderr)

    def test_rootless(self):
        # A namespace below the user's own user namespace, which is the only kind podman lets him name.
        holder = self.child(RIG, ["podman", "unshare", "unshare", "-n", "sh", "-c", "echo $$; exec sleep 1000000"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        pid = holder.stdout.readline().strip()
        up = start(Ctr("below", user=RIG, network=f"ns:/proc/{pid}/ns/net"))["below"]
        self.addCleanup(podman, RIG, "rm", "-f", "-t", "0", "below")
        run(ROOT, ["nsenter", "-t", pid, "-n", "ip", "link", "set", "lo", "up"])
        with Capture(RIG, "below", no_new_privs=True) as capture:
            up.exec("wget", "-q", "-O", "-", "http://127.0.0.1/")
            capture.wait_packets(4)
            done = capture.stop()
        self.check_links(done, "podman:below/lo")
        self.assertEqual(("ns", f"ns:/proc/{pid}/ns/net"), kind_of(RIG, "below"))


class Macvlan(ModeTest):
    def test_root_gets_every_byte(self):
        self.check(ROOT, "onwan", "eth0", lambda: [self.ask_onwan() for _ in range(5)])

    @quick
    def test_root_sees_what_it_is(self):
        self.assertEqual(("macvlan", "bridge"), kind_of(ROOT, "onwan"))
        done = self.capture(ROOT, "onwan", traffic=self.ask_onwan)
        mine = next(i for i in done.links if i.name == "podman:onwan/eth0")
        self.assertEqual("street", mine.keys["network"])
        self.assertTrue(any(b"hello from a podman" in p.data for p in done.packets_of(mine.name)))

    @quick
    def test_a_member_captures_it_through_the_worker(self):
        done = self.capture(MEMBER, "onwan", traffic=self.ask_onwan)
        self.assertIn("podman-root:onwan/eth0", [i.name for i in done.links])
        self.assertTrue(done.packets_of("podman-root:onwan/eth0"))


class OwnUserNamespace(ModeTest):
    """--uidmap, --userns=auto: the network namespace belongs to the container's user namespace, not to the host's."""

    def test_root(self):
        done = self.capture(ROOT, "mapped", traffic=lambda: fetch(28080))
        self.check_links(done, "podman:mapped/lo", "podman:mapped/eth0")

    @quick
    def test_a_member_captures_it_through_the_worker(self):
        done = self.capture(MEMBER, "mapped", traffic=lambda: fetch(28080))
        self.check_links(done, "podman-root:mapped/lo", "podman-root:mapped/eth0")


class SeenByOthers(ModeTest):
    """What can be known of a rootful container without asking podman."""

    @quick
    def test_kinds(self):
        expected = {"mapped": "bridge", "outside": "host", "second": "shared",
                    # These look alike from outside: a link with an address.
                    "inlab": "unknown", "onwan": "unknown"}
        seen = {c["name"]: c for c in inventory(MEMBER)["containers"]}
        self.assertEqual(expected, {name: seen[name]["kind"] for name in expected})
        self.assertEqual(seen["inlab"]["id"], seen["second"]["shares_with"])


class OwnAndRootful(ModeTest):
    def test_a_member_captures_his_bridge_and_a_rootful_container_in_one_file(self):
        def traffic():
            self.assertIn("hello", fetch(28081))
            self.ask_onwan()
        done = self.capture(MEMBER, "mine", "podman-root:onwan", traffic=traffic, packets=16)
        self.assertEqual({"podman:mine/lo", "podman:mine/eth0", "podman-root:onwan/lo", "podman-root:onwan/eth0"},
                         {i.name for i in done.links})
        self.assertEqual({"podman:mine", "podman-root:onwan"}, {p.interface.name.rpartition("/")[0] for p in done.packets})
