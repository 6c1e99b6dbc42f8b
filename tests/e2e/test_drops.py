# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader that does not read costs counted packets, never memory, a stuck process or a silent gap."""

import signal
import subprocess
import threading

import lib
import lib_pcapng
from lib import ROOT, Ctr, RigTest, run, wait_for
from lib_podshark import PODSHARK, resident

CONTAINERS = (Ctr("web"),)
PACKETS, SIZE = 200000, 200


class Drops(RigTest):
    def test_what_a_reader_does_not_take_is_counted(self):
        mac = self.up["web"].mac
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-i", "eth0", "-f", "udp port 9", "--ring-size", "1",
                                  "--queue-size", "1", "--drops=off", "-w", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        stream = [child.stdout.read1(65536)]
        while b"web/eth0" not in b"".join(stream):
            stream.append(child.stdout.read1(65536))
        sent = int(run(ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", mac, PACKETS, SIZE, 100000, 9]).stdout)
        self.assertLess(resident(child.pid), 32 * 1024, "kB with 40 MB of packets on offer, a ring and a queue of 1 MiB each")
        self.assertIsNone(child.poll())
        reader = threading.Thread(target=lambda: stream.append(child.stdout.read()))
        reader.start()
        # Somebody reads again: what was queued comes, and then new packets.
        run(ROOT, [lib.BIN / "tests/tools/packet_sender", "podman0", mac, "10", SIZE, 1000, 9])
        sent += 10
        child.send_signal(signal.SIGINT)
        reader.join(20)
        self.assertEqual(0, child.wait(10))
        done = lib_pcapng.read(b"".join(stream))
        told, = done.all(lib_pcapng.Statistics)
        self.assertGreater(told.dropped, PACKETS // 2)
        self.assertEqual((sent, sent), (told.received, len(done.packets) + told.dropped))
        last, = done.events_of("stats")[-1]["links"]
        self.assertEqual((len(done.packets), told.dropped), (last["received"], last["dropped"]))
        self.assertIn(f"{told.dropped} dropped by the kernel".encode(), child.stderr.read())


class Stamps(RigTest):
    def test_times_have_nanoseconds_and_are_the_kernels(self):
        plain, ours = self.tmp / "truth.pcap", self.tmp / "ours.pcapng"
        web = self.up["web"]
        dump = self.child(ROOT, ["nsenter", "-t", str(web.pid), "-n", "tcpdump", "-i", "eth0", "-U", "-w", plain,
                                 "--time-stamp-precision=nano", "icmp"], stderr=subprocess.DEVNULL)
        child = self.child(ROOT, [PODSHARK, "capture", "web", "-i", "eth0", "-f", "icmp", "-w", ours], stderr=subprocess.DEVNULL)
        wait_for(lambda: plain.exists() and plain.stat().st_size >= 24, "tcpdump to listen")
        wait_for(lambda: ours.exists() and b"web/eth0" in ours.read_bytes(), "ours to listen")
        run(ROOT, ["ping", "-c", "5", "-i", "0.05", web.address])
        wait_for(lambda: len(lib_pcapng.read(ours, partial=True).packets) >= 10, "our packets")
        wait_for(lambda: plain.stat().st_size > 10 * 98, "tcpdump's packets")
        lib.end(child)
        lib.end(dump)
        converted = self.tmp / "truth.pcapng"
        run(ROOT, ["editcap", "-F", "pcapng", plain, converted])
        theirs = {p.data: p.time_ns for p in lib_pcapng.read(converted).packets}
        packets = lib_pcapng.read(ours).packets
        self.assertTrue(any(p.time_ns % 1000 for p in packets))
        for p in packets[:10]:
            self.assertLess(abs(p.time_ns - theirs[p.data]), 10**6)
