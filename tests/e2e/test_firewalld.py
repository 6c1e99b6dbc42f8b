# SPDX-License-Identifier: GPL-2.0-or-later
"""A real firewalld beside real containers, and what `podshark check` says. Nothing of this exists on Debian 12, whose
netavark 1.4 does not know firewalld."""

import configparser
import pathlib
import re
import signal

import lib
from lib import CLIENT, HOST, RIG, ROOT, WORLD, Ctr, Net, podman, run, wait_for
from lib_check import HOLD, CheckTest, ask, only_new

CONF = pathlib.Path("/etc/firewalld/firewalld.conf")
BUS = pathlib.Path("/run/dbus")
SERVICE = pathlib.Path("/usr/lib/systemd/system/netavark-firewalld-reload.service")
ZONE, STRICT = "fw.firewalld-zone-lost", "fw.firewalld-strict-forward"
SPECS = (Net("lan"), Ctr("web", ports=("28080:80",)), Ctr("named", network="lan", ports=("28081:80",)))


# Connects, or asks for the name `named`, and prints "ok" or the name of the error.
TRY = """
import errno, socket, sys
kind, address, port = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.settimeout(2)
try:
    s.connect((address, int(port)))
    if kind == "udp":
        s.send(bytes.fromhex("abcd01000001000000000000056e616d65640000010001"))
        s.recv(512)
    print("ok")
except OSError as e:
    print(errno.errorcode.get(e.errno, e))
"""


def answer(enter, kind, address, port):
    return run(ROOT, [*enter, "/usr/bin/python3", "-c", TRY, kind, address, str(port)]).stdout.strip()


def inside(name):
    return "nsenter", "-t", str(lib.Up(name, ROOT).pid), "-n"


def cmd(*words):
    return run(ROOT, ["firewall-cmd", *words]).stdout.split()


def only_in(world):
    """What netavark 1.14 of Debian 13 and 1.17 of sid do differently."""
    return lambda test: test if WORLD == world else None


@only_new
class Firewalld(CheckTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.no_process_left)
        BUS.mkdir()
        self.addCleanup(run, ROOT, ["rm", "-rf", BUS, "/run/firewalld"])
        # It starts polkitd on behalf of firewalld, and that one ends with it.
        bus = self.child(ROOT, ["dbus-daemon", "--system", "--nofork", "--nopidfile", "--print-address"], stdout=-1, stderr=-3,
                         text=True)
        self.assertTrue(bus.stdout.readline())
        self.addCleanup(CONF.write_text, CONF.read_text())
        # A server in the world outside, for what containers do of their own accord.
        self.listener_outside()

    def no_process_left(self):
        wait_for(lambda: not lib.processes("firewalld", "dbus-daemon", "polkitd", "netavark"), "firewalld's programs to end")

    def listener_outside(self):
        server = self.child(ROOT, ["ip", "netns", "exec", "client", "/usr/bin/python3", "-c", HOLD, "tcp", CLIENT, "8088"],
                            stdout=-1, text=True)
        self.assertTrue(server.stdout.readline())

    def firewalld(self):
        daemon = self.child(ROOT, ["firewalld", "--nofork"], stdout=-3, stderr=-3)
        self.addCleanup(self.stop, daemon)
        wait_for(lambda: run(ROOT, ["firewall-cmd", "--state"], check=False).returncode == 0, "firewalld")

    def stop(self, daemon):
        """Asked to end, it takes its table along."""
        lib.end(daemon, signal.SIGTERM)
        self.assertNotIn("firewalld", run(ROOT, ["nft", "list", "tables"]).stdout)

    @staticmethod
    def setting(value):
        CONF.write_text(re.sub(r"(?m)^StrictForwardPorts=.*$", f"StrictForwardPorts={value}", CONF.read_text()))

    def assert_ways(self, *, ports, host, out):
        """The fingerprint of the catalogue: published ports from outside and from the host, the containers'
        addresses, and what the containers ask for themselves."""
        gateway = podman(ROOT, "inspect", "named", "--format", "{{(index .NetworkSettings.Networks \"lan\").Gateway}}")
        client = "ip", "netns", "exec", "client"
        for expected, *way in (
                (ports, client, "tcp", HOST, 28080), (ports, client, "tcp", HOST, 28081),
                (host, (), "tcp", HOST, 28080), (host, (), "tcp", "127.0.0.1", 28081),
                ("ok", (), "tcp", lib.Up("web", ROOT).address, 80),
                (out, inside("web"), "tcp", CLIENT, 8088), (out, inside("named"), "tcp", CLIENT, 8088),
                (out, inside("named"), "udp", gateway, 53)):
            got = []
            # The kernel sends few ICMP errors a second: a first one may be missing.
            wait_for(lambda: got.append(answer(*way)) or got[-1] == expected, lambda: f"{expected} of {way}, got {got}")

    def assert_healthy(self):
        self.assert_nothing()
        self.assert_nothing("web:28080")
        self.assert_nothing("--from", "named", f"{CLIENT}:8088")
        self.assert_ways(ports="ok", host="ok", out="ok")

    def test_containers_that_start_after_it_are_healthy(self):
        self.firewalld()
        self.running(*SPECS, Ctr("own", user=RIG, ports=("28090:80",)))
        self.assert_healthy()
        podman(ROOT, "network", "reload", "-a")
        self.assert_healthy()
        report = self.assert_nothing(user=RIG)
        self.assertIn("firewalld's zones", [u["what"] for u in report.unseen])

    def test_zone_lost_when_it_starts_late(self):
        self.running(*SPECS)
        self.assert_healthy()
        self.firewalld()
        self.assert_ways(ports="ok", host="ok", out="EHOSTUNREACH")
        self.assert_first(ZONE)
        self.assert_first(ZONE, "--from", "named", f"{CLIENT}:8088")
        first = self.assert_first(ZONE, "web")
        self.assertIn("10.88.0.0/16", first["evidence"][0])
        self.assertIn("reject by table inet firewalld chain filter_F", first["evidence"][1])
        podman(ROOT, "network", "reload", "named")
        self.assert_nothing("named")
        self.assertEqual("podman network reload -a", self.assert_first(ZONE)["fix"][0])
        run(ROOT, first["fix"][0].split())
        self.assert_healthy()

    def test_zone_lost_when_it_reloads(self):
        """The lasting fix is a service; there is no systemd here, so its command is run."""
        self.firewalld()
        self.running(*SPECS)
        self.assert_healthy()
        cmd("--reload")
        self.assert_ways(ports="ok", host="ok", out="EHOSTUNREACH")
        first = self.assert_first(ZONE)
        self.assertEqual(f"lasting: systemctl enable --now {SERVICE.name}", first["fix"][1])
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.read_string(SERVICE.read_text())
        self.child(ROOT, unit["Service"]["ExecStart"].split())
        trusted = lambda: len(cmd("--zone=trusted", "--list-sources")) == 2
        wait_for(trusted, "netavark to tell firewalld of both networks")
        self.assert_healthy()
        cmd("--reload")
        wait_for(trusted, "netavark to tell it again")
        self.assert_healthy()

    def test_zone_lost_is_no_trouble_where_the_bridges_are_trusted(self):
        self.running(*SPECS)
        self.firewalld()
        for bridge in ("podman0", "podman1"):
            cmd("--zone=trusted", f"--add-interface={bridge}")
        self.assertEqual([], cmd("--zone=trusted", "--list-sources"))
        self.assert_healthy()

    def test_internal_network_without_names(self):
        """netavark does not tell firewalld of internal networks, so their queries meet the default zone."""
        self.firewalld()
        self.running(Net("inside", options=("--internal",)), Ctr("hidden", network="inside"))
        gateway = podman(ROOT, "network", "inspect", "inside", "--format", "{{(index .Subnets 0).Gateway}}")
        self.assertEqual("EHOSTUNREACH", answer(inside("hidden"), "udp", gateway, 53))
        fix = self.assert_first("fw.dns-input-drop")["fix"]
        self.addCleanup(run, ROOT, ["sh", "-c", "rm -f /etc/firewalld/zones/trusted.xml*"])
        run(ROOT, ["sh", "-ec", fix[0]])
        self.assert_nothing()
        self.assertEqual("ok", answer(inside("hidden"), "udp", gateway, 53))
        cmd("--reload")
        self.assert_nothing()

    def test_what_it_forbids_for_another_reason(self):
        self.firewalld()
        self.running(*SPECS)
        cmd("--zone=trusted", "--add-rich-rule=rule family=ipv4 source address=10.89.0.0/24 port port=53 protocol=udp drop")
        first = self.assert_first("fw.dns-input-drop", "named")
        self.assertIn("table inet firewalld chain filter_IN_trusted_deny", first["evidence"][0])
        self.assertIn("firewall-cmd --list-all-zones", first["fix"][0])
        cmd("--reload")
        self.addCleanup(run, ROOT, ["sh", "-c", "rm -f /etc/firewalld/policies/quiet.xml*"])
        for words in ("--new-policy=quiet", "--policy=quiet --add-ingress-zone=trusted", "--policy=quiet --add-egress-zone=ANY",
                      "--policy=quiet --set-target=DROP"):
            cmd("--permanent", *words.split())
        cmd("--reload")
        podman(ROOT, "network", "reload", "-a")
        first = self.assert_first("fw.foreign-forward-drop", "web", also=("fw.explicit-drop",))
        self.assertIn("table inet firewalld chain filter_FWD_policy_quiet", first["evidence"][0])
        self.assertIn("firewall-cmd --list-all-policies", first["fix"][0])
        cmd("--permanent", "--delete-policy=quiet")
        cmd("--reload")
        podman(ROOT, "network", "reload", "-a")
        self.assert_healthy()

    @only_in("sid")
    def test_strict_forward_ports_refuse_the_start(self):
        """netavark 1.17 looks at the setting itself. A reload of a running container would leave half of its rules."""
        self.firewalld()
        self.setting("yes")
        cmd("--reload")
        self.addCleanup(podman, ROOT, "rm", "-f", "late", check=False)
        done = run(ROOT, ["podman", "run", "-d", "--name", "late", "-p", "28080:80", lib.IMAGE, *lib.WEB], check=False)
        self.assertIn("StrictForwardPorts", done.stderr)
        first = self.assert_first(STRICT)
        self.setting("no")
        run(ROOT, ["sh", "-ec", first["fix"][0].partition(", then ")[2]])
        self.assert_nothing()
        self.assertEqual("ok", answer(("ip", "netns", "exec", "client"), "tcp", HOST, 28080))

    @only_in("deb13")
    def test_strict_forward_ports(self):
        self.firewalld()
        self.running(*SPECS)
        self.setting("yes")
        self.assert_healthy()  # it takes effect with the next reload
        cmd("--reload")
        podman(ROOT, "network", "reload", "-a")
        self.assert_ways(ports="EHOSTUNREACH", host="EHOSTUNREACH", out="ok")
        first = self.assert_first(STRICT)
        self.assertRegex(first["evidence"][0], r"table inet firewalld chain filter_FORWARD_dnat")
        self.assert_first(STRICT, "--from", "host", "web:28080")
        self.assert_first(STRICT, "web:28080")
        everything, *single = first["fix"]
        # The fix for clients outside: what remains is told, and is in the way of the host alone.
        self.assertEqual(2, len([fix for fix in single if "--add-forward-port" in fix]), first)
        for fix in single:
            run(ROOT, fix.partition(": ")[2].split())
        self.assert_ways(ports="ok", host="EHOSTUNREACH", out="ok")
        self.assert_nothing()
        self.assertEqual("note", ask(ROOT).of(STRICT)["severity"])
        self.assert_first(STRICT, "--from", "host", "web:28080")
        # The fix for everybody, in force with the reload.
        self.setting("no")
        self.assertEqual("note", ask(ROOT).of(STRICT)["severity"])
        setting, _, commands = everything.partition(", then ")
        self.assertEqual(f"StrictForwardPorts=no in {CONF}", setting)
        run(ROOT, ["sh", "-ec", commands])
        self.assertNotIn(STRICT, [f["id"] for f in ask(ROOT).findings])
        self.assert_healthy()
