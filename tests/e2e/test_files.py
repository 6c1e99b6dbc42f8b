# SPDX-License-Identifier: GPL-2.0-or-later
"""Where packets go: files that change, the last minutes, the host's side; and what is said about emptiness and loss."""

import signal
import time

import lib
import lib_pcapng
from lib import RIG, ROOT, Ctr, Net, RigTest, fetch, quick, wait_for
from lib_podshark import PODSHARK, Capture, fields, podshark, wait_rings

CONTAINERS = (
    Ctr("web", ports=("28280:80",)),
    Ctr("db"),
    Ctr("own", user=RIG, ports=("28281:80",)),
    Net("lan", user=RIG),
    Ctr("bridged", user=RIG, network="lan", ports=("28282:80",)),
    Ctr("peer", user=RIG, network="lan", cmd=("sleep", "1000000")),
)


class FilesTest(RigTest):
    def begin(self, *args, user=ROOT):
        """podshark capture in the background; its process and a function that reads its stderr."""
        log = (self.tmp / "stderr").open("w+")
        self.addCleanup(log.close)
        process = self.child(user, [PODSHARK, "capture", *args], stderr=log, cwd=self.tmp)

        def said():
            return (self.tmp / "stderr").read_text()
        return process, said

    def files(self, pattern):
        return sorted(self.tmp.glob(pattern))


@quick
class Changing(FilesTest):
    def test_each_file_stands_alone_and_the_oldest_go(self):
        process, said = self.begin("web", "-w", self.tmp / "x.pcapng", "-b", "packets:5", "-b", "files:3")
        wait_for(lambda: self.files("x_*.pcapng"), "the first file")

        def fifth():
            fetch(28280)
            return [f for f in self.files("x_*.pcapng") if "_00005_" in f.name]
        wait_for(fifth, "the fifth file")
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())
        files = self.files("x_*.pcapng")
        self.assertEqual(3, len(files))
        for path in files:
            done = lib_pcapng.read(path)
            self.assertIn("podman:web/eth0", [i.name for i in done.links])
            self.assertTrue(done.events_of("inventory"), path)
            self.assertTrue([n for names in done.names.values() for n in names if n == "web"], path)
            lib.run(ROOT, ["tshark", "-n", "-r", path])

    def test_a_filesize_and_a_duration(self):
        process, said = self.begin("web", "-w", self.tmp / "y.pcapng", "-b", "filesize:20", "-b", "duration:3600")
        wait_for(lambda: self.files("y_*.pcapng"), "the first file")

        def another():
            fetch(28280)
            return len(self.files("y_*.pcapng")) >= 2
        wait_for(another, "a second file")
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())
        timed, said = self.begin("web", "-w", self.tmp / "z.pcapng", "-b", "duration:1")
        wait_for(lambda: len(self.files("z_*.pcapng")) >= 2, "a file a second")
        self.assertEqual(0, lib.end(timed, signal.SIGINT), said())

    def test_impossible_wishes(self):
        for args, words in ((("-b", "filesize:0"), "filesize:KB"), (("-b", "files:2"), "never changes"),
                            (("--last", "5x"), "5m"), (("--last", "0"), "5m"), (("--save-on", "exit"), "--last"),
                            (("--last", "5m", "-b", "packets:1"), "exclude each other"),
                            (("--last", "5m", "--save-on", "rain"), "exit, loss, probe, end or none")):
            with self.subTest(args):
                done = podshark(ROOT, "capture", "web", "-w", self.tmp / "x", *args, check=False)
                self.assertEqual(2, done.returncode, done.stderr)
                self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
                self.assertIn(words, done.stderr)
        for args in (("-b", "packets:1"), ("--last", "5m", "-q")):
            done = podshark(ROOT, "capture", "web", "-w", self.tmp / "nowhere" / "x", *args, check=False)
            self.assertEqual(9, done.returncode, done.stderr)
            self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        done = podshark(ROOT, "capture", "web", "-w", "-", "-b", "packets:1", check=False)
        self.assertEqual(2, done.returncode)


class LastMinutes(FilesTest):
    def test_a_signal_saves_what_was_and_the_capture_goes_on(self):
        process, said = self.begin("web", "--last", "5m", "-w", self.tmp / "last.pcapng")
        wait_rings(self.up["web"], 2)
        fetch(28280)
        self.save_until(process, said, 1)
        fetch(28280)
        path = self.save_until(process, said, 2)
        done = lib_pcapng.read(path)
        self.assertTrue(done.events_of("inventory"))
        self.assertLessEqual(done.events_of("inventory")[0]["_time_ns"], done.packets[0].time_ns, "its first record is not the newest")
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())
        self.assertEqual([], self.files("last.pcapng"), "nothing under the plain name")

    def test_the_end_saves_what_no_file_has_yet(self):
        """Whoever has seen enough presses Ctrl-C."""
        for args, how in (((), "a signal"), (("-c", "4"), "a count"), (("--save-on", "exit"), "nothing")):
            stem = how.replace(" ", "-")
            process, said = self.begin("web", *args, "--last", "5m", "-w", self.tmp / f"{stem}.pcapng")
            wait_rings(self.up["web"], 2)
            fetch(28280)
            if how == "a count":
                self.assertEqual(0, process.wait(10), said())
            else:
                time.sleep(1)
                self.assertEqual(0, lib.end(process, signal.SIGINT), said())
            saved = self.files(f"{stem}_*.pcapng")
            if how == "nothing":
                self.assertEqual([], saved, "only what was asked for")
                continue
            path, = saved
            self.assertTrue(path.name.endswith("_end.pcapng"), path)
            self.assertTrue(lib_pcapng.read(path).packets)
            self.assertIn(f"saved to {path}", said())

    def test_what_could_not_be_saved_is_told_and_tried_again_at_the_end(self):
        place = self.tmp / "place"
        for there_at_the_end in (True, False):
            place.mkdir(exist_ok=True)
            process, said = self.begin("web", "-q", "--last", "5m", "-w", place / "x.pcapng")
            wait_rings(self.up["web"], 2)
            fetch(28280)
            time.sleep(1)
            place.rename(self.tmp / "elsewhere")
            process.send_signal(signal.SIGUSR1)
            wait_for(lambda: "_signal.pcapng.part' for writing: No such file" in said(), "the failure, although with -q")  # noqa: B023
            if there_at_the_end:
                (self.tmp / "elsewhere").rename(place)
            self.assertEqual(0 if there_at_the_end else 9, lib.end(process, signal.SIGINT), said())
            self.assertEqual(1 if there_at_the_end else 2, len(said().splitlines()), said())
            self.assertEqual(there_at_the_end, bool(self.files("place/x_*_end.pcapng")))

    def test_memory_that_is_too_small_for_the_time_is_told(self):
        self.up["web"].exec("dd", "if=/dev/zero", "of=/www/big", "bs=1M", "count=3")
        process, said = self.begin("web", "--last", "5m", "--last-size", "1", "-w", self.tmp / "cut.pcapng")
        wait_rings(self.up["web"], 2)
        self.up["db"].exec("wget", "-qO", "/dev/null", f"http://{self.up['web'].address}/big")

        def told():
            process.send_signal(signal.SIGUSR1)
            return "of 300 seconds (a larger --last-size keeps more)" in said()
        wait_for(told, f"the line about it: {said()}")
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())

    def save_until(self, process, said, requests):
        """Saves again and again, since a packet may still be in the ring, until the newest file has that many."""
        def enough():
            process.send_signal(signal.SIGUSR1)
            files = self.files("last_*_signal.pcapng")
            if not files:
                return None
            packets = lib_pcapng.read(files[-1]).packets
            return files[-1] if len([p for p in packets if b"GET / HTTP" in p.data]) >= requests else None
        return wait_for(enough, f"a saved file with {requests} requests: {said()}")

    def dying(self):
        """A container that a test may kill."""
        lib.start(Ctr("dying"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "dying", check=False)
        return lib.Up("dying", ROOT)

    def test_a_dying_container_saves(self):
        dying = self.dying()
        process, said = self.begin("dying", "--last", "60s", "-w", self.tmp / "d.pcapng")
        wait_rings(dying, 2)
        self.up["db"].exec("wget", "-qO-", f"http://{dying.address}/")
        lib.podman(ROOT, "kill", "dying")
        path = wait_for(lambda: self.files("d_*_exit.pcapng"), f"the saved file: {said()}")[0]
        done = lib_pcapng.read(path)  # it appears when it is whole
        self.assertTrue([p for p in done.packets if b"GET / HTTP" in p.data])
        self.assertTrue([e for e in done.events if e.get("what") == "exited"])
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())


    def test_the_end_of_a_capture_that_does_not_follow_saves_too(self):
        dying = self.dying()
        process, said = self.begin("dying", "--follow", "false", "--last", "60s", "-w", self.tmp / "e.pcapng")
        wait_rings(dying, 2)
        self.up["db"].exec("wget", "-qO-", f"http://{dying.address}/")
        lib.podman(ROOT, "kill", "dying")
        self.assertEqual(0, process.wait(10), said())
        path, = self.files("e_*_exit.pcapng")
        self.assertTrue([p for p in lib_pcapng.read(path).packets if b"GET / HTTP" in p.data])

    def test_a_reason_to_save_soon_after_another_is_not_forgotten(self):
        dying = self.dying()
        process, said = self.begin("dying", "--last", "60s", "-w", self.tmp / "s.pcapng")
        wait_rings(dying, 2)
        process.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.files("s_*_signal.pcapng"), lambda: f"the first file: {said()}")
        lib.podman(ROOT, "kill", "dying")
        wait_for(lambda: self.files("s_*_exit.pcapng"), lambda: f"the second file: {said()}", 10)
        self.assertEqual(0, lib.end(process, signal.SIGINT), said())


class Points(FilesTest):
    def captured(self, user, name, *args, traffic):
        with Capture(user, name, *args) as capture:
            traffic()
            wait_for(lambda: [p for p in capture.so_far().packets if b"GET / HTTP" in p.data], "the request")
            done = capture.stop()
            times = [p.time_ns for p in done.packets]
            self.assertEqual(sorted(times), times, "in order of time")
            flags = lib.run(ROOT, ["tshark", "-n", "-r", capture.path, "-Y", "tcp.analysis.retransmission"]).stdout
            return done, flags

    def from_db(self):
        self.up["db"].exec("wget", "-qO-", f"http://{self.up['web'].address}/")

    def from_peer(self):
        self.up["peer"].exec("wget", "-qO-", f"http://{self.up['bridged'].address}/")

    def test_the_hosts_end_of_the_link(self):
        done, flags = self.captured(ROOT, "web", "--point", "host", traffic=self.from_db)
        self.assertRegex(done.links[0].name, r"^podman:web/veth\w+@host$")
        self.assertIn("point=host", done.links[0].description)
        self.assertEqual("", flags)

    def test_both_follows_a_published_port_from_the_uplink_into_the_container(self):
        done, flags = self.captured(ROOT, "web", "--point", "both", "-i", "eth0", traffic=lambda: fetch(28280))
        self.assertEqual({"podman:web/eth0", "podman:web/wan0@host"}, {p.interface.name for p in done.packets})
        self.assertEqual("", flags, "the two sides of a DNAT are no retransmission")

    def test_both_without_ports_marks_the_copies_on_the_bridge(self):
        done, _ = self.captured(ROOT, "db", "--point", "both", "-i", "eth0", traffic=self.from_db)
        self.assertEqual({"podman:db/eth0", "podman:db/podman0@host"}, {p.interface.name for p in done.packets})
        for link in done.links:
            self.assertIn("point=host" if "@host" in link.name else "point=inside", link.description)

    def test_a_named_link_on_the_host(self):
        done, _ = self.captured(ROOT, "web", "--point", "host", "-i", "podman0", traffic=self.from_db)
        self.assertEqual(["podman:web/podman0@host"], [i.name for i in done.links])

    def test_rootless_networks_are_seen_without_privilege(self):
        done, flags = self.captured(RIG, "bridged", "--point", "host", traffic=self.from_peer)
        self.assertRegex(done.links[0].name, r"^podman:bridged/veth\w+@rootless-netns$")
        self.assertEqual("", flags)
        done, flags = self.captured(RIG, "net/lan", traffic=self.from_peer)
        self.assertRegex(done.links[0].name, r"^podman:net/lan/podman\w+@rootless-netns$")
        self.assertEqual("", flags)
        done, _ = self.captured(RIG, "bridged", "--point", "both", traffic=self.from_peer)
        self.assertTrue([i for i in done.links if "@rootless-netns" in i.name], [i.name for i in done.links])


class Empty(FilesTest):
    def reason(self, *args, traffic=None):
        with Capture(ROOT, *args) as capture:
            if traffic:
                traffic()
            wait_for(lambda: "no packet yet" in capture.stderr(), "the reason", 30)
            done = capture.stop()
            events = [e["detail"] for e in done.events_of("check") if e["what"] == "empty-capture"]
            self.assertTrue(events)
            return events[0]

    def test_the_filter_matches_nothing(self):
        self.assertIn("the capture filter 'port 1' matched none",
                      self.reason("web", "-i", "eth0", "-f", "port 1", traffic=lambda: fetch(28280)))

    def test_traffic_is_on_another_link(self):
        loop = lambda: self.up["web"].exec("wget", "-qO-", "http://127.0.0.1/")  # noqa: E731
        lib.run(ROOT, ["nsenter", "-t", str(self.up["web"].pid), "-n", "ip", "link", "set", "lo", "up"])
        self.assertRegex(self.reason("web", "-i", "eth0", "-f", "tcp port 80", traffic=loop),
                         r"packets have passed lo .*not among the captured links")

    def test_a_link_that_is_down(self):
        lib.start(Ctr("downed"))
        self.addCleanup(lib.podman, ROOT, "rm", "-f", "-t", "0", "downed")
        lib.run(ROOT, ["nsenter", "-t", str(lib.Up("downed", ROOT).pid), "-n", "ip", "link", "set", "eth0", "down"])
        with Capture(ROOT, "downed") as capture:
            # A link that is down keeps the program idle: it once spun on the socket's error.
            wait_for(lambda: "no packet yet" in capture.stderr() or capture.so_far().packets, "the reason", 30)
            spent = sum(int(x) for x in open(f"/proc/{capture.process.pid}/stat").read().split(") ")[1].split()[11:13])
            self.assertLess(spent, 150, "hundredths of a second of CPU")
            capture.stop()


class Sort(RigTest):
    def test_fields_of_interfaces_are_filterable(self):
        with Capture(ROOT, "web", "--point", "host") as capture:
            self.up["db"].exec("wget", "-qO-", f"http://{self.up['web'].address}/")
            wait_for(lambda: capture.so_far().packets, "packets")
            capture.stop()
            rows = fields(capture.path, "frame.interface_description", display_filter="http.request")
            self.assertIn("point=host", rows[0]["frame.interface_description"])
