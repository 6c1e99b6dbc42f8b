# SPDX-License-Identifier: GPL-2.0-or-later
"""What people see of the plugin in tshark, on captures written after docs/FORMAT.md."""

import json
import pathlib
import re
import shutil
import struct
import subprocess

import make_capture
from lib_plugin import PROFILE, PluginTest, version
from make_capture import Capture, container, inventory, ip, tcp, udp

WEB = container("web", "10.89.0.2/24", "fd00:89::2/64")
DB = container("db", "10.89.0.3/24", "fd00:89::3/64")


class Fields(PluginTest):
    def test_every_kind_of_packet_is_named(self):
        got = self.names(self.save(make_capture.example()))
        self.assertEqual(got, {2: ("web", ""),       # ARP request, by MAC
                               3: ("web", "db"),     # IPv4
                               4: ("db", "web"),     # IPv6
                               5: ("web", "web"),    # loopback of web
                               6: ("cache", ""),     # slirp4netns
                               7: ("web", "shop")})  # a pod's interface

    def test_filters_match_either_end(self):
        path = self.save(make_capture.example())
        self.assertEqual(self.matching(path, 'podman.name == "web"'), [2, 3, 4, 5, 7])
        self.assertEqual(self.matching(path, 'podman.name == "db"'), [3, 4])
        self.assertEqual(self.matching(path, 'podman.src.name == "db"'), [4])
        self.assertEqual(self.matching(path, 'podman.dst.name contains "sh" && tcp'), [7])
        self.assertEqual(self.matching(path, "podman"), [1, 2, 3, 4, 5, 6, 7])  # the record is ours as well

    def test_the_tree_says_who_and_marks_it_generated(self):
        text = self.tshark("-r", self.save(make_capture.example()), "-V", "-Y", "frame.number == 3")
        self.assertIn("[Podman container networking, Src: web, Dst: db]\n"
                      "    [Source container: web]\n    [Source container ID: 776562776562]\n"
                      "    [Source image: localhost/bb:1]\n    [Source network: shopnet]\n"
                      "    [Destination container: db]\n    [Destination container ID: 646264626462]\n"
                      "    [Destination image: localhost/bb:1]\n    [Destination network: shopnet]\n"
                      "    [Capture point: inside]\n", text)
        self.assertNotIn("[Container: ", text)  # the either-end field is for filters

    def test_a_reused_address_is_named_by_time(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        link = capture.link(WEB)
        packet = ip("10.89.0.2", "10.89.0.77")
        first = capture.packet(link, packet)
        second = capture.inventory(inventory(container("job", "10.89.0.2")))
        other = capture.packet(capture.link(container("job")), packet)
        capture.inventory(inventory())
        capture.packet(link, packet)
        path = self.save(capture)
        self.assertEqual(self.names(path), {first: ("web", ""), other: ("job", "")})
        self.assertEqual(second, 3)
        self.assertEqual(self.matching(path, 'podman.name == "job"'), [other])

    def test_the_same_address_in_two_containers_is_told_apart_by_interface(self):
        for kind, address in (("slirp4netns", "10.0.2.100"), ("pasta", "192.0.2.10"), ("bridge", "10.88.0.2")):
            one, two = container("one", address, kind=kind), container("two", address, kind=kind)
            for described in (True, False):
                with self.subTest(kind=kind, described=described):
                    capture = Capture()
                    capture.inventory(inventory(one, two))
                    a, b = capture.link(one, described=described), capture.link(two, described=described)
                    elsewhere = capture.interface("eth7")
                    for link in (a, b, elsewhere):
                        capture.packet(link, ip(address, "198.51.100.1"))
                        capture.packet(link, ip("198.51.100.1", address, udp()))
                    got = self.names(self.save(capture))
                    self.assertEqual(got, {2: ("one", ""), 3: ("", "one"), 4: ("two", ""), 5: ("", "two")})

    def test_packets_before_the_first_inventory_use_it(self):
        capture = Capture()
        link = capture.link(WEB)
        capture.packet(link, ip("10.89.0.2", "10.89.0.3"))
        capture.inventory(inventory(WEB, DB))
        path = self.save(capture)
        rows = self.tshark("-2", "-r", path, "-Y", "tcp", "-T", "fields", "-e", "podman.name")
        self.assertEqual(rows, "web,db\n")

    def test_link_local_addresses_are_named_by_mac(self):
        web = container("web", "10.89.0.2/24", mac="02:00:00:00:00:01")
        capture = Capture()
        capture.inventory(inventory(web))
        capture.packet(capture.link(web), ip("fe80::1", "ff02::2", udp()))
        self.assertEqual(self.names(self.save(capture)), {2: ("web", "")})

    def test_stopped_containers_own_nothing(self):
        stopped = container("old", "10.89.0.2/24", pid=0, state="exited")
        capture = Capture()
        capture.inventory(inventory(stopped, DB))
        capture.packet(capture.link(DB), ip("10.89.0.2", "10.89.0.3"))
        self.assertEqual(self.names(self.save(capture)), {2: ("", "db")})

    def test_an_inventory_in_parts(self):
        capture = Capture()
        capture.inventory(inventory(WEB, parts=2))
        capture.inventory(inventory(DB, part=2, parts=2))
        capture.packet(capture.link(WEB), ip("10.89.0.2", "10.89.0.3"))
        self.assertEqual(self.names(self.save(capture)), {3: ("web", "db")})

    def test_two_captures_in_one_file(self):
        # Wireshark with two interfaces selected: two programs' streams, two events interfaces.
        capture = Capture()
        events = capture.interface(make_capture.EVENTS, linktype=make_capture.UPPER_PDU)
        capture.inventory(inventory(WEB, parts=2))
        capture.inventory(inventory(WEB, parts=2), interface=events)
        capture.inventory(inventory(DB, part=2, parts=2))
        capture.inventory(inventory(DB, part=2, parts=2), interface=events)
        capture.packet(capture.link(WEB), ip("10.89.0.2", "10.89.0.3"))
        self.assertEqual(self.names(self.save(capture)), {5: ("web", "db")})

    def test_captures_of_two_machines_in_one_file(self):
        """Each machine has its own containers at the same addresses, and tells of them again and again."""
        capture = Capture()
        there = capture.interface(make_capture.EVENTS, linktype=make_capture.UPPER_PDU)
        db, own = container("db", "10.89.0.2/24"), capture.link(WEB)
        links, expected = (own, capture.link(db)), {}
        plain = capture.interface("eth0")
        for frame in (1, 6):
            capture.inventory(inventory(WEB, container("peer", "10.89.0.9/24"), host="here"))
            capture.inventory(inventory(db, container(f"new{frame}", "10.89.0.9/24"), host="there"), interface=there)
            for link in (*links, plain):
                capture.packet(link, ip("10.89.0.2", "10.89.0.9"))
            expected.update({frame + 2: ("web", "peer"), frame + 3: ("db", f"new{frame}")})
        self.assertEqual(self.names(self.save(capture)), expected)

    def test_names_survive_saving_again(self):
        again = self.tmp / "home/again.pcapng"
        self.tshark("-r", self.save(make_capture.example()), "-w", again)
        self.assertEqual(self.names(again), self.names(self.tmp / "capture.pcapng"))

    def test_reading_from_a_pipe(self):
        data = make_capture.example().data
        text = self.tshark("-r", "-", "-T", "fields", "-e", "podman.src.name", input=data)
        self.assertEqual(text.split(), ["web", "web", "db", "web", "cache", "web"])

    def test_disabled_it_says_nothing(self):
        self.assertEqual(self.names(self.save(make_capture.example()), "--disable-protocol", "podman"), {})


class Points(PluginTest):
    """Packets that were captured at two points of their way."""

    def rows(self, path, *args):
        """{frame number: (podman.point, podman.copy_of)}; one pass and two passes must agree."""
        fields = ["-T", "fields", "-E", "separator=,", "-e", "frame.number", "-e", "podman.point", "-e",
                  "podman.copy_of"]
        once, twice = (self.tshark("-r", path, *passes, *fields, *args) for passes in ((), ("-2",)))
        self.assertEqual(once, twice, "one pass and two passes differ")
        return {int(number): (point, int(copy or 0)) for number, point, copy in
                (line.split(",") for line in once.splitlines())}

    def test_every_packet_tells_its_point_and_which_record_has_it_already(self):
        capture, copies = make_capture.both_points()
        rows = self.rows(self.save(capture))
        self.assertEqual({frame: copy for frame, (_, copy) in rows.items() if copy}, copies)
        self.assertEqual(rows.pop(1), ("", 0), "an event was captured nowhere")
        leaves = {first for second, first in copies.items() if first < second and rows[first][0] == "inside"}
        self.assertEqual(len(leaves), 6)
        self.assertEqual({(rows[first][0], rows[second][0]) for second, first in copies.items()},
                         {("inside", "host"), ("host", "inside")})

    def test_two_machines_have_a_packet_each_and_name_their_own_containers(self):
        capture, copies = make_capture.two_hosts()
        path = self.save(capture)
        self.assertEqual({frame: copy for frame, (_, copy) in self.rows(path).items() if copy}, copies)
        on_a = self.matching(path, 'podman.host == "me@a:2222"')
        on_b = self.matching(path, 'podman.host == "b"')
        self.assertEqual((6, 6), (len(on_a), len(on_b)))
        self.assertEqual(on_a, self.matching(path, 'podman.name == "web" && podman.name == "shop"'))
        self.assertEqual(on_b, self.matching(path, 'podman.name == "till" && podman.name == "db"'))
        self.assertEqual([capture.frames], self.matching(path, 'podman.event.host == "b"'))
        self.assertEqual(self.matching(path, "tcp.analysis.flags && !podman.copy_of"), [])

    def test_a_packet_that_was_translated_between_two_machines_is_one(self):
        capture, copies = make_capture.two_hosts(client="192.0.2.9")
        rows = self.rows(self.save(capture))
        self.assertEqual({frame: copy for frame, (_, copy) in rows.items() if copy}, copies)

    def test_filters_by_point(self):
        capture, copies = make_capture.both_points()
        path = self.save(capture)
        inside, host = (self.matching(path, f'podman.point == "{point}"') for point in ("inside", "host"))
        self.assertEqual(sorted(inside + host), list(range(2, capture.frames + 1)))
        self.assertEqual(self.matching(path, 'not podman.point == "host"'), [1, *inside])
        self.assertEqual(self.matching(path, "not podman.copy_of"), [1, *sorted(copies.values())])

    def test_the_tree_shows_both(self):
        capture, _ = make_capture.both_points()
        text = self.tshark("-r", self.save(capture), "-V", "-Y", "frame.number == 3")
        self.assertIn("    [Capture point: host]\n    [Copy of the packet in frame: 2]\n", text)

    def test_false_retransmissions_are_the_copies_and_a_true_one_is_none(self):
        capture, copies = make_capture.both_points()
        again = make_capture.connection("10.89.0.2", "10.89.0.3")[3][1]
        true = capture.packet(1, again)
        copies[capture.packet(2, again)] = true
        path = self.save(capture)
        flagged = set(self.matching(path, "tcp.analysis.flags"))
        self.assertLessEqual(set(copies), flagged, "Wireshark takes every copy for a fault")
        self.assertEqual(self.matching(path, "tcp.analysis.flags && !podman.copy_of"), [true])
        self.assertEqual(self.rows(path)[true + 1], ("host", true))

    def test_both_survive_rewriting(self):
        capture, copies = make_capture.both_points()
        path = self.save(capture)
        rows = self.rows(path)
        again, edited = self.tmp / "home/again.pcapng", self.tmp / "home/edited.pcapng"
        self.tshark("-r", path, "-w", again)
        subprocess.run(["editcap", "-F", "pcapng", path, edited], check=True, capture_output=True)
        self.assertEqual(self.rows(again), rows)
        self.assertEqual(self.rows(edited), rows)

    def test_a_part_of_a_file_keeps_both(self):
        # As Wireshark exports what is displayed; there is no inventory any more.
        capture, copies = make_capture.both_points()
        path, part = self.save(capture), self.tmp / "home/part.pcapng"
        self.tshark("-r", path, "-Y", "tcp", "-w", part)
        self.assertEqual({frame: copy for frame, (_, copy) in self.rows(part).items() if copy},
                         {copy - 1: first - 1 for copy, first in copies.items()})
        self.tshark("-r", path, "-Y", 'podman.point == "host"', "-w", part)
        self.assertEqual(set(self.rows(part).values()), {("host", 0)})
        self.tshark("-r", path, "-Y", "not podman.copy_of", "-w", part)
        self.assertEqual(self.matching(part, "tcp"), list(range(2, len(copies) + 2)))
        self.assertEqual(self.matching(part, "tcp.analysis.flags"), [])

    def test_live_from_a_pipe(self):
        capture, copies = make_capture.both_points()
        text = self.tshark("-r", "-", "-T", "fields", "-e", "podman.copy_of", input=capture.data)
        self.assertEqual(text.split(), [str(first) for _, first in sorted(copies.items())])

    def test_others_have_neither(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        capture.link(WEB, "podman1@host", point="host")
        stranger, liar = capture.interface("eth7", "point=host"), capture.link(WEB, "eth1", point="host\x1f")
        for link in (stranger, liar, stranger):
            capture.packet(link, ip("10.89.0.2", "10.89.0.3"))
        self.assertEqual(set(self.rows(self.save(capture)).values()), {("", 0)})

    def test_vlan_tags_and_raw_ip_are_looked_through(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        inside, host = capture.link(WEB), capture.link(WEB, "podman1@host", point="host")
        packet = ip("10.89.0.2", "10.89.0.3")
        capture.packet(inside, packet)
        tagged = capture.packet(host, packet[:12] + b"\x81\x00\x00\x05" + packet[12:])
        raw = capture.packet(capture.interface("podman:web/tun0@host", "point=host", linktype=101), packet[14:])
        for scrap in (b"", b"\x08", packet[:13], packet[:12] + b"\x81\x00\x00"):
            capture.packet(inside, scrap)
            capture.packet(host, scrap)
        rows = self.rows(self.save(capture))
        self.assertEqual({frame: copy for frame, (_, copy) in rows.items() if copy}, {tagged: 2, raw: 2})

    def test_thousands_of_other_interfaces_are_no_obstacle(self):
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        links = [capture.interface(f"eth{n}") for n in range(3000)]
        host = capture.link(WEB, "podman1@host", point="host")
        packet = ip("10.89.0.2", "10.89.0.3")
        for link in links[::-1]:
            capture.packet(link, packet)
        first = capture.packet(host, packet)
        copy = capture.packet(capture.link(WEB), packet)
        rows = self.rows(self.save(capture))
        self.assertEqual({frame: row for frame, row in rows.items() if any(row)},
                         {first: ("host", 0), copy: ("inside", first)})


class Profile(PluginTest):
    """The profile as it is installed, in the home of a user."""

    RULE = "Podman: captured at another point already"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        shutil.copytree(PROFILE, cls.tmp / "home/.config/wireshark/profiles/Podman")

    def rules(self, path):
        """{frame number: name of its colouring rule}"""
        text = self.tshark("-C", "Podman", "--color", "-r", path, "-T", "fields", "-E", "separator=\x1f", "-e",
                           "frame.number", "-e", "frame.coloring_rule.name")
        return {int(number): rule for number, rule in (line.split("\x1f") for line in text.splitlines())}

    def test_columns(self):
        text = self.tshark("-C", "Podman", "-r", self.save(make_capture.example()), "-c", 3, "-T", "psml")
        rows = [re.findall("<section>(.*)</section>", part) for part in re.split("</(?:structure|packet)>", text)]
        self.assertEqual(rows[0], ["No.", "Time", "Source", "Src container", "Destination", "Dst container", "Point",
                                   "Protocol", "Length", "Info"])
        self.assertEqual(rows[3][:8], ["3", "0.002000000", "10.89.0.2", "web", "10.89.0.3", "db", "inside", "TCP"])

    def test_copies_look_calm_and_true_faults_do_not(self):
        capture, copies = make_capture.both_points()
        again = make_capture.connection("10.89.0.2", "10.89.0.3")[3][1]
        true = capture.packet(1, again)
        copies[capture.packet(2, again)] = true
        rules = self.rules(self.save(capture))
        self.assertEqual({frame for frame, rule in rules.items() if rule == self.RULE}, set(copies))
        self.assertEqual({frame for frame, rule in rules.items() if rule == "Bad TCP"}, {true})
        self.assertEqual(rules[2], "HTTP")

    def test_every_rule_of_this_wireshark_is_there(self):
        ours, stock = ((path / "colorfilters").read_text() for path in (PROFILE, pathlib.Path("/usr/share/wireshark")))

        def names(text):
            return [line.split("@")[1] for line in text.splitlines() if line.lstrip("!").startswith("@")]
        self.assertEqual([n for n in names(ours)[:7] if not n.startswith("Podman: ")], ["Bad TCP"])
        # 4.4 split one of 4.0's rules into two, by IP version.
        self.assertLessEqual(set(names(stock)) - {"IPv4 TTL low or unexpected", "IPv6 hop limit low or unexpected"},
                             set(names(ours)))

    def test_every_button_is_a_filter(self):
        capture, copies = make_capture.both_points()
        path = self.save(capture)
        text = (PROFILE / "dfilter_buttons").read_text()
        buttons = {label: expression.replace(r"\x22", '"') for label, expression in
                   re.findall(r'^"TRUE","Podman//([^"]*)","([^"]*)","[^"]*"$', text, re.M)}
        self.assertEqual(len(buttons), len([line for line in text.splitlines() if line[:1] == '"']))
        frames = {label: self.matching(path, expression) for label, expression in buttons.items()}
        self.assertEqual(frames["Hide copies"], [1, *sorted(copies.values())])
        self.assertEqual(frames["Only events"], [1])
        self.assertEqual(sorted(frames["Hide host copies"] + frames["Only host side"]),
                         list(range(1, capture.frames + 1)))

    def test_conversations_by_interface_are_the_users_choice(self):
        # Wireshark 4.4 can keep the points apart. The profile does not ask for it: a packet between two captured
        # containers is recorded on its sender's link only, so that each direction would be a stream of its own.
        both = self.save(make_capture.both_points()[0], "both.pcapng")
        web, db = "10.89.0.2", "10.89.0.3"
        capture = Capture()
        capture.inventory(inventory(WEB, DB))
        links = {True: capture.link(WEB), False: capture.link(DB)}
        for from_client, frame in make_capture.connection(web, db):
            capture.packet(links[from_client], frame)
        several = self.save(capture, "several.pcapng")

        def streams(*args):
            text = self.tshark("-C", "Podman", *args, "-r", several, "-Y", "tcp", "-T", "fields", "-e", "tcp.stream")
            return set(text.split())
        self.assertEqual(streams(), {"0"})
        choice = ("-o", "protocols.conversation_deinterlacing_key:.MI")
        if version() == "4.0":
            text = self.tshark("-r", both, *choice, check=False)
            self.assertEqual(text, "", "4.0 does not know it; in a profile it would warn at every start")
        else:
            self.assertEqual(self.matching(both, "tcp.analysis.flags", options=choice), [])
            self.assertEqual(streams(*choice), {"0", "1"})


class Hostile(PluginTest):
    """Each capture has a good inventory of web, and then records that try to make 10.89.0.3 db."""

    PACKET = ip("10.89.0.2", "10.89.0.3")

    def named_after(self, records):
        """{what: names of a packet that follows that record}, for all of {what: bytes of an event packet}."""
        capture = Capture()
        capture.inventory(inventory(WEB))
        link, frames = capture.link(WEB), {}
        for what, data in records.items():
            capture.packet(0, data)
            frames[what] = capture.packet(link, self.PACKET)
        got = self.names(self.save(capture))
        return {what: got.get(frame) for what, frame in frames.items()}

    def test_what_is_no_inventory_changes_nothing(self):
        good = json.dumps(inventory(DB)).encode()
        records = {
            "empty": b"",
            "cut JSON": good[:-20],
            "not an object": b"[1,2,3]",
            "containers of a wrong type": json.dumps(inventory() | {"containers": "db"}).encode(),
            "name of a wrong type": json.dumps(inventory(DB | {"name": ["db"]})).encode(),
            "address of a wrong type": json.dumps(inventory(DB | {"networks": [{"addresses": [7]}]})).encode(),
            "another kind": json.dumps(inventory(DB) | {"kind": "lifecycle"}).encode(),
            "a newer schema": json.dumps(inventory(DB) | {"podshark": 99}).encode(),
            "deep nesting": b"[" * 60000 + b"]" * 60000,
            "deep nesting of objects": b'{"a":' * 20000,
            "no UTF-8": b'{"podshark":1,"kind":"inventory","containers":[{"id":"a","name":"\xff\xfe","pid":1}]}',
            "zero bytes": bytes(5000),
            "a part without its beginning": json.dumps(inventory(DB, part=2, parts=3)).encode(),
        }
        got = self.named_after({what: make_capture.upper_pdu(what, record) for what, record in records.items()})
        self.assertEqual(got, dict.fromkeys(records, ("web", "")))

    def test_broken_upper_pdus_change_nothing(self):
        payload = json.dumps(inventory(DB)).encode()
        good = make_capture.upper_pdu("inventory", payload)
        records = {"only tags": good[:12], "half a tag": good[:3], "one byte": b"\0",
                   "length beyond the end": b"\x00\x0c\xff\xff" + good[4:],
                   "foreign dissector": make_capture.upper_pdu("x", payload, dissector="data")}
        self.assertEqual(self.named_after(records), dict.fromkeys(records, ("web", "")))
        self.assertEqual(self.named_after({"good": good}), {"good": ("", "db")})

    def test_a_record_cut_by_a_snap_length_changes_nothing(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        capture.inventory(inventory(DB), cut=10)
        capture.packet(capture.link(WEB), self.PACKET)
        self.assertEqual(self.names(self.save(capture)), {3: ("web", "")})

    def test_events_count_only_on_the_events_interface(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        stranger = capture.interface("someone else's PDUs", linktype=make_capture.UPPER_PDU)
        capture.inventory(inventory(DB), interface=stranger)
        capture.packet(capture.link(WEB), self.PACKET)
        self.assertEqual(self.names(self.save(capture)), {3: ("web", "")})

    def test_a_packet_that_looks_like_an_inventory_is_a_packet(self):
        capture = Capture()
        capture.inventory(inventory(WEB))
        link = capture.link(WEB)
        capture.packet(link, ip("10.89.0.2", "10.89.0.3", tcp(payload=json.dumps(inventory(DB)).encode())))
        self.assertEqual(self.names(self.save(capture)), {2: ("web", "")})

    def test_enormous_and_strange_names_are_cut_and_cleaned(self):
        long, strange = container("n" * 100_000, "10.89.0.2"), container("a\nb\x1b[1m\u202ec", "10.89.0.3")
        long["id"], strange["id"] = "1" * 64, "2" * 64
        capture = Capture()
        capture.inventory(inventory(long, strange))
        capture.packet(capture.interface("eth7"), ip("10.89.0.2", "10.89.0.3"))
        (src, dst), = self.names(self.save(capture)).values()
        self.assertTrue(src.startswith("nnn") and len(src.encode()) <= 255, src[:300])
        self.assertEqual(dst, "a b [1m c")

    def test_a_record_cannot_claim_what_nobody_owns(self):
        liar = container("liar", "127.0.0.1", "255.255.255.255", "224.0.0.251", "0.0.0.0", "::1", "::",
                         mac="ff:ff:ff:ff:ff:ff")
        capture = Capture()
        capture.inventory(inventory(liar))
        link = capture.interface("eth7")
        for src, dst in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "255.255.255.255"), ("::1", "::1"),
                         ("10.0.0.1", "224.0.0.251")):
            capture.packet(link, ip(src, dst, udp()))
        capture.packet(link, make_capture.arp("02:00:00:00:00:09", "10.0.0.9", "10.0.0.1"))
        self.assertEqual(self.names(self.save(capture)), {})


class Unaffected(PluginTest):
    def pcap(self):
        """A plain old pcap file, no interfaces, no events."""
        data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        for frame in (ip("10.89.0.2", "10.89.0.3"), ip("fd00::1", "fd00::2", udp()), ip("127.0.0.1", "127.0.0.1")):
            data += struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame
        path = self.tmp / "plain.pcap"
        path.write_bytes(data)
        return path

    def test_a_plain_pcap_looks_the_same_with_and_without_us(self):
        path = self.pcap()
        for args in (("-V",), ("-T", "json"), ("-2", "-V")):
            self.assertEqual(self.tshark("-r", path, *args), self.tshark("-r", path, *args, plugin=False))

    def test_pcapng_interfaces_of_ours_without_an_inventory_name_nothing(self):
        capture = Capture(events=False)
        link = capture.link(WEB, "lo")
        capture.packet(link, ip("127.0.0.1", "127.0.0.1"))
        self.assertEqual(self.names(self.save(capture)), {})

    def test_stock_wireshark_shows_events_as_json(self):
        path = self.save(make_capture.example())
        fields = ("frame.interface_name", "_ws.col.Protocol", "_ws.col.Info", "json.value.string")
        args = [w for f in fields for w in ("-e", f)]
        text = self.tshark("-r", path, "-c", 1, "-T", "fields", *args, plugin=False)
        name, protocol, info, strings = text.rstrip("\n").split("\t")
        self.assertEqual((name, protocol), ("Podman events", "Podman/JSON"))
        self.assertIn("10.89.0.2/24", strings)
        # 4.0 does not know the tag of the info column and ignores it.
        if version() != "4.0":
            self.assertIn("inventory: 5 containers, 1 pod", info)
        self.assertEqual(self.matching(path, 'json.value.string == "web"', plugin=False), [1])
        self.assertEqual(self.matching(path, "tcp", plugin=False), [3, 5, 7])

    def test_the_plugin_is_loaded_as_ours(self):
        self.assertRegex(self.tshark("-G", "plugins"), r"podshark\.so\s+\d+\.\d+\.\d+\s+dissector")
        self.assertNotIn("podshark", self.tshark("-G", "plugins", plugin=False))
