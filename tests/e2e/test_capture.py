# SPDX-License-Identifier: GPL-2.0-or-later
"""Capturing containers of every kind, by the command line and by tshark, against what tcpdump sees."""

import collections
import os
import pathlib
import signal
import subprocess
import time

import lib
import lib_pcapng
from lib import MEMBER, OTHER, RIG, ROOT, Ctr, Net, Pod, RigTest, fetch, quick, run, wait_for
from lib_podshark import (INSTALLED_WORKER, PODSHARK, PREFIX, Capture, extcap_home, give_capabilities, give_dumpcap, install_worker,
                          podshark, remove_worker, tshark, wait_rings)

CONTAINERS = (
    Ctr("web", ports=("28080:80",)),
    Ctr("peer"),
    Ctr("own", user=RIG, ports=("28081:80",)),
    Net("lan", user=RIG),
    Ctr("bridged", user=RIG, network="lan", ports=("28082:80",)),
    Pod("shop", user=RIG, ports=("28083:80",), members=("front", "back")),
    Ctr("lonely", user=RIG, network="none"),
    Ctr("keepid", user=RIG, ports=("28084:8080",), options=("--userns=keep-id",),
        cmd=("httpd", "-f", "-p", "8080", "-h", "/www")),
)


def links_in(path):
    """The links of a file that somebody is writing; none before its first block."""
    if not path.exists() or path.stat().st_size < 28:
        return []
    return lib_pcapng.read(path, partial=True).links


def between(packets, first, last):
    """The packets strictly between the two marker payloads."""
    numbers = [i for i, p in enumerate(packets) if first in p or last in p]
    assert len(numbers) >= 2, f"markers not found in {len(packets)} packets"
    return packets[numbers[0] + 1:numbers[-1]]


class TruthTest(RigTest):
    """Everything a parallel tcpdump sees between two marker packets is in our file, byte for byte, and no more."""

    def check(self, user, name, link, traffic, snaplen=262144):
        container = self.up[name]
        pid = str(container.pid)
        plain = self.tmp / "truth.pcap"
        # Bytes are compared, so both must see the same copy of a looped-back packet: tcpdump drops one as we do.
        dump = self.child(ROOT, ["nsenter", "-t", pid, "-n", "tcpdump", "-i", link, "-U", "-B", "16384", "-w", plain],
                          stderr=subprocess.DEVNULL)
        with Capture(user, name, "-i", link, "-s", str(snaplen)) as capture:
            wait_for(lambda: plain.exists() and plain.stat().st_size >= 24, "tcpdump to listen")
            self.mark(pid, link, b"podshark-marker-begin")
            traffic()
            self.mark(pid, link, b"podshark-marker-end")
            end = b"podshark-marker-end"
            wait_for(lambda: end in plain.read_bytes(), "the end marker in tcpdump's file")
            wait_for(lambda: any(end in p.data for p in capture.so_far().packets), "the end marker in our file")
            dump.terminate()
            dump.wait(10)
            ours = capture.stop()
        converted = self.tmp / "truth.pcapng"
        run(ROOT, ["editcap", "-F", "pcapng", plain, converted])
        theirs = [p.data for p in lib_pcapng.read(converted).packets]
        marks = (b"podshark-marker-begin", b"podshark-marker-end")
        expected = between(theirs, *marks)
        got = between([p.data for p in ours.packets_of(ours.links[0].name)], *marks)
        self.assertGreater(len(expected), 5)
        self.assertEqual(collections.Counter(d[:snaplen] for d in expected), collections.Counter(got))
        return ours

    @staticmethod
    def mark(pid, link, payload):
        """One broadcast frame of an unused protocol on the link, from inside the namespace."""
        code = ("import socket,sys; s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind((sys.argv[1],0));"
                "s.send(b'\\xff'*6+b'\\x02'+b'\\0'*5+b'\\x88\\xb5'+sys.argv[2].encode()+b'\\0'*40)")
        run(ROOT, ["nsenter", "-t", pid, "-n", "/usr/bin/python3", "-c", code, link, payload.decode()])


class Truth(TruthTest):
    def test_rootful_eth0(self):
        self.check(ROOT, "web", "eth0", lambda: [fetch(28080) for _ in range(5)])

    def test_rootless_loopback_carries_published_traffic_once(self):
        name, port = ("own", 28081) if lib.WORLD == "deb12" else ("bridged", 28082)
        # pasta splices traffic from the host over lo and passes that from outside to its tap.
        ours = self.check(RIG, name, "lo", lambda: [fetch(port) for _ in range(5)])
        syns = [p for p in ours.packets_of(ours.links[0].name)
                if p.data[12:14] == b"\x08\x00" and p.data[23] == 6 and p.data[47] & 0x12 == 0x02]
        ports = collections.Counter(p.data[34:36] for p in syns)
        self.assertEqual({1}, set(ports.values()), "each SYN once")

    def test_rootless_bridge_eth0(self):
        gateway = ".".join(self.up["bridged"].address.split(".")[:3] + ["1"])

        def refused_five_times():  # a container may not ping everywhere
            for _ in range(5):
                self.up["bridged"].exec("wget", "-q", "-O", "-", f"http://{gateway}:1/", check=False)
        self.check(RIG, "bridged", "eth0", refused_five_times)

    def test_snaplen_cuts_and_keeps_the_length(self):
        ours = self.check(ROOT, "web", "eth0", lambda: fetch(28080), snaplen=60)
        self.assertTrue(any(len(p.data) == 60 and p.original_length > 60 for p in ours.packets))


class VlanTags(RigTest):
    def test_a_tag_is_in_the_frame_where_it_was_sent(self):
        mac = self.up["web"].mac
        frame = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\1" + b"\x81\0\0\x07" + b"\x88\xb5" + b"tagged" + b"\0" * 50
        code = ("import socket,sys; s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); s.bind(('podman0',0));"
                "s.send(bytes.fromhex(sys.argv[1]))")
        with Capture(ROOT, "web", "-i", "eth0") as capture, Capture(ROOT, "web", "-i", "eth0", "-f", "vlan 7") as only:
            run(ROOT, ["/usr/bin/python3", "-c", code, frame.hex()])
            capture.wait_packets(1)
            only.wait_packets(1)
            fetch(28080)
            got, filtered = capture.stop(), only.stop()
        self.assertIn(frame, [p.data for p in got.packets])
        self.assertEqual([frame], [p.data for p in filtered.packets])


class CookedLinks(RigTest):
    @quick
    def test_a_filter_speaks_of_the_header_that_is_in_the_file(self):
        lib.add_cooked_link(self, self.up["web"], "gre9", "10.99.9.1/24")
        with Capture(ROOT, "web", "-i", "gre9", "-f", "icmp") as capture:
            self.up["web"].enter("ping", "-c", "2", "-i", "0.2", "-W", "1", "10.99.9.2", check=False)
            capture.wait_packets(2)
            done = capture.stop()
        self.assertEqual([276], [i.linktype for i in done.links])
        for packet in done.packets:
            self.assertEqual((b"\x08\x00", 778, 1),
                             (packet.data[:2], int.from_bytes(packet.data[8:10], "big"), packet.data[20 + 9]))


class Volume(RigTest):
    def test_a_million_packets_at_100000_a_second_all_arrive(self):
        sender = lib.BIN / "tests/tools/packet_sender"
        mac = self.up["web"].mac
        with Capture(ROOT, "web", "-i", "eth0", "-f", "udp port 9", "--drops=off") as capture:
            sent = int(run(ROOT, [sender, "podman0", mac, "1000000", "200", "100000", "9"], timeout=120).stdout)
            lib.end(capture.process, signal.SIGINT, timeout=60)
            self.assertEqual(1000000, sent)
            told = run(ROOT, ["capinfos", "-M", "-c", "-T", "-r", capture.path]).stdout.split()
            numbers = set()
            with capture.path.open("rb") as file:
                for packet in lib_pcapng.frames(file.read()):
                    numbers.add(int.from_bytes(packet[42:50], "little"))
            self.assertEqual(sent, len(numbers), f"capinfos says {told}; stderr: {capture.stderr()}")
            self.assertIn("1000000 packets", capture.stderr())
            self.assertIn("0 dropped", capture.stderr())

    def test_a_slow_reader_gets_everything_after_the_end(self):
        """The capture ends by itself, within its first second; whoever reads its output then takes seconds for what waits."""
        mac = self.up["web"].mac
        errors = (self.tmp / "slow").open("w+")
        self.addCleanup(errors.close)
        process = self.child(ROOT, [PODSHARK, "capture", "web", "-i", "eth0", "-f", "udp port 9", "-c", "40000",
                                      "--drops=off", "-w", "-"],
                             stdout=subprocess.PIPE, stderr=errors)
        data = os.read(process.stdout.fileno(), 1 << 20)
        wait_rings(self.up["web"], 1)
        run(ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", mac, "40000", "200", "200000", "9"], timeout=60)
        while piece := os.read(process.stdout.fileno(), 1 << 19):
            data += piece
            time.sleep(0.15)  # slowness is the subject
        self.assertEqual(0, process.wait(20))
        self.assertEqual(40000, sum(1 for _ in lib_pcapng.frames(data)))


class Kinds(RigTest):
    """Every kind of container is entered by its owner, with an empty capability set and no_new_privs."""

    def check(self, name, port, expected_links, user=RIG, outside=True):
        with Capture(user, name, no_new_privs=user != ROOT) as capture:
            fetch(port, outside=outside)
            capture.wait_packets(4)
            done = capture.stop()
        self.assertEqual(sorted(expected_links), sorted(i.name.rpartition("/")[2] for i in done.links))
        return done

    @quick
    def test_rootless_default_network(self):
        tap = "tap0" if lib.WORLD == "deb12" else "wan0"  # pasta names its link after the host's
        done = self.check("own", 28081, ["lo", tap])
        self.assertTrue(all(i.name.startswith("podman:own/") for i in done.links))
        self.assertEqual("yes", done.links[0].keys["rootless"])
        self.assertEqual("inside", done.links[0].keys["point"])

    def test_rootless_bridge(self):
        done = self.check("bridged", 28082, ["lo", "eth0"])
        self.assertEqual("lan", done.links[0].keys["network"])

    def test_keep_id(self):
        tap = "tap0" if lib.WORLD == "deb12" else "wan0"
        self.check("keepid", 28084, ["lo", tap])

    def test_pod(self):
        done = self.check("pod/shop", 28083, ["lo"] + [self.pod_link()])
        self.assertTrue(all(i.name.startswith("podman:pod/shop/") for i in done.links))

    def test_pod_member_under_its_own_name(self):
        done = self.check("front", 28083, ["lo"] + [self.pod_link()])
        self.assertTrue(all(i.name.startswith("podman:front/") for i in done.links))
        self.assertEqual("shop", done.links[0].keys["pod"])

    @staticmethod
    def pod_link():
        return "tap0" if lib.WORLD == "deb12" else "wan0"

    @quick
    def test_rootful_as_root(self):
        done = self.check("web", 28080, ["lo", "eth0"], user=ROOT)
        mine = next(i for i in done.links if i.name == "podman:web/eth0")
        self.assertEqual("podman", mine.keys["network"])
        self.assertTrue(any(a.startswith("10.88.") for a in mine.meta["addresses"]), mine.meta)
        self.assertRegex(mine.meta["mac"], "^([0-9a-f]{2}:){5}[0-9a-f]{2}$")

    def test_a_container_without_network_has_lo(self):
        with Capture(RIG, "lonely") as capture:
            self.up["lonely"].exec("wget", "-q", "-O", "-", "http://127.0.0.1/")
            capture.wait_packets(2)
            done = capture.stop()
        self.assertEqual(["podman:lonely/lo"], [i.name for i in done.links])

    def test_all_takes_own_containers_once_per_namespace(self):
        with Capture(RIG, "all") as capture:
            for port in (28081, 28082, 28083):
                fetch(port)
            wait_for(lambda: len({i.name for p in capture.so_far().packets for i in [p.interface]}) >= 3, "three links")
            done = capture.stop()
        owners = {i.name.rpartition("/")[0] for i in done.links}
        self.assertEqual({"podman:own", "podman:bridged", "podman:pod/shop", "podman:lonely", "podman:keepid"}, owners)

    def test_two_named_containers(self):
        with Capture(ROOT, "web", "peer") as capture:
            fetch(28080)
            capture.wait_packets(4)
            done = capture.stop()
        self.assertEqual({"podman:web", "podman:peer"}, {i.name.rpartition("/")[0] for i in done.links})


class Privilege(RigTest):
    """Rootful containers for an ordinary user, through the installed worker only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_worker()
        cls.addClassCleanup(remove_worker)

    def capture(self, user, *args, **kwargs):
        path = self.tmp / f"{user}.pcapng"
        done = run(user, [PREFIX / "bin/podshark", "capture", *args, "-c", "4", "-w", path, "--duration", "20"],
                   check=False, **kwargs)
        return done, path

    @quick
    def test_a_group_member_captures(self):
        path = self.tmp / "m.pcapng"
        child = self.child(MEMBER, [PREFIX / "bin/podshark", "capture", "web", "-c", "4", "-w", path],
                           stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(links_in(path)) == 2, "two links")
        # The group's power is in the worker: podshark itself has no capability at all.
        status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        self.assertIn("CapPrm:\t0000000000000000", status)
        fetch(28080)
        self.assertEqual(0, child.wait(20), child.stderr.read())
        done = lib_pcapng.read(path)
        self.assertEqual({"podman-root:web/lo", "podman-root:web/eth0"}, {i.name for i in done.links})
        self.assertEqual(4, len(done.packets))

    def test_the_worker_holds_no_effective_capability_between_requests(self):
        path = self.tmp / "m.pcapng"
        child = self.child(MEMBER, [PREFIX / "bin/podshark", "capture", "web", "-w", path], stderr=subprocess.DEVNULL)
        wait_for(lambda: len(links_in(path)) == 2, "two links")
        worker = lib.processes("podshark-worker")
        self.assertEqual(1, len(worker))
        status = pathlib.Path(f"/proc/{worker[0]}/status").read_text()
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertIn("Seccomp:\t2", status)
        child.terminate()
        self.assertEqual(0, child.wait(10))

    @quick
    def test_others_are_told_what_to_do(self):
        done, _ = self.capture(OTHER, "web")
        self.assertEqual(5, done.returncode)
        self.assertIn("usermod -aG wireshark", done.stderr)

    def test_a_worker_without_capabilities_is_explained(self):
        run(ROOT, ["setcap", "-r", INSTALLED_WORKER])
        self.addCleanup(give_capabilities)
        done, _ = self.capture(MEMBER, "web")
        self.assertEqual(5, done.returncode)
        self.assertIn("setup.sh", done.stderr)
        self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)

    def test_a_missing_worker_is_explained(self):
        away = INSTALLED_WORKER.with_suffix(".away")
        INSTALLED_WORKER.rename(away)
        self.addCleanup(away.rename, INSTALLED_WORKER)
        done, _ = self.capture(MEMBER, "web")
        self.assertEqual(5, done.returncode)
        self.assertIn("not installed", done.stderr)
        self.assertIn("setup.sh", done.stderr)

    def test_no_new_privs_disables_the_worker_and_says_so(self):
        done, _ = self.capture(MEMBER, "web", no_new_privs=True)
        self.assertEqual(5, done.returncode)
        self.assertIn("podshark doctor", done.stderr)

    def from_peer(self):
        self.up["peer"].exec("wget", "-qO-", f"http://{self.up['web'].address}/")

    def test_a_member_sees_the_hosts_side_through_dumpcap(self):
        give_dumpcap(self, "wireshark")
        with Capture(MEMBER, "web", "--point", "host", program=PREFIX / "bin/podshark") as capture:
            self.from_peer()
            wait_for(lambda: [p for p in capture.so_far().packets if b"GET / HTTP" in p.data], "the request")
            done = capture.stop()
        self.assertEqual(1, len(done.links))
        self.assertRegex(done.links[0].name, r"^podman-root:web/veth\w+@host$")
        self.assertIn("point=host", done.links[0].description)
        self.assertIn("through dumpcap", "".join(e["detail"] for e in done.events_of("lifecycle")))

    def test_a_member_sees_both_sides_in_one_file(self):
        give_dumpcap(self, "wireshark")
        with Capture(MEMBER, "web", "--point", "both", program=PREFIX / "bin/podshark") as capture:
            wait_for(lambda: [i for i in capture.links() if "@host" in i.name], "the host's link")
            self.from_peer()
            wait_for(lambda: len({p.interface.name for p in capture.so_far().packets if b"GET / HTTP" in p.data}) == 2,
                     f"the request on both sides; stderr: {capture.stderr()}")
            done = capture.stop()
        self.assertEqual({"podman-root:web/eth0", "podman-root:web/podman0@host"},
                         {p.interface.name for p in done.packets})
        times = [p.time_ns for p in done.packets]
        self.assertEqual(sorted(times), times, "in order of time")
        # podman tells this user nothing of the container: its addresses are those that its own links have.
        address = self.up["web"].address
        self.assertTrue(all(address in i.filter for i in done.links if "@host" in i.name), [i.filter for i in done.links])

    def test_the_hosts_side_without_dumpcap_says_what_to_do(self):
        give_dumpcap(self, "root")
        done, _ = self.capture(MEMBER, "web", "--point", "host")
        self.assertEqual(5, done.returncode, done.stderr)
        self.assertIn("usermod -aG wireshark", done.stderr)

    def test_another_users_rootless_container_stays_his(self):
        done, _ = self.capture(MEMBER, "own")
        self.assertEqual(3, done.returncode)


class Contract(RigTest):
    """docs/FORMAT.md, read from a real stream."""

    def test_inventory_names_statistics(self):
        with Capture(ROOT, "web") as capture:
            fetch(28080)
            capture.wait_packets(4)
            done = capture.stop()
        self.assertEqual("Podman events", done.interfaces[0].name)
        self.assertEqual(252, done.interfaces[0].linktype)
        first = done.events_of("inventory")[0]
        self.assertEqual(1, first["podshark"])
        web = next(c for c in first["containers"] if c["name"] == "web")
        self.assertEqual("localhost/bb:1", web["image"])
        self.assertEqual([{"host_port": 28080, "container_port": 80, "range": 1, "protocol": "tcp"}], web["ports"])
        self.assertIn("web", {n for names in done.names.values() for n in ([names] if isinstance(names, str) else names)})
        kinds = [(e["kind"], e.get("what")) for e in done.events]
        self.assertIn(("lifecycle", "attached"), kinds)
        self.assertEqual("stats", kinds[-1][0])
        counted = collections.Counter(p.interface.name for p in done.packets)
        self.assertEqual({i.name for i in done.links}, {s.interface.name for s in done.all(lib_pcapng.Statistics)})
        for s in done.all(lib_pcapng.Statistics):
            self.assertEqual(counted[s.interface.name], s.received, s.interface.name)
            self.assertEqual(0, s.dropped)

    def test_count_and_duration_end_it(self):
        out = self.tmp / "c.pcapng"
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-c", "3", "-w", out], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: links_in(out), "the links")
        fetch(28080)
        self.assertEqual(0, child.wait(10))
        self.assertEqual(3, len(lib_pcapng.read(out).packets))
        done = podshark(ROOT, "capture", "web", "--duration", "1", "-w", self.tmp / "d.pcapng")
        self.assertIn("dropped by the kernel", done.stderr)

    def test_links_and_filter_are_chosen(self):
        with Capture(ROOT, "web", "-i", "eth0", "-f", "icmp") as capture:
            fetch(28080)
            run(ROOT, ["ping", "-c", "2", "-i", "0.2", self.up["web"].address])
            capture.wait_packets(4)
            done = capture.stop()
        self.assertEqual(["podman:web/eth0"], [i.name for i in done.links])
        self.assertEqual("icmp", done.links[0].filter)
        self.assertEqual({1}, {p.data[23] for p in done.packets})

    def test_a_container_started_later_is_in_the_next_inventory(self):
        with Capture(ROOT, "web") as capture:
            before = len(capture.so_far().events_of("inventory"))
            lib.RigTest.up.update(lib.start(Ctr("late")))
            self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "late")
            wait_for(lambda: any(c.get("name") == "late" and c.get("pid") for e in
                                 capture.so_far().events_of("inventory")[before:] for c in e["containers"]),
                     "an inventory with the new container")
            capture.stop()

    def test_a_stopped_container_ends_the_capture_and_says_so(self):
        lib.start(Ctr("brief"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "brief", check=False)
        with Capture(ROOT, "brief", "--follow", "false") as capture:
            lib.podman(ROOT, "stop", "-t", "0", "brief")
            self.assertEqual(0, capture.process.wait(15))
            done = lib_pcapng.read(capture.path)
            self.assertIn(("lifecycle", "exited"), [(e["kind"], e.get("what")) for e in done.events])
            self.assertIn("container 'brief' has stopped", capture.stderr())

    def test_a_link_made_anew_is_followed(self):
        with Capture(ROOT, "web") as capture:
            lib.podman(ROOT, "network", "reload", "web")
            wait_for(lambda: len([i for i in capture.so_far().links if i.name == "podman:web/eth0"]) == 2, "the new eth0")
            at = len(capture.so_far().packets)
            fetch(28080)
            capture.wait_packets(at + 4)
            done = capture.stop()
        whats = [e.get("what") for e in done.events_of("lifecycle")]
        self.assertIn("link-removed", whats)
        self.assertIn("link-added", whats)

    def test_a_pipe_into_tshark_works(self):
        out = self.child(RIG, ["sh", "-c", f"{PODSHARK} capture own -q -w - | tshark -n -l -i - -c 5 -Y tcp"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def over():
            fetch(28081)
            return out.poll() is not None
        wait_for(over, "tshark to have its packets", 40)
        self.assertIn("TCP", out.stdout.read())

    def test_a_terminal_sees_progress(self):
        path = self.tmp / "p.pcapng"
        done = run(ROOT, ["script", "-qec", f"{PODSHARK} capture web --duration 3 -w {path}", "/dev/null"])
        self.assertRegex(done.stdout, r"packets \d+  bytes \d+  dropped 0")

    @lib.long
    def test_the_inventory_is_repeated_every_minute(self):
        with Capture(ROOT, "peer") as capture:
            wait_for(lambda: len(capture.so_far().events_of("inventory")) > 1, "the second inventory", 75)
            wait_for(lambda: capture.so_far().events_of("stats"), "the running totals", 5)
            done = capture.stop()
        first, second = done.events_of("inventory")[:2]
        self.assertEqual(first["containers"], second["containers"])

    def test_killed_leaves_a_readable_file(self):
        with Capture(ROOT, "web") as capture:
            fetch(28080)
            capture.wait_packets(4)
            lib.end(capture.process, signal.SIGKILL)
            self.assertGreaterEqual(len(lib_pcapng.read(capture.path).packets), 4)


class ThroughTshark(RigTest):
    """Wireshark's own programs start the extcap."""

    def setUp(self):
        super().setUp()
        extcap_home(RIG)

    @quick
    def test_interfaces_are_listed(self):
        listed = tshark(RIG, "-D")
        for value in ("podman:own", "podman:bridged", "podman:pod/shop", "podman:all", "podman:choose", "podman-root:web"):
            self.assertIn(f"{value} (Podman", listed)

    def capture(self, interface, *options, ports=(28081,), packets=6):
        """Packets that tshark wrote; traffic flows until it has enough."""
        path = self.tmp / "t.pcapng"
        child = self.child(RIG, ["tshark", "-q", "-i", interface, *options, "-c", str(packets), "-w", path],
                           stderr=subprocess.PIPE, text=True)

        def over():
            for port in ports:
                fetch(port)
            return child.poll() is not None
        wait_for(over, "tshark to have its packets", 40)
        self.assertEqual(0, child.returncode, child.stderr.read())
        return lib_pcapng.read(path)

    def test_a_container_restarted_since_the_listing_is_found_again(self):
        lib.start(Ctr("again", user=RIG, ports=("28085:80",)))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "again", check=False)
        self.assertIn("podman:again", tshark(RIG, "-D"), "shown at once, whatever was listed a moment ago")
        lib.podman(RIG, "stop", "-t", "0", "again")
        # podman 5 starts a new pasta while the old one may still hold the port
        wait_for(lambda: run(RIG, ["podman", "start", "again"], check=False).returncode == 0, "the container to start")
        done = self.capture("podman:again", ports=(28085,))
        pid = lib.Up("again", RIG).pid
        told = [c for c in done.events_of("inventory")[0]["containers"] if c["name"] == "again"]
        self.assertEqual([pid], [c["pid"] for c in told])

    @quick
    def test_capture_by_name(self):
        done = self.capture("podman:own")
        self.assertIn("podman:own/lo", {i.name for i in done.interfaces})

    def test_capture_of_choose_by_name_option(self):
        self.capture("podman:choose", "-o", "extcap.podman_choose.name:own")

    def test_two_interfaces_merge(self):
        done = self.capture("podman:own", "-i", "podman:bridged", ports=(28081, 28082), packets=200)
        names = {i.name for i in done.interfaces}
        self.assertLessEqual({"podman:own/lo", "podman:bridged/lo"}, names)

    def test_a_filter_is_applied(self):
        done = self.capture("podman:own", "-f", "tcp port 80")
        self.assertTrue({6} >= {p.data[23] for p in done.packets})

    def test_ring_files_stand_alone_with_names_of_links(self):
        path = self.tmp / "ring.pcapng"
        child = self.child(RIG, ["tshark", "-q", "-i", "podman:own", "-b", "packets:8", "-w", path], stderr=subprocess.PIPE)

        def files():
            fetch(28081)
            return len(list(self.tmp.glob("ring_*.pcapng"))) >= 3
        wait_for(files, "three ring files", 60)
        lib.end(child, signal.SIGINT)
        second = sorted(self.tmp.glob("ring_*.pcapng"))[1]
        self.assertIn("podman:own/lo", {i.name for i in lib_pcapng.read(second, partial=True).interfaces})
