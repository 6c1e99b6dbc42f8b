# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark trace: rules of every maker that drop on purpose are named, and nothing is left behind."""

import json
import os
import pathlib
import pty
import signal
import subprocess

import lib
from lib import RIG, ROOT, Ctr, Net, RigTest, podman, quick, run, wait_for
from lib_podshark import PODSHARK, podshark

IDLE = ("sleep", "1000000")
CONTAINERS = (
    Net("lan"),
    Ctr("web", network="lan", ports=("8080:80", "8081:9001/udp")),
    Ctr("db", network="lan", cmd=IDLE),
    Net("rlan", user=RIG),
    Ctr("left", user=RIG, network="rlan", ports=("18080:80",)),
    Ctr("right", user=RIG, network="rlan", cmd=IDLE),
)
NO_CONSENT, DENIED, UNREACHED = 2, 5, 12
LOGGER = pathlib.Path("/proc/sys/net/netfilter/nf_log/2")
FORWARD_TABLE = "add table inet t; add chain inet t f { type filter hook forward priority 10; policy %s; };"

# Receives what is logged to the NFLOG group 0, as ulogd does.
LOG_READER = """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
body = struct.pack("!BBH", 0, 0, 0) + struct.pack("=HHB3x", 5, 1, 1)
s.send(struct.pack("=IHHII", 16 + len(body), 4 << 8 | 1, 5, 1, 0) + body)
assert struct.unpack_from("=i", s.recv(4096), 16)[0] == 0
print("ready", flush=True)
s.recv(1)
"""


# Some thousand packets a second to a port of a container, from an address of the host that probes do not use.
BUSY = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("203.0.113.1", 0))
print("ready", flush=True)
while True:
    for _ in range(10):
        s.sendto(b"busy", (sys.argv[1], 9001))
    time.sleep(0.002)
"""


def our_tables(up=None):
    """Names of tables of ours in the host's namespace, or in a container's."""
    listed = (up.enter("nft", "list", "tables") if up else run(ROOT, ["nft", "list", "tables"])).stdout
    return [line for line in listed.splitlines() if "podshark" in line]


class TraceTest(RigTest):
    def tearDown(self):
        self.assertEqual([], our_tables())
        super().tearDown()

    def trace(self, user, *args, code=0):
        """What `podshark trace --yes --json` prints."""
        done = podshark(user, "trace", "--yes", "--json", *args, check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def fails(self, user, *args, code, words):
        done = podshark(user, "trace", *args, check=False)
        self.assertEqual((code, ""), (done.returncode, done.stdout), done.stderr)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def nft(self, text, table="inet t"):
        run(ROOT, ["nft", text])
        self.addCleanup(run, ROOT, ["nft", "delete", "table", *table.split()])

    def dropped(self, got, where, hook, by, direction="request"):
        """The packet that was dropped in that namespace, by whom it was expected."""
        place = next(p for p in got["namespaces"] if p["name"] == where)
        packets = [p for p in place["packets"] if p["direction"] == direction and p["end"] == "dropped"]
        self.assertTrue(packets, got)
        self.assertEqual(hook, packets[0]["hook"])
        self.assertIn(by, packets[0]["decided_by"])
        self.assertIn(packets[0]["decided_by"], got["summary"])
        self.assertIn(f"in {where}, {hook}", got["summary"])
        return packets[0]

    def legacy(self, *rule):
        """A rule of iptables-legacy for this test; the namespace keeps its empty tables."""
        run(ROOT, ["iptables-legacy", *rule])
        self.addCleanup(run, ROOT, ["iptables-legacy", "-F"])
        before = LOGGER.read_text()
        self.addCleanup(lambda: self.assertEqual(before, LOGGER.read_text()))
        self.assertNotIn("nfnetlink_log", before)


class Rootful(TraceTest):
    @quick
    def test_a_packet_that_comes_through_is_shown_with_its_translation(self):
        got = self.trace(ROOT, "--from", "db", "host:8080")
        self.assertEqual(["container 'db'", "the host", "container 'web'"], [p["name"] for p in got["namespaces"]])
        self.assertEqual(("ok", []), (got["probe"]["outcome"], got["untraced"]))
        web = self.up["web"].address
        on_host = got["namespaces"][1]["packets"][0]
        self.assertEqual(("request", "prerouting", "left"), tuple(on_host[k] for k in ("direction", "began", "end")))
        self.assertTrue(on_host["destination"].endswith(":8080"), on_host)
        self.assertEqual(f"{web}:80", on_host["last_destination"])
        self.assertTrue(any("dnat" in s["text"].lower() and f"{web}:80" in s["text"] for s in on_host["steps"]), on_host)
        self.assertFalse([s for s in on_host["steps"] if "could not be read" in s["text"]], on_host)
        inside = got["namespaces"][2]["packets"]
        self.assertEqual({"request": "delivered", "answer": "left"}, {p["direction"]: p["end"] for p in inside})
        self.assertRegex(got["summary"], r"^it came through: \d+ rules were met")

    @quick
    def test_a_forward_rule_of_nft_that_drops_is_named(self):
        self.nft(FORWARD_TABLE % "accept" + "add rule inet t f tcp dport 80 counter drop")
        done = podshark(ROOT, "trace", "--yes", "--from", "db", "host:8080", "--timeout", "1", check=False)
        self.assertEqual(UNREACHED, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^    dropped in forward by: table inet t chain f \(hook forward, priority 10\): "
                                      r"tcp dport 80 counter .*drop$")
        self.assertRegex(done.stdout, r"(?m)^    prerouting .*[Dd][Nn][Aa][Tt]")
        self.assertIn("container 'web'\n  no packet was seen", done.stdout)
        self.assertRegex(done.stdout.splitlines()[-1], r"^=> dropped in the host, forward, by: table inet t chain f ")

    def waiting(self, *args):
        child = self.child(ROOT, [PODSHARK, "trace", "--yes", *args], stdout=-1, stderr=-1, text=True)
        self.assertIn("waiting for packets", child.stderr.readline())
        return child

    @quick
    def test_packets_of_a_client_outside_are_waited_for(self):
        self.nft(FORWARD_TABLE % "accept" + "add rule inet t f tcp dport 80 counter drop")
        child = self.waiting("--wait", "30", "web:80")
        lib.client(["python3", "-c", "import socket, sys\ns = socket.socket()\ns.settimeout(0.5)\n"
                    "s.connect_ex((sys.argv[1], 8080))", lib.HOST])
        child.send_signal(signal.SIGINT)  # enough
        out, err = child.communicate(timeout=20)
        self.assertEqual(UNREACHED, child.returncode, out + err)
        self.assertRegex(out, r"(?m)^  request  tcp %s:\d+ → %s:8080 \(SYN\), came in by wan0$" % (lib.CLIENT, lib.HOST))
        self.assertRegex(out, r"(?m)^    dropped in forward by: table inet t chain f ")
        self.assertRegex(out.splitlines()[-1], r"^=> dropped in the host, forward, by: table inet t chain f ")
        self.assertNotIn("not the probe's own", out)

    def test_waiting_in_vain_says_so(self):
        done = podshark(ROOT, "trace", "--yes", "--wait", "0.5", "web:80", check=False)
        self.assertEqual(7, done.returncode, done.stdout + done.stderr)
        self.assertIn("=> nobody sent a packet to it meanwhile", done.stdout)

    def test_what_comes_through_while_waiting(self):
        child = self.waiting("--wait", "30", "web:80")
        self.assertIn("hello", lib.fetch(8080))
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        self.assertEqual(0, child.returncode, out + err)
        self.assertRegex(out, r"(?m)^    now .* → %s:80$" % self.up["web"].address.replace(".", r"\."))

    def test_waiting_probes_nothing(self):
        self.fails(ROOT, "--wait", "5", "--from", "db", "web:80", code=2, words="--wait probes nothing")
        self.fails(ROOT, "--wait", "never", "web:80", code=2, words="is not a number of seconds from 0.5 to 3600")

    def test_a_policy_that_drops_is_named(self):
        self.nft(FORWARD_TABLE % "drop")
        got = self.trace(ROOT, "--from", "db", "host:8080", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "the host", "forward", "table inet t chain f (hook forward, priority 10): policy drop")

    def test_a_rule_of_iptables_that_drops_is_named_in_its_words(self):
        rule = ("FORWARD", "-p", "tcp", "-m", "tcp", "--dport", "80", "-m", "comment", "--comment", "no web", "-j", "DROP")
        run(ROOT, ["iptables-nft", "-I", *rule])
        self.addCleanup(run, ROOT, ["iptables-nft", "-D", *rule])
        got = self.trace(ROOT, "--from", "db", "host:8080", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "the host", "forward", "iptables table filter chain FORWARD (hook forward, priority 0): "
                     '-A FORWARD -p tcp -m tcp --dport 80 -m comment --comment "no web" -j DROP')

    def test_a_rule_of_legacy_iptables_that_drops_is_named(self):
        self.legacy("-A", "FORWARD", "-p", "tcp", "-m", "tcp", "--dport", "80", "-j", "DROP")
        got = self.trace(ROOT, "--from", "db", "host:8080", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "the host", "forward", "iptables-legacy table filter chain FORWARD (hook forward, priority 0): "
                     "-A FORWARD -p tcp -m tcp --dport 80 -j DROP")

    def test_legacy_rules_are_judged_where_another_program_has_the_log(self):
        self.legacy("-A", "FORWARD", "-p", "tcp", "-m", "tcp", "--dport", "80", "-j", "DROP")
        reader = self.child(ROOT, ["/usr/bin/python3", "-c", LOG_READER], stdout=subprocess.PIPE, text=True)
        self.assertEqual("ready\n", reader.stdout.readline())
        got = self.trace(ROOT, "--from", "db", "host:8080", "--timeout", "1", code=UNREACHED)
        host = got["namespaces"][1]
        self.assertIn("another program receives the NFLOG group 0", host["no_legacy"])
        self.assertEqual("lost", host["packets"][0]["end"])
        self.assertEqual(("forward", "drop"), tuple(host["judged"][-1][k] for k in ("hook", "outcome")), host)
        self.assertIn("as its legacy rules read: iptables-legacy table filter", got["summary"])

    def test_drops_inside_the_container(self):
        web = self.up["web"]
        web.enter("nft", "add table inet t; add chain inet t i { type filter hook input priority 0; };"
                         "add rule inet t i tcp dport 80 drop")
        self.addCleanup(web.enter, "nft", "delete table inet t")
        got = self.trace(ROOT, "web:80", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "container 'web'", "input", "table inet t chain i (hook input, priority 0): tcp dport 80 drop")
        web.enter("nft", "flush table inet t; add chain inet t o { type filter hook output priority 0; };"
                         "add rule inet t o tcp sport 80 drop")
        got = self.trace(ROOT, "web:80", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "container 'web'", "output", "tcp sport 80 drop", direction="answer")
        self.assertTrue(got["summary"].startswith("the answer is dropped"), got["summary"])

    def test_a_reject_is_told_from_a_drop(self):
        self.nft(FORWARD_TABLE % "accept" + "add rule inet t f tcp dport 80 reject")
        got = self.trace(ROOT, "--from", "db", "host:8080", "--timeout", "1", code=UNREACHED)
        self.assertEqual("reject", self.dropped(got, "the host", "forward", "reject")["verdict"])

    def test_udp_and_ping(self):
        self.nft(FORWARD_TABLE % "accept" + "add rule inet t f udp dport 9001 drop; add rule inet t f icmp type echo-reply drop")
        got = self.trace(ROOT, "--from", "db", "host:8081/udp", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "the host", "forward", "udp dport 9001 drop")
        got = self.trace(ROOT, "--from", "db", f"{lib.CLIENT}/icmp", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "the host", "forward", "icmp type echo-reply drop", direction="answer")
        self.assertEqual("ok", self.trace(ROOT, "web/icmp")["probe"]["outcome"])

    def test_a_rule_made_during_the_trace_is_named_too(self):
        child = self.child(ROOT, [PODSHARK, "trace", "--yes", "--json", "--from", "db", f"{lib.CLIENT}:82", "--timeout", "4"],
                           stdout=subprocess.PIPE, text=True)
        lib.client(["nft", "add table inet t; add chain inet t i { type filter hook input priority 0; };"
                           "add rule inet t i tcp dport 82 drop"])
        self.addCleanup(lib.client, ["nft", "delete table inet t"])
        wait_for(our_tables, "our table")
        self.nft(FORWARD_TABLE % "accept" + "add rule inet t f tcp dport 82 drop")
        out, _ = child.communicate(timeout=20)
        packets = json.loads(out)["namespaces"][1]["packets"]
        ends = {p.get("decided_by", "") for p in packets if p["end"] == "dropped"}
        self.assertTrue(any("tcp dport 82 drop" in e for e in ends), out)


    def test_a_busy_service_does_not_hide_the_probe(self):
        web = self.up["web"].address
        busy = self.child(ROOT, ["/usr/bin/python3", "-c", BUSY, web], stdout=subprocess.PIPE, text=True)
        self.assertEqual("ready\n", busy.stdout.readline())
        for source in ("db", "host"):
            got = self.trace(ROOT, "--from", source, "web:9001/udp", "--timeout", "0.5", code=UNREACHED)
            self.assertIsNone(busy.poll())
            for place in got["namespaces"]:
                if place["name"] != "the host" or source == "host":
                    self.assertTrue(place["probes_own"], (source, place))
                    self.assertIn("request", {p["direction"] for p in place["packets"]}, place)


class Rootless(TraceTest):
    @quick
    def test_an_ordinary_user_traces_his_bridge_network(self):
        got = self.trace(RIG, "--from", "right", "left:80")
        self.assertEqual(["container 'right'", "the rootless networks", "container 'left'"],
                         [p["name"] for p in got["namespaces"]])
        self.assertEqual([], got["untraced"])
        for place in got["namespaces"]:
            self.assertEqual({"request", "answer"}, {p["direction"] for p in place["packets"]}, place)
        steps = got["namespaces"][1]["packets"][0]["steps"]
        self.assertTrue(any("NETAVARK" in s["where"].upper() for s in steps), steps)

    def test_a_drop_in_the_rootless_namespace_is_named(self):
        def inside(text):
            run(RIG, ["podman", "unshare", "--rootless-netns", "/usr/sbin/nft", text])
        inside(FORWARD_TABLE % "accept" + "add rule inet t f ip daddr " + lib.CLIENT + " drop")
        self.addCleanup(inside, "delete table inet t")
        got = self.trace(RIG, "--from", "right", f"{lib.CLIENT}:80", "--timeout", "1", code=UNREACHED)
        self.dropped(got, "the rootless networks", "forward", f"ip daddr {lib.CLIENT} drop")
        untraced, = got["untraced"]
        self.assertEqual(("the host", "run podshark trace with sudo"), (untraced["name"], untraced["hint"]))
        self.assertIn("CAP_NET_ADMIN", untraced["why"])

    def test_a_forwarders_own_connection_is_told_from_the_probes(self):
        done = podshark(RIG, "trace", "--yes", "left:80")
        self.assertIn("the host\n  not traced: your user has no CAP_NET_ADMIN there (run podshark trace with sudo)", done.stdout)
        self.assertIn("container 'left'\n  not the probe's own packets: another process made this connection", done.stdout)
        left = self.up["left"]
        left.enter("nft", "add table inet t; add chain inet t i { type filter hook input priority 0; };"
                          "add rule inet t i tcp dport 80 drop")
        self.addCleanup(left.enter, "nft", "delete table inet t")
        got = self.trace(RIG, "left:80", "--timeout", "2", code=UNREACHED)
        self.dropped(got, "container 'left'", "input", "tcp dport 80 drop")
        self.assertFalse(got["came_through"])
        if got["probe"]["outcome"] == "ok":  # the forwarder has accepted it
            self.assertIn("a forwarder accepted the probe, but", got["summary"])

    def test_a_container_whose_user_is_not_its_namespaces_root(self):
        lib.start(Ctr("keep", user=RIG, options=("--userns", "keep-id"), cmd=IDLE))
        self.addCleanup(podman, RIG, "rm", "-f", "-t", "0", "keep")
        got = self.trace(RIG, "--from", "keep", "keep/icmp")
        self.assertEqual({"request", "answer"}, {p["direction"] for p in got["namespaces"][0]["packets"]}, got)

    def test_where_nothing_may_be_traced_it_says_so(self):
        self.fails(RIG, "web:80", "--yes", code=DENIED,
                   words=("the host, container 'web'", "CAP_NET_ADMIN", "run podshark trace with sudo"))


class Consent(TraceTest):
    @quick
    def test_without_a_terminal_it_is_an_option(self):
        self.fails(ROOT, "web:80", code=NO_CONSENT, words=("consent", "--yes"))
        self.fails(ROOT, "--yes", code=2, words=("give one TARGET",))
        self.fails(ROOT, "web/dns", "--yes", code=2, words=("tcp, udp or icmp",))

    def ask(self, answer):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        child = self.child(ROOT, [PODSHARK, "trace", "web:80"], stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True)
        os.close(theirs)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 4096)
        self.assertEqual([], our_tables())
        os.write(ours, answer)
        out, _ = child.communicate(timeout=30)
        return child.returncode, out, said.decode()

    def test_on_a_terminal_it_says_what_it_will_do_and_asks(self):
        code, out, said = self.ask(b"y\n")
        self.assertEqual(0, code, said)
        self.assertIn("it came through", out)
        address = self.up["web"].address
        for words in ("the host: table inet podshark_trace_", "container 'web': table inet podshark_trace_",
                      f"ip daddr {address} tcp dport 80", "tcp sport 80", "removes it when podshark ends"):
            self.assertIn(words, said)
        for answer in (b"n\n", b"\n", b"yo\n"):
            code, out, said = self.ask(answer)
            self.assertEqual((NO_CONSENT, ""), (code, out), said)


def nft_history():
    """What a shell of nft leaves; a person's own may have been there before."""
    file = pathlib.Path("/root/.nft.history")
    return file.stat().st_mtime_ns if file.exists() else None


class NothingIsLeft(TraceTest):
    def setUp(self):
        super().setUp()
        self.history = nft_history()

    def start(self, seconds=30):
        """A trace that lasts, with legacy tables, so that the logger is changed too."""
        self.legacy("-A", "FORWARD", "-p", "tcp", "-m", "tcp", "--dport", "80", "-j", "DROP")
        child = self.child(ROOT, [PODSHARK, "trace", "--yes", "--from", "db", "host:8080", "--timeout", seconds],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        web = self.up["web"]
        wait_for(lambda: our_tables() and our_tables(web) and LOGGER.read_text() == "nfnetlink_log\n", "all of our tables")
        return child

    def assert_nothing_left(self):
        web, db = self.up["web"], self.up["db"]
        wait_for(lambda: not our_tables() + our_tables(web) + our_tables(db), "our tables to vanish", 5)
        wait_for(lambda: LOGGER.read_text() != "nfnetlink_log\n", "the logger to be set back", 5)
        wait_for(lambda: not lib.processes("nft"), "nft to end", 5)
        self.assertEqual(self.history, nft_history())

    def test_after_its_regular_end(self):
        self.legacy("-A", "FORWARD", "-p", "tcp", "-m", "tcp", "--dport", "9999", "-j", "DROP")
        self.trace(ROOT, "web:80")
        self.assert_nothing_left()

    def test_after_ctrl_c(self):
        child = self.start()
        lib.end(child, signal.SIGINT, timeout=5)
        self.assert_nothing_left()

    @quick
    def test_after_sigkill(self):
        child = self.start()
        self.assertEqual(-signal.SIGKILL, lib.end(child, signal.SIGKILL))
        self.assert_nothing_left()

    def test_an_nft_that_was_killed_is_told(self):
        """Its table goes with it: that no packet was seen says nothing then."""
        child = self.start(seconds=5)
        for pid in lib.processes("nft"):
            os.kill(pid, signal.SIGKILL)
        said, errors = child.communicate(timeout=60)
        self.assertIn("the tracer ended early", said.decode() + errors.decode())
        self.assert_nothing_left()

    def test_after_a_tracer_was_killed(self):
        child = self.start()
        for pid in lib.processes("podshark"):
            if pid != child.pid:
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not our_tables(), "our table to vanish", 5)
        lib.end(child, signal.SIGINT, timeout=10)
        self.assert_nothing_left()
