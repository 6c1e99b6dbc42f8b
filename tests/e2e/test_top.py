# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark top against traffic whose bytes, retransmits, drops and connections are known."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import lib
from lib import MEMBER, OTHER, RIG, ROOT, Ctr, Net, Pod, RigTest, client, fetch, quick, run, wait_for
from lib_podshark import PODSHARK, podshark

IDLE = ("sleep", "1000000")
CONTAINERS = (
    Ctr("web", ports=("28080:80",)),
    Ctr("peer", cmd=IDLE),
    Ctr("idle", cmd=IDLE),
    Net("lan", user=RIG),
    Ctr("left", user=RIG, network="lan", ports=("28082:80",)),
    Ctr("right", user=RIG, network="lan", cmd=IDLE),
    Ctr("own", user=RIG, ports=("28081:80",)),
    Pod("shop", user=RIG, ports=("28083:80",), members=("front", "back")),
    Ctr("host", user=RIG, network="host", cmd=IDLE),
    Ctr("stopped", user=RIG, cmd=("true",)),
)
BOTH = ((ROOT, "web", "peer"), (RIG, "left", "right"))  # user, server, client

SERVER = """import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=64)
print("ready", flush=True)
kept = []
while True:
    c, _ = s.accept()
    kept.append(c)
    if sys.argv[2:] == ["swallow"]:
        while c.recv(1 << 20):
            pass
        print("done", flush=True)
"""
SEND = """import socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])))
c.sendall(bytes(int(sys.argv[3])))
"""
CONNECT = """import socket, sys, time
kept = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(int(sys.argv[3]))]
print("ready", flush=True)
time.sleep(1000)
"""
UDP = """import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(int(sys.argv[3])):
    s.sendto(bytes(int(sys.argv[4])), (sys.argv[1], int(sys.argv[2])))
"""
DEAF = """import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
time.sleep(1000)
"""


class Top:
    """`podshark top --json` in the background.

    with Top(RIG, "left") as top:
        top.wait(lambda t: t.sum("left", "rx_bytes") > 100, "traffic")
    """

    def __init__(self, test, user, *args):
        self.path = test.tmp / f"top-{time.monotonic_ns()}.json"
        self.out = self.path.open("wb")
        self.process = test.child(user, [PODSHARK, "top", "--json", "--interval", "0.5", *args], stdout=self.out,
                                  stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        self.wait(lambda top: top.refreshes(), "the first refresh")
        return self

    def __exit__(self, kind, *_):
        code = lib.end(self.process, signal.SIGINT)
        self.out.close()
        if kind is None and code != 0:
            raise AssertionError(f"podshark top exited {code}: {self.process.stderr.read()}")

    def refreshes(self):
        text = self.path.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def wait(self, condition, what, timeout=40):
        def holds():
            assert self.process.poll() is None, f"podshark top ended: {self.process.stderr.read()}"
            return condition(self)
        return wait_for(holds, what, timeout)

    def entries(self, name):
        return [c for r in self.refreshes() for c in r["containers"] if c["name"] == name]

    def last(self, name):
        """The container's entry in the newest refresh; None when it is not there."""
        newest = self.refreshes()[-1]
        return next((c for c in newest["containers"] if c["name"] == name), None)

    def sum(self, name, key):
        return sum(e[key] for e in self.entries(name))

    def peer_sum(self, container, key, **match):
        return sum(p[key] for e in self.entries(container) for p in e["peers"]
                   if all(p[k] == v for k, v in match.items()))


class TopTest(RigTest):
    def inside(self, name, code, *args):
        """A Python program in the container's network namespace that prints "ready"."""
        pid = str(self.up[name].pid)
        child = self.child(ROOT, ["nsenter", "-t", pid, "-n", "/usr/bin/python3", "-c", code, *map(str, args)],
                           stdout=subprocess.PIPE, text=True)
        self.assertEqual("ready\n", child.stdout.readline())
        return child

    def run_inside(self, name, code, *args):
        self.up[name].enter("/usr/bin/python3", "-c", code, *map(str, args))


class Bytes(TopTest):
    SIZE = 20_000_000

    def near(self, got, what):
        # Headers, acknowledgements and the handshake are at most a few percent.
        self.assertGreaterEqual(got, self.SIZE, what)
        self.assertLessEqual(got, self.SIZE * 1.05, what)

    def check(self, user, server, sender):
        listener = self.inside(server, SERVER, 5001, "swallow")
        address = self.up[server].address
        with Top(self, user, server, sender) as top:
            self.run_inside(sender, SEND, address, 5001, self.SIZE)
            self.assertEqual("done\n", listener.stdout.readline())
            sent = top.wait(lambda t: t.sum(server, "rx_bytes") >= self.SIZE and t.sum(sender, "tx_bytes") >= self.SIZE,
                            "the bytes on both sides")
            self.assertTrue(sent)
            here, there = dict(name=sender, side="local", port=5001), dict(name=server, side="remote", port=5001)
            self.near(top.sum(server, "rx_bytes"), "server, all")
            self.near(top.sum(sender, "tx_bytes"), "sender, all")
            self.near(top.peer_sum(server, "rx_bytes", protocol="tcp", **here), "server, by peer")
            self.near(top.peer_sum(sender, "tx_bytes", protocol="tcp", **there), "sender, by peer")
            self.assertLess(top.sum(server, "tx_bytes"), self.SIZE / 10)
            self.assertEqual(0, top.sum(server, "unseen_packets") + top.sum(sender, "unseen_packets"))
            # Counters and packets speak of the same time: in every single refresh they agree, but for the few
            # packets (64 KiB each) that pass while the counters are being read.
            for name in (server, sender):
                for e in top.entries(name):
                    seen = sum(p["rx_bytes"] for p in e["peers"] if not p["loopback"]) + e["others"]["rx_bytes"]
                    self.assertAlmostEqual(e["rx_bytes"], seen, delta=4 * 65536 + e["rx_bytes"] / 50)
                last = top.last(name)
                self.assertEqual(top.sum(name, "rx_bytes"), last["since_start"]["rx_bytes"])
                self.assertEqual(last["rx_bytes"], sum(i["rx_bytes"] for i in last["links"] if not i["loopback"]))

    @quick
    def test_rootful_between_two_containers(self):
        self.check(*BOTH[0])

    def test_rootless_between_two_containers(self):
        self.check(*BOTH[1])

    def test_published_port_of_a_rootless_bridge_is_on_loopback(self):
        """The forwarder is a process in the namespace: the bytes cross lo, once, and eth0 not at all."""
        self.up["left"].exec("dd", "if=/dev/zero", "of=/www/big", "bs=1000000", "count=5")
        with Top(self, RIG, "left") as top:
            fetch(28082, "/big")
            top.wait(lambda t: t.sum("left", "lo_bytes") > 5_000_000, "the download")
            self.assertLess(top.sum("left", "lo_bytes"), 5_000_000 * 1.05)
            self.assertLess(top.sum("left", "tx_bytes"), 100_000)
            published = dict(loopback=True, side="local", port=80, published_port=28082)
            self.assertGreaterEqual(top.peer_sum("left", "tx_bytes", **published), 5_000_000)
            self.assertLess(top.peer_sum("left", "rx_bytes", **published), 500_000)

    def test_published_port_of_the_default_rootless_network(self):
        self.up["own"].exec("dd", "if=/dev/zero", "of=/www/big", "bs=1000000", "count=5")
        with Top(self, RIG, "own") as top:
            fetch(28081, "/big")
            key = "lo_bytes" if lib.WORLD == "deb12" else "tx_bytes"  # pasta passes outside traffic to its tap
            top.wait(lambda t: t.sum("own", key) > 5_000_000, "the download")
            # Behind pasta the container sends much of it twice: what pasta's outer socket does not take at once it
            # leaves to the sender's TCP to repeat, in segments of up to its MTU, 65520.
            self.assertLess(top.sum("own", key), 5_000_000 * 1.05 + 65520 * top.sum("own", "retransmits"))
            if lib.WORLD != "deb12":
                mine = dict(address=lib.CLIENT, loopback=False, side="local", port=80, published_port=28081)
                self.assertGreaterEqual(top.peer_sum("own", "tx_bytes", **mine), 5_000_000)

    def test_a_service_that_begins_during_the_run_is_named_from_its_first_connection(self):
        with Top(self, ROOT, "web", "peer") as top:
            listener = self.inside("web", SERVER, 50006, "swallow")  # greater than a client's port may be
            self.run_inside("peer", SEND, self.up["web"].address, 50006, 100_000)
            self.assertEqual("done\n", listener.stdout.readline())
            self.assertTrue(top.wait(lambda t: t.peer_sum("web", "rx_bytes", side="local", port=50006) > 100_000,
                                     "the bytes"))
            self.assertEqual(0, top.peer_sum("web", "rx_bytes", side="remote", protocol="tcp"))
            self.assertEqual(0, top.peer_sum("peer", "tx_bytes", side="local", protocol="tcp"))

    def test_without_peers_no_packet_socket_is_opened(self):
        with Top(self, ROOT, "web", "--peers", "0") as top:
            fetch(28080)
            top.wait(lambda t: t.sum("web", "rx_bytes") > 0, "traffic")
            self.assertEqual([], [p for e in top.entries("web") for p in e["peers"]])
            fds = pathlib.Path(f"/proc/{top.process.pid}/fd")
            sockets = {os.readlink(f)[8:-1] for f in fds.iterdir() if os.readlink(f).startswith("socket:")}
            packet = pathlib.Path(f"/proc/{self.up['web'].pid}/net/packet").read_text().splitlines()[1:]
            self.assertEqual([], [line for line in packet if line.split()[-1] in sockets])


class Health(TopTest):
    def test_retransmits_rise_when_packets_are_dropped(self):
        for user, server, sender in BOTH:
            with self.subTest(user=user):
                self.inside(server, SERVER, 5002)
                other = "idle" if user == ROOT else "own"
                with Top(self, user, server, sender, other) as top:
                    self.assertEqual(0, top.last(sender)["since_start"]["retransmits"])
                    self.up[sender].enter("nft", "add table inet lossy; add chain inet lossy in { type filter hook "
                                          "input priority 0; }; add rule inet lossy in tcp sport 5002 drop")
                    self.addCleanup(self.up[sender].enter, "nft", "delete table inet lossy")
                    pid = str(self.up[sender].pid)
                    self.child(ROOT, ["nsenter", "-t", pid, "-n", "/usr/bin/python3", "-c", CONNECT,
                                      self.up[server].address, "5002", "1"], stdout=subprocess.DEVNULL)
                    top.wait(lambda t: t.last(sender)["since_start"]["retransmits"] >= 2, "two retransmissions")
                    real = self.snmp(sender, "Tcp:", "RetransSegs")
                    told = top.last(sender)["since_start"]["retransmits"]
                    self.assertLessEqual(told, real)
                    self.assertEqual(told, top.sum(sender, "retransmits"))
                    self.assertEqual(0, top.sum(other, "retransmits"))

    def snmp(self, name, group, key):
        lines = pathlib.Path(f"/proc/{self.up[name].pid}/net/snmp").read_text().splitlines()
        names, numbers = [line.split() for line in lines if line.startswith(group)]
        return int(numbers[names.index(key)])

    @quick
    def test_connections_are_counted_exactly(self):
        for user, server, sender in BOTH:
            with self.subTest(user=user):
                self.inside(server, SERVER, 5003)
                with Top(self, user, server, sender) as top:
                    def both(t, at_server, at_sender):
                        return (t.last(server)["connections"], t.last(sender)["connections"]) == (at_server, at_sender)
                    top.wait(lambda t: both(t, 0, 0), "no connection")
                    seven = self.inside(sender, CONNECT, self.up[server].address, 5003, 7)
                    top.wait(lambda t: both(t, 7, 7), "seven connections")
                    # Both ends are in the namespace: each counts once.
                    self.inside(server, CONNECT, "127.0.0.1", 5003, 5)
                    top.wait(lambda t: both(t, 12, 7), "five more within the server's namespace")
                    lib.end(seven, signal.SIGKILL)
                    top.wait(lambda t: both(t, 5, 0), "the seven to end")

    def test_datagrams_that_a_full_socket_loses_are_socket_drops(self):
        self.inside("web", DEAF, 5004)
        with Top(self, ROOT, "web", "peer") as top:
            before = self.snmp("web", "Udp:", "InErrors")
            self.run_inside("peer", UDP, self.up["web"].address, 5004, 300, 500)
            lost = wait_for(lambda: self.snmp("web", "Udp:", "InErrors") - before, "a lost datagram")
            self.assertGreater(lost, 200)
            top.wait(lambda t: t.sum("web", "socket_drops") == lost, f"{lost} socket drops")
            self.assertEqual(0, top.sum("web", "link_drops"))
            self.assertEqual(0, top.sum("peer", "socket_drops"))

    def test_packets_that_a_link_refuses_are_link_drops(self):
        web = self.up["web"]
        web.enter("ip", "link", "set", "eth0", "mtu", "500")
        self.addCleanup(web.enter, "ip", "link", "set", "eth0", "mtu", "1500")
        with Top(self, ROOT, "web") as top:
            self.run_inside("peer", UDP, web.address, 5005, 40, 1200)
            top.wait(lambda t: t.sum("web", "link_drops") == 40, "40 drops")
            self.assertEqual(40, sum(i["drops"] for e in top.entries("web") for i in e["links"] if i["name"] == "eth0"))
            self.assertEqual(40, top.refreshes()[-1]["total_since_start"]["link_drops"])


class ComeAndGo(TopTest):
    def test_a_container_started_during_the_run_appears_and_goes(self):
        for user in (ROOT, RIG):
            with self.subTest(user=user), Top(self, user) as top:
                self.assertIsNone(top.last("guest"))
                lib.start(Ctr("guest", user, cmd=IDLE))
                self.addCleanup(lib.podman, user, "rm", "-f", "-t", "0", "guest", check=False)
                top.wait(lambda t: t.last("guest"), "the new container")
                guest = lib.Up("guest", user)
                guest.enter("ping", "-c", "3", "-i", "0.1", "127.0.0.1")
                top.wait(lambda t: t.sum("guest", "lo_packets") >= 6, "its traffic")
                lib.podman(user, "rm", "-f", "-t", "0", "guest")
                top.wait(lambda t: t.last("guest") is None, "it to vanish")
                self.assertTrue(top.entries("guest")[-1]["ended"])

    def test_a_restart_is_survived_and_sums_go_on(self):
        for user, name, _ in BOTH:
            with self.subTest(user=user), Top(self, user, name) as top:
                ping = ("ping", "-c", "4", "-i", "0.1", "127.0.0.1")
                self.up[name].enter(*ping)
                top.wait(lambda t: t.sum(name, "lo_packets") >= 8, "the first pings")
                lib.podman(user, "restart", "-t", "0", name)
                top.wait(lambda t: any(e["ended"] for e in t.entries(name)), "its end")
                top.wait(lambda t: t.last(name) and not t.last(name)["ended"], "its return")
                self.up[name].enter(*ping)
                top.wait(lambda t: t.last(name)["since_start"]["lo_packets"] >= 16, "pings of both lives")

    def test_links_made_anew_are_measured(self):
        with Top(self, ROOT, "web") as top:
            links = len(top.last("web")["links"])
            lib.podman(ROOT, "network", "create", "extra")
            self.addCleanup(lib.podman, ROOT, "network", "rm", "-f", "extra")
            lib.podman(ROOT, "network", "connect", "extra", "web")
            self.addCleanup(lib.podman, ROOT, "network", "disconnect", "extra", "web")
            top.wait(lambda t: len(t.last("web")["links"]) == links + 1, "the new link")
            gateway = lib.podman_json(ROOT, "network", "inspect", "extra")[0]["subnets"][0]["gateway"]
            self.up["web"].enter("ping", "-c", "5", "-i", "0.1", gateway)
            top.wait(lambda t: t.peer_sum("web", "tx_packets", address=gateway, protocol="icmp") >= 4,
                     "pings on the new link")

    def test_all_vanishing_is_no_end(self):
        lib.start(Ctr("guest", ROOT, cmd=IDLE))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "guest", check=False)
        with Top(self, ROOT, "guest") as top:
            lib.podman(ROOT, "stop", "-t", "0", "guest")
            top.wait(lambda t: t.refreshes()[-1]["containers"] == [], "an empty table")
            lib.podman(ROOT, "start", "guest")
            top.wait(lambda t: t.last("guest"), "it again")


class Targets(TopTest):
    def once(self, user, *args, **kwargs):
        done = podshark(user, "top", "--once", "--json", "--interval", "0.3", *args, **kwargs)
        lines = done.stdout.splitlines()
        self.assertEqual(1, len(lines))
        self.assertEqual("", done.stderr)
        return json.loads(lines[0])

    @quick
    def test_all_own_containers_by_default(self):
        for user, expected in ((ROOT, {"web", "peer", "idle"}), (RIG, {"left", "right", "own", "pod/shop"})):
            got = self.once(user)
            self.assertEqual(expected, {c["name"] for c in got["containers"]})
            self.assertEqual((1, "top"), (got["podshark"], got["kind"]))
            self.assertRegex(got["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
            self.assertGreaterEqual(got["seconds"], 0.25)
            self.assertEqual([], got["problems"])

    def test_who_has_no_container_sees_an_empty_table(self):
        got = self.once(OTHER)
        self.assertEqual(([], [], 0.3), (got["containers"], got["pods"], got["seconds"]))
        self.assertIn("no container", podshark(OTHER, "top", "--once", "--interval", "0.1").stdout)

    def test_a_pod_is_one_namespace_with_its_members(self):
        got = self.once(RIG, "pod/shop")
        self.assertEqual(["pod/shop"], [c["name"] for c in got["containers"]])
        self.assertEqual(["back", "front"], got["containers"][0]["members"])
        self.assertEqual([("shop", 1)], [(p["name"], p["namespaces"]) for p in got["pods"]])
        # Named by a member it is the same namespace, counted once.
        both = self.once(RIG, "front", "back")
        self.assertEqual(["front"], [c["name"] for c in both["containers"]])
        self.assertEqual("shop", both["containers"][0]["pod"])

    def test_a_network_and_a_pattern_are_the_containers_they_name(self):
        for target in ("net/lan", "*[ei]*t"):
            self.assertEqual({"left", "right"}, {c["name"] for c in self.once(RIG, target)["containers"]}, target)

    def test_traffic_of_a_pod_counts_once(self):
        with Top(self, RIG) as top:
            lib.Up("back", RIG).enter("ping", "-c", "5", "-i", "0.1", "127.0.0.1")
            top.wait(lambda t: t.sum("pod/shop", "lo_packets") >= 10, "the pings")
            pods = [p for r in top.refreshes() for p in r["pods"] if p["name"] == "shop"]
            self.assertEqual(top.sum("pod/shop", "lo_packets"), sum(p["lo_packets"] for p in pods))
            totals = sum(r["total"]["lo_packets"] for r in top.refreshes())
            parts = sum(c["lo_packets"] for r in top.refreshes() for c in r["containers"])
            self.assertEqual(parts, totals)

    @quick
    def test_text_and_count(self):
        done = podshark(RIG, "top", "left", "--count", "3", "--interval", "0.2")
        blocks = done.stdout.rstrip("\n").split("\n\npodshark top")
        self.assertEqual(3, len(blocks), done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        self.assertRegex(blocks[0], r"CONTAINER +RX B/s +TX B/s +LO B/s +PKT/s +LINKDROP +SOCKDROP +RETRANS +CONN\nleft ")

    def test_rootful_containers_of_a_member_of_the_group(self):
        prefix = pathlib.Path("/usr/local")
        worker = prefix / "libexec/podshark/podshark-worker"
        run(ROOT, ["install", "-D", "-m", "0755", PODSHARK, prefix / "bin/podshark"])
        run(ROOT, ["install", "-D", "-m", "0750", "-g", "wireshark", PODSHARK.parent / "podshark-worker", worker])
        run(ROOT, ["setcap", "cap_sys_admin,cap_sys_ptrace,cap_net_raw=p", worker])
        self.addCleanup(run, ROOT, ["rm", "-rf", prefix / "bin/podshark", worker.parent])
        top = self.child(MEMBER, [prefix / "bin/podshark", "top", "web", "--json", "--interval", "0.5"],
                         stdout=subprocess.PIPE, text=True)
        json.loads(top.stdout.readline())
        fetch(28080)
        for line in top.stdout:
            entry = json.loads(line)["containers"][0]
            self.assertEqual("podman-root:web", entry["name"])
            self.assertIsNotNone(entry["connections"])
            if any(p["port"] == 80 and p["side"] == "local" for p in entry["peers"]):
                break
        else:
            self.fail("no traffic on port 80 was shown")
        self.assertIn("CapPrm:\t0000000000000000", pathlib.Path(f"/proc/{top.pid}/status").read_text())
        self.assertEqual(0, lib.end(top, signal.SIGTERM))


# exit code, arguments, what the line must hold
CASES = (
    (3, ("nope",), ("'nope'",)),
    (4, ("stopped",), ("'stopped' is not running", "podman start stopped")),
    (7, ("host",), ("uses the host's network",)),
    (2, ("--interval", "0"), ("--interval '0'", "0.1 to 3600")),
    (2, ("--interval", "0.0999"), ("--interval",)),
    (2, ("--interval", "3600.1"), ("--interval",)),
    (2, ("--interval", "1e3"), ("--interval",)),
    (2, ("--interval", ""), ("interval",)),
    (2, ("--count", "0"), ("--count '0'",)),
    (2, ("--count", "18446744073709551616"), ("--count",)),
    (2, ("--once", "--count", "5"), ("--once",)),
    (2, ("--sort", "speed"), ("--sort 'speed'", "retransmits")),
    (2, ("--peers", "5000"), ("--peers '5000'", "4096")),
    (2, ("--bogus",), ("bogus", "--help")),
)


@quick
class WrongInput(TopTest):
    def test_each_failure_is_one_line_with_its_own_code(self):
        for code, args, words in CASES:
            with self.subTest(args=args):
                done = podshark(RIG, "top", *args, check=False, timeout=20)
                self.assertEqual(code, done.returncode, done.stderr)
                self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)
                self.assertEqual("", done.stdout)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_a_closed_pipe_is_a_normal_end(self):
        reader, writer = os.pipe()
        child = self.child(ROOT, [PODSHARK, "top", "--json", "--interval", "3600"], stdout=writer,
                           stderr=subprocess.PIPE, text=True)
        os.close(writer)
        os.close(reader)
        self.assertEqual(0, child.wait(20), child.stderr.read())

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w") as full:
            child = self.child(ROOT, [PODSHARK, "top", "--once", "--interval", "0.1"], stdout=full,
                               stderr=subprocess.PIPE, text=True)
        self.assertEqual(9, child.wait(20))
        self.assertIn("No space left", child.stderr.read())

    def test_a_reader_that_does_not_read_keeps_nobody_from_ending_it(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        child = self.child(ROOT, [PODSHARK, "top", "--json", "--interval", "0.1"], stdout=writer)
        self.addCleanup(os.close, writer)
        wait_for(lambda: not select.select([], [writer], [], 0)[1], "a full pipe")
        self.assertEqual(0, lib.end(child, signal.SIGTERM))


class Terminal(TopTest):
    def start(self, columns, lines, *args):
        pid, master = pty.fork()
        if pid == 0:
            with contextlib.suppress(OSError):
                os.execve(PODSHARK, [str(PODSHARK), "top", "--interval", "0.3", *args], lib.environment(ROOT))
            os._exit(127)
        self.addCleanup(os.close, master)
        self.addCleanup(self.reap, pid)
        self.before = termios.tcgetattr(master)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.shown = b""
        return pid, master

    @staticmethod
    def reap(pid):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def read(self, master):
        if select.select([master], [], [], 0.05)[0]:
            with contextlib.suppress(OSError):
                self.shown += os.read(master, 65536)
        return self.shown

    def wait_frame(self, master, condition, what):
        """The lines of a complete frame that meets the condition, without escape sequences."""
        def found():
            for frame in self.read(master).split(b"\x1b[H")[1:]:
                if not frame.endswith(b"\x1b[J"):
                    continue
                lines = re.sub(rb"\x1b\[[?0-9]*[A-Za-z]", b"", frame).decode().replace("\r", "").split("\n")
                if condition(lines):
                    return lines
            return None
        return wait_for(found, what)

    def ends(self, pid, master):
        def ended():
            self.read(master)
            done, status = os.waitpid(pid, os.WNOHANG)
            return (status,) if done else None
        self.assertEqual((0,), wait_for(ended, "the end"))
        self.read(master)
        self.assertTrue(self.shown.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l"), self.shown[-80:])
        self.assertEqual(self.before, termios.tcgetattr(master))

    def test_it_redraws_in_place_and_q_brings_the_screen_back(self):
        pid, master = self.start(100, 30)
        lines = self.wait_frame(master, lambda f: any(i.startswith("web ") for i in f), "a frame with web")
        self.assertIn("SOCKDROP", "\n".join(lines))
        self.wait_frame(master, lambda f: "by rate" in f[0], "the order")
        self.assertTrue(self.shown.startswith(b"\x1b[?1049h"), "the alternate screen")
        os.write(master, b"s")
        self.wait_frame(master, lambda f: "by rx" in f[0], "the next order")
        os.write(master, b"q")
        self.ends(pid, master)

    def test_it_fits_the_window_also_when_that_changes(self):
        pid, master = self.start(60, 8)
        self.wait_frame(master, lambda f: any(i.startswith("web ") for i in f), "a frame with web")
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 30, 0, 0))
        self.shown = b""
        lines = self.wait_frame(master, lambda f: max(map(len, f)) <= 30 and len(f) <= 5, "a narrow frame")
        self.assertEqual("\u2026 2 more", lines[-1])
        self.assertIn("RX B/s", "\n".join(lines))
        os.write(master, b"\x03")  # Ctrl-C
        self.ends(pid, master)

    def test_a_terminated_one_restores_the_terminal_too(self):
        pid, master = self.start(80, 24)
        self.wait_frame(master, lambda f: any(i.startswith("web ") for i in f), "a frame with web")
        os.kill(pid, signal.SIGTERM)
        self.ends(pid, master)

    def test_once_on_a_terminal_is_plain_text(self):
        _, master = self.start(80, 24, "--once")
        text = wait_for(lambda: b"web" in self.read(master) and self.shown, "the table")
        self.assertNotIn(b"\x1b", text)
