# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark-agent, as podshark sends it, in the namespaces of real containers; podshark itself takes no part."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import lib
import lib_agent
import lib_images
import lib_pcapng
from lib import OTHER, RIG, ROOT, Ctr, Net, Pod, RigTest, fetch, podman, podman_json, quick, run, wait_for
from lib_agent import Agent, compiled
from lib_podshark import mapped_rings, tshark

UNPRIVILEGED_WEB = ("httpd", "-f", "-p", "8080", "-h", "/www")
CONTAINERS = (
    Ctr("web", ports=("28780:80",)),
    Net("lan"),
    Ctr("own", user=RIG, ports=("28781:80",)),
    Ctr("kept", user=RIG, options=("--userns=keep-id",), cmd=UNPRIVILEGED_WEB),
    Ctr("hundred", user=RIG, options=("--user", "100"), cmd=UNPRIVILEGED_WEB),
    Pod("shop", members=("front", "back")),
    Net("mine", user=RIG),
    Ctr("bridged", user=RIG, network="mine"),
)
HELLO = b"hello from a podman"
PROGRAM = None


def setUpModule():
    global PROGRAM
    directory = tempfile.TemporaryDirectory(prefix="agent-")
    unittest.addModuleCleanup(directory.cleanup)
    os.chmod(directory.name, 0o755)
    PROGRAM = lib_agent.unpack(directory.name)


def status(pid):
    """/proc/PID/status as a dict."""
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())


def children(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def packet_sockets(up):
    return len(up.enter("cat", "/proc/net/packet").stdout.splitlines()) - 1


class AgentTest(RigTest):
    OURS = ("podshark-agent",)

    def capture(self, user, *args, **kwargs):
        return Agent(self, PROGRAM, user, *args, **kwargs)

    def refused(self, code, text, user, *args):
        done = run(user, [PROGRAM, "capture", *map(str, args)], check=False)
        self.assertEqual((code, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
        self.assertIn(text, done.stderr)
        self.assertTrue(done.stderr.startswith("podshark-agent: "), done.stderr)

    @staticmethod
    def ask_itself(up, port=80):
        up.exec("wget", "-q", "-O", "-", f"http://127.0.0.1:{port}/")


class EveryKind(AgentTest):
    def check(self, user, name, ask, link):
        """What is asked of the container is in the file of whoever owns it, and tshark reads it."""
        up = self.up[name]
        agent = self.capture(user, up.pid)
        agent.wait_links("0/lo", f"0/{link}")
        ask()
        agent.wait_data(HELLO, f"0/{link}")
        done = agent.stop()
        self.assertEqual(["0"], sorted({i.name.partition("/")[0] for i in done.interfaces}))
        for interface in done.interfaces:
            self.assertEqual((10**9, 262144), (interface.units, interface.snaplen))
        self.assertIn("200 OK", tshark(ROOT, "-r", agent.path, "-Y", "http.response"))
        self.assertEqual(0, packet_sockets(up))

    @quick
    def test_rootful_on_a_bridge(self):
        self.check(ROOT, "web", lambda: fetch(28780), "eth0")

    @quick
    def test_rootless_behind_slirp4netns_or_pasta(self):
        self.check(RIG, "own", lambda: self.ask_itself(self.up["own"]), "lo")
        agent = self.capture(RIG, self.up["own"].pid)
        agent.wait_links("0/lo")
        self.assertIn("hello", fetch(28781))
        agent.wait_data(HELLO)
        agent.stop()

    def test_rootless_on_a_bridge(self):
        self.check(RIG, "bridged", lambda: self.ask_itself(self.up["bridged"]), "lo")

    def test_rootless_with_the_users_own_ids(self):
        self.check(RIG, "kept", lambda: self.ask_itself(self.up["kept"], 8080), "lo")

    def test_rootless_as_another_user(self):
        self.check(RIG, "hundred", lambda: self.ask_itself(self.up["hundred"], 8080), "lo")

    def test_root_captures_those_of_others(self):
        self.check(ROOT, "own", lambda: self.ask_itself(self.up["own"]), "lo")

    def test_a_member_of_a_pod(self):
        self.check(ROOT, "back", lambda: self.ask_itself(self.up["front"]), "lo")


class Capturing(AgentTest):
    @quick
    def test_links_are_described(self):
        web = self.up["web"]
        done_now = self.capture(ROOT, web.pid)
        done_now.wait_links("0/lo", "0/eth0")
        eth0 = next(i for i in done_now.stop().interfaces if i.name == "0/eth0")
        self.assertEqual(("1", web.mac), (eth0.keys["type"], eth0.keys["mac"]))
        self.assertIn(web.address, [a.partition("/")[0] for a in eth0.keys["address"].split(",")])

    def test_several_targets_of_one_process(self):
        agent = self.capture(ROOT, self.up["web"].pid, self.up["own"].pid, self.up["front"].pid)
        agent.wait_links("0/eth0", "1/lo", "2/eth0")
        for target, name in enumerate(("web", "own", "front")):
            self.ask_itself(self.up[name])
            agent.wait_data(HELLO, f"{target}/lo")
        done = agent.stop()
        self.assertEqual({"0/lo", "1/lo", "2/lo"}, {p.interface.name for p in done.packets if HELLO in p.data})

    def test_named_links_only(self):
        agent = self.capture(ROOT, "-i", "eth0", self.up["web"].pid, self.up["own"].pid)
        agent.wait_links("0/eth0")
        self.assertIn("hello", fetch(28780))
        agent.wait_data(HELLO, "0/eth0")
        self.assertNotIn("0/lo", [i.name for i in agent.stop().interfaces])

    @quick
    def test_a_filter_runs_in_the_kernel_and_snaplen_cuts(self):
        web = self.up["web"]
        agent = self.capture(ROOT, "-s", "70", "-f", compiled("icmp"), web.pid)
        agent.wait_links("0/lo", "0/eth0")
        self.assertIn("hello", fetch(28780))
        run(ROOT, ["ping", "-c", "3", "-i", "0.2", "-s", "500", web.address])
        agent.wait(lambda now: len(now.packets_of("0/eth0")) >= 6, "six packets of ping")
        done = agent.stop()
        self.assertEqual({70}, {i.snaplen for i in done.interfaces})
        self.assertEqual({(70, 542)}, {(len(p.data), p.original_length) for p in done.packets})
        self.assertEqual({1}, {p.data[23] for p in done.packets})  # ICMP

    def test_links_without_a_header_that_is_known_have_a_cooked_one(self):
        lib.add_cooked_link(self, self.up["web"], "gre9", "10.99.9.1/24")
        agent = self.capture(ROOT, "-f", compiled("udp"), self.up["web"].pid)  # does not concern them
        agent.wait_links("0/gre9")
        self.up["web"].enter("ping", "-c", "1", "-W", "1", "10.99.9.2", check=False)
        agent.wait(lambda now: any(p.data[20 + 9] == 1 for p in now.packets_of("0/gre9")), "the ping")
        link = next(i for i in agent.stop().interfaces if i.name == "0/gre9")
        self.assertEqual((276, "778"), (link.linktype, link.keys["type"]))

    def test_a_ring_is_as_large_as_is_asked(self):
        agent = self.capture(ROOT, "-r", "1024", "-i", "lo", self.up["web"].pid)
        agent.wait_links("0/lo")
        self.assertEqual(1024 << 10, mapped_rings(agent.process.pid))
        agent.stop()

    def test_links_share_what_there_is_for_rings(self):
        def ip(words):
            self.up["web"].enter("ip", "-batch", "-", input="".join(words.format(n) + "\n" for n in range(20)))
        ip("link add d{0} type veth peer name e{0}")
        self.addCleanup(ip, "link del d{}")
        agent = self.capture(ROOT, "-r", "8192", self.up["web"].pid)
        agent.wait_links("0/lo", "0/eth0", *(f"0/{end}{n}" for n in range(20) for end in "de"))
        self.assertLessEqual(mapped_rings(agent.process.pid), 128 << 20)
        agent.stop()

    def test_promiscuous_only_when_wanted(self):
        def promiscuous():
            flags = self.up["web"].enter("ip", "-d", "link", "show", "eth0").stdout
            return int(flags.partition("promiscuity ")[2].split()[0])
        for words, number in (((), 1), (("-P",), 0)):
            agent = self.capture(ROOT, *words, self.up["web"].pid)
            agent.wait_links("0/eth0")
            self.assertEqual(number, promiscuous(), words)
            agent.stop()

    @quick
    def test_figures_come_every_second_and_at_the_end(self):
        agent = self.capture(ROOT, self.up["web"].pid)
        agent.wait(lambda now: len(now.all(lib_pcapng.Statistics)) >= 4, "two figures of two links")
        self.ask_itself(self.up["web"])
        agent.wait_data(HELLO)
        done = agent.stop()
        last = {s.interface.name: s for s in done.all(lib_pcapng.Statistics)}
        for name, statistics in last.items():
            self.assertEqual((len(done.packets_of(name)), 0), (statistics.received, statistics.dropped), name)
        self.assertEqual({"0/lo", "0/eth0"}, set(last))

    def test_a_slow_reader_costs_packets_that_are_counted(self):
        read, write = os.pipe()
        agent = self.capture(ROOT, "-r", "256", "-i", "lo", self.up["web"].pid, stdout=write)
        os.close(write)
        with open(read, "rb", buffering=0) as stream:
            head = stream.read(65536)
            run(ROOT, ["nsenter", "-t", str(self.up["web"].pid), "-n", "ping", "-f", "-c", "8000", "-s", "1400", "127.0.0.1"])
            self.assertLess(int(status(agent.process.pid)["VmRSS"].split()[0]), 40_000)
            agent.process.stdin.close()
            data = head + b"".join(iter(lambda: stream.read(1 << 20), b""))
        self.assertEqual(0, agent.process.wait(10))
        done = lib_pcapng.read(data)
        last = done.all(lib_pcapng.Statistics)[-1]
        self.assertGreater(last.dropped, 0)
        self.assertEqual(len(done.packets), last.received - last.dropped)
        self.assertGreaterEqual(last.received, 16000)


class Ends(AgentTest):
    @quick
    def test_with_its_stdin_and_nothing_is_lost(self):
        agent = self.capture(ROOT, self.up["web"].pid)
        agent.wait_links("0/lo")
        self.ask_itself(self.up["web"])
        began = time.monotonic()
        done = agent.stop()  # the packets are still in the ring
        self.assertLess(time.monotonic() - began, 2)
        self.assertTrue(any(HELLO in p.data for p in done.packets))

    def test_amid_traffic_without_a_hole(self):
        # What is sent while the last blocks are waited for is not of the capture, but nothing before it may be missing.
        send = """if True:
            import socket, struct, time
            s, n = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
            while True:
                for _ in range(20):
                    s.sendto(b"number" + struct.pack(">I", n), ("127.0.0.1", 9))
                    n += 1
                time.sleep(0.002)
        """
        agent = self.capture(ROOT, "-r", "8192", "-i", "lo", self.up["web"].pid)
        agent.wait_links("0/lo")
        self.child(ROOT, ["nsenter", "-t", str(self.up["web"].pid), "-n", "python3", "-c", send])
        agent.wait(lambda now: len(now.packets) > 2000, "some thousand packets")
        done = agent.stop()
        numbers = [int.from_bytes(p.data[48:52], "big") for p in done.packets if p.data[42:48] == b"number"]
        self.assertEqual(0, done.all(lib_pcapng.Statistics)[-1].dropped)
        self.assertEqual(list(range(numbers[0], numbers[-1] + 1)), numbers)

    def test_by_signals_with_everything_written(self):
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            agent = self.capture(ROOT, self.up["web"].pid)
            agent.wait_links("0/lo")
            self.ask_itself(self.up["web"])
            os.kill(agent.process.pid, signum)
            done, errors = agent.ended(0)
            self.assertEqual("", errors)
            self.assertTrue(any(HELLO in p.data for p in done.packets), signum)

    def test_without_beats(self):
        agent = self.capture(ROOT, "-L", "1", self.up["web"].pid)
        agent.wait_links("0/lo")
        for _ in range(6):
            time.sleep(0.5)
            agent.process.stdin.write(b"x")
            agent.process.stdin.flush()
        self.assertIsNone(agent.process.poll())
        began = time.monotonic()
        done, _ = agent.ended(lib_agent.BEATS_MISSED)
        self.assertTrue(0.3 < time.monotonic() - began < 2)
        self.assertTrue(done.all(lib_pcapng.Statistics))

    def test_without_a_lease_it_does_not_look_at_stdin(self):
        agent = self.capture(ROOT, "-L", "0", self.up["web"].pid, stdin=subprocess.DEVNULL)
        agent.wait(lambda now: len(now.all(lib_pcapng.Statistics)) >= 4, "two seconds of figures")
        os.kill(agent.process.pid, signal.SIGTERM)
        agent.ended(0)

    @quick
    def test_killed_it_leaves_nothing(self):
        for user, name in ((ROOT, "web"), (RIG, "own")):
            up = self.up[name]
            agent = self.capture(user, up.pid)
            agent.wait_links("0/lo")
            self.assertGreater(packet_sockets(up), 0)
            agent.wait(lambda now: now.all(lib_pcapng.Statistics), "first figures")
            agent.kill()
            lib_pcapng.read(agent.path)
            wait_for(lambda: not lib.processes("podshark-agent"), "its child to end", 2)
            self.assertEqual(0, packet_sockets(up))

    def test_when_an_idle_pipe_or_socket_loses_its_reader(self):
        read, write = os.pipe()
        ours, theirs = socket.socketpair()
        for reader, stdout in ((lambda: os.close(read), write), (ours.close, theirs)):
            agent = self.capture(ROOT, "-i", "lo", "-f", compiled("icmp"), self.up["web"].pid, stdout=stdout)
            wait_for(lambda: packet_sockets(self.up["web"]) >= 1, "the ring")
            os.close(write) if stdout == write else theirs.close()
            reader()
            _, errors = agent.ended(lib_agent.READER_GONE, timeout=3)
            self.assertEqual("", errors)

    @quick
    def test_with_its_containers(self):
        for name in ("first", "second"):
            self.up[name] = lib.start(Ctr(name))[name]
            self.addCleanup(podman, ROOT, "rm", "-f", "-t", "0", name)
        first, second = self.up["first"], self.up["second"]
        agent = self.capture(ROOT, first.pid, second.pid)
        agent.wait_links("0/eth0", "1/eth0")
        self.ask_itself(first)
        podman(ROOT, "restart", "-t", "0", "first")
        agent.wait_data(HELLO, "0/lo")
        self.ask_itself(second)
        agent.wait_data(HELLO, "1/lo")
        podman(ROOT, "rm", "-f", "-t", "0", "second")
        done, errors = agent.ended(0)
        self.assertEqual("", errors)
        self.assertEqual(4, len(done.interfaces))
        self.assertIn("200 OK", tshark(ROOT, "-r", agent.path, "-Y", "http.response"))
        again = self.capture(ROOT, first.pid)
        again.wait_links("0/eth0")
        again.stop()


class LinksThatChange(AgentTest):
    def check(self, user, name, network):
        agent = self.capture(user, self.up[name].pid)
        agent.wait_links("0/eth0")
        podman(user, "network", "connect", network, name)
        self.addCleanup(podman, user, "network", "disconnect", "-f", network, name, check=False)
        agent.wait_links("0/eth1")
        self.up[name].enter("ping", "-c", "1", "-I", "eth1", podman_json(user, "network", "inspect", network)[0]["subnets"][0]["gateway"])
        agent.wait(lambda now: len(now.packets_of("0/eth1")) >= 2, "a ping and its answer")
        podman(user, "network", "disconnect", "-f", network, name)
        agent.wait(lambda now: not self.there(name), "eth1 to go")
        self.ask_itself(self.up[name])
        agent.wait_data(HELLO, "0/lo")
        done = agent.stop()
        self.assertEqual("1", next(i for i in done.interfaces if i.name == "0/eth1").keys["type"])
        self.assertTrue([s for s in done.all(lib_pcapng.Statistics) if s.interface.name == "0/eth1"])

    def there(self, name):
        return "eth1" in self.up[name].enter("ip", "-o", "link").stdout

    def test_of_a_rootful_container(self):
        self.check(ROOT, "web", "lan")

    def test_of_a_rootless_container(self):
        # Without names: podman 4.3 never takes a container that was disconnected from a network out of its DNS server's
        # lists, and no later one starts then.
        for network in ("plain", "other"):
            podman(RIG, "network", "create", "--disable-dns", network)
        self.up.update(lib.start(Ctr("plainly", user=RIG, network="plain")))
        self.check(RIG, "plainly", "other")


class Refused(AgentTest):
    @quick
    def test_other_peoples_containers(self):
        for user, name in ((RIG, "web"), (OTHER, "web"), (OTHER, "own")):
            with self.subTest(user=user, name=name):
                self.refused(lib_agent.NOT_PERMITTED, "Permission denied", user, self.up[name].pid)
        self.refused(lib_agent.NOT_PERMITTED, "open a packet socket: Operation not permitted", RIG, "self")

    @quick
    def test_what_is_not_there(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        self.refused(lib_agent.NO_PROCESS, f"process {gone.pid}: ", ROOT, gone.pid)
        self.refused(lib_agent.NO_LINK, "no link eth7: there are lo eth0", ROOT, "-i", "eth0,eth7", self.up["web"].pid)

    def test_one_target_that_is_gone_does_not_end_the_others(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        agent = self.capture(ROOT, gone.pid, self.up["web"].pid)
        agent.wait_links("1/lo", "1/eth0")
        agent.process.stdin.close()
        _, errors = agent.ended(0)
        self.assertEqual(f"podshark-agent: process {gone.pid}: find the process: No such process\n", errors)

    def test_words_and_programs_that_are_wrong(self):
        pid = self.up["web"].pid
        self.refused(lib_agent.USAGE, "'0' is no snaplen", ROOT, "-s", "0", pid)
        self.refused(lib_agent.USAGE, "names no target", ROOT, "-P")
        self.refused(lib_agent.BAD_FILTER, "SO_ATTACH_FILTER: Invalid argument", ROOT, "-f", "1:ffff000000000000", pid)
        self.assertEqual(lib_agent.USAGE, run(ROOT, [PROGRAM, "capure"], check=False).returncode)


class Privileges(AgentTest):
    @quick
    def test_are_given_up(self):
        for user, name in ((ROOT, "web"), (RIG, "own")):
            agent = self.capture(user, self.up[name].pid)
            agent.wait_links("0/lo")
            mine = status(agent.process.pid)
            self.assertEqual(("0" * 16, "0" * 16, "1", "2"),
                             (mine["CapPrm"], mine["CapEff"], mine["NoNewPrivs"], mine["Seccomp"]))
            child, = children(agent.process.pid)
            theirs = status(child)
            self.assertEqual(("0000000000002000", "1", "2"), (theirs["CapPrm"], theirs["NoNewPrivs"], theirs["Seccomp"]))
            self.assertEqual({"0", "1", "2"} & set(os.listdir(f"/proc/{child}/fd")), set(os.listdir(f"/proc/{child}/fd")))
            agent.stop()

    def test_of_its_own_namespace_are_cap_net_raw_alone(self):
        agent = self.capture(ROOT, "self")
        agent.wait_links("0/lo")
        self.assertEqual("0000000000002000", status(agent.process.pid)["CapPrm"])
        self.assertEqual([], children(agent.process.pid))
        agent.stop()


class Helpers(AgentTest):
    def test_clock_tells_when_it_read_and_when_it_answered(self):
        clock = self.child(RIG, [PROGRAM, "clock", "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(10):
            before = time.time()
            clock.stdin.write(b".")
            clock.stdin.flush()
            read, answered = map(float, clock.stdout.readline().split())
            self.assertTrue(before - 1e-3 <= read <= answered <= time.time() + 1e-3)
        clock.stdin.close()
        self.assertEqual(0, clock.wait(5))

    def test_clock_without_pings_ends(self):
        clock = self.child(RIG, [PROGRAM, "clock", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(lib_agent.BEATS_MISSED, clock.wait(5))

    @quick
    def test_an_image_of_it_alone_waits_for_captures_and_ends_when_there_are_none(self):
        """As an ephemeral container of Kubernetes: no shell, it is process 1, captures are started by exec."""
        with lib_images.new_tree() as tree:
            lib_images.put(tree, str(PROGRAM), "/podshark-agent")
            lib_images.import_image(tree, "localhost/agent:1", (RIG,), ('ENTRYPOINT ["/podshark-agent"]',))
        self.addCleanup(podman, RIG, "rmi", "-f", "localhost/agent:1")
        podman(RIG, "run", "-d", "--name", "idler", "--network", "container:own", "--cap-drop", "all", "--cap-add", "NET_RAW",
               "localhost/agent:1", "idle", "2")
        self.addCleanup(podman, RIG, "rm", "-f", "-t", "0", "idler")
        path = self.tmp / "idle.pcapng"
        with path.open("wb") as out:
            inside = self.child(RIG, ["podman", "exec", "-i", "idler", "/podshark-agent", "capture", "-L", "30", "self"],
                                stdin=subprocess.PIPE, stdout=out)
            wait_for(lambda: path.stat().st_size > 100 and
                     {"0/lo"} <= {i.name for i in lib_pcapng.read(path, partial=True).interfaces}, "its links")
            self.ask_itself(self.up["own"])
            time.sleep(3)  # longer than it stays idle
            self.assertEqual("running", podman(RIG, "inspect", "-f", "{{.State.Status}}", "idler"))
            inside.stdin.close()
            self.assertEqual(0, inside.wait(10))
        self.assertTrue(any(HELLO in p.data for p in lib_pcapng.read(path).packets))
        self.assertEqual("0", podman(RIG, "wait", "idler", timeout=20))

    def test_idle_ends_when_told(self):
        idle = self.child(RIG, [PROGRAM, "idle", "60"])
        wait_for(lambda: (status(idle.pid)["Name"], status(idle.pid)["State"][0]) == ("podshark-agent", "S"), "it to wait")
        self.assertEqual(0, lib.end(idle))
        self.assertEqual(lib_agent.USAGE, run(RIG, [PROGRAM, "idle", "0"], check=False).returncode)


if __name__ == "__main__":
    unittest.main()
