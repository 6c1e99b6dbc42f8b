# SPDX-License-Identifier: GPL-2.0-or-later
"""make_corpus.py DIRECTORY TARGET: seeds of a fuzz target. event_record: after docs/FORMAT.md; firewall_rules: what
was recorded in tests/fixtures/firewall, whole where it is small, else its first lines or rules; trace_messages:
what the kernel says of a packet that is jumped, dropped by policy and logged by legacy iptables; conntrack_messages: what
it says of connections that begin, are listed and end; pcapng_feed: captures with blocks of all kinds."""

import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wireshark"))
import make_capture  # noqa: E402


def event_record():
    web = make_capture.container("web", "10.89.0.2/24", "fd00::2/64", mac="02:42:0a:59:00:02",
                                 ports=[{"host_port": 8080, "container_port": 80, "range": 1, "protocol": "tcp"}])
    orig = {"src": "198.51.100.7", "dst": "192.0.2.1", "src_port": 40000, "dst_port": 8080}
    reply = {"src": "10.89.0.2", "dst": "198.51.100.7", "src_port": 80, "dst_port": 40000}
    records = [make_capture.inventory(web), make_capture.inventory(web, part=2, parts=2)]
    for kind, members in (("gap", {"what": "restarted", "container": "web", "detail": "a sentence"}),
                          ("nat", {"protocol": "tcp", "orig": orig, "reply": reply}),
                          ("nat", {"what": "started", "protocol": "tcp", "orig": orig, "reply": reply, "via": "rootlessport",
                                   "evidence": "both sockets are held by rootlessport, process 812"}),
                          ("probe", {"id": "p1", "protocol": "tcp", "verdict": "failed", "orig": reply}),
                          ("drop", {"reason": "NETFILTER_DROP", "count": 4}),
                          ("one-sided", {"what": "host-only", "link": "wan0@host", "packet": "2023-11-14T22:13:19.000000000Z", "orig": orig}),
                          ("check", {"what": "no-listener", "verdict": "failed", "fix": "podman restart web"}),
                          ("stats", {"links": [{"container": "web", "link": "eth0", "received": 5, "dropped": 2}]})):
        records.append({"podshark": 1, "kind": kind, "time": "2023-11-14T22:13:20.000000000Z", **members})
    texts = [json.dumps(r).encode() for r in records]
    yield from (b"\0" + t for t in texts)
    yield from (b"\1" + make_capture.upper_pdu("info", t) for t in texts)
    yield b"\2" + make_capture.dns_answer("db.dns.podman", "10.89.0.2")
    yield from (b"\3" + t for t in texts)


def firewall_rules():
    fixtures = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "firewall"
    for file in sorted(fixtures.glob("*.save[46]")) + sorted(fixtures.glob("*.legacy4")):
        yield b"\3" + file.read_bytes()[:4096]
    for file in sorted(fixtures.glob("*.json")):
        objects = json.loads(file.read_text())["nftables"]
        others = [o for o in objects if "rule" not in o]
        rules = [o for o in objects if "rule" in o]
        for at in range(0, len(rules), 12):
            yield b"\0" + json.dumps({"nftables": others[:30] + rules[at:at + 12]}).encode()


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind, family, body, sequence=0):
    return struct.pack("=IHHII", 20 + len(body), kind, 0, sequence, 0) + bytes((family, 0, 0, 0)) + body


def conntrack_messages():
    def way(kind, src, sport, dst, dport):  # CTA_TUPLE_* of linux/netfilter/nfnetlink_conntrack.h
        first = 1 if len(src) == 4 else 3
        addresses = attribute(first, src) + attribute(first + 1, dst)
        ports = attribute(1, b"\6") + attribute(2, struct.pack("!H", sport)) + attribute(3, struct.pack("!H", dport))
        return attribute(kind | 0x8000, attribute(0x8001, addresses) + attribute(0x8002, ports))

    def connection(client, host, inside):
        return (way(1, client, 40000, host, 8080) + way(2, inside, 80, client, 40000) +
                attribute(3, struct.pack("!I", 0x28)) + attribute(12, struct.pack("!I", 7)) +
                attribute(0x8014, attribute(1, struct.pack("!Q", 1_700_000_000_000_000_000))))

    v4 = connection(bytes((203, 0, 113, 2)), bytes((203, 0, 113, 1)), bytes((10, 88, 0, 2)))
    v6 = connection(bytes(15) + b"\2", bytes(15) + b"\1", b"\xfd" + bytes(14) + b"\2")
    begins, listed, ends = message(0x100, 2, v4), message(0x100, 10, v6, 1), message(0x102, 2, v4)
    yield from (begins, listed, ends, begins + ends, listed + message(3, 0, b"", 1) + begins + begins + ends)


def trace_messages():

    def nft(table, chain, *attributes):  # NFTA_TRACE_* of linux/netfilter/nf_tables.h
        return message(10 << 8 | 17, 2, attribute(1, table) + attribute(2, chain) + attribute(6, b"\0\0\0\1") +
                       b"".join(attributes))

    tcp = struct.pack("!HHIIBBHHH", 40000, 80, 1, 0, 0xA0, 2, 0, 0, 0)
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60, 50, 0x4000, 64, 6, 0, bytes((10, 88, 0, 3)), bytes((10, 88, 0, 2)))
    look = attribute(8, packet) + attribute(9, tcp)
    rule = attribute(4, struct.pack("!I", 3)), attribute(3, struct.pack("!Q", 3))
    begin = nft(b"podshark_trace_7\0", b"pre\0", *rule, look)
    jump = nft(b"nat\0", b"PREROUTING\0", *rule, look,
               attribute(5, attribute(1, struct.pack("!i", -3)) + attribute(2, b"DN\0")))
    policy = nft(b"filter\0", b"FORWARD\0", attribute(4, struct.pack("!I", 1)), attribute(16, bytes(4)), look)
    legacy = message(4 << 8, 2, attribute(1, b"\x08\0\2\0") + attribute(10, b"TRACE: filter:FORWARD:rule:1 \0") +
                     attribute(9, packet + tcp))
    yield from (begin, jump, policy, legacy, begin + jump + policy, begin + legacy)


def pcapng_feed():
    capture = make_capture.example()
    capture.dropped(1, make_capture.ip("10.89.0.2", "10.89.0.3"), "NETFILTER_DROP")
    name = make_capture.options((1, bytes((10, 89, 0, 2)) + b"web\0"))
    counters = make_capture.options((2, bytes(8)), (3, bytes(8)), (4, bytes(8)), (5, bytes(8)))
    capture.data += make_capture.block(4, name) + make_capture.block(5, struct.pack("<III", 1, 0, 0) + counters)
    both, _ = make_capture.both_points()
    for piece in (0, 6, 40, 255):
        yield bytes((piece,)) + capture.data
        yield bytes((piece,)) + both.data


if __name__ == "__main__":
    makers = {"conntrack_messages": conntrack_messages, "event_record": event_record, "firewall_rules": firewall_rules,
              "pcapng_feed": pcapng_feed, "trace_messages": trace_messages}
    for number, seed in enumerate(makers[sys.argv[2]]()):
        (pathlib.Path(sys.argv[1]) / f"seed{number:03}").write_bytes(seed)
