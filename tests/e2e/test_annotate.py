# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures that tcpdump took become ours: names for both ends in tshark with the plugin, and the same packets."""

import gzip
import json
import os
import signal
import subprocess
import time

import lib
import lib_pcapng
from lib import RIG, ROOT, Ctr, Net, RigTest, fetch, quick, run, wait_for
from lib_plugin import PluginTest
from lib_podshark import PODSHARK, Capture, podshark, wait_rings

LABEL = "label-value-7f3a"
CONTAINERS = (
    Ctr("web", ports=("28480:80",), options=("--label", f"token={LABEL}")),
    Ctr("peer"),
    Ctr("own", user=RIG, ports=("28481:80",)),
    Net("lan", user=RIG),
    Ctr("bridged", user=RIG, network="lan", options=("--label", f"token={LABEL}")),
    Ctr("asker", user=RIG, network="lan", cmd=("sleep", "1000000")),
)


class AnnotateTest(RigTest, PluginTest):
    """self.dump: tcpdump in a container's netns; self.annotate: podshark annotate."""

    def setUp(self):
        shared = type(self).tmp  # PluginTest's, with the plugin in it
        super().setUp()
        self.work, self.tmp = self.tmp, shared

    def dump(self, container, traffic, *options, link="any", packets=1, path=None):
        """A pcap file that holds at least so many packets of the traffic. For root and everybody."""
        path = path or self.work / "plain.pcap"
        with (self.work / "tcpdump.log").open("w") as log:
            tcpdump = self.child(ROOT, ["nsenter", "-t", str(self.up[container].pid), "-n", "tcpdump", "-i", link, "-U",
                                        "-Z", "root", "-w", path, *options], stderr=log)
            wait_for(lambda: path.exists() and path.stat().st_size >= 24, "tcpdump to listen")
            traffic()
            wait_for(lambda: self.count(path) >= packets, f"{packets} packets in tcpdump's file")
            lib.end(tcpdump)
        path.chmod(0o644)
        return path

    @staticmethod
    def count(path):
        return len(run(ROOT, ["tcpdump", "-n", "-r", path], check=False).stdout.splitlines())

    def annotate(self, user, path, *args, name="out.pcapng", code=0):
        out = self.work / name
        done = podshark(user, "annotate", path, "-o", out, *args, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        self.said = done.stderr
        if out.exists():
            run(ROOT, ["chmod", "0644", out])
        return out

    def pairs(self, path, *filter_):
        """Pairs of names that packets have."""
        rows = self.tshark("-r", path, "-T", "fields", "-E", "separator=,", "-e", "podman.src.name", "-e",
                           "podman.dst.name", *filter_).splitlines()
        return {tuple(row.split(",")) for row in rows}

    def same_packets(self, plain, annotated):
        """Frames, lengths and times as tshark reads them from both files; ours has one more record in front."""
        fields = ("-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len")
        ours = ("-Y", "!(frame.interface_name == \"Podman events\")")  # others may have no name
        was = self.tshark("-r", plain, *fields, plugin=False)
        self.assertTrue(was)
        self.assertEqual(was, self.tshark("-r", annotated, *fields, *ours, plugin=False))
        bare = self.work / "bare.pcapng"
        run(ROOT, ["editcap", "-F", "pcapng", plain, bare])
        self.assertEqual([p.data for p in lib_pcapng.read(bare).packets],
                         [p.data for p in lib_pcapng.read(annotated).packets])

    def stock_reads(self, path):
        done = run(ROOT, ["capinfos", "-M", path])
        self.assertEqual("", done.stderr)
        self.assertIn("pcapng", done.stdout)
        self.tshark("-r", path, "-V", plugin=False)  # fails on anything on stderr

    def ask(self, asker, container):
        address = self.up[container].address
        self.assertIn("hello", self.up[asker].exec("wget", "-qO-", f"http://{address}/").stdout)


class Annotate(AnnotateTest):
    def test_live_names_both_ends_of_a_rootful_capture(self):
        plain = self.dump("web", lambda: self.ask("peer", "web"), link="eth0", packets=6)
        out = self.annotate(ROOT, plain, "--live")
        self.assertIn(" packets, inventory: ", self.said)
        self.assertTrue({("peer", "web"), ("web", "peer")} <= self.pairs(out, "-Y", "tcp"))
        self.same_packets(plain, out)
        self.stock_reads(out)
        ours = lib_pcapng.read(out)
        self.assertEqual([0x0A0D0D0A, 1, 6, 4, 1, 6], [b.type for b in ours.blocks][:6])
        record = ours.events_of("inventory")[0]
        self.assertEqual(ours.packets[0].time_ns, record["_time_ns"])
        self.assertEqual("2", record["taken"][0])
        self.assertNotEqual(record["taken"], record["time"])
        self.assertIn("web", {n for names in ours.names.values() for n in names})

    @quick
    def test_a_saved_inventory_of_an_ordinary_user(self):
        plain = self.dump("bridged", lambda: self.ask("asker", "bridged"), packets=6)  # any: SLL or SLL2
        saved = self.work / "saved.json"
        done = podshark(RIG, "inventory", "-o", saved)
        self.assertEqual(("", ""), (done.stdout, done.stderr))
        self.assertEqual(0o600, saved.stat().st_mode & 0o777)
        self.assertEqual({"bridged", "own"}, {c["name"] for c in json.loads(saved.read_text())["containers"]} &
                         {"bridged", "own"})
        out = self.annotate(RIG, plain, "--inventory", saved)
        self.assertTrue({("asker", "bridged"), ("bridged", "asker")} <= self.pairs(out, "-Y", "tcp"))
        self.same_packets(plain, out)

    def test_the_file_beside_and_gzip(self):
        plain = self.dump("bridged", lambda: self.ask("asker", "bridged"), packets=6, path=self.work / "web.pcap")
        (self.work / "web.podman.json").write_text(podshark(RIG, "inventory").stdout)
        (self.work / "web.podman.json").chmod(0o644)
        packed = self.work / "web.pcap.gz"
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        packed.chmod(0o644)
        first = self.annotate(RIG, plain)
        self.assertIn(("asker", "bridged"), self.pairs(first, "-Y", "tcp"))
        second = self.annotate(RIG, packed, name="second.pcapng")
        self.assertEqual(first.read_bytes(), second.read_bytes())
        self.stock_reads(second)

    @quick
    def test_inside_a_container_loopback_and_helpers_addresses_are_named(self):
        # slirp4netns or pasta: what comes in by the published port is forwarded over loopback or eth0
        plain = self.dump("own", lambda: (fetch(28481), self.up["own"].exec("wget", "-qO-", "http://127.0.0.1/")),
                          packets=10)
        without = self.annotate(RIG, plain, "--live", name="without.pcapng")
        self.assertNotIn(("own", "own"), self.pairs(without, "-Y", "tcp"))
        out = self.annotate(RIG, plain, "--live", "--container", "own")
        self.assertIn(("own", "own"), self.pairs(out, "-Y", "tcp"))
        link = lib_pcapng.read(out).links[0]
        self.assertEqual("podman:own/eth0", link.name)
        self.assertEqual(("own", "inside", "yes", self.up["own"].id[:12]),
                         tuple(link.keys[k] for k in ("container", "point", "rootless", "id")))
        self.assertEqual(self.up["own"].id, link.meta["container_id"])
        self.same_packets(plain, out)

    def test_several_interfaces_and_comments_of_a_pcapng(self):
        plain = self.dump("bridged", lambda: self.ask("asker", "bridged"), link="eth0", packets=6)
        commented = self.work / "commented.pcapng"
        run(ROOT, ["editcap", "-F", "pcapng", "-a", "1:look here", plain, commented])
        both = self.work / "both.pcapng"
        run(ROOT, ["mergecap", "-w", both, commented, plain])
        both.chmod(0o644)
        out = self.annotate(RIG, both, "--live", "--container", "bridged")
        read = lib_pcapng.read(out)
        was = lib_pcapng.read(both)
        self.assertEqual(len(was.interfaces), len(read.links))
        self.assertEqual([p.data for p in was.packets], [p.data for p in read.packets])
        self.assertEqual([p.comments for p in was.packets], [p.comments for p in read.packets])
        self.assertIn(["look here"], [p.comments for p in read.packets])
        self.assertIn(("asker", "bridged"), self.pairs(out, "-Y", "tcp"))
        self.stock_reads(out)

    def test_a_capture_by_podshark_keeps_its_events(self):
        with Capture(RIG, "bridged", "-i", "eth0") as capture:
            self.ask("asker", "bridged")
            capture.wait_packets(6)
            before = capture.stop()
            plain = self.work / "own.pcapng"
            plain.write_bytes(capture.path.read_bytes())
        plain.chmod(0o644)
        out = self.annotate(RIG, plain, "--live")
        after = lib_pcapng.read(out)
        self.assertEqual([i.name for i in before.interfaces], [i.name for i in after.interfaces])
        self.assertEqual(["inventory"] + [e["kind"] for e in before.events], [e["kind"] for e in after.events])
        self.assertEqual([p.data for p in before.packets], [p.data for p in after.packets])
        self.assertIn(("asker", "bridged"), self.pairs(out, "-Y", "tcp"))
        self.stock_reads(out)
        redacted = self.annotate(RIG, plain, "--live", "--redact", name="redacted.pcapng").read_bytes()
        self.assertIn(LABEL.encode(), plain.read_bytes())
        self.assertNotIn(LABEL.encode(), redacted)
        self.assertNotIn(b'"host":', redacted)

    @quick
    def test_redacted_it_holds_no_label_and_no_host_name(self):
        host = "host-name-51c9"  # one that no packet holds by chance

        def on_host(*args):
            words = ["unshare", "--uts", "sh", "-c", f"hostname {host} && exec \"$@\"", "sh", PODSHARK, *args]
            return run(ROOT, words).stdout.encode()
        plain = self.dump("web", lambda: self.ask("peer", "web"), link="eth0", packets=6)
        whole, out = self.work / "whole.pcapng", self.work / "redacted.pcapng"
        on_host("annotate", plain, "-o", whole, "--live")
        self.assertIn(LABEL.encode(), whole.read_bytes())
        self.assertIn(f'"host":"{host}"'.encode(), whole.read_bytes())
        on_host("annotate", plain, "-o", out, "--live", "--redact", "--container", "web")
        again = self.work / "again.pcapng"  # what is in a file already
        on_host("annotate", whole, "-o", again, "--live", "--redact")
        for data in (out.read_bytes(), again.read_bytes(), on_host("inventory", "--redact")):
            self.assertIn(b"web", data)
            for secret in (LABEL, "token", '"host":', host, "/run/netns"):
                self.assertNotIn(secret.encode(), data)
        out.chmod(0o644)
        self.assertIn(("peer", "web"), self.pairs(out, "-Y", "tcp"))

    def test_a_pipe_is_annotated_live(self):
        pid = str(self.up["web"].pid)
        tcpdump = self.child(ROOT, ["nsenter", "-t", pid, "-n", "tcpdump", "-i", "eth0", "-U", "-w", "-"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        out = self.work / "live.pcapng"
        with out.open("wb") as file:
            cat = self.child(ROOT, ["cat"], stdin=subprocess.PIPE, stdout=file)
            ours = self.child(ROOT, [PODSHARK, "annotate", "-", "-o", "-", "--live", "-q"], stdin=tcpdump.stdout,
                              stdout=cat.stdin)
            cat.stdin.close()

            def packets():
                self.ask("peer", "web")
                return out.stat().st_size >= 28 and len(lib_pcapng.read(out, partial=True).packets) >= 6
            wait_for(packets, "packets while tcpdump runs")
            lib.end(tcpdump)
            self.assertEqual(0, ours.wait(20))
            self.assertEqual(0, cat.wait(20))
        self.assertGreaterEqual(len(lib_pcapng.read(out).packets), 6)

    def test_what_a_pipe_brings_is_in_the_file_when_it_is_interrupted(self):
        """Ctrl-C: both ends of the pipe get the signal, or only ours does."""
        enter = ["nsenter", "-t", str(self.up["web"].pid), "-n", "tcpdump", "-i", "eth0", "-w", "-"]
        for what in ("both", "ours"):
            with self.subTest(what):
                out = self.work / f"{what}.pcapng"
                tcpdump = self.child(ROOT, [*enter, *(["-U"] if what == "ours" else [])], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
                ours = self.child(ROOT, [PODSHARK, "annotate", "-", "-o", out, "--live"], stdin=tcpdump.stdout,
                                  stderr=subprocess.PIPE, text=True)
                tcpdump.stdout.close()
                wait_rings(self.up["web"], 1)
                self.ask("peer", "web")
                if what == "ours":
                    wait_for(lambda: out.exists() and out.stat().st_size and lib_pcapng.read(out, partial=True).packets,
                             "packets in the file meanwhile")
                else:
                    time.sleep(2)  # tcpdump looks once a second, and holds what it has seen
                for child in (tcpdump, ours) if what == "both" else (ours,):
                    child.send_signal(signal.SIGINT)
                _, said = ours.communicate(timeout=10)
                self.assertEqual(0, ours.returncode, said)
                self.assertRegex(said, r"^\d+ packets, ")
                self.assertGreaterEqual(len(lib_pcapng.read(out).packets), 6)

    def test_a_reader_that_stands_still_does_not_keep_it(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        path = self.dump("web", lambda: self.ask("peer", "web"), packets=6)
        packets = path.read_bytes()
        path.write_bytes(packets + packets[24:] * (4_000_000 // len(packets)))  # more than pipes and we hold
        cat = self.child(ROOT, ["cat", path], stdout=subprocess.PIPE)
        ours = self.child(ROOT, [PODSHARK, "annotate", "-", "-o", "-", "--live", "-q"], stdin=cat.stdout, stdout=writing)
        os.close(writing)
        cat.stdout.close()
        with open(reading, "rb", buffering=0, closefd=False) as pipe:
            wait_for(lambda: pipe.read(1), "the first bytes")
        ours.send_signal(signal.SIGINT)
        self.assertEqual(0, ours.wait(10))


class Refused(AnnotateTest):
    @quick
    def test_each_failure_is_one_line_with_its_own_code(self):
        plain = self.dump("bridged", lambda: self.ask("asker", "bridged"), link="eth0", packets=6)
        cases = (
            (2, (plain, "-o", "x"), ("--live", "--inventory FILE", "podshark inventory", "plain.podman.json")),
            (2, ("-", "-o", "x"), ("--live", "--inventory FILE", "beside the capture")),
            (2, (plain, "--live"), ("-o is missing",)),
            (2, ("-o", "x", "--live"), ("annotate which capture?",)),
            (2, (plain, "-o", "x", "--live", "--inventory", "y"), ("exclude each other",)),
            (2, (plain, "-o", "x", "--inventory", "/no/such"), ("/no/such", "No such file")),
            (2, (plain, "-o", "x", "--inventory", plain), ("not a podshark inventory",)),
            (2, ("/no/such", "-o", "x", "--live"), ("/no/such", "No such file")),
            (2, ("/etc/passwd", "-o", "x", "--live"), ("is no capture file", "pcapng")),
            (2, ("/dev/null", "-o", "x", "--live"), ("is no capture file", "too short")),
            (3, (plain, "-o", "x", "--live", "--container", "nope"), ("'nope'",)),
            (2, (plain, "-o", "x", "--live", "--container", "*"), ("is not one container",)),
            (9, (plain, "-o", "/no/such/x", "--live"), ("/no/such/x",)),
        )
        for code, args, words in cases:
            with self.subTest(args=args):
                done = podshark(RIG, "annotate", *args, check=False, cwd=self.work)
                self.assertEqual(code, done.returncode, done.stderr)
                self.assertEqual(1, len(done.stderr.strip().splitlines()), done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)
                self.assertFalse((self.work / "x").exists())
        done = podshark(RIG, "inventory", "-o", "/no/such/x", check=False)
        self.assertEqual(9, done.returncode, done.stderr)

    def test_a_capture_that_ends_in_the_middle(self):
        plain = self.dump("bridged", lambda: self.ask("asker", "bridged"), link="eth0", packets=6)
        cut = self.work / "cut.pcap"
        cut.write_bytes(plain.read_bytes()[:-5])
        cut.chmod(0o644)
        out = self.annotate(RIG, cut, "--live", code=11)
        self.assertRegex(self.said, r"'.*cut\.pcap' ends in the middle of a packet at byte \d+ \(what was read before")
        self.assertEqual(self.count(plain) - 1, len(lib_pcapng.read(out).packets))
        self.stock_reads(out)
        self.assertIn(("asker", "bridged"), self.pairs(out, "-Y", "tcp"))
