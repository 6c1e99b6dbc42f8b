# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark probe --from ssh://: what a machine outside sees, through a real sshd in the namespace `client`."""

import json
import pathlib

import lib
import lib_sshd
from lib import CLIENT, HOST, RIG, ROOT, WORLD, Ctr, RigTest, podman, run, wait_for
from lib_podshark import podshark

IDLE = ("sleep", "1000000")
CONTAINERS = (
    Ctr("web", ports=("8080:80", "127.0.0.1:8081:80")),
    Ctr("own", user=RIG, ports=("18080:80",)),
    Ctr("idle", user=RIG, ports=("18081:80",), cmd=IDLE),
)
USAGE, UNSUPPORTED, UNREACHED = 2, 7, 12
FROM = f"ssh://other@{CLIENT}"


class Wishes(RigTest):
    """Needs no sshd."""

    def test_what_can_not_be_is_refused_in_one_line(self):
        for words, code, text in (
                (("--from", "ssh://", "web:80"), USAGE, "is not ssh://[USER@]HOST[:PORT]"),
                (("--from", "ssh://-oProxyCommand=id", "web:80"), USAGE, "is not ssh://"),
                (("--from", "ssh://a;id", "web:80"), USAGE, "is not ssh://"),
                (("--from", FROM, "web:80/udp"), UNSUPPORTED, "udp cannot be probed from other machines"),
                (("--from", FROM, "web/icmp"), UNSUPPORTED, "icmp cannot be probed"),
                (("--from", FROM, "no.such.name:80"), UNSUPPORTED, "names cannot be looked up"),
                (("--from", FROM, "web:81"), UNSUPPORTED, "is not published either")):
            with self.subTest(words=words):
                done = podshark(ROOT, "probe", *words, check=False)
                self.assertEqual((code, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
                self.assertIn(text, done.stderr)
        done = podshark(ROOT, "trace", "--yes", "--from", FROM, "web:80", check=False)
        self.assertEqual(UNSUPPORTED, done.returncode)

    def test_a_machine_that_is_not_there_is_told_not_guessed(self):
        done = podshark(ROOT, "probe", "--from", "ssh://127.0.0.1:1", "web:80", check=False)
        self.assertEqual(UNSUPPORTED, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r"^web:80/tcp from ssh://127\.0\.0\.1:1: not measured: .*Connection refused")


class Outside(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tmp = lib_sshd.start(cls, CLIENT, enter=("ip", "netns", "exec", "client"))

    def probe(self, user, *args, code=0):
        done = podshark(user, "probe", "--from", FROM, "--json", *args, check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        return results[0] if len(results) == 1 else results

    def test_published_ports_are_reached_from_outside(self):
        for user, target, port in ((ROOT, "web:80", 8080), (RIG, "own:80", 18080), (RIG, "host:18080", 18080)):
            with self.subTest(target):
                got = self.probe(user, target)
                self.assertEqual("ok", got["outcome"], got)
                self.assertEqual((HOST, port), (got["address"], got["port"]), got)
                self.assertEqual(FROM, got["from"])
        text = podshark(ROOT, "probe", "--from", FROM, "web:80").stdout
        self.assertRegex(text, rf"^web:80/tcp from {FROM}: ok: .*\({HOST}:8080, [\d.]+ ms\)")
        self.assertNotIn("not measured", text)

    def test_what_only_outsiders_suffer_is_seen(self):
        run(ROOT, ["nft", f"add table inet t; add chain inet t f {{ type filter hook forward priority 10; }}; "
                   f"add rule inet t f ip saddr {CLIENT} tcp dport 80 drop"])
        self.addCleanup(run, ROOT, ["nft", "delete", "table", "inet", "t"])
        self.assertEqual(0, podshark(ROOT, "probe", "web:80", "--published").returncode)
        self.assertEqual("filtered", self.probe(ROOT, "web:80", "--timeout", "1", code=UNREACHED)["outcome"])

    def test_rules_that_are_gone_are_no_open_port(self):
        self.addCleanup(podman, ROOT, "network", "reload", "-a")
        for command in (["nft", "delete", "table", "inet", "netavark"], ["iptables", "-t", "nat", "-F"]):
            run(ROOT, command, check=False)
        got = self.probe(ROOT, "web:80", code=UNREACHED)
        self.assertEqual("silent", got["outcome"], got)
        self.assertIn("DNAT is missing", got["reason"])

    def test_forwarders_without_application_are_no_open_port(self):
        got = self.probe(RIG, "idle:80", code=UNREACHED)
        self.assertIn(got["outcome"], ("closed", "refused"), got)
        self.assertIn("nothing listens on port 80 inside 'idle'", got["reason"])

    def test_ports_of_the_hosts_loopback_are_told(self):
        podman(ROOT, "run", "-d", "--name", "inner", "-p", "127.0.0.1:8082:80", lib.IMAGE, *lib.WEB)
        self.addCleanup(podman, ROOT, "rm", "-f", "-t", "0", "inner")
        done = podshark(ROOT, "probe", "--from", FROM, "inner:80", check=False)
        self.assertEqual(UNSUPPORTED, done.returncode, done.stdout)
        self.assertIn("published on 127.0.0.1 only: other machines cannot reach it", done.stderr)

    def test_refused_and_unreachable(self):
        self.assertEqual("refused", self.probe(ROOT, f"{HOST}:9", code=UNREACHED)["outcome"])
        self.assertEqual("unreachable", self.probe(ROOT, "198.51.100.1:80", code=UNREACHED)["outcome"])

    def test_all_published_ports(self):
        got = self.probe(ROOT, "web", "--all-ports")
        self.assertEqual((FROM, "ok", 8080), (got["from"], got["outcome"], got["port"]))

    def test_a_listener_tells_how_the_client_looks(self):
        podman(ROOT, "run", "-d", "--name", "empty", "-p", "8083:9001", lib.IMAGE, *IDLE)
        self.addCleanup(podman, ROOT, "rm", "-f", "-t", "0", "empty")
        got = self.probe(ROOT, "empty:9001", "--listen")
        self.assertEqual(("ok", CLIENT), (got["outcome"], got["listener"]["source_address"]), got)

    def test_a_login_that_fails_is_told(self):
        done = podshark(ROOT, "probe", "--from", f"ssh://nobody-here@{CLIENT}", "web:80", check=False)
        self.assertEqual(UNSUPPORTED, done.returncode, done.stdout)
        self.assertRegex(done.stdout, r"not measured: ssh://nobody-here@[\d.]+: .*Permission denied")
        known = pathlib.Path(lib.environment(ROOT)["HOME"], ".ssh/known_hosts")
        before = known.read_text()
        self.addCleanup(known.write_text, before)
        known.write_text("")
        done = podshark(ROOT, "probe", "--from", FROM, "web:80", check=False)
        self.assertRegex(done.stdout, r"not measured: .*Host key verification failed")

    def test_nothing_is_left_over_there(self):
        self.probe(ROOT, "web:80")
        wait_for(lambda: not lib.processes("timeout", "cat"), "the far side to end", 10)


if WORLD == "deb12":
    del Outside  # sshd is in the Debian 13 root only
