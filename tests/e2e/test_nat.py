# SPDX-License-Identifier: GPL-2.0-or-later
"""Address translations during a capture are records in it, and both legs of a connection show both tuples."""

import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess

import lib
import lib_pcapng
import lib_podshark
from lib import CLIENT, HOST, RIG, ROOT, Ctr, Net, fetch, quick, run, wait_for
from lib_podshark import PODSHARK, Capture
from test_reports import ReportsTest, told

CONTAINERS = (
    Net("lan", options=("--ipv6",)),
    Ctr("web", network="lan", ports=("8080:80",)),
    Net("rlan", user=RIG),
    Ctr("left", user=RIG, network="rlan", ports=("18080:80",)),
    Ctr("own", user=RIG, ports=("18081:80",)),
)
TUPLES = tuple(f"podman.nat.{way}.{what}" for way in ("orig", "reply") for what in ("src", "src_port", "dst", "dst_port"))


def outside():
    """A server of the client's, for what containers send: prints nothing, echoes one line per UDP packet."""
    return ["ip", "netns", "exec", "client", "busybox", "httpd", "-f", "-p", "9000", "-h", "/tmp"]


class NatTest(ReportsTest):
    def translations(self, capture, number=1, what="started"):
        return wait_for(lambda: (got := told(capture, "nat", what)) and len(got) >= number and got,
                        lambda: f"{number} records '{what}'; stderr: {capture.stderr()}")

    def started(self, capture, *args, answered=lambda record: True, **kwargs):
        """The newest record of a connection that begins, of which `answered` is true, out of as many as it takes: one that
        begins while podshark is still to learn the container's addresses is only 'seen'."""
        return wait_for(lambda: fetch(*args, **kwargs) and list(filter(answered, told(capture, "nat", "started"))),
                        lambda: f"a record 'started'; there are {told(capture, 'nat')}; stderr: {capture.stderr()}")[-1]

    def assert_tuples(self, capture, display_filter, expected):
        """Every packet that matches has these tuples: (orig source, port, destination, port, reply source, …), None is
        any. One pass and two passes see the same."""
        shown = self.read(capture.path, display_filter, "frame.number", "podman.point", "tcp.flags.syn", *TUPLES)
        self.assertTrue(shown, f"no packet is {display_filter}")
        for packet in shown:
            for field, value in zip(TUPLES, expected):
                if value is not None:
                    self.assertEqual(str(value), packet[field], packet)
        return shown


class Rootful(NatTest):
    @quick
    def test_a_published_port_from_outside_shows_both_tuples_on_both_legs(self):
        web = self.up["web"].address
        with Capture(ROOT, "web", "--point", "both") as capture:
            def answered(record):
                """On both legs."""
                port = struct.pack(">H", record["orig"]["src_port"])
                legs = {p.interface.name for p in capture.so_far().packets if b"hello" in p.data and port in p.data[:60]}
                return len(legs) == 2

            record = self.started(capture, 8080, answered=answered)
            capture.stop()
            self.assertEqual(("tcp", "web", CLIENT, HOST, 8080, web, 80, CLIENT),
                             (record["protocol"], record["container"], record["orig"]["src"], record["orig"]["dst"],
                              record["orig"]["dst_port"], record["reply"]["src"], record["reply"]["src_port"],
                              record["reply"]["dst"]))
            port = record["orig"]["src_port"]
            expected = (CLIENT, port, HOST, 8080, web, 80, CLIENT, port)
            outer = self.assert_tuples(capture, f"podman.point == host && tcp.port == {port}", expected)
            inner = self.assert_tuples(capture, f"podman.point == inside && tcp.port == {port}", expected)
            for leg in (outer, inner):
                self.assertIn(leg[0]["tcp.flags.syn"], ("1", "True"), "already the first packet shows them in one pass")

    def test_from_the_host_itself_both_ends_are_translated(self):
        web = self.up["web"].address
        with Capture(ROOT, "web") as capture:
            self.started(capture, 8080, outside=False, host="127.0.0.1")
            wait_for(lambda: [p for p in capture.so_far().packets if b"hello" in p.data], "the answer")
            capture.stop()
            gateway = self.up["web"].inspect()["NetworkSettings"]["Networks"]["lan"]["Gateway"]
            # An earlier client's last packets may be there too.
            self.assert_tuples(capture, f"tcp && podman.point == inside && ip.addr == {gateway}",
                               ("127.0.0.1", None, "127.0.0.1", 8080, web, 80, gateway, None))

    def test_what_leaves_is_masqueraded(self):
        self.child(ROOT, outside())
        web = self.up["web"].address
        with Capture(ROOT, "web", "--point", "inside") as capture:
            wait_for(lambda: self.up["web"].exec("wget", "-q", "-O", "-", f"http://{CLIENT}:9000/", check=False).returncode in (0, 1)
                     and told(capture, "nat", "started"), "a translated request")
            # An attempt of the time when podshark still learns the container's addresses may be told by nobody.
            port = told(capture, "nat", "started")[-1]["orig"]["src_port"]
            capture.stop()
            self.assert_tuples(capture, f"tcp.port == 9000 && tcp.port == {port} && ip.addr == {CLIENT}",
                               (web, port, CLIENT, 9000, CLIENT, 9000, HOST, None))

    def test_what_runs_already_is_told_too(self):
        web = self.up["web"].address
        waiting = self.child(ROOT, ["ip", "netns", "exec", "client", "busybox", "nc", HOST, "8080"], stdin=subprocess.PIPE)
        port = int(wait_for(lambda: re.search(
            r"ESTABLISHED src=\S+ dst=\S+ sport=(\d+) dport=8080", run(ROOT, ["conntrack", "-L"]).stdout), "a connection")[1])
        with Capture(ROOT, "web") as capture:
            seen = wait_for(lambda: [e for e in told(capture, "nat", "seen") if e["orig"]["src_port"] == port],
                            "the connection to be told")[0]
            self.assertEqual((HOST, 8080, web), (seen["orig"]["dst"], seen["orig"]["dst_port"], seen["reply"]["src"]))
            waiting.stdin.close()
            capture.stop()

    def test_the_end_is_told_with_the_same_id(self):
        with Capture(ROOT, "web") as capture:
            started = self.started(capture, 8080)
            run(ROOT, ["conntrack", "-D", "-p", "tcp", "--orig-port-src", str(started["orig"]["src_port"])])
            ended = [e for e in self.translations(capture, what="ended") if e["id"] == started["id"]]
            self.assertEqual([(started["orig"], started["reply"])], [(e["orig"], e["reply"]) for e in ended])
            capture.stop()

    def test_ipv6(self):
        networks = self.up["web"].inspect()["NetworkSettings"]["Networks"]["lan"]
        web = networks["GlobalIPv6Address"]
        run(ROOT, ["ip", "-6", "addr", "replace", "2001:db8::1/64", "dev", "wan0", "nodad"])
        lib.client(["ip", "-6", "addr", "replace", "2001:db8::2/64", "dev", "eth0", "nodad"])
        with Capture(ROOT, "web") as capture:
            self.started(capture, 8080, host="[2001:db8::1]")
            capture.stop()
            self.assert_tuples(capture, "tcp && ipv6", ("2001:db8::2", None, "2001:db8::1", 8080, web, 80, "2001:db8::2", None))

    def test_other_containers_and_untranslated_connections_are_not_told(self):
        lib.start(Ctr("silent", network="lan", ports=("8090:80",)))
        self.addCleanup(run, ROOT, ["podman", "rm", "-f", "-t", "0", "silent"])
        with Capture(ROOT, "web") as capture:
            fetch(8090)
            self.up["web"].enter("ping", "-c", "1", "-W", "5", networks_gateway(self.up["web"]))
            self.started(capture, 8080)
            done = capture.stop()
            self.assertEqual({"web"}, {e["container"] for e in done.events_of("nat")})
            self.assertEqual({8080}, {e["orig"]["dst_port"] for e in done.events_of("nat") if e["what"] == "started"})

    def test_a_restarted_container_has_a_new_address_and_goes_on(self):
        with Capture(ROOT, "web") as capture:
            before = self.up["web"].address
            run(ROOT, ["podman", "restart", "-t", "0", "web"])
            self.assertIn("hello", fetch(8080))
            now = self.up["web"].address
            wait_for(lambda: [e for e in told(capture, "nat") if e.get("reply", {}).get("src") == now], f"{now}, before {before}")
            capture.stop()

    def test_live_through_a_pipe(self):
        """As `podshark capture web -w - | tshark -i -`: one pass, while it goes on."""
        pattern = f"cd {self.tmp}; exec {PODSHARK} capture web --point both --duration 6 -w - 2>/dev/null"
        fields = [word for name in ("podman.point", *TUPLES) for word in ("-e", name)]
        tshark = self.child(RIG, ["tshark", "-n", "-l", "-i", "-", "-Y", "tcp.flags.syn == 1", "-T", "fields", *fields],
                            env={"WIRESHARK_PLUGIN_DIR": str(self.plugins)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
        source = self.child(ROOT, ["sh", "-c", pattern], stdout=tshark.stdin)
        lib_podshark.wait_rings(self.up["web"], 2)
        wait_for(lambda: " 1 " in pathlib.Path("/proc/net/packet").read_text(), "a packet socket on the host")
        self.assertIn("hello", fetch(8080))
        source.wait(30)
        tshark.stdin.close()
        rows = [line.split("\t") for line in tshark.stdout.read().splitlines()]
        web = self.up["web"].address
        self.assertEqual({"host", "inside"}, {row[0] for row in rows})
        for row in rows:
            self.assertEqual((CLIENT, HOST, "8080", web, "80"), (row[1], row[3], row[4], row[5], row[6]), row)

    def test_each_file_of_several_tells_of_what_goes_on(self):
        held = self.child(ROOT, ["ip", "netns", "exec", "client", "busybox", "nc", HOST, "8080"], stdin=subprocess.PIPE)
        path = self.tmp / "out.pcapng"
        capture = self.child(ROOT, [PODSHARK, "capture", "web", "-q", "-b", "packets:8", "-w", path])
        lib_podshark.wait_rings(self.up["web"], 2)

        def files():
            return sorted(self.tmp.glob("out_*.pcapng"))
        wait_for(lambda: fetch(8080) and len(files()) >= 4, "four files")
        self.assertIsNone(held.poll())
        lib.end(capture, signal.SIGINT)
        ports = [{e["orig"]["src_port"] for e in lib_pcapng.read(f).events_of("nat") if e["what"] in ("seen", "started")}
                 for f in files()]
        self.assertTrue(set.intersection(*ports), f"one connection is in all files: {ports}")

    def test_what_the_kernel_could_not_tell_is_found_by_a_list(self):
        """A stopped capture: the socket's buffer overflows."""
        code = ("import socket\n"
                "for n in range(20000):\n"
                "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                f"    s.sendto(b'x', ('{HOST}', 9))\n"
                "    s.close()\n")
        with Capture(ROOT, "web") as capture:
            wait_for(lambda: told(capture, "inventory"), "the capture to run")
            lib_podshark.wait_rings(self.up["web"], 2)
            capture.process.send_signal(signal.SIGSTOP)
            lib.client(["/usr/bin/python3", "-c", code])
            with socket.create_connection((HOST, 8080)) as late:
                port = late.getsockname()[1]
                capture.process.send_signal(signal.SIGCONT)
                wait_for(lambda: [e for e in told(capture, "nat") if e.get("orig", {}).get("src_port") == port], "the late one")
            capture.stop()

    def test_off(self):
        with Capture(ROOT, "web", "--nat", "off") as capture:
            fetch(8080)
            wait_for(lambda: [p for p in capture.so_far().packets if b"hello" in p.data], "the answer")
            self.assertEqual([], capture.stop().events_of("nat"))


class Flood(NatTest):
    def test_many_connections_are_told_up_to_a_limit_and_the_rest_is_counted(self):
        """Each datagram from another port is a connection of its own."""
        web = self.up["web"].address
        code = ("import socket, sys\n"
                "for n in range(int(sys.argv[2])):\n"
                "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                "    s.sendto(b'x', (sys.argv[1], 9))\n"
                "    s.close()\n")
        with Capture(ROOT, "web", "-f", "not udp") as capture:
            self.up["web"].enter("/usr/bin/python3", "-c", code, CLIENT, "12000")
            wait_for(lambda: sum(e["count"] for e in told(capture, "nat", "skipped")) > 0, "the rest to be counted")
            done = capture.stop()
            events = done.events_of("nat")
            started = [e for e in events if e["what"] == "started" and e["orig"]["src"] == web]
            skipped = sum(e["count"] for e in events if e["what"] == "skipped")
            self.assertLessEqual(len(started), 5000 + 1000 * 60)
            self.assertGreaterEqual(len(started), 4000)
            self.assertGreater(skipped, 0)


class Rootless(NatTest):
    @quick
    def test_what_leaves_a_rootless_network_is_masqueraded_there(self):
        left = self.up["left"].address
        self.child(ROOT, outside())
        with Capture(RIG, "left", "--point", "both") as capture:
            wait_for(lambda: self.up["left"].exec("wget", "-q", "-O", "-", f"http://{CLIENT}:9000/", check=False).returncode in (0, 1)
                     and told(capture, "nat", "started"), "a translated request")
            capture.stop()
            inner = self.assert_tuples(capture, f"podman.point == inside && tcp.port == 9000",
                                       (left, None, CLIENT, 9000, CLIENT, 9000, None, None))
            outer = self.assert_tuples(capture, f"podman.point == host && tcp.port == 9000",
                                       (left, None, CLIENT, 9000, CLIENT, 9000, None, None))
            self.assertNotEqual(left, outer[0]["podman.nat.reply.dst"])
            self.assertEqual(inner[0]["podman.nat.reply.dst"], outer[0]["podman.nat.reply.dst"])


class Programs(NatTest):
    """Where a program forwards, its record comes after the first packets: who reads twice, as Wireshark's window, sees it on all."""

    def forwarded(self, capture, condition):
        return wait_for(lambda: [e for e in told(capture, "nat") if e.get("via") and condition(e)],
                        lambda: f"a record of a forwarded connection; there are {told(capture, 'nat')}; {capture.stderr()}")[0]

    def read_twice(self, path, display_filter, *names):
        copy = self.plugins / "twice.pcapng"
        shutil.copy(path, copy)
        copy.chmod(0o644)
        args = [a for name in names for a in ("-e", name)]
        done = run(RIG, ["tshark", "-2", "-n", "-r", copy, "-Y", display_filter, "-T", "fields", *args],
                   env={"WIRESHARK_PLUGIN_DIR": str(self.plugins)})
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def hold(self, argv, user=ROOT):
        """A connection that stays open until the test's end."""
        return self.child(user, argv, stdin=subprocess.PIPE)

    def check_incoming(self, name, port, via, evidence):
        """A connection of the client's that is open, then short ones: of some nothing is left when one looks."""
        with Capture(RIG, name) as capture:
            self.hold(["ip", "netns", "exec", "client", "busybox", "nc", HOST, str(port)])
            record = self.forwarded(capture, lambda e: e["orig"]["dst_port"] == port)
            self.assertEqual((name, CLIENT, HOST, via, 80), (record["container"], record["orig"]["src"], record["orig"]["dst"],
                                                             record["via"], record["reply"]["src_port"]))
            self.assertRegex(record["evidence"], evidence)
            if via == "rootlessport":  # with pasta the client mostly closes first, and nothing is left of it on the host
                wait_for(lambda: fetch(port) and [e for e in told(capture, "nat")
                                                  if e["orig"]["src_port"] != record["orig"]["src_port"]],
                         "one of several short connections to be told")
            capture.stop()
            inner = record["reply"]["dst_port"]
            rows = self.read_twice(capture.path, f"podman.point == inside && tcp.port == {inner}", "podman.nat.orig.src",
                                   "podman.nat.orig.dst_port", "podman.nat.via", "podman.nat.evidence")
            self.assertEqual({(CLIENT, str(port), via, record["evidence"])}, set(rows))

    @quick
    def test_rootlessport_of_a_rootless_network_hides_the_client_no_more(self):
        self.check_incoming("left", 18080, "rootlessport", r"^both sockets are held by rootlessport, process \d+$")

    def test_the_default_network(self):
        if lib.WORLD == "deb12":
            self.check_incoming("own", 18081, "rootlessport", r"^both sockets are held by rootlessport, process \d+$")
        else:
            self.check_incoming("own", 18081, "pasta", r"^same client address and port on both sides$")

    def test_what_the_default_network_sends(self):
        self.child(ROOT, outside())
        wait_for(lambda: ":2328 " in lib.client(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout, "the server outside")
        with Capture(RIG, "own") as capture:
            self.hold(["podman", "exec", "-i", "own", "nc", CLIENT, "9000"], RIG)
            record = self.forwarded(capture, lambda e: e["orig"]["dst_port"] == 9000)
            self.assertEqual((CLIENT, HOST, "slirp4netns" if lib.WORLD == "deb12" else "pasta"),
                             (record["orig"]["dst"], record["reply"]["dst"], record["via"]))
            self.assertRegex(record["evidence"], "^same destination; ")
            outer = run(ROOT, ["cat", "/proc/net/tcp"]).stdout
            self.assertIn(f":{record['reply']['dst_port']:04X} ", outer, "the host has that socket")
            capture.stop()


class Permission(NatTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lib_podshark.install_worker()
        cls.addClassCleanup(lib_podshark.remove_worker)

    def test_without_it_one_line_says_so_and_the_capture_goes_on(self):
        program = lib_podshark.PREFIX / "bin/podshark"
        with Capture(lib.MEMBER, "podman-root:web", program=program) as capture:
            fetch(8080)
            wait_for(lambda: [p for p in capture.so_far().packets if b"hello" in p.data], "the answer")
            done = capture.stop()
            told_lines = [line for line in capture.stderr().splitlines() if "translations" in line]
            self.assertEqual(1, len(told_lines), capture.stderr())
            self.assertIn("connection tracking of the host: not permitted (run podshark with sudo)", told_lines[0])
            self.assertEqual(["nat-unavailable"], [e["what"] for e in done.events_of("lifecycle") if "nat" in e["what"]])

    def test_the_installed_worker_hands_out_no_socket_of_netfilter(self):
        pid = self.up["web"].pid
        start = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        for netlink, netfilter, stage in ((1, 0, 0), (0, 1, 11)):  # extcap/worker/protocol.h: done, probes_off
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            worker = self.child(lib.MEMBER, [lib_podshark.INSTALLED_WORKER], stdin=theirs)
            theirs.close()
            ours.send(struct.pack("=IIi3II I6I QQ16s", 0x50535734, 1, pid, netlink, 0, 0, netfilter, 0, *[0] * 6, start, 0, b""))
            self.assertEqual(stage, struct.unpack_from("=II", ours.recv(100))[1])
            ours.close()
            worker.wait(10)


def networks_gateway(up):
    return next(n["Gateway"] for n in up.inspect()["NetworkSettings"]["Networks"].values())
