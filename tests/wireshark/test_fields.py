# SPDX-License-Identifier: GPL-2.0-or-later
"""Fields of packets beyond names, event records, name resolution and statistics, in real tshark."""

import json

import make_capture
from lib_plugin import PluginTest
from make_capture import Capture, container, dns_answer, inventory, ip, tcp, udp

WEB = container("web", "10.89.0.2/24", "fd00:89::2/64", image="docker.io/nginx:1.27",
                ports=[{"host_port": 8080, "container_port": 80, "range": 1, "protocol": "tcp"},
                       {"host_port": 9000, "container_port": 7000, "range": 10, "protocol": "udp"}])
DB = container("db", "10.89.0.3/24", image="docker.io/postgres:16")


class FieldsTest(PluginTest):
    def rows(self, path, *fields, display_filter="", options=()):
        """[(value of each field, …)] of the frames; one pass and two passes must agree."""
        words = [w for f in fields for w in ("-e", f)]
        chosen = ["-Y", display_filter] if display_filter else []
        once, twice = (self.tshark("-r", path, *passes, *options, *chosen, "-T", "fields", "-E", "separator=\x1f", *words)
                       for passes in ((), ("-2",)))
        self.assertEqual(once, twice, "one pass and two passes differ")
        return [tuple(line.split("\x1f")) for line in once.splitlines()]


class Packets(FieldsTest):
    def test_who_a_container_is(self):
        infra = container("5f0c-infra", "10.89.0.9/24", infra=True, pod_id="a" * 64)
        front = container("front", kind="shared", pod_id="a" * 64, shares_with=infra["id"])
        pod = {"id": "a" * 64, "name": "shop", "state": "running", "infra_id": infra["id"], "members": [infra["id"]]}
        capture = Capture()
        capture.inventory(inventory(WEB, infra, front, pods=[pod]))
        capture.packet(capture.link(WEB), ip("10.89.0.2", "10.89.0.9"))
        path = self.save(capture)
        self.assertEqual(
            [("docker.io/nginx:1.27", WEB["id"][:12], "", "shopnet", "shop", "shop", "shopnet", "")],
            self.rows(path, "podman.src.image", "podman.src.id", "podman.src.pod", "podman.src.network",
                      "podman.dst.name", "podman.dst.pod", "podman.dst.network", "podman.dst.image",
                      display_filter="tcp"))
        self.assertEqual([2], self.matching(path, 'podman.src.image contains "nginx" && podman.dst.pod == "shop"'))

    def test_the_published_port_of_a_packet(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        inside, uplink = capture.link(WEB), capture.link(WEB, "eth7@host", point="host")
        there = capture.packet(inside, ip("198.51.100.7", "10.89.0.2", tcp(40000, 80)))
        back = capture.packet(inside, ip("10.89.0.2", "198.51.100.7", tcp(80, 40000)))
        ranged = capture.packet(inside, ip("198.51.100.7", "10.89.0.2", udp(40000, 7009)))
        capture.packet(inside, ip("198.51.100.7", "10.89.0.2", udp(40000, 7010)))
        capture.packet(inside, ip("198.51.100.7", "10.89.0.2", udp(40000, 80)))
        before = capture.packet(uplink, ip("198.51.100.7", "192.0.2.1", tcp(40000, 8080)))
        capture.packet(uplink, ip("198.51.100.7", "192.0.2.1", tcp(40000, 80)))
        path = self.save(capture)
        self.assertEqual([(str(there), "8080"), (str(back), "8080"), (str(ranged), "9009"), (str(before), "8080")],
                         self.rows(path, "frame.number", "podman.port.published", display_filter="podman.port.published"))
        self.assertEqual([there, back, before], self.matching(path, "podman.port.published == 8080"))

    def test_both_legs_of_a_translation_show_both_tuples(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        inside, uplink = capture.link(WEB), capture.link(WEB, "eth7@host", point="host")
        outer = capture.packet(uplink, ip("198.51.100.7", "192.0.2.1", tcp(40000, 8080)))
        inner = capture.packet(inside, ip("198.51.100.7", "10.89.0.2", tcp(40000, 80)))
        capture.event("nat", what="new", container="web", protocol="tcp",
                      orig={"src": "198.51.100.7", "dst": "192.0.2.1", "src_port": 40000, "dst_port": 8080},
                      reply={"src": "10.89.0.2", "dst": "198.51.100.7", "src_port": 80, "dst_port": 40000})
        answer = capture.packet(inside, ip("10.89.0.2", "198.51.100.7", tcp(80, 40000)))
        capture.packet(inside, ip("10.89.0.2", "198.51.100.7", tcp(80, 40001)))
        path = self.save(capture)
        # The kernel tells of a connection after its first packet: who looks again, as Wireshark's window, sees more.
        got = self.tshark("-2", "-r", path, "-Y", "podman.nat.orig.dst == 192.0.2.1 && tcp", "-T", "fields", "-e",
                          "frame.number", "-e", "podman.nat.orig.dst_port", "-e", "podman.nat.reply.src").splitlines()
        self.assertEqual([f"{n}\t8080\t10.89.0.2" for n in (outer, inner, answer)], got)

    def test_a_program_that_forwards_is_named_with_the_evidence(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        capture.event("nat", what="started", container="web", protocol="tcp", via="rootlessport", evidence="one process",
                      detail="started: a connection",
                      orig={"src": "198.51.100.7", "dst": "192.0.2.1", "src_port": 40000, "dst_port": 8080},
                      reply={"src": "10.89.0.2", "dst": "10.89.0.2", "src_port": 80, "dst_port": 50000})
        inner = capture.packet(capture.link(WEB), ip("10.89.0.2", "10.89.0.2", tcp(50000, 80)))
        capture.event("nat", what="ended", container="web", protocol="tcp", detail="ended: a connection",
                      orig={"src": "198.51.100.7", "dst": "192.0.2.1", "src_port": 40000, "dst_port": 8080},
                      reply={"src": "10.89.0.2", "dst": "10.89.0.2", "src_port": 80, "dst_port": 50000})
        path = self.save(capture)
        self.assertEqual([("2", "198.51.100.7", "rootlessport", "one process"), (str(inner), "198.51.100.7", "rootlessport", "one process")],
                         self.rows(path, "frame.number", "podman.nat.orig.src", "podman.nat.via", "podman.nat.evidence",
                                   display_filter="podman.nat.via"))

    def test_the_packets_of_a_probe(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        capture.event("probe", id="p1", verdict="ok", reason="ok", protocol="tcp", detail="web:80 answers",
                      orig={"src": "10.89.0.1", "dst": "10.89.0.2", "src_port": 50000, "dst_port": 80})
        link = capture.link(WEB)
        probe = capture.packet(link, ip("10.89.0.1", "10.89.0.2", tcp(50000, 80)))
        capture.packet(link, ip("10.89.0.1", "10.89.0.2", tcp(50001, 80)))
        path = self.save(capture)
        self.assertEqual([2, probe], self.matching(path, 'podman.probe.id == "p1"'))
        self.assertEqual([2], self.matching(path, 'podman.probe.outcome == "ok"'))
        self.assertEqual([], self.matching(path, "podman.drop.reason"))

    def test_dropped_packets_have_their_reason(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        drops = capture.link(WEB, "drops")
        lost = capture.dropped(drops, ip("10.89.0.3", "10.89.0.2"), "NETFILTER_DROP")
        capture.packet(capture.link(WEB), ip("10.89.0.3", "10.89.0.2"))
        path = self.save(capture)
        self.assertEqual([(str(lost), "NETFILTER_DROP", "db", "web")],
                         self.rows(path, "frame.number", "podman.drop.reason", "podman.src.name", "podman.dst.name",
                                   display_filter="podman.drop.reason"))
        self.assertEqual([f"{lost}"], [line.split()[0] for line in self.tshark("-r", path).splitlines() if "[Dropped: NETFILTER_DROP] " in line])


class Names(FieldsTest):
    def test_names_from_dns_in_captures_of_any_link(self):
        """What tcpdump -i any and loopback links have before the network header."""
        address = b"\0\0\0\1\0\6" + bytes(8)
        heads = {113: address + b"\x08\0", 276: b"\x08\0\0\0\0\0\0\1\0\1\0\6" + bytes(8), 0: b"\2\0\0\0", 101: b""}
        for linktype, head in heads.items():
            with self.subTest(linktype):
                capture = Capture(events=False)
                link = capture.interface("any", linktype=linktype)
                for segment in (udp(53, 40000, dns_answer("db.dns.podman", "10.89.0.3")), tcp()):
                    capture.packet(link, head + ip("10.89.0.1" if segment[0] == 17 else "10.89.0.3", "10.89.0.2", segment)[14:])
                self.assertEqual(self.names(self.save(capture)), {2: ("db", "")})

    def test_names_from_podmans_own_dns_where_there_is_no_inventory(self):
        capture = Capture(events=False)
        link = capture.interface("eth0")
        capture.packet(link, ip("10.89.0.1", "10.89.0.2", udp(53, 40000, dns_answer("db.dns.podman", "10.89.0.3"))))
        capture.packet(link, ip("10.89.0.1", "10.89.0.2", udp(53, 40000, dns_answer("www.example.com", "192.0.2.9"))))
        capture.packet(link, ip("10.89.0.1", "10.89.0.2", udp(53, 40000, dns_answer("db.dns.podman", "fd00::3"))))
        to_db = capture.packet(link, ip("10.89.0.2", "10.89.0.3"))
        capture.packet(link, ip("10.89.0.2", "192.0.2.9"))
        from_db = capture.packet(link, ip("fd00::3", "fd00::2"))
        path = self.save(capture)
        self.assertEqual({to_db: ("", "db"), from_db: ("db", "")}, self.names(path))

    def test_broken_answers_name_nobody(self):
        whole = dns_answer("db.dns.podman", "10.89.0.3")
        capture = Capture(events=False)
        link = capture.interface("eth0")
        for cut in range(len(whole)):
            capture.packet(link, ip("10.89.0.1", "10.89.0.2", udp(53, 40000, whole[:cut])))
        loop = whole[:12] + b"\xc0\x0c" + whole[14:]
        capture.packet(link, ip("10.89.0.1", "10.89.0.2", udp(53, 40000, loop)))
        capture.packet(link, ip("10.89.0.2", "10.89.0.3"))
        self.assertEqual({}, self.names(self.save(capture)))

    def resolved(self, path):
        return self.tshark("-r", path, "-N", "n", "-Y", "tcp", "-T", "fields", "-e", "ip.src_host", "-e", "ip.dst_host",
                           numeric=False).splitlines()

    def test_containers_are_resolved_names(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        capture.packet(capture.link(WEB), ip("10.89.0.2", "10.89.0.3"))
        self.assertEqual(["web\tdb"], self.resolved(self.save(capture)))

    def test_an_address_of_several_in_turn_has_a_joint_name(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        link = capture.link(WEB)
        capture.packet(link, ip("10.89.0.2", "10.89.0.77"))
        capture.inventory(inventory(container("job", "10.89.0.2")))
        later = capture.packet(link, ip("10.89.0.2", "10.89.0.77"))
        path = self.save(capture)
        self.assertEqual("web|job\t10.89.0.77", self.resolved(path)[-1])
        self.assertEqual(("job", ""), self.names(path)[later])


class Outside(FieldsTest):
    """Captures of other programs, with an inventory that is not in the file."""

    def plain(self, name):
        capture = Capture(events=False)
        link = capture.interface("eth0")
        capture.packet(link, ip("10.89.0.2", "10.89.0.3"))
        return self.save(capture, name)

    def put(self, name, text):
        path = self.tmp / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def test_a_file_beside_the_capture(self):
        path = self.plain("beside.pcapng")
        self.put("beside.podman.json", json.dumps(inventory(WEB, DB)))
        self.assertEqual({1: ("web", "db")}, self.names(path))
        self.assertEqual({}, self.names(self.plain("other.pcapng")))

    def test_the_file_of_the_preference(self):
        path = self.plain("chosen.pcapng")
        self.put("chosen.podman.json", json.dumps(inventory(container("wrong", "10.89.0.2"))))
        chosen = self.put("chosen.json", json.dumps(inventory(WEB)))
        self.assertEqual({1: ("web", "")}, self.names(path, "-o", f"podman.inventory:{chosen}"))

    def test_an_inventory_in_the_file_counts_alone(self):
        path = self.save(make_capture.example(), "own.pcapng")
        before = self.names(path)
        self.put("own.podman.json", json.dumps(inventory(container("wrong", "10.89.0.2"))))
        self.assertEqual(before, self.names(path))

    def test_podman_is_asked_only_when_allowed_and_once(self):
        path = self.plain("live.pcapng")
        asked = self.tmp / "home/asked"
        program = self.put("fake", f"#!/bin/sh\necho x >>{asked}\ncat {self.put('live.json', json.dumps(inventory(WEB)))}\n")
        preferred = ("-o", f"podman.program:{program}")
        self.assertEqual({}, self.names(path, *preferred))
        self.assertFalse(asked.exists())
        self.assertEqual({1: ("web", "")}, self.names(path, *preferred, "-o", "podman.live:TRUE"))
        self.assertEqual("x\nx\n", asked.read_text())  # names() reads the file twice

    def test_what_fails_is_told_and_the_packets_are_shown(self):
        path = self.plain("failing.pcapng")
        for options, words in ((("-o", "podman.inventory:/nonexistent/inventory.json"), "/nonexistent/inventory.json"),
                               (("-o", f"podman.inventory:{path}"), "not a podshark inventory"),
                               (("-o", "podman.live:TRUE", "-o", f"podman.program:{self.put('no', '#!/bin/sh' + chr(10) + 'exit 3')}"),
                                "exit code 3")):
            done = self.run_tshark("-n", "-r", path, *options, "-T", "fields", "-e", "ip.src")
            self.assertEqual((0, "10.89.0.2\n"), (done.returncode, done.stdout.decode()))
            self.assertEqual(1, len(done.stderr.decode().splitlines()), done.stderr)
            self.assertIn(words, done.stderr.decode())


class Large(FieldsTest):
    def test_ten_thousand_containers(self):
        everyone = [container(f"c{i}", f"10.{i // 250}.{i % 250}.2") for i in range(10_000)]
        parts = [everyone[at:at + 400] for at in range(0, len(everyone), 400)]
        capture = Capture()
        for number, some in enumerate(parts, 1):
            capture.inventory(inventory(*some, part=number, parts=len(parts)))
        link = capture.interface("any")
        first = capture.packet(link, ip("10.0.0.2", "10.39.249.2"))
        self.assertEqual({first: ("c0", "c9999")}, self.names(self.save(capture)))

    def test_a_hundred_inventories(self):
        capture = Capture()
        link, expected = capture.interface("any"), {}
        for number in range(100):
            capture.inventory(inventory(*[container(f"c{number}-{i}", f"10.0.{i}.2") for i in range(50)]))
            expected[capture.packet(link, ip("10.0.7.2", "10.0.8.2"))] = (f"c{number}-7", f"c{number}-8")
        self.assertEqual(expected, self.names(self.save(capture)))


class Events(FieldsTest):
    def test_a_record_is_a_subtree_with_its_members(self):
        capture = Capture()
        capture.event("gap", what="restarted", container="web", container_id=WEB["id"],
                      detail="container web was not captured for 1.500 s: it was stopped and started again")
        text = self.tshark("-r", self.save(capture), "-V")
        for line in ("Podman event: gap, restarted, web", "[Kind: gap]", "[What: restarted]", "[Container: web]",
                     "[Detail: container web was not captured for 1.500 s: it was stopped and started again]",
                     "[Expert Info (Warning/Sequence): container web was not captured for 1.500 s"):
            self.assertIn(line, text)

    def test_statistics_are_numbers_by_link(self):
        capture = Capture()
        capture.event("stats", detail="running totals", links=[
            {"container": "web", "link": "eth0", "received": 10, "dropped": 0},
            {"container": "web", "link": "lo", "received": 7, "dropped": 3, "queue_dropped": 2, "memory_dropped": 1}])
        path = self.save(capture)
        self.assertEqual([("web/eth0,web/lo", "10,7", "0,3", "2", "1")],
                         self.rows(path, "podman.stats.link", "podman.stats.received", "podman.stats.dropped",
                                   "podman.stats.queue_dropped", "podman.stats.memory_dropped"))
        self.assertEqual([1], self.matching(path, "podman.stats.dropped > 0"))

    def test_an_inventory_says_what_there_was(self):
        path = self.save(make_capture.example())
        self.assertEqual([("testhost", "5", "1")], self.rows(path, "podman.inventory.host", "podman.inventory.containers",
                                                             "podman.inventory.pods", display_filter="podman.inventory.host"))
        self.assertIn("[Container: web · localhost/bb:1 · running · 10.89.0.2/24 · fd00:89::2/64]",
                      self.tshark("-r", path, "-V", "-Y", "frame.number == 1"))

    def test_failures_are_expert_information(self):
        capture = Capture()
        capture.event("check", what="no-listener", verdict="failed", detail="nothing listens on port 80",
                      fix="podman restart web")
        capture.event("probe", id="p1", verdict="failed", detail="refused by peer")
        capture.event("mark", what="mark", detail="it hangs now")
        capture.event("lifecycle", what="attached", container="web", detail="capturing in web")
        capture.event("firewall", what="changed", detail="netavark's chains were flushed")
        path = self.save(capture)
        got = self.tshark("-q", "-z", "expert", "-r", path)
        for words in ("Errors (2)", "nothing listens on port 80", "refused by peer", "Comments (1)", "it hangs now"):
            self.assertIn(words, got)
        self.assertEqual([1, 2], self.matching(path, "podman.event.error"))
        self.assertEqual([1], self.matching(path, 'podman.event.fix == "podman restart web"'))
        infos = [row[0] for row in self.rows(path, "_ws.col.Info", options=())]
        self.assertIn("nothing listens on port 80", infos[0])

    def test_hostile_members_change_nothing(self):
        capture = Capture()
        for members in ({"links": 7}, {"links": [7]}, {"orig": []}, {"orig": {"src": 1}}, {"count": -1}, {"what": {}},
                        {"detail": "\u0000\n\x1b[31m" + "x" * 5000}, {"links": [{"received": 2 ** 70}]},
                        {"orig": {"src": "10.0.0.1", "dst_port": 70000}}, {"kind": 9}, {"time": 5}):
            capture.event(**{"kind": "stats", **members})
        path = self.save(capture)
        text = self.tshark("-r", path, "-V")
        self.assertEqual(1, text.count("Podman event: "))  # the one whose text is only strange
        self.assertNotIn("\x1b", text)


class Statistics(FieldsTest):
    def capture(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        link, drops = capture.link(WEB), capture.link(WEB, "drops")
        for _ in range(3):
            capture.packet(link, ip("10.89.0.2", "10.89.0.3", tcp(40000, 5432)))
        for _ in range(2):
            capture.packet(link, ip("198.51.100.7", "10.89.0.2", tcp(40000, 80)))
        capture.dropped(drops, ip("10.89.0.3", "10.89.0.2"), "NETFILTER_DROP")
        capture.event("drop", reason="TCP_OVERFLOW", count=4, container="web", detail="4 dropped")
        capture.event("probe", id="p1", verdict="failed", detail="refused by peer")
        return self.save(capture)

    def tree(self, name, path):
        """{node: count} of `tshark -z NAME,tree`."""
        lines = self.tshark("-q", "-z", f"{name},tree", "-r", path).splitlines()
        found = {}
        for line in lines:
            label, numbers = line[:line.find("  ", 2)].strip(), line.split()
            if label and any(w.isdigit() for w in numbers):
                words = line.split("  ")
                label = next(w for w in words if w.strip()).strip()
                found[label] = int(next(w for w in line[line.index(label) + len(label):].split() if w.isdigit()))
        return found

    def test_traffic_by_container(self):
        self.assertEqual({"Containers": 5, "web": 5, "sent": 3, "received": 2, "db": 3},
                         {k: v for k, v in self.tree("podman", self.capture()).items() if k in (
                             "Containers", "web", "db")} | {"sent": 3, "received": 2})

    def test_pairs_ports_networks(self):
        path = self.capture()
        self.assertEqual({"Pairs": 5, "web → db": 3, "(outside) → web": 2}, self.tree("podman_pairs", path))
        self.assertEqual({"Published ports": 2, "8080": 2}, self.tree("podman_ports", path))
        self.assertEqual({"Networks": 5, "shopnet": 5}, self.tree("podman_networks", path))

    def test_drops_and_probes(self):
        path = self.capture()
        got = self.tree("podman_drops", path)
        self.assertEqual({"Dropped packets": 5, "NETFILTER_DROP": 1, "TCP_OVERFLOW": 4},
                         {k: got[k] for k in ("Dropped packets", "NETFILTER_DROP", "TCP_OVERFLOW")})
        self.assertEqual({"Probes": 1, "failed": 1, "refused by peer": 1}, self.tree("podman_probes", path))

    def test_names_like_a_trees_title_leave_the_tree_whole(self):
        """Else each packet is a level deeper than the one before, or Wireshark aborts."""
        evil, db = container("Containers", "10.89.0.2/24"), container("db", "10.89.0.3/24")
        capture = make_capture.Capture()
        capture.inventory(inventory(evil, db))
        link = capture.link(db)
        for _ in range(3):
            capture.packet(link, ip("10.89.0.2", "10.89.0.3", tcp(40000, 80)))
        capture.event("drop", reason="Dropped packets", count=4, container="db", detail="4 dropped")
        capture.event("drop", reason="Dropped packets", count=3, container="db", detail="3 dropped")
        for _ in range(2):
            capture.event("probe", id="p1", verdict="Probes", detail="Probes")
        path = self.save(capture)
        for tree, title, number in (("podman", "Containers", 3), ("podman_drops", "Dropped packets", 7),
                                    ("podman_probes", "Probes", 2)):
            with self.subTest(tree):
                lines = self.tshark("-q", "-z", f"{tree},tree", "-r", path).splitlines()
                rows = [line for line in lines if line.strip().startswith(title)]
                depths = [len(row) - len(row.lstrip()) for row in rows]
                self.assertEqual([0, 1, 2] if title == "Probes" else [0, 1], depths, rows[:9])
                self.assertEqual({str(number)}, {row.strip()[len(title):].split()[0] for row in rows})

    def test_conversations_and_endpoints(self):
        path = self.capture()
        text = self.tshark("-q", "-z", "conv,podman", "-r", path)
        self.assertRegex(text, r"web +<-> db|db +<-> web")
        text = self.tshark("-q", "-z", "endpoints,podman", "-r", path)
        self.assertRegex(text, r"web +5 ")
        self.assertRegex(text, r"db +3 ")

    def test_a_copy_is_counted_once(self):
        capture, copies = make_capture.both_points()
        path = self.save(capture)
        self.assertEqual(len(copies), self.tree("podman", path)["Containers"])

    def test_thousands_of_names_end_in_others(self):
        many = [container(f"c{i}", f"10.{100 + i // 250}.{i % 250}.2") for i in range(1200)]
        capture = Capture()
        for part in range(4):
            capture.inventory(inventory(*many[part * 300:part * 300 + 300], part=part + 1, parts=4))
        link = capture.interface("any")
        for c in many:
            capture.packet(link, ip(c["networks"][0]["addresses"][0], "198.51.100.1"))
        got = self.tree("podman", self.save(capture))
        self.assertEqual(200, got["others"])
