# SPDX-License-Identifier: GPL-2.0-or-later
"""podshark doctor on a machine as it is, and with one thing missing at a time; the installer's tests run it after an installation."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import lib
from lib import MEMBER, RIG, ROOT, RigTest, run, wait_for
from lib_podshark import PREFIX, extcap_home, install_worker, remove_worker

DOCTOR = [PREFIX / "bin/podshark", "doctor", "--json"]


class Doctor(RigTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_worker()
        cls.addClassCleanup(remove_worker)
        for user in (MEMBER, RIG):
            extcap_home(user, PREFIX / "bin/podshark")

    @staticmethod
    def lines(user, *before, **kwargs):
        """[(topic, (level, fact, fix))]"""
        done = run(user, [*before, *DOCTOR], check=False, **kwargs)
        return [(f["topic"], (f["level"], f["fact"], f["fix"])) for f in json.loads(done.stdout)]

    @classmethod
    def findings(cls, user, *before, **kwargs):
        """The same by topic; of several lines about one the last."""
        return dict(cls.lines(user, *before, **kwargs))

    def test_a_member_may_do_everything(self):
        told = self.findings(MEMBER)
        for topic in ("wireshark", "extcap", "dumpcap", "worker", "rootful", "drops", "podman", "kernel", "limits"):
            self.assertEqual(("ok", ""), told[topic][::2], told[topic])
        self.assertRegex(told["wireshark"][1], r"version \d+\.\d+\.\d+")
        self.assertIn("/extcap and finds this podshark there", told["extcap"][1])
        self.assertFalse(lib.processes("podshark-drops"), "the program that was tried is gone")

    def test_who_is_not_in_the_group_is_told_how_to_get_there(self):
        told = self.findings(RIG)
        for topic in ("worker", "drops"):
            self.assertEqual("warn", told[topic][0], told[topic])
            self.assertIn("usermod -aG wireshark rig", told[topic][2])

    def test_a_program_that_the_kernel_refuses_to_load(self):
        # A user namespace has no capability outside, where BPF programs live.
        told = self.findings(MEMBER, "unshare", "-r")
        self.assertEqual("warn", told["drops"][0], told["drops"])
        self.assertIn("dropped packets are not shown", told["drops"][1])

    def test_limits(self):
        for limit, words in (("--nofile=1024:1024", "at most 1024 open files"), ("--as=900000000:900000000", "at most 858 MiB")):
            told = self.findings(MEMBER, "prlimit", limit)
            self.assertEqual("warn", told["limits"][0])
            self.assertIn(words, told["limits"][1])

    def test_a_flatpak_beside_it(self):
        app = pathlib.Path(lib.environment(MEMBER)["HOME"], ".local/share/flatpak/app/org.wireshark.Wireshark")
        run(MEMBER, ["mkdir", "-p", app])
        self.addCleanup(run, MEMBER, ["rm", "-r", app.parents[1]])
        told = self.findings(MEMBER)
        self.assertEqual("warn", told["sandbox"][0])
        self.assertIn("flatpak run org.wireshark.Wireshark -k -i -", told["sandbox"][2])

    def test_a_snap_beside_it(self):
        run(ROOT, ["mkdir", "-p", "/snap/wireshark"])
        self.addCleanup(run, ROOT, ["rmdir", "-p", "--ignore-fail-on-non-empty", "/snap/wireshark"])
        told = self.findings(MEMBER)
        self.assertEqual("warn", told["sandbox"][0])
        self.assertIn("a Wireshark from Snap", told["sandbox"][1])
        self.assertIn("snap run wireshark -k -i -", told["sandbox"][2])

    def test_a_plugin_of_another_wireshark(self):
        self.assertIn("podshark.so is not in ", self.findings(MEMBER)["plugin"][1])
        folders = run(MEMBER, ["tshark", "-G", "folders"]).stdout
        plugins = pathlib.Path(re.search(r"^Personal Plugins:\s*(.+)$", folders, re.M)[1]).parent
        made = next(p for p in [*reversed(plugins.parents), plugins, plugins / "9.9"] if not p.exists())
        self.addCleanup(run, MEMBER, ["rm", "-r", made])
        run(MEMBER, ["mkdir", "-p", plugins / "9.9/epan"])
        run(MEMBER, ["touch", plugins / "9.9/epan/podshark.so"])
        level, fact, fix = self.findings(MEMBER)["plugin"]
        self.assertEqual("fail", level)
        self.assertRegex(fact, r"^the plugin was built for Wireshark 9\.9, this is \d+\.\d+\.\d+$")
        self.assertTrue(fix)

    def test_a_socket_of_podman(self):
        path = pathlib.Path(lib.environment(RIG)["XDG_RUNTIME_DIR"], "podman/podman.sock")

        def told():
            return next(line for topic, line in self.lines(RIG) if topic == "socket" and line[1].startswith(f"{path} "))

        self.assertEqual(("ok", f"{path} is not there; the podman command is used instead", ""), told())
        run(RIG, ["mkdir", "-p", path.parent])
        service = self.child(RIG, ["podman", "system", "service", "--time=0", f"unix://{path}"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(path.unlink, missing_ok=True)
        wait_for(lambda: answers(path), "podman's service to listen")
        self.assertEqual(("ok", f"{path} answers: lists are read from there", ""), told())
        lib.end(service, signal.SIGKILL)  # leaves the file
        wait_for(lambda: not answers(path), "podman's service to be gone")
        self.assertEqual(("ok", f"{path} no: Connection refused; the podman command is used instead", ""), told())

    def test_user_namespaces(self):
        self.assertEqual(("ok", ""), self.findings(RIG)["user namespaces"][::2])
        # The setting is of each user namespace.
        none = ["unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c",
                'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
        self.assertEqual(("warn", "switched off (user.max_user_namespaces is 0): no rootless containers",
                          "sudo sysctl -w user.max_user_namespaces=15000"), self.findings(RIG, *none)["user namespaces"])

    def test_rootless_network(self):
        found = [program for program in ("pasta", "slirp4netns") if shutil.which(program)]
        self.assertEqual(("ok", " and ".join(found) + " found", ""), self.findings(RIG)["rootless network"])
        hidden = ["unshare", "-m", "sh", "-c", f'for p in {" ".join(map(shutil.which, found))}; do mount --bind /dev/null $p; done; exec "$@"',
                  "sh", *lib.argv_as(RIG, [])]
        level, fact, fix = self.findings(ROOT, *hidden, env=lib.environment(RIG))["rootless network"]
        self.assertEqual("warn", level)
        self.assertEqual("neither pasta nor slirp4netns found: rootless containers have no network", fact)
        self.assertEqual("sudo apt-get install passt slirp4netns", fix)


def answers(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        return s.connect_ex(str(path)) == 0
