# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes pcapng files as docs/FORMAT.md describes them, with made-up containers: what the plugin is tested on.

make_capture.py FILE: two containers on a bridge, one in slirp4netns and a pod, with a few packets of each kind.
"""

import ipaddress
import json
import struct
import sys

ENTERPRISE = 32473
EVENTS, ETHERNET, UPPER_PDU = "Podman events", 1, 252
START = 1_700_000_000 * 10**9


def container_id(name):
    """64 hex digits that differ from name to name in the first 12."""
    return (name.encode().hex() * 64)[:12].rjust(12, "0") + "0" * 52


def container(name, *addresses, kind="bridge", mac="", **more):
    """One entry of an inventory; running unless pid=0 is given."""
    entry = {"id": container_id(name), "name": name, "image": "localhost/bb:1", "state": "running", "pid": 4711,
             "rootless": True, "owner": 1000, "mode": kind, "kind": kind}
    if addresses or mac:
        attachment = {"network": "shopnet", "interface": "eth0", "addresses": list(addresses)}
        entry["networks"] = [{**attachment, "mac": mac} if mac else attachment]
    entry.update(more)
    return {key: value for key, value in entry.items() if value not in (0, "", False)}


def inventory(*containers, pods=(), **more):
    record = {"podshark": 1, "kind": "inventory", "time": "2023-11-14T22:13:20.000000000Z", "part": 1, "parts": 1,
              "host": "testhost", "containers": list(containers), "pods": list(pods), "networks": [],
              "problems": []}
    record.update(more)
    return record


# ---- packets: Ethernet frames without checksums, which no dissector of interest checks by default ----

def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(kind, payload, src="02:00:00:00:00:01", dst="02:00:00:00:00:02"):
    return (mac_bytes(dst) + mac_bytes(src) + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def tcp(src_port=40000, dst_port=80, payload=b""):
    return 6, struct.pack(">HHIIHHHH", src_port, dst_port, 1, 0, (5 << 12) | 2, 65535, 0, 0) + payload


def tcp_segment(src_port, dst_port, seq, ack, flags, payload=b""):
    return 6, struct.pack(">HHIIHHHH", src_port, dst_port, seq, ack, 5 << 12 | flags, 65535, 0, 0) + payload


def udp(src_port=40000, dst_port=53, payload=b"hello"):
    return 17, struct.pack(">HHHH", src_port, dst_port, 8 + len(payload), 0) + payload


def ip(src, dst, segment=None):
    """An IPv4 or IPv6 frame with a TCP SYN, or the given tcp(…) or udp(…)."""
    protocol, body = segment or tcp()
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if a.version == 6:
        return ethernet(0x86DD, struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + a.packed + b.packed + body)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0) + a.packed + b.packed
    return ethernet(0x0800, head + body)


def unreachable(src, dst, frame):
    """An ICMP error (IPv4, port unreachable) that quotes that frame."""
    return ip(src, dst, (1, struct.pack(">BBHI", 3, 3, 0, 0) + frame[14:42]))


def arp(src_mac, src, dst):
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac_bytes(src_mac) + ipaddress.ip_address(src).packed
    return ethernet(0x0806, body + bytes(6) + ipaddress.ip_address(dst).packed, src_mac, "ff:ff:ff:ff:ff:ff")


# ---- blocks ----

def pad(data):
    return data + bytes(-len(data) % 4)


def options(*pairs):
    coded = b"".join(struct.pack("<HH", code, len(value)) + pad(value) for code, value in pairs)
    return coded + bytes(4) if coded else b""


def block(kind, body):
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def upper_pdu(info, payload, dissector="json"):
    def tag(number, value):
        return struct.pack(">HH", number, len(pad(value))) + pad(value)
    return tag(12, dissector.encode()) + tag(33, b"Podman") + tag(36, info.encode()) + bytes(4) + payload


class Capture:
    """Collects blocks; frame() is the number Wireshark gives the newest packet."""

    def __init__(self, events=True):
        section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options((3, b"Linux"), (4, b"podshark test"))
        self.data, self.interfaces, self.frames = block(0x0A0D0D0A, section), 0, 0
        if events:
            self.interface(EVENTS, linktype=UPPER_PDU)

    def interface(self, name, description="", linktype=ETHERNET, meta=None):
        pairs = [(2, name.encode())]
        if description:
            pairs.append((3, description.encode()))
        pairs.append((9, b"\x09"))
        if meta:
            pairs.append((2989, struct.pack("<I", ENTERPRISE) + json.dumps(meta).encode()))
        self.data += block(1, struct.pack("<HHI", linktype, 0, 262144) + options(*pairs))
        self.interfaces += 1
        return self.interfaces - 1

    def link(self, of, link="eth0", prefix="podman:", stem="", described=True, point="inside", host=""):
        """The interface of a container (an entry of an inventory), as podshark describes it; host: in a capture of
        several machines."""
        prefix = f"podman@{host}:" if host else prefix
        name = f"{prefix}{stem or of['name']}/{link}"
        keys = {"container": of["name"], "id": of["id"][:12], "image": of["image"], "mode": of["kind"],
                "point": point, "rootless": "yes" if of.get("rootless") else "no"}
        if host:
            keys["host"] = host
        meta = {"podshark": 1, "kind": "interface", "container_id": of["id"], "container": of["name"], "link": link,
                "point": point}
        return self.interface(name, " ".join(f"{k}={v}" for k, v in keys.items()) if described else "", meta=meta)

    def packet(self, interface, data, cut=0, extra=b""):
        """cut: bytes missing at the end, as after a snap length; extra: the block's options."""
        stamp = START + self.frames * 10**6
        kept = data[:len(data) - cut]
        head = struct.pack("<5I", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(kept), len(data))
        self.data += block(6, head + pad(kept) + extra)
        self.frames += 1
        return self.frames

    def inventory(self, record, interface=0, info="inventory", cut=0):
        """record: a dict, or bytes to be written as they are."""
        payload = record if isinstance(record, bytes) else json.dumps(record).encode()
        return self.packet(interface, upper_pdu(info, payload), cut)

    def event(self, kind, interface=0, info="", **members):
        """A record of any kind but inventory."""
        record = {"podshark": 1, "kind": kind, "time": "2023-11-14T22:13:20.000000000Z", **members}
        return self.packet(interface, upper_pdu(info or str(members.get("detail", kind)), json.dumps(record).encode()))

    def dropped(self, interface, data, reason):
        """A packet that the kernel dropped, on an interface for these."""
        record = json.dumps({"podshark": 1, "kind": "drop", "reason": reason}).encode()
        return self.packet(interface, data, extra=options((1, f"dropped: {reason}".encode()),
                                                          (2989, struct.pack("<I", ENTERPRISE) + record)))

    def save(self, path):
        with open(path, "wb") as file:
            file.write(self.data)


def dns_answer(name, address):
    """A UDP payload: aardvark's answer to a question for `name`."""
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    packed = ipaddress.ip_address(address).packed
    kind = 1 if len(packed) == 4 else 28
    return (struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0) + labels + struct.pack(">2H", kind, 1)
            + b"\xc0\x0c" + struct.pack(">2HIH", kind, 1, 60, len(packed)) + packed)


def example():
    """Used by the GUI test too: bridge, slirp4netns and pod, all kinds of packets."""
    web = container("web", "10.89.0.2/24", "fd00:89::2/64", mac="02:42:0a:59:00:02")
    db = container("db", "10.89.0.3/24", "fd00:89::3/64", mac="02:42:0a:59:00:03")
    cache = container("cache", "10.0.2.100/24", kind="slirp4netns")
    infra = container("5f0c-infra", "10.89.0.9/24", infra=True, pod_id="a" * 64)
    front = container("front", kind="shared", pod_id="a" * 64, shares_with=infra["id"])
    pod = {"id": "a" * 64, "name": "shop", "state": "running", "infra_id": infra["id"],
           "members": [infra["id"], front["id"]]}
    capture = Capture()
    capture.inventory(inventory(web, db, cache, infra, front, pods=[pod]), info="inventory: 5 containers, 1 pod")
    eth, lo, tap, shop = (capture.link(web), capture.link(web, "lo"), capture.link(cache, "tap0"),
                          capture.link(infra, stem="pod/shop"))
    capture.packet(eth, arp("02:42:0a:59:00:02", "10.89.0.2", "10.89.0.3"))
    capture.packet(eth, ip("10.89.0.2", "10.89.0.3", tcp(40000, 5432)))
    capture.packet(eth, ip("fd00:89::3", "fd00:89::2", udp(40000, 40001)))
    capture.packet(lo, ip("127.0.0.1", "127.0.0.1", tcp(40002, 80)))
    capture.packet(tap, ip("10.0.2.100", "10.0.2.3", udp(40003, 53, b"")))
    capture.packet(shop, ip("10.89.0.2", "10.89.0.9", tcp(40004, 8080)))
    return capture


def connection(client, server):
    """[(from the client?, frame)] of an HTTP request in IPv4 frames that a bridge passes on as they are."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    to, fro = (40000, 80), (80, 40000)
    steps = ((True, (*to, 100, 0, 0x02)), (False, (*fro, 500, 101, 0x12)), (True, (*to, 101, 501, 0x10)),
             (True, (*to, 101, 501, 0x18, request)), (False, (*fro, 501, 101 + len(request), 0x18, reply)),
             (True, (*to, 101 + len(request), 501 + len(reply), 0x10)))
    return [(out, ip(*((client, server) if out else (server, client)), tcp_segment(*step))) for out, step in steps]


def both_points():
    """web, captured inside and on its bridge, fetches a page from db, and db one from web: what leaves web is seen
    inside first, what arrives on the bridge first. Gives the capture, and {copy: original} by frame number."""
    web, db = container("web", "10.89.0.2/24"), container("db", "10.89.0.3/24")
    capture, copies = Capture(), {}
    capture.inventory(inventory(web, db))
    inside, bridge = capture.link(web), capture.link(web, "podman1@host", point="host")
    for client, server in (("10.89.0.2", "10.89.0.3"), ("10.89.0.3", "10.89.0.2")):
        for from_client, frame in connection(client, server):
            leaves = from_client == (client == "10.89.0.2")
            first, second = (capture.packet(link, frame) for link in ((inside, bridge) if leaves else (bridge, inside)))
            copies[second] = first
    return capture, copies


def two_hosts(client="10.89.0.2"):
    """web of one machine fetches a page from db of another, each captured there; both machines have a container with
    each of these addresses; client: as db meets web. Gives the capture, and {copy: original} by frame number."""
    web, db = container("web", "10.89.0.2/24", host="me@a:2222"), container("db", "10.89.0.3/24", host="b")
    others = (container("shop", "10.89.0.3/24", host="me@a:2222"), container("till", "10.89.0.2/24", host="b"))
    capture, copies = Capture(), {}
    capture.inventory(inventory(web, db, *others))
    a, b = capture.link(web, host="me@a:2222"), capture.link(db, host="b")
    for (from_client, at_web), (_, at_db) in zip(connection("10.89.0.2", "10.89.0.3"), connection(client, "10.89.0.3")):
        ways = ((a, at_web), (b, at_db))
        first, second = (capture.packet(link, frame) for link, frame in (ways if from_client else ways[::-1]))
        copies[second] = first
    capture.event("gap", what="host-lost", host="b", detail="nothing of b from here on")
    return capture, copies


if __name__ == "__main__":
    example().save(sys.argv[1])
