# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark probe and listen against containers whose reachability is known."""

import json
import pathlib
import re
import shlex
import signal
import socket
import struct
import subprocess

import lib
import lib_podshark
from lib import MEMBER, RIG, ROOT, Ctr, Net, Pod, RigTest, client, quick, run, wait_for
from lib_podshark import INSTALLED_WORKER, PODSHARK, PREFIX, podshark

IDLE = ("sleep", "1000000")
CONTAINERS = (
    Net("lan"),
    Ctr("web", network="lan", ports=("8080:80", "8081:81")),
    Ctr("db", network="lan", ports=("8090:9000", "8091:9001/udp"), cmd=IDLE),
    Ctr("inner", ports=("8082:80",), cmd=("httpd", "-f", "-p", "127.0.0.1:80", "-h", "/www")),
    Net("rlan", user=RIG),
    Ctr("left", user=RIG, network="rlan", ports=("18080:80", "18090:9000"), options=("--network-alias", "alias")),
    Ctr("right", user=RIG, network="rlan", cmd=IDLE),
    Ctr("own", user=RIG, ports=("18081:80", "18082:81")),
    Pod("shop", user=RIG, members=("front", "back")),
)
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
UNREACHED, NOT_MEASURED = 12, 7


def flush_port_rules():
    if lib.WORLD == "deb12":  # its netavark speaks iptables
        run(ROOT, ["iptables", "-t", "nat", "-F"])
    else:
        run(ROOT, ["nft", "delete", "table", "inet", "netavark"])


class ProbeTest(RigTest):
    def probe(self, user, *args, code=0, program=PODSHARK):
        """The one result of `podshark probe --json`, whose exit code is checked."""
        done = run(user, [program, "probe", "--json", *args], check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(1, len(results), done.stdout)
        return results[0]

    def outcome(self, user, *args, outcome, words="", code=UNREACHED):
        got = self.probe(user, *args, code=code)
        self.assertEqual(outcome, got["outcome"], got)
        self.assertIn(words, " ".join([got["reason"], *got["evidence"], got["hint"]]), got)
        return got

    def fails(self, *args, code, words, user=ROOT, program=PODSHARK):
        done = run(user, [program, *args], check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        self.assertEqual("", done.stdout)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Rootful(ProbeTest):
    @quick
    def test_what_works_is_reached(self):
        web = self.up["web"].address
        got = self.probe(ROOT, "web:80")
        self.assertEqual(("ok", web, 80), (got["outcome"], got["address"], got["port"]))
        self.assertEqual("reached the application", got["reason"])
        self.assertTrue(got["local_port"])
        got = self.probe(ROOT, "--from", "db", "web:80")
        self.assertEqual(("db", "ok", self.up["db"].address), (got["from"], got["outcome"], got["local_address"]))
        for args in (("web:80", "--published"), ("web:8080", "--published"), ("host:8080",), (f"{lib.HOST}:8080",)):
            with self.subTest(args):
                got = self.probe(ROOT, *args)
                self.assertEqual(("ok", "web", 80, 8080),
                                 (got["outcome"], got["container"], got["container_port"], got["port"]), got)
                self.assertIn("from outside: not measured", " ".join(got["notes"]))
        self.probe(ROOT, "--from", "db", "host:8080")
        self.probe(ROOT, "--from", "web", "127.0.0.1:80")

    def test_the_applications_faults(self):
        self.outcome(ROOT, "web:81", outcome="refused", words="it listens on 80")
        self.outcome(ROOT, "host:8081", outcome="refused", words="nothing listens on port 81 inside 'web'")
        self.outcome(ROOT, "inner:80", outcome="refused", words="loopback address only")
        self.outcome(ROOT, "host:8082", outcome="refused", words="loopback address only")
        self.outcome(ROOT, "--from", "inner", "127.0.0.1:80", outcome="ok", code=0)

    @quick
    def test_missing_port_rules_are_seen_behind_a_connection_that_succeeds(self):
        self.addCleanup(run, ROOT, ["podman", "network", "reload", "-a"])
        flush_port_rules()
        for target in ("127.0.0.1:8080", f"{lib.HOST}:8080"):
            got = self.outcome(ROOT, target, outcome="silent", words="DNAT is missing")
            self.assertTrue(got["connected"])
            self.assertIn("conmon", " ".join(got["evidence"]))
        self.outcome(ROOT, "web:80", outcome="ok", code=0)
        run(ROOT, shlex.split(got["hint"]))  # what it says helps
        self.outcome(ROOT, "host:8080", outcome="ok", code=0)

    def test_what_leads_to_another_container_has_not_reached_this_one(self):
        web, db = self.up["web"].address, self.up["db"].address
        run(ROOT, ["nft", "add table ip probe; add chain ip probe o { type nat hook output priority -150; };"
                   f"add rule ip probe o tcp dport 8090 dnat to {web}:80;"
                   f"add rule ip probe o ip daddr {db} tcp dport 9000 dnat to {web}:80"])
        self.addCleanup(run, ROOT, ["nft", "delete table ip probe"])
        for target in (f"{lib.HOST}:8090", "db:9000"):
            with self.subTest(target):
                got = self.outcome(ROOT, target, outcome="silent", words="nothing listens on port 9000")
                self.assertEqual("connected, but not to 'db'", got["reason"])
        self.outcome(ROOT, "web:80", outcome="ok", code=0)

    def test_a_forward_drop_is_not_seen_from_the_host(self):
        run(ROOT, ["nft", "add table inet probe; add chain inet probe f "
                   "{ type filter hook forward priority 10; policy drop; }"])
        self.addCleanup(run, ROOT, ["nft", "delete table inet probe"])
        got = self.outcome(ROOT, "host:8080", outcome="ok", code=0)
        self.assertIn("from outside: not measured", " ".join(got["notes"]))
        self.outcome(ROOT, "--from", "db", "--timeout", "1", f"{lib.CLIENT}:81", outcome="filtered")

    def test_outside(self):
        client(["nft", "add table inet probe; add chain inet probe i { type filter hook input priority 0; };"
                "add rule inet probe i tcp dport 81 reject with icmp type admin-prohibited;"
                "add rule inet probe i tcp dport 82 drop"])
        self.addCleanup(client, ["nft", "delete table inet probe"])
        for start in ("host", "db"):
            with self.subTest(start):
                self.outcome(ROOT, "--from", start, f"{lib.CLIENT}:80", outcome="refused")
                got = self.outcome(ROOT, "--from", start, f"{lib.CLIENT}:81", outcome="unreachable",
                                   words="a firewall rejects it")
                self.assertEqual((lib.CLIENT, 3, 13), tuple(got["icmp"][k] for k in ("from", "type", "code")))
                self.outcome(ROOT, "--from", start, "--timeout", "1", f"{lib.CLIENT}:82", outcome="filtered",
                             words="no answer within 1 s")
        self.up["inner"].enter("ip", "route", "del", "default")
        self.addCleanup(run, ROOT, ["podman", "network", "reload", "inner"])
        self.outcome(ROOT, "--from", "inner", f"{lib.CLIENT}:80", outcome="unreachable", words="no route")

    def test_ping_and_path_mtu(self):
        self.assertEqual("ok", self.probe(ROOT, "web/icmp")["outcome"])
        self.assertEqual("ok", self.probe(ROOT, "--from", "db", "web/icmp")["outcome"])
        mtu = json.loads(self.up["web"].enter("ip", "-j", "link", "show", "eth0").stdout)[0]["mtu"]
        self.assertEqual(mtu, self.probe(ROOT, "web/mtu")["mtu"])

    def test_an_ordinary_user_probes_a_rootful_container_from_the_host(self):
        self.outcome(RIG, "web:80", outcome="ok", code=0)
        self.outcome(RIG, "web:81", outcome="refused", words="nothing listens")
        self.addCleanup(run, ROOT, ["podman", "network", "reload", "-a"])
        flush_port_rules()
        self.outcome(RIG, "host:8080", outcome="silent")


class Rootless(ProbeTest):
    @quick
    def test_what_works_is_reached(self):
        got = self.probe(RIG, "left:80")
        self.assertEqual(("ok", True, 18080), (got["outcome"], got["published"], got["port"]), got)
        self.assertIn("cannot be reached from the host", got["notes"][0])
        got = self.probe(RIG, "--from", "right", "left:80")
        self.assertEqual(("ok", False, self.up["left"].address), (got["outcome"], got["published"], got["address"]))
        self.assertEqual("ok", self.probe(RIG, "own:80")["outcome"])
        self.assertEqual("ok", self.probe(RIG, "--from", "own", "own:80")["outcome"])
        self.assertEqual("ok", self.probe(RIG, "--from", "right", "left/icmp")["outcome"])

    def test_a_forwarder_without_application_closes_at_once(self):
        for target, port in (("left:9000", 9000), ("own:81", 81)):
            with self.subTest(target):
                self.outcome(RIG, target, outcome="closed", words=f"nothing listens on port {port} inside")
        self.outcome(RIG, "--from", "right", "left:81", outcome="refused", words="it listens on 80")

    def test_a_dead_forwarder_is_refused(self):
        lib.start(Ctr("dead", user=RIG, ports=("18083:80",)))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "dead")
        self.outcome(RIG, "dead:80", outcome="ok", code=0)
        listening = run(ROOT, ["ss", "-Hltnp", "sport = :18083"]).stdout
        for pid in set(re.findall(r"pid=(\d+)", listening)):
            run(ROOT, ["kill", "-9", pid])
        wait_for(lambda: not run(ROOT, ["ss", "-Hltn", "sport = :18083"]).stdout, "the port to close")
        self.outcome(RIG, "dead:80", outcome="refused", words="its forwarder has died")

    def test_names(self):
        left = self.up["left"].address
        got = self.probe(RIG, "--from", "right", "left/dns")
        self.assertEqual(("ok", [left]), (got["outcome"], got["dns"]["addresses"]))
        self.outcome(RIG, "--from", "right", "--timeout", "1", "nobody-here/dns", outcome="no_name", words="no such name")
        got = self.probe(RIG, "--from", "right", "alias:80")  # no container's name: looked up
        self.assertEqual(("ok", left, "left"), (got["outcome"], got["address"], got["container"]))
        self.fails("probe", "--from", "right", "--timeout", "1", "nobody-here:80", user=RIG, code=3, words=("no container or pod", "unknown"))

    def test_two_default_containers_have_no_way_to_each_other(self):
        self.fails("probe", "--from", "right", "own/icmp", user=RIG, code=NOT_MEASURED, words=("means nothing outside of it",))


class Listen(ProbeTest):
    def listener(self, user, *args):
        child = self.child(user, [PODSHARK, "listen", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("waiting on", child.stderr.readline())
        return child

    @quick
    def test_the_source_address_is_told(self):
        got = self.probe(ROOT, "--from", "web", "db:9000", "--listen")
        self.assertEqual("reached the listener", got["reason"])
        self.assertEqual((self.up["web"].address, ""),
                         (got["listener"]["source_address"], got["listener"]["translation"]))
        got = self.probe(ROOT, "db:9000", "--published", "--listen")
        self.assertIn("masqueraded as the gateway", got["listener"]["translation"])

    def test_a_rootless_forwarder_replaces_the_address(self):
        lib.start(Ctr("sink", user=RIG, network="rlan", ports=("18084:9000", "18085:9001/udp"), cmd=IDLE))
        self.addCleanup(lib.podman, RIG, "rm", "-f", "-t", "0", "sink")
        for target in ("sink:9000", "sink:9001/udp"):
            got = self.probe(RIG, target, "--listen")
            self.assertEqual("reached the listener", got["reason"], got)
            self.assertIn("passed on by a process in its namespace", got["listener"]["translation"])

    def test_udp(self):
        for args in (("db:9001/udp",), ("db:9001/udp", "--published"), ("--from", "web", "db:9001/udp")):
            with self.subTest(args):
                self.assertEqual("reached the listener", self.probe(ROOT, *args, "--listen")["reason"])
                self.outcome(ROOT, *args, outcome="refused", words="nothing listens on port 9001")
        self.addCleanup(run, ROOT, ["podman", "network", "reload", "-a"])
        flush_port_rules()
        got = self.probe(ROOT, "db:9001/udp", "--published", "--listen", "--timeout", "1", code=UNREACHED)
        self.assertFalse(got["listener"]["arrived"])

    def test_standing_alone_it_prints_who_came(self):
        child = self.listener(ROOT, "db:9002", "--count", "2")
        self.assertEqual("ok", self.probe(ROOT, "db:9002")["outcome"])
        self.assertEqual("ok", self.probe(ROOT, "--from", "web", "db:9002")["outcome"])
        out, _ = child.communicate(timeout=20)
        self.assertEqual(0, child.returncode)
        self.assertIn("the gateway of network 'lan'", out.splitlines()[0])
        self.assertIn("container 'web'", out.splitlines()[1])
        child = self.listener(RIG, "right:9002/udp", "--json", "--count", "1")
        self.assertEqual("ok", self.probe(RIG, "--from", "left", "right:9002/udp")["outcome"])
        out, _ = child.communicate(timeout=20)
        self.assertEqual(("arrival", self.up["left"].address, "container 'left'"),
                         tuple(json.loads(out)[k] for k in ("kind", "source_address", "source")))

    def test_its_end(self):
        child = self.listener(ROOT, "db:9003")
        self.assertEqual(0, lib.end(child, signal.SIGINT))
        done = podshark(ROOT, "listen", "db:9003", "--timeout", "0.2", check=False)
        self.assertEqual((UNREACHED, ""), (done.returncode, done.stdout))
        self.fails("listen", "web:80", code=2, words=("port 80/tcp on 'web' is taken",))
        self.fails("probe", "web:80", "--listen", code=2, words=("is taken",))


class Series(ProbeTest):
    def test_count_and_summary(self):
        lines = podshark(ROOT, "probe", "web:80", "--count", "3", "--interval", "0.1").stdout.splitlines()
        self.assertRegex(lines[0], r"web:80/tcp from host: ok: reached the application")
        self.assertRegex(lines[-1], r"^web:80/tcp from host: 3 sent, 3 ok, 0 failed, .* ms min/avg/max$")

    def test_failures_are_told_when_they_begin_and_end_also_over_a_restart(self):
        path = self.tmp / "out"
        with path.open("wb") as out:
            child = self.child(ROOT, [PODSHARK, "probe", "web:80", "--interval", "0.2", "--timeout", "1"], stdout=out)
            wait_for(lambda: "ok: reached" in path.read_text(), "the first success")
            lib.podman(ROOT, "stop", "-t", "0", "web")
            wait_for(lambda: path.read_text().count(" web:80/tcp from host: ") >= 2, "the failure")
            lib.podman(ROOT, "start", "web")
            wait_for(lambda: re.search(r"ok: .*, after [\d.]+ s", path.read_text()), "the return")
            self.assertEqual(UNREACHED, lib.end(child, signal.SIGINT))
        self.assertRegex(path.read_text().splitlines()[-1], r"[1-9]\d* failed, .*longest failure")

    def test_all_ports(self):
        done = podshark(ROOT, "probe", "web", "--all-ports", check=False)
        self.assertEqual(UNREACHED, done.returncode, done.stderr)
        results = [line.split(" from ")[0] + line.partition("host: ")[2].partition(":")[0]
                   for line in done.stdout.splitlines() if not line.startswith(" ")]
        self.assertEqual(["host:8080/tcpok", "host:8081/tcprefused", "web:80/tcpok"], sorted(results))

    def test_mesh(self):
        done = podshark(ROOT, "probe", "--mesh", "net/lan")
        self.assertRegex(done.stdout, r"(?m)^FROM +web:80/tcp$")
        self.assertRegex(done.stdout, r"(?m)^db +[\d.]+ ms$")
        done = podshark(RIG, "probe", "--mesh", "pod/shop")
        self.assertRegex(done.stdout, r"(?m)^back +[\d.]+ ms$")
        done = podshark(RIG, "probe", "--mesh", "net/rlan", "--json")
        got = json.loads(done.stdout)
        self.assertEqual(("right", "left:80/tcp", "ok"), (got["from"], got["target"], got["outcome"]))


class Errors(ProbeTest):
    def test_bad_input_is_one_line(self):
        for args, code, word in (
                (("web:0",), 2, "port"), (("web:70000",), 2, "port"), (("web:80/sctp",), 2, "no protocol"),
                ((":80",), 2, "names no host"), (("web:80", "db:1"), 2, "one TARGET"), ((), 2, "one TARGET"),
                (("web:80", "--timeout", "0"), 2, "--timeout"), (("web:80", "--count", "x"), 2, "--count"),
                (("web:80", "--interval", "0"), 2, "--interval"), (("--mesh", "web"), 2, "pod/NAME"),
                (("--mesh", "net/none"), 3, "none"), (("host",), 2, "no port"), (("web:80", "--nonsense"), 2, "nonsense"),
                (("web/icmp", "--listen"), 2, "tcp and udp"), (("all:80",), 2, "several"),
                (("--from", "none", "web:80"), 3, "none"),
                (("db:80", "--published"), 7, "not published"), (("no_such_container_",), 3, "no container")):
            with self.subTest(args):
                self.fails("probe", *args, code=code, words=("podshark probe: ", word))
        for args, code, word in (((), 2, "CONTAINER:PORT"), (("web",), 2, "PORT"), (("web:1/icmp",), 2, "port"),
                                 (("none:1",), 3, "none"), (("web:1", "--timeout", "x"), 2, "--timeout")):
            with self.subTest(args):
                self.fails("listen", *args, code=code, words=("podshark listen: ", word))

    def test_ping_that_is_not_allowed_is_not_measured(self):
        path = pathlib.Path("/proc/sys/net/ipv4/ping_group_range")
        before = path.read_text()
        self.addCleanup(path.write_text, before)
        path.write_text("1 0")
        self.outcome(RIG, "web/icmp", outcome="not_measured", words="ping_group_range", code=NOT_MEASURED)
        path.write_text("0 2147483647")
        self.outcome(RIG, "web/icmp", outcome="ok", code=0)

    def test_help_names_every_outcome_of_the_format(self):
        text = podshark(ROOT, "probe", "--help").stdout
        for outcome in ("ok", "refused", "filtered", "unreachable", "closed", "silent", "no name", "not measured"):
            self.assertIn(f"\n  {outcome} ", text)


class Worker(ProbeTest):
    """Probes from inside rootful containers are not for members of the group."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lib_podshark.install_worker()
        cls.addClassCleanup(lib_podshark.remove_worker)

    def test_the_refusal_names_sudo(self):
        installed = PREFIX / "bin/podshark"
        for args in (("probe", "--from", "web", "db:9000"), ("listen", "web:9000"), ("probe", "web:9000", "--listen")):
            self.fails(*args, user=MEMBER, program=installed, code=5, words=("for root only", "sudo"))

    def test_the_worker_itself_refuses(self):
        web = self.up["web"]
        start = int(pathlib.Path(f"/proc/{web.pid}/stat").read_text().rpartition(")")[2].split()[19])
        for counts, stage in (((1, 0, 0, 0, 0, 0), 11), ((0, 0, 0, 0, 0, 1), 11), ((0,) * 6, 0)):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs:
                worker = self.child(MEMBER, [INSTALLED_WORKER], stdin=theirs)
                theirs.close()
                # struct Request of extcap/worker/protocol.h
                ours.send(struct.pack("=IIiIIIII6IQQ16x", 0x50535734, 1, web.pid, 0, 0, 0, 0, 0, *counts, start, 0))
                reply = ours.recv(100)
                self.assertEqual((stage, 0), struct.unpack_from("=II", reply, 4)[:1] + struct.unpack_from("=I", reply, 12))
                ours.close()
                self.assertEqual(0, worker.wait(20))


class Readme(ProbeTest):
    def test_every_example_runs(self):
        section = README.read_text().partition("### podshark probe")[2].partition("\n### ")[0]
        # From another machine: test_outside.
        commands = [line.strip().partition("  ")[0] for line in section.splitlines()
                    if line.startswith("    podshark probe") and "ssh://" not in line]
        self.assertGreater(len(commands), 5)
        for command in commands:
            with self.subTest(command):
                args = shlex.split(command)[1:]
                if "--interval" in args:
                    args += ["--count", "2"]
                done = podshark(ROOT, *args, check=False)
                self.assertIn(done.returncode, (0, UNREACHED), done.stdout + done.stderr)
                self.assertEqual("", done.stderr)

