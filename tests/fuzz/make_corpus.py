# SPDX-License-Identifier: GPL-2.0-or-later
"""make_corpus.py DIRECTORY TARGET: seeds of a fuzz target, from what was recorded (tests/fixtures, this machine's /proc)
and from what docs/FORMAT.md and the kernel's headers say; each way into a target, as its first byte chooses it, has one."""

import gzip
import json
import pathlib
import re
import struct
import sys

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
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
    fixtures = FIXTURES / "firewall"
    for suffix, way in ((".save4", b"\3"), (".save6", b"\1"), (".legacy4", b"\2")):
        yield from (way + file.read_bytes()[:4096] for file in sorted(fixtures.glob("*" + suffix)))
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


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def podman_answers():
    for folder in sorted(FIXTURES.glob("podman-*")):
        for user in ("rootful", "rootless", "rest", "kube"):
            def read(what):
                path = folder / f"{user}-{what}.json"
                found = json.loads(path.read_text()) if path.exists() else []
                return found if isinstance(found, list) else [found]

            ps, inspect, pods = read("ps"), read("inspect"), read("pods") + read("pod-inspect")
            networks = read("networks") + read("network")
            for c in inspect:
                rows = [row for row in ps if row["Id"] == c["Id"]]
                for big in ("HostConfig", "OCIConfigPath", "Mounts", "ExecIDs"):  # nothing of it is read but the network mode
                    if isinstance(c.get(big), dict):
                        c[big] = {k: c[big][k] for k in ("NetworkMode", "PortBindings") if k in c[big]}
                for member in ("Rootfs", "GraphDriver"):
                    c.pop(member, None)
                yield b"\0" + b"\0".join(map(compact, (rows, [c], networks, pods)))
                yield b"\2" + compact([c])
            yield from (b"\1" + compact(ps[at:at + 4]) for at in range(0, len(ps), 4))
            yield b"\3" + compact(networks)
        for path in folder.glob("system-connections.json"):
            yield b"\5" + path.read_bytes()
    pods = json.loads((FIXTURES / "kube-1.20.2" / "pods.json").read_text())
    yield from (b"\4" + compact({"kind": "List", "items": [p]}) for p in pods["items"])
    yield b"\6" + compact({"Type": "container", "Status": "start", "ID": "a" * 64, "Name": "web", "Image": "busybox",
                           "Attributes": {"io.podman.compose.project": "shop"}})
    yield b"\7" + compact({"container_id": "a" * 64, "port_mappings": [
        {"container_port": 80, "host_ip": "", "host_port": 8080, "protocol": "tcp", "range": 1}], "network_name": "lan",
        "id_network_hash": "1D8721804F16F", "container_ip_v4": "10.88.0.2", "subnet_v4": "10.88.0.0/16",
        "container_ip_v6": "", "dns_port": 53, "dns_server_ips": ["10.88.0.1"]})
    for status, body in ((b"200 OK", b"[]"), (b"404 Not Found", b'{"cause":"no such network","message":"no"}')):
        yield b"\10HTTP/1.0 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n" + body
        yield b"\10HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n"


def saved_records():
    for seed in event_record():
        if seed[0] == 0:
            yield from (bytes((way,)) + seed[1:] for way in range(4))
        elif seed[0] == 1:
            yield b"\5" + seed[1:]
    yield b"\4" + compact({"container_id": "a" * 64, "container": "web", "link": "eth0", "addresses": ["10.89.0.2/24"],
                           "netns": 4026532000})


def netlink_answers():
    def reply(kind, body, *attributes):
        data = body + b"".join(attributes)
        return struct.pack("=IHHII", 16 + len(data), kind, 2, 1, 0) + data + bytes(-len(data) % 4)

    def link(index, name, *attributes):  # RTM_NEWLINK, ifinfomsg
        return reply(16, struct.pack("=BxHiII", 0, 1, index, 0x11043, 0), attribute(3, name + b"\0"), *attributes)

    slave = attribute(18, attribute(1, b"bridge\0") + attribute(4, b"bridge\0") + attribute(5, attribute(4, b"\1")))
    conf = attribute(26, attribute(2, attribute(1, bytes(132))) + attribute(10, attribute(2, bytes(220))))
    eth0 = link(2, b"eth0", attribute(1, b"\2\0\0\0\0\1"), attribute(4, struct.pack("=I", 1500)),
                attribute(5, struct.pack("=i", 7)), attribute(37, struct.pack("=i", 0)), attribute(16, b"\6"),
                attribute(18, attribute(1, b"veth\0")), attribute(23, bytes(200)), conf)
    port = link(7, b"veth0", attribute(10, struct.pack("=I", 3)), slave)
    four = reply(20, struct.pack("=BBBBI", 2, 24, 0, 0, 2), attribute(1, bytes((10, 88, 0, 2))), attribute(2, bytes((10, 88, 0, 2))))
    six = reply(20, struct.pack("=BBBBI", 10, 64, 0, 0, 2), attribute(1, b"\xfd" + bytes(14) + b"\2"))
    route = reply(24, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 3, 0, 1, 0), attribute(5, bytes((10, 88, 0, 1))),
                  attribute(4, struct.pack("=I", 2)), attribute(6, struct.pack("=I", 100)), attribute(15, struct.pack("=I", 254)),
                  attribute(7, bytes((10, 88, 0, 2))), attribute(8, attribute(2, struct.pack("=I", 1400))))
    rule = reply(32, struct.pack("=BBBBBBBBI", 2, 0, 24, 0, 0, 0, 0, 1, 0), attribute(2, bytes((10, 88, 0, 0))),
                 attribute(6, struct.pack("=I", 32766)), attribute(15, struct.pack("=I", 254)))
    near = reply(28, struct.pack("=BBHiHBB", 2, 0, 0, 2, 2, 0, 1), attribute(1, bytes((10, 88, 0, 1))), attribute(2, b"\2\0\0\0\0\2"))
    everywhere = reply(80, struct.pack("=Bxxx", 2), attribute(1, struct.pack("=i", -1)), attribute(2, struct.pack("=i", 1)),
                       attribute(3, struct.pack("=i", 2)))
    done, error = reply(3, bytes(4)), reply(2, struct.pack("=i", -1) + bytes(16))
    everything = eth0 + port + four + six + route + rule + near + everywhere
    yield from (bytes((way,)) + everything for way in (0, 1, 2, 3, 6))
    yield from (bytes((way,)) + eth0 + done for way in (0, 6))
    yield b"\0" + eth0 + error
    yield b"\4" + reply(88, bytes(4), attribute(1, struct.pack("=i", 3)))
    yield from (b"\5" + answer for answer in (route, error))


def control_messages():
    def say(control, verb, payload=b""):
        return b"T" + struct.pack("!I", len(payload) + 2)[1:] + bytes((control, verb)) + payload

    start = say(0, 0) + say(1, 1, b"\1") + say(0, 1, b"a mark")
    yield from (bytes((piece,)) + start for piece in (0, 3, 255))
    yield b"\5" + say(2, 1, bytes(300)) + b"X" + start


def worker_requests():
    protocol = (FIXTURES.parents[1] / "extcap/worker/protocol.h").read_text()
    magic = int(re.search(r"kMagic = (\w+);", protocol)[1], 16)  # changes with the structs

    def request(kind, pid=0, sockets=(1, 1, 0, 0), probes=(0,) * 6, start=0, inode=0, uuid=bytes(16)):
        return struct.pack("=IIiIIIII6IQQ", magic, kind, pid, *sockets, 0, *probes, start, inode) + uuid

    for way in (0, 1, 2, 4, 5):
        yield from (bytes((way,)) + request(kind) for kind in (2, 3, 4))
    yield b"\0" + request(1, pid=1)
    yield b"\0" + request(3, probes=(1, 1, 2, 2, 1, 1))
    yield b"\0" + request(3, sockets=(32, 32, 32, 0xffffffff))
    yield b"\0" + request(3)[:40]


def drop_events():
    def record(data):
        return struct.pack("<H", len(data)) + data

    name = struct.pack("=II", 2, 7) + b"nft_do_chain".ljust(64, b"\0")
    hook = struct.pack("=II", 2, 9) + b"ip_forward".ljust(64, b"\0")
    for frame, link_layer in ((make_capture.ethernet(0x0800, make_capture.ip("10.88.0.3", "10.88.0.2", make_capture.tcp())), 14),
                              (make_capture.ip("fd00::3", "fd00::2", make_capture.udp()), 0)):
        for reason in (0, 1, 2):
            event = struct.pack("=IIQI8IIIIIIHHHH", 1, 1, 1000, 7, 9, *[0] * 7, 4026532000, 2, reason, len(frame), len(frame),
                                link_layer, 0x0800 if link_layer else 0x86dd, 0, 0)
            tuple_ = bytes((10, 88, 0, 3)).ljust(16, b"\0") + bytes((10, 88, 0, 2)).ljust(16, b"\0") + struct.pack(
                "!HH", 40000, 80) + struct.pack("=HBB", 2, 6, 1)
            whole = event + tuple_ + struct.pack("=I", 0x30)
            whole += bytes(-len(whole) % 8)
            yield record(name) + record(hook) + record(whole + frame)


def packets():
    inner = make_capture.ip("10.88.0.3", "10.88.0.2", make_capture.tcp(payload=b"hello"))
    six = make_capture.ip("fd00::3", "fd00::2", make_capture.udp())
    frame = make_capture.ethernet(0x0800, inner)
    tagged = frame[:12] + b"\x81\0\0\5" + frame[12:]
    for data in (frame, tagged, inner, six, make_capture.ethernet(0x86dd, six)):
        yield b"\0" + data
        yield b"\4" + data
    yield b"\0" + struct.pack("!HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, bytes(8)) + inner
    yield b"\1" + make_capture.dns_answer("db.dns.podman", "10.89.0.2")
    yield from (b"\2" + data for data in (inner, six))
    yield b"\3" + inner[:20] + inner[20:40]
    unreachable = make_capture.unreachable("10.88.0.1", "10.88.0.3", inner)
    yield b"\2" + unreachable
    both = b"".join(bytes((end, len(p))) + p for p in (inner, six) for end in (0, 1))
    yield b"\5" + both + bytes((1, len(inner))) + inner


def capture_input():
    frame = make_capture.ethernet(0x0800, make_capture.ip("10.89.0.2", "10.89.0.3", make_capture.tcp()))
    captures = [seed[1:] for seed in pcapng_feed()][:2]
    for order, magic in (("<", 0xa1b2c3d4), (">", 0xa1b2c3d4), ("<", 0xa1b23c4d)):
        packet = struct.pack(order + "IIII", 1_700_000_000, 5, len(frame), len(frame)) + frame
        captures.append(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1) + packet * 2)
    extra = make_capture.example()  # blocks that only foreign programs write
    extra.data += make_capture.block(3, struct.pack("<I", len(frame)) + make_capture.pad(frame))
    extra.data += make_capture.block(2, struct.pack("<HHIIII", 1, 3, 0, 0, len(frame), len(frame)) + make_capture.pad(frame))
    extra.data += make_capture.block(10, struct.pack("<II", 0x544c534b, 4) + b"KEYS")
    extra.data += make_capture.block(9, make_capture.pad(b"__REALTIME_TIMESTAMP=1\n"))
    extra.data += make_capture.block(0x0BAD, struct.pack("<I", 32473) + b"data")
    for capture in (*captures, extra.data):
        yield from (bytes((piece, way)) + capture for piece, way in ((255, 0), (6, 1), (40, 2), (255, 3), (40, 8)))
        yield b"\xff\4" + gzip.compress(capture, mtime=0)


def given_words():
    def words(way, *list_):
        return bytes((way,)) + b"".join(w.encode() + b"\0" for w in list_)

    yield words(0, "--capture", "--extcap-interface=podman:web", "--fifo", "/tmp/f", "--link", "eth0", "--snaplen=96", "--point", "both",
                "--drops=auto", "--method", "exec", "--install-tool", "--ring-size", "64", "--nat=off", "--follow=false")
    yield words(0, "--extcap-interfaces", "--extcap-version=4.4", "--method=sidecar", "--sidecar-image", "localhost/tcpdump",
                "--node-pod=busybox", "--node-namespace=store", "--wait=true", "--promiscuous=false", "--queue-size=256")
    for name in ("web", "podman:web", "podman-root:db", "pod/shop", "podman:pod/shop", "net/lan", "all", "label=app=web", "w*", "aaaaaaaaaaaa"):
        yield words(1, name, name + ":80/tcp")
    yield words(1, "host", "[fd00::2]:80")
    yield words(2, "me@server:22", "2222", "me", "/home/me/.ssh/id", "gate,me@other:22")
    yield words(2, "ssh://me@[fd00::1]:22/web")
    yield words(2, "podman://machine/web")
    yield words(3, "# mine\nme@a:22 port=22 key=\"/a b\" jump=c\npodman://there\n", "me@b", "22", "key", "c")
    for name in ("kube://store/shop", "kube://me@ctx@store/shop/web", "kube://store/deployment/shop", "kube://store/label=app=web,tier!=db",
                 "kube://store/shop:80"):
        yield words(4, name)
    for target in ("web:80/tcp", "[fd00::2]:53/udp", "pod/shop", "0.5", "filesize:1000", "db.dns.podman"):
        yield words(5, target)
    yield words(6, "it's $HOME `id`")
    yield words(7, "-s", "128", "-r", "512", "-L", "0", "-P", "-i", "eth0,lo", "-f", "1:2800000001020304", "12", "self")


def system_files():
    net = pathlib.Path("/proc/self/net")
    for name in ("fib_trie", "route", "if_inet6", "dev"):
        yield b"\0" + (net / name).read_bytes()[:8000]
    socket = b"   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   0        0 4242 1 0 100 0 0 10 0\n"
    socket6 = socket.replace(b"0100007F:", b"0" * 24 + b"01000000:").replace(b" 00000000:0000 ", b" " + b"0" * 32 + b":0000 ", 1)
    yield from (b"\1" + b"  sl  local_address rem_address   st\n" + s for s in (socket, socket6, socket.replace(b" 0A ", b" 07 ")))
    for name in ("snmp", "netstat", "snmp6", "dev", "softnet_stat"):
        if (net / name).exists():
            yield b"\2" + (net / name).read_bytes()
    yield b"\2entries  found insert_failed drop early_drop\n00000001  00000000 00000002 0000000a 00000000\n"
    yield b"\3nameserver 10.89.0.1\nsearch dns.podman example.org\noptions ndots:1\n"
    yield b"\x03127.0.0.1 localhost\n10.89.0.2 web shop # mine\nfd00::2 web\n"
    yield b"\4Personal configuration:\t/home/me/.config/wireshark\nGlobal Extcap path:\t/usr/lib/wireshark/extcap\n"
    yield b"\4podshark.so\t0.1.0\tdissector\t/usr/lib/wireshark/plugins/4.0/epan/podshark.so\nTShark (Wireshark) 4.0.17\n"
    yield b"\4" + pathlib.Path("/proc/self/status").read_bytes()
    yield b"\4me:100000:65536\n0 nf_log_ipv4 1 NONE\n"
    yield b"\4" + struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
    stat = b"812 (sleep) S 100 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4200 1 2\n"
    yield b"\5conmon\0" + stat + b"\0Name:\tsleep\nNSpid:\t812\t1\n\0" + b"\0".join(
        (net / name).read_bytes()[:1500] for name in ("dev", "route", "fib_trie", "if_inet6"))
    yield b"\6[storage]\ndriver = \"overlay\"\ngraphroot = \"/data/$HOME/c\"\nrootless_storage_path = '/x/$UID' # here\n"


def far_answers():
    folder = FIXTURES / "podman-4.3.1"
    ps = json.loads((folder / "rootless-ps.json").read_text())[:1]
    inspect = [c for c in json.loads((folder / "rootless-inspect.json").read_text()) if c["Id"] == ps[0]["Id"]]
    for c in inspect:
        c["HostConfig"] = {"NetworkMode": c["HostConfig"]["NetworkMode"]}
    parts = {"machine": b"x86_64", "user": b"1000", "host": b"server", "carrier": b"192.0.2.1 40000 192.0.2.2 22",
             "tools": b"podman\ntcpdump\nsudo", "own-ps": compact(ps), "own-inspect": compact(inspect), "own-networks": b"[]",
             "own-pods": b"[]", "root-error": b"sudo: a password is required", "clock": b"1700000000123456789", "end": b""}
    yield b"\0" + b"".join(b"\npodshark-part " + name.encode() + b"\n" + text + b"\n" for name, text in parts.items())
    yield b"\1podshark-listing 1\nweb\tweb\tPodman web\na.b\t" + b"a" * 64 + b"\tPodman a.b \xc2\xb7 nginx\n"
    for said in ("ssh: connect to host server port 22: Connection refused", "me@server: Permission denied (publickey).",
                 "Host key verification failed.", "kex_exchange_identification: Connection closed by remote host",
                 'Error from server (Forbidden): pods "shop" is forbidden: User "me" cannot create resource "pods/exec" in API group "" '
                 'in the namespace "store"', 'Error from server (NotFound): pods "shop" not found',
                 "Unable to connect to the server: dial tcp: i/o timeout", "error: context was not found for specified context: x",
                 "E1 an error occurred forwarding 1 -> 80: connect: connection refused", "bash: connect: No route to host",
                 "controlmaster auto\ncontrolpersist 5\ncontrolpath /x"):
        yield b"\2" + said.encode()
    yield from (b"\3" + text for text in (b"1700000000.123456", b"1700000000123456789"))


if __name__ == "__main__":
    for number, seed in enumerate(globals()[sys.argv[2]]()):
        (pathlib.Path(sys.argv[1]) / f"seed{number:03}").write_bytes(seed)
