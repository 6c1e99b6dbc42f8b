# SPDX-License-Identifier: GPL-2.0-or-later
"""The rig and the library the other tests stand on."""

import pathlib
import subprocess

import lib_pcapng
from lib import (MEMBER, OTHER, RIG, ROOT, Ctr, Net, Pod, RigTest, client, fetch, podman, podman_json, popen,
                 processes, quick, run, wait_for)

CONTAINERS = (
    Ctr("web", ports=("28080:80",)),
    Ctr("own", user=RIG, ports=("28081:80",)),
    Ctr("bridged", user=RIG, network="bridge", ports=("28082:80",)),
    Net("backend"),
    Ctr("db", network="backend", cmd=("sleep", "1000000")),
    Pod("shop", ports=("28083:80",), members=("front", "back")),
)


@quick
class Rig(RigTest):
    def test_each_user_sees_own_containers(self):
        names = podman(ROOT, "ps", "--format", "{{.Names}}").split()
        self.assertLessEqual({"web", "db", "front", "back"}, set(names))
        names = podman(RIG, "ps", "--format", "{{.Names}}").split()
        self.assertEqual({"own", "bridged"}, set(names))

    def test_published_ports_answer(self):
        for port in (28080, 28081, 28082, 28083):
            with self.subTest(port=port):
                self.assertIn("hello", fetch(port))
        self.assertIn("hello", fetch(28080, outside=False))

    def test_container_facts(self):
        web = self.up["web"]
        self.assertTrue(pathlib.Path(f"/proc/{web.pid}").exists())
        self.assertTrue(web.address.startswith("10.88."))
        self.assertIn(web.address, web.enter("ip", "-4", "addr").stdout)
        self.assertEqual("httpd\n", web.exec("cat", "/proc/1/comm").stdout)
        self.assertEqual("shop", podman_json(ROOT, "pod", "ps", "--format", "json")[0]["Name"])

    def test_users(self):
        for user in (RIG, OTHER, MEMBER):
            caps = run(user, ["grep", "CapEff", "/proc/self/status"], no_new_privs=True).stdout.split()[1]
            self.assertEqual(0, int(caps, 16))
        self.assertIn("wireshark", run(MEMBER, ["id", "-Gn"]).stdout.split())
        self.assertNotIn("wireshark", run(OTHER, ["id", "-Gn"]).stdout.split())
        self.assertFalse(pathlib.Path("/home/other/.local/share/containers").exists())

    def test_failed_commands_say_why(self):
        with self.assertRaisesRegex(AssertionError, "no such container|no container with name"):
            podman(RIG, "inspect", "--type", "container", "missing")
        with self.assertRaisesRegex(AssertionError, "did not end within 0.2 s"):
            run(RIG, ["sleep", "60"], timeout=0.2)

    def test_a_process_that_stays_is_noticed(self):
        fake = self.tmp / "podshark"
        fake.write_bytes(pathlib.Path("/bin/sleep").read_bytes())
        fake.chmod(0o755)
        child = popen(OTHER, [fake, "60"])
        wait_for(lambda: processes("podshark"), "the stray process")
        self.end_within = 0.5
        with self.assertRaisesRegex(AssertionError, "processes left"):
            self._nothing_left()
        self.assertEqual(-9, child.wait(5))


class Pcapng(RigTest):
    def test_reader_agrees_with_tcpdump_and_tshark(self):
        plain, path = self.tmp / "plain.pcap", self.tmp / "out.pcapng"
        dump = self.child(ROOT, ["tcpdump", "-i", "wan0", "-U", "-s", "0", "-w", plain, "icmp"],
                          stderr=subprocess.DEVNULL)
        wait_for(lambda: plain.exists() and plain.stat().st_size >= 24, "tcpdump to listen")
        client(["ping", "-c", "2", "-i", "0.2", "203.0.113.1"])
        wait_for(lambda: plain.stat().st_size >= 24 + 4 * (16 + 98), "four packets")
        dump.terminate()
        dump.wait(10)
        run(ROOT, ["editcap", "-F", "pcapng", "-a", "1:a comment", plain, path])
        capture = lib_pcapng.read(path)
        self.assertEqual(4, len(capture.packets))
        self.assertEqual(["a comment"], capture.packets[0].comments)
        self.assertEqual(1, capture.packets[0].interface.linktype)
        tshark = run(ROOT, ["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len"])
        told = [line.split() for line in tshark.stdout.splitlines()]
        ours = [[f"{p.time_ns // 10**9}.{p.time_ns % 10**9:09d}", str(p.original_length)] for p in capture.packets]
        self.assertEqual(told, ours)
        cut = path.read_bytes()[:-7]
        self.assertTrue(lib_pcapng.read(cut, partial=True).truncated)
        with self.assertRaises(lib_pcapng.Malformed):
            lib_pcapng.read(cut)
