# SPDX-License-Identifier: GPL-2.0-or-later
"""`podshark check`: one thing is broken, and exactly that is found. Names in brackets are those of the checks."""

import os
import pathlib
import signal

import lib
from lib import CLIENT, HOST, RIG, ROOT, Ctr, Net, Pod, fetch, podman, quick, run, wait_for
from lib_check import HOLD, NEW, CheckTest, ask, nft, only_new, only_old, sysctl
from lib_podshark import podshark

CONTAINERS = (Net("lan"), Ctr("web", ports=("28080:80",)), Ctr("named", network="lan", ports=("28081:80",)),
              Ctr("own", user=RIG, ports=("28090:80",)))


def bridge_of(network="podman"):
    return lib.podman_json(ROOT, "network", "inspect", network)[0]["network_interface"]


def veth_of(up):
    """The host's end of its eth0."""
    links = lib.json.loads(run(ROOT, ["ip", "-j", "-d", "link"]).stdout)
    inside = lib.json.loads(up.enter("ip", "-j", "link", "show", "eth0").stdout)[0]
    index = inside["link_index"]
    return next(link["ifname"] for link in links if link["ifindex"] == index)


class Healthy(CheckTest):
    @quick
    def test_healthy_containers_have_no_findings(self):
        self.assert_nothing()
        self.assert_nothing(user=RIG)

    def test_every_kind_of_network_is_healthy(self):
        self.running(Net("dual", options=("--ipv6",)), Net("inside", options=("--internal",)), Net("ours", user=RIG),
                     Pod("shop", ports=("28082:80",), members=("front", "back")),
                     Ctr("two", network="lan,dual", ports=("28083:80",)), Ctr("hidden", network="inside"),
                     Ctr("hosted", network="host", cmd=("sleep", "1000000")),
                     Ctr("alone", network="none", cmd=("sleep", "1000000")),
                     Ctr("member", user=RIG, network="ours", ports=("28091:80",)),
                     Pod("rpod", user=RIG, ports=("28092:80",), members=("rfront",)))
        self.assert_nothing()
        self.assert_nothing(user=RIG)
        for target in ("web:80", "web:28080", "pod/shop", "front:80", "two:80", "host"):
            if target != "host":
                self.assert_nothing(target)
        self.assert_nothing("--from", "named", "two:80")
        self.assert_nothing("--from", "host", "web:80")

    def test_who_may_not_see_everything_is_told_what(self):
        report = ask(RIG)
        self.assertIn("firewall rules of the host", [u["what"] for u in report.unseen])


class Usage(CheckTest):
    def refused(self, code, *args):
        done = podshark(ROOT, "check", *args, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        return done.stderr

    def test_bad_input_is_one_clear_line(self):
        self.assertIn("no container 'nobody'", self.refused(3, "nobody"))
        self.assertIn("no container 'nobody'", self.refused(3, "--from", "nobody", "web"))
        self.assertIn("no pod", self.refused(3, "pod/nothing"))
        self.assertIn("1 to 65535", self.refused(2, "web:70000"))
        self.assertIn("1 to 65535", self.refused(2, "web:http"))
        self.assertIn("unknown protocol", self.refused(2, "web:80/sctp"))
        self.assertIn("one target", self.refused(2, "web", "named"))
        self.assertIn("no check", self.refused(2, "--explain", "nothing"))
        self.refused(2, "--colour")

    def test_checks_explain_themselves(self):
        names = [line.split()[0] for line in podshark(ROOT, "check", "--explain", "all").stdout.splitlines()]
        self.assertIn("fw.rules-flushed", names)
        for name in names:
            self.assertIn(name, podshark(ROOT, "check", "--explain", name).stdout)

    def test_text_names_evidence_and_fix(self):
        self.broken(["nft", "add table inet t; add chain inet t f { type filter hook forward priority 10; policy drop; }"],
                    ("nft", "delete", "table", "inet", "t"))
        text = podshark(ROOT, "check", check=False).stdout
        self.assertRegex(text, r"(?m)^error +container .*web.*: another firewall .*\[fw\.foreign-forward-drop\]$")
        self.assertRegex(text, r"(?m)^ +seen: .*table inet t chain f")
        self.assertRegex(text, r"(?m)^ +fix: nft insert rule inet t f ")


class Firewall(CheckTest):
    def table(self, *chain):
        self.broken(nft("add table inet t", *chain), ("nft", "delete", "table", "inet", "t"))

    @quick
    def test_rules_flushed(self):
        if NEW:
            self.broken(["nft", "delete", "table", "inet", "netavark"])
        else:
            self.broken([["iptables", "-t", "nat", "-F"], ["iptables", "-F"]])
        first = self.assert_first("fw.rules-flushed", "web")
        self.assertIn("podman network reload -a", first["fix"])
        fetch_once = lib.client(["busybox", "timeout", "1", "busybox", "wget", "-q", "-O", "-", f"http://{HOST}:28080/"], check=False)
        self.assertNotEqual(0, fetch_once.returncode)

    @only_old
    def test_forward_policy_drop(self):
        self.broken(["iptables", "-P", "FORWARD", "DROP"], ("iptables", "-P", "FORWARD", "ACCEPT"))
        self.assert_first("fw.forward-policy-drop", "web")

    @only_new
    def test_iptables_policy_beside_nftables_rules(self):
        self.broken(["iptables", "-P", "FORWARD", "DROP"], ("iptables", "-P", "FORWARD", "ACCEPT"))
        self.assert_first("fw.foreign-forward-drop", "web")

    def test_foreign_forward_drop(self):
        self.table("add chain inet t f { type filter hook forward priority 10; policy drop; }")
        first = self.assert_first("fw.foreign-forward-drop", "web")
        self.assertIn("table inet t chain f", first["evidence"][0])

    def test_explicit_drop_after_dnat(self):
        self.table("add chain inet t f { type filter hook forward priority -1; }", "add rule inet t f tcp dport 80 counter drop")
        first = self.assert_first("fw.explicit-drop", "web")
        self.assertIn("nft delete rule inet t f handle", first["fix"][0])

    def test_explicit_drop_before_dnat(self):
        self.table("add chain inet t p { type filter hook prerouting priority -300; }", "add rule inet t p tcp dport 28080 drop")
        self.assert_first("fw.explicit-drop", "web")

    def test_dns_input_drop(self):
        self.table("add chain inet t i { type filter hook input priority 10; }",
                   'add rule inet t i iifname "podman*" udp dport 53 counter drop')
        self.assert_first("fw.dns-input-drop", "named")

    @only_old
    def test_mark_missing(self):
        podman(ROOT, "run", "-d", "--name", "second", "-p", "28080:80", lib.IMAGE, "sleep", "1000000", check=False)
        self.addCleanup(podman, ROOT, "network", "reload", "web")
        podman(ROOT, "rm", "-f", "-t", "0", "second")
        self.assert_first("nat.mark-missing", "web")

    def test_stale_dnat(self):
        up = self.running(Ctr("dead", ports=("28070:80",)))["dead"]
        state = up.inspect()["State"]
        for pid in (state["ConmonPid"], state["Pid"]):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not os.path.exists(f"/proc/{state['Pid']}"), "the container's end")
        self.running(Ctr("alive", ports=("28070:80",)))
        self.assert_first("nat.stale-dnat", "alive")
        self.assert_first("ctr.crashed-shown-running", "dead", also=("nat.stale-dnat",))
        podman(ROOT, "rm", "-f", "-t", "0", "dead", check=False)
        podman(ROOT, "rm", "-f", "-t", "0", "dead", check=False)  # 5.4.2 needs it twice

    def test_isolation(self):
        self.running(Net("one", options=("--opt", "isolate=true")), Net("other", options=("--opt", "isolate=true")),
                     Ctr("k1", network="one"), Ctr("k2", network="other"))
        self.assert_first("net.isolation", "--from", "k1", "k2:80")
        self.assert_nothing()
        self.assertEqual("note", ask(ROOT).of("net.isolation")["severity"])

    @only_new
    def test_strict_isolation(self):
        self.running(Net("strict", options=("--opt", "isolate=strict")), Ctr("k3", network="strict"))
        self.assert_first("net.isolation", "--from", "k3", "web:80")


    @only_new
    def test_asymmetric_way(self):
        """client side of `as` → container directly, answers through the host: as - direct - box, as - host - box."""
        up = self.running(Ctr("box"))["box"]
        self.addCleanup(run, ROOT, ["ip", "netns", "del", "as"])
        for words in ("netns add as", "link add ash type veth peer name up0 netns as",
                      f"link add asd type veth peer name dir0 netns as", f"link set asd netns {up.pid}",
                      "addr add 10.98.0.1/24 dev ash", "link set ash up", "-n as addr add 10.98.0.2/24 dev up0",
                      "-n as link set up0 up", "-n as addr add 10.99.0.1/24 dev dir0", "-n as link set dir0 up"):
            run(ROOT, ["ip", *words.split()])
        up.enter("ip", "addr", "add", "10.99.0.2/24", "dev", "asd")
        up.enter("ip", "link", "set", "asd", "up")
        run(ROOT, ["ip", "-n", "as", "route", "add", f"{up.address}/32", "via", "10.99.0.2", "src", "10.98.0.2"])
        quiet = "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done"
        up.enter("sh", "-c", quiet)
        run(ROOT, ["ip", "netns", "exec", "as", "sh", "-c", quiet])
        run(ROOT, ["sh", "-c", "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/ash/rp_filter"])
        run(ROOT, ["ip", "netns", "exec", "as", "busybox", "timeout", "1", "busybox", "wget", "-q", "-O", "-",
                   f"http://{up.address}/"], check=False)
        self.assert_first("fw.ct-invalid", "box")

    @only_new
    def test_backend_unusable(self):
        for tool in ("nft", "iptables"):
            (self.tmp / tool).write_text("#!/bin/sh\nexit 1\n")
            (self.tmp / tool).chmod(0o755)
        self.addCleanup(podman, ROOT, "rm", "-f", "-t", "0", "norules", check=False)
        run(ROOT, ["podman", "run", "-d", "--name", "norules", lib.IMAGE, *lib.WEB], check=False,
            env={"PATH": f"{self.tmp}:/usr/sbin:/usr/bin:/sbin:/bin"})
        self.assert_first("fw.backend-unusable", "norules")


class Settings(CheckTest):
    def test_forwarding_off(self):
        with sysctl("net.ipv4.ip_forward", 0):
            self.assert_first("sysctl.ip-forward", "web")
        with sysctl(f"net.ipv4.conf.{bridge_of()}.forwarding", 0):
            self.assert_first("sysctl.ip-forward", "web")

    def test_strict_reverse_path_filter(self):
        up = self.running(Net("m1"), Net("m2"), Ctr("both", network="m1,m2", ports=("28071:80",)))["both"]
        up.enter("sh", "-c", "for i in all eth0 eth1; do echo 1 > /proc/sys/net/ipv4/conf/$i/rp_filter; done")
        self.assert_first("sysctl.rp-filter", "both")

    def test_route_localnet_off(self):
        with sysctl(f"net.ipv4.conf.{bridge_of()}.route_localnet", 0):
            self.assert_first("sysctl.route-localnet", "web")

    def test_no_default_route(self):
        up = lib.RigTest.up["web"]
        self.addCleanup(podman, ROOT, "network", "reload", "web")
        up.enter("ip", "route", "del", "default")
        self.assert_first("ctr.no-default-route", "web")

    def test_captured_subnet(self):
        address = lib.RigTest.up["web"].address
        self.broken(["ip", "route", "add", f"{address}/32", "via", CLIENT], ("ip", "route", "del", f"{address}/32"))
        self.assert_first("route.subnet-captured", "web")

    def test_captured_by_a_policy_rule(self):
        self.broken([["ip", "route", "add", "default", "via", CLIENT, "table", "99"],
                     ["ip", "rule", "add", "to", "10.88.0.0/16", "table", "99", "pref", "50"]],
                    [("ip", "route", "flush", "table", "99"), ("ip", "rule", "del", "pref", "50")])
        self.assert_first("route.subnet-captured", "web")

    def test_static_neighbour(self):
        address = lib.RigTest.up["web"].address
        self.broken(["ip", "neigh", "replace", address, "lladdr", "02:00:00:00:00:99", "dev", bridge_of(), "nud", "permanent"],
                    ("ip", "neigh", "del", address, "dev", bridge_of()))
        self.assert_first("l2.duplicate-or-static-neigh", "web")


    def test_duplicate_address(self):
        address, bridge = lib.RigTest.up["web"].address, bridge_of()
        self.addCleanup(run, ROOT, ["ip", "neigh", "flush", "dev", bridge])
        self.addCleanup(run, ROOT, ["ip", "netns", "del", "twin"])
        for words in ("netns add twin", "link add twh type veth peer name eth0 netns twin", f"link set twh master {bridge} up",
                      "-n twin link set eth0 address 02:00:00:00:00:77", f"-n twin addr add {address}/16 dev eth0",
                      "-n twin link set eth0 up"):
            run(ROOT, ["ip", *words.split()])
        # The last answer to the host's question wins; a gratuitous one makes the twin's the last.
        def twin_won():
            run(ROOT, ["ip", "netns", "exec", "twin", "busybox", "arping", "-A", "-c", "1", "-I", "eth0", address], check=False)
            return "02:00:00:00:00:77" in run(ROOT, ["ip", "neigh", "show", address, "dev", bridge]).stdout
        run(ROOT, ["ping", "-c", "1", "-W", "1", address], check=False)
        wait_for(twin_won, "the host to believe the twin")
        self.assert_first("l2.duplicate-or-static-neigh", "web")


class Bridge(CheckTest):
    """On a network of their own, so that a reload makes the bridge anew."""

    def setUp(self):
        super().setUp()
        self.box = self.running(Net("br"), Ctr("box", network="br", ports=("28072:80",)))["box"]
        self.bridge = bridge_of("br")

    def test_veth_off_the_bridge(self):
        run(ROOT, ["ip", "link", "set", veth_of(self.box), "nomaster"])
        self.assert_first("link.bridge-broken", "box")

    def test_veth_down(self):
        run(ROOT, ["ip", "link", "set", veth_of(self.box), "down"])
        self.assert_first("link.bridge-broken", "box")

    def test_bridge_down(self):
        run(ROOT, ["ip", "link", "set", self.bridge, "down"])
        self.assert_first("link.bridge-broken", "box", also=("route.subnet-captured",))

    def test_bridge_without_address(self):
        gateway = self.box.inspect()["NetworkSettings"]["Networks"]["br"]["Gateway"]
        run(ROOT, ["ip", "addr", "del", f"{gateway}/24", "dev", self.bridge])
        self.assert_first("link.bridge-broken", "box", also=("route.subnet-captured", "dns.server-dead"))

    def test_own_published_port_through_the_bridge_filter(self):
        with sysctl("net.bridge.bridge-nf-call-iptables", 1):
            self.assert_first("l2.br-netfilter", "--from", "box", f"{HOST}:28072")
            self.assert_nothing("box")

    def test_siblings_apart(self):
        self.running(Ctr("sister", network="br"))
        self.broken(nft("add table inet t", "add chain inet t f { type filter hook forward priority 10; policy drop; }"),
                    ("nft", "delete", "table", "inet", "t"))
        with sysctl("net.bridge.bridge-nf-call-iptables", 1):
            self.assert_first("l2.br-netfilter", "--from", "sister", "box:80")


class Programs(CheckTest):
    def test_loopback_only(self):
        self.running(Ctr("shy", ports=("28043:80",), cmd=("httpd", "-f", "-p", "127.0.0.1:80")),
                     Ctr("shy", user=RIG, ports=("28044:80",), cmd=("httpd", "-f", "-p", "127.0.0.1:80")))
        self.assert_first("app.loopback-only", "shy")
        self.assert_first("app.loopback-only", "shy", user=RIG)

    @quick
    def test_not_listening(self):
        self.running(Ctr("wrong", ports=("28042:81",)), Ctr("wrong", user=RIG, ports=("28045:81",)))
        for user in (ROOT, RIG):
            wait_for(lambda user=user: ":80 " in lib.Up("wrong", user).enter("ss", "-Hltn").stdout, "httpd to listen")
            first = self.assert_first("app.not-listening", "wrong", user=user)
            self.assertIn("it listens on 80", first["evidence"][0])

    def test_asked_port_has_no_listener(self):
        self.assert_first("app.not-listening", "web:8080")

    def test_published_on_one_address(self):
        self.running(Ctr("local", ports=("127.0.0.1:28046:80",)))
        self.assert_nothing("local")
        self.assertEqual("note", ask(ROOT, "local").of("port.host-ip")["severity"])

    def test_published_on_another_address_than_asked(self):
        self.running(Ctr("local", ports=("127.0.0.1:28046:80",)))
        self.assert_first("port.host-ip", f"{HOST}:28046")

    def test_port_in_use(self):
        self.listener(HOLD, "tcp", "0.0.0.0", "28047")
        self.addCleanup(podman, ROOT, "rm", "-f", "late", check=False)
        podman(ROOT, "run", "-d", "--name", "late", "-p", "28047:80", lib.IMAGE, *lib.WEB, check=False)
        first = self.assert_first("port.in-use", "late")
        self.assertIn("python3", first["evidence"][0])

    def test_port_in_use_when_restarted(self):
        self.running(Ctr("late", ports=("28059:80",)))
        podman(ROOT, "stop", "-t", "0", "late")
        self.assert_nothing("late")
        self.listener(HOLD, "tcp", "0.0.0.0", "28059")
        done = run(ROOT, ["podman", "restart", "late"], check=False)
        self.assertIn("address already in use", done.stderr)
        self.assert_first("port.in-use", "late")

    def test_port_in_use_rootless(self):
        self.listener(HOLD, "tcp", "0.0.0.0", "28048")
        self.addCleanup(podman, RIG, "rm", "-f", "late", check=False)
        podman(RIG, "run", "-d", "--name", "late", "-p", "28048:80", lib.IMAGE, *lib.WEB, check=False)
        if NEW and lib.podman_json(RIG, "inspect", "late")[0]["State"]["Running"]:
            self.assert_first("port.pasta-v6-only", "late", user=RIG)  # its owner is another user: see test there
        else:
            self.assert_first("port.in-use", "late", user=RIG)

    def test_privileged_port(self):
        self.addCleanup(podman, RIG, "rm", "-f", "low", check=False)
        podman(RIG, "run", "-d", "--name", "low", "-p", "81:80", lib.IMAGE, *lib.WEB, check=False)
        self.assert_first("port.privileged-rootless", "low", user=RIG)

    def test_crashed(self):
        up = self.running(Ctr("gone"))["gone"]
        state = up.inspect()["State"]
        for pid in (state["ConmonPid"], state["Pid"]):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not os.path.exists(f"/proc/{state['Pid']}"), "the container's end")
        self.assert_first("ctr.crashed-shown-running", "gone")
        podman(ROOT, "rm", "-f", "-t", "0", "gone", check=False)

    def test_address_taken(self):
        self.running(Net("few", options=("--subnet", "10.77.0.0/24")), Ctr("first", network="few", options=("--ip", "10.77.0.9")))
        self.addCleanup(podman, ROOT, "rm", "-f", "late", check=False)
        podman(ROOT, "run", "-d", "--name", "late", "--network", "few", "--ip", "10.77.0.9", lib.IMAGE, check=False)
        self.assert_first("ipam.conflict", "late")


class ByDesign(CheckTest):
    """Notes, unless the question runs into them."""

    def test_internal_network(self):
        self.running(Net("inside", options=("--internal",)), Ctr("hidden", network="inside", ports=("28049:80",)))
        self.assert_nothing()
        self.assert_first("net.internal", "hidden:28049")

    def test_macvlan(self):
        self.running(Net("mv", options=("-d", "macvlan", "-o", "parent=wan0", "--subnet", "203.0.113.0/24", "--gateway", CLIENT)),
                     Ctr("mac", network="mv", options=("--ip", "203.0.113.77")))
        self.assert_nothing()
        self.assert_first("net.macvlan-host", "--from", "host", "mac:80")

    def test_names_on_the_default_network(self):
        self.running(Ctr("peer"))
        self.assert_nothing()
        self.assert_first("dns.default-network", "--from", "peer", "web:80")

    def test_mode_ignores_ports(self):
        self.running(Ctr("void", network="none", ports=("28050:80",)))
        self.assert_nothing()
        self.assert_first("port.mode-ignores", "void")

    def test_pod_member(self):
        self.running(Pod("plain", members=("inner",)))
        self.assertEqual("note", ask(ROOT, "inner").of("pod.port-on-member")["severity"])

    def test_ipv6_loopback(self):
        first = self.assert_first("ipv6.partial", "[::1]:28080")
        self.assertIn("127.0.0.1", first["fix"][0])

    def test_ipv6_loopback_of_a_dual_network(self):
        self.running(Net("d6", options=("--ipv6",)), Ctr("six", network="d6", ports=("28055:80",)))
        self.assert_nothing("six")
        first = self.assert_first("ipv6.partial", "[::1]:28055")
        self.assertIn("hang", first["what"])

    def test_client_addresses_behind_rootlessport(self):
        self.running(Net("ours", user=RIG), Ctr("fwd", user=RIG, network="ours", ports=("28056:80",)))
        self.assertEqual("note", ask(RIG, "fwd").of("rootless.source-address-lost")["severity"])

    def test_no_peer(self):
        self.running(Ctr("p1", user=RIG), Ctr("p2", user=RIG))
        self.assert_nothing(user=RIG)
        self.assert_first("rootless.no-peer", "--from", "p1", "p2:80", user=RIG)

    def test_host_address_from_inside(self):
        if NEW:
            self.assert_first("rootless.pasta-host-address", "--from", "own", f"{HOST}:22", user=RIG)
        else:
            self.assert_first("rootless.slirp-host-loopback", "--from", "own", "10.0.2.2:22", user=RIG)

    def test_ping(self):
        self.running(Ctr("pinger", user=RIG))
        with sysctl("net.ipv4.ping_group_range", "1 0"):
            self.assert_first("rootless.ping", "--from", "pinger", f"{CLIENT}/icmp", user=RIG)


class Rootless(CheckTest):
    def owner_of(self, port):
        text = run(ROOT, ["ss", "-Hltnp", f"sport = :{port}"]).stdout
        return int(text.split("pid=")[1].split(",")[0])

    def test_rootlessport_dead(self):
        self.running(Net("ours", user=RIG), Ctr("fwd", user=RIG, network="ours", ports=("28051:80",)))
        self.assert_nothing("fwd", user=RIG)
        os.kill(self.owner_of(28051), signal.SIGKILL)
        wait_for(lambda: "28051" not in run(ROOT, ["ss", "-Hltn"]).stdout, "the port to close")
        self.assert_first("rootless.rootlessport-dead", "fwd", user=RIG)

    def test_uplink_of_the_container_dead(self):
        up = self.running(Ctr("cut", user=RIG, ports=("28052:80",)))["cut"]
        links = "ip", "-j", "link"
        name = "pasta" if NEW else "slirp4netns"
        for pid in lib.processes(name, "pasta.avx2"):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
            if NEW and "28052" not in words:
                continue
            if not NEW and str(up.pid) not in words and up.inspect()["NetworkSettings"]["SandboxKey"] not in words:
                continue
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(lib.json.loads(up.enter(*links).stdout)) == 1, "the tap device to vanish")
        self.assert_first("rootless.pasta-dead" if NEW else "rootless.slirp-dead", "cut", user=RIG)

    def test_uplink_of_the_networks_dead(self):
        self.running(Net("ours", user=RIG), Ctr("bridged", user=RIG, network="ours"))
        base = pathlib.Path(f"/run/user/{lib.pwd.getpwnam(RIG).pw_uid}")
        found = list(base.glob("containers/networks/rootless-netns/rootless-netns-conn.pid")) + \
            list(base.glob("libpod/tmp/rootless-netns/rootless-netns-slirp4netns.pid"))
        pid = int(found[0].read_text())
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the uplink's end")
        first = self.assert_first("rootless.uplink-dead", "bridged", user=RIG)
        self.assertIn(f"{'pasta' if NEW else 'slirp4netns'} (pid {pid}) is gone", first["evidence"][0])

    @only_new
    def test_restart_meets_its_old_pasta(self):
        """Left alone, most restarts meet it; stopped, the old pasta surely has not let go of the port."""
        self.running(Ctr("again", user=RIG, ports=("28101:80",)))
        self.assert_nothing("again", user=RIG)
        pasta = self.owner_of(28101)
        self.addCleanup(run, ROOT, ["kill", "-CONT", str(pasta)], check=False)
        os.kill(pasta, signal.SIGSTOP)
        done = run(RIG, ["podman", "restart", "-t", "0", "again"], check=False)
        self.assertIn("Address already in use", done.stderr)
        self.assertEqual("", lib.podman_json(RIG, "inspect", "again")[0]["State"]["Error"])
        first = self.assert_first("port.in-use", "again", user=RIG)
        self.assertIn(f"(pid {pasta})", first["evidence"][0])
        os.kill(pasta, signal.SIGCONT)
        wait_for(lambda: "28101" not in run(ROOT, ["ss", "-Hltn"]).stdout, "the old pasta to let go")
        self.assert_first("port.restart-race", user=RIG)
        first = self.assert_first("port.restart-race", "again", user=RIG)
        self.assertEqual("podman start again", first["fix"][0])
        for fix in first["fix"]:
            run(RIG, ["sh", "-ec", fix.rpartition(": ")[2]])
            self.assertIn("hello", fetch(28101))
            self.assert_nothing("again", user=RIG)
        podman(RIG, "stop", "-t", "0", "again")
        self.assert_nothing(user=RIG)  # down because somebody wanted it

    @only_new
    def test_started_before_the_network(self):
        self.addCleanup(run, ROOT, ["ip", "route", "replace", "default", "via", CLIENT])
        run(ROOT, ["ip", "route", "del", "default"])
        self.running(Ctr("early", user=RIG))
        run(ROOT, ["ip", "route", "add", "default", "via", CLIENT])
        self.assert_first("rootless.started-before-network", "early", user=RIG)


class Names(CheckTest):
    def test_name_server_dead(self):
        pid = int(pathlib.Path("/run/containers/networks/aardvark-dns/aardvark.pid").read_text())
        self.addCleanup(podman, ROOT, "network", "reload", "named")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its end")
        self.assert_first("dns.server-dead", "named")

    def test_port_of_names_taken(self):
        run(ROOT, ["podman", "rm", "-f", "-t", "0", "named"])
        self.addCleanup(lib.start, Ctr("named", network="lan", ports=("28081:80",)))
        self.addCleanup(podman, ROOT, "rm", "-f", "-t", "0", "late", check=False)
        holder = self.listener(HOLD, "udp", "0.0.0.0", "53")
        self.addCleanup(lib.end, holder, signal.SIGKILL)
        podman(ROOT, "run", "-d", "--name", "late", "--network", "lan", lib.IMAGE, *lib.WEB, check=False)
        self.assert_first("dns.port-taken", "late")

    def test_upstream_dead(self):
        conf = pathlib.Path("/etc/resolv.conf")
        self.addCleanup(conf.write_text, conf.read_text())
        conf.write_text("nameserver 203.0.113.77\n")
        self.assert_first("dns.upstream-dead", "web")


class Connections(CheckTest):
    def test_stale_udp(self):
        send = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 40000)); "
                f"s.sendto(b'x', ('{HOST}', 28054))")
        self.addCleanup(podman, ROOT, "rm", "-f", "-t", "0", "udp", check=False)
        podman(ROOT, "create", "--name", "udp", "-p", "28054:53/udp", lib.IMAGE, "sleep", "1000000")
        run(ROOT, ["ip", "netns", "exec", "client", "/usr/bin/python3", "-c", send])
        podman(ROOT, "start", "udp")
        self.assert_first("ct.udp-stale", "udp", also=("app.not-listening",))

    def test_stale_udp_after_another_address(self):
        send = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 40001)); "
                f"s.sendto(b'x', ('{HOST}', 28057))")
        self.running(Net("moving"), Ctr("udp", network="moving", ports=("28057:53/udp",), cmd=("sleep", "1000000")))
        run(ROOT, ["ip", "netns", "exec", "client", "/usr/bin/python3", "-c", send])
        podman(ROOT, "stop", "-t", "0", "udp")
        self.running(Ctr("squatter", network="moving"))
        podman(ROOT, "start", "udp")
        if lib.Up("udp", ROOT).address == lib.Up("squatter", ROOT).address:
            self.fail("podman gave both the same address")
        self.assert_first("ct.udp-stale", "udp", also=("app.not-listening",))

    def test_path_mtu_black_hole(self):
        """client - router (mtu 1400 behind it) - host: the client's own mtu hides it, ICMP is dropped by the host."""
        big = self.tmp / "big"
        big.write_bytes(bytes(4 << 20))
        big.chmod(0o644)
        self.running(Ctr("bulk", ports=("28058:80",), options=("-v", f"{big}:/www/big:ro")))
        self.addCleanup(run, ROOT, ["ip", "netns", "del", "far"])
        self.addCleanup(run, ROOT, ["ip", "-n", "client", "route", "del", "default"], check=False)
        self.addCleanup(run, ROOT, ["ip", "route", "del", "198.51.100.0/24"], check=False)
        for words in ("netns add far", "-n client link add leg type veth peer name eth0 netns far",
                      "-n client addr add 198.51.100.1/24 dev leg", "-n client link set leg mtu 1400 up",
                      "-n far addr add 198.51.100.2/24 dev eth0", "-n far link set eth0 up", "-n far link set lo up",
                      "-n far route add default via 198.51.100.1", f"route add 198.51.100.0/24 via {CLIENT}"):
            run(ROOT, ["ip", *words.split()])
        lib.client(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
        self.broken(["iptables", "-I", "FORWARD", "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP"],
                    ("iptables", "-D", "FORWARD", "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP"))
        self.child(ROOT, ["ip", "netns", "exec", "far", "busybox", "wget", "-q", "-O", "/dev/null",
                          f"http://{HOST}:28058/big"])
        wait_for(lambda: "backoff" in lib.Up("bulk", ROOT).enter("ss", "-tinH").stdout, "TCP to time out")
        first = self.assert_first("mtu.black-hole", "bulk")
        fix = first["fix"][0].split("#")[0].split()
        self.assertEqual(["iptables", "-t", "filter", "-D", "FORWARD", "-p", "icmp"], fix[:7])
        run(ROOT, fix)  # what it prints takes that rule away
        self.assertNotIn("icmp", run(ROOT, ["iptables", "-S", "FORWARD"]).stdout)
