# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that the kernel drops are in the capture, with the kernel's reason and all their bytes.

    client 203.0.113.2 – wan0 203.0.113.1 [host, forwards] podman0 – eth0 [web]
"""

import contextlib
import json
import socket
import struct
import time

import lib
import lib_pcapng
from lib import CLIENT, HOST, MEMBER, RIG, ROOT, Ctr, Net, RigTest, long, quick, run, wait_for
from lib_plugin import PluginTest
from lib_podshark import PODSHARK, PREFIX, Capture, extcap_home, install_worker, remove_worker

CONTAINERS = (Ctr("web", ports=("28080:80", "28053:53/udp")), Ctr("theirs", user=RIG))
DROPS = "podman:web/drops"
ETHERNET, RAW = 1, 101


# ---- packets of our own making ----

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(src, dst, protocol, payload, ttl=64, wrong=0, flags=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0x1234, flags, ttl, protocol, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", checksum(head) ^ wrong) + head[12:] + payload


def pseudo(src, dst, protocol, length):
    return socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, protocol, length)


def udp(src, dst, sport, dport, data, wrong=0):
    head = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
    total = checksum(pseudo(src, dst, 17, 8 + len(data)) + head + data)
    return head[:6] + struct.pack("!H", total ^ wrong) + data


def tcp(src, dst, sport, dport, seq=1000, ack=0, flags=2, wrong=0, options=b"", data=b""):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags,
                       64240, 0, 0) + options + data
    total = checksum(pseudo(src, dst, 6, len(head)) + head)
    return head[:16] + struct.pack("!H", total ^ wrong) + head[18:]


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def wait_watching(capture):
    wait_for(lambda: any(e["what"] == "watching-drops" for e in capture.so_far().events_of("lifecycle")),
             lambda: f"drops to be watched; stderr: {capture.stderr()}")


class DropTest(RigTest):
    """One capture for all tests of a class; each looks for a drop that its own marker identifies."""

    user, program, value = ROOT, PODSHARK, DROPS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = cls.up["web"]
        cls.address = cls.web.address
        run(ROOT, ["ip", "-n", "client", "route", "replace", "10.88.0.0/16", "via", HOST])
        cls.addClassCleanup(run, ROOT, ["ip", "-n", "client", "route", "del", "10.88.0.0/16"])
        lib.fetch(28080)
        target = cls.value.rpartition("/")[0]
        cls.capture = Capture(cls.user, target, "--drops=on", program=cls.program).__enter__()
        cls.addClassCleanup(cls.capture.__exit__)
        wait_watching(cls.capture)

    def _nothing_left(self):
        """The capture is the class's."""

    def drops(self):
        return self.capture.so_far().packets_of(self.value)

    def dropped(self, reason, marker, function="", timeout=5):
        """Waits for the drop of a packet that holds the marker; (packet, its record)."""
        def found():
            for p in self.drops():
                if marker in p.data and p.custom[0]["reason"] == reason and p.custom[0]["function"].startswith(function):
                    return p, p.custom[0]
            return None
        return wait_for(found, lambda: f"{reason} at {function or 'any function'} of {marker}; dropped were "
                        f"{sorted({(p.custom[0]['reason'], p.custom[0]['function']) for p in self.drops()})}; "
                        f"stderr: {self.capture.stderr()}", timeout)

    def rules(self, enter, text, family="inet"):
        """An nft table in a namespace (enter: argv before nft), until the end of the test."""
        run(ROOT, [*enter, "nft", "-f", "-"], input=f"table {family} dropper {{\n{text}\n}}\n")
        self.addCleanup(run, ROOT, [*enter, "nft", "delete", "table", family, "dropper"])

    def peer(self):
        index = lib.json.loads(self.web.enter("ip", "-j", "link", "show", "eth0").stdout)[0]["link_index"]
        return socket.if_indextoname(index)

    def inside(self):
        return ["nsenter", "-t", str(self.web.pid), "-n"]

    def from_client(self, script, *args):
        return lib.client(["python3", "-c", "import socket, sys\n" + script, *args])

    def send_udp(self, marker, port, address=None, ttl=64):
        self.from_client("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                         "s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, int(sys.argv[4]))\n"
                         "s.sendto(sys.argv[3].encode(), (sys.argv[1], int(sys.argv[2])))", address or self.address,
                         str(port), marker.decode(), str(ttl))

    def send_frame(self, packet, ethertype=0x0800, destination=None, link="podman0"):
        """A frame of our making out of a link of the host; onto the bridge: to the container."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
            s.bind((link, 0))
            s.send(mac(destination or self.web.mac) + s.getsockname()[4] + struct.pack("!H", ethertype) + packet)


@quick
class Firewall(DropTest):
    def test_forward_with_all_bytes_and_the_hook(self):
        self.rules([], f"chain f {{ type filter hook forward priority 5; ip daddr {self.address} udp dport 1001 drop; }}")
        marker = b"forward-" + b"x" * 700
        self.send_udp(marker, 1001)
        packet, record = self.dropped("NETFILTER_DROP", marker, "nft_do_chain")
        self.assertEqual(ETHERNET, packet.interface.linktype)
        self.assertEqual("FORWARD", record["hook"])
        self.assertEqual(("drop", "web"), (record["kind"], record["container"]))
        self.assertEqual(lib.pathlib.Path("/proc/self/ns/net").stat().st_ino, record["netns"])
        self.assertEqual(socket.if_nametoindex("wan0"), record["ifindex"])
        self.assertEqual(packet.original_length, len(packet.data))
        self.assertEqual(14 + 28 + len(marker), len(packet.data))
        ip = packet.data[14:]
        self.assertEqual((socket.inet_aton(CLIENT), socket.inet_aton(self.address)), (ip[12:16], ip[16:20]))
        self.assertEqual((63, 1001, marker), (ip[8], int.from_bytes(ip[22:24], "big"), ip[28:]))
        comment, = packet.comments
        self.assertIn("dropped: NETFILTER_DROP at nft_do_chain, FORWARD: a firewall rule dropped it", comment)

    def test_large_packets_are_complete(self):
        """One that the kernel would cut into pieces only at the end (GSO), mostly outside of the packet's linear part."""
        self.rules([], f"chain f {{ type filter hook forward priority 5; ip daddr {self.address} tcp dport 80 meta length > 4000 drop; }}")
        sent = b"".join(b"%07d-" % i for i in range(20000))
        self.from_client("s = socket.create_connection((sys.argv[1], 80))\ns.setblocking(False)\n"
                         "s.send(b''.join(b'%07d-' % i for i in range(20000)))", self.address)
        packet, record = self.dropped("NETFILTER_DROP", b"-0000001-0000002-")
        self.assertEqual(packet.original_length, len(packet.data))
        payload = packet.data[14 + 20 + (packet.data[46] >> 4) * 4:]
        self.assertGreater(len(payload), 4000)
        self.assertIn(payload, sent)
        self.assertGreater(record["count"], 2)
        self.assertIn(f"{record['count']} packets on the wire", record["detail"])

    def test_published_port_with_the_connection_before_translation(self):
        self.rules([], f"chain f {{ type filter hook forward priority 5; ip daddr {self.address} tcp dport 80 drop; }}")
        self.from_client("s = socket.socket()\ns.settimeout(0.3)\ns.bind(('', 40001))\n"
                         "s.connect_ex((sys.argv[1], 28080))", HOST)
        _, record = self.dropped("NETFILTER_DROP", struct.pack("!HH", 40001, 80))
        self.assertEqual({"src": CLIENT, "src_port": 40001, "dst": HOST, "dst_port": 28080}, record["orig"])
        self.assertEqual("tcp", record["protocol"])
        self.assertEqual("'podshark trace --wait 60 web:80' shows which rule, when it is sent again", record["fix"])
        self.assertIn(f"connection {CLIENT}:40001 > {HOST}:28080 (DNAT)", record["detail"])

    def test_published_port_before_any_translation(self):
        self.rules([], "chain p { type filter hook prerouting priority -400; udp dport 28053 drop; }")
        self.send_udp(b"prerouting-marker", 28053, HOST)
        _, record = self.dropped("NETFILTER_DROP", b"prerouting-marker")
        self.assertIn("'podshark trace --wait 60 web:53/udp'", record["fix"])
        self.assertEqual("PREROUTING", record["hook"])

    def test_other_ports_of_the_host_are_nobodys(self):
        self.rules([], "chain p { type filter hook prerouting priority -400; udp dport { 28053, 28054 } drop; }")
        self.send_udp(b"not-ours", 28054, HOST)
        self.send_udp(b"ours-again", 28053, HOST)
        self.dropped("NETFILTER_DROP", b"ours-again")
        self.assertFalse([p for p in self.drops() if b"not-ours" in p.data])

    def test_input_inside(self):
        self.rules(self.inside(), "chain i { type filter hook input priority 0; udp dport 1002 drop; }")
        self.send_udp(b"inside-input", 1002)
        _, record = self.dropped("NETFILTER_DROP", b"inside-input")
        self.assertEqual("INPUT", record["hook"])
        self.assertEqual(self.web.inspect()["State"]["Pid"], self.web.pid)
        self.assertEqual(lib.pathlib.Path(f"/proc/{self.web.pid}/ns/net").stat().st_ino, record["netns"])

    def test_output_inside_has_no_link_layer_yet(self):
        self.rules(self.inside(), "chain o { type filter hook output priority 0; udp dport 1003 drop; }")
        self.web.enter("python3", "-c", f"import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                       f"with __import__('contextlib').suppress(OSError): s.sendto(b'inside-output', ('{HOST}', 1003))")
        packet, record = self.dropped("NETFILTER_DROP", b"inside-output")
        self.assertIn(f"'podshark trace --from web {HOST}:1003/udp'", record["fix"])
        self.assertEqual((RAW, "OUTPUT", 0x45), (packet.interface.linktype, record["hook"], packet.data[0]))

    def test_iptables(self):
        rule = ["FORWARD", "-d", self.address, "-p", "udp", "--dport", "1004", "-j", "DROP"]
        run(ROOT, ["iptables", "-I", *rule])
        self.addCleanup(run, ROOT, ["iptables", "-D", *rule])
        self.send_udp(b"iptables-nft", 1004)
        _, record = self.dropped("NETFILTER_DROP", b"iptables-nft")
        self.assertEqual("FORWARD", record["hook"])


class Hooks(DropTest):
    def drop_at(self, hook, chain, family="inet"):
        """A rule there drops packets of a client to the container."""
        marker = f"hook-{hook}".replace(" ", "-").encode()
        self.rules([], f"chain c {{ {chain}; udp dport 1008 drop; }}", family)
        self.send_udp(marker, 1008)
        _, record = self.dropped("NETFILTER_DROP", marker)
        self.assertEqual(hook, record["hook"])

    def test_prerouting(self):
        self.drop_at("PREROUTING", "type filter hook prerouting priority 0")

    def test_postrouting(self):
        self.drop_at("POSTROUTING", "type filter hook postrouting priority 0")

    def test_netdev_ingress(self):
        self.drop_at("netdev ingress", "type filter hook ingress device wan0 priority 0", "netdev")

    def test_netdev_egress(self):
        self.drop_at("netdev egress", f"type filter hook egress device {self.peer()} priority 0", "netdev")

    def test_bridge(self):
        self.rules([], "chain c { type filter hook output priority 0; ip daddr %s udp dport 1009 drop; }" % self.address, "bridge")
        self.send_udp(b"hook-bridge", 1009)
        self.dropped("NETFILTER_DROP", b"hook-bridge")

    def test_reject(self):
        self.rules([], f"chain c {{ type filter hook forward priority 5; ip daddr {self.address} udp dport 1010 reject; }}")
        self.send_udp(b"rejected", 1010)
        _, record = self.dropped("NETFILTER_DROP", b"rejected")
        self.assertEqual("FORWARD", record["hook"])

    def test_iptables_legacy(self):
        for target, reason, function in (("DROP", "NETFILTER_DROP", "nf_hook_slow"), ("NFQUEUE", "NOT_SPECIFIED", "nf_queue")):
            rule = ["FORWARD", "-d", self.address, "-p", "udp", "--dport", "1011", "-j", target]
            run(ROOT, ["iptables-legacy", "-I", *rule])
            self.send_udp(f"legacy-{target}".encode(), 1011)
            run(ROOT, ["iptables-legacy", "-D", *rule])
            _, record = self.dropped(reason, f"legacy-{target}".encode(), function)
            if target == "DROP":
                self.assertEqual("FORWARD", record["hook"])


class Tcp(DropTest):
    """Segments of ours in the middle of a true connection."""

    def connection(self):
        """Ports and the next sequence numbers of client and server, and the client's last timestamp."""
        script = ("import socket, sys, time\ns = socket.create_connection((sys.argv[1], 80))\n"
                  "s.send(b'GET /')\nprint(s.getsockname()[1], flush=True)\ntime.sleep(60)")
        client = self.child(ROOT, ["ip", "netns", "exec", "client", "python3", "-c", script, self.address],
                            stdout=lib.subprocess.PIPE)
        port = int(client.stdout.readline())

        def segments():
            found = {}
            for p in self.capture.so_far().packets_of("podman:web/eth0"):
                ports = struct.unpack_from("!HH", p.data, 34) if p.data[23:24] == b"\x06" else None
                if ports in ((port, 80), (80, port)):
                    found[ports[0]] = p.data[34:]
            return found if len(found) == 2 and found[port][20 + 12:].endswith(b"GET /") else None
        seen = wait_for(segments, "the connection in the capture")
        data, answer = seen[port], seen[80]
        seq, ack = struct.unpack_from("!II", data, 4)
        stamp = struct.unpack_from("!II", data, 24) if data[20:24] == b"\x01\x01\x08\x0a" else (0, 0)
        self.assertTrue(answer)
        return port, seq + 5, ack, stamp

    def segment(self, port, seq, ack, flags, stamp, data):
        options = b"\x01\x01\x08\x0a" + struct.pack("!II", *(v & 0xFFFFFFFF for v in stamp))
        self.send_frame(ip4(CLIENT, self.address, 6, tcp(CLIENT, self.address, port, 80, seq, ack, flags, options=options, data=data)))

    def test_segments_that_do_not_fit(self):
        port, seq, ack, (value, echo) = self.connection()
        for reason, args in (
                ("TCP_RFC7323_PAWS", (seq, ack, 0x18, (value - 100000, echo), b"old-stamp")),
                ("TCP_OLD_DATA", (seq - 5, ack, 0x18, (value, echo), b"GET /")),
                ("TCP_INVALID_SEQUENCE", (seq + (16 << 20), ack, 0x18, (value, echo), b"far-away")),
                ("TCP_ACK_UNSENT_DATA", (seq, ack + 100000, 0x18, (value, echo), b"unsent")),
                ("TCP_FLAGS", (seq, ack, 0, (value, echo), b"no-flags"))):
            with self.subTest(reason):
                self.segment(port, *args)
                self.dropped(reason, args[4])
        self.segment(port, seq, ack, 2, (value, echo), b"syn-again")
        self.dropped("TCP_INVALID_SYN", b"syn-again")


class Wireshark(DropTest, PluginTest):
    def setUp(self):
        shared = type(self).tmp  # PluginTest's, with the plugin in it
        super().setUp()
        self.tmp = shared

    def test_filters_them_by_reason(self):
        self.rules([], f"chain f {{ type filter hook forward priority 5; ip daddr {self.address} udp dport 1005 drop; }}")
        self.send_udp(b"for-wireshark", 1005)
        self.dropped("NETFILTER_DROP", b"for-wireshark")
        copy = self.tmp / "copy.pcapng"
        copy.write_bytes(self.capture.path.read_bytes())
        copy.chmod(0o644)
        got = self.tshark("-r", copy, "-Y", 'podman.drop.reason == "NETFILTER_DROP"', "-T", "fields", "-e", "udp.dstport",
                          "-e", "frame.interface_name", "-e", "podman.dst.name")
        self.assertEqual(f"1005\t{DROPS}\tweb", got.strip())
        for filter_ in ('podman.drop.hook == "FORWARD"', 'podman.drop.function == "nft_do_chain"'):
            got = self.tshark("-r", copy, "-Y", filter_, "-T", "fields", "-e", "udp.dstport")
            self.assertEqual("1005", got.strip(), filter_)

    def test_links_one_to_the_frame_that_has_it(self):
        self.send_udp(b"captured-and-dropped", 98)
        self.dropped("NO_SOCKET", b"captured-and-dropped")
        copy = self.tmp / "linked.pcapng"
        copy.write_bytes(self.capture.path.read_bytes())
        copy.chmod(0o644)
        got = self.tshark("-r", copy, "-Y", "udp.dstport == 98 and not icmp", "-T", "fields", "-e", "frame.number", "-e", "podman.copy_of",
                          "-e", "podman.drop.reason")
        first, second = [line.split("\t") for line in got.splitlines()]
        self.assertEqual(([first[0], "", ""], [first[0], "NO_SOCKET"]), (first, second[1:]))


class Live(RigTest):
    def test_through_tshark_as_it_captures(self):
        """dumpcap passes comments and options on; the first record tells that drops are watched."""
        extcap_home(ROOT)
        path = self.tmp / "live.pcapng"
        path.touch()
        path.chmod(0o666)
        web = self.up["web"]
        child = self.child(ROOT, ["tshark", "-q", "-i", "podman:web", "-w", path], stderr=lib.subprocess.PIPE, text=True)

        def now():
            data = path.read_bytes()
            return lib_pcapng.read(path, partial=True) if len(data) > 28 else None
        wait_for(lambda: now() and [e for e in now().events_of("lifecycle") if e["what"] == "watching-drops"],
                 "drops to be watched", 40)

        def dropped():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, contextlib.suppress(OSError):
                s.sendto(b"live-and-closed", (web.address, 98))
            return [p for p in now().packets_of(DROPS) if b"live-and-closed" in p.data]
        packet = wait_for(dropped, "a dropped packet in tshark's file")[0]
        self.assertEqual(0, lib.end(child, lib.signal.SIGINT), child.stderr.read())
        self.assertEqual("NO_SOCKET", packet.custom[0]["reason"])
        self.assertIn("nobody listens on that UDP port", packet.comments[0])


class Receiver(DropTest):
    def test_closed_tcp_port(self):
        self.from_client("s = socket.socket()\ns.bind(('', 40002))\ns.connect_ex((sys.argv[1], 99))", self.address)
        _, record = self.dropped("NO_SOCKET", struct.pack("!HH", 40002, 99), "tcp_v4_rcv")
        self.assertIn("nobody listens on that TCP port", record["detail"])

    def test_closed_udp_port(self):
        self.send_udp(b"closed-udp", 98)
        self.dropped("NO_SOCKET", b"closed-udp", "__udp4_lib_rcv")

    def test_full_udp_buffer(self):
        reader = self.child(ROOT, [*self.inside(), "python3", "-c",
                                   "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                   "s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)\ns.bind(('', 97))\n"
                                   "print('ready', flush=True)\ntime.sleep(60)"], stdout=lib.subprocess.PIPE)
        self.assertEqual(b"ready\n", reader.stdout.readline())
        self.from_client("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                         "for i in range(20): s.sendto(b'buffer-full' + b'y' * 900, (sys.argv[1], 97))", self.address)
        self.dropped("SOCKET_RCVBUFF", b"buffer-full")

    def test_checksums(self):
        src = "10.88.0.1"
        mine = self.address
        self.send_frame(ip4(src, mine, 17, udp(src, mine, 5, 97, b"wrong-ip-sum"), wrong=1))
        self.dropped("IP_CSUM", b"wrong-ip-sum", "ip_rcv_core")
        self.send_frame(ip4(src, mine, 17, udp(src, mine, 5, 95, b"wrong-udp-sum", wrong=1)))
        self.dropped("UDP_CSUM", b"wrong-udp-sum")
        self.send_frame(ip4(src, mine, 6, tcp(src, mine, 5, 80, wrong=1, data=b"wrong-tcp-sum")))
        self.dropped("TCP_CSUM", b"wrong-tcp-sum")
        echo = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"wrong-icmp-sum"
        self.send_frame(ip4(src, mine, 1, echo[:2] + struct.pack("!H", checksum(echo) ^ 1) + echo[4:]))
        self.dropped("ICMP_CSUM", b"wrong-icmp-sum")

    def test_headers(self):
        src, mine = "10.88.0.1", self.address
        data = udp(src, mine, 5, 95, b"")
        for reason, packet in (("OTHERHOST", None), ("IP_INVALID_SOURCE", ip4("0.0.0.0", mine, 17, data + b"source-zero")),
                               ("IP_LOCALNET", ip4("127.0.0.1", mine, 17, data + b"source-loopback")),
                               ("IP_LOCAL_SOURCE", ip4(mine, mine, 17, data + b"source-own")),
                               ("IP_NOPROTO", ip4(src, mine, 253, b"protocol-253"))):
            with self.subTest(reason):
                if packet is None:
                    self.send_frame(ip4(src, mine, 17, data + b"other-mac"), destination="02:00:00:00:00:99")
                    self.dropped(reason, b"other-mac")
                    continue
                self.send_frame(packet)
                self.dropped(reason, packet[28:] or packet[20:])
        self.send_frame(ip4(src, mine, 17, b"truncated-header")[:12] + b"cut")
        self.dropped("IP_INHDR", b"cut", "ip_rcv_core")


class Way(DropTest):
    def test_ttl(self):
        self.send_udp(b"ttl-ran-out", 1001, ttl=1)
        _, record = self.dropped("IP_INHDR", b"ttl-ran-out", "ip_forward")
        self.assertIn("its TTL ran out", record["detail"])

    def test_reverse_path_filter(self):
        for name in ("all", "wan0"):
            path = lib.pathlib.Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter")
            self.addCleanup(path.write_text, path.read_text())
            path.write_text("1")
        lib.client(["ip", "addr", "add", "10.88.0.99/32", "dev", "lo"])
        self.addCleanup(lib.client, ["ip", "addr", "del", "10.88.0.99/32", "dev", "lo"])
        self.from_client("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('10.88.0.99', 0))\n"
                         "s.sendto(b'no-way-back', (sys.argv[1], 1001))", self.address)
        self.dropped("IP_RPFILTER", b"no-way-back")

    def mtu(self, link, value, enter=()):
        before = run(ROOT, [*enter, "ip", "-j", "link", "show", link]).stdout
        run(ROOT, [*enter, "ip", "link", "set", link, "mtu", str(value)])
        self.addCleanup(run, ROOT, [*enter, "ip", "link", "set", link, "mtu", str(lib.json.loads(before)[0]["mtu"])])

    def send_large(self, marker, size):
        self.from_client("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                         "s.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE\n"
                         "s.sendto(sys.argv[2].encode().ljust(int(sys.argv[3]), b'z'), (sys.argv[1], 1001))", self.address,
                         marker.decode(), str(size))

    def test_too_big_for_the_bridge(self):
        self.mtu("podman0", 1000)
        self.send_large(b"too-big", 1200)
        packet, _ = self.dropped("PKT_TOO_BIG", b"too-big", "ip_forward")
        self.assertEqual(14 + 28 + 1200, len(packet.data))

    def test_too_big_for_the_other_end(self):
        self.mtu("eth0", 1300, self.inside())
        self.send_large(b"other-end", 1400)
        _, record = self.dropped("NOT_SPECIFIED", b"other-end", "__dev_forward_skb2")
        self.assertIn("MTU", record["detail"])

    def test_blackhole_and_no_route(self):
        run(ROOT, ["ip", "route", "add", "blackhole", self.address])
        self.addCleanup(run, ROOT, ["ip", "route", "del", "blackhole", self.address], check=False)
        self.send_udp(b"black-hole", 1001)
        self.dropped("NOT_SPECIFIED", b"black-hole", "ip_error")

    def test_forwarding_off(self):
        path = lib.pathlib.Path("/proc/sys/net/ipv4/conf/wan0/forwarding")
        self.addCleanup(path.write_text, path.read_text())
        path.write_text("0")
        self.send_udp(b"forwarding-off", 1001)
        _, record = self.dropped("IP_INADDRERRORS", b"forwarding-off", "ip_error")
        self.assertIn("forwarding is off", record["detail"])

    def test_queue(self):
        peer = self.peer()
        run(ROOT, ["tc", "qdisc", "add", "dev", peer, "root", "tbf", "rate", "64kbit", "burst", "1600", "limit", "3000"])
        self.addCleanup(run, ROOT, ["tc", "qdisc", "del", "dev", peer, "root"])
        self.from_client("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                         "for i in range(20): s.sendto(b'queue-full' + b'q' * 1000, (sys.argv[1], 1001))", self.address)
        self.dropped("QDISC_DROP", b"queue-full", "__dev_queue_xmit")

    def test_neighbour(self):
        with contextlib.suppress(AssertionError):
            self.web.enter("python3", "-c", "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                           "s.sendto(b'nobody-there', ('10.88.250.250', 1001))")
        self.dropped("NEIGH_FAILED", b"nobody-there", timeout=10)

    def test_too_big_for_the_bridges_port(self):
        self.mtu(self.peer(), 1300)
        self.mtu("podman0", 1500)
        self.send_large(b"bridge-port", 1400)
        self.dropped("NOT_SPECIFIED", b"bridge-port", "br_dev_queue_push_xmit")

    def test_queue_that_is_removed(self):
        peer = self.peer()
        run(ROOT, ["tc", "qdisc", "add", "dev", peer, "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "30000"])
        self.from_client("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                         "for i in range(9): s.sendto(b'queue-removed' + b'q' * 1000, (sys.argv[1], 1001))", self.address)
        run(ROOT, ["tc", "qdisc", "del", "dev", peer, "root"])
        self.dropped("NOT_SPECIFIED", b"queue-removed", "__rtnl_unlock")

    def test_traffic_control_filters(self):
        peer = self.peer()
        run(ROOT, ["tc", "qdisc", "add", "dev", peer, "clsact"])
        self.addCleanup(run, ROOT, ["tc", "qdisc", "del", "dev", peer, "clsact"])
        program = ["bpf", "direct-action", "obj", self.dropper(), "sec", "tc"]
        run(ROOT, ["tc", "filter", "add", "dev", peer, "egress", *program])
        self.send_udp(b"tc-egress", 1001)
        self.dropped("TC_EGRESS", b"tc-egress")
        run(ROOT, ["tc", "filter", "del", "dev", peer, "egress"])
        run(ROOT, ["tc", "filter", "add", "dev", peer, "ingress", *program])
        self.web.enter("python3", "-c", "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                       f"s.sendto(b'tc-ingress', ('{HOST}', 1001))")
        self.dropped("TC_INGRESS", b"tc-ingress")

    def dropper(self):
        """BPF programs that drop everything: TC_ACT_SHOT, XDP_DROP."""
        source, program = self.tmp / "drop.c", self.tmp / "drop.o"
        source.write_text('__attribute__((section("tc"), used)) int shot(void *skb) { return 2; }\n'
                          '__attribute__((section("xdp"), used)) int drop(void *frame) { return 1; }\n')
        run(ROOT, ["clang", "-O2", "-target", "bpf", "-c", source, "-o", program])
        return program

    def test_xdp(self):
        program = self.dropper()
        for mode, function in (("xdpgeneric", "do_xdp_generic"), ("xdpdrv", "veth_xdp_rcv_skb")):
            self.web.enter("ip", "link", "set", "dev", "eth0", mode, "obj", program, "sec", "xdp")
            self.send_udp(f"dropped-by-{mode}".encode(), 1001)
            self.web.enter("ip", "link", "set", "dev", "eth0", mode, "off")
            packet, record = self.dropped("NOT_SPECIFIED", f"dropped-by-{mode}".encode(), function)
            self.assertIn("an XDP program", record["detail"])
            self.assertEqual(ETHERNET, packet.interface.linktype)

    def test_no_route(self):
        write = ["sysctl", "-w"]
        self.web.enter(*write, "net.ipv4.ip_forward=1")
        self.addCleanup(self.web.enter, *write, "net.ipv4.ip_forward=0")
        route = self.web.enter("ip", "route", "show", "default").stdout.split()
        self.web.enter("ip", "route", "del", "default")
        self.addCleanup(self.web.enter, "ip", "route", "add", *route)
        self.send_frame(ip4("10.88.0.1", "198.51.100.1", 17, udp("10.88.0.1", "198.51.100.1", 5, 6, b"no-route")))
        self.dropped("IP_INNOROUTES", b"no-route", "ip_error")

    def test_fragments_that_stay_alone(self):
        self.web.enter("sysctl", "-w", "net.ipv4.ipfrag_time=1")
        self.send_frame(ip4("10.88.0.1", self.address, 17, b"lonely-fragment-", flags=0x2000))
        self.dropped("FRAG_REASM_TIMEOUT", b"lonely-fragment-", "ip_expire", timeout=10)

    def test_bridge_without_a_port(self):
        run(ROOT, ["ip", "neigh", "replace", self.address, "lladdr", self.web.mac, "dev", "podman0"])
        route = self.web.enter("ip", "route", "show", "default").stdout.split()
        self.web.enter("ip", "link", "set", "eth0", "down")
        self.addCleanup(self.web.enter, "ip", "route", "replace", *route)
        self.addCleanup(self.web.enter, "ip", "link", "set", "eth0", "up")
        run(ROOT, ["ip", "neigh", "replace", self.address, "lladdr", self.web.mac, "dev", "podman0"])
        self.send_udp(b"no-port-left", 1001)
        self.dropped("NO_TX_TARGET", b"no-port-left", "br_dev_xmit")


class Ended(DropTest):
    """The capture is of web, and of one that ends."""

    def test_its_port_is_somebody_elses_then(self):
        for name in ("first", "second"):
            self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "--ignore", name, check=False)
        self.rules([], "chain p { type filter hook prerouting priority -400; udp dport { 28053, 28055 } drop; }")
        lib.start(Ctr("first", ports=("28055:55/udp",)))
        with Capture(ROOT, "web", "first", "--drops=on") as capture:
            wait_watching(capture)

            def packets(marker):
                return [p.interface.name for p in capture.so_far().packets if marker in p.data]

            self.send_udp(b"to-the-first", 28055, HOST)
            wait_for(lambda: packets(b"to-the-first") == ["podman:first/drops"], "its drop")
            lib.podman(ROOT, "rm", "-f", "-t", "0", "first")
            lib.start(Ctr("second", ports=("28055:55/udp",)))
            wait_for(lambda: any(e["what"] == "exited" and e.get("container") == "first"
                                 for e in capture.so_far().events_of("lifecycle")), "its end")
            self.send_udp(b"to-the-second", 28055, HOST)
            self.send_udp(b"to-web", 28053, HOST)
            wait_for(lambda: packets(b"to-web") == ["podman:web/drops"], "the other's drop")
            self.assertEqual([], packets(b"to-the-second"))
            back = lib.start(Ctr("first", ports=("28056:55/udp",)))["first"]

            def dropped_again():
                self.send_udp(b"back-again", 98, back.address)
                return "podman:first/drops" in packets(b"back-again")
            wait_for(dropped_again, "a drop inside of it when it is back")


class Member(DropTest):
    """Somebody of the group, whom only the installed helpers give what it takes."""

    user, program, value = MEMBER, PREFIX / "bin/podshark", "podman-root:web/drops"

    @classmethod
    def setUpClass(cls):
        install_worker()
        cls.addClassCleanup(remove_worker)
        super().setUpClass()

    def test_sees_what_is_dropped_inside(self):
        self.send_udp(b"closed-for-members", 98)
        self.dropped("NO_SOCKET", b"closed-for-members", "__udp4_lib_rcv")

    def test_sees_nothing_that_is_dropped_on_the_host(self):
        self.rules([], f"chain f {{ type filter hook forward priority 5; ip daddr {self.address} udp dport 1006 drop; }}")
        self.send_udp(b"not-for-members", 1006)
        self.send_udp(b"but-this-is", 98)
        self.dropped("NO_SOCKET", b"but-this-is")
        self.assertFalse([p for p in self.drops() if b"not-for-members" in p.data])
        self.assertIn("those on the host are for root", self.capture.stderr())

    def test_the_helper_holds_nothing_once_it_has_begun(self):
        helper, = lib.processes("podshark-drops")
        status = lib.pathlib.Path(f"/proc/{helper}/status").read_text()
        for line in ("CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, status)


class Rootless(RigTest):
    """Own containers of somebody of the group: inside, and in the namespace of the rootless networks."""

    @staticmethod
    def send(sender, marker, address, port):
        sender.enter("python3", "-c", "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                     f"s.sendto({marker!r}, ('{address}', {port}))")

    def test_sees_what_is_dropped_inside_and_on_the_way(self):
        install_worker()
        self.addCleanup(remove_worker)
        lib.image_for(MEMBER)
        lib.start(Net("lan", user=MEMBER))
        self.addCleanup(lib.remove_all, MEMBER)
        own = lib.start(Ctr("own", user=MEMBER, network="lan"))["own"]
        other = lib.start(Ctr("other", user=MEMBER, network="lan"))["other"]
        nft = ["podman", "unshare", "--rootless-netns", "/usr/sbin/nft"]
        with Capture(MEMBER, "own", "--drops=on", program=PREFIX / "bin/podshark") as capture:
            wait_watching(capture)
            self.send(other, b"rootless-closed", own.address, 98)
            run(MEMBER, [*nft, "add table bridge dropper; add chain bridge dropper f { type filter hook forward priority 0; };"
                         " add rule bridge dropper f udp dport 1007 drop"])
            self.send(other, b"rootless-rule", own.address, 1007)
            want = {("NO_SOCKET", b"rootless-closed"), ("NETFILTER_DROP", b"rootless-rule")}
            def seen():
                return {(reason, marker) for reason, marker in want for p in capture.so_far().packets_of("podman:own/drops")
                        if marker in p.data and p.custom[0]["reason"] == reason}
            wait_for(lambda: seen() == want, lambda: f"{want - seen()}; stderr: {capture.stderr()}")
            capture.stop()


class Refused(RigTest):
    def test_somebody_without_rights_is_told_and_captures_all_the_same(self):
        install_worker()
        self.addCleanup(remove_worker)
        with Capture(RIG, "theirs", "--drops=on", program=PREFIX / "bin/podshark") as capture:
            self.up["theirs"].enter("ping", "-c", "1", "127.0.0.1")
            capture.wait_packets(2)
            capture.stop()
            told, = [line for line in capture.stderr().splitlines() if "dropped packets" in line]
        self.assertIn("you may not run", told)
        self.assertIn("usermod -aG wireshark", told)


class Counted(RigTest):
    """Losses of which there is no packet to show, from the kernel's counters."""

    def counted(self, capture, reason):
        def found():
            return [e for e in capture.so_far().events_of("drop") if e["reason"] == reason]
        return wait_for(found, lambda: f"{reason} in {capture.so_far().events_of('drop')}; stderr: {capture.stderr()}")[0]

    def test_a_full_accept_queue(self):
        web = self.up["web"]
        listener = self.child(ROOT, ["nsenter", "-t", str(web.pid), "-n", "python3", "-c",
                                     "import socket, time\ns = socket.socket()\ns.bind(('', 96))\ns.listen(1)\n"
                                     "print('ready', flush=True)\ntime.sleep(60)"], stdout=lib.subprocess.PIPE)
        self.assertEqual(b"ready\n", listener.stdout.readline())
        with Capture(ROOT, "web", "--drops=on") as capture:
            wait_watching(capture)
            time.sleep(1.5)  # the first sample is the beginning
            run(ROOT, ["python3", "-c", "import socket, sys, time\nall = [socket.socket() for _ in range(6)]\n"
                       "for s in all:\n s.setblocking(False)\n s.connect_ex((sys.argv[1], 96))\ntime.sleep(0.5)", web.address])
            told = self.counted(capture, "ListenOverflows")
            capture.stop()
        self.assertGreater(told["count"], 0)
        self.assertEqual("web", told["container"])
        self.assertIn("accept queue was full", told["detail"])

    def test_without_rights_more_is_counted(self):
        with Capture(RIG, "theirs") as capture:
            time.sleep(1.5)  # the first sample is the beginning
            self.up["theirs"].enter("python3", "-c", "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                    "s.sendto(b'nobody', ('127.0.0.1', 95))")
            told = self.counted(capture, "NoPorts")
            self.assertEqual("", "".join(line for line in capture.stderr().splitlines() if "dropped packets" in line))
            why, = [e for e in capture.so_far().events_of("lifecycle") if e["what"] == "drops-not-watched"]
            capture.stop()
        self.assertEqual(1, told["count"])
        self.assertIn("not permitted", why["detail"])


class CountedOnBridge(RigTest):
    """Of a rootless bridge, whose user has no right to see dropped packets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lib.start(Net("lan", user=RIG))
        cls.addClassCleanup(lib.podman, RIG, "network", "rm", "-f", "lan")
        cls.up = dict(cls.up)
        for name in ("left", "right"):
            cls.up.update(lib.start(Ctr(name, user=RIG, network="lan")))
        cls.addClassCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "left", "right")

    counted = Counted.counted

    def around(self, *argv, **kwargs):
        return run(RIG, ["podman", "unshare", "--rootless-netns", *argv], **kwargs)

    def test_a_link_that_gives_up_packets(self):
        left, right = self.up["left"], self.up["right"]
        index = json.loads(left.enter("ip", "-j", "link", "show", "eth0").stdout)[0]["link_index"]
        peer = next(l["ifname"] for l in json.loads(self.around("ip", "-j", "link").stdout) if l["ifindex"] == index)
        self.around("ip", "link", "set", peer, "mtu", "1000")
        with Capture(RIG, "left") as capture:
            time.sleep(1.5)  # the first sample is the beginning
            left.enter("ping", "-c", "2", "-i", "0.1", "-W", "1", "-s", "1300", right.address, check=False)
            told = self.counted(capture, "tx_dropped")
            capture.stop()
        self.assertEqual(("left", "eth0", "counted"), (told["container"], told["link"], told["what"]))
        self.assertGreaterEqual(told["count"], 1)
        self.assertIn("its MTU", told["fix"])

    def test_a_rule_that_counts(self):
        left, right = self.up["left"], self.up["right"]
        self.around("/usr/sbin/nft", "-f", "-", input="table bridge losing {\nchain f { type filter hook forward priority 0; udp dport 1020 counter drop; }\n}\n")
        self.addCleanup(self.around, "/usr/sbin/nft", "delete", "table", "bridge", "losing")
        with Capture(RIG, "left") as capture:
            wait_for(lambda: "drops-not-watched" in [e["what"] for e in capture.so_far().events_of("lifecycle")], "the reason")

            def told():
                left.enter("python3", "-c", "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                           "s.sendto(b'x', (sys.argv[1], 1020))", right.address)
                time.sleep(0.3)
                return [e for e in capture.so_far().events_of("drop") if e["reason"] == "NETFILTER_DROP"]
            record = wait_for(told, lambda: f"the rule's record; stderr: {capture.stderr()}", 20)[0]
            capture.stop()
        self.assertGreaterEqual(record["count"], 1)
        self.assertIn("the rootless networks: a firewall rule dropped", record["detail"])
        self.assertIn("table bridge losing chain f", record["detail"])
        self.assertIn("udp dport 1020", record["detail"])


class Six(RigTest):
    def test_ipv6_inside_and_on_the_host(self):
        lib.start(Net("six", options=("--ipv6", "--subnet", "10.98.0.0/24", "--subnet", "fd98::/64")))
        self.addCleanup(lib.podman, ROOT, "network", "rm", "-f", "six")
        back = lib.start(Ctr("sixth", network="six"))["sixth"]
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "sixth")
        address = back.inspect()["NetworkSettings"]["Networks"]["six"]["GlobalIPv6Address"]
        run(ROOT, ["nft", "-f", "-"], input="table inet six {\nchain o { type filter hook output priority 0; udp dport 1015 drop; }\n}\n")
        self.addCleanup(run, ROOT, ["nft", "delete", "table", "inet", "six"])

        def seen(marker, port, reason, function):
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s, contextlib.suppress(OSError):
                s.sendto(marker, (address, port))
            return [p for p in capture.so_far().packets_of("podman:sixth/drops")
                    if marker in p.data and p.custom[0]["reason"] == reason and p.custom[0]["function"] == function]
        with Capture(ROOT, "sixth", "--drops=on") as capture:
            wait_watching(capture)
            inside = wait_for(lambda: seen(b"six-closed", 98, "NO_SOCKET", "__udp6_lib_rcv"), "the closed port")[0]
            outside = wait_for(lambda: seen(b"six-output", 1015, "NETFILTER_DROP", "nft_do_chain"), "the rule")[0]
            capture.stop()
        self.assertEqual((ETHERNET, b"\x86\xdd"), (inside.interface.linktype, inside.data[12:14]))
        self.assertEqual((RAW, 6, "OUTPUT"), (outside.interface.linktype, outside.data[0] >> 4, outside.custom[0]["hook"]))
        self.assertEqual(socket.inet_pton(socket.AF_INET6, address), outside.data[24:40])


class Flood(DropTest):
    def test_what_comes_too_fast_is_counted_exactly(self):
        self.rules(self.inside(), "chain i { type filter hook input priority 0; udp dport 1012 drop; }")
        with Capture(ROOT, "web", "--drops=on", "-f", "udp port 1012") as capture:
            wait_watching(capture)
            capture.process.send_signal(lib.signal.SIGSTOP)
            sent = int(run(ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", self.web.mac, "40000", "200", "100000",
                                  "1012"]).stdout)
            capture.process.send_signal(lib.signal.SIGCONT)
            capture.wait_packets(1000, DROPS)
            done = capture.stop()
            told = next((s for s in done.all(lib_pcapng.Statistics) if s.interface.name == DROPS), None)
            self.assertIsNotNone(told, capture.stderr())
            self.assertEqual((sent, sent), (told.received, told.dropped + len(done.packets_of(DROPS))))
            self.assertGreater(told.dropped, 1000)
            self.assertIn(f"{told.dropped} dropped packets came too fast", capture.stderr())

    def test_they_are_in_order_of_time_with_what_was_captured(self):
        self.rules(self.inside(), "chain i { type filter hook input priority 0; udp dport 1013 drop; }")
        with Capture(ROOT, "web", "--drops=on", "-f", "udp port 1013", "-i", "eth0") as capture:
            wait_watching(capture)
            run(ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", self.web.mac, "3000", "200", "3000", "1013"])
            capture.wait_packets(3000, DROPS)
            done = capture.stop()
        times = [p.time_ns for p in done.all(lib_pcapng.Packet)]
        late = [i for i in range(1, len(times)) if times[i] < times[i - 1]]
        self.assertEqual([], late[:5])
        seen, late = {}, []
        for p in done.packets:
            if p.interface.name == DROPS:
                late.append(p.time_ns - seen[p.data[14:]])
            seen.setdefault(p.data[14:], p.time_ns)
        self.assertEqual(3000, len(late))
        self.assertGreater(min(late), 0)


class Changes(RigTest):
    """A container that restarts, and one that gets another network, while its drops are shown."""

    def send(self, marker, address, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, contextlib.suppress(OSError):
            s.sendto(marker, (address, port))

    def until_dropped(self, capture, name, marker, address, port, reason):
        def seen():
            self.send(marker, address(), port)
            return [p for p in capture.so_far().packets_of(f"podman:{name}/drops")
                    if marker in p.data and p.custom[0]["reason"] == reason]
        return wait_for(seen, lambda: f"{reason} of {marker}; stderr: {capture.stderr()}")[0]

    def test_a_restart(self):
        again = lib.start(Ctr("again"))["again"]
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "again")
        with Capture(ROOT, "again", "--drops=on") as capture:
            wait_watching(capture)
            first = self.until_dropped(capture, "again", b"before", lambda: again.address, 98, "NO_SOCKET")
            lib.podman(ROOT, "restart", "-t", "0", "again")
            second = self.until_dropped(capture, "again", b"afterwards", lambda: again.address, 98, "NO_SOCKET")
            capture.stop()
        self.assertNotEqual(first.custom[0]["netns"], second.custom[0]["netns"])
        self.assertEqual(first.interface.number_, second.interface.number_)

    def test_another_network(self):
        lib.podman(ROOT, "network", "create", "second")
        self.addCleanup(lib.podman, ROOT, "network", "rm", "-f", "second")
        more = lib.start(Ctr("more", network="podman"))["more"]
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "more")
        run(ROOT, ["nft", "-f", "-"], input="table inet changes {\nchain o { type filter hook output priority 0; udp dport 1014 drop; }\n}\n")
        self.addCleanup(run, ROOT, ["nft", "delete", "table", "inet", "changes"])
        with Capture(ROOT, "more", "--drops=on") as capture:
            wait_watching(capture)
            self.until_dropped(capture, "more", b"first-network", lambda: more.address, 1014, "NETFILTER_DROP")
            lib.podman(ROOT, "network", "connect", "second", "more")
            address = more.inspect()["NetworkSettings"]["Networks"]["second"]["IPAddress"]
            self.until_dropped(capture, "more", b"second-network", lambda: address, 1014, "NETFILTER_DROP")
            capture.stop()

    def test_of_a_whole_network(self):
        lib.podman(ROOT, "network", "create", "third")
        self.addCleanup(lib.podman, ROOT, "network", "rm", "-f", "third")
        lib.start(Ctr("early", network="third"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "early", "late", check=False)
        run(ROOT, ["nft", "-f", "-"], input="table inet third {\nchain o { type filter hook output priority 0; udp dport 1016 drop; }\n}\n")
        self.addCleanup(run, ROOT, ["nft", "delete", "table", "inet", "third"])
        with Capture(ROOT, "net/third", "--drops=on") as capture:
            wait_watching(capture)
            self.until_dropped(capture, "net/third", b"of-the-first", lambda: lib.Up("early", ROOT).address, 1016, "NETFILTER_DROP")
            lib.start(Ctr("late", network="third"))
            late = lib.Up("late", ROOT).inspect()["NetworkSettings"]["Networks"]["third"]["IPAddress"]
            self.until_dropped(capture, "net/third", b"of-the-second", lambda: late, 1016, "NETFILTER_DROP")
            capture.stop()


class Healthy(RigTest):
    """Ordinary traffic loses nothing, so nothing is shown: requests, bulk data, ping, UDP both ways, names."""

    def traffic(self, seconds):
        web = self.up["web"]
        echo = self.child(ROOT, ["ip", "netns", "exec", "client", "python3", "-c",
                                 "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                 "s.bind(('', 7))\nprint('ready', flush=True)\n"
                                 "while True:\n d, a = s.recvfrom(2000)\n s.sendto(d, a)"], stdout=lib.subprocess.PIPE)
        sink = self.child(ROOT, ["ip", "netns", "exec", "client", "python3", "-c",
                                 "import socket\ns = socket.create_server(('', 9999))\nprint('ready', flush=True)\n"
                                 "while True:\n c, _ = s.accept()\n while c.recv(65536): pass\n c.close()"],
                          stdout=lib.subprocess.PIPE)
        for server in (echo, sink):
            self.assertEqual(b"ready\n", server.stdout.readline())
        inside = ("import socket, time\nend = time.monotonic() + %d\n"
                  "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nu.settimeout(2)\n"
                  "while time.monotonic() < end:\n"
                  " c = socket.create_connection(('%s', 9999))\n c.sendall(b'b' * 3000000)\n c.close()\n"
                  " for i in range(20): u.sendto(b'ping', ('%s', 7)); u.recv(100)\n"
                  " time.sleep(0.05)") % (seconds, CLIENT, CLIENT)
        bulk = self.child(ROOT, ["nsenter", "-t", str(web.pid), "-n", "python3", "-c", inside])
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lib.fetch(28080)
            lib.fetch(80, host=web.address, outside=False)
            run(ROOT, ["ping", "-c", "2", "-i", "0.05", web.address])
        self.assertEqual(0, bulk.wait(30))

    def nothing_is_dropped(self, seconds, *args):
        with Capture(ROOT, "web", "--drops=on", "-s", "128", *args) as capture:
            wait_watching(capture)
            self.traffic(seconds)
            done = capture.stop()
        self.assertGreater(len(done.packets), 100 * seconds)
        self.assertEqual([], [(p.custom[0]["reason"], p.custom[0]["function"], p.data.hex()) for p in done.packets_of(DROPS)][:5])
        self.assertEqual([], done.events_of("drop"))

    def test_ordinary_traffic_drops_nothing(self):
        self.nothing_is_dropped(5)

    def test_a_bridge_in_promiscuous_mode_drops_nothing(self):
        podman = run(ROOT, ["ip", "-j", "link", "show", "type", "bridge"]).stdout
        bridge = json.loads(podman)[0]["ifname"]
        self.child(ROOT, ["tcpdump", "-i", bridge, "-w", "/dev/null"], stderr=lib.subprocess.DEVNULL)
        self.nothing_is_dropped(3, "--point", "both")

    def test_names_and_both_families_between_containers(self):
        lib.start(Net("dual", options=("--ipv6", "--subnet", "10.97.0.0/24", "--subnet", "fd97::/64")))
        self.addCleanup(lib.podman, ROOT, "network", "rm", "-f", "dual")
        up = {**lib.start(Ctr("front", network="dual", cmd=("sleep", "1000000"))), **lib.start(Ctr("back", network="dual"))}
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "front", "back")
        six = up["back"].inspect()["NetworkSettings"]["Networks"]["dual"]["GlobalIPv6Address"]
        with Capture(ROOT, "front", "back", "--drops=on") as capture:
            wait_watching(capture)
            for _ in range(5):
                wait_for(lambda: up["front"].exec("wget", "-q", "-O", "-", "http://back/", check=False).stdout, "the page")
                up["front"].exec("wget", "-q", "-O", "-", f"http://[{six}]/")
                up["front"].enter("ping", "-c", "2", "-i", "0.1", up["back"].address)
                up["front"].enter("ping", "-6", "-c", "2", "-i", "0.1", six)
            done = capture.stop()
        found = [p for name in ("front", "back") for p in done.packets_of(f"podman:{name}/drops")]
        self.assertEqual([], [(p.interface.name, p.custom[0]["reason"], p.custom[0]["function"], p.data.hex()) for p in found][:5])

    @long
    def test_ten_minutes_of_it(self):
        self.nothing_is_dropped(600)
