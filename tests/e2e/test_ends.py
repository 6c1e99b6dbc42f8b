# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture at both ends tells which packets only one of them has seen, across address translation, and why.

    client 203.0.113.2 – wan0 203.0.113.1 [host, forwards] podman0 – eth0 [web, db]
"""

import socket
import time

import lib
from lib import CLIENT, HOST, RIG, ROOT, Ctr, Net, RigTest, quick, run, wait_for
from lib_plugin import PluginTest
from lib_podshark import Capture
from test_dropped import wait_watching

CONTAINERS = (
    Ctr("web", ports=("28580:80", "28553:53/udp")),
    Ctr("db", cmd=("sleep", "1000000")),
    Net("lan", user=RIG),
    Ctr("left", user=RIG, network="lan", cmd=("sleep", "1000000")),
    Ctr("right", user=RIG, network="lan"),
)

SEND = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.sendto(sys.argv[3].encode(), (sys.argv[1], int(sys.argv[2])))")


def stamp(time_ns):
    """RFC 3339 as records have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_ns // 10**9)) + f".{time_ns % 10**9:09d}Z"


def settled(capture, drops=True):
    """Both ends have been captured for long enough to judge."""
    wait_for(lambda: len(capture.links()) >= 2, lambda: f"both ends; stderr: {capture.stderr()}")
    if drops:
        wait_watching(capture)
    time.sleep(0.2)


class EndsTest(RigTest):
    def rules(self, enter, text, family="inet"):
        run(ROOT, [*enter, "nft", "-f", "-"], input=f"table {family} ender {{\n{text}\n}}\n")
        self.addCleanup(run, ROOT, [*enter, "nft", "delete", "table", family, "ender"], check=False)

    def one_sided(self, capture, what, number=1):
        def found():
            got = [e for e in capture.so_far().events_of("one-sided") if e["what"] == what]
            return got if len(got) >= number else None
        return wait_for(found, lambda: f"{number} records {what}; there are {capture.so_far().events_of('one-sided')}; "
                        f"stderr: {capture.stderr()}")

    def frame_of(self, capture, record):
        """The packet that a record is about."""
        done = capture.so_far()
        name = f"podman:{record['container']}/{record['link']}"
        found = [p for p in done.packets_of(name) if stamp(p.time_ns) == record["packet"]]
        self.assertEqual(1, len(found), (record, [i.name for i in done.links]))
        return found[0]

    def udp(self, address, port, marker, user=ROOT, enter=("ip", "netns", "exec", "client")):
        run(user, [*enter, "python3", "-c", SEND, address, str(port), marker])

    def peer(self, name):
        index = lib.json.loads(self.up[name].enter("ip", "-j", "link", "show", "eth0").stdout)[0]["link_index"]
        return socket.if_indextoname(index)


class PublishedPort(EndsTest):
    @quick
    def test_a_request_that_a_rule_drops_behind_the_translation(self):
        web = self.up["web"].address
        with Capture(ROOT, "web", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.assertIn("hello", lib.fetch(28580))
            self.rules([], f"chain f {{ type filter hook forward priority 5; ip daddr {web} udp dport 53 drop; }}")
            self.udp(HOST, 28553, "dropped-behind-dnat")
            record, = self.one_sided(capture, "host-only")
            self.assertEqual(("web", "wan0@host", "udp", CLIENT, HOST, 28553, "NETFILTER_DROP", "FORWARD"),
                             (record["container"], record["link"], record["protocol"], record["orig"]["src"],
                              record["orig"]["dst"], record["orig"]["dst_port"], record["reason"], record["hook"]))
            self.assertIn(b"dropped-behind-dnat", self.frame_of(capture, record).data)
            self.assertIn("was on wan0@host, and not in container web: NETFILTER_DROP at nft_do_chain", record["detail"])
            self.assertIn("podshark trace", record["fix"])
            done = capture.stop()
        self.assertEqual(1, len(done.events_of("one-sided")))

    def test_answers_of_a_known_connection_that_are_lost_on_the_way_out(self):
        with Capture(ROOT, "web", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.assertIn("hello", lib.fetch(28580))
            self.rules([], 'chain p { type filter hook postrouting priority 300; oifname "wan0" tcp flags syn,ack / syn,ack drop; }')
            lib.client(["python3", "-c", "import socket, sys\ns = socket.socket()\ns.settimeout(0.3)\n"
                        "s.connect_ex((sys.argv[1], 28580))", HOST])
            record = self.one_sided(capture, "inside-only")[0]
            self.assertEqual(("eth0", "tcp", 80, CLIENT, "NETFILTER_DROP", "POSTROUTING"),
                             (record["link"], record["protocol"], record["orig"]["src_port"], record["orig"]["dst"],
                              record["reason"], record["hook"]))
            self.frame_of(capture, record)
            capture.stop()

    def test_without_drops_it_is_told_that_they_are_not_watched(self):
        with Capture(ROOT, "web", "--point", "both", "--drops=off") as capture:
            settled(capture, drops=False)
            self.rules([], "chain p { type filter hook prerouting priority -400; udp dport 28553 drop; }")
            self.udp(HOST, 28553, "unwatched")
            record, = self.one_sided(capture, "host-only")
            self.assertNotIn("reason", record)
            self.assertIn("dropped packets are not watched", record["detail"])
            self.assertEqual("podshark check web", record["fix"])
            capture.stop()

    def test_a_port_that_leads_nowhere_is_no_drop_of_the_kernel_at_the_other_end(self):
        """Its translation is gone: the host takes the packet itself."""
        with Capture(ROOT, "web", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.rules([], "chain p { type nat hook prerouting priority -150; udp dport 28553 redirect to :28999; }")
            sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(sink.close)
            sink.bind(("", 28999))
            self.udp(HOST, 28553, "taken-by-the-host")
            record, = self.one_sided(capture, "host-only")
            self.assertNotIn("reason", record)
            self.assertIn("the kernel has dropped nothing like it", record["detail"])
            capture.stop()

    def test_the_last_moment_before_the_end_counts(self):
        with Capture(ROOT, "web", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.rules([], "chain p { type filter hook prerouting priority -400; udp dport 28553 drop; }")
            self.udp(HOST, 28553, "at-the-end")
            time.sleep(0.25)
            done = capture.stop()
        record, = done.events_of("one-sided")
        self.assertEqual("NETFILTER_DROP", record["reason"])

    def test_many_are_summed_up(self):
        with Capture(ROOT, "web", "--point", "both") as capture:
            settled(capture)
            self.rules([], "chain p { type filter hook prerouting priority -400; udp dport 28553 drop; }")
            lib.client(["python3", "-c", "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                        "for i in range(500): s.sendto(b'%d' % i, (sys.argv[1], 28553))", HOST])

            def told():
                events = capture.so_far().events_of("one-sided")
                return sum(e.get("count", 1) for e in events) == 500 and events
            events = wait_for(told, lambda: f"500; there are {capture.so_far().events_of('one-sided')[-3:]}")
            self.assertLessEqual(len(events), 45)
            capture.stop()

    def test_with_a_capture_filter_only_known_connections_are_judged(self):
        """A filter on a port takes one leg alone, which is no loss."""
        for text in ("port 28580", "tcp port 80"):
            with self.subTest(text), Capture(ROOT, "web", "--point", "both", "-f", text) as capture:
                settled(capture, drops=False)
                for _ in range(3):
                    self.assertIn("hello", lib.fetch(28580))
                time.sleep(1.8)
                self.assertEqual([], capture.stop().events_of("one-sided"))


class OnTheBridge(EndsTest):
    def test_what_leaves_and_never_reaches_the_bridge(self):
        web, db = self.up["web"].address, self.up["db"]
        with Capture(ROOT, "db", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.rules([], f"chain c {{ type filter hook ingress device {self.peer('db')} priority 0; udp dport 1008 drop; }}", "netdev")
            self.udp(web, 1008, "never-on-the-bridge", enter=("nsenter", "-t", str(db.pid), "-n"))
            record, = self.one_sided(capture, "inside-only")
            self.assertEqual(("db", "eth0", "udp", db.address, web, 1008, "NETFILTER_DROP", "netdev ingress"),
                             (record["container"], record["link"], record["protocol"], record["orig"]["src"],
                              record["orig"]["dst"], record["orig"]["dst_port"], record["reason"], record["hook"]))
            self.assertIn(b"never-on-the-bridge", self.frame_of(capture, record).data)
            capture.stop()

    def test_what_is_on_the_bridge_and_never_arrives(self):
        web, db = self.up["web"], self.up["db"].address
        with Capture(ROOT, "db", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.rules([], f"chain c {{ type filter hook egress device {self.peer('db')} priority 0; udp dport 1009 drop; }}", "netdev")
            self.udp(db, 1009, "never-arrives", enter=("nsenter", "-t", str(web.pid), "-n"))
            record, = self.one_sided(capture, "host-only")
            self.assertEqual(("podman0@host", "NETFILTER_DROP", "netdev egress"), (record["link"], record["reason"], record["hook"]))
            self.assertIn(b"never-arrives", self.frame_of(capture, record).data)
            capture.stop()


class RootlessBridge(EndsTest):
    def test_what_leaves_the_network_and_never_reaches_its_uplink(self):
        left = self.up["left"]
        with Capture(RIG, "left", "--point", "both") as capture:
            settled(capture, drops=False)
            self.udp(CLIENT, 9, "comes-through", enter=("nsenter", "-t", str(left.pid), "-n"))
            run(RIG, ["podman", "unshare", "--rootless-netns", "ip", "route", "add", "blackhole", "192.0.2.77/32"])
            self.addCleanup(run, RIG, ["podman", "unshare", "--rootless-netns", "ip", "route", "del", "blackhole", "192.0.2.77/32"])
            self.udp("192.0.2.77", 9, "into-the-black-hole", enter=("nsenter", "-t", str(left.pid), "-n"))
            record, = self.one_sided(capture, "inside-only")
            self.assertEqual("192.0.2.77", record["orig"]["dst"])
            self.assertIn(b"into-the-black-hole", self.frame_of(capture, record).data)
            done = capture.stop()
        self.assertEqual(1, len(done.events_of("one-sided")))

    def test_neighbours_do_not_pass_it(self):
        left, right = self.up["left"], self.up["right"]
        with Capture(RIG, "left", "--point", "both") as capture:
            settled(capture, drops=False)
            left.enter("ping", "-c", "3", "-i", "0.1", right.address)
            left.exec("wget", "-q", "-O", "-", f"http://{right.address}/")
            time.sleep(1.8)
            self.assertEqual([], capture.stop().events_of("one-sided"))


class Wireshark(EndsTest, PluginTest):
    def setUp(self):
        shared = type(self).tmp  # PluginTest's, with the plugin in it
        super().setUp()
        self.tmp = shared

    def test_the_packet_and_its_record_lead_to_each_other(self):
        with Capture(ROOT, "web", "--point", "both", "--drops=on") as capture:
            settled(capture)
            self.rules([], "chain p { type filter hook prerouting priority -400; udp dport 28553 drop; }")
            self.udp(HOST, 28553, "for-wireshark")
            self.one_sided(capture, "host-only")
            capture.stop()
            copy = self.tmp / "ends.pcapng"
            copy.write_bytes(capture.path.read_bytes())
            copy.chmod(0o644)
        # The record comes after its packet: who reads twice, as the window does, sees it on both.
        def rows(display_filter, *fields):
            args = [word for field in fields for word in ("-e", field)]
            return [line.split("\t") for line in self.tshark("-2", "-r", copy, "-Y", display_filter, "-T", "fields", *args).splitlines()]
        (packet, interface, record), = rows("podman.one_sided", "frame.number", "frame.interface_name", "podman.one_sided")
        self.assertEqual("podman:web/wan0@host", interface)
        (number, back, reason, what), = rows('podman.event.kind == "one-sided"', "frame.number", "podman.event.packet",
                                             "podman.drop.reason", "podman.event.what")
        self.assertEqual((record, packet, "NETFILTER_DROP", "host-only"), (number, back, reason, what))


class Healthy(EndsTest):
    """What arrives is not told, whatever its size on either side, across translation and between containers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.up["web"].exec("dd", "if=/dev/zero", "of=/www/big", "bs=1M", "count=3")

    def bulk(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assertIn("hello", lib.fetch(28580))
            self.up["db"].exec("wget", "-q", "-O", "-", f"http://{self.up['web'].address}/")
            self.up["db"].enter("ping", "-c", "2", "-i", "0.05", self.up["web"].address)
            size = lib.client(["sh", "-c", f"busybox wget -q -O - http://{HOST}:28580/big | wc -c"]).stdout
            self.assertEqual(3 << 20, int(size))

    def nothing(self, name, seconds, *args):
        with Capture(ROOT, name, "--point", "both", *args) as capture:
            settled(capture, drops=False)
            self.bulk(seconds)
            time.sleep(1.8)
            done = capture.stop()
        points = {p.interface.name.rpartition("@")[2] == "host" for p in done.packets}
        self.assertEqual({True, False}, points)
        self.assertEqual([], done.events_of("one-sided"))

    def test_on_the_uplink(self):
        self.nothing("web", 4)

    def test_on_the_bridge(self):
        self.nothing("db", 3)

    def test_with_a_short_snapshot_length(self):
        self.nothing("web", 2, "-s", "100")

    def test_several_containers(self):
        self.nothing("web", 3, "db")

    def test_segments_cut_on_the_way_to_the_wire(self):
        """As on a network card without segmentation offload: what left the container as one is several on the uplink."""
        for device, enter in (("wan0", []), ("eth0", ["ip", "netns", "exec", "client"])):
            features = run(ROOT, [*enter, "ethtool", "-k", device], check=False)
            if features.returncode:
                continue
            run(ROOT, [*enter, "ethtool", "-K", device, "tso", "off", "gso", "off"])
            self.addCleanup(run, ROOT, [*enter, "ethtool", "-K", device, "tso", "on", "gso", "on"])
        self.nothing("web", 3)
