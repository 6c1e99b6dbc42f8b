# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark on another machine through a real sshd: here it is this one, by another user or as root."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import time

import lib
import lib_pcapng
import lib_sshd
from lib import RIG, ROOT, WORLD, Ctr, RigTest, run, wait_for
from lib_podshark import PODSHARK, Capture, podshark

CONTAINERS = (
    Ctr("web", ports=("28680:80",)),
    Ctr("own", user=RIG),
    Ctr("hosted", network="host", cmd=("sleep", "1000000")),
)
PORT = 2222
USAGE, PERMISSION, UNREACHABLE = 2, 5, 12


def host(user):
    return f"ssh://{user}@127.0.0.1:{PORT}"


class Wishes(RigTest):
    """Needs no sshd."""

    def refused(self, code, text, *args):
        done = podshark(ROOT, *args, check=False)
        self.assertEqual((code, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
        self.assertIn(text, done.stderr)

    def test_what_can_not_be_is_refused_in_one_line(self):
        self.refused(USAGE, "is not [USER@]HOST[:PORT]", "list", "--host", "-oProxyCommand=id")
        self.refused(USAGE, "is not [USER@]HOST[:PORT]", "list", "--host=a;id")
        self.refused(USAGE, "--host names no host", "list", "--host")
        self.refused(USAGE, "/CONTAINER", "capture", "ssh://a", "-w", "/dev/null")

    def test_a_name_that_nobody_knows(self):
        self.refused(UNREACHABLE, "Could not resolve hostname nobody.invalid", "capture", "ssh://nobody.invalid/web", "-w", "/dev/null")

    def test_a_machine_that_is_not_there(self):
        self.refused(UNREACHABLE, "Connection refused", "list", "--host", "127.0.0.1:1")
        self.refused(UNREACHABLE, "Connection refused", "capture", "ssh://127.0.0.1:1/web", "-w", self.tmp / "x.pcapng")


class Remote(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = f"{PODSHARK.parent}:/usr/local/bin:/usr/bin:/bin"
        cls.sshd = lib_sshd.start(cls, "127.0.0.1", f"SetEnv PATH={path}", port=PORT)

    def far(self):
        """Processes of podshark that sshd has started: argv."""
        found = []
        for pid in lib.processes("podshark", "podshark-drops"):
            with contextlib.suppress(OSError):  # it may have ended meanwhile
                if b"PODSHARK_CARRIER=" in pathlib.Path(f"/proc/{pid}/environ").read_bytes():
                    found.append(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
        return found

    def gone(self, seconds=10):
        wait_for(lambda: not self.far(), lambda: f"the far side to end: {self.far()}", seconds)

    def test_list(self):
        for user, name in ((ROOT, "web"), (RIG, "own")):
            there = podshark(ROOT, "list", "--host", host(user))
            here = podshark(user, "list")
            self.assertEqual(here.stdout, there.stdout)
            self.assertIn(name, there.stdout)
        names = [c["name"] for c in json.loads(podshark(RIG, "list", "--json", f"--host={host(ROOT)}").stdout)["containers"]]
        self.assertIn("web", names)
        self.gone()

    def test_check_and_probe_answer_with_their_exit_codes(self):
        done = podshark(ROOT, "probe", "--host", host(ROOT), "web:80", check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("ok", done.stdout)
        done = podshark(ROOT, "probe", "--host", host(ROOT), "web:81", check=False)
        self.assertEqual(UNREACHABLE, done.returncode, done.stdout + done.stderr)
        done = podshark(ROOT, "check", "--host", host(ROOT), "web:80", check=False)
        self.assertIn(done.returncode, (0, 13), done.stderr)
        done = podshark(ROOT, "check", "--host", host(ROOT), "nobody:80", check=False)
        self.assertEqual(3, done.returncode)
        self.assertIn(f"{ROOT}@127.0.0.1:{PORT}: podshark check: ", done.stderr)

    def test_probe_from_a_container_there(self):
        """The target is what that container reaches."""
        web = self.up["web"].address
        for words in (("--from", f"{host(ROOT)}/web", f"{web}:80"), (f"--from={host(ROOT)}/web", "web:80", "--json")):
            done = podshark(RIG, "probe", *words, check=False)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertIn("web", done.stdout)
        done = podshark(RIG, "probe", "--from", f"{host(ROOT)}/web", f"{web}:81", check=False)
        self.assertEqual(UNREACHABLE, done.returncode, done.stdout + done.stderr)
        self.assertIn("refused", done.stdout)
        done = podshark(RIG, "probe", "--from", f"{host(ROOT)}/nobody", f"{web}:81", check=False)
        self.assertEqual(3, done.returncode, done.stderr)

    def captures(self, user, name, traffic, *args):
        with Capture(RIG, f"{host(user)}/{name}", *args) as capture:
            traffic()
            capture.wait_packets(2)
            done = capture.stop()
            errors = capture.stderr()
        self.assertTrue(done.links and done.events_of("lifecycle"))
        self.assertTrue(done.all(lib_pcapng.Statistics), "the far side has closed it")
        self.gone()
        return done, errors

    def test_capture_rootful(self):
        done, errors = self.captures(ROOT, "web", lambda: lib.fetch(28680))
        self.assertTrue(any(b"hello from" in p.data for p in done.packets_of("podman:web/eth0")))
        self.assertIn(f"{ROOT}@127.0.0.1:{PORT}: {len(done.packets)} packets", errors)
        self.assertEqual({"web"}, {e["container"] for e in done.events_of("lifecycle") if e.get("container")})

    def test_capture_rootless(self):
        self.captures(RIG, "own", lambda: self.up["own"].exec("wget", "-q", "-O", "-", "http://127.0.0.1/"))

    def test_options_are_given_on(self):
        done, _ = self.captures(ROOT, "web", lambda: lib.fetch(28680), "-f", "tcp port 80 and not (host 192.0.2.9)", "-i", "eth0", "--drops=off", "-s", "96")
        self.assertEqual({"podman:web/eth0"}, {i.name for i in done.links})
        self.assertTrue(all(len(p.data) <= 96 for p in done.packets))

    def test_a_count_ends_it(self):
        with Capture(ROOT, f"{host(ROOT)}/web", "-c", "3") as capture:
            lib.fetch(28680)
            capture.process.wait(20)
            self.assertEqual(0, capture.process.returncode, capture.stderr())
            self.assertEqual(3, len(capture.so_far().packets))

    def test_errors_there_are_told_here(self):
        done = podshark(ROOT, "capture", f"{host(ROOT)}/nobody", "-w", "/dev/null", check=False)
        self.assertEqual(3, done.returncode)
        self.assertIn("no container or pod is called 'nobody'", done.stderr)
        done = podshark(ROOT, "capture", f"{host(ROOT)}/web", "-f", "nonsense here", "-w", "/dev/null", check=False)
        self.assertEqual(8, done.returncode, done.stderr)

    OWNERS = ((ROOT, "web"), (RIG, "own"))

    @contextlib.contextmanager
    def with_packets(self, user, name):
        with Capture(RIG, f"{host(user)}/{name}") as capture:
            self.up[name].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
            capture.wait_packets(1)
            yield capture

    def told(self, capture, words):
        self.assertEqual(UNREACHABLE, capture.process.returncode, capture.stderr())
        self.assertEqual(1, capture.stderr().count(words), capture.stderr())
        self.assertTrue(capture.so_far().packets)

    def test_killed_here_it_ends_there(self):
        for user, name in self.OWNERS:
            with self.subTest(name), self.with_packets(user, name) as capture:
                self.assertTrue(self.far())
                capture.process.send_signal(signal.SIGKILL)
                capture.process.wait()
                began = time.monotonic()
                self.gone(10)
                self.assertLess(time.monotonic() - began, 10)
                lib_pcapng.read(capture.path, partial=True)

    def test_a_link_that_is_lost_is_told_and_leaves_nothing(self):
        for user, name in self.OWNERS:
            with self.subTest(name), self.with_packets(user, name) as capture:
                with lib_sshd.cut() as since:
                    self.gone(10)
                    self.assertLess(since(), 10)
                    capture.process.wait(20)
                    self.assertLess(since(), 15)
                self.told(capture, f"the connection to {user}@127.0.0.1:{PORT} was lost")

    def configure(self, text):
        """ssh_config of the rootless user, until the end of the test."""
        config = lib_sshd.home(RIG) / "config"
        config.write_text(text)
        shutil.chown(config, RIG)
        self.addCleanup(config.unlink)

    def test_a_link_that_the_users_own_ssh_keeps_is_watched_too(self):
        """A master connection has the options that it was made with, none of which looks after the link."""
        self.configure(f"Host kept\nHostName 127.0.0.1\nPort {PORT}\nUser root\nHostKeyAlias [127.0.0.1]:{PORT}\n"
                       "ControlMaster auto\nControlPath ~/.ssh/kept\nControlPersist 60\n")
        run(RIG, ["ssh", "kept", "true"])
        self.addCleanup(run, RIG, ["ssh", "-O", "exit", "kept"], check=False)
        with Capture(RIG, "ssh://kept/web") as capture:
            lib.fetch(28680)
            capture.wait_packets(1)
            time.sleep(15)  # quiet, but answering
            self.assertIsNone(capture.process.poll(), capture.stderr())
            with lib_sshd.cut() as since:
                self.assertEqual(UNREACHABLE, capture.process.wait(20), capture.stderr())
                self.assertLess(since(), 15)
                self.gone(10)
            self.assertIn("the connection to kept was lost", capture.stderr())
            self.assertTrue(capture.so_far().packets)

    def test_a_jump_host_that_is_not_there_is_named(self):
        self.configure("Host gone\nHostName 127.0.0.1\nPort 1\nHost behind\nHostName 127.0.0.1\nProxyJump gone\n")
        done = podshark(RIG, "list", "--host", "behind", check=False)
        self.assertEqual((UNREACHABLE, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.assertIn("connect to host 127.0.0.1 port 1: Connection refused", done.stderr)

    def test_a_file_is_not_emptied_before_there_is_something_for_it(self):
        path = self.tmp / "night.pcapng"
        path.write_bytes(b"what was captured before")
        for target in ("ssh://127.0.0.1:1/web", f"{host(ROOT)}/nobody"):
            self.assertNotEqual(0, podshark(ROOT, "capture", target, "-w", path, check=False).returncode)
            self.assertEqual(b"what was captured before", path.read_bytes())

    def test_a_link_that_comes_back_too_late_is_told(self):
        """The far side gave up after six seconds, ssh did not."""
        for user, name in self.OWNERS:
            with self.subTest(name), self.with_packets(user, name) as capture:
                lib_sshd.hold_up(8)
                capture.process.wait(15)
                self.told(capture, "nothing has come from the other side for 6 s")
            self.gone(10)

    def test_a_restart_there_is_followed(self):
        for user, name in self.OWNERS:
            with self.subTest(name), self.with_packets(user, name) as capture:
                lib.podman(user, "restart", "-t", "0", name)
                wait_for(lambda: any(e["what"] == "restarted" for e in capture.so_far().events_of("gap")),
                         lambda: f"a gap record: {capture.stderr()}", 60)
                before = len(capture.so_far().packets)
                self.up[name].enter("ping", "-c", "2", "-i", "0.2", "127.0.0.1")
                capture.wait_packets(before + 4)
                gap, = (e for e in capture.stop().events_of("gap") if e["what"] == "restarted")
            self.assertRegex(gap["detail"], rf"container {name} was not captured for \d+\.\d+ s: it was stopped and started")
            self.gone()

    def test_twenty_five_machines_behind_one_jump_host(self):
        """Each asks for two connections and a clock at the same moment: sshd hangs up on some, and takes them later."""
        config = lib_sshd.home(RIG) / "config"
        place = f"HostName 127.0.0.1\nPort {PORT}\nUser root\nHostKeyAlias [127.0.0.1]:{PORT}\n"
        config.write_text(f"Host gate\n{place}Host far*\n{place}ProxyJump gate\n")
        self.addCleanup(config.unlink)
        names = [f"far{i}" for i in range(25)]
        with Capture(RIG, *(f"ssh://{name}/web" for name in names), "-i", "eth0", "--drops=off", "--nat=off") as capture:
            wait_for(lambda: len(capture.links()) == 25, lambda: f"25 machines: {capture.stderr()}", 120)
            lib.fetch(28680)
            wait_for(lambda: len({p.interface.name for p in capture.so_far().packets}) == 25,
                     lambda: f"packets of all: {capture.stderr()}", 60)
            done = capture.stop()
        self.assertEqual({f"podman@{name}:web/eth0" for name in names}, {i.name for i in done.links})
        self.gone()

    def test_its_own_connection_is_not_captured(self):
        with Capture(ROOT, f"{host(ROOT)}/hosted", "--all-host") as capture:
            run(ROOT, ["ping", "-c", "3", "-i", "0.2", "127.0.0.1"])
            capture.wait_packets(4)
            time.sleep(1)
            done = capture.stop()
        port = PORT.to_bytes(2, "big")
        self.assertEqual([], [p.data.hex() for p in done.packets if port in (p.data[34:36], p.data[36:38])][:3])

    def test_login_scripts_that_print_and_other_shells(self):
        home = pathlib.Path(lib.environment(RIG)["HOME"])
        script = home / ".bashrc"
        before = script.read_bytes() if script.exists() else None
        self.addCleanup(lambda: script.write_bytes(before) if before is not None else script.unlink())
        script.write_text("echo welcome to this machine\nprintf 'no newline: '\necho noise >&2\n")
        shutil.chown(script, RIG)
        self.assertEqual(podshark(RIG, "list").stdout, podshark(ROOT, "list", "--host", host(RIG)).stdout)

    DIALOG = ("--extcap-interface", "podman:choose", "--remote-host", "127.0.0.1", "--remote-port", str(PORT))

    def test_the_dialog_lists_what_runs_there(self):
        done = podshark(RIG, "--extcap-config", *self.DIALOG, "--remote-username", ROOT, "--extcap-reload-option", "container")
        self.assertIn("{value=web}{display=", done.stdout)
        self.assertNotIn("{value=own}", done.stdout)
        done = podshark(RIG, "--extcap-config", *self.DIALOG[:-1], "1", "--extcap-reload-option", "container")
        self.assertIn("Connection refused", done.stdout)

    def test_wireshark_captures_there(self):
        fifo = self.sshd / "fifo"
        os.mkfifo(fifo, 0o666)
        fifo.chmod(0o666)
        self.addCleanup(fifo.unlink)
        child = self.child(RIG, [PODSHARK, "--capture", *self.DIALOG, "--remote-username", ROOT, "--sshkey",
                                 lib_sshd.home(RIG) / "id_ed25519", "--container", "web", "--fifo", fifo,
                                 "--extcap-capture-filter", "tcp port 80", "--drops", "off", "--promiscuous", "true"], stderr=-1)
        data = b""
        with fifo.open("rb", buffering=0) as stream:
            while b"capturing in container web" not in data:
                data += stream.read(65536)
            lib.fetch(28680)
            while b"hello from" not in data:
                data += stream.read(65536)
            child.send_signal(signal.SIGTERM)
            while more := stream.read(65536):
                data += more
        self.assertEqual(0, child.wait(10))
        self.assertFalse(child.stderr.read(), "Wireshark would make a window of it")
        path = self.sshd / "extcap.pcapng"
        path.write_bytes(data)
        self.assertEqual({"podman:web/eth0", "podman:web/lo"}, {i.name for i in lib_pcapng.read(path).links})
        self.gone()

    def emptied(self, path):
        """A file without its content, until the end of the test."""
        self.addCleanup(path.write_text, path.read_text())
        path.write_text("")
        return path

    def test_a_host_key_that_is_not_known(self):
        self.emptied(lib_sshd.home(RIG) / "known_hosts")
        done = podshark(RIG, "list", "--host", host(RIG), check=False)
        self.assertEqual((PERMISSION, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.assertIn("its host key is not known", done.stderr)

    def test_a_host_key_that_has_changed(self):
        known = self.emptied(lib_sshd.home(RIG) / "known_hosts")
        key = (lib_sshd.home(RIG) / "id_ed25519.pub").read_text()  # not the machine's
        known.write_text(f"[127.0.0.1]:{PORT} {key}")
        for words in (("list", "--host", host(RIG)), ("capture", f"{host(RIG)}/own", "-w", "/dev/null")):
            done = podshark(RIG, *words, check=False)
            self.assertEqual((PERMISSION, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
            self.assertIn("or has changed", done.stderr)

    def askpass(self, answer):
        """An environment with a desktop, whose program for ssh's questions says the answer and keeps what it was asked."""
        asked, program = self.sshd / "asked", self.sshd / "askpass"
        asked.write_text("")
        asked.chmod(0o666)
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" >>{asked}\necho '{answer}'\n")
        program.chmod(0o755)
        return asked, {"DISPLAY": ":99", "SSH_ASKPASS": str(program)}

    def test_a_passphrase_is_asked_for_in_a_window(self):
        key = lib_sshd.home(RIG) / "id_ed25519"
        run(RIG, ["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", key])
        self.addCleanup(run, RIG, ["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", key])
        asked, env = self.askpass("open sesame")
        done = podshark(RIG, "list", "--host", host(RIG), check=False)
        self.assertEqual(PERMISSION, done.returncode, "nobody can be asked")
        done = podshark(RIG, "list", "--host", host(RIG), env=env)
        self.assertIn("own", done.stdout)
        self.assertIn("passphrase for key", asked.read_text())
        self.assertNotIn("sesame", done.stderr)

    def test_an_unknown_host_key_is_shown_in_a_window(self):
        known = self.emptied(lib_sshd.home(RIG) / "known_hosts")
        asked, env = self.askpass("no")
        done = podshark(RIG, "list", "--host", host(RIG), check=False, env=env)
        self.assertEqual(PERMISSION, done.returncode, done.stderr)
        self.assertIn("SHA256:", asked.read_text())
        self.assertEqual("", known.read_text())
        asked, env = self.askpass("yes")
        self.assertIn("own", podshark(RIG, "list", "--host", host(RIG), env=env).stdout)

    def test_a_key_that_it_does_not_take(self):
        self.emptied(self.sshd / "keys")
        done = podshark(RIG, "list", "--host", host(RIG), check=False)
        self.assertEqual((PERMISSION, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
        self.assertIn("ssh may not log in (", done.stderr)


if WORLD == "deb12":
    del Remote  # sshd is in the Debian 13 root only
