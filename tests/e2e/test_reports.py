# SPDX-License-Identifier: GPL-2.0-or-later
"""What probes, checks and the firewall do during a capture stands in it, beside the packets."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import lib
import lib_pcapng
import lib_podshark
from lib import RIG, ROOT, Ctr, Net, quick, run, wait_for
from lib_check import CheckTest
from lib_podshark import PODSHARK, Capture

CONTAINERS = (
    Net("lan"),
    Ctr("web", network="lan", ports=("8080:80",)),
    Ctr("db", network="lan", cmd=("sleep", "1000000")),
    Net("rlan", user=RIG),
    Ctr("left", user=RIG, network="rlan", ports=("18080:80",)),
    Ctr("right", user=RIG, network="rlan", cmd=("sleep", "1000000")),
)
UNREACHED, FOUND = 12, 13


def told(capture, kind, what=None):
    """Event records of a running capture."""
    now = capture.so_far()
    return [e for e in (now.events_of(kind) if now else []) if what is None or e["what"] == what]


class ReportsTest(CheckTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plugins = pathlib.Path(tempfile.mkdtemp(prefix="plugins-"))
        cls.addClassCleanup(shutil.rmtree, cls.plugins)
        cls.plugins.chmod(0o755)
        text = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout
        folder = cls.plugins / re.search(r"(\d+\.\d+)\.", text)[1] / "epan"
        folder.mkdir(parents=True)
        shutil.copy(lib.BIN / "plugin/podshark.so", folder / "podshark.so")

    def read(self, path, display_filter, *names):
        """[{name: value}] of a file's packets that match, as an ordinary user's tshark with the plugin sees them."""
        copy = self.plugins / "read.pcapng"
        shutil.copy(path, copy)
        copy.chmod(0o644)
        args = [a for name in names for a in ("-e", name)]
        done = run(RIG, ["tshark", "-n", "-r", copy, "-Y", display_filter, "-T", "fields", "-E", "occurrence=a", *args],
                   env={"WIRESHARK_PLUGIN_DIR": str(self.plugins)})
        return [dict(zip(names, line.split("\t"))) for line in done.stdout.splitlines()]

    def probe(self, user, *args, code=0):
        done = run(user, [PODSHARK, "probe", "--json", *args], check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def probed(self, capture, what="ended"):
        return wait_for(lambda: told(capture, "probe", what), f"the record '{what}' of the probe")[0]

    def of_probe(self, capture, probe, *names):
        """Packets of a finished file that bear the probe's id."""
        return self.read(capture.path, f'podman.probe.id == "{probe}" && !podman.event.kind', *names)


class Probes(ReportsTest):
    @quick
    def test_a_probe_is_recorded_and_its_packets_bear_its_id(self):
        with Capture(ROOT, "web") as capture:
            got = self.probe(ROOT, "--from", "db", "web:80")
            ended = self.probed(capture)
            self.assertEqual((got["id"], "ok", "web"), (ended["id"], ended["verdict"], ended["container"]))
            run(ROOT, ["podman", "exec", "db", "wget", "-qO-", f"http://{self.up['web'].address}/"])
            wait_for(lambda: any(b"GET / HTTP" in p.data for p in capture.so_far().packets), "another's request")
            capture.stop()
            packets = self.of_probe(capture, got["id"], "tcp.port", "frame.number")
            self.assertGreaterEqual(len(packets), 3, "the handshake at least")
            for packet in packets:
                self.assertIn(str(got["local_port"]), packet["tcp.port"].split(","))
            others = self.read(capture.path, "tcp && !podman.probe.id", "tcp.port")
            self.assertTrue(others, "wget's packets are no probe's")
            self.assertNotIn(str(got["local_port"]), ",".join(p["tcp.port"] for p in others).split(","))

    def test_the_first_record_stands_before_the_first_packet(self):
        with Capture(ROOT, "web") as capture:
            got = self.probe(ROOT, "--from", "db", "web:80")
            self.probed(capture)
            done = capture.stop()
            started = [e for e in done.events_of("probe") if e["what"] == "started"]
            self.assertEqual([got["id"]], [e["id"] for e in started])
            times = [p.time_ns for p in done.all(lib_pcapng.Packet)]
            self.assertEqual(sorted(times), times, "records are in order of time")

    def test_through_a_published_port_the_packets_inside_are_its_too(self):
        with Capture(ROOT, "web") as capture:
            got = self.probe(ROOT, "web:80", "--published")
            self.probed(capture)
            capture.stop()
            packets = self.of_probe(capture, got["id"], "tcp.dstport")
            self.assertIn("80", [p["tcp.dstport"] for p in packets])

    def test_the_probe_of_a_trace_too(self):
        with Capture(ROOT, "web") as capture:
            done = run(ROOT, [PODSHARK, "trace", "--yes", "--json", "--from", "db", "web:80"])
            probe = json.loads(done.stdout)["probe"]
            self.assertEqual("ok", self.probed(capture)["verdict"])
            capture.stop()
            self.assertTrue(self.of_probe(capture, probe["id"], "frame.number"))

    def test_rootless_as_its_user(self):
        with Capture(RIG, "left") as capture:
            got = self.probe(RIG, "--from", "right", "left:80")
            self.assertEqual("ok", self.probed(capture)["verdict"])
            capture.stop()
            self.assertTrue(self.of_probe(capture, got["id"], "frame.number"))

    def test_pings_are_its_only_until_it_ends(self):
        address = self.up["web"].address
        with Capture(ROOT, "web") as capture:
            got = self.probe(ROOT, "--from", "db", "web/icmp")
            self.probed(capture)
            self.up["db"].enter("ping", "-c", "1", address)
            wait_for(lambda: len([p for p in capture.so_far().packets if p.data[23:24] == b"\x01"]) >= 4, "both pings")
            capture.stop()
            of_probe = self.of_probe(capture, got["id"], "icmp.type")
            self.assertEqual(["8", "0"], [p["icmp.type"] for p in of_probe])

    def test_a_failed_probe_saves_the_last_minutes(self):
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        capture = self.child(ROOT, [PODSHARK, "capture", "web", "--last", "5m", "--save-on", "probe", "-w",
                                    folder / "out.pcapng"])
        wait_for(lambda: lib_podshark.inboxes(ROOT), "the capture to listen")
        self.probe(ROOT, "--from", "db", "web:80")
        self.probe(ROOT, "--from", "db", "web:81", code=UNREACHED)
        saved = wait_for(lambda: list(folder.glob("*.pcapng")), "the saved history")
        self.assertIn("probe", saved[0].name)
        events = lib_pcapng.read(saved[0]).events_of("probe")
        self.assertEqual(["ok", "failed"], [e["verdict"] for e in events if e["what"] == "ended"])
        self.assertEqual(0, lib.end(capture))
        self.assertEqual(1, len(list(folder.glob("*.pcapng"))), "a probe that works saves nothing")


class Checks(ReportsTest):
    def test_findings_are_recorded_with_their_fix(self):
        with Capture(ROOT, "web") as capture:
            done = run(ROOT, [PODSHARK, "check", "web:81"], check=False)
            self.assertEqual(FOUND, done.returncode, done.stdout)
            finding = wait_for(lambda: told(capture, "check", "app.not-listening"), "the finding")[0]
            self.assertEqual(("web", "warning"), (finding["container"], finding["verdict"]))
            self.assertTrue(finding["fix"])
            run(ROOT, [PODSHARK, "check", "web:80"])
            sums = wait_for(lambda: (s := told(capture, "check", "checked")) and len(s) == 2 and s, "both summaries")
            self.assertEqual(["failed", "ok"], [e["verdict"] for e in sums])
            self.assertEqual(sums[0]["id"], finding["id"], "one run, one id")
            capture.stop()

    def test_a_killed_capture_disturbs_nobody(self):
        with Capture(ROOT, "web") as capture:
            wait_for(lambda: lib_podshark.inboxes(ROOT), "the capture to listen")
            lib.end(capture.process, 9)
            self.assertTrue(lib_podshark.inboxes(ROOT), "its socket is left")
            run(ROOT, [PODSHARK, "check", "web:80"])
            self.assertFalse(lib_podshark.inboxes(ROOT), "the next report takes it away")


class Firewall(ReportsTest):
    def watching(self, user, name):
        """A capture whose watcher of rules has read them once."""
        capture = self.enterContext(Capture(user, name))
        wait_for(lambda: self.watchers(capture), "the watcher of rules")
        return capture

    @staticmethod
    def watchers(capture):
        """Notice processes: a watcher's own children, which it starts before it reads the rules."""
        def children(pid):
            return [int(c) for t in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for c in t.read_text().split()]
        return [n for c in children(capture.process.pid) if b"--watch" in pathlib.Path(f"/proc/{c}/cmdline").read_bytes()
                for n in children(c)]

    def change(self, capture, what):
        return wait_for(lambda: told(capture, "firewall", what), f"the record '{what}'")[-1]

    def drop_web(self):
        run(ROOT, ["nft", "add", "table", "inet", "stranger"])
        self.addCleanup(run, ROOT, ["nft", "delete", "table", "inet", "stranger"], check=False)
        run(ROOT, ["nft", "add", "chain", "inet", "stranger", "f",
                   "{ type filter hook forward priority 10 ; policy accept ; }"])
        run(ROOT, ["nft", "add", "rule", "inet", "stranger", "f", "tcp", "dport", "80", "counter", "drop"])

    def test_a_rule_that_comes_and_goes_rootful(self):
        capture = self.watching(ROOT, "web")
        self.settle()
        self.drop_web()
        blocked = self.change(capture, "blocked")
        self.assertEqual(("web", "failed"), (blocked["container"], blocked["verdict"]))
        self.assertIn("table inet stranger chain f (hook forward, priority 10): tcp dport 80", blocked["detail"])
        run(ROOT, ["nft", "delete", "table", "inet", "stranger"])
        self.assertEqual("ok", self.change(capture, "unblocked")["verdict"])
        capture.stop()

    def test_a_lost_port_and_its_return(self):
        capture = self.watching(ROOT, "web")
        self.settle()
        self.addCleanup(run, ROOT, ["podman", "network", "reload", "web"])
        if lib.WORLD == "deb12":
            run(ROOT, ["iptables", "-t", "nat", "-F", "NETAVARK-HOSTPORT-DNAT"])
        else:
            run(ROOT, ["nft", "flush", "chain", "inet", "netavark", "NETAVARK-HOSTPORT-DNAT"])
        gone = self.change(capture, "translation-vanished")
        self.assertIn("tcp port 8080: DNAT to", gone["detail"])
        self.assertIn("vanished", gone["detail"])
        run(ROOT, ["podman", "network", "reload", "web"])
        self.change(capture, "translation-appeared")
        capture.stop()

    def test_starting_and_stopping_others_is_no_change(self):
        capture = self.watching(ROOT, "web")
        self.settle()
        lib.start(Ctr("brief", network="lan", ports=("8099:80",)))
        lib.podman(ROOT, "rm", "-f", "-t", "0", "brief")
        self.drop_web()
        self.change(capture, "blocked")
        done = capture.stop()
        self.assertEqual(["blocked"], sorted({e["what"] for e in done.events_of("firewall")}))

    def test_rootless_as_its_user(self):
        capture = self.watching(RIG, "left")
        self.settle()
        run(RIG, ["podman", "unshare", "--rootless-netns", "/usr/sbin/nft",
                  "add table inet stranger; add chain inet stranger f { type filter hook forward priority 10; }; "
                  "add rule inet stranger f ip saddr " + self.up["left"].address + " drop"])
        self.addCleanup(run, RIG, ["podman", "unshare", "--rootless-netns", "/usr/sbin/nft", "delete", "table", "inet", "stranger"])
        self.assertIn("ip saddr", self.change(capture, "blocked")["detail"])
        capture.stop()

    def test_on_the_command_line(self):
        watch = self.child(ROOT, [PODSHARK, "check", "--watch"], stdout=-1, text=True)
        self.settle()
        self.drop_web()
        line = watch.stdout.readline()
        self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{3}  container web: .*: now drop by table inet stranger")
        self.assertEqual(0, lib.end(watch))

    def test_who_may_see_no_rules_is_told(self):
        done = run(lib.MEMBER, [PODSHARK, "check", "--watch"], check=False)
        self.assertEqual((5, ""), (done.returncode, done.stdout), done.stderr)
        self.assertIn("run podshark with sudo", done.stderr)

    @staticmethod
    def settle():
        """The first reading of rules follows the start of their watcher within a second or two."""
        time.sleep(2)
