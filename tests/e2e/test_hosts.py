# SPDX-License-Identifier: GPL-2.0-or-later
"""Saved hosts and podman's connections as interfaces: through an ssh of our own that comes back to this machine, and in
Debian 13 through a real sshd."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import lib
import lib_pcapng
import lib_sshd
from lib import RIG, ROOT, WORLD, Ctr, RigTest, podman, run, wait_for
from lib_hosts import FakeSsh
from lib_podshark import PODSHARK, Capture, extcap_home, interfaces, podshark

CONTAINERS = (Ctr("web", ports=("28780:80",)), Ctr("own", user=RIG))
PORT = 2222
USAGE, NOT_FOUND, PERMISSION, UNREACHABLE = 2, 3, 5, 12


class HostsTest(RigTest):
    def setUp(self):
        super().setUp()
        for user in (ROOT, RIG):
            home = pathlib.Path(lib.environment(user)["HOME"])
            for place in (".config/podshark", ".cache/podshark"):
                self.addCleanup(shutil.rmtree, home / place, ignore_errors=True)
            self.addCleanup(self._nothing_left)  # what still writes there

    @staticmethod
    def book(user):
        return pathlib.Path(lib.environment(user)["HOME"], ".config/podshark/hosts")

    @staticmethod
    def listings(user):
        return sorted(pathlib.Path(lib.environment(user)["HOME"], ".cache/podshark").glob("host-*"))

    def listed(self, user, env=None):
        """{value: display} of the interfaces of other machines."""
        found = interfaces(podshark(user, "--extcap-interfaces", env=env or {}).stdout)
        return {i["value"]: i["display"] for i in found if i[""] == "interface" and i["value"].startswith("podman@")}

    def refused(self, code, text, *args, env=None):
        done = podshark(RIG, *args, check=False, env=env or {})
        self.assertEqual((code, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
        self.assertIn(text, done.stderr)

    def connections(self, user):
        """An environment whose podman keeps its connections below self.tmp."""
        place = self.tmp / "connections"
        place.mkdir()
        shutil.copy("/etc/rig.conf", place / "containers.conf")
        for path in (place, place / "containers.conf"):
            shutil.chown(path, user)
        return {"CONTAINERS_CONF": str(place / "containers.conf"), "PODMAN_CONNECTIONS_CONF": str(place / "connections.json")}


class Listed(HostsTest):
    """The machine is this one, through a program called ssh."""

    def setUp(self):
        super().setUp()
        self.ssh = FakeSsh(self.tmp)
        self.log, self.env, self.called = self.ssh.log, self.ssh.env, self.ssh.called

    def hosts(self, *args, **kwargs):
        return podshark(RIG, "hosts", *args, env=self.env, **kwargs)

    def test_add_list_and_remove(self):
        book = self.book(RIG)
        self.assertIn("No hosts", self.hosts().stdout)
        self.assertFalse(book.exists(), "looking makes nothing")
        self.hosts("add", "me@server:2222", "--key", "/home/me/my key", "--jump", "gate")
        self.assertEqual('me@server:2222 key="/home/me/my key" jump=gate\n', book.read_text())
        self.assertEqual(0o600, book.stat().st_mode & 0o777)
        book.write_text("# mine\n\n" + book.read_text() + "what is this\n")
        self.hosts("add", "other")
        done = self.hosts("list", "--json")
        shown = json.loads(done.stdout)
        self.assertEqual([("me@server:2222", "ssh://me@server:2222", "saved", ["-i", "/home/me/my key", "-J", "gate"]),
                          ("other", "other", "saved", [])],
                         [(h["host"], h["destination"], h["from"], h["ssh_options"]) for h in shown])
        self.assertIn(f"{book}, line 4: 'is' is not port=, key= or jump=", done.stderr)
        self.hosts("remove", "me@server:2222")
        self.assertEqual("# mine\n\nwhat is this\nother\n", book.read_text())
        self.hosts("add", "third", "--key", "id", cwd=self.tmp)
        self.assertIn(f"third key={self.tmp}/id\n", book.read_text())
        self.assertEqual([], self.called(), "nobody was contacted")

    def test_a_link_to_the_file_stays_one(self):
        real = self.tmp / "dotfiles"
        real.write_text("a\n")
        shutil.chown(real, RIG)
        run(RIG, ["mkdir", "-p", self.book(RIG).parent])
        run(RIG, ["ln", "-s", real, self.book(RIG)])
        directory = self.tmp / "writable"
        self.hosts("add", "b", check=False)
        self.assertTrue(self.book(RIG).is_symlink(), directory)
        self.assertEqual("a\nb\n", real.read_text())

    def test_what_can_not_be_is_refused_in_one_line(self):
        self.hosts("add", "me@server")
        for code, text, *args in ((USAGE, "is not [USER@]HOST", "add", "--", "-oProxyCommand=id"), (USAGE, "is there already", "add", "ssh://me@server:22"),
                                  (USAGE, "is no jump host", "add", "b", "--jump=-oX"), (USAGE, "takes one host", "add"),
                                  (USAGE, "'frob' is not list, add, remove or refresh", "frob"), (USAGE, "belong to", "list", "--key", "x"),
                                  (NOT_FOUND, "'b' is no saved host", "remove", "b"), (NOT_FOUND, "no saved host and no podman connection", "refresh", "b")):
            self.refused(code, text, "hosts", *args, env=self.env)
        for args in (("capture", "podman@b:web", "-w", "/dev/null"), ("capture", "podman@me@server:choose", "-w", "/dev/null")):
            self.refused(NOT_FOUND if "b:web" in args[1] else USAGE, "podman@", *args, env=self.env)

    def test_refresh_asks_and_wireshark_lists(self):
        self.hosts("add", "there")
        self.hosts("add", "me@there:2222")
        self.assertEqual({"podman@there:choose", "podman@me@there:2222:choose"}, set(self.listed(RIG)))
        self.assertIn("not asked yet", self.listed(RIG)["podman@there:choose"])
        done = self.hosts("refresh", "there")
        self.assertRegex(done.stdout, r"^there: \d+ containers?\n$")
        self.assertEqual(1, len(self.called()))
        shown = self.listed(RIG)
        self.assertEqual({"podman@there:choose", "podman@there:own", "podman@me@there:2222:choose"} - set(shown), set())
        self.assertRegex(shown["podman@there:own"], r"^Podman own · bb:1 · .* · on there$")
        self.hosts("refresh")
        both = self.listed(RIG)
        self.assertIn("podman@me@there:2222:own", both)
        self.assertEqual(shown["podman@there:own"], both["podman@there:own"])
        for place, mode in ((self.listings(RIG)[0].parent, 0o700), *((f, 0o600) for f in self.listings(RIG))):
            self.assertEqual(mode, place.stat().st_mode & 0o777, place)
        for age, text in ((240, ""), (4000, " · seen 66 min ago"), (3 * 86400, " · seen 3 d ago")):
            for file in self.listings(RIG):
                os.utime(file, (time.time() - age,) * 2)
            self.assertTrue(self.listed(RIG)["podman@there:own"].endswith(" · on there" + text))
        self.hosts("remove", "there")
        self.assertNotIn("podman@there:own", self.listed(RIG))
        self.assertEqual(1, len(self.listings(RIG)))

    def test_listing_contacts_nobody_and_waits_for_nothing(self):
        """Of podman only this machine's containers are asked for, in a process that nobody waits for."""
        self.hosts("add", "there")
        self.hosts("refresh")
        self.log.write_text("")
        self.ssh.program("podman", f"#!/bin/sh\necho \"podman $*\" >>{self.log}\ncase \"$*\" in *connection*) sleep 60 ;; esac\nexec /usr/bin/podman \"$@\"\n")
        connections = pathlib.Path(lib.environment(RIG)["HOME"], ".cache/podshark/connections.json")
        os.utime(connections, (0, 0))
        extcap_home(RIG)
        began = time.monotonic()
        out = run(RIG, ["tshark", "-D"], env=self.env).stdout
        took = time.monotonic() - began
        self.assertRegex(out, r"podman@there:own \(Podman own · .* · on there\)")
        self.assertLess(took, 10)
        config = podshark(RIG, "--extcap-interface", "podman@there:own", "--extcap-config", env=self.env).stdout
        self.assertIn("{call=--snaplen}", config)
        self.assertNotIn("{call=--remote-host}", config)
        self.assertNotIn("{call=--container}", config)
        config = podshark(RIG, "--extcap-interface", "podman@there:choose", "--extcap-config", env=self.env).stdout
        self.assertIn("{call=--container}", config)
        self.assertNotIn("{call=--remote-host}", config)
        self.assertIn("dlt {number=1}", podshark(RIG, "--extcap-interface", "podman@there:own", "--extcap-dlts", env=self.env).stdout)
        times = []
        for _ in range(9):
            began = time.monotonic()
            self.listed(RIG, self.env)
            times.append(time.monotonic() - began)
        self.assertLess(sorted(times)[4], 0.1, times)
        self.assertEqual([], self.called(), "ssh was run")
        waited = [line for line in self.called("podman") if "connection" in line]
        self.assertLessEqual(len(waited), 2, "a detached process asks, once in a while")

    def test_the_limit_of_interfaces_counts_them_too(self):
        self.hosts("add", "there")
        self.hosts("refresh")
        self.assertGreaterEqual(len(self.listed(RIG)), 2)
        local = len([i for i in interfaces(podshark(RIG, "--extcap-interfaces").stdout) if i[""] == "interface" and "@" not in i["value"]]) - 2
        for more in (0, 1, 2):
            self.assertEqual(more, len(self.listed(RIG, {"PODSHARK_MAX_INTERFACES": str(local + more)})))

    def test_hosts_that_fail_are_told_each_and_four_are_asked_at_once(self):
        names = [f"gone{n}" for n in range(6)] + ["there"]
        for name in names:
            self.hosts("add", name)
        done = self.hosts("refresh", check=False)
        self.assertEqual(UNREACHABLE, done.returncode)
        self.assertRegex(done.stdout, r"^there: \d+ containers?\n$")
        lines = done.stderr.splitlines()
        self.assertEqual(6, len(lines), done.stderr)
        for name in names[:6]:
            self.assertTrue(any(line.startswith(f"podshark hosts: {name}: ") and "Connection refused" in line for line in lines), done.stderr)
        running, most = 0, 0
        for line in self.log.read_text().splitlines():
            running += 1 if line.startswith("begin") else -1
            most = max(most, running)
        self.assertGreater(most, 1)
        self.assertLessEqual(most, 4)
        self.assertIn("podman@there:own", self.listed(RIG))

    def test_connections_of_podman(self):
        """By the real one, of this world's version."""
        env = {**self.env, **self.connections(RIG)}
        for args in (("--identity", "/home/me/key", "work", "ssh://me@there:2222/run/user/1000/podman/podman.sock"),
                     ("here", "unix:///run/podman/podman.sock"), ("gone", "ssh://root@gone:22/run/podman/podman.sock")):
            run(RIG, ["podman", "system", "connection", "add", *args], env=env)
        done = podshark(RIG, "hosts", "--json", env=env)
        shown = {h["host"]: h for h in json.loads(done.stdout)}
        self.assertEqual({"me@there:2222", "root@gone:22"}, set(shown))
        self.assertEqual(("podman connection work", "work", ["-i", "/home/me/key"], False),
                         tuple(shown["me@there:2222"][k] for k in ("from", "connection", "ssh_options", "saved")))
        podshark(RIG, "hosts", "refresh", "work", env=env)
        self.assertIn("-i /home/me/key", self.called()[-1])
        self.assertTrue(self.listed(RIG, env)["podman@me@there:2222:own"].endswith(" · on me@there:2222 · podman connection work"))
        self.log.write_text("")
        self.assertIn("own", podshark(RIG, "list", "--host", "work", env=env).stdout)
        self.assertIn("begin ssh://me@there:2222 ", self.called()[0])
        self.assertIn("-i /home/me/key", self.called()[0])
        more = {**env, "CONTAINER_HOST": "ssh://me@elsewhere/run/podman/podman.sock", "CONTAINER_SSHKEY": "/other"}
        self.assertIn("CONTAINER_HOST", self.listed(RIG, more)["podman@me@elsewhere:choose"])

    def test_connections_are_found_by_the_list_itself(self):
        env = {**self.env, **self.connections(RIG)}
        run(RIG, ["podman", "system", "connection", "add", "work", "ssh://me@there:22/run/user/1000/podman/podman.sock"], env=env)
        wait_for(lambda: "podman@me@there:22:choose" in self.listed(RIG, env), "the connection to be listed")
        self.assertEqual([], self.called())

    def test_capture_as_on_the_command_line(self):
        self.hosts("add", "there")
        with Capture(RIG, "podman@there:own", env=self.env) as capture:
            self.up["own"].exec("wget", "-q", "-O", "-", "http://127.0.0.1/")
            capture.wait_packets(2)
            done = capture.stop()
        self.assertTrue(any(b"hello from" in p.data for p in done.packets_of("podman:own/lo")))

    def test_the_file_of_an_inventory_is_written_here(self):
        place = self.tmp / "without"
        place.mkdir()
        for ssh in (self.ssh, FakeSsh(place, installed=False)):
            podshark(RIG, "inventory", "--host", "server", "-o", "own.podman.json", cwd=self.tmp, env=ssh.env)
            path = self.tmp / "own.podman.json"
            self.assertIn("own", [c["name"] for c in json.loads(path.read_text())["containers"]])
            self.assertEqual((RIG, 0o600), (path.owner(), path.stat().st_mode & 0o777))
            before = path.read_text()
            podshark(RIG, "inventory", "--host", "gone", "-o", path, check=False, env=ssh.env)
            self.assertEqual(before, path.read_text())
            path.unlink()

    def test_a_host_without_podshark_is_listed_by_podmans_word(self):
        place = self.tmp / "without"
        place.mkdir()
        without = FakeSsh(place, installed=False)
        self.hosts("add", "there")
        done = podshark(RIG, "hosts", "refresh", env=without.env)
        self.assertRegex(done.stdout, r"^there: \d+ containers?\n$")
        self.assertRegex(self.listed(RIG)["podman@there:own"], r"^Podman own · bb:1 · (.* · )?on there$")
        done = podshark(RIG, "list", "--host", "there", env=without.env)
        self.assertIn("own", done.stdout)

    def test_a_container_that_has_gone(self):
        self.hosts("add", "there")
        run(RIG, ["podman", "run", "-d", "--name", "brief", lib.IMAGE, "sleep", "1000000"])
        self.hosts("refresh")
        podman(RIG, "stop", "-t", "0", "brief")
        self.addCleanup(podman, RIG, "rm", "-f", "-t", "0", "brief")
        fifo = self.tmp / "fifo"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
        child = self.child(RIG, [PODSHARK, "--capture", "--extcap-interface", "podman@there:brief", "--fifo", fifo],
                           env=self.env, stderr=subprocess.PIPE, text=True)
        with fifo.open("rb") as stream:
            stream.read()
        self.assertEqual(4, child.wait(20))
        self.assertIn("there: podshark capture: container 'brief' is not running", child.stderr.read())


class Real(HostsTest):
    """Through sshd."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = f"{PODSHARK.parent}:/usr/local/bin:/usr/bin:/bin"
        cls.sshd = lib_sshd.start(cls, "127.0.0.1", f"SetEnv PATH={path}", port=PORT)
        cls.name = f"{ROOT}@127.0.0.1:{PORT}"

    def setUp(self):
        super().setUp()
        podshark(RIG, "hosts", "add", self.name)
        self.assertIn("container", podshark(RIG, "hosts", "refresh").stdout)

    def tshark_captures(self, interface, env=None):
        extcap_home(RIG)
        path = self.tmp / "got.pcapng"
        child = self.child(RIG, ["tshark", "-n", "-i", interface, "-a", "duration:40", "-w", path], env=env or {},
                           stderr=subprocess.DEVNULL)

        def hello():
            with contextlib.suppress(AssertionError, OSError):
                lib.fetch(28780, timeout=2)
            return path.exists() and b"hello from" in path.read_bytes()
        wait_for(hello, "packets in Wireshark's file", 35)
        lib.end(child, 2)
        got = lib_pcapng.read(path, partial=True)
        self.assertTrue(any(b"hello from" in p.data for p in got.packets_of("podman:web/eth0")))

    def test_tshark_lists_and_captures(self):
        extcap_home(RIG)
        value = f"podman@{self.name}:web"
        self.assertRegex(run(RIG, ["tshark", "-D"]).stdout, rf"\. {value} \(Podman web · .* · on {self.name}\)")
        self.tshark_captures(value)

    def test_a_connection_of_podman_is_listed_and_captured(self):
        extcap_home(RIG)
        podshark(RIG, "hosts", "remove", self.name)
        env = self.connections(RIG)
        key = lib_sshd.home(RIG) / "id_ed25519"
        run(RIG, ["podman", "system", "connection", "add", "--identity", key, "far", f"ssh://{self.name}/run/podman/podman.sock"], env=env)
        podshark(RIG, "hosts", "refresh", "far", env=env)
        listed = run(RIG, ["tshark", "-D"], env=env).stdout
        self.assertRegex(listed, rf"podman@{self.name}:web \(Podman web · .* · on {self.name} · podman connection far\)")
        self.tshark_captures(f"podman@{self.name}:web", env)

    def aged(self):
        file, = self.listings(RIG)
        os.utime(file, (0, 0))
        return file

    def test_a_list_of_it_refreshes_what_is_kept(self):
        file = self.aged()
        podshark(RIG, "list", "--host", self.name)
        wait_for(lambda: file.stat().st_mtime > 0, "the listing to be written again")

    def test_the_reload_button_refreshes_what_is_kept(self):
        file = self.aged()
        done = podshark(RIG, "--extcap-interface", f"podman@{self.name}:choose", "--extcap-config", "--extcap-reload-option", "container")
        self.assertIn("{value=web}{display=", done.stdout)
        self.assertGreater(file.stat().st_mtime, 0)

    def test_a_host_that_does_not_answer(self):
        podshark(RIG, "hosts", "add", "127.0.0.1:1")
        done = podshark(RIG, "hosts", "refresh", check=False)
        self.assertEqual((UNREACHABLE, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.assertIn("127.0.0.1:1: ", done.stderr)
        self.assertIn(f"{self.name}: ", done.stdout)
        self.refused(UNREACHABLE, "Connection refused", "capture", "podman@127.0.0.1:1:web", "-w", self.tmp / "x.pcapng")

    def test_a_key_that_is_saved_is_used(self):
        """Also for ssh:// and --host, which do not name it."""
        key = lib_sshd.home(RIG) / "id_ed25519"
        moved = key.with_name("its key")  # ssh tries it by no rule of its own
        podshark(RIG, "hosts", "remove", self.name)
        podshark(RIG, "hosts", "add", self.name, "--key", str(moved))
        key.rename(moved)
        self.addCleanup(moved.rename, key)
        self.assertIn("web", podshark(RIG, "list", "--host", self.name).stdout)
        with Capture(RIG, f"ssh://{self.name}/web") as capture:
            lib.fetch(28780)
            capture.wait_packets(1)
            capture.stop()
        podshark(RIG, "hosts", "remove", self.name)
        done = podshark(RIG, "list", "--host", self.name, check=False)
        self.assertEqual(PERMISSION, done.returncode, done.stderr)


if WORLD == "deb12":
    del Real  # sshd is in the Debian 13 root only
